//! The whole file: header, parts, tables, trailer.
//!
//! The bytes are specified in `docs/format/stage.md`.

use super::table::{DIRECTORY_BYTES, PART_BYTES};
use super::{Part, TableBuilder, Tables, far, widen};
use crate::format::field;
use crate::object::{DecodeError, ObjectId};

const WHAT: &str = "file stamps";
const VERSION: u16 = 1;
const MAGIC: &[u8; 8] = b"PROVSTMP";
const MAGIC_END: &[u8; 8] = b"PMTSVORP";
const TRAILER_BYTES: usize = 96;
const TRAILER_CHECKED: usize = 80;

/// The 16 bytes with which the file begins.
pub const HEADER: [u8; 16] = *b"PROVSTMP\x01\0\0\0\0\0\0\0";

/// All stamps of a worktree, read in place.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    file: &'a [u8],
    tables: Tables<'a>,
    tables_at: usize,
    tree: ObjectId,
    file_count: u64,
}

impl<'a> View<'a> {
    /// Takes the bytes of a whole file; checks all but the parts, which are checked when opened.
    ///
    /// Errors: [`DecodeError`] for anything that was not written whole by this version.
    /// Cost: one pass over the tables.
    pub fn open(file: &'a [u8]) -> Result<Self, DecodeError> {
        let view = Self::split(file)?;
        view.check()?;
        Ok(view)
    }

    /// Takes bytes that [`View::open`] accepted before, without looking at the tables again.
    ///
    /// Errors: as [`View::open`], as far as the trailer shows them; other bytes give no panic.
    pub fn split(file: &'a [u8]) -> Result<Self, DecodeError> {
        let damaged = |at: usize, reason: &str| DecodeError::new(WHAT, far(at), reason);
        if !file.starts_with(MAGIC) {
            return Err(damaged(0, "the magic is missing"));
        }
        if file.get(8..16) != HEADER.get(8..16) {
            return Err(damaged(8, "another version"));
        }
        let trailer_at = file.len().saturating_sub(TRAILER_BYTES);
        let trailer = file.get(trailer_at..).and_then(<[u8]>::first_chunk::<TRAILER_BYTES>);
        let trailer = trailer.ok_or_else(|| damaged(trailer_at, "truncated"))?;
        if !trailer.ends_with(MAGIC_END) || field::u16_at(trailer, 84) != Some(VERSION) {
            return Err(damaged(trailer_at, "the trailer is missing"));
        }
        let tables_at = read(trailer, field::u64_at, 0)?;
        let tables_at = usize::try_from(tables_at).unwrap_or(usize::MAX);
        let tables = file.get(tables_at..trailer_at).and_then(|all| split_tables(all, trailer));
        Ok(Self {
            file,
            tables: tables.ok_or_else(|| damaged(trailer_at, "the tables lie elsewhere"))?,
            tables_at,
            tree: ObjectId::from_bytes(read(trailer, field::array_at, 20)?),
            file_count: read(trailer, field::u64_at, 52)?,
        })
    }

    fn check(&self) -> Result<(), DecodeError> {
        let damaged = |reason: &str| DecodeError::new(WHAT, far(self.tables_at), reason);
        let trailer_at = self.file.len().saturating_sub(TRAILER_BYTES);
        let checked = self.file.get(self.tables_at..trailer_at + TRAILER_CHECKED);
        let checked = checked.ok_or_else(|| damaged("truncated"))?;
        let trailer = self.file.get(trailer_at..).unwrap_or_default();
        if Some(crc32fast::hash(checked)) != field::u32_at(trailer, TRAILER_CHECKED) {
            return Err(damaged("the checksum of the tables does not match"));
        }
        let is_reserved = [60..80, 86..88]
            .into_iter()
            .all(|range| trailer.get(range).is_some_and(field::is_zero));
        let files = self.tables.check(far(self.tables_at))?;
        if !is_reserved || files != self.file_count {
            return Err(damaged("the trailer contradicts the tables"));
        }
        Ok(())
    }

    /// Gives the tables.
    pub const fn tables(&self) -> Tables<'a> {
        self.tables
    }

    /// Opens a part and checks all of it but the ids.
    pub fn part(&self, number: u32) -> Result<Part<'a>, DecodeError> {
        let row = self.tables.part(number);
        let row = row.ok_or_else(|| DecodeError::new(WHAT, u64::from(number), "no such part"))?;
        Part::open(self.file, &row)
    }

    /// Gives the bytes of a part, ids included, unchecked.
    pub fn part_bytes(&self, number: u32) -> Option<&'a [u8]> {
        let row = self.tables.part(number)?;
        let start = usize::try_from(row.offset).ok()?;
        let bytes = widen(row.bytes).checked_add(widen(row.count).checked_mul(32)?)?;
        self.file.get(start..start.checked_add(bytes)?)
    }

    /// Gives the root of the tree whose files these are.
    pub const fn tree(&self) -> ObjectId {
        self.tree
    }

    /// Counts the files.
    pub const fn file_count(&self) -> u64 {
        self.file_count
    }
}

fn read<T>(
    trailer: &[u8; TRAILER_BYTES],
    field: impl Fn(&[u8], usize) -> Option<T>,
    at: usize,
) -> Result<T, DecodeError> {
    field(trailer, at).ok_or_else(|| DecodeError::new(WHAT, far(at), "the trailer is too short"))
}

/// Splits what lies between the parts and the trailer.
fn split_tables<'a>(all: &'a [u8], trailer: &[u8; TRAILER_BYTES]) -> Option<Tables<'a>> {
    let directories = widen(field::u32_at(trailer, 8)?).checked_mul(DIRECTORY_BYTES)?;
    let parts = widen(field::u32_at(trailer, 12)?).checked_mul(PART_BYTES)?;
    let (directories, rest) = all.split_at_checked(directories)?;
    let (parts, names) = rest.split_at_checked(parts)?;
    let is_whole = names.len() == widen(field::u32_at(trailer, 16)?) && !directories.is_empty();
    is_whole.then_some(Tables { directories, parts, names })
}

impl TableBuilder {
    /// Gives what follows the parts: the tables and the trailer.
    ///
    /// Shape: `tables_at` is the length of everything written before.
    pub fn encode(self, tables_at: u64, tree: &ObjectId, files: u64) -> Vec<u8> {
        let (mut bytes, directory_count, part_count, name_bytes) = self.finish();
        bytes.extend_from_slice(&tables_at.to_le_bytes());
        bytes.extend_from_slice(&directory_count.to_le_bytes());
        bytes.extend_from_slice(&part_count.to_le_bytes());
        bytes.extend_from_slice(&name_bytes.to_le_bytes());
        bytes.extend_from_slice(tree.as_bytes());
        bytes.extend_from_slice(&files.to_le_bytes());
        bytes.extend_from_slice(&[0; 20]);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(MAGIC_END);
        bytes
    }
}
