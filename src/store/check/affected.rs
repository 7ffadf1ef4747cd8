//! Which commits, and which paths in them, need objects that cannot be read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Affected, Finding};
use crate::format::pack::{KindSet, ObjectKind, PackClass};
use crate::object::ObjectId;
use crate::object::tree::{EMPTY_TREE, Node, Target};
use crate::progress::Progress;
use crate::store::chunk_lists::Chunks;
use crate::store::id_set::{IdSet, Role};
use crate::store::{Reader, Root, Store, StoreError};

/// Paths that are told for one finding.
const PATHS_MAX: usize = 20;

/// Commits that are told for one path.
const COMMITS_MAX: usize = 20;

/// Lost objects that are remembered below one directory.
const HITS_MAX: usize = 256;

/// Directories inside of one another that are looked into.
const DEPTH_MAX: usize = 1024;

/// Says for each finding which paths of which commits it concerns.
///
/// Shape: an object that has another, sound copy concerns nobody. Cost: reads the trees of all
/// commits that the roots reach, each node once.
pub(super) fn fill(
    store: &Store,
    roots: &[Root],
    findings: &mut [Finding],
    progress: &Progress,
) -> Result<(), StoreError> {
    let mut reader = store.reader();
    let objects = findings.iter().flat_map(|finding| &finding.objects);
    let mut lost: HashSet<ObjectId> = objects.copied().collect();
    lost.retain(|id| !is_readable(&mut reader, id));
    if lost.is_empty() {
        return Ok(());
    }
    let holders = holders(&mut reader, &lost)?;
    let mut tracer = Tracer {
        reader,
        lost: &lost,
        holders: &holders,
        clean: IdSet::default(),
        below: HashMap::new(),
        commits: Vec::new(),
        seen: IdSet::default(),
        found: BTreeMap::new(),
    };
    for root in roots {
        tracer.root(*root, progress)?;
    }
    let found = tracer.found;
    for finding in findings {
        finding.affected = finding
            .objects
            .iter()
            .filter_map(|id| found.get(id))
            .flat_map(|paths| paths.iter())
            .map(|(path, commits)| Affected {
                path: String::from_utf8_lossy(path).into_owned(),
                commits: commits.first.clone(),
                commit_count: commits.count,
            })
            .take(PATHS_MAX)
            .collect();
    }
    Ok(())
}

fn is_readable(reader: &mut Reader<'_>, id: &ObjectId) -> bool {
    let is_record = reader.find(id, KindSet::RECORDS).is_ok_and(|found| found.is_some());
    is_record || reader.stream(id, |_| Ok::<_, StoreError>(())).is_ok()
}

/// Finds the large files that need one of some chunks, and which.
pub(in crate::store) fn holders(
    reader: &mut Reader<'_>,
    lost: &HashSet<ObjectId>,
) -> Result<HashMap<ObjectId, Vec<ObjectId>>, StoreError> {
    let mut holders: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    let listing = reader.store().packs().listing()?;
    for pack in listing.of(PackClass::Data) {
        let Ok(index) = pack.index() else { continue };
        for row in index.objects().flatten().filter(|row| row.kind == ObjectKind::ChunkMap) {
            let found = crate::store::packs::Found { pack: Arc::clone(pack), row };
            let Ok(mut chunks) = Chunks::open(reader, &row.id, &found) else { continue };
            let lists = chunks.lists();
            let mut needed: Vec<ObjectId> =
                lists.into_iter().filter(|list| lost.contains(list)).collect();
            while let Ok(Some(part)) = chunks.next(reader) {
                needed.extend(lost.contains(&part.id).then_some(part.id));
            }
            if !needed.is_empty() {
                holders.entry(row.id).or_default().extend(needed);
            }
        }
    }
    Ok(holders)
}

/// The commits in which a path is concerned.
#[derive(Debug, Default)]
struct Commits {
    first: Vec<ObjectId>,
    count: u64,
}

