//! Reads the marker segments of a sequential JPEG (ISO/IEC 10918-1, annex B): its frame, its tables, and where the
//! entropy-coded data lies.
//!
//! Whether the core takes a file at all was decided from its header; what contradicts that here is damage.

use super::huffman::Specification;
use super::{BLOCK, corrupt, cut_off};
use crate::EngineError;

/// Blocks in an MCU, at most (B.2.3).
pub(super) const MAX_MCU_BLOCKS: usize = 10;

/// A JPEG whose components lie in one sequential scan.
#[derive(Debug)]
pub(crate) struct Sequential<'a> {
    /// Pixels.
    pub(super) width: usize,
    pub(super) height: usize,
    /// In the order of the scan, which is that of the frame.
    pub(super) components: Vec<Component>,
    /// MCUs between two restart markers; 0 when there are none.
    pub(super) restart_interval: usize,
    /// Entropy-coded data up to the end of the image.
    pub(super) data: &'a [u8],
}

/// One component with the tables that hold for it.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// Blocks in an MCU along each direction; 1 when it is the only component (A.2.2).
    pub(super) across: usize,
    pub(super) down: usize,
    /// In zigzag order.
    pub(super) quantizer: [u16; BLOCK],
    pub(super) dc: Specification,
    pub(super) ac: Specification,
}

#[derive(Debug, Clone, Copy)]
struct FrameComponent {
    id: u8,
    across: u8,
    down: u8,
    quantizer: u8,
}

/// What was read so far.
#[derive(Debug, Default)]
struct Tables {
    quantizers: [Option<[u16; BLOCK]>; 4],
    dc: [Option<Specification>; 4],
    ac: [Option<Specification>; 4],
    restart_interval: usize,
    frame: Option<(usize, usize, Vec<FrameComponent>)>,
}

impl<'a> Sequential<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// [`EngineError::Truncated`] when it has no end, [`EngineError::Corrupt`] when it lacks or contradicts something.
    pub(crate) fn parse(input: &'a [u8]) -> Result<Self, EngineError> {
        let Some(end) = Scans::of(input).end else {
            return Err(cut_off());
        };
        let mut tables = Tables::default();
        let mut segments = Segments { input, at: 2 };
        loop {
            let (code, body) = segments.next()?;
            match code {
                0xc4 => tables.huffman(body)?,
                0xc0 | 0xc1 => tables.frame(body)?,
                0xdb => tables.quantizers(body)?,
                0xdd => tables.restart(body)?,
                0xda => return tables.scan(body, input.get(segments.at..end).unwrap_or_default()),
                _ => {}
            }
        }
    }

    /// Most blocks along each direction that a component has in an MCU.
    pub(super) fn mcu_blocks(&self) -> (usize, usize) {
        let across = self.components.iter().map(|component| component.across).max();
        let down = self.components.iter().map(|component| component.down).max();
        (across.unwrap_or(1), down.unwrap_or(1))
    }
}

impl Tables {
    fn frame(&mut self, body: &[u8]) -> Result<(), EngineError> {
        let [8, height_high, height_low, width_high, width_low, count, rest @ ..] = body else {
            return Err(corrupt("has a frame header that is too short"));
        };
        let components: Vec<_> = rest
            .as_chunks::<3>()
            .0
            .iter()
            .take(usize::from(*count))
            .map(|[id, sampling, quantizer]| FrameComponent {
                id: *id,
                across: sampling >> 4,
                down: sampling & 15,
                quantizer: *quantizer,
            })
            .collect();
        let sound = components
            .iter()
            .all(|component| [1, 2, 4].contains(&component.across) && [1, 2, 4].contains(&component.down));
        if components.len() != usize::from(*count) || !sound {
            return Err(corrupt("has a frame header that contradicts itself"));
        }
        let side = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
        self.frame = Some((side(width_high, width_low), side(height_high, height_low), components));
        Ok(())
    }

    fn quantizers(&mut self, mut body: &[u8]) -> Result<(), EngineError> {
        let short = || corrupt("has a quantization table that is too short");
        while let [head, rest @ ..] = body {
            let bytes = if head >> 4 == 0 { BLOCK } else { 2 * BLOCK };
            let (values, behind) = rest.split_at_checked(bytes).ok_or_else(short)?;
            let table = std::array::from_fn(|index| {
                if bytes == BLOCK {
                    u16::from(values[index])
                } else {
                    u16::from_be_bytes([values[2 * index], values[2 * index + 1]])
                }
            });
            *self
                .quantizers
                .get_mut(usize::from(head & 15))
                .ok_or_else(|| corrupt("has a fifth quantization table"))? = Some(table);
            body = behind;
        }
        Ok(())
    }

