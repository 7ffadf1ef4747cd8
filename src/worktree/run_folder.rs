//! The folder of one run that is under way: its state, its log, and what it writes for us.
//!
//! Specified in `docs/format/run-state.md`. Whether the process that runs it still lives is told by
//! its lock, which the system lets go with the process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::local::LocalError;
use super::lock::{LockError, WorktreeLock};
use super::{atomic, local, open};
use crate::format::layout;
use crate::format::run_record::RECORD_BYTES_MAX;
pub use crate::format::run_record::RunRecord;
pub use crate::format::run_state::RunState;
use crate::format::run_state::STATE_BYTES_MAX;
use crate::listing;
use crate::object::{DecodeError, ObjectId};

const LOCK: &str = "lock";
const STATE: &str = "state";
const RECORD: &str = "record";
const LOG: &str = "log";
const PARAMS: &str = "params.jsonl";
const METRICS: &str = "metrics.jsonl";
const ENVIRONMENT: &str = "environment.json";

/// Longest description of what a run runs in, bytes.
const ENVIRONMENT_BYTES_MAX: u64 = 16 << 20;

/// A run's folder, which nobody else uses while this lives.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    temporaries: PathBuf,
    lock: WorktreeLock,
}

/// The log of a run under way.
#[derive(Debug)]
pub struct RunLog {
    file: File,
    is_whole: bool,
}

impl RunLog {
    /// Appends what was printed. What the disk does not take must not stop the command.
    pub fn append(&mut self, bytes: &[u8]) {
        self.is_whole &= self.file.write_all(bytes).is_ok();
    }

    /// Tells whether all of it was taken.
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }
}

/// A run that was found.
#[derive(Debug)]
pub struct FoundRun {
    /// Its id, the name of its folder.
    pub id: String,
    /// Its folder, if we and the command are gone; `None` while one of both lives.
    pub folder: Option<RunFolder>,
    /// What it needs to be recorded.
    pub state: Result<RunState, LocalError>,
}

