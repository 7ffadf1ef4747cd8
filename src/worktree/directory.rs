//! One directory of the worktree, held by its descriptor: every look goes through it by name.
//!
//! Names are single components and symbolic links are never followed, so no look can leave the
//! directory, however long its path is and whoever swaps its parents meanwhile.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir};
use rustix::io::retry_on_intr;

use crate::format::stamps::Stamp;

const SECOND_NS: i64 = 1_000_000_000;
/// Bytes of one read of a directory: about 800 names for one system call.
const READ_BYTES: usize = 32 * 1024;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
}

/// What lies under a name, as far as the directory itself tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A file or a symbolic link.
    File,
    /// A directory.
    Directory,
    /// A FIFO, socket or device.
    Special(Special),
}

/// What a tree cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A named pipe; opening it would wait for a writer.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device.
    Device,
}

impl Directory {
    /// Opens the worktree's root, whose own path may lead through symbolic links.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { fd: retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))? })
    }

    /// Opens a directory directly inside.
    ///
    /// Errors: `ENOTDIR` and `ELOOP` for anything that is not itself a directory.
    pub fn open_directory(&self, name: &CStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(&self.fd, name, flags, Mode::empty());
        Ok(Self { fd: retry_on_intr(open)? })
    }

    /// Opens a file directly inside for reading, without waiting for anything.
    pub fn open_file(&self, name: &CStr) -> io::Result<File> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(&self.fd, name, flags, Mode::empty());
        Ok(File::from(retry_on_intr(open)?))
    }

    /// Reads the target of a symbolic link directly inside.
    pub fn read_link(&self, name: &CStr) -> io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(&self.fd, name, Vec::new())?.into_bytes())
    }

    /// Looks at what lies under a name, the link itself where it is one.
    pub fn stat(&self, name: &CStr) -> io::Result<Stamp> {
        Ok(stamp_of(&rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Makes all durable that was written to its file system until now.
    ///
    /// Errors: a write that failed since this was opened, too. Cost: one sync, however many files.
    pub fn settle(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.fd)?)
    }

    /// Looks at the directory itself; gives the number of its device, too.
    pub fn stat_self(&self) -> io::Result<(Stamp, u64)> {
        let stat = rustix::fs::fstat(&self.fd)?;
        Ok((stamp_of(&stat), stat.st_dev))
    }

    /// Lists what is inside, sorted by the bytes of the names, each name once.
    ///
    /// Cost: memory for all names; one more look per name where the file system gives no kinds.
    pub(super) fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        let mut buffer = [MaybeUninit::uninit(); READ_BYTES];
        let mut entries = RawDir::new(&self.fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match kind_of(entry.file_type()) {
                Some(kind) => kind,
                None => match self.stat(name) {
                    Ok(stamp) => kind_of_stamp(&stamp),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
            };
            listing.push(name, kind);
        }
        listing.sort();
        Ok(listing)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl std::fmt::Display for Special {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fifo => "FIFO",
            Self::Socket => "socket",
            Self::Device => "device",
        })
    }
}

/// Translates what the system says of a file.
pub(super) fn stamp_of(stat: &rustix::fs::Stat) -> Stamp {
    let nanos = |seconds: i64, fraction: u64| {
        let fraction = i64::try_from(fraction).unwrap_or(0);
        seconds.saturating_mul(SECOND_NS).saturating_add(fraction)
    };
    Stamp {
        mtime_ns: nanos(stat.st_mtime, stat.st_mtime_nsec),
        ctime_ns: nanos(stat.st_ctime, stat.st_ctime_nsec),
        ino: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode,
    }
}

/// Tells what kind of entry a stamp belongs to.
pub(super) fn kind_of_stamp(stamp: &Stamp) -> EntryKind {
    let file_type = FileType::from_raw_mode(stamp.mode);
    kind_of(file_type).unwrap_or(EntryKind::Special(Special::Device))
}

fn kind_of(file_type: FileType) -> Option<EntryKind> {
    Some(match file_type {
        FileType::RegularFile | FileType::Symlink => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Fifo => EntryKind::Special(Special::Fifo),
        FileType::Socket => EntryKind::Special(Special::Socket),
        FileType::CharacterDevice | FileType::BlockDevice => EntryKind::Special(Special::Device),
        FileType::Unknown => return None,
    })
}

/// The names in a directory, in one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    names: Vec<u8>,
    entries: Vec<ListedName>,
}