    fn huffman(&mut self, mut body: &[u8]) -> Result<(), EngineError> {
        let short = || corrupt("has a Huffman table that is too short");
        while let [head, rest @ ..] = body {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
            let symbols = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, behind) = rest.split_at_checked(symbols).ok_or_else(short)?;
            let kind = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *kind
                .get_mut(usize::from(head & 15))
                .ok_or_else(|| corrupt("has a fifth Huffman table"))? = Some(Specification::new(*counts, symbols)?);
            body = behind;
        }
        Ok(())
    }

    fn restart(&mut self, body: &[u8]) -> Result<(), EngineError> {
        let [high, low, ..] = body else {
            return Err(corrupt("has a restart interval that is too short"));
        };
        self.restart_interval = usize::from(u16::from_be_bytes([*high, *low]));
        Ok(())
    }

    fn scan<'a>(&self, body: &[u8], data: &'a [u8]) -> Result<Sequential<'a>, EngineError> {
        let (width, height, frame) = self
            .frame
            .as_ref()
            .ok_or_else(|| corrupt("has a scan before any frame header"))?;
        let selectors = body.get(1..).unwrap_or_default().as_chunks::<2>().0;
        let is_alone = frame.len() == 1;
        let mut components = Vec::with_capacity(frame.len());
        for (index, component) in frame.iter().enumerate() {
            let Some([id, tables]) = selectors.get(index) else {
                return Err(corrupt("has a scan header that is too short"));
            };
            if *id != component.id {
                return Err(corrupt("has a scan of other components than its frame"));
            }
            let huffman = |kind: &[Option<Specification>; 4], index: u8| {
                let table = kind.get(usize::from(index)).and_then(Option::as_ref);
                table.cloned().ok_or_else(|| corrupt("lacks a Huffman table"))
            };
            let quantizer = self.quantizers.get(usize::from(component.quantizer)).copied().flatten();
            components.push(Component {
                across: if is_alone { 1 } else { component.across.into() },
                down: if is_alone { 1 } else { component.down.into() },
                quantizer: quantizer.ok_or_else(|| corrupt("lacks a quantization table"))?,
                dc: huffman(&self.dc, tables >> 4)?,
                ac: huffman(&self.ac, tables & 15)?,
            });
        }
        let blocks: usize = components
            .iter()
            .map(|component| component.across * component.down)
            .sum();
        if blocks > MAX_MCU_BLOCKS {
            return Err(corrupt("has more than ten blocks in an MCU"));
        }
        Ok(Sequential {
            width: *width,
            height: *height,
            components,
            restart_interval: self.restart_interval,
            data,
        })
    }
}

/// Walks over marker segments.
struct Segments<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// The next marker that has a segment, and that segment's body.
    fn next(&mut self) -> Result<(u8, &'a [u8]), EngineError> {
        loop {
            let rest = self.input.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr(0xff, rest) else {
                return Err(cut_off());
            };
            self.at += found + 1;
            let code = *self.input.get(self.at).ok_or_else(cut_off)?;
            match code {
                0xff => {}
                0x00 | 0x01 | 0xd0..=0xd9 => self.at += 1,
                _ => {
                    let Some([high, low]) = self.input.get(self.at + 1..self.at + 3) else {
                        return Err(cut_off());
                    };
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    let body = self.input.get(self.at + 3..self.at + 1 + length);
                    self.at += 1 + length;
                    return Ok((code, body.ok_or_else(cut_off)?));
                }
            }
        }
    }
}

/// What follows the headers: how many scans there are, and where the image ends.
pub(crate) struct Scans {
    pub(crate) count: usize,
    /// Where the end-of-image marker is that follows a scan (B.1.1): what a whole file has, whatever comes after it, and
    /// one that was cut off lacks.
    pub(crate) end: Option<usize>,
}

impl Scans {
    pub(crate) fn of(input: &[u8]) -> Self {
        let mut scans = Self { count: 0, end: None };
        let mut at = 2;
        while let Some(found) = memchr::memchr(0xff, input.get(at..).unwrap_or_default()) {
            at += found + 1;
            match input.get(at) {
                // A fill byte: the marker's code is still to come.
                Some(0xff) => {}
                // A stuffed byte, a restart marker, or one without a length.
                Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
                Some(0xd9) => {
                    if scans.count > 0 {
                        scans.end = Some(at - 1);
                    }
                    break;
                }
                Some(code) => {
                    scans.count += usize::from(*code == 0xda);
                    let Some([high, low]) = input.get(at + 1..at + 3) else {
                        break;
                    };
                    at += 1 + usize::from(u16::from_be_bytes([*high, *low]));
                }
                None => break,
            }
        }
        scans
    }
}
