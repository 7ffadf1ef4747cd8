//! After the command: what it wrote is taken in, and all of it is recorded in one journal entry.

use super::inputs::Artifacts;
use super::observed::{self, Observed};
use super::take::Taking;
use super::values::{self, Measured};
use super::{Outcome, RunReport, Sibling};
use crate::capture::process::Ended;
use crate::object::canonical::{Object, Value};
use crate::object::{
    Commit, Metric, Metrics, ObjectId, Params, Resources, Run, Timestamp, TreePath, Update,
};
use crate::progress::Progress;
use crate::repo::artifacts::artifacts_of;
use crate::repo::describe::describe;
use crate::repo::ref_name::RefKind;
use crate::repo::splits::OverlapReport;
use crate::repo::{Error, ErrorKind, Head, Repository};
use crate::store::{Transaction, merge};
use crate::worktree::local;
use crate::worktree::run_folder::{RunFolder, RunRecord, RunState};

/// Most bytes of a log that are recorded; of a longer one its beginning and its end. Bytes.
const LOG_BYTES_MAX: usize = 15 << 20;

/// Longest parameters or metrics that stay in the record, bytes of their JSON.
const VALUES_BYTES_MAX: usize = 256 << 10;

/// How often a name or a branch may be taken away before giving up.
const ATTEMPTS: u32 = 100;

/// Records a run, and removes its folder.
pub(super) fn finish(
    repository: &Repository,
    state: &RunState,
    folder: RunFolder,
    outcome: Outcome,
    progress: &Progress,
) -> Result<RunReport, Error> {
    let _lock = repository.lock(progress)?;
    let Outcome { ended, moment, mut notes } = outcome;
    let mut sibling = sibling(repository, state, ended.as_ref().map(|(_, ended)| ended))?;
    let is_beside = sibling.is_some();
    let taking = Taking { repository, folder: &folder, state, is_beside, progress };
    let mut tree = taking.declared(&mut notes)?;
    let (ended, opened) = match ended {
        Some((at, mut ended)) => {
            let opened = ended.opened.take();
            (Some((at, ended)), opened)
        }
        None => (None, None),
    };
    let mut observed = None;
    if let Some(opened) = opened {
        let mut reader = repository.store.reader();
        let seen = observed.insert(Observed::sort(&mut reader, state, opened, moment)?);
        tree = taking.observed(tree, seen, &mut notes)?;
    } else if state.trace {
        notes.push("the files that it opened are not known: who saw them is gone".to_owned());
    }

    let measured = values::measured(repository, state, &folder)?;
    notes.extend(measured.notes.iter().cloned());
    let mut missing = measured.missing.clone();
    let after = After { tree, measured, ended: ended.as_ref(), observed: observed.as_ref() };
    let Recorded { mut commit, overlaps, transaction } =
        record(repository, state, &folder, after, progress)?;
    let published = publish(repository, state, &folder, &mut commit, &mut sibling, transaction)?;
    if sibling == Some(Sibling::Moved)
        && local::load_stage(&repository.location.folder)? == Some(tree)
    {
        // Staged for a branch that somebody else has moved meanwhile.
        local::save_stage(&repository.location.folder, state.tree)?;
    }
    folder.remove()?;
    let _tidied_or_not = merge::tidy(&repository.store, &Progress::default());
    let run = commit.run.as_ref();
    missing.extend(run.map(missing_outputs).unwrap_or_default());
    if let Some((observed, trace)) = observed.zip(run.and_then(|run| run.trace)) {
        notes.extend(observed::notes(&observed, &trace, &missing));
    }
    Ok(RunReport {
        id: published.id,
        name: published.name,
        branch: state.branch.clone().filter(|_| sibling.is_none()),
        sibling,
        number: published.number,
        missing,
        notes,
        overlaps,
        exit_code: run.and_then(|run| run.exit_code),
        signal: ended.and_then(|(_, ended)| ended.signal),
        commit,
    })
}

fn missing_outputs(run: &Run) -> Vec<String> {
    let outputs = run.outputs.iter().filter(|output| output.content.is_none());
    outputs.map(|output| output.path.clone()).collect()
}

