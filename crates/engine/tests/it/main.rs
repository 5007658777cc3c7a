//! Tests of the engine through its public doors, on real files.
#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod animation;
mod color;
mod control;
mod corpora;
mod exact;
mod formats;
mod geometry;
mod golden;
mod hostile;
mod info;
mod jpeg_core;
mod jpeg_encode;
mod jxl;
mod lenient;
mod literal;
mod memory;
mod metadata;
mod neighbours;
mod odd;
mod pixels;
mod plan;
mod probe;
mod pushdown;
mod resize;
mod shapes;
mod steps;
mod stream;
mod support;
mod text;
mod text_fonts;
mod watermark;
