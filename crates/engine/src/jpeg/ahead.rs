//! DC coefficients of a piece of a scan, decoded at several places side by side.
//!
//! How far one symbol reaches is known only when it is decoded, so a processor that follows one stream of them waits most
//! of the time. Three streams keep it busy: the first begins where decoding has come to, the others somewhere in the middle
//! of a block, as if one began there. What they find is wrong at first, but Huffman codes synchronize themselves: sooner or
//! later a block ends where one really does, and all that follows is right. That is certain as soon as the stream before has
//! come to the same end of a block of the same place in an MCU; what was found before that is thrown away, and where two
//! streams do not meet, only what the first one found counts. After Weißenberger and Schmidt, "Accelerating JPEG
//! Decompression on GPUs" (2021), who have a processor full of them.
//!
//! What is damaged ends what is certain; whoever decodes on from there says what is wrong.

use std::hint::select_unpredictable;
use std::ops::Range;
use std::sync::Arc;

use super::EngineError;
use super::bits::{Piece, Source};
use super::entropy::MAX_SIZE;
use super::huffman::{Decoder, extend};
use super::markers::MAX_MCU_BLOCKS;
use super::skip::{Entry, LAST, LOOK_UPS_A_REFILL, WINDOW_BITS, WINDOWS};
use super::tables::Tables;
use crate::pixels::zeros;
use crate::simd::{self, Kernel, Level};

/// Places that are decoded side by side; two keep this less busy, and four no more.
const STREAMS: usize = 3;
/// Bits that a stream decodes of what belongs to the next one, so that they meet.
const OVERLAP: usize = 4096;
/// Fewer bits are not worth dividing.
const LEAST_BITS: usize = STREAMS * 2 * OVERLAP;
/// Blocks that a stream finds at the most.
const MOST_BLOCKS: usize = 1 << 14;
/// Where a stream is given up, bits: far behind the end of any piece, and half of what a position holds.
const FAR: u64 = 1 << 19;
/// MCUs that are decoded one after another where nothing became certain.
const PAUSE: usize = 32;

/// Components of a scan, at most (B.2.3), each of which may have tables of its own.
pub(super) const SETS: usize = 4;
const ENTRIES: usize = SETS * 2 * WINDOWS;
/// Rounded up, so that a remainder is a mask.
const PHASES: usize = MAX_MCU_BLOCKS.next_power_of_two();
/// Where the block of an MCU that comes next stands in a [`State`].
const PHASE_AT: u32 = 16;

/// Which table the next look-up takes, and above [`PHASE_AT`] which block of an MCU it is in.
type State = u32;

/// What was found: 20 bits of position, 16 bits of blocks, the sum of DC differences in the 16 bits behind them, and what
/// overflowed.
///
/// An entry of the table has the same fields, so that one addition takes it; its reach is above them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found(u64);

impl Found {
    const BLOCKS_AT: u32 = 20;
    const SUM_AT: u32 = 36;
    const REACH_AT: u32 = 57;

    fn new(bits: u64, ends_block: bool, difference: i16) -> Self {
        Self(bits | u64::from(ends_block) << Self::BLOCKS_AT | u64::from(difference as u16) << Self::SUM_AT)
    }

    fn of(entry: Entry) -> Self {
        let Self(found) = Self::new(entry.bits().into(), entry.end() > 0, entry.difference());
        Self(found | (entry.reach() as u64) << Self::REACH_AT)
    }

    #[inline(always)]
    pub(super) const fn position(self) -> u64 {
        self.0 & ((1 << Self::BLOCKS_AT) - 1)
    }

    #[inline(always)]
    const fn blocks(self) -> usize {
        (self.0 >> Self::BLOCKS_AT) as usize & 0xffff
    }

    pub(super) const fn sum(self) -> i16 {
        (self.0 >> Self::SUM_AT) as i16
    }

    #[inline(always)]
    const fn reach(self) -> usize {
        (self.0 >> Self::REACH_AT) as usize
    }

    /// Bits of an entry; the shift by them takes no more notice of what stands above.
    #[inline(always)]
    const fn bits(self) -> u64 {
        self.0 & 63
    }

