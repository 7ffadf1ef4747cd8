//! The fingerprint of something upstream: a file, an HTTP resource, or what a command prints.
//!
//! How it is made is specified in `docs/format/source.md`. HTTP is asked through `curl`, which
//! brings the proxies, certificates and `.netrc` of the machine: `docs/decisions/0009-curl.md`.

mod files;
mod http;

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::process::StartError;
use super::redact;
use super::trial::{self, Trial, TrialEnd, TrialError};
use crate::object::{IdHasher, ObjectId};
use crate::progress::{Progress, Stopped};

/// How long what a command has left running may hold its output after its end.
const DRAIN: Duration = Duration::from_secs(2);

/// Most bytes of a text for people.
const WORDS_BYTES_MAX: usize = 500;

/// What to ask.
#[derive(Debug, Clone, Copy)]
pub enum Upstream<'a> {
    /// A file, or a directory with all that is in it.
    File(&'a Path),
    /// The address of an HTTP resource.
    Http(&'a str),
    /// Program and arguments.
    Command(&'a [String]),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The fingerprint.
    pub id: ObjectId,
    /// What it was made from, for people; one line without secrets.
    pub evidence: Option<String>,
}

/// Why there is no fingerprint.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It is not there, or does not answer as it should: one line without secrets.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Asks for a fingerprint; `directory` is where a command starts and relative paths begin.
///
/// Shape: `timeout` is for HTTP and commands; a file is read as long as it takes. Errors: as above;
/// nothing is left running. Cost: reads files whole; memory is bounded whatever comes.
pub fn ask(
    upstream: Upstream<'_>,
    directory: &Path,
    timeout: Duration,
    progress: &Progress,
) -> Result<Answer, AskError> {
    match upstream {
        Upstream::File(path) => files::ask(&directory.join(path), progress),
        Upstream::Http(address) => http::ask(address, directory, timeout, progress),
        Upstream::Command(words) => ask_command(words, directory, timeout, progress),
    }
}

fn ask_command(
    words: &[String],
    directory: &Path,
    timeout: Duration,
    progress: &Progress,
) -> Result<Answer, AskError> {
    let nothing = std::fs::File::open("/dev/null").map_err(|error| broken(&error))?;
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let (input, without) = (nothing.as_fd(), "");
    let asked = Asked { words: &words, directory, timeout, input, without, progress };
    let mut hasher = IdHasher::new();
    let mut bytes: u64 = 0;
    let (ended, (hasher, bytes)) = asked.run(move |piece| match piece {
        Some(piece) => {
            hasher.update(piece);
            bytes += piece.len() as u64;
            None
        }
        None => Some((std::mem::take(&mut hasher), bytes)),
    })?;
    match ended.exit_code {
        Some(0) if bytes == 0 => Err(unreachable("the command printed nothing")),
        Some(0) => Ok(Answer { id: hasher.finish(), evidence: None }),
        Some(code) => Err(unreachable(&format!("the command ended with exit code {code}"))),
        None => Err(too_long(timeout)),
    }
}

/// A program that is asked for something.
struct Asked<'a> {
    words: &'a [OsString],
    directory: &'a Path,
    timeout: Duration,
    input: BorrowedFd<'a>,
    /// What to do where there is no such program.
    without: &'static str,
    progress: &'a Progress,
}

impl Asked<'_> {
    /// Runs it to its end. `take` gets what it prints, piece by piece, and then nothing, for which
    /// it gives what came of it.
    fn run<T: Send + 'static>(
        &self,
        mut take: impl FnMut(Option<&[u8]>) -> Option<T> + Send + 'static,
    ) -> Result<(TrialEnd, T), AskError> {
        let (mut output, writer) = io::pipe().map_err(|error| broken(&error))?;
        let (sender, receiver) = mpsc::channel();
        // Not waited for: what the program leaves running may hold the other end for ever.
        let reader = std::thread::Builder::new().spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            loop {
                match output.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => drop(take(buffer.get(..count))),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
            let _nobody_waits = take(None).map(|taken| sender.send(taken));
        });
        reader.map_err(|error| broken(&error))?;
        let trial = Trial {
            variables: &[],
            command: self.words,
            directory: self.directory,
            timeout: Some(self.timeout),
            is_alone: false,
            input: Some(self.input),
            output: writer.as_fd(),
        };
        let ended = trial::run(&trial, &|| self.progress.check().is_err());
        drop(writer);
        self.progress.check()?;
        let ended = ended.map_err(|error| match error {
            TrialError::Start(StartError::NotFound { name }) => {
                unreachable(&format!("the program is not found, name={name:?}{}", self.without))
            }
            TrialError::Start(error) => unreachable(&error.to_string()),
            TrialError::Wait(error) => broken(&error),
        })?;
        let taken = receiver.recv_timeout(DRAIN).map_err(|_| match ended.exit_code {
            None => too_long(self.timeout),
            Some(_) => unreachable("something that the command started still holds its output"),
        })?;
        Ok((ended, taken))
    }
}

/// Makes what came from outside one short line without secrets.
fn words(text: &str) -> String {
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = redact::text(&line);
    let mut end = line.len().min(WORDS_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or_default().to_owned()
}

fn unreachable(why: &str) -> AskError {
    AskError::Unreachable(words(why))
}

fn broken(error: &io::Error) -> AskError {
    unreachable(&format!("the system refuses: {error}"))
}

fn too_long(timeout: Duration) -> AskError {
    unreachable(&format!("no answer within {} s", timeout.as_secs_f64()))
}

#[cfg(test)]
#[path = "upstream_tests.rs"]
mod tests;
