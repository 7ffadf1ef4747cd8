//! The history, commit by commit; and the journal, transaction by transaction.

mod filter;
pub(super) mod path_history;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use self::filter::Filter;
use self::path_history::PathHistory;
use super::revision::Resolver;
use super::selection::{self, Selection};
use super::{Error, Head, Repository, date};
use crate::object::{Commit, ObjectId, Timestamp, Transaction, TreePath};
use crate::progress::Progress;
use crate::store::{Commits, Position};

/// Says which commits or transactions to show, by time, author and message.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// The earliest time, as typed.
    pub since: Option<String>,
    /// The latest time, as typed.
    pub until: Option<String>,
    /// Regular expressions, one of which is found in `NAME <EMAIL>`.
    pub authors: Vec<String>,
    /// Regular expressions, one of which is found in a line of the message or command.
    pub messages: Vec<String>,
    /// Whether expressions match in upper and lower case.
    pub ignores_case: bool,
    /// At most so many.
    pub count_max: Option<u64>,
}

/// Says which part of the history to show.
#[derive(Debug, Clone, Default)]
pub struct LogRequest {
    /// Words of a set as typed: `main`, `^old`, `old..new`; none means `HEAD`.
    pub revisions: Vec<Vec<u8>>,
    /// Whether every branch and tag is added.
    pub all: bool,
    /// Files and directories, one of which a commit must have changed; none means any.
    pub paths: Vec<TreePath>,
    /// Which of those commits.
    pub filter: LogFilter,
    /// Whether rows are for a drawing: no commit before its children, and those that are passed
    /// over are told as well.
    pub is_graph: bool,
}

/// One step through the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogRow {
    /// A commit to show.
    Shown(Box<LogCommit>),
    /// For a drawing: a commit that is not shown.
    Passed {
        /// The commit.
        id: ObjectId,
        /// The parents that are followed.
        parents: Vec<ObjectId>,
    },
}

/// A commit of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCommit {
    /// The commit.
    pub id: ObjectId,
    /// Its record.
    pub commit: Commit,
    /// The parents that are followed: all of its own, unless paths or a range leave some out.
    pub parents: Vec<ObjectId>,
    /// What names it, `HEAD` first, then tags, then branches.
    pub labels: Vec<Label>,
}

/// A name that stands at a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// `HEAD`, on the branch of this name if there is one.
    Head(Option<String>),
    /// A tag, by its short name.
    Tag(String),
    /// A branch, by its short name.
    Branch(String),
}

/// Shows the history: the latest commit first, or children before parents.
///
/// Shape: `each` gets the rows in order. Errors: those of `each`; `Usage` for dates and expressions
/// that are not understood; of resolving and reading. Cost: lazy; with paths, reads trees of the
/// commits on the way.
pub fn log<E: From<Error>>(
    repository: &Repository,
    request: &LogRequest,
    progress: &Progress,
    mut each: impl FnMut(LogRow) -> Result<(), E>,
) -> Result<(), E> {
    let filter = filter_of(repository, &request.filter)?;
    let revisions = &request.revisions;
    let mut resolver = Resolver::new(repository)?;
    let resolved =
        Selection::resolve_at(repository, &mut resolver, revisions, request.all, progress);
    let selection = resolved?;
    let labels = labels(&mut resolver)?;
    // Its reader leaves blocks and tables to the next one.
    drop(resolver);
    let mut listing =
        Listing { repository, request, filter, labels, told: HashSet::new(), shown_count: 0 };
    let mut failed = None;
    repository.with_history(&selection.all(), progress, |commits, positions| {
        listing.list(&selection, commits, positions, progress, |row| {
            failed = each(row).err();
            failed.is_none()
        })
    })?;
    failed.map_or(Ok(()), Err)
}

/// Shows the journal, the latest transaction first; undone ones are there as all others.
///
/// Errors: as [`log`].
pub fn log_journal<E: From<Error>>(
    repository: &Repository,
    request: &LogFilter,
    progress: &Progress,
    mut each: impl FnMut(Transaction) -> Result<(), E>,
) -> Result<(), E> {
    let filter = filter_of(repository, request)?;
    let refs = repository.refs()?;
    let newest = refs.head.newest.map(|newest| newest.transaction.number);
    let mut left = request.count_max.unwrap_or(u64::MAX);
    for entry in newest.into_iter().flat_map(|newest| repository.journal.entries(newest)) {
        if left == 0 {
            break;
        }
        progress.check().map_err(Error::from)?;
        let transaction = entry.map_err(Error::from)?.transaction;
        if filter.lets_transaction_pass(&transaction) {
            each(transaction)?;
            left -= 1;
        }
    }
    Ok(())
}

