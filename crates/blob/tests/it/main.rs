//! The blob store through its public door: one suite for every backend, and what only a disk can get wrong.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports a failure")]

mod answering;
mod azure;
mod azure_server;
mod conformance;
mod disk;
mod google;
mod google_server;
mod s3;
mod s3_server;
mod support;
