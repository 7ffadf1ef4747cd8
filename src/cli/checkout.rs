//! `checkout BRANCH|COMMIT`: makes the worktree stand on another commit.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::args::Global;
use super::print::Output;
use super::{Context, Failure, Outcome, commit_text, escape, units};
use crate::repo::Head;
use crate::repo::checkout::{CheckoutReport, CheckoutRequest, checkout};

/// Switch the worktree to a branch or a commit
///
/// Writes only files that differ. Changes that no commit holds are carried along where nothing is
/// written over them; otherwise everything that would be lost is named, and nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance checkout main
  provenance checkout HEAD~2             # look at an older state
  provenance checkout -b lower-rate      # make a branch here and switch to it
To bring back single files, see provenance restore.")]
pub struct Args {
    /// A branch, or anything that names a commit
    #[arg(value_name = "BRANCH|COMMIT", required_unless_present = "new_branch")]
    target: Option<OsString>,
    /// Make this branch there, and switch to it
    #[arg(short = 'b', value_name = "NAME")]
    new_branch: Option<String>,
    /// Lose changes that no commit holds
    #[arg(short, long)]
    force: bool,
}

/// Switches.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = CheckoutRequest {
        target: args.target.clone().map(OsStringExt::into_vec),
        new_branch: args.new_branch.clone(),
        is_forced: args.force,
        command: context.command(),
    };
    let report = context.watch(|progress| checkout(&repository, &request, progress))?;
    context.print(|out| print(out, &context.global, &report))
}

/// Prints where the worktree stands now.
pub fn print(out: &mut Output, global: &Global, report: &CheckoutReport) -> Result<(), Failure> {
    if global.json {
        return Ok(out.json(&json(report))?);
    }
    if global.quiet {
        return Ok(());
    }
    match &report.head {
        Head::Branch(name) => {
            let name = escape::line(commit_text::branch_of(name));
            writeln!(out, "On branch {}", out.paint.heading(name))?;
        }
        Head::Detached(id) => {
            let id = out.paint.id(id.short());
            writeln!(out, "On commit {id}, no branch: checkout -b NAME makes one for new commits")?;
        }
    }
    let done = &report.written;
    if done.written + done.removed == 0 {
        return Ok(());
    }
    let written = units::count(done.written, "file");
    let removed = units::grouped(done.removed);
    writeln!(out, "{written} written ({}), {removed} removed", units::bytes(done.bytes))?;
    Ok(())
}

fn json(report: &CheckoutReport) -> serde_json::Value {
    let branch = match &report.head {
        Head::Branch(name) => Some(commit_text::branch_of(name)),
        Head::Detached(_) => None,
    };
    serde_json::json!({
        "branch": branch,
        "commit": report.commit.map(|id| id.to_record()),
        "written": report.written.written,
        "written_bytes": report.written.bytes,
        "removed": report.written.removed,
    })
}
