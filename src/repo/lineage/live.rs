//! Which commits count: those that refs name, and what branches and tags lead to.

use crate::graph;
use crate::object::{Commit, ObjectId};
use crate::progress::Progress;
use crate::repo::ref_name::RefKind;
use crate::repo::refs::Refs;
use crate::repo::{Error, Repository};
use crate::store::{Position, Reader};

/// Lists all of them, ascending: a run that came in with a branch may have no ref of its own.
///
/// Shape: `detached` is what is checked out without a branch; that of a branch is among the refs.
/// Cost: the name of each ref and the place of each commit in the graph; no record. Some 40 bytes
/// of memory for each.
pub fn commits(
    repository: &Repository,
    refs: &Refs,
    detached: Option<ObjectId>,
    progress: &Progress,
) -> Result<Vec<ObjectId>, Error> {
    let mut reader = repository.store.reader();
    let mut tips: Vec<ObjectId> = detached.into_iter().collect();
    // A run is named by itself; of its history the branches know.
    for kind in RefKind::ALL.into_iter().filter(|kind| *kind != RefKind::Run) {
        tips.extend(refs.list(&mut reader, Some(kind.folder()))?.into_values());
    }
    let mut commits = history(repository, tips, progress)?;
    commits.sort_unstable();
    let mut apart = Vec::new();
    refs.each(&mut reader, |_, id| {
        if commits.binary_search(&id).is_err() {
            apart.push(id);
        }
        progress.check().map_err(Error::from)
    })?;
    commits.append(&mut apart);
    commits.sort_unstable();
    commits.dedup();
    Ok(commits)
}

/// Lists all commits to which some lead, in no order.
fn history(
    repository: &Repository,
    mut tips: Vec<ObjectId>,
    progress: &Progress,
) -> Result<Vec<ObjectId>, Error> {
    tips.sort_unstable();
    tips.dedup();
    repository.with_history(&tips, progress, |commits, positions| {
        let mut found = vec![false; commits.position_count() as usize];
        let enter = |position: &Position| {
            let is_new = found.get_mut(position.index() as usize);
            is_new.is_some_and(|is_found| !std::mem::replace(is_found, true))
        };
        let mut ids = Vec::new();
        let read = |position, parents: &mut Vec<_>| {
            progress.check()?;
            commits.read(position, parents)?;
            ids.push(commits.id(position)?);
            Ok::<_, Error>(())
        };
        graph::reach(positions.iter().copied(), enter, read)?;
        Ok(ids)
    })
}

/// Tells of single runs whether they count.
pub struct Live<'r> {
    repository: &'r Repository,
    refs: &'r Refs,
    reader: Reader<'r>,
    progress: &'r Progress,
    /// Whether all count that anybody may ask about.
    is_all: bool,
    /// All that count, once one was asked about that has no ref of its own name.
    all: Option<Vec<ObjectId>>,
}

impl<'r> Live<'r> {
    pub fn new(
        repository: &'r Repository,
        refs: &'r Refs,
        is_all: bool,
        progress: &'r Progress,
    ) -> Self {
        Self { repository, refs, reader: repository.store.reader(), progress, is_all, all: None }
    }

    /// Tells whether a run counts.
    ///
    /// Cost: nothing if all do; else a look at the ref of its name, and where it has none, once all
    /// of [`commits`].
    pub fn has(&mut self, id: &ObjectId, commit: &Commit) -> Result<bool, Error> {
        if self.is_all {
            return Ok(true);
        }
        let name = commit.run.as_ref().map(|run| RefKind::Run.full_name(&run.name));
        if let Some(Ok(name)) = name
            && self.refs.find(&mut self.reader, &name)? == Some(*id)
        {
            return Ok(true);
        }
        self.leads_to(id)
    }

    /// Tells the same of a commit whose record cannot be read.
    pub fn leads_to(&mut self, id: &ObjectId) -> Result<bool, Error> {
        let all = match self.all.take() {
            Some(all) => all,
            None => {
                let detached = self.repository.detached()?;
                commits(self.repository, self.refs, detached, self.progress)?
            }
        };
        Ok(self.all.insert(all).binary_search(id).is_ok())
    }
}
