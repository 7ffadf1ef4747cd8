//! `reproduce COMMIT`: a recorded run once more, and whether the same comes out.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::{Context, Exit, Outcome, escape, reproduce_text, shell_word};
use crate::repo::{self, ReproduceRequest};

/// Run a recorded run again, and compare what comes out
///
/// The files that the run began with are written to a fresh directory, with the git commit and
/// the uncommitted code; the recorded command is executed there. Each output and metric is
/// identical, within the tolerance, or different; what the run finds different now (packages,
/// machine, variables, parameters, data) is listed. Nothing is recorded, and the worktree is left
/// alone. Exit code 0 only if everything matches, else 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance reproduce runs/first
  provenance reproduce --tolerance 0.005 runs/first
  provenance reproduce --keep again runs/first            # look at its files afterwards
  provenance reproduce --ignore seconds runs/first        # a metric that is never the same
TMPDIR says where the fresh directory is made; --keep names one.")]
pub struct Args {
    /// The commit of the run
    #[arg(value_name = "COMMIT")]
    commit: OsString,
    /// Use this directory, which is not there or empty, and leave it there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// How far a metric may be from its recorded value; absolute
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, hide_default_value = true)]
    #[arg(value_parser = distance)]
    tolerance: f64,
    /// A metric, or the path of an output, that need not be the same
    #[arg(long, value_name = "NAME")]
    ignore: Vec<String>,
    /// The command, where secrets in the recorded one were replaced
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn distance(word: &str) -> Result<f64, String> {
    let number: Result<f64, _> = word.parse();
    number
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| "is a number that is not negative".to_owned())
}

/// Runs it again.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let here = context.directory()?;
    let request = ReproduceRequest {
        target: args.commit.clone().into_vec(),
        keep: args.keep.as_ref().map(|path| here.join(path)),
        tolerance: args.tolerance,
        ignored: args.ignore.clone(),
        command: args.command.clone(),
    };
    let begun = context.watch(|progress| repo::reproduce_begin(&repository, &request, progress));
    let mut begun = begun?;
    let is_said = !context.global.quiet && !context.global.json;
    if is_said {
        begun.notes.iter().for_each(|note| say(note));
        let words: Vec<String> = begun.command().iter().map(|word| shell_word(word)).collect();
        say(&format!("{} in {:?}", words.join(" "), begun.directory()));
    }
    let (out, error) = (std::io::stdout(), std::io::stderr());
    // An answer in JSON has standard output for itself.
    let output = if context.global.json { error.as_fd() } else { out.as_fd() };
    begun.execute(output, error.as_fd(), &context.progress)?;
    let before = std::mem::take(&mut begun.notes);
    let report = context.watch(|progress| begun.finish(progress))?;
    if is_said {
        report.notes.iter().for_each(|note| say(note));
    }
    context.print(|out| match context.global.json {
        true => Ok(out.json(&reproduce_text::json(&report, &before))?),
        false if context.global.quiet => Ok(()),
        false => reproduce_text::words(out, &report),
    })?;
    Ok(if report.is_reproduced() { Exit::Ok } else { Exit::No })
}

fn say(words: &str) {
    let line = format!("provenance: {}\n", escape::line(words));
    let _nobody_listens = std::io::stderr().lock().write_all(line.as_bytes());
}
