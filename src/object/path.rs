//! The place of an entry below the root of a tree.
//!
//! Specified in `docs/format/tree.md`. Paths of a worktree, with their dots, symlinks and
//! absolute forms, are not here.

use std::cmp::Ordering;
use std::fmt;

use super::name::{self, Name, NameError};

/// Holds one or more valid names, joined by `/`.
///
/// Shape: never empty; no `/` at either end. Ordered name by name, as a walk of the tree meets
/// them: `a` < `a/z` < `a.txt`, so that what lies below a directory follows it without a gap.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TreePath(Box<[u8]>);

/// Tells why bytes are not a path in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// One of its names is not valid; a leading, trailing or doubled `/` is an empty name.
    #[error("the path is not valid at byte {offset}")]
    Name {
        /// Where that name begins.
        offset: usize,
        /// What is wrong with it.
        source: NameError,
    },
    /// There are more bytes than [`TreePath::BYTES_MAX`] or more names than
    /// [`TreePath::DEPTH_MAX`].
    #[error(
        "the path is longer than {} bytes or {} names",
        TreePath::BYTES_MAX,
        TreePath::DEPTH_MAX
    )]
    Long,
}

impl TreePath {
    /// Most bytes of a path, 16 times what Linux takes in one system call.
    pub const BYTES_MAX: usize = 65_535;

    /// Most names in a path, as git's `core.maxTreeDepth` has it.
    pub const DEPTH_MAX: usize = 2_048;

    /// Takes a path that is valid.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, PathError> {
        let bytes = bytes.into();
        let mut offset = 0;
        for (depth, name) in bytes.split(|byte| *byte == b'/').enumerate() {
            if depth >= Self::DEPTH_MAX {
                return Err(PathError::Long);
            }
            Name::check(name).map_err(|source| PathError::Name { offset, source })?;
            offset += name.len() + 1;
        }
        Self::of_valid_names(bytes, 0)
    }

    /// Takes bytes whose names are known to be valid and `depth` in number.
    pub(super) fn of_valid_names(bytes: Vec<u8>, depth: usize) -> Result<Self, PathError> {
        if bytes.len() > Self::BYTES_MAX || depth > Self::DEPTH_MAX {
            return Err(PathError::Long);
        }
        Ok(Self(bytes.into()))
    }

    /// Gives the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the names from the root down, at least one.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/')
    }

    /// Gives the last name.
    pub fn last_name(&self) -> &[u8] {
        self.names().next_back().unwrap_or_default()
    }

    /// Gives the path without its last name, or `None` below the root.
    pub fn parent(&self) -> Option<Self> {
        let end = self.0.iter().rposition(|byte| *byte == b'/')?;
        Some(Self(self.0.get(..end)?.into()))
    }

    /// Gives the path of `name` in the directory that `self` is.
    pub fn join(&self, name: &Name) -> Result<Self, PathError> {
        let depth = self.names().count() + 1;
        Self::of_valid_names([&self.0, name.as_bytes()].join(&b'/'), depth)
    }

    /// Tells whether `self` is `ancestor` or lies below it.
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        self.0.strip_prefix(&*ancestor.0).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
    }
}

impl From<Name> for TreePath {
    fn from(name: Name) -> Self {
        Self(name.as_bytes().into())
    }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> Ordering {
        let differ = self.0.iter().zip(&other.0).find(|(own, other)| own != other);
        // A NUL stands in no name, so `/` in its place ends a name before every longer one.
        let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
        differ.map_or_else(
            || self.0.len().cmp(&other.0.len()),
            |(own, other)| rank(own).cmp(&rank(other)),
        )
    }
}

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        name::fmt_escaped(&self.0, f)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreePath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    #[test]
    fn what_lies_below_a_directory_follows_it_without_a_gap() {
        let mut paths = ["a.txt", "b", "a/z", "a", "a/b/c", "a/b!", "a/b", "ab"].map(path);
        paths.sort();
        let sorted: Vec<String> = paths.iter().map(TreePath::to_string).collect();
        assert_eq!(sorted, ["a", "a/b", "a/b/c", "a/b!", "a/z", "a.txt", "ab", "b"]);
    }

    #[test]
    fn every_name_of_a_path_is_checked() {
        assert!(matches!(
            TreePath::new("a//b"),
            Err(PathError::Name { offset: 2, source: NameError::Empty })
        ));
        for text in ["", "/", "/a", "a/", "a/../b", "./a", "a/.GIT/x", "a\0b"] {
            assert!(TreePath::new(text).is_err(), "{text:?}");
        }
        assert!(TreePath::new("a/".repeat(TreePath::DEPTH_MAX) + "a").is_err());
        let deep = path(&("a/".repeat(TreePath::DEPTH_MAX - 1) + "a"));
        assert_eq!(deep.join(&Name::new(b"a").unwrap()), Err(PathError::Long));
        assert!(TreePath::new("x".repeat(Name::BYTES_MAX) + "/").is_err());
        assert!(TreePath::new(vec!["x".repeat(Name::BYTES_MAX); 64].join("/")).is_err());
    }

    #[test]
    fn parts_of_a_path() {
        let long = path("a/b/c");
        assert_eq!(long.last_name(), b"c");
        assert_eq!(long.parent(), Some(path("a/b")));
        assert_eq!(path("a").parent(), None);
        assert_eq!(path("a/b").join(&Name::new(b"c").unwrap()), Ok(long.clone()));
        assert!(long.starts_with(&path("a/b")) && long.starts_with(&long));
        assert!(!long.starts_with(&path("a/b/c/d")) && !path("ab").starts_with(&path("a")));
    }
}