/// Tells whether the run stays beside the branch, and why.
fn sibling(
    repository: &Repository,
    state: &RunState,
    ended: Option<&Ended>,
) -> Result<Option<Sibling>, Error> {
    if !state.advance {
        return Ok(Some(Sibling::Wanted));
    }
    if ended.is_none_or(|ended| ended.exit_code != 0) {
        return Ok(Some(Sibling::Failed));
    }
    if state.branch.is_none() {
        return Ok(Some(Sibling::Detached));
    }
    let branch = match repository.head()? {
        Head::Branch(name) => Some(name),
        Head::Detached(_) => None,
    };
    let is_as_before = branch.is_some()
        && branch == state.branch
        && repository.head_commit()? == state.parent
        && repository.staged_tree(&mut repository.store.reader())? == state.tree;
    Ok((!is_as_before).then_some(Sibling::Moved))
}

/// What is known after the command has ended.
struct After<'a> {
    /// What is recorded: what was staged before, and what was taken in.
    tree: ObjectId,
    measured: Measured,
    ended: Option<&'a (Timestamp, Ended)>,
    observed: Option<&'a Observed>,
}

/// Makes the record; what belongs to it is in the transaction.
fn record<'s>(
    repository: &'s Repository,
    state: &RunState,
    folder: &RunFolder,
    after: After<'_>,
    progress: &Progress,
) -> Result<Recorded<'s>, Error> {
    let After { tree, measured, ended, observed } = after;
    let mut reader = repository.store.reader();
    let transaction = repository.store.transaction()?;
    let log = folder.load_log(LOG_BYTES_MAX)?;
    let log = match log.is_empty() {
        true => None,
        false => Some(transaction.put_attachment(&log)?),
    };
    let found = Artifacts { state, tree: &tree, observed };
    let (inputs, outputs) = (found.inputs(&mut reader)?, found.outputs(&mut reader)?);
    let output_paths = outputs.iter().filter_map(|output| TreePath::new(output.path.as_str()).ok());
    let output_paths: Vec<TreePath> = output_paths.collect();
    let trace = match observed {
        None => None,
        Some(observed) => {
            let (files, trace) = observed.record()?;
            transaction.put_attachment(&files)?;
            Some(trace)
        }
    };
    let run = Run {
        name: state.name.clone(),
        command: state.command.clone(),
        directory: state.directory.clone(),
        started: state.started,
        ended: ended.map(|(at, _)| *at),
        exit_code: ended.map(|(_, ended)| ended.exit_code),
        params: attach_params(&transaction, measured.params)?,
        metrics: attach_metrics(&transaction, measured.metrics, &measured.series)?,
        inputs,
        outputs,
        log,
        resources: ended.map_or_else(Resources::default, |(_, ended)| ended.resources),
        trace,
    };
    let message = match state.message.trim_end() {
        "" => format!("run {}", state.name),
        message => message.to_owned(),
    };
    let mut found = artifacts_of(&mut reader, &tree, state.parent.as_ref())?;
    let described = describe(repository, &tree, &mut found, state.parent, progress)?;
    described.put(&transaction)?;
    let commit = Commit {
        tree,
        parents: state.parent.into_iter().collect(),
        author: repository.author(),
        time: repository.clock.now(),
        message,
        system: crate::capture::system(),
        artifacts: found.artifacts,
        run: Some(run),
        code: state.code.clone(),
        environment: attach_environment(state, folder, &transaction)?,
        fine_tune: values::fine_tune(repository, &output_paths),
        overlaps: described.overlaps_id,
    };
    Ok(Recorded { commit, overlaps: described.overlaps, transaction })
}

/// A record on its way.
struct Recorded<'s> {
    commit: Commit,
    overlaps: Option<OverlapReport>,
    transaction: Transaction<'s>,
}

