//! Makes a repository, or finds that there is one already.

use std::path::{Path, PathBuf};

use super::{Error, Repository};
use crate::clock::Clock;
use crate::object::tree::EMPTY_TREE;
use crate::store::{Appended, Draft, Store};
use crate::worktree::git_exclude;
use crate::worktree::head::Head;
use crate::worktree::local::{self, LocalError};
use crate::worktree::locate::Location;

/// The branch of a new repository.
pub(super) const FIRST_BRANCH: &str = "heads/main";

/// Says where to make a repository.
#[derive(Debug, Clone)]
pub struct InitRequest {
    /// The top of the worktree, made if it is not there.
    pub directory: PathBuf,
}

/// Tells what was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitReport {
    /// The folder of the repository.
    pub folder: PathBuf,
    /// Whether it is new.
    pub is_new: bool,
    /// The file of a git checkout that now keeps the folder out of git.
    pub git_exclude: Option<PathBuf>,
}

/// Makes a repository whose journal begins, or mends one that a kill left without a beginning.
///
/// Shape: what is there already stays as it is. Errors: nothing half-made is taken for a
/// repository later; the same command again completes it.
pub fn init(request: &InitRequest, clock: Clock) -> Result<InitReport, Error> {
    let (repository, is_new) = make(&request.directory, clock)?;
    let git_exclude = git_exclude::exclude(&repository.location.root).unwrap_or_default();
    Ok(InitReport { folder: repository.location.folder, is_new, git_exclude })
}

/// Makes a repository and nothing around it; tells whether it is new.
pub(super) fn make(directory: &Path, clock: Clock) -> Result<(Repository, bool), Error> {
    let root = prepare(directory)?;
    let location = Location::at(root);
    if location.folder.exists() && !location.folder.is_dir() {
        let path = &location.folder;
        return Err(Error::Usage(format!("a file is in the way: move it away, path={path:?}")));
    }
    let store = Store::make_folder(&location.folder)?;
    match local::load_head(&location.folder) {
        Err(error) if error.is_absent() => {
            local::save_head(&location.folder, &Head::Branch(FIRST_BRANCH.to_owned()))?;
        }
        // Whether one is there has to be known: without it there would be no repository.
        Err(error @ LocalError::Read { .. }) => return Err(error.into()),
        Ok(_) | Err(_) => {}
    }
    let repository = Repository::with_store(location, store, clock)?;
    let is_new = begin(&repository)?;
    repository.store.complete()?;
    Ok((repository, is_new))
}

fn prepare(directory: &Path) -> Result<PathBuf, Error> {
    local::make_directory(directory)
        .map_err(|error| Error::io("make the directory", directory, error))
}

/// Writes entry 0; false if there is one.
fn begin(repository: &Repository) -> Result<bool, Error> {
    let head = repository.journal.head()?;
    if head.newest.is_some() {
        return Ok(false);
    }
    let draft = Draft {
        time: repository.clock.now(),
        actor: repository.actor(),
        command: "init".to_owned(),
        updates: Vec::new(),
        unlisted: 0,
        refs: EMPTY_TREE,
        attestations: EMPTY_TREE,
    };
    Ok(matches!(repository.journal.append(&head, draft)?, Appended::Won(_)))
}
