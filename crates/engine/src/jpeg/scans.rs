//! Scans of a picture whose quantized blocks all wait: one with everything, or the several of a progressive JPEG
//! (ISO/IEC 10918-1, annex G).

use super::BLOCK;
use super::tokens::{self, MAX_BLOCK_BYTES, SIXTEEN_ZEROS, Tables, Tokens, bits_of, value_bits, zeros};
use super::waiting::{Coefficients, Waiting};
use crate::EngineError;

/// Blocks without anything left to say that one symbol stands for, at most.
const MOST_BLOCKS_TOGETHER: u32 = 0x7fff;
/// Bits of corrections that wait for such a symbol, at most.
const MOST_CORRECTIONS: u32 = 1_000;
/// What may be written at once, bytes: a block, and the corrections before it, stuffed.
const ROOM: usize = MAX_BLOCK_BYTES + 2 * (MOST_CORRECTIONS as usize + BLOCK) / 8;

/// A component that waits.
pub(super) struct Plane {
    /// Blocks in an MCU along each direction.
    pub(super) across: usize,
    pub(super) down: usize,
    pub(super) blocks: Waiting,
}

/// What a scan holds of which components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scan {
    /// The one component; `None` for all of them.
    pub(super) component: Option<usize>,
    /// The first and the last coefficient in zigzag order.
    pub(super) first: u8,
    pub(super) last: u8,
    /// Bits left out by the scan before of these coefficients, 0 when there was none; and by this one.
    pub(super) before: u8,
    pub(super) left_out: u8,
}

impl Scan {
    const fn new(component: Option<usize>, [first, last]: [u8; 2], [before, left_out]: [u8; 2]) -> Self {
        Self {
            component,
            first,
            last,
            before,
            left_out,
        }
    }

    /// Everything at once.
    pub(super) const WHOLE: Self = Self::new(None, [0, 63], [0, 0]);

    /// The order of libjpeg's `jpeg_simple_progression`: what is seen first comes first, chroma in few scans.
    pub(super) const COLOUR: [Self; 10] = [
        Self::new(None, [0, 0], [0, 1]),
        Self::new(Some(0), [1, 5], [0, 2]),
        Self::new(Some(2), [1, 63], [0, 1]),
        Self::new(Some(1), [1, 63], [0, 1]),
        Self::new(Some(0), [6, 63], [0, 2]),
        Self::new(Some(0), [1, 63], [2, 1]),
        Self::new(None, [0, 0], [1, 0]),
        Self::new(Some(2), [1, 63], [1, 0]),
        Self::new(Some(1), [1, 63], [1, 0]),
        Self::new(Some(0), [1, 63], [1, 0]),
    ];
    pub(super) const GRAY: [Self; 6] = [
        Self::new(None, [0, 0], [0, 1]),
        Self::new(Some(0), [1, 5], [0, 2]),
        Self::new(Some(0), [6, 63], [0, 2]),
        Self::new(Some(0), [1, 63], [2, 1]),
        Self::new(None, [0, 0], [1, 0]),
        Self::new(Some(0), [1, 63], [1, 0]),
    ];

    /// Codes the scan.
    pub(super) fn code(self, planes: &[Plane], tokens: &mut impl Tokens) -> Result<(), EngineError> {
        let alone = self
            .component
            .and_then(|component| Some((component, planes.get(component)?)));
        match (alone, self.before) {
            (None, _) if self.last > 0 => sequential(planes, tokens),
            (None, 0) => first_of_dc(planes, self.left_out, tokens),
            (None, _) => in_mcus(planes, |_, (dc, ..)| {
                tokens.make_room(ROOM)?;
                tokens.bits((dc >> self.left_out & 1) as u32, 1);
                Ok(())
            }),
            (Some((component, plane)), 0) => self.first_of_ac(component, plane, tokens),
            (Some((component, plane)), _) => self.refined_ac(component, plane, tokens),
        }
    }

    /// Coefficients of a block within the scan: where they are and their magnitudes, what is left out cut off.
    fn within(self, (_, nonzero, values): Coefficients<'_>) -> impl Iterator<Item = (usize, u32, bool)> {
        let mut left = nonzero;
        values
            .iter()
            .map(move |value| {
                let index = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (index, u32::from(value.unsigned_abs()) >> self.left_out, *value < 0)
            })
            .filter(move |(index, magnitude, _)| {
                (usize::from(self.first)..=usize::from(self.last)).contains(index) && *magnitude > 0
            })
    }

    /// G.1.2.2
    fn first_of_ac(self, component: usize, plane: &Plane, tokens: &mut impl Tokens) -> Result<(), EngineError> {
        let table = Tables::of(component).ac;
        let mut ended = Ended::default();
        for block in plane.blocks.all() {
            tokens.make_room(ROOM)?;
            let mut last = usize::from(self.first) - 1;
            for (index, magnitude, is_negative) in self.within(block) {
                ended.write(table, tokens);
                let run = zeros(index - last - 1, table, tokens);
                last = index;
                let value = if is_negative {
                    -(magnitude as i32)
                } else {
                    magnitude as i32
                };
                let size = bits_of(value);
                tokens.token(table, (run << 4 | size as usize) as u8, value_bits(value, size), size);
            }
            if last < usize::from(self.last) {
                ended.add(Corrections::default(), table, tokens);
            }
        }
        ended.write(table, tokens);
        Ok(())
    }

