//! The file of stamps of one worktree: mapped to be compared, written anew to be changed.
//!
//! It is derived: whatever is wrong with it, it is ignored and made again. Its bytes are in
//! `format/stamps.rs`, specified in `docs/format/stage.md`.

mod finder;
pub(super) mod known;
mod section;
pub(super) mod seen;
mod writer;

use std::io;
use std::path::Path;

use memmap2::Mmap;

use super::directory::stamp_of;
use super::open;
use crate::format::stamps::View;
use crate::object::tree::EMPTY_TREE;
use crate::object::{DecodeError, ObjectId, TreePath};

pub use crate::format::stamps::{FileKind, Record, Stamp};
pub use finder::Finder;
pub use seen::DirectorySeen;
pub use writer::StampsWriter;

/// Tells why stamps could not be written; there is nothing to be mended but to make them again.
#[derive(Debug, thiserror::Error)]
pub enum StampsError {
    /// The old ones are damaged: make new ones without them.
    #[error("the file stamps are damaged")]
    Damaged(#[from] DecodeError),
    /// The system did not let us.
    #[error("cannot {doing} the file stamps, path=\".provenance/cache/stamps\"")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The caller gave a path that does not come behind the one before.
    #[error("file stamps out of order, path={path}")]
    Order {
        /// The path.
        path: TreePath,
    },
}

impl StampsError {
    fn lost_part() -> Self {
        Self::Damaged(DecodeError::new("file stamps", 0, "a part lies elsewhere"))
    }
}

impl From<io::Error> for StampsError {
    fn from(source: io::Error) -> Self {
        Self::Io { doing: "write", source }
    }
}

/// Tells the moment by the clock of a folder's file system, which sets the times of its files.
///
/// Units: nanoseconds since 1970. Cost: makes a file without a name.
pub fn moment(temporaries: &Path) -> io::Result<i64> {
    std::fs::create_dir_all(temporaries)?;
    let file = tempfile::tempfile_in(temporaries)?;
    Ok(stamp_of(&rustix::fs::fstat(&file)?).mtime_ns)
}

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
        Self::reopen(path).ok()
    }

    /// Makes stamps that know of no file.
    pub fn none(temporaries: &Path) -> Result<Self, StampsError> {
        let failed = |source| StampsError::Io { doing: "make", source };
        let place = tempfile::NamedTempFile::new_in(temporaries).map_err(failed)?.into_temp_path();
        StampsWriter::new(None, temporaries, i64::MAX)?.finish(&place, &EMPTY_TREE)?;
        Self::reopen(&place).map_err(failed)
    }

    /// Opens stamps that were written a moment ago.
    ///
    /// Errors: what keeps them from being read.
    pub fn reopen(path: &Path) -> io::Result<Self> {
        let file = open::own_file(path)?;
        // SAFETY: the file is only ever replaced by another under its name, never changed in
        // place or cut short, so the mapped bytes stay as they are.
        #[expect(unsafe_code, reason = "reading 1,000,000 stamps in place instead of copying them")]
        let map = unsafe { Mmap::map(&file) }?;
        let tree = View::open(&map).map_err(io::Error::other)?.tree();
        Ok(Self { map, tree })
    }

    /// Gives the root of the tree whose files these are.
    pub const fn tree(&self) -> ObjectId {
        self.tree
    }

    /// Counts the tracked files.
    pub fn file_count(&self) -> u64 {
        self.view().map_or(0, |view| view.file_count())
    }

    /// Looks paths up.
    pub fn finder(&self) -> Result<Finder<'_>, DecodeError> {
        self.view().map(Finder::new)
    }

    pub(super) fn view(&self) -> Result<View<'_>, DecodeError> {
        View::split(&self.map)
    }
}

#[cfg(test)]
#[path = "stamps_tests.rs"]
mod tests;
