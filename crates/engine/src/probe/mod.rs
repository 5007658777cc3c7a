//! Reads what a header says of an image, from the first bytes alone.
//!
//! Owns the walk over markers and chunks, with bounded memory whatever the file holds. Decodes no pixel and checks
//! nothing that lies behind the header.

mod gif;
mod header;
pub(crate) mod ico;
mod jpeg;
mod jxl;
mod late;
mod png;
mod simple;
mod sniff;
mod tiff;
mod webp;

pub use self::header::{ColorModel, Header, Streaming};
pub use crate::exif::Orientation;
pub use crate::profile::Profile;

use std::fmt;

use self::sniff::Sniffed;
use crate::EngineError;

/// Metadata blocks up to this size are searched for an orientation, larger ones are skipped, bytes.
const EXIF_MAX_BYTES: u64 = 64 * 1024;

/// Reads a header from bytes that arrive in pieces. Keeps a bounded amount of them: 64 KiB at most.
///
/// A GIF or an animated WebP declares its frames nowhere, so its header is complete only at the end of the file; every
/// other header is complete where the pixel data begins, or earlier, but for that of a TIFF, which lies anywhere.
#[derive(Debug)]
pub struct Prober {
    state: State,
    /// What was asked for and is being collected.
    piece: Vec<u8>,
    /// How long `piece` is to become, bytes.
    wanted: usize,
    /// Bytes to pass over before `piece` goes on.
    skip: u64,
}

#[derive(Debug)]
enum State {
    Sniffing,
    Walking(Box<dyn Walk>),
    Done(Header),
    Failed(EngineError),
}

/// What a walker wants next.
#[derive(Debug)]
enum Next {
    /// Pass over `skip` bytes, then hand over `read` of them.
    Read { skip: u64, read: usize },
    /// The header is complete.
    Done(Header),
}

impl Next {
    const fn read(read: usize) -> Self {
        Self::Read { skip: 0, read }
    }

    const fn skip_then_read(skip: u64, read: usize) -> Self {
        Self::Read { skip, read }
    }
}

/// Reads the header of one format, piece by piece.
trait Walk: fmt::Debug + Send + Sync {
    /// Takes the piece that was asked for.
    fn step(&mut self, piece: &[u8]) -> Result<Next, EngineError>;

    /// The file is over: what was found so far where that is enough, else that it was cut off.
    fn finish(&self) -> Result<Header, EngineError>;

    /// As [`Walk::finish`], with what there was of the piece that was asked for.
    fn at_end(&mut self, _rest: &[u8]) -> Result<Header, EngineError> {
        self.finish()
    }
}

impl Default for Prober {
    fn default() -> Self {
        Self {
            state: State::Sniffing,
            piece: Vec::new(),
            wanted: sniff::FIRST_BYTES,
            skip: 0,
        }
    }
}

impl Prober {
    /// Takes the next bytes of the file; `Some` as soon as the header is complete (then stop feeding).
    ///
    /// # Errors
    /// [`EngineError::NotAnImage`], [`EngineError::Unsupported`] or [`EngineError::Corrupt`]; the same again when fed
    /// on.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<Option<Header>, EngineError> {
        loop {
            match &self.state {
                State::Done(header) => return Ok(Some(*header)),
                State::Failed(error) => return Err(error.clone()),
                State::Sniffing | State::Walking(_) => {}
            }
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            bytes = &bytes[skipped..];
            self.skip -= skipped as u64;
            let taken = (self.wanted - self.piece.len()).min(bytes.len());
            self.piece.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.skip > 0 || self.piece.len() < self.wanted {
                return Ok(None);
            }
            self.advance(false);
        }
    }

    /// The file is over: the header, or why there is none.
    ///
    /// # Errors
    /// [`EngineError::Truncated`] when the file ends within its header, [`EngineError::NotAnImage`] when it is none,
    /// and what [`Prober::feed`] returns.
    pub fn finish(mut self) -> Result<Header, EngineError> {
        if matches!(self.state, State::Sniffing) {
            self.advance(true);
        }
        match self.state {
            State::Done(header) => Ok(header),
            State::Failed(error) => Err(error),
            State::Walking(mut walk) => walk.at_end(&self.piece),
            State::Sniffing => Err(EngineError::Internal("the end of a file was not looked at".into())),
        }
    }

    /// Hands over the collected piece and notes what comes next.
    fn advance(&mut self, at_end: bool) {
        let next = match &mut self.state {
            State::Sniffing => return self.sniff(at_end),
            State::Walking(walk) => walk.step(&self.piece),
            State::Done(_) | State::Failed(_) => return,
        };
        match next {
            Ok(Next::Read { skip, read }) => {
                self.skip = skip;
                self.wanted = read;
                self.piece.clear();
            }
            Ok(Next::Done(header)) => self.state = State::Done(header),
            Err(error) => self.state = State::Failed(error),
        }
    }

    fn sniff(&mut self, at_end: bool) {
        match sniff::sniff(&self.piece, at_end) {
            Ok(Sniffed::MoreBytes(wanted)) => self.wanted = wanted,
            Ok(Sniffed::Known {
                walk,
                magic_bytes,
                read,
            }) => {
                let rest = self.piece.split_off(magic_bytes);
                self.state = State::Walking(walk);
                self.piece.clear();
                self.wanted = read;
                // A failure is kept in the state, where the caller finds it.
                let _kept_in_state = self.feed(&rest);
            }
            Err(error) => self.state = State::Failed(error),
        }
    }
}

fn cut_off(format: &str) -> EngineError {
    EngineError::Truncated(format!("the file ends within its {format} header"))
}

/// Reads the header of a whole file, with what only that tells: its colour profile, an orientation that lies behind the
/// pixels, the bits of a TIFF, the frames that a PNG has.
///
/// # Errors
/// As [`probe`].
pub fn probe_whole(bytes: &[u8]) -> Result<Header, EngineError> {
    late::completed(probe(bytes)?, bytes)
}

/// Reads the header of a file as far as it can be told without its end.
///
/// # Errors
/// As [`Prober::feed`] and [`Prober::finish`].
pub fn probe(bytes: &[u8]) -> Result<Header, EngineError> {
    let mut prober = Prober::default();
    match prober.feed(bytes)? {
        Some(header) => Ok(header),
        None => prober.finish(),
    }
}