    /// G.1.2.3
    fn refined_ac(self, component: usize, plane: &Plane, tokens: &mut impl Tokens) -> Result<(), EngineError> {
        let table = Tables::of(component).ac;
        let mut ended = Ended::default();
        for block in plane.blocks.all() {
            tokens.make_room(ROOM)?;
            let last_new = self.within(block).filter(|(_, magnitude, _)| *magnitude == 1).last();
            let last_new = last_new.map_or(0, |(index, ..)| index);
            let (mut run, mut last) = (0, usize::from(self.first) - 1);
            let mut corrections = Corrections::default();
            for (index, magnitude, is_negative) in self.within(block) {
                run += index - last - 1;
                last = index;
                while run > 15 && index <= last_new {
                    ended.write(table, tokens);
                    tokens.token(table, SIXTEEN_ZEROS, 0, 0);
                    corrections.write(tokens);
                    run -= 16;
                }
                if magnitude > 1 {
                    corrections.add(magnitude & 1);
                    continue;
                }
                ended.write(table, tokens);
                tokens.token(table, (run << 4 | 1) as u8, u32::from(!is_negative), 1);
                corrections.write(tokens);
                run = 0;
            }
            run += usize::from(self.last) - last;
            if run > 0 || corrections.count > 0 {
                ended.add(corrections, table, tokens);
            }
        }
        ended.write(table, tokens);
        Ok(())
    }
}

/// Bits that make coefficients of a block more exact that were not zero before.
#[derive(Debug, Clone, Copy, Default)]
struct Corrections {
    bits: u64,
    count: u32,
}

impl Corrections {
    /// One more, of at most as many as a block has AC coefficients.
    fn add(&mut self, bit: u32) {
        self.bits = self.bits << 1 | u64::from(bit);
        self.count += 1;
    }

    fn write(&mut self, tokens: &mut impl Tokens) {
        let upper = self.count.saturating_sub(32);
        tokens.bits((self.bits >> self.count.min(32)) as u32, upper);
        tokens.bits(
            (self.bits & (u64::MAX >> (64 - self.count.clamp(1, 32)))) as u32,
            self.count - upper,
        );
        *self = Self::default();
    }
}

/// Blocks that have nothing more to say but corrections, which follow the symbol for all of them.
#[derive(Default)]
struct Ended {
    blocks: u32,
    corrections: Vec<Corrections>,
    bits: u32,
}

impl Ended {
    fn add(&mut self, corrections: Corrections, table: usize, tokens: &mut impl Tokens) {
        self.blocks += 1;
        if corrections.count > 0 {
            self.bits += corrections.count;
            self.corrections.push(corrections);
        }
        if self.blocks == MOST_BLOCKS_TOGETHER || self.bits > MOST_CORRECTIONS - BLOCK as u32 {
            self.write(table, tokens);
        }
    }

    fn write(&mut self, table: usize, tokens: &mut impl Tokens) {
        if self.blocks == 0 {
            return;
        }
        let size = self.blocks.ilog2();
        tokens.token(table, (size << 4) as u8, self.blocks & ((1 << size) - 1), size);
        for corrections in &mut self.corrections {
            corrections.write(tokens);
        }
        self.corrections.clear();
        (self.blocks, self.bits) = (0, 0);
    }
}

/// Every block with all of its coefficients.
fn sequential(planes: &[Plane], tokens: &mut impl Tokens) -> Result<(), EngineError> {
    let mut previous = [0_i16; 3];
    in_mcus(planes, |component, (dc, nonzero, values)| {
        tokens.make_room(ROOM)?;
        let previous = &mut previous[component % 3];
        let mut values = values.iter();
        let difference = i32::from(dc) - i32::from(*previous);
        *previous = dc;
        tokens::block(tokens, Tables::of(component), difference, nonzero, |_| {
            values.next().copied().unwrap_or_default()
        });
        Ok(())
    })
}

/// G.1.2.1
fn first_of_dc(planes: &[Plane], left_out: u8, tokens: &mut impl Tokens) -> Result<(), EngineError> {
    let mut previous = [0; 3];
    in_mcus(planes, |component, (dc, ..)| {
        tokens.make_room(ROOM)?;
        let (dc, previous) = (i32::from(dc >> left_out), &mut previous[component % 3]);
        tokens::dc(tokens, Tables::of(component).dc, dc - *previous);
        *previous = dc;
        Ok(())
    })
}

/// All blocks in the order of MCUs (A.2.3), each with its component. Beyond the edges, where an MCU has more blocks than
/// its component, that is a block as bright as the one before.
fn in_mcus(
    planes: &[Plane],
    mut take: impl FnMut(usize, Coefficients<'_>) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let Some(luma) = planes.first() else {
        return Ok(());
    };
    let (across, down) = luma.blocks.sides();
    let mut last_dc = [0; 3];
    for mcu_row in 0..down.div_ceil(luma.down) {
        for mcu in 0..across.div_ceil(luma.across) {
            for (component, plane) in planes.iter().enumerate() {
                let last_dc = &mut last_dc[component % 3];
                for (row, column) in (0..plane.down).flat_map(|row| (0..plane.across).map(move |column| (row, column)))
                {
                    let found = plane.blocks.at(mcu_row * plane.down + row, mcu * plane.across + column);
                    let block = found.unwrap_or((*last_dc, 0, &[]));
                    *last_dc = block.0;
                    take(component, block)?;
                }
            }
        }
    }
    Ok(())
}
