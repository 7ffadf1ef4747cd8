//! What a run read and wrote, as its record says it.

use std::collections::{HashMap, HashSet, VecDeque};

use super::text;
use crate::object::{Commit, Content, Input, ObjectId, Output, TreePath};
use crate::repo::Error;
use crate::repo::artifacts::content_at;
use crate::store::Reader;

/// Commits that are searched for the one that made an input. A lineage index would know more.
const COMMITS_MAX: usize = 256;

/// Describes the inputs, and names the commits whose runs wrote them.
///
/// Shape: `paths` ascend. Errors: an input that is not in the tree, which `begin` had staged.
pub(super) fn inputs(
    reader: &mut Reader<'_>,
    tree: &ObjectId,
    paths: &[TreePath],
    parent: Option<ObjectId>,
) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::with_capacity(paths.len());
    for path in paths {
        let Some(content) = content_at(reader, tree, path)? else { continue };
        inputs.push(Input { path: text(path), content, commit: None });
    }
    let sought: HashSet<ObjectId> = inputs.iter().map(|input| input.content.id).collect();
    let makers = makers(reader, sought, parent)?;
    for input in &mut inputs {
        input.commit = makers.get(&input.content.id).copied();
    }
    Ok(inputs)
}

/// Describes the outputs; `None` for what is not there.
pub(super) fn outputs(
    reader: &mut Reader<'_>,
    tree: &ObjectId,
    paths: &[TreePath],
) -> Result<Vec<Output>, Error> {
    let describe = |path: &TreePath| {
        let content: Option<Content> = content_at(reader, tree, path)?;
        Ok(Output { path: text(path), content })
    };
    paths.iter().map(describe).collect()
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
