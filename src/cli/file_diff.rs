//! One file that differs, as text or JSON: for `diff` and for whatever shows a commit.

use std::io::{self, Write as _};

use serde_json::{Map, Value, json};

use super::patch::{hunks, keys};
use super::print::{Output, put_path};
use super::{escape, row_text, units};
use crate::repo::diff::{ContentDiff, DiffReport, FileDiff, FileSide, Tensors};
use crate::repo::table::SAMPLES_MAX;
use crate::repo::{FileKind, Hunk, Line, Side};

/// Says how to print a file that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON document.
    Json,
    /// A letter and the path.
    NameStatus,
    /// One line with sizes.
    Stat,
    /// A heading and how the contents differ.
    Full,
}

impl Form {
    /// Chooses by what was asked for.
    pub const fn of(json: bool, name_status: bool, stat: bool) -> Self {
        match (json, name_status, stat) {
            (true, _, _) => Self::Json,
            (_, true, _) => Self::NameStatus,
            (_, _, true) => Self::Stat,
            _ => Self::Full,
        }
    }
}

/// Says how tables are compared, for whatever shows differences.
#[derive(Debug, clap::Args)]
pub struct TableArgs {
    /// Show up to N rows of a table that came, that went and that changed each
    #[arg(long, value_name = "N", default_value_t = ROWS_SHOWN, conflicts_with = "name_status")]
    rows: usize,
    /// Compare tables line by line too, as other texts
    #[arg(long, conflicts_with_all = ["name_status", "rows"])]
    lines: bool,
}

/// Rows of each kind that are shown unless asked otherwise.
const ROWS_SHOWN: usize = 5;

impl TableArgs {
    /// Gives how many rows to show of each kind; none if tables are compared as texts.
    pub fn samples(&self, is_stat: bool) -> Option<usize> {
        let rows = if is_stat { 0 } else { self.rows.min(SAMPLES_MAX) };
        (!self.lines).then_some(rows)
    }
}

/// Prints files that differ, one after the other.
#[derive(Debug)]
pub struct Printer {
    form: Form,
    is_first: bool,
}

impl Printer {
    /// Begins a list.
    pub const fn new(form: Form) -> Self {
        Self { form, is_first: true }
    }

    /// Prints a file; with blank lines between files, and none at the end.
    pub fn print(&mut self, out: &mut Output, diff: &FileDiff) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        match self.form {
            Form::Json => out.json(&json(diff)),
            Form::NameStatus => name_status(out, diff),
            Form::Stat => stat(out, diff),
            Form::Full if is_first => full(out, diff),
            Form::Full => writeln!(out).and_then(|()| full(out, diff)),
        }
    }
}

/// Prints a heading and, below it, how the contents differ.
fn full(out: &mut Output, diff: &FileDiff) -> io::Result<()> {
    let heading = out.paint.heading(format_args!("{} {}", word(diff), names(diff)));
    writeln!(out, "{heading}  {}{}", sizes(diff), mode(diff))?;
    let Some(content) = &diff.content else { return Ok(()) };
    if let Some(why) = &diff.no_table {
        writeln!(out, "  not compared by row: {}", escape::line(why))?;
    }
    match content {
        ContentDiff::Same => {}
        ContentDiff::Keys(changes) => keys(out, changes)?,
        ContentDiff::Patch(patch) => {
            let old = diff.renamed.as_ref().map_or(&diff.path, |(old, _)| old);
            let name = |side: &Option<FileSide>, letter: char, path: &[u8]| match side {
                Some(_) => escape::path(&[&[letter as u8, b'/'], path].concat()),
                None => "/dev/null".to_owned(),
            };
            let (old, new) = (
                out.paint.removed(format!("--- {}", name(&diff.old, 'a', old.as_bytes()))),
                out.paint.added(format!("+++ {}", name(&diff.new, 'b', diff.path.as_bytes()))),
            );
            writeln!(out, "{old}\n{new}")?;
            hunks(out, patch)?;
        }
        ContentDiff::Rows(rows) => row_text::put(out, rows)?,
        ContentDiff::Links { old, new } => writeln!(out, "  {}", links(old, new))?,
        ContentDiff::Binary { what, tensors } => {
            writeln!(out, "  {what}{}", tensors.as_ref().map(tensor_words).unwrap_or_default())?;
        }
        ContentDiff::TooLarge => writeln!(out, "  text, too large for a patch")?,
    }
    Ok(())
}

