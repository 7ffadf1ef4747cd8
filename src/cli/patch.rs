//! Hunks and changed keys as lines, for `diff` and `show`.

use std::io::{self, Write as _};

use super::escape;
use super::print::{Output, Paint};
use crate::repo::{Hunk, KeyChange, Line, Side};

/// Prints hunks as `diff -u` does.
pub fn hunks(out: &mut Output, hunks: &[Hunk]) -> io::Result<()> {
    let paint = out.paint;
    for hunk in hunks {
        writeln!(out, "{}", paint.place(hunk.head()))?;
        for line in &hunk.lines {
            writeln!(out, "{}", patch_line(paint, line))?;
            if !line.is_ended {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

fn patch_line(paint: Paint, line: &Line) -> String {
    let content = escape::content(&line.content);
    match line.side {
        Side::Both => format!(" {content}"),
        Side::Old => paint.removed(format_args!("-{content}")),
        Side::New => paint.added(format_args!("+{content}")),
    }
}

/// Prints changed keys, one a line: `optimizer.lr: 0.001 → 0.01`.
pub fn keys(out: &mut Output, changes: &[KeyChange]) -> io::Result<()> {
    let paint = out.paint;
    for change in changes {
        writeln!(out, "  {}", key_line(paint, change))?;
    }
    Ok(())
}

fn key_line(paint: Paint, change: &KeyChange) -> String {
    let key = escape::line(&change.key);
    let old = change.old.as_deref().map(|old| paint.removed(escape::line(old)));
    let new = change.new.as_deref().map(|new| paint.added(escape::line(new)));
    match (old, new) {
        (Some(old), Some(new)) => format!("{key}: {old} → {new}"),
        (Some(old), None) => format!("{key}: {old} → (gone)"),
        (None, new) => format!("{key}: (new) → {}", new.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_keys_cannot_repaint_the_terminal() {
        let line = Line { side: Side::New, content: b"a\x1b[2J\tb\xff".to_vec(), is_ended: true };
        assert_eq!(patch_line(Paint::PLAIN, &line), "+a\\u{1b}[2J\tb\\xff");
        let change = KeyChange { key: "a.\"\u{7}\"".into(), old: None, new: Some("1".into()) };
        assert_eq!(key_line(Paint::PLAIN, &change), "a.\"\\u{7}\": (new) → 1");
    }
}
