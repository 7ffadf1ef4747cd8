//! What follows from what was said: which commit to test, or which one it was.

use std::collections::{HashMap, HashSet};

use super::{Bisection, Verdict, said};
use crate::graph::{self, Next, Suspects, Vertex};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::log::path_history::PathHistory;
use crate::repo::{Error, Repository};
use crate::store::{Commits, Position};

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// One side, or both, is not known yet.
    Waiting {
        /// Whether a bad commit is known.
        has_bad: bool,
        /// Whether a good one is.
        has_good: bool,
    },
    /// This one is to be tested.
    Test {
        /// The commit.
        id: ObjectId,
        /// How many commits may be the culprit, the bad one among them.
        suspects: usize,
        /// About how many tests are left after this one.
        steps: u32,
        /// Whether it is where a good commit, which the bad one does not descend from, parted.
        is_base: bool,
    },
    /// This is the first bad commit.
    Found {
        /// The commit.
        id: ObjectId,
        /// Whether only commits that change some paths were looked at, and it is none of them.
        is_beside_paths: bool,
        /// Commits right before it that have no value to decide by, the oldest first: it is the
        /// first that was measured bad, and one of these may be what did it.
        unmeasured: Vec<ObjectId>,
    },
    /// Whatever is left was skipped, or has no value to decide by, nor has the bad one: the culprit
    /// is one of these, the oldest first.
    OnlySkipped(Vec<ObjectId>),
    /// Where a good commit parted from the bad one it was bad already: a later one mended it.
    Mended {
        /// Where they parted.
        base: ObjectId,
        /// Good commits that descend from it.
        good: Vec<ObjectId>,
    },
}

