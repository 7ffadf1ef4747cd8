//! Reading: positioned reads with bounds, and maps where nobody else can cut the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use memmap2::Mmap;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Key, Root, Source, StorageError};
use crate::listing;

/// An open file of a folder.
#[derive(Debug)]
pub(super) struct FolderSource {
    key: Key,
    file: File,
    bytes: u64,
    is_local: bool,
    map: OnceLock<Option<Mmap>>,
}

impl FolderSource {
    pub(super) fn open(root: &Root, key: &Key) -> Result<Option<Self>, StorageError> {
        let failed = |source| StorageError::system("open the file", key.as_str(), source);
        let path = root.path_of(key);
        let Some(file) = look_again(root, key, || open_plain(&path)).map_err(failed)? else {
            return Ok(None);
        };
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            return Err(failed(io::Error::from(Errno::INVAL)));
        }
        let (key, is_local) = (key.clone(), root.is_local);
        Ok(Some(Self { key, file, bytes: found.len(), is_local, map: OnceLock::new() }))
    }
}

impl Source for FolderSource {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        super::super::check_bounds(&self.key, offset, into.len(), self.bytes)?;
        match self.file.read_exact_at(into, offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let found = self.file.metadata().map_or(0, |found| found.len());
                let (path, expected) = (self.key.to_string(), self.bytes);
                Err(StorageError::Length { path, expected, found })
            }
            Err(error) => Err(StorageError::system("read the file", self.key.as_str(), error)),
            Ok(()) => Ok(()),
        }
    }

    fn map(&self) -> Option<&[u8]> {
        if !self.is_local {
            return None;
        }
        self.map.get_or_init(|| map(&self.file)).as_deref()
    }
}

/// Opens for reading; a symbolic link could lead anywhere, and a pipe would wait for ever.
pub(super) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let open = || rustix::fs::open(path, flags, Mode::empty());
    Ok(File::from(rustix::io::retry_on_intr(open)?))
}

#[expect(unsafe_code, reason = "a map is the only way to read without copying")]
fn map(file: &File) -> Option<Mmap> {
    // SAFETY: stored files are never written after they got their name, and only files on disks
    // of this machine are mapped, so the bytes cannot change under the slice.
    unsafe { Mmap::map(file) }.ok()
}

/// Asks `find` for a file; where the folder may be another machine's, asks twice before "absent".
///
/// An NFS client that saw "no such file" once may go on saying so for half a minute, although
/// the file is there by now; opening the folder makes it ask the server again.
pub(super) fn look_again<T>(
    root: &Root,
    key: &Key,
    find: impl Fn() -> io::Result<T>,
) -> io::Result<Option<T>> {
    let absent = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    };
    match find() {
        Ok(found) => return Ok(Some(found)),
        Err(error) if !absent(&error) => return Err(error),
        Err(_) if root.is_local => return Ok(None),
        Err(_) => {}
    }
    // Held open while asking again; that it is missing too is an answer of its own.
    let _folder = listing::entries(&root.path.join(key.folder()));
    match find() {
        Err(error) if absent(&error) => Ok(None),
        found => found.map(Some),
    }
}

/// Tells whether a path is on a disk of this machine: only file systems that are known to be.
#[cfg(target_os = "linux")]
pub(super) fn is_local(path: &Path) -> bool {
    /// Magic numbers from `linux/magic.h` and `statfs(2)`.
    const LOCAL: &[u32] = &[
        0x0000_EF53, // ext2, ext3, ext4
        0x5846_5342, // XFS
        0x9123_683E, // btrfs
        0xCA45_1A4E, // bcachefs
        0xF2F5_2010, // F2FS
        0x2FC1_2FC1, // ZFS
        0x0102_1994, // tmpfs
        0x8584_58F6, // ramfs
        0x794C_7630, // overlayfs
        0x3153_464A, // JFS
        0x7366_746E, // NTFS
        0x2011_BAB0, // exFAT
    ];
    // The type of the field differs between machines; the magic numbers all fit 32 bits.
    rustix::fs::statfs(path)
        .is_ok_and(|found| LOCAL.iter().any(|magic| i128::from(found.f_type) == (*magic).into()))
}

/// Tells whether a path is on a disk of this machine: not known here, so nothing is mapped.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_local(_path: &Path) -> bool {
    false
}
