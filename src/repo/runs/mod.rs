//! The recorded runs: found over all refs, chosen by an expression, sorted by a field.

mod expression;
mod field;
mod index;
mod query;

use std::collections::HashSet;

pub use expression::Expression;
pub use field::{Field, field, insist_on_field};

use super::date;
use super::ref_name::RefKind;
use super::source::Staleness;
use super::trouble::Trouble;
use super::{Error, Repository};
use crate::object::{Commit, ObjectId, Run};
use crate::progress::Progress;
use crate::store::Cache;
use crate::store::runs_index;
use query::{Hit, Hits, Query};

/// How often the index is built anew before the question is answered without one.
const ATTEMPTS: usize = 2;

/// Says which runs, and in what order.
#[derive(Debug, Clone, Default)]
pub struct RunsRequest {
    /// What must hold for them.
    pub filter: Option<String>,
    /// Fields to sort by, `-` before one for the largest first; the latest first where none.
    pub sort: Vec<String>,
    /// Only what began at this date or later.
    pub since: Option<String>,
    /// Only what began at this date or earlier.
    pub until: Option<String>,
    /// At most so many.
    pub count_max: Option<usize>,
}

/// A recorded run.
#[derive(Debug, Clone)]
pub struct FoundRun {
    /// Its commit.
    pub id: ObjectId,
    /// The record, which has a run.
    pub commit: Commit,
    /// The sources than which what it has read is older, by name.
    pub stale: Vec<String>,
}

impl FoundRun {
    /// The run of the record.
    pub fn run(&self) -> Option<&Run> {
        self.commit.run.as_ref()
    }

    /// Finds a field of the run.
    pub fn field(&self, name: &str) -> Option<Field<'_>> {
        match name {
            "stale" if self.stale.is_empty() => None,
            "stale" => Some(Field::Text(self.stale.join(", ").into())),
            name => field(&self.commit, self.run()?, name),
        }
    }
}

/// Finds runs.
///
/// Shape: every run that a ref `runs/` names, each once. Errors: `Usage` for an expression or a
/// date that is not understood. Cost: reads the records that are new since it was asked last, the
/// columns of the index that it asks for, and the records that it gives.
pub fn runs(
    repository: &Repository,
    request: &RunsRequest,
    progress: &Progress,
) -> Result<Vec<FoundRun>, Error> {
    let filter = request.filter.as_deref().map(Expression::parse).transpose()?;
    for name in &request.sort {
        insist_on_field(name.strip_prefix('-').unwrap_or(name))?;
    }
    let now = date::local(repository.clock.now())?;
    let date =
        |text: &Option<String>| text.as_deref().map(|text| date::parse(text, &now)).transpose();
    let query = Query {
        filter,
        sort: &request.sort,
        since: date(&request.since)?,
        until: date(&request.until)?,
        count_max: request.count_max.unwrap_or(usize::MAX),
        staleness: staleness(repository, progress)?,
    };
    let refs = repository.refs()?.tree.0;
    let mut reader = repository.store.reader();
    let cache = repository.cache();
    for _ in 0..ATTEMPTS {
        match asked(repository, &cache, refs, &query, progress) {
            Ok(hits) => return query::read(&hits, &query, &mut reader, progress),
            Err(Trouble::Stale) => runs_index::forget(&cache),
            Err(Trouble::Other(error)) => return Err(error),
        }
    }
    // No files can be kept here.
    let mut hits = Hits::new(&query);
    let all = index::without_cache(repository, refs, progress, |segment| {
        hits.add(segment, |_| false, &mut reader, progress)
    });
    match all {
        Ok(()) => query::read(&hits.finish(), &query, &mut reader, progress),
        Err(Trouble::Other(error)) => Err(error),
        Err(Trouble::Stale) => Err(Error::Internal("rows that were built are gone".to_owned())),
    }
}

/// Passes on every run that a ref `runs/` names, each once, in no order that means anything.
///
/// Cost: the record of each run, one at a time, and 32 bytes of memory for each.
pub(super) fn each_run(
    repository: &Repository,
    progress: &Progress,
    mut pass: impl FnMut(ObjectId, Commit) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut reader, mut seen) = (repository.store.reader(), HashSet::new());
    repository.refs()?.each(&mut repository.store.reader(), |name, id| {
        if RefKind::Run.short_name(name).is_none() || !seen.insert(id) {
            return Ok(());
        }
        progress.check()?;
        progress.add_files(1);
        pass(id, reader.commit(&id)?)
    })
}

/// Finds out which runs are older than a source; reads nothing more where no source has changed.
fn staleness(repository: &Repository, progress: &Progress) -> Result<Staleness, Error> {
    let Some(sources) = Staleness::changed(repository)? else { return Ok(Staleness::default()) };
    Staleness::find(repository, &sources, progress)
}

/// Asks the index, brought up to date.
fn asked(
    repository: &Repository,
    cache: &Cache,
    refs: ObjectId,
    query: &Query<'_>,
    progress: &Progress,
) -> Result<Vec<Hit>, Trouble> {
    let state = index::up_to_date(repository, cache, refs, progress)?;
    let gone: HashSet<(u32, u32)> = state.gone.iter().copied().collect();
    let mut reader = repository.store.reader();
    let mut hits = Hits::new(query);
    for (at, (name, rows)) in (0_u32..).zip(&state.segments) {
        let segment = runs_index::open_segment(cache, name, *rows)?;
        let is_gone = |row| !gone.is_empty() && gone.contains(&(at, row));
        hits.add(&segment, is_gone, &mut reader, progress)?;
    }
    Ok(hits.finish())
}
