//! Turns and mirrors a picture upright.

use crate::EngineError;
use crate::exif::Orientation;
use crate::pixels::{Image, Samples, zeros};

/// Side of the squares in which rows and columns change places: a square of each picture stays in the cache, pixels.
const TILE: usize = 32;

/// Turns a picture stored in `orientation` upright: in place where the sides stay, else into new memory.
pub(super) fn upright(image: Image, orientation: Orientation) -> Result<Image, EngineError> {
    let turn = Turn {
        width: image.width as usize,
        height: image.height as usize,
        channels: image.channels.count(),
        orientation,
    };
    let samples = match image.samples {
        Samples::Eight(samples) => Samples::Eight(turn.samples(samples)?),
        Samples::Sixteen(samples) => Samples::Sixteen(turn.samples(samples)?),
    };
    let (width, height) = if orientation.swaps_sides() {
        (image.height, image.width)
    } else {
        (image.width, image.height)
    };
    Ok(Image {
        width,
        height,
        channels: image.channels,
        samples,
    })
}

struct Turn {
    width: usize,
    height: usize,
    channels: usize,
    orientation: Orientation,
}

impl Turn {
    fn samples<T: Copy + Default>(&self, mut samples: Vec<T>) -> Result<Vec<T>, EngineError> {
        match self.channels {
            1 => self.pixels::<T, 1>(&mut samples),
            2 => self.pixels::<T, 2>(&mut samples),
            3 => self.pixels::<T, 3>(&mut samples),
            _ => self.pixels::<T, 4>(&mut samples),
        }
        .map(|turned| turned.unwrap_or(samples))
    }

    /// Turns in place, or returns what was turned into new memory.
    fn pixels<T: Copy + Default, const N: usize>(&self, samples: &mut [T]) -> Result<Option<Vec<T>>, EngineError> {
        let (pixels, _) = samples.as_chunks_mut::<N>();
        match self.orientation.as_exif() {
            2 => pixels.chunks_exact_mut(self.width).for_each(<[_]>::reverse),
            3 => pixels.reverse(),
            4 => self.mirror_rows(pixels),
            5 => return self.transpose::<T, N>(samples, false, false).map(Some),
            6 => return self.transpose::<T, N>(samples, false, true).map(Some),
            7 => return self.transpose::<T, N>(samples, true, true).map(Some),
            8 => return self.transpose::<T, N>(samples, true, false).map(Some),
            _ => {}
        }
        Ok(None)
    }

    fn mirror_rows<P>(&self, pixels: &mut [P]) {
        let (upper, lower) = pixels.split_at_mut(self.height / 2 * self.width);
        for (above, below) in upper
            .chunks_exact_mut(self.width)
            .zip(lower.rchunks_exact_mut(self.width))
        {
            above.swap_with_slice(below);
        }
    }

    /// Makes columns of rows. `mirror_x` takes the columns of the source from its right, `mirror_y` its rows from below.
    fn transpose<T: Copy + Default, const N: usize>(
        &self,
        samples: &[T],
        mirror_x: bool,
        mirror_y: bool,
    ) -> Result<Vec<T>, EngineError> {
        let mut turned = zeros(samples.len() as u64)?;
        let (from, _) = samples.as_chunks::<N>();
        let (to, _) = turned.as_chunks_mut::<N>();
        // A row of the result is a column of the source.
        for (band, rows) in to.chunks_mut(self.height * TILE).enumerate() {
            for left in (0..self.height).step_by(TILE) {
                for (row, line) in rows.chunks_exact_mut(self.height).enumerate() {
                    let row = band * TILE + row;
                    let x = if mirror_x { self.width - 1 - row } else { row };
                    let right = (left + TILE).min(self.height);
                    for (column, pixel) in (left..right).zip(&mut line[left..right]) {
                        let y = if mirror_y { self.height - 1 - column } else { column };
                        *pixel = from[y * self.width + x];
                    }
                }
            }
        }
        Ok(turned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::Channels;

    #[test]
    fn every_orientation_puts_the_letter_upright() {
        // What is to be seen, and how a file of each orientation stores it (CIPA DC-008, 4.6.5).
        let upright = ["ab", "cd", "ef"];
        let stored: [&[&str]; 8] = [
            &["ab", "cd", "ef"],
            &["ba", "dc", "fe"],
            &["fe", "dc", "ba"],
            &["ef", "cd", "ab"],
            &["ace", "bdf"],
            &["bdf", "ace"],
            &["fdb", "eca"],
            &["eca", "fdb"],
        ];
        for (value, rows) in (1..).zip(stored) {
            let image = picture(rows);
            let turned = super::upright(image, Orientation::from_exif(value).unwrap()).unwrap();
            assert_eq!(turned, picture(&upright), "orientation {value}");
        }
    }

    #[test]
    fn pictures_larger_than_a_tile_are_turned_whole() {
        let (width, height) = (70, 45);
        let samples: Vec<u16> = (0..width * height * 3).map(|sample| sample as u16).collect();
        let image = Image {
            width,
            height,
            channels: Channels::Rgb,
            samples: Samples::Sixteen(samples),
        };
        // A quarter turn one way and the other, and each mirroring twice.
        for (there, back) in [(6, 8), (8, 6), (5, 5), (7, 7), (2, 2), (3, 3), (4, 4)] {
            let once = super::upright(image.clone(), Orientation::from_exif(there).unwrap()).unwrap();
            let twice = super::upright(once, Orientation::from_exif(back).unwrap()).unwrap();
            assert_eq!(twice, image, "orientations {there} and {back}");
        }
    }

    fn picture(rows: &[&str]) -> Image {
        Image {
            width: rows[0].len() as u32,
            height: rows.len() as u32,
            channels: Channels::Gray,
            samples: Samples::Eight(rows.concat().into_bytes()),
        }
    }
}
