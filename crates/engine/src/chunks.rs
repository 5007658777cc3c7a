//! Walks over the segments of JPEG files up to their pixels, and over the chunks of whole PNG and WebP files.
//!
//! Knows lengths and types alone. A chunk that the file cuts off is given without its body.

/// One chunk: its type, and its body unless the file ends before it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) body: Option<&'a [u8]>,
}

/// What a PNG begins with before its chunks, bytes.
pub(crate) const PNG_SIGNATURE: usize = 8;
const PNG_CRC: usize = 4;
/// What a WebP begins with before its chunks, bytes.
pub(crate) const RIFF_HEADER: usize = 12;
const HEAD: usize = 8;

/// One marker segment of a JPEG (ISO/IEC 10918-1, B.1.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    /// The second byte of its marker.
    pub(crate) code: u8,
    /// What follows its length.
    pub(crate) body: &'a [u8],
}

/// The segments of a JPEG before its first scan, and where that scan's own segment begins.
pub(crate) fn of_jpeg(file: &[u8]) -> (Vec<Segment<'_>>, usize) {
    const SCAN: u8 = 0xda;
    let mut segments = Vec::new();
    let mut at = 2;
    while let Some([first, code]) = file.get(at..).and_then(|rest| rest.first_chunk::<2>()).copied() {
        match (first, code) {
            (0xff, SCAN) => break,
            // Fill bytes, strays, and markers that stand alone.
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, _) => {
                let length = file.get(at + 2..).and_then(|rest| rest.first_chunk::<2>());
                let length = length.map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
                let Some(body) = file.get(at + 4..at + 2 + length) else {
                    break;
                };
                segments.push(Segment { code, body });
                at += 2 + length;
            }
            _ => at += 1,
        }
    }
    (segments, at)
}

/// The chunks of a PNG.
pub(crate) fn of_png(file: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    walk(file, PNG_SIGNATURE, png_layout)
}

/// Splits what is left of a PNG behind the chunk that it begins with, as far as that is there: its type, it, and the rest.
pub(crate) fn split_png(left: &[u8]) -> (Option<&[u8]>, &[u8], &[u8]) {
    let Some((head, behind)) = left.split_first_chunk::<HEAD>() else {
        return (None, left, &[]);
    };
    let (kind, _, whole) = png_layout(head);
    let (chunk, behind) = left.split_at(HEAD + whole.min(behind.len()));
    (Some(kind), chunk, behind)
}

fn png_layout(head: &[u8; HEAD]) -> (&[u8], usize, usize) {
    let (length, kind) = head.split_at(4);
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
    (kind, length, length.saturating_add(PNG_CRC))
}

/// The chunks of a WebP.
pub(crate) fn of_webp(file: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    of_riff(file, RIFF_HEADER)
}

/// The chunks of a RIFF form, or of a chunk that holds others, from `start` on.
pub(crate) fn of_riff(bytes: &[u8], start: usize) -> impl Iterator<Item = Chunk<'_>> {
    walk(bytes, start, |head| {
        let (kind, length) = head.split_at(4);
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        (kind, length, length.saturating_add(length % 2))
    })
}

/// Appends a chunk to a WebP. Those of pictures are far below 4 GiB.
pub(crate) fn append_webp(file: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    file.extend_from_slice(kind);
    file.extend_from_slice(&(body.len() as u32).to_le_bytes());
    file.extend_from_slice(body);
    if body.len() % 2 == 1 {
        file.push(0);
    }
}

/// Walks from `start`; `layout` tells a chunk's type, its body's length, and that with what pads or checks it.
fn walk(
    file: &[u8],
    start: usize,
    layout: impl Fn(&[u8; HEAD]) -> (&[u8], usize, usize),
) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = file.get(start..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (head, behind) = rest.split_first_chunk::<HEAD>()?;
        let (kind, body, whole) = layout(head);
        rest = behind.get(whole..).unwrap_or_default();
        Some(Chunk {
            kind: [kind[0], kind[1], kind[2], kind[3]],
            body: behind.get(..body),
        })
    })
}
