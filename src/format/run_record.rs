//! As what a run is about to be recorded: a recovery looks whether it came to that.
//!
//! Specified in `docs/format/run-state.md`, "Record".

use crate::object::{DecodeError, ObjectId};

/// Longest file in bytes: an id, and the longest name of a ref.
pub const RECORD_BYTES_MAX: usize = 2 << 10;

const WHAT: &str = "run record";

/// A commit, and the ref that is to name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The commit.
    pub id: ObjectId,
    /// The full name of the ref, `runs/train`.
    pub name: String,
}

impl RunRecord {
    /// Gives the bytes of the file: 64 hexadecimal digits, a space, the name, and a newline.
    pub fn encode(&self) -> String {
        format!("{} {}\n", self.id, self.name)
    }

    /// Takes the bytes of the file.
    ///
    /// Errors: anything that `encode` does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |reason: &str| DecodeError::new(WHAT, 0, reason);
        let line = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.strip_suffix('\n'))
            .filter(|line| !line.contains('\n') && line.len() < RECORD_BYTES_MAX)
            .ok_or_else(|| malformed("it is not one line of text"))?;
        let (id, name) = line.split_once(' ').ok_or_else(|| malformed("it has no name"))?;
        let id = ObjectId::parse(id).map_err(|_| malformed("it does not begin with an id"))?;
        match name.strip_prefix("runs/") {
            Some(rest) if !rest.is_empty() => Ok(Self { id, name: name.to_owned() }),
            _ => Err(malformed("it does not name a run")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let record = RunRecord { id: ObjectId::of(b"x"), name: "runs/train-2".to_owned() };
        let bytes = record.encode();
        let id = "3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5";
        assert_eq!(bytes, format!("{id} runs/train-2\n"));
        assert_eq!(RunRecord::decode(bytes.as_bytes()), Ok(record));
        let zero = "0".repeat(64);
        for wrong in ["", "\n", "x runs/a\n"] {
            assert!(RunRecord::decode(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        for wrong in ["", " ", " heads/a", " runs/", "  runs/a", " runs/a\n"] {
            let line = format!("{zero}{wrong}\n");
            assert!(RunRecord::decode(line.as_bytes()).is_err(), "{line:?}");
        }
        assert!(RunRecord::decode(format!("{zero} runs/a").as_bytes()).is_err(), "it is cut");
        assert!(RunRecord::decode(b"\xff\n").is_err());
    }
}
