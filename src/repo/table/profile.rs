//! Counts what tables hold: rows, columns, what their values are, how labels are spread.
//!
//! Specified in `docs/format/profile.md`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;

use super::cells::{csv_cells, json_cells};
use super::loose::{TableFault, fault_of};
use super::reading::Reading;
use super::rows::{RowHasher, read_rows};
use super::shape::{Form, Shape};
use crate::object::canonical::Number;
use crate::object::{ColumnKind, ColumnProfile, LabelProfile, Profile, TreePath};
use crate::repo::diff::FileSide;
use crate::repo::diff::read::Files;

/// Most columns that are listed.
const COLUMNS_LISTED_MAX: usize = 1_000;
/// Most columns that are looked at.
const COLUMNS_MAX: usize = 1 << 20;
/// Most labels that are listed, and that are counted.
const LABELS_LISTED_MAX: usize = 100;
const LABELS_MAX: usize = 10_000;
/// Longest name or label, characters.
const TEXT_CHARS_MAX: usize = 200;
/// What stands for no value, in any case of letters.
const MISSING: &[&[u8]] = &[b"na", b"n/a", b"nan", b"null", b"none"];

/// Counts, table by table.
#[derive(Debug, Default)]
pub(in crate::repo) struct Profiler {
    tables: u64,
    rows: u64,
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    label: Option<Label>,
    notes: Vec<String>,
}

#[derive(Debug, Default)]
struct Column {
    name: String,
    present: u64,
    booleans: u64,
    integers: u64,
    numbers: u64,
    is_nested: bool,
    range: Option<(f64, f64)>,
}

#[derive(Debug)]
struct Label {
    column: String,
    /// What its column is kept under.
    key: String,
    rows: HashMap<String, u64>,
    other_rows: u64,
}

impl Profiler {
    pub fn new(label: Option<&str>) -> Self {
        let label = label.map(|column| Label {
            column: column.to_owned(),
            key: kept(column).into_owned(),
            rows: HashMap::new(),
            other_rows: 0,
        });
        Self { label, ..Self::default() }
    }

    /// Notes what a reader of the profile should know.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Counts a table; one that breaks off counts as far as it goes.
    ///
    /// Cost: one pass; memory for each column and each label.
    pub fn add(
        &mut self,
        files: &mut Files<'_>,
        place: (&TreePath, &FileSide),
        shape: Shape,
    ) -> Result<(), TableFault> {
        self.tables += 1;
        let names = shape.columns.clone();
        let at: Vec<usize> = names.iter().filter_map(|name| self.column(name)).collect();
        let form = shape.form;
        let reading =
            Reading { shape, names, picks: None, key: None, is_plain: true, is_loose: false };
        let hasher = RowHasher::of_process();
        let read = read_rows(files, place, &reading, &hasher, None, |batch| {
            for row in &batch.rows {
                self.add_row(form, batch.text(row), &at);
            }
            ControlFlow::Continue(())
        });
        read.map(drop).map_err(fault_of)
    }

    fn add_row(&mut self, form: Form, record: &[u8], at: &[usize]) {
        self.rows += 1;
        match form {
            Form::Csv { delimiter } => {
                for (cell, at) in csv_cells(record, delimiter).zip(at) {
                    self.add_cell(*at, &value_of_csv(&cell), &cell);
                }
            }
            Form::JsonLines | Form::Parquet => {
                for (name, value) in json_cells(record).unwrap_or_default() {
                    if let Some(at) = self.column(&name) {
                        let text: Option<String> = serde_json::from_str(&value).ok();
                        let text = text.as_deref().unwrap_or(&value);
                        self.add_cell(at, &value_of_json(&value, text, form), text.as_bytes());
                    }
                }
            }
        }
    }

    fn column(&mut self, name: &str) -> Option<usize> {
        let name = kept(name);
        if let Some(at) = self.by_name.get(name.as_ref()) {
            return Some(*at);
        }
        let at = self.columns.len();
        if at >= COLUMNS_MAX {
            return None;
        }
        self.columns.push(Column { name: name.clone().into_owned(), ..Column::default() });
        self.by_name.insert(name.into_owned(), at);
        Some(at)
    }

    fn add_cell(&mut self, at: usize, value: &CellValue, text: &[u8]) {
        let Some(column) = self.columns.get_mut(at) else { return };
        if let Some(label) = self.label.as_mut().filter(|label| label.key == column.name) {
            label.add(text);
        }
        column.present += u64::from(*value != CellValue::Missing);
        match value {
            CellValue::Missing | CellValue::Text => {}
            CellValue::Boolean => column.booleans += 1,
            CellValue::Nested => column.is_nested = true,
            CellValue::Infinite => column.numbers += 1,
            CellValue::Number(number, is_whole) => {
                column.integers += u64::from(*is_whole);
                column.numbers += 1;
                let (min, max) = column.range.unwrap_or((*number, *number));
                column.range = Some((min.min(*number), max.max(*number)));
            }
        }
    }

