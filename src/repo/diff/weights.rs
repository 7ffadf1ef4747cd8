//! What the headers of two files of weights tell: tensors that came, went or have another shape.
//!
//! Values are not read, so a tensor that was trained further does not show here.
//! Source: huggingface/safetensors, README, "Format".

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

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
}

/// The tensors of one file.
#[derive(Debug, Default)]
pub(super) struct Header(HashMap<String, Tensor>);

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
}

/// Gives how many bytes hold the header, from the first eight; none if they cannot.
pub(super) fn needed(start: &[u8]) -> Option<u64> {
    let length = u64::from_le_bytes(start.get(..LENGTH_BYTES)?.try_into().ok()?);
    (length <= HEADER_BYTES_MAX).then_some(length + LENGTH_BYTES as u64)
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
        tensors.collect::<Option<_>>().map(Self)
    }
}

impl Tensors {
    /// Counts what differs.
    pub(super) fn compare(old: &Header, new: &Header) -> Self {
        let count = |number: usize| number as u64;
        let common = new.0.iter().filter_map(|(name, new)| Some((old.0.get(name)?, new)));
        let (same, reshaped): (Vec<_>, Vec<_>) = common.partition(|(old, new)| old == new);
        let (same, reshaped) = (same.len(), reshaped.len());
        Self {
            total: count(new.0.len()),
            added: count(new.0.len() - same - reshaped),
            removed: count(old.0.len() - same - reshaped),
            reshaped: count(reshaped),
        }
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
        let expected = Tensors { total: 2, added: 1, removed: 1, reshaped: 1 };
        assert_eq!(Tensors::compare(&old, &new), expected);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        assert!(header("[]").is_none() && header(r#"{"w":1}"#).is_none());
        assert!(Header::parse(b"").is_none() && needed(b"short").is_none());
        assert_eq!(needed(&u64::MAX.to_le_bytes()), None);
    }
}
