//! `fsck [--full|--repair]`: whether everything is there and unchanged; mends what can be mended.

use std::io::Write as _;

use super::{Context, Exit, Outcome, escape, units};
use crate::repo::{self, Affected, FsckReport, FsckRequest};

/// Check that everything is there and unchanged
///
/// Checks the journal from its first entry, every pack's index, and that every object that a ref
/// of any transaction or the stage reaches is there; with --full every stored byte as well. All
/// problems are listed, each with the files and commits that it concerns and what to do about it.
/// Exit code 13 if there is any.
///
/// --repair mends first: what is damaged is taken from other packs, from quarantine and from the
/// files of the worktree, all that is left of a damaged pack moves to a new one, and the damaged
/// file goes to `.provenance/quarantine`. Nothing is deleted; it may be stopped and run again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance fsck                # the journal, all indexes, all that is reachable
  provenance fsck --full         # every stored byte as well
  provenance fsck --full --json  # for a scheduler: one document
  provenance fsck --repair       # mend what can be mended, then check every byte")]
pub struct Args {
    /// Read, decode and hash every stored byte
    #[arg(long)]
    full: bool,
    /// Mend what can be mended, then check every byte
    #[arg(long)]
    repair: bool,
}

/// Answers.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let (repository, mut mended) = match args.repair {
        true => context.repository_to_mend()?,
        false => (context.repository()?, Vec::new()),
    };
    let is_full = args.full || args.repair;
    let request = FsckRequest { full: is_full, repairs: args.repair };
    let mut report = context.watch(|progress| repo::fsck(&repository, request, progress))?;
    mended.append(&mut report.mended);
    report.mended = mended;
    let is_whole = report.problems.is_empty();
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report, is_full))?);
        }
        for mend in &report.mended {
            let (place, what) = (escape::line(&mend.place), escape::line(&mend.what));
            writeln!(out, "mended: {place}: {what}")?;
        }
        for problem in &report.problems {
            let (what, place) = (escape::line(&problem.what), escape::line(&problem.place));
            writeln!(out, "{} {what}", out.paint.error("problem:"))?;
            writeln!(out, "  where: {place}")?;
            for affected in &problem.affected {
                writeln!(out, "  lost:  {}", escape::line(&lost(affected)))?;
            }
            writeln!(out, "  mend:  {}", escape::line(&problem.mend))?;
        }
        if context.global.quiet {
            return Ok(());
        }
        for note in &report.notes {
            writeln!(out, "note: {}", escape::line(note))?;
        }
        writeln!(out, "{}", summary(&report, is_full))?;
        Ok(())
    })?;
    Ok(if is_whole { Exit::Ok } else { Exit::Corrupt })
}

/// Says which path of which commits something is lost for.
fn lost(affected: &Affected) -> String {
    let what = match (affected.path.as_str(), affected.commit_count) {
        ("", 0) => return "refs, or all that is staged".to_owned(),
        ("", _) => "the record, or its whole tree",
        (path, _) => path,
    };
    match (affected.commits.first(), affected.commit_count) {
        (None, _) => format!("{what}, staged"),
        (Some(commit), 1) => format!("{what}, in commit {}", commit.short()),
        (Some(commit), count) => format!("{what}, in {count} commits, one is {}", commit.short()),
    }
}

fn summary(report: &FsckReport, full: bool) -> String {
    let verdict = match report.problems.len() as u64 {
        0 => "No problem found".to_owned(),
        count => units::count(count, "problem") + " found",
    };
    let read = match full {
        true => format!(", {} decoded and hashed", units::bytes(report.raw_bytes)),
        false => String::new(),
    };
    format!(
        "{verdict}: {}, {} ({}), {} reachable{read}",
        units::count(report.entries, "transaction"),
        units::count(report.packs, "pack"),
        units::bytes(report.bytes),
        units::count(report.reachable, "object"),
    )
}

fn json(report: &FsckReport, full: bool) -> serde_json::Value {
    let problems = report.problems.iter().map(|problem| {
        serde_json::json!({
            "what": problem.what, "where": problem.place, "mend": problem.mend,
            "objects": problem.objects.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "affected": problem.affected.iter().map(affected).collect::<Vec<_>>(),
        })
    });
    let mended = report.mended.iter();
    let mended = mended.map(|mend| serde_json::json!({ "where": mend.place, "what": mend.what }));
    serde_json::json!({
        "ok": report.problems.is_empty(),
        "full": full,
        "problems": problems.collect::<Vec<_>>(),
        "mended": mended.collect::<Vec<_>>(),
        "notes": report.notes,
        "transactions": report.entries,
        "packs": report.packs,
        "pack_bytes": report.bytes,
        "reachable": report.reachable,
        "blocks": report.blocks,
        "raw_bytes": report.raw_bytes,
    })
}

fn affected(affected: &Affected) -> serde_json::Value {
    serde_json::json!({
        "path": affected.path,
        "commits": affected.commits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "commit_count": affected.commit_count,
    })
}
