//! Paths from where the user stands: those of the tree in answers, those typed in requests.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt};
use std::path::{Path, PathBuf};

use super::escape;
use crate::object::TreePath;
use crate::repo::diff::leading_names;
use crate::repo::{Error, Repository};

/// The directory of the worktree that a command was started in.
#[derive(Debug)]
pub struct Place {
    directory: PathBuf,
    below_root: Vec<Vec<u8>>,
}

impl Place {
    /// Finds where `directory` is in the worktree.
    ///
    /// Errors: it is outside of it.
    pub fn of(repository: &Repository, directory: PathBuf) -> Result<Self, Error> {
        let path = repository.tree_path(&directory, Path::new("."))?;
        let names = |path: TreePath| path.names().map(<[u8]>::to_vec).collect();
        Ok(Self { below_root: path.map(names).unwrap_or_default(), directory })
    }

    /// Gives a directory of the worktree, there or not, by its path in the tree; `.` is the root.
    pub fn below(directory: &Path) -> Self {
        let names = directory.components().filter(|name| name.as_os_str() != ".");
        let below_root = names.map(|name| name.as_os_str().as_bytes().to_vec()).collect();
        Self { directory: directory.to_owned(), below_root }
    }

    /// Gives the paths in the tree that typed paths mean; none for the whole worktree.
    pub fn resolve(
        &self,
        repository: &Repository,
        typed: &[PathBuf],
    ) -> Result<Vec<TreePath>, Error> {
        repository.tree_paths(&self.directory, typed)
    }

    /// Takes words apart into names of commits and paths, which follow `--` or begin with the first
    /// word that is a path here and names no commit, as in git.
    pub fn names_and_paths(
        &self,
        repository: &Repository,
        words: &[OsString],
        paths: &[PathBuf],
    ) -> Result<(Vec<Vec<u8>>, Vec<TreePath>), Error> {
        let mut names: Vec<Vec<u8>> = words.iter().cloned().map(OsStringExt::into_vec).collect();
        let mut paths = paths.to_vec();
        if paths.is_empty() {
            let is_path = |word: &[u8]| {
                self.directory.join(OsStr::from_bytes(word)).symlink_metadata().is_ok()
            };
            let count = leading_names(repository, &names, is_path)?;
            paths.extend(names.drain(count..).map(|word| PathBuf::from(OsString::from_vec(word))));
        }
        Ok((names, self.resolve(repository, &paths)?))
    }

    /// Shows a path so that it can be typed here: `data/x.csv` is `../data/x.csv` in `src`. None at
    /// all is the root.
    pub fn show(&self, path: &[u8]) -> String {
        let names: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let common = self.below_root.iter().zip(&names).take_while(|(a, b)| a == *b).count();
        // The path may be the directory itself, or one above it.
        let up = self.below_root.len() - common;
        let mut shown = vec![&b".."[..]; up];
        shown.extend(names.get(common..).unwrap_or_default());
        if shown.is_empty() || shown == [b""] {
            return ".".to_owned();
        }
        escape::path(&shown.join(&b'/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_as_it_is_typed_here() {
        let at = |names: &[&str]| Place {
            directory: PathBuf::new(),
            below_root: names.iter().map(|name| name.as_bytes().to_vec()).collect(),
        };
        assert_eq!(at(&[]).show(b"data/x.csv"), "data/x.csv");
        assert_eq!(at(&["data"]).show(b"data/x.csv"), "x.csv");
        assert_eq!(at(&["src", "deep"]).show(b"src/a"), "../a");
        assert_eq!(at(&["src"]).show(b"data/x"), "../data/x");
        assert_eq!(at(&["data"]).show(b"data"), ".");
        assert_eq!(at(&["da"]).show(b"data"), "../data");
        assert_eq!((at(&[]).show(b""), at(&["da"]).show(b"")), (".".into(), "../".into()));
        assert_eq!(Place::below(Path::new("a/b")).show(b"a/c"), "../c");
        assert_eq!(Place::below(Path::new(".")).show(b"a"), "a");
    }
}
