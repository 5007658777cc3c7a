//! Every broker against the one conformance suite.
#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

#[macro_use]
mod conformance;
mod memory;
mod redis;
mod sqlite;
