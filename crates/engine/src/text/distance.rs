//! What lies near letters: exact distances to them in two passes (P. Felzenszwalb and D. Huttenlocher, "Distance
//! transforms of sampled functions"), begun within pixels by how much of them is covered.

use super::coverage::Mask;
use crate::EngineError;
use crate::mill::Control;
use crate::pixels::zeros;

/// No letter is as far away.
const FAR: f32 = 1e20;

/// All that is covered, and what lies within `by` pixels of it.
///
/// # Errors
/// [`EngineError::Stopped`] when `control` says so.
pub(super) fn grown(mask: &Mask, by: f64, control: &dyn Control) -> Result<Mask, EngineError> {
    let width = mask.width;
    let height = mask.samples.len() / width.max(1);
    let mut squares: Vec<f32> = zeros(mask.samples.len() as u64)?;
    for (square, sample) in squares.iter_mut().zip(&mask.samples) {
        // The edge of what is covered in half lies in the middle of the pixel.
        let beside = (0.5 - f32::from(*sample) / 255.0).max(0.0);
        *square = if *sample == 0 { FAR } else { beside * beside };
    }
    let mut pass = Pass::new(width.max(height))?;
    let mut line: Vec<f32> = zeros(width.max(height) as u64)?;
    for x in 0..width {
        let column = squares[x..].iter().step_by(width);
        for (own, square) in line.iter_mut().zip(column) {
            *own = *square;
        }
        pass.over(&mut line[..height]);
        let column = squares[x..].iter_mut().step_by(width);
        for (square, own) in column.zip(&line) {
            *square = *own;
        }
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
    }
    for row in squares.chunks_exact_mut(width.max(1)) {
        pass.over(row);
        if control.should_stop() {
            return Err(EngineError::Stopped);
        }
    }
    let mut samples: Vec<u8> = zeros(mask.samples.len() as u64)?;
    for (sample, square) in samples.iter_mut().zip(squares) {
        let share = (by as f32 + 0.5 - square.sqrt()).clamp(0.0, 1.0);
        *sample = (share * 255.0 + 0.5) as u8;
    }
    Ok(Mask { width, samples })
}

/// Makes of squares of distances along lines those in the plane, one line at a time.
struct Pass {
    /// Where the parabolas of the lower envelope stand, and where each begins to be the lowest.
    stands: Vec<u32>,
    begins: Vec<f64>,
    result: Vec<f32>,
}

impl Pass {
    fn new(longest: usize) -> Result<Self, EngineError> {
        Ok(Self {
            stands: zeros(longest as u64)?,
            begins: zeros(longest as u64 + 1)?,
            result: zeros(longest as u64)?,
        })
    }

    fn over(&mut self, line: &mut [f32]) {
        let Some(last) = line.len().checked_sub(1) else { return };
        // Where the parabolas over two places meet.
        let meet = |one: usize, other: usize| {
            let height = |place: usize| f64::from(line[place]) + (place * place) as f64;
            (height(other) - height(one)) / (2.0 * (other - one) as f64)
        };
        let mut lowest = 0;
        self.stands[0] = 0;
        self.begins[0] = f64::NEG_INFINITY;
        self.begins[1] = f64::INFINITY;
        for place in 1..=last {
            let mut from = meet(self.stands[lowest] as usize, place);
            while from <= self.begins[lowest] && lowest > 0 {
                lowest -= 1;
                from = meet(self.stands[lowest] as usize, place);
            }
            lowest += 1;
            // Places of a line are those of an image.
            self.stands[lowest] = place as u32;
            self.begins[lowest] = from;
            self.begins[lowest + 1] = f64::INFINITY;
        }
        let mut current = 0;
        for (place, result) in self.result[..=last].iter_mut().enumerate() {
            while self.begins[current + 1] < place as f64 {
                current += 1;
            }
            let stands = self.stands[current] as usize;
            let beside = place.abs_diff(stands) as f32;
            *result = beside * beside + line[stands];
        }
        line.copy_from_slice(&self.result[..=last]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NeverStop;

    #[test]
    fn what_is_near_is_taken_in() {
        let (width, height) = (23, 17);
        let dots = [(4_i32, 5_i32), (15, 9), (16, 9)];
        let mut samples = vec![0; width * height];
        for (x, y) in dots {
            samples[y as usize * width + x as usize] = 255;
        }
        let mask = Mask { width, samples };
        let grown = grown(&mask, 3.0, &NeverStop).unwrap();
        for (place, sample) in grown.samples.iter().enumerate() {
            let (x, y) = ((place % width) as i32, (place / width) as i32);
            let nearest = dots
                .iter()
                .map(|dot| f64::from((dot.0 - x).pow(2) + (dot.1 - y).pow(2)).sqrt())
                .fold(f64::INFINITY, f64::min);
            let expected = ((3.5 - nearest).clamp(0.0, 1.0) * 255.0).round();
            assert!(
                (f64::from(*sample) - expected).abs() <= 1.0,
                "{x}, {y}: {sample}, {expected}"
            );
        }
    }

    #[test]
    fn nothing_grows_to_nothing_and_all_stays_all() {
        for value in [0, 255] {
            let mask = Mask {
                width: 5,
                samples: vec![value; 15],
            };
            assert_eq!(grown(&mask, 2.0, &NeverStop).unwrap().samples, vec![value; 15]);
        }
    }
}
