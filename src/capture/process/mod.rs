//! One execution of a command, watched: its output passed through and kept, signals passed on,
//! and what it used up counted.
//!
//! Nothing is decided here about what is recorded; that is `repo/run`.

mod ending;
mod output;
mod passing;
mod usage;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub(super) use self::ending::{Ending, TICK as ENDING_TICK, adopt};
use self::output::{Outputs, Wired};
use self::passing::Passing;
use self::usage::Meter;
use self::usage::descendants;
use crate::capture::trace::{Opened, Trace};
use crate::object::Resources;

/// How long output is waited for after the command has ended, while something that it started
/// still holds the other end.
const DRAIN: Duration = Duration::from_millis(300);

/// How long to sleep at most where the kernel cannot say that a process has ended.
const TICK: Duration = Duration::from_millis(10);

/// Says what to run.
#[derive(Debug)]
pub struct ProcessRequest<'a> {
    /// Program and arguments.
    pub command: &'a [OsString],
    /// Where to start it.
    pub directory: &'a Path,
    /// Variables that it gets beside those of this process.
    pub variables: &'a [(&'a str, OsString)],
    /// Where its output goes.
    pub output: BorrowedFd<'a>,
    /// Where its errors go.
    pub error: BorrowedFd<'a>,
    /// How to see which files it opens, if that is wanted.
    pub trace: Option<TraceRequest<'a>>,
    /// Whether a signal that ends us ends it with all that it started; else it gets the signal.
    pub ends_all: bool,
}

/// Says how to see which files a command opens.
#[derive(Debug, Clone, Copy)]
pub struct TraceRequest<'a> {
    /// The worktree's root.
    pub root: &'a Path,
    /// Program and arguments of whoever calls [`super::trace::keep_calls_going`].
    pub keeper: &'a [OsString],
}

/// Gets everything that the command prints, in the order in which it came.
pub trait Log {
    /// Keeps some bytes.
    fn keep(&mut self, bytes: &[u8]);
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What it exited with; 128 + n after signal n.
    pub exit_code: u8,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it and everything it started used up.
    pub resources: Resources,
    /// Whether something that it started goes on and holds its output.
    pub left_running: bool,
    /// What it opened, if that was to be seen.
    pub opened: Option<Opened>,
}

/// Why a command did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error("the program is not found, name={name:?}")]
    NotFound {
        /// What was looked for.
        name: String,
    },
    /// It is there and cannot be executed.
    #[error("the program cannot be executed, name={name:?}")]
    NotExecutable {
        /// What was found.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not give us what it takes to watch it.
    #[error("the command cannot be watched")]
    Watch(#[from] io::Error),
    /// What it opens cannot be seen here.
    #[error("what the command opens cannot be seen: {reason}")]
    Trace {
        /// Why.
        reason: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs a command to its end.
///
/// Shape: its input is ours; output that goes to a terminal goes through a terminal of its own, so
/// that it looks the same. SIGTERM, SIGHUP and the like are passed on; Ctrl-C reaches it by the
/// terminal. With `ends_all` any of these has everything that was started asked to end, and killed
/// 5 seconds later. Errors: it did not start; nothing has happened then.
pub fn run(request: &ProcessRequest<'_>, log: &mut dyn Log) -> Result<Ended, StartError> {
    let started = Instant::now();
    let passing = Passing::catch()?;
    let meter = Meter::start();
    let (mut outputs, wired) = Outputs::open(request.output, request.error)?;
    let (mut child, trace) = spawn(request, wired)?;
    let pid = Pid::from_child(&child);
    let ended = pidfd_open(pid, PidfdFlags::empty()).ok();
    let ends_all = request.ends_all;
    let watched = Watched { child: &mut child, pid, ended, passing, meter, ends_all };
    let (status, meter) = watched.until_it_ends(&mut outputs, log)?;
    let left_running = outputs.drain(log, DRAIN);
    let mut resources = meter.finish();
    let opened = trace.map(Trace::finish);
    resources.elapsed_ms = Some(millis(started.elapsed()));
    let (exit_code, signal) = (exit_code(status), status.signal());
    Ok(Ended { exit_code, signal, resources, left_running, opened })
}

fn spawn(request: &ProcessRequest<'_>, wired: Wired) -> Result<(Child, Option<Trace>), StartError> {
    let program = request.command.first().cloned().unwrap_or_default();
    let mut command = Command::new(&program);
    command.args(request.command.iter().skip(1)).current_dir(request.directory);
    command.envs(request.variables.iter().map(|(name, value)| (name, value)));
    wired.into_command(&mut command);
    let (started, trace) = match request.trace {
        None => (command.spawn(), None),
        Some(TraceRequest { root, keeper }) => {
            let outputs = [request.output, request.error];
            let (trace, started) =
                Trace::start(command, root, keeper, outputs).map_err(|(refusal, source)| {
                    match refusal {
                        Some(refusal) => StartError::Trace { reason: refusal.words(), source },
                        None => StartError::Watch(source),
                    }
                })?;
            (started, Some(trace))
        }
    };
    let child = started.map_err(|source| start_error(&program, source))?;
    Ok((child, trace))
}

/// Sorts what the system said of a program that did not start.
pub(super) fn start_error(program: &OsStr, source: io::Error) -> StartError {
    let name = program.to_string_lossy().into_owned();
    match source.kind() {
        io::ErrorKind::NotFound => StartError::NotFound { name },
        _ => StartError::NotExecutable { name, source },
    }
}

/// A command that runs.
struct Watched<'c> {
    child: &'c mut Child,
    pid: Pid,
    /// Can be read once it has ended.
    ended: Option<OwnedFd>,
    passing: Passing,
    meter: Meter,
    ends_all: bool,
}

impl Watched<'_> {
    fn until_it_ends(
        mut self,
        outputs: &mut Outputs<'_>,
        log: &mut dyn Log,
    ) -> Result<(ExitStatus, Meter), StartError> {
        self.meter.sample(self.pid);
        let (mut status, mut ending) = (None, None);
        loop {
            let mut longest = self.meter.until_next();
            if self.ended.is_none() {
                longest = longest.min(TICK);
            }
            if ending.is_some() {
                longest = ENDING_TICK;
            }
            outputs.wait(log, self.ended.as_ref(), self.passing.woken(), longest)?;
            let is_ended_by_signal = self.passing.pass_on(self.pid, outputs, !self.ends_all);
            if is_ended_by_signal && self.ends_all && ending.is_none() {
                ending = Some(Ending::of_all());
            }
            // What it started is ended with it, also where it ends first.
            let is_over = ending.as_mut().is_none_or(Ending::is_over);
            if status.is_none() {
                status = self.child.try_wait()?;
            }
            if let Some(status) = status {
                // It says for ever that it has ended.
                self.ended = None;
                if is_over {
                    return Ok((status, self.meter));
                }
                continue;
            }
            self.meter.sample_if_due(self.pid);
        }
    }
}

/// Gives what a process exited with; 128 + n after signal n.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 1,
    };
    u8::try_from(code & 0xff).unwrap_or(u8::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "../process_tests.rs"]
mod tests;
