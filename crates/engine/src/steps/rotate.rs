//! Turns a picture by any angle: the picture goes on beyond its edges as the background, colour counts as much as its
//! alpha.

use std::marker::PhantomData;
use std::ops::Range;

use pixmill_types::steps::RotateFilter;

use super::channels::{convert, pixel};
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::{Image, Sample, Shape, map_depths, zeros};
use crate::plan::{Operation, RotatePlan};
use crate::simd::{self, Kernel, Level};

/// The picture turned about its middle, in sides that hold all of it.
pub(super) fn rotate(image: Image, plan: &RotatePlan, control: &dyn Control) -> Result<Image, EngineError> {
    let shape = Operation::Rotate(*plan).shape_after(image.shape());
    let image = convert(image, shape.channels)?;
    let samples = map_depths!(&image.samples, samples => {
        let background = pixel(plan.background, shape.channels);
        let from = Source::new(samples, &image, &background);
        match (plan.filter, image.channels.count()) {
            (RotateFilter::Bilinear, 1) => turn::<_, Bilinear, 1>(&from, plan, shape, control),
            (RotateFilter::Bilinear, 2) => turn::<_, Bilinear, 2>(&from, plan, shape, control),
            (RotateFilter::Bilinear, 3) => turn::<_, Bilinear, 3>(&from, plan, shape, control),
            (RotateFilter::Bilinear, _) => turn::<_, Bilinear, 4>(&from, plan, shape, control),
            (RotateFilter::CatmullRom, 1) => turn::<_, CatmullRom, 1>(&from, plan, shape, control),
            (RotateFilter::CatmullRom, 2) => turn::<_, CatmullRom, 2>(&from, plan, shape, control),
            (RotateFilter::CatmullRom, 3) => turn::<_, CatmullRom, 3>(&from, plan, shape, control),
            (RotateFilter::CatmullRom, _) => turn::<_, CatmullRom, 4>(&from, plan, shape, control),
        }?
    });
    Ok(Image {
        width: shape.width,
        height: shape.height,
        channels: shape.channels,
        samples,
    })
}

/// Weights of the pixels in a row or column around a place.
trait Interpolation {
    /// Weights, the first for the pixel [`Self::BEFORE`] ones before the place.
    type Weights: AsRef<[f32]>;
    const BEFORE: isize;
    /// How many pixels are mixed along a side.
    const TAPS: isize;

    /// For a place that lies `fraction` of a pixel behind one.
    fn weights(fraction: f32) -> Self::Weights;
}

struct Bilinear;

impl Interpolation for Bilinear {
    type Weights = [f32; 2];
    const BEFORE: isize = 0;
    const TAPS: isize = 2;

    #[inline(always)]
    fn weights(fraction: f32) -> [f32; 2] {
        [1.0 - fraction, fraction]
    }
}

/// Keys, "Cubic convolution interpolation for digital image processing", with a = -1/2.
struct CatmullRom;

impl Interpolation for CatmullRom {
    type Weights = [f32; 4];
    const BEFORE: isize = 1;
    const TAPS: isize = 4;

    #[inline(always)]
    fn weights(t: f32) -> [f32; 4] {
        [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ]
    }
}

/// A picture that goes on as its background.
struct Source<'a, T> {
    samples: &'a [T],
    width: isize,
    height: isize,
    background: &'a [T],
}

/// Numbers that are worked on side by side: a pixel of up to four channels.
const LANES: usize = 4;
type Sums = [f32; LANES];

impl<'a, T: Sample> Source<'a, T> {
    fn new(samples: &'a [T], image: &Image, background: &'a [T]) -> Self {
        Self {
            samples,
            // Sides are below 2^32, and there is memory for a picture of them.
            width: image.width as isize,
            height: image.height as isize,
            background,
        }
    }

    /// Mixes the pixels around a place within the picture, by more than any weight reaches.
    #[inline(always)]
    fn within<I: Interpolation, const N: usize>(&self, x: f64, y: f64) -> [T; N] {
        let ((x, across), (y, down)) = (split::<I>(x), split::<I>(y));
        let mut sums = [0.0; LANES];
        for (row, down) in down.as_ref().iter().enumerate() {
            let begin = ((y + row as isize) * self.width + x) as usize * N;
            // What lies behind the last pixel, up to whole lanes, is read and not used.
            let samples = &self.samples[begin..][..(I::TAPS as usize - 1) * N + LANES];
            for (tap, across) in across.as_ref().iter().enumerate() {
                let pixel: &[T] = &samples[tap * N..][..LANES];
                add::<N>(&mut sums, std::array::from_fn(|lane| pixel[lane].into()), across * down);
            }
        }
        finish(sums)
    }

    /// Mixes the pixels around any place.
    #[inline(always)]
    fn anywhere<I: Interpolation, const N: usize>(&self, x: f64, y: f64) -> [T; N] {
        let ((x, across), (y, down)) = (split::<I>(x), split::<I>(y));
        let mut sums = [0.0; LANES];
        for (y, down) in (y..).zip(down.as_ref()) {
            for (x, across) in (x..).zip(across.as_ref()) {
                let is_within = (0..self.width).contains(&x) && (0..self.height).contains(&y);
                let pixel = match is_within {
                    true => &self.samples[(y * self.width + x) as usize * N..][..N],
                    false => self.background,
                };
                let lane = |lane: usize| pixel.get(lane).map_or(0.0, |sample| (*sample).into());
                add::<N>(&mut sums, std::array::from_fn(lane), across * down);
            }
        }
        finish(sums)
    }
}

