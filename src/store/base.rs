//! What a new object may continue, so that only the difference to an older one is stored.
//!
//! The codec is specified in `docs/format/pack.md`; why bases are chosen this way, and what it
//! saves, in `docs/decisions/0005-differences.md`.

use crate::format::block::is_prefix;
use crate::format::pack::{BlockRow, KindSet};
use crate::object::ObjectId;

use super::{Reader, Store, StoreError};

/// Bases that may have to be decoded one from the other, as far as this writer goes.
const DEPTH_MAX: u8 = 8;

/// A difference is small while it is at most this part of what it stands for.
const SMALL_PART: u32 = 64;

/// A node whose difference takes more than this part of it is stored whole: then its next versions
/// have no bases but this one.
const WHOLE_PART: u32 = 4;

/// The content of an older object, and how deep it lies itself.
#[derive(Debug)]
pub(super) struct Base {
    pub id: ObjectId,
    pub depth: u8,
    pub content: Vec<u8>,
}

impl Base {
    /// Reads an object as a base; none if it cannot be one.
    pub fn of(reader: &mut Reader<'_>, id: &ObjectId) -> Option<Self> {
        let depth = look(reader.store(), id).ok()??.depth;
        let content = reader.get_alone(id, KINDS).ok()?;
        is_prefix(&content).then_some(Self { id: *id, depth, content })
    }

    /// Finds the best base for the next version of `old`; none if there is no good one.
    ///
    /// Shape: `old` itself, or, while `old` differs little from its own base, that one: so the
    /// differences grow a little, and few bases lie behind each other. A base that cannot be read
    /// is none: what is recorded must not depend on damage elsewhere.
    pub fn of_next(reader: &mut Reader<'_>, old: &ObjectId) -> Option<Self> {
        let row = look(reader.store(), old).ok()??;
        let is_small = row.encoded_bytes <= row.raw_bytes / SMALL_PART;
        let id = row.base.filter(|_| is_small).unwrap_or(*old);
        Self::of(reader, &id).filter(|base| base.depth < DEPTH_MAX)
    }
}

/// Finds which of the versions before a node of a tree its next version continues, where `old` is
/// the last one and `bytes` is what the difference to that one takes; none if it is better whole.
///
/// Shape: as a binary counter carries: a version is passed over for its own base if it differs from
/// that by no more than the new one differs from it. So of n versions each has at most log2(n)
/// bases, and differs from its own by what log2(n) / 2 versions changed, on average.
/// Source: skip-deltas (Subversion, `notes/skip-deltas`), measured in bytes instead of versions.
pub(super) fn of_node(store: &Store, old: &ObjectId, bytes: u32) -> Option<ObjectId> {
    let mut at = *old;
    let mut row = look(store, &at).ok()??;
    let mut distance = bytes;
    while let Some(base) = row.base
        && (row.encoded_bytes <= distance || row.depth >= DEPTH_MAX)
    {
        distance = distance.saturating_add(row.encoded_bytes);
        at = base;
        // Bases of several packs can name each other in a circle, if somebody wrote them so.
        let next = look(store, &at).ok()??;
        row = Some(next).filter(|next| next.depth < row.depth)?;
    }
    (row.depth < DEPTH_MAX && distance <= row.raw_bytes / WHOLE_PART).then_some(at)
}

/// What can be a base.
const KINDS: KindSet = KindSet::CONTENT;

/// Finds the block of an object.
fn look(store: &Store, id: &ObjectId) -> Result<Option<BlockRow>, StoreError> {
    let Some(found) = store.packs().peek(id, KINDS)? else { return Ok(None) };
    let row = found.pack.index()?.block_of(&found.row);
    row.map(Some).map_err(|error| found.pack.damaged(error))
}

#[cfg(test)]
#[path = "base_tests.rs"]
mod tests;
