//! Text from outside, made safe for a terminal: file names, messages, values of others.
//!
//! Whatever could move the cursor, change colours, reorder text or hide itself becomes visible.
//! JSON does not come through here; `serde_json` escapes by its own rules.

use std::fmt::Write as _;

/// Shows a path: as it is when harmless, else quoted with escapes.
///
/// Shape: bytes that are not UTF-8 become `\xff`; in quotes, `"` and `\` are escaped too, so the
/// text stands for exactly one path.
pub fn path(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && text.chars().all(is_plain_in_path) => text.to_owned(),
        _ => format!("\"{}\"", escaped(bytes, |c| c != '"' && c != '\\' && is_harmless(c))),
    }
}

/// Shows a text of one line: harmless characters as they are, the others escaped.
pub fn line(text: &str) -> String {
    escaped(text.as_bytes(), is_harmless)
}

/// Shows a text of several lines: like [`line()`], but line feeds and tabs stay.
pub fn text(text: &str) -> String {
    escaped(text.as_bytes(), |c| c == '\n' || c == '\t' || is_harmless(c))
}

/// Shows one line of a file: tabs stay, what is not UTF-8 becomes `\xff`.
pub fn content(bytes: &[u8]) -> String {
    escaped(bytes, |c| c == '\t' || is_harmless(c))
}

fn escaped(bytes: &[u8], keep: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(bytes.len() + 2);
    for piece in bytes.utf8_chunks() {
        for c in piece.valid().chars() {
            if keep(c) {
                shown.push(c);
            } else {
                shown.extend(c.escape_default());
            }
        }
        for byte in piece.invalid() {
            let _infallible = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

fn is_plain_in_path(c: char) -> bool {
    c != '"' && c != '\\' && is_harmless(c)
}

/// Controls (C0, DEL, C1), the bidirectional overrides of "Trojan Source" (CVE-2021-42574), the
/// line separators, and characters without width, by which two names can look the same.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_path_stays_and_any_other_is_quoted() {
        assert_eq!(path(b"data/train set.csv"), "data/train set.csv");
        assert_eq!(path("données/猫.csv".as_bytes()), "données/猫.csv");
        assert_eq!(path(b"a\nb"), r#""a\nb""#);
        assert_eq!(path(b"\x1b[2J"), r#""\u{1b}[2J""#);
        assert_eq!(path(b"caf\xe9"), r#""caf\xe9""#);
        assert_eq!(path(br#"say "x""#), r#""say \"x\"""#);
        assert_eq!(path(b""), r#""""#);
    }

    #[test]
    fn two_paths_never_look_the_same() {
        assert_ne!(path(b"\\x1b"), path(b"\x1b"));
        assert_ne!(path("a\u{200b}b".as_bytes()), path(b"ab"));
    }

    #[test]
    fn text_that_reorders_or_repaints_is_shown() {
        assert_eq!(line("a\u{202e}b\tc"), "a\\u{202e}b\\tc");
        assert_eq!(text("one\n\ttwo\r"), "one\n\ttwo\\r");
        assert_eq!(content(b"x\t\xff\x07"), "x\t\\xff\\u{7}");
    }
}
