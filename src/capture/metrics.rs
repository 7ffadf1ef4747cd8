//! Metrics from files: single values, and series where a name has many.
//!
//! What is no number is said and left out; what is half written or broken costs its line only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::error::CaptureError;
use super::plain;
use super::rows::{self, Line};
use super::values::{self, ValuesFormat};
use crate::object::canonical::{Number, Object, Value};
use crate::object::{Metric, ObjectId, Reading, Series, SeriesValues};

/// Names of the step of a row; the first that a row has counts.
const STEPS: &[&str] = &["step", "global_step", "_step", "iteration", "iter", "epoch"];
/// Most values in all; 100 names over 200,000 steps.
const READINGS_MAX: usize = 20_000_000;
/// Most notes about one file; more of them are counted.
const NOTES_MAX: usize = 5;

/// Collects the metrics of a run out of its files.
#[derive(Debug, Default)]
pub struct MetricsReader {
    names: BTreeMap<String, Gathered>,
    readings: usize,
    files: usize,
    /// Rows so far, a document being one, and each item of a list.
    rows: usize,
    notes: Vec<String>,
    /// Notes about the file at hand.
    count: usize,
}

/// The values of one name.
#[derive(Debug, Default)]
struct Gathered {
    /// Which file had it first; the others do not count.
    file: usize,
    row: usize,
    steps: Vec<Option<Number>>,
    values: Vec<Reading>,
    is_list: bool,
}

/// What was measured, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CapturedMetrics {
    /// Names, ascending in the order of canonical JSON, and what was measured.
    pub metrics: Vec<(String, Metric)>,
    /// The attachments that the series name, in their order.
    pub series: Vec<Vec<u8>>,
    /// What was left out, in words.
    pub notes: Vec<String>,
}

impl MetricsReader {
    /// Starts with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file of any known format; what ends in no known name is read as JSON Lines.
    pub fn read_file(&mut self, path: &Path) -> Result<(), CaptureError> {
        self.read(path, None)
    }

    /// As [`Self::read_file`], of a file whose content is at hand.
    pub fn read_content(&mut self, path: &Path, content: &[u8]) -> Result<(), CaptureError> {
        self.read(path, Some(content))
    }

