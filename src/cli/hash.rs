//! `hash FILE…`: the ids that files would get.

use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::print::put_path;
use super::{Context, Outcome, manifest};
use crate::repo::{self, HashRequest};

/// Print the id that a file would get, without storing it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance hash model.safetensors   # what `b3sum model.safetensors` prints
  provenance hash data/*.csv")]
pub struct Args {
    /// Files; - is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Prints a line per file, as `b3sum` does; files that cannot be read are named at the end.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let request = HashRequest { paths: args.files.clone() };
    let reports = context.watch(|progress| repo::hash_files(&request, progress))?;
    context.print(|out| {
        for report in &reports {
            let Ok((id, bytes)) = &report.outcome else { continue };
            let path = report.path.as_os_str().as_bytes();
            if context.global.json {
                let mut object = serde_json::Map::new();
                put_path(&mut object, "path", path);
                object.insert("id".into(), id.to_record().into());
                object.insert("bytes".into(), (*bytes).into());
                out.json(&object.into())?;
            } else {
                out.exact_line(&manifest::line(id, path))?;
            }
        }
        Ok(())
    })?;
    let failures = reports.into_iter().filter_map(|report| report.outcome.err());
    Ok(context.name_skipped(failures))
}
