//! The git checkout around a directory, as git itself sees it.
//!
//! A repository is not trusted: nothing that its own configuration names is run. Submodules are
//! seen by the commit they stand at, not by what is changed inside of them.

mod command;
mod config;
mod export;
mod status;

pub(super) use command::{prepared, run as ask};

use std::path::{Path, PathBuf};

use super::error::CaptureError;
use super::redact;

pub use export::{Export, Exported, export};

/// What git knows of the files around a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The directory that holds `.git`.
    pub root: PathBuf,
    /// Where the code is published, without credentials.
    pub repository: Option<String>,
    /// The commit that is checked out, 40 or 64 hexadecimal digits; none before the first.
    pub commit: Option<String>,
    /// The branch that is checked out; none where the head is detached.
    pub branch: Option<String>,
    /// What differs from the commit or is not in it and not ignored, strictly ascending by path.
    pub changes: Vec<Change>,
}

/// A path that differs from the commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Relative to the root of the checkout, `/` between names.
    pub path: Vec<u8>,
    /// How it differs.
    pub kind: ChangeKind,
}

/// How a path differs from the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Its content or mode.
    Changed,
    /// It is not there any more.
    Deleted,
    /// It is not in the commit.
    Untracked,
    /// It is a submodule at another commit.
    Submodule,
}

impl Checkout {
    /// Tells whether anything differs from the commit.
    pub fn is_dirty(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// Looks for the git checkout around `directory`.
///
/// Shape: `None` where there is none, or where it is a bare repository. Paths below a
/// `.provenance` folder are left out. Errors: [`CaptureError`] where there is a checkout that
/// could not be read; its text says what to do. Cost: git is started twice, for at most 60 s.
pub fn look(directory: &Path) -> Result<Option<Checkout>, CaptureError> {
    let Some(root) = find_root(directory) else { return Ok(None) };
    let listed = command::run(&root, &["config", "--includes", "--show-scope", "--list", "-z"])?;
    let config = config::Config::parse(&listed);
    if let Some(elsewhere) = config.worktree_elsewhere(&root) {
        return Err(CaptureError::GitWorktree { root, elsewhere });
    }
    let mut arguments = disarming(&config, &root)?;
    arguments.extend(
        ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames"]
            .map(str::to_owned),
    );
    // A submodule's own configuration would be obeyed by the git that looks into it.
    arguments.push("--ignore-submodules=dirty".to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut state = status::parse(&command::run(&root, &arguments)?);
    state.changes.retain(|change| !is_ours(&change.path));
    let address = config.remote_of(state.branch.as_deref());
    Ok(Some(Checkout {
        root,
        repository: address.map(|address| redact::url(address).into_owned()),
        commit: state.commit,
        branch: state.branch,
        changes: state.changes,
    }))
}

/// Finds where a repository is published, without credentials.
pub(super) fn address(root: &Path) -> Option<String> {
    let listed = ask(root, &["config", "--includes", "--show-scope", "--list", "-z"]).ok()?;
    let config = config::Config::parse(&listed);
    config.remote_of(None).map(|address| redact::url(address).into_owned())
}

/// Gives the arguments under which git runs nothing that the repository names.
fn disarming(config: &config::Config, root: &Path) -> Result<Vec<String>, CaptureError> {
    config.disarming().map_err(|filter| CaptureError::Git {
        reason: format!("the repository names a filter that cannot be switched off: {filter:?}"),
        root: root.to_path_buf(),
    })
}

/// Finds the nearest directory upwards that holds `.git`.
fn find_root(directory: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(directory).ok()?;
    absolute.ancestors().find(|above| above.join(".git").exists()).map(Path::to_path_buf)
}

fn is_ours(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|name| name == b".provenance")
}

#[cfg(test)]
#[path = "git_tests.rs"]
mod tests;
