//! Pixel buffers between the stages: 8 or 16 bits a sample; gray or RGB, with or without alpha.

mod image;
mod premultiply;
mod sample;
mod shape;

pub(crate) use self::premultiply::{from_premultiplied, to_premultiplied};
pub(crate) use self::sample::{Sample, both_depths, map_depths};
pub(crate) use image::{Image, Samples, zeros};
pub(crate) use shape::{Channels, Depth, Shape};
