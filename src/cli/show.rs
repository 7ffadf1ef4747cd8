//! `show [COMMIT]`: a commit, its artifacts, and what it changed.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::file_diff::{Form, Printer, TableArgs};
use super::plot::Points;
use super::print::Output;
use super::{
    Context, Exit, Failure, Outcome, commit_text, escape, file_diff, profile_text, run_text,
    split_text, units,
};
use crate::object::canonical::Number;
use crate::object::{Commit, Reading, System};
use crate::repo::{self, Error, LogCommit, Repository, ShowRequest, ShowRow};

/// Characters of a plot, across and down.
const PLOT: (usize, usize) = (60, 15);

/// Show a commit, its artifacts, and what it changed
///
/// What it changed is against its first parent. With --json, a line for the commit (its record
/// with id and refs), then a line per file as in `diff --json`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance show                     # the last commit
  provenance show v1 main~3
  provenance show --stat main
  provenance show main -- config.yaml
  provenance show -s --json HEAD      # the record alone")]
pub struct Args {
    /// Commits; else HEAD; what is none is a PATH
    #[arg(value_name = "COMMIT")]
    commits: Vec<OsString>,
    /// Only changes of these files and directories
    #[arg(last = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Show one line per file: sizes, and lines or keys that differ
    #[arg(long, conflicts_with = "name_status")]
    stat: bool,
    /// Show only what happened to which file: A, D, M, R or T, and the path
    #[arg(long)]
    name_status: bool,
    #[command(flatten)]
    tables: TableArgs,
    /// Draw a metric of the run, step by step
    #[arg(long, value_name = "METRIC", conflicts_with_all = ["stat", "name_status", "paths"])]
    series: Option<String>,
    /// Draw it into FILE, as SVG
    #[arg(long, value_name = "FILE", requires = "series")]
    svg: Option<PathBuf>,
    /// Show the commit alone
    #[arg(short = 's', long, conflicts_with_all = ["stat", "name_status", "paths"])]
    no_patch: bool,
}

/// Prints piece by piece.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    if let Some(metric) = &args.series {
        return draw(args, metric, &repository, context);
    }
    let place = context.place(&repository)?;
    let (commits, paths) = place.names_and_paths(&repository, &args.commits, &args.paths)?;
    let request = ShowRequest {
        commits,
        paths,
        compares: !args.no_patch,
        reads_contents: !args.name_status,
        row_samples: args.tables.samples(args.stat),
    };
    let form = Form::of(context.global.json, args.name_status, args.stat);
    context.page(&repository, |out| {
        let mut is_first = true;
        let mut printer = Printer::new(form);
        // What a commit changed is set apart from it by a blank line, if it changed anything.
        let mut is_apart = context.global.json;
        repo::show(&repository, &request, &context.progress, |row| match row {
            ShowRow::Commit(shown) if context.global.json => {
                Ok(out.json(&commit_text::json(&shown)?)?)
            }
            ShowRow::Commit(shown) => {
                if !std::mem::take(&mut is_first) {
                    writeln!(out)?;
                }
                (printer, is_apart) = (Printer::new(form), false);
                print_commit(out, &shown)
            }
            ShowRow::File(file) => {
                if !std::mem::replace(&mut is_apart, true) {
                    writeln!(out)?;
                }
                Ok(printer.print(out, &file)?)
            }
            ShowRow::Compared(report) if form == Form::Stat => {
                let blank = if is_apart { "" } else { "\n" };
                Ok(writeln!(out, "{blank}{}", file_diff::summary(&report))?)
            }
            ShowRow::Overlaps(_) | ShowRow::Profile(..) if context.global.json => Ok(()),
            ShowRow::Profile(name, profile) => {
                writeln!(out)?;
                for line in profile_text::lines(&name, &profile) {
                    writeln!(out, "{line}")?;
                }
                Ok(())
            }
            ShowRow::Overlaps(overlaps) => {
                writeln!(out, "\nSplits:")?;
                for line in split_text::lines(&overlaps) {
                    writeln!(out, "  {line}")?;
                }
                Ok(())
            }
            ShowRow::Compared(_) => Ok(()),
        })
    })
}

