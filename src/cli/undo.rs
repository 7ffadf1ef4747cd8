//! `undo`: every ref back to where it stood before the last transaction.

use std::io::Write as _;

use super::print::{Output, Paint};
use super::{Context, Failure, Outcome, commit_text, escape, units};
use crate::object::{ObjectId, Transaction, Update};
use crate::repo::{self, Head, UndoReport, UndoRequest};

/// Undo the last change of branches and tags
///
/// Puts every branch and tag back to where it stood before. Files are not touched, and what is
/// staged stays: what an undone commit had recorded is staged again. It is a change like any
/// other: undo it, and what was undone is done again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance undo -n              # what would it do?
  provenance undo                 # take back the last commit, branch -D, tag -f, ...
  provenance undo                 # ... and do it again after all
  provenance log --journal        # everything that was ever done")]
pub struct Args {
    /// Say what would happen, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Undoes it and says what happened.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = UndoRequest { is_dry_run: args.dry_run, command: context.command() };
    let report = context.watch(|progress| repo::undo(&repository, &request, progress))?;
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        if context.global.quiet { Ok(()) } else { words(out, &report) }
    })
}

fn words(out: &mut Output, report: &UndoReport) -> Result<(), Failure> {
    let undone = &report.undone;
    let did = if report.number.is_some() { "Undid" } else { "Would undo" };
    let command = commit_text::subject(&undone.command);
    writeln!(out, "{did} number {}: {command}", undone.number)?;
    let (who, when) = (escape::line(&undone.actor.name), units::time(undone.time.0));
    writeln!(out, "by {who}, {when}")?;
    let paint = out.paint;
    for update in &report.updates {
        writeln!(out, "  {}", moved(update, paint))?;
    }
    if let Some(words) = unlisted(undone) {
        writeln!(out, "  {words}")?;
    }
    let tense = if report.number.is_some() { "is" } else { "would be" };
    let head = match (&report.head, report.head_commit) {
        (Head::Branch(name), Some(id)) => format!("on {} at {}", short(name), id.short()),
        (Head::Branch(name), None) => format!("on {}, without a commit", short(name)),
        (Head::Detached(id), _) => format!("at {}, on no branch", id.short()),
    };
    writeln!(out, "HEAD {tense} {head}; your files stay as they are")?;
    if report.has_staged {
        writeln!(out, "What is staged differs from HEAD: `provenance status` shows it")?;
    }
    Ok(())
}

/// Shows a move: `main: 1a2b3c4d5e6f → 0a1b2c3d4e5f`.
pub fn moved(update: &Update, paint: Paint) -> String {
    let name = escape::line(short(&update.name));
    let [old, new] = [update.old, update.new].map(|id| id.map(|id| paint.id(id.short())));
    match (old, new) {
        (Some(old), Some(new)) => format!("{name}: {old} → {new}"),
        (Some(old), None) => format!("{name}: {old} → gone"),
        (None, new) => format!("{name}: new → {}", new.unwrap_or_default()),
    }
}

/// Tells of the runs that an entry moves without listing them.
pub fn unlisted(transaction: &Transaction) -> Option<String> {
    (transaction.unlisted > 0).then(|| units::count(transaction.unlisted, "run"))
}

fn short(name: &str) -> &str {
    commit_text::branch_of(name)
}

/// Gives a move for JSON.
pub fn moved_json(update: &Update) -> serde_json::Value {
    serde_json::json!({
        "ref": update.name,
        "old": update.old.as_ref().map(ObjectId::to_record),
        "new": update.new.as_ref().map(ObjectId::to_record),
    })
}

fn json(report: &UndoReport) -> serde_json::Value {
    let head = |head: &Head| match head {
        Head::Branch(name) => serde_json::json!({"branch": short(name)}),
        Head::Detached(id) => serde_json::json!({"commit": id.to_record()}),
    };
    serde_json::json!({
        "undone": report.undone.number,
        "command": report.undone.command,
        "updates": report.updates.iter().map(moved_json).collect::<Vec<_>>(),
        "unlisted": report.undone.unlisted,
        "transaction": report.number,
        "head": head(&report.head),
        "head_commit": report.head_commit.as_ref().map(ObjectId::to_record),
        "staged": report.has_staged,
    })
}
