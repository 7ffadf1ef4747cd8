//! What lies in which directory: a data set contains its files, and a file may be in many.
//!
//! Directories that are alike share their nodes, so each node is read once, and what it holds of
//! interest is remembered.

use std::collections::{HashMap, HashSet};

use super::Derivations;
use super::index::insist_was_never_here;
use crate::object::tree::{EMPTY_TREE, Node, Target};
use crate::object::{DecodeError, ObjectId};
use crate::progress::{Phase, Progress};
use crate::repo::Error;
use crate::store::{Reader, Store};

/// How many directories may lie in one another; a tree that claims more is not looked into deeper.
const DEPTH_MAX: usize = 4096;

/// What lies in what, of the content that is asked about.
#[derive(Debug, Default)]
pub struct Containment {
    /// Of an artifact the directories that hold it, and where in them.
    around: HashMap<ObjectId, Vec<(ObjectId, String)>>,
    /// Of a directory the artifacts that it holds, and where.
    inside: HashMap<ObjectId, Vec<(ObjectId, String)>>,
}

/// What a node holds that is of interest.
#[derive(Debug, Default)]
struct Holding {
    /// Artifacts by name.
    found: Vec<(ObjectId, String)>,
    /// Directories in which others lie deeper, by name; nodes of the same directory have none.
    below: Vec<(ObjectId, Option<String>)>,
}

impl Containment {
    /// Looks into every directory that a run has read or made, and into `starts`.
    ///
    /// Cost: reads each node of these directories once.
    pub fn find(
        store: &Store,
        derivations: &Derivations,
        starts: impl IntoIterator<Item = ObjectId>,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let mut sought: HashSet<ObjectId> = derivations.all().map(|content| content.id).collect();
        sought.extend(starts);
        // One file may be a directory of one file; what is not stored cannot be looked into.
        let all: Vec<ObjectId> = sought.iter().copied().collect();
        let mut directories: Vec<ObjectId> = store.nodes_among(&all)?.into_iter().collect();
        directories.sort_unstable();
        insist_on_lack(store, derivations, &directories)?;
        progress.begin(Phase { name: "looking into directories", ..Phase::default() });
        let reader = store.reader();
        let mut search = Search { reader, sought, known: HashMap::new(), progress };
        let mut containment = Self::default();
        for directory in directories {
            if search.look(directory, 0)? {
                let mut found = Vec::new();
                search.gather(directory, String::new(), &mut Gathered::default(), &mut found);
                for (artifact, path) in &found {
                    let around = containment.around.entry(*artifact).or_default();
                    around.push((directory, path.clone()));
                }
                containment.inside.insert(directory, found);
            }
        }
        Ok(containment)
    }

    /// Finds the trees of commits that hold one of some artifacts, in the order of `commits`.
    ///
    /// Cost: reads each node of these trees once.
    pub fn holders(
        store: &Store,
        sought: impl IntoIterator<Item = ObjectId>,
        commits: &[ObjectId],
        progress: &Progress,
    ) -> Result<Vec<ObjectId>, Error> {
        let (sought, known) = (sought.into_iter().collect(), HashMap::new());
        let mut search = Search { reader: store.reader(), sought, known, progress };
        let mut holders = Vec::new();
        for commit in commits {
            let tree = search.reader.commit(commit)?.tree;
            if search.look(tree, 0)? {
                holders.push(*commit);
            }
        }
        Ok(holders)
    }

    /// Gives the directories that hold an artifact.
    pub fn around(&self, id: &ObjectId) -> &[(ObjectId, String)] {
        self.around.get(id).map_or(&[], Vec::as_slice)
    }

    /// Gives the artifacts that a directory holds.
    pub fn inside(&self, id: &ObjectId) -> &[(ObjectId, String)] {
        self.inside.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Insists that the directories that are not among those that are stored were never here.
fn insist_on_lack(
    store: &Store,
    derivations: &Derivations,
    stored: &[ObjectId],
) -> Result<(), Error> {
    let mut reader = store.reader();
    for content in derivations.all().filter(|content| content.files != 1) {
        let id = content.id;
        if id == EMPTY_TREE || stored.binary_search(&id).is_ok() {
            continue;
        }
        for used in derivations.makers(&id).iter().chain(derivations.users(&id)) {
            let commit = reader.commit(&used.commit)?;
            insist_was_never_here(&mut reader, &id, &commit)?;
        }
    }
    Ok(())
}

/// What was met of one directory.
#[derive(Debug, Default)]
struct Gathered {
    nodes: HashSet<ObjectId>,
    artifacts: HashSet<ObjectId>,
}

struct Search<'a> {
    reader: Reader<'a>,
    sought: HashSet<ObjectId>,
    /// Nodes that were looked at; none where nothing of interest is below.
    known: HashMap<ObjectId, Option<Holding>>,
    progress: &'a Progress,
}

impl Search<'_> {
    /// Looks into a node and all below it; tells whether anything of interest is there.
    fn look(&mut self, id: ObjectId, depth: usize) -> Result<bool, Error> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.is_some());
        }
        if depth > DEPTH_MAX {
            let reason = "directories lie too deep in one another";
            return Err(DecodeError::new("tree", 0, reason).into());
        }
        self.progress.check()?;
        self.progress.add_files(1);
        let mut holding = Holding::default();
        match Node::decode(&self.reader.node(&id)?)? {
            Node::Inner { children, .. } => {
                for child in children {
                    if self.look(child.id, depth + 1)? {
                        holding.below.push((child.id, None));
                    }
                }
            }
            Node::Leaf(entries) => {
                for entry in entries {
                    let inner = entry.target.id();
                    let is_sought = self.sought.contains(&inner);
                    let is_directory = matches!(entry.target, Target::Directory { .. });
                    if !is_sought && !is_directory {
                        continue;
                    }
                    let name = String::from_utf8_lossy(entry.name.as_bytes()).into_owned();
                    if is_directory && self.look(inner, depth + 1)? {
                        holding.below.push((inner, Some(name.clone())));
                    }
                    if is_sought {
                        holding.found.push((inner, name));
                    }
                }
            }
        }
        let is_any = !holding.found.is_empty() || !holding.below.is_empty();
        self.known.insert(id, is_any.then_some(holding));
        Ok(is_any)
    }

    /// Lists what a directory holds of interest, each once, by the path that comes first.
    ///
    /// Cost: looks at each node once, however often the directory has it.
    fn gather(
        &self,
        node: ObjectId,
        prefix: String,
        gathered: &mut Gathered,
        into: &mut Vec<(ObjectId, String)>,
    ) {
        let Some(Some(holding)) = self.known.get(&node) else { return };
        if !gathered.nodes.insert(node) {
            return;
        }
        for (artifact, name) in &holding.found {
            if gathered.artifacts.insert(*artifact) {
                into.push((*artifact, format!("{prefix}{name}")));
            }
        }
        for (below, name) in &holding.below {
            let prefix = match name {
                Some(name) => format!("{prefix}{name}/"),
                None => prefix.clone(),
            };
            self.gather(*below, prefix, gathered, into);
        }
    }
}
