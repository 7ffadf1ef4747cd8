//! `run -- COMMAND`: runs a command and records what it read, wrote and said.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::ExitCode;

use signal_hook::consts::SIGINT;

use super::commit_text::branch_of;
use super::{Context, Exit, Failure, escape, keep_calls, print, run_text, split_text, units};
use crate::object::{Commit, ObjectId, Run, TreePath};
use crate::repo::{
    self, Error, Ran, RecoverReport, Repository, RunDeclaration, RunReport, RunRequest, Sibling,
};

/// Run a command and record it
///
/// Changed tracked files and the inputs are staged first; outputs are recorded afterwards. The exit
/// code is that of the command, or 3 if it succeeded and an output is missing. The run gets a name,
/// and the branch moves to it if the command succeeded and nobody moved the branch meanwhile.
///
/// The command finds in PROVENANCE_METRICS and PROVENANCE_PARAMS files to append lines of JSON to,
/// such as {\"step\": 1, \"loss\": 0.3}, and in PROVENANCE_RUN_ID and PROVENANCE_RUN_DIR who it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance run -i data -o model.pt -- python train.py
  provenance run --name lr-high -p lr=0.1 --metrics metrics.json -o out -- python train.py
  provenance run --no-advance -o out -- python train.py   # leave the branch where it is
  provenance run --trace -- python train.py              # see which files it reads and writes
  provenance run train                                   # what provenance.toml declares
  provenance run --recover                               # record runs that died half-way")]
pub struct Args {
    /// Name of the run; one is made up if none is given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it reads: a file or directory
    #[arg(short, long, value_name = "PATH")]
    input: Vec<PathBuf>,
    /// What it writes: a file or directory
    #[arg(short, long, value_name = "PATH")]
    output: Vec<PathBuf>,
    /// A parameter
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    param: Vec<String>,
    /// A file of parameters, read before: JSON, YAML or TOML
    #[arg(long, value_name = "FILE")]
    params: Vec<PathBuf>,
    /// A file of metrics, read afterwards: JSON, YAML, TOML, JSON Lines or CSV
    #[arg(long, value_name = "FILE")]
    metrics: Vec<PathBuf>,
    /// Why; given several times, each is a paragraph
    #[arg(short, long = "message", value_name = "MSG")]
    message: Vec<String>,
    /// Leave the branch where it is
    #[arg(long)]
    no_advance: bool,
    /// See which files the command opens, and record those of the worktree that it reads and writes
    /// and that are not ignored, declared or not; list those outside of it. Linux only
    #[arg(long)]
    trace: bool,
    /// Record runs whose process died before it could: all, or the one of ID
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    #[arg(conflicts_with_all = ["command", "input", "output", "name", "trace"])]
    recover: Option<String>,
    /// Run what provenance.toml declares as [run.DECLARED]; skipped if a run with the same inputs,
    /// command and parameters is recorded already
    #[arg(value_name = "DECLARED", conflicts_with_all = ["command", "recover"])]
    declared: Option<String>,
    /// Run what is declared even if a run like it is recorded
    #[arg(long, requires = "declared")]
    force: bool,
    /// The command
    #[arg(last = true, value_name = "COMMAND")]
    #[arg(required_unless_present_any = ["recover", "declared"])]
    command: Vec<OsString>,
}

fn key_and_value(word: &str) -> Result<String, String> {
    match word.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => Ok(word.to_owned()),
        _ => Err("is written KEY=VALUE".to_owned()),
    }
}

/// Runs it; the answer is the command's exit code.
pub fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let repository = context.repository()?;
    if let Some(id) = &args.recover {
        let id = Some(id.as_str()).filter(|id| !id.is_empty());
        let report = context.watch(|progress| repo::run_recover(&repository, id, progress))?;
        return recovered(context, &report);
    }
    let place = context.place(&repository)?;
    let (out, error) = (std::io::stdout(), std::io::stderr());
    // An answer in JSON has standard output for itself.
    let output = if context.global.json { error.as_fd() } else { out.as_fd() };
    for (what, typed) in [("input", &args.input), ("output", &args.output)] {
        if !typed.is_empty() && place.resolve(&repository, typed)?.is_empty() {
            let text = format!("the whole worktree is no {what}: name files or directories in it");
            return Err(Error::Usage(text).into());
        }
    }
    let mut request = RunRequest {
        name: args.name.clone(),
        inputs: place.resolve(&repository, &args.input)?,
        outputs: place.resolve(&repository, &args.output)?,
        params: args.param.clone(),
        params_files: place.resolve(&repository, &args.params)?,
        metrics_files: place.resolve(&repository, &args.metrics)?,
        message: args.message.join("\n\n"),
        command: args.command.clone(),
        directory: context.directory()?,
        advances: !args.no_advance,
        skips_known: false,
        journal: context.command(),
        output,
        error: error.as_fd(),
        traces: args.trace,
        keeper: keep_calls::words(),
    };
    if let Some(name) = &args.declared {
        declare(&mut request, &repository, repo::run_declared(&repository, name)?)?;
        request.skips_known = !args.force;
    }
    match repo::run(&repository, &request, &context.progress)? {
        Ran::Recorded(report) => {
            tell(context, &report)?;
            if report.signal == Some(SIGINT) {
                // A shell ends its loop only if it sees that Ctrl-C ended the command.
                let _ends = signal_hook::low_level::emulate_default_handler(SIGINT);
            }
            Ok(exit_of(&report))
        }
        Ran::Known(known) => tell_known(context, &known),
    }
}

