//! `rm PATH…`: stops tracking files.

use std::io::Write as _;
use std::path::PathBuf;

use super::print::put_path;
use super::{Context, Exit, Outcome, print, units};
use crate::repo::Error;
use crate::repo::rm::{RmReport, RmRequest, rm};

/// Stop tracking files, and remove them
///
/// Refuses to remove what no commit holds, unless you give --force. What was committed stays in
/// the history.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance rm old.csv
  provenance rm -r --cached scratch/     # keep the files, only stop tracking them")]
pub struct Args {
    /// Files and directories
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Keep the files in the worktree
    #[arg(long)]
    cached: bool,
    /// Directories with all that is in them
    #[arg(short)]
    recursive: bool,
    /// Even if changes are lost
    #[arg(short, long)]
    force: bool,
    /// Say what would be removed, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Removes them.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let repository = context.repository()?;
    let place = context.place(&repository)?;
    let paths = place.resolve(&repository, &args.paths)?;
    if paths.is_empty() {
        let reason = "the whole worktree was named: name files and directories in it";
        return Err(Error::Usage(reason.to_owned()).into());
    }
    let request = RmRequest {
        paths,
        keeps_files: args.cached,
        is_recursive: args.recursive,
        is_forced: args.force,
        is_dry_run: args.dry_run,
    };
    let report = context.watch(|progress| rm(&repository, &request, progress))?;
    for (path, error) in &report.failures {
        print::note(
            context.stderr_paint(),
            "not removed: ",
            &format!("{}, still tracked: {error}", place.show(path.as_bytes())),
        );
    }
    let printed = context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&report))?);
        }
        if args.dry_run {
            for path in &report.removed {
                writeln!(out, "remove {}", place.show(path.as_bytes()))?;
            }
        } else if !context.global.quiet {
            let count = units::count(report.removed.len() as u64, "file");
            writeln!(out, "{count} no longer tracked")?;
        }
        Ok(())
    })?;
    Ok(if report.failures.is_empty() { printed } else { Exit::Partial })
}

fn json(report: &RmReport) -> serde_json::Value {
    let removed = report.removed.iter().map(|path| {
        let mut object = serde_json::Map::new();
        put_path(&mut object, "path", path.as_bytes());
        serde_json::Value::Object(object)
    });
    serde_json::json!({"removed": removed.collect::<serde_json::Value>()})
}