/// Draws a series; with `--json`, gives its values.
fn draw(args: &Args, metric: &str, repository: &Repository, context: &Context) -> Outcome {
    let name = match args.commits.as_slice() {
        [] => b"HEAD".to_vec(),
        [one] => one.as_bytes().to_vec(),
        _ => return Err(Error::Usage("--series takes one commit".to_owned()).into()),
    };
    let series = repo::series(repository, &name, metric)?;
    let number = |reading: &Reading| match reading {
        Reading::Number(number) => number.as_f64(),
        Reading::Text(text) => text.parse().unwrap_or(f64::NAN),
    };
    let steps = series.steps.iter().map(|step| step.map(Number::as_f64));
    let steps = steps.chain(std::iter::repeat(None)).enumerate();
    let steps = steps.map(|(at, step)| step.unwrap_or(at as f64));
    let points = Points::new(steps.zip(series.values.iter().map(number)));
    if let Some(path) = &args.svg {
        // Whatever is there already is somebody's.
        let drawn = std::fs::File::create_new(path);
        let drawn = drawn.and_then(|mut file| file.write_all(points.svg(metric).as_bytes()));
        drawn.map_err(|error| Error::io("write the picture", path, error))?;
        return Ok(Exit::Ok);
    }
    context.print(|out| {
        if context.global.json {
            let document: serde_json::Value = serde_json::from_slice(&series.encode())
                .map_err(|error| Error::Internal(error.to_string()))?;
            return Ok(out.json(&document)?);
        }
        if points.is_empty() {
            return Ok(writeln!(out, "No number among {} values", series.values.len())?);
        }
        let (width, height) = PLOT;
        for line in points.lines(width, height) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    })
}

fn print_commit(out: &mut Output, shown: &LogCommit) -> Result<(), Failure> {
    for line in commit_text::full(&shown.id, &shown.commit, &shown.labels, out.paint) {
        writeln!(out, "{line}")?;
    }
    let machine = machine(&shown.commit.system);
    if !machine.is_empty() {
        writeln!(out, "\nMachine: {}", escape::line(&machine))?;
    }
    if let Some(run) = &shown.commit.run {
        writeln!(out)?;
        for line in run_text::lines(run) {
            writeln!(out, "{line}")?;
        }
    }
    if let Some(code) = &shown.commit.code {
        writeln!(out, "\nCode:    {}", run_text::code(code))?;
    }
    let artifacts = artifact_lines(&shown.commit);
    if !artifacts.is_empty() {
        writeln!(out, "\nArtifacts:")?;
        for line in artifacts {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// Words what is known of a machine: `ada's laptop, Debian 12, 8 cores, 32.0 GiB, H100`.
fn machine(system: &System) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend([&system.host, &system.os, &system.cpu].into_iter().flatten().cloned());
    words.extend(system.cores.map(|cores| units::count(cores, "core")));
    words.extend(system.memory.map(units::bytes));
    words.extend(system.gpus.iter().flatten().map(|gpu| gpu.name.clone()));
    words.join(", ")
}

fn artifact_lines(commit: &Commit) -> Vec<String> {
    let row = |artifact: &crate::object::Artifact| {
        let content = &artifact.content;
        let mut place = escape::path(artifact.path.as_bytes());
        if artifact.name != artifact.path {
            place.push_str(&format!(" ({})", escape::line(&artifact.name)));
        }
        vec![
            content.kind.to_string(),
            units::count(content.files, "file"),
            units::bytes(content.bytes),
            content.id.short(),
            place,
        ]
    };
    let rows: Vec<Vec<String>> = commit.artifacts.iter().map(row).collect();
    units::columns(&rows, &[false, true, true, false, false])
}
