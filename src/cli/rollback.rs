//! `rollback COMMIT [PATH…]`: back to a recorded state, as a new commit.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::print::Output;
use super::{Context, Exit, Failure, Outcome, commit_text, escape, units};
use crate::object::ObjectId;
use crate::object::tree::Change;
use crate::repo::{self, RollbackReport, RollbackRequest};

/// Go back to a recorded state, as a new commit
///
/// Files, stage and branch are as they were in COMMIT, or the PATHs alone; nothing of the history
/// is lost. Changes that no commit holds are not written over: they are named, and nothing
/// happens. What is staged beside the PATHs stays staged with --force, and is not recorded. Exit
/// code 1 if everything is recorded as in COMMIT already, and no file was brought back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance rollback main~3                 # everything as it was three commits ago
  provenance rollback v1 data                # one directory, as it was in v1
  provenance rollback -n v1                  # what would change?
`provenance checkout` looks at an old state without a commit; `provenance undo` takes the last
change of a branch back.")]
pub struct Args {
    /// The commit to go back to
    #[arg(value_name = "COMMIT")]
    commit: OsString,
    /// Only these files and directories
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Why; given several times, each is a paragraph
    #[arg(short, long = "message", value_name = "MSG")]
    message: Vec<String>,
    /// Lose changes that no commit holds
    #[arg(short, long)]
    force: bool,
    /// Say what would change, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Goes back.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let paths = context.place(&repository)?.resolve(&repository, &args.paths)?;
    let request = RollbackRequest {
        target: args.commit.clone().into_vec(),
        paths,
        message: Some(args.message.join("\n\n")).filter(|message| !message.trim().is_empty()),
        is_forced: args.force,
        is_dry_run: args.dry_run,
        command: context.command(),
    };
    let report = context.watch(|progress| repo::rollback(&repository, &request, progress))?;
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        if context.global.quiet { Ok(()) } else { words(out, &report, args.force) }
    })?;
    let written = &report.written;
    let is_back = report.changed > 0 || written.written + written.removed > 0;
    Ok(if is_back || args.force && report.differing > 0 { Exit::Ok } else { Exit::No })
}

fn words(out: &mut Output, report: &RollbackReport, is_forced: bool) -> Result<(), Failure> {
    let target = out.paint.id(report.target.short());
    if report.changed == 0 {
        return files_alone(out, report, is_forced);
    }
    if let Some(commit) = &report.commit {
        let place = match &commit.branch {
            Some(branch) => escape::line(commit_text::branch_of(branch)),
            None => "no branch".to_owned(),
        };
        let id = out.paint.id(commit.id.short());
        writeln!(out, "[{place} {id}] {}", commit_text::subject(&commit.commit.message))?;
    } else {
        writeln!(out, "Would go back to {target}:")?;
    }
    for change in &report.changes {
        let path = escape::path(change.path.as_bytes());
        writeln!(out, "  {}  {path}", letter(change))?;
    }
    let more = report.changed.saturating_sub(report.changes.len() as u64);
    if more > 0 {
        writeln!(out, "  … and {}", units::count(more, "more file"))?;
    }
    Ok(())
}

/// Says what became of the files where the branch is as it shall be.
fn files_alone(out: &mut Output, report: &RollbackReport, is_forced: bool) -> Result<(), Failure> {
    let target = out.paint.id(report.target.short());
    let (written, differing) = (&report.written, report.differing);
    let back = written.written + written.removed;
    if back > 0 {
        let files = units::count(back, "file");
        writeln!(out, "Brought back {files} as in {target}: nothing was to be recorded")?;
    } else if is_forced && differing > 0 {
        let files = units::count(differing, "file");
        writeln!(out, "Would bring back {files} as in {target}, and record nothing")?;
    } else if differing > 0 {
        let files = units::count(differing, "file");
        writeln!(out, "HEAD is as in {target} already: nothing was recorded")?;
        writeln!(
            out,
            "Left as changed in the worktree: {files}; `--force` brings back what is recorded"
        )?;
    } else {
        writeln!(out, "Everything is as in {target}: nothing was recorded")?;
    }
    Ok(())
}

/// What happens to a file: added, removed, changed.
const fn letter(change: &Change) -> char {
    match (&change.old, &change.new) {
        (None, _) => 'A',
        (_, None) => 'D',
        _ => 'M',
    }
}

fn json(report: &RollbackReport) -> serde_json::Value {
    let written = &report.written;
    let commit = report.commit.as_ref();
    serde_json::json!({
        "target": report.target.to_record(),
        "commit": commit.map(|commit| commit.id.to_record()),
        "parents": commit.and_then(|commit| commit.parent).iter().map(ObjectId::to_record)
            .collect::<Vec<_>>(),
        "branch": commit.and_then(|commit| commit.branch.as_deref()).map(commit_text::branch_of),
        "transaction": commit.map(|commit| commit.number),
        "changed": report.changed,
        "differing": report.differing,
        "written": written.written,
        "written_bytes": written.bytes,
        "removed": written.removed,
    })
}
