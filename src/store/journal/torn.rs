//! Telling an entry that a power cut has torn from one that was damaged after it was whole.
//!
//! A torn entry was never acknowledged and may be passed over; a damaged one may have been.

use super::JournalError;
use crate::object::DecodeError;
use crate::storage::Key;

/// Tells whether these bytes are the beginning of an entry, or have a hole in them.
///
/// Shape: JSON has no zero bytes, and the object of an entry ends with the brace that closes it.
/// Everything else that is wrong with an entry is damage.
pub(super) fn is_torn(bytes: &[u8]) -> bool {
    let (mut depth, mut in_text, mut is_escaped) = (0_u32, false, false);
    for byte in bytes {
        match byte {
            0 => return true,
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' if !in_text => depth += 1,
            b'}' if !in_text => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return bytes.contains(&0);
                }
            }
            _ => {}
        }
    }
    true
}

/// Builds the error of a torn entry that stands where none may be.
pub(super) fn error(key: &Key) -> JournalError {
    let source = DecodeError::new("journal entry", 0, "torn by a power cut");
    JournalError::Damaged { key: key.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::is_torn;

    #[test]
    fn every_beginning_is_torn_and_the_whole_is_not() {
        let whole = br#"{"actor":{"name":"a\"}b"},"list":[{}],"text":"}"}"#;
        assert!(!is_torn(whole));
        for length in 0..whole.len() {
            assert!(is_torn(&whole[..length]), "{length}");
            let mut hole = whole.to_vec();
            hole[length..].fill(0);
            assert!(is_torn(&hole), "zeros from {length} on");
        }
        assert!(is_torn(&[whole.as_slice(), &[0; 100]].concat()), "zeros after the end");
    }

    #[test]
    fn a_damaged_entry_is_not_torn() {
        let whole = br#"{"actor":{},"number":1}"#;
        assert!(!is_torn(&[whole.as_slice(), b"x"].concat()));
        assert!(!is_torn(&whole.map(|byte| if byte == b'1' { b'2' } else { byte })));
        assert!(!is_torn(br#"{"actor":{},"number":1x}"#));
    }
}
