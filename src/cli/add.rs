//! `add PATH…`: stages files for the next commit.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;

use super::place::Place;
use super::print::{Output, put_path};
use super::{Context, Exit, Failure, Outcome, units, worktree_words};
use crate::repo::{self, AddReport, AddRequest, Change, Error, Problem};

/// Stage files for the next commit
///
/// Reads what has changed, stores it, and stages it; files that are gone are staged as gone.
/// Your files are only ever read. A file that cannot be read, or that changes while it is read,
/// is named and left as it was staged before; the others are staged, and the exit code is 3.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance add data/ train.py
  provenance add -A              # everything that changed, in the whole worktree
  provenance add -n .            # say what would be staged, here and below
What .provenanceignore lists (gitignore syntax) is left out, unless you give -f.")]
pub struct Args {
    /// Files and directories
    #[arg(value_name = "PATH", required_unless_present = "all")]
    paths: Vec<PathBuf>,
    /// Everything in the worktree
    #[arg(short = 'A', long, conflicts_with = "paths")]
    all: bool,
    /// Only files that are tracked already
    #[arg(short = 'u', long)]
    update: bool,
    /// Ignored files too
    #[arg(short, long)]
    force: bool,
    /// Say what would be staged, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Stages them.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let place = context.place(&repository)?;
    let paths = place.resolve(&repository, &args.paths)?;
    let request = AddRequest {
        insists_on_all: false,
        paths,
        takes_ignored: args.force,
        tracked_only: args.update,
        is_dry_run: args.dry_run,
    };
    let report = context.watch(|progress| repo::add(&repository, &request, progress))?;
    let missing = report.missing_path();
    // The error says it of the first path that is not there.
    let is_said = |problem: &&Problem| match &missing {
        Some(path) => problem.path.as_os_str() == OsStr::new(path),
        None => false,
    };
    let problems = report.problems.iter().filter(|problem| !is_said(problem));
    worktree_words::complain(context, &place, problems, &report.failures);
    let printed = context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        let only_plan = args.dry_run || context.global.quiet || missing.is_some();
        words(out, &report, &place, only_plan)
    })?;
    if let Some(path) = missing {
        let error = Error::NotFound { what: "path", name: path };
        return Err(Failure::Operation(error));
    }
    Ok(if report.is_partial() { Exit::Partial } else { printed })
}

fn words(
    out: &mut Output,
    report: &AddReport,
    place: &Place,
    only_plan: bool,
) -> Result<(), Failure> {
    for (change, path) in &report.planned {
        let word = match change {
            Change::New | Change::NewDirectory => out.paint.added("add"),
            Change::Missing => out.paint.removed("remove"),
            Change::Modified | Change::KindChanged => out.paint.added("update"),
        };
        writeln!(out, "{word} {}", place.show(path.as_bytes()))?;
    }
    if only_plan {
        return Ok(());
    }
    let AddReport { added, modified, removed, .. } = report;
    if added + modified + removed == 0 {
        writeln!(out, "Nothing to stage: everything here is staged as it is")?;
        return Ok(());
    }
    let mut parts = Vec::new();
    for (count, word) in [(added, "new"), (modified, "changed"), (removed, "removed")] {
        if *count > 0 {
            parts.push(format!("{} {word}", units::grouped(*count)));
        }
    }
    let stored = units::bytes(report.stored.bytes);
    writeln!(out, "Staged {} ({stored} stored)", parts.join(", "))?;
    Ok(())
}

fn json(report: &AddReport) -> serde_json::Value {
    let planned = report.planned.iter().map(|(change, path)| {
        let mut object = serde_json::Map::new();
        put_path(&mut object, "path", path.as_bytes());
        let word = match change {
            Change::New | Change::NewDirectory => "added",
            Change::Missing => "removed",
            Change::Modified | Change::KindChanged => "modified",
        };
        object.insert("change".into(), word.into());
        serde_json::Value::Object(object)
    });
    serde_json::json!({
        "added": report.added, "modified": report.modified, "removed": report.removed,
        "stored_bytes": report.stored.bytes,
        "tree": report.tree.as_ref().map(|tree| tree.id.to_record()),
        "planned": planned.collect::<serde_json::Value>(),
        "skipped": worktree_words::json(&report.problems, &report.failures),
    })
}
