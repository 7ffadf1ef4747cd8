//! The lines of a stream as we spell them; specified in `docs/format/exchange.md`.

use super::base64;
use super::line::SCHEMA;
use crate::object::ObjectId;
use crate::object::canonical::Value;

/// Bytes of content in one line.
const PIECE_BYTES: usize = 768 << 10;

/// The first line.
pub(super) fn begin(line: &mut Vec<u8>) {
    line.extend_from_slice(format!("{{\"schema\":\"{SCHEMA}\",\"end\":true}}").as_bytes());
}

/// The last line.
pub(super) fn end(lines: u64, line: &mut Vec<u8>) {
    line.extend_from_slice(format!("{{\"lines\":{lines}}}").as_bytes());
}

/// A commit: its record as it is stored.
pub(super) fn commit(id: &ObjectId, record: &[u8], line: &mut Vec<u8>) {
    line.extend_from_slice(format!("{{\"commit\":\"{}\",\"record\":", id.to_record()).as_bytes());
    line.extend_from_slice(record);
    line.push(b'}');
}

/// A node of a tree.
pub(super) fn node(id: &ObjectId, bytes: &[u8], line: &mut Vec<u8>) {
    open("node", id, line);
    in_base64(bytes, line);
}

/// What is kept with a record: as a text where it is one and that is no longer.
pub(super) fn attachment(id: &ObjectId, bytes: &[u8], line: &mut Vec<u8>) {
    open("attachment", id, line);
    let text = std::str::from_utf8(bytes).ok().map(|text| Value::from(text).encode());
    match text.filter(|text| text.len() <= bytes.len() / 3 * 4 + 16) {
        Some(text) => {
            line.extend_from_slice(b"\"text\":");
            line.extend_from_slice(&text);
            line.push(b'}');
        }
        None => in_base64(bytes, line),
    }
}

/// A ref.
pub(super) fn name(name: &str, id: &ObjectId, line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"ref\":");
    line.extend_from_slice(&Value::from(name).encode());
    line.extend_from_slice(format!(",\"commit\":\"{}\"}}", id.to_record()).as_bytes());
}

/// A content that comes in pieces of any length and goes in lines of one.
pub(super) struct Pieces {
    id: ObjectId,
    held: Vec<u8>,
    is_over: bool,
}

impl Pieces {
    pub fn new(id: ObjectId) -> Self {
        Self { id, held: Vec::new(), is_over: false }
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.held.extend_from_slice(piece);
    }

    /// Spells the next line with its end, if there is enough for one; `is_last`: nothing comes
    /// after what is held.
    pub fn take(&mut self, is_last: bool, line: &mut Vec<u8>) -> bool {
        let is_end = is_last && self.held.len() <= PIECE_BYTES;
        if self.is_over || (!is_end && self.held.len() <= PIECE_BYTES) {
            return false;
        }
        line.clear();
        let bytes = self.held.len().min(PIECE_BYTES);
        open("content", &self.id, line);
        if !is_end {
            line.extend_from_slice(b"\"last\":false,");
        }
        in_base64(self.held.get(..bytes).unwrap_or_default(), line);
        line.push(b'\n');
        self.held.drain(..bytes);
        self.is_over = is_end;
        true
    }
}

fn open(what: &str, id: &ObjectId, line: &mut Vec<u8>) {
    line.extend_from_slice(format!("{{\"{what}\":\"{}\",", id.to_record()).as_bytes());
}

fn in_base64(bytes: &[u8], line: &mut Vec<u8>) {
    line.extend_from_slice(b"\"base64\":\"");
    base64::encode(bytes, line);
    line.extend_from_slice(b"\"}");
}
