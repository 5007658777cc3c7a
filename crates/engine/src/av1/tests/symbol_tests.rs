//! What the symbol writer writes, the specification's symbol decoder reads.
//!
//! Knows of the writer what it is told and what it gives.

use super::pictures::Random;
use super::symbols::SymbolReader;
use crate::av1::arithmetic::Writer;

/// What is written and read back.
#[derive(Debug, Clone, Copy)]
enum Item {
    /// A symbol of the alphabet with this number.
    Symbol {
        alphabet: usize,
        symbol: usize,
    },
    Literal {
        value: u32,
        bits: u32,
    },
}

/// CDFs of 2 to 16 symbols as the specification has them; every third is as skewed as can be.
fn alphabets(random: &mut Random) -> Vec<Vec<u16>> {
    let mut alphabets = Vec::new();
    for count in 2..=16 {
        for skew in 0..3 {
            let mut cdf: Vec<u16> = (1..count).map(|_| 1 + random.below(32_767) as u16).collect();
            cdf.sort_unstable();
            match skew {
                1 => (0..).zip(&mut cdf).for_each(|(index, value)| *value = 1 + index),
                2 => (0..)
                    .zip(cdf.iter_mut().rev())
                    .for_each(|(index, value)| *value = 32_767 - index),
                _ => {}
            }
            cdf.extend([1 << 15, 0]);
            alphabets.push(cdf);
        }
    }
    alphabets
}

fn write(items: &[Item], alphabets: &[Vec<u16>]) -> Vec<u8> {
    let mut alphabets = alphabets.to_vec();
    let mut writer = Writer::new();
    for item in items {
        match *item {
            Item::Symbol { alphabet, symbol } => writer.symbol(symbol, &mut alphabets[alphabet]),
            Item::Literal { value, bits } => writer.literal(value, bits),
        }
    }
    writer.finish()
}

/// Writes items, reads them back, and checks how the bytes end (8.2.4).
fn check(items: &[Item], alphabets: &[Vec<u16>]) -> Vec<u8> {
    let bytes = write(items, alphabets);
    let mut alphabets = alphabets.to_vec();
    let mut reader = SymbolReader::new(&bytes);
    for (index, item) in items.iter().enumerate() {
        match *item {
            Item::Symbol { alphabet, symbol } => {
                assert_eq!(
                    reader.symbol(&mut alphabets[alphabet]),
                    symbol,
                    "item {index} of {}: {item:?}",
                    items.len()
                );
            }
            Item::Literal { value, bits } => assert_eq!(reader.literal(bits), value, "item {index}: {item:?}"),
        }
    }
    reader.exit();
    bytes
}

fn random_item(random: &mut Random, alphabets: &[Vec<u16>]) -> Item {
    if random.below(4) == 0 {
        let bits = random.below(17);
        return Item::Literal {
            value: random.below(1 << bits),
            bits,
        };
    }
    let alphabet = random.below(alphabets.len() as u32) as usize;
    let symbols = alphabets[alphabet].len() as u32 - 1;
    let symbol = random.below(symbols) as usize;
    Item::Symbol { alphabet, symbol }
}

#[test]
fn random_symbols_come_back() {
    let mut random = Random(1);
    let alphabets = alphabets(&mut random);
    for length in (0..100).chain([1000, 20_000]) {
        for _ in 0..10 {
            let items: Vec<Item> = (0..length).map(|_| random_item(&mut random, &alphabets)).collect();
            check(&items, &alphabets);
        }
    }
}

#[test]
fn runs_of_one_symbol_come_back() {
    let mut random = Random(2);
    let alphabets = alphabets(&mut random);
    for (alphabet, cdf) in alphabets.iter().enumerate() {
        for symbol in [0, (cdf.len() - 1) / 2, cdf.len() - 2] {
            for length in [1, 2, 3, 7, 100, 5000] {
                check(&vec![Item::Symbol { alphabet, symbol }; length], &alphabets);
            }
        }
    }
    for value in [0, 1, u32::MAX] {
        let bits = if value == 1 { 1 } else { 32 };
        for length in [1, 2, 5, 1000] {
            check(&vec![Item::Literal { value, bits }; length], &alphabets);
        }
    }
}

/// Reads symbols from bytes that were never written: those whose interval is around the number that the bytes are.
fn items_of(bytes: &[u8], count: usize, random: &mut Random, alphabets: &[Vec<u16>]) -> Vec<Item> {
    let mut alphabets = alphabets.to_vec();
    let mut reader = SymbolReader::new(bytes);
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(match random_item(random, &alphabets) {
            Item::Symbol { alphabet, .. } => Item::Symbol {
                alphabet,
                symbol: reader.symbol(&mut alphabets[alphabet]),
            },
            Item::Literal { bits, .. } => Item::Literal {
                value: reader.literal(bits),
                bits,
            },
        });
    }
    items
}

/// The lower end of an interval around a number just above ...1000... is ...0111..., until what is far behind carries.
#[test]
fn carries_run_through_many_bytes() {
    let mut random = Random(3);
    let alphabets = alphabets(&mut random);
    for run in [1, 2, 3, 10, 100, 1000] {
        for turn in 0..40 {
            let before = 1 + random.below(4);
            let mut bytes: Vec<u8> = (0..before).map(|_| random.below(256) as u8).collect();
            bytes.push(1 + random.below(255) as u8);
            // Odd turns stay just below instead: then nothing may carry.
            bytes.resize(bytes.len() + run, if turn % 2 == 0 { 0 } else { 0xff });
            bytes.extend((0..20).map(|_| random.below(256) as u8));
            // About 3 bits of a symbol: as many as are in the bytes, and a few that end in the run.
            for count in [bytes.len() * 8 / 8, bytes.len() * 8 / 3, bytes.len() * 8] {
                let items = items_of(&bytes, count, &mut random, &alphabets);
                check(&items, &alphabets);
            }
        }
    }
}
