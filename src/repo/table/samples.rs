//! The cells of a few rows that differ: read a second time, no further than needed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;

use super::reading::Reading;
use super::rows::{Fault, RowHasher, read_rows};
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::Files;

/// Most of a cell that is shown, bytes.
const CELL_BYTES_MAX: usize = 400;

/// A cell, shortened for showing, and the hash of all of it.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub column: String,
    pub text: String,
    pub hash: u64,
}

/// Reads the cells of some rows, by their numbers.
///
/// Cost: reads the table up to the last of them.
pub(super) fn cells_of(
    files: &mut Files<'_>,
    place: (&TreePath, &FileSide),
    reading: &Reading,
    hasher: &RowHasher,
    numbers: &[u64],
) -> Result<HashMap<u64, Vec<Cell>>, Fault> {
    let mut found = HashMap::new();
    let Some(last) = numbers.iter().max() else { return Ok(found) };
    let wanted: std::collections::HashSet<u64> = numbers.iter().copied().collect();
    read_rows(files, place, reading, hasher, None, |batch| {
        for row in batch.rows.iter().filter(|row| wanted.contains(&row.number)) {
            let cells = reading.cells(batch.text(row));
            let cells = cells.into_iter().map(|(column, text)| cell(column, &text, hasher));
            found.insert(row.number, cells.collect());
        }
        match batch.rows.last().is_some_and(|row| row.number >= *last) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(found)
}

fn cell(column: Cow<'_, str>, bytes: &[u8], hasher: &RowHasher) -> Cell {
    let column = column.into_owned();
    Cell { column, text: shown(bytes), hash: hasher.short(bytes) }
}

/// Gives a cell as text: shortened, and what is not UTF-8 replaced.
pub(super) fn shown(bytes: &[u8]) -> String {
    match bytes.get(..CELL_BYTES_MAX) {
        Some(start) if bytes.len() > CELL_BYTES_MAX => {
            let text = String::from_utf8_lossy(start);
            format!("{}…", text.trim_end_matches('\u{fffd}'))
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
