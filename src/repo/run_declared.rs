//! Runs that `provenance.toml` declares, by their names.

use super::{Error, Repository};
use crate::worktree::settings;

pub use crate::worktree::settings::RunDeclaration;

/// Finds a run that the worktree's `provenance.toml` declares.
///
/// Errors: there is none of that name; a `provenance.toml` that is malformed.
pub fn run_declared(repository: &Repository, name: &str) -> Result<RunDeclaration, Error> {
    let root = &repository.location.root;
    let bytes = settings::load(root)
        .map_err(|error| Error::io("read the file", root.join(settings::FILE), error))?;
    let declared = settings::parse(&bytes)?.runs.into_iter().find(|run| run.name == name);
    declared.ok_or_else(|| {
        let file = settings::FILE;
        let command = "a command comes after --: provenance run -- COMMAND";
        Error::Usage(format!("{file} declares no run {name:?}; {command}"))
    })
}
