//! Walks over the chunks of whole PNG and WebP files.
//!
//! Knows lengths and types alone. A chunk that the file cuts off is given without its body.

/// One chunk: its type, and its body unless the file ends before it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) body: Option<&'a [u8]>,
}

const PNG_SIGNATURE: usize = 8;
const PNG_CRC: usize = 4;
const RIFF_HEADER: usize = 12;
const HEAD: usize = 8;

/// The chunks of a PNG.
pub(crate) fn of_png(file: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    walk(file, PNG_SIGNATURE, |head| {
        let (length, kind) = head.split_at(4);
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        (kind, length, length.saturating_add(PNG_CRC))
    })
}

/// The chunks of a WebP.
pub(crate) fn of_webp(file: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    walk(file, RIFF_HEADER, |head| {
        let (kind, length) = head.split_at(4);
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        (kind, length, length.saturating_add(length % 2))
    })
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
