//! A file → its rows, with what tells them apart: hashes, keys, and a sketch of their cells.

use std::borrow::Cow;
use std::hash::{Hash as _, Hasher as _};
use std::ops::ControlFlow;
use std::sync::OnceLock;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher13 as SipHasher128};

use super::cells::{csv_cells, json_cells};
use super::records::{Broken, Cut, Cutter};
use super::shape::{Form, Shape};
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::{Files, Refusal};

/// Between the cells of a row that is hashed.
const CELL_END: u8 = 0x1f;
/// In place of a cell that a row does not have.
const NO_CELL: u8 = 0x1e;

/// Tells rows apart: 128 bits under a key that nobody knows beforehand, so that equal hashes mean
/// equal rows.
pub(super) type RowHash = [u64; 2];

/// Makes hashes; only those of one hasher can be compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowHasher([u8; 16]);

/// How the rows of one of several tables are read, so that they can be compared.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub shape: Shape,
    /// Names to go by instead of the table's own, as long as its columns.
    pub names: Vec<String>,
    /// Positions of the only columns that count, in an order that all tables share; none for all.
    pub picks: Option<Vec<usize>>,
    /// Name of the column that tells rows apart.
    pub key: Option<String>,
    /// Whether the bytes of a row say whether it is another.
    pub is_plain: bool,
    /// Whether only what the cells say counts, and rows without any are left out.
    pub is_loose: bool,
}

/// Which rows are looked at: those whose key or hash leaves `index` when divided by `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub index: u64,
    pub count: u64,
}

/// One row of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    start: usize,
    end: usize,
    pub line: u64,
    /// Its number in the table, from 0.
    pub number: u64,
    pub hash: RowHash,
}

/// Rows that follow one another.
#[derive(Debug)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    pub rows: Vec<Row>,
}

/// Why rows could not be read.
pub(in crate::repo) enum Fault {
    Refused(Refusal),
    Broken(Broken),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl RowHasher {
    pub fn new() -> Self {
        let mut key = [0; 16];
        // Without randomness rows could be forged to look alike; they are still told apart.
        let _fixed_otherwise = getrandom::fill(&mut key);
        Self(key)
    }

    /// Gives the one that is kept for as long as the process runs.
    pub fn of_process() -> Self {
        static KEPT: OnceLock<RowHasher> = OnceLock::new();
        *KEPT.get_or_init(Self::new)
    }

    pub fn row(&self, bytes: &[u8]) -> RowHash {
        let mut hasher = SipHasher128::new_with_key(&self.0);
        hasher.write(bytes);
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }

    pub fn short(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        bytes.hash(&mut hasher);
        hasher.finish()
    }
}

impl Batch {
    pub fn text(&self, row: &Row) -> &[u8] {
        self.bytes.get(row.start..row.end).unwrap_or_default()
    }
}

impl Reading {
    /// Gives the cells of a row that count, with the names of their columns.
    ///
    /// Shape: cells beyond the last column are named by their number; of a row that is no JSON
    /// object, itself.
    pub fn cells<'a>(&'a self, record: &'a [u8]) -> Vec<(Cow<'a, str>, Cow<'a, [u8]>)> {
        match self.shape.form {
            Form::Csv { delimiter } => {
                let cells = csv_cells(record, delimiter);
                let name = |at: usize| match self.names.get(at) {
                    Some(name) => Cow::Borrowed(name.as_str()),
                    None => Cow::Owned(format!("column {}", at + 1)),
                };
                match &self.picks {
                    None => cells.enumerate().map(|(at, cell)| (name(at), cell)).collect(),
                    Some(picks) => {
                        let cells: Vec<_> = cells.collect();
                        let cell = |at: &usize| Some((name(*at), cells.get(*at)?.clone()));
                        picks.iter().filter_map(cell).collect()
                    }
                }
            }
            Form::JsonLines => match json_cells(record) {
                Some(cells) => cells.into_iter().filter_map(|cell| self.json_cell(cell)).collect(),
                None => vec![(Cow::Borrowed(""), Cow::Borrowed(record))],
            },
        }
    }

