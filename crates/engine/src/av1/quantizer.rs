//! What an index of the quantizer means (AV1 specification, 7.12.2), and what bits are worth at it.

use super::defaults::quantizers::{AC_8, AC_10, DC_8, DC_10};

/// The quantizer of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quantizer {
    /// Its index.
    pub(super) index: u8,
    pub(super) bits: u8,
    dc: u16,
    ac: u16,
    /// Squared error that is worth one bit, in samples.
    pub(super) lambda: f32,
}

/// Of one side of transforms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) dc: i32,
    pub(super) ac: i32,
    /// What the product of level and step is divided by (dqDenom of 7.12.3), a power of two.
    pub(super) shift: u32,
    /// The highest magnitude of a coefficient; below zero it is one more.
    highest: i32,
}

impl Steps {
    /// The coefficient that a magnitude of levels stands for, its sign given as 0 or, below zero, -1 (7.12.3).
    #[inline(always)]
    pub(super) fn restored(self, level: i32, step: i32, sign: i32) -> i32 {
        let magnitude = ((level * step) >> self.shift).min(self.highest - sign);
        (magnitude ^ sign) - sign
    }
}

impl Quantizer {
    /// `index`: not 0, which stands for no loss at all, and another stream.
    pub(super) fn new(index: u8, bits: u8) -> Self {
        debug_assert!(index > 0, "the index of no loss");
        let at = usize::from(index);
        let (dc, ac) = if bits == 8 {
            (DC_8[at], AC_8[at])
        } else {
            (DC_10[at], AC_10[at])
        };
        let step = f32::from(ac) / 8.0;
        Self {
            index,
            bits,
            dc,
            ac,
            lambda: LAMBDA * step * step,
        }
    }

    /// The quantizer for a part of the picture in which `activity` goes on, the mean logarithm of the variances of its pieces: where
    /// there is little, errors are seen more, and finer steps cost little.
    pub(super) fn for_activity(&self, activity: f32) -> Self {
        let quiet = (BUSY - activity).max(0.0);
        let step = f32::from(self.ac) * (-FINER * quiet).exp2();
        let steps = if self.bits == 8 { &AC_8 } else { &AC_10 };
        let index = steps[..usize::from(self.index)].partition_point(|&other| f32::from(other) < step);
        let turns = (usize::from(self.index) - index).min(MOST_FINER) / TURN;
        // Not to 0, which stands for no loss at all.
        let turns = turns.min((usize::from(self.index) - 1) / TURN);
        Self::new(self.index - (turns * TURN) as u8, self.bits)
    }

    /// `side`: 0 for 4 pixels to 4 for 64.
    pub(super) fn steps(&self, side: usize) -> Steps {
        Steps {
            dc: self.dc.into(),
            ac: self.ac.into(),
            shift: match side {
                0..=2 => 0,
                3 => 1,
                _ => 2,
            },
            highest: (1 << (7 + self.bits)) - 1,
        }
    }

    /// How much the decoder smooths the edges of blocks, 0 to 63: grows with the step, as errors at the edges do.
    pub(super) fn deblocking(&self) -> u8 {
        let step = f32::from(self.ac) / f32::from(1_u16 << (self.bits - 8));
        (step * 0.1 - 4.0).round().clamp(0.0, 63.0) as u8
    }
}

/// The activity from which on steps are as they are, and the logarithm by which they are finer for each below.
const BUSY: f32 = 9.0;
const FINER: f32 = 0.2;
/// How much lower an index may be, and in what it is counted (delta_q_res), as a logarithm and as a number.
const MOST_FINER: usize = 80;
pub(super) const TURN_LOG2: u32 = 2;
const TURN: usize = 1 << TURN_LOG2;

impl Quantizer {
    /// How the index of another quantizer of the picture differs from that of this one, in turns.
    pub(super) fn turns_to(&self, other: &Self) -> i32 {
        (i32::from(other.index) - i32::from(self.index)) / TURN as i32
    }
}

/// Of the square of a step.
const LAMBDA: f32 = 0.08;
