//! The tracked files of one directory, by position in their parts.

use std::ffi::CStr;

use crate::format::stamps::{DirectoryRow, Part, Record, Stamp, View};
use crate::object::DecodeError;

/// Points to a file, or between two: part, then file in the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    pub part: u32,
    pub file: usize,
}

/// Reads the files of one directory; the part looked at last stays open.
#[derive(Debug)]
pub struct KnownFiles<'a> {
    view: View<'a>,
    first_part: u32,
    end_part: u32,
    open: Option<(u32, Part<'a>)>,
    /// The part whose ids were checked last.
    checked: Option<u32>,
}

impl<'a> KnownFiles<'a> {
    /// Takes the row of a directory.
    pub fn new(view: View<'a>, row: &DirectoryRow) -> Self {
        let end_part = row.first_part.saturating_add(row.part_count);
        Self { view, first_part: row.first_part, end_part, open: None, checked: None }
    }

    /// Points to the first file.
    pub fn begin(&self) -> Position {
        Position { part: self.first_part, file: 0 }
    }

    /// Points behind the last file.
    pub fn end(&self) -> Position {
        Position { part: self.end_part, file: 0 }
    }

    /// Gives the file at a position before [`KnownFiles::end`].
    pub fn get(&mut self, at: Position) -> Result<(&'a CStr, Stamp), DecodeError> {
        self.part(at.part)?.get(at.file)
    }

    /// Gives the name of the file at a position before [`KnownFiles::end`], to be compared.
    pub fn name(&mut self, at: Position) -> Result<&'a [u8], DecodeError> {
        self.part(at.part)?.name(at.file)
    }

    /// Gives the stamp of the file at a position before [`KnownFiles::end`].
    pub fn stamp(&mut self, at: Position) -> Result<Stamp, DecodeError> {
        self.part(at.part)?.stamp(at.file)
    }

    /// Gives all that is recorded of the file at a position.
    pub fn record(&mut self, at: Position) -> Result<Record, DecodeError> {
        let part = self.part(at.part)?;
        if self.checked != Some(at.part) {
            part.check_ids()?;
            self.checked = Some(at.part);
        }
        Ok(Record { stamp: part.stamp(at.file)?, id: part.id(at.file)? })
    }

    /// Points to what follows a file.
    pub fn next(&mut self, at: Position) -> Result<Position, DecodeError> {
        let is_last = at.file + 1 >= self.part(at.part)?.len();
        Ok(match is_last {
            true => Position { part: at.part + 1, file: 0 },
            false => Position { part: at.part, file: at.file + 1 },
        })
    }

    /// Points to the first file whose name is not below `name`.
    pub fn lower_bound(&mut self, name: &[u8]) -> Result<Position, DecodeError> {
        let (mut low, mut high) = (self.first_part, self.end_part);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.last_name(middle)? < name {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let file = if low < self.end_part { self.part(low)?.lower_bound(name)? } else { 0 };
        Ok(Position { part: low, file })
    }

    /// Points to the first file whose name is above `name`.
    pub fn upper_bound(&mut self, name: &[u8]) -> Result<Position, DecodeError> {
        let at = self.lower_bound(name)?;
        match at < self.end() && self.name(at)? == name {
            true => self.next(at),
            false => Ok(at),
        }
    }

    /// Gives the name of the last file in a part.
    pub fn last_name(&mut self, part: u32) -> Result<&'a [u8], DecodeError> {
        let part = self.part(part)?;
        part.name(part.len().saturating_sub(1))
    }

    fn part(&mut self, number: u32) -> Result<Part<'a>, DecodeError> {
        if let Some((open, part)) = self.open
            && open == number
        {
            return Ok(part);
        }
        let part = self.view.part(number)?;
        self.open = Some((number, part));
        Ok(part)
    }
}
