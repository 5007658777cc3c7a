//! The twin for AVX2: registers of sixteen numbers.
#![expect(
    unsafe_code,
    reason = "code compiled for instructions that were found at run time, and their loads"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm_or_si128, _mm_setzero_si128, _mm_shuffle_epi8,
    _mm256_abs_epi16, _mm256_add_epi16, _mm256_add_epi32, _mm256_andnot_si256, _mm256_castsi128_si256,
    _mm256_cmpeq_epi16, _mm256_cvtepu8_epi16, _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_max_epi16, _mm256_min_epi16, _mm256_mulhi_epu16, _mm256_mulhrs_epi16, _mm256_mullo_epi16, _mm256_or_si256,
    _mm256_packus_epi32, _mm256_permute2x128_si256, _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_sign_epi16, _mm256_slli_epi16, _mm256_srai_epi16, _mm256_srl_epi16, _mm256_srli_epi32,
    _mm256_storeu_si256, _mm256_sub_epi16, _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi16, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::{Kernel, LANES, Level, PIXELS, ROW, RUN};

/// Proof that the processor has AVX2, BMI1, BMI2, LZCNT and POPCNT: only [`Avx2::detect`] makes one.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt"))
        .then_some(Self(()))
    }

    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: the conditions of the call are the instructions that `self` proves.
        unsafe { run(kernel, self) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run<K: Kernel>(kernel: K, level: Avx2) -> K::Output {
    kernel.run(level)
}

/// Methods that are one instruction each.
macro_rules! instructions {
    ($(fn $name:ident($($argument:ident),+) = $instruction:expr;)+) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: __m256i),+) -> __m256i {
                // SAFETY: the one condition of the instruction is AVX2, which `self` proves.
                unsafe { $instruction($($argument),+) }
            }
        )+
    };
}

impl Level for Avx2 {
    type Lanes = __m256i;

    #[inline(always)]
    fn add_weighted_pairs(
        self,
        sums: &mut [u16; RUN],
        numbers: &[u16],
        weights: &[u16],
        pair_at: impl Fn(usize) -> (usize, usize),
    ) {
        // SAFETY: the one condition of the call is AVX2, which `self` proves.
        unsafe { add_weighted_pairs(sums, numbers, weights, pair_at) }
    }

    #[inline(always)]
    fn splat(self, number: i16) -> __m256i {
        // SAFETY: the one condition of the instruction is AVX2, which `self` proves.
        unsafe { _mm256_set1_epi16(number) }
    }

