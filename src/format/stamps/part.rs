//! A part: up to a few thousand files of one directory, in the order of their names.
//!
//! The bytes are specified in `docs/format/stage.md`.

use std::ffi::CStr;

use super::{PartRow, Record, Stamp, far, narrow, widen};
use crate::format::field;
use crate::object::{DecodeError, ObjectId};

/// Files in a part that is written from nothing.
pub const PART_FILES: usize = 2048;
/// Most files in one part.
pub const PART_FILES_MAX: usize = 2 * PART_FILES;

const WHAT: &str = "part of the file stamps";
const HEAD_BYTES: usize = 8;
const RECORD_BYTES: usize = 40;
const ID_BYTES: usize = 32;

/// One part, read in place.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    records: &'a [u8],
    names: &'a [u8],
    ids: &'a [u8],
    ids_check: u32,
}

impl<'a> Part<'a> {
    /// Takes the bytes that `row` points to, and checks all but the ids.
    ///
    /// Errors: [`DecodeError`] if bytes and row do not belong together.
    /// Cost: one pass over the bytes for the checksum.
    pub(super) fn open(file: &'a [u8], row: &PartRow) -> Result<Self, DecodeError> {
        let damaged = |reason: &str| DecodeError::new(WHAT, row.offset, reason);
        let offset = usize::try_from(row.offset).map_err(|_| damaged("offset too large"))?;
        let count = widen(row.count);
        let rest = file.get(offset..).ok_or_else(|| damaged("lies beyond the end"))?;
        let body = rest.get(..widen(row.bytes)).ok_or_else(|| damaged("truncated"))?;
        let ids = rest.get(body.len()..).and_then(|ids| ids.get(..count * ID_BYTES));
        let ids = ids.ok_or_else(|| damaged("ids are truncated"))?;
        if crc32fast::hash(body) != row.check {
            return Err(damaged("the checksum does not match"));
        }
        let names_at = HEAD_BYTES + count * RECORD_BYTES;
        let records = body.get(HEAD_BYTES..names_at).ok_or_else(|| damaged("too short"))?;
        let names = body.get(names_at..).ok_or_else(|| damaged("too short"))?;
        let is_head = field::u32_at(body, 0) == Some(row.count)
            && field::u32_at(body, 4).is_some_and(|bytes| widen(bytes) == names.len());
        if !is_head {
            return Err(damaged("the head does not match the table"));
        }
        Ok(Self { records, names, ids, ids_check: row.ids_check })
    }

    /// Counts the files.
    pub fn len(&self) -> usize {
        self.records.len() / RECORD_BYTES
    }

    /// Tells whether there is no file, which no part written here is.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Gives the name and stamp of the file at `index`.
    ///
    /// Errors: [`DecodeError`] beyond the end, and for names that do not lie one after another.
    pub fn get(&self, index: usize) -> Result<(&'a CStr, Stamp), DecodeError> {
        let name = self.c_name(index).and_then(|name| CStr::from_bytes_with_nul(name).ok());
        name.zip(self.find_stamp(index)).ok_or_else(|| lost(index))
    }

