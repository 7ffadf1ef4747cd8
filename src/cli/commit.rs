//! `commit -m MESSAGE`: records what is staged.

use std::io::Write as _;

use super::commit_text::branch_of;
use super::print::{self, Output};
use super::{Context, Exit, Failure, Outcome, escape, split_text, units};
use crate::object::{Author, ObjectId};
use crate::repo::{self, CommitReport, CommitRequest, Committed};

/// Record what is staged
///
/// The record names the data, its artifacts, who, when and on what machine. Exit code 1 if
/// nothing is staged that the last commit does not have.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance commit -m \"first run\"
  provenance commit -am \"learning rate 0.01\"     # stage changes of tracked files first")]
pub struct Args {
    /// Why; given several times, each is a paragraph
    #[arg(short, long = "message", value_name = "MSG", required = true)]
    message: Vec<String>,
    /// Stage changed and removed tracked files first
    #[arg(short, long)]
    all: bool,
    /// Record even if nothing has changed
    #[arg(long)]
    allow_empty: bool,
}

/// Records it.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = CommitRequest {
        message: args.message.join("\n\n"),
        stages_tracked: args.all,
        allows_empty: args.allow_empty,
        command: context.command(),
    };
    let committed = context.watch(|progress| repo::commit(&repository, &request, progress))?;
    let Committed::Made(report) = committed else {
        context.print(|out| match context.global.json {
            true => Ok(out.json(&serde_json::json!({"commit": null}))?),
            false if context.global.quiet => Ok(()),
            false => Ok(writeln!(out, "{}", nothing_recorded(args.all))?),
        })?;
        return Ok(Exit::No);
    };
    let exit = context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        if context.global.quiet { Ok(()) } else { words(out, &report) }
    })?;
    if !context.global.json && !context.global.quiet {
        hint(&report);
    }
    Ok(exit)
}

/// Says why there is no commit. Whether the worktree differs was not asked, so it is not said.
const fn nothing_recorded(all: bool) -> &'static str {
    match all {
        true => "No tracked file has changed, so nothing was recorded (new files: provenance add)",
        false => "Nothing is staged, so nothing was recorded (provenance add PATH, or commit -a)",
    }
}

/// Says on standard error what is likely not as it was meant.
fn hint(report: &CommitReport) {
    let say = |words: &str| print::note(print::Paint::PLAIN, "hint: ", words);
    split_text::warn(print::Paint::PLAIN, report.overlaps.as_ref());
    for name in &report.unmatched {
        say(&format!("provenance.toml: artifact {name:?} matches nothing yet"));
    }
    if report.is_author_guessed {
        let Author { name, email } = &report.commit.author;
        say(&format!("the author, {name} <{email}>, is a guess; say who you are:"));
        say("  provenance config set --user user.name \"Ada Lovelace\"");
        say("  provenance config set --user user.email ada@example.org");
        say("then `provenance undo` takes this commit back, so that you can record it again");
    }
}

fn words(out: &mut Output, report: &CommitReport) -> Result<(), Failure> {
    let place = match &report.branch {
        Some(branch) => escape::line(branch_of(branch)),
        None => "no branch".to_owned(),
    };
    let first = if report.parent.is_none() { " (first commit)" } else { "" };
    let id = out.paint.id(report.id.short());
    let title = escape::line(report.commit.message.lines().next().unwrap_or_default());
    writeln!(out, "[{place} {id}]{first} {title}")?;
    let (files, bytes) = (report.tree.files, report.tree.bytes);
    writeln!(out, "{}, {} in all", units::count(files, "file"), units::bytes(bytes))?;
    Ok(())
}

fn json(report: &CommitReport) -> serde_json::Value {
    serde_json::json!({
        "commit": report.id.to_record(),
        "tree": report.commit.tree.to_record(),
        "branch": report.branch.as_deref().map(branch_of),
        "parents": report.parent.iter().map(ObjectId::to_record).collect::<Vec<_>>(),
        "transaction": report.number,
        "artifacts": report.commit.artifacts.len(),
        "unmatched": report.unmatched,
        "overlaps": split_text::json(report.overlaps.as_ref()),
        "files": report.tree.files,
        "bytes": report.tree.bytes,
    })
}
