//! `restore PATH…`: brings files back from the stage or from a commit.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::{Context, Outcome, units};
use crate::repo::restore::{RestoreRequest, restore};

/// Bring files back from the stage or from a commit
///
/// Changes of these files that were recorded nowhere are lost: that is what it is for. Files that
/// are not tracked stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance restore config.yaml                 # as it is staged
  provenance restore --source HEAD~3 data/       # as it was three commits ago
  provenance restore --staged data/new.csv       # take it off the stage, keep the file")]
pub struct Args {
    /// Files and directories
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The commit to take them from
    #[arg(short, long, value_name = "COMMIT")]
    source: Option<OsString>,
    /// Restore the stage, from the last commit unless you give --source
    #[arg(short = 'S', long)]
    staged: bool,
    /// Restore the worktree; this is what happens without --staged
    #[arg(short = 'W', long)]
    worktree: bool,
}

/// Brings them back.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = RestoreRequest {
        paths: repository.tree_paths(&context.directory()?, &args.paths)?,
        source: args.source.clone().map(OsStringExt::into_vec),
        in_stage: args.staged,
        in_worktree: args.worktree || !args.staged,
    };
    let report = context.watch(|progress| restore(&repository, &request, progress))?;
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&serde_json::json!({
                "written": report.written.written, "written_bytes": report.written.bytes,
                "removed": report.written.removed, "staged": report.staged,
            }))?);
        }
        if context.global.quiet {
            return Ok(());
        }
        if request.in_stage {
            writeln!(out, "{} restored on the stage", units::count(report.staged, "path"))?;
        }
        if request.in_worktree {
            let done = &report.written;
            let written = units::count(done.written, "file");
            writeln!(out, "{written} written, {} removed", units::grouped(done.removed))?;
        }
        Ok(())
    })
}
