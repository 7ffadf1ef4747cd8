//! `keep-calls`: what `run --trace` starts beside a command, and nobody else.

use std::ffi::OsString;
use std::os::fd::AsFd as _;

use super::{Context, Exit, Outcome};
use crate::repo;

/// Let calls through that stop for a trace whose watcher is gone; for `run --trace` alone
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Gives the words that start it: this program, even if its file is another by now.
pub fn words() -> Vec<OsString> {
    ["/proc/self/exe", "keep-calls"].map(OsString::from).into()
}

/// Lets them through until nothing is left that stops.
pub fn run(_args: &Args, _context: &Context) -> Outcome {
    let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    repo::keep_calls_going(input.as_fd(), output.as_fd(), error.as_fd())?;
    Ok(Exit::Ok)
}
