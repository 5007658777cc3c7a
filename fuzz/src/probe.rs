//! Headers: the same whether a file comes in one piece or in many, and a plan or a reason for each.

use pixmill_engine::probe::{self as header, Header, Prober};
use pixmill_engine::{EngineError, plan};
use pixmill_types::{Limits, Recipe};

/// Reads a header at once and in pieces, and plans with it.
pub fn probe(data: &[u8]) {
    let at_once = header::probe(data);
    for length in [1, 7, 64] {
        assert_eq!(in_pieces(data, length), at_once, "in pieces of {length} bytes");
    }
    let Ok(header) = header::probe_whole(data) else { return };
    if header.check(&Limits::default()).is_ok() {
        let planned = plan(&header, &Recipe::default(), &Limits::default());
        assert!(!matches!(planned, Err(EngineError::Internal(_))), "{planned:?}");
    }
}

fn in_pieces(data: &[u8], length: usize) -> Result<Header, EngineError> {
    let mut prober = Prober::default();
    for piece in data.chunks(length) {
        if let Some(header) = prober.feed(piece)? {
            return Ok(header);
        }
    }
    prober.finish()
}