    #[inline(always)]
    const fn ends_block(self) -> bool {
        self.0 & 1 << Self::BLOCKS_AT != 0
    }

    #[inline(always)]
    const fn and(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

/// What each window says of a later coefficient of a block, then of its beginning.
pub(super) fn entries(dc: &Decoder, ac: &Decoder) -> Box<[u64; 2 * WINDOWS]> {
    let mut entries = Box::new([0; 2 * WINDOWS]);
    for (window, entry) in entries.iter_mut().enumerate() {
        let Found(found) = Found::of(Entry::of(window % WINDOWS, (window >= WINDOWS).then_some(dc), ac));
        *entry = found;
    }
    entries
}

/// A place that is decoded.
#[derive(Debug, Clone, Copy)]
struct Stream {
    found: Found,
    /// The last coefficient of the block so far.
    last: usize,
    state: State,
}

/// Where a stream belongs in the piece, bits.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    begin: u64,
    /// Where it has met the next stream, hopefully.
    stop: u64,
    /// How often it has begun anew.
    attempts: u32,
    /// Its first block that is damaged, if one is.
    damaged: Option<usize>,
}

/// Decodes ahead.
pub(super) struct Ahead {
    /// As many as [`ENTRIES`].
    entries: Vec<u64>,
    /// What the entries were made of, set by set.
    sets: Vec<Arc<Tables>>,
    /// The state at the beginning of the block after each of an MCU.
    next: [State; PHASES],
    blocks_in_mcu: usize,
    /// The state at the beginning of an MCU.
    begin: State,
    /// What each stream had found when each of its blocks ended, [`MOST_BLOCKS`] of each.
    records: Vec<u64>,
    /// What had been found at the beginning of whole MCUs and at the end of each of their blocks, and how many of these
    /// blocks were given.
    kept: Vec<Found>,
    given: usize,
    /// MCUs until it is tried again.
    pause: usize,
}

impl Ahead {
    /// For MCUs of components, one to [`SETS`] of them, with these tables and so many blocks.
    ///
    /// # Errors
    /// [`EngineError::Internal`] when there is no memory.
    pub(super) fn new<'t>(components: impl Iterator<Item = (&'t Arc<Tables>, usize)>) -> Result<Self, EngineError> {
        let mut sets = Vec::<Arc<Tables>>::new();
        let mut begins = Vec::<State>::new();
        for (tables, blocks) in components {
            let known = sets.iter().position(|set| Arc::ptr_eq(set, tables));
            let set = known.unwrap_or(sets.len());
            if known.is_none() {
                sets.push(Arc::clone(tables));
            }
            begins.extend(std::iter::repeat_n(((2 * set + 1) * WINDOWS) as State, blocks));
        }
        let mut entries = zeros(ENTRIES as u64)?;
        for (set, entries) in sets.iter().zip(entries.chunks_exact_mut(2 * WINDOWS)) {
            let made = set.ahead.as_deref();
            entries
                .copy_from_slice(made.ok_or_else(|| EngineError::Internal("tables lack what runs ahead".to_owned()))?);
        }
        let mut next = [0; PHASES];
        let later = (1..).zip(&begins[1..]).map(|(phase, begin)| phase << PHASE_AT | begin);
        for (next, later) in next.iter_mut().zip(later.chain(begins.first().copied())) {
            *next = later;
        }
        Ok(Self {
            entries,
            sets,
            begin: begins[0],
            next,
            blocks_in_mcu: begins.len(),
            records: zeros((STREAMS * MOST_BLOCKS) as u64)?,
            kept: Vec::new(),
            given: 0,
            pause: 0,
        })
    }

    /// Begins behind a restart marker, whatever seemed to stand in front of it: padding, or damage.
    pub(super) fn restart(&mut self) {
        self.kept.clear();
        self.given = 0;
        self.pause = 0;
    }

    /// What had been found at the beginning of the next MCU and at the end of each of its blocks; `None` when it has to be
    /// decoded on its own. It holds for the piece as it is then.
    ///
    /// # Errors
    /// [`EngineError::Corrupt`] when the data is over.
    #[inline(always)]
    pub(super) fn next_mcu(&mut self, source: &mut Source<'_>) -> Result<Option<&[Found]>, EngineError> {
        if self.given + 1 >= self.kept.len() && !self.decode(source)? {
            return Ok(None);
        }
        let found = &self.kept[self.given..][..=self.blocks_in_mcu];
        self.given += self.blocks_in_mcu;
        Ok(Some(found))
    }

    /// Decodes as many MCUs as it can and says whether those are any.
    #[inline(never)]
    fn decode(&mut self, source: &mut Source<'_>) -> Result<bool, EngineError> {
        self.kept.clear();
        self.given = 0;
        if let Some(pause) = self.pause.checked_sub(1) {
            self.pause = pause;
            return Ok(false);
        }
        let (piece, bits) = source.rest_of_piece()?;
        let end = simd::run(Decode {
            ahead: self,
            piece,
            bits,
        });
        match end {
            Some(end) => source.seek(end),
            None => self.pause = PAUSE,
        }
        Ok(end.is_some())
    }

    /// Decodes the bits of a piece with `N` streams, and returns where the last MCU ended that is certain.
    #[inline(always)]
    fn side_by_side<const N: usize>(&mut self, piece: &Piece, bits: Range<usize>) -> Option<usize> {
        let overlap = if N > 1 { OVERLAP } else { 0 };
        let share = bits.len().checked_sub(overlap)? / N;
        let mut spans = std::array::from_fn(|stream| {
            let begin = bits.start + stream * share;
            Span {
                begin: begin as u64,
                stop: (begin + share + overlap) as u64,
                attempts: 0,
                damaged: None,
            }
        });
        let found = self.find::<N>(piece, &mut spans)?;
        self.keep(&spans, &found, bits.end as u64)
    }

    /// Decodes until every stream has come to its stop.
    #[inline(always)]
    fn find<const N: usize>(&mut self, piece: &Piece, spans: &mut [Span; N]) -> Option<[Found; N]> {
        let Self {
            entries,
            sets,
            next,
            begin,
            records,
            ..
        } = self;
        let entries = entries.first_chunk::<ENTRIES>()?;
        let records = records.as_chunks_mut::<MOST_BLOCKS>().0.first_chunk_mut::<STREAMS>()?;
        let mut streams = spans.map(|span| Stream::at(span.begin, *begin));
        loop {
            let left = |(stream, span): (&Stream, &Span)| span.stop.saturating_sub(stream.found.position());
            let room = |stream: &Stream| (MOST_BLOCKS - 1).saturating_sub(stream.found.blocks());
            let distance = |stream: &Stream| FAR.saturating_sub(stream.found.position());
            // No refill takes more, but for symbols that are decoded one at a time, and they may go a little further.
            let refills = streams.iter().zip(&*spans).map(left).max()?.div_ceil(64);
            let refills = refills.min(streams.iter().map(room).min()? as u64 / u64::from(LOOK_UPS_A_REFILL));
            let refills = refills.min(streams.iter().map(distance).min()? / 64);
            if refills == 0 {
                return Some(streams.map(|stream| stream.found));
            }
            for _ in 0..refills {
                let mut bits = streams.map(|stream| bits_at(piece, stream.found.position()));
                for _ in 0..LOOK_UPS_A_REFILL {
                    for (index, stream) in streams.iter_mut().enumerate() {
                        let window = (bits[index] >> (64 - WINDOW_BITS)) as State;
                        let entry = Found(entries[(window | stream.state) as usize % ENTRIES]);
                        let reach = stream.last + entry.reach();
                        let block = stream.found.blocks() % MOST_BLOCKS;
                        if reach >= LAST {
                            let mut after = stream.packed().one_symbol(sets, piece, next);
                            if after == Packed::NONE {
                                after = (*stream)
                                    .packed()
                                    .behind_damage(&mut spans[index], (index > 0).then_some(*begin));
                            }
                            *stream = after.stream();
                            records[index][block] = stream.found.0;
                            bits[index] = bits_at(piece, stream.found.position());
                            continue;
                        }
                        bits[index] <<= entry.bits();
                        stream.found = stream.found.and(entry);
                        records[index][block] = stream.found.0;
                        stream.go_on(reach, entry.ends_block(), next);
                    }
                }
            }
        }
    }

    /// Keeps what was found of all whole MCUs that are certain, and returns where the last of them ends.
    fn keep<const N: usize>(&mut self, spans: &[Span; N], found: &[Found; N], end: u64) -> Option<usize> {
        let mut certain: [Range<usize>; N] = std::array::from_fn(|_| 0..0);
        let mut from = 0;
        for stream in 0..N {
            let whole = self.whole(stream, &spans[stream], found[stream], end);
            let meeting = spans.get(stream + 1).and_then(|next| {
                let whole_of_next = self.whole(stream + 1, next, found[stream + 1], end);
                self.meeting((stream, from..whole), (stream + 1, next.begin, whole_of_next))
            });
            certain[stream] = from..meeting.map_or(whole, |(until, _)| until);
            match meeting {
                Some((_, next)) => from = next,
                None => break,
            }
        }
        let blocks: usize = certain.iter().map(Range::len).sum();
        let mut left = blocks - blocks % self.blocks_in_mcu;
        if left == 0 {
            return None;
        }
        let mut last = Found::new(spans[0].begin, false, 0);
        self.kept.push(last);
        for (records, certain) in self.records.chunks_exact(MOST_BLOCKS).zip(certain) {
            let taken = certain.len().min(left);
            left -= taken;
            // Each stream counts from where it began itself.
            let before = certain
                .start
                .checked_sub(1)
                .map_or(0, |before| Found(records[before]).sum());
            let offset = Found::new(0, false, last.sum().wrapping_sub(before));
            self.kept.extend(
                records[certain][..taken]
                    .iter()
                    .map(|record| Found(*record).and(offset)),
            );
            last = self.kept[self.kept.len() - 1];
        }
        Some(last.position() as usize)
    }

    fn records_of(&self, stream: usize) -> &[u64] {
        &self.records[stream * MOST_BLOCKS..][..MOST_BLOCKS]
    }

    /// How many blocks a stream has found that lie in front of `end` and of any damage.
    fn whole(&self, stream: usize, span: &Span, found: Found, end: u64) -> usize {
        let blocks = found.blocks().min(span.damaged.unwrap_or(usize::MAX));
        self.records_of(stream)[..blocks].partition_point(|record| Found(*record).position() <= end)
    }

    /// Where a stream, of which some blocks are certain, meets the next one: the blocks of both up to there.
    fn meeting(
        &self,
        (stream, certain): (usize, Range<usize>),
        (next, begin, blocks): (usize, u64, usize),
    ) -> Option<(usize, usize)> {
        let position = |stream: usize, block: usize| Found(self.records_of(stream)[block]).position();
        let mut other = 0;
        let before =
            self.records_of(stream)[certain.clone()].partition_point(|record| Found(*record).position() < begin);
        for block in certain.start + before..certain.end {
            let end = position(stream, block);
            while other < blocks && position(next, other) < end {
                other += 1;
            }
            if other == blocks {
                return None;
            }
            let is_same_block = (block % self.blocks_in_mcu) == (other % self.blocks_in_mcu);
            if is_same_block && position(next, other) == end {
                return Some((block + 1, other + 1));
            }
        }
        None
    }
}

