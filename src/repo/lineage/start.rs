//! What is meant by a name: a commit, a path, an artifact, an id or a SHA-256.

use std::collections::HashSet;

use super::{LineageNode, Search};
use crate::object::tree::{self, Target};
use crate::object::{Artifact, ArtifactKind, Commit, Content, ObjectId, Sha256, TreePath};
use crate::progress::{Phase, Progress};
use crate::repo::artifacts::content_at;
use crate::repo::ref_name::RefKind;
use crate::repo::revision::{Named, Resolver};
use crate::repo::status::{StatusRequest, status};
use crate::repo::trouble::Trouble;
use crate::repo::{Error, Repository};
use crate::store::{Reader, Stored};

/// Where a lineage begins.
#[derive(Debug, Clone)]
pub struct Start {
    /// The node.
    pub node: LineageNode,
    /// How to call it.
    pub name: String,
    /// What is known of it, if it is content.
    pub content: Option<Content>,
    /// Whether it was named by a path at which the worktree has something else.
    pub has_changed: bool,
}

impl Start {
    /// Finds what is meant: `path` is what is typed as a path from the worktree's root.
    ///
    /// Shape: in this order: a commit or a run, `COMMIT:PATH`, a path of the head or the stage, an
    /// artifact that the head declares, an id or the first digits of one, the id of content that a
    /// run names and that is not here, a SHA-256 of a file of the head or of any commit that a ref
    /// names. Errors: `NotFound`; `Usage` for a path that is a commit or an artifact as well.
    pub fn find(
        repository: &Repository,
        search: &mut Search<'_>,
        typed: &[u8],
        path: Option<&TreePath>,
    ) -> Result<Self, Trouble> {
        let mut resolver = Resolver::new(repository)?;
        let name = String::from_utf8_lossy(typed).into_owned();
        let named = match resolver.object(typed) {
            Ok(named) => Some(named),
            Err(error) if is_unknown(&error) => None,
            Err(error) => return Err(error.into()),
        };
        if let (Some(named), true) = (&named, typed.contains(&b':')) {
            return Ok(Self::of(named, name));
        }
        let mut reader = repository.store.reader();
        let head = repository.head_commit()?;
        let head = head.map(|head| reader.commit(&head)).transpose()?;
        let stage = repository.staged_tree(&mut reader)?;
        let trees = [head.as_ref().map(|head| head.tree), Some(stage)];
        let here = path.map(|path| Self::at(&mut reader, trees, path)).transpose()?.flatten();
        let declared = head.as_ref().and_then(|head| declared(head, &name));
        if let Some(Named::Commit(id)) = named {
            return match here {
                None => Ok(Self::new(LineageNode::Commit(id), name, None)),
                Some(_) => {
                    let run = format!("{}{name}", RefKind::Run.prefix());
                    let is_run = resolver.commit(run.as_bytes()).is_ok_and(|found| found == id);
                    let other = if is_run { run } else { id.short() };
                    Err(both(&name, "a commit", &other).into())
                }
            };
        }
        match (here, path, declared) {
            (Some((here, _)), _, Some(artifact)) if here.node.id() != artifact.content.id => {
                return Err(both(&name, "the name of an artifact", &artifact.path).into());
            }
            (Some((here, is_staged)), Some(path), _) => {
                let request = StatusRequest { paths: vec![path.clone()], lists_new: false };
                let now = status(repository, &request, search.progress)?;
                let has_changed = !now.unstaged.is_empty() || !is_staged && !now.staged.is_empty();
                return Ok(Self { has_changed, ..here });
            }
            (_, _, Some(artifact)) => return Ok(Self::content(name, artifact.content.clone())),
            _ => {}
        }
        if let Some(named) = &named {
            return Ok(Self::of(named, name));
        }
        let id = ObjectId::parse_record(&name).or_else(|_| ObjectId::parse(&name)).ok();
        if let Some(content) = id.map(|id| search.content(&id)).transpose()?.flatten() {
            return Ok(Self::content(name, content));
        }
        let sha256 = Sha256::parse(&name).ok();
        let found = sha256.map(|sha256| by_sha256(repository, &sha256, search.progress));
        let found = found.transpose()?.flatten();
        let found = found.map(|content| Self::content(name.clone(), content));
        Ok(found.ok_or(Error::NotFound { what: "artifact, path, run or id", name })?)
    }

    const fn new(node: LineageNode, name: String, content: Option<Content>) -> Self {
        Self { node, name, content, has_changed: false }
    }

    fn content(name: String, content: Content) -> Self {
        Self::new(LineageNode::Artifact(content.id), name, Some(content))
    }

    /// Finds what stands at a path in the head or, if it has none, on the stage; tells which.
    fn at(
        reader: &mut Reader<'_>,
        [head, stage]: [Option<ObjectId>; 2],
        path: &TreePath,
    ) -> Result<Option<(Self, bool)>, Error> {
        for (root, is_staged) in [(head, false), (stage, true)] {
            let Some(root) = root else { continue };
            if let Some(content) = content_at(reader, &root, path)? {
                return Ok(Some((Self::content(path.to_string(), content), is_staged)));
            }
        }
        Ok(None)
    }

    /// Begins at content that a path had once.
    pub fn version(id: ObjectId, path: &TreePath) -> Self {
        Self::content(path.to_string(), plain(id, 1, 0))
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
        Self::new(LineageNode::Artifact(named.id()), name, content)
    }
}

/// Finds what the head declares under a name.
///
/// Shape: what was detected bears its path as its name, and is found as a path, from where the
/// user stands.
fn declared<'h>(head: &'h Commit, name: &str) -> Option<&'h Artifact> {
    head.artifacts.iter().find(|artifact| artifact.name == name && artifact.path != name)
}

fn both(name: &str, what: &str, other: &str) -> Error {
    Error::Usage(format!("{name} is {what} and a path: say {other} or ./{name}"))
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
    progress.begin(Phase { name: "looking for the file", ..Phase::default() });
    let mut seen = HashSet::new();
    let mut commits: Vec<ObjectId> = repository.head_commit()?.into_iter().collect();
    repository.refs()?.each(&mut repository.store.reader(), |_, id| {
        commits.push(id);
        Ok::<_, Error>(())
    })?;
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
