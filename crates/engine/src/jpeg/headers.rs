//! The marker segments that we write (ISO/IEC 10918-1, annex B).

use super::huffman::Specification;
use super::scans::Scan;
use super::tokens::{TABLES, Tables};
use super::write::{Coding, Target};
use super::{BLOCK, quality};
use crate::exif::{self, Orientation};

/// Everything before the Huffman tables: JFIF, the orientation, the quantization tables, and the frame.
pub(super) fn frame(target: &Target) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    // Version 1.1, no unit, square pixels, no thumbnail.
    segment(&mut file, 0xe0, &[b"JFIF\0", &[1, 1, 0, 0, 1, 0, 1, 0, 0]]);
    if target.orientation != Orientation::UPRIGHT {
        segment(&mut file, 0xe1, &[b"Exif\0\0", &exif::tiff_with(target.orientation)]);
    }
    let sampling = target.sampling();
    for table in 0..sampling.len().min(2) {
        let steps: [u8; BLOCK] = quality::steps(table, target.quality).map(|step| step.min(255) as u8);
        segment(&mut file, 0xdb, &[&[table as u8], &steps]);
    }
    let [mut height, mut width] = [target.height.to_be_bytes(), target.width.to_be_bytes()];
    if target.turn.swaps_sides() {
        std::mem::swap(&mut height, &mut width);
    }
    let mut components = vec![sampling.len() as u8];
    for (index, (across, down)) in sampling.iter().enumerate() {
        components.extend([index as u8 + 1, ((across << 4) | down) as u8, u8::from(index > 0)]);
    }
    let code = if target.coding == Coding::Progressive {
        0xc2
    } else {
        0xc0
    };
    segment(&mut file, code, &[&[8], &height, &width, &components]);
    file
}

/// Huffman tables, those that there are.
pub(super) fn tables<'t>(tables: impl IntoIterator<Item = Option<&'t Specification>>) -> Vec<u8> {
    let mut file = Vec::new();
    for (index, table) in tables.into_iter().enumerate().take(TABLES) {
        if let Some(table) = table {
            // DC and AC of luma, then of chroma.
            let class = ((index as u8 % 2) << 4) | (index as u8 / 2);
            segment(&mut file, 0xc4, &[&[class], table.counts(), table.symbols()]);
        }
    }
    file
}

/// The header of a scan of a picture of so many components.
pub(super) fn scan(scan: Scan, components: usize) -> Vec<u8> {
    let of: Vec<usize> = match scan.component {
        Some(component) => vec![component],
        None => (0..components).collect(),
    };
    let mut selectors = vec![of.len() as u8];
    for component in of {
        // Tables are told apart by their class as well.
        let table = (Tables::of(component).dc / 2) as u8;
        selectors.extend([component as u8 + 1, table << 4 | table]);
    }
    let mut file = Vec::new();
    let rest = [scan.first, scan.last, scan.before << 4 | scan.left_out];
    segment(&mut file, 0xda, &[&selectors, &rest]);
    file
}

fn segment(file: &mut Vec<u8>, code: u8, parts: &[&[u8]]) {
    let length = 2 + parts.iter().map(|part| part.len()).sum::<usize>();
    file.extend_from_slice(&[0xff, code]);
    // Tables and metadata of ours are a few hundred bytes.
    file.extend_from_slice(&(length as u16).to_be_bytes());
    for part in parts {
        file.extend_from_slice(part);
    }
}