    fn read(&mut self, path: &Path, content: Option<&[u8]>) -> Result<(), CaptureError> {
        let format = ValuesFormat::of_name(path).unwrap_or(ValuesFormat::JsonLines);
        let shown = path.display().to_string();
        self.files += 1;
        self.count = 0;
        let refuse = |source| CaptureError::Read { path: path.to_path_buf(), source };
        match format {
            ValuesFormat::JsonLines | ValuesFormat::Csv(_) => {
                let mut rows: Box<dyn BufRead + '_> = match content {
                    Some(content) => Box::new(content),
                    None => {
                        let file = plain::open(path).map_err(refuse)?;
                        Box::new(BufReader::with_capacity(1 << 16, file))
                    }
                };
                match format {
                    ValuesFormat::Csv(separator) => self.read_table(&mut rows, separator, &shown),
                    _ => self.read_lines(&mut rows, &shown),
                }
                .map_err(refuse)?;
            }
            _ => {
                let bytes = match content {
                    Some(content) => Cow::Borrowed(content),
                    None => Cow::Owned(values::read_bounded(path)?),
                };
                let document = values::parse_document(&bytes, format);
                let document = document
                    .map_err(|reason| CaptureError::Values { path: path.to_path_buf(), reason })?;
                self.document(&document, &shown);
            }
        }
        if self.count > NOTES_MAX {
            self.notes.push(format!("{shown}: and {} more", self.count - NOTES_MAX));
        }
        Ok(())
    }

    /// Gives what was collected.
    pub fn finish(self) -> CapturedMetrics {
        let mut captured = CapturedMetrics { notes: self.notes, ..CapturedMetrics::default() };
        let mut names: Vec<(String, Gathered)> = self.names.into_iter().collect();
        names.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        for (name, mut gathered) in names {
            let is_single = gathered.values.len() == 1
                && !gathered.is_list
                && gathered.steps.iter().all(Option::is_none);
            let metric = match (is_single, gathered.values.pop()) {
                (true, Some(reading)) => Metric::Single(reading),
                (_, Some(last)) => {
                    gathered.values.push(last);
                    let (series, bytes) = gathered.into_series();
                    captured.series.push(bytes);
                    Metric::Series(series)
                }
                (_, None) => continue,
            };
            captured.metrics.push((name, metric));
        }
        captured
    }

    fn read_lines(&mut self, from: &mut impl BufRead, shown: &str) -> std::io::Result<()> {
        let mut number = 0;
        while let Some(line) = rows::next_line(from)? {
            number += 1;
            let Line::Whole(line) = line else {
                self.note(format!("{shown}: line {number} is longer than 16 MiB, left out"));
                continue;
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match values::parse_document(&line, ValuesFormat::JsonLines) {
                Ok(Value::Object(row)) => self.row(&row, "", false, shown),
                Ok(_) => self.note(format!("{shown}: line {number} is no object, left out")),
                Err(_) if !line.ends_with(b"\n") => {
                    self.note(format!("{shown}: the last line is half written, left out"));
                }
                Err(reason) => self.note(format!("{shown}: line {number}: {reason}, left out")),
            }
        }
        Ok(())
    }

    fn read_table(
        &mut self,
        from: &mut impl BufRead,
        separator: u8,
        shown: &str,
    ) -> std::io::Result<()> {
        let mut head: Option<Vec<String>> = None;
        let (mut number, mut open) = (0, Vec::new());
        while let Some(line) = rows::next_line(from)? {
            number += 1;
            let Line::Whole(line) = line else {
                self.note(format!("{shown}: line {number} is longer than 16 MiB, left out"));
                continue;
            };
            open.extend_from_slice(&line);
            let Some(fields) = rows::split_fields(&open, separator) else {
                if open.len() > rows::LINE_BYTES_MAX {
                    self.note(format!("{shown}: line {number}: a quote does not end, left out"));
                    open.clear();
                }
                continue;
            };
            open.clear();
            let Some(names) = &head else {
                head = Some(fields);
                continue;
            };
            if fields.len() == names.len() {
                let pairs = names.iter().cloned().zip(fields.iter().map(|f| values::literal(f)));
                match Object::from_members(pairs.collect()) {
                    Ok(row) => self.row(&row, "", false, shown),
                    Err(name) => {
                        self.note(format!("{shown}: column {name} occurs twice, left out"));
                        return Ok(());
                    }
                }
            } else if !line.ends_with(b"\n") {
                self.note(format!("{shown}: the last line is half written, left out"));
            } else if fields.iter().any(|field| !field.is_empty()) {
                self.note(format!(
                    "{shown}: line {number} has another number of columns, left out"
                ));
            }
        }
        if !open.is_empty() {
            self.note(format!("{shown}: the last line is half written, left out"));
        }
        Ok(())
    }

    fn document(&mut self, document: &Value, shown: &str) {
        match document {
            Value::Object(object) => self.row(object, "", true, shown),
            Value::List(items) => self.list(items, "", shown),
            Value::Null => {}
            _ => self.note(format!("{shown}: metrics must have names, left out")),
        }
    }

    /// Takes the members of an object, under the step that one of them is.
    fn row(&mut self, row: &Object, prefix: &str, is_document: bool, shown: &str) {
        let number = self.new_row();
        let step = STEPS.iter().find_map(|name| match row.find(name) {
            Some(Value::Number(step)) => Some((*name, *step)),
            _ => None,
        });
        // A document has its epoch among its results; a row stands at it.
        let step = step.filter(|_| !is_document);
        for (name, value) in row.iter() {
            // An epoch beside a step is a metric like any other.
            if step.is_some_and(|(of_step, _)| of_step == name) {
                continue;
            }
            let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            self.value(&name, value, step.map(|(_, step)| step), number, shown);
        }
    }

    fn value(&mut self, name: &str, value: &Value, step: Option<Number>, row: usize, shown: &str) {
        match value {
            Value::Number(number) => self.add(name, Reading::Number(*number), step, row, shown),
            Value::Object(inner) => {
                for (inner_name, value) in inner.iter() {
                    self.value(&format!("{name}.{inner_name}"), value, step, row, shown);
                }
            }
            Value::List(items) => self.list(items, name, shown),
            Value::Null => {}
            Value::Text(text) => match values::number(text) {
                Some(Value::Number(number)) => {
                    self.add(name, Reading::Number(number), step, row, shown);
                }
                Some(Value::Text(text)) => self.add(name, Reading::Text(text), step, row, shown),
                _ => self.no_number(name, shown),
            },
            Value::Bool(_) => self.no_number(name, shown),
        }
    }

    /// Takes a list: of numbers, one series; of objects, rows.
    fn list(&mut self, items: &[Value], name: &str, shown: &str) {
        for item in items {
            match item {
                Value::Object(object) => self.row(object, name, false, shown),
                Value::List(_) => self.no_number(name, shown),
                value => {
                    let row = self.new_row();
                    self.value(name, value, None, row, shown);
                }
            }
        }
        if let Some(gathered) = self.names.get_mut(name) {
            gathered.is_list = true;
        }
    }

    fn add(&mut self, name: &str, reading: Reading, step: Option<Number>, row: usize, shown: &str) {
        if self.readings >= READINGS_MAX {
            let note = format!("more than {READINGS_MAX} values, so the rest is left out");
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
            return;
        }
        let file = self.files;
        let gathered = self.names.entry(name.to_owned()).or_insert_with(|| Gathered {
            file,
            row: usize::MAX,
            ..Gathered::default()
        });
        let is_elsewhere = gathered.file != file;
        if is_elsewhere || gathered.row == row {
            let why = if is_elsewhere { "an earlier file has it" } else { "it occurs twice" };
            self.note(format!("{shown}: {name}: {why}, left out"));
            return;
        }
        gathered.row = row;
        gathered.steps.push(step);
        gathered.values.push(reading);
        self.readings += 1;
    }

    /// Begins a row, in which a name may stand once.
    fn new_row(&mut self) -> usize {
        self.rows += 1;
        self.rows
    }

    fn no_number(&mut self, name: &str, shown: &str) {
        let note = format!("{shown}: {name} is no number, left out");
        // Once is enough for a column.
        if !self.notes.contains(&note) {
            self.note(note);
        }
    }

    fn note(&mut self, note: String) {
        self.count += 1;
        if self.count <= NOTES_MAX {
            self.notes.push(super::redact::text(&note).into_owned());
        }
    }
}

