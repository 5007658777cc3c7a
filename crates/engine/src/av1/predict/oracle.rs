//! Intra prediction written out as sections 7.11.2 and 7.11.5 of the specification have it, names included, for tests
//! to compare with.
//!
//! Slow, and knows nothing of the code it is compared with.

/// An array of the specification whose indices begin below 0.
#[derive(Clone)]
struct Signed(Vec<i32>);

impl Signed {
    fn new() -> Self {
        Self(vec![-99_999; 320])
    }

    fn at(&self, index: i32) -> i32 {
        let value = self.0[(index + 16) as usize];
        assert_ne!(value, -99_999, "index {index} was never set");
        value
    }

    fn set(&mut self, index: i32, value: i32) {
        self.0[(index + 16) as usize] = value;
    }
}

/// What `predict_intra` is called with, and what it reads from elsewhere.
pub(in crate::av1) struct Call<'a> {
    pub(in crate::av1) frame: &'a [u16],
    pub(in crate::av1) stride: usize,
    pub(in crate::av1) x: i32,
    pub(in crate::av1) y: i32,
    pub(in crate::av1) max_x: i32,
    pub(in crate::av1) max_y: i32,
    pub(in crate::av1) have_left: bool,
    pub(in crate::av1) have_above: bool,
    pub(in crate::av1) have_above_right: bool,
    pub(in crate::av1) have_below_left: bool,
    pub(in crate::av1) mode: u8,
    pub(in crate::av1) angle_delta: i32,
    pub(in crate::av1) filter: Option<bool>,
    pub(in crate::av1) log2: u32,
    pub(in crate::av1) bit_depth: u32,
}

const MODE_TO_ANGLE: [i32; 13] = [0, 90, 180, 45, 135, 113, 157, 203, 67, 0, 0, 0, 0];

#[rustfmt::skip]
const DR_INTRA_DERIVATIVE: [i32; 90] = [
    0, 0, 0, 1023, 0, 0, 547, 0, 0, 372, 0, 0, 0, 0,
    273, 0, 0, 215, 0, 0, 178, 0, 0, 151, 0, 0, 132, 0, 0,
    116, 0, 0, 102, 0, 0, 0, 90, 0, 0, 80, 0, 0, 71, 0, 0,
    64, 0, 0, 57, 0, 0, 51, 0, 0, 45, 0, 0, 0, 40, 0, 0,
    35, 0, 0, 31, 0, 0, 27, 0, 0, 23, 0, 0, 19, 0, 0,
    15, 0, 0, 0, 0, 11, 0, 0, 7, 0, 0, 3, 0, 0,
];

#[rustfmt::skip]
const SM_WEIGHTS: [&[i32]; 5] = [
    &[255, 149, 85, 64],
    &[255, 197, 146, 105, 73, 50, 37, 32],
    &[255, 225, 196, 170, 145, 123, 102, 84, 68, 54, 43, 33, 26, 20, 17, 16],
    &[255, 240, 225, 210, 196, 182, 169, 157, 145, 133, 122, 111, 101, 92, 83, 74,
      66, 59, 52, 45, 39, 34, 29, 25, 21, 17, 14, 12, 10, 9, 8, 8],
    &[255, 248, 240, 233, 225, 218, 210, 203, 196, 189, 182, 176, 169, 163, 156,
      150, 144, 138, 133, 127, 121, 116, 111, 106, 101, 96, 91, 86, 82, 77, 73, 69,
      65, 61, 57, 54, 50, 47, 44, 41, 38, 35, 32, 29, 27, 25, 22, 20, 18, 16, 15,
      13, 12, 10, 9, 8, 7, 6, 6, 5, 5, 4, 4, 4],
];

const INTRA_EDGE_KERNEL: [[i32; 5]; 3] = [[0, 4, 8, 4, 0], [0, 5, 6, 5, 0], [2, 4, 4, 4, 2]];

fn round2(value: i32, bits: u32) -> i32 {
    if bits == 0 {
        value
    } else {
        (value + (1 << (bits - 1))) >> bits
    }
}

fn round2_signed(value: i32, bits: u32) -> i32 {
    if value >= 0 {
        round2(value, bits)
    } else {
        -round2(-value, bits)
    }
}

