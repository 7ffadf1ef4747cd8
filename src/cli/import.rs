//! `import --jsonl`: history from a stream of JSON Lines.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};

use super::{Context, Outcome, units};
use crate::repo::{
    self, DvcRequest, Error, ImportReport, ImportRequest, MlflowRequest, Repository,
};

/// Bytes that are read from a stream at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// Take history in that was recorded elsewhere
///
/// All of it becomes visible at once, at the end. Imported again, it adds nothing. With --json,
/// one document: commits, commits_known, objects, refs, refs_known, lines, transaction.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance export --jsonl --all | provenance -C copy import --jsonl -
  provenance import --jsonl runs.jsonl                    # written by a script of yours
  provenance import --jsonl runs.jsonl --files artifacts  # with the files that it names
  provenance import --jsonl theirs.jsonl --prefix their-  # branch main becomes their-main
  provenance import mlflow mlruns                         # the folder that MLflow writes
  provenance import dvc ../project                        # a git repository that DVC uses

A line that a script of yours writes may be as short as
  {\"record\":{\"run\":{\"name\":\"a\",\"started\":\"2026-07-31T09:30:00Z\"}}}
after a first line {\"schema\":\"provenance/exchange/v1\"}: docs/format/exchange.md.")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    /// Read JSON Lines from FILE, `-` for standard input
    #[arg(long, value_name = "FILE", required = true)]
    jsonl: Option<PathBuf>,
    /// Import what another tracker has written
    #[command(subcommand)]
    other: Option<Other>,
    /// Take files that are named by their paths from DIR
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Put PREFIX before the name of each branch, tag and run
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
}

/// Lists the trackers whose files are understood.
#[derive(Debug, clap::Subcommand)]
enum Other {
    /// Import the runs of a file store of MLflow
    ///
    /// Each run that has ended and is not deleted becomes runs/NAME-ID, with its parameters,
    /// metrics step by step and artifacts; what else MLflow knows is under the parameter `mlflow`.
    Mlflow {
        /// The folder, mostly called mlruns
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Put PREFIX before the name of each run
        #[arg(long, value_name = "PREFIX")]
        prefix: Option<String>,
    },
    /// Import the history of a git repository that DVC uses
    ///
    /// Each git commit that touches DVC's files becomes a commit of the branch dvc/NAME, with what
    /// DVC's cache has of its data, and each stage that it has run a run, runs/STAGE-COMMIT. The
    /// checkout is not touched. Imported again, what came since is added. With --json, one
    /// document: as import, and runs, contents, contents_absent.
    Dvc {
        /// The folder that has the folder .dvc
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Import the commits that REV reaches, or a range of them such as v1..main
        #[arg(long, value_name = "REV", default_value = "HEAD")]
        revision: String,
        /// Put PREFIX before the name of the branch and each run
        #[arg(long, value_name = "PREFIX")]
        prefix: Option<String>,
    },
}

/// Imports, and says what was new.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    match &args.other {
        Some(Other::Mlflow { directory, prefix }) => {
            return mlflow(&repository, directory, prefix.clone(), context);
        }
        Some(Other::Dvc { directory, revision, prefix }) => {
            let request = DvcRequest {
                directory: directory.clone(),
                revision: revision.clone(),
                prefix: prefix.clone(),
                command: context.command(),
            };
            return dvc(&repository, &request, context);
        }
        None => {}
    }
    let mut from = open(args.jsonl.as_deref().unwrap_or(Path::new("-")))?;
    let request = ImportRequest {
        from: &mut *from,
        files: args.files.clone(),
        prefix: args.prefix.clone(),
        leaves_moved: false,
        command: context.command(),
    };
    let report = context.watch(|progress| repo::import(&repository, request, progress))?;
    answer(&report, &[], context)
}

fn mlflow(
    repository: &Repository,
    directory: &Path,
    prefix: Option<String>,
    context: &Context,
) -> Outcome {
    let request =
        MlflowRequest { directory: directory.to_owned(), prefix, command: context.command() };
    let report = context.watch(|progress| repo::import_mlflow(repository, &request, progress))?;
    answer(&report.imported, &report.skipped, context)
}

fn dvc(repository: &Repository, request: &DvcRequest, context: &Context) -> Outcome {
    let report = context.watch(|progress| repo::import_dvc(repository, request, progress))?;
    let mut document = json(&report.imported, &report.skipped);
    document["runs"] = report.runs.into();
    document["contents"] = report.contents.into();
    document["contents_absent"] = report.contents_absent.into();
    let mut told = words(&report.imported);
    if report.imported.commits > 0 {
        let (runs, contents) =
            (units::count(report.runs, "run"), units::count(report.contents, "content"));
        told.push_str(&format!("; {runs} among the commits, {contents} from the cache of DVC"));
        if report.contents_absent > 0 {
            let absent = units::grouped(report.contents_absent);
            told.push_str(&format!(", {absent} not there and named by their md5 only"));
        }
    }
    tell(&document, &told, &report.skipped, context)
}

fn answer(report: &ImportReport, skipped: &[String], context: &Context) -> Outcome {
    tell(&json(report, skipped), &words(report), skipped, context)
}

/// Says what came in, and on standard error what did not.
fn tell(
    document: &serde_json::Value,
    told: &str,
    skipped: &[String],
    context: &Context,
) -> Outcome {
    let exit = context.print(|out| {
        if context.global.json {
            return Ok(out.json(document)?);
        }
        if !context.global.quiet {
            writeln!(out, "{told}")?;
        }
        Ok(())
    })?;
    for reason in skipped.iter().filter(|_| !context.global.json && !context.global.quiet) {
        super::print::note(context.stderr_paint(), "note: ", reason);
    }
    Ok(exit)
}

fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, std::io::stdin())));
    }
    let file = File::open(path).map_err(|error| Error::io("open the stream", path, error))?;
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, file)))
}

fn words(report: &ImportReport) -> String {
    let ImportReport { commits, commits_known, refs, refs_known, .. } = *report;
    if commits == 0 && refs == 0 {
        let known = units::count(commits_known, "commit");
        return format!(
            "Nothing new: {known} and {} here already",
            units::count(refs_known, "ref")
        );
    }
    let known = |count: u64| match count {
        0 => String::new(),
        count => format!(" ({} here already)", units::grouped(count)),
    };
    let (new, named) = (units::count(commits, "commit"), units::count(refs, "ref"));
    format!("Imported {new}{} and {named}{}", known(commits_known), known(refs_known))
}

fn json(report: &ImportReport, skipped: &[String]) -> serde_json::Value {
    serde_json::json!({
        "commits": report.commits,
        "commits_known": report.commits_known,
        "objects": report.objects,
        "refs": report.refs,
        "refs_known": report.refs_known,
        "lines": report.lines,
        "transaction": report.number,
        "skipped": skipped,
    })
}
