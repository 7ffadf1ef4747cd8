//! Directories of any size, as search trees of nodes whose shape depends on their entries alone.
//!
//! Specified in `docs/format/tree.md`. Everything here is pure: the bytes of a node come in
//! through a closure, and new nodes leave through one. Whoever loads a node's bytes has compared
//! them with its id; that they are a well-formed node, and the one its parent described, is
//! checked here.

mod build;
mod codec;
mod cursor;
mod cut;
mod diff;
mod edit;
mod place;
mod walk;

pub use build::TreeBuilder;
pub use cut::{LEVEL_MAX, NODE_ITEMS_MAX};
pub use diff::{Change, diff};
pub use edit::{Edit, NewNode, edit};
pub use walk::{Walk, Walked, find, walk};

use super::name::Name;
use super::{ObjectId, Sha256};

/// Names the tree without entries: a leaf with the count 0.
pub const EMPTY_TREE: ObjectId = ObjectId::from_bytes([
    0x93, 0x02, 0x72, 0x40, 0xab, 0x09, 0x92, 0x63, 0xbe, 0x56, 0xaf, 0xec, 0x70, 0x6c, 0xcc, 0xc0,
    0xbc, 0xf7, 0x0e, 0x86, 0x03, 0xb8, 0x9c, 0x7b, 0x21, 0x86, 0xe6, 0x50, 0x65, 0x97, 0x47, 0xf0,
]);

/// Holds one name in a directory and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, unique in the directory.
    pub name: Name,
    /// What stands there.
    pub target: Target,
}

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A file.
    File {
        /// The blob with its bytes.
        id: ObjectId,
        /// Bytes.
        size: u64,
        /// SHA-256 of the same bytes.
        sha256: Sha256,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link.
    Symlink {
        /// The blob with the bytes of its target.
        id: ObjectId,
        /// Bytes of its target.
        size: u64,
    },
    /// A directory that is not empty.
    Directory {
        /// Its root node.
        id: ObjectId,
        /// Files and symlinks below it, at any depth.
        files: u64,
        /// Sum of their sizes.
        bytes: u64,
    },
    /// A commit, in the tree of all refs.
    Commit {
        /// The commit.
        id: ObjectId,
    },
}

impl Target {
    /// Gives the id of the object that stands there.
    pub const fn id(&self) -> ObjectId {
        match self {
            Self::File { id, .. }
            | Self::Symlink { id, .. }
            | Self::Directory { id, .. }
            | Self::Commit { id } => *id,
        }
    }

    /// Tells whether a symbolic link stands there.
    pub const fn is_symlink(&self) -> bool {
        matches!(self, Self::Symlink { .. })
    }

    /// Tells whether a directory stands there.
    pub const fn is_directory(&self) -> bool {
        matches!(self, Self::Directory { .. })
    }

    const fn totals(&self) -> Totals {
        match *self {
            Self::File { size, .. } | Self::Symlink { size, .. } => {
                Totals { entries: 1, files: 1, bytes: size }
            }
            Self::Directory { files, bytes, .. } => Totals { entries: 1, files, bytes },
            Self::Commit { .. } => Totals { entries: 1, files: 0, bytes: 0 },
        }
    }
}

/// What a whole directory amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Its root node; [`EMPTY_TREE`] if it has no entries.
    pub id: ObjectId,
    /// Files and symlinks below it, at any depth.
    pub files: u64,
    /// Sum of their sizes.
    pub bytes: u64,
}

impl Summary {
    /// Gives what stands for the directory in its parent, or `None` if it is empty.
    pub fn target(&self) -> Option<Target> {
        let Self { id, files, bytes } = *self;
        (id != EMPTY_TREE).then_some(Target::Directory { id, files, bytes })
    }
}

/// What a node amounts to, with all that is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Entries in the leaves of this directory; what is inside its directories does not count.
    pub entries: u64,
    /// Files and symlinks, inside its directories too.
    pub files: u64,
    /// Sum of their sizes.
    pub bytes: u64,
}

impl Totals {
    fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            entries: self.entries.checked_add(other.entries)?,
            files: self.files.checked_add(other.files)?,
            bytes: self.bytes.checked_add(other.bytes)?,
        })
    }
}

/// Stands for one node inside the node above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The last name below it.
    pub last: Name,
    /// The node.
    pub id: ObjectId,
    /// What it amounts to.
    pub totals: Totals,
}

/// Holds one node of a directory.
///
/// Shape: what [`Node::decode`] accepts; items strictly ascending by name, at most
/// [`NODE_ITEMS_MAX`]. Whole directories are made by [`TreeBuilder`] and [`edit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Entries; none only in the empty tree.
    Leaf(Vec<Entry>),
    /// Nodes one level below, at least one.
    Inner {
        /// Distance from the leaves, 1 to [`LEVEL_MAX`].
        level: u8,
        /// Its nodes, in the order of their names.
        children: Vec<Child>,
    },
}

impl Node {
    /// Gives the distance from the leaves.
    pub const fn level(&self) -> u8 {
        match self {
            Self::Leaf(_) => 0,
            Self::Inner { level, .. } => *level,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(entries) => entries.len(),
            Self::Inner { children, .. } => children.len(),
        }
    }

    fn first_name(&self) -> Option<&Name> {
        match self {
            Self::Leaf(entries) => entries.first().map(|entry| &entry.name),
            Self::Inner { children, .. } => children.first().map(|child| &child.last),
        }
    }

    fn last_name(&self) -> Option<&Name> {
        match self {
            Self::Leaf(entries) => entries.last().map(|entry| &entry.name),
            Self::Inner { children, .. } => children.last().map(|child| &child.last),
        }
    }

    /// Gives what the node amounts to; a decoded node does not overflow.
    pub fn totals(&self) -> Option<Totals> {
        let add = |sum: Totals, item| sum.checked_add(item);
        match self {
            Self::Leaf(entries) => {
                entries.iter().map(|entry| entry.target.totals()).try_fold(Totals::default(), add)
            }
            Self::Inner { children, .. } => {
                children.iter().map(|child| child.totals).try_fold(Totals::default(), add)
            }
        }
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
