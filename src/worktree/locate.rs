//! Finding the repository that a directory belongs to.

use std::io;
use std::path::{Path, PathBuf};

use crate::format::layout::FOLDER;

/// Where a repository and its worktree are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The top directory of the worktree, absolute.
    pub root: PathBuf,
    /// The folder of the repository, in there.
    pub folder: PathBuf,
}

impl Location {
    /// The repository whose worktree has its top at `root`, whether it exists or not.
    pub fn at(root: PathBuf) -> Self {
        let folder = root.join(FOLDER);
        Self { root, folder }
    }
}

/// Looks in `start` and upwards for the first directory that holds a repository.
///
/// Shape: `None` if there is none up to the root of the file system. Errors: `start` is not there,
/// or may not be searched.
pub fn locate(start: &Path) -> io::Result<Option<Location>> {
    let start = start.canonicalize()?;
    for directory in start.ancestors() {
        // A folder inside the repository is not a worktree of its own.
        if directory.file_name().is_some_and(|name| name == FOLDER) {
            continue;
        }
        let location = Location::at(directory.to_owned());
        // A link is followed: the folder may be kept on another disk.
        match std::fs::metadata(&location.folder) {
            Ok(metadata) if metadata.is_dir() => return Ok(Some(location)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Finds the git checkout that `root` lies in: the directory that holds `.git`.
///
/// Shape: a `.git` file (a linked worktree or submodule) counts as well.
pub fn git_checkout(root: &Path) -> Option<PathBuf> {
    root.ancestors().find(|directory| directory.join(".git").exists()).map(Path::to_owned)
}