    fn json_cell<'a>(
        &'a self,
        (name, value): (String, String),
    ) -> Option<(Cow<'a, str>, Cow<'a, [u8]>)> {
        let value = Cow::Owned(value.into_bytes());
        let Some(picks) = &self.picks else { return Some((Cow::Owned(name), value)) };
        let Some(at) = self.shape.columns.iter().position(|column| *column == name) else {
            // A member that the beginning did not show: it counts.
            return Some((Cow::Owned(name), value));
        };
        let name = self.names.get(at).filter(|_| picks.contains(&at))?;
        Some((Cow::Borrowed(name.as_str()), value))
    }

    /// Writes what makes a row equal to another one, however both are spelled.
    pub fn spell(&self, record: &[u8], into: &mut Vec<u8>) {
        into.clear();
        if self.is_loose {
            return self.spell_loosely(record, into);
        }
        match self.shape.form {
            Form::Csv { delimiter } => {
                let cells = csv_cells(record, delimiter);
                let mut put = |cell: Option<&Cow<'_, [u8]>>| {
                    match cell {
                        Some(cell) => into.extend_from_slice(cell),
                        None => into.push(NO_CELL),
                    }
                    into.push(CELL_END);
                };
                match &self.picks {
                    Some(picks) => {
                        let cells: Vec<_> = cells.collect();
                        picks.iter().for_each(|at| put(cells.get(*at)));
                    }
                    None => cells.for_each(|cell| put(Some(&cell))),
                }
            }
            Form::JsonLines => {
                let mut cells = self.cells(record);
                cells.sort();
                for (name, value) in cells {
                    into.extend_from_slice(name.as_bytes());
                    into.push(NO_CELL);
                    into.extend_from_slice(&value);
                    into.push(CELL_END);
                }
            }
        }
    }

    /// Writes what the cells say that count: nothing if they are all empty.
    fn spell_loosely(&self, record: &[u8], into: &mut Vec<u8>) {
        let picks = self.picks.as_deref().unwrap_or_default();
        let mut is_empty = true;
        let mut put = |cell: &[u8]| {
            let cell = cell.trim_ascii();
            is_empty &= cell.is_empty();
            into.extend_from_slice(cell);
            into.push(CELL_END);
        };
        match self.shape.form {
            Form::Csv { delimiter } => {
                let cells: Vec<_> = csv_cells(record, delimiter).collect();
                picks.iter().for_each(|at| put(cells.get(*at).map_or(&b""[..], |cell| cell)));
            }
            Form::JsonLines => {
                let cells = json_cells(record).unwrap_or_default();
                for name in picks.iter().filter_map(|at| self.shape.columns.get(*at)) {
                    let value = cells.iter().find(|(other, _)| other == name);
                    match value.map(|(_, value)| value.as_str()) {
                        None | Some("null") => put(b""),
                        Some(value) => match serde_json::from_str::<String>(value) {
                            Ok(text) => put(text.as_bytes()),
                            Err(_) => put(value.as_bytes()),
                        },
                    }
                }
            }
        }
        if is_empty {
            into.clear();
        }
    }

    /// Gives the cell that tells a row apart from all others.
    pub fn key_of<'a>(&'a self, record: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let key = self.key.as_deref()?;
        if let Form::Csv { delimiter } = self.shape.form {
            let at = self.names.iter().position(|name| name == key)?;
            return csv_cells(record, delimiter).nth(at);
        }
        let mut cells = self.cells(record).into_iter();
        cells.find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sums up the cells in eight bytes: rows that share most cells share most bytes.
    pub fn sketch(&self, record: &[u8], hasher: &RowHasher) -> [u8; 8] {
        let mut sketch = [0u8; 8];
        for (name, value) in self.cells(record) {
            let lane = usize::try_from(hasher.short(name.as_bytes()) % 8).unwrap_or(0);
            let [byte, ..] = hasher.short(&value).to_le_bytes();
            if let Some(of_lane) = sketch.get_mut(lane) {
                // A lane that was used is not zero.
                *of_lane = of_lane.rotate_left(3).wrapping_add(byte) | 1;
            }
        }
        sketch
    }
}

