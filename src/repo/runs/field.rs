//! What can be asked of a run, by name: `params.lr`, `metrics.loss.min`, `exit`, `elapsed`.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::object::canonical::{Number, Object, Value};
use crate::object::{Commit, Metric, Metrics, Params, Reading, Run, Series};
use crate::repo::Error;

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<'r> {
    /// A number, as near as a double comes; a text that says a number is one too.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// Anything else.
    Text(Cow<'r, str>),
}

impl<'r> Field<'r> {
    /// Takes a text.
    pub fn text_of(text: &'r str) -> Self {
        Self::Text(text.into())
    }

    /// Gives it as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            // Digits that no number of JSON holds, and NaN, are kept as they came.
            Self::Text(text) => text.parse().ok(),
            Self::Bool(_) => None,
        }
    }

    /// Gives it as true or false, if it is that.
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Gives it as a text for people.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(spell(*number)),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        }
    }

    /// Gives it with a text of its own.
    pub fn into_owned(self) -> Field<'static> {
        match self {
            Self::Number(number) => Field::Number(number),
            Self::Bool(value) => Field::Bool(value),
            Self::Text(text) => Field::Text(text.into_owned().into()),
        }
    }

    /// Orders values of one field: numbers before texts, NaN last of the numbers.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(&b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.text().cmp(&other.text()),
        }
    }
}

/// Spells a number shortly: as JSON would.
fn spell(number: f64) -> String {
    ryu_js::Buffer::new().format(number).to_owned()
}

/// Names of fields, beside parameters and metrics.
const NAMES: [&str; 11] = [
    "name", "message", "author", "host", "command", "exit", "started", "elapsed", "cpu", "memory",
    "stale",
];

/// Refuses what no run can have.
pub fn insist_on_field(name: &str) -> Result<(), Error> {
    let is_value = ["params.", "metrics."].iter().any(|prefix| name.starts_with(prefix));
    if is_value || NAMES.contains(&name) {
        return Ok(());
    }
    let known = NAMES.join(" ");
    Err(Error::Usage(format!("unknown field {name:?}; known: params.NAME metrics.NAME {known}")))
}

/// Finds a field of a run.
pub fn field<'r>(commit: &'r Commit, run: &'r Run, name: &str) -> Option<Field<'r>> {
    if let Some(name) = name.strip_prefix("params.") {
        let Params::Here(params) = &run.params else { return None };
        return param(params, name);
    }
    if let Some(name) = name.strip_prefix("metrics.") {
        return metric(run, name);
    }
    let seconds = |ms: Option<u64>| ms.map(|ms| Field::Number(ms as f64 / 1000.0));
    let resources = &run.resources;
    match name {
        "name" => Some(Field::text_of(&run.name)),
        "message" => Some(Field::text_of(&commit.message)),
        "author" => Some(Field::text_of(&commit.author.name)),
        "host" => commit.system.host.as_deref().map(Field::text_of),
        "command" => Some(Field::Text(run.command.join(" ").into())),
        "exit" => run.exit_code.map(|code| Field::Number(code.into())),
        "started" => run.started.to_record().map(|text| Field::Text(text.into())),
        "elapsed" => seconds(resources.elapsed_ms),
        "cpu" => seconds(resources.user_ms.zip(resources.system_ms).map(|(u, s)| u + s)),
        "memory" => resources.memory_bytes_max.map(|bytes| Field::Number(bytes as f64)),
        _ => None,
    }
}

/// Finds a parameter: under its whole name, or inside of others, `optimizer.lr`.
fn param<'r>(params: &'r Object, name: &str) -> Option<Field<'r>> {
    if let Some(value) = params.find(name) {
        return of_value(value);
    }
    let dots = name.match_indices('.').map(|(at, _)| at);
    dots.filter_map(|at| {
        let (first, rest) = (name.get(..at)?, name.get(at + 1..)?);
        match params.find(first)? {
            Value::Object(inner) => param(inner, rest),
            _ => None,
        }
    })
    .next()
}

/// Gives every name under which [`field`] finds something, beside `started`; or nothing for
/// more than `count_max` parameters and metrics.
pub fn names_of(run: &Run, count_max: usize) -> Option<Vec<String>> {
    let mut names = Vec::new();
    if let Params::Here(params) = &run.params {
        names_of_params(params, "params", &mut names, count_max);
    }
    if let Metrics::Here(metrics) = &run.metrics {
        for (name, metric) in metrics {
            if names.len() > count_max {
                break;
            }
            names.push(format!("metrics.{name}"));
            if matches!(metric, Metric::Series(_)) {
                let parts = ["first", "last", "min", "max", "count"];
                names.extend(parts.map(|part| format!("metrics.{name}.{part}")));
            }
        }
    }
    if names.len() > count_max {
        return None;
    }
    names.extend(NAMES.iter().filter(|name| **name != "started").map(|name| (*name).to_owned()));
    Some(names)
}

fn names_of_params(params: &Object, prefix: &str, names: &mut Vec<String>, count_max: usize) {
    for (name, value) in params.iter() {
        if names.len() > count_max {
            return;
        }
        let name = format!("{prefix}.{name}");
        if let Value::Object(inner) = value {
            names_of_params(inner, &name, names, count_max);
        }
        names.push(name);
    }
}

fn of_value(value: &Value) -> Option<Field<'_>> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(Field::Bool(*value)),
        Value::Number(number) => Some(of_number(*number)),
        Value::Text(text) => Some(Field::text_of(text)),
        Value::List(_) | Value::Object(_) => {
            Some(Field::Text(String::from_utf8_lossy(&value.encode()).into_owned().into()))
        }
    }
}

fn of_number(number: Number) -> Field<'static> {
    Field::Number(number.as_f64())
}

/// Finds a metric: its value, the last of a series, or `.first`, `.last`, `.min`, `.max`, `.count`.
fn metric<'r>(run: &'r Run, name: &str) -> Option<Field<'r>> {
    let Metrics::Here(metrics) = &run.metrics else { return None };
    let find = |name: &str| metrics.iter().find(|(other, _)| other == name).map(|(_, of)| of);
    if let Some(found) = find(name) {
        return match found {
            Metric::Single(reading) => Some(of_reading(reading)),
            Metric::Series(series) => Some(of_reading(&series.last)),
        };
    }
    let (name, part) = name.rsplit_once('.')?;
    match find(name)? {
        Metric::Series(series) => of_series(series, part),
        Metric::Single(_) => None,
    }
}

fn of_series<'r>(series: &'r Series, part: &str) -> Option<Field<'r>> {
    match part {
        "first" => Some(of_reading(&series.first)),
        "last" => Some(of_reading(&series.last)),
        "min" => series.min.map(of_number),
        "max" => series.max.map(of_number),
        "count" => Some(Field::Number(series.count as f64)),
        _ => None,
    }
}

fn of_reading(reading: &Reading) -> Field<'_> {
    match reading {
        Reading::Number(number) => of_number(*number),
        Reading::Text(text) => Field::text_of(text),
    }
}
