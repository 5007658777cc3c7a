//! The inverse transforms as the AV1 specification words them (7.13.2 and 7.13.3), slow and plain: what the fast ones are
//! tested against. It shares nothing with them.

use super::{Basis, Kind};

const COSINES: [i64; 65] = [
    4096, 4095, 4091, 4085, 4076, 4065, 4052, 4036, 4017, 3996, 3973, 3948, 3920, 3889, 3857, 3822, 3784, 3745, 3703,
    3659, 3612, 3564, 3513, 3461, 3406, 3349, 3290, 3229, 3166, 3102, 3035, 2967, 2896, 2824, 2751, 2675, 2598, 2520,
    2440, 2359, 2276, 2191, 2106, 2019, 1931, 1842, 1751, 1660, 1567, 1474, 1380, 1285, 1189, 1092, 995, 897, 799, 700,
    601, 501, 401, 301, 201, 101, 0,
];

fn cos128(angle: i64) -> i64 {
    let angle = (angle & 255) as usize;
    match angle {
        0..=64 => COSINES[angle],
        65..=128 => -COSINES[128 - angle],
        129..=192 => -COSINES[angle - 128],
        _ => COSINES[256 - angle],
    }
}

fn sin128(angle: i64) -> i64 {
    cos128(angle - 64)
}

fn round2(number: i64, bits: u32) -> i64 {
    if bits == 0 {
        number
    } else {
        (number + (1 << (bits - 1))) >> bits
    }
}

