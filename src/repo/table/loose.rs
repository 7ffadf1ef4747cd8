//! Rows by what they say, not how: for asking whether two sets hold the same record.
//!
//! Blanks at the ends of a cell, quotes, the delimiter, the order of columns, and whether it is
//! CSV or JSON Lines do not count, nor do columns that only some of the tables have.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::part::Part;
use super::reading::Reading;
use super::rows::{Fault, Row, RowHash, RowHasher, read_rows};
use super::samples::shown;
use super::shape::Shape;
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::{Files, Refusal};

/// A table whose rows are compared by some of their columns.
#[derive(Debug)]
pub(in crate::repo) struct LooseTable {
    reading: Reading,
}

/// Why the rows of a table could not be read to the end.
pub(in crate::repo) enum TableFault {
    /// The store failed.
    Refused(Refusal),
    /// It is malformed, in words.
    Broken(String),
}

/// One row.
pub(in crate::repo) struct LooseRow<'a> {
    /// Line from 1.
    pub line: u64,
    pub hash: RowHash,
    bytes: &'a [u8],
}

impl LooseRow<'_> {
    /// Gives the row for showing, shortened.
    pub fn text(&self) -> String {
        shown(self.bytes)
    }
}

/// Names the columns that all tables have and that say something of their rows, in one order.
pub(in crate::repo) fn common_columns<'a>(
    shapes: impl Iterator<Item = &'a Shape>,
    without: &BTreeSet<&str>,
) -> Vec<String> {
    let names = |shape: &Shape| -> BTreeSet<String> { shape.columns.iter().cloned().collect() };
    let common = shapes.map(names).reduce(|a, b| a.intersection(&b).cloned().collect());
    let mut common = common.unwrap_or_default();
    common.retain(|name| !without.contains(name.as_str()));
    common.into_iter().collect()
}

impl LooseTable {
    /// Takes a table by the columns of [`common_columns`].
    pub fn new(shape: Shape, columns: &[String]) -> Self {
        let at: std::collections::HashMap<&String, usize> =
            shape.columns.iter().enumerate().map(|(at, name)| (name, at)).collect();
        let picks = columns.iter().filter_map(|name| at.get(name).copied()).collect();
        let names = shape.columns.clone();
        let reading = Reading {
            names,
            picks: Some(picks),
            key: None,
            is_plain: false,
            is_loose: true,
            shape,
        };
        Self { reading }
    }
}

/// Gives the rows of a part of a table, but empty ones; tells how many rows there are in all.
pub(in crate::repo) fn read_loosely(
    files: &mut Files<'_>,
    place: (&TreePath, &FileSide),
    table: &LooseTable,
    part: Part,
    mut take: impl FnMut(LooseRow<'_>) -> ControlFlow<()>,
) -> Result<u64, TableFault> {
    // What is compared with each other is read by one process: its key may be a fixed one.
    let hasher = RowHasher::of_process();
    let read = read_rows(files, place, &table.reading, &hasher, Some(part), |batch| {
        for row in &batch.rows {
            let Row { line, hash, .. } = *row;
            let given = take(LooseRow { line, hash, bytes: batch.text(row) });
            if given.is_break() {
                return given;
            }
        }
        ControlFlow::Continue(())
    });
    read.map_err(fault_of)
}

/// Words what is wrong with a table.
pub(super) fn fault_of(fault: Fault) -> TableFault {
    match fault {
        Fault::Refused(refusal) => TableFault::Refused(refusal),
        Fault::Broken(broken) => TableFault::Broken(broken.words()),
    }
}
