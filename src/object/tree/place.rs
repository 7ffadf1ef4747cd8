//! The path of whatever directory is open right now, grown and cut back in place.

use crate::object::DecodeError;
use crate::object::name::Name;
use crate::object::path::TreePath;

/// A directory's path; the root has no names.
#[derive(Debug, Default)]
pub(super) struct Place {
    bytes: Vec<u8>,
    /// Lengths of the path before each of its names was added.
    lengths: Vec<usize>,
}

impl Place {
    /// Starts at a directory.
    pub(super) fn of(path: Option<&TreePath>) -> Self {
        let mut place = Self::default();
        path.into_iter().flat_map(TreePath::names).for_each(|name| place.enter(name));
        place
    }

    /// Goes down into a directory.
    pub(super) fn enter(&mut self, name: &[u8]) {
        self.lengths.push(self.bytes.len());
        if !self.bytes.is_empty() {
            self.bytes.push(b'/');
        }
        self.bytes.extend_from_slice(name);
    }

    /// Goes up again; stays at the root.
    pub(super) fn leave(&mut self) {
        self.bytes.truncate(self.lengths.pop().unwrap_or(0));
    }

    /// Gives the path of an entry in this directory.
    ///
    /// Errors: a tree deeper than any path; so no tree is walked deeper than that.
    pub(super) fn path_of(&self, name: &Name) -> Result<TreePath, DecodeError> {
        let separator: &[u8] = if self.bytes.is_empty() { b"" } else { b"/" };
        let bytes = [&self.bytes, separator, name.as_bytes()].concat();
        TreePath::of_valid_names(bytes, self.lengths.len() + 1)
            .map_err(|error| DecodeError::new("tree", 0, error.to_string()))
    }
}
