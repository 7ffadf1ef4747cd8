//! A set of many ids in little memory: half of each id tells it from all others.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::object::ObjectId;

/// The first 128 bits of an id: two objects that share them would take 2^64 attempts to find.
pub(super) type Half = u128;

/// As what an object is referred to: the same bytes may be a file here and a tree there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Commit = 1,
    Tree,
    Blob,
    Chunk,
    Attachment,
    /// What a block continues, whatever it is itself.
    Base,
}

/// Holds ids with their roles; about 20 to 40 bytes each.
#[derive(Debug, Default)]
pub(super) struct IdSet(HashSet<Half, BuildHasherDefault<Bits>>);

/// What is known of each of many ids.
pub(super) type IdMap<V> = HashMap<Half, V, BuildHasherDefault<Bits>>;

impl IdSet {
    /// Adds an id in one role; false if it was there.
    pub fn insert(&mut self, role: Role, id: &ObjectId) -> bool {
        self.0.insert(in_role(role, id))
    }

    /// Tells whether an id is there in one role.
    pub fn contains(&self, role: Role, id: &ObjectId) -> bool {
        self.0.contains(&in_role(role, id))
    }

    /// Counts them.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

fn in_role(role: Role, id: &ObjectId) -> Half {
    half(id) ^ ((role as Half) << 120)
}

/// Cuts an id in half.
pub(super) fn half(id: &ObjectId) -> Half {
    id.as_bytes().first_chunk().map_or(0, |first| Half::from_le_bytes(*first))
}

/// Takes bits of an id as they are: an id is a hash already.
#[derive(Debug, Default)]
pub(super) struct Bits(u64);

impl Hasher for Bits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_u128(&mut self, half: u128) {
        // The lower half of what is there is enough to spread by.
        self.0 = half as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_there_in_its_role_and_nothing_else() {
        let ids: Vec<ObjectId> = (0..1000_u32).map(|n| ObjectId::of(&n.to_le_bytes())).collect();
        let mut set = IdSet::default();
        assert!(ids.iter().step_by(2).all(|id| set.insert(Role::Blob, id)));
        assert!(ids.iter().step_by(2).all(|id| !set.insert(Role::Blob, id)));
        assert!(ids.iter().step_by(2).all(|id| set.contains(Role::Blob, id)));
        assert!(ids.iter().all(|id| !set.contains(Role::Tree, id)));
        assert!(ids.iter().skip(1).step_by(2).all(|id| !set.contains(Role::Blob, id)));
        assert_eq!(set.len(), 500);
    }
}
