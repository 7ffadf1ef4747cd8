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

/// The content of an older object, and how deep it lies itself.
#[derive(Debug)]
pub(super) struct Base {
    pub id: ObjectId,
    pub depth: u8,
    pub content: Vec<u8>,
}

impl Base {
    /// Finds the best base for the next version of `old`; none if there is no good one.
    ///
    /// Shape: `old` itself, or, while `old` differs little from its own base, that one: so the
    /// differences grow a little, and few bases lie behind each other. A base that cannot be read
    /// is none: what is recorded must not depend on damage elsewhere.
    pub fn of_next(reader: &mut Reader<'_>, old: &ObjectId) -> Option<Self> {
        let row = look(reader.store(), old).ok()??;
        let is_small = row.encoded_bytes <= row.raw_bytes / SMALL_PART;
        let (id, depth) = match row.base.filter(|_| is_small) {
            Some(base) => (base, look(reader.store(), &base).ok()??.depth),
            None => (*old, row.depth),
        };
        if depth >= DEPTH_MAX {
            return None;
        }
        let content = reader.get(&id, KINDS).ok()?;
        is_prefix(&content).then_some(Self { id, depth, content })
    }
}

/// What can be a base.
const KINDS: KindSet = KindSet::CONTENT;

/// Finds the block of an object.
fn look(store: &Store, id: &ObjectId) -> Result<Option<BlockRow>, StoreError> {
    let Some(found) = store.packs().peek(id, KINDS)? else { return Ok(None) };
    let row = found.pack.index()?.block_of(&found.row);
    row.map(Some).map_err(|error| found.pack.damaged(error))
}
