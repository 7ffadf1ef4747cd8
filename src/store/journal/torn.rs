//! Telling an entry that a power cut has torn from one that was damaged after it was whole.
//!
//! A torn entry was never acknowledged and may be passed over; a damaged one may have been.

use super::JournalError;
use crate::format::entry_file::{decode_entry_file, encode_entry_file};
use crate::object::DecodeError;
use crate::storage::Key;

/// Tells whether these bytes are the beginning of an entry's file, or have a hole in them.
///
/// Shape: a file whose check is right is never torn, and no single byte that was changed makes a
/// whole one look so.
pub(super) fn is_torn(bytes: &[u8]) -> bool {
    decode_entry_file(bytes).is_err() && (has_hole(bytes) || is_beginning(bytes))
}

/// Tells whether zeros stand where nothing was written: at the end, or more than one.
fn has_hole(bytes: &[u8]) -> bool {
    bytes.ends_with(&[0]) || bytes.windows(2).any(|pair| *pair == [0, 0])
}

/// Tells whether more bytes after these could make a whole file.
fn is_beginning(bytes: &[u8]) -> bool {
    let line_end = bytes.iter().position(|byte| *byte == b'\n');
    let line = &bytes[..line_end.unwrap_or(bytes.len())];
    match object_end(line) {
        None => line_end.is_none(),
        Some(end) => end == line.len() && encode_entry_file(line).starts_with(bytes),
    }
}

/// Finds the end of the object that begins the line: where the brace closes that opened first.
fn object_end(line: &[u8]) -> Option<usize> {
    let (mut depth, mut in_text, mut is_escaped) = (0_u32, false, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' if !in_text => depth += 1,
            b'}' if !in_text => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Builds the error of a torn entry that stands where none may be.
pub(super) fn error(key: &Key) -> JournalError {
    let source = DecodeError::new("journal entry", 0, "torn by a power cut");
    JournalError::Damaged { key: key.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &[u8] = br#"{"actor":{"name":"a\"}b @"},"list":[{}],"text":"}"}"#;

    #[test]
    fn every_beginning_is_torn_and_the_whole_is_not() {
        let whole = encode_entry_file(ENTRY);
        assert!(!is_torn(&whole));
        for length in 0..whole.len() {
            assert!(is_torn(&whole[..length]), "{length}");
            let mut hole = whole.clone();
            hole[length..].fill(0);
            assert!(is_torn(&hole), "zeros from {length} on");
        }
        let mut hole = whole.clone();
        hole[10..20].fill(0);
        assert!(is_torn(&hole), "zeros in the middle");
        assert!(is_torn(&[whole.as_slice(), &[0; 100]].concat()), "zeros after the end");
    }

    #[test]
    fn whatever_one_byte_is_changed_to_that_is_damage() {
        let whole = encode_entry_file(ENTRY);
        for at in 0..whole.len() {
            for other in (0..=255).filter(|other| *other != whole[at]) {
                let mut damaged = whole.clone();
                damaged[at] = other;
                let is_end = at + 1 == whole.len() && other == 0;
                assert_eq!(is_torn(&damaged), is_end, "byte {at} is {other}");
            }
        }
        assert!(!is_torn(&[whole.as_slice(), b"x"].concat()));
        let ends_early = [ENTRY, b"x"].concat();
        assert!(!is_torn(&ends_early));
        assert!(!is_torn(&encode_entry_file(&ends_early)[1..]));
    }
}
