//! Keeps the account of a plan being made: its stages, what they take, and whether that is allowed.

use pixmill_types::{ImageFormat, LimitName, Limits};

use super::operation::{Carried, EncodePlan, InfoPlan, Operation};
use super::route::{DecodePlan, StreamPlan};
use super::stage::Stage;
use super::{FilePlan, OutputPlan, memory, time};
use crate::EngineError;
use crate::pixels::{Channels, Depth, Shape};
use crate::probe::Header;

/// JPEG (ISO/IEC 10918-1), GIF and the frames of AV1: sides are 16-bit numbers.
const SIXTEEN_BIT_MAX_SIDE: u32 = 65_535;
/// W3C PNG and BMP: sides are 31-bit numbers; TIFF and QOI have a bit more.
const PNG_MAX_SIDE: u32 = i32::MAX as u32;
/// RFC 9649: sides of a lossy picture are 14-bit numbers.
const WEBP_MAX_SIDE: u32 = 16_383;

#[derive(Debug)]
pub(super) struct Ledger<'a> {
    limits: &'a Limits,
    stages: Vec<Stage>,
    /// Finished files and whatever else is held to the end, bytes.
    files: u64,
    /// A picture that waits for later outputs, bytes.
    beside: u64,
    /// How often stages run: as often as an animation has frames.
    times: u32,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            stages: Vec::new(),
            files: 0,
            beside: 0,
            times: 1,
        }
    }

    /// From here on, a picture of `bytes` waits beside the one that is worked on.
    pub(super) fn keep_beside(&mut self, bytes: u64) {
        self.beside = bytes;
    }

    /// From here on, each stage runs so many times.
    pub(super) fn repeat(&mut self, times: u32) {
        self.times = times;
    }

    /// From here to the end, so many bytes are held.
    pub(super) fn hold(&mut self, bytes: u64) {
        self.files += bytes;
    }

    pub(super) fn decode(&mut self, header: &Header, decode: &DecodePlan, into: Shape) {
        self.stages.push(Stage {
            name: "decode",
            detail: format!("{}{decode}", header.format),
            includes: decode.includes(header),
            output: None,
            from: None,
            result: into,
            memory_bytes: memory::decoding(header, decode, into),
            time: time::decoding(header, decode, into) * self.times,
        });
    }

    pub(super) fn copy(&mut self, header: &Header, encode: &EncodePlan, shape: Shape) -> Result<(), EngineError> {
        check_output(self.limits, 0, encode, shape)?;
        self.stages.push(Stage {
            name: "copy",
            detail: format!("{}, pixels as they are{}", header.format, Carried(encode)),
            includes: Vec::new(),
            output: None,
            from: None,
            result: shape,
            memory_bytes: memory::file(encode, shape),
            time: time::copying(shape),
        });
        Ok(())
    }

    pub(super) fn stream(
        &mut self,
        header: &Header,
        stream: &StreamPlan,
        encode: &EncodePlan,
    ) -> Result<(), EngineError> {
        let shape = Shape {
            width: header.width,
            height: header.height,
            channels: Channels::Gray,
            depth: Depth::Eight,
        };
        let memory_bytes = memory::streaming(stream, encode, shape);
        let time = time::streaming(header, stream, shape);
        let shape = Operation::Orient(stream.turn).shape_after(shape);
        check_output(self.limits, 0, encode, shape)?;
        self.stages.push(Stage {
            name: "stream",
            detail: format!("{} {stream}, {encode}", header.format),
            includes: stream.includes(),
            output: None,
            from: None,
            result: shape,
            memory_bytes,
            time,
        });
        Ok(())
    }

    pub(super) fn operate(
        &mut self,
        output: Option<usize>,
        operations: &[Operation],
        mut shape: Shape,
    ) -> Result<Shape, EngineError> {
        for operation in operations {
            let after = operation.shape_after(shape);
            self.limits.check(LimitName::OutputPixels, after.pixels())?;
            let memory_bytes = self.files + self.beside + memory::operating(operation, shape);
            let time = time::operating(operation, shape) * self.times;
            shape = after;
            self.stages.push(Stage {
                name: operation.name(),
                detail: operation.to_string(),
                includes: Vec::new(),
                output,
                from: None,
                result: shape,
                memory_bytes,
                time,
            });
        }
        Ok(shape)
    }

    /// As [`Ledger::operate`], for an output that may continue what another began.
    pub(super) fn continue_from(
        &mut self,
        output: usize,
        operations: &[Operation],
        shape: Shape,
        from: Option<usize>,
    ) -> Result<Shape, EngineError> {
        let begin = self.stages.len();
        let shape = self.operate(Some(output), operations, shape)?;
        if let (Some(from), Some(stage)) = (from, self.stages.get_mut(begin)) {
            stage.detail.push_str(&format!(", of what output {} has", from + 1));
            stage.from = Some(from);
        }
        Ok(shape)
    }

    /// What is made of a picture in the end.
    pub(super) fn file(&mut self, index: usize, output: &OutputPlan, shape: Shape) -> Result<(), EngineError> {
        match &output.file {
            FilePlan::Encode(encode) => self.encode(index, encode, output.frames, shape),
            FilePlan::Info(info) => {
                self.describe(index, info, shape);
                Ok(())
            }
        }
    }

    fn encode(&mut self, output: usize, encode: &EncodePlan, frames: u32, shape: Shape) -> Result<(), EngineError> {
        check_output(self.limits, output, encode, shape)?;
        let pixels = shape.pixels().saturating_mul(u64::from(frames));
        self.limits.check(LimitName::OutputPixels, pixels)?;
        let earlier_frames = memory::file(encode, shape).saturating_mul(u64::from(frames) - 1);
        self.stages.push(Stage {
            name: "encode",
            detail: if frames == 1 {
                encode.to_string()
            } else {
                format!("{encode}, {frames} frames")
            },
            includes: Vec::new(),
            output: Some(output),
            from: None,
            result: encode.shape_written(shape),
            memory_bytes: self.files + self.beside + earlier_frames + memory::encoding(encode, shape),
            time: time::encoding(encode, frames, shape),
        });
        self.files += earlier_frames + memory::file(encode, shape);
        Ok(())
    }

    fn describe(&mut self, output: usize, info: &InfoPlan, shape: Shape) {
        self.stages.push(Stage {
            name: "info",
            detail: info.to_string(),
            includes: Vec::new(),
            output: Some(output),
            from: None,
            result: shape,
            memory_bytes: self.files + self.beside + memory::describing(shape),
            time: time::describing(shape),
        });
    }

    /// The stages, and what the dearest of them takes, bytes.
    pub(super) fn close(self) -> Result<(Vec<Stage>, u64), EngineError> {
        let peak = self.stages.iter().map(|stage| stage.memory_bytes).max().unwrap_or(0);
        self.limits.check(LimitName::TaskMemoryBytes, peak)?;
        Ok((self.stages, peak))
    }
}

/// Whether an output may be, and can be, that large.
///
/// # Errors
/// [`EngineError::Limit`] and [`EngineError::Impossible`] when it may not or cannot.
pub(crate) fn check_output(
    limits: &Limits,
    output: usize,
    encode: &EncodePlan,
    shape: Shape,
) -> Result<(), EngineError> {
    limits.check(LimitName::OutputPixels, shape.pixels())?;
    let largest = match encode.format {
        ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::Avif => SIXTEEN_BIT_MAX_SIDE,
        ImageFormat::Png
        | ImageFormat::Tiff
        | ImageFormat::Bmp
        | ImageFormat::Qoi
        | ImageFormat::Ico
        | ImageFormat::Pnm
        | ImageFormat::Jxl => PNG_MAX_SIDE,
        ImageFormat::Webp => WEBP_MAX_SIDE,
    };
    if shape.width.max(shape.height) > largest {
        return Err(EngineError::Impossible(format!(
            "output {} would be {} x {} pixels, a {} holds at most {largest} a side",
            output + 1,
            shape.width,
            shape.height,
            encode.format
        )));
    }
    Ok(())
}
