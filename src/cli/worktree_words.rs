//! Words that several commands share: what was left alone in the worktree, and why.

use std::os::unix::ffi::OsStrExt as _;

use super::place::Place;
use super::{Context, print};
use crate::object::TreePath;
use crate::repo::{IngestFailure, Problem, ProblemKind};

/// Says on standard error what could not be read or recorded.
pub fn complain<'p>(
    context: &Context,
    place: &Place,
    problems: impl IntoIterator<Item = &'p Problem>,
    failures: &[(TreePath, IngestFailure)],
) {
    for (path, failure) in failures {
        let path = place.show(path.as_bytes());
        let message = format!("{path}: {}", super::with_causes(failure));
        print::note(context.stderr_paint(), "not staged: ", &message);
    }
    for problem in problems {
        let is_advice =
            matches!(problem.kind, ProblemKind::RepositoryFolder | ProblemKind::NestedRepository);
        if is_advice && context.global.quiet {
            continue;
        }
        let path = place.show(problem.path.as_bytes());
        let message = format!("{path}: {}", super::with_causes(&problem.kind));
        print::note(context.stderr_paint(), "left alone: ", &message);
    }
}

/// Lists problems and failures for `--json`.
pub fn json(problems: &[Problem], failures: &[(TreePath, IngestFailure)]) -> serde_json::Value {
    let failures = failures.iter().map(|(path, failure)| (path.as_bytes(), failure.to_string()));
    let problems =
        problems.iter().map(|problem| (problem.path.as_bytes(), problem.kind.to_string()));
    failures
        .chain(problems)
        .map(|(path, reason)| {
            let mut object = serde_json::Map::new();
            print::put_path(&mut object, "path", path);
            object.insert("reason".into(), reason.into());
            object
        })
        .map(serde_json::Value::Object)
        .collect()
}