#[derive(Debug, Clone, Copy)]
struct ListedName {
    /// Some bytes of the name, which decide most comparisons without a look at the name itself.
    key: u64,
    start: usize,
    /// Without the NUL at the end.
    bytes: u32,
    kind: EntryKind,
}

impl Listing {
    /// Adds an entry behind all others.
    pub fn push(&mut self, name: &CStr, kind: EntryKind) {
        let start = self.names.len();
        self.names.extend_from_slice(name.to_bytes_with_nul());
        let bytes = u32::try_from(name.to_bytes().len()).unwrap_or(u32::MAX);
        self.entries.push(ListedName { key: 0, start, bytes, kind });
    }

    fn sort(&mut self) {
        let names = &self.names;
        let shared = shared_prefix(self.entries.iter().map(|entry| entry.name(names)));
        for entry in &mut self.entries {
            entry.key = key_of(entry.name(names).get(shared..).unwrap_or_default());
        }
        self.entries.sort_unstable_by(|a, b| {
            a.key.cmp(&b.key).then_with(|| a.name(names).cmp(b.name(names)))
        });
        // A file system may list a name twice while others write.
        self.entries.dedup_by(|a, b| a.key == b.key && a.name(names) == b.name(names));
        // In the order in which they are compared: a large directory is listed in any order, and
        // to look for each name in memory, again and again, takes longer than to move them once.
        let mut sorted = Vec::with_capacity(self.names.len());
        for entry in &mut self.entries {
            let start = sorted.len();
            sorted.extend_from_slice(entry.name(&self.names));
            sorted.push(0);
            entry.start = start;
        }
        self.names = sorted;
    }

    /// Counts the entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Gives the entry at `index`, which must be below [`Listing::len`].
    pub fn get(&self, index: usize) -> Option<(&CStr, EntryKind)> {
        let entry = self.entries.get(index)?;
        let bytes = self.names.get(entry.start..)?.get(..=entry.len())?;
        Some((CStr::from_bytes_with_nul(bytes).ok()?, entry.kind))
    }

    /// Gives the name of the entry at `index`, which must be below [`Listing::len`].
    pub fn name(&self, index: usize) -> Option<&[u8]> {
        Some(self.entries.get(index)?.name(&self.names))
    }

    /// Gives all names in order: cheaper than [`Listing::get`], which looks at each byte.
    pub fn names(&self) -> impl Iterator<Item = (&[u8], EntryKind)> {
        self.entries.iter().map(|entry| (entry.name(&self.names), entry.kind))
    }

    /// Finds an entry.
    pub fn find(&self, name: &[u8]) -> Option<EntryKind> {
        let found = self.entries.binary_search_by(|entry| entry.name(&self.names).cmp(name));
        self.entries.get(found.ok()?).map(|entry| entry.kind)
    }
}

impl ListedName {
    fn len(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(0)
    }

    fn name<'a>(&self, names: &'a [u8]) -> &'a [u8] {
        names.get(self.start..).and_then(|names| names.get(..self.len())).unwrap_or_default()
    }
}

/// Counts the bytes that all names begin with.
fn shared_prefix<'a>(mut names: impl Iterator<Item = &'a [u8]>) -> usize {
    let first = names.next().unwrap_or_default();
    names.fold(first.len(), |shared, name| {
        first.iter().take(shared).zip(name).take_while(|(a, b)| a == b).count()
    })
}

/// Gives the first eight bytes as a number: names in order have numbers in order, since a name
/// that is shorter ends before every other byte.
fn key_of(name: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_by_their_bytes() {
        let mut names: Vec<Vec<u8>> = (0..600_u32)
            .map(|n| [b"shared-".repeat(2), n.to_string().into_bytes()].concat())
            .chain([b"shared-shared-".to_vec(), b"shared-shared-\xff".to_vec()])
            .chain((0..20).map(|n| b"shared-shared-same-eight".repeat(2)[..20 + n].to_vec()))
            .collect();
        let mut listing = Listing::default();
        for name in names.iter().rev().chain(&names) {
            listing.push(&std::ffi::CString::new(&**name).unwrap(), EntryKind::File);
        }
        listing.sort();
        names.sort();
        assert!(listing.names().map(|(name, _)| name).eq(names.iter().map(Vec::as_slice)));
        let whole = |at| listing.get(at).map(|(name, _)| name.to_bytes().to_vec());
        assert!((0..listing.len()).filter_map(whole).eq(names.iter().cloned()));
        assert_eq!(listing.find(b"shared-shared-77"), Some(EntryKind::File));
        assert_eq!((listing.find(b"shared-shared-6000"), listing.find(b"a")), (None, None));
    }
}
