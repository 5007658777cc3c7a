//! The tables of numbers that the specification fixes.

#[rustfmt::skip]
pub(super) mod coefficients;
#[rustfmt::skip]
pub(super) mod modes;
#[rustfmt::skip]
pub(super) mod quantizers;
