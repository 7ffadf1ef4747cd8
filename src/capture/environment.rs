//! What code ran in: interpreter, packages, lock files, container, variables, as one document.
//!
//! Specified in `docs/format/environment.md`. Everything is read from files, and from the
//! variables the command gets; no interpreter and no package manager is started.

mod ci;
mod container;
mod lock_file;
mod packages;
mod python;
mod search;
mod variables;

use std::path::Path;

pub use lock_file::LockFile;
pub use packages::Package;
pub use search::Variables;

use crate::object::canonical::{Object, Value};

/// Names the document's schema, `docs/schema/environment-v1.json`.
pub const SCHEMA: &str = "provenance/environment/v1";

/// What to describe the surroundings of.
#[derive(Debug, Clone, Copy)]
pub struct EnvironmentRequest<'a> {
    /// Program and arguments.
    pub command: &'a [String],
    /// Where the command is started; absolute.
    pub directory: &'a Path,
    /// The root of the worktree; absolute.
    pub root: &'a Path,
    /// The variables that the command gets.
    pub variables: &'a Variables,
}

/// The surroundings of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// The document.
    pub document: Object,
    /// The lock files that the document names, with what is to be attached.
    pub lock_files: Vec<LockFile>,
    /// What could not be read, in words.
    pub notes: Vec<String>,
}

/// Describes the surroundings of a command, as far as they can be read.
///
/// Shape: what is not known is absent from the document. Secrets are replaced. Cost: one listing
/// of each directory of packages and one attempt to open a small file for each package.
pub fn look(request: EnvironmentRequest<'_>) -> Environment {
    look_below(Path::new("/"), request)
}

/// Describes a command on the machine whose system files lie below `system`.
fn look_below(system: &Path, request: EnvironmentRequest<'_>) -> Environment {
    let mut notes = Vec::new();
    let mut document = Object::new();
    document.set("schema", SCHEMA);
    let interpreter = python::find(&request);
    let packages = interpreter.as_ref().map(|found| found.packages(&mut notes));
    document.set_some("interpreter", interpreter.map(|found| found.to_object()));
    let packages = packages.filter(|packages| !packages.is_empty());
    document.set_some(
        "packages",
        packages.map(|list| Value::list(list.iter().map(Package::to_object))),
    );
    let lock_files = lock_file::find(request.root, &mut notes);
    if !lock_files.is_empty() {
        document.set("lock_files", Value::list(lock_files.iter().map(LockFile::to_object)));
    }
    document.set_some("container", container::find(system, request.variables));
    document.set_some("ci", ci::find(request.variables));
    let chosen = variables::choose(request.variables);
    if !chosen.is_empty() {
        document.set("variables", chosen);
    }
    Environment { document, lock_files, notes }
}

/// Takes a text for a line of the document, without secrets; `None` if it cannot be one.
fn line(text: &str) -> Option<String> {
    let clean = super::redact::text(text.trim());
    let is_line = !clean.is_empty() && clean.len() <= crate::object::LINE_BYTES_MAX;
    (is_line && !clean.bytes().any(|byte| byte.is_ascii_control())).then(|| clean.into_owned())
}

#[cfg(test)]
#[path = "environment_tests.rs"]
mod tests;
