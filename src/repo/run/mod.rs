//! One execution, watched and recorded: inputs before, output meanwhile, results after.
//!
//! Before the command starts, `begin` stages what it reads and writes down what the record needs;
//! after it, `finish` records, for a run that was recovered as well.

mod apart;
mod begin;
mod code;
mod finish;
mod inputs;
mod known;
mod lookup;
mod name;
mod observed;
mod outputs;
mod take;
mod unfinished;
mod values;

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::{Error, OverlapReport, Repository};
use crate::capture::environment::Variables;
use crate::capture::process::{self, Ended, Log, ProcessRequest, TraceRequest};
use crate::capture::redact::{KnownSecrets, LogRedactor};
use crate::object::{Commit, ObjectId, Timestamp, TreePath};
use crate::progress::Progress;
use crate::worktree::run_folder::{RunFolder, RunLog, RunState};
use crate::worktree::{local, stamps};

pub use crate::capture::trace::keep_calls_going;
pub(super) use name::Chance;
pub use unfinished::{RecoverReport, UnfinishedRun, run_recover, runs_unfinished};

/// Says what to run, and what is known of it.
#[derive(Debug)]
pub struct RunRequest<'a> {
    /// Its name; one is made where none is given.
    pub name: Option<String>,
    /// What it reads.
    pub inputs: Vec<TreePath>,
    /// What it writes.
    pub outputs: Vec<TreePath>,
    /// Parameters, each `NAME=VALUE`.
    pub params: Vec<String>,
    /// Files of parameters.
    pub params_files: Vec<TreePath>,
    /// Files of metrics.
    pub metrics_files: Vec<TreePath>,
    /// Why; may be empty.
    pub message: String,
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Where to start it, absolute, in the worktree.
    pub directory: PathBuf,
    /// Whether the branch moves to the run if nobody moved it meanwhile.
    pub advances: bool,
    /// Whether a run that is recorded already, with the same inputs, command and parameters, and
    /// that succeeded, is not run again.
    pub skips_known: bool,
    /// The command as typed, for the journal.
    pub journal: String,
    /// Where its output goes.
    pub output: BorrowedFd<'a>,
    /// Where its errors go.
    pub error: BorrowedFd<'a>,
    /// Whether the files that it opens are to be seen.
    pub traces: bool,
    /// Program and arguments of whoever calls [`keep_calls_going`], for that.
    pub keeper: Vec<OsString>,
}

/// Tells what was recorded.
#[derive(Debug)]
pub struct RunReport {
    /// The commit.
    pub id: ObjectId,
    /// Its record, which has a run.
    pub commit: Commit,
    /// Name of the run, without `runs/`.
    pub name: String,
    /// The branch that stands on it now; none if it is a sibling of what the branch stands on.
    pub branch: Option<String>,
    /// Why no branch stands on it.
    pub sibling: Option<Sibling>,
    /// The journal entry.
    pub number: u64,
    /// Outputs and files of values that were declared and are not there.
    pub missing: Vec<String>,
    /// What else a person should know.
    pub notes: Vec<String>,
    /// What the splits of the data share, if there are two.
    pub overlaps: Option<OverlapReport>,
    /// What the command exited with; none where nobody saw it.
    pub exit_code: Option<u8>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// Why a run stays beside the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sibling {
    /// It was asked for.
    Wanted,
    /// No branch was checked out.
    Detached,
    /// The command did not succeed.
    Failed,
    /// The branch, the head or the stage is no longer what it was when the run began.
    Moved,
}

/// A run, or why there was none.
#[derive(Debug)]
pub enum Ran {
    /// It ran, and is recorded.
    Recorded(Box<RunReport>),
    /// One like it is recorded already.
    Known(Box<(ObjectId, Commit)>),
}