impl Stream {
    /// Begins where an MCU is, or is taken to be.
    fn at(position: u64, begin: State) -> Self {
        Self {
            found: Found::new(position, false, 0),
            last: 0,
            state: begin,
        }
    }

    /// Goes on behind the coefficient `last`, or behind the end of the block.
    #[inline(always)]
    fn go_on(&mut self, last: usize, ends_block: bool, next: &[State; PHASES]) {
        let next = next[(self.state >> PHASE_AT) as usize % PHASES];
        self.state = select_unpredictable(ends_block, next, self.state & !(WINDOWS as State));
        self.last = select_unpredictable(ends_block, 0, last);
    }

    #[inline(always)]
    const fn packed(self) -> Packed {
        Packed(self.found.0, (self.last as u64) << 32 | self.state as u64)
    }
}

/// A stream in two numbers: one whose address another function knows cannot live in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packed(u64, u64);

impl Packed {
    /// What no stream is that has decoded something.
    const NONE: Self = Self(0, 0);

    #[inline(always)]
    const fn stream(self) -> Stream {
        Stream {
            found: Found(self.0),
            last: (self.1 >> 32) as usize,
            state: self.1 as State,
        }
    }

    /// Decodes one symbol; [`Packed::NONE`] where there is none.
    #[cold]
    #[inline(never)]
    fn one_symbol(self, sets: &[Arc<Tables>], piece: &Piece, next: &[State; PHASES]) -> Self {
        self.stream()
            .one_symbol(sets, piece, next)
            .map_or(Self::NONE, Stream::packed)
    }

