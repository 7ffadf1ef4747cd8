//! What a run read and wrote, as its record says it.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::begin::tree_paths;
use super::observed::Observed;
use super::text;
use crate::object::{Commit, Input, ObjectId, Output, TreePath};
use crate::repo::Error;
use crate::repo::artifacts::content_at;
use crate::store::Reader;
use crate::worktree::run_folder::RunState;

/// Commits that are searched for the one that made an input. A lineage index would know more.
const COMMITS_MAX: usize = 256;

/// Most inputs, and most outputs, that were not declared and are named one by one.
const OBSERVED_MAX: usize = 256;

/// What a run read and wrote, and where that is.
pub(super) struct Artifacts<'a> {
    pub state: &'a RunState,
    /// What is recorded in the end.
    pub tree: &'a ObjectId,
    pub observed: Option<&'a Observed>,
}

impl Artifacts<'_> {
    /// Describes the inputs, and names the commits whose runs wrote them.
    ///
    /// Shape: strictly ascending by path; many that were only seen are told as directories.
    pub(super) fn inputs(&self, reader: &mut Reader<'_>) -> Result<Vec<Input>, Error> {
        let mut inputs = declared_inputs(reader, self.state)?;
        if let Some(observed) = self.observed {
            let seen: BTreeSet<TreePath> = observed.staged.union(&observed.late).cloned().collect();
            for path in shortened(seen, OBSERVED_MAX) {
                let is_late = observed.late.contains(&path);
                let is_new = |late: &TreePath| late.starts_with(&path);
                // A directory that the run wrote into is told as it was before.
                let trees = match is_late || observed.late.iter().any(is_new) {
                    true => [self.tree, &self.state.tree],
                    false => [&self.state.tree, self.tree],
                };
                let mut content = content_at(reader, trees[0], &path)?;
                if content.is_none() {
                    content = content_at(reader, trees[1], &path)?;
                }
                let Some(content) = content else { continue };
                inputs.push(Input { path: text(&path), content, commit: None, is_observed: true });
            }
            inputs.sort_by(|a, b| a.path.cmp(&b.path).then(a.is_observed.cmp(&b.is_observed)));
            inputs.dedup_by(|a, b| a.path == b.path);
        }
        let sought: HashSet<ObjectId> = inputs.iter().map(|input| input.content.id).collect();
        let makers = makers(reader, sought, self.state.parent)?;
        for input in &mut inputs {
            input.commit = makers.get(&input.content.id).copied();
        }
        Ok(inputs)
    }

    /// Describes the outputs; those that were declared and are not there have no content.
    pub(super) fn outputs(&self, reader: &mut Reader<'_>) -> Result<Vec<Output>, Error> {
        let mut outputs = Vec::new();
        for path in tree_paths(&self.state.outputs)? {
            let content = content_at(reader, self.tree, &path)?;
            outputs.push(Output { path: text(&path), content, is_observed: false });
        }
        let seen = self.observed.map(|observed| observed.outputs.clone()).unwrap_or_default();
        for path in shortened(seen, OBSERVED_MAX) {
            let Some(content) = content_at(reader, self.tree, &path)? else { continue };
            let content = Some(content);
            outputs.push(Output { path: text(&path), content, is_observed: true });
        }
        outputs.sort_by(|a, b| a.path.cmp(&b.path).then(a.is_observed.cmp(&b.is_observed)));
        outputs.dedup_by(|a, b| a.path == b.path);
        Ok(outputs)
    }
}

/// Describes the inputs that were declared.
///
/// Shape: what is not there is left out; `begin` had all of them staged.
pub(super) fn declared_inputs(
    reader: &mut Reader<'_>,
    state: &RunState,
) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    for path in tree_paths(&state.inputs)? {
        let Some(content) = content_at(reader, &state.tree, &path)? else { continue };
        inputs.push(Input { path: text(&path), content, commit: None, is_observed: false });
    }
    Ok(inputs)
}

/// Gives paths, or where there are too many of them the directories that they lie in: as deep as
/// their number allows. Names that are no text are left out, and what lies in another of them.
fn shortened(paths: BTreeSet<TreePath>, count_max: usize) -> Vec<TreePath> {
    let paths: Vec<TreePath> =
        paths.into_iter().filter(|path| std::str::from_utf8(path.as_bytes()).is_ok()).collect();
    let deepest = paths.iter().map(|path| path.names().count()).max().unwrap_or(0);
    let mut depth = deepest;
    loop {
        let mut short: Vec<TreePath> = paths.iter().map(|path| beginning(path, depth)).collect();
        short.sort_by(|a, b| a.names().cmp(b.names()));
        // What lies in a directory follows it.
        short.dedup_by(|later, kept| later.starts_with(kept));
        if short.len() <= count_max || depth <= 1 {
            return short;
        }
        depth -= 1;
    }
}

/// Gives the first names of a path.
fn beginning(path: &TreePath, depth: usize) -> TreePath {
    let mut path = path.clone();
    while path.names().count() > depth {
        let Some(parent) = path.parent() else { break };
        path = parent;
    }
    path
}

/// Finds the latest commits whose runs wrote these contents.
fn makers(
    reader: &mut Reader<'_>,
    mut sought: HashSet<ObjectId>,
    from: Option<ObjectId>,
) -> Result<HashMap<ObjectId, ObjectId>, Error> {
    let mut found = HashMap::new();
    let mut seen: HashSet<ObjectId> = from.into_iter().collect();
    let mut queue: VecDeque<ObjectId> = from.into_iter().collect();
    let mut looked_at = 0;
    while let Some(id) = queue.pop_front() {
        looked_at += 1;
        if sought.is_empty() || looked_at > COMMITS_MAX {
            break;
        }
        let commit: Commit = reader.commit(&id)?;
        let outputs = commit.run.iter().flat_map(|run| &run.outputs);
        for content in outputs.filter_map(|output| output.content.as_ref()) {
            if sought.remove(&content.id) {
                found.insert(content.id, id);
            }
        }
        queue.extend(commit.parents.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(found)
}
