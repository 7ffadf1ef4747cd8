//! `diff`: what differs between commits, the stage and the worktree.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::file_diff::{Form, Printer, TableArgs};
use super::progress::Bar;
use super::{Context, Outcome, file_diff, print, run_text, worktree_words};
use crate::repo::diff::{DiffReport, DiffRequest, diff, diff_sides};
use crate::repo::{self, Error};

/// Show what differs, file by file
///
/// Without a commit: the worktree from the stage. With one: the worktree from it. With two, or
/// A..B: the second from the first. Configurations in JSON, YAML and TOML are compared by key,
/// tables in CSV and JSON Lines
/// by row, other texts line by line; of other files you see what they are. Between two runs, their
/// parameters, metrics, commands, machines and packages come first; between two commits, what
/// changed in the profiles of their data.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance diff                        # what `add` would stage of tracked files
  provenance diff --staged               # what `commit` would record
  provenance diff config.yaml
  provenance diff --rows 50 data/train.csv   # more of the rows that differ
  provenance diff HEAD~2 -- data/gone.csv
  provenance diff v1 v2 --stat
  provenance diff --exit-code -q HEAD    # 1 if a tracked file differs from HEAD
  provenance diff --json v1 v2           # a line per file: change, path, old, new, content")]
pub struct Args {
    /// Commits, or trees as in COMMIT:DIRECTORY: one or two; what is none of them is a PATH
    #[arg(value_name = "COMMIT")]
    commits: Vec<OsString>,
    /// Only these files and directories
    #[arg(last = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Compare the stage with HEAD, or with the commit given
    #[arg(long, visible_alias = "cached")]
    staged: bool,
    /// Show one line per file: sizes, and lines or keys that differ
    #[arg(long, conflicts_with = "name_status")]
    stat: bool,
    /// Show only what happened to which file: A, D, M, R or T, and the path
    #[arg(long)]
    name_status: bool,
    #[command(flatten)]
    tables: TableArgs,
    /// End with 1 if anything differs, 0 if not; with -q print nothing
    #[arg(long)]
    exit_code: bool,
}

/// Prints file by file.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let place = context.place(&repository)?;
    let (words, paths) = place.names_and_paths(&repository, &args.commits, &args.paths)?;
    let is_silent = args.exit_code && context.global.quiet;
    let is_plain = !context.global.json && !args.name_status && !is_silent && !args.staged;
    let runs = match is_plain && paths.is_empty() {
        true => repo::run_diff(&repository, &words)?,
        false => None,
    };
    let request = DiffRequest {
        sides: diff_sides(&repository, &words, args.staged)?,
        paths,
        reads_contents: !args.name_status && !is_silent,
        row_samples: args.tables.samples(args.stat),
    };
    let form = Form::of(context.global.json, args.name_status, args.stat);
    let mut printer = Printer::new(form);
    let mut report = DiffReport::default();
    context.page(&repository, |out| {
        if let Some(runs) = &runs {
            run_text::put_diff(out, runs)?;
        }
        // The bar goes before the first line comes: both may be on one terminal.
        let mut bar = Some(Bar::watch(&context.progress, context.global.quiet));
        report = diff(&repository, &request, &context.progress, |file| {
            bar = None;
            match is_silent {
                true => Ok::<(), Failure>(()),
                false => Ok(printer.print(out, &file)?),
            }
        })?;
        drop(bar);
        if form == Form::Stat && !is_silent {
            writeln!(out, "{}", file_diff::summary(&report))?;
        }
        Ok(())
    })?;
    worktree_words::complain(context, &place, &report.problems, &[]);
    if report.skips_renames && report.added > 0 && report.removed > 0 && !context.global.quiet {
        let text = "too many changes to look for renames: name a PATH to find them";
        print::note(context.stderr_paint(), "note: ", text);
    }
    let is_whole = report.problems.is_empty();
    let differs = report.total() > 0;
    let failures = report.failures.into_iter();
    let unreadable =
        failures.map(|(path, error)| Error::io("read the file", path.to_string(), error));
    match context.name_skipped(unreadable) {
        Exit::Ok if !is_whole => Ok(Exit::Partial),
        Exit::Ok if args.exit_code && differs => Ok(Exit::No),
        exit => Ok(exit),
    }
}
