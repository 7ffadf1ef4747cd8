//! How the rows of a table differ, as text or JSON.

use std::borrow::Cow;
use std::io::{self, Write as _};

use serde_json::{Value, json};

use super::print::Output;
use super::{escape, units};
use crate::repo::table::{CellDiff, ColumnDiff, RowChange, RowDiff, RowSample};

/// Cells of one row that are shown.
const CELLS_SHOWN: usize = 8;
/// Longest cell that is shown, characters.
const CELL_CHARS_MAX: usize = 40;
/// Characters before a difference that are shown.
const SAME_CHARS_SHOWN: usize = 10;

/// Prints how many rows differ, then some of them.
pub fn put(out: &mut Output, diff: &RowDiff) -> io::Result<()> {
    let rows = match diff.old_rows == diff.new_rows {
        true => units::count(diff.new_rows, "row"),
        false => {
            let old = units::grouped(diff.old_rows);
            format!("{old} → {}", units::count(diff.new_rows, "row"))
        }
    };
    let key = diff.key.as_deref().map(|key| format!(", told apart by {}", escape::line(key)));
    writeln!(out, "  {rows}: {}{}", counts(diff), key.unwrap_or_default())?;
    columns(out, &diff.columns)?;
    for sample in &diff.samples {
        let line = sample_line(sample);
        let line = match sample.change {
            RowChange::Added => out.paint.added(line),
            RowChange::Removed => out.paint.removed(line),
            RowChange::Changed => line,
        };
        writeln!(out, "  {line}")?;
    }
    let left = (diff.added + diff.removed + diff.changed).saturating_sub(diff.samples.len() as u64);
    if left > 0 {
        writeln!(out, "  and {} more (--rows N shows more)", units::count(left, "row"))?;
    }
    Ok(())
}

/// Says how many rows came, went, changed and moved: `2 changed, 1 added`.
pub fn counts(diff: &RowDiff) -> String {
    let counts = [
        (diff.changed, "changed"),
        (diff.added, "added"),
        (diff.removed, "removed"),
        (diff.moved, "moved"),
    ];
    let words = counts.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> =
        words.map(|(count, word)| format!("{} {word}", units::grouped(count))).collect();
    let columns = &diff.columns;
    let is_same_columns = columns.added.is_empty()
        && columns.removed.is_empty()
        && columns.renamed.is_empty()
        && !columns.reordered;
    match (words.is_empty(), is_same_columns) {
        (false, _) => words.join(", "),
        (true, true) => "the same rows, spelled in another way".to_owned(),
        (true, false) => "the same values in the columns that both have".to_owned(),
    }
}

/// Counts in short, for a line of many: `+2 -1 ~3 rows`.
pub fn stat(diff: &RowDiff) -> String {
    let counts = [('+', diff.added), ('-', diff.removed), ('~', diff.changed)];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(sign, count)| format!("{sign}{}", units::grouped(count))).collect();
    if counts.is_empty() { "table".to_owned() } else { format!("{} rows", counts.join(" ")) }
}

fn columns(out: &mut Output, columns: &ColumnDiff) -> io::Result<()> {
    let list = |names: &[String]| {
        let names = names.iter().map(|name| short(name));
        let shown: Vec<String> = names.clone().take(20).collect();
        let more = names.len().saturating_sub(shown.len());
        match more {
            0 => shown.join(", "),
            _ => format!("{} and {more} more", shown.join(", ")),
        }
    };
    for (names, word) in [(&columns.added, "added"), (&columns.removed, "removed")] {
        if !names.is_empty() {
            let count = units::count(names.len() as u64, "column");
            writeln!(out, "  {count} {word}: {}", list(names))?;
        }
    }
    for (old, new) in columns.renamed.iter().take(20) {
        writeln!(out, "  column renamed: {} → {}", short(old), short(new))?;
    }
    if columns.reordered {
        writeln!(out, "  columns in another order")?;
    }
    Ok(())
}

