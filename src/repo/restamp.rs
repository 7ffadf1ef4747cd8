//! The file stamps of the staged tree: opened, or made again from the tree.

use std::path::Path;

use super::{Error, Repository};
use crate::object::ObjectId;
use crate::object::tree::{self, Target};
use crate::store::Reader;
use crate::worktree::local;
use crate::worktree::stamps::{FileKind, Record, Stamp, Stamps, StampsError, StampsWriter};

impl Repository {
    /// Opens the stamps that describe `tree`.
    ///
    /// Shape: stamps that were lost, or are of another tree, are made again: of which file what is
    /// known is then its content, and nothing of how it looks. Cost: nothing to speak of, or a
    /// walk over the whole tree.
    pub(super) fn stamps(&self, reader: &mut Reader<'_>, tree: ObjectId) -> Result<Stamps, Error> {
        let path = local::stamps_file(&self.location.folder);
        if let Some(stamps) = Stamps::open(&path).filter(|stamps| stamps.tree() == tree) {
            return Ok(stamps);
        }
        self.remake_stamps(reader, tree)
    }

    /// Makes the stamps again, after they turned out to be damaged.
    pub(super) fn remake_stamps(
        &self,
        reader: &mut Reader<'_>,
        tree: ObjectId,
    ) -> Result<Stamps, Error> {
        let folder = &self.location.folder;
        let (place, temporaries) = (local::stamps_file(folder), local::temporaries(folder));
        match self.write_stamps(reader, tree, &place, &temporaries) {
            // Whoever may only read gets an answer as well, made of stamps that nobody keeps.
            Err(Error::Stamps(StampsError::Io { .. })) => {
                let aside = tempfile::tempdir()
                    .map_err(|error| Error::io("make a folder", std::env::temp_dir(), error))?;
                self.write_stamps(reader, tree, &aside.path().join("stamps"), aside.path())
            }
            stamps => stamps,
        }
    }

    fn write_stamps(
        &self,
        reader: &mut Reader<'_>,
        tree: ObjectId,
        place: &Path,
        temporaries: &Path,
    ) -> Result<Stamps, Error> {
        let old = Stamps::open(&local::stamps_file(&self.location.folder));
        let mut known = old.as_ref().and_then(|old| old.finder().ok());
        // What stands in old stamps was old enough when it was written.
        let mut writer = StampsWriter::new(None, temporaries, i64::MAX)?;
        for entry in tree::walk(&tree, None, |id| reader.node(id))? {
            let entry = entry?;
            let Some(record) = unknown(&entry.target) else { continue };
            // A stamp of the same content holds for every tree that has it at this path.
            let found = known.as_mut().and_then(|known| known.find(&entry.path).ok().flatten());
            let record = found
                .filter(|found| found.id == record.id && found.stamp.kind() == record.stamp.kind())
                .unwrap_or(record);
            writer.put(&entry.path, record)?;
        }
        writer.finish(place, &tree)?;
        Stamps::reopen(place).map_err(|error| Error::io("read the stamps back", place, error))
    }
}

/// The record of a file of which only the content is known; `None` for what is no file.
pub(super) fn unknown(target: &Target) -> Option<Record> {
    let (kind, id, size) = match *target {
        Target::File { id, size, executable: false, .. } => (FileKind::File, id, size),
        Target::File { id, size, executable: true, .. } => (FileKind::Executable, id, size),
        Target::Symlink { id, size } => (FileKind::Symlink, id, size),
        Target::Directory { .. } | Target::Commit { .. } => return None,
    };
    Some(Record { stamp: Stamp::unknown(kind, size), id })
}
