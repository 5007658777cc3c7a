//! Blocks as panels of eight columns, and their transposition.
//!
//! A panel holds eight neighbouring columns, row after row, so that a transform of columns works on eight side by side
//! and one of rows on a transposed panel. Numbers are `i16` kept as `u16`, which is what the lanes transpose. Nothing here
//! knows what the numbers mean.

use crate::simd::{LANES, Level, ROW};

/// Columns of a panel.
pub(super) const COLUMNS: usize = 8;

/// Two squares of eight by eight, the second after the first.
pub(super) type Squares = [u16; ROW];

const ZERO: [u16; COLUMNS] = [0; COLUMNS];

/// Transposes two squares: calls for column `index` of the first and of the second.
#[inline(always)]
fn transposed<L: Level>(level: L, squares: &Squares) -> [[i16; LANES]; COLUMNS] {
    let columns = level.row_to_columns(squares);
    let mut stored = [[0; LANES]; COLUMNS];
    for (lanes, numbers) in columns.into_iter().zip(&mut stored) {
        level.store(lanes, numbers);
    }
    stored
}

/// Eight of the sixteen, kept as panels keep them.
#[inline(always)]
fn half(numbers: &[i16; LANES], second: bool) -> [u16; COLUMNS] {
    let mut half = ZERO;
    let from = if second {
        &numbers[COLUMNS..]
    } else {
        &numbers[..COLUMNS]
    };
    for (number, into) in from.iter().zip(&mut half) {
        *into = number.cast_unsigned();
    }
    half
}

/// Transposes two squares, side by side in eight rows, into sixteen rows of a panel, or eight when it ends there.
#[inline(always)]
pub(super) fn squares_into_panel<L: Level>(level: L, squares: &Squares, panel: &mut [[u16; COLUMNS]]) {
    let columns = transposed(level, squares);
    let (first, second) = panel.split_at_mut(COLUMNS);
    for (column, row) in columns.iter().zip(first) {
        *row = half(column, false);
    }
    for (column, row) in columns.iter().zip(second) {
        *row = half(column, true);
    }
}

/// Transposes a panel of eight rows of a block, `index` of them counted in panels, into the panels of its columns.
#[inline(always)]
pub(super) fn panel_into_panels<L: Level, const N: usize>(
    level: L,
    panel: &[[u16; COLUMNS]],
    index: usize,
    panels: &mut [[[u16; COLUMNS]; N]],
) {
    let (pairs, rest) = panel.as_flattened().as_chunks::<ROW>();
    for (pair, into) in pairs.iter().zip(panels.chunks_exact_mut(2)) {
        let columns = transposed(level, pair);
        for (second, panel) in into.iter_mut().enumerate() {
            let Some(rows) = panel.as_chunks_mut::<COLUMNS>().0.get_mut(index) else {
                continue;
            };
            for (column, row) in columns.iter().zip(rows) {
                *row = half(column, second == 1);
            }
        }
    }
    if let ([.., panel], Some(square)) = (panels, rest.first_chunk::<{ ROW / 2 }>()) {
        let mut squares = [0; ROW];
        squares[..ROW / 2].copy_from_slice(square);
        squares_into_panel(level, &squares, &mut panel[COLUMNS * index..][..COLUMNS]);
    }
}

/// Transposes a square of four, in the left half of a panel.
#[inline(always)]
pub(super) fn transpose_four<L: Level>(level: L, rows: &[[u16; COLUMNS]; 4]) -> [[u16; COLUMNS]; 4] {
    let mut squares = [0; ROW];
    for (row, into) in rows.iter().zip(squares.as_chunks_mut::<COLUMNS>().0) {
        *into = *row;
    }
    let [a, b, c, d, ..] = transposed(level, &squares);
    [half(&a, false), half(&b, false), half(&c, false), half(&d, false)]
}