fn filter_of(repository: &Repository, request: &LogFilter) -> Result<Filter, Error> {
    let now = date::local(repository.clock.now())?;
    let time = |typed: &Option<String>| -> Result<Option<Timestamp>, Error> {
        typed.as_deref().map(|typed| date::parse(typed, &now)).transpose()
    };
    Filter::between(time(&request.since)?, time(&request.until)?)
        .authors(&request.authors, request.ignores_case)?
        .messages(&request.messages, request.ignores_case)
}

/// Finds what names which commit.
pub(super) fn labels(resolver: &mut Resolver<'_>) -> Result<BTreeMap<ObjectId, Vec<Label>>, Error> {
    let (head, refs) = (resolver.head().clone(), resolver.refs().clone());
    let mut labels: BTreeMap<ObjectId, Vec<Label>> = BTreeMap::new();
    if let Head::Detached(id) = &head {
        labels.entry(*id).or_default().push(Label::Head(None));
    }
    // Not all refs: there may be a million runs, and they are no labels.
    let mut named = refs.list(resolver.reader(), Some("heads"))?;
    named.extend(refs.list(resolver.reader(), Some("tags"))?);
    for (full, id) in named {
        let is_head = head == Head::Branch(full.clone());
        let label = match full.split_once('/') {
            Some(("heads", name)) if is_head => Label::Head(Some(name.to_owned())),
            Some(("heads", name)) => Label::Branch(name.to_owned()),
            Some(("tags", name)) => Label::Tag(name.to_owned()),
            _ => continue,
        };
        labels.entry(id).or_default().push(label);
    }
    labels.values_mut().for_each(|labels| labels.sort_unstable());
    Ok(labels)
}

/// Holds what must outlast a second try, should the commit graph turn out to be damaged.
struct Listing<'r> {
    repository: &'r Repository,
    request: &'r LogRequest,
    filter: Filter,
    labels: BTreeMap<ObjectId, Vec<Label>>,
    /// Commits that rows were given for.
    told: HashSet<ObjectId>,
    shown_count: u64,
}

impl Listing<'_> {
    /// Gives row after row until `take` has enough.
    fn list(
        &mut self,
        selection: &Selection,
        commits: Commits<'_>,
        positions: &[Position],
        progress: &Progress,
        mut take: impl FnMut(LogRow) -> bool,
    ) -> Result<(), Error> {
        let count_max = self.request.filter.count_max.unwrap_or(u64::MAX);
        // The first one gets what another has left: the other reads trees only, and only for paths.
        let mut reader = self.repository.store.reader();
        let of_trees = self.repository.store.reader();
        let history = RefCell::new(PathHistory::new(commits, of_trees, &self.request.paths));
        let is_shown = selection::shown(selection, commits, positions)?;
        let read = |position, parents: &mut Vec<Position>| {
            progress.check()?;
            let before = parents.len();
            let vertex = history.borrow_mut().read(position, parents)?;
            let own = parents.split_off(before);
            parents.extend(own.into_iter().filter(&is_shown));
            Ok::<_, Error>(vertex)
        };
        let tips = selection.tips_of(positions).iter().copied().filter(&is_shown);
        let mut walk = selection::walk(tips, self.request.is_graph, read)?;
        while self.shown_count < count_max {
            let Some(position) = walk.next().transpose()? else { break };
            let id = commits.id(position)?;
            if !self.told.insert(id) {
                continue;
            }
            let mut parents = Vec::new();
            let vertex = history.borrow_mut().read(position, &mut parents)?;
            parents.retain(&is_shown);
            let parents =
                parents.into_iter().map(|parent| commits.id(parent)).collect::<Result<_, _>>()?;
            let is_candidate = history.borrow().is_shown(position)
                && !self.filter.is_out_of_time(Timestamp(vertex.time));
            let commit = is_candidate.then(|| reader.commit(&id)).transpose()?;
            let row = match commit.filter(|commit| self.filter.lets_pass(commit)) {
                Some(commit) => {
                    self.shown_count += 1;
                    let labels = self.labels.get(&id).cloned().unwrap_or_default();
                    LogRow::Shown(Box::new(LogCommit { id, commit, parents, labels }))
                }
                None if self.request.is_graph => LogRow::Passed { id, parents },
                None => continue,
            };
            if !take(row) {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
