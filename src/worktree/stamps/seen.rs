//! What a directory held when it was read, short enough to be compared with what is tracked.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::Stamp;

/// What a directory held when its names were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectorySeen {
    /// The directory itself, before its names were read.
    pub stamp: Stamp,
    pub(in crate::worktree) names: NameSet,
}

/// Stands for a set of names with kinds: equal sets have equal values, and others only by an
/// accident of one in 2^64. It lives no longer than the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::worktree) struct NameSet(u64);

impl NameSet {
    pub fn add(&mut self, name: &[u8], is_directory: bool) {
        self.0 = self.0.wrapping_add(Self::of(name, is_directory));
    }

    pub fn remove(&mut self, name: &[u8], is_directory: bool) {
        self.0 = self.0.wrapping_sub(Self::of(name, is_directory));
    }

    fn of(name: &[u8], is_directory: bool) -> u64 {
        let mut hasher = DefaultHasher::new();
        (name, is_directory).hash(&mut hasher);
        hasher.finish()
    }
}
