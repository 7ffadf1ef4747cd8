//! Where a file of weights is cut: at tensors, so that an unchanged one is stored once.
//!
//! Reads no more of a safetensors file than its header. Specified in `docs/format/chunk.md`,
//! "Weights".

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::field::u64_at;
use crate::object::DecodeError;

/// Bytes that give the length of the header.
pub const LENGTH_BYTES: usize = 8;
/// Most bytes of a header that is read; the limit of the safetensors library.
///
/// Source: huggingface/safetensors, `safetensors/src/tensor.rs`, `MAX_HEADER_SIZE`.
pub const HEADER_BYTES_MAX: u64 = 100_000_000;
/// Most cut points of one file, which take 32 MiB; 4 TiB in pieces of 1 MiB.
const PIECES_MAX: u64 = 4 << 20;
/// The header's entry that is no tensor.
const METADATA: &str = "__metadata__";

/// Bounds the pieces of a file of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorLimits {
    /// Tensors shorter than this share a piece with the small ones beside them.
    pub min_bytes: u32,
    /// Longer tensors are cut every so many bytes, counted from their own beginning.
    pub piece_bytes: u32,
}

impl TensorLimits {
    /// Pieces as long as a shared block, so that a changed number costs as much.
    pub const DEFAULT: Self = Self { min_bytes: 64 << 10, piece_bytes: 1 << 20 };
}

/// Gives how many bytes of a file must be held to find its tensors.
///
/// Shape: `start` is at least the first 8 bytes of the file; `None` if it cannot be safetensors,
/// which says nothing about what it is. Units: bytes, from the start of the file.
pub fn header_bytes(start: &[u8], file_bytes: u64) -> Option<u64> {
    let header_bytes = u64_at(start, 0)?;
    let end = header_bytes.checked_add(LENGTH_BYTES as u64)?;
    let plausible = (2..=HEADER_BYTES_MAX).contains(&header_bytes) && end <= file_bytes;
    let opens = start.get(LENGTH_BYTES).is_none_or(|byte| *byte == b'{');
    (plausible && opens).then_some(end)
}

/// Gives the cut points of a safetensors file.
///
/// Shape: `header` is what [`header_bytes`] asked for; end offsets in the file, strictly
/// increasing, the last is `file_bytes`; a piece has at most a quarter more than
/// `limits.piece_bytes`. Errors: this is not a safetensors file; it is then cut like any other.
/// Cost: 16 bytes of memory a tensor, beside the header, and 8 a piece.
pub fn cut_points(
    header: &[u8],
    file_bytes: u64,
    limits: TensorLimits,
) -> Result<Vec<u64>, DecodeError> {
    let refuse = |reason: &str| DecodeError::new("safetensors header", 0, reason);
    let data_start = header_bytes(header, file_bytes).ok_or_else(|| refuse("it has no length"))?;
    if header.len() as u64 != data_start {
        return Err(refuse("it has another length than it says"));
    }
    let json = header.get(LENGTH_BYTES..).unwrap_or_default();
    let mut spans = Vec::new();
    each_tensor(json, |Span { data_offsets }| spans.push(data_offsets))?;
    spans.sort_unstable();
    if file_bytes / u64::from(limits.piece_bytes.max(1)) > PIECES_MAX {
        return Err(refuse("the file has more pieces than are worth a list"));
    }
    let data_bytes = file_bytes - data_start;
    let mut cuts = Cuts::new(limits);
    cuts.take(data_start);
    cuts.end_piece();
    let mut end = 0;
    for (start, next) in spans {
        if start != end || next < start || next > data_bytes {
            return Err(refuse("its tensors do not follow one another"));
        }
        cuts.take_tensor(next - start);
        end = next;
    }
    if end != data_bytes {
        return Err(refuse("its tensors do not end where the file does"));
    }
    cuts.end_piece();
    Ok(cuts.ends)
}

