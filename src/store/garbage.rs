//! What no root reaches: the objects, and what they would need if they were wanted again.
//!
//! Whoever finds an object that waits for its grace period may rely on it, and so on all that it
//! reaches. So nothing goes before everything that leads to it.

use super::candidates::Candidates;
use super::id_set::{IdSet, Role};
use super::reach::Marker;
use super::{Store, StoreError};
use crate::format::pack::{ObjectKind, ObjectRow, PackClass};
use crate::object::ObjectId;
use crate::progress::Progress;

/// The stored objects that no root reaches.
#[derive(Debug, Default)]
pub(super) struct Garbage(IdSet);

impl Garbage {
    /// Finds what is stored and not in `live`, then adds to `live` what must stay all the same.
    ///
    /// Shape: what waits for its grace period stays with all that it reaches, and everything stays
    /// with the bases of the blocks that it lies in.
    /// Errors: of damaged footers; what garbage itself lacks is no error.
    pub fn part(
        store: &Store,
        live: &mut IdSet,
        candidates: &Candidates,
        progress: &Progress,
    ) -> Result<Self, StoreError> {
        while mark_bases(store, live)? {}
        let (mut garbage, mut waiting) = (Self::default(), Vec::new());
        each_object(store, |object, _| {
            if !is_live(live, object) {
                garbage.0.insert(role_of(object.kind), &object.id);
                if !candidates.may_go(&object.id) {
                    waiting.push(object.id);
                }
            }
            Ok(())
        })?;
        keep_reach(store, live, &waiting, progress)?;
        while mark_bases(store, live)? {}
        Ok(garbage)
    }

    /// Tells whether no root reaches an object.
    pub fn holds(&self, object: &ObjectRow) -> bool {
        self.0.contains(role_of(object.kind), &object.id)
    }
}

/// Marks some objects and all that they reach, as far as it is there.
fn keep_reach(
    store: &Store,
    live: &mut IdSet,
    ids: &[ObjectId],
    progress: &Progress,
) -> Result<(), StoreError> {
    let mut unreadable = |_, _| Ok(());
    let mut marker = Marker::new(store, progress, &mut unreadable);
    marker.seen = std::mem::take(live);
    let marked = ids.iter().try_for_each(|id| match marker.mark_stored(id) {
        Err(StoreError::Interrupted(stopped)) => Err(stopped.into()),
        // What garbage consists of may be damaged: it keeps what can be read.
        _ => Ok(()),
    });
    *live = marker.seen;
    marked
}

/// Marks the bases of blocks that hold something that stays; true if one was new.
pub(super) fn mark_bases(store: &Store, live: &mut IdSet) -> Result<bool, StoreError> {
    let mut is_more = false;
    each_object(store, |object, base| {
        if let Some(base) = base.filter(|_| is_live(live, object)) {
            is_more |= live.insert(Role::Base, &base);
        }
        Ok(())
    })?;
    Ok(is_more)
}

/// Shows every stored object, and the base of its block.
fn each_object(
    store: &Store,
    mut see: impl FnMut(&ObjectRow, Option<ObjectId>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let listing = store.packs().listing()?;
    for pack in listing.of(PackClass::Data).iter().chain(listing.of(PackClass::Records)) {
        let index = pack.verified_index()?;
        let has_bases = index.trailer().base_count > 0;
        for object in index.objects() {
            let object = object.map_err(|error| pack.damaged(error))?;
            let base = match has_bases {
                true => index.block_of(&object).map_err(|error| pack.damaged(error))?.base,
                false => None,
            };
            see(&object, base)?;
        }
    }
    Ok(())
}

/// Tells whether an object is marked in the role in which it is stored.
pub(super) fn is_live(live: &IdSet, object: &ObjectRow) -> bool {
    let is = |role| live.contains(role, &object.id);
    is(Role::Base)
        || match object.kind {
            ObjectKind::Commit => is(Role::Commit),
            ObjectKind::Tree => is(Role::Tree),
            ObjectKind::Attachment => is(Role::Attachment),
            // What a signature vouches for is not known here.
            ObjectKind::Signature => true,
            ObjectKind::Blob | ObjectKind::Chunk => is(Role::Blob) || is(Role::Chunk),
            ObjectKind::ChunkMap => is(Role::Blob),
        }
}

/// Gives the role in which an object of a kind is garbage.
fn role_of(kind: ObjectKind) -> Role {
    match kind {
        ObjectKind::Commit => Role::Commit,
        ObjectKind::Tree => Role::Tree,
        ObjectKind::Attachment | ObjectKind::Signature => Role::Attachment,
        ObjectKind::Blob | ObjectKind::Chunk => Role::Chunk,
        ObjectKind::ChunkMap => Role::Blob,
    }
}
