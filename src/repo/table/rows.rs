//! A file → its rows, with the hashes that tell them apart.

use std::hash::{Hash as _, Hasher as _};
use std::ops::ControlFlow;
use std::sync::OnceLock;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher13 as SipHasher128};

use super::parquet;
use super::part::Part;
use super::reading::Reading;
use super::records::{Broken, Cut, Cutter};
use super::shape::Form;
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::{Files, Refusal};

/// Tells rows apart: 128 bits under a key that nobody knows beforehand, so that equal hashes mean
/// equal rows.
pub(super) type RowHash = [u64; 2];

/// Makes hashes; only those of one hasher can be compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowHasher([u8; 16]);

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

/// Gives the rows of a table batch by batch, until `take` has enough; tells how many there are.
///
/// Cost: memory for a batch: 1 MiB and one row.
pub(super) fn read_rows(
    files: &mut Files<'_>,
    place: (&TreePath, &FileSide),
    reading: &Reading,
    hasher: &RowHasher,
    part: Option<Part>,
    mut take: impl FnMut(Batch) -> ControlFlow<()>,
) -> Result<u64, Fault> {
    let mut numbers = Numbers { next: 0, skips: reading.shape.has_header };
    let mut spelled = Vec::new();
    let give = |cut: Cut| {
        let batch = batch(cut, &mut numbers, reading, hasher, part, &mut spelled);
        if batch.rows.is_empty() { ControlFlow::Continue(()) } else { take(batch) }
    };
    match reading.shape.form {
        Form::Parquet => parquet::each(files, place, give)?,
        form => each_of_text(files, place, form, give)?,
    }
    Ok(numbers.next)
}

/// Cuts a text into records.
fn each_of_text(
    files: &mut Files<'_>,
    (path, side): (&TreePath, &FileSide),
    form: Form,
    mut give: impl FnMut(Cut) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let mut cutter = Cutter::new(form);
    let mut broken = None;
    let mut has_enough = false;
    files.each(path, side, |piece| {
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
    if !has_enough {
        let _enough_or_not = give(cutter.finish()?);
    }
    Ok(())
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
        let is_elsewhere = |of: u64| part.is_some_and(|part| !part.holds(of));
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
