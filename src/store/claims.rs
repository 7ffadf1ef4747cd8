//! Who stores an object first: each id is written once in a transaction, whichever thread meets it.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

use crate::object::ObjectId;

/// Shards keep threads apart and keep the growth of one table small.
const SHARDS: usize = 64;

/// The ids that this transaction writes or has found stored already.
#[derive(Debug)]
pub(super) struct Claims {
    shards: Vec<Mutex<HashSet<ObjectId, BuildHasherDefault<IdBits>>>>,
}

impl Claims {
    /// Starts with nothing claimed.
    pub fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Claims `id`; true for exactly one caller.
    pub fn claim(&self, id: &ObjectId) -> bool {
        let shard = usize::from(id.as_bytes()[0]) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner).insert(*id)
    }

    /// Tells whether `id` was claimed.
    pub fn contains(&self, id: &ObjectId) -> bool {
        let shard = usize::from(id.as_bytes()[0]) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

/// Takes eight bytes of an id as they are: an id is a hash already.
#[derive(Debug, Default)]
struct IdBits(u64);

impl Hasher for IdBits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // The last bytes: the first one has chosen the shard.
        if let Some(tail) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*tail);
        }
    }
}