    /// Gives the name of the file at `index`, to be compared: no system call may take it, as what
    /// [`Part::get`] checks byte by byte is not checked here.
    ///
    /// Errors: as [`Part::get`].
    pub fn name(&self, index: usize) -> Result<&'a [u8], DecodeError> {
        let name = self.c_name(index).and_then(|name| name.strip_suffix(&[0]));
        name.ok_or_else(|| lost(index))
    }

    /// Gives the stamp of the file at `index`.
    ///
    /// Errors: [`DecodeError`] beyond the end.
    pub fn stamp(&self, index: usize) -> Result<Stamp, DecodeError> {
        self.find_stamp(index).ok_or_else(|| lost(index))
    }

    /// Finds a name, its NUL included.
    fn c_name(&self, index: usize) -> Option<&'a [u8]> {
        let at = index.checked_mul(RECORD_BYTES)?;
        let start = match at.checked_sub(RECORD_BYTES) {
            None => 0,
            Some(before) => widen(field::u32_at(self.records, before + 36)?),
        };
        let end = widen(field::u32_at(self.records, at.checked_add(36)?)?);
        self.names.get(start..end)
    }

    fn find_stamp(&self, index: usize) -> Option<Stamp> {
        let at = index.checked_mul(RECORD_BYTES)?;
        let record = self.records.get(at..)?.first_chunk::<RECORD_BYTES>()?;
        Some(Stamp {
            mtime_ns: field::u64_at(record, 0)?.cast_signed(),
            ctime_ns: field::u64_at(record, 8)?.cast_signed(),
            ino: field::u64_at(record, 16)?,
            size: field::u64_at(record, 24)?,
            mode: field::u32_at(record, 32)?,
        })
    }

    /// Finds the first file whose name is not below `name`; the count of files if there is none.
    pub fn lower_bound(&self, name: &[u8]) -> Result<usize, DecodeError> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.name(middle)? < name {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }

    /// Checks the ids.
    ///
    /// Errors: [`DecodeError`] if they are not the bytes that were written.
    pub fn check_ids(&self) -> Result<(), DecodeError> {
        match crc32fast::hash(self.ids) == self.ids_check {
            true => Ok(()),
            false => Err(DecodeError::new(WHAT, 0, "the checksum of the ids does not match")),
        }
    }

    /// Gives the content id of the file at `index`; [`Part::check_ids`] comes first.
    pub fn id(&self, index: usize) -> Result<ObjectId, DecodeError> {
        index
            .checked_mul(ID_BYTES)
            .and_then(|at| field::array_at(self.ids, at))
            .map(ObjectId::from_bytes)
            .ok_or_else(|| DecodeError::new(WHAT, far(index), "no such id"))
    }
}

fn lost(index: usize) -> DecodeError {
    DecodeError::new(WHAT, far(index), "a record does not point to a name")
}

/// One part as bytes, and what its row says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPart {
    /// The bytes, ids included.
    pub bytes: Vec<u8>,
    /// The row, whose offset is for the writer to fill in.
    pub row: PartRow,
}

/// Collects files of one directory in the order of their names.
#[derive(Debug, Default)]
pub struct PartBuilder {
    files: Vec<(usize, Record)>,
    names: Vec<u8>,
}

impl PartBuilder {
    /// Adds a file; names come in ascending order.
    pub fn push(&mut self, name: &[u8], record: Record) {
        self.names.extend_from_slice(name);
        self.names.push(0);
        self.files.push((self.names.len(), record));
    }

    /// Counts the files that were added and not yet taken.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Tells whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Takes the first files, at most `count`, as a part; `None` if there are none.
    pub fn take(&mut self, count: usize) -> Option<EncodedPart> {
        let count = count.min(PART_FILES_MAX).min(self.files.len());
        let names_end = self.files.get(count.checked_sub(1)?)?.0;
        let files: Vec<_> = self.files.drain(..count).collect();
        let names: Vec<u8> = self.names.drain(..names_end).collect();
        self.files.iter_mut().for_each(|(end, _)| *end -= names_end);
        Some(encode(&files, &names))
    }
}

fn encode(files: &[(usize, Record)], names: &[u8]) -> EncodedPart {
    let body_bytes = HEAD_BYTES + files.len() * RECORD_BYTES + names.len();
    let mut bytes = Vec::with_capacity(body_bytes + files.len() * ID_BYTES);
    bytes.extend_from_slice(&narrow(files.len()).to_le_bytes());
    bytes.extend_from_slice(&narrow(names.len()).to_le_bytes());
    for (end, Record { stamp, .. }) in files {
        bytes.extend_from_slice(&stamp.mtime_ns.to_le_bytes());
        bytes.extend_from_slice(&stamp.ctime_ns.to_le_bytes());
        bytes.extend_from_slice(&stamp.ino.to_le_bytes());
        bytes.extend_from_slice(&stamp.size.to_le_bytes());
        bytes.extend_from_slice(&stamp.mode.to_le_bytes());
        bytes.extend_from_slice(&narrow(*end).to_le_bytes());
    }
    bytes.extend_from_slice(names);
    let check = crc32fast::hash(&bytes);
    files.iter().for_each(|(_, record)| bytes.extend_from_slice(record.id.as_bytes()));
    let ids_check = crc32fast::hash(bytes.get(body_bytes..).unwrap_or_default());
    let row = PartRow {
        offset: 0,
        count: narrow(files.len()),
        bytes: narrow(body_bytes),
        check,
        ids_check,
    };
    EncodedPart { bytes, row }
}
