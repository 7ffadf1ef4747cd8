//! One question to git: bounded in time and length, and without anything it could be made to run.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::capture::error::CaptureError;

/// Longest time for one answer.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Most bytes of an answer; ten million changed files.
const ANSWER_BYTES_MAX: u64 = 1 << 30;
/// Most bytes of a complaint.
const COMPLAINT_BYTES_MAX: u64 = 4096;

/// Settings that keep the configuration of a repository from naming programs.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.untrackedCache=keep",
    "protocol.allow=never",
    "submodule.recurse=false",
];

/// Variables under which git would look at something else than `root`, or read paths otherwise.
const REMOVED: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// Prepares a question to git about `root`.
pub fn prepared(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("--no-pager").args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    command.args(arguments).current_dir(root);
    for name in REMOVED {
        command.env_remove(name);
    }
    command.envs([
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("LC_ALL", "C"),
    ]);
    command
}

/// Asks git about `root`.
pub fn run(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, CaptureError> {
    run_with(root, arguments, None, TIME_MAX)
}

/// As [`run`], with an index of its own, and so much time.
pub(super) fn run_with(
    root: &Path,
    arguments: &[&str],
    index: Option<&Path>,
    time_max: Duration,
) -> Result<Vec<u8>, CaptureError> {
    let mut command = prepared(root, arguments);
    command.envs(index.map(|index| ("GIT_INDEX_FILE", index)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| match source.kind() {
        // The system says the same of a program and of a directory that is not there.
        ErrorKind::NotFound if !root.is_dir() => {
            let reason = "there is no such directory".to_owned();
            CaptureError::Git { root: root.to_path_buf(), reason }
        }
        ErrorKind::NotFound => CaptureError::GitMissing { root: root.to_path_buf() },
        _ => CaptureError::Git { root: root.to_path_buf(), reason: source.to_string() },
    })?;
    let collected = collect(child.stdout.take(), ANSWER_BYTES_MAX)
        .and_then(|answer| Ok((answer, collect(child.stderr.take(), COMPLAINT_BYTES_MAX)?)));
    let (answer, complaint) = match collected {
        Ok(both) => both,
        Err(error) => {
            stop(&mut child);
            let reason = format!("no thread reads its answer: {error}");
            return Err(CaptureError::Git { root: root.to_path_buf(), reason });
        }
    };
    let deadline = Instant::now() + time_max;
    let wait = |from: &Receiver<Vec<u8>>| {
        from.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    };
    let (answer, complaint) = (wait(&answer), wait(&complaint));
    let refuse =
        |reason: &str| CaptureError::Git { root: root.to_path_buf(), reason: reason.to_owned() };
    let (Ok(answer), Ok(complaint)) = (answer, complaint) else {
        stop(&mut child);
        return Err(refuse(&format!("git gave no answer within {} s", time_max.as_secs())));
    };
    if answer.len() as u64 > ANSWER_BYTES_MAX {
        stop(&mut child);
        return Err(refuse("git's answer is longer than a gigabyte"));
    }
    let ended = child.wait().map_err(|source| refuse(&source.to_string()))?;
    if ended.success() {
        return Ok(answer);
    }
    let complaint = String::from_utf8_lossy(&complaint).into_owned();
    if complaint.contains("dubious ownership") {
        return Err(CaptureError::GitOwner { root: root.to_path_buf() });
    }
    Err(refuse(complaint.lines().next().unwrap_or("git failed without a word")))
}

/// Reads a pipe on a thread of its own, so that neither of two can block the other.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    bytes_max: u64,
) -> std::io::Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before a failure is still an answer or a complaint.
            let _partial = pipe.by_ref().take(bytes_max + 1).read_to_end(&mut bytes);
        }
        let _nobody_waits = sender.send(bytes);
    })?;
    Ok(receiver)
}

fn stop(child: &mut Child) {
    // It may have ended by itself.
    let _gone = child.kill();
    let _reaped = child.wait();
}
