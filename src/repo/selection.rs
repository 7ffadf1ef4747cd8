//! Sets of commits as typed for `log` and `rev-list`: where to start, and what to leave out.

use super::revision::{Part, Resolver};
use super::{Error, Repository};
use crate::graph;
use crate::object::ObjectId;
use crate::progress::Progress;

/// Holds where a walk starts and what it leaves out, with all that is behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Commits to start from; sorted, none twice.
    pub tips: Vec<ObjectId>,
    /// Commits that are left out with everything they can reach; sorted, none twice.
    pub hidden: Vec<ObjectId>,
}

impl Selection {
    /// Resolves the words of a set; no words mean `HEAD`, of which there may be none yet.
    ///
    /// Shape: `all` adds every branch and tag, and `HEAD`.
    pub fn resolve(
        repository: &Repository,
        words: &[Vec<u8>],
        all: bool,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let mut resolver = Resolver::new(repository)?;
        let mut selection = Self::default();
        for word in words {
            selection.add(repository, &mut resolver, word, progress)?;
        }
        if all {
            let refs = resolver.refs().clone();
            selection.tips.extend(refs.list(resolver.reader(), None)?.into_values());
        }
        if all || selection.tips.is_empty() && (words.is_empty() || !selection.hidden.is_empty()) {
            selection.tips.extend(repository.head_commit()?);
        }
        for ids in [&mut selection.tips, &mut selection.hidden] {
            ids.sort_unstable();
            ids.dedup();
        }
        Ok(selection)
    }

    fn add(
        &mut self,
        repository: &Repository,
        resolver: &mut Resolver<'_>,
        word: &[u8],
        progress: &Progress,
    ) -> Result<(), Error> {
        match Part::parse(word)? {
            Part::Reachable(one) => self.tips.push(resolver.commit_of(&one)?),
            Part::Excluded(one) => self.hidden.push(resolver.commit_of(&one)?),
            Part::Since { old, new } => {
                self.hidden.push(resolver.commit_of(&old)?);
                self.tips.push(resolver.commit_of(&new)?);
            }
            Part::Apart(one, other) => {
                let pair = [resolver.commit_of(&one)?, resolver.commit_of(&other)?];
                self.tips.extend(pair);
                self.hidden.extend(repository.common(&pair, progress)?);
            }
        }
        Ok(())
    }

    /// Gives all commits that must be in a history for a walk over this selection.
    pub fn all(&self) -> Vec<ObjectId> {
        self.tips.iter().chain(&self.hidden).copied().collect()
    }
}

impl Repository {
    fn common(&self, pair: &[ObjectId; 2], progress: &Progress) -> Result<Vec<ObjectId>, Error> {
        self.with_history(pair, progress, |commits, positions| {
            let [one, other] = positions else { return Ok(Vec::new()) };
            let read = |position, parents: &mut Vec<_>| commits.read(position, parents);
            let bases = graph::merge_bases(*one, [*other], read)?;
            bases.into_iter().map(|base| Ok(commits.id(base)?)).collect()
        })
    }
}
