//! A file between two versions: each place where they differ is taken from one or the other.

use std::ops::Range;
use std::path::Path;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::keys::{Keys, Value};
use crate::repo::is_binary;

/// Largest file that is taken apart, bytes.
pub(super) const BYTES_MAX: u64 = 16 << 20;
/// Most pieces of one file.
const PIECES_MAX: usize = 100_000;

/// Two versions of a file, cut where they differ.
#[derive(Debug)]
pub(super) struct Pieces {
    old: Vec<u8>,
    new: Vec<u8>,
    cut: Cut,
}

/// How they are cut.
#[derive(Debug)]
enum Cut {
    /// By lines: what is between is the same.
    Lines(Vec<Edit>),
    /// By the keys of a document.
    Keys(Keys),
}

/// Bytes of the old version that are replaced by bytes of the new one.
#[derive(Debug)]
struct Edit {
    old: Range<usize>,
    new: Range<usize>,
}

impl Pieces {
    /// Cuts settings: JSON by its keys, anything else by runs of lines.
    ///
    /// Shape: `None` if there is only one piece, or too many, or what is no text.
    pub fn of_settings(path: &Path, old: Vec<u8>, new: Vec<u8>) -> Option<Self> {
        let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        if is_json && let Some(keys) = Keys::of(&old, &new) {
            return Self { old, new, cut: Cut::Keys(keys) }.if_useful();
        }
        Self::of_lines(old, new, false)
    }

    /// Cuts a table, each row of which is a line; or, without `is_table`, a text by runs of lines.
    pub fn of_lines(old: Vec<u8>, new: Vec<u8>, is_table: bool) -> Option<Self> {
        if is_binary(&old) || is_binary(&new) {
            return None;
        }
        let (olds, news) = (lines(&old), lines(&new));
        let of = |text: &[u8], lines: &[Range<usize>]| -> Vec<Vec<u8>> {
            lines.iter().map(|line| text.get(line.clone()).unwrap_or_default().to_vec()).collect()
        };
        let ops = capture_diff_slices(Algorithm::Myers, &of(&old, &olds), &of(&new, &news));
        let mut edits = Vec::new();
        for op in ops.iter().filter(|op| op.tag() != DiffTag::Equal) {
            let (from, to) = (op.old_range(), op.new_range());
            match is_table {
                false => edits.push(Edit { old: span(&olds, from), new: span(&news, to) }),
                true => {
                    // Rows in pairs as far as they go, then one by one.
                    for at in 0..from.len().max(to.len()) {
                        let one = |range: &Range<usize>| {
                            let at = (range.start + at).min(range.end);
                            at..(at + 1).min(range.end)
                        };
                        let (old, new) = (one(&from), one(&to));
                        edits.push(Edit { old: span(&olds, old), new: span(&news, new) });
                    }
                }
            }
        }
        Self { old, new, cut: Cut::Lines(edits) }.if_useful()
    }

    fn if_useful(self) -> Option<Self> {
        (2..=PIECES_MAX).contains(&self.count()).then_some(self)
    }

    /// Counts the places where they differ.
    pub fn count(&self) -> usize {
        match &self.cut {
            Cut::Lines(edits) => edits.len(),
            Cut::Keys(keys) => keys.differing().len(),
        }
    }

    /// Says where one piece is, as its key or the number of its line, and what it is in the old
    /// version and in the new one.
    pub fn words(&self, piece: usize) -> (Option<String>, Option<String>, Option<String>) {
        match &self.cut {
            Cut::Lines(edits) => {
                let text = |of: &[u8], range: Range<usize>| {
                    let text = String::from_utf8_lossy(of.get(range).unwrap_or_default());
                    Some(text.trim_end_matches('\n').to_owned()).filter(|text| !text.is_empty())
                };
                let edit = edits.get(piece);
                let before = |edit: &Edit| self.old.get(..edit.old.start).unwrap_or_default();
                let line = |edit| 1 + before(edit).iter().filter(|byte| **byte == b'\n').count();
                let old = edit.and_then(|edit| text(&self.old, edit.old.clone()));
                let new = edit.and_then(|edit| text(&self.new, edit.new.clone()));
                (edit.map(|edit| format!("line {}", line(edit))), old, new)
            }
            Cut::Keys(keys) => {
                let key = keys.differing().get(piece);
                let text = |value: &Option<Value>| value.as_ref().map(Value::text);
                (
                    key.map(|key| key.path.join(".")),
                    key.and_then(|key| text(&key.old)),
                    key.and_then(|key| text(&key.new)),
                )
            }
        }
    }

