//! The worker through its public door: a real broker and store, real photos, and faults between them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports a failure")]

mod cancelling;
mod delivery;
mod draining;
mod installation;
mod log;
mod outages;
mod registration;
mod support;
mod upkeep;
