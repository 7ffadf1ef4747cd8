//! What can go wrong with a repository's content.

use std::path::PathBuf;

use super::journal::JournalError;
use crate::format::chunk::map::MapError;
use crate::format::pack::BuildError;
use crate::object::{DecodeError, ObjectId};
use crate::progress::Stopped;
use crate::storage::{Key, StorageError};

/// Tells why content could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or bucket did not do what was asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The folder holds no repository.
    #[error("no repository in the folder, path={folder:?}")]
    NotRepository {
        /// The folder.
        folder: PathBuf,
    },
    /// A later version of this program made the repository.
    #[error(
        "the repository has format {version}, this program knows up to {known}: use a newer \
         provenance, path={folder:?}"
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The format of the repository.
        version: u64,
        /// The newest that is known here.
        known: u64,
    },
    /// The file that says the version of the repository's format is damaged.
    #[error("the file `format` is damaged; it must hold {{\"provenance\":1}}, folder={folder:?}")]
    Format {
        /// The folder.
        folder: PathBuf,
        /// What is wrong in it.
        source: DecodeError,
    },
    /// A file of the repository is damaged.
    #[error("damaged file, key={key}")]
    Damaged {
        /// The file.
        key: Key,
        /// What is wrong in it.
        source: DecodeError,
    },
    /// The bytes that were found under an id do not hash to it.
    #[error("stored bytes do not match their id, id={id}, key={key}")]
    Mismatch {
        /// What was asked for.
        id: ObjectId,
        /// Where it was found.
        key: Key,
    },
    /// No pack holds the object, after looking twice.
    #[error("object missing, id={id}")]
    Missing {
        /// What was asked for.
        id: ObjectId,
    },
    /// An object decodes to no valid value.
    #[error("object malformed, id={id}")]
    Malformed {
        /// What was asked for.
        id: ObjectId,
        /// What is wrong in it.
        source: DecodeError,
    },
    /// A tree does not hang together.
    #[error("tree malformed")]
    Tree(#[from] DecodeError),
    /// The footer of a new pack was refused: a fault in this program.
    #[error("the pack could not be built")]
    Build(#[from] BuildError),
    /// A file has more chunks than a map holds.
    #[error("the file is too large")]
    TooLarge(#[from] MapError),
    /// There is no memory for the tables of the compressor.
    #[error("out of memory")]
    OutOfMemory,
    /// A block did not decode to what it was encoded from: bad memory, or a bug.
    #[error("a block did not decode to what it was encoded from; nothing was stored")]
    EncodeMismatch,
    /// The process stood still for so long that what it relied on may be gone.
    #[error("this command stood still for hours, and what it built on may be gone: run it again")]
    Overdue,
    /// The journal could not be read or appended to.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The commit graph in the cache is damaged: it is to be built anew.
    #[error("the commit graph in the cache is damaged")]
    StaleGraph(DecodeError),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted(#[from] Stopped),
}

impl StoreError {
    pub(super) fn damaged(key: &Key, source: DecodeError) -> Self {
        Self::Damaged { key: key.clone(), source }
    }
}
