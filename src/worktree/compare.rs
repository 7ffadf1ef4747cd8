//! Whether a file that may have changed has: its content is hashed, in parallel, and nothing kept.

use std::io::{self, Read as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::directory::Directory;
use super::open;
use crate::format::stamps::{FileKind, Stamp};
use crate::object::{IdHasher, ObjectId, TreePath};
use crate::progress::Progress;
use crate::threads;

/// Bytes that are read and hashed at once.
const PIECE_BYTES: usize = 1 << 20;

/// What a file holds now.
#[derive(Debug)]
pub enum Now {
    /// This content, read while the file looked like this, before and after.
    Content(ObjectId, Stamp),
    /// Something else than the kind of file that was expected, or it changed while it was read.
    Moving,
    /// It cannot be read.
    Unreadable(io::Error),
}

/// Hashes files; gives their contents in the same order.
///
/// Shape: fewer answers than files if the wish to stop was seen. Cost: one read of each file, a
/// buffer of 1 MiB for each thread.
pub fn hash_files(
    root: &Directory,
    files: &[(&TreePath, Option<FileKind>)],
    thread_count: usize,
    progress: &Progress,
) -> Vec<Now> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        let mut buffer = vec![0; PIECE_BYTES];
        while progress.check().is_ok() {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, kind)) = files.get(position) else { return };
            let now = hash(root, path, *kind, &mut buffer, progress);
            let mut answers = answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            answers.push((position, now));
        }
    };
    if !files.is_empty() {
        threads::share(thread_count.min(files.len()), work);
    }
    let mut answers = answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    answers.sort_by_key(|(position, _)| *position);
    answers.into_iter().map(|(_, now)| now).collect()
}

fn hash(
    root: &Directory,
    path: &TreePath,
    kind: Option<FileKind>,
    buffer: &mut [u8],
    progress: &Progress,
) -> Now {
    let outcome = match kind {
        Some(FileKind::Symlink) => link(root, path),
        Some(_) => file(root, path, buffer, progress),
        None => Ok(Now::Moving),
    };
    progress.add_files(1);
    outcome.unwrap_or_else(Now::Unreadable)
}

fn link(root: &Directory, path: &TreePath) -> io::Result<Now> {
    let before = open::look_at_link(root, path)?;
    let target = open::read_link(root, path)?;
    let is_same = open::look_at_link(root, path)? == before;
    Ok(if is_same { Now::Content(ObjectId::of(&target), before) } else { Now::Moving })
}

fn file(
    root: &Directory,
    path: &TreePath,
    buffer: &mut [u8],
    progress: &Progress,
) -> io::Result<Now> {
    let file = open::open_file(root, path)?;
    let Some(before) = open::look(&file)? else { return Ok(Now::Moving) };
    // Of one that grows, no more than shows it: it may go on for ever.
    let mut content = (&file).take(before.size.saturating_add(1));
    let mut hasher = IdHasher::new();
    let mut bytes: u64 = 0;
    loop {
        let count = match content.read(buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(buffer.get(..count).unwrap_or_default());
        bytes += u64::try_from(count).unwrap_or(0);
        progress.add_bytes(u64::try_from(count).unwrap_or(0));
        if progress.check().is_err() {
            return Ok(Now::Moving);
        }
    }
    let is_same = open::look(&file)? == Some(before) && bytes == before.size;
    Ok(if is_same { Now::Content(hasher.finish(), before) } else { Now::Moving })
}
