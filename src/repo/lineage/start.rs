//! What is meant by a name: a commit, a path, an artifact, an id or a SHA-256.

use std::collections::HashSet;

use super::LineageNode;
use crate::object::tree::{self, Target};
use crate::object::{ArtifactKind, Commit, Content, ObjectId, Sha256, TreePath};
use crate::progress::{Phase, Progress};
use crate::repo::artifacts::content_at;
use crate::repo::revision::{Named, Resolver};
use crate::repo::{Error, Repository};
use crate::store::Stored;

/// Where a lineage begins.
#[derive(Debug, Clone)]
pub struct Start {
    /// The node.
    pub node: LineageNode,
    /// How to call it.
    pub name: String,
    /// What is known of it, if it is content.
    pub content: Option<Content>,
}

impl Start {
    /// Finds what is meant: `path` is what is typed as a path from the worktree's root.
    ///
    /// Shape: in this order: a commit or a run, `COMMIT:PATH`, an artifact that the head declares,
    /// a path of the head or the stage, an id or the first digits of one, a SHA-256 of a file of
    /// the head or of any commit that a ref names. Errors: `NotFound`.
    pub fn find(
        repository: &Repository,
        typed: &[u8],
        path: Option<&TreePath>,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let mut resolver = Resolver::new(repository)?;
        let name = String::from_utf8_lossy(typed).into_owned();
        let named = match resolver.object(typed) {
            Ok(named) => Some(named),
            Err(error) if is_unknown(&error) => None,
            Err(error) => return Err(error),
        };
        if let Some(Named::Commit(id)) = named {
            return Ok(Self { node: LineageNode::Commit(id), name, content: None });
        }
        if let (Some(named), true) = (&named, typed.contains(&b':')) {
            return Ok(Self::of(named, name));
        }
        let mut reader = repository.store.reader();
        let head = repository.head_commit()?;
        let head = head.map(|head| reader.commit(&head)).transpose()?;
        if let Some(found) = head.as_ref().and_then(|head| Self::declared(head, &name)) {
            return Ok(found);
        }
        let stage = repository.staged_tree(&mut reader)?;
        let trees = head.as_ref().map(|head| head.tree).into_iter().chain([stage]);
        for (root, path) in trees.filter_map(|root| Some((root, path?))) {
            if let Some(content) = content_at(&mut reader, &root, path)? {
                let node = LineageNode::Artifact(content.id);
                return Ok(Self { node, name: path.to_string(), content: Some(content) });
            }
        }
        if let Some(named) = &named {
            return Ok(Self::of(named, name));
        }
        let sha256 = Sha256::parse(&name).ok();
        let found = sha256.map(|sha256| by_sha256(repository, &sha256, progress)).transpose()?;
        found
            .flatten()
            .map(|content| Self {
                node: LineageNode::Artifact(content.id),
                name: name.clone(),
                content: Some(content),
            })
            .ok_or(Error::NotFound { what: "artifact, path, run or id", name })
    }

    /// Begins at content that a path had once.
    pub fn version(id: ObjectId, path: &TreePath) -> Self {
        let name = path.to_string();
        Self { node: LineageNode::Artifact(id), name, content: Some(plain(id, 1, 0)) }
    }

    fn declared(head: &Commit, name: &str) -> Option<Self> {
        let artifact = head.artifacts.iter().find(|artifact| artifact.name == name)?;
        let node = LineageNode::Artifact(artifact.content.id);
        Some(Self { node, name: name.to_owned(), content: Some(artifact.content.clone()) })
    }

    fn of(named: &Named, name: String) -> Self {
        let content = match named {
            Named::Entry(Target::File { id, size, .. } | Target::Symlink { id, size }) => {
                Some(plain(*id, 1, *size))
            }
            Named::Entry(Target::Directory { id, files, bytes }) => {
                Some(plain(*id, *files, *bytes))
            }
            Named::Object(id, Stored::Blob) => Some(plain(*id, 1, 0)),
            _ => None,
        };
        Self { node: LineageNode::Artifact(named.id()), name, content }
    }
}

const fn plain(id: ObjectId, files: u64, bytes: u64) -> Content {
    Content { kind: ArtifactKind::Other, id, files, bytes }
}

/// Tells whether a name just means nothing as a revision.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::Usage(_))
}

/// Finds a file by its SHA-256, in the head and in the trees of all runs.
///
/// Cost: reads each node of these trees once, until it is found.
fn by_sha256(
    repository: &Repository,
    sought: &Sha256,
    progress: &Progress,
) -> Result<Option<Content>, Error> {
    let mut reader = repository.store.reader();
    let refs = repository.refs()?.list(&mut reader, None)?;
    progress.begin(Phase { name: "looking for the file", ..Phase::default() });
    let mut seen = HashSet::new();
    let mut commits: Vec<ObjectId> = repository.head_commit()?.into_iter().collect();
    commits.extend(refs.into_values());
    for commit in commits {
        let root = reader.commit(&commit)?.tree;
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            if !seen.insert(node) {
                continue;
            }
            progress.check()?;
            match tree::Node::decode(&reader.node(&node)?)? {
                tree::Node::Inner { children, .. } => {
                    stack.extend(children.into_iter().map(|child| child.id));
                }
                tree::Node::Leaf(entries) => {
                    for entry in entries {
                        match entry.target {
                            Target::File { id, size, sha256, .. } if sha256 == *sought => {
                                return Ok(Some(plain(id, 1, size)));
                            }
                            Target::Directory { id, .. } => stack.push(id),
                            _ => {}
                        }
                    }
                }
            }
        }
    }
    Ok(None)
}
