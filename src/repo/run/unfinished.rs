//! Runs that are under way, and those whose process or machine died before they were recorded.

use super::{Outcome, RunReport, finish};
use crate::object::Timestamp;
use crate::progress::Progress;
use crate::repo::ref_name::RefKind;
use crate::repo::{Error, Repository};
use crate::worktree::run_folder::{FoundRun, RunFolder, RunState};

/// A run that is not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// Its id.
    pub id: String,
    /// Its name, or the beginning of one.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// When it began.
    pub started: Timestamp,
    /// Whether the process that runs it, or the command itself, still lives.
    pub is_alive: bool,
}

/// What became of the runs that were to be recovered.
#[derive(Debug, Default)]
pub struct RecoverReport {
    /// What was recorded.
    pub recorded: Vec<RunReport>,
    /// Names of runs that turned out to be recorded: whoever did so had only not tidied up.
    pub known: Vec<String>,
    /// Ids of runs that never started: nothing was to be recorded of them.
    pub dropped: Vec<String>,
}

/// Lists the runs of this worktree that are not recorded, the oldest first.
pub fn runs_unfinished(repository: &Repository) -> Result<Vec<UnfinishedRun>, Error> {
    let mut runs = Vec::new();
    for found in RunFolder::find_all(&repository.location.folder)? {
        let is_alive = found.folder.is_none();
        // One that has no state yet has not started.
        let Some(state) = started(found.state)? else { continue };
        let RunState { name, command, started, .. } = state;
        runs.push(UnfinishedRun { id: found.id, name, command, started, is_alive });
    }
    Ok(runs)
}

/// Records runs whose process died: all of them, or that of one id.
///
/// Shape: how such a run ended is not known, so its record says neither when nor how. What it
/// had written so far is recorded. Errors: an id that is none; one that is still under way.
pub fn run_recover(
    repository: &Repository,
    id: Option<&str>,
    progress: &Progress,
) -> Result<RecoverReport, Error> {
    let mut report = RecoverReport::default();
    let mut is_known = id.is_none();
    for FoundRun { id: found, folder, state } in RunFolder::find_all(&repository.location.folder)? {
        if id.is_some_and(|id| id != found) {
            continue;
        }
        is_known = true;
        let Some(folder) = folder else {
            if id.is_some() {
                return Err(Error::Conflict(format!("the run is still under way, id={found}")));
            }
            continue;
        };
        let Some(state) = started(state)? else {
            folder.remove()?;
            report.dropped.push(found);
            continue;
        };
        if let Some(name) = recorded_name(repository, &folder)? {
            folder.remove()?;
            report.known.push(name);
            continue;
        }
        let notes = vec!["nobody saw how it ended".to_owned()];
        let outcome = Outcome { ended: None, moment: 0, notes };
        report.recorded.push(finish::finish(repository, &state, folder, outcome, progress)?);
    }
    match is_known {
        true => Ok(report),
        false => {
            Err(Error::NotFound { what: "unfinished run", name: id.unwrap_or_default().to_owned() })
        }
    }
}

/// Gives the name under which a run is recorded already.
fn recorded_name(repository: &Repository, folder: &RunFolder) -> Result<Option<String>, Error> {
    let Some(record) = folder.load_record()? else { return Ok(None) };
    let stands = repository.refs()?.find(&mut repository.store.reader(), &record.name)?;
    Ok((stands == Some(record.id))
        .then(|| RefKind::Run.short_name(&record.name))
        .flatten()
        .map(str::to_owned))
}

/// Gives the state of a run that has one.
fn started(
    state: Result<RunState, crate::worktree::local::LocalError>,
) -> Result<Option<RunState>, Error> {
    match state {
        Err(error) if error.is_absent() => Ok(None),
        state => Ok(Some(state?)),
    }
}
