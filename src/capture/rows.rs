//! Lines of bounded length, and the fields of one line of CSV (RFC 4180).

use std::io::{self, BufRead};

/// Most bytes of a line; a longer one is passed over.
pub(super) const LINE_BYTES_MAX: usize = 16 << 20;

/// A line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// With its end, if it has one.
    Whole(Vec<u8>),
    /// It was passed over.
    TooLong,
}

/// Reads the next line; `None` at the end.
///
/// Cost: memory of at most [`LINE_BYTES_MAX`], whatever the length of the line.
pub(super) fn next_line(from: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut is_long = false;
    loop {
        let piece = from.fill_buf()?;
        if piece.is_empty() {
            let nothing = line.is_empty() && !is_long;
            return Ok((!nothing).then_some(if is_long {
                Line::TooLong
            } else {
                Line::Whole(line)
            }));
        }
        let end = piece.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let taken = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
        is_long |= line.len() + taken.len() > LINE_BYTES_MAX;
        if is_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(taken);
        }
        let length = taken.len();
        from.consume(length);
        if end.is_some() {
            return Ok(Some(if is_long { Line::TooLong } else { Line::Whole(line) }));
        }
    }
}

/// Splits a line into its fields; `None` where a quoted field goes on in the next line.
///
/// Shape: quotes are taken off, blanks around fields too; what is not UTF-8 is replaced.
pub(super) fn split_fields(line: &[u8], separator: u8) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut field = Vec::new();
    let mut bytes = line.iter().copied().peekable();
    let mut is_quoted = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if is_quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                field.push(b'"');
            }
            b'"' if is_quoted || field.iter().all(u8::is_ascii_whitespace) => {
                is_quoted = !is_quoted;
            }
            b'\r' | b'\n' if !is_quoted => {}
            _ if byte == separator && !is_quoted => {
                fields.push(std::mem::take(&mut field));
            }
            _ => field.push(byte),
        }
    }
    if is_quoted {
        return None;
    }
    fields.push(field);
    let text = |field: Vec<u8>| String::from_utf8_lossy(&field).trim().to_owned();
    Some(fields.into_iter().map(text).collect())
}
