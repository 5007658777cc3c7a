//! What symbols cost in bits, by the probabilities at hand.

use super::coefficients::{HIGHEST_SYMBOL, Place, Sink, end_class};
use super::probabilities::{Coefficients, Probabilities};

/// What one bit is counted as.
pub(super) const BIT: u32 = 256;

/// Costs of a symbol by its probability in 512ths.
static COST: [u16; 513] = cost_table();

const fn cost_table() -> [u16; 513] {
    let mut table = [0; 513];
    let mut index = 0;
    while index <= 512 {
        // What is never likely costs as much as the least likely there is.
        let probability = if index == 0 { 1 } else { index as u64 };
        // The logarithm by repeated squaring, 8 bits behind the point.
        let mut value = probability << 32;
        let mut whole = 0;
        while value >= 2 << 32 {
            value >>= 1;
            whole += 1;
        }
        let mut fraction = 0;
        let mut bit = 0;
        while bit < 9 {
            value = ((value as u128 * value as u128) >> 32) as u64;
            fraction <<= 1;
            if value >= 2 << 32 {
                value >>= 1;
                fraction |= 1;
            }
            bit += 1;
        }
        let logarithm = whole * BIT + ((fraction + 1) >> 1);
        table[index] = (9 * BIT - logarithm) as u16;
        index += 1;
    }
    table
}

/// Of one alphabet.
fn of<const SYMBOLS: usize>(cumulative: &[u16]) -> [u16; SYMBOLS] {
    let mut before = 0;
    std::array::from_fn(|symbol| {
        let share = cumulative[symbol] - before;
        before = cumulative[symbol];
        COST[usize::from((share + 32) >> 6)]
    })
}

/// Of all that a block may say.
#[derive(Debug, Clone)]
pub(super) struct Costs {
    pub(super) skip: [[u16; 2]; 3],
    pub(super) luma_mode: [[[u16; 13]; 5]; 5],
    pub(super) chroma_mode: [[u16; 13]; 13],
    pub(super) chroma_mode_or_luma: [[u16; 14]; 13],
    pub(super) angle: [[u16; 7]; 8],
    /// Of blocks of 8 to 64; those of 8 have four ways.
    pub(super) partition: [[[u16; 4]; 4]; 4],
    pub(super) kind_of_7: [[[u16; 7]; 13]; 2],
    pub(super) kind_of_5: [[[u16; 5]; 13]; 3],
    pub(super) chroma_signs: [u16; 8],
    pub(super) chroma_alpha: [[u16; 16]; 6],
    pub(super) coefficients: CoefficientCosts,
}

/// Those of coefficients.
#[derive(Debug, Clone)]
pub(super) struct CoefficientCosts {
    pub(super) all_zero: [[[u16; 2]; 13]; 5],
    end: [[[u16; 11]; 2]; 5],
    end_extra: [[[[u16; 2]; 9]; 2]; 5],
    dc_sign: [[[u16; 2]; 3]; 2],
    last_base: [[[[u16; 3]; 4]; 2]; 5],
    base: [[[[u16; 4]; 42]; 2]; 5],
    range: [[[[u16; 13]; 21]; 2]; 5],
}

impl Costs {
    pub(super) fn new(probabilities: &Probabilities) -> Self {
        let Probabilities {
            skip,
            luma_mode,
            chroma_mode,
            chroma_mode_or_luma,
            angle,
            partition_8,
            partition: [of_16, of_32, of_64],
            kind_of_7,
            kind_of_5,
            // Known before it is searched.
            quantizer: _,
            chroma_signs,
            chroma_alpha,
            coefficients,
        } = probabilities;
        let wide = |of_side: &[[u16; 11]; 4]| of_side.map(|cumulative| of(&cumulative));
        Self {
            skip: skip.map(|cumulative| of(&cumulative)),
            luma_mode: luma_mode.map(|row| row.map(|cumulative| of(&cumulative))),
            chroma_mode: chroma_mode.map(|cumulative| of(&cumulative)),
            chroma_mode_or_luma: chroma_mode_or_luma.map(|cumulative| of(&cumulative)),
            angle: angle.map(|cumulative| of(&cumulative)),
            partition: [
                partition_8.map(|cumulative| of(&cumulative)),
                wide(of_16),
                wide(of_32),
                wide(of_64),
            ],
            kind_of_7: kind_of_7.map(|row| row.map(|cumulative| of(&cumulative))),
            kind_of_5: kind_of_5.map(|row| row.map(|cumulative| of(&cumulative))),
            chroma_signs: of(chroma_signs),
            chroma_alpha: chroma_alpha.map(|cumulative| of(&cumulative)),
            coefficients: CoefficientCosts::new(coefficients),
        }
    }
}

