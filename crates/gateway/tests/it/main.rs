//! The gateway through its one door: requests in, responses out, files and rows looked at afterwards.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod assets;
mod bad_input;
mod documentation;
mod form;
mod harness;
mod operations;
mod outputs;
mod promise;
mod sockets;
mod store;
mod tasks;
mod unreliable;
mod workers;
