//! `merge-base`: where histories part.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::{Context, Exit, Failure, Outcome};
use crate::repo::{self, Error, MergeBaseRequest};

/// Find the best common ancestor of commits
///
/// Exit code 1 if there is none, or if the answer of --is-ancestor is no.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance merge-base main experiment
  provenance merge-base --all main experiment      # after a criss-cross there are several
  provenance merge-base --is-ancestor v1 main && echo \"main has v1\"")]
pub struct Args {
    /// Two or more; the others are taken as if merged with one another
    #[arg(required = true, num_args = 2.., value_name = "COMMIT")]
    commits: Vec<OsString>,
    /// Print all best common ancestors, not only the latest
    #[arg(long)]
    all: bool,
    /// Answer by the exit code whether the first commit is in the history of the second
    #[arg(long, conflicts_with = "all")]
    is_ancestor: bool,
}

/// Prints the ids.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let commits: Vec<Vec<u8>> = args.commits.iter().cloned().map(OsStringExt::into_vec).collect();
    if args.is_ancestor {
        let [ancestor, descendant] = commits.as_slice() else {
            let error = Error::Usage("--is-ancestor takes two commits".to_owned());
            return Err(Failure::Operation(error));
        };
        let is_ancestor = context
            .watch(|progress| repo::is_ancestor(&repository, ancestor, descendant, progress))?;
        if context.global.json {
            let answer = serde_json::json!({"is_ancestor": is_ancestor});
            context.print(|out| Ok(out.json(&answer)?))?;
        }
        return Ok(if is_ancestor { Exit::Ok } else { Exit::No });
    }
    let request = MergeBaseRequest { commits };
    let report = context.watch(|progress| repo::merge_base(&repository, &request, progress))?;
    let shown = if args.all { report.bases.len() } else { 1 };
    context.print(|out| {
        for id in report.bases.iter().take(shown) {
            if context.global.json {
                out.json(&serde_json::json!({"id": id.to_record()}))?;
            } else {
                writeln!(out, "{id}")?;
            }
        }
        Ok(())
    })?;
    Ok(if report.bases.is_empty() { Exit::No } else { Exit::Ok })
}