impl Call<'_> {
    fn curr_frame(&self, y: i32, x: i32) -> i32 {
        self.frame[y as usize * self.stride + x as usize].into()
    }

    pub(in crate::av1) fn predict_intra(&self) -> Vec<u16> {
        let side = 1 << self.log2;
        let (x, y, w, h) = (self.x, self.y, side, side);
        let middle = 1 << (self.bit_depth - 1);
        let (mut above_row, mut left_col) = (Signed::new(), Signed::new());
        for i in 0..w + h {
            above_row.set(
                i,
                match (self.have_above, self.have_left) {
                    (false, true) => self.curr_frame(y, x - 1),
                    (false, false) => middle - 1,
                    _ => {
                        let limit = self.max_x.min(x + if self.have_above_right { 2 * w } else { w } - 1);
                        self.curr_frame(y - 1, limit.min(x + i))
                    }
                },
            );
            left_col.set(
                i,
                match (self.have_left, self.have_above) {
                    (false, true) => self.curr_frame(y - 1, x),
                    (false, false) => middle + 1,
                    _ => {
                        let limit = self.max_y.min(y + if self.have_below_left { 2 * h } else { h } - 1);
                        self.curr_frame(limit.min(y + i), x - 1)
                    }
                },
            );
        }
        let corner = match (self.have_above, self.have_left) {
            (true, true) => self.curr_frame(y - 1, x - 1),
            (true, false) => self.curr_frame(y - 1, x),
            (false, true) => self.curr_frame(y, x - 1),
            (false, false) => middle,
        };
        above_row.set(-1, corner);
        left_col.set(-1, corner);

        let weights = SM_WEIGHTS[self.log2 as usize - 2];
        let mut pred = Vec::new();
        if MODE_TO_ANGLE[usize::from(self.mode)] != 0 {
            pred = self.directional(above_row, left_col, w, h);
        } else {
            for i in 0..h {
                for j in 0..w {
                    let (above, left) = (above_row.at(j), left_col.at(i));
                    let (weight_y, weight_x) = (weights[i as usize], weights[j as usize]);
                    let (last_above, last_left) = (above_row.at(w - 1), left_col.at(h - 1));
                    let across = weight_x * left + (256 - weight_x) * last_above;
                    let down = weight_y * above + (256 - weight_y) * last_left;
                    pred.push(match self.mode {
                        0 => self.mean(&above_row, &left_col, w, h),
                        9 => round2(down + across, 9),
                        10 => round2(down, 8),
                        11 => round2(across, 8),
                        _ => {
                            let base = above + left - corner;
                            let (p_left, p_top) = ((base - left).abs(), (base - above).abs());
                            let p_top_left = (base - corner).abs();
                            if p_left <= p_top && p_left <= p_top_left {
                                left
                            } else if p_top <= p_top_left {
                                above
                            } else {
                                corner
                            }
                        }
                    });
                }
            }
        }
        pred.into_iter().map(|pixel| u16::try_from(pixel).unwrap()).collect()
    }

    fn mean(&self, above_row: &Signed, left_col: &Signed, w: i32, h: i32) -> i32 {
        let left_sum: i32 = (0..h).map(|k| left_col.at(k)).sum();
        let above_sum: i32 = (0..w).map(|k| above_row.at(k)).sum();
        match (self.have_left, self.have_above) {
            (true, true) => (left_sum + above_sum + ((w + h) >> 1)) / (w + h),
            (true, false) => (left_sum + (h >> 1)) >> self.log2,
            (false, true) => (above_sum + (w >> 1)) >> self.log2,
            (false, false) => 1 << (self.bit_depth - 1),
        }
    }

    fn directional(&self, mut above_row: Signed, mut left_col: Signed, w: i32, h: i32) -> Vec<i32> {
        let p_angle = MODE_TO_ANGLE[usize::from(self.mode)] + self.angle_delta * 3;
        let (mut upsample_above, mut upsample_left) = (0, 0);
        if let Some(filter_type) = self.filter {
            if p_angle != 90 && p_angle != 180 {
                if p_angle > 90 && p_angle < 180 && w + h >= 24 {
                    let s = left_col.at(0) * 5 + above_row.at(-1) * 6 + above_row.at(0) * 5;
                    left_col.set(-1, round2(s, 4));
                    above_row.set(-1, round2(s, 4));
                }
                if self.have_above {
                    let strength = strength(w, h, filter_type, p_angle - 90);
                    let num_px = w.min(self.max_x - self.x + 1) + if p_angle < 90 { h } else { 0 } + 1;
                    filter_edge(&mut above_row, num_px, strength);
                }
                if self.have_left {
                    let strength = strength(w, h, filter_type, p_angle - 180);
                    let num_px = h.min(self.max_y - self.y + 1) + if p_angle > 180 { w } else { 0 } + 1;
                    filter_edge(&mut left_col, num_px, strength);
                }
            }
            if use_upsample(w, h, filter_type, p_angle - 90) {
                upsample_above = 1;
                self.upsample(&mut above_row, w + if p_angle < 90 { h } else { 0 });
            }
            if use_upsample(w, h, filter_type, p_angle - 180) {
                upsample_left = 1;
                self.upsample(&mut left_col, h + if p_angle > 180 { w } else { 0 });
            }
        }
        let derivative = |angle: i32| DR_INTRA_DERIVATIVE[angle as usize];
        let between = |edge: &Signed, base: i32, idx: i32, upsample: i32| {
            let shift = ((idx << upsample) >> 1) & 0x1F;
            round2(edge.at(base) * (32 - shift) + edge.at(base + 1) * shift, 5)
        };
        let mut pred = Vec::new();
        for i in 0..h {
            for j in 0..w {
                pred.push(if p_angle < 90 {
                    let idx = (i + 1) * derivative(p_angle);
                    let base = (idx >> (6 - upsample_above)) + (j << upsample_above);
                    let max_base_x = (w + h - 1) << upsample_above;
                    if base < max_base_x {
                        between(&above_row, base, idx, upsample_above)
                    } else {
                        above_row.at(max_base_x)
                    }
                } else if p_angle > 90 && p_angle < 180 {
                    let idx = (j << 6) - (i + 1) * derivative(180 - p_angle);
                    let base = idx >> (6 - upsample_above);
                    if base >= -(1 << upsample_above) {
                        between(&above_row, base, idx, upsample_above)
                    } else {
                        let idx = (i << 6) - (j + 1) * derivative(p_angle - 90);
                        between(&left_col, idx >> (6 - upsample_left), idx, upsample_left)
                    }
                } else if p_angle > 180 {
                    let idx = (j + 1) * derivative(270 - p_angle);
                    let base = (idx >> (6 - upsample_left)) + (i << upsample_left);
                    between(&left_col, base, idx, upsample_left)
                } else if p_angle == 90 {
                    above_row.at(j)
                } else {
                    left_col.at(i)
                });
            }
        }
        pred
    }

    fn upsample(&self, buf: &mut Signed, num_px: i32) {
        let mut dup = vec![buf.at(-1)];
        dup.extend((-1..num_px).map(|i| buf.at(i)));
        dup.push(buf.at(num_px - 1));
        buf.set(-2, dup[0]);
        for i in 0..num_px {
            let near = &dup[i as usize..];
            let s = -near[0] + 9 * near[1] + 9 * near[2] - near[3];
            buf.set(2 * i - 1, round2(s, 4).clamp(0, (1 << self.bit_depth) - 1));
            buf.set(2 * i, near[2]);
        }
    }
}

