//! Where an encoder writes to: memory, for as long as the work is to go on.

use std::io;

use crate::EngineError;
use crate::mill::Control;

/// Bytes between two looks at whether to go on.
const BYTES_BETWEEN_CHECKS: usize = 64 * 1024;

/// Collects a file in memory; refuses more of it once the control says stop or memory runs out.
pub(crate) struct Sink<'a> {
    bytes: Vec<u8>,
    control: &'a dyn Control,
    next_check: usize,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(control: &'a dyn Control) -> Self {
        Self {
            bytes: Vec::new(),
            control,
            next_check: BYTES_BETWEEN_CHECKS,
        }
    }

    /// The file, or why writing it failed.
    pub(crate) fn finish<E: std::fmt::Display>(
        self,
        format: &str,
        written: Result<(), E>,
    ) -> Result<Vec<u8>, EngineError> {
        match written {
            Ok(()) => Ok(self.bytes),
            Err(_) if self.control.should_stop() => Err(EngineError::Stopped),
            Err(error) => Err(super::failed(format, &error)),
        }
    }

    /// Why [`Sink::append`] took nothing.
    pub(crate) fn refusal(&self, format: &str) -> EngineError {
        if self.control.should_stop() {
            EngineError::Stopped
        } else {
            super::failed(format, &"there is no memory for it")
        }
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Puts `bytes` in place of as many that were written before, from `at` on.
    pub(super) fn overwrite(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Appends to the file; `false` when it is not to go on.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> bool {
        if self.bytes.len() >= self.next_check {
            if self.control.should_stop() {
                return false;
            }
            self.next_check = self.bytes.len() + BYTES_BETWEEN_CHECKS;
        }
        if self.bytes.try_reserve(bytes.len()).is_err() {
            return false;
        }
        self.bytes.extend_from_slice(bytes);
        true
    }
}

impl io::Write for Sink<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.append(bytes) {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::OutOfMemory.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
