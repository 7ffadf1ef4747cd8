//! `status`: what is staged, what is not, and what is not tracked.

use std::io::Write as _;
use std::path::PathBuf;

use super::print::{Output, put_path};
use super::{Context, Failure, Outcome, escape, worktree_words};
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
    let paths = repository.tree_paths(&context.directory()?, &args.paths)?;
    let request = StatusRequest { paths, lists_new: args.untracked };
    let report = context.watch(|progress| status(&repository, &request, progress))?;
    worktree_words::complain(context, &report.problems, &[]);
    context.page(&repository, |out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        if args.short { short(out, &report) } else { long(out, &report) }
    })
}

const STAGED: &str = "Staged for the next commit:";
const UNSTAGED: &str = "Changed, not staged (provenance add PATH):";
const UNTRACKED: &str = "Not tracked (provenance add PATH):";

fn long(out: &mut Output, report: &StatusReport) -> Result<(), Failure> {
    match &report.head {
        Head::Branch(name) => {
            let name = escape::line(name.strip_prefix("heads/").unwrap_or(name));
            writeln!(out, "On branch {}", out.paint.heading(name))?;
        }
        Head::Detached(id) => writeln!(out, "On commit {}, no branch", out.paint.id(id.short()))?,
    }
    if report.commit.is_none() {
        writeln!(out, "No commits yet")?;
    }
    for (heading, entries) in
        [(STAGED, &report.staged), (UNSTAGED, &report.unstaged), (UNTRACKED, &report.untracked)]
    {
        if entries.is_empty() {
            continue;
        }
        writeln!(out, "\n{heading}")?;
        for entry in entries {
            let line = format!("{:<9} {}", word(entry.difference), shown(entry));
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

fn short(out: &mut Output, report: &StatusReport) -> Result<(), Failure> {
    let mut lines: Vec<(&StatusEntry, char, char)> = Vec::new();
    for entry in &report.staged {
        lines.push((entry, letter(entry.difference), ' '));
    }
    for entry in &report.unstaged {
        match lines.iter_mut().find(|(staged, ..)| staged.path == entry.path) {
            Some((_, _, unstaged)) => *unstaged = letter(entry.difference),
            None => lines.push((entry, ' ', letter(entry.difference))),
        }
    }
    lines.extend(report.untracked.iter().map(|entry| (entry, '?', '?')));
    lines.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    for (entry, staged, unstaged) in lines {
        let (staged, unstaged) = (out.paint.added(staged), out.paint.removed(unstaged));
        writeln!(out, "{staged}{unstaged} {}", shown(entry))?;
    }
    Ok(())
}

fn shown(entry: &StatusEntry) -> String {
    let slash = if entry.difference == Difference::UntrackedDirectory { "/" } else { "" };
    format!("{}{slash}", entry.path)
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
        Head::Branch(name) => Some(name.strip_prefix("heads/").unwrap_or(name)),
        Head::Detached(_) => None,
    };
    serde_json::json!({
        "branch": branch,
        "commit": report.commit.map(|id| id.to_string()),
        "clean": report.is_clean(),
        "staged": list(&report.staged),
        "unstaged": list(&report.unstaged),
        "untracked": list(&report.untracked),
        "skipped": worktree_words::json(&report.problems, &[]),
    })
}