fn clip(number: i64, bits: u32) -> i64 {
    number.clamp(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

fn brev(bits: u32, x: usize) -> usize {
    (0..bits).map(|bit| ((x >> bit) & 1) << (bits - 1 - bit)).sum()
}

/// The array T and the clamping range r.
struct Work {
    t: Vec<i64>,
    r: u32,
}

impl Work {
    fn b(&mut self, a: usize, b: usize, angle: i64, flip: bool) {
        let x = self.t[a] * cos128(angle) - self.t[b] * sin128(angle);
        let y = self.t[a] * sin128(angle) + self.t[b] * cos128(angle);
        self.t[a] = round2(x, 12);
        self.t[b] = round2(y, 12);
        if flip {
            self.t.swap(a, b);
        }
    }

    fn h(&mut self, a: usize, b: usize, flip: bool) {
        let (a, b) = if flip { (b, a) } else { (a, b) };
        let (x, y) = (self.t[a], self.t[b]);
        self.t[a] = clip(x + y, self.r);
        self.t[b] = clip(x - y, self.r);
    }

    fn permute(&mut self, from: impl Fn(usize) -> usize) {
        self.t = (0..self.t.len()).map(|index| self.t[from(index)]).collect();
    }

    fn dct(&mut self, n: u32) {
        self.permute(|index| brev(n, index));
        if n == 6 {
            (0..16).for_each(|i| self.b(32 + i, 63 - i, 63 - 4 * brev(4, i) as i64, false));
        }
        if n >= 5 {
            (0..8).for_each(|i| self.b(16 + i, 31 - i, 6 + ((brev(3, 7 - i) as i64) << 3), false));
        }
        if n == 6 {
            (0..16).for_each(|i| self.h(32 + i * 2, 33 + i * 2, i & 1 == 1));
        }
        if n >= 4 {
            (0..4).for_each(|i| self.b(8 + i, 15 - i, 12 + ((brev(2, 3 - i) as i64) << 4), false));
        }
        if n >= 5 {
            (0..8).for_each(|i| self.h(16 + 2 * i, 17 + 2 * i, i & 1 == 1));
        }
        if n == 6 {
            for (i, j) in pairs(4, 2) {
                let angle = 60 - 16 * brev(2, i) as i64 + 64 * j as i64;
                self.b(62 - i * 4 - j, 33 + i * 4 + j, angle, true);
            }
        }
        if n >= 3 {
            (0..2).for_each(|i| self.b(4 + i, 7 - i, 56 - 32 * i as i64, false));
        }
        if n >= 4 {
            (0..4).for_each(|i| self.h(8 + 2 * i, 9 + 2 * i, i & 1 == 1));
        }
        if n >= 5 {
            for (i, j) in pairs(2, 2) {
                let angle = 24 + ((j as i64) << 6) + ((1 - i as i64) << 5);
                self.b(30 - 4 * i - j, 17 + 4 * i + j, angle, true);
            }
        }
        if n == 6 {
            pairs(8, 2).for_each(|(i, j)| self.h(32 + i * 4 + j, 35 + i * 4 - j, i & 1 == 1));
        }
        (0..2).for_each(|i| self.b(2 * i, 2 * i + 1, 32 + 16 * i as i64, i == 0));
        if n >= 3 {
            (0..2).for_each(|i| self.h(4 + 2 * i, 5 + 2 * i, i == 1));
        }
        if n >= 4 {
            (0..2).for_each(|i| self.b(14 - i, 9 + i, 48 + 64 * i as i64, true));
        }
        if n >= 5 {
            pairs(4, 2).for_each(|(i, j)| self.h(16 + 4 * i + j, 19 + 4 * i - j, i & 1 == 1));
        }
        self.dct_from_step_16(n);
    }

    fn dct_from_step_16(&mut self, n: u32) {
        if n == 6 {
            for (i, j) in pairs(2, 4) {
                let angle = 56 - i as i64 * 32 + (j as i64 >> 1) * 64;
                self.b(61 - i * 8 - j, 34 + i * 8 + j, angle, true);
            }
        }
        (0..2).for_each(|i| self.h(i, 3 - i, false));
        if n >= 3 {
            self.b(6, 5, 32, true);
        }
        if n >= 4 {
            pairs(2, 2).for_each(|(i, j)| self.h(8 + 4 * i + j, 11 + 4 * i - j, i == 1));
        }
        if n >= 5 {
            (0..4).for_each(|i| self.b(29 - i, 18 + i, 48 + (i as i64 >> 1) * 64, true));
        }
        if n == 6 {
            pairs(4, 4).for_each(|(i, j)| self.h(32 + 8 * i + j, 39 + 8 * i - j, i & 1 == 1));
        }
        if n >= 3 {
            (0..4).for_each(|i| self.h(i, 7 - i, false));
        }
        if n >= 4 {
            (0..2).for_each(|i| self.b(13 - i, 10 + i, 32, true));
        }
        if n >= 5 {
            pairs(2, 4).for_each(|(i, j)| self.h(16 + i * 8 + j, 23 + i * 8 - j, i == 1));
        }
        if n == 6 {
            (0..8).for_each(|i| self.b(59 - i, 36 + i, if i < 4 { 48 } else { 112 }, true));
        }
        if n >= 4 {
            (0..8).for_each(|i| self.h(i, 15 - i, false));
        }
        if n >= 5 {
            (0..4).for_each(|i| self.b(27 - i, 20 + i, 32, true));
        }
        if n == 6 {
            (0..8).for_each(|i| {
                self.h(32 + i, 47 - i, false);
                self.h(48 + i, 63 - i, true);
            });
        }
        if n >= 5 {
            (0..16).for_each(|i| self.h(i, 31 - i, false));
        }
        if n == 6 {
            (0..8).for_each(|i| self.b(55 - i, 40 + i, 32, true));
            (0..32).for_each(|i| self.h(i, 63 - i, false));
        }
    }

    fn adst_input(&mut self) {
        let n0 = self.t.len();
        self.permute(|i| if i & 1 == 1 { i - 1 } else { n0 - i - 1 });
    }

    fn adst_output(&mut self, n: u32) {
        self.permute(|i| {
            let a = (i >> 3) & 1;
            let b = ((i >> 2) & 1) ^ ((i >> 3) & 1);
            let c = ((i >> 1) & 1) ^ ((i >> 2) & 1);
            let d = (i & 1) ^ ((i >> 1) & 1);
            ((d << 3) | (c << 2) | (b << 1) | a) >> (4 - n)
        });
        self.t
            .iter_mut()
            .skip(1)
            .step_by(2)
            .for_each(|number| *number = -*number);
    }

    fn adst4(&mut self) {
        let t = &mut self.t;
        let (mut s0, mut s1, s2) = (1321 * t[0], 2482 * t[0], 3344 * t[1]);
        let (s3, s4, s5, s6) = (3803 * t[2], 1321 * t[2], 2482 * t[3], 3803 * t[3]);
        let b7 = t[0] - t[2] + t[3];
        s0 += s3;
        s1 -= s4;
        let (s3, s2) = (s2, 3344 * b7);
        s0 += s5;
        s1 -= s6;
        let x = [s0 + s3, s1 + s3, s2, s0 + s1 - s3];
        *t = x.map(|number| round2(number, 12)).to_vec();
    }

    fn adst8(&mut self) {
        self.adst_input();
        (0..4).for_each(|i| self.b(2 * i, 2 * i + 1, 60 - 16 * i as i64, true));
        (0..4).for_each(|i| self.h(i, 4 + i, false));
        (0..2).for_each(|i| self.b(4 + 3 * i, 5 + i, 48 - 32 * i as i64, true));
        pairs(2, 2).for_each(|(i, j)| self.h(4 * j + i, 2 + 4 * j + i, false));
        (0..2).for_each(|i| self.b(2 + 4 * i, 3 + 4 * i, 32, true));
        self.adst_output(3);
    }

    fn adst16(&mut self) {
        self.adst_input();
        (0..8).for_each(|i| self.b(2 * i, 2 * i + 1, 62 - 8 * i as i64, true));
        (0..8).for_each(|i| self.h(i, 8 + i, false));
        for i in 0..2 {
            self.b(8 + 2 * i, 9 + 2 * i, 56 - 32 * i as i64, true);
            self.b(13 + 2 * i, 12 + 2 * i, 8 + 32 * i as i64, true);
        }
        pairs(4, 2).for_each(|(i, j)| self.h(8 * j + i, 4 + 8 * j + i, false));
        pairs(2, 2).for_each(|(i, j)| self.b(4 + 8 * j + 3 * i, 5 + 8 * j + i, 48 - 32 * i as i64, true));
        pairs(2, 4).for_each(|(i, j)| self.h(4 * j + i, 2 + 4 * j + i, false));
        (0..4).for_each(|i| self.b(2 + 4 * i, 3 + 4 * i, 32, true));
        self.adst_output(4);
    }
}

fn pairs(first: usize, second: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..first).flat_map(move |i| (0..second).map(move |j| (i, j)))
}

fn transform(basis: Basis, t: Vec<i64>, r: u32) -> Vec<i64> {
    let n = t.len().trailing_zeros();
    let mut work = Work { t, r };
    match (basis, n) {
        (Basis::Dct, _) => work.dct(n),
        (Basis::Adst, 2) => work.adst4(),
        (Basis::Adst, 3) => work.adst8(),
        (Basis::Adst, _) => work.adst16(),
    }
    work.t
}

/// Residual[][], row after row, of Dequant[][], in rows of at most 32.
pub(in crate::av1) fn residual(side: usize, kind: Kind, coefficients: &[i32], bits: u32) -> Vec<i64> {
    let kept = side.min(32);
    let shift = [0, 1, 2, 2, 2][side.trailing_zeros() as usize - 2];
    let mut residual = vec![0; side * side];
    for (i, row) in residual.chunks_mut(side).enumerate() {
        let mut t = vec![0; side];
        if i < 32 {
            for j in 0..kept {
                t[j] = clip(coefficients[i * kept + j].into(), bits + 8);
            }
        }
        for (number, into) in transform(kind.rows(), t, bits + 8).into_iter().zip(row) {
            *into = clip(round2(number, shift), 16.max(bits + 6));
        }
    }
    for j in 0..side {
        let t = residual.iter().skip(j).step_by(side).copied().collect();
        for (i, number) in transform(kind.columns(), t, 16.max(bits + 6)).into_iter().enumerate() {
            residual[i * side + j] = round2(number, 4);
        }
    }
    residual
}
