//! How the contents of two versions of a file differ, whatever they are and wherever they lie.

use std::ops::ControlFlow;

use super::read::{Files, Refusal};
use super::weights::{self, Header, TensorHasher, TensorIds, Tensors};
use super::{ContentDiff, DiffRequest, DiffSides, FileDiff, FileSide, PATCH_BYTES_MAX};
use crate::object::TreePath;
use crate::progress::Progress;
use crate::repo::table::{self, RowDiff};
use crate::repo::{DocumentLanguage, Repository, TextDiff, is_binary, keyed_diff, text_diff};
use crate::worktree::settings::Settings;
use crate::worktree::stamps::FileKind;

/// The tensors of larger files are only compared by their headers, bytes.
const TENSOR_BYTES_MAX: u64 = 1 << 30;

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

/// Compares contents, if anybody wants that.
pub(super) struct Contents<'a> {
    /// What reads them.
    pub files: Files<'a>,
    /// Why the last file was not compared by row, if it could have been.
    pub no_table: Option<String>,
    is_wanted: bool,
    /// How many rows to show of tables, if they are compared as such.
    row_samples: Option<usize>,
    sides: DiffSides,
    /// What `provenance.toml` of the new side declares, once it was read.
    settings: Option<Settings>,
}

impl<'a> Contents<'a> {
    pub fn new(repository: &'a Repository, request: &DiffRequest, progress: &'a Progress) -> Self {
        Self {
            files: Files::new(repository, progress),
            no_table: None,
            is_wanted: request.reads_contents,
            row_samples: request.row_samples,
            sides: request.sides,
            settings: None,
        }
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
            return Ok(Some(ContentDiff::Links {
                old: self.files.target(old)?,
                new: self.files.target(new)?,
            }));
        }
        if let (Some(old), Some(new)) = (old, new)
            && let Some(rows) = self.rows(old, new)?
        {
            return Ok(Some(ContentDiff::Rows(rows)));
        }
        let is_large = |(_, side): &(&TreePath, &FileSide)| side.size > PATCH_BYTES_MAX;
        if sides.iter().any(is_large) {
            for (path, side) in &sides {
                let probe = self.files.head(path, side, PROBE_BYTES)?;
                if is_binary(&probe) {
                    return self.binary(old, new, &probe).map(Some);
                }
            }
            return Ok(Some(ContentDiff::TooLarge));
        }
        self.compare_small(old, new).map(Some)
    }

    /// Compares two tables; none if they are to be compared as other texts.
    fn rows(
        &mut self,
        old: (&TreePath, &FileSide),
        new: (&TreePath, &FileSide),
    ) -> Result<Option<Box<RowDiff>>, Refusal> {
        let Some(sample_count) = self.row_samples.filter(|_| table::can_be(new.0)) else {
            return Ok(None);
        };
        let declared = self.settings()?.declaration_of(new.0);
        let key = declared.and_then(|declared| declared.key.clone());
        let sides = table::TableSides { old, new, key, sample_count };
        match table::compare(&self.files, &sides)? {
            table::Verdict::Rows(rows) => Ok(Some(rows)),
            table::Verdict::NoTable(why) => {
                // An empty file needs no words.
                self.no_table = (old.1.size > 0 && new.1.size > 0).then_some(why);
                Ok(None)
            }
        }
    }

    /// Reads `provenance.toml` of the new side; what is wrong in it is said by `commit`.
    fn settings(&mut self) -> Result<&Settings, Refusal> {
        let settings = match self.settings.take() {
            Some(settings) => settings,
            None => match self.sides {
                DiffSides::Trees { new, .. } => self.files.settings_of(&new)?,
                DiffSides::Worktree { .. } => self.files.settings_of_worktree(),
            },
        };
        Ok(self.settings.insert(settings))
    }

    fn compare_small(
        &mut self,
        old: Option<(&TreePath, &FileSide)>,
        new: Option<(&TreePath, &FileSide)>,
    ) -> Result<ContentDiff, Refusal> {
        let (Some(before), Some(after)) = (self.files.whole(old)?, self.files.whole(new)?) else {
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

    /// Compares the tensors of weights; none where a header is malformed.
    fn tensors(
        &mut self,
        old: Option<(&TreePath, &FileSide)>,
        new: Option<(&TreePath, &FileSide)>,
    ) -> Result<Option<Tensors>, Refusal> {
        let (Some(before), Some(after)) = (self.header(old)?, self.header(new)?) else {
            return Ok(None);
        };
        let mut tensors = Tensors::compare(&before, &after);
        if let (Some(old), Some(new)) = (old, new)
            && old.1.size.max(new.1.size) <= TENSOR_BYTES_MAX
        {
            let ids = (self.tensor_ids(old, &before)?, self.tensor_ids(new, &after)?);
            if let (Some(old), Some(new)) = ids {
                tensors.changed = Some(weights::count_changed(&before, &old, &after, &new));
            }
        }
        Ok(Some(tensors))
    }

    fn header(&mut self, side: Option<(&TreePath, &FileSide)>) -> Result<Option<Header>, Refusal> {
        let Some((path, side)) = side else { return Ok(Some(Header::default())) };
        let start = self.files.head(path, side, weights::LENGTH_BYTES)?;
        let needed = weights::needed(&start).filter(|needed| *needed <= side.size);
        match needed.and_then(|needed| usize::try_from(needed).ok()) {
            Some(needed) => Ok(Header::parse(&self.files.head(path, side, needed)?)),
            None => Ok(None),
        }
    }

    /// Hashes each tensor, in one pass over the file.
    fn tensor_ids(
        &mut self,
        (path, side): (&TreePath, &FileSide),
        header: &Header,
    ) -> Result<Option<TensorIds>, Refusal> {
        let Some(mut hasher) = TensorHasher::new(header) else { return Ok(None) };
        self.files.each(path, side, |piece| {
            hasher.update(piece);
            ControlFlow::Continue(())
        })?;
        Ok(hasher.finish())
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