impl CoefficientCosts {
    fn new(probabilities: &Coefficients) -> Self {
        let both = |planes: &[[u16; 6]; 2]| planes.map(|cumulative| padded(of::<5>(&cumulative)));
        Self {
            all_zero: probabilities.all_zero.map(|row| row.map(|cumulative| of(&cumulative))),
            end: [
                both(&probabilities.end_16),
                probabilities.end_64.map(|cumulative| padded(of::<7>(&cumulative))),
                probabilities.end_256.map(|cumulative| padded(of::<9>(&cumulative))),
                probabilities.end_1024.map(|cumulative| of(&cumulative)),
                probabilities.end_1024.map(|cumulative| of(&cumulative)),
            ],
            end_extra: probabilities
                .end_extra
                .map(|side| side.map(|plane| plane.map(|cumulative| of(&cumulative)))),
            dc_sign: probabilities
                .dc_sign
                .map(|plane| plane.map(|cumulative| of(&cumulative))),
            last_base: probabilities
                .last_base
                .map(|side| side.map(|plane| plane.map(|cumulative| of(&cumulative)))),
            base: probabilities
                .base
                .map(|side| side.map(|plane| plane.map(|cumulative| of(&cumulative)))),
            range: std::array::from_fn(|side| {
                // Those of 64 are those of 32 (8.3.2).
                probabilities.range[side.min(3)].map(|plane| plane.map(|cumulative| chained(of(&cumulative))))
            }),
        }
    }
}

fn padded<const SYMBOLS: usize, const PLACES: usize>(costs: [u16; SYMBOLS]) -> [u16; PLACES] {
    std::array::from_fn(|symbol| costs.get(symbol).copied().unwrap_or(0))
}

/// What 0 to 12 cost in up to four symbols, of which 3 says that another follows.
fn chained(symbols: [u16; 4]) -> [u16; 13] {
    std::array::from_fn(|above| {
        let last = if above < 12 { symbols[above % 3] } else { 0 };
        symbols[3] * (above / 3) as u16 + last
    })
}

impl CoefficientCosts {
    /// How many coefficients there are, at least one.
    #[inline(always)]
    pub(super) fn end(&self, place: Place, end: usize) -> u32 {
        let (class, above) = end_class(end);
        let mut total = u32::from(self.end[place.side][place.plane][class]);
        if class > 1 {
            let bits = class - 1;
            let highest = above >> (bits - 1);
            total += u32::from(self.end_extra[place.side][place.plane][class - 2][highest]);
            total += (bits as u32 - 1) * BIT;
        }
        total
    }

    /// A magnitude, of which the contexts are given, and its sign.
    #[inline(always)]
    pub(super) fn level(&self, place: Place, [base, range]: [usize; 2], level: u16) -> u32 {
        let total = u32::from(self.base[place.side][place.plane][base][usize::from(level.min(3))]);
        total + self.above(place, range, level)
    }

    /// The same for the last that is not zero.
    #[inline(always)]
    pub(super) fn last(&self, place: Place, base: usize, range: usize, level: u16) -> u32 {
        let total = u32::from(self.last_base[place.side][place.plane][base][usize::from(level.min(3) - 1)]);
        total + self.above(place, range, level)
    }

    #[inline(always)]
    fn above(&self, place: Place, range: usize, level: u16) -> u32 {
        let mut total = if level > 0 { BIT } else { 0 };
        if level > 2 {
            total += u32::from(self.range[place.side][place.plane][range][usize::from((level - 3).min(12))]);
            if level > HIGHEST_SYMBOL {
                total += rest(u32::from(level - HIGHEST_SYMBOL));
            }
        }
        total
    }
}

#[inline(always)]
fn rest(rest: u32) -> u32 {
    (2 * rest.ilog2() + 1) * BIT
}

/// Adds up what it is told.
pub(super) struct Sum<'a> {
    pub(super) costs: &'a CoefficientCosts,
    pub(super) total: u32,
}

impl Sink for Sum<'_> {
    #[inline(always)]
    fn end(&mut self, place: Place, end: usize) {
        self.total += self.costs.end(place, end);
    }

    #[inline(always)]
    fn last_base(&mut self, place: Place, context: usize, level: u16) {
        self.total += u32::from(self.costs.last_base[place.side][place.plane][context][usize::from(level - 1)]);
    }

    #[inline(always)]
    fn base(&mut self, place: Place, context: usize, level: u16) {
        self.total += u32::from(self.costs.base[place.side][place.plane][context][usize::from(level)]);
    }

    #[inline(always)]
    fn range(&mut self, place: Place, context: usize, above: u16) {
        self.total += u32::from(self.costs.range[place.side][place.plane][context][usize::from(above)]);
    }

    #[inline(always)]
    fn dc_sign(&mut self, place: Place, is_negative: bool) {
        self.total += u32::from(self.costs.dc_sign[place.plane][place.dc_sign_context][usize::from(is_negative)]);
    }

    #[inline(always)]
    fn sign(&mut self, _: bool) {
        self.total += BIT;
    }

    #[inline(always)]
    fn rest(&mut self, rest: u32) {
        self.total += self::rest(rest);
    }
}