/// Gives what a record keeps of a series, and the attachment that holds all of it.
///
/// Shape: `steps` are none, or as many as `values`; nothing for no values.
pub fn series_of(steps: Vec<Option<Number>>, values: Vec<Reading>) -> Option<(Series, Vec<u8>)> {
    let gathered = Gathered { steps, values, ..Gathered::default() };
    (!gathered.values.is_empty()).then(|| gathered.into_series())
}

impl Gathered {
    /// Gives the summary for the record, and the attachment.
    fn into_series(self) -> (Series, Vec<u8>) {
        let numbers = || {
            self.values.iter().filter_map(|reading| match reading {
                Reading::Number(number) => Some(*number),
                Reading::Text(_) => None,
            })
        };
        let compare = |a: &Number, b: &Number| a.as_f64().total_cmp(&b.as_f64());
        let (min, max) = (numbers().min_by(compare), numbers().max_by(compare));
        let nothing = || Reading::Text("NaN".to_owned());
        let first = self.values.first().cloned().unwrap_or_else(nothing);
        let last = self.values.last().cloned().unwrap_or_else(nothing);
        let count = self.values.len() as u64;
        let has_steps = self.steps.iter().any(Option::is_some);
        let steps = if has_steps { self.steps } else { Vec::new() };
        let bytes = SeriesValues { steps, values: self.values }.encode();
        let series = Some(ObjectId::of(&bytes));
        (Series { count, first, last, min, max, series }, bytes)
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
