//! The tables at the end of the file: directories in the order of the tree, and their parts.
//!
//! The bytes are specified in `docs/format/stage.md`.

use super::{far, narrow, widen};
use crate::format::field;
use crate::object::DecodeError;

const WHAT: &str = "tables of the file stamps";
pub(super) const DIRECTORY_BYTES: usize = 48;
pub(super) const PART_BYTES: usize = 24;
const COMPLETE: u32 = 1;

/// Where a part lies, and what proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRow {
    /// Offset of the part in the file.
    pub offset: u64,
    /// Files in it.
    pub count: u32,
    /// Bytes of it before the ids.
    pub bytes: u32,
    /// CRC-32 of these bytes.
    pub check: u32,
    /// CRC-32 of the ids.
    pub ids_check: u32,
}

/// One directory of the tracked tree.
///
/// Shape: rows lie in the order of the tree, a directory before what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirectoryRow {
    /// The row after the last one below this directory.
    pub subtree_end: u32,
    /// Its first part in the table of parts.
    pub first_part: u32,
    /// How many parts it has, one after another.
    pub part_count: u32,
    /// As in [`super::Stamp`], of the directory itself.
    pub mtime_ns: i64,
    /// As in [`super::Stamp`], of the directory itself.
    pub ctime_ns: i64,
    /// As in [`super::Stamp`], of the directory itself; 0 if not known.
    pub ino: u64,
    /// Whether, at these times, it held exactly its tracked files and directories.
    pub is_complete: bool,
}

/// Collects the tables while parts are written.
#[derive(Debug, Default)]
pub struct TableBuilder {
    directories: Vec<u8>,
    parts: Vec<u8>,
    names: Vec<u8>,
    count: u32,
    part_count: u32,
}

impl TableBuilder {
    /// Adds a directory with the name it has in its parent, and gives its row's number.
    ///
    /// Shape: in the order of the tree; the first is the root, with the empty name.
    pub fn push(&mut self, name: &[u8]) -> u32 {
        self.names.extend_from_slice(name);
        self.directories.extend_from_slice(&narrow(self.names.len()).to_le_bytes());
        self.directories.extend_from_slice(&[0; DIRECTORY_BYTES - 4]);
        self.count += 1;
        self.count - 1
    }

    /// Counts the directories.
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Tells whether there is no directory.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes the last directory back, which must be the one of that name.
    pub fn pop(&mut self, name: &[u8]) {
        self.names.truncate(self.names.len().saturating_sub(name.len()));
        self.directories.truncate(self.directories.len().saturating_sub(DIRECTORY_BYTES));
        self.count = self.count.saturating_sub(1);
    }

    /// Fills in the row of a directory, and adds its parts.
    ///
    /// Shape: `first_part` and `part_count` of `row` are set here.
    pub fn close(&mut self, number: u32, row: &DirectoryRow, parts: &[PartRow]) {
        let first_part = self.part_count;
        for part in parts {
            self.parts.extend_from_slice(&part.offset.to_le_bytes());
            self.parts.extend_from_slice(&part.count.to_le_bytes());
            self.parts.extend_from_slice(&part.bytes.to_le_bytes());
            self.parts.extend_from_slice(&part.check.to_le_bytes());
            self.parts.extend_from_slice(&part.ids_check.to_le_bytes());
        }
        let part_count = narrow(parts.len());
        self.part_count += part_count;
        let mut bytes = Vec::with_capacity(DIRECTORY_BYTES - 4);
        bytes.extend_from_slice(&row.subtree_end.to_le_bytes());
        bytes.extend_from_slice(&first_part.to_le_bytes());
        bytes.extend_from_slice(&part_count.to_le_bytes());
        bytes.extend_from_slice(&row.mtime_ns.to_le_bytes());
        bytes.extend_from_slice(&row.ctime_ns.to_le_bytes());
        bytes.extend_from_slice(&row.ino.to_le_bytes());
        bytes.extend_from_slice(&(if row.is_complete { COMPLETE } else { 0 }).to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let at = widen(number).saturating_mul(DIRECTORY_BYTES).saturating_add(4);
        let slot = self.directories.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
        if let Some(slot) = slot {
            slot.copy_from_slice(&bytes);
        }
    }

    /// Gives the three tables one after another, and the number of directories and of parts, and
    /// the length of all names.
    pub fn finish(mut self) -> (Vec<u8>, u32, u32, u32) {
        let names = narrow(self.names.len());
        self.directories.append(&mut self.parts);
        self.directories.append(&mut self.names);
        (self.directories, self.count, self.part_count, names)
    }
}

/// The tables, read in place.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    pub(super) directories: &'a [u8],
    pub(super) parts: &'a [u8],
    pub(super) names: &'a [u8],
}

impl<'a> Tables<'a> {
    /// Counts the directories, the root included.
    pub fn len(&self) -> u32 {
        narrow(self.directories.len() / DIRECTORY_BYTES)
    }

