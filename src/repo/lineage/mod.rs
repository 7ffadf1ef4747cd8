//! Where an artifact came from, and what came of it.
//!
//! Edges are exact: a run has read this very content, or made it, or read a directory that holds
//! it. `derivations` knows the runs, `containment` what lies in which directory, `start` what is
//! meant by a name.

mod containment;
mod derivations;
mod index;
mod live;
mod search;
mod start;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::refs::Refs;
use super::source::Staleness;
use super::trouble::Trouble;
use super::{Error, Repository};
use crate::graph::lineage::spread;
use crate::object::{ArtifactKind, Commit, Content, ObjectId, Sha256, TreePath};
use crate::progress::Progress;

pub use crate::graph::lineage::Edge;
pub(super) use containment::Containment;
pub(super) use derivations::Derivations;
use derivations::Use;
pub(super) use live::commits;
pub(super) use search::Search;
pub(super) use start::Start;

/// In which direction to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What it came from.
    Up,
    /// What came of it.
    Down,
}

/// Says what to look at.
#[derive(Debug, Clone)]
pub struct LineageRequest {
    /// A path, an artifact, an id, a SHA-256, a run or a commit, as typed.
    pub start: Vec<u8>,
    /// The same as a path from the worktree's root, if it can be one.
    pub path: Option<TreePath>,
    /// Where to look.
    pub direction: Direction,
    /// How many runs far; all the way if not given.
    pub depth_max: Option<u32>,
}

/// What a lineage consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineageNode {
    /// A run, or another commit, by its id.
    Commit(ObjectId),
    /// Content, by its id.
    Artifact(ObjectId),
}

impl LineageNode {
    /// Gives the id, of whichever it is.
    pub const fn id(&self) -> ObjectId {
        match self {
            Self::Commit(id) | Self::Artifact(id) => *id,
        }
    }
}

/// What two nodes have to do with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// In which way.
    pub role: LinkRole,
    /// Under which path: that of the run, or inside of a directory.
    pub path: String,
    /// The directory that the run read or made, where the content is a part of that.
    pub within: Option<Within>,
}

/// A place in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The directory.
    pub id: ObjectId,
    /// Where in it.
    pub path: String,
}

/// In which way two nodes belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkRole {
    /// The run read it.
    Input,
    /// The run made it.
    Output,
    /// It is a directory, and holds what this leads to.
    Holds,
    /// The commit has it as an artifact.
    Artifact,
}

impl LinkRole {
    /// Gives the word for people and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Holds => "holds",
            Self::Artifact => "artifact",
        }
    }
}

/// Shows what is reached from a start.
#[derive(Debug)]
pub struct LineageReport {
    /// Where it began.
    pub start: LineageNode,
    /// How the start was named, for people.
    pub name: String,
    /// Whether the worktree has something else at the path that was named.
    pub has_changed: bool,
    /// Everything that is reached, nearest first.
    pub edges: Vec<Edge<LineageNode, Link>>,
    /// The records of the commits among the nodes.
    pub commits: HashMap<ObjectId, Commit>,
    /// What is known of the artifacts among the nodes.
    pub contents: HashMap<ObjectId, Content>,
    /// How the artifacts among the nodes are called: by a path of a run that had them.
    pub names: HashMap<ObjectId, String>,
    /// Up to where the answer is complete.
    pub journal: JournalPoint,
    /// What is older than a source that has changed.
    pub stale: Staleness,
}

/// A state of the journal, which proves what an answer has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalPoint {
    /// How many entries it has.
    pub size: u64,
    /// The hash of the Merkle tree over them.
    pub root: Sha256,
}

impl JournalPoint {
    /// Tells which state some refs are of.
    pub(super) fn of(repository: &Repository, refs: &Refs) -> Result<Self, Error> {
        let (size, root) = repository.journal.root(&refs.head)?;
        Ok(Self { size, root })
    }
}

