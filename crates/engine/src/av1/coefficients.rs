//! The order and the contexts in which the coefficients of a transform are coded (AV1 specification, 5.11.39 and 8.3.2).
//!
//! Knows levels, what the decoder multiplies with the steps of the quantizer; not where they come from, nor how probable a
//! symbol is: that is for the [`Sink`].

use super::arithmetic::Writer;
use super::probabilities::Coefficients;

/// Coefficients that are coded of one transform at the most; of a side of 64 the lower half of each direction.
pub(super) const MOST: usize = 32 * 32;
/// Columns and rows of zeros behind the levels, so that each has the neighbours its context asks for.
const PADDING: usize = 4;
/// What a level counts as at the most in a context.
const HIGHEST_IN_CONTEXT: u16 = 15;
/// Levels up to here have a symbol; what is above is coded by its length.
pub(super) const HIGHEST_SYMBOL: u16 = 14;

/// One coefficient in the order of coding.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Row by row.
    position: u16,
    /// Among levels with padding.
    padded: u16,
    /// What the context of its level begins at.
    base: u8,
    /// The same for what is above 2.
    range: u8,
}

const fn steps<const COUNT: usize>() -> [Step; COUNT] {
    let side = COUNT.isqrt();
    let mut steps = [Step {
        position: 0,
        padded: 0,
        base: 0,
        range: 0,
    }; COUNT];
    let mut next = 0;
    // Along the diagonals, forth and back (the Default_Scan tables of 9.2).
    let mut diagonal = 0;
    while diagonal < 2 * side - 1 {
        let first = if diagonal < side { 0 } else { diagonal - side + 1 };
        let last = if diagonal < side { diagonal } else { side - 1 };
        let mut along = 0;
        while along <= last - first {
            let row = if diagonal % 2 == 0 { last - along } else { first + along };
            let column = diagonal - row;
            steps[next] = Step {
                position: (row * side + column) as u16,
                padded: (row * (side + PADDING) + column) as u16,
                // Coeff_Base_Ctx_Offset of squares.
                base: match diagonal {
                    0 => 0,
                    1 => 1,
                    2 | 3 => 6,
                    _ => 21,
                },
                range: if diagonal == 0 {
                    0
                } else if row < 2 && column < 2 {
                    7
                } else {
                    14
                },
            };
            next += 1;
            along += 1;
        }
        diagonal += 1;
    }
    steps
}

const STEPS_4: [Step; 16] = steps();
const STEPS_8: [Step; 64] = steps();
const STEPS_16: [Step; 256] = steps();
const STEPS_32: [Step; 1024] = steps();

fn steps_of(side: usize) -> &'static [Step] {
    match side {
        0 => const { &STEPS_4 },
        1 => const { &STEPS_8 },
        2 => const { &STEPS_16 },
        _ => const { &STEPS_32 },
    }
}

/// Where a block of coefficients is, for its contexts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Of the transform: 0 for 4 pixels to 4 for 64.
    pub(super) side: usize,
    /// 0 for luma, 1 for chroma.
    pub(super) plane: usize,
    pub(super) dc_sign_context: usize,
}

/// What becomes of the symbols.
pub(super) trait Sink {
    /// How many coefficients there are up to the last that is not zero, at least one.
    fn end(&mut self, place: Place, end: usize);
    /// The last level, of which it is known that it is not zero; up to 3, which stands for all above.
    fn last_base(&mut self, place: Place, context: usize, level: u16);
    /// Another level, up to 3.
    fn base(&mut self, place: Place, context: usize, level: u16);
    /// What a level has above 3, up to 12.
    fn range(&mut self, place: Place, context: usize, above: u16);
    fn dc_sign(&mut self, place: Place, is_negative: bool);
    fn sign(&mut self, is_negative: bool);
    /// What a level has above 14, at least 1.
    fn rest(&mut self, rest: u32);
}

/// The levels of one transform as their contexts see them.
#[derive(Debug)]
pub(super) struct Levels {
    padded: [u8; (32 + PADDING) * (32 + PADDING)],
}

impl Levels {
    pub(super) const fn new() -> Self {
        Self {
            padded: [0; (32 + PADDING) * (32 + PADDING)],
        }
    }

