//! The file of stamps of one worktree: mapped to be compared, written anew to be changed.
//!
//! It is derived: whatever is wrong with it, it is ignored and made again. Its bytes are in
//! `format/stamps.rs`, specified in `docs/format/stage.md`.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::format::stamps::View;
use crate::object::{DecodeError, ObjectId};

pub use crate::format::stamps::{FileKind, Record, Stamp};

/// What is tracked, file by file, and how each file looked when its content was known.
#[derive(Debug)]
pub struct Stamps {
    map: Mmap,
    tree: ObjectId,
}

impl Stamps {
    /// Opens the stamps at `path`; `None` if there are none that can be believed.
    ///
    /// Shape: a missing, unreadable, damaged or foreign file is the same as none, since all of it
    /// can be made again. Damage inside shows later, as an error of whoever meets it.
    pub fn open(path: &Path) -> Option<Self> {
        let file =
            File::open(path).ok().filter(|file| file.metadata().is_ok_and(|m| m.is_file()))?;
        // SAFETY: the file is only ever replaced by another under its name, never changed in
        // place or cut short, so the mapped bytes stay as they are.
        #[expect(unsafe_code, reason = "reading 1,000,000 stamps in place instead of copying them")]
        let map = unsafe { Mmap::map(&file) }.ok()?;
        let tree = View::open(&map).ok()?.tree();
        Some(Self { map, tree })
    }

    /// Gives the root of the tree whose files these are.
    pub const fn tree(&self) -> ObjectId {
        self.tree
    }

    /// Counts the tracked files.
    pub fn file_count(&self) -> u64 {
        self.view().map_or(0, |view| view.file_count())
    }

    pub(super) fn view(&self) -> Result<View<'_>, DecodeError> {
        View::split(&self.map)
    }
}
