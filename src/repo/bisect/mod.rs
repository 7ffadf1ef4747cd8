//! Which commit broke it: a search by halves, that survives the end of the command.
//!
//! What was said so far lies in the worktree (`docs/format/bisect.md`); `decide` finds out what
//! follows from it, `metric` answers from what is recorded, and `trial` by running a command;
//! several answers are counted in `votes`.

mod decide;
mod inputs;
mod metric;
mod trial;
mod votes;

use std::collections::HashSet;

use super::checkout::{CheckoutReport, CheckoutRequest, checkout_locked};
use super::revision::Resolver;
use super::write_out::{LOSE_BY_FORCE, Written};
use super::{Error, Head, Repository, RevListRequest, rev_list};
use crate::object::{Commit, ObjectId, TreePath};
use crate::progress::Progress;
use crate::worktree::bisect;

pub use crate::worktree::bisect::{Bisection, MetricRule, Said, Side, Verdict};
pub use decide::Decision;
pub use inputs::{
    Granularity, InputsOutcome, InputsReport, InputsRequest, InputsTest, Tried, Unit, bisect_inputs,
};
pub use trial::{BisectRunRequest, TrialEvent, bisect_run};

/// Says what to search for, and where.
#[derive(Debug, Clone, Default)]
pub struct BisectStartRequest {
    /// A commit that has it, as typed.
    pub bad: Option<Vec<u8>>,
    /// Commits that do not have it.
    pub good: Vec<Vec<u8>>,
    /// Only commits that change one of these can be the culprit; any can where there is none.
    pub paths: Vec<TreePath>,
    /// Whether only first parents are followed.
    pub first_parent: bool,
    /// What the sides are called, bad and good, where not just that.
    pub words: Option<(String, String)>,
    /// What decides by itself.
    pub metric: Option<MetricRule>,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells how the search stands.
#[derive(Debug)]
pub struct BisectReport {
    /// What the sides are called and what was said.
    pub state: Bisection,
    /// What follows.
    pub decision: Decision,
    /// The record of the commit that was found, or is to be tested.
    pub commit: Option<(ObjectId, Commit)>,
    /// What recorded values said meanwhile, in order.
    pub decided: Vec<Said>,
    /// What was written to the worktree, where the commit to test was checked out.
    pub written: Option<Written>,
}

/// Begins a search.
///
/// Errors: `Conflict` if one is under way; `Usage` if a bad commit leads to a good one, if the
/// metric says otherwise than the user of one of them, or if nothing between has the metric or
/// changes the paths; nothing has changed then.
pub fn bisect_start(
    repository: &Repository,
    request: &BisectStartRequest,
    progress: &Progress,
) -> Result<BisectReport, Error> {
    go(repository, &request.command, progress, || {
        if bisect::load(&repository.location.folder)?.is_some() {
            let text = "a bisection is under way: `provenance bisect next` goes on with it, \
                        `provenance bisect reset` ends it";
            return Err(Error::Conflict(text.to_owned()));
        }
        begin(repository, request)
    })
}

/// Does again what was said elsewhere, in place of the search under way.
///
/// Shape: `says` in order; what was checked out before a search under way is not forgotten.
pub fn bisect_replay(
    repository: &Repository,
    request: &BisectStartRequest,
    says: &[(Verdict, Vec<u8>)],
    progress: &Progress,
) -> Result<BisectReport, Error> {
    go(repository, &request.command, progress, || {
        let mut state = begin(repository, request)?;
        if let Some(before) = bisect::load(&repository.location.folder)? {
            state.head = before.head;
        }
        let mut resolver = Resolver::new(repository)?;
        for (verdict, typed) in says {
            let commit = resolver.commit(typed)?;
            state.log.push(Said { commit, verdict: *verdict, reason: None });
        }
        Ok(state)
    })
}

fn begin(repository: &Repository, request: &BisectStartRequest) -> Result<Bisection, Error> {
    let words = || ("bad".to_owned(), "good".to_owned());
    let (bad_word, good_word) = request.words.clone().unwrap_or_else(words);
    let mut paths = Vec::with_capacity(request.paths.len());
    for path in &request.paths {
        let text = std::str::from_utf8(path.as_bytes());
        let text = text.map_err(|_| Error::Usage(format!("the path is not UTF-8, path={path}")))?;
        paths.push(text.to_owned());
    }
    let mut state = Bisection {
        head: repository.head()?.encode().trim_end().to_owned(),
        bad_word,
        good_word,
        first_parent: request.first_parent,
        paths,
        metric: request.metric.clone(),
        log: Vec::new(),
    };
    let mut resolver = Resolver::new(repository)?;
    let bad = request.bad.iter().map(|typed| (Verdict::Bad, typed));
    for (verdict, typed) in bad.chain(request.good.iter().map(|typed| (Verdict::Good, typed))) {
        let commit = resolver.commit(typed)?;
        metric::insist(repository, &state, commit, verdict)?;
        state.log.push(Said { commit, verdict, reason: None });
    }
    Ok(state)
}

/// Takes what somebody says of commits, the one that is checked out where none is named.
///
/// Shape: `skip` takes sets of commits as well, `a..b`. Errors: `Usage` if no search is under way,
/// or if what is said contradicts what was said; nothing has changed then.
pub fn bisect_say(
    repository: &Repository,
    verdict: Verdict,
    revisions: &[Vec<u8>],
    command: &str,
    progress: &Progress,
) -> Result<BisectReport, Error> {
    let commits = commits(repository, verdict, revisions, progress)?;
    go(repository, command, progress, || {
        let mut state = bisect_state(repository)?;
        if verdict == Verdict::Bad && commits.len() > 1 {
            return Err(Error::Usage(format!("one commit is {}: name one", state.bad_word)));
        }
        for commit in commits.iter().filter(|_| verdict != Verdict::Skip) {
            metric::insist(repository, &state, *commit, verdict)?;
        }
        state.log.extend(commits.into_iter().map(|commit| Said { commit, verdict, reason: None }));
        Ok(state)
    })
}

/// Finds the commits that are spoken of.
fn commits(
    repository: &Repository,
    verdict: Verdict,
    revisions: &[Vec<u8>],
    progress: &Progress,
) -> Result<Vec<ObjectId>, Error> {
    let mut commits = Vec::new();
    if revisions.is_empty() {
        let head = repository.head_commit()?;
        let none = || Error::NotFound { what: "commit", name: "HEAD".to_owned() };
        commits.push(head.ok_or_else(none)?);
    }
    for typed in revisions {
        let is_set = verdict == Verdict::Skip && typed.windows(2).any(|pair| pair == b"..");
        if is_set {
            let request = RevListRequest { revisions: vec![typed.clone()], ..Default::default() };
            rev_list(repository, &request, progress, |id| {
                commits.push(id);
                Ok::<_, Error>(())
            })?;
        } else {
            commits.push(Resolver::new(repository)?.commit(typed)?);
        }
    }
    Ok(commits)
}

/// Goes on where the search stands: checks out what is to be tested.
pub fn bisect_next(
    repository: &Repository,
    command: &str,
    progress: &Progress,
) -> Result<BisectReport, Error> {
    go(repository, command, progress, || bisect_state(repository))
}

/// Reads what was said so far.
///
/// Errors: `Usage` if no search is under way.
pub fn bisect_state(repository: &Repository) -> Result<Bisection, Error> {
    bisect::load(&repository.location.folder)?.ok_or_else(|| {
        Error::Usage("no bisection is under way: `provenance bisect start` begins one".to_owned())
    })
}

/// Follows first parents from a commit to the first one that is none of `passed`.
///
/// Shape: `None` where history ends before.
pub fn first_ancestor(
    repository: &Repository,
    commit: &Commit,
    passed: &[ObjectId],
) -> Result<Option<ObjectId>, Error> {
    let passed: HashSet<&ObjectId> = passed.iter().collect();
    let mut reader = repository.store.reader();
    let mut next = commit.parents.first().copied();
    while let Some(id) = next.filter(|id| passed.contains(id)) {
        next = reader.commit(&id)?.parents.first().copied();
    }
    Ok(next)
}

/// Gives the message of a commit.
pub fn message(repository: &Repository, id: &ObjectId) -> Result<String, Error> {
    Ok(repository.store.reader().commit(id)?.message)
}

/// Lists the commits that may still be the culprit, the latest first.
pub fn bisect_view(
    repository: &Repository,
    progress: &Progress,
) -> Result<Vec<(ObjectId, Commit)>, Error> {
    let state = bisect_state(repository)?;
    let mut reader = repository.store.reader();
    let ids = decide::suspects(repository, &state, progress)?;
    ids.into_iter().rev().map(|id| Ok((id, reader.commit(&id)?))).collect()
}

/// Ends the search, and goes back to what was checked out before it, or to what is named.
///
/// Shape: `None` if none is under way. Errors: `Conflict` if changes would be lost that no commit
/// holds, unless `is_forced`; the search goes on then.
pub fn bisect_reset(
    repository: &Repository,
    target: Option<Vec<u8>>,
    is_forced: bool,
    command: &str,
    progress: &Progress,
) -> Result<Option<CheckoutReport>, Error> {
    let folder = &repository.location.folder;
    let _lock = repository.lock(progress)?;
    let Some(state) = bisect::load(folder)? else { return Ok(None) };
    let begun = Head::decode(format!("{}\n", state.head).as_bytes())?;
    let target = match (target, begun) {
        (Some(target), _) => target,
        (None, Head::Detached(id)) => id.to_string().into_bytes(),
        (None, Head::Branch(full)) => {
            let name = full.strip_prefix("heads/").unwrap_or(&full).to_owned();
            let (head, commit) = repository.head_and_commit()?;
            // A branch without commits is nothing that can be checked out.
            if commit.is_none() && head == Head::Branch(full.clone()) {
                bisect::remove(folder)?;
                return Ok(Some(CheckoutReport { head, commit, written: Written::default() }));
            }
            if repository.refs()?.find(&mut repository.store.reader(), &full)?.is_none() {
                return Err(Error::Conflict(format!(
                    "the branch on which the search began is not there any more: `provenance \
                     bisect reset COMMIT` goes elsewhere, name={name:?}"
                )));
            }
            name.into_bytes()
        }
    };
    let request = CheckoutRequest {
        target: Some(target),
        new_branch: None,
        is_forced,
        command: command.to_owned(),
    };
    let report = checkout_locked(repository, &request, progress)?;
    bisect::remove(folder)?;
    Ok(Some(report))
}

/// Asks the record as long as it answers, and then checks out what somebody has to test.
///
/// Shape: `state` gives the search, with what is said now; nobody else says anything meanwhile.
fn go(
    repository: &Repository,
    command: &str,
    progress: &Progress,
    state: impl FnOnce() -> Result<Bisection, Error>,
) -> Result<BisectReport, Error> {
    let _lock = repository.lock(progress)?;
    let report = follow(repository, state()?, Missing::PassOver, progress)?;
    check_out(repository, report, command, progress)
}

/// What becomes of a commit that has no value to decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    PassOver,
    Test,
}