    #[inline(always)]
    fn load(self, numbers: &[i16; LANES]) -> __m256i {
        // SAFETY: the array is exactly as long as a register, and an unaligned load asks for no alignment.
        unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, lanes: __m256i, numbers: &mut [i16; LANES]) {
        // SAFETY: the array is exactly as long as a register, and an unaligned store asks for no alignment.
        unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), lanes) }
    }

    instructions! {
        fn add(one, other) = _mm256_add_epi16;
        fn subtract(one, other) = _mm256_sub_epi16;
        fn min(one, other) = _mm256_min_epi16;
        fn max(one, other) = _mm256_max_epi16;
        fn multiply(one, other) = _mm256_mullo_epi16;
        fn multiply_fractions(numbers, fractions) = _mm256_mulhrs_epi16;
        fn multiply_high(one, other) = _mm256_mulhi_epu16;
        fn magnitude(lanes) = _mm256_abs_epi16;
        fn with_sign(lanes, signs) = _mm256_sign_epi16;
    }

    #[inline(always)]
    fn shift_left<const BITS: i32>(self, lanes: __m256i) -> __m256i {
        // SAFETY: the one condition of the instruction is AVX2, which `self` proves.
        unsafe { _mm256_slli_epi16::<BITS>(lanes) }
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self, lanes: __m256i) -> __m256i {
        // SAFETY: the one condition of the instruction is AVX2, which `self` proves.
        unsafe { _mm256_srai_epi16::<BITS>(lanes) }
    }

    #[inline(always)]
    fn shift_right_by(self, lanes: __m256i, bits: u16) -> __m256i {
        // SAFETY: the one condition of the instructions is AVX2, which `self` proves.
        unsafe { _mm256_srl_epi16(lanes, _mm_cvtsi32_si128(bits.into())) }
    }

    #[inline(always)]
    fn multiply_fraction(self, numbers: __m256i, fraction: i16) -> __m256i {
        // SAFETY: the one condition of the instructions is AVX2, which `self` proves.
        unsafe { _mm256_mulhrs_epi16(numbers, _mm256_set1_epi16(fraction)) }
    }

    #[inline(always)]
    fn mark_nonzero(self, marks: __m256i, numbers: __m256i, mark: __m256i) -> __m256i {
        // SAFETY: the one condition of the instructions is AVX2, which `self` proves.
        unsafe {
            let are_zero = _mm256_cmpeq_epi16(numbers, _mm256_setzero_si256());
            _mm256_or_si256(marks, _mm256_andnot_si256(are_zero, mark))
        }
    }

    #[inline(always)]
    fn load_pixels(self, pixels: &[u8; PIXELS]) -> [__m256i; 3] {
        // SAFETY: the one condition of the call is AVX2, which `self` proves.
        unsafe { load_pixels(pixels) }
    }

    #[inline(always)]
    fn pair_means(self, one: __m256i, other: __m256i) -> __m256i {
        // SAFETY: the one condition of the call is AVX2, which `self` proves.
        unsafe { pair_means(one, other) }
    }

    #[inline(always)]
    fn columns_to_row(self, columns: [__m256i; 8], row: &mut [u16; ROW]) {
        // SAFETY: the one condition of the call is AVX2, which `self` proves.
        unsafe { columns_to_row(columns, row) }
    }

    #[inline(always)]
    fn columns_to_words(self, columns: [__m256i; 4], words: &mut [u64; LANES]) {
        // SAFETY: the one condition of the call is AVX2, which `self` proves.
        unsafe { columns_to_words(columns, words) }
    }

    #[inline(always)]
    fn row_to_columns(self, row: &[u16; ROW]) -> [__m256i; 8] {
        // SAFETY: the one condition of the call is AVX2, which `self` proves.
        unsafe { row_to_columns(row) }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn add_weighted_pairs(
    sums: &mut [u16; RUN],
    numbers: &[u16],
    weights: &[u16],
    pair_at: impl Fn(usize) -> (usize, usize),
) {
    let (parts, _) = sums.as_chunks_mut::<LANES>();
    let mut registers = [load(&parts[0]), load(&parts[1]), load(&parts[2]), load(&parts[3])];
    for (pair, weight) in weights.iter().enumerate() {
        let (one, other) = pair_at(pair);
        let (ones, _) = numbers[one..][..RUN].as_chunks::<LANES>();
        let (others, _) = numbers[other..][..RUN].as_chunks::<LANES>();
        let weight = _mm256_set1_epi16(weight.cast_signed());
        for ((register, one), other) in registers.iter_mut().zip(ones).zip(others) {
            let both = _mm256_add_epi16(load(one), load(other));
            *register = _mm256_add_epi16(*register, _mm256_mulhi_epu16(both, weight));
        }
    }
    for (part, register) in parts.iter_mut().zip(registers) {
        store(register, part);
    }
}

/// Transposes eight registers as two squares of eight by eight, one in the lower halves and one in the upper.
#[target_feature(enable = "avx2")]
#[inline]
fn transpose_squares(from: [__m256i; 8]) -> [__m256i; 8] {
    let [a, b, c, d, e, f, g, h] = from;
    let (ab, ab_high) = (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
    let (cd, cd_high) = (_mm256_unpacklo_epi16(c, d), _mm256_unpackhi_epi16(c, d));
    let (ef, ef_high) = (_mm256_unpacklo_epi16(e, f), _mm256_unpackhi_epi16(e, f));
    let (gh, gh_high) = (_mm256_unpacklo_epi16(g, h), _mm256_unpackhi_epi16(g, h));
    let upper = |ab, cd, ef, gh| {
        let (abcd, abcd_high) = (_mm256_unpacklo_epi32(ab, cd), _mm256_unpackhi_epi32(ab, cd));
        let (efgh, efgh_high) = (_mm256_unpacklo_epi32(ef, gh), _mm256_unpackhi_epi32(ef, gh));
        [
            _mm256_unpacklo_epi64(abcd, efgh),
            _mm256_unpackhi_epi64(abcd, efgh),
            _mm256_unpacklo_epi64(abcd_high, efgh_high),
            _mm256_unpackhi_epi64(abcd_high, efgh_high),
        ]
    };
    let [r0, r1, r2, r3] = upper(ab, cd, ef, gh);
    let [r4, r5, r6, r7] = upper(ab_high, cd_high, ef_high, gh_high);
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

#[target_feature(enable = "avx2")]
#[inline]
fn columns_to_row(columns: [__m256i; 8], row: &mut [u16; ROW]) {
    let eights = transpose_squares(columns);
    let (lower, upper) = row.split_at_mut(ROW / 2);
    let (lower, upper) = (lower.as_chunks_mut::<LANES>().0, upper.as_chunks_mut::<LANES>().0);
    for (pair, (low, high)) in eights.as_chunks::<2>().0.iter().zip(lower.iter_mut().zip(upper)) {
        store(_mm256_permute2x128_si256::<0x20>(pair[0], pair[1]), low);
        store(_mm256_permute2x128_si256::<0x31>(pair[0], pair[1]), high);
    }
}

/// Each half of a register holds four lanes of eight: the quarters are put in order as they are stored.
#[target_feature(enable = "avx2")]
#[inline]
fn columns_to_words([a, b, c, d]: [__m256i; 4], words: &mut [u64; LANES]) {
    let (ab, ab_high) = (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
    let (cd, cd_high) = (_mm256_unpacklo_epi16(c, d), _mm256_unpackhi_epi16(c, d));
    let pairs = [
        _mm256_unpacklo_epi32(ab, cd),
        _mm256_unpackhi_epi32(ab, cd),
        _mm256_unpacklo_epi32(ab_high, cd_high),
        _mm256_unpackhi_epi32(ab_high, cd_high),
    ];
    let [first, second, third, fourth] = words.as_chunks_mut::<4>().0 else {
        return;
    };
    store_words(_mm256_permute2x128_si256::<0x20>(pairs[0], pairs[1]), first);
    store_words(_mm256_permute2x128_si256::<0x20>(pairs[2], pairs[3]), second);
    store_words(_mm256_permute2x128_si256::<0x31>(pairs[0], pairs[1]), third);
    store_words(_mm256_permute2x128_si256::<0x31>(pairs[2], pairs[3]), fourth);
}

#[target_feature(enable = "avx2")]
#[inline]
fn row_to_columns(row: &[u16; ROW]) -> [__m256i; 8] {
    let eights = row.as_chunks::<8>().0;
    let mut squares = [_mm256_setzero_si256(); 8];
    for (lane, square) in squares.iter_mut().enumerate() {
        let low = _mm256_castsi128_si256(load_eight(&eights[lane]));
        *square = _mm256_inserti128_si256::<1>(low, load_eight(&eights[lane + 8]));
    }
    transpose_squares(squares)
}

/// Picks the bytes of each channel out of three thirds of the pixels, then widens them.
#[target_feature(enable = "avx2")]
#[inline]
fn load_pixels(pixels: &[u8; PIXELS]) -> [__m256i; 3] {
    let thirds = pixels.as_chunks::<LANES>().0;
    let mut channels = [_mm256_setzero_si256(); 3];
    for (channel, into) in channels.iter_mut().enumerate() {
        let mut picked = _mm_setzero_si128();
        for (third, bytes) in thirds.iter().enumerate() {
            let places = load_bytes(&PLACES[channel][third]);
            picked = _mm_or_si128(picked, _mm_shuffle_epi8(load_bytes(bytes), places));
        }
        *into = _mm256_cvtepu8_epi16(picked);
    }
    channels
}

/// For each channel and each third of sixteen pixels, which byte of it becomes which lane's; those with the topmost bit
/// become zero.
const PLACES: [[[u8; LANES]; 3]; 3] = {
    let mut places = [[[0x80; LANES]; 3]; 3];
    let mut at = 0;
    while at < PIXELS {
        places[at % 3][at / LANES][at / 3] = (at % LANES) as u8;
        at += 1;
    }
    places
};

#[target_feature(enable = "avx2")]
#[inline]
fn pair_means(one: __m256i, other: __m256i) -> __m256i {
    let ones = _mm256_set1_epi16(1);
    let half = |pairs| _mm256_srli_epi32::<1>(_mm256_add_epi32(_mm256_madd_epi16(pairs, ones), _mm256_set1_epi32(1)));
    // Packing works on halves of registers; the quarters in the middle change places.
    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(half(one), half(other)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_bytes(bytes: &[u8; LANES]) -> __m128i {
    // SAFETY: the array is exactly as long as half a register, and an unaligned load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_eight(numbers: &[u16; 8]) -> __m128i {
    // SAFETY: the array is exactly as long as half a register, and an unaligned load asks for no alignment.
    unsafe { _mm_loadu_si128(numbers.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(lanes: &[u16; LANES]) -> __m256i {
    // SAFETY: the array is exactly as long as a register, and an unaligned load asks for no alignment.
    unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(lanes: __m256i, numbers: &mut [u16; LANES]) {
    // SAFETY: the array is exactly as long as a register, and an unaligned store asks for no alignment.
    unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), lanes) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store_words(lanes: __m256i, words: &mut [u64; 4]) {
    // SAFETY: the array is exactly as long as a register, and an unaligned store asks for no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), lanes) }
}
