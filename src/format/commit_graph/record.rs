//! One record of the commit graph, field by field; `docs/format/commit-graph.md`.

use super::{GraphCommit, Position};
use crate::format::field::{array_at, u32_at};
use crate::object::{ObjectId, Timestamp};

pub(super) const RECORD_BYTES: usize = 60;
/// How many parents an overflow record holds.
pub(super) const OVERFLOW_PARENTS: u32 = 12;

/// Stands where there is no parent.
const NONE: u32 = 0xFFFF_FFFF;
/// Marks a count of further parents, where else the second parent stands.
const MANY: u32 = 0x8000_0000;

const TIME_OFFSET: usize = 32;
const GENERATION_OFFSET: usize = 40;
const PARENTS_OFFSET: usize = 48;
const CHECK_OFFSET: usize = 56;

/// Stands where a commit has its generation, which is never that low.
const NO_GENERATION: i64 = i64::MIN;

/// The bytes of a record, of either kind.
#[derive(Clone, Copy)]
pub(super) struct Record<'a>(pub(super) &'a [u8; RECORD_BYTES]);

/// Where the parents of a commit are listed.
pub(super) enum Parents {
    /// In its own record.
    Near([Option<u32>; 2]),
    /// The first in its own record, `count` further ones in the overflow records before it.
    Many { first: u32, count: u32 },
}

impl<'a> Record<'a> {
    pub(super) fn id(self) -> ObjectId {
        ObjectId::from_bytes(array_at(self.0, 0).unwrap_or_default())
    }

    /// Reads a commit, its parents aside.
    pub(super) fn commit(self) -> GraphCommit {
        let time = Timestamp(self.long(TIME_OFFSET));
        GraphCommit { id: self.id(), time, generation: self.long(GENERATION_OFFSET) }
    }

    /// Tells a commit from an overflow record, which has no generation.
    pub(super) fn is_commit(self) -> bool {
        self.long(GENERATION_OFFSET) != NO_GENERATION
    }

    /// Tells where the parents are; nothing for an overflow record or impossible fields.
    pub(super) fn parents(self) -> Option<Parents> {
        let first = self.word(PARENTS_OFFSET);
        let second = self.word(PARENTS_OFFSET + 4);
        let is_position = |word: u32| word <= Position::MAX.index();
        match (first, second) {
            _ if !self.is_commit() => None,
            (NONE, NONE) => Some(Parents::Near([None, None])),
            (first, NONE) if is_position(first) => Some(Parents::Near([Some(first), None])),
            (first, second) if is_position(first) && is_position(second) => {
                Some(Parents::Near([Some(first), Some(second)]))
            }
            (first, many) if is_position(first) && many > MANY + 1 => {
                Some(Parents::Many { first, count: many - MANY })
            }
            _ => None,
        }
    }

    /// Lists the twelve places of an overflow record; nothing for a commit.
    pub(super) fn overflow(self) -> Option<impl Iterator<Item = u32> + 'a> {
        let before = (0..GENERATION_OFFSET).step_by(4);
        let after = (PARENTS_OFFSET..CHECK_OFFSET).step_by(4);
        let words = before.chain(after).map(move |offset| self.word(offset));
        (!self.is_commit()).then_some(words)
    }

    pub(super) fn check(self) -> u32 {
        self.word(CHECK_OFFSET)
    }

    /// Computes what the check must be, at a position and with these parents.
    ///
    /// The ids of the parents are covered, so that a position cannot come to mean another commit
    /// without notice, should two processes ever have written to the same place.
    pub(super) fn expected_check(
        self,
        position: Position,
        parents: impl IntoIterator<Item = ObjectId>,
    ) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&position.index().to_le_bytes());
        hasher.update(self.0.get(..CHECK_OFFSET).unwrap_or_default());
        parents.into_iter().for_each(|parent| hasher.update(parent.as_bytes()));
        hasher.finalize()
    }

    fn long(self, offset: usize) -> i64 {
        i64::from_le_bytes(array_at(self.0, offset).unwrap_or_default())
    }

    fn word(self, offset: usize) -> u32 {
        u32_at(self.0, offset).unwrap_or_default()
    }
}

/// Spells the record of a commit; `parent_ids` are those at `parents`.
pub(super) fn commit(
    commit: &GraphCommit,
    parents: &[Position],
    position: Position,
    parent_ids: &[ObjectId],
) -> [u8; RECORD_BYTES] {
    let further = u32::try_from(parents.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let first = parents.first().map_or(NONE, |parent| parent.index());
    let second = match parents {
        [_, second] => second.index(),
        [_, _, ..] => MANY | further,
        _ => NONE,
    };
    let mut bytes = [0; RECORD_BYTES];
    put(&mut bytes, 0, commit.id.as_bytes());
    put(&mut bytes, TIME_OFFSET, &commit.time.0.to_le_bytes());
    put(&mut bytes, GENERATION_OFFSET, &commit.generation.to_le_bytes());
    put(&mut bytes, PARENTS_OFFSET, &first.to_le_bytes());
    put(&mut bytes, PARENTS_OFFSET + 4, &second.to_le_bytes());
    seal(bytes, position, parent_ids)
}

/// Spells an overflow record with up to twelve parents.
pub(super) fn overflow(parents: &[Position], position: Position) -> [u8; RECORD_BYTES] {
    let mut bytes = [0xFF; RECORD_BYTES];
    put(&mut bytes, GENERATION_OFFSET, &NO_GENERATION.to_le_bytes());
    let offsets =
        (0..GENERATION_OFFSET).step_by(4).chain((PARENTS_OFFSET..CHECK_OFFSET).step_by(4));
    for (offset, parent) in offsets.zip(parents) {
        put(&mut bytes, offset, &parent.index().to_le_bytes());
    }
    seal(bytes, position, &[])
}

fn seal(
    mut bytes: [u8; RECORD_BYTES],
    position: Position,
    parents: &[ObjectId],
) -> [u8; RECORD_BYTES] {
    let check = Record(&bytes).expected_check(position, parents.iter().copied());
    put(&mut bytes, CHECK_OFFSET, &check.to_le_bytes());
    bytes
}

fn put(bytes: &mut [u8; RECORD_BYTES], offset: usize, field: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(offset).zip(field) {
        *to = *from;
    }
}