    /// Gives what was counted.
    pub fn finish(mut self) -> Profile {
        let rows = self.rows;
        if let Some(label) = &self.label
            && !self.by_name.contains_key(&label.key)
            && self.tables > 0
        {
            self.notes.push(format!("no column is named {:?}", one_line(&label.column)));
        }
        let column_count = self.columns.len() as u64;
        self.columns.truncate(COLUMNS_LISTED_MAX);
        Profile {
            tables: self.tables,
            rows,
            column_count,
            columns: self.columns.into_iter().map(|column| column.finish(rows)).collect(),
            label: self.label.map(Label::finish),
            notes: self.notes.iter().map(|note| one_line(note)).collect(),
        }
    }
}

impl Column {
    fn finish(self, rows: u64) -> ColumnProfile {
        let Self { present, booleans, integers, numbers, .. } = self;
        let kind = match present {
            _ if self.is_nested => ColumnKind::Nested,
            0 => ColumnKind::Empty,
            _ if booleans == present => ColumnKind::Boolean,
            _ if integers == present => ColumnKind::Integer,
            _ if numbers == present => ColumnKind::Number,
            _ => ColumnKind::Text,
        };
        let is_number = matches!(kind, ColumnKind::Integer | ColumnKind::Number);
        let range = self.range.filter(|_| is_number);
        ColumnProfile {
            name: one_line(&self.name),
            kind,
            missing: rows.saturating_sub(present),
            min: range.and_then(|(min, _)| Number::from_f64(min).ok()),
            max: range.and_then(|(_, max)| Number::from_f64(max).ok()),
        }
    }
}

impl Label {
    fn add(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text.trim_ascii());
        let text = kept(&text);
        let is_full = self.rows.len() >= LABELS_MAX;
        match self.rows.get_mut(text.as_ref()) {
            Some(rows) => *rows += 1,
            None if !is_full => {
                self.rows.insert(text.into_owned(), 1);
            }
            None => self.other_rows += 1,
        }
    }

    fn finish(self) -> LabelProfile {
        let mut values: Vec<(String, u64)> =
            self.rows.into_iter().map(|(value, rows)| (one_line(&value), rows)).collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let others = values.split_off(values.len().min(LABELS_LISTED_MAX));
        let others: u64 = others.iter().map(|(_, rows)| rows).sum();
        LabelProfile { column: self.column, values, other_rows: self.other_rows + others }
    }
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum CellValue {
    Missing,
    Boolean,
    /// And whether it is written as a whole one.
    Number(f64, bool),
    Infinite,
    Text,
    Nested,
}

fn value_of_csv(cell: &[u8]) -> CellValue {
    let cell = cell.trim_ascii();
    match cell.first() {
        None => CellValue::Missing,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number_of(cell),
        _ if MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word)) => CellValue::Missing,
        _ if cell.eq_ignore_ascii_case(b"true") || cell.eq_ignore_ascii_case(b"false") => {
            CellValue::Boolean
        }
        _ => CellValue::Text,
    }
}

fn number_of(cell: &[u8]) -> CellValue {
    let text = std::str::from_utf8(cell).unwrap_or_default();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => {
            let digits = text.trim_start_matches(['+', '-']);
            CellValue::Number(number, digits.bytes().all(|byte| byte.is_ascii_digit()))
        }
        _ => CellValue::Text,
    }
}

fn value_of_json(value: &str, text: &str, form: Form) -> CellValue {
    match value.as_bytes().first() {
        None | Some(b'n') => CellValue::Missing,
        Some(b'{' | b'[') => CellValue::Nested,
        Some(b't' | b'f') => CellValue::Boolean,
        Some(b'"') if text.trim().is_empty() => CellValue::Missing,
        // What no JSON number can be.
        Some(b'"') if form == Form::Parquet && text == "NaN" => CellValue::Missing,
        Some(b'"') if form == Form::Parquet && matches!(text, "inf" | "-inf") => {
            CellValue::Infinite
        }
        Some(b'"') => CellValue::Text,
        _ => number_of(value.as_bytes()),
    }
}

/// Gives what a name or a label is kept under: a long one by its beginning and a hash, so that
/// memory goes by their number. As a line of a record it is shortened before the hash.
fn kept(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => {
            let [one, other] = RowHasher::of_process().row(text.as_bytes());
            let beginning = text.get(..end).unwrap_or_default();
            Cow::Owned(format!("{beginning}{one:016x}{other:016x}"))
        }
        None => Cow::Borrowed(text),
    }
}

/// Gives a text as a line of a record.
fn one_line(text: &str) -> String {
    let shown = text.chars().take(TEXT_CHARS_MAX);
    let mut line: String = shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(TEXT_CHARS_MAX).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_and_labels_are_told_apart_and_not_held() {
        let mut profiler = Profiler::new(Some("l"));
        let mut label = profiler.label.take().expect("a label");
        for end in ["a", "b", "a"] {
            let long = format!("{}{end}", "x".repeat(1 << 20));
            profiler.column(&long).expect("a column");
            label.add(long.as_bytes());
        }
        let names = profiler.by_name.keys().chain(label.rows.keys());
        assert!(names.map(String::len).all(|length| length < 300));
        assert_eq!(profiler.columns.len(), 2);
        let shown: Vec<_> = label.finish().values;
        let line = format!("{}…", "x".repeat(TEXT_CHARS_MAX));
        assert_eq!(shown, [(line.clone(), 2), (line, 1)]);
    }
}