fn sample_line(sample: &RowSample) -> String {
    let sign = match sample.change {
        RowChange::Added => '+',
        RowChange::Removed => '-',
        RowChange::Changed => '~',
    };
    let key = sample.key.as_deref().map(|key| format!("{} ", short(key))).unwrap_or_default();
    let place = match (sample.old_line, sample.new_line) {
        (Some(old), Some(new)) if old != new => format!("line {old} → {new}"),
        (Some(line), _) | (None, Some(line)) => format!("line {line}"),
        (None, None) => String::new(),
    };
    let shown = sample.cells.iter().take(CELLS_SHOWN).map(cell);
    let mut cells: Vec<String> = shown.collect();
    let more = (sample.cells.len() - cells.len()) as u64 + sample.more_cells;
    if more > 0 {
        cells.push(format!("and {more} more"));
    }
    let place = if key.is_empty() { place } else { format!("({place})") };
    format!("{sign} {key}{place}: {}", cells.join(", "))
}

fn cell(cell: &CellDiff) -> String {
    let column = short(&cell.column);
    match (&cell.old, &cell.new) {
        (Some(old), Some(new)) => {
            let (old, new) = apart(old, new);
            format!("{column} {} → {}", value(&old), value(&new))
        }
        (Some(one), None) | (None, Some(one)) => format!("{column} {}", value(one)),
        (None, None) => column,
    }
}

/// Leaves out most of a long beginning that two values share, so that the difference is seen.
fn apart<'t>(old: &'t str, new: &'t str) -> (Cow<'t, str>, Cow<'t, str>) {
    let pairs = old.char_indices().zip(new.chars());
    let same = pairs.take_while(|((_, a), b)| a == b).map(|((at, _), _)| at).collect::<Vec<_>>();
    let is_long = old.chars().count().max(new.chars().count()) > CELL_CHARS_MAX;
    let from = same.len().checked_sub(SAME_CHARS_SHOWN).filter(|from| is_long && *from > 0);
    let Some(at) = from.and_then(|from| same.get(from)) else { return (old.into(), new.into()) };
    let rest = |text: &str| format!("…{}", text.get(*at..).unwrap_or_default());
    (rest(old).into(), rest(new).into())
}

/// An empty value is shown as such.
fn value(text: &str) -> String {
    if text.is_empty() { "\"\"".to_owned() } else { short(text) }
}

fn short(text: &str) -> String {
    let escaped = escape::line(text);
    match escaped.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", escaped.get(..end).unwrap_or_default()),
        None => escaped,
    }
}

/// Gives the object of a difference between tables.
pub fn json(diff: &RowDiff) -> Value {
    let renamed = diff.columns.renamed.iter();
    let renamed: Vec<Value> = renamed.map(|(old, new)| json!({"old": old, "new": new})).collect();
    let samples: Vec<Value> = diff.samples.iter().map(sample_json).collect();
    json!({
        "as": "rows",
        "old_rows": diff.old_rows,
        "new_rows": diff.new_rows,
        "added": diff.added,
        "removed": diff.removed,
        "changed": diff.changed,
        "moved": diff.moved,
        "key": diff.key,
        "columns": {
            "added": diff.columns.added,
            "removed": diff.columns.removed,
            "renamed": renamed,
            "reordered": diff.columns.reordered,
        },
        "samples": samples,
    })
}

fn sample_json(sample: &RowSample) -> Value {
    let change = match sample.change {
        RowChange::Added => "added",
        RowChange::Removed => "removed",
        RowChange::Changed => "changed",
    };
    let cell = |cell: &CellDiff| json!({"column": cell.column, "old": cell.old, "new": cell.new});
    json!({
        "change": change,
        "key": sample.key,
        "old_line": sample.old_line,
        "new_line": sample.new_line,
        "cells": sample.cells.iter().map(cell).collect::<Vec<_>>(),
        "more_cells": sample.more_cells,
    })
}
