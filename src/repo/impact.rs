//! What is affected when some content is not what it should be: every run that has read it, and all
//! that came of those.

use std::collections::{BTreeMap, HashMap};

use super::lineage::{
    Containment, Derivations, Direction, Edge, Graph, JournalPoint, LineageNode, LineageReport,
    Link, LinkRole, Start, rank,
};
use super::log::path_history::path_versions;
use super::source::contents;
use super::{Error, Repository, date};
use crate::object::{Content, ObjectId, Timestamp, TreePath};
use crate::progress::Progress;

/// Says what is in doubt.
#[derive(Debug, Clone, Default)]
pub struct ImpactRequest {
    /// A source, a path, an artifact, an id or a SHA-256, as typed.
    pub start: Vec<u8>,
    /// The same as a path from the worktree's root, if it can be one.
    pub path: Option<TreePath>,
    /// Whether all content counts that the path ever had, not just what it has now.
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
    let starts = starts(repository, request, progress)?;
    let derivations = Derivations::load(repository, progress)?;
    let nodes = starts.iter().map(|start| start.node);
    let mut graph = Graph::new(repository, derivations, nodes, progress)?;
    let mut edges = Vec::new();
    for start in &starts {
        edges.extend(graph.spread(start.node, Direction::Down, None)?);
    }
    let named = starts.iter().map(|start| (start.name.clone(), start.node)).collect::<Vec<_>>();
    let first = starts.into_iter().next().ok_or_else(|| Error::NotFound {
        what: "content of the path",
        name: String::from_utf8_lossy(&request.start).into_owned(),
    })?;
    let all = graph.derivations.runs().to_vec();
    let known = graph.report(first, edges)?;
    let mut runs: Vec<(Option<Timestamp>, ObjectId)> = Vec::new();
    for (id, commit) in &known.commits {
        let started = commit.run.as_ref().map(|run| run.started);
        if started.is_some() && since.is_none_or(|since| started >= Some(since)) {
            runs.push((started, *id));
        }
    }
    runs.sort_unstable_by(|a, b| b.cmp(a));
    let runs: Vec<ObjectId> = runs.into_iter().map(|(_, id)| id).collect();
    let affected = affected(&known, &runs, &named);
    let mut beside = Vec::new();
    if runs.is_empty() {
        let sought = named.iter().filter_map(|(_, node)| match node {
            LineageNode::Artifact(id) => Some(*id),
            LineageNode::Commit(_) => None,
        });
        beside = Containment::holders(&repository.store, sought, &all, progress)?;
    }
    Ok(ImpactReport {
        starts: named,
        affected,
        runs,
        beside,
        journal: known.journal.clone(),
        known,
    })
}

/// Finds what is in doubt: one content, all that a path ever had, or all that came of a source.
fn starts(
    repository: &Repository,
    request: &ImpactRequest,
    progress: &Progress,
) -> Result<Vec<Start>, Error> {
    let path = request.path.as_ref();
    let name = String::from_utf8_lossy(&request.start);
    if let Some(contents) = contents(repository, &name, progress)? {
        return Ok(contents.into_iter().map(|(id, path)| Start::version(id, &path)).collect());
    }
    if let (true, Some(path)) = (request.all_versions, path) {
        let versions = path_versions(repository, path, progress)?;
        return Ok(versions.into_iter().map(|id| Start::version(id, path)).collect());
    }
    Ok(vec![Start::find(repository, &request.start, path, progress)?])
}

/// Lists what the runs made, each with its chain.
fn affected(
    known: &LineageReport,
    runs: &[ObjectId],
    starts: &[(String, LineageNode)],
) -> Vec<Affected> {
    // Chains end at a start, also where one leads to the other.
    let is_start = |node: &LineageNode| starts.iter().any(|(_, start)| start == node);
    let mut before: HashMap<LineageNode, &Edge<LineageNode, Link>> = HashMap::new();
    for edge in known.edges.iter().filter(|edge| edge.is_first && !is_start(&edge.to)) {
        before.entry(edge.to).or_insert(edge);
    }
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
        // A cycle that a hostile record claims never leads back: first edges alone are a tree.
        while let Some(edge) = before.get(&node) {
            chain.push((edge.label.clone(), edge.to));
            node = edge.from;
        }
        chain.reverse();
        let path = edge.label.path.clone();
        let affected = Affected { content: content.clone(), path: path.clone(), run, chain };
        found.insert((rank(content.kind), *at, path), affected);
    }
    found.into_values().collect()
}
