//! What a commit's record leads to, beside its tree and its parents.

use crate::object::{Commit, Metric, Metrics, ObjectId, Params};

/// Gives the attachments of a record, which are kept with it.
pub fn attachments(commit: &Commit) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = commit.environment.into_iter().chain(commit.overlaps).collect();
    ids.extend(commit.artifacts.iter().filter_map(|artifact| artifact.profile));
    let Some(run) = &commit.run else { return ids };
    ids.extend(run.log);
    ids.extend(run.trace.map(|trace| trace.files));
    if let Params::Attached(id) = &run.params {
        ids.push(*id);
    }
    match &run.metrics {
        Metrics::Attached(id) => ids.push(*id),
        Metrics::Here(metrics) => {
            ids.extend(metrics.iter().filter_map(|(_, metric)| match metric {
                Metric::Series(series) => series.series,
                Metric::Single(_) => None,
            }));
        }
    }
    ids
}

/// Gives what a record names by its id, here or elsewhere.
pub(super) fn mentions(commit: &Commit) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> =
        commit.artifacts.iter().map(|artifact| artifact.content.id).collect();
    if let Some(run) = &commit.run {
        ids.extend(run.inputs.iter().map(|input| input.content.id));
        ids.extend(run.inputs.iter().filter_map(|input| input.commit));
        ids.extend(run.outputs.iter().filter_map(|output| Some(output.content.as_ref()?.id)));
    }
    ids
}