/// Follows what was said and what is recorded, and writes it down; the worktree is locked.
fn follow(
    repository: &Repository,
    mut state: Bisection,
    missing: Missing,
    progress: &Progress,
) -> Result<BisectReport, Error> {
    insist_on_room(&state)?;
    let mut samples = metric::Samples::new(repository);
    let mut unmeasured = HashSet::new();
    let mut decided = Vec::new();
    let decision = loop {
        progress.check()?;
        let decision = decide::decide(repository, &state, &unmeasured, progress)?;
        let (Some(rule), Some(id)) = (&state.metric, decision.to_test()) else { break decision };
        match samples.ask(rule, id, progress)? {
            Some(said) => {
                decided.push(said.clone());
                state.log.push(said);
            }
            None if missing == Missing::Test => break decision,
            // Where one has no value many have none: all are looked at, once.
            None => {
                let suspects = decide::suspects(repository, &state, progress)?;
                unmeasured.extend(metric::unmeasured(repository, rule, suspects, progress)?);
                unmeasured.insert(id);
            }
        }
    };
    let is_over = matches!(decision, Decision::Found { .. } | Decision::OnlySkipped(_));
    if is_over && missing == Missing::PassOver && state.metric.is_some() {
        let suspects = decide::suspects(repository, &state, progress)?;
        metric::insist_on_any(repository, &state, suspects, progress)?;
    }
    insist_on_room(&state)?;
    bisect::save(&repository.location.folder, &state)?;
    let shown = decision.to_test().or(decision.found());
    let mut reader = repository.store.reader();
    let commit = shown.map(|id| Ok::<_, Error>((id, reader.commit(&id)?))).transpose()?;
    Ok(BisectReport { state, decision, commit, decided, written: None })
}

