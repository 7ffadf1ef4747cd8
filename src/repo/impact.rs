//! What is affected when some content is not what it should be: every run that has read it, and all
//! that came of those.

use std::collections::{BTreeMap, HashMap};

use super::lineage::{
    Containment, Direction, Edge, Graph, JournalPoint, LineageNode, LineageReport, Link, LinkRole,
    Search, Start, commits, rank, search,
};
use super::log::path_history::path_versions;
use super::source::contents;
use super::trouble::Trouble;
use super::{Error, Repository, date};
use crate::object::{Commit, Content, ObjectId, Timestamp, TreePath};
use crate::progress::Progress;

/// Says what is in doubt.
#[derive(Debug, Clone, Default)]
pub struct ImpactRequest {
    /// A source, a path, an artifact, an id or a SHA-256, as typed.
    pub start: Vec<u8>,
    /// The same as a path from the worktree's root, if it can be one.
    pub path: Option<TreePath>,
    /// Whether all content counts that the path ever had, not just what it has in the head.
    pub all_versions: bool,
    /// Only runs that began at this date or later.
    pub since: Option<String>,
}

/// A step of a chain: what leads to a node, and the node.
pub type Step = (Link, LineageNode);

/// Something that is affected.
#[derive(Debug, Clone)]
pub struct Affected {
    /// The content.
    pub content: Content,
    /// The path under which it was made.
    pub path: String,
    /// The run that made it.
    pub run: ObjectId,
    /// The content in doubt that it came of.
    pub start: LineageNode,
    /// The steps that lead to it from the content in doubt: the proof.
    pub chain: Vec<Step>,
}

/// Tells what is affected.
#[derive(Debug)]
pub struct ImpactReport {
    /// What is in doubt: each content with a name.
    pub starts: Vec<(String, LineageNode)>,
    /// What was made of it, models first.
    pub affected: Vec<Affected>,
    /// Runs that have read it, directly or what came of it, the latest first.
    pub runs: Vec<ObjectId>,
    /// How many runs before the date that was given have read it, or what came of it.
    pub earlier: usize,
    /// Runs in whose worktree it was, though they do not say that they have read it; looked for
    /// only where nothing else is affected.
    pub beside: Vec<ObjectId>,
    /// The records of the runs, and what is known of the content.
    pub known: LineageReport,
    /// Up to where the answer is complete.
    pub journal: JournalPoint,
}

/// Finds everything that came of some content.
///
/// Shape: each affected content once for each run that made it, with the shortest chain. Errors:
/// `NotFound`; `Usage` for a date that is not understood. Cost: as [`super::lineage`].
pub fn impact(
    repository: &Repository,
    request: &ImpactRequest,
    progress: &Progress,
) -> Result<ImpactReport, Error> {
    let since = match &request.since {
        None => None,
        Some(text) => Some(date::parse(text, &date::local(repository.clock.now())?)?),
    };
    let refs = repository.refs()?;
    let (starts, runs) = search(repository, &refs, progress, |search| {
        let starts = starts(repository, request, search, progress)?;
        let nodes: Vec<LineageNode> = starts.iter().map(|start| start.node).collect();
        let runs = search.runs(&nodes, Direction::Down, None)?;
        Ok((starts, runs))
    })?;
    let nodes: Vec<LineageNode> = starts.iter().map(|start| start.node).collect();
    let mut graph = Graph::new(repository, runs, nodes.iter().copied(), progress)?;
    let edges = graph.spread(nodes.iter().copied(), Direction::Down, None)?;
    let named = starts.iter().map(|start| (start.name.clone(), start.node)).collect::<Vec<_>>();
    let first = starts.into_iter().next().ok_or_else(|| Error::NotFound {
        what: "content of the path",
        name: String::from_utf8_lossy(&request.start).into_owned(),
    })?;
    let journal = JournalPoint::of(repository, &refs)?;
    let known = graph.report(first, edges, journal)?;
    let started = |commit: &Commit| commit.run.as_ref().map(|run| run.started);
    let mut reached: Vec<(Option<Timestamp>, ObjectId)> = Vec::new();
    for (id, commit) in known.commits.iter().filter(|(_, commit)| commit.run.is_some()) {
        reached.push((started(commit), *id));
    }
    reached.sort_unstable_by(|a, b| b.cmp(a));
    let is_meant = |started| since.is_none_or(|since| started >= Some(since));
    let later = reached.iter().filter(|(started, _)| is_meant(*started));
    let runs: Vec<ObjectId> = later.map(|(_, id)| *id).collect();
    let mut beside = Vec::new();
    if reached.is_empty() {
        let all = commits(repository, &refs, repository.detached()?, progress)?;
        let mut reader = repository.store.reader();
        for id in Containment::holders(&repository.store, artifacts(&nodes), &all, progress)? {
            if started(&reader.commit(&id)?).is_some_and(|started| is_meant(Some(started))) {
                beside.push(id);
            }
        }
    }
    let affected = affected(&known, &runs);
    Ok(ImpactReport {
        starts: named,
        affected,
        earlier: reached.len() - runs.len(),
        runs,
        beside,
        journal: known.journal.clone(),
        known,
    })
}

fn artifacts(nodes: &[LineageNode]) -> impl Iterator<Item = ObjectId> {
    nodes.iter().filter_map(|node| match node {
        LineageNode::Artifact(id) => Some(*id),
        LineageNode::Commit(_) => None,
    })
}

/// Finds what is in doubt: one content, all that a path ever had, or all that came of a source.
fn starts(
    repository: &Repository,
    request: &ImpactRequest,
    search: &mut Search<'_>,
    progress: &Progress,
) -> Result<Vec<Start>, Trouble> {
    let path = request.path.as_ref();
    let name = String::from_utf8_lossy(&request.start);
    if let Some(contents) = contents(repository, &name, progress)? {
        return Ok(contents.into_iter().map(|(id, path)| Start::version(id, &path)).collect());
    }
    if let (true, Some(path)) = (request.all_versions, path) {
        let versions = path_versions(repository, path, progress)?;
        return Ok(versions.into_iter().map(|id| Start::version(id, path)).collect());
    }
    Ok(vec![Start::find(repository, search, &request.start, path)?])
}

/// Lists what the runs made, each with its chain.
fn affected(known: &LineageReport, runs: &[ObjectId]) -> Vec<Affected> {
    let first = known.edges.iter().filter(|edge| edge.is_first);
    let before: HashMap<LineageNode, &Edge<LineageNode, Link>> =
        first.map(|edge| (edge.to, edge)).collect();
    let order: HashMap<&ObjectId, usize> = runs.iter().zip(0..).collect();
    let mut found = BTreeMap::new();
    for edge in known.edges.iter().filter(|edge| edge.label.role == LinkRole::Output) {
        let (LineageNode::Commit(run), LineageNode::Artifact(id)) = (edge.from, edge.to) else {
            continue;
        };
        let (Some(at), Some(content)) = (order.get(&run), known.contents.get(&id)) else {
            continue;
        };
        let mut chain = vec![(edge.label.clone(), edge.to)];
        let mut node = edge.from;
        // No cycle leads back: first edges alone are a tree.
        while let Some(edge) = before.get(&node) {
            chain.push((edge.label.clone(), edge.to));
            node = edge.from;
        }
        chain.reverse();
        let (content, path) = (content.clone(), edge.label.path.clone());
        let affected = Affected { content, path: path.clone(), run, start: node, chain };
        found.insert((rank(affected.content.kind), *at, path), affected);
    }
    found.into_values().collect()
}
