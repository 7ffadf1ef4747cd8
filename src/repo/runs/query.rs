//! A question to the runs index: which rows it holds for, and which of those come first.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use super::FoundRun;
use super::expression::Expression;
use super::field::Field;
use crate::object::{ObjectId, Timestamp};
use crate::progress::Progress;
use crate::repo::Error;
use crate::repo::lineage::LineageNode;
use crate::repo::source::Staleness;
use crate::repo::trouble::Trouble;
use crate::store::Reader;
use crate::store::runs_index::{Cell, Column, Segment};

/// Rows that are held at least before those are dropped that do not come first.
const HELD_MIN: usize = 8192;

/// What is asked.
pub(super) struct Query<'q> {
    pub filter: Option<Expression>,
    pub sort: &'q [String],
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub count_max: usize,
    /// Which runs are older than a source: that is in no record, and so in no index.
    pub staleness: Staleness,
}

impl Query<'_> {
    fn stale(&self, id: ObjectId) -> Vec<String> {
        self.staleness.of(&LineageNode::Commit(id))
    }
}

/// A row for which it holds.
#[derive(Debug)]
pub(super) struct Hit {
    pub id: ObjectId,
    started: i64,
    keys: Vec<Option<Field<'static>>>,
}

/// The rows so far.
pub(super) struct Hits<'q> {
    query: &'q Query<'q>,
    names: Vec<String>,
    hits: Vec<Hit>,
}

impl<'q> Hits<'q> {
    /// Starts with none.
    pub fn new(query: &'q Query<'q>) -> Self {
        let mut names: Vec<String> = query.sort.iter().map(|name| plain(name).0.into()).collect();
        if let Some(filter) = &query.filter {
            filter.fields(&mut names);
        }
        names.sort_unstable();
        names.dedup();
        Self { query, names, hits: Vec::new() }
    }

    /// Asks the rows of a segment.
    pub fn add(
        &mut self,
        segment: &Segment,
        is_gone: impl Fn(u32) -> bool,
        reader: &mut Reader<'_>,
        progress: &Progress,
    ) -> Result<(), Trouble> {
        let mut columns: Vec<(&str, Column)> = Vec::new();
        let names = self.names.clone();
        for name in names.iter().filter(|name| !["started", "stale"].contains(&name.as_str())) {
            columns.extend(segment.column(name)?.map(|column| (name.as_str(), column)));
        }
        let (ids, started) = (segment.ids()?, segment.started()?);
        let wide = self.read_wide(segment, &ids, reader)?;
        for ((row, id), started) in (0_u32..).zip(ids).zip(started) {
            if row % 4096 == 0 {
                progress.check()?;
            }
            let at = Timestamp(started);
            let is_in_time = self.query.since.is_none_or(|since| at >= since)
                && self.query.until.is_none_or(|until| at <= until);
            if !is_in_time || is_gone(row) {
                continue;
            }
            let find = |name: &str| -> Option<Field<'_>> {
                if name == "started" {
                    return at.to_record().map(|text| Field::Text(text.into()));
                }
                if name == "stale" {
                    let stale = self.query.stale(id);
                    return (!stale.is_empty()).then(|| Field::Text(stale.join(", ").into()));
                }
                if let Some(run) = wide.get(&row) {
                    return run.field(name);
                }
                let (_, column) = columns.iter().find(|(known, _)| *known == name)?;
                Some(match column.cell(row)? {
                    Cell::Number(number) => Field::Number(number),
                    Cell::Bool(value) => Field::Bool(value),
                    Cell::Text(text) => Field::Text(Cow::Borrowed(text)),
                })
            };
            if self.query.filter.as_ref().is_some_and(|filter| !filter.holds(&find)) {
                continue;
            }
            let key = |name: &String| find(plain(name).0).map(Field::into_owned);
            let keys = self.query.sort.iter().map(key).collect();
            self.hits.push(Hit { id, started, keys });
            self.prune();
        }
        Ok(())
    }

    /// Reads the records of rows whose values are not in the segment, if any are asked for.
    fn read_wide(
        &self,
        segment: &Segment,
        ids: &[ObjectId],
        reader: &mut Reader<'_>,
    ) -> Result<HashMap<u32, FoundRun>, Trouble> {
        let mut wide = HashMap::new();
        if self.names.iter().all(|name| name == "started") {
            return Ok(wide);
        }
        for row in segment.wide()? {
            let Some(id) = ids.get(row as usize) else { continue };
            let (commit, stale) = (reader.commit(id)?, self.query.stale(*id));
            wide.insert(row, FoundRun { id: *id, commit, stale });
        }
        Ok(wide)
    }

    fn prune(&mut self) {
        let count = self.query.count_max;
        if self.hits.len() < count.saturating_mul(2).max(HELD_MIN) {
            return;
        }
        self.keep_first(count);
    }

    fn keep_first(&mut self, count: usize) {
        let sort = self.query.sort;
        if count < self.hits.len() {
            self.hits.select_nth_unstable_by(count, |a, b| order(a, b, sort));
            self.hits.truncate(count);
        }
    }

    /// Gives those that come first, in order.
    pub fn finish(mut self) -> Vec<Hit> {
        self.keep_first(self.query.count_max);
        let sort = self.query.sort;
        self.hits.sort_unstable_by(|a, b| order(a, b, sort));
        self.hits
    }
}

/// Takes the sign off a field to sort by.
fn plain(name: &str) -> (&str, bool) {
    match name.strip_prefix('-') {
        Some(name) => (name, true),
        None => (name, false),
    }
}

/// Orders rows by fields; what has none of them comes last, and the later before the earlier.
fn order(a: &Hit, b: &Hit, by: &[String]) -> Ordering {
    for (name, (of_a, of_b)) in by.iter().zip(a.keys.iter().zip(&b.keys)) {
        let order = match (of_a, of_b) {
            (Some(a), Some(b)) if plain(name).1 => b.compare(a),
            (Some(a), Some(b)) => a.compare(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    b.started.cmp(&a.started).then_with(|| a.id.cmp(&b.id))
}

/// Reads the records of the rows, in the order of packs, and gives them in their own order.
pub(super) fn read(
    hits: &[Hit],
    query: &Query<'_>,
    reader: &mut Reader<'_>,
    progress: &Progress,
) -> Result<Vec<FoundRun>, Error> {
    let mut placed = Vec::with_capacity(hits.len());
    for (at, hit) in hits.iter().enumerate() {
        placed.push((reader.record_place(&hit.id)?, at));
    }
    placed.sort_unstable();
    let mut found: Vec<Option<FoundRun>> = hits.iter().map(|_| None).collect();
    for (_, at) in placed {
        progress.check()?;
        let Some((hit, slot)) = hits.get(at).zip(found.get_mut(at)) else { continue };
        let (commit, stale) = (reader.commit(&hit.id)?, query.stale(hit.id));
        *slot = Some(FoundRun { id: hit.id, commit, stale });
    }
    Ok(found.into_iter().flatten().collect())
}
