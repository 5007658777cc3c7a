//! What the steps of the one-dimensional transforms do with numbers: rotations, sums and differences.
//!
//! It knows the rounding and the clamps of the AV1 specification (7.13.2.1), and nothing of which steps a transform takes.

/// Fractional bits of the cosines.
const COSINE_BITS: u32 = 12;

/// Cos128_Lookup: 4096 x cos(angle x pi / 128).
const COSINES: [i16; 65] = [
    4096, 4095, 4091, 4085, 4076, 4065, 4052, 4036, 4017, 3996, 3973, 3948, 3920, 3889, 3857, 3822, 3784, 3745, 3703,
    3659, 3612, 3564, 3513, 3461, 3406, 3349, 3290, 3229, 3166, 3102, 3035, 2967, 2896, 2824, 2751, 2675, 2598, 2520,
    2440, 2359, 2276, 2191, 2106, 2019, 1931, 1842, 1751, 1660, 1567, 1474, 1380, 1285, 1189, 1092, 995, 897, 799, 700,
    601, 501, 401, 301, 201, 101, 0,
];

/// SINPI_1_9 to SINPI_4_9, of the ADST of four.
pub(super) const NINTHS: [i16; 4] = [1321, 2482, 3344, 3803];

/// The cosine and the sine of an angle in 128ths of half a turn, and those that turn back: they make up for what the
/// rounding of the former takes from the length of what they turn.
#[derive(Clone, Copy)]
pub(super) struct Angle {
    cosine: i16,
    sine: i16,
    cosine_back: f32,
    sine_back: f32,
}

impl Angle {
    pub(super) const fn new(angle: usize) -> Self {
        let (cosine, sine) = (cosine(angle & 255), cosine((angle + 192) & 255));
        let square = cosine as i32 * cosine as i32 + sine as i32 * sine as i32;
        Self {
            cosine,
            sine,
            cosine_back: cosine as f32 * 4096.0 / square as f32,
            sine_back: sine as f32 * 4096.0 / square as f32,
        }
    }
}

const fn cosine(angle: usize) -> i16 {
    match angle {
        0..=64 => COSINES[angle],
        65..=128 => -COSINES[128 - angle],
        129..=192 => -COSINES[angle - 128],
        _ => COSINES[256 - angle],
    }
}

/// Round2( number, bits ).
#[inline(always)]
pub(super) const fn round_shift(number: i32, bits: u32) -> i32 {
    number.wrapping_add((1 << bits) >> 1) >> bits
}

/// Numbers as a transform works on them.
pub(super) trait Arithmetic: Copy {
    type Number: Copy;

    /// B( one, other, angle, 0 ), or its transpose in a forward transform.
    fn rotate(self, one: Self::Number, other: Self::Number, angle: Angle) -> (Self::Number, Self::Number);
    /// B( one, other, angle, 1 ), or its transpose.
    fn rotate_and_swap(self, one: Self::Number, other: Self::Number, angle: Angle) -> (Self::Number, Self::Number);
    /// H( one, other, 0 ), which is its own transpose.
    fn add_and_subtract(self, one: Self::Number, other: Self::Number) -> (Self::Number, Self::Number);
}

/// The numbers of an inverse transform.
pub(super) trait Decoding: Arithmetic<Number = i32> {
    /// A multiple of a number that went into the transform or came out of [`Arithmetic::add_and_subtract`].
    fn multiply(self, number: i32, factor: i16) -> i32;
    /// The clamp of what goes into a transform.
    fn admit(self, number: i32) -> i32;
    /// Sixteen bits, with the clamp between rows and columns.
    fn store(self, number: i32) -> u16;
}

/// Numbers that are known never to leave 16 bits: no clamp does anything, and products are those of short numbers, for
/// which there are better instructions.
#[derive(Clone, Copy)]
pub(super) struct Short;

/// Numbers that are clamped as the specification says.
#[derive(Clone, Copy)]
pub(super) struct Clamped {
    limit: i32,
}

impl Clamped {
    #[inline(always)]
    pub(super) const fn new(bits: u8) -> Self {
        Self { limit: 1 << (bits - 1) }
    }

    #[inline(always)]
    fn clamp(self, number: i32) -> i32 {
        // Not `clamp`, whose assertion the compiler does not always see through.
        number.max(-self.limit).min(self.limit - 1)
    }
}

macro_rules! rotations {
    () => {
        type Number = i32;

        #[inline(always)]
        fn rotate(self, one: i32, other: i32, angle: Angle) -> (i32, i32) {
            let x = self
                .multiply(one, angle.cosine)
                .wrapping_sub(self.multiply(other, angle.sine));
            let y = self
                .multiply(one, angle.sine)
                .wrapping_add(self.multiply(other, angle.cosine));
            (round_shift(x, COSINE_BITS), round_shift(y, COSINE_BITS))
        }

        #[inline(always)]
        fn rotate_and_swap(self, one: i32, other: i32, angle: Angle) -> (i32, i32) {
            let (x, y) = self.rotate(one, other, angle);
            (y, x)
        }
    };
}

impl Arithmetic for Short {
    rotations!();

    #[inline(always)]
    fn add_and_subtract(self, one: i32, other: i32) -> (i32, i32) {
        (one.wrapping_add(other), one.wrapping_sub(other))
    }
}

impl Decoding for Short {
    #[inline(always)]
    fn multiply(self, number: i32, factor: i16) -> i32 {
        i32::from(number as i16) * i32::from(factor)
    }

    #[inline(always)]
    fn admit(self, number: i32) -> i32 {
        number
    }

    #[inline(always)]
    fn store(self, number: i32) -> u16 {
        number as u16
    }
}

impl Arithmetic for Clamped {
    rotations!();

    #[inline(always)]
    fn add_and_subtract(self, one: i32, other: i32) -> (i32, i32) {
        (self.clamp(one.wrapping_add(other)), self.clamp(one.wrapping_sub(other)))
    }
}

impl Decoding for Clamped {
    #[inline(always)]
    fn multiply(self, number: i32, factor: i16) -> i32 {
        number.wrapping_mul(i32::from(factor))
    }

    #[inline(always)]
    fn admit(self, number: i32) -> i32 {
        self.clamp(number)
    }

    #[inline(always)]
    fn store(self, number: i32) -> u16 {
        number.max(i16::MIN.into()).min(i16::MAX.into()) as u16
    }
}

/// The transposes of the steps, in fractions: what a forward transform takes, last step first.
#[derive(Clone, Copy)]
pub(super) struct Transposed;

impl Transposed {
    /// A factor that counts 4096ths.
    #[inline(always)]
    pub(super) fn fraction(factor: i16) -> f32 {
        f32::from(factor) * (1.0 / 4096.0)
    }
}

impl Arithmetic for Transposed {
    type Number = f32;

    #[inline(always)]
    fn rotate(self, one: f32, other: f32, angle: Angle) -> (f32, f32) {
        let (cosine, sine) = (angle.cosine_back, angle.sine_back);
        (one * cosine + other * sine, other * cosine - one * sine)
    }

    #[inline(always)]
    fn rotate_and_swap(self, one: f32, other: f32, angle: Angle) -> (f32, f32) {
        self.rotate(other, one, angle)
    }

    #[inline(always)]
    fn add_and_subtract(self, one: f32, other: f32) -> (f32, f32) {
        (one + other, one - other)
    }
}