impl Decision {
    /// Gives the commit that is to be tested.
    pub const fn to_test(&self) -> Option<ObjectId> {
        match self {
            Self::Test { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Gives the commit that was found.
    pub const fn found(&self) -> Option<ObjectId> {
        match self {
            Self::Found { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// What was said, sorted.
struct Sides {
    bad: ObjectId,
    /// The commit that was called bad before any other: the search began below it.
    first_bad: ObjectId,
    first_good: ObjectId,
    good: Vec<ObjectId>,
    skipped: HashSet<ObjectId>,
}

/// Where those are in the history.
struct Places {
    bad: Position,
    first_bad: Position,
    first_good: Position,
    good: Vec<Position>,
}

impl Sides {
    /// Sorts it; says what is not known yet where a side has nothing.
    fn of(state: &Bisection) -> Result<Self, Decision> {
        let of = |verdict| move |said: &&super::Said| said.verdict == verdict;
        let (is_bad, is_good) = (of(Verdict::Bad), of(Verdict::Good));
        let bad = state.log.iter().rfind(is_bad).map(|said| said.commit);
        let first_bad = state.log.iter().find(is_bad).map(|said| said.commit);
        let first_good = state.log.iter().find(is_good).map(|said| said.commit);
        let mut good: Vec<ObjectId> =
            said(state, |verdict| verdict == Verdict::Good).into_iter().collect();
        good.sort_unstable();
        let skipped = said(state, |verdict| verdict == Verdict::Skip);
        match (bad, first_bad, first_good) {
            (Some(bad), Some(first_bad), Some(first_good)) => {
                Ok(Self { bad, first_bad, first_good, good, skipped })
            }
            _ => Err(Decision::Waiting { has_bad: bad.is_some(), has_good: !good.is_empty() }),
        }
    }

    fn tips(&self) -> Vec<ObjectId> {
        let named = [self.bad, self.first_bad, self.first_good];
        named.into_iter().chain(self.good.iter().copied()).collect()
    }

    /// Reads what was found of the tips.
    fn places(positions: &[Position]) -> Result<Places, Error> {
        match positions {
            [bad, first_bad, first_good, good @ ..] => {
                let [bad, first_bad, first_good] = [*bad, *first_bad, *first_good];
                Ok(Places { bad, first_bad, first_good, good: good.to_vec() })
            }
            _ => Err(no_commits()),
        }
    }
}

/// Decides.
///
/// Shape: what is `unmeasured` is never to be tested. Errors: `Usage` if the bad commit is in the
/// history of a good one, or both are the same, or if no commit touches the paths. Cost: a walk
/// over what is between them; with paths, a look at the tree of each commit there.
pub(super) fn decide(
    repository: &Repository,
    state: &Bisection,
    unmeasured: &HashSet<ObjectId>,
    progress: &Progress,
) -> Result<Decision, Error> {
    let sides = match Sides::of(state) {
        Ok(sides) => sides,
        Err(waiting) => return Ok(waiting),
    };
    repository.with_history(&sides.tips(), progress, |commits, positions| {
        let search = Search { repository, state, sides: &sides, unmeasured, commits, progress };
        let places = Sides::places(positions)?;
        if let Some(decision) = search.base(&places)? {
            return Ok(decision);
        }
        let suspects = search.suspects(places.bad, &places.good)?;
        search.next(&places, &suspects)
    })
}

/// Lists the commits that may still be the culprit, the oldest first.
pub(super) fn suspects(
    repository: &Repository,
    state: &Bisection,
    progress: &Progress,
) -> Result<Vec<ObjectId>, Error> {
    let Ok(sides) = Sides::of(state) else { return Ok(Vec::new()) };
    let unmeasured = &HashSet::new();
    repository.with_history(&sides.tips(), progress, |commits, positions| {
        let search = Search { repository, state, sides: &sides, unmeasured, commits, progress };
        let Places { bad, good, .. } = Sides::places(positions)?;
        let suspects = search.suspects(bad, &good)?;
        suspects.culprits().map(|position| Ok(commits.id(position)?)).collect()
    })
}

fn no_commits() -> Error {
    Error::Internal("a bisection without commits".to_owned())
}

struct Search<'a> {
    repository: &'a Repository,
    state: &'a Bisection,
    sides: &'a Sides,
    unmeasured: &'a HashSet<ObjectId>,
    commits: Commits<'a>,
    progress: &'a Progress,
}

impl Search<'_> {
    fn read(&self, position: Position, parents: &mut Vec<Position>) -> Result<Vertex, Error> {
        self.progress.check()?;
        let first = parents.len();
        let vertex = self.commits.read(position, parents)?;
        if self.state.first_parent {
            parents.truncate(first + 1);
        }
        Ok(vertex)
    }

    fn id(&self, position: Position) -> Result<ObjectId, Error> {
        Ok(self.commits.id(position)?)
    }

    /// Tells whether nobody can say what a commit is.
    fn is_passed(&self, id: &ObjectId) -> bool {
        self.sides.skipped.contains(id) || self.unmeasured.contains(id)
    }

    /// Where a good commit is no ancestor of the bad one, the place where they parted has to be
    /// good too; if it is not known to be, that comes first.
    ///
    /// Shape: the bad one is that with which the search began. One that was found since may well
    /// not descend from a good commit on another side of a merge, and where those two parted tells
    /// nothing: only what is behind the bad one is searched then.
    /// Source: git-bisect(1); git `bisect.c`, `check_good_are_ancestors_of_bad`.
    fn base(&self, places: &Places) -> Result<Option<Decision>, Error> {
        let Places { bad, ref good, .. } = *places;
        let is_ancestor = |one: Position, of: Position| {
            Ok::<_, Error>(
                one == of || graph::is_ancestor(one, of, |at, into| self.read(at, into))?,
            )
        };
        for good in good {
            if is_ancestor(bad, *good)? {
                return self.mended_or_mistaken(bad, *good);
            }
        }
        // Whoever corrects what is bad may name a commit of another history.
        let whole = if is_ancestor(bad, places.first_bad)? { places.first_bad } else { bad };
        let mut apart = Vec::new();
        for good in good {
            if !is_ancestor(*good, whole)? {
                apart.push(*good);
            }
        }
        if apart.is_empty() {
            return Ok(None);
        }
        for base in graph::merge_bases(whole, apart, |at, into| self.read(at, into))? {
            let id = self.id(base)?;
            if !self.sides.good.contains(&id) && !self.is_passed(&id) {
                let suspects = self.suspects(bad, good)?.count();
                let steps = graph::steps(suspects);
                return Ok(Some(Decision::Test { id, suspects, steps, is_base: true }));
            }
        }
        Ok(None)
    }

    /// The bad commit is in the history of a good one: it was found so, or said so.
    fn mended_or_mistaken(&self, bad: Position, good: Position) -> Result<Option<Decision>, Error> {
        let (bad, good) = (self.id(bad)?, self.id(good)?);
        let is_first = |said: &&super::Said| said.verdict == Verdict::Bad;
        let count = self.state.log.iter().filter(is_first).count();
        if count > 1 && bad != good {
            return Ok(Some(Decision::Mended { base: bad, good: vec![good] }));
        }
        let (bad_word, good_word) = (&self.state.bad_word, &self.state.good_word);
        if bad == good {
            let id = bad.short();
            return Err(Error::Usage(format!("{id} is called both {bad_word} and {good_word}")));
        }
        Err(Error::Usage(format!(
            "{} is called {bad_word}, and it is in the history of {}, which is called {good_word}: \
             are they mistaken for one another?",
            bad.short(),
            good.short()
        )))
    }

    fn suspects(&self, bad: Position, good: &[Position]) -> Result<Suspects<Position>, Error> {
        let paths = self.paths()?;
        let mut history = self.path_history(&paths);
        let counts = |position| {
            history.read(position, &mut Vec::new())?;
            Ok(history.is_shown(position))
        };
        let good = good.iter().copied();
        Suspects::find(bad, good, |at, into| self.read(at, into), counts)
    }

    fn path_history<'p>(&'p self, paths: &'p [TreePath]) -> PathHistory<'p, 'p> {
        PathHistory::new(self.commits, self.repository.store.reader(), paths)
            .first_parent(self.state.first_parent)
    }

    fn paths(&self) -> Result<Vec<TreePath>, Error> {
        let paths = self.state.paths.iter().map(|path| TreePath::new(path.as_bytes()));
        paths.collect::<Result<_, _>>().map_err(|error| Error::Corrupt(error.to_string()))
    }

    fn next(&self, places: &Places, suspects: &Suspects<Position>) -> Result<Decision, Error> {
        let bad = places.bad;
        let mut skipped = HashMap::new();
        for position in suspects.culprits() {
            skipped.insert(position, self.is_passed(&self.id(position)?));
        }
        let is_skipped = |position| skipped.get(&position).copied().unwrap_or_default();
        match suspects.next(is_skipped).ok_or_else(no_commits)? {
            Next::Found(position) => {
                let id = self.id(position)?;
                let is_beside_paths = !self.touches(bad)?;
                if is_beside_paths {
                    self.insist_on_paths(places)?;
                }
                Ok(Decision::Found { id, is_beside_paths, unmeasured: Vec::new() })
            }
            Next::Test { node, suspects, steps } => {
                Ok(Decision::Test { id: self.id(node)?, suspects, steps, is_base: false })
            }
            Next::OnlySkipped(left) => {
                let left: Result<Vec<ObjectId>, Error> =
                    left.into_iter().map(|position| self.id(position)).collect();
                self.only_skipped(bad, left?)
            }
        }
    }

    /// Refuses paths that nothing touches between the commits with which the search began: they
    /// are likely to be misspelt, and whatever is called bad would be the culprit.
    fn insist_on_paths(&self, places: &Places) -> Result<(), Error> {
        let all = self.suspects(places.first_bad, &[places.first_good])?;
        if all.count() > 1 || self.touches(places.first_bad)? {
            return Ok(());
        }
        let [bad, good] = [self.sides.first_bad, self.sides.first_good].map(|id| id.short());
        let path = self.state.paths.first().map_or("", String::as_str);
        let more = match self.state.paths.len() {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        Err(Error::Usage(format!(
            "no commit between {good} and {bad} changes the path{}: misspelt? path={path:?}{more}",
            if more.is_empty() { "" } else { "s" }
        )))
    }

    /// Where nothing was skipped but what was not measured, the bad commit is the first that was
    /// measured so; if it was not measured either, any of them may be it.
    fn only_skipped(&self, bad: Position, left: Vec<ObjectId>) -> Result<Decision, Error> {
        let id = self.sides.bad;
        let unmeasured: Vec<ObjectId> = left.iter().copied().filter(|left| *left != id).collect();
        let is_skipped = |left: &ObjectId| self.sides.skipped.contains(left);
        if unmeasured.iter().any(is_skipped) || self.unmeasured.contains(&id) {
            return Ok(Decision::OnlySkipped(left));
        }
        Ok(Decision::Found { id, is_beside_paths: !self.touches(bad)?, unmeasured })
    }

    /// Tells whether a commit changes one of the paths; any does where there are none.
    fn touches(&self, position: Position) -> Result<bool, Error> {
        let paths = self.paths()?;
        let mut history = self.path_history(&paths);
        history.read(position, &mut Vec::new())?;
        Ok(history.is_shown(position))
    }
}
