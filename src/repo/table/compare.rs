//! How the rows of two versions of a table differ. Specified in `docs/tables.md`.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crossbeam_channel::Sender;

use super::alike::{Version, pair_by_place};
use super::columns::{Common, common};
use super::matching::{Left, Leftovers, Matching};
use super::pairs::{Fates, by_key};
use super::part::{PART_COUNTS, Part};
use super::probe::probe;
use super::reading::Reading;
use super::rows::{Batch, Fault, RowHasher, read_rows};
use super::samples::{Cell, cells_of};
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::{Files, Refusal};
use crate::threads::produce_beside;

/// Most rows of each kind that can be shown.
pub const SAMPLES_MAX: usize = 10_000;

/// Most cells of a row that are shown.
const CELLS_MAX: usize = 64;

/// How the rows of two versions of a table differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowDiff {
    /// Rows of the old version.
    pub old_rows: u64,
    /// Rows of the new version.
    pub new_rows: u64,
    /// Rows that are new.
    pub added: u64,
    /// Rows that are gone.
    pub removed: u64,
    /// Rows that are others, known by their key or by where they stand.
    pub changed: u64,
    /// Rows of both versions in another order.
    pub moved: u64,
    /// The column that tells rows apart, if one does.
    pub key: Option<String>,
    /// How the columns differ.
    pub columns: ColumnDiff,
    /// The first rows of each kind: changed, removed, added.
    pub samples: Vec<RowSample>,
}

/// How the columns of two versions differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnDiff {
    /// Names of new ones, in order.
    pub added: Vec<String>,
    /// Names of those that are gone, in order.
    pub removed: Vec<String>,
    /// Old and new names of those that have another.
    pub renamed: Vec<(String, String)>,
    /// Whether those that both have stand in another order.
    pub reordered: bool,
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSample {
    /// What happened to it.
    pub change: RowChange,
    /// What tells it apart, if a column does.
    pub key: Option<String>,
    /// Line of the old version, from 1.
    pub old_line: Option<u64>,
    /// Line of the new version, from 1.
    pub new_line: Option<u64>,
    /// Its cells; of a changed row those that differ. Long ones are shortened.
    pub cells: Vec<CellDiff>,
    /// How many more there are.
    pub more_cells: u64,
}

/// One cell of a row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellDiff {
    /// Name of its column.
    pub column: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// The two versions, and how they are compared.
pub(in crate::repo) struct TableSides<'a> {
    pub old: (&'a TreePath, &'a FileSide),
    pub new: (&'a TreePath, &'a FileSide),
    /// The column that is declared to tell rows apart.
    pub key: Option<String>,
    /// Most rows of each kind to show.
    pub sample_count: usize,
}

/// What came of the comparison.
pub(in crate::repo) enum Verdict {
    /// One of them is no table, or they have nothing in common: why, in words.
    NoTable(String),
    /// They differ so.
    Rows(Box<RowDiff>),
}

/// Compares two versions of a table.
///
/// Cost: reads both versions at once, on two threads; memory for at most 1,800,000 rows without a
/// partner. If more wait, everything is read again for a half, a quarter and so on of the rows at
/// a time. To pair rows without a key, and to show rows, each version is read again up to the last
/// of them.
pub(in crate::repo) fn compare(
    files: &Files<'_>,
    sides: &TableSides<'_>,
) -> Result<Verdict, Refusal> {
    let mut files = files.again();
    let no_table = |why: String| Ok(Verdict::NoTable(why));
    let old = match probe(&mut files, sides.old)? {
        Ok(old) => old,
        Err(why) => return no_table(format!("old version: {why}")),
    };
    let new = match probe(&mut files, sides.new)? {
        Ok(new) => new,
        Err(why) => return no_table(format!("new version: {why}")),
    };
    if old.form.is_json() != new.form.is_json() {
        return no_table("one version is CSV, the other one is not".to_owned());
    }
    let Some(common) = common(old, new, sides.key.as_deref()) else {
        return no_table("the versions have no column in common".to_owned());
    };
    let comparison = Comparison { sides, common: &common, hasher: RowHasher::new() };
    match comparison.run(&mut files) {
        Ok(Some(diff)) => Ok(Verdict::Rows(Box::new(diff))),
        Ok(None) => no_table("too many rows differ".to_owned()),
        Err(Fault::Broken(broken)) => no_table(broken.words()),
        Err(Fault::Refused(refusal)) => Err(refusal),
    }
}

struct Comparison<'a> {
    sides: &'a TableSides<'a>,
    common: &'a Common,
    hasher: RowHasher,
}

/// Leftovers of one reading, and how many rows were read.
struct Passed {
    leftovers: Option<Leftovers>,
    old_rows: u64,
    new_rows: u64,
}