    /// Tells whether not even the root is there.
    pub fn is_empty(&self) -> bool {
        self.directories.is_empty()
    }

    /// Reads the row of a directory; `None` beyond the last.
    pub fn row(&self, number: u32) -> Option<DirectoryRow> {
        let at = widen(number).checked_mul(DIRECTORY_BYTES)?;
        let bytes = self.directories.get(at..)?.first_chunk::<DIRECTORY_BYTES>()?;
        Some(DirectoryRow {
            subtree_end: field::u32_at(bytes, 4)?,
            first_part: field::u32_at(bytes, 8)?,
            part_count: field::u32_at(bytes, 12)?,
            mtime_ns: field::u64_at(bytes, 16)?.cast_signed(),
            ctime_ns: field::u64_at(bytes, 24)?.cast_signed(),
            ino: field::u64_at(bytes, 32)?,
            is_complete: field::u32_at(bytes, 40)? == COMPLETE,
        })
    }

    /// Gives the name of a directory in its parent; `None` beyond the last.
    pub fn name(&self, number: u32) -> Option<&'a [u8]> {
        let start = match number.checked_sub(1) {
            None => 0,
            Some(before) => self.name_end(before)?,
        };
        self.names.get(start..self.name_end(number)?)
    }

    fn name_end(&self, number: u32) -> Option<usize> {
        let at = widen(number).checked_mul(DIRECTORY_BYTES)?;
        field::u32_at(self.directories, at).map(widen)
    }

    /// Lists the directories directly inside one, with their names, in the order of the names.
    pub fn children(self, number: u32) -> impl Iterator<Item = (u32, &'a [u8])> {
        let end = self.row(number).map_or(0, |row| row.subtree_end);
        self.siblings(number.saturating_add(1), end)
    }

    /// Lists a directory and those after it in the same directory, whose last row is before `end`.
    pub fn siblings(self, first: u32, end: u32) -> impl Iterator<Item = (u32, &'a [u8])> {
        let mut next = first;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.row(child)?.subtree_end.max(child.saturating_add(1));
            Some((child, self.name(child)?))
        })
    }

    /// Reads a row of the table of parts; `None` beyond the last.
    pub fn part(&self, number: u32) -> Option<PartRow> {
        let at = widen(number).checked_mul(PART_BYTES)?;
        let bytes = self.parts.get(at..)?.first_chunk::<PART_BYTES>()?;
        Some(PartRow {
            offset: field::u64_at(bytes, 0)?,
            count: field::u32_at(bytes, 8)?,
            bytes: field::u32_at(bytes, 12)?,
            check: field::u32_at(bytes, 16)?,
            ids_check: field::u32_at(bytes, 20)?,
        })
    }

    /// Insists that rows nest, names ascend, and every part lies before `parts_end`.
    ///
    /// Errors: [`DecodeError`] with the offset of the row in its table.
    pub(super) fn check(&self, parts_end: u64) -> Result<u64, DecodeError> {
        let mut open: Vec<(u32, &[u8])> = Vec::new();
        for number in 0..self.len() {
            let offset = far(widen(number).saturating_mul(DIRECTORY_BYTES));
            self.check_directory(number, &mut open)
                .map_err(|reason| DecodeError::new(WHAT, offset, reason))?;
        }
        let mut files = 0_u64;
        for number in 0..narrow(self.parts.len() / PART_BYTES) {
            let offset = far(widen(number).saturating_mul(PART_BYTES));
            let part = self.part(number).filter(|part| {
                let ids = u64::from(part.count) * 32;
                let end = part.offset.checked_add(u64::from(part.bytes) + ids);
                part.count > 0 && part.offset >= 16 && end.is_some_and(|end| end <= parts_end)
            });
            let part =
                part.ok_or_else(|| DecodeError::new(WHAT, offset, "a part lies elsewhere"))?;
            files += u64::from(part.count);
        }
        Ok(files)
    }

    fn check_directory(
        &self,
        number: u32,
        open: &mut Vec<(u32, &'a [u8])>,
    ) -> Result<(), &'static str> {
        let row = self.row(number).ok_or("row is missing")?;
        let name = self.name(number).ok_or("name is missing")?;
        while open.last().is_some_and(|(end, _)| *end <= number) {
            open.pop();
        }
        let outer = match open.last_mut() {
            None if number == 0 && name.is_empty() => self.len(),
            None => return Err("more than one root"),
            Some((end, last)) if !name.is_empty() && *last < name => {
                *last = name;
                *end
            }
            Some(_) => return Err("names do not ascend"),
        };
        let has_foreign = name.iter().any(|byte| matches!(byte, b'/' | 0));
        let parts_end = u64::from(row.first_part) + u64::from(row.part_count);
        if has_foreign || row.subtree_end <= number || row.subtree_end > outer {
            return Err("directories do not nest");
        }
        if parts_end > far(self.parts.len() / PART_BYTES) {
            return Err("parts are missing");
        }
        open.push((row.subtree_end, &[]));
        Ok(())
    }
}
