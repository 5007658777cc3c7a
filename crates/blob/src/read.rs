//! Bytes on their way out, and streaming them from a file without blocking the runtime.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::error::DiskError;
use crate::local::blocking;
use crate::{BlobError, BlobKey};

/// Read in one go from a file, bytes. One hop to a blocking thread each.
const CHUNK_BYTES: u64 = 256 * 1024;

/// Bytes on their way out.
pub struct BlobRead {
    /// Size of the whole blob, bytes.
    pub total_bytes: u64,
    /// The bytes asked for.
    pub stream: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl fmt::Debug for BlobRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobRead")
            .field("total_bytes", &self.total_bytes)
            .finish_non_exhaustive()
    }
}

/// What is left to read of an open file.
struct OpenBlob {
    file: File,
    path: PathBuf,
    left: Range<u64>,
}

/// Opens `path` and reads its first piece in the same hop: a small blob costs one.
pub(crate) async fn file(key: &BlobKey, path: PathBuf, range: Option<Range<u64>>) -> Result<BlobRead, BlobError> {
    let name = key.as_str().to_owned();
    let (total_bytes, first, rest) = blocking(move || {
        let file = File::open(&path).map_err(|error| missing_or(error, &name, &path))?;
        let metadata = file.metadata().map_err(DiskError::at("stat", &path))?;
        if !metadata.is_file() {
            return Err(BlobError::NotFound(name));
        }
        let total_bytes = metadata.len();
        let left = range.unwrap_or(0..total_bytes);
        if left.start > left.end || left.end > total_bytes {
            return Err(outside(&left, total_bytes));
        }
        let mut blob = OpenBlob { file, path, left };
        let first = blob.next_piece()?;
        Ok((total_bytes, first, blob))
    })
    .await?;
    let rest = stream::try_unfold(rest, |mut blob| async move {
        if blob.left.is_empty() {
            return Ok(None);
        }
        blocking(move || Ok(Some((blob.next_piece()?, blob)))).await
    });
    let stream = stream::iter((!first.is_empty()).then_some(Ok(first))).chain(rest);
    Ok(BlobRead {
        total_bytes,
        stream: stream.boxed(),
    })
}

/// Reads the whole file, and gives back the memory that the operating system holds it in.
pub(crate) async fn whole_file_once(key: &BlobKey, path: PathBuf) -> Result<Bytes, BlobError> {
    let name = key.as_str().to_owned();
    blocking(move || {
        let mut file = File::open(&path).map_err(|error| missing_or(error, &name, &path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(DiskError::at("read", &path))?;
        forget(&file, &path);
        Ok(Bytes::from(bytes))
    })
    .await
}

/// Takes a file out of the page cache. An input is written once and milled once: kept there, it would push out what is
/// asked for, and each new one would take memory that a virtual machine may first have to be given by its host, which
/// was measured to cost 4 to 10 ms for 4 MB against 0.75 ms for pages that come round again.
fn forget(file: &File, path: &Path) {
    use rustix::fs::{Advice, fadvise};
    // Only advice: the file was read.
    if let Err(errno) = fadvise(file, 0, None, Advice::DontNeed) {
        tracing::debug!(file = %path.display(), error = %io::Error::from(errno), "a file stays in the page cache");
    }
}

/// The error for a range that does not lie within the blob.
pub(crate) fn outside(range: &Range<u64>, total_bytes: u64) -> BlobError {
    BlobError::unavailable(format!(
        "bytes {} to {} were asked of a blob of {total_bytes} bytes",
        range.start, range.end
    ))
}

fn missing_or(error: io::Error, name: &str, path: &Path) -> BlobError {
    if error.kind() == io::ErrorKind::NotFound {
        BlobError::NotFound(name.to_owned())
    } else {
        DiskError::new("read", path, error).into()
    }
}

impl OpenBlob {
    fn next_piece(&mut self) -> Result<Bytes, DiskError> {
        let wanted = (self.left.end - self.left.start).min(CHUNK_BYTES);
        // At most CHUNK_BYTES, which fits every usize.
        let mut piece = vec![0; wanted as usize];
        self.file
            .read_exact_at(&mut piece, self.left.start)
            .map_err(DiskError::at("read", &self.path))?;
        self.left.start += wanted;
        Ok(Bytes::from(piece))
    }
}