impl Comparison<'_> {
    fn run(&self, files: &mut Files<'_>) -> Result<Option<RowDiff>, Fault> {
        for count in PART_COUNTS {
            if let Some((mut diff, fates)) = self.in_parts(files, count)? {
                diff.samples = self.samples(files, &fates)?;
                return Ok(Some(diff));
            }
        }
        Ok(None)
    }

    /// Compares part by part; `None` if that takes too much memory.
    fn in_parts(&self, files: &Files<'_>, count: u64) -> Result<Option<(RowDiff, Fates)>, Fault> {
        let Common { diff: columns, new: reading, .. } = self.common;
        let (columns, key) = (columns.clone(), reading.key.clone());
        let is_keyed = key.is_some();
        let mut diff = RowDiff { key, columns, ..RowDiff::default() };
        let mut first = Fates::default();
        for index in 0..count {
            let passed = self.pass(files, (count > 1).then_some(Part { index, count }))?;
            let Some(leftovers) = passed.leftovers else { return Ok(None) };
            (diff.old_rows, diff.new_rows) = (passed.old_rows, passed.new_rows);
            diff.moved += leftovers.moved;
            let fates = match is_keyed {
                true => by_key(leftovers),
                false if count == 1 => {
                    let old = Version { place: self.sides.old, reading: &self.common.old };
                    let new = Version { place: self.sides.new, reading: &self.common.new };
                    pair_by_place(files, (old, new), &self.hasher, leftovers)?
                }
                // Where rows stand among all is not known from a part of them.
                false => {
                    Fates { removed: leftovers.old, added: leftovers.new, changed: Vec::new() }
                }
            };
            diff.added += fates.added.len() as u64;
            diff.removed += fates.removed.len() as u64;
            diff.changed += fates.changed.len() as u64;
            self.keep_first(&mut first, fates);
        }
        Ok(Some((diff, first)))
    }

    /// Keeps of each kind the rows that are shown.
    fn keep_first(&self, kept: &mut Fates, more: Fates) {
        let count = self.sides.sample_count.min(SAMPLES_MAX);
        kept.changed.extend(more.changed);
        kept.changed.sort_unstable_by_key(|(_, new)| new.number);
        kept.changed.truncate(count);
        for (kept, more) in [(&mut kept.removed, more.removed), (&mut kept.added, more.added)] {
            kept.extend(more);
            kept.sort_unstable_by_key(|left| left.number);
            kept.truncate(count);
        }
    }

    /// Reads both versions once, each on a thread; where the system gives none, before they are
    /// matched.
    fn pass(&self, files: &Files<'_>, part: Option<Part>) -> Result<Passed, Fault> {
        let Common { old, new, .. } = self.common;
        let (old_files, new_files) = (files.again(), files.again());
        let read_old =
            |sender: Sender<Batch>| self.send(old_files, self.sides.old, old, part, &sender);
        let read_new =
            |sender: Sender<Batch>| self.send(new_files, self.sides.new, new, part, &sender);
        let (old_rows, (new_rows, leftovers)) = produce_beside(1, read_old, |old_batches| {
            produce_beside(1, read_new, |new_batches| {
                Matching::new((old_batches, old), (new_batches, new), &self.hasher).run().ok()
            })
        });
        Ok(Passed { leftovers, old_rows: old_rows?, new_rows: new_rows? })
    }

    fn send(
        &self,
        mut files: Files<'_>,
        place: (&TreePath, &FileSide),
        reading: &Reading,
        part: Option<Part>,
        sender: &Sender<Batch>,
    ) -> Result<u64, Fault> {
        read_rows(&mut files, place, reading, &self.hasher, part, |batch| {
            match sender.send(batch) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })
    }

    fn samples(&self, files: &mut Files<'_>, fates: &Fates) -> Result<Vec<RowSample>, Fault> {
        let Common { old, new, .. } = self.common;
        let Fates { changed, removed, added } = fates;
        let olds = changed.iter().map(|(old, _)| old).chain(removed);
        let olds: Vec<u64> = olds.map(|left| left.number).collect();
        let news = changed.iter().map(|(_, new)| new).chain(added);
        let news: Vec<u64> = news.map(|left| left.number).collect();
        let olds = cells_of(files, self.sides.old, old, &self.hasher, &olds)?;
        let news = cells_of(files, self.sides.new, new, &self.hasher, &news)?;
        files.check()?;
        let sample = |old: Option<&Left>, new: Option<&Left>| {
            let cells = |from: &HashMap<u64, Vec<Cell>>, left: Option<&Left>| {
                left.and_then(|left| from.get(&left.number)).cloned().unwrap_or_default()
            };
            let key = self.common.new.key.as_deref();
            let lines = (old.map(|left| left.line), new.map(|left| left.line));
            row_sample(lines, &cells(&olds, old), &cells(&news, new), key)
        };
        let changed = changed.iter().map(|(old, new)| sample(Some(old), Some(new)));
        let removed = removed.iter().map(|old| sample(Some(old), None));
        let added = added.iter().map(|new| sample(None, Some(new)));
        Ok(changed.chain(removed).chain(added).collect())
    }
}

/// Puts the cells of both versions of a row side by side.
fn row_sample(
    (old_line, new_line): (Option<u64>, Option<u64>),
    old: &[Cell],
    new: &[Cell],
    key: Option<&str>,
) -> RowSample {
    let change = match (old_line, new_line) {
        (None, _) => RowChange::Added,
        (_, None) => RowChange::Removed,
        _ => RowChange::Changed,
    };
    let in_old: HashMap<&str, &Cell> =
        old.iter().map(|cell| (cell.column.as_str(), cell)).collect();
    let in_new: HashMap<&str, &Cell> =
        new.iter().map(|cell| (cell.column.as_str(), cell)).collect();
    let gone = old.iter().filter(|cell| !in_new.contains_key(cell.column.as_str()));
    let columns = new.iter().chain(gone).map(|cell| cell.column.as_str());
    let both = columns.map(|column| (column, in_old.get(column), in_new.get(column)));
    let differing =
        both.filter(|(_, old, new)| old.map(|cell| cell.hash) != new.map(|cell| cell.hash));
    let text = |cell: Option<&&Cell>| cell.map(|cell| cell.text.clone());
    let mut cells: Vec<CellDiff> = differing
        .map(|(column, old, new)| CellDiff {
            column: column.to_owned(),
            old: text(old),
            new: text(new),
        })
        .collect();
    let more_cells = cells.len().saturating_sub(CELLS_MAX) as u64;
    cells.truncate(CELLS_MAX);
    let key = key.and_then(|key| text(in_new.get(key).or(in_old.get(key))));
    RowSample { change, key, old_line, new_line, cells, more_cells }
}
