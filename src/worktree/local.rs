//! The small files of one worktree in `.provenance/`: head and stage, loaded and replaced whole.
//!
//! What stands in them is `head.rs` and `format/stage.rs`; how they are replaced is `atomic.rs`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic::{self, ReplaceError};
use super::head::Head;
use super::open::small_file;
use crate::format::layout;
use crate::format::stage::Stage;
use crate::object::{DecodeError, ObjectId};

/// More than any of the files is long; a longer one is damaged by its first bytes already.
const BYTES_MAX: u64 = 1 << 16;

/// Tells why one of the files could not be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The system did not let us.
    #[error("cannot read the file, path={path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what this program wrote.
    #[error("damaged file, path={path:?}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: DecodeError,
    },
    /// It could not be removed.
    #[error("cannot remove the file, path={path:?}")]
    Remove {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It could not be replaced; the old one is still there.
    #[error("cannot replace the file")]
    Replace(#[from] ReplaceError),
}

impl LocalError {
    /// Tells whether the file is there and cannot be what this program wrote.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }

    /// Tells whether the file is just not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Makes a directory and those above it, and gives its absolute path without links.
pub fn make_directory(path: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(path)?;
    path.canonicalize()
}

/// Reads what the worktree stands on.
pub fn load_head(folder: &Path) -> Result<Head, LocalError> {
    let path = folder.join(layout::HEAD);
    Head::decode(&load(&path)?).map_err(|source| LocalError::Damaged { path, source })
}

/// Makes the worktree stand on something else, durably.
pub fn save_head(folder: &Path, head: &Head) -> Result<(), LocalError> {
    Ok(atomic::replace(&folder.join(layout::HEAD), head.encode().as_bytes(), &temporaries(folder))?)
}

/// Reads the staged tree; `None` if nothing was staged since the last checkout or commit.
pub fn load_stage(folder: &Path) -> Result<Option<ObjectId>, LocalError> {
    let path = folder.join(layout::STAGE);
    match load(&path) {
        Ok(bytes) => Stage::decode(&bytes)
            .map(|stage| Some(stage.tree))
            .map_err(|source| LocalError::Damaged { path, source }),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads one of the files; a directory or a pipe in its place is damage.
fn load(path: &Path) -> Result<Vec<u8>, LocalError> {
    load_up_to(path, BYTES_MAX)
}

/// Reads the first bytes of one of the files.
pub(super) fn load_up_to(path: &Path, bytes_max: u64) -> Result<Vec<u8>, LocalError> {
    small_file(path, bytes_max).map_err(|source| match source.kind() {
        io::ErrorKind::InvalidData => {
            let source = DecodeError::new("file", 0, source.to_string());
            LocalError::Damaged { path: path.to_owned(), source }
        }
        _ => LocalError::Read { path: path.to_owned(), source },
    })
}

/// Stages a tree, durably.
pub fn save_stage(folder: &Path, tree: ObjectId) -> Result<(), LocalError> {
    let bytes = Stage { tree }.encode();
    Ok(atomic::replace(&folder.join(layout::STAGE), &bytes, &temporaries(folder))?)
}

/// The file of the worktree's lock.
pub fn lock_file(folder: &Path) -> PathBuf {
    folder.join(layout::LOCK)
}

/// The folder of derived files.
pub fn cache(folder: &Path) -> PathBuf {
    folder.join(layout::CACHE)
}

/// The file of the stamps.
pub fn stamps_file(folder: &Path) -> PathBuf {
    folder.join(layout::CACHE).join(layout::STAMPS)
}

/// Forgets how the files looked: what is in the worktree is not what is staged there.
pub fn forget_stamps(folder: &Path) -> Result<(), LocalError> {
    let path = stamps_file(folder);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LocalError::Remove { path, source: error })
        }
        _ => Ok(()),
    }
}

/// The folder of files that have no name yet.
pub fn temporaries(folder: &Path) -> PathBuf {
    folder.join(layout::TEMPORARY)
}
