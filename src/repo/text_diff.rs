//! Two versions of a text → the hunks of a unified patch. Pure; colour and words are the command's.

use std::ops::Range;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

/// Larger versions are not compared line by line, bytes.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// A NUL in the first 8,000 bytes makes a file binary, as in git (`buffer_is_binary`).
const BINARY_PROBE_BYTES: usize = 8_000;

/// Tells what two versions of a file look like side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextDiff {
    /// Lines can be compared; no hunks if the versions are equal.
    Patch(Vec<Hunk>),
    /// One of them is not text.
    Binary,
    /// One of them is larger than 16 MiB.
    TooLarge,
}

/// Holds one place where the versions differ, with lines around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Lines of the old version shown, counted from 0, end exclusive.
    pub old: Range<usize>,
    /// Lines of the new version shown, counted from 0, end exclusive.
    pub new: Range<usize>,
    /// Its lines in order.
    pub lines: Vec<Line>,
}

/// Holds one line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// On which side it stands.
    pub side: Side,
    /// Its bytes without the line feed.
    pub content: Vec<u8>,
    /// Whether a line feed ends it; only the last line of a file may lack one.
    pub is_ended: bool,
}

/// Says on which side a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// On both.
    Both,
    /// Only in the old version.
    Old,
    /// Only in the new version.
    New,
}

/// Tells whether `content` is text by git's rule.
pub fn is_binary(content: &[u8]) -> bool {
    content.iter().take(BINARY_PROBE_BYTES).any(|byte| *byte == 0)
}

/// Compares two versions line by line.
///
/// Shape: any bytes; hunks in order and apart, each with up to `context` equal lines around it.
/// Cost: near linear; Myers with git's bounds on expensive searches, so a patch may be longer
/// than the shortest.
pub fn text_diff(old: &[u8], new: &[u8], context: usize) -> TextDiff {
    if old.len() > TEXT_BYTES_MAX || new.len() > TEXT_BYTES_MAX {
        return TextDiff::TooLarge;
    }
    if is_binary(old) || is_binary(new) {
        return TextDiff::Binary;
    }
    let old: Vec<&[u8]> = old.split_inclusive(|byte| *byte == b'\n').collect();
    let new: Vec<&[u8]> = new.split_inclusive(|byte| *byte == b'\n').collect();
    let changes = capture_diff_slices(Algorithm::Myers, &old, &new);
    let groups = group_diff_ops(changes, context);
    TextDiff::Patch(groups.iter().filter_map(|group| hunk(group, &old, &new)).collect())
}

fn hunk(group: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) -> Option<Hunk> {
    let (first, last) = (group.first()?, group.last()?);
    if group.iter().all(|change| change.tag() == DiffTag::Equal) {
        return None;
    }
    let mut lines = Vec::new();
    for change in group {
        let both = change.tag() == DiffTag::Equal;
        if !both {
            lines.extend(side(Side::Old, old, change.old_range()));
        }
        let kind = if both { Side::Both } else { Side::New };
        lines.extend(side(kind, new, change.new_range()));
    }
    Some(Hunk {
        old: first.old_range().start..last.old_range().end,
        new: first.new_range().start..last.new_range().end,
        lines,
    })
}

fn side(side: Side, lines: &[&[u8]], range: Range<usize>) -> impl Iterator<Item = Line> {
    lines.get(range).unwrap_or_default().iter().map(move |line| match line.strip_suffix(b"\n") {
        Some(content) => Line { side, content: content.to_vec(), is_ended: true },
        None => Line { side, content: line.to_vec(), is_ended: false },
    })
}

impl Hunk {
    /// Writes the head of the hunk as `diff -u` does: `@@ -1,3 +1,4 @@`.
    pub fn head(&self) -> String {
        format!("@@ -{} +{} @@", place(&self.old), place(&self.new))
    }
}

/// POSIX `diff -u`: one line has no count, and an empty range names the line before it.
fn place(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

#[cfg(test)]
#[path = "text_diff_tests.rs"]
mod tests;
