//! The average colour of a picture, and the few that it mostly consists of.
//!
//! Dominant colours are the means of groups that Lloyd's algorithm (k-means) finds in Oklab (Ottosson, 2020), where
//! distances are about those that are seen. It begins at colours that are frequent and far apart: no chance takes part.

use super::{Raster, to_level, to_linear};

/// The most dominant colours there are.
const GROUPS: usize = 5;
/// Rounds after which groups are as they will be, but for a few pixels.
const ROUNDS: usize = 12;
/// Groups that are nearer to each other are one, in Oklab: hardly to be told apart.
const LEAST_DISTANCE: f64 = 0.05;
/// Alpha from which a pixel counts.
const SEEN: u8 = 128;

/// The mean of all levels of sRGB, weighted by alpha: what a resize to one pixel makes. Black when nothing is seen.
pub(super) fn average(raster: &Raster) -> [u8; 3] {
    let mut sums = [0_u64; 3];
    let mut weights = 0;
    for [colors @ .., alpha] in &raster.pixels {
        let alpha = u64::from(*alpha);
        weights += alpha;
        for (sum, color) in sums.iter_mut().zip(colors) {
            *sum += u64::from(*color) * alpha;
        }
    }
    sums.map(|sum| (sum + weights / 2).checked_div(weights).unwrap_or(0) as u8)
}

/// Up to five colours with their shares of what is seen, 0 to 1, the most frequent first.
pub(super) fn dominant(raster: &Raster) -> Vec<([u8; 3], f64)> {
    let pixels: Vec<Lab> = raster
        .pixels
        .iter()
        .filter(|pixel| pixel[3] >= SEEN)
        .map(|[red, green, blue, _]| Lab::of([*red, *green, *blue]))
        .collect();
    let mut groups = first_groups(&pixels);
    for _ in 0..ROUNDS {
        groups = regrouped(&pixels, &groups);
    }
    let mut groups = merged(groups);
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    let share = |group: &Group| group.count as f64 / pixels.len() as f64;
    groups
        .iter()
        .map(|group| (group.mean.to_color(), share(group)))
        .collect()
}

#[derive(Debug, Clone, Copy)]
struct Group {
    mean: Lab,
    count: usize,
}

/// Begins with the most frequent colour, then takes again and again the one that is frequent and far from all those taken.
fn first_groups(pixels: &[Lab]) -> Vec<Group> {
    let mut bins = std::collections::BTreeMap::<[i32; 3], Vec<Lab>>::new();
    for pixel in pixels {
        bins.entry(pixel.0.map(|axis| (axis * 16.0).floor() as i32))
            .or_default()
            .push(*pixel);
    }
    let bins: Vec<Group> = bins.into_values().filter_map(|bin| mean_of(&bin)).collect();
    let Some(largest) = bins.iter().max_by_key(|bin| bin.count) else {
        return Vec::new();
    };
    let mut groups = vec![*largest];
    while groups.len() < GROUPS {
        let weight = |bin: &Group| {
            let nearest = groups.iter().map(|group| group.mean.distance_squared(bin.mean));
            nearest.fold(f64::INFINITY, f64::min) * bin.count as f64
        };
        match bins.iter().max_by(|one, other| weight(one).total_cmp(&weight(other))) {
            Some(next) if weight(next) > 0.0 => groups.push(*next),
            _ => break,
        }
    }
    groups
}

/// Every pixel in the group whose mean is nearest; groups without any are gone.
fn regrouped(pixels: &[Lab], groups: &[Group]) -> Vec<Group> {
    let mut members = vec![Vec::new(); groups.len()];
    for pixel in pixels {
        let distances = groups.iter().map(|group| group.mean.distance_squared(*pixel));
        let nearest = distances
            .enumerate()
            .min_by(|(_, one), (_, other)| one.total_cmp(other));
        if let Some((index, _)) = nearest {
            members[index].push(*pixel);
        }
    }
    members.iter().filter_map(|members| mean_of(members)).collect()
}

/// Groups that can be told apart.
fn merged(groups: Vec<Group>) -> Vec<Group> {
    let mut merged: Vec<Group> = Vec::new();
    for group in groups {
        let near = |other: &&mut Group| other.mean.distance_squared(group.mean) < LEAST_DISTANCE * LEAST_DISTANCE;
        match merged.iter_mut().find(near) {
            Some(other) => {
                let (own, whole) = (group.count as f64, (group.count + other.count) as f64);
                for (to, from) in other.mean.0.iter_mut().zip(group.mean.0) {
                    *to += (from - *to) * own / whole;
                }
                other.count += group.count;
            }
            None => merged.push(group),
        }
    }
    merged
}

fn mean_of(members: &[Lab]) -> Option<Group> {
    let count = members.len();
    let axis = |index: usize| members.iter().map(|member| member.0[index]).sum::<f64>() / count as f64;
    (count > 0).then(|| Group {
        mean: Lab([axis(0), axis(1), axis(2)]),
        count,
    })
}

/// A colour in Oklab.
#[derive(Debug, Clone, Copy)]
struct Lab([f64; 3]);

impl Lab {
    fn of(color: [u8; 3]) -> Self {
        let [red, green, blue] = color.map(|level| to_linear(level.into()));
        let long = 0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue;
        let middle = 0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue;
        let short = 0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue;
        let [long, middle, short] = [long, middle, short].map(f64::cbrt);
        Self([
            0.210_454_255_3 * long + 0.793_617_785 * middle - 0.004_072_046_8 * short,
            1.977_998_495_1 * long - 2.428_592_205 * middle + 0.450_593_709_9 * short,
            0.025_904_037_1 * long + 0.782_771_766_2 * middle - 0.808_675_766 * short,
        ])
    }

    fn to_color(self) -> [u8; 3] {
        let Self([light, green_red, blue_yellow]) = self;
        let long = light + 0.396_337_777_4 * green_red + 0.215_803_757_3 * blue_yellow;
        let middle = light - 0.105_561_345_8 * green_red - 0.063_854_172_8 * blue_yellow;
        let short = light - 0.089_484_177_5 * green_red - 1.291_485_548 * blue_yellow;
        let [long, middle, short] = [long, middle, short].map(|root| root.powi(3));
        [
            4.076_741_662_1 * long - 3.307_711_591_3 * middle + 0.230_969_929_2 * short,
            -1.268_438_004_6 * long + 2.609_757_401_1 * middle - 0.341_319_396_5 * short,
            -0.004_196_086_3 * long - 0.703_418_614_7 * middle + 1.707_614_701 * short,
        ]
        .map(to_level)
    }

    fn distance_squared(self, other: Self) -> f64 {
        self.0
            .iter()
            .zip(other.0)
            .map(|(one, other)| (one - other).powi(2))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_back_from_oklab() {
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(51) {
                for blue in (0..=255).step_by(17) {
                    let color = [red, green, blue];
                    assert_eq!(Lab::of(color).to_color(), color);
                }
            }
        }
        // Ottosson's own example: white.
        let [light, green_red, blue_yellow] = Lab::of([255; 3]).0;
        assert!((light - 1.0).abs() < 1e-6 && green_red.abs() < 1e-6 && blue_yellow.abs() < 1e-6);
    }
}
