//! What is to be executed: the recorded command, with a program that may not be recorded.

use std::ffi::OsString;
use std::path::Path;

use super::Before;
use crate::capture::redact;
use crate::object::Run;
use crate::repo::fresh::Fresh;
use crate::repo::{Error, Repository};

/// Gives the command: as recorded, or as typed where the record has secrets replaced.
pub fn command_of(run: &Run, typed: &[OsString]) -> Result<Vec<OsString>, Error> {
    let recorded = || run.command.iter().map(OsString::from).collect();
    let is_redacted = run.command.iter().any(|word| word.contains(redact::REDACTED_TEXT));
    if typed.is_empty() {
        return match is_redacted {
            false => Ok(recorded()),
            true => Err(Error::Usage(format!(
                "secrets in the command were replaced when it was recorded: type it with them, \
                 `provenance reproduce COMMIT -- COMMAND`; recorded: {:?}",
                run.command
            ))),
        };
    }
    let words: Vec<String> = typed.iter().map(|word| word.to_string_lossy().into()).collect();
    match redact::arguments(&words) == run.command {
        true => Ok(typed.to_vec()),
        false => Err(Error::Usage(format!(
            "the command is not the recorded one, from which only what was redacted may differ; \
             recorded: {:?}",
            run.command
        ))),
    }
}

/// Takes a program of the worktree that is not recorded (that of a virtual environment) from there,
/// and tells what in the command leads there.
pub fn find_program(
    repository: &Repository,
    fresh: &Fresh,
    before: &Before,
    command: &mut [OsString],
    notes: &mut Vec<String>,
) {
    let root = &repository.location.root;
    if let Some(root) = root.to_str() {
        for word in command.iter().filter(|word| word.to_string_lossy().contains(root)) {
            notes.push(format!(
                "the command names a path in the worktree, which is used there as it is now: \
                 {word:?}"
            ));
        }
    }
    let Some(program) = command.first_mut() else { return };
    let typed = Path::new(&*program);
    if typed.is_absolute() || typed.components().count() < 2 {
        return;
    }
    let relative = fresh.directory_of(before.directory.as_ref());
    let there = relative.strip_prefix(&fresh.view.location.root).map(|at| root.join(at));
    let Ok(there) = there.map(|at| at.join(typed)) else { return };
    if !relative.join(typed).exists() && there.exists() {
        notes.push(format!("the program is not recorded; it is taken from {there:?}"));
        *program = there.into_os_string();
    }
}
