//! A recorded run once more, in a directory of its own, and what came of it against the record.
//!
//! `before` finds what the run began with, `code` brings the git checkout, `links` keeps links from
//! leading out, `command` finds what is to be executed, `outputs` and `metrics` compare, and
//! `parts` tells what the run would find different now. Nothing is recorded.

mod before;
mod code;
mod command;
mod links;
mod metric_files;
mod metrics;
mod outputs;
mod parts;

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::fresh::{Execution, Fresh};
use super::revision::Resolver;
use super::{Error, Repository};
use crate::capture::metrics::MetricsReader;
use crate::object::{Commit, LeftOut, Metric, ObjectId, Run, TraceFiles, TreePath};
use crate::progress::{Phase, Progress};
use crate::store::Reader;

pub(super) use before::Before;
pub(super) use command::{command_of, find_program};
pub(super) use links::turn_links;
pub(super) use metric_files::recorded;
pub use metrics::MetricMatch;
pub use outputs::{FileChange, OutputFile, OutputMatch};
pub use parts::Part;

/// What is said of a command that is not really over.
pub(super) const LEFT_RUNNING: &str = "something that the command started goes on, and may still \
    write where the directory was";

/// Most files that are named in a note.
const NAMED_MAX: usize = 5;

/// Says which run to reproduce.
#[derive(Debug, Clone, Default)]
pub struct ReproduceRequest {
    /// Its commit, as typed.
    pub target: Vec<u8>,
    /// A directory that is not there or empty, and stays afterwards.
    pub keep: Option<PathBuf>,
    /// How far a metric may be from its recorded value, absolute.
    pub tolerance: f64,
    /// Names of metrics and paths of outputs that need not be the same.
    pub ignored: Vec<String>,
    /// The command with what is redacted in the record; empty where nothing is.
    pub command: Vec<OsString>,
}

/// Whether something is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The same bytes, the same values.
    Identical,
    /// Not farther than the tolerance.
    Within,
    /// Something else.
    Different,
    /// It is not there now.
    Missing,
    /// It need not be the same.
    Ignored,
}

impl Match {
    /// Tells whether that is good enough.
    pub const fn is_match(self) -> bool {
        matches!(self, Self::Identical | Self::Within | Self::Ignored)
    }
}

/// Tells what came of it.
#[derive(Debug)]
pub struct ReproduceReport {
    /// The commit.
    pub id: ObjectId,
    /// Name of the run.
    pub name: String,
    /// The directory, if it was kept.
    pub kept: Option<PathBuf>,
    /// What the command exited with; none where nobody saw it.
    pub recorded_exit_code: Option<u8>,
    /// What it exited with now.
    pub exit_code: u8,
    /// Every output.
    pub outputs: Vec<OutputMatch>,
    /// Every metric.
    pub metrics: Vec<MetricMatch>,
    /// What the run found different now; only parts that differ.
    pub parts: Vec<Part>,
    /// What else a person should know, found afterwards.
    pub notes: Vec<String>,
}

impl ReproduceReport {
    /// Tells whether everything is as it was.
    pub fn is_reproduced(&self) -> bool {
        self.ends_alike()
            && self.outputs.iter().all(|output| output.verdict.is_match())
            && self.metrics.iter().all(|metric| metric.verdict.is_match())
    }

    /// Tells whether the command ended as it did.
    pub fn ends_alike(&self) -> bool {
        self.recorded_exit_code.is_none_or(|code| code == self.exit_code)
    }
}

/// A run that is to be executed again: everything lies where it has to.
#[derive(Debug)]
pub struct Reproduction<'r> {
    repository: &'r Repository,
    id: ObjectId,
    commit: Commit,
    run: Run,
    fresh: Fresh,
    keeps: bool,
    directory: Option<TreePath>,
    command: Vec<OsString>,
    recorded: Vec<(String, Metric)>,
    metrics_files: Vec<TreePath>,
    parts: Vec<Part>,
    tolerance: f64,
    ignored: Vec<String>,
    exit_code: u8,
    left_notes: Vec<String>,
    /// What a person should know before it runs.
    pub notes: Vec<String>,
}

/// What a record says of how a run began, and where its metrics were.
#[derive(Debug)]
pub(super) struct Begun {
    /// The files that it began with.
    pub before: Before,
    /// What was measured.
    pub recorded: Vec<(String, Metric)>,
    /// The files that this was read from.
    pub metrics_files: Vec<TreePath>,
}

