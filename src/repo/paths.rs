//! Paths as people type them, and the paths in a tree that they mean.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use super::{Error, Repository};
use crate::object::{PathError, TreePath};

impl Repository {
    /// Gives the place in the tree of a path that was typed in `directory`.
    ///
    /// Shape: `None` is the root of the worktree. The path need not exist, and no link is followed
    /// but on the way to `directory`. Errors: [`Error::Usage`] if it leads out of the worktree or
    /// cannot be recorded.
    pub fn tree_path(&self, directory: &Path, typed: &Path) -> Result<Option<TreePath>, Error> {
        let root = &self.location.root;
        let outside = || {
            Error::Usage(format!(
                "the path is outside of the worktree, path={typed:?}, root={root:?}"
            ))
        };
        let full = normal(&directory.join(typed)).ok_or_else(outside)?;
        let below = match full.strip_prefix(root) {
            Ok(below) => below.to_owned(),
            // The path may lead to the worktree through a link: its parent then says where it is.
            Err(_) => resolved(&full)
                .and_then(|full| full.strip_prefix(root).map(Path::to_owned).ok())
                .ok_or_else(outside)?,
        };
        if below.as_os_str().is_empty() {
            return Ok(None);
        }
        TreePath::new(below.as_os_str().as_bytes()).map(Some).map_err(|error| {
            let reason = reason(&error);
            Error::Usage(format!("the path cannot be recorded, path={typed:?}: {reason}"))
        })
    }

    /// Gives the places in the tree of several paths, sorted, each once.
    ///
    /// Shape: empty if one of them is the root, which means everything.
    pub fn tree_paths(&self, directory: &Path, typed: &[PathBuf]) -> Result<Vec<TreePath>, Error> {
        let mut paths = Vec::new();
        for path in typed {
            match self.tree_path(directory, path)? {
                Some(path) => paths.push(path),
                None => return Ok(Vec::new()),
            }
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}

/// Takes `.` and `..` out of an absolute path, by its words alone.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            other => normal.push(other),
        }
    }
    Some(normal)
}

/// Follows the links on the way to a path, but not the path itself.
fn resolved(path: &Path) -> Option<PathBuf> {
    let (parent, name) = (path.parent()?, path.file_name()?);
    Some(parent.canonicalize().ok()?.join(name))
}

/// Says what is wrong with a path, not only where.
pub(super) fn reason(error: &PathError) -> String {
    match error {
        PathError::Name { source, .. } => source.to_string(),
        PathError::Long => error.to_string(),
    }
}