    /// Takes in the levels that are in the first `reach` rows and columns.
    fn take(&mut self, side: usize, levels: &[i16], reach: usize) {
        let width = 4 << side.min(3);
        let stride = width + PADDING;
        let rows = self.padded.chunks_exact_mut(stride);
        for (padded, levels) in rows.zip(levels.chunks_exact(width)).take(reach) {
            for (padded, level) in padded.iter_mut().zip(levels) {
                *padded = level.unsigned_abs().min(HIGHEST_IN_CONTEXT) as u8;
            }
            padded[width..].fill(0);
        }
        self.padded[stride * reach..stride * (reach + PADDING / 2)].fill(0);
    }

    /// Where the contexts of a level and of what it has above 2 are, by what is near it.
    #[inline(always)]
    fn contexts(&self, step: &Step, stride: usize) -> [usize; 2] {
        let at = usize::from(step.padded);
        let near = |row: usize, column: usize| self.padded[at + row * stride + column];
        let nearest = [near(0, 1), near(1, 0), near(1, 1)];
        let low = |level: u8| level.min(3);
        let sum = nearest.map(low).iter().sum::<u8>() + low(near(0, 2)) + low(near(2, 0));
        let base = if at == 0 { 0 } else { sum.div_ceil(2).min(4) + step.base };
        let range = nearest.iter().sum::<u8>().div_ceil(2).min(6) + step.range;
        [base.into(), range.into()]
    }

    /// Lets `choose` say the magnitude of each of `end` levels, the last first: it is told where the level is, in the order of
    /// coding and row by row, and its contexts, by those that were said.
    #[inline(always)]
    pub(super) fn choose(&mut self, side: usize, end: usize, mut choose: impl FnMut(usize, usize, [usize; 2]) -> u16) {
        let stride = (4 << side.min(3)) + PADDING;
        self.padded[..stride * stride].fill(0);
        for (index, step) in steps_of(side)[..end].iter().enumerate().rev() {
            let level = choose(index, step.position.into(), self.contexts(step, stride));
            self.padded[usize::from(step.padded)] = level.min(HIGHEST_IN_CONTEXT) as u8;
        }
    }

    /// Tells the sink of all symbols of the levels, of which `end` are left before the zeros.
    #[inline(always)]
    pub(super) fn code(&mut self, place: Place, levels: &[i16], end: usize, sink: &mut impl Sink) {
        self.take(place.side, levels, reach(place.side, end));
        let steps = &steps_of(place.side)[..end];
        let stride = (4 << place.side.min(3)) + PADDING;
        sink.end(place, end);
        for (index, step) in steps.iter().enumerate().rev() {
            let level = levels[usize::from(step.position)].unsigned_abs();
            let [base, range] = self.contexts(step, stride);
            if index + 1 == end {
                sink.last_base(place, last_context(place.side, index), level.min(3));
            } else {
                sink.base(place, base, level.min(3));
            }
            if level > 2 {
                sink.range(place, range, (level - 3).min(12));
            }
        }
        for (index, step) in steps.iter().enumerate() {
            let level = levels[usize::from(step.position)];
            if level == 0 {
                continue;
            }
            if index == 0 {
                sink.dc_sign(place, level < 0);
            } else {
                sink.sign(level < 0);
            }
            if level.unsigned_abs() > HIGHEST_SYMBOL {
                sink.rest((level.unsigned_abs() - HIGHEST_SYMBOL).into());
            }
        }
    }
}

/// The context of the last level, by where it is.
pub(super) fn last_context(side: usize, index: usize) -> usize {
    let count = steps_of(side).len();
    match index {
        0 => 0,
        _ if index <= count / 8 => 1,
        _ if index <= count / 4 => 2,
        _ => 3,
    }
}

/// The class of an end, and what is above the least of it.
pub(super) fn end_class(end: usize) -> (usize, usize) {
    match end {
        1 => (0, 0),
        _ => {
            let class = (end - 1).ilog2() as usize + 1;
            (class, end - 1 - (1 << (class - 1)))
        }
    }
}

/// Writes what it is told.
pub(super) struct Stream<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) probabilities: &'a mut Coefficients,
}