/// Follows an artifact or a run up or down.
///
/// Errors: `NotFound` for a name that means nothing.
/// Cost: the records of the runs that are reached, the nodes of the directories that they read and
/// made, and whatever the index does not know yet; where a source has changed, the record of every
/// run.
pub fn lineage(
    repository: &Repository,
    request: &LineageRequest,
    progress: &Progress,
) -> Result<LineageReport, Error> {
    let refs = repository.refs()?;
    let (direction, depth_max) = (request.direction, request.depth_max);
    let (start, runs) = search(repository, &refs, progress, |search| {
        let start = Start::find(repository, search, &request.start, request.path.as_ref())?;
        let runs = search.runs(&[start.node], direction, depth_max)?;
        Ok((start, runs))
    })?;
    let mut graph = Graph::new(repository, runs, [start.node], progress)?;
    let edges = graph.spread([start.node], direction, depth_max)?;
    let stale = stale(repository, start.node, progress)?;
    let journal = JournalPoint::of(repository, &refs)?;
    Ok(LineageReport { stale, ..graph.report(start, edges, journal)? })
}

/// Looks for runs with the index as of `refs`; more than once if that turns out to be damaged.
pub(super) fn search<T>(
    repository: &Repository,
    refs: &Refs,
    progress: &Progress,
    mut look: impl FnMut(&mut Search<'_>) -> Result<T, Trouble>,
) -> Result<T, Error> {
    index::ask(repository, refs, progress, |index| {
        look(&mut Search::new(index, repository, refs, progress))
    })
}

/// Finds out what is older than a source; reads nothing where no source has changed.
fn stale(
    repository: &Repository,
    start: LineageNode,
    progress: &Progress,
) -> Result<Staleness, Error> {
    let Some(sources) = Staleness::changed(repository)? else { return Ok(Staleness::default()) };
    let mut stale = Staleness::find(repository, &sources, progress)?;
    if let LineageNode::Artifact(id) = start {
        stale.look_at(repository, &sources, id)?;
    }
    Ok(stale)
}

/// The derivations with what lies in what, ready to be walked.
pub(super) struct Graph<'r> {
    repository: &'r Repository,
    derivations: Derivations,
    containment: Containment,
    progress: &'r Progress,
    /// Records that were read and not reached yet.
    runs: BTreeMap<ObjectId, Commit>,
    /// Records of what was reached.
    commits: HashMap<ObjectId, Commit>,
}

impl<'r> Graph<'r> {
    /// Finds out what lies in what, the starts among it.
    pub fn new(
        repository: &'r Repository,
        runs: BTreeMap<ObjectId, Commit>,
        starts: impl IntoIterator<Item = LineageNode>,
        progress: &'r Progress,
    ) -> Result<Self, Error> {
        let starts = starts.into_iter().filter_map(|node| match node {
            LineageNode::Artifact(id) => Some(id),
            LineageNode::Commit(_) => None,
        });
        let derivations = Derivations::of(&runs);
        let containment = Containment::find(&repository.store, &derivations, starts, progress)?;
        Ok(Self { repository, derivations, containment, progress, runs, commits: HashMap::new() })
    }

    /// Follows edges from some nodes.
    pub fn spread(
        &mut self,
        starts: impl IntoIterator<Item = LineageNode>,
        direction: Direction,
        depth_max: Option<u32>,
    ) -> Result<Vec<Edge<LineageNode, Link>>, Error> {
        let weight = |node: &LineageNode| u32::from(matches!(node, LineageNode::Commit(_)));
        spread(starts, depth_max, weight, |from, into| {
            self.progress.check()?;
            match from {
                LineageNode::Commit(id) => self.of_commit(*id, direction, into),
                LineageNode::Artifact(id) => {
                    self.of_artifact(*id, direction, into);
                    Ok(())
                }
            }
        })
    }

    fn reach(&mut self, id: ObjectId) -> Result<(), Error> {
        if !self.commits.contains_key(&id) {
            let known = self.runs.remove(&id);
            let commit = known.map_or_else(|| self.repository.store.reader().commit(&id), Ok)?;
            self.commits.insert(id, commit);
        }
        Ok(())
    }