/// Attaches the description of what the command ran in.
fn attach_environment(
    state: &RunState,
    folder: &RunFolder,
    transaction: &Transaction<'_>,
) -> Result<Option<ObjectId>, Error> {
    let document = folder.load_environment()?;
    match state.environment {
        Some(id) if id == ObjectId::of(&document) => {
            Ok(Some(transaction.put_attachment(&document)?))
        }
        _ => Ok(None),
    }
}

/// Puts parameters into the record, or beside it where they are large.
fn attach_params(transaction: &Transaction<'_>, params: Object) -> Result<Params, Error> {
    let bytes = Value::from(params.clone()).encode();
    match bytes.len() > VALUES_BYTES_MAX {
        true => Ok(Params::Attached(transaction.put_attachment(&bytes)?)),
        false => Ok(Params::Here(params)),
    }
}

/// Puts metrics into the record, or beside it where they are large, and series beside it.
fn attach_metrics(
    transaction: &Transaction<'_>,
    metrics: Vec<(String, Metric)>,
    series: &[Vec<u8>],
) -> Result<Metrics, Error> {
    for values in series {
        transaction.put_attachment(values)?;
    }
    let metrics = Metrics::Here(metrics);
    let bytes = metrics.encode().map_err(|error| Error::Usage(error.to_string()))?;
    match bytes.len() > VALUES_BYTES_MAX {
        true => Ok(Metrics::Attached(transaction.put_attachment(&bytes)?)),
        false => Ok(metrics),
    }
}

/// As what a run was recorded.
struct Published {
    id: ObjectId,
    name: String,
    number: u64,
}

/// Names the run, and moves the branch to it where it may, in one journal entry.
///
/// Shape: a name that is taken gets a number. If somebody moved the branch meanwhile, the run is
/// named all the same, and stays beside it. The folder says beforehand as what: who is killed
/// before the folder is gone must not have the run recorded twice.
fn publish<'s>(
    repository: &'s Repository,
    state: &RunState,
    folder: &RunFolder,
    commit: &mut Commit,
    sibling: &mut Option<Sibling>,
    transaction: Transaction<'s>,
) -> Result<Published, Error> {
    let mut transaction = Some(transaction);
    for attempt in 0..ATTEMPTS {
        let name = free_name(repository, &state.name)?;
        if let Some(run) = &mut commit.run {
            run.name.clone_from(&name);
        }
        let objects = match transaction.take() {
            Some(transaction) => transaction,
            None => repository.store.transaction()?,
        };
        let id = objects.put_commit(&commit.encode()?)?;
        let full = RefKind::Run.full_name(&name)?;
        folder.save_record(&RunRecord { id, name: full.clone() })?;
        let mut updates = vec![Update { name: full, old: None, new: Some(id) }];
        if sibling.is_none() {
            let name = state.branch.clone().unwrap_or_default();
            updates.push(Update { name, old: state.parent, new: Some(id) });
        }
        match repository.move_refs(&updates, &state.journal, Some(objects)) {
            Ok(number) => return Ok(Published { id, name, number }),
            // Somebody took the name, or moved the branch: look again which.
            Err(error) if error.kind() == ErrorKind::Conflict && attempt + 1 < ATTEMPTS => {
                if sibling.is_none() && repository.head_commit()? != state.parent {
                    *sibling = Some(Sibling::Moved);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict("too many writers at once: try again".to_owned()))
}

/// Finds a name that no run has: the one that is wanted, or the first free one with a number.
fn free_name(repository: &Repository, wanted: &str) -> Result<String, Error> {
    let refs = repository.refs()?;
    let mut reader = repository.store.reader();
    let mut is_free = |name: &str| -> Result<bool, Error> {
        Ok(refs.find(&mut reader, &RefKind::Run.full_name(name)?)?.is_none())
    };
    if is_free(wanted)? {
        return Ok(wanted.to_owned());
    }
    // Names that were given in a row are found in a few steps, however many there are.
    let numbered = |number: u64| format!("{wanted}-{number}");
    let mut high = 2;
    while !is_free(&numbered(high))? {
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match is_free(&numbered(middle))? {
            true => high = middle,
            false => low = middle,
        }
    }
    Ok(numbered(high))
}
