//! Tables in files: rows of CSV (RFC 4180), JSON Lines and Parquet, read piece by piece, compared,
//! counted.
//!
//! What a table is and what two rows have in common is specified in `docs/tables.md`.

mod alike;
mod cells;
mod columns;
mod compare;
mod loose;
mod matching;
mod names;
pub(super) mod overlap;
mod pairs;
pub(super) mod parquet;
mod part;
mod probe;
pub(super) mod profile;
mod reading;
mod records;
mod rows;
mod samples;
mod shape;

use crate::object::TreePath;

pub use compare::{CellDiff, ColumnDiff, RowChange, RowDiff, RowSample, SAMPLES_MAX};
pub(super) use compare::{TableSides, Verdict, compare};
pub(super) use loose::{LooseTable, TableFault, common_columns, read_loosely};
pub(super) use part::{PART_COUNTS, Part};
pub(super) use probe::probe;

/// Tells by its name whether a file can be a table.
pub(super) fn can_be(path: &TreePath) -> bool {
    shape::Form::of_name(path.last_name()).is_some()
}
