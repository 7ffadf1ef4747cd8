//! The bytes of one side of a difference, from the store or from the worktree.

use std::io::{self, Read as _};
use std::ops::ControlFlow;

use super::{FileSide, PATCH_BYTES_MAX};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::repo::artifacts::load_settings;
use crate::repo::halt::Halt;
use crate::repo::{Error, Repository};
use crate::store::Reader;
use crate::worktree::directory::Directory;
use crate::worktree::open;
use crate::worktree::settings::{self, Settings};
use crate::worktree::stamps::FileKind;
#[cfg(feature = "parquet")]
use crate::worktree::{local, scratch::Scratch};

/// Bytes that are read from a file of the worktree at once.
const PIECE_BYTES: usize = 1 << 20;

/// Why contents could not be compared.
pub(in crate::repo) enum Refusal {
    /// A file of the worktree cannot be read.
    Unreadable(io::Error),
    /// The store failed.
    Store(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Reads files wherever they lie; a side that is not there is empty.
pub(in crate::repo) struct Files<'a> {
    repository: &'a Repository,
    reader: Reader<'a>,
    root: Option<Directory>,
    progress: &'a Progress,
    /// What was read for use out of order last.
    #[cfg(feature = "parquet")]
    scratches: super::scratches::Scratches,
}

impl<'a> Files<'a> {
    pub fn new(repository: &'a Repository, progress: &'a Progress) -> Self {
        Self {
            repository,
            reader: repository.store.reader(),
            root: None,
            progress,
            #[cfg(feature = "parquet")]
            scratches: Default::default(),
        }
    }

    /// Makes another one, for another thread.
    pub fn again(&self) -> Self {
        Self {
            #[cfg(feature = "parquet")]
            scratches: self.scratches.clone(),
            ..Self::new(self.repository, self.progress)
        }
    }

    /// Gives a file for reading out of order.
    ///
    /// Cost: copies it to a file without a name; the last two are kept.
    #[cfg(feature = "parquet")]
    pub fn scratch(
        &mut self,
        (path, side): (&TreePath, &FileSide),
    ) -> Result<std::sync::Arc<Scratch>, Refusal> {
        if let Some(scratch) = self.scratches.find(path, side) {
            return Ok(scratch);
        }
        let folder = local::temporaries(&self.repository.location.folder);
        let failed = |error| Error::io("write a temporary file", &folder, error);
        let mut scratch = Scratch::new(&folder).map_err(failed)?;
        let mut written = Ok(());
        self.each(path, side, |piece| {
            written = scratch.push(piece);
            if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        written.map_err(failed)?;
        Ok(self.scratches.keep(path, side, scratch))
    }

    /// Says whether to stop.
    pub fn check(&self) -> Result<(), Refusal> {
        self.progress.check().map_err(|stopped| Refusal::Store(stopped.into()))
    }

    /// Reads what `provenance.toml` declares in a tree; nothing if it is malformed.
    pub fn settings_of(&mut self, tree: &ObjectId) -> Result<Settings, Refusal> {
        match load_settings(&mut self.reader, tree) {
            Err(Error::Artifacts(_)) => Ok(Settings::default()),
            settings => Ok(settings?),
        }
    }

    /// Reads what `provenance.toml` declares in the worktree; nothing if that cannot be read.
    pub fn settings_of_worktree(&self) -> Settings {
        let bytes = settings::load(&self.repository.location.root).unwrap_or_default();
        settings::parse(&bytes).unwrap_or_default()
    }

    /// Reads a whole file of at most [`PATCH_BYTES_MAX`]; none if it has become longer.
    pub fn whole(
        &mut self,
        side: Option<(&TreePath, &FileSide)>,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let Some((path, side)) = side else { return Ok(Some(Vec::new())) };
        let bytes_max = usize::try_from(PATCH_BYTES_MAX).unwrap_or(usize::MAX);
        let bytes = self.head(path, side, bytes_max.saturating_add(1))?;
        Ok((bytes.len() <= bytes_max).then_some(bytes))
    }

    /// Reads the target of a link; none of what is no link.
    pub fn target(
        &mut self,
        side: Option<(&TreePath, &FileSide)>,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let Some((path, side)) = side.filter(|(_, side)| side.kind == Some(FileKind::Symlink))
        else {
            return Ok(None);
        };
        if side.is_in_worktree {
            return Ok(Some(open::read_link(self.root()?, path)?));
        }
        self.head(path, side, PIECE_BYTES).map(Some)
    }

    /// Reads up to `bytes_max` bytes from the beginning of a file.
    pub fn head(
        &mut self,
        path: &TreePath,
        side: &FileSide,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        self.each(path, side, |piece| {
            let left = bytes_max.saturating_sub(bytes.len());
            bytes.extend_from_slice(piece.get(..left).unwrap_or(piece));
            match bytes.len() >= bytes_max {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        Ok(bytes)
    }

    /// Gives a file piece by piece, until `take` has enough.
    pub fn each(
        &mut self,
        path: &TreePath,
        side: &FileSide,
        take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), Refusal> {
        match side.id.filter(|_| !side.is_in_worktree) {
            Some(id) => Ok(self.each_stored(&id, take)?),
            None => self.each_in_worktree(path, take),
        }
    }

    fn each_stored(
        &mut self,
        id: &ObjectId,
        mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let progress = self.progress;
        let streamed = self.reader.stream(id, |piece| {
            progress.check().map_err(Error::from)?;
            if take(piece).is_break() { Err(Halt::Taker(())) } else { Ok(()) }
        });
        match streamed {
            Ok(()) | Err(Halt::Taker(())) => Ok(()),
            Err(Halt::Own(error)) => Err(error),
        }
    }

    fn each_in_worktree(
        &mut self,
        path: &TreePath,
        mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), Refusal> {
        let mut file = open::open_file(self.root()?, path)?;
        if open::look(&file)?.is_none() {
            return Err(io::Error::other("it is no regular file any more").into());
        }
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            self.progress.check().map_err(Error::from)?;
            let count = match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if take(buffer.get(..count).unwrap_or_default()).is_break() {
                return Ok(());
            }
        }
    }

    fn root(&mut self) -> Result<&Directory, Error> {
        let place = &self.repository.location.root;
        let root = match self.root.take() {
            Some(root) => root,
            None => {
                open::root(place).map_err(|error| Error::io("open the worktree", place, error))?
            }
        };
        Ok(self.root.insert(root))
    }
}
