//! All values of a metric of a run.

use super::revision::Resolver;
use super::{Error, Repository};
use crate::object::{Metric, Metrics, SeriesValues};

/// Reads the values of a metric of a run; of one that was measured once, that value.
///
/// Errors: `NotFound` for what is no run, or has no such metric.
pub fn series(repository: &Repository, run: &[u8], name: &str) -> Result<SeriesValues, Error> {
    let id = Resolver::new(repository)?.commit(run)?;
    let mut reader = repository.store.reader();
    let commit = reader.commit(&id)?;
    let unknown = |what| Error::NotFound { what, name: name.to_owned() };
    let metrics = match commit.run.map(|run| run.metrics) {
        Some(Metrics::Here(metrics)) => metrics,
        Some(Metrics::Attached(_)) => return Err(unknown("metric in the record")),
        None => return Err(unknown("run with the metric")),
    };
    let found = metrics.into_iter().find(|(other, _)| other == name);
    let (_, metric) = found.ok_or_else(|| unknown("metric"))?;
    match metric {
        Metric::Single(value) => Ok(SeriesValues { steps: vec![None], values: vec![value] }),
        Metric::Series(series) => {
            let attached = series.series.ok_or_else(|| unknown("series"))?;
            let bytes = reader.attachment(&attached)?;
            Ok(SeriesValues::decode(&bytes)?)
        }
    }
}