/// Prints one line: what happened, the sizes, lines that came and went, the path.
fn stat(out: &mut Output, diff: &FileDiff) -> io::Result<()> {
    let lines = match &diff.content {
        Some(ContentDiff::Patch(patch)) => {
            let (gone, came) = lines(patch);
            format!("+{} -{}", units::grouped(came), units::grouped(gone))
        }
        Some(ContentDiff::Rows(rows)) => row_text::stat(rows),
        Some(ContentDiff::Keys(changes)) => units::count(changes.len() as u64, "key"),
        Some(ContentDiff::Binary { what, .. }) => (*what).to_owned(),
        Some(ContentDiff::TooLarge) => "large text".to_owned(),
        Some(ContentDiff::Links { .. }) => "link".to_owned(),
        Some(ContentDiff::Same) | None => String::new(),
    };
    let (word, sizes, names) = (word(diff), sizes(diff), names(diff));
    writeln!(out, "{word:<8}{sizes:>21}  {lines:<19}  {names}{}", mode(diff))
}

/// Prints a letter and the path, or both paths of a rename, set apart by tabs as git does.
fn name_status(out: &mut Output, diff: &FileDiff) -> io::Result<()> {
    let path = escape::path(diff.path.as_bytes());
    if let Some((old, similarity)) = &diff.renamed {
        return writeln!(out, "R{similarity:03}\t{}\t{path}", escape::path(old.as_bytes()));
    }
    let letter = match word(diff) {
        "added" => 'A',
        "removed" => 'D',
        "retyped" => 'T',
        _ => 'M',
    };
    writeln!(out, "{letter}\t{path}")
}

/// Counts what differed, for the last line of `--stat`.
pub fn summary(report: &DiffReport) -> String {
    let counts = [
        (report.added, "added"),
        (report.removed, "removed"),
        (report.changed, "changed"),
        (report.renamed, "renamed"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> =
        counts.map(|(count, word)| format!("{} {word}", units::grouped(count))).collect();
    match words.is_empty() {
        true => "Nothing differs".to_owned(),
        false => format!("{}: {}", units::count(report.total(), "file"), words.join(", ")),
    }
}

/// Gives the object of one file.
fn json(diff: &FileDiff) -> Value {
    let mut object = Map::new();
    object.insert("change".into(), word(diff).into());
    put_path(&mut object, "path", diff.path.as_bytes());
    if let Some((old, similarity)) = &diff.renamed {
        put_path(&mut object, "old_path", old.as_bytes());
        object.insert("similarity".into(), (*similarity).into());
    }
    for (key, side) in [("old", &diff.old), ("new", &diff.new)] {
        if let Some(side) = side {
            object.insert(key.into(), side_json(side));
        }
    }
    if let Some(content) = &diff.content {
        object.insert("content".into(), content_json(content));
    }
    if let Some(why) = &diff.no_table {
        object.insert("no_table".into(), why.as_str().into());
    }
    Value::Object(object)
}

fn side_json(side: &FileSide) -> Value {
    let mut object = Map::new();
    object.insert("kind".into(), kind(side).into());
    object.insert("bytes".into(), side.size.into());
    if let Some(id) = side.id {
        object.insert("id".into(), id.to_record().into());
    }
    Value::Object(object)
}

fn content_json(content: &ContentDiff) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let target = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(text);
    match content {
        ContentDiff::Same => json!({"as": "same"}),
        ContentDiff::Keys(changes) => {
            let keys = changes
                .iter()
                .map(|change| json!({"key": change.key, "old": change.old, "new": change.new}));
            json!({"as": "keys", "keys": keys.collect::<Vec<_>>()})
        }
        ContentDiff::Patch(patch) => {
            let line = |line: &Line| format!("{}{}", letter(line.side), text(&line.content));
            let hunk = |hunk: &Hunk| {
                let lines: Vec<String> = hunk.lines.iter().map(line).collect();
                json!({"head": hunk.head(), "lines": lines})
            };
            let (removed, added) = lines(patch);
            let hunks: Vec<Value> = patch.iter().map(hunk).collect();
            json!({"as": "patch", "added": added, "removed": removed, "hunks": hunks})
        }
        ContentDiff::Rows(rows) => row_text::json(rows),
        ContentDiff::Links { old, new } => {
            json!({"as": "links", "old": target(old), "new": target(new)})
        }
        ContentDiff::Binary { what, tensors } => {
            let tensors = tensors.map(|Tensors { total, added, removed, reshaped, changed }| {
                json!({"total": total, "added": added, "removed": removed, "reshaped": reshaped,
                    "changed": changed})
            });
            json!({"as": "binary", "what": what, "tensors": tensors})
        }
        ContentDiff::TooLarge => json!({"as": "too-large"}),
    }
}

/// Says in a word what happened to a file.
pub fn word(diff: &FileDiff) -> &'static str {
    match (&diff.old, &diff.new) {
        _ if diff.renamed.is_some() => "renamed",
        (None, _) => "added",
        (_, None) => "removed",
        _ if diff.is_retyped() => "retyped",
        _ => "changed",
    }
}