    /// What a run read, or made; what another commit has.
    fn of_commit(
        &mut self,
        id: ObjectId,
        direction: Direction,
        into: &mut Vec<(LineageNode, Link)>,
    ) -> Result<(), Error> {
        self.reach(id)?;
        let Some(commit) = self.commits.get(&id) else { return Ok(()) };
        let mut put = |role, path: &str, content: &ObjectId| {
            let link = Link { role, path: path.to_owned(), within: None };
            into.push((LineageNode::Artifact(*content), link));
        };
        match (&commit.run, direction) {
            (Some(run), Direction::Up) => {
                run.inputs.iter().for_each(|input| {
                    put(LinkRole::Input, &input.path, &input.content.id);
                });
            }
            (Some(run), Direction::Down) => {
                for output in &run.outputs {
                    if let Some(content) = &output.content {
                        put(LinkRole::Output, &output.path, &content.id);
                    }
                }
            }
            (None, _) => commit.artifacts.iter().for_each(|artifact| {
                put(LinkRole::Artifact, &artifact.path, &artifact.content.id);
            }),
        }
        Ok(())
    }

    /// Which runs made an artifact, or read it: as it is, or in a directory; what it holds, if that
    /// leads to others.
    ///
    /// Shape: a directory that merely holds the artifact is no step of its own. What else is in
    /// it has nothing to do with the artifact, and would be reached from there.
    fn of_artifact(&self, id: ObjectId, direction: Direction, into: &mut Vec<(LineageNode, Link)>) {
        let role = match direction {
            Direction::Up => LinkRole::Output,
            Direction::Down => LinkRole::Input,
        };
        let before = into.len();
        let mut seen = HashSet::new();
        for used in self.uses(&id, direction).iter().filter(|used| seen.insert(used.commit)) {
            let link = Link { role, path: used.path.clone(), within: None };
            into.push((LineageNode::Commit(used.commit), link));
        }
        for (outer, path) in self.containment.around(&id) {
            for used in self.uses(outer, direction).iter().filter(|used| seen.insert(used.commit)) {
                let within = Some(Within { id: *outer, path: path.clone() });
                let link = Link { role, path: used.path.clone(), within };
                into.push((LineageNode::Commit(used.commit), link));
            }
        }
        // What it holds counts where nothing is known of it as a whole; downstream in any case.
        if direction == Direction::Down || into.len() == before {
            for (inner, path) in self.containment.inside(&id) {
                if !self.uses(inner, direction).is_empty() {
                    let link = Link { role: LinkRole::Holds, path: path.clone(), within: None };
                    into.push((LineageNode::Artifact(*inner), link));
                }
            }
        }
    }

    /// Gives the runs on one side of some content.
    fn uses(&self, id: &ObjectId, direction: Direction) -> &[Use] {
        match direction {
            Direction::Up => self.derivations.makers(id),
            Direction::Down => self.derivations.users(id),
        }
    }

    /// Gathers what is known of the nodes.
    pub fn report(
        mut self,
        start: Start,
        edges: Vec<Edge<LineageNode, Link>>,
        journal: JournalPoint,
    ) -> Result<LineageReport, Error> {
        let (mut contents, mut names) = (HashMap::new(), HashMap::new());
        if let (LineageNode::Artifact(id), Some(content)) = (start.node, start.content) {
            contents.insert(id, content);
            names.insert(id, start.name.clone());
        }
        for node in edges.iter().map(|edge| edge.to).chain([start.node]) {
            match node {
                LineageNode::Artifact(id) => {
                    if let Some(content) = self.derivations.content(&id) {
                        contents.insert(id, content.clone());
                    }
                    if let Some(path) = self.derivations.path(&id) {
                        names.entry(id).or_insert_with(|| path.to_owned());
                    }
                }
                LineageNode::Commit(id) => self.reach(id)?,
            }
        }
        for commit in self.commits.values().filter(|commit| commit.run.is_none()) {
            for artifact in &commit.artifacts {
                contents.entry(artifact.content.id).or_insert_with(|| artifact.content.clone());
            }
        }
        Ok(LineageReport {
            start: start.node,
            name: start.name,
            has_changed: start.has_changed,
            edges,
            commits: self.commits,
            contents,
            names,
            journal,
            stale: Staleness::default(),
        })
    }
}

/// Tells which kinds people ask for first when something is affected.
pub(super) const fn rank(kind: ArtifactKind) -> u8 {
    match kind {
        ArtifactKind::Model => 0,
        ArtifactKind::Adapter => 1,
        ArtifactKind::Dataset => 2,
        ArtifactKind::Metrics => 3,
        _ => 4,
    }
}
