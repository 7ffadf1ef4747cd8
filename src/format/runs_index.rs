//! The runs index: what can be asked of each run, column by column, so that a question reads only
//! the columns that it is about.
//!
//! Derived files that are never believed unchecked. Specified in `docs/format/runs-index.md`;
//! which values a run has is decided in `repo`, where the files lie in `store`.

mod builder;
mod column;
mod state;

pub use builder::SegmentBuilder;
pub use column::Column;
pub use state::{SEGMENTS_MAX, SegmentName, State};

use crate::format::field::{array_at, u32_at};
use crate::object::{DecodeError, ObjectId};

const WHAT: &str = "runs index";
/// Source: `docs/format/runs-index.md`.
const MAGIC: [u8; 8] = *b"PROVRUN1";
/// Length of the end of a segment, in bytes.
pub const TRAILER_BYTES: usize = 40;

/// Most rows of a segment that is not the only one.
pub const SEGMENT_ROWS: u32 = 1 << 15;
/// Most columns that are put into one segment.
pub const COLUMNS_MAX: usize = 4096;

/// Name of the column of ids: 32 bytes a row.
pub const IDS: &str = "#id";
/// Name of the column of the first four bytes of ids, to look for some quickly.
pub const SHORT_IDS: &str = "#short";
/// Name of the column of beginnings: milliseconds since 1970, 64 bits with a sign.
pub const STARTED: &str = "#started";
/// Name of the column of rows that have too many values to be here: their numbers, 32 bits.
pub const WIDE: &str = "#wide";

/// The value of one row in one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'c> {
    /// A number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A text.
    Text(&'c str),
}

/// Where a segment has its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// How many rows each column is about.
    pub rows: u32,
    /// Ascending by name.
    columns: Vec<Place>,
}

/// Where one column is in a segment, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    name: String,
    encoding: u8,
    /// From the beginning of the file, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    check: [u8; 8],
}

/// What the end of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// Where the directory begins, in bytes.
    pub offset: u64,
    /// Length of the directory, in bytes.
    pub bytes: u64,
    rows: u32,
    columns: u32,
    check: [u8; 8],
}

impl Trailer {
    /// Reads the last [`TRAILER_BYTES`] of a file of `file_bytes`.
    ///
    /// Errors: [`DecodeError`] for anything that is not the end of a segment of that length.
    pub fn decode(bytes: &[u8; TRAILER_BYTES], file_bytes: u64) -> Result<Self, DecodeError> {
        let long = |at| array_at(bytes, at).map(u64::from_le_bytes).unwrap_or_default();
        let trailer = Self {
            offset: long(0),
            bytes: long(8),
            rows: u32_at(bytes, 16).unwrap_or_default(),
            columns: u32_at(bytes, 20).unwrap_or_default(),
            check: array_at(bytes, 24).unwrap_or_default(),
        };
        let end = trailer.offset.checked_add(trailer.bytes);
        let end = end.and_then(|end| end.checked_add(TRAILER_BYTES as u64));
        if array_at(bytes, 32) != Some(MAGIC) || end != Some(file_bytes) {
            return Err(DecodeError::new(WHAT, 0, "not the end of a segment"));
        }
        Ok(trailer)
    }
}

impl Directory {
    /// Reads the directory that a trailer leads to.
    ///
    /// Errors: [`DecodeError`] for bytes that are not those that were written.
    pub fn decode(bytes: &[u8], trailer: &Trailer) -> Result<Self, DecodeError> {
        let damaged = || DecodeError::new(WHAT, trailer.offset, "the directory is damaged");
        if check_of(bytes) != trailer.check {
            return Err(damaged());
        }
        let mut columns: Vec<Place> = Vec::new();
        let mut rest = bytes;
        for _ in 0..trailer.columns {
            let (name_bytes, after) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
            let name_bytes = usize::try_from(u32::from_le_bytes(*name_bytes)).unwrap_or(usize::MAX);
            let (name, after) = after.split_at_checked(name_bytes).ok_or_else(damaged)?;
            let (fields, after) = after.split_first_chunk::<25>().ok_or_else(damaged)?;
            let long = |at| array_at(fields, at).map(u64::from_le_bytes).unwrap_or_default();
            let name = std::str::from_utf8(name).map_err(|_| damaged())?.to_owned();
            let (offset, bytes) = (long(1), long(9));
            let end = offset.checked_add(bytes).filter(|end| *end <= trailer.offset);
            let follows = columns.last().is_none_or(|before| before.name < name);
            if end.is_none() || !follows {
                return Err(damaged());
            }
            let encoding = fields.first().copied().unwrap_or_default();
            let check = array_at(fields, 17).unwrap_or_default();
            columns.push(Place { name, encoding, offset, bytes, check });
            rest = after;
        }
        match rest.is_empty() {
            true => Ok(Self { rows: trailer.rows, columns }),
            false => Err(damaged()),
        }
    }

