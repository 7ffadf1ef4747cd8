//! One directory while it is written: its old files and directories, and what changed.

use super::StampsError;
use super::known::{KnownFiles, Position};
use super::seen::{DirectorySeen, NameSet};
use super::writer::{Output, copy_part};
use crate::format::stamps::{
    DirectoryRow, PART_FILES, PART_FILES_MAX, PartBuilder, PartRow, Record, TableBuilder, View,
};

/// A directory that is being written.
#[derive(Debug)]
pub struct Section<'a> {
    name: Vec<u8>,
    number: u32,
    old: Option<Old<'a>>,
    builder: PartBuilder,
    parts: Vec<PartRow>,
    /// Whether a name came or went.
    is_changed: bool,
    seen: Option<DirectorySeen>,
    /// The names written so far, counted only if they can be compared with those seen.
    names: NameSet,
}

#[derive(Debug)]
struct Old<'a> {
    view: View<'a>,
    row: DirectoryRow,
    files: KnownFiles<'a>,
    /// The first old file that was not yet copied or replaced.
    at: Position,
    /// The first old directory inside that was not yet looked at.
    child: u32,
}

impl<'a> Section<'a> {
    /// Begins a directory, with the row it had in the old file.
    pub fn open(table: &mut TableBuilder, name: &[u8], old: Option<(View<'a>, u32)>) -> Self {
        let old = old.and_then(|(view, number)| {
            let row = view.tables().row(number)?;
            let files = KnownFiles::new(view, &row);
            let at = files.begin();
            Some(Old { view, row, files, at, child: number.saturating_add(1) })
        });
        Self {
            name: name.to_vec(),
            number: table.push(name),
            old,
            builder: PartBuilder::default(),
            parts: Vec::new(),
            is_changed: false,
            seen: None,
            names: NameSet::default(),
        }
    }

    /// Gives its name in the directory around it.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Notes what the directory held; nothing was written of it yet.
    pub fn note(&mut self, seen: DirectorySeen, moment_ns: i64) {
        let is_untouched = self.parts.is_empty() && self.builder.is_empty();
        let is_settled = seen.stamp.is_settled(moment_ns);
        self.seen = Some(seen).filter(|_| is_untouched && is_settled);
        self.is_changed |= !is_settled;
    }

    /// Takes the next old directory inside whose name is not above `name`.
    pub fn next_child(&mut self, name: &[u8]) -> Option<(u32, &'a [u8])> {
        let old = self.old.as_mut()?;
        let tables = old.view.tables();
        let mut children = tables.siblings(old.child, old.row.subtree_end);
        let (number, child) = children.next().filter(|(_, child)| *child <= name)?;
        old.child = tables.row(number)?.subtree_end;
        Some((number, child))
    }

    /// Takes the next old directory inside.
    pub fn next_child_any(&mut self) -> Option<(u32, &'a [u8])> {
        let old = self.old.as_mut()?;
        let tables = old.view.tables();
        let (number, child) = tables.siblings(old.child, old.row.subtree_end).next()?;
        old.child = tables.row(number)?.subtree_end;
        Some((number, child))
    }

    /// Counts a directory inside as written.
    pub fn count_child(&mut self, name: &[u8]) {
        self.names.add(name, true);
    }

    /// Notes how a directory inside ended, and takes it back if it turned out to hold nothing.
    pub fn end_child(&mut self, child: &Self, is_kept: bool) {
        self.is_changed |= is_kept != child.old.is_some();
        if !is_kept {
            self.names.remove(&child.name, true);
        }
    }

    /// Writes a file's record, or leaves it out, behind all old files before it.
    pub fn put(
        &mut self,
        name: &[u8],
        record: Option<Record>,
        out: &mut Output,
    ) -> Result<(), StampsError> {
        self.copy_until(Some(name), out)?;
        let is_old = match &mut self.old {
            Some(old) if old.at < old.files.end() => old.files.name(old.at)? == name,
            _ => false,
        };
        if is_old && let Some(old) = &mut self.old {
            old.at = old.files.next(old.at)?;
        }
        self.is_changed |= is_old != record.is_some();
        match record {
            Some(record) => self.push(name, record, out),
            None => Ok(()),
        }
    }

    /// Ends the directory; `false` says that it holds nothing and left no row.
    pub fn close(
        &mut self,
        table: &mut TableBuilder,
        out: &mut Output,
        file_count: &mut u64,
    ) -> Result<bool, StampsError> {
        self.copy_until(None, out)?;
        self.flush(out)?;
        *file_count += self.parts.iter().map(|part| u64::from(part.count)).sum::<u64>();
        let subtree_end = table.len();
        let is_root = self.number == 0;
        if self.parts.is_empty() && subtree_end == self.number + 1 && !is_root {
            table.pop(&self.name);
            return Ok(false);
        }
        let row = match (&self.seen, &self.old) {
            (Some(seen), _) => DirectoryRow {
                mtime_ns: seen.stamp.mtime_ns,
                ctime_ns: seen.stamp.ctime_ns,
                ino: seen.stamp.ino,
                is_complete: seen.names == self.names,
                ..DirectoryRow::default()
            },
            (None, Some(old)) if !self.is_changed => old.row,
            _ => DirectoryRow::default(),
        };
        table.close(self.number, &DirectoryRow { subtree_end, ..row }, &self.parts);
        Ok(true)
    }

    /// Copies old files whose names are below `name`, whole parts where nothing changed in them.
    fn copy_until(&mut self, name: Option<&[u8]>, out: &mut Output) -> Result<(), StampsError> {
        while let Some(old) = &mut self.old {
            if old.at >= old.files.end() {
                break;
            }
            let is_whole = old.at.file == 0
                && match name {
                    None => true,
                    Some(name) => old.files.last_name(old.at.part)? < name,
                };
            if is_whole {
                let part = old.at.part;
                old.at = Position { part: part.saturating_add(1), file: 0 };
                let view = old.view;
                self.flush(out)?;
                self.count_names(view, part)?;
                self.parts.push(copy_part(view, part, out)?);
                continue;
            }
            let found = old.files.name(old.at)?;
            if name.is_some_and(|name| found >= name) {
                break;
            }
            let record = old.files.record(old.at)?;
            old.at = old.files.next(old.at)?;
            let is_end_of_part = old.at.file == 0;
            self.push(found, record, out)?;
            if is_end_of_part {
                self.flush(out)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, name: &[u8], record: Record, out: &mut Output) -> Result<(), StampsError> {
        if self.seen.is_some() {
            self.names.add(name, false);
        }
        self.builder.push(name, record);
        if self.builder.len() >= PART_FILES_MAX
            && let Some(part) = self.builder.take(PART_FILES)
        {
            self.parts.push(out.encoded(&part)?);
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<(), StampsError> {
        if let Some(part) = self.builder.take(PART_FILES_MAX) {
            self.parts.push(out.encoded(&part)?);
        }
        Ok(())
    }

    fn count_names(&mut self, view: View<'a>, part: u32) -> Result<(), StampsError> {
        if self.seen.is_some() {
            let part = view.part(part)?;
            for file in 0..part.len() {
                self.names.add(part.name(file)?, false);
            }
        }
        Ok(())
    }
}
