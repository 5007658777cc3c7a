//! The real binary, seen from outside: modules start it through [`harness`] and look at answers, files and rows.
//! [`architecture`] looks at the workspace itself.
//!
//! One test binary for all of them, so that the harness is compiled and linked once.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

#[path = "../../../blob/tests/it/answering.rs"]
mod answering;
mod architecture;
#[path = "../../../blob/tests/it/azure_server.rs"]
mod azure_server;
mod bad_input;
mod bucket;
mod clouds;
mod commands;
#[cfg(feature = "failpoints")]
mod crash;
mod durability;
mod fleet;
#[path = "../../../blob/tests/it/google_server.rs"]
mod google_server;
mod harness;
mod lifecycle;
mod overload;
mod promise;
mod proxy;
mod recipes;
mod redis;
#[path = "../../../blob/tests/it/s3_server.rs"]
mod s3_server;
