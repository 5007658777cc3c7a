//! Codes one picture with rav1e.
//!
//! Owns what a quality and an effort mean to the encoder. Knows neither the file around it nor how pixels become planes.

use rav1e::color::{
    ChromaSampling, ColorDescription, ColorPrimaries, MatrixCoefficients, PixelRange, TransferCharacteristics,
};
use rav1e::config::{Config, EncoderConfig, PredictionModesSetting, SpeedSettings};
use rav1e::prelude::{
    BlockSize, ChromaSamplePosition, Context, EncoderStatus, Frame, PartitionRange, Pixel, Rational,
    SceneDetectionSpeed, SegmentationLevel, Tune,
};

use super::FORMAT;
use super::container::Coded;
use crate::EngineError;
use crate::encode::failed;

/// What a picture is coded as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits of a sample, 8 or 10.
    pub(super) bits: u8,
    pub(super) chroma: ChromaSampling,
    /// 1 to 100.
    pub(super) quality: u8,
    /// 0 to 9.
    pub(super) effort: u8,
}

/// Codes the picture that `fill` puts into a frame.
///
/// # Errors
/// [`EngineError::Internal`] when the encoder refuses.
pub(super) fn coded<P: Pixel>(settings: &Settings, fill: impl FnOnce(&mut Frame<P>)) -> Result<Coded, EngineError> {
    let refused = |why: &dyn std::fmt::Display| failed(FORMAT, why);
    let config = Config::new().with_encoder_config(encoder(settings)).with_threads(1);
    let mut context: Context<P> = config.new_context().map_err(|error| refused(&error))?;
    let record = context.container_sequence_header();
    let configuration = *record
        .first_chunk::<4>()
        .ok_or_else(|| refused(&"its configuration is too short"))?;
    let mut frame = context.new_frame();
    fill(&mut frame);
    context.send_frame(frame).map_err(|error| refused(&error))?;
    context.flush();
    let mut units = Vec::new();
    loop {
        match context.receive_packet() {
            Ok(packet) => units.extend_from_slice(without_delimiter(&packet.data)),
            Err(EncoderStatus::Encoded) => {}
            Err(EncoderStatus::LimitReached) => break,
            Err(error) => return Err(refused(&error)),
        }
    }
    Ok(Coded { configuration, units })
}

/// The units of a packet without the one that only says that time goes on, which a file of one picture has no use for.
fn without_delimiter(units: &[u8]) -> &[u8] {
    const TEMPORAL_DELIMITER: &[u8] = &[0x12, 0];
    units.strip_prefix(TEMPORAL_DELIMITER).unwrap_or(units)
}

fn encoder(settings: &Settings) -> EncoderConfig {
    let quantizer = quantizer(settings.quality);
    let is_quick = settings.effort < FIRST_PRESET_EFFORT;
    EncoderConfig {
        width: settings.width as usize,
        height: settings.height as usize,
        sample_aspect_ratio: Rational::new(1, 1),
        time_base: Rational::new(1, 1),
        bit_depth: settings.bits.into(),
        chroma_sampling: settings.chroma,
        chroma_sample_position: ChromaSamplePosition::Unknown,
        pixel_range: PixelRange::Full,
        color_description: Some(ColorDescription {
            color_primaries: ColorPrimaries::BT709,
            transfer_characteristics: TransferCharacteristics::SRGB,
            matrix_coefficients: MatrixCoefficients::BT601,
        }),
        still_picture: true,
        min_key_frame_interval: 0,
        max_key_frame_interval: 0,
        low_latency: false,
        quantizer,
        // 255 at the most.
        min_quantizer: quantizer as u8,
        bitrate: 0,
        tune: if is_quick { Tune::Psnr } else { Tune::Psychovisual },
        // As few as the format allows.
        tile_cols: 0,
        tile_rows: 0,
        tiles: 1,
        speed_settings: speed(settings.effort),
        ..EncoderConfig::with_speed_preset(SLOWEST_QUICK_PRESET)
    }
}

/// The index of the quantizer, 1 to 255. Equal qualities are about equally like the picture as those of libaom, by SSIM.
fn quantizer(quality: u8) -> usize {
    (255 * (100 - usize::from(quality.min(100))) / 100).max(1)
}

/// From this effort on, rav1e's own presets are taken, slower by one with each.
const FIRST_PRESET_EFFORT: u8 = 2;
/// The preset that the efforts below begin with.
const SLOWEST_QUICK_PRESET: u8 = 8;

fn speed(effort: u8) -> SpeedSettings {
    let slower = effort.saturating_sub(FIRST_PRESET_EFFORT);
    let mut speed = SpeedSettings::from_preset(SLOWEST_QUICK_PRESET.saturating_sub(slower));
    // There is one frame, and nothing before or behind it.
    speed.multiref = false;
    speed.rdo_lookahead_frames = 1;
    speed.scene_detection_mode = SceneDetectionSpeed::None;
    if effort < FIRST_PRESET_EFFORT {
        // Half the time of the preset at the same SSIM and size: errors are measured where they are, in frequencies, and
        // what makes a file a hundredth smaller or only helps ringing of the lowest qualities is left out.
        speed.cdef = false;
        speed.segmentation = SegmentationLevel::Disabled;
        speed.prediction.prediction_modes = PredictionModesSetting::Simple;
        speed.prediction.fine_directional_intra = false;
        speed.transform.tx_domain_distortion = true;
        let smallest = if effort == 0 {
            BlockSize::BLOCK_16X16
        } else {
            BlockSize::BLOCK_8X8
        };
        speed.partition.partition_range = PartitionRange::new(smallest, BlockSize::BLOCK_64X64);
        // Rates by a rule of thumb.
        speed.transform.tx_domain_rate = effort == 0;
    }
    speed
}