fn strength(w: i32, h: i32, filter_type: bool, delta: i32) -> usize {
    let (d, blk_wh) = (delta.abs(), w + h);
    let from = |steps: &[(i32, usize)]| steps.iter().filter(|(least, _)| d >= *least).map(|step| step.1).max();
    let strength = match (filter_type, blk_wh) {
        (false, ..=8) => from(&[(56, 1)]),
        (false, ..=16) => from(&[(40, 1)]),
        (false, ..=24) => from(&[(8, 1), (16, 2), (32, 3)]),
        (false, ..=32) => from(&[(0, 1), (4, 2), (32, 3)]),
        (false, _) => Some(3),
        (true, ..=8) => from(&[(40, 1), (64, 2)]),
        (true, ..=16) => from(&[(20, 1), (48, 2)]),
        (true, ..=24) => from(&[(4, 3)]),
        (true, _) => Some(3),
    };
    strength.unwrap_or(0)
}

fn use_upsample(w: i32, h: i32, filter_type: bool, delta: i32) -> bool {
    let (d, blk_wh) = (delta.abs(), w + h);
    if d <= 0 || d >= 40 {
        false
    } else if filter_type {
        blk_wh <= 8
    } else {
        blk_wh <= 16
    }
}

fn filter_edge(buf: &mut Signed, sz: i32, strength: usize) {
    if strength == 0 {
        return;
    }
    let edge: Vec<i32> = (0..sz).map(|i| buf.at(i - 1)).collect();
    for i in 1..sz {
        let taps = (0..).zip(INTRA_EDGE_KERNEL[strength - 1]);
        let s: i32 = taps
            .map(|(j, tap)| tap * edge[(i - 2 + j).clamp(0, sz - 1) as usize])
            .sum();
        buf.set(i - 1, (s + 8) >> 4);
    }
}

/// `L` less `lumaAvg`, for a block at the start of `luma`.
pub(in crate::av1) fn luma_less_mean(luma: &[u16], stride: usize, sub: usize, log2: u32) -> Vec<i32> {
    let side = 1 << log2;
    let (mut l, mut luma_avg) = (Vec::new(), 0);
    for i in 0..side {
        for j in 0..side {
            let mut t = 0;
            for dy in 0..=sub {
                for dx in 0..=sub {
                    t += i32::from(luma[((i << sub) + dy) * stride + (j << sub) + dx]);
                }
            }
            let v = t << (3 - 2 * sub);
            luma_avg += v;
            l.push(v);
        }
    }
    let luma_avg = round2(luma_avg, 2 * log2);
    l.into_iter().map(|v| v - luma_avg).collect()
}

pub(in crate::av1) fn add_scaled_luma(dc: u16, ac: i32, alpha: i32, bit_depth: u32) -> u16 {
    let scaled_luma = round2_signed(alpha * ac, 6);
    (i32::from(dc) + scaled_luma).clamp(0, (1 << bit_depth) - 1) as u16
}