/// Takes what is declared; what was typed counts more, or comes to it.
fn declare(
    request: &mut RunRequest<'_>,
    repository: &Repository,
    declared: RunDeclaration,
) -> Result<(), Failure> {
    let root = repository.location.root.clone();
    let paths = |declared: Vec<String>, typed: &[TreePath]| -> Result<Vec<TreePath>, Error> {
        let declared: Vec<PathBuf> = declared.into_iter().map(PathBuf::from).collect();
        let mut paths = repository.tree_paths(&root, &declared)?;
        paths.extend(typed.iter().cloned());
        paths.sort();
        paths.dedup();
        Ok(paths)
    };
    request.name.get_or_insert(declared.name);
    request.command = declared.command.into_iter().map(OsString::from).collect();
    request.inputs = paths(declared.inputs, &request.inputs)?;
    request.outputs = paths(declared.outputs, &request.outputs)?;
    request.params_files = paths(declared.params_files, &request.params_files)?;
    request.metrics_files = paths(declared.metrics_files, &request.metrics_files)?;
    request.params.splice(..0, declared.params);
    request.traces |= declared.traces;
    request.directory.clone_from(&root);
    Ok(())
}

/// Says that a run is recorded already.
fn tell_known(
    context: &Context,
    (known, commit): &(ObjectId, Commit),
) -> Result<ExitCode, Failure> {
    let name = commit.run.as_ref().map(|run| run.name.as_str()).unwrap_or_default();
    if context.global.json {
        let answer = serde_json::json!({
            "commit": known.to_record(), "run": name, "skipped": true,
        });
        context.print(|out| Ok(out.json(&answer)?))?;
    } else if !context.global.quiet {
        let id = known.short();
        say(&format!("skipped: run {name} ({id}) had the same inputs, command and parameters"));
        say("--force runs it again");
    }
    Ok(Exit::Ok.into())
}

/// Passes the command's exit code through; one that succeeded without its outputs has not.
fn exit_of(report: &RunReport) -> ExitCode {
    match report.exit_code {
        Some(0) if !report.missing.is_empty() => Exit::Partial.into(),
        Some(code) => ExitCode::from(code),
        None => Exit::Ok.into(),
    }
}

/// Tells what was recorded of runs that had died.
fn recovered(context: &Context, report: &RecoverReport) -> Result<ExitCode, Failure> {
    for run in &report.recorded {
        tell(context, run)?;
    }
    if context.global.json || context.global.quiet {
        return Ok(Exit::Ok.into());
    }
    for name in &report.known {
        say(&format!("run {name} was recorded already"));
    }
    if report.recorded.is_empty() && report.known.is_empty() {
        say("no run has died half-way: nothing to record");
    }
    Ok(Exit::Ok.into())
}

/// Tells what was recorded: on standard error, since the command has standard output.
fn tell(context: &Context, report: &RunReport) -> Result<(), Failure> {
    if context.global.json {
        context.print(|out| Ok(out.json(&json(report))?))?;
        return Ok(());
    }
    // An exit code that is no success is always explained.
    for path in &report.missing {
        say(&format!("missing: {path} was to be written, and is not there"));
    }
    if context.global.quiet {
        return Ok(());
    }
    for note in &report.notes {
        say(note);
    }
    split_text::warn(print::Paint::PLAIN, report.overlaps.as_ref());
    let place = match (&report.branch, report.sibling) {
        (Some(branch), _) => format!(", {} stands on it", branch_of(branch)),
        (None, Some(Sibling::Moved)) => {
            ", beside the branch: that, or what is staged, changed meanwhile".to_owned()
        }
        (None, Some(Sibling::Detached)) => ", and no branch is checked out".to_owned(),
        (None, Some(Sibling::Failed)) => ", beside the branch, since it did not succeed".to_owned(),
        (None, _) => ", beside the branch".to_owned(),
    };
    let what = report.commit.run.as_ref().map(summary).unwrap_or_default();
    say(&format!("recorded run {} as {}{place} ({what})", report.name, report.id.short()));
    Ok(())
}

/// Says how a run went, in a few words.
fn summary(run: &Run) -> String {
    let mut parts = vec![match run.exit_code {
        Some(code) => format!("exit {code}"),
        None => "nobody saw its end".to_owned(),
    }];
    parts.extend(run.resources.elapsed_ms.map(run_text::span));
    parts.extend(run.resources.memory_bytes_max.map(units::bytes));
    parts.push(units::count(run.inputs.len() as u64, "input"));
    parts.push(units::count(run.outputs.len() as u64, "output"));
    parts.join(", ")
}

fn say(words: &str) {
    let line = format!("provenance: {}\n", escape::line(words));
    let _nobody_listens = std::io::stderr().lock().write_all(line.as_bytes());
}

fn json(report: &RunReport) -> serde_json::Value {
    let sibling = report.sibling.map(|sibling| match sibling {
        Sibling::Wanted => "wanted",
        Sibling::Detached => "detached",
        Sibling::Failed => "failed",
        Sibling::Moved => "moved",
    });
    serde_json::json!({
        "commit": report.id.to_record(),
        "run": report.name,
        "branch": report.branch.as_deref().map(branch_of),
        "sibling": sibling,
        "transaction": report.number,
        "exit_code": report.exit_code,
        "missing": report.missing,
        "notes": report.notes,
        "overlaps": split_text::json(report.overlaps.as_ref()),
    })
}
