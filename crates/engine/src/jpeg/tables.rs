//! What decodes a component: look-up tables, made once for the codes that most files have.

use std::sync::{Arc, LazyLock, OnceLock};

use super::ahead;
use super::corner::CornerTable;
use super::huffman::Specification;
use super::markers::Component;
use super::quality;
use super::skip::{SkipTable, WINDOWS};
use super::tokens::TABLES;
use super::wide::{AcTable, DcTable};

/// What decodes a component; often the same for both of chroma.
pub(super) struct Tables {
    pub(super) dc: DcTable,
    pub(super) ac: AcTable,
    pub(super) skip: SkipTable,
    /// Where no more than a corner is wanted.
    pub(super) corner: Option<CornerTable>,
    /// Where streams run ahead.
    pub(super) ahead: Option<Box<[u64; 2 * WINDOWS]>>,
}

/// Which tables are filled: small pictures would notice the time that the others take to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    /// Values of AC coefficients.
    pub(super) values: bool,
    /// Passing over what nobody wants.
    pub(super) skips: bool,
    /// Streams that run ahead.
    pub(super) ahead: bool,
}

impl Needs {
    const KINDS: usize = 8;

    fn kind(self) -> usize {
        usize::from(self.values) | usize::from(self.skips) << 1 | usize::from(self.ahead) << 2
    }
}

/// The codes of ISO/IEC 10918-1, annex K, that most cameras and encoders write: a table for DC and one for AC of luma, then
/// of chroma.
static USUAL: LazyLock<Option<[Specification; TABLES]>> = LazyLock::new(|| quality::codes().ok());

/// The tables for those, once they were needed.
static MADE: [[OnceLock<Arc<Tables>>; Needs::KINDS]; TABLES / 2] =
    [const { [const { OnceLock::new() }; Needs::KINDS] }; TABLES / 2];

impl Tables {
    /// Those for the codes of a component.
    pub(super) fn of(component: &Component, needs: Needs) -> Arc<Self> {
        let is_usual = |codes: &[Specification]| codes[0] == component.dc && codes[1] == component.ac;
        let usual = USUAL
            .as_ref()
            .and_then(|codes| codes.chunks_exact(2).position(is_usual));
        let make = || Arc::new(Self::new(component, needs));
        match usual {
            Some(codes) => Arc::clone(MADE[codes][needs.kind()].get_or_init(make)),
            None => make(),
        }
    }

    fn new(component: &Component, needs: Needs) -> Self {
        let dc = DcTable::new(&component.dc);
        let ac = AcTable::new(&component.ac, needs.values);
        Self {
            skip: SkipTable::new(&dc.decoder, &ac.decoder, needs.skips),
            corner: (needs.ahead && needs.values).then(|| CornerTable::new(&ac.decoder)),
            ahead: needs.ahead.then(|| ahead::entries(&dc.decoder, &ac.decoder)),
            dc,
            ac,
        }
    }
}