/// Counts the numbers in a safetensors file, by their type as the header names it.
///
/// Shape: `header` as for [`cut_points`]; ascending by the names of types, such as `BF16`.
/// Errors: a header that is none, or whose shapes, types and places do not fit one another.
pub fn count_numbers(header: &[u8], file_bytes: u64) -> Result<BTreeMap<String, u64>, DecodeError> {
    let refuse = |reason: &str| DecodeError::new("safetensors header", 0, reason);
    let data_start = header_bytes(header, file_bytes).ok_or_else(|| refuse("it has no length"))?;
    if header.len() as u64 != data_start {
        return Err(refuse("it has another length than it says"));
    }
    let mut counts = BTreeMap::new();
    let mut is_sound = true;
    each_tensor(header.get(LENGTH_BYTES..).unwrap_or_default(), |tensor: Tensor| {
        let numbers = tensor.numbers(file_bytes - data_start);
        let count: &mut u64 = counts.entry(tensor.dtype).or_default();
        match numbers.and_then(|numbers| count.checked_add(numbers)) {
            Some(sum) => *count = sum,
            None => is_sound = false,
        }
    })?;
    if is_sound { Ok(counts) } else { Err(refuse("a shape does not fit its bytes")) }
}

/// One tensor as the header describes it.
#[derive(serde::Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Tensor {
    /// Counts its numbers; `None` where they cannot be what the header says.
    fn numbers(&self, data_bytes: u64) -> Option<u64> {
        let (start, end) = self.data_offsets;
        let numbers = self.shape.iter().try_fold(1_u64, |all, side| all.checked_mul(*side))?;
        let bits = end.checked_sub(start).filter(|_| end <= data_bytes)?.checked_mul(8)?;
        let of_type: String = self.dtype.chars().filter(char::is_ascii_digit).collect();
        // `F8_E4M3` and later types have more digits than their width, which comes first.
        let known: Option<u64> = match self.dtype.as_str() {
            "BOOL" => Some(8),
            name if name.contains('_') => None,
            _ => of_type.parse().ok(),
        };
        let fits = known.is_none_or(|width| numbers.checked_mul(width) == Some(bits));
        (fits && self.dtype.len() <= 32).then_some(numbers)
    }
}

/// Collects cut points while tensors are walked in the order of their bytes.
struct Cuts {
    limits: TensorLimits,
    ends: Vec<u64>,
    /// Where the walk is.
    at: u64,
}

impl Cuts {
    fn new(limits: TensorLimits) -> Self {
        Self { limits, ends: Vec::new(), at: 0 }
    }

    /// Goes on by `bytes`, with cuts at equal distances from the beginning of a piece.
    fn take(&mut self, bytes: u64) {
        let piece = u64::from(self.limits.piece_bytes.max(1));
        let end = self.at.saturating_add(bytes);
        let mut next = self.start().saturating_add(piece);
        // What is left over of a tensor joins its last piece if it is short.
        while next.saturating_add(piece / 4) < end {
            self.ends.push(next);
            next = next.saturating_add(piece);
        }
        self.at = end;
    }

    fn take_tensor(&mut self, bytes: u64) {
        let min = u64::from(self.limits.min_bytes);
        if bytes >= min {
            self.end_piece();
            self.take(bytes);
            self.end_piece();
        } else {
            self.take(bytes);
            if self.at - self.start() >= min {
                self.end_piece();
            }
        }
    }

    fn start(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn end_piece(&mut self) {
        if self.start() < self.at {
            self.ends.push(self.at);
        }
    }
}

/// Where a tensor is, from the end of the header.
#[derive(serde::Deserialize)]
struct Span {
    data_offsets: (u64, u64),
}

/// Passes on the tensors of a header, as much of each as `T` holds; at least one.
fn each_tensor<'de, T: Deserialize<'de>>(
    json: &'de [u8],
    take: impl FnMut(T),
) -> Result<(), DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let visitor = TensorVisitor { take, kind: PhantomData };
    let read = deserializer.deserialize_map(visitor).and_then(|()| deserializer.end());
    read.map_err(|error| {
        DecodeError::new("safetensors header", LENGTH_BYTES as u64, error.to_string())
    })
}

struct TensorVisitor<T, F> {
    take: F,
    kind: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for TensorVisitor<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tensors of a safetensors file")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut is_empty = true;
        while let Some(Name { is_metadata }) = map.next_key()? {
            if is_metadata {
                map.next_value::<IgnoredAny>()?;
            } else {
                (self.take)(map.next_value()?);
                is_empty = false;
            }
        }
        if is_empty { Err(A::Error::custom("there is no tensor")) } else { Ok(()) }
    }
}

/// The name of a tensor, of which only this is of interest.
struct Name {
    is_metadata: bool,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a tensor")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Name, E> {
        Ok(Name { is_metadata: name == METADATA })
    }
}

#[cfg(test)]
#[path = "tensor_tests.rs"]
mod tests;
