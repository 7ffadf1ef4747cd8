//! Writes the stamps anew: what changed is merged in, all else is copied by ranges.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::section::Section;
use super::seen::DirectorySeen;
use super::{Stamps, StampsError};
use crate::format::stamps::{
    DirectoryRow, EncodedPart, HEADER, PartRow, Record, Stamp, TableBuilder, View,
};
use crate::listing;
use crate::object::{ObjectId, TreePath};
use crate::worktree::directory::stamp_of;

/// Makes the next file of stamps out of the last one and the changes since.
///
/// Shape: everything comes in the order of the tree, each path once; what is not named stays.
/// Errors: [`StampsError`]; the old file is then untouched, and dropping this leaves nothing.
/// Cost: one sequential write; memory for the tables and for one part per open directory.
#[derive(Debug)]
pub struct StampsWriter<'a> {
    old: Option<View<'a>>,
    out: Output,
    table: TableBuilder,
    /// From the root down to the directory of the last path.
    open: Vec<Section<'a>>,
    last: Vec<u8>,
    file_count: u64,
    moment_ns: i64,
    /// When it was begun.
    begun_ns: i64,
}

#[derive(Debug)]
pub(super) struct Output {
    file: BufWriter<NamedTempFile>,
    offset: u64,
}

impl Output {
    /// Appends a part, which gets its offset here.
    pub fn part(&mut self, bytes: &[u8], row: PartRow) -> io::Result<PartRow> {
        let row = PartRow { offset: self.offset, ..row };
        self.write(bytes)?;
        Ok(row)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.offset += u64::try_from(bytes.len()).unwrap_or(0);
        self.file.write_all(bytes)
    }

    /// Appends a part that was made anew.
    pub fn encoded(&mut self, part: &EncodedPart) -> io::Result<PartRow> {
        self.part(&part.bytes, part.row)
    }
}

impl<'a> StampsWriter<'a> {
    /// Begins with what `old` holds.
    ///
    /// Shape: `temporaries` is a folder on the file system of the result; `moment_ns` is what
    /// [`super::moment`] gave before the first of the new stamps was taken, or, for files that
    /// were just written by this process alone, after the last one was.
    pub fn new(
        old: Option<&'a Stamps>,
        temporaries: &Path,
        moment_ns: i64,
    ) -> Result<Self, StampsError> {
        Ok(Self { moment_ns, ..Self::begun_now(old, temporaries)? })
    }

    /// As [`Self::new`], at the moment at which the new file is made.
    pub fn begun_now(old: Option<&'a Stamps>, temporaries: &Path) -> Result<Self, StampsError> {
        let old = old.map(Stamps::view).transpose()?;
        let mut builder = tempfile::Builder::new();
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let made = std::fs::create_dir_all(temporaries);
        let file = made.and_then(|()| builder.permissions(permissions).tempfile_in(temporaries));
        let file = file.map_err(|source| StampsError::Io { doing: "create", source })?;
        let made = rustix::fs::fstat(&file).map_err(io::Error::from)?;
        let moment_ns = stamp_of(&made).mtime_ns;
        let mut out = Output { file: BufWriter::with_capacity(1 << 18, file), offset: 0 };
        out.write(&HEADER)?;
        let mut table = TableBuilder::default();
        let root = Section::open(&mut table, b"", old.map(|view| (view, 0)));
        let open = vec![root];
        let (last, file_count, begun_ns) = (Vec::new(), 0, moment_ns);
        Ok(Self { old, out, table, open, last, file_count, moment_ns, begun_ns })
    }

    /// Records a file, new or changed.
    ///
    /// Shape: the stamp was taken before the content was read, and again after it with the same
    /// outcome. One too young to prove anything is forgotten, so that the file is read next time.
    pub fn put(&mut self, path: &TreePath, record: Record) -> Result<(), StampsError> {
        let is_settled = record.stamp.is_settled(self.moment_ns);
        let stamp = if is_settled { record.stamp } else { record.stamp.forget() };
        self.advance(path, false)?;
        self.enter_parent(path)?;
        let Some(section) = self.open.last_mut() else { return Ok(()) };
        section.put(path.last_name(), Some(Record { stamp, ..record }), &mut self.out)
    }

    /// Gives the stamp of a file that this process has not written, but looked at after this was
    /// begun: one that was too young then is forgotten.
    pub fn settled(&self, stamp: Stamp) -> Stamp {
        if stamp.is_settled(self.begun_ns) { stamp } else { stamp.forget() }
    }

    /// Forgets a file; one that is not recorded is fine.
    pub fn remove(&mut self, path: &TreePath) -> Result<(), StampsError> {
        self.advance(path, false)?;
        self.enter_parent(path)?;
        let Some(section) = self.open.last_mut() else { return Ok(()) };
        section.put(path.last_name(), None, &mut self.out)
    }

    /// Notes what a directory held, before anything in it is recorded; `None` is the root.
    pub fn seen(
        &mut self,
        directory: Option<&TreePath>,
        seen: DirectorySeen,
    ) -> Result<(), StampsError> {
        if let Some(path) = directory {
            self.advance(path, true)?;
            self.enter_parent(path)?;
            self.descend(path.last_name())?;
        }
        if let Some(section) = self.open.last_mut() {
            section.note(seen, self.moment_ns);
        }
        Ok(())
    }

