//! Disks on which two names are one file: upper and lower case, composed and decomposed letters.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::object::TreePath;
use crate::worktree::directory::Directory;

/// Tells whether the file system below `root` takes names that differ by case for the same.
///
/// Shape: asked of the repository's own folder; without one the answer is no.
pub fn folds_names(root: &Directory) -> bool {
    let own = root.stat(c".provenance");
    let other = root.stat(c".PROVENANCE");
    own.is_ok_and(|own| other.is_ok_and(|other| own.ino == other.ino))
}

/// Remembers the names that were asked for in the open directories, to find two that fold.
///
/// Cost: memory for the names of the directories from the root to the current one.
#[derive(Debug, Default)]
pub struct Folded {
    open: Vec<Level>,
}

#[derive(Debug, Default)]
struct Level {
    /// The directory inside that is open, with its `/`s from the root.
    path: Vec<u8>,
    names: HashMap<Vec<u8>, Vec<u8>>,
}

impl Folded {
    /// Takes the next path in the order of the tree; gives the other path if one folds with it.
    pub fn add(&mut self, path: &TreePath) -> Option<TreePath> {
        let bytes = path.as_bytes();
        let mut start = 0;
        for (depth, name) in path.names().enumerate() {
            let outer = bytes.get(..start).unwrap_or_default();
            if self.open.get(depth).is_none_or(|level| level.path != outer) {
                self.open.truncate(depth);
                self.open.push(Level { path: outer.to_vec(), ..Level::default() });
            }
            let level = self.open.get_mut(depth)?;
            let known = level.names.entry(fold(name)).or_insert_with(|| name.to_vec());
            if known != name {
                return TreePath::new([outer, known].concat()).ok();
            }
            start += name.len() + 1;
        }
        None
    }
}

fn fold(name: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(name) {
        Ok(text) => text.nfd().flat_map(char::to_lowercase).nfd().collect::<String>().into(),
        Err(_) => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_within_their_directory_only() {
        let mut folded = Folded::default();
        let path = |text: &str| TreePath::new(text).unwrap();
        for text in ["A/x", "A/y", "B/a", "B/x", "a.txt"] {
            assert_eq!(folded.add(&path(text)), None, "{text}");
        }
        assert_eq!(folded.add(&path("a/z")), Some(path("A")), "two directories");
        assert_eq!(folded.add(&path("b")), Some(path("B")), "a file and a directory");
        assert_eq!(folded.add(&path("e\u{301}")), None);
        assert_eq!(folded.add(&path("\u{c9}")), Some(path("e\u{301}")));
    }
}
