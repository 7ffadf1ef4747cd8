//! `man DIR`, hidden: writes the man pages for `make man`.

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::args::Typed;
use super::{Context, Exit, Outcome};
use crate::repo::Error;

/// Write the man pages into a directory that is there
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to; pages of the same name are replaced
    dir: PathBuf,
}

/// Writes them.
pub fn run(args: &Args, _context: &Context) -> Outcome {
    clap_mangen::generate_to(Typed::command(), &args.dir)
        .map_err(|source| Error::io("write the man pages", &args.dir, source))?;
    Ok(Exit::Ok)
}