/// Runs a command and records it.
///
/// Shape: recorded whatever it exits with. Errors: before it starts, nothing is recorded but what
/// was staged; after it, the run stays unfinished and [`run_recover`] records it.
pub fn run(
    repository: &Repository,
    request: &RunRequest<'_>,
    progress: &Progress,
) -> Result<Ran, Error> {
    let begun = match begin::begin(repository, request, progress)? {
        Beginning::Begun(begun) => begun,
        Beginning::Known(known) => return Ok(Ran::Known(known)),
    };
    let Begun { folder, id, state, mut notes } = *begun;
    let temporaries = local::temporaries(&repository.location.folder);
    let moment = stamps::moment(&temporaries)
        .map_err(|error| Error::io("make a temporary file", &temporaries, error))?;
    let ended = match execute(repository, request, &folder, &id, &mut notes) {
        Ok(ended) => ended,
        Err(error) => {
            // Nothing ran: nothing to record.
            folder.remove()?;
            return Err(error);
        }
    };
    if !folder.path().is_dir() {
        return Err(gone(repository, &ended));
    }
    if ended.left_running {
        notes.push("something that the command started still runs and holds its output".to_owned());
    }
    // A clock that went backwards must not make an end before its beginning.
    let at = repository.clock.now().max(state.started);
    let outcome = Outcome { ended: Some((at, ended)), moment, notes };
    // A Ctrl-C was meant for the command: what it left behind is recorded all the same.
    let report = finish::finish(repository, &state, folder, outcome, &Progress::default())?;
    Ok(Ran::Recorded(Box::new(report)))
}

/// Whether a run can start, or need not.
enum Beginning {
    Begun(Box<Begun>),
    Known(Box<(ObjectId, Commit)>),
}

/// A run that can start.
struct Begun {
    folder: RunFolder,
    id: String,
    state: RunState,
    notes: Vec<String>,
}

/// How the command ended, as far as somebody saw it.
struct Outcome {
    ended: Option<(Timestamp, Ended)>,
    /// When it was about to start, in nanoseconds by the clock of the worktree's file system.
    moment: i64,
    notes: Vec<String>,
}

fn execute(
    repository: &Repository,
    request: &RunRequest<'_>,
    folder: &RunFolder,
    id: &str,
    notes: &mut Vec<String>,
) -> Result<Ended, Error> {
    let path = |path: &Path| path.as_os_str().to_owned();
    let variables = [
        ("PROVENANCE_RUN_ID", OsString::from(id)),
        ("PROVENANCE_RUN_DIR", path(folder.path())),
        ("PROVENANCE_PARAMS", path(&folder.params())),
        ("PROVENANCE_METRICS", path(&folder.metrics())),
    ];
    let trace = TraceRequest { root: &repository.location.root, keeper: &request.keeper };
    let trace = request.traces.then_some(trace);
    let process = ProcessRequest {
        command: &request.command,
        directory: &request.directory,
        variables: &variables,
        output: request.output,
        error: request.error,
        trace,
        ends_all: false,
    };
    folder.share_lock()?;
    let mut log = KeptLog::new(folder.open_log()?);
    let ended = process::run(&process, &mut log)?;
    if !log.finish() {
        notes.push("the disk did not take all of what the command printed".to_owned());
    }
    Ok(ended)
}

/// The log of a run, in its folder, without secrets.
struct KeptLog {
    file: RunLog,
    redactor: LogRedactor,
    redacted: Vec<u8>,
}

impl KeptLog {
    fn new(file: RunLog) -> Self {
        let known = KnownSecrets::of_variables(Variables::of_this_program().iter());
        Self { file, redactor: LogRedactor::with_known(known), redacted: Vec::new() }
    }

    /// Writes what was held back; tells whether the disk took all of it.
    fn finish(self) -> bool {
        let Self { mut file, redactor, mut redacted } = self;
        redacted.clear();
        redactor.finish(&mut redacted);
        file.append(&redacted);
        file.is_whole()
    }
}

impl Log for KeptLog {
    fn keep(&mut self, bytes: &[u8]) {
        self.redacted.clear();
        self.redactor.push(bytes, &mut self.redacted);
        self.file.append(&self.redacted);
    }
}

/// Says that the command took away what its record was to go into.
fn gone(repository: &Repository, ended: &Ended) -> Error {
    let (path, code) = (&repository.location.folder, ended.exit_code);
    Error::Corrupt(format!(
        "the folder of the repository or of this run was deleted while the command ran, so nothing \
         is recorded; the command ended with {code}, path={path:?}"
    ))
}

/// Spells a path for the record, which holds text alone.
fn text(path: &TreePath) -> String {
    String::from_utf8_lossy(path.as_bytes()).into_owned()
}
