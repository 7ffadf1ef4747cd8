//! The fingerprint of a file, and of a directory with all that is in it.

use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Answer, AskError, unreachable};
use crate::capture::plain;
use crate::listing;
use crate::object::{IdHasher, ObjectId};
use crate::progress::{Phase, Progress};

/// Large enough for BLAKE3 to use all lanes of its vectors, small enough for a cache.
const READ_BYTES: usize = 256 << 10;

/// How many directories may lie in one another.
const DEPTH_MAX: usize = 256;

/// Reads what is at a path.
pub(super) fn ask(path: &Path, progress: &Progress) -> Result<Answer, AskError> {
    progress.begin(Phase { name: "reading the source", ..Phase::default() });
    let metadata = fs::metadata(path).map_err(|error| failed(path, &error))?;
    let mut reading = Reading { progress, buffer: vec![0; READ_BYTES], files: 0 };
    if !metadata.is_dir() {
        let id = reading.file(path)?;
        return Ok(Answer { id, evidence: Some(format!("{} bytes", metadata.len())) });
    }
    let mut lines = IdHasher::new();
    reading.directory(path, &mut Vec::new(), &mut lines, 0)?;
    let files = if reading.files == 1 { "file" } else { "files" };
    Ok(Answer { id: lines.finish(), evidence: Some(format!("{} {files}", reading.files)) })
}

struct Reading<'p> {
    progress: &'p Progress,
    buffer: Vec<u8>,
    files: u64,
}

impl Reading<'_> {
    /// Hashes a line for everything in a directory, as `b3sum` prints them.
    fn directory(
        &mut self,
        path: &Path,
        inside: &mut Vec<u8>,
        lines: &mut IdHasher,
        depth: usize,
    ) -> Result<(), AskError> {
        if depth > DEPTH_MAX {
            return Err(unreachable("directories lie too deep in one another"));
        }
        let failed_here = |error: io::Error| failed(path, &error);
        let entries = listing::entries(path).map_err(failed_here)?;
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.map(|entry| entry.path))
            .collect::<Result<_, _>>()
            .map_err(failed_here)?;
        paths.sort_unstable_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
        for path in paths {
            self.progress.check()?;
            let before = inside.len();
            inside.extend(path.file_name().unwrap_or_default().as_bytes());
            let kind = fs::symlink_metadata(&path).map_err(|error| failed(&path, &error))?;
            if kind.is_dir() {
                inside.push(b'/');
                self.directory(&path, inside, lines, depth + 1)?;
            } else {
                self.files += 1;
                match kind.is_symlink() {
                    true => {
                        let target = fs::read_link(&path).map_err(|error| failed(&path, &error))?;
                        lines.update(b"-> ");
                        lines.update(target.as_os_str().as_bytes());
                    }
                    false => lines.update(self.file(&path)?.to_string().as_bytes()),
                }
                lines.update(b"  ");
                lines.update(inside);
                lines.update(b"\n");
            }
            inside.truncate(before);
        }
        Ok(())
    }

    /// Hashes a file that holds still.
    fn file(&mut self, path: &Path) -> Result<ObjectId, AskError> {
        let failed = |error: io::Error| failed(path, &error);
        let mut file = plain::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => {
                unreachable(&format!("neither a file nor a directory, path={path:?}"))
            }
            _ => failed(error),
        })?;
        let before = state(&file.metadata().map_err(failed)?);
        let mut hasher = IdHasher::new();
        loop {
            self.progress.check()?;
            match file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(self.buffer.get(..count).unwrap_or_default());
                    self.progress.add_bytes(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.progress.add_files(1);
        match state(&file.metadata().map_err(failed)?) == before {
            true => Ok(hasher.finish()),
            false => Err(unreachable(&format!("it changed while it was read, path={path:?}"))),
        }
    }
}

fn state(found: &Metadata) -> (u64, i64, i64, i64, i64) {
    (found.len(), found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec())
}

fn failed(path: &Path, error: &io::Error) -> AskError {
    unreachable(&format!("{error}, path={path:?}"))
}
