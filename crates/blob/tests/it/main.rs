//! The blob store through its public door: one suite for every backend, and what only a disk can get wrong.

mod conformance;
mod disk;
mod support;
