//! `export --jsonl`: history as a stream of JSON Lines.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;

use super::{Context, Failure, Outcome, units};
use crate::repo::{self, ExportRequest};

/// Write history as JSON Lines
///
/// Commits exactly as they are, with their files, parameters, metrics and logs, and the branches,
/// tags and runs that name them. `import --jsonl` takes it into another repository, where every
/// commit has the same id. The format is in docs/format/exchange.md.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance export --jsonl --all > history.jsonl
  provenance export --jsonl --all | provenance -C copy import --jsonl -
  provenance export --jsonl v1..main > since-v1.jsonl     # for who has v1
  provenance export --jsonl --no-content main             # for who has the files' content")]
pub struct Args {
    /// Write JSON Lines, the one format there is
    #[arg(long, required = true)]
    jsonl: bool,
    /// Commits with all behind them, `^OLD` or `OLD..NEW` to leave out what OLD has; else HEAD
    #[arg(value_name = "REVISION")]
    revisions: Vec<OsString>,
    /// Export every branch, tag and run
    #[arg(long)]
    all: bool,
    /// Leave out the content of files
    #[arg(long)]
    no_content: bool,
}

/// Writes it to standard output, and what it was to standard error.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let request = ExportRequest {
        revisions: args.revisions.iter().cloned().map(OsStringExt::into_vec).collect(),
        all: args.all,
        is_without_content: args.no_content,
    };
    let mut report = None;
    let exit = context.print(|out| {
        let exported = context.watch(|progress| {
            repo::export(&repository, &request, progress, |line| {
                Ok::<(), Failure>(out.write_all(line)?)
            })
        });
        report = Some(exported?);
        Ok(())
    })?;
    if let Some(report) = report.filter(|_| !context.global.quiet) {
        let (commits, refs) = (report.commits, report.refs);
        let words = [(commits, "commit"), (report.contents, "file"), (refs, "ref")];
        let words = words.map(|(number, noun)| units::count(number, noun));
        let text = format!("exported {}", words.join(", "));
        super::print::note(context.stderr_paint(), "", &text);
    }
    Ok(exit)
}
