//! `init [DIR]`: an empty repository, kept out of the git checkout around it.

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::print::put_path;
use super::{Context, Outcome, escape};
use crate::repo::{self, InitRequest};

/// Make an empty repository
///
/// Inside a git checkout it also lists .provenance/ in .git/info/exclude, so that git leaves it
/// alone. On a directory that has a repository already, it changes nothing and says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance init                # here
  provenance init experiments    # in a directory, made if it is not there")]
pub struct Args {
    /// Where; here if not given
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// Says where it is.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let request = InitRequest { directory: args.dir.clone() };
    let report = repo::init(&request, context.clock()?)?;
    context.print(|out| {
        let folder = report.folder.as_os_str().as_bytes();
        if context.global.json {
            let mut object = serde_json::Map::new();
            put_path(&mut object, "folder", folder);
            object.insert("new".into(), report.is_new.into());
            if let Some(file) = &report.git_exclude {
                put_path(&mut object, "git_exclude", file.as_os_str().as_bytes());
            }
            return Ok(out.json(&object.into())?);
        }
        if context.global.quiet {
            return Ok(());
        }
        let what = if report.is_new { "Made an empty repository" } else { "There is a repository" };
        writeln!(out, "{what} in {}", escape::path(folder))?;
        if let Some(file) = &report.git_exclude {
            let file = escape::path(file.as_os_str().as_bytes());
            writeln!(out, "Git will leave it alone: it is listed in {file}")?;
        }
        Ok(())
    })
}