    /// Goes on where nothing can be decoded.
    #[cold]
    #[inline(never)]
    fn behind_damage(self, span: &mut Span, guessed: Option<State>) -> Self {
        self.stream().behind_damage(span, guessed).packed()
    }
}

impl Stream {
    /// Decodes one symbol, unless it is none.
    #[inline(always)]
    fn one_symbol(self, sets: &[Arc<Tables>], piece: &Piece, next: &[State; PHASES]) -> Option<Self> {
        let bits = bits_at(piece, self.found.position());
        let set = self.state as usize % ENTRIES / (2 * WINDOWS);
        let tables = sets.get(set)?;
        let mut after = self;
        let sixteen = (bits >> 48) as u32;
        if self.state & WINDOWS as State != 0 {
            let symbol = tables.dc.decoder.symbol(sixteen)?;
            let size = u32::from(symbol.symbol);
            if size > MAX_SIZE {
                return None;
            }
            let value = (bits << symbol.bits >> 1 >> (63 - size)) as u32;
            let difference = extend(value, size) as i16;
            after.found = after
                .found
                .and(Found::new(u64::from(symbol.bits) + u64::from(size), false, difference));
            after.go_on(0, false, next);
            return Some(after);
        }
        let symbol = tables.ac.decoder.symbol(sixteen)?;
        let is_end = symbol.size() == 0 && symbol.run() != 15;
        let last = self.last + symbol.run() + 1;
        if !is_end && last > LAST {
            return None;
        }
        let ends_block = is_end || last == LAST;
        let used = u64::from(symbol.bits) + u64::from(symbol.size());
        after.found = after.found.and(Found::new(used, ends_block, 0));
        after.go_on(last, ends_block, next);
        Some(after)
    }

