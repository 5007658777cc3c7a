//! Tests of the engine through its public doors, on real files.
#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod animation;
mod color;
mod control;
mod formats;
mod golden;
mod hostile;
mod jpeg_core;
mod memory;
mod metadata;
mod pixels;
mod plan;
mod probe;
mod pushdown;
mod steps;
mod stream;
mod support;
