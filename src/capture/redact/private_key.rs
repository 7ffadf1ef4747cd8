//! Private keys, which go on over several lines.
//!
//! A key ends with its marker. A marker that is only mentioned must not take the rest of a log
//! with it, so a key also ends before the first line that cannot be a part of one.

use super::spans::{Span, is_line_end};
use super::{REDACTED, REDACTED_LINE};

/// Most lines of one key; RSA of 16,384 bits takes 200.
const LINES_MAX: usize = 512;
/// A word that is this long and base64 is a line of a key, whatever a logger put before it.
const WORD_BYTES_MIN: usize = 40;
/// Names of header lines inside keys (RFC 1421, RFC 4716, RFC 4880).
const HEADERS: &[&[u8]] =
    &[b"Proc-Type:", b"DEK-Info:", b"Comment:", b"Subject:", b"Version:", b"Hash:", b"Charset:"];

/// How far inside a key we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Body {
    lines: usize,
}

/// Takes the key whose first marker is `start..end`; gives where to go on.
pub(super) fn begin(
    bytes: &[u8],
    start: usize,
    end: usize,
    open: &mut Option<Body>,
    spans: &mut Vec<Span>,
) -> usize {
    // On its own line anything may follow, such as lines whose ends are written `\n`.
    let line = line_at(bytes, end);
    let (at, with) = match after_marker(line) {
        Some(length) => (end + length, REDACTED),
        None => follow(bytes, end + line.len(), Body { lines: 0 }, REDACTED, open),
    };
    spans.push(Span { with, ..Span::new(start, start, at) });
    at
}

/// Takes the rest of a key that began before `bytes`; gives where to go on.
pub(super) fn go_on(
    bytes: &[u8],
    body: Body,
    open: &mut Option<Body>,
    spans: &mut Vec<Span>,
) -> usize {
    let (at, with) = follow(bytes, 0, body, b"", open);
    spans.push(Span { with, ..Span::new(0, 0, at) });
    at
}

/// Steps over the lines of a key from `at`; gives where it ends and what to write for it, which
/// is `so_far` unless the line end before the next line was taken as well.
fn follow(
    bytes: &[u8],
    mut at: usize,
    mut body: Body,
    so_far: &'static [u8],
    open: &mut Option<Body>,
) -> (usize, &'static [u8]) {
    let with_line_end = if so_far.is_empty() { b"\n".as_slice() } else { REDACTED_LINE };
    loop {
        while bytes.get(at).is_some_and(|byte| is_line_end(*byte)) {
            at += 1;
        }
        if at >= bytes.len() {
            *open = Some(body);
            return (bytes.len(), so_far);
        }
        let line = line_at(bytes, at);
        if let Some(length) = after_marker(line) {
            return (at + length, so_far);
        }
        body.lines += 1;
        if body.lines > LINES_MAX || !is_of_key(line) {
            return (at, with_line_end);
        }
        at += line.len();
    }
}

fn line_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.split(|byte| is_line_end(*byte)).next().unwrap_or_default()
}

/// Finds the end of the last marker in a line.
fn after_marker(line: &[u8]) -> Option<usize> {
    let begin = line.windows(8).position(|word| word == b"----END " || word == b"--- END ")?;
    let name = begin + 8;
    let dashes = line.get(name..)?.iter().position(|byte| *byte == b'-')?;
    let rest = line.get(name + dashes..)?;
    Some(name + dashes + rest.iter().take_while(|byte| **byte == b'-').count())
}

fn is_of_key(line: &[u8]) -> bool {
    let is_base64 = |word: &[u8]| {
        word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=\\".contains(byte))
    };
    let around = |byte: &u8| b" \t\"',|>`".contains(byte);
    let start = line.iter().position(|byte| !around(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !around(byte)).map_or(start, |last| last + 1);
    let line = line.get(start..end).unwrap_or_default();
    let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    is_base64(line)
        || HEADERS.iter().any(|header| line.starts_with(header))
        || (last.len() >= WORD_BYTES_MIN && is_base64(last))
}