fn names(diff: &FileDiff) -> String {
    let path = escape::path(diff.path.as_bytes());
    match &diff.renamed {
        Some((old, 100)) => format!("{} → {path}", escape::path(old.as_bytes())),
        Some((old, part)) => format!("{} → {path} ({part} %)", escape::path(old.as_bytes())),
        None => path,
    }
}

fn sizes(diff: &FileDiff) -> String {
    match (&diff.old, &diff.new) {
        (Some(old), Some(new)) if old.size != new.size => {
            format!("{} → {}", units::bytes(old.size), units::bytes(new.size))
        }
        (_, Some(side)) | (Some(side), None) => units::bytes(side.size),
        (None, None) => String::new(),
    }
}

fn mode(diff: &FileDiff) -> String {
    match (&diff.old, &diff.new) {
        (Some(old), Some(new)) if old.kind != new.kind => {
            format!(", {} → {}", kind(old), kind(new))
        }
        (None, Some(side)) | (Some(side), None) if side.kind != Some(FileKind::File) => {
            format!(", {}", kind(side))
        }
        _ => String::new(),
    }
}

const fn kind(side: &FileSide) -> &'static str {
    match side.kind {
        Some(FileKind::File) => "file",
        Some(FileKind::Executable) => "executable",
        Some(FileKind::Symlink) => "symlink",
        None => "commit",
    }
}

fn links(old: &Option<Vec<u8>>, new: &Option<Vec<u8>>) -> String {
    match (old, new) {
        (Some(old), Some(new)) => {
            format!("link to {} → {}", escape::path(old), escape::path(new))
        }
        (Some(one), None) => format!("was a link to {}", escape::path(one)),
        (None, Some(one)) => format!("link to {}", escape::path(one)),
        (None, None) => String::new(),
    }
}

fn tensor_words(tensors: &Tensors) -> String {
    let mut text = format!(", {}", units::count(tensors.total, "tensor"));
    let parts = [
        (tensors.changed.unwrap_or(0), "changed"),
        (tensors.added, "added"),
        (tensors.removed, "removed"),
        (tensors.reshaped, "reshaped"),
    ];
    for (count, word) in parts.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {} {word}", units::grouped(count)));
    }
    text
}

/// Counts the lines that went and that came.
fn lines(patch: &[Hunk]) -> (u64, u64) {
    let count = |wanted: Side| {
        let lines = patch.iter().flat_map(|hunk| &hunk.lines);
        lines.filter(|line| line.side == wanted).count() as u64
    };
    (count(Side::Old), count(Side::New))
}

const fn letter(side: Side) -> char {
    match side {
        Side::Both => ' ',
        Side::Old => '-',
        Side::New => '+',
    }
}
