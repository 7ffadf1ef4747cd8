//! Verdicts from what is recorded: nothing is executed.

use std::collections::{HashMap, HashSet};

use super::{Bisection, MetricRule, Said, Verdict, votes};
use crate::object::tree;
use crate::object::{ArtifactKind, Commit, Metrics, ObjectId, Output, Run};
use crate::progress::Progress;
use crate::repo::reproduce::recorded;
use crate::repo::runs::{each_run, field, insist_on_field};
use crate::repo::{Error, Repository};
use crate::store::Reader;
use crate::worktree::detect::file_kind;

/// Refuses a commit of which the user says one thing and its own record another.
pub(super) fn insist(
    repository: &Repository,
    state: &Bisection,
    commit: ObjectId,
    verdict: Verdict,
) -> Result<(), Error> {
    let Some(rule) = &state.metric else { return Ok(()) };
    insist_on_field(&rule.name)?;
    let mut reader = repository.store.reader();
    let record = reader.commit(&commit)?;
    let Some(value) = value_of(&mut reader, &record, &rule.name)? else { return Ok(()) };
    match rule.decide(value) {
        Some(decided) if decided != verdict => {
            let word = if verdict == Verdict::Bad { &state.bad_word } else { &state.good_word };
            let (name, id) = (&rule.name, commit.short());
            Err(Error::Usage(format!("{id} is called {word}, but its {name} is {value}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a metric that no commit of the search has, neither an end nor one between, where
/// nothing else has told anything: it is likely to be misspelt, and what is called bad would be
/// the culprit.
pub(super) fn insist_on_any(
    repository: &Repository,
    state: &Bisection,
    suspects: Vec<ObjectId>,
    progress: &Progress,
) -> Result<(), Error> {
    let Some(rule) = &state.metric else { return Ok(()) };
    if state.log.iter().any(|said| said.reason.is_some()) {
        return Ok(());
    }
    let mut commits = suspects;
    commits.extend(state.log.iter().map(|said| said.commit));
    let count = commits.iter().collect::<HashSet<_>>().len();
    match unmeasured(repository, rule, commits, progress)?.len() == count {
        false => Ok(()),
        true => Err(Error::Usage(format!(
            "no commit between has {}, nor have the ends: `provenance show COMMIT` lists what a \
             run measured",
            rule.name
        ))),
    }
}

/// Reads a value, wherever it stands: many metrics are kept beside the record.
pub(super) fn value_of(
    reader: &mut Reader<'_>,
    commit: &Commit,
    name: &str,
) -> Result<Option<f64>, Error> {
    let Some(run) = &commit.run else { return Ok(None) };
    let number = |run: &Run| field(commit, run, name).and_then(|field| field.number());
    match &run.metrics {
        Metrics::Attached(_) if name.starts_with("metrics.") => {
            let metrics = Metrics::Here(recorded(reader, run)?);
            Ok(number(&Run { metrics, ..run.clone() }))
        }
        _ => Ok(number(run)),
    }
}

/// Gives those of some commits that have no value to decide by.
///
/// Cost: the record of each.
pub(super) fn unmeasured(
    repository: &Repository,
    rule: &MetricRule,
    commits: Vec<ObjectId>,
    progress: &Progress,
) -> Result<HashSet<ObjectId>, Error> {
    let mut reader = repository.store.reader();
    let mut unmeasured = HashSet::new();
    for id in commits {
        progress.check()?;
        let record = reader.commit(&id)?;
        if value_of(&mut reader, &record, &rule.name)?.is_none() {
            unmeasured.insert(id);
        }
    }
    Ok(unmeasured)
}

/// Values that runs of the same kind have recorded.
pub(super) struct Samples<'r> {
    repository: &'r Repository,
    /// Of each kind of run those that have a value; found when they are first asked for.
    samples: Option<HashMap<ObjectId, Vec<Sample>>>,
}

/// A run that has a value.
#[derive(Debug, Clone)]
struct Sample {
    id: ObjectId,
    tree: ObjectId,
    value: f64,
}

impl<'r> Samples<'r> {
    pub fn new(repository: &'r Repository) -> Self {
        Self { repository, samples: None }
    }

    /// Decides about a commit by its recorded value.
    ///
    /// Shape: `None` if it has none. With a tolerance, values are noisy: the mean of all runs of
    /// the same counts. Cost: one record; with a tolerance, once, all runs.
    pub fn ask(
        &mut self,
        rule: &MetricRule,
        id: ObjectId,
        progress: &Progress,
    ) -> Result<Option<Said>, Error> {
        let mut reader = self.repository.store.reader();
        let record = reader.commit(&id)?;
        let Some(value) = value_of(&mut reader, &record, &rule.name)? else { return Ok(None) };
        let mut values = vec![value];
        if let Some(run) = record.run.as_ref().filter(|_| rule.tolerance.as_f64() > 0.0) {
            values.extend(self.repeated(rule, (id, &record, run), progress)?);
        }
        let (verdict, reason) = votes::of_mean(rule, &values);
        Ok(Some(Said { commit: id, verdict, reason: Some(reason) }))
    }

    /// Gives the values of all other runs of the same.
    ///
    /// Shape: this one need not be among those that are listed, `undo` may have taken its name.
    fn repeated(
        &mut self,
        rule: &MetricRule,
        (id, record, run): (ObjectId, &Commit, &Run),
        progress: &Progress,
    ) -> Result<Vec<f64>, Error> {
        if self.samples.is_none() {
            self.samples = Some(samples(self.repository, rule, progress)?);
        }
        let kind = kind(run, record);
        let samples = self.samples.iter().filter_map(|samples| samples.get(&kind)).flatten();
        let mut values = Vec::new();
        for sample in samples.filter(|sample| sample.id != id) {
            if is_same_apart_from_results(self.repository, record.tree, sample.tree, run)? {
                values.push(sample.value);
            }
        }
        Ok(values)
    }
}

fn samples(
    repository: &Repository,
    rule: &MetricRule,
    progress: &Progress,
) -> Result<HashMap<ObjectId, Vec<Sample>>, Error> {
    let mut samples: HashMap<ObjectId, Vec<Sample>> = HashMap::new();
    let mut reader = repository.store.reader();
    each_run(repository, progress, |id, commit| {
        let value = value_of(&mut reader, &commit, &rule.name)?;
        if let (Some(run), Some(value)) = (&commit.run, value) {
            let sample = Sample { id, tree: commit.tree, value };
            samples.entry(kind(run, &commit)).or_default().push(sample);
        }
        Ok(())
    })?;
    Ok(samples)
}

/// Hashes what two runs have to share in their records so that their values differ by noise alone.
fn kind(run: &Run, commit: &Commit) -> ObjectId {
    let inputs: Vec<_> = run.inputs.iter().map(|input| (&input.path, input.content.id)).collect();
    let code = commit.code.as_ref().map(|code| (&code.git_commit, code.changes));
    let Run { command, directory, params, .. } = run;
    let shared = (&commit.parents, command, directory, params, inputs, code);
    ObjectId::of(format!("{shared:?}").as_bytes())
}

/// Tells whether two runs began with the same files: what differs is what they wrote.
fn is_same_apart_from_results(
    repository: &Repository,
    one: ObjectId,
    other: ObjectId,
    run: &Run,
) -> Result<bool, Error> {
    let mut reader = repository.store.reader();
    let mut is_same = true;
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(Some(one), Some(other), None, load, |change| {
        let path = change.path.as_bytes();
        let is_output = |output: &Output| {
            let rest = path.strip_prefix(output.path.as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let name = change.path.names().last().unwrap_or_default();
        let is_result = matches!(file_kind(name), ArtifactKind::Metrics | ArtifactKind::Log);
        is_same &= is_result || run.outputs.iter().any(is_output);
        Ok::<_, Error>(())
    })?;
    Ok(is_same)
}
