//! What an id, or the first digits of one, names among the stored objects.

use std::collections::{BTreeMap, HashSet};

use crate::format::pack::{KindSet, ObjectKind, ObjectPosition, PackClass};
use crate::object::{ObjectId, Prefix};

use super::{Store, StoreError};

/// Says what a stored object is; pieces of large files are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stored {
    /// A commit.
    Commit,
    /// A node of a tree, mostly the root of a directory.
    Tree,
    /// The content of a file.
    Blob,
    /// A document beside a record.
    Attachment,
    /// A signature.
    Signature,
}

impl Stored {
    const fn of(kind: ObjectKind) -> Option<Self> {
        match kind {
            ObjectKind::Commit => Some(Self::Commit),
            ObjectKind::Tree => Some(Self::Tree),
            ObjectKind::Blob | ObjectKind::ChunkMap => Some(Self::Blob),
            ObjectKind::Attachment => Some(Self::Attachment),
            ObjectKind::Signature => Some(Self::Signature),
            ObjectKind::Chunk => None,
        }
    }

    /// Gives the kind under which it is stored first.
    pub(super) const fn kind(self) -> ObjectKind {
        match self {
            Self::Commit => ObjectKind::Commit,
            Self::Tree => ObjectKind::Tree,
            Self::Blob => ObjectKind::Blob,
            Self::Attachment => ObjectKind::Attachment,
            Self::Signature => ObjectKind::Signature,
        }
    }

    /// Gives the word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Attachment => "attachment",
            Self::Signature => "signature",
        }
    }
}

impl Store {
    /// Finds the objects whose ids begin with `prefix`.
    ///
    /// Shape: sorted by id; for bytes that are stored as several kinds, the first of [`Stored`].
    /// Cost: two binary searches in each pack, and what they find; when they find nothing, packs
    /// are listed and searched once more.
    pub fn matching(&self, prefix: &Prefix) -> Result<BTreeMap<ObjectId, Stored>, StoreError> {
        let found = self.matching_in_listed(prefix)?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.packs().relist()?;
        self.matching_in_listed(prefix)
    }

    fn matching_in_listed(
        &self,
        prefix: &Prefix,
    ) -> Result<BTreeMap<ObjectId, Stored>, StoreError> {
        let mut found = BTreeMap::new();
        let listing = self.packs().listing()?;
        let classes = [PackClass::Records, PackClass::Data];
        for pack in classes.iter().flat_map(|class| listing.of(*class)) {
            // Which ids share the prefix decides whether it is unique, so all must be seen.
            let index = pack.verified_index()?;
            for position in index.find_prefix(prefix) {
                let row =
                    index.object(ObjectPosition(position)).map_err(|error| pack.damaged(error))?;
                let Some(stored) = Stored::of(row.kind) else { continue };
                let known = found.entry(row.id).or_insert(stored);
                *known = stored.min(*known);
            }
        }
        Ok(found)
    }

    /// Tells which of some ids are those of tree nodes.
    pub fn nodes_among(&self, ids: &[ObjectId]) -> Result<HashSet<ObjectId>, StoreError> {
        let found = self.packs().find_many(ids, KindSet::only(ObjectKind::Tree))?;
        let found = ids.iter().zip(found).filter(|(_, found)| found.is_some());
        Ok(found.map(|(id, _)| *id).collect())
    }

    /// Tells whether there is any of some ids under which nothing is stored.
    pub fn lacks_any(&self, ids: &[ObjectId]) -> Result<bool, StoreError> {
        Ok(self.packs().find_many(ids, KindSet::ALL)?.iter().any(Option::is_none))
    }

    /// Tells what an id names; `None` if no pack holds it.
    pub fn stored(&self, id: &ObjectId) -> Result<Option<Stored>, StoreError> {
        let found = self.packs().find(id, KindSet::ALL)?;
        // A file whose bytes are a piece of a larger one is stored as that piece.
        Ok(found.map(|found| Stored::of(found.row.kind).unwrap_or(Stored::Blob)))
    }
}
