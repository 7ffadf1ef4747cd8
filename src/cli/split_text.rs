//! What the splits of the data share, in words and in JSON.

use serde_json::{Value, json};

use super::print::{self, Paint};
use super::{escape, units};
use crate::object::{Overlap, OverlapSample, Overlaps};
use crate::repo::OverlapReport;

/// Places of each pair that a warning shows.
const SHOWN: usize = 5;
/// Longest row that is shown, characters.
const ROW_CHARS_MAX: usize = 80;

/// Warns on standard error, with rows and where they stand; in short if the commit before said it.
pub fn warn(paint: Paint, report: Option<&OverlapReport>) {
    let Some(OverlapReport { overlaps, rows, is_known }) = report else { return };
    for pair in &overlaps.pairs {
        let known = if *is_known { ", as before" } else { "" };
        print::note(paint, "warning: ", &format!("{}{known}", sentence(overlaps, pair)));
        let shown = if *is_known { 0 } else { SHOWN };
        for sample in pair.samples.iter().take(shown) {
            let key = sample.other_line.map(|line| (sample.other_path.clone(), line));
            let row = key.and_then(|key| rows.get(&key));
            let row = row.map(|row| format!(": {}", short(row))).unwrap_or_default();
            print::note(paint, "  ", &format!("{}{row}", place(sample)));
        }
        if let Some(more) = more(pair).filter(|_| !*is_known) {
            print::note(paint, "  ", &more);
        }
    }
    if !is_known {
        for note in &overlaps.notes {
            print::note(paint, "note: ", note);
        }
    }
}

/// Lists what is recorded, a line each.
pub fn lines(overlaps: &Overlaps) -> Vec<String> {
    let mut lines = Vec::new();
    for size in &overlaps.splits {
        let rows = units::count(size.rows, "row");
        let files = units::count(size.files, "file");
        lines.push(format!("{}: {rows} in {files}", escape::line(&size.split)));
    }
    if overlaps.pairs.is_empty() {
        lines.push("nothing is in two splits".to_owned());
    }
    for pair in &overlaps.pairs {
        lines.push(escape::line(&sentence(overlaps, pair)));
        let places = pair.samples.iter().take(SHOWN);
        lines.extend(places.map(|sample| format!("  {}", escape::line(&place(sample)))));
        lines.extend(more(pair).map(|more| format!("  {more}")));
    }
    lines.extend(overlaps.notes.iter().map(|note| escape::line(note)));
    lines
}

/// Counts those that are not shown.
fn more(pair: &Overlap) -> Option<String> {
    let shown = pair.samples.len().min(SHOWN) as u64;
    let more = (pair.rows + pair.files).saturating_sub(shown);
    (more > 0).then(|| format!("and {} more", units::grouped(more)))
}

/// Reminds of what the last commit found; none if its splits share nothing.
pub fn in_short(overlaps: &Overlaps) -> Option<String> {
    let (pair, more) = overlaps.pairs.split_first()?;
    let more = match more.len() {
        0 => String::new(),
        more => format!(", and {} more", units::count(more as u64, "such pair")),
    };
    Some(format!("In the last commit {}{more} (show -s says where)", sentence(overlaps, pair)))
}

/// Says how much of a split another one has too: `7 of 88 rows of test (8.0 %) are in train too`.
fn sentence(overlaps: &Overlaps, pair: &Overlap) -> String {
    let size = overlaps.splits.iter().find(|size| size.split == pair.split);
    let (all_rows, all_files) = size.map_or((0, 0), |size| (size.rows, size.files));
    let part = |count: u64, of: u64, what: &str| {
        let percent = if of > 0 { count as f64 * 100.0 / of as f64 } else { 0.0 };
        let percent = match percent {
            0.05.. => format!("{percent:.1} %"),
            _ => "below 0.1 %".to_owned(),
        };
        format!("{} of {} ({percent})", units::grouped(count), units::count(of, what))
    };
    let mut parts = Vec::new();
    if pair.rows > 0 {
        parts.push(part(pair.rows, all_rows, "row"));
    }
    if pair.files > 0 {
        parts.push(part(pair.files, all_files, "file"));
    }
    let count = pair.rows.max(pair.files);
    let are = if count == 1 { "is" } else { "are" };
    format!("{} of {} {are} in {} too", parts.join(" and "), pair.split, pair.other)
}

fn place(sample: &OverlapSample) -> String {
    let one = |path: &str, line: Option<u64>| match line {
        Some(line) => format!("{path}:{line}"),
        None => path.to_owned(),
    };
    let other = one(&sample.other_path, sample.other_line);
    format!("{} = {other}", one(&sample.path, sample.line))
}

fn short(row: &str) -> String {
    match row.char_indices().nth(ROW_CHARS_MAX) {
        Some((end, _)) => format!("{}…", row.get(..end).unwrap_or_default()),
        None => row.to_owned(),
    }
}

/// Gives what is shared, for the answer of a command that records; null if nothing was compared.
pub fn json(report: Option<&OverlapReport>) -> Value {
    report.map_or(Value::Null, |report| pairs(&report.overlaps))
}

/// Gives each pair that shares something.
pub fn pairs(overlaps: &Overlaps) -> Value {
    let sample = |sample: &OverlapSample| {
        json!({
            "path": sample.path, "line": sample.line,
            "other_path": sample.other_path, "other_line": sample.other_line,
        })
    };
    let pair = |pair: &Overlap| {
        json!({
            "split": pair.split,
            "other": pair.other,
            "files": pair.files,
            "rows": pair.rows,
            "samples": pair.samples.iter().map(sample).collect::<Vec<_>>(),
        })
    };
    overlaps.pairs.iter().map(pair).collect()
}
