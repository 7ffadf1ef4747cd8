//! Everything that ever came from a source.

use std::collections::BTreeMap;

use super::{declared, recorded};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::log::path_history::path_versions;
use crate::repo::{Error, Repository};

/// Lists all content that the paths of a source ever had, each with a path.
///
/// Shape: nothing if no source has this name, declared or checked; in no order that means anything.
/// Cost: reads the history of the paths.
pub(in crate::repo) fn contents(
    repository: &Repository,
    name: &str,
    progress: &Progress,
) -> Result<Option<Vec<(ObjectId, TreePath)>>, Error> {
    let known = recorded(repository)?.into_iter().find(|source| source.check.name == name);
    // A malformed file of settings is no reason not to say what is affected.
    let declared = declared(repository).unwrap_or_default();
    let declared = declared.into_iter().find(|source| source.name == name);
    if known.is_none() && declared.is_none() {
        return Ok(None);
    }
    let mut paths: Vec<TreePath> = known.iter().flat_map(|source| source.paths()).collect();
    paths.extend(declared.into_iter().flat_map(|source| source.paths));
    paths.sort();
    paths.dedup();
    let mut contents = BTreeMap::new();
    for path in &paths {
        for id in path_versions(repository, path, progress)? {
            contents.entry(id).or_insert_with(|| path.clone());
        }
    }
    if let (Some(source), Some(path)) = (known, paths.first()) {
        for id in source.seen(&mut repository.store.reader())? {
            contents.entry(id).or_insert_with(|| path.clone());
        }
    }
    Ok(Some(contents.into_iter().collect()))
}