impl Sink for Stream<'_> {
    fn end(&mut self, place: Place, end: usize) {
        let (class, above) = end_class(end);
        let probabilities = &mut *self.probabilities;
        let classes: &mut [u16] = match place.side {
            0 => &mut probabilities.end_16[place.plane],
            1 => &mut probabilities.end_64[place.plane],
            2 => &mut probabilities.end_256[place.plane],
            _ => &mut probabilities.end_1024[place.plane],
        };
        self.writer.symbol(class, classes);
        if class > 1 {
            let bits = class as u32 - 1;
            let highest = above >> (bits - 1);
            let extra = &mut probabilities.end_extra[place.side][place.plane][class - 2];
            self.writer.symbol(highest, extra);
            self.writer.literal(above as u32, bits - 1);
        }
    }

    fn last_base(&mut self, place: Place, context: usize, level: u16) {
        let cumulative = &mut self.probabilities.last_base[place.side][place.plane][context];
        self.writer.symbol(usize::from(level) - 1, cumulative);
    }

    fn base(&mut self, place: Place, context: usize, level: u16) {
        let cumulative = &mut self.probabilities.base[place.side][place.plane][context];
        self.writer.symbol(level.into(), cumulative);
    }

    fn range(&mut self, place: Place, context: usize, above: u16) {
        // Those of 64 are those of 32 (8.3.2).
        let cumulative = &mut self.probabilities.range[place.side.min(3)][place.plane][context];
        let mut left = above;
        for _ in 0..4 {
            let symbol = left.min(3);
            self.writer.symbol(symbol.into(), cumulative);
            left -= symbol;
            if symbol < 3 {
                break;
            }
        }
    }

    fn dc_sign(&mut self, place: Place, is_negative: bool) {
        let cumulative = &mut self.probabilities.dc_sign[place.plane][place.dc_sign_context];
        self.writer.symbol(is_negative.into(), cumulative);
    }

    fn sign(&mut self, is_negative: bool) {
        self.writer.literal(is_negative.into(), 1);
    }

    fn rest(&mut self, rest: u32) {
        let bits = rest.ilog2();
        self.writer.literal(0, bits);
        self.writer.literal(rest, bits + 1);
    }
}

/// Where each coefficient is in the order of coding, from 1, row by row.
pub(super) fn places(side: usize) -> &'static [i16] {
    static PLACES_4: [i16; 16] = inverse(&STEPS_4);
    static PLACES_8: [i16; 64] = inverse(&STEPS_8);
    static PLACES_16: [i16; 256] = inverse(&STEPS_16);
    static PLACES_32: [i16; 1024] = inverse(&STEPS_32);
    match side {
        0 => &PLACES_4,
        1 => &PLACES_8,
        2 => &PLACES_16,
        _ => &PLACES_32,
    }
}

const fn inverse<const COUNT: usize>(steps: &[Step; COUNT]) -> [i16; COUNT] {
    let mut places = [0; COUNT];
    let mut index = 0;
    while index < COUNT {
        places[steps[index].position as usize] = index as i16 + 1;
        index += 1;
    }
    places
}

/// Rows and columns that the first `end` coefficients are in.
pub(super) fn reach(side: usize, end: usize) -> usize {
    let width = 4 << side.min(3);
    let last = usize::from(steps_of(side)[end - 1].position);
    (last / width + last % width + 1).min(width)
}

/// Where the first coefficients are, row by row.
pub(super) fn positions(side: usize, end: usize) -> impl Iterator<Item = usize> {
    steps_of(side)[..end].iter().map(|step| step.position.into())
}

/// The first levels in the order of coding.
pub(super) fn in_order(side: usize, levels: &[i16], end: usize) -> impl Iterator<Item = i16> {
    steps_of(side)[..end]
        .iter()
        .map(|step| levels[usize::from(step.position)])
}

/// Puts levels that are in the order of coding where they belong, among zeros.
pub(super) fn spread(side: usize, in_order: &[i16], levels: &mut [i16; MOST]) {
    levels.fill(0);
    for (level, step) in in_order.iter().zip(steps_of(side)) {
        levels[usize::from(step.position)] = *level;
    }
}