    /// Gives the version in which these pieces, ascending, are new and all others old.
    ///
    /// Shape: with none the bytes of the old version, with all those of the new one.
    pub fn with(&self, chosen: &[usize]) -> Vec<u8> {
        if chosen.is_empty() {
            return self.old.clone();
        }
        if chosen.len() == self.count() {
            return self.new.clone();
        }
        match &self.cut {
            Cut::Lines(edits) => {
                let (mut bytes, mut at) = (Vec::with_capacity(self.old.len()), 0);
                for (piece, edit) in edits.iter().enumerate() {
                    bytes.extend_from_slice(self.old.get(at..edit.old.start).unwrap_or_default());
                    let is_new = chosen.binary_search(&piece).is_ok();
                    let text = match is_new {
                        true => self.new.get(edit.new.clone()),
                        false => self.old.get(edit.old.clone()),
                    };
                    let text = text.unwrap_or_default();
                    // The last line of a version may lack its end, and is not the last one here.
                    if !text.is_empty() && !bytes.is_empty() && !bytes.ends_with(b"\n") {
                        bytes.push(b'\n');
                    }
                    bytes.extend_from_slice(text);
                    at = edit.old.end;
                }
                bytes.extend_from_slice(self.old.get(at..).unwrap_or_default());
                bytes
            }
            Cut::Keys(keys) => keys.with(chosen),
        }
    }
}

/// Finds the lines of a text, each with its line feed.
fn lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = start..start + line.len();
        start = line.end;
        line
    });
    lines.collect()
}

/// Gives the bytes of some lines; an empty place where there are none.
fn span(lines: &[Range<usize>], range: Range<usize>) -> Range<usize> {
    let start = lines.get(range.start).map(|line| line.start);
    let end = |at: usize| at.checked_sub(1).and_then(|at| lines.get(at)).map_or(0, |line| line.end);
    let start = start.unwrap_or_else(|| end(range.start));
    start..if range.is_empty() { start } else { end(range.end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn rows_are_taken_one_by_one() {
        let (old, new) = ("h\na\nb\nc\n", "h\nA\nB\nc\nd\ne");
        let pieces = Pieces::of_lines(old.into(), new.into(), true).expect("several");
        assert_eq!(pieces.count(), 4);
        assert_eq!(text(pieces.with(&[])), old);
        assert_eq!(text(pieces.with(&[0, 1, 2, 3])), new);
        assert_eq!(text(pieces.with(&[1])), "h\na\nB\nc\n");
        assert_eq!(text(pieces.with(&[0, 2])), "h\nA\nb\nc\nd\n");
        assert_eq!(text(pieces.with(&[3])), "h\na\nb\nc\ne");
        let gone = Pieces::of_lines("a\nb\nc\n".into(), "b\n".into(), true).expect("several");
        assert_eq!(text(gone.with(&[0])), "b\nc\n");
        assert_eq!(gone.words(1), (Some("line 3".to_owned()), Some("c".to_owned()), None));
        assert!(Pieces::of_lines("a\n".into(), "b\n".into(), true).is_none(), "one is the file");
        assert!(Pieces::of_lines("a\0\nb\n".into(), "c\nd\n".into(), true).is_none());
    }

    #[test]
    fn settings_are_taken_by_their_keys() {
        let old = r#"{"lr": 0.1, "model": {"depth": 2, "gone": 1}, "same": [1]}"#;
        let new = r#"{"lr": 0.2, "model": {"depth": 3}, "same": [1], "new": null}"#;
        let path = Path::new("config.json");
        let pieces = Pieces::of_settings(path, old.into(), new.into()).expect("several");
        let names: Vec<_> = (0..pieces.count()).filter_map(|at| pieces.words(at).0).collect();
        assert_eq!(names, ["lr", "model.depth", "model.gone", "new"]);
        let mixed: serde_json::Value = serde_json::from_slice(&pieces.with(&[1, 3])).expect("JSON");
        let expected = r#"{"lr":0.1,"model":{"depth":3,"gone":1},"same":[1],"new":null}"#;
        assert_eq!(mixed.to_string(), expected);
        assert_eq!(text(pieces.with(&[0, 1, 2, 3])), new);
        let yaml = Path::new("c.yaml");
        let pieces =
            Pieces::of_settings(yaml, "a: 1\nb: 2\nc: 3\n".into(), "a: 2\nb: 2\nc: 4\n".into());
        assert_eq!(text(pieces.expect("several").with(&[1])), "a: 1\nb: 2\nc: 4\n");
    }
}
