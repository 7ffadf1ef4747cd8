//! The id that a file would get, from one read of it; nothing is stored.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::object::{ContentHasher, IdHasher, ObjectId, Sha256};
use crate::progress::Progress;

/// Large enough for BLAKE3 to use all lanes of its vectors, small enough for a cache.
const READ_BYTES: usize = 256 << 10;

/// Hashes a file, or what comes from a pipe.
///
/// Errors: of opening or reading, a directory included; a stop that was asked for comes as
/// [`io::ErrorKind::Other`] with [`crate::progress::Stopped`] inside.
pub fn hash_file(path: &Path, progress: &Progress) -> io::Result<(ObjectId, u64)> {
    hash(File::open(path)?, progress)
}

/// Hashes all that `source` gives; also the number of bytes.
pub fn hash(source: impl Read, progress: &Progress) -> io::Result<(ObjectId, u64)> {
    let mut hasher = IdHasher::new();
    let bytes = each_piece(source, progress, |piece| hasher.update(piece))?;
    Ok((hasher.finish(), bytes))
}

/// Hashes all that `source` gives to what a tree says of a file; also the number of bytes.
pub fn hash_content(source: impl Read, progress: &Progress) -> io::Result<(ObjectId, Sha256, u64)> {
    let mut hasher = ContentHasher::new();
    let bytes = each_piece(source, progress, |piece| hasher.update(piece))?;
    let (id, sha256) = hasher.finish();
    Ok((id, sha256, bytes))
}

fn each_piece(
    mut source: impl Read,
    progress: &Progress,
    mut take: impl FnMut(&[u8]),
) -> io::Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let mut total: u64 = 0;
    loop {
        progress.check().map_err(io::Error::other)?;
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        take(buffer.get(..count).unwrap_or_default());
        total += count as u64;
        progress.add_bytes(count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_hashes_as_a_whole() {
        for length in [0, 1, READ_BYTES, READ_BYTES + 1] {
            let content = vec![7; length];
            let hashed = hash(content.as_slice(), &Progress::default()).expect("is read");
            assert_eq!(hashed, (ObjectId::of(&content), length as u64));
        }
    }

    #[test]
    fn a_directory_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(hash_file(dir.path(), &Progress::default()).is_err());
    }
}