impl RunFolder {
    /// Makes the folder of a new run, with its state, durably.
    pub fn make(
        repository: &Path,
        id: &str,
        state: &[u8],
        environment: &[u8],
    ) -> Result<Self, LocalError> {
        let made = Self::make_unrecorded(repository, id)?;
        let failed = |source| LocalError::Read { path: made.path.clone(), source };
        if !environment.is_empty() {
            atomic::replace(&made.path.join(ENVIRONMENT), environment, &made.temporaries)?;
        }
        atomic::replace(&made.path.join(STATE), state, &made.temporaries)?;
        // The names of the folder itself, and of the one around it the first time.
        for folder in [&repository.join(layout::RUNS), repository] {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(made)
    }

    /// Makes the folder of an execution that nobody records: it has no state.
    pub fn make_unrecorded(repository: &Path, id: &str) -> Result<Self, LocalError> {
        let path = repository.join(layout::RUNS).join(id);
        let failed = |source| LocalError::Read { path: path.clone(), source };
        fs::create_dir_all(&path).map_err(failed)?;
        let temporaries = local::temporaries(repository);
        let lock = WorktreeLock::make_held(&path.join(LOCK), &temporaries)
            .map_err(|error| locked(&path, error))?;
        for name in [LOG, PARAMS, METRICS] {
            File::create(path.join(name)).map_err(failed)?;
        }
        Ok(Self { path, temporaries, lock })
    }

    /// Finds all runs of a worktree that are not recorded, the oldest first.
    pub fn find_all(repository: &Path) -> Result<Vec<FoundRun>, LocalError> {
        let folder = repository.join(layout::RUNS);
        let temporaries = local::temporaries(repository);
        let ids = ids(&folder)?.into_iter();
        ids.filter_map(|id| Self::find(&folder, &temporaries, id).transpose()).collect()
    }

    /// Reads what the command runs in; nothing where that is not known.
    pub fn load_environment(&self) -> Result<Vec<u8>, LocalError> {
        match read(&self.path.join(ENVIRONMENT), ENVIRONMENT_BYTES_MAX) {
            Err(error) if error.is_absent() || is_no_file(&error) => Ok(Vec::new()),
            bytes => bytes,
        }
    }

    /// Gives what was staged when the runs began that are not recorded: a collection keeps it.
    pub fn trees(repository: &Path) -> Result<Vec<ObjectId>, LocalError> {
        let folder = repository.join(layout::RUNS);
        let mut trees = Vec::new();
        for id in ids(&folder)? {
            match load_state(&folder.join(id).join(STATE)) {
                Ok(state) => {
                    trees.push(state.tree);
                    trees.extend(state.code.and_then(|code| code.changes));
                }
                // It is recorded by now, or has not started.
                Err(error) if error.is_absent() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(trees)
    }

    /// Finds one; `None` for one that is not made yet, or is recorded by now.
    fn find(folder: &Path, temporaries: &Path, id: String) -> Result<Option<FoundRun>, LocalError> {
        let path = folder.join(&id);
        let (lock_path, state_path) = (path.join(LOCK), path.join(STATE));
        let lock = take(&lock_path, &state_path, temporaries);
        let Some(lock) = lock.map_err(|error| locked(&path, error))? else { return Ok(None) };
        // Somebody else may just have recorded the run, and removed what we opened.
        if !lock_path.exists() {
            return Ok(None);
        }
        let state = load_state(&state_path);
        let temporaries = temporaries.to_owned();
        let folder = lock.map(|lock| Self { path, temporaries, lock });
        Ok(Some(FoundRun { id, folder, state }))
    }

    /// Says as what the run is about to be recorded, durably.
    pub fn save_record(&self, record: &RunRecord) -> Result<(), LocalError> {
        let path = self.path.join(RECORD);
        Ok(atomic::replace(&path, record.encode().as_bytes(), &self.temporaries)?)
    }

    /// Tells as what the run was about to be recorded, if it had come so far.
    pub fn load_record(&self) -> Result<Option<RunRecord>, LocalError> {
        let path = self.path.join(RECORD);
        let bytes = match read(&path, RECORD_BYTES_MAX as u64 + 1) {
            Err(error) if error.is_absent() => return Ok(None),
            bytes => bytes?,
        };
        let record = RunRecord::decode(&bytes);
        record.map(Some).map_err(|source| LocalError::Damaged { path, source })
    }

    /// Lets the command hold the run's lock too: one that outlives us is still under way.
    pub fn share_lock(&self) -> Result<(), LocalError> {
        let path = self.path.join(LOCK);
        self.lock.share().map_err(|source| LocalError::Read { path, source })
    }

    /// The folder itself, for the command.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file into which the command writes parameters.
    pub fn params(&self) -> PathBuf {
        self.path.join(PARAMS)
    }

    /// The file into which the command writes metrics.
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// Opens the log.
    pub fn open_log(&self) -> Result<RunLog, LocalError> {
        let path = self.path.join(LOG);
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        let file = opened.map_err(|source| LocalError::Read { path, source })?;
        Ok(RunLog { file, is_whole: true })
    }

    /// Reads the log: all of it, or its beginning and its end where it is longer than `bytes_max`.
    ///
    /// Shape: between them a line that says how much was left out.
    pub fn load_log(&self, bytes_max: usize) -> Result<Vec<u8>, LocalError> {
        let path = self.path.join(LOG);
        let failed = |source| LocalError::Read { path: path.clone(), source };
        let mut file = match open::own_file(&path).map_err(failed) {
            Err(error) if error.is_absent() || is_no_file(&error) => return Ok(Vec::new()),
            file => file?,
        };
        shorten(&mut file, bytes_max as u64).map_err(failed)
    }

    /// Removes the folder: the run is recorded.
    ///
    /// Shape: the state goes first, so that what a kill leaves is no run any more.
    pub fn remove(self) -> Result<(), LocalError> {
        let removed = match fs::remove_file(self.path.join(STATE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => listing::remove_all(&self.path),
        };
        removed.map_err(|source| LocalError::Read { path: self.path.clone(), source })
    }
}

/// Takes the lock of a run if it is free; gives nothing at all where there is no run.
///
/// Shape: the lock comes before the state and goes after it. So of a run that is made or removed
/// meanwhile one of two looks finds the lock, or no state. Otherwise somebody deleted the lock.
#[expect(clippy::option_option, reason = "no run is something else than a run under way")]
fn take(
    lock: &Path,
    state: &Path,
    temporaries: &Path,
) -> Result<Option<Option<WorktreeLock>>, LockError> {
    for _ in 0..2 {
        match WorktreeLock::try_take_existing(lock) {
            Err(error) if error.is_absent() && !state.exists() => return Ok(None),
            Err(error) if error.is_absent() => {}
            taken => return taken.map(Some),
        }
    }
    WorktreeLock::make_held(lock, temporaries).map(|held| Some(Some(held)))
}

/// Lists the folders of runs, the oldest first.
fn ids(folder: &Path) -> Result<Vec<String>, LocalError> {
    let failed = |source| LocalError::Read { path: folder.to_owned(), source };
    let entries = match listing::entries(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.name;
        ids.extend(name.into_string().ok().filter(|name| folder.join(name).is_dir()));
    }
    ids.sort();
    Ok(ids)
}

fn shorten(file: &mut File, bytes_max: u64) -> io::Result<Vec<u8>> {
    use std::io::{Seek as _, SeekFrom};
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if length <= bytes_max {
        file.take(bytes_max).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    // Room for the line between.
    let half = (bytes_max / 2).saturating_sub(64);
    file.take(half).read_to_end(&mut bytes)?;
    let left_out = length - 2 * half;
    writeln!(bytes, "\n[provenance: {left_out} bytes of the log are left out here]")?;
    file.seek(SeekFrom::Start(length - half))?;
    file.take(half).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn load_state(path: &Path) -> Result<RunState, LocalError> {
    let bytes = read(path, STATE_BYTES_MAX as u64 + 1)?;
    RunState::decode(&bytes)
        .map_err(|source: DecodeError| LocalError::Damaged { path: path.to_owned(), source })
}

/// Tells whether the command has put something else in the place of a file, such as a pipe.
fn is_no_file(error: &LocalError) -> bool {
    matches!(error, LocalError::Read { source, .. } if source.kind() == io::ErrorKind::InvalidData)
}

/// Reads a file, at most `bytes_max` of it.
fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, LocalError> {
    let failed = |source| LocalError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = open::own_file(path).map_err(failed)?;
    file.take(bytes_max).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn locked(path: &Path, error: LockError) -> LocalError {
    let source = match error {
        LockError::Io { source, .. } => source,
        LockError::Busy | LockError::Interrupted(_) => io::ErrorKind::ResourceBusy.into(),
    };
    LocalError::Read { path: path.join(LOCK), source }
}