    /// Finds a column.
    pub fn find(&self, name: &str) -> Option<&Place> {
        let at = self.columns.binary_search_by(|place| place.name.as_str().cmp(name));
        self.columns.get(at.ok()?)
    }

    /// Lists the columns of values, ascending by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Place)> {
        let fields = self.columns.iter().filter(|place| !place.name.starts_with('#'));
        fields.map(|place| (place.name.as_str(), place))
    }
}

impl Place {
    /// Reads a column of values out of its bytes.
    ///
    /// Errors: [`DecodeError`] for bytes that are not those that were written.
    pub fn decode(&self, bytes: Vec<u8>, rows: u32) -> Result<Column, DecodeError> {
        self.insist(&bytes)?;
        Column::decode(self.encoding, bytes, rows).ok_or_else(|| self.damaged())
    }

    /// Reads a column of ids.
    pub fn ids(&self, bytes: &[u8], rows: u32) -> Result<Vec<ObjectId>, DecodeError> {
        let of = |bytes: &[u8; 32]| ObjectId::from_bytes(*bytes);
        Ok(self.items::<32>(bytes, Some(rows))?.iter().map(of).collect())
    }

    /// Reads a column of the first bytes of ids.
    pub fn short_ids(&self, bytes: &[u8], rows: u32) -> Result<Vec<[u8; 4]>, DecodeError> {
        Ok(self.items::<4>(bytes, Some(rows))?.to_vec())
    }

    /// Reads a column of times.
    pub fn times(&self, bytes: &[u8], rows: u32) -> Result<Vec<i64>, DecodeError> {
        Ok(self.items::<8>(bytes, Some(rows))?.iter().map(|ms| i64::from_le_bytes(*ms)).collect())
    }

    /// Reads a list of rows, ascending.
    pub fn rows(&self, bytes: &[u8], rows: u32) -> Result<Vec<u32>, DecodeError> {
        let listed: Vec<u32> =
            self.items::<4>(bytes, None)?.iter().map(|row| u32::from_le_bytes(*row)).collect();
        match listed.is_sorted() && listed.last().is_none_or(|last| *last < rows) {
            true => Ok(listed),
            false => Err(self.damaged()),
        }
    }

    fn items<'b, const N: usize>(
        &self,
        bytes: &'b [u8],
        rows: Option<u32>,
    ) -> Result<&'b [[u8; N]], DecodeError> {
        self.insist(bytes)?;
        let (items, rest) = bytes.as_chunks::<N>();
        let is_as_many = rows.is_none_or(|rows| u32::try_from(items.len()) == Ok(rows));
        match rest.is_empty() && is_as_many {
            true => Ok(items),
            false => Err(self.damaged()),
        }
    }

    fn insist(&self, bytes: &[u8]) -> Result<(), DecodeError> {
        match check_of(bytes) == self.check {
            true => Ok(()),
            false => Err(self.damaged()),
        }
    }

    fn damaged(&self) -> DecodeError {
        DecodeError::new(WHAT, self.offset, format!("the column {:?} is damaged", self.name))
    }
}

/// What is kept of the hash of some bytes.
fn check_of(bytes: &[u8]) -> [u8; 8] {
    ObjectId::of(bytes).as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
#[path = "runs_index_tests.rs"]
mod tests;
