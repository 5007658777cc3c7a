//! Turns images: bytes in, bytes out, on the calling thread.
//!
//! Owns headers, plans, pixels and codecs. Knows nothing of files, sockets, tasks, async or clocks other than the
//! [`Control`] it is given.

mod assets;
mod av1;
mod chunks;
mod content;
mod decode;
mod encode;
mod error;
mod exif;
mod info;
mod jpeg;
mod layout;
mod metadata;
mod mill;
mod pixels;
mod plan;
pub mod probe;
mod profile;
mod simd;
mod steps;
mod text;
mod ycbcr;

pub use assets::{Assets, NoAssets};
pub use error::EngineError;
pub use mill::{Control, Milled, NeverStop, Rendered, mill, mill_with};
pub use plan::{Plan, Stage, plan};
