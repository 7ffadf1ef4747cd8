//! The file of one journal entry: the entry on the first line, its check on the second.
//!
//! Specified in `docs/format/journal.md`. What the entry says is `object/transaction.rs`.

use crate::object::{DecodeError, ObjectId, TRANSACTION_BYTES_MAX};

const WHAT: &str = "file of a journal entry";

/// What follows the entry: the end of its line, 64 digits, the end of theirs.
const CHECK_BYTES: usize = 1 + 64 + 1;

/// Longest file of an entry, in bytes.
pub const ENTRY_FILE_BYTES_MAX: usize = TRANSACTION_BYTES_MAX + CHECK_BYTES;

/// Spells the file of an entry, which is one line of canonical JSON.
pub fn encode_entry_file(entry: &[u8]) -> Vec<u8> {
    let check = format!("\n{}\n", ObjectId::of(entry));
    [entry, check.as_bytes()].concat()
}

/// Gives the entry in a file.
///
/// Shape: what the entry says is not looked at.
/// Errors: anything but two lines, or a check that is not the BLAKE3 of the first line.
pub fn decode_entry_file(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let refused = |at: usize, reason: String| {
        Err(DecodeError::new(WHAT, u64::try_from(at).unwrap_or(u64::MAX), reason))
    };
    if bytes.len() > ENTRY_FILE_BYTES_MAX {
        return refused(0, format!("longer than {ENTRY_FILE_BYTES_MAX} bytes"));
    }
    let line_end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (entry, check) = bytes.split_at_checked(line_end).unwrap_or((bytes, &[]));
    if check.len() != CHECK_BYTES {
        return refused(line_end, "not two lines, the second of 64 digits".to_owned());
    }
    match encode_entry_file(entry) == bytes {
        true => Ok(entry),
        false => refused(line_end + 1, "the entry does not have the BLAKE3 given here".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_read_and_every_flipped_bit_is_refused() {
        let file = encode_entry_file(br#"{"number":1}"#);
        assert_eq!(decode_entry_file(&file), Ok(&br#"{"number":1}"#[..]));
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[at] ^= 1 << bit;
                assert!(decode_entry_file(&flipped).is_err(), "bit {bit} of byte {at}");
            }
            assert!(decode_entry_file(&file[..at]).is_err(), "{at} bytes of it");
        }
        assert!(decode_entry_file(&[&file[..], b"\n"].concat()).is_err(), "a line too many");
    }

    #[test]
    fn the_longest_entry_has_the_longest_file() {
        let longest = vec![b'x'; TRANSACTION_BYTES_MAX];
        let file = encode_entry_file(&longest);
        assert_eq!(file.len(), ENTRY_FILE_BYTES_MAX);
        assert_eq!(decode_entry_file(&file), Ok(&longest[..]));
        let longer = encode_entry_file(&[b'x'; TRANSACTION_BYTES_MAX + 1]);
        assert!(decode_entry_file(&longer).is_err());
    }
}
