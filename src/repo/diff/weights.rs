//! How two files of weights differ, tensor by tensor: those that came, went or are others.
//!
//! Source: huggingface/safetensors, README, "Format".

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::object::{IdHasher, ObjectId};

/// Bytes that give the length of the header.
pub(super) const LENGTH_BYTES: usize = 8;

/// Longer headers are not read, bytes.
const HEADER_BYTES_MAX: u64 = 16 << 20;

/// Counts tensors of two files of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tensors {
    /// Tensors of the new file.
    pub total: u64,
    /// Tensors only in the new one.
    pub added: u64,
    /// Tensors only in the old one.
    pub removed: u64,
    /// Tensors whose type or shape is another.
    pub reshaped: u64,
    /// Tensors of the same type and shape with other values; not known of very large files.
    pub changed: Option<u64>,
}

/// The tensors of one file, and where their bytes begin in it.
#[derive(Debug, Default)]
pub(super) struct Header {
    tensors: HashMap<String, Tensor>,
    data_start: u64,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Tensor {
    fn is_alike(&self, other: &Self) -> bool {
        (&self.dtype, &self.shape) == (&other.dtype, &other.shape)
    }
}

/// Gives how many bytes hold the header, from the first eight; none if they cannot.
pub(super) fn needed(start: &[u8]) -> Option<u64> {
    let length = u64::from_le_bytes(start.get(..LENGTH_BYTES)?.try_into().ok()?);
    (length <= HEADER_BYTES_MAX).then(|| length + LENGTH_BYTES as u64)
}

impl Header {
    /// Reads a header with its length; none if it is malformed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let json = bytes.get(LENGTH_BYTES..)?;
        let members: HashMap<String, &RawValue> = serde_json::from_slice(json).ok()?;
        let tensors = members.into_iter().filter(|(name, _)| name != "__metadata__");
        let tensors = tensors.map(|(name, tensor)| {
            serde_json::from_str(tensor.get()).ok().map(|tensor| (name, tensor))
        });
        let data_start = bytes.len() as u64;
        tensors.collect::<Option<_>>().map(|tensors| Self { tensors, data_start })
    }
}

impl Tensors {
    /// Counts what differs.
    pub(super) fn compare(old: &Header, new: &Header) -> Self {
        let count = |number: usize| number as u64;
        let common =
            new.tensors.iter().filter_map(|(name, new)| Some((old.tensors.get(name)?, new)));
        let (same, reshaped): (Vec<_>, Vec<_>) = common.partition(|(old, new)| old.is_alike(new));
        let (same, reshaped) = (same.len(), reshaped.len());
        Self {
            total: count(new.tensors.len()),
            added: count(new.tensors.len() - same - reshaped),
            removed: count(old.tensors.len() - same - reshaped),
            reshaped: count(reshaped),
            changed: None,
        }
    }
}

/// The hash of each tensor's bytes, by name.
pub(super) type TensorIds = HashMap<String, ObjectId>;

/// Counts tensors of the same type and shape whose bytes differ.
pub(super) fn count_changed(
    old: &Header,
    old_ids: &TensorIds,
    new: &Header,
    new_ids: &TensorIds,
) -> u64 {
    let changed = new.tensors.iter().filter(|(name, tensor)| {
        let is_alike = old.tensors.get(*name).is_some_and(|old| old.is_alike(tensor));
        is_alike && old_ids.get(*name) != new_ids.get(*name)
    });
    changed.count() as u64
}

/// Hashes each tensor while the file goes by.
pub(super) struct TensorHasher {
    /// Where tensors lie, from the start of the file, the last one first.
    spans: Vec<(Range<u64>, String)>,
    at: u64,
    hasher: IdHasher,
    ids: TensorIds,
}

impl TensorHasher {
    /// Begins at the start of the file; none if tensors overlap.
    pub fn new(header: &Header) -> Option<Self> {
        let mut spans = Vec::with_capacity(header.tensors.len());
        for (name, tensor) in &header.tensors {
            let (start, end) = tensor.data_offsets;
            let start = start.checked_add(header.data_start)?;
            spans.push((start..end.checked_add(header.data_start)?, name.clone()));
        }
        spans.sort_unstable_by_key(|(span, _)| (span.start, span.end));
        let overlap = |pair: &[(Range<u64>, String)]| match pair {
            [(one, _), (next, _)] => next.start < one.end,
            _ => false,
        };
        if spans.iter().any(|(span, _)| span.end < span.start) || spans.windows(2).any(overlap) {
            return None;
        }
        spans.reverse();
        Some(Self { spans, at: 0, hasher: IdHasher::new(), ids: TensorIds::new() })
    }

    /// Takes the next piece of the file.
    pub fn update(&mut self, piece: &[u8]) {
        let end = self.at.saturating_add(piece.len() as u64);
        while let Some((span, _)) = self.spans.last() {
            let from = span.start.max(self.at);
            let until = span.end.min(end);
            if from < until {
                let within = |offset: u64| usize::try_from(offset - self.at).ok();
                let part = within(from).zip(within(until));
                let part = part.and_then(|(from, until)| piece.get(from..until));
                self.hasher.update(part.unwrap_or_default());
            }
            if span.end > end {
                break;
            }
            self.end_tensor();
        }
        self.at = end;
    }

    fn end_tensor(&mut self) {
        if let Some((_, name)) = self.spans.pop() {
            self.ids.insert(name, std::mem::take(&mut self.hasher).finish());
        }
    }

    /// Gives the hashes; none if the file ends before its tensors do.
    pub fn finish(self) -> Option<TensorIds> {
        self.spans.is_empty().then_some(self.ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(json: &str) -> Option<Header> {
        Header::parse(&[&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat())
    }

    #[test]
    fn tensors_are_counted_by_name_type_and_shape() {
        let old = r#"{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "gone":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;
        let new = r#"{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},
            "b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}"#;
        let (old, new) = (header(old).expect("good"), header(new).expect("good"));
        let expected = Tensors { total: 2, added: 1, removed: 1, reshaped: 1, changed: None };
        assert_eq!(Tensors::compare(&old, &new), expected);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        assert!(header("[]").is_none() && header(r#"{"w":1}"#).is_none());
        assert!(Header::parse(b"").is_none() && needed(b"short").is_none());
        assert_eq!(needed(&u64::MAX.to_le_bytes()), None);
    }

    #[test]
    fn each_tensor_is_hashed_whatever_the_pieces() {
        let json = r#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},
            "none":{"dtype":"U8","shape":[0],"data_offsets":[3,3]},
            "b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}"#;
        let head = [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat();
        let header = Header::parse(&head).expect("good");
        let ids = |data: &[u8], piece_bytes: usize| {
            let mut hasher = TensorHasher::new(&header).expect("apart");
            [&head, data].concat().chunks(piece_bytes).for_each(|piece| hasher.update(piece));
            hasher.finish()
        };
        let whole = ids(b"aaabb", 1000).expect("all there");
        assert_eq!(whole["a"], ObjectId::of(b"aaa"));
        assert_eq!((whole["b"], whole["none"]), (ObjectId::of(b"bb"), ObjectId::of(b"")));
        for piece_bytes in 1..9 {
            assert_eq!(ids(b"aaabb", piece_bytes).as_ref(), Some(&whole));
        }
        assert_eq!(ids(b"aaab", 4), None, "cut short");
        let other = ids(b"aaabc", 4).expect("all there");
        assert_eq!(count_changed(&header, &whole, &header, &other), 1);
        assert_eq!(count_changed(&header, &whole, &header, &whole), 0);
    }
}
