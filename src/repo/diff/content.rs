//! How the contents of two versions of a file differ, whatever they are and wherever they lie.

use std::io::{self, Read as _};

use super::weights::{self, Tensors};
use super::{ContentDiff, FileDiff, FileSide};
use crate::object::{ObjectId, TreePath};
use crate::repo::halt::Halt;
use crate::repo::{DocumentLanguage, Error, Repository, TextDiff, is_binary};
use crate::repo::{keyed_diff, text_diff};
use crate::store::Reader;
use crate::worktree::directory::Directory;
use crate::worktree::open;
use crate::worktree::stamps::FileKind;

/// Longer texts are not compared line by line, bytes.
pub const PATCH_BYTES_MAX: u64 = 4 << 20;

/// Bytes at the beginning of a file that tell what it is.
const PROBE_BYTES: usize = 8_000;

/// Equal lines around a difference.
const CONTEXT_LINES: usize = 3;

/// What files are by how they begin.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"BZh", "bzip2 data"),
    (b"PAR1", "Parquet table"),
    (b"ARROW1", "Arrow table"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 data"),
    (b"\x93NUMPY", "NumPy array"),
    (b"GGUF", "GGUF weights"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\x7fELF", "ELF program"),
    (b"RIFF", "RIFF media"),
];

/// What files are by the end of their names, where the beginning does not tell.
const ENDINGS: &[(&[u8], &str)] = &[
    (b".npz", "NumPy arrays"),
    (b".pt", "PyTorch weights"),
    (b".pth", "PyTorch weights"),
    (b".safetensors", "safetensors weights"),
    (b".onnx", "ONNX model"),
    (b".pkl", "Python pickle"),
    (b".whl", "Python wheel"),
];

/// Why contents could not be compared.
pub(super) enum Refusal {
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

/// Reads contents from the store and from the worktree.
pub(super) struct Contents<'a> {
    repository: &'a Repository,
    reader: Reader<'a>,
    root: Option<Directory>,
    is_wanted: bool,
}

impl<'a> Contents<'a> {
    pub fn new(repository: &'a Repository, is_wanted: bool) -> Self {
        Self { repository, reader: repository.store.reader(), root: None, is_wanted }
    }

    /// Compares the contents of a file; none if nobody asked.
    pub fn compare(&mut self, diff: &FileDiff) -> Result<Option<ContentDiff>, Refusal> {
        if !self.is_wanted {
            return Ok(None);
        }
        let old_path = diff.renamed.as_ref().map_or(&diff.path, |(old, _)| old);
        let old = diff.old.as_ref().map(|side| (old_path, side));
        let new = diff.new.as_ref().map(|side| (&diff.path, side));
        let sides: Vec<(&TreePath, &FileSide)> = old.into_iter().chain(new).collect();
        if sides.iter().any(|(_, side)| side.kind.is_none()) {
            return Ok(Some(ContentDiff::Same));
        }
        if let [(_, old), (_, new)] = sides.as_slice()
            && (old.id.is_some() && old.id == new.id)
        {
            return Ok(Some(ContentDiff::Same));
        }
        if sides.iter().any(|(_, side)| side.kind == Some(FileKind::Symlink)) {
            return Ok(Some(ContentDiff::Links { old: self.target(old)?, new: self.target(new)? }));
        }
        let is_large = |(_, side): &(&TreePath, &FileSide)| side.size > PATCH_BYTES_MAX;
        if sides.iter().any(is_large) {
            for (path, side) in &sides {
                let probe = self.head(path, side, PROBE_BYTES)?;
                if is_binary(&probe) {
                    return self.binary(old, new, &probe).map(Some);
                }
            }
            return Ok(Some(ContentDiff::TooLarge));
        }
        self.compare_small(old, new).map(Some)
    }

    fn compare_small(
        &mut self,
        old: Option<(&TreePath, &FileSide)>,
        new: Option<(&TreePath, &FileSide)>,
    ) -> Result<ContentDiff, Refusal> {
        let (Some(before), Some(after)) = (self.whole(old)?, self.whole(new)?) else {
            return Ok(ContentDiff::TooLarge);
        };
        if is_binary(&before) || is_binary(&after) {
            return self.binary(old, new, if new.is_some() { &after } else { &before });
        }
        if let (Some((path, _)), Some(_)) = (new, old)
            && let Some(language) = DocumentLanguage::of_name(path.last_name())
            && let Some(changes) = keyed_diff(language, &before, &after)
        {
            return Ok(ContentDiff::Keys(changes));
        }
        Ok(match text_diff(&before, &after, CONTEXT_LINES) {
            TextDiff::Patch(hunks) if hunks.is_empty() => ContentDiff::Same,
            TextDiff::Patch(hunks) => ContentDiff::Patch(hunks),
            TextDiff::Binary => ContentDiff::Binary { what: "binary file", tensors: None },
            TextDiff::TooLarge => ContentDiff::TooLarge,
        })
    }

    fn binary(
        &mut self,
        old: Option<(&TreePath, &FileSide)>,
        new: Option<(&TreePath, &FileSide)>,
        probe: &[u8],
    ) -> Result<ContentDiff, Refusal> {
        let name = new.or(old).map_or(&b""[..], |(path, _)| path.last_name());
        let what = what_is(name, probe);
        let tensors = match name.ends_with(b".safetensors") {
            true => self.tensors(old, new)?,
            false => None,
        };
        Ok(ContentDiff::Binary { what, tensors })
    }

    /// Compares the headers of weights; none where one is malformed.
    fn tensors(
        &mut self,
        old: Option<(&TreePath, &FileSide)>,
        new: Option<(&TreePath, &FileSide)>,
    ) -> Result<Option<Tensors>, Refusal> {
        let mut headers = [None, None];
        for (header, side) in headers.iter_mut().zip([old, new]) {
            *header = match side {
                None => Some(weights::Header::default()),
                Some((path, side)) => {
                    let bytes = self.head(path, side, weights::LENGTH_BYTES)?;
                    let needed = weights::needed(&bytes).filter(|needed| *needed <= side.size);
                    let needed = needed.and_then(|needed| usize::try_from(needed).ok());
                    match needed {
                        Some(needed) => weights::Header::parse(&self.head(path, side, needed)?),
                        None => None,
                    }
                }
            };
        }
        let [old, new] = headers;
        Ok(old.zip(new).map(|(old, new)| Tensors::compare(&old, &new)))
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
    fn target(&mut self, side: Option<(&TreePath, &FileSide)>) -> Result<Option<Vec<u8>>, Refusal> {
        let Some((path, side)) = side else { return Ok(None) };
        match (side.kind, side.id.filter(|_| !side.is_in_worktree)) {
            (Some(FileKind::Symlink), Some(id)) => Ok(Some(self.stored_head(&id, usize::MAX)?)),
            (Some(FileKind::Symlink), None) => Ok(Some(open::read_link(self.root()?, path)?)),
            _ => Ok(None),
        }
    }

    /// Reads up to `bytes_max` bytes from the beginning of a file.
    fn head(
        &mut self,
        path: &TreePath,
        side: &FileSide,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Refusal> {
        match side.id.filter(|_| !side.is_in_worktree) {
            Some(id) => Ok(self.stored_head(&id, bytes_max)?),
            None => {
                let file = open::open_file(self.root()?, path)?;
                if open::look(&file)?.is_none() {
                    return Err(io::Error::other("it is no regular file any more").into());
                }
                let mut bytes = Vec::new();
                let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
                file.take(limit).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    fn stored_head(&mut self, id: &ObjectId, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let streamed = self.reader.stream(id, |piece| {
            let left = bytes_max.saturating_sub(bytes.len());
            bytes.extend_from_slice(piece.get(..left).unwrap_or(piece));
            if bytes.len() >= bytes_max { Err(Halt::Taker(())) } else { Ok(()) }
        });
        match streamed {
            Ok(()) | Err(Halt::Taker(())) => Ok(bytes),
            Err(Halt::Own(error)) => Err(error),
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

/// Says what a file that is not text is, as far as its beginning or its name tells.
fn what_is(name: &[u8], probe: &[u8]) -> &'static str {
    let by_ending = ENDINGS.iter().find(|(end, _)| name.ends_with(end));
    let by_magic = MAGIC.iter().find(|(start, _)| probe.starts_with(start));
    by_ending.or(by_magic).map_or("binary file", |(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_tells_more_than_the_archive_it_is() {
        assert_eq!(what_is(b"model.pt", b"PK\x03\x04"), "PyTorch weights");
        assert_eq!(what_is(b"photo", b"\xff\xd8\xff\xe0"), "JPEG image");
        assert_eq!(what_is(b"", b"\0"), "binary file");
    }
}