    /// Puts the new file in the place of the old one.
    ///
    /// Shape: `tree` is the root of the tree that all recorded files belong to.
    pub fn finish(mut self, path: &Path, tree: &ObjectId) -> Result<(), StampsError> {
        while let Some(section) = self.open.pop() {
            self.close(section)?;
        }
        let tables = self.table.encode(self.out.offset, tree, self.file_count);
        self.out.file.write_all(&tables)?;
        let file = self.out.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        // The folder of caches may be deleted at any time.
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let persisted = made.and_then(|()| match file.persist(path) {
            // So may a folder that somebody made in place of the file.
            Err(failed) if failed.error.kind() == io::ErrorKind::IsADirectory => {
                listing::remove_all(path)?;
                failed.file.persist(path).map_err(|failed| failed.error)
            }
            persisted => persisted.map_err(|failed| failed.error),
        });
        persisted.map_err(|source| StampsError::Io { doing: "replace", source })?;
        Ok(())
    }

    /// Opens the directories that lead to a path and closes those that do not.
    fn enter_parent(&mut self, path: &TreePath) -> Result<(), StampsError> {
        let mut names = path.names();
        names.next_back();
        let open = self.open.iter().skip(1);
        let depth =
            1 + open.zip(names).take_while(|(section, name)| section.name() == *name).count();
        while self.open.len() > depth
            && let Some(section) = self.open.pop()
        {
            self.close(section)?;
        }
        let mut names = path.names();
        names.next_back();
        names.skip(depth - 1).try_for_each(|name| self.descend(name))
    }

    /// Insists on the order of the tree; only a directory may follow a file of its own name.
    fn advance(&mut self, path: &TreePath, is_directory: bool) -> Result<(), StampsError> {
        let is_same = is_directory && self.last == path.as_bytes();
        if !is_same && !is_after(path.as_bytes(), &self.last) {
            return Err(StampsError::Order { path: path.clone() });
        }
        self.last.clear();
        self.last.extend_from_slice(path.as_bytes());
        Ok(())
    }

    /// Opens a directory in the innermost open one, behind all that come before it.
    fn descend(&mut self, name: &[u8]) -> Result<(), StampsError> {
        let Some(outer) = self.open.last_mut() else { return Ok(()) };
        let old = loop {
            match outer.next_child(name) {
                Some((row, child)) if child == name => break Some(row),
                Some((row, child)) => {
                    outer.count_child(child);
                    copy_subtree(self.old, row, &mut self.table, &mut self.out)
                        .map(|count| self.file_count += count)?;
                }
                None => break None,
            }
        };
        outer.count_child(name);
        let old = self.old.zip(old);
        self.open.push(Section::open(&mut self.table, name, old));
        Ok(())
    }

    fn close(&mut self, mut section: Section<'a>) -> Result<(), StampsError> {
        while let Some((row, child)) = section.next_child_any() {
            section.count_child(child);
            let count = copy_subtree(self.old, row, &mut self.table, &mut self.out)?;
            self.file_count += count;
        }
        let is_kept = section.close(&mut self.table, &mut self.out, &mut self.file_count)?;
        if let Some(outer) = self.open.last_mut() {
            outer.end_child(&section, is_kept);
        }
        Ok(())
    }
}

/// Copies a directory and all below it as they are, and counts the files.
fn copy_subtree(
    old: Option<View<'_>>,
    first: u32,
    table: &mut TableBuilder,
    out: &mut Output,
) -> Result<u64, StampsError> {
    let Some(view) = old else { return Ok(0) };
    let tables = view.tables();
    let end = tables.row(first).map_or(first, |row| row.subtree_end);
    let (mut files, base) = (0, table.len());
    for number in first..end {
        let (row, name) = (tables.row(number), tables.name(number));
        let (Some(row), Some(name)) = (row, name) else { break };
        let parts = (row.first_part..row.first_part.saturating_add(row.part_count))
            .map(|part| copy_part(view, part, out))
            .collect::<Result<Vec<_>, _>>()?;
        files += parts.iter().map(|part| u64::from(part.count)).sum::<u64>();
        let subtree_end = row.subtree_end.saturating_sub(first).saturating_add(base);
        let at = table.push(name);
        table.close(at, &DirectoryRow { subtree_end, ..row }, &parts);
    }
    Ok(files)
}

/// Copies a part as it is, checksums included, so that damage to it still shows.
pub(super) fn copy_part(
    view: View<'_>,
    part: u32,
    out: &mut Output,
) -> Result<PartRow, StampsError> {
    let found = view.tables().part(part).zip(view.part_bytes(part));
    let (row, bytes) = found.ok_or_else(StampsError::lost_part)?;
    Ok(out.part(bytes, row)?)
}

/// Tells whether a path comes behind another one in the order of the tree.
fn is_after(path: &[u8], last: &[u8]) -> bool {
    let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    path.iter().map(rank).gt(last.iter().map(rank))
}
