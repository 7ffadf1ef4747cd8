//! The last files that were copied for reading out of order: a comparison reads its two again.

use std::sync::Arc;

use super::FileSide;
use crate::object::{ObjectId, TreePath};
use crate::worktree::scratch::Scratch;

/// Files that are kept: the two of a comparison.
const KEPT_MAX: usize = 2;

/// A file of the worktree by its path, one of the store by its content.
type Key = Result<TreePath, ObjectId>;

/// Files by what they are, the last one behind.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratches(Vec<(Key, Arc<Scratch>)>);

impl Scratches {
    /// Finds a file.
    pub fn find(&self, path: &TreePath, side: &FileSide) -> Option<Arc<Scratch>> {
        let key = key(path, side);
        let kept = self.0.iter().find(|(of, _)| *of == key);
        kept.map(|(_, scratch)| Arc::clone(scratch))
    }

    /// Keeps a file, and forgets the oldest one.
    pub fn keep(&mut self, path: &TreePath, side: &FileSide, scratch: Scratch) -> Arc<Scratch> {
        let scratch = Arc::new(scratch);
        if self.0.len() >= KEPT_MAX {
            drop(self.0.remove(0));
        }
        self.0.push((key(path, side), Arc::clone(&scratch)));
        scratch
    }
}

fn key(path: &TreePath, side: &FileSide) -> Key {
    side.id.filter(|_| !side.is_in_worktree).map_or_else(|| Ok(path.clone()), Err)
}
