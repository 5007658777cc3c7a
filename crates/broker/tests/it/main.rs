//! Every broker against the one conformance suite.

#[macro_use]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the backends that run the suite come next"
)]
mod conformance;