/// Paths below a directory, and what is lost there.
type Hits = Arc<Vec<(Vec<u8>, ObjectId)>>;

struct Tracer<'s, 'l> {
    reader: Reader<'s>,
    lost: &'l HashSet<ObjectId>,
    holders: &'l HashMap<ObjectId, Vec<ObjectId>>,
    /// Directories below which nothing is lost.
    clean: IdSet,
    below: HashMap<ObjectId, Hits>,
    commits: Vec<ObjectId>,
    seen: IdSet,
    found: BTreeMap<ObjectId, BTreeMap<Vec<u8>, Commits>>,
}

impl Tracer<'_, '_> {
    fn root(&mut self, root: Root, progress: &Progress) -> Result<(), StoreError> {
        match root {
            Root::Commit(id) => self.commits.push(id),
            Root::Tree(id) => {
                let hits = self.hits(&id, 0);
                self.note(None, &hits);
            }
        }
        while let Some(id) = self.commits.pop() {
            progress.check()?;
            if self.seen.insert(Role::Commit, &id) {
                self.commit(id);
            }
        }
        Ok(())
    }

    fn commit(&mut self, id: ObjectId) {
        let Ok(commit) = self.reader.commit(&id) else {
            return self.note(Some(id), &[(Vec::new(), id)]);
        };
        self.commits.extend(commit.parents.iter().copied());
        let hits = self.hits(&commit.tree, 0);
        self.note(Some(id), &hits);
    }

    fn note(&mut self, commit: Option<ObjectId>, hits: &[(Vec<u8>, ObjectId)]) {
        for (path, lost) in hits {
            let commits = self.found.entry(*lost).or_default().entry(path.clone()).or_default();
            let Some(commit) = commit else { continue };
            commits.count += 1;
            if commits.first.len() < COMMITS_MAX {
                commits.first.push(commit);
            }
        }
    }

    /// Lists what is lost below a directory; commits in it are looked at later.
    fn hits(&mut self, tree: &ObjectId, depth: usize) -> Hits {
        if let Some(hits) = self.below.get(tree) {
            return Arc::clone(hits);
        }
        let is_known = *tree == EMPTY_TREE || self.clean.contains(Role::Tree, tree);
        let hits = match is_known || depth > DEPTH_MAX {
            true => Vec::new(),
            false => self.look(tree, depth),
        };
        let hits = Arc::new(hits);
        if hits.is_empty() {
            self.clean.insert(Role::Tree, tree);
        } else {
            self.below.insert(*tree, Arc::clone(&hits));
        }
        hits
    }

    fn look(&mut self, tree: &ObjectId, depth: usize) -> Vec<(Vec<u8>, ObjectId)> {
        let node = self.reader.node(tree).ok().and_then(|bytes| Node::decode(&bytes).ok());
        let mut hits = Vec::new();
        match node {
            None => hits.push((Vec::new(), *tree)),
            Some(Node::Inner { children, .. }) => {
                for child in children {
                    hits.extend(self.hits(&child.id, depth + 1).iter().cloned());
                }
            }
            Some(Node::Leaf(entries)) => {
                for entry in entries {
                    let name = entry.name.as_bytes();
                    match entry.target {
                        Target::Commit { id } => self.commits.push(id),
                        Target::Directory { id, .. } => {
                            let below = self.hits(&id, depth + 1);
                            hits.extend(below.iter().map(|(path, id)| (join(name, path), *id)));
                        }
                        Target::File { id, .. } | Target::Symlink { id, .. } => {
                            let own = self.lost.get(&id).copied();
                            let chunks = self.holders.get(&id).into_iter().flatten().copied();
                            hits.extend(
                                own.into_iter().chain(chunks).map(|id| (name.to_vec(), id)),
                            );
                        }
                    }
                }
            }
        }
        hits.truncate(HITS_MAX);
        hits
    }
}

fn join(name: &[u8], path: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [name, b"/", path].concat() }
}