    /// Goes on further along where nothing can be decoded. That is no wonder where the end of a block was only guessed: what
    /// was found up to there is thrown away then, and the next guess is twice as far away, so that there are few even where
    /// hardly any bits are codes. Otherwise something is damaged.
    #[inline(always)]
    fn behind_damage(self, span: &mut Span, guessed: Option<State>) -> Self {
        let position = self.found.position() + (1 << span.attempts.min(12));
        if let Some(begin) = guessed
            && position < span.stop
        {
            span.begin = position;
            span.attempts += 1;
            return Self::at(position, begin);
        }
        span.damaged.get_or_insert(self.found.blocks());
        Self {
            found: self.found.and(Found::new(1, false, 0)),
            last: 0,
            state: self.state | WINDOWS as State,
        }
    }
}

/// At least 57 bits of a piece from a position on, topmost first; zeros where it has no more.
#[inline(always)]
fn bits_at(piece: &Piece, position: u64) -> u64 {
    match piece
        .get(position as usize >> 3..)
        .and_then(|rest| rest.first_chunk::<8>())
    {
        Some(next) => u64::from_be_bytes(*next) << (position & 7),
        None => 0,
    }
}

/// Decodes a piece, compiled for what this processor has.
struct Decode<'d> {
    ahead: &'d mut Ahead,
    piece: &'d Piece,
    bits: Range<usize>,
}

impl Kernel for Decode<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run(self, _: impl Level) -> Option<usize> {
        if self.bits.len() < LEAST_BITS {
            self.ahead.side_by_side::<1>(self.piece, self.bits)
        } else {
            self.ahead.side_by_side::<STREAMS>(self.piece, self.bits)
        }
    }
}
