//! `status`: what is staged, what is not, and what is not tracked.

use std::io::Write as _;
use std::path::PathBuf;

use super::place::Place;
use super::print::{Output, put_path};
use super::{Context, Failure, Outcome, commit_text, escape, split_text, units, worktree_words};
use crate::repo::Head;
use crate::repo::status::{Difference, StatusEntry, StatusReport, StatusRequest, status};

/// Show what differs from the last commit and from the stage
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance status
  provenance status -s data      # one line each, only data/
  provenance status --json
A directory that holds nothing tracked is one line, unless you give -u.")]
pub struct Args {
    /// Only these files and directories
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One line for each file: staged, unstaged, path
    #[arg(short, long)]
    short: bool,
    /// Every untracked file by name
    #[arg(short = 'u', long)]
    untracked: bool,
}

/// Shows it.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let place = context.place(&repository)?;
    let paths = place.resolve(&repository, &args.paths)?;
    let request = StatusRequest { paths, lists_new: args.untracked };
    let report = context.watch(|progress| status(&repository, &request, progress))?;
    worktree_words::complain(context, &place, &report.problems, &[]);
    context.page(&repository, |out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        if args.short { short(out, &report, &place) } else { long(out, &report, &place) }
    })
}

const STAGED: &str = "Staged for the next commit (restore --staged PATH takes it off):";
const UNSTAGED: &str = "Changed, not staged (add PATH stages it, restore PATH takes it back):";
const UNTRACKED: &str = "Not tracked (add PATH stages it):";

fn long(out: &mut Output, report: &StatusReport, place: &Place) -> Result<(), Failure> {
    match &report.head {
        Head::Branch(name) => {
            let name = escape::line(commit_text::branch_of(name));
            writeln!(out, "On branch {}", out.paint.heading(name))?;
        }
        Head::Detached(id) => writeln!(out, "On commit {}, no branch", out.paint.id(id.short()))?,
    }
    if report.commit.is_none() {
        writeln!(out, "No commits yet")?;
    }
    if let Some(line) = report.overlaps.as_ref().and_then(split_text::in_short) {
        writeln!(out, "{}", escape::line(&line))?;
    }
    for source in &report.stale {
        let (name, since) = (escape::line(&source.name), units::time(source.changed.0));
        let paths: Vec<String> =
            source.paths.iter().map(|path| place.show(path.as_bytes())).collect();
        let line =
            format!("Stale: {} is older than source {name}, changed {since}", paths.join(", "));
        writeln!(out, "{}", out.paint.removed(line))?;
    }
    if report.is_bisecting {
        writeln!(out, "A bisection is under way (bisect next says how it stands, reset ends it)")?;
    }
    for (heading, entries) in
        [(STAGED, &report.staged), (UNSTAGED, &report.unstaged), (UNTRACKED, &report.untracked)]
    {
        if entries.is_empty() {
            continue;
        }
        writeln!(out, "\n{heading}")?;
        for entry in entries {
            let line = format!("{:<9} {}", word(entry.difference), shown(entry, place));
            let painted = match heading {
                STAGED => out.paint.added(line),
                _ => out.paint.removed(line),
            };
            writeln!(out, "  {painted}")?;
        }
    }
    if report.is_clean() {
        writeln!(out, "Nothing to commit, the worktree is clean")?;
    } else if report.staged.is_empty() {
        writeln!(out, "\nNothing is staged")?;
    }
    Ok(())
}

fn short(out: &mut Output, report: &StatusReport, place: &Place) -> Result<(), Failure> {
    // Sorted by path, the two lines of a file that differs twice stand together: staged first.
    // What is not tracked keeps its line, beside that of a tracked file of the same name.
    let staged = report.staged.iter().map(|entry| (entry, letter(entry.difference), ' '));
    let unstaged = report.unstaged.iter().map(|entry| (entry, ' ', letter(entry.difference)));
    let untracked = report.untracked.iter().map(|entry| (entry, '?', '?'));
    let mut lines: Vec<_> = staged.chain(unstaged).chain(untracked).collect();
    lines.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    lines.dedup_by(|next, line| {
        let is_same = next.0.path == line.0.path && (next.1, line.2) == (' ', ' ');
        line.2 = if is_same { next.2 } else { line.2 };
        is_same
    });
    for (entry, staged, unstaged) in lines {
        let (staged, unstaged) = (out.paint.added(staged), out.paint.removed(unstaged));
        writeln!(out, "{staged}{unstaged} {}", shown(entry, place))?;
    }
    Ok(())
}

fn shown(entry: &StatusEntry, place: &Place) -> String {
    let slash = if entry.difference == Difference::UntrackedDirectory { "/" } else { "" };
    format!("{}{slash}", place.show(entry.path.as_bytes()))
}

fn word(difference: Difference) -> &'static str {
    match difference {
        Difference::Added => "added",
        Difference::Modified => "changed",
        Difference::Deleted => "removed",
        Difference::KindChanged => "retyped",
        Difference::Untracked | Difference::UntrackedDirectory => "new",
    }
}

fn letter(difference: Difference) -> char {
    match difference {
        Difference::Added => 'A',
        Difference::Modified => 'M',
        Difference::Deleted => 'D',
        Difference::KindChanged => 'T',
        Difference::Untracked | Difference::UntrackedDirectory => '?',
    }
}

fn json(report: &StatusReport) -> serde_json::Value {
    let list = |entries: &[StatusEntry]| -> serde_json::Value {
        entries
            .iter()
            .map(|entry| {
                let mut object = serde_json::Map::new();
                put_path(&mut object, "path", entry.path.as_bytes());
                let is_directory = entry.difference == Difference::UntrackedDirectory;
                object.insert("change".into(), word(entry.difference).into());
                object.insert("directory".into(), is_directory.into());
                serde_json::Value::Object(object)
            })
            .collect()
    };
    let branch = match &report.head {
        Head::Branch(name) => Some(commit_text::branch_of(name)),
        Head::Detached(_) => None,
    };
    serde_json::json!({
        "branch": branch,
        "commit": report.commit.map(|id| id.to_record()),
        "clean": report.is_clean(),
        "bisecting": report.is_bisecting,
        "overlaps": report.overlaps.as_ref().map(split_text::pairs),
        "stale": report.stale.iter().map(|source| serde_json::json!({
            "source": source.name, "changed": source.changed.to_record(), "paths": source.paths,
        })).collect::<Vec<_>>(),
        "staged": list(&report.staged),
        "unstaged": list(&report.unstaged),
        "untracked": list(&report.untracked),
        "skipped": worktree_words::json(&report.problems, &[]),
    })
}
