//! The commit graph: parents, generations and times by position, so that walks decode no commit.
//!
//! A derived file that only grows: a new commit is one record at the end. Specified in
//! `docs/format/commit-graph.md`. Walks themselves are in `graph`, files in `store`.

mod builder;
mod record;

pub use builder::GraphBuilder;

use crate::object::{DecodeError, ObjectId, Timestamp};
use record::{OVERFLOW_PARENTS, Parents, RECORD_BYTES, Record};

const WHAT: &str = "commit graph";
/// Source: `docs/format/commit-graph.md`.
const MAGIC: [u8; 8] = *b"PROVGRPH";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 16;

/// Where a commit is in the graph; parents have smaller positions than their children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u32);

impl Position {
    /// Largest position: the bit above marks a commit with more than two parents.
    pub const MAX: Self = Self(0x7FFF_FFFE);

    /// Gives the number of records before this one, for tables by position.
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// What the graph knows about one commit, its parents aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphCommit {
    /// Its id.
    pub id: ObjectId,
    /// When its author says it was made.
    pub time: Timestamp,
    /// Its time in milliseconds, or 1 more than the largest generation of its parents where that
    /// is later.
    pub generation: i64,
}

/// A commit graph in the bytes of its file.
///
/// Cost: nothing is parsed before it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct CommitGraph<'a> {
    records: &'a [[u8; RECORD_BYTES]],
}

impl<'a> CommitGraph<'a> {
    /// Looks at the header and at the end.
    ///
    /// Shape: records at the end that an interrupted append left damaged are not part of the
    /// graph; neither is a piece shorter than a record.
    /// Errors: [`DecodeError`] for another header; the caller builds the file anew.
    /// Cost: checks records from the end until one is whole, almost always one.
    pub fn open(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(DecodeError::new(WHAT, 0, "shorter than its header"));
        };
        if *header != Self::header() {
            return Err(DecodeError::new(WHAT, 0, "not the header of version 1"));
        }
        let (records, _) = rest.as_chunks::<RECORD_BYTES>();
        let mut graph = Self { records };
        let last_position = usize::try_from(Position::MAX.0).unwrap_or(usize::MAX);
        if records.len() > last_position {
            return Err(DecodeError::new(WHAT, 0, "more records than there are positions"));
        }
        while let Some((_, before)) = graph.records.split_last() {
            if graph.last().is_some_and(|last| graph.get(last).is_ok()) {
                break;
            }
            graph.records = before;
        }
        Ok(graph)
    }

    /// Gives the bytes with which every file begins.
    pub fn header() -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        let version = VERSION.to_le_bytes();
        for (to, from) in header.iter_mut().zip(MAGIC.iter().chain(&version)) {
            *to = *from;
        }
        header
    }

    /// Gives the offset in the file at which the next record belongs.
    pub fn end_offset(&self) -> u64 {
        let bytes = HEADER_BYTES + self.records.len() * RECORD_BYTES;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Counts the records: positions are below it, though not each of them is a commit.
    pub fn record_count(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// Tells whether there is no commit.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Gives the commit that was added last.
    pub fn last(&self) -> Option<Position> {
        self.record_count().checked_sub(1).map(Position)
    }

    /// Lists the positions of all commits, parents before children.
    pub fn positions(&self) -> impl DoubleEndedIterator<Item = Position> + use<'a> {
        let commits = self.records.iter().enumerate();
        commits
            .filter(|(_, bytes)| Record(bytes).is_commit())
            .filter_map(|(at, _)| u32::try_from(at).ok().map(Position))
    }

    /// Finds a commit by its id, looking from the end.
    ///
    /// Shape: a record that is damaged is not found, or is refused when it is read.
    /// Cost: compares ids until it is found; 60 MB for a million commits and an id that is not
    /// there.
    pub fn find(&self, id: &ObjectId) -> Option<Position> {
        let at = self.records.iter().rposition(|bytes| {
            let record = Record(bytes);
            record.id() == *id && record.is_commit()
        })?;
        u32::try_from(at).ok().map(Position)
    }

    /// Reads a commit.
    ///
    /// Errors: as [`Self::read`].
    pub fn get(&self, position: Position) -> Result<GraphCommit, DecodeError> {
        self.read(position, &mut Vec::new())
    }

    /// Reads a commit and appends the positions of its parents, in their order.
    ///
    /// Errors: [`DecodeError`] when the record, or one of its parents' ids, is not what it was
    /// when it was written; nothing of the file should be believed then.
    /// Cost: one record, and the ids of its parents.
    pub fn read(
        &self,
        position: Position,
        parents: &mut Vec<Position>,
    ) -> Result<GraphCommit, DecodeError> {
        let record = self.record(position)?;
        let before = parents.len();
        self.parents_of(position, record, parents)?;
        let own = parents.get(before..).unwrap_or_default();
        let ids = own.iter().filter_map(|parent| self.record(*parent).ok()).map(Record::id);
        if record.check() != record.expected_check(position, ids) {
            return Err(damaged(position, "its check does not fit"));
        }
        Ok(record.commit())
    }

    fn record(&self, position: Position) -> Result<Record<'a>, DecodeError> {
        let at = usize::try_from(position.0).unwrap_or(usize::MAX);
        let bytes = self.records.get(at);
        bytes.map(Record).ok_or_else(|| damaged(position, "it is not there"))
    }

    fn parents_of(
        &self,
        position: Position,
        record: Record<'a>,
        parents: &mut Vec<Position>,
    ) -> Result<(), DecodeError> {
        let listed = record.parents().ok_or_else(|| damaged(position, "it is no commit"))?;
        let first = parents.len();
        match listed {
            Parents::Near(near) => parents.extend(near.into_iter().flatten().map(Position)),
            Parents::Many { first, count } => {
                parents.push(Position(first));
                self.overflow(position, count, parents)?;
            }
        }
        let own = parents.get(first..).unwrap_or_default();
        match own.iter().all(|parent| *parent < position) {
            true => Ok(()),
            false => Err(damaged(position, "a parent does not come before it")),
        }
    }

    /// Reads the parents after the first from the records before a commit.
    fn overflow(
        &self,
        position: Position,
        count: u32,
        parents: &mut Vec<Position>,
    ) -> Result<(), DecodeError> {
        let record_count = count.div_ceil(OVERFLOW_PARENTS);
        let begin = position.0.checked_sub(record_count);
        let begin = begin.ok_or_else(|| damaged(position, "it has too many parents"))?;
        let mut left = count;
        for at in (begin..position.0).map(Position) {
            let record = self.record(at)?;
            let slots = record.overflow().ok_or_else(|| damaged(at, "it lists no parents"))?;
            if record.check() != record.expected_check(at, []) {
                return Err(damaged(at, "its check does not fit"));
            }
            let here = left.min(OVERFLOW_PARENTS);
            parents.extend(slots.take(usize::try_from(here).unwrap_or_default()).map(Position));
            left -= here;
        }
        Ok(())
    }
}

fn damaged(position: Position, reason: &str) -> DecodeError {
    let record_bytes = u64::try_from(RECORD_BYTES).unwrap_or_default();
    let header_bytes = u64::try_from(HEADER_BYTES).unwrap_or_default();
    let offset = header_bytes + u64::from(position.0) * record_bytes;
    DecodeError::new(WHAT, offset, format!("record {}: {reason}", position.0))
}

#[cfg(test)]
#[path = "commit_graph_tests.rs"]
mod tests;
