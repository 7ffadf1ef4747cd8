//! The git checkout that a run began with: the commit, and what it did not have.

use std::path::PathBuf;

use super::{Before, Part};
use crate::capture::git::{self, Export, Exported};
use crate::object::Code;
use crate::progress::Progress;
use crate::repo::fresh::Fresh;
use crate::repo::{Error, Repository, ValueDiff};
use crate::worktree::locate;

/// Tells where the worktree is in the git checkout around it; empty for its root, and where there
/// is none.
pub(super) fn place(repository: &Repository, code: Option<&Code>) -> PathBuf {
    let root = &repository.location.root;
    let checkout = code.and_then(|code| code.git_commit.as_ref());
    let checkout = checkout.and_then(|_| locate::git_checkout(root));
    checkout.and_then(|at| root.strip_prefix(at).ok()).map(PathBuf::from).unwrap_or_default()
}

/// Writes it; what cannot be had is told, and is a part that differs.
pub(super) fn write(
    repository: &Repository,
    code: &Code,
    before: &Before,
    fresh: &Fresh,
    notes: &mut Vec<String>,
    progress: &Progress,
) -> Result<Option<Part>, Error> {
    let mut part = None;
    if let Some(commit) = &code.git_commit {
        let left_out: Vec<Vec<u8>> = before.absent().map(|path| path.as_bytes().into()).collect();
        let index = fresh.temporary("git-index");
        let export = Export {
            directory: &repository.location.root,
            commit,
            left_out: &left_out,
            into: fresh.path(),
            index: &index,
        };
        let failed = match git::export(&export) {
            Ok(Exported::Written { has_submodules: false }) => None,
            Ok(Exported::Written { has_submodules: true }) => {
                notes.push("the git commit has submodules, which are empty here".to_owned());
                None
            }
            Ok(Exported::NotFound) => Some(match &code.repository {
                Some(address) => format!("fetch it from {address}"),
                None => "look for it where the code was written".to_owned(),
            }),
            Err(error) => Some(error.to_string()),
        };
        if let Some(failed) = failed {
            let short = commit.get(..12).unwrap_or_default();
            notes.push(format!(
                "git commit {short} is not in a git checkout here, so the run has only the code \
                 that provenance recorded: {failed}"
            ));
            let name = "git commit".to_owned();
            let diff = ValueDiff { name, old: Some(commit.clone()), new: None, delta: None };
            part = Some(Part { name: "code", diffs: vec![diff] });
        }
    }
    match &code.changes {
        Some(changes) => before.write_tree(repository, fresh, changes, progress)?,
        None if code.dirty => {
            let text = "the git checkout had changes that are not recorded: files that were \
                        deleted, or lie outside of the worktree";
            notes.push(text.to_owned());
        }
        None => {}
    }
    Ok(part)
}
