//! The recorded runs: found over all refs, chosen by an expression, sorted by a field.

mod expression;
mod field;

use std::cmp::Ordering;
use std::collections::HashSet;

pub use expression::Expression;
pub use field::{Field, field, insist_on_field};

use super::date;
use super::ref_name::RefKind;
use super::{Error, Repository};
use crate::object::{Commit, ObjectId, Run};
use crate::progress::Progress;

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
}

impl FoundRun {
    /// The run of the record.
    pub fn run(&self) -> Option<&Run> {
        self.commit.run.as_ref()
    }

    /// Finds a field of the run.
    pub fn field(&self, name: &str) -> Option<Field<'_>> {
        field(&self.commit, self.run()?, name)
    }
}

/// Finds runs.
///
/// Shape: every run that a ref `runs/` names, each once. Errors: `Usage` for an expression or a
/// date that is not understood. Cost: reads the record of every run.
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
    let (since, until) = (date(&request.since)?, date(&request.until)?);
    let mut reader = repository.store.reader();
    let folder = RefKind::Run.prefix().trim_end_matches('/');
    let refs = repository.refs()?.list(&mut reader, Some(folder))?;
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for id in refs.into_values().filter(|id| seen.insert(*id)) {
        progress.check()?;
        let run = FoundRun { commit: reader.commit(&id)?, id };
        let Some(started) = run.run().map(|run| run.started) else { continue };
        let is_in_time = since.is_none_or(|since| started >= since)
            && until.is_none_or(|until| started <= until);
        if is_in_time && filter.as_ref().is_none_or(|filter| filter.holds(&|name| run.field(name)))
        {
            found.push(run);
        }
    }
    found.sort_by(|a, b| order(a, b, &request.sort));
    found.truncate(request.count_max.unwrap_or(usize::MAX));
    Ok(found)
}

/// Orders runs by fields; what has none of them comes last, and the later before the earlier.
fn order(a: &FoundRun, b: &FoundRun, by: &[String]) -> Ordering {
    for name in by {
        let (name, is_reverse) = match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let order = match (a.field(name), b.field(name)) {
            (Some(a), Some(b)) if is_reverse => b.compare(&a),
            (Some(a), Some(b)) => a.compare(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    let started = |run: &FoundRun| run.run().map(|run| run.started);
    started(b).cmp(&started(a)).then_with(|| a.id.cmp(&b.id))
}