impl Begun {
    /// Finds it out.
    pub fn of(
        reader: &mut Reader<'_>,
        commit: &Commit,
        run: &Run,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let recorded = metric_files::recorded(reader, run)?;
        let metrics_files = metric_files::find(reader, commit, &recorded, progress)?;
        let before = Before::of(reader, commit, run, &metrics_files)?;
        Ok(Self { before, recorded, metrics_files })
    }
}

/// Makes a directory, and writes the git checkout and the files that a run began with there.
pub(super) fn lay_out(
    repository: &Repository,
    code: Option<&crate::object::Code>,
    before: &Before,
    keep: Option<&Path>,
    notes: &mut Vec<String>,
    progress: &Progress,
) -> Result<(Fresh, Option<Part>), Error> {
    let fresh = Fresh::make(repository, keep, &code::place(repository, code))?;
    let part = match code {
        Some(code) => code::write(repository, code, before, &fresh, notes, progress)?,
        None => None,
    };
    before.write(repository, &fresh, progress)?;
    turn_links(repository, code, &fresh, notes)?;
    Ok((fresh, part))
}

/// Names a few of many.
fn few(names: &[std::borrow::Cow<'_, str>]) -> String {
    let named = names.get(..NAMED_MAX.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Lays out what a run began with, in a directory of its own.
///
/// Errors: `Usage` for a commit without a run, a directory that is not empty, or a command that
/// holds secrets nobody gave; `Corrupt` where content is missing. Nothing is left behind then.
pub fn reproduce_begin<'r>(
    repository: &'r Repository,
    request: &ReproduceRequest,
    progress: &Progress,
) -> Result<Reproduction<'r>, Error> {
    let id = Resolver::new(repository)?.commit(&request.target)?;
    let mut reader = repository.store.reader();
    let commit = reader.commit(&id)?;
    let run = commit.run.clone().ok_or_else(|| no_run(&request.target))?;
    insist_on_ignored(&run, request)?;
    let mut command = command_of(&run, &request.command)?;
    let Begun { before, recorded, metrics_files } =
        Begun::of(&mut reader, &commit, &run, progress)?;
    progress.begin(Phase { name: "writing files", ..Phase::default() });
    let mut notes = notes_of(&mut reader, &run)?;
    let (code, keep) = (commit.code.as_ref(), request.keep.as_deref());
    let (mut fresh, part) = lay_out(repository, code, &before, keep, &mut notes, progress)?;
    find_program(repository, &fresh, &before, &mut command, &mut notes);
    if request.keep.is_some() {
        fresh.keep();
    }
    Ok(Reproduction {
        repository,
        id,
        run,
        keeps: request.keep.is_some(),
        directory: before.directory,
        commit,
        fresh,
        command,
        recorded,
        metrics_files,
        parts: part.into_iter().collect(),
        tolerance: request.tolerance,
        ignored: request.ignored.clone(),
        exit_code: 0,
        left_notes: Vec::new(),
        notes,
    })
}

impl Reproduction<'_> {
    /// Where the command is started.
    pub fn directory(&self) -> PathBuf {
        self.fresh.directory_of(self.directory.as_ref())
    }

    /// The run's name.
    pub fn name(&self) -> &str {
        &self.run.name
    }

    /// Program and arguments, as recorded.
    pub fn command(&self) -> &[String] {
        &self.run.command
    }

    /// Executes the command.
    ///
    /// Errors: it did not start.
    pub fn execute(
        &mut self,
        output: BorrowedFd<'_>,
        error: BorrowedFd<'_>,
        progress: &Progress,
    ) -> Result<(), Error> {
        progress.begin(Phase { name: "running the command", ..Phase::default() });
        let directory = self.directory.as_ref();
        let execution = Execution { command: &self.command, directory, output, error };
        let ended = self.fresh.execute(&execution)?;
        self.exit_code = ended.exit_code;
        if ended.left_running {
            self.left_notes.push(LEFT_RUNNING.to_owned());
        }
        // What a signal has cut short is no result.
        Ok(progress.check()?)
    }

    /// Compares what it left with what is recorded, and removes the directory unless it is kept.
    pub fn finish(self, progress: &Progress) -> Result<ReproduceReport, Error> {
        progress.begin(Phase { name: "comparing", ..Phase::default() });
        let mut notes = self.left_notes.clone();
        let comparing = outputs::Comparing {
            repository: self.repository,
            fresh: &self.fresh,
            run: &self.run,
            tree: self.commit.tree,
            tolerance: self.tolerance,
            progress,
        };
        let mut outputs = comparing.outputs()?;
        let mut metrics =
            metrics::compare(&self.recorded, &self.measured(&mut notes), self.tolerance);
        for output in &mut outputs {
            output.settle();
            if self.is_ignored(output.path.as_bytes()) {
                output.verdict = Match::Ignored;
            }
        }
        for metric in metrics.iter_mut().filter(|metric| self.is_ignored(metric.name.as_bytes())) {
            metric.verdict = Match::Ignored;
        }
        let mut reader = self.repository.store.reader();
        let directory = self.directory();
        let mut parts =
            parts::surroundings(&mut reader, &self.commit, &self.fresh, &self.command, &directory)?;
        parts.push(parts::params(&self.run, &self.fresh.params()));
        parts.push(parts::outside(&mut reader, &self.run)?);
        parts.extend(self.parts);
        parts.retain(|part| !part.diffs.is_empty());
        let kept = self.keeps.then(|| self.fresh.path().to_owned());
        if let Err(error) = self.fresh.finish() {
            notes.push(format!("{error}: remove it by hand"));
        }
        Ok(ReproduceReport {
            id: self.id,
            name: self.run.name,
            kept,
            recorded_exit_code: self.run.exit_code,
            exit_code: self.exit_code,
            outputs,
            metrics,
            parts,
            notes,
        })
    }

    fn is_ignored(&self, name: &[u8]) -> bool {
        self.ignored.iter().any(|ignored| ignored.as_bytes() == name)
    }

    /// Reads what the command measured, as a run would.
    fn measured(&self, notes: &mut Vec<String>) -> Vec<(String, Metric)> {
        measured(&self.fresh, &self.metrics_files, notes)
    }
}

