//! `fsck [--full]`: whether everything is there and unchanged.

use std::io::Write as _;

use super::{Context, Exit, Outcome, escape, units};
use crate::repo::{self, FsckReport, FsckRequest};

/// Check that everything is there and unchanged
///
/// Checks the journal from its first entry, every pack's index, and that every object that a ref
/// of any transaction or the stage reaches is there; with --full every stored byte as well. All
/// problems are listed, each with what to do about it. Exit code 13 if there is any.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance fsck                # the journal, all indexes, all that is reachable
  provenance fsck --full         # every stored byte as well
  provenance fsck --full --json  # for a scheduler: one document")]
pub struct Args {
    /// Read, decode and hash every stored byte
    #[arg(long)]
    full: bool,
}

/// Answers.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = FsckRequest { full: args.full };
    let report = context.watch(|progress| repo::fsck(&repository, request, progress))?;
    let is_whole = report.problems.is_empty();
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report, args.full))?);
        }
        for problem in &report.problems {
            let (what, place) = (escape::line(&problem.what), escape::line(&problem.place));
            writeln!(out, "{} {what}", out.paint.error("problem:"))?;
            writeln!(out, "  where: {place}")?;
            writeln!(out, "  mend:  {}", escape::line(&problem.mend))?;
        }
        if context.global.quiet {
            return Ok(());
        }
        for note in &report.notes {
            writeln!(out, "note: {}", escape::line(note))?;
        }
        writeln!(out, "{}", summary(&report, args.full))?;
        Ok(())
    })?;
    Ok(if is_whole { Exit::Ok } else { Exit::Corrupt })
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
        })
    });
    serde_json::json!({
        "ok": report.problems.is_empty(),
        "full": full,
        "problems": problems.collect::<Vec<_>>(),
        "notes": report.notes,
        "transactions": report.entries,
        "packs": report.packs,
        "pack_bytes": report.bytes,
        "reachable": report.reachable,
        "blocks": report.blocks,
        "raw_bytes": report.raw_bytes,
    })
}
