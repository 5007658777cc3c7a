//! `multipart/form-data` (RFC 7578) as a stream of parts, in bounded memory whatever the client sends.
//!
//! The parser of the usual crate buffers for as long as the socket has bytes ready, headers of parts without a bound,
//! and does not read `filename*`; hence this one. It hands out the pieces of the body as they came, uncopied but for
//! those that end in what may be the start of a delimiter.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use super::body::UploadBody;
use super::disposition::Disposition;
use crate::error::Problem;
use crate::problem::ProblemCode;

/// Largest header section of a part, bytes. A file name of 10,000 characters fits.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Most bytes before the first delimiter, and most white space after any.
const MAX_PREAMBLE_BYTES: usize = 4 * 1024;
/// Longest boundary, bytes (RFC 2046, section 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;
/// Most parts of one form.
const MAX_PARTS: usize = 64;

/// The boundary that a `Content-Type` names.
///
/// # Errors
/// A problem when there is none, or it is not one.
pub(crate) fn boundary(content_type: &str) -> Result<String, Problem> {
    let (_, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let boundary = super::disposition::parameters(parameters)
        .into_iter()
        .find(|(name, _)| name == "boundary")
        .map(|(_, value)| value)
        .ok_or_else(|| malformed("the content type names no boundary"))?;
    let well_formed =
        (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len()) && boundary.bytes().all(|b| (0x20..0x7f).contains(&b));
    if well_formed {
        Ok(boundary)
    } else {
        Err(malformed("the boundary is not 1 to 70 printable ASCII characters"))
    }
}

/// The parts of a form, one after another.
#[derive(Debug)]
pub(crate) struct Multipart<'a> {
    body: &'a mut UploadBody,
    /// CRLF, two dashes, the boundary.
    delimiter: Vec<u8>,
    /// Bytes that came and were not handed out.
    buffer: Bytes,
    /// Whether the bytes at hand belong to a part.
    inside: bool,
    parts: usize,
}

/// What the next bytes of a part are.
enum Found {
    /// Bytes of the part.
    Data(Bytes),
    /// The last bytes of the part, maybe none.
    Last(Bytes),
    /// Nothing certain before more bytes come.
    More,
}

impl<'a> Multipart<'a> {
    pub(crate) fn new(body: &'a mut UploadBody, boundary: &str) -> Self {
        Self {
            body,
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            // The first delimiter may stand at the very start: as if a line had ended before it.
            buffer: Bytes::from_static(b"\r\n"),
            inside: false,
            parts: 0,
        }
    }

    /// Skips what is left of the part before and reads the headers of the next; `None` after the last.
    ///
    /// # Errors
    /// A problem when the body is not a form, or breaks off.
    pub(crate) async fn next_part(&mut self) -> Result<Option<Disposition>, Problem> {
        if self.parts == 0 {
            self.skip_preamble().await?;
        } else {
            while self.chunk().await?.is_some() {}
        }
        self.need(2).await?;
        if self.buffer.starts_with(b"--") {
            self.skip_epilogue().await?;
            return Ok(None);
        }
        self.skip_padding().await?;
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(malformed(format!("the form has more than {MAX_PARTS} parts")));
        }
        let headers = self.headers().await?;
        self.inside = true;
        Disposition::from_headers(&headers).map(Some)
    }

    /// The next bytes of the current part, never empty; `None` at its end.
    ///
    /// # Errors
    /// A problem when the body breaks off.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        while self.inside {
            match self.find() {
                Found::Data(bytes) => return Ok(Some(bytes)),
                Found::Last(bytes) => {
                    self.inside = false;
                    if !bytes.is_empty() {
                        return Ok(Some(bytes));
                    }
                }
                Found::More => self.more().await?,
            }
        }
        Ok(None)
    }

    fn find(&mut self) -> Found {
        if let Some(at) = memmem::find(&self.buffer, &self.delimiter) {
            let data = self.buffer.split_to(at);
            self.buffer = self.buffer.slice(self.delimiter.len()..);
            return Found::Last(data);
        }
        let certain = self.buffer.len() - self.possible_start();
        if certain == 0 {
            return Found::More;
        }
        Found::Data(self.buffer.split_to(certain))
    }

    /// Length of the longest end of the buffer that the delimiter may begin with.
    fn possible_start(&self) -> usize {
        let longest = self.buffer.len().min(self.delimiter.len() - 1);
        let tail = &self.buffer[self.buffer.len() - longest..];
        memchr::memchr_iter(b'\r', tail)
            .map(|at| &tail[at..])
            .find(|rest| self.delimiter.starts_with(rest))
            .map_or(0, <[u8]>::len)
    }

    async fn skip_preamble(&mut self) -> Result<(), Problem> {
        self.inside = true;
        let mut skipped = 0;
        while let Some(bytes) = self.chunk().await? {
            skipped += bytes.len();
            if skipped > MAX_PREAMBLE_BYTES {
                return Err(malformed("the body does not begin with the boundary"));
            }
        }
        Ok(())
    }

    /// What follows the last delimiter means nothing, but a connection is used again only when it was read.
    async fn skip_epilogue(&mut self) -> Result<(), Problem> {
        let mut skipped = self.buffer.len();
        while let Some(bytes) = self.body.next().await? {
            skipped += bytes.len();
            if skipped > MAX_PREAMBLE_BYTES {
                return Err(malformed("the body goes on after the last boundary"));
            }
        }
        self.buffer = Bytes::new();
        Ok(())
    }

    /// White space may follow a delimiter, then its line ends (RFC 2046, section 5.1.1).
    async fn skip_padding(&mut self) -> Result<(), Problem> {
        let mut skipped = 0;
        loop {
            self.need(2).await?;
            match self.buffer[0] {
                b' ' | b'\t' if skipped < MAX_PREAMBLE_BYTES => self.buffer = self.buffer.slice(1..),
                b'\r' if self.buffer[1] == b'\n' => {
                    self.buffer = self.buffer.slice(2..);
                    return Ok(());
                }
                _ => return Err(malformed("a boundary is followed by something else than a line end")),
            }
            skipped += 1;
        }
    }

    async fn headers(&mut self) -> Result<Bytes, Problem> {
        let mut searched = 0;
        loop {
            if self.buffer.starts_with(b"\r\n") {
                self.buffer = self.buffer.slice(2..);
                return Ok(Bytes::new());
            }
            let end = memmem::find(&self.buffer[searched..], b"\r\n\r\n").map(|at| searched + at);
            if let Some(end) = end.filter(|end| *end <= MAX_HEADER_BYTES) {
                let headers = self.buffer.split_to(end);
                self.buffer = self.buffer.slice(4..);
                return Ok(headers);
            }
            if self.buffer.len() > MAX_HEADER_BYTES {
                let detail = format!("the headers of a part are longer than {MAX_HEADER_BYTES} bytes");
                return Err(malformed(detail));
            }
            searched = self.buffer.len().saturating_sub(3);
            self.more().await?;
        }
    }

    async fn need(&mut self, bytes: usize) -> Result<(), Problem> {
        while self.buffer.len() < bytes {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<(), Problem> {
        let Some(next) = self.body.next().await? else {
            return Err(malformed("the form ends before its last boundary"));
        };
        if self.buffer.is_empty() {
            self.buffer = next;
        } else {
            let mut joined = BytesMut::with_capacity(self.buffer.len() + next.len());
            joined.extend_from_slice(&self.buffer);
            joined.extend_from_slice(&next);
            self.buffer = joined.freeze();
        }
        Ok(())
    }
}

pub(crate) fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(ProblemCode::MalformedMultipart, detail)
}
