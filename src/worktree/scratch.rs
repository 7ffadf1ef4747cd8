//! A file without a name: what is needed out of order, for as long as it is needed.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Bytes on disk that vanish with the last who holds them.
#[derive(Debug)]
pub struct Scratch {
    file: File,
    bytes: u64,
}

impl Scratch {
    /// Begins with nothing, on the disk of `folder`; where nothing may be written there, among the
    /// system's temporary files.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder).or_else(|_| tempfile::tempfile())?;
        Ok(Self { file, bytes: 0 })
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Tells how long it is, in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads some bytes from a place; none behind the end.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }

    /// Reads bytes that must all be there.
    ///
    /// Errors: the end comes before; nothing was allocated then.
    pub fn range(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        if offset.checked_add(length).is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_from_any_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut scratch = Scratch::new(folder.path()).expect("made");
        Scratch::new(&folder.path().join("absent")).expect("made elsewhere");
        scratch.push(b"abc").expect("written");
        scratch.push(b"def").expect("written");
        assert_eq!(scratch.bytes(), 6);
        assert_eq!(scratch.range(2, 3).expect("there"), b"cde");
        assert!(scratch.range(4, 3).is_err() && scratch.range(u64::MAX, 2).is_err());
        let mut into = [0; 4];
        assert_eq!(scratch.read_at(5, &mut into).expect("read"), 1);
    }
}
