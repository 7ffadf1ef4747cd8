//! The best common ancestors of commits, and whether one is an ancestor of another.

use super::revision::Resolver;
use super::{Error, Repository};
use crate::graph;
use crate::object::ObjectId;
use crate::progress::Progress;

/// Names the commits to compare.
#[derive(Debug, Clone, Default)]
pub struct MergeBaseRequest {
    /// At least two revisions as typed; the others are taken as if merged with one another.
    pub commits: Vec<Vec<u8>>,
}

/// Tells the best common ancestors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeBaseReport {
    /// Those that are in the history of no other one, the latest first; none for unrelated
    /// histories.
    pub bases: Vec<ObjectId>,
}

/// Finds the best common ancestors of the first commit and a merge of the others.
///
/// Errors: `Usage` for fewer than two; `NotFound`.
pub fn merge_base(
    repository: &Repository,
    request: &MergeBaseRequest,
    progress: &Progress,
) -> Result<MergeBaseReport, Error> {
    if request.commits.len() < 2 {
        return Err(Error::Usage("name two commits or more".to_owned()));
    }
    let tips = resolved(repository, &request.commits)?;
    let bases = repository.with_history(&tips, progress, |commits, positions| {
        let Some((one, others)) = positions.split_first() else { return Ok(Vec::new()) };
        let read = |position, parents: &mut Vec<_>| {
            progress.check()?;
            commits.read(position, parents).map_err(Error::from)
        };
        let bases = graph::merge_bases(*one, others.iter().copied(), read)?;
        bases.into_iter().map(|base| Ok(commits.id(base)?)).collect()
    })?;
    Ok(MergeBaseReport { bases })
}

/// Tells whether `ancestor` is in the history of `descendant`; a commit is in its own.
///
/// Errors: `NotFound`.
pub fn is_ancestor(
    repository: &Repository,
    ancestor: &[u8],
    descendant: &[u8],
    progress: &Progress,
) -> Result<bool, Error> {
    let tips = resolved(repository, &[ancestor.to_vec(), descendant.to_vec()])?;
    repository.has_ancestor(&tips, progress)
}

impl Repository {
    /// Tells whether the first of two commits is in the history of the second.
    pub(super) fn has_ancestor(
        &self,
        pair: &[ObjectId],
        progress: &Progress,
    ) -> Result<bool, Error> {
        self.with_history(pair, progress, |commits, positions| {
            let [ancestor, descendant] = positions else { return Ok(false) };
            graph::is_ancestor(*ancestor, *descendant, |position, parents| {
                progress.check()?;
                commits.read(position, parents).map_err(Error::from)
            })
        })
    }
}

fn resolved(repository: &Repository, commits: &[Vec<u8>]) -> Result<Vec<ObjectId>, Error> {
    let mut resolver = Resolver::new(repository)?;
    commits.iter().map(|typed| resolver.commit(typed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::sample::Sample;

    fn bases(sample: &Sample, commits: &[char]) -> String {
        let typed = commits.iter().map(|letter| sample.ids[letter].to_string().into_bytes());
        let request = MergeBaseRequest { commits: typed.collect() };
        let report = merge_base(&sample.repository, &request, &sample.progress).expect("found");
        sample.letters(&report.bases)
    }

    /// ```text
    /// a---b---d---f
    ///  \   \ /
    ///   \   x         d and e are a criss-cross of b and c
    ///    \ / \
    ///     c---e       z has nothing to do with them
    /// ```
    #[test]
    fn the_best_common_ancestors() {
        let sample = Sample::drawn("a z b:a c:a d:bc e:cb f:d");
        assert_eq!(bases(&sample, &['b', 'c']), "a");
        assert_eq!(bases(&sample, &['d', 'b']), "b");
        assert_eq!(bases(&sample, &['f', 'e']), "cb");
        assert_eq!(bases(&sample, &['f', 'f']), "f");
        assert_eq!(bases(&sample, &['f', 'z']), "");
        assert_eq!(bases(&sample, &['b', 'c', 'd']), "b");
    }

    #[test]
    fn ancestors_of_a_commit() {
        let sample = Sample::drawn("a b:a c:a d:b");
        let is_ancestor = |one: &str, other: &str| {
            let (one, other) = (one.as_bytes(), other.as_bytes());
            is_ancestor(&sample.repository, one, other, &sample.progress).expect("found")
        };
        assert!(is_ancestor("main~2", "main"));
        assert!(is_ancestor("main", "main"));
        assert!(!is_ancestor("main", "main~1"));
        assert!(!is_ancestor(&sample.ids[&'c'].to_string(), "main"));
    }

    #[test]
    fn one_commit_has_no_common_ancestor() {
        let sample = Sample::drawn("a");
        let request = MergeBaseRequest { commits: vec![b"main".to_vec()] };
        let refused = merge_base(&sample.repository, &request, &sample.progress);
        assert!(matches!(refused, Err(Error::Usage(_))));
    }
}