/// Gives the rows of a table batch by batch, until `take` has enough; tells how many there are.
///
/// Cost: memory for a batch: 1 MiB and one row.
pub(super) fn read_rows(
    files: &mut Files<'_>,
    (path, side): (&TreePath, &FileSide),
    reading: &Reading,
    hasher: &RowHasher,
    part: Option<Part>,
    mut take: impl FnMut(Batch) -> ControlFlow<()>,
) -> Result<u64, Fault> {
    let mut cutter = Some(Cutter::new(reading.shape.form));
    let mut numbers = Numbers { next: 0, skips: reading.shape.has_header };
    let mut spelled = Vec::new();
    let mut broken = None;
    let mut has_enough = false;
    let mut give = |cut: Cut| {
        let batch = batch(cut, &mut numbers, reading, hasher, part, &mut spelled);
        if batch.rows.is_empty() { ControlFlow::Continue(()) } else { take(batch) }
    };
    files.each(path, side, |piece| {
        let Some(cutter) = &mut cutter else { return ControlFlow::Break(()) };
        let given = match cutter.feed(piece) {
            Ok(None) => return ControlFlow::Continue(()),
            Ok(Some(cut)) => give(cut),
            Err(error) => {
                broken = Some(error);
                return ControlFlow::Break(());
            }
        };
        has_enough |= given.is_break();
        given
    })?;
    if let Some(broken) = broken {
        return Err(broken.into());
    }
    if let Some(cutter) = cutter.take().filter(|_| !has_enough) {
        let _enough_or_not = give(cutter.finish()?);
    }
    Ok(numbers.next)
}

/// Numbers rows, and leaves the first out where it names the columns.
struct Numbers {
    next: u64,
    skips: bool,
}

fn batch(
    cut: Cut,
    numbers: &mut Numbers,
    reading: &Reading,
    hasher: &RowHasher,
    part: Option<Part>,
    spelled: &mut Vec<u8>,
) -> Batch {
    let Cut { bytes, spans } = cut;
    let mut rows = Vec::with_capacity(spans.len());
    for span in spans {
        if std::mem::take(&mut numbers.skips) {
            continue;
        }
        let number = numbers.next;
        numbers.next += 1;
        let record = bytes.get(span.start..span.end).unwrap_or_default();
        let key = part.and_then(|_| reading.key_of(record)).map(|key| hasher.short(&key));
        let is_elsewhere = |of: u64| part.is_some_and(|Part { index, count }| of % count != index);
        if key.is_some_and(is_elsewhere) {
            continue;
        }
        let hash = match reading.is_plain && part.is_none() {
            true => hasher.row(record),
            false => {
                reading.spell(record, spelled);
                hasher.row(spelled)
            }
        };
        if reading.is_loose && spelled.is_empty() {
            continue;
        }
        let [first, _] = hash;
        if key.is_none() && is_elsewhere(first) {
            continue;
        }
        rows.push(Row { start: span.start, end: span.end, line: span.line, number, hash });
    }
    Batch { bytes, rows }
}

/// Cuts a whole text into one batch.
#[cfg(test)]
pub(super) fn batch_of(text: &[u8], reading: &Reading, hasher: &RowHasher) -> Batch {
    let mut cutter = Cutter::new(reading.shape.form);
    assert!(cutter.feed(text).expect("a table").is_none());
    let mut numbers = Numbers { next: 0, skips: reading.shape.has_header };
    let cut = cutter.finish().expect("a table");
    batch(cut, &mut numbers, reading, hasher, None, &mut Vec::new())
}