fn insist_on_room(state: &Bisection) -> Result<(), Error> {
    if bisect::fits(state) {
        return Ok(());
    }
    let text = "too much was said of too many commits: name the bad and the good ones nearer";
    Err(Error::Usage(text.to_owned()))
}

/// Checks out the commit that is to be tested, if it is not; the worktree is locked.
fn check_out(
    repository: &Repository,
    mut report: BisectReport,
    command: &str,
    progress: &Progress,
) -> Result<BisectReport, Error> {
    let Some(id) = report.decision.to_test() else { return Ok(report) };
    if repository.head()? != Head::Detached(id) {
        report.written = Some(go_to(repository, id, false, command, progress)?);
    }
    Ok(report)
}

fn go_to(
    repository: &Repository,
    id: ObjectId,
    is_forced: bool,
    command: &str,
    progress: &Progress,
) -> Result<Written, Error> {
    let request = CheckoutRequest {
        target: Some(id.to_string().into_bytes()),
        new_branch: None,
        is_forced,
        command: command.to_owned(),
    };
    let done = checkout_locked(repository, &request, progress).map_err(|error| match error {
        // No step but `reset` has that option.
        Error::Conflict(text) => {
            Error::Conflict(text.replace(LOSE_BY_FORCE, "take it back: `provenance restore PATH`"))
        }
        error => error,
    })?;
    Ok(done.written)
}

/// Gives the commits of which something was said.
fn said(state: &Bisection, is_meant: impl Fn(Verdict) -> bool) -> HashSet<ObjectId> {
    let meant = state.log.iter().filter(|said| is_meant(said.verdict));
    meant.map(|said| said.commit).collect()
}
