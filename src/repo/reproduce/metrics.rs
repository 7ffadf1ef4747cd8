//! Metrics of one execution against those of another: the same, near enough, or not.

use std::collections::BTreeMap;

use super::Match;
use crate::object::canonical::Value;
use crate::object::{Metric, Reading, SeriesValues};

/// One metric, then and now.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricMatch {
    /// Its name.
    pub name: String,
    /// What was recorded, of a series its last value; none if it was not measured then.
    pub recorded: Option<String>,
    /// What it is now; none if it was not measured.
    pub now: Option<String>,
    /// How much it grew, where both are numbers.
    pub delta: Option<f64>,
    /// How many values a series had, and has.
    pub counts: Option<(u64, u64)>,
    /// Whether that is the same.
    pub verdict: Match,
}

/// Compares metrics by name; of a series the last value counts.
pub(super) fn compare(
    recorded: &[(String, Metric)],
    now: &[(String, Metric)],
    tolerance: f64,
) -> Vec<MetricMatch> {
    let mut sides: BTreeMap<&str, (Option<&Metric>, Option<&Metric>)> = BTreeMap::new();
    for (name, metric) in recorded {
        sides.entry(name).or_default().0 = Some(metric);
    }
    for (name, metric) in now {
        sides.entry(name).or_default().1 = Some(metric);
    }
    let compared = sides.into_iter().map(|(name, (old, new))| {
        let text = |metric: Option<&Metric>| metric.map(|metric| spell(last(metric)));
        let counts = match (old, new) {
            (Some(Metric::Series(old)), Some(Metric::Series(new))) => Some((old.count, new.count)),
            _ => None,
        };
        let delta = old.zip(new).and_then(|(old, new)| delta(last(old), last(new)));
        let is_counted_alike = counts.is_none_or(|(old, new)| old == new);
        let is_same_kind = old.zip(new).is_some_and(|(old, new)| is_series(old) == is_series(new));
        let verdict = match (old, new) {
            (_, None) => Match::Missing,
            (Some(old), Some(new)) if old == new => Match::Identical,
            (Some(_), Some(_)) if is_counted_alike && is_same_kind => of_delta(delta, tolerance),
            _ => Match::Different,
        };
        MetricMatch {
            name: name.to_owned(),
            recorded: text(old),
            now: text(new),
            delta,
            counts,
            verdict,
        }
    });
    compared.collect()
}

/// Compares all values of two files, and of two series all steps.
pub(super) fn all_within(
    recorded: &(Vec<(String, Metric)>, Vec<Vec<u8>>),
    now: &(Vec<(String, Metric)>, Vec<Vec<u8>>),
    tolerance: f64,
) -> bool {
    let is_same_form = recorded.0.len() == now.0.len()
        && recorded.0.iter().zip(&now.0).all(|((old_name, old), (new_name, new))| {
            let singles = match (old, new) {
                (Metric::Single(old), Metric::Single(new)) => is_within(old, new, tolerance),
                _ => is_series(old) && is_series(new),
            };
            old_name == new_name && singles
        });
    is_same_form
        && recorded.1.len() == now.1.len()
        && recorded.1.iter().zip(&now.1).all(|(old, new)| {
            let (Ok(old), Ok(new)) = (SeriesValues::decode(old), SeriesValues::decode(new)) else {
                return false;
            };
            let mut pairs = old.values.iter().zip(&new.values);
            old.steps == new.steps
                && old.values.len() == new.values.len()
                && pairs.all(|(old, new)| is_within(old, new, tolerance))
        })
}

fn is_within(old: &Reading, new: &Reading, tolerance: f64) -> bool {
    old == new || of_delta(delta(old, new), tolerance) == Match::Within
}

fn of_delta(delta: Option<f64>, tolerance: f64) -> Match {
    match delta {
        Some(delta) if tolerance > 0.0 && delta.abs() <= tolerance => Match::Within,
        _ => Match::Different,
    }
}

const fn is_series(metric: &Metric) -> bool {
    matches!(metric, Metric::Series(_))
}

const fn last(metric: &Metric) -> &Reading {
    match metric {
        Metric::Single(reading) => reading,
        Metric::Series(series) => &series.last,
    }
}

fn delta(old: &Reading, new: &Reading) -> Option<f64> {
    let number = |reading: &Reading| match reading {
        Reading::Number(number) => Some(number.as_f64()),
        Reading::Text(text) => text.parse().ok(),
    };
    Some(number(new)? - number(old)?).filter(|delta| delta.is_finite())
}

fn spell(reading: &Reading) -> String {
    match reading {
        Reading::Text(text) => text.clone(),
        Reading::Number(number) => {
            String::from_utf8_lossy(&Value::from(*number).encode()).into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::metrics::MetricsReader;

    fn metrics(lines: &str) -> Vec<(String, Metric)> {
        let mut reader = MetricsReader::new();
        reader.read_content("m.jsonl".as_ref(), lines.as_bytes()).expect("read");
        reader.finish().metrics
    }

    fn verdicts(old: &str, new: &str, tolerance: f64) -> Vec<(String, Match)> {
        let compared = compare(&metrics(old), &metrics(new), tolerance);
        compared.into_iter().map(|metric| (metric.name, metric.verdict)).collect()
    }

    #[test]
    fn single_values_are_the_same_near_or_not() {
        let old = r#"{"a": 1, "b": 0.5, "c": 0.5, "gone": 1, "n": "NaN"}"#;
        let new = r#"{"a": 1, "b": 0.51, "c": 0.6, "new": 1, "n": "NaN"}"#;
        let expected = [
            ("a", Match::Identical),
            ("b", Match::Within),
            ("c", Match::Different),
            ("gone", Match::Missing),
            ("n", Match::Identical),
            ("new", Match::Different),
        ];
        let expected = expected.map(|(name, verdict)| (name.to_owned(), verdict));
        assert_eq!(verdicts(old, new, 0.02), expected);
        assert_eq!(verdicts(r#"{"a": 1}"#, r#"{"a": 1.1}"#, 0.0)[0].1, Match::Different);
        assert_eq!(verdicts(r#"{"a": 1}"#, r#"{"a": "NaN"}"#, 9.0)[0].1, Match::Different);
    }

    #[test]
    fn of_a_series_the_last_value_and_the_length_count() {
        let old = "{\"step\":1,\"l\":9}\n{\"step\":2,\"l\":1}\n";
        let last = "{\"step\":1,\"l\":5}\n{\"step\":2,\"l\":1.01}\n";
        let longer = "{\"step\":1,\"l\":9}\n{\"step\":2,\"l\":2}\n{\"step\":3,\"l\":1}\n";
        assert_eq!(verdicts(old, old, 0.0)[0].1, Match::Identical);
        assert_eq!(verdicts(old, last, 0.1)[0].1, Match::Within);
        assert_eq!(verdicts(old, longer, 0.1)[0].1, Match::Different);
        assert_eq!(verdicts(old, r#"{"l":1}"#, 0.1)[0].1, Match::Different);
    }
}