/// Reads what a command measured in a place of its own: what it appended, then its files.
pub(super) fn measured(
    fresh: &Fresh,
    files: &[TreePath],
    notes: &mut Vec<String>,
) -> Vec<(String, Metric)> {
    let mut reader = MetricsReader::new();
    let files = files.iter().map(|path| fresh.place_of(path)).filter(|path| path.is_file());
    for path in std::iter::once(fresh.metrics()).chain(files) {
        if let Err(error) = reader.read_file(&path) {
            notes.push(error.to_string());
        }
    }
    let captured = reader.finish();
    notes.extend(captured.notes);
    captured.metrics
}

pub(super) fn no_run(target: &[u8]) -> Error {
    let name = String::from_utf8_lossy(target);
    Error::Usage(format!("{name:?} is no commit of a run: `provenance runs` lists those"))
}

/// Refuses names that nothing of the run has: a slip would hide what differs.
fn insist_on_ignored(run: &Run, request: &ReproduceRequest) -> Result<(), Error> {
    let is_output = |name: &String| run.outputs.iter().any(|output| output.path == *name);
    let is_metric = |name: &String| match &run.metrics {
        crate::object::Metrics::Here(metrics) => metrics.iter().any(|(metric, _)| metric == name),
        crate::object::Metrics::Attached(_) => true,
    };
    match request.ignored.iter().find(|name| !is_output(name) && !is_metric(name)) {
        None => Ok(()),
        Some(name) => Err(Error::NotFound { what: "metric or output", name: name.clone() }),
    }
}

/// Says what of the record cannot be had again.
fn notes_of(reader: &mut Reader<'_>, run: &Run) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    match run.exit_code {
        Some(0) => {}
        Some(code) => notes.push(format!("the recorded run ended with exit code {code}")),
        None => notes.push("nobody saw how the recorded run ended".to_owned()),
    }
    let files = match &run.trace {
        Some(trace) => TraceFiles::decode(&reader.attachment(&trace.files)?)?.files,
        None => Vec::new(),
    };
    let is_lost = |why: Option<LeftOut>| {
        matches!(why, Some(LeftOut::Ignored | LeftOut::Changed | LeftOut::Unrecordable))
    };
    let lost = files.iter().filter(|file| file.is_read && !file.is_written);
    let lost = lost.filter(|file| is_lost(file.left_out));
    let lost: Vec<_> = lost.map(|file| String::from_utf8_lossy(&file.path)).collect();
    if !lost.is_empty() {
        notes.push(format!("the run read files that are not recorded: {}", few(&lost)));
    }
    Ok(notes)
}
