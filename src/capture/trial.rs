//! One execution of a test: only how it ended counts, and it ends in time.
//!
//! What is recorded of a run is `process`; here nothing is kept, and the test has our terminal.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::process::{ENDING_TICK, Ending, StartError, adopt, exit_code, start_error};

/// How often to look whether a test has ended.
const TICK: Duration = Duration::from_millis(5);

/// Says what to run.
#[derive(Debug)]
pub struct Trial<'a> {
    /// Program and arguments.
    pub command: &'a [OsString],
    /// Where to start it.
    pub directory: &'a Path,
    /// Variables that it gets beside those of this process.
    pub variables: &'a [(&'a str, OsString)],
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Whether nothing else that we have started runs: what has left its parent is the test's too.
    pub is_alone: bool,
    /// What it reads; what we read, if it is not given.
    pub input: Option<BorrowedFd<'a>>,
    /// Where its output goes.
    pub output: BorrowedFd<'a>,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialEnd {
    /// What it exited with, 128 + n after signal n; none if it took too long.
    pub exit_code: Option<u8>,
    /// How long it took.
    pub elapsed: Duration,
}

impl fmt::Display for TrialEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        match self.exit_code {
            Some(code) => write!(f, "exit {code} after {seconds:.1} s"),
            None => write!(f, "stopped after {seconds:.1} s"),
        }
    }
}

/// Why there is no end to tell.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It could not be waited for.
    #[error("the test cannot be waited for")]
    Wait(#[source] io::Error),
}

/// Runs a test to its end, or until `is_stopped` says so.
///
/// Shape: a test that takes too long, or is stopped, is asked to end with all that it started, and
/// killed 5 seconds later. Errors: it did not start.
pub fn run(trial: &Trial<'_>, is_stopped: &dyn Fn() -> bool) -> Result<TrialEnd, TrialError> {
    let program = trial.command.first().cloned().unwrap_or_default();
    let mut command = Command::new(&program);
    command.args(trial.command.iter().skip(1)).current_dir(trial.directory);
    command.envs(trial.variables.iter().map(|(name, value)| (name, value)));
    command.stdout(trial.output.try_clone_to_owned().map_err(TrialError::Wait)?);
    if let Some(input) = trial.input {
        command.stdin(input.try_clone_to_owned().map_err(TrialError::Wait)?);
    }
    adopt();
    let started = Instant::now();
    let mut child = command.spawn().map_err(|source| start_error(&program, source))?;
    let ended = |status: ExitStatus| TrialEnd {
        exit_code: Some(exit_code(status)),
        elapsed: started.elapsed(),
    };
    loop {
        let status = child.try_wait().map_err(TrialError::Wait)?;
        if is_stopped() {
            // Ctrl-C may have ended it already, and not what it has in the background.
            finish(Ending::of_all());
        } else if let Some(status) = status {
            return Ok(ended(status));
        } else if trial.timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
            finish(match trial.is_alone {
                true => Ending::of_all(),
                false => Ending::of(Pid::from_child(&child)),
            });
        } else {
            std::thread::sleep(TICK);
            continue;
        }
        child.wait().map_err(TrialError::Wait)?;
        return Ok(TrialEnd { exit_code: None, elapsed: started.elapsed() });
    }
}

fn finish(mut ending: Ending) {
    while !ending.is_over() {
        std::thread::sleep(ENDING_TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(script: &str, timeout: Option<Duration>) -> TrialEnd {
        let command = ["sh", "-c", script].map(OsString::from);
        let directory = Path::new("/");
        let output = std::io::stdout();
        let output = std::os::fd::AsFd::as_fd(&output);
        let trial = Trial {
            command: &command,
            directory,
            variables: &[],
            timeout,
            is_alone: false,
            input: None,
            output,
        };
        run(&trial, &|| false).expect("it starts")
    }

    #[test]
    fn a_test_ends_as_it_ends() {
        assert_eq!(trial("exit 3", None).exit_code, Some(3));
        assert_eq!(trial("kill -9 $$", None).exit_code, Some(137));
    }

    #[test]
    fn a_test_that_hangs_is_ended_with_all_that_it_started() {
        let late = Some(Duration::from_millis(200));
        let before = Instant::now();
        assert_eq!(trial("sleep 600 & sleep 600", late).exit_code, None);
        assert!(before.elapsed() < Duration::from_secs(300), "it was waited for");
    }

    /// What a test had started was killed as soon as the test itself had ended.
    #[test]
    fn what_a_test_started_has_time_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let [ready, done] = ["ready", "done"].map(|name| folder.path().join(name));
        let slow = format!(
            "trap 'sleep 0.5; echo > {}; exit' TERM; echo > {}; while :; do sleep 0.02; done",
            done.display(),
            ready.display()
        );
        let script = format!("sh -c \"{slow}\" & sleep 600");
        let late = Some(Duration::from_secs(3));
        assert_eq!(trial(&script, late).exit_code, None);
        assert!(ready.exists(), "it had no time to begin");
        assert!(done.exists(), "it was killed before it had ended");
    }
}
