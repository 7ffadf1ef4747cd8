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
/// and tells what in the command and the variables leads there.
pub fn find_program(
    repository: &Repository,
    fresh: &Fresh,
    before: &Before,
    command: &mut [OsString],
    notes: &mut Vec<String>,
) {
    let root = &repository.location.root;
    let leading = leading_into(root, std::env::vars_os().collect::<Vec<_>>().into_iter());
    if !leading.is_empty() {
        notes.push(format!(
            "variables name paths in the worktree, which is used there as it is now: {}",
            leading.join(", ")
        ));
    }
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

/// Lists the variables that name a path in the worktree: `PYTHONPATH`, say.
///
/// Shape: names, ascending; where we are is none, and a virtual environment is expected there.
fn leading_into(
    root: &Path,
    variables: impl Iterator<Item = (OsString, OsString)> + Clone,
) -> Vec<String> {
    const EXPECTED: [&str; 3] = ["PWD", "OLDPWD", "VIRTUAL_ENV"];
    let environment = variables.clone().find(|(name, _)| name == "VIRTUAL_ENV");
    let environment = environment.map(|(_, path)| path).filter(|path| !path.is_empty());
    let leads = |path: &Path| {
        let is_expected = environment.as_ref().is_some_and(|expected| path.starts_with(expected));
        path.starts_with(root) && !is_expected
    };
    let named = variables.filter(|(name, value)| {
        let is_expected = EXPECTED.iter().any(|expected| name == expected);
        !is_expected && std::env::split_paths(value).any(|path| leads(&path))
    });
    let mut names: Vec<String> =
        named.map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_lead_into_the_worktree_are_named() {
        let variables = [
            ("PYTHONPATH", "/lib:/project/src"),
            ("PATH", "/bin:/project/.venv/bin"),
            ("VIRTUAL_ENV", "/project/.venv"),
            ("PWD", "/project"),
            ("CONFIG", "/project"),
            ("ELSEWHERE", "/projects:/other/project"),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let named = leading_into(Path::new("/project"), variables.into_iter());
        assert_eq!(named, ["CONFIG", "PYTHONPATH"]);
        let without = [("PATH".into(), "/bin:/project/bin".into())];
        assert_eq!(leading_into(Path::new("/project"), without.into_iter()), ["PATH"]);
    }
}
