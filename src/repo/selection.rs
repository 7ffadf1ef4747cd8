//! Sets of commits as typed for `log` and `rev-list`: where to start, and what to leave out.

use std::borrow::Cow;

use super::ref_name::RefKind;
use super::revision::{Part, Resolver};
use super::{Error, Repository};
use crate::graph::{self, ByTime, Topological, Vertex};
use crate::object::ObjectId;
use crate::progress::Progress;
use crate::store::{Commits, Position};

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
    /// Shape: `all` adds every branch, tag and run, and `HEAD`.
    pub fn resolve(
        repository: &Repository,
        words: &[Vec<u8>],
        all: bool,
        progress: &Progress,
    ) -> Result<Self, Error> {
        Self::resolve_at(repository, &mut Resolver::new(repository)?, words, all, progress)
    }

    /// As [`Self::resolve`], where refs stand as a resolver has read them.
    pub fn resolve_at(
        repository: &Repository,
        resolver: &mut Resolver<'_>,
        words: &[Vec<u8>],
        all: bool,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let mut selection = Self::default();
        for word in words {
            selection.add(repository, resolver, word, progress)?;
        }
        if all {
            let refs = resolver.refs().clone();
            let tips = &mut selection.tips;
            refs.each(resolver.reader(), |name, id| {
                // Checks of sources are commits, and no states of the files.
                if RefKind::Source.short_name(name).is_none() {
                    tips.push(id);
                }
                Ok::<_, Error>(())
            })?;
        }
        if all || selection.tips.is_empty() && (words.is_empty() || !selection.hidden.is_empty()) {
            selection.tips.extend(resolver.head_commit()?);
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
    pub fn all(&self) -> Cow<'_, [ObjectId]> {
        match self.hidden.is_empty() {
            true => Cow::Borrowed(&self.tips),
            false => self.tips.iter().chain(&self.hidden).copied().collect(),
        }
    }

    /// Gives the tips among the positions of [`Self::all`].
    pub fn tips_of<'p>(&self, positions: &'p [Position]) -> &'p [Position] {
        positions.get(..self.tips.len()).unwrap_or_default()
    }

    /// Gives what is left out among the positions of [`Self::all`].
    pub fn hidden_of<'p>(&self, positions: &'p [Position]) -> &'p [Position] {
        positions.get(self.tips.len()..).unwrap_or_default()
    }
}

/// Finds out which commits a selection leaves in.
///
/// Cost: nothing where nothing is left out; else memory for what is left in.
pub fn shown(
    selection: &Selection,
    commits: Commits<'_>,
    positions: &[Position],
) -> Result<impl Fn(&Position) -> bool + use<>, Error> {
    let (tips, hidden) = (selection.tips_of(positions), selection.hidden_of(positions));
    let shown = match hidden {
        [] => None,
        hidden => {
            let read = |position, parents: &mut Vec<_>| commits.read(position, parents);
            Some(graph::between(tips.iter().copied(), hidden.iter().copied(), read)?)
        }
    };
    Ok(move |position: &Position| shown.as_ref().is_none_or(|shown| shown.contains(position)))
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

/// Walks from `tips`: the latest commit first, or children before parents.
pub fn walk<'w, F>(
    tips: impl IntoIterator<Item = Position>,
    is_topological: bool,
    read: F,
) -> Result<Box<dyn Iterator<Item = Result<Position, Error>> + 'w>, Error>
where
    F: FnMut(Position, &mut Vec<Position>) -> Result<Vertex, Error> + 'w,
{
    Ok(match is_topological {
        true => Box::new(Topological::new(tips, read)?),
        false => Box::new(ByTime::new(tips, read)?),
    })
}