/// Whether pixels of so many channels have alpha, the last of them.
const fn has_alpha(channels: usize) -> bool {
    channels.is_multiple_of(2)
}

/// Adds a pixel of `N` channels by its weight, colour by its alpha as well.
#[inline(always)]
fn add<const N: usize>(sums: &mut Sums, mut pixel: Sums, mut weight: f32) {
    if has_alpha(N) {
        weight *= pixel[N - 1];
        pixel[N - 1] = 1.0;
    }
    for (sum, sample) in sums.iter_mut().zip(pixel) {
        *sum += weight * sample;
    }
}

#[inline(always)]
fn finish<T: Sample, const N: usize>(sums: Sums) -> [T; N] {
    let alpha = if has_alpha(N) { sums[N - 1] } else { 1.0 };
    // Where nothing is seen the colour is none.
    let unweighted = if alpha > 0.0 { 1.0 / alpha } else { 0.0 };
    let mut pixel = std::array::from_fn(|lane| T::nearest(sums[lane] * unweighted));
    if has_alpha(N) {
        pixel[N - 1] = T::nearest(alpha);
    }
    pixel
}

/// The first pixel that is mixed for a place, and the weights from there on.
#[inline(always)]
fn split<I: Interpolation>(place: f64) -> (isize, I::Weights) {
    let floor = place.floor();
    (floor as isize - I::BEFORE, I::weights((place - floor) as f32))
}

/// Turns all rows.
fn turn<T: Sample, I: Interpolation, const N: usize>(
    from: &Source<'_, T>,
    plan: &RotatePlan,
    shape: Shape,
    control: &dyn Control,
) -> Result<Vec<T>, EngineError> {
    let mut turned: Vec<T> = zeros(shape.samples())?;
    let (sin, cos) = plan.angle.to_radians().sin_cos();
    let middle = (f64::from(shape.width) / 2.0, f64::from(shape.height) / 2.0);
    let row_width = shape.width as usize;
    for (row, line) in turned.chunks_exact_mut(row_width * N).enumerate() {
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
        let (dx, dy) = (0.5 - middle.0, row as f64 + 0.5 - middle.1);
        // Where in the picture the first pixel of the row lies; from one to the next it goes on by (cos, -sin).
        let x = dx * cos + dy * sin + from.width as f64 / 2.0 - 0.5;
        let y = dy * cos - dx * sin + from.height as f64 / 2.0 - 0.5;
        let reach = I::TAPS as f64;
        let touched = pixels_between((x, cos), (-reach, from.width as f64 + reach), 0..row_width);
        let touched = pixels_between((y, -sin), (-reach, from.height as f64 + reach), touched);
        let inner = pixels_between((x, cos), (reach, from.width as f64 - 1.0 - reach), touched.clone());
        let inner = pixels_between((y, -sin), (reach, from.height as f64 - 1.0 - reach), inner);
        let (pixels, _) = line.as_chunks_mut::<N>();
        simd::run(Row {
            from,
            pixels,
            begin: (x, y),
            step: (cos, -sin),
            touched,
            inner,
            interpolation: PhantomData::<I>,
        });
    }
    Ok(turned)
}

/// Makes a row of the result.
struct Row<'a, T, I, const N: usize> {
    from: &'a Source<'a, T>,
    pixels: &'a mut [[T; N]],
    /// Where in the picture the first pixel lies, and how far it is from one to the next.
    begin: (f64, f64),
    step: (f64, f64),
    /// Columns that lie at the picture, and those that lie within it.
    touched: Range<usize>,
    inner: Range<usize>,
    interpolation: PhantomData<I>,
}

impl<T: Sample, I: Interpolation, const N: usize> Kernel for Row<'_, T, I, N> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: impl Level) {
        let ((x, y), (across, down)) = (self.begin, self.step);
        let place = |column: usize| (x + column as f64 * across, y + column as f64 * down);
        for (column, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = place(column);
            if self.inner.contains(&column) {
                *pixel = self.from.within::<I, N>(x, y);
            } else if self.touched.contains(&column) {
                *pixel = self.from.anywhere::<I, N>(x, y);
            } else {
                pixel.copy_from_slice(self.from.background);
            }
        }
    }
}

/// Of the columns of `among`, those in which a coordinate that begins at `begin` and grows by `step` a column lies between
/// two bounds.
fn pixels_between((begin, step): (f64, f64), (low, high): (f64, f64), among: Range<usize>) -> Range<usize> {
    // Conversions of numbers too small or too large, or of none, end at the bounds.
    let (first, last) = ((low - begin) / step, (high - begin) / step);
    let (first, last) = if step < 0.0 { (last, first) } else { (first, last) };
    let start = (first.ceil() as usize).clamp(among.start, among.end);
    let end = if last < 0.0 {
        start
    } else {
        (last.floor() as usize).saturating_add(1)
    };
    start..end.clamp(start, among.end)
}
