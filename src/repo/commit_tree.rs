//! Records a commit of any tree and parents, and moves no ref: for tools that build on it.

use super::artifacts::artifacts_of;
use super::revision::Resolver;
use super::{Error, Repository};
use crate::object::{Commit, ObjectId};
use crate::store::Root;

/// Says what to record.
#[derive(Debug, Clone, Default)]
pub struct CommitTreeRequest {
    /// A tree as typed: an id, a commit, a directory in one.
    pub tree: Vec<u8>,
    /// The parents as typed, in order, none twice.
    pub parents: Vec<Vec<u8>>,
    /// Why; kept exactly.
    pub message: String,
}

/// Tells what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitTreeReport {
    /// The commit.
    pub id: ObjectId,
    /// Its record.
    pub commit: Commit,
}

/// Stores a commit that no ref names yet; whoever asked is to name it soon, or it is collected.
///
/// Errors: `NotFound`, `Usage` for a parent named twice or a malformed `provenance.toml`;
/// nothing is stored then.
pub fn commit_tree(
    repository: &Repository,
    request: &CommitTreeRequest,
) -> Result<CommitTreeReport, Error> {
    let mut resolver = Resolver::new(repository)?;
    let tree = resolver.tree(&request.tree)?;
    let mut parents = Vec::with_capacity(request.parents.len());
    for typed in &request.parents {
        let id = resolver.commit(typed)?;
        if parents.contains(&id) {
            return Err(Error::Usage(format!("a parent is named twice, id={id}")));
        }
        parents.push(id);
    }
    let found = artifacts_of(&mut repository.store.reader(), &tree, parents.first())?;
    let commit = Commit {
        tree,
        parents,
        author: repository.author(),
        time: repository.clock.now(),
        message: request.message.clone(),
        system: crate::capture::system(),
        artifacts: found.artifacts,
        run: None,
        code: None,
        environment: None,
        fine_tune: None,
        overlaps: None,
    };
    let transaction = repository.store.transaction()?;
    let reliance = transaction.reliance()?;
    repository.store.revive(&reliance, &tree, Root::Tree(tree))?;
    for parent in &commit.parents {
        repository.store.revive(&reliance, parent, Root::Commit(*parent))?;
    }
    let id = transaction.put_commit(&commit.encode()?)?;
    transaction.finish()?;
    Ok(CommitTreeReport { id, commit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::sample::Sample;

    #[test]
    fn a_commit_of_any_tree_and_parents() {
        let sample = Sample::drawn("a b:a");
        let request = CommitTreeRequest {
            tree: b"main".to_vec(),
            parents: vec![b"main".to_vec(), b"main~1".to_vec()],
            message: "merge".into(),
        };
        let report = commit_tree(&sample.repository, &request).expect("recorded");
        assert_eq!(sample.letters(&report.commit.parents), "ba");
        let stored = sample.repository.store.reader().commit(&report.id).expect("stored");
        assert_eq!(stored, report.commit);
        assert_eq!(sample.repository.head_commit().expect("a head"), Some(sample.ids[&'b']));
    }

    #[test]
    fn a_parent_is_named_once() {
        let sample = Sample::drawn("a");
        let parents = vec![b"main".to_vec(), b"@".to_vec()];
        let request = CommitTreeRequest { tree: b"main".to_vec(), parents, message: "x".into() };
        assert!(matches!(commit_tree(&sample.repository, &request), Err(Error::Usage(_))));
    }
}
