//! The ids of a set of commits, or how many there are.

use std::collections::HashSet;

use super::selection::{self, Selection};
use super::{Error, Repository};
use crate::graph::{self, Next, Suspects};
use crate::object::ObjectId;
use crate::progress::Progress;
use crate::store::{Commits, Position};

/// Says which commits to list, and how.
#[derive(Debug, Clone, Default)]
pub struct RevListRequest {
    /// Words of a set as typed: `main`, `^old`, `old..new`.
    pub revisions: Vec<Vec<u8>>,
    /// Whether every branch and tag is added.
    pub all: bool,
    /// Whether no commit may come before all of its children.
    pub is_topological: bool,
    /// At most so many.
    pub count_max: Option<u64>,
}

/// Lists the commits of a set: the latest first, or children before parents.
///
/// Shape: `each` gets the ids in order. Errors: those of `each`, of resolving and of reading.
/// Cost: lazy, unless something is left out.
pub fn rev_list<E: From<Error>>(
    repository: &Repository,
    request: &RevListRequest,
    progress: &Progress,
    mut each: impl FnMut(ObjectId) -> Result<(), E>,
) -> Result<(), E> {
    let selection = Selection::resolve(repository, &request.revisions, request.all, progress)?;
    let mut listed = HashSet::new();
    let mut failed = None;
    let count_max = request.count_max.unwrap_or(u64::MAX);
    repository.with_history(&selection.all(), progress, |commits, positions| {
        let is_shown = selection::shown(&selection, commits, positions)?;
        let read = |position, parents: &mut Vec<Position>| {
            progress.check()?;
            let vertex = commits.read(position, parents)?;
            parents.retain(&is_shown);
            Ok::<_, Error>(vertex)
        };
        let tips = selection.tips_of(positions).iter().copied().filter(&is_shown);
        for position in selection::walk(tips, request.is_topological, read)? {
            let id = commits.id(position?)?;
            let count = u64::try_from(listed.len()).unwrap_or(u64::MAX);
            if count >= count_max || failed.is_some() {
                break;
            }
            // After damage the walk begins anew, and what was listed is passed over.
            if listed.insert(id) {
                failed = each(id).err();
            }
        }
        Ok(())
    })?;
    failed.map_or(Ok(()), Err)
}

/// Counts the commits of a set.
///
/// Cost: a few bytes of memory and a look at 56 bytes for each.
pub fn rev_list_count(
    repository: &Repository,
    request: &RevListRequest,
    progress: &Progress,
) -> Result<u64, Error> {
    let selection = Selection::resolve(repository, &request.revisions, request.all, progress)?;
    let count = repository.with_history(&selection.all(), progress, |commits, positions| {
        let (tips, hidden) = (selection.tips_of(positions), selection.hidden_of(positions));
        let mut seen = Marks::new(commits);
        seen.mark_history(commits, hidden, progress)?;
        let hidden_count = seen.count;
        seen.mark_history(commits, tips, progress)?;
        Ok(seen.count - hidden_count)
    })?;
    Ok(count.min(request.count_max.unwrap_or(u64::MAX)))
}

/// Finds the commit of a set to test next in a search for the first bad one.
///
/// Shape: `None` for an empty set; the tip where nothing else is left. Errors: `Usage` unless one
/// commit, the bad one, is not left out. Cost: as for `bisect`, once.
pub fn rev_list_bisect(
    repository: &Repository,
    request: &RevListRequest,
    progress: &Progress,
) -> Result<Option<ObjectId>, Error> {
    let selection = Selection::resolve(repository, &request.revisions, request.all, progress)?;
    repository.with_history(&selection.all(), progress, |commits, positions| {
        let [bad] = selection.tips_of(positions) else {
            return Err(Error::Usage("one commit is bad: name one, and the good as ^GOOD".into()));
        };
        let read = |position, parents: &mut Vec<Position>| {
            progress.check()?;
            commits.read(position, parents).map_err(Error::from)
        };
        let good = selection.hidden_of(positions).iter().copied();
        let suspects = Suspects::find(*bad, good, read, |_| Ok(true))?;
        match suspects.next(|_| false) {
            Some(Next::Test { node, .. } | Next::Found(node)) => Ok(Some(commits.id(node)?)),
            Some(Next::OnlySkipped(_)) | None => Ok(None),
        }
    })
}

/// A bit for each position.
struct Marks {
    bits: Vec<u64>,
    count: u64,
}

impl Marks {
    fn new(commits: Commits<'_>) -> Self {
        let words = usize::try_from(commits.position_count() / 64 + 1).unwrap_or_default();
        Self { bits: vec![0; words], count: 0 }
    }

    /// Marks a position; true if it was not.
    fn mark(&mut self, position: Position) -> bool {
        let index = position.index();
        let word = usize::try_from(index / 64).ok().and_then(|at| self.bits.get_mut(at));
        let Some(word) = word else { return false };
        let bit = 1 << (index % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        self.count += u64::from(is_new);
        is_new
    }

    fn mark_history(
        &mut self,
        commits: Commits<'_>,
        tips: &[Position],
        progress: &Progress,
    ) -> Result<(), Error> {
        let tips = tips.iter().copied();
        graph::reach(
            tips,
            |position| self.mark(*position),
            |position, parents| {
                progress.check()?;
                commits.read(position, parents)?;
                Ok(())
            },
        )
    }
}

#[cfg(test)]
#[path = "rev_list_tests.rs"]
mod tests;
