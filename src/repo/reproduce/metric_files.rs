//! Which files the metrics of a run were read from. The record does not name them, but they are in
//! its tree, and hold these metrics and no others.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::capture::metrics::MetricsReader;
use crate::capture::values::ValuesFormat;
use crate::object::canonical;
use crate::object::tree::{self, EMPTY_TREE, Target};
use crate::object::{ArtifactKind, Commit, Metric, Metrics, ObjectId, Run, TreePath};
use crate::progress::Progress;
use crate::repo::Error;
use crate::store::Reader;
use crate::worktree::detect::file_kind;

/// Largest file that is looked into, bytes.
const BYTES_MAX: u64 = 16 << 20;
/// Most files that are looked into.
const FILES_MAX: usize = 1024;
/// Longest attached metrics, bytes.
const METRICS_BYTES_MAX: usize = 64 << 20;

/// Reads the metrics of a run, wherever they stand.
pub fn recorded(reader: &mut Reader<'_>, run: &Run) -> Result<Vec<(String, Metric)>, Error> {
    match &run.metrics {
        Metrics::Here(metrics) => Ok(metrics.clone()),
        Metrics::Attached(id) => {
            let bytes = reader.attachment(id)?;
            let value = canonical::decode(&bytes, "metrics", METRICS_BYTES_MAX)?;
            match Metrics::from_value(&value) {
                Ok(Metrics::Here(metrics)) => Ok(metrics),
                Ok(Metrics::Attached(_)) => Ok(Vec::new()),
                Err(error) => Err(Error::Corrupt(format!("attached metrics: {error}, id={id}"))),
            }
        }
    }
}

/// Finds the files that hold metrics of the run, ascending by path.
///
/// Shape: files that differ from the parent's, or whose names say what they are. Cost: a walk over
/// the tree, and a read of each small file of values among those.
pub(super) fn find(
    reader: &mut Reader<'_>,
    commit: &Commit,
    recorded: &[(String, Metric)],
    progress: &Progress,
) -> Result<Vec<TreePath>, Error> {
    let mut found = Vec::new();
    if recorded.is_empty() {
        return Ok(found);
    }
    let recorded: BTreeMap<&str, &Metric> =
        recorded.iter().map(|(name, metric)| (name.as_str(), metric)).collect();
    for (path, id) in candidates(reader, commit)? {
        progress.check()?;
        let mut content = Vec::new();
        reader.stream::<Error>(&id, |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })?;
        let mut metrics = MetricsReader::new();
        if metrics.read_content(Path::new(OsStr::from_bytes(path.as_bytes())), &content).is_err() {
            continue;
        }
        let metrics = metrics.finish().metrics;
        let is_recorded = |(name, metric): &(String, Metric)| {
            recorded.get(name.as_str()).is_some_and(|recorded| *recorded == metric)
        };
        if !metrics.is_empty() && metrics.iter().all(is_recorded) {
            found.push(path);
        }
    }
    Ok(found)
}

fn candidates(
    reader: &mut Reader<'_>,
    commit: &Commit,
) -> Result<BTreeMap<TreePath, ObjectId>, Error> {
    let mut candidates = BTreeMap::new();
    let mut add = |path: TreePath, target: &Target, is_named: bool| {
        let Target::File { id, size, .. } = *target else { return };
        let name = path.last_name();
        let is_values = ValuesFormat::of_name(Path::new(OsStr::from_bytes(name))).is_some();
        let is_metrics = is_values && (!is_named || file_kind(name) == ArtifactKind::Metrics);
        if is_metrics && size <= BYTES_MAX && candidates.len() < FILES_MAX {
            candidates.insert(path, id);
        }
    };
    let parent = match commit.parents.first() {
        Some(parent) => reader.commit(parent)?.tree,
        None => EMPTY_TREE,
    };
    let load = |id: &ObjectId| reader.node(id).map_err(Error::from);
    tree::diff(Some(parent), Some(commit.tree), None, load, |change| {
        if let Some(target) = &change.new {
            add(change.path, target, false);
        }
        Ok::<_, Error>(())
    })?;
    for entry in tree::walk(&commit.tree, None, |id| reader.node(id))? {
        let entry = entry.map_err(Error::from)?;
        add(entry.path, &entry.target, true);
    }
    Ok(candidates)
}
