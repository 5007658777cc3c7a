//! The real binary, seen from outside: every module starts it through [`harness`] and looks at answers, files and rows.
//!
//! One binary for all of them, so that the harness is compiled and linked once.

mod harness;
mod promise;
