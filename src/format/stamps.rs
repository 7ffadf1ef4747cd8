//! Stamps: what the file system said about each tracked file when its content was last known.
//!
//! A derived file, read in place. Files of one directory lie together in parts, and directories
//! form a table in the order of the tree, so that a worktree is compared by a linear merge.
//! The bytes are specified in `docs/format/stage.md`.

mod part;
mod table;
mod view;

pub use part::{EncodedPart, PART_FILES, PART_FILES_MAX, Part, PartBuilder};
pub use table::{DirectoryRow, PartRow, TableBuilder, Tables};
pub use view::{HEADER, View};

use crate::object::ObjectId;

/// What a file system says about a file without reading it.
///
/// Units: nanoseconds since 1970, bytes; `mode` as in `st_mode`, the kind of file included.
/// Shape: `ino` 0 says that nothing is known but kind and size, and equals no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// When the content last changed, by the file system's clock.
    pub mtime_ns: i64,
    /// When content, name or mode last changed; no program can set it.
    pub ctime_ns: i64,
    /// The file's number in its file system.
    pub ino: u64,
    /// Length of the content.
    pub size: u64,
    /// Kind and permissions.
    pub mode: u32,
}

/// The kinds of file that a tree can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A file.
    File,
    /// A file that its owner may execute.
    Executable,
    /// A symbolic link; its content is its target.
    Symlink,
}

const KIND_MASK: u32 = 0o170_000;
const KIND_DIRECTORY: u32 = 0o040_000;
const KIND_FILE: u32 = 0o100_000;
const KIND_SYMLINK: u32 = 0o120_000;
const OWNER_EXECUTES: u32 = 0o100;

/// Finest step of time that a guard relies on, in nanoseconds: a tick of a slow kernel.
const TICK_NS: i64 = 10_000_000;
/// Step of file systems that keep whole seconds only; FAT keeps every other one.
const COARSE_TICK_NS: i64 = 2_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;

impl Stamp {
    /// Makes the stamp of a file of which only kind and size are known.
    pub const fn unknown(kind: FileKind, size: u64) -> Self {
        let mode = match kind {
            FileKind::File => KIND_FILE | 0o644,
            FileKind::Executable => KIND_FILE | 0o755,
            FileKind::Symlink => KIND_SYMLINK | 0o777,
        };
        Self { mtime_ns: 0, ctime_ns: 0, ino: 0, size, mode }
    }

    /// Forgets everything but kind and size.
    pub fn forget(&self) -> Self {
        Self { mtime_ns: 0, ctime_ns: 0, ino: 0, ..*self }
    }

    /// Gives the kind, `None` for what no tree can hold.
    pub const fn kind(&self) -> Option<FileKind> {
        match self.mode & KIND_MASK {
            KIND_FILE if self.mode & OWNER_EXECUTES != 0 => Some(FileKind::Executable),
            KIND_FILE => Some(FileKind::File),
            KIND_SYMLINK => Some(FileKind::Symlink),
            _ => None,
        }
    }

    /// Tells whether this is a directory.
    pub const fn is_directory(&self) -> bool {
        self.mode & KIND_MASK == KIND_DIRECTORY
    }

    /// Tells whether a change after `moment_ns` would show in the times of this stamp.
    ///
    /// A file that is changed twice within one step of the clock keeps its times, so a stamp as
    /// young as the moment it was taken proves nothing, and is forgotten before it is written.
    /// Units: nanoseconds since 1970, by the clock of the same file system.
    /// Source: git, `Documentation/technical/racy-git.txt`.
    pub const fn is_settled(&self, moment_ns: i64) -> bool {
        let latest = if self.mtime_ns > self.ctime_ns { self.mtime_ns } else { self.ctime_ns };
        let has_fraction = self.mtime_ns % SECOND_NS != 0 || self.ctime_ns % SECOND_NS != 0;
        let tick = if has_fraction { TICK_NS } else { COARSE_TICK_NS };
        latest < moment_ns.saturating_sub(tick)
    }
}

/// What is recorded of one tracked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// How the file looked when it had this content.
    pub stamp: Stamp,
    /// The blob that is staged for it.
    pub id: ObjectId,
}

/// Widens a stored count; too much for this machine becomes a length that no slice has.
fn widen(stored: u32) -> usize {
    usize::try_from(stored).unwrap_or(usize::MAX)
}

/// Narrows a count to be stored; one too large is stored as damage that a reader notices.
fn narrow(held: usize) -> u32 {
    u32::try_from(held).unwrap_or(u32::MAX)
}

/// Gives a position for an error.
fn far(position: usize) -> u64 {
    u64::try_from(position).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "stamps_tests.rs"]
mod tests;
