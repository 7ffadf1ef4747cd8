//! Parse, run, exit code; nothing else.

use std::process::ExitCode;

use provenance::cli;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(typed) => cli::run(typed),
        Err(answered) => answered,
    }
}
