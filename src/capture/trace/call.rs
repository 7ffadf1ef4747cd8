//! What a call says that has stopped: which files it means, and to do what with them.

use std::io::IoSliceMut;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use rustix::io::Errno;

use super::filter::{Name, name_of};
use super::listener::Call;

/// Longest path that the kernel takes, with its end. Source: linux/limits.h, `PATH_MAX`.
const PATH_BYTES_MAX: usize = 4096;

/// `AT_FDCWD`: relative to the current directory.
pub(super) const HERE: i32 = libc::AT_FDCWD;

/// A path as it was given, and the directory that it is relative to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub directory: i32,
    pub path: Vec<u8>,
}

/// What a call is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intent {
    /// Opens a file, with the flags of open(2).
    Open(Given, u64),
    /// Executes a file; an empty path means the descriptor itself.
    Execute(Given),
    /// Makes a name, or puts another file under it.
    Name(Given),
    /// Moves the first to the second, or swaps both.
    Rename { from: Given, to: Given, swaps: bool },
    /// Changes a file without opening it.
    Truncate(Given),
    /// Opens a file in a way that tells no path.
    OpenUnnamed,
    /// Makes a ring through which files are opened without calls.
    MakeRing,
}

/// Reads what a call means out of the memory of whoever makes it.
///
/// Errors: `EPERM` where that memory may not be read; others where nothing can come of the call:
/// there is no such memory, or a path in it has no end.
pub(super) fn intent_of(call: &Call) -> Result<Intent, Errno> {
    let name = name_of(call.arch, call.number).ok_or(Errno::NOSYS)?;
    let [first, second, third, fourth, fifth, _] = call.args;
    let given = |directory: u64, path: u64| {
        // Descriptors are 32 bits; whatever is above them does not count.
        let directory = (directory & 0xffff_ffff) as u32;
        Ok(Given { directory: directory.cast_signed(), path: text(call.thread, path)? })
    };
    let here = |path| Ok(Given { directory: HERE, path: text(call.thread, path)? });
    Ok(match name {
        Name::Open => Intent::Open(here(first)?, second),
        Name::OpenAt => Intent::Open(given(first, second)?, third),
        Name::OpenAt2 => Intent::Open(given(first, second)?, flags_of_how(call.thread, third)?),
        Name::Creat => {
            let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
            Intent::Open(here(first)?, u64::from(flags.cast_unsigned()))
        }
        Name::Exec => Intent::Execute(here(first)?),
        Name::ExecAt => Intent::Execute(given(first, second)?),
        Name::Rename => Intent::Rename { from: here(first)?, to: here(second)?, swaps: false },
        Name::RenameAt => {
            let (from, to) = (given(first, second)?, given(third, fourth)?);
            Intent::Rename { from, to, swaps: false }
        }
        Name::RenameAt2 => {
            let (from, to) = (given(first, second)?, given(third, fourth)?);
            let swaps = fifth & u64::from(libc::RENAME_EXCHANGE) != 0;
            Intent::Rename { from, to, swaps }
        }
        Name::Link | Name::Symlink => Intent::Name(here(second)?),
        Name::LinkAt => Intent::Name(given(third, fourth)?),
        Name::SymlinkAt => Intent::Name(given(second, third)?),
        Name::Truncate => Intent::Truncate(here(first)?),
        Name::OpenByHandle => Intent::OpenUnnamed,
        Name::IoUringSetup => Intent::MakeRing,
    })
}

/// Tells whether the memory of a process of ours may be read; an address of its own is not needed.
pub(super) fn may_read(process: i32) -> Result<(), Errno> {
    match read(process, &mut [0], &[(0, 1)]) {
        Ok(_) | Err(Errno::FAULT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads the first member of a `struct open_how`.
fn flags_of_how(thread: i32, at: u64) -> Result<u64, Errno> {
    let mut bytes = [0; 8];
    match read(thread, &mut bytes, &[(at, 8)])? {
        8 => Ok(u64::from_ne_bytes(bytes)),
        _ => Err(Errno::FAULT),
    }
}

/// Reads a text up to its NUL, which is left out.
fn text(thread: i32, at: u64) -> Result<Vec<u8>, Errno> {
    let mut bytes = [0; PATH_BYTES_MAX];
    // What lies behind the end of a page may not be there: each page is a piece of its own.
    let page = rustix::param::page_size() as u64;
    let first = (page - at % page).min(PATH_BYTES_MAX as u64);
    let second = (at.saturating_add(first), PATH_BYTES_MAX as u64 - first);
    let read = read(thread, &mut bytes, &[(at, first), second])?;
    let read = bytes.get(..read).unwrap_or_default();
    let end = read.iter().position(|byte| *byte == 0).ok_or(Errno::NAMETOOLONG)?;
    Ok(read.get(..end).unwrap_or_default().to_vec())
}

/// Reads pieces of memory, each an address and a length; as many as are there.
fn read(thread: i32, into: &mut [u8], pieces: &[(u64, u64)]) -> Result<usize, Errno> {
    let piece = |(base, len): &(u64, u64)| {
        let (base, len) = (usize::try_from(*base).ok()?, usize::try_from(*len).ok()?);
        (len > 0).then_some(RemoteIoVec { base, len })
    };
    let from: Vec<RemoteIoVec> = pieces.iter().filter_map(piece).collect();
    let read = process_vm_readv(Pid::from_raw(thread), &mut [IoSliceMut::new(into)], &from);
    read.map_err(|error| Errno::from_raw_os_error(error as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_up_to_its_end_and_not_beyond_the_memory() {
        let ours = rustix::process::getpid().as_raw_nonzero().get();
        let long = [vec![b'x'; PATH_BYTES_MAX - 1], vec![0]].concat();
        for written in [&b"data/rows.csv\0more"[..], &long] {
            let end = written.iter().position(|byte| *byte == 0).unwrap();
            let read = text(ours, written.as_ptr() as u64);
            assert_eq!(read.as_deref(), Ok(&written[..end]));
        }
        let endless = vec![b'x'; 2 * PATH_BYTES_MAX];
        assert_eq!(text(ours, endless.as_ptr() as u64), Err(Errno::NAMETOOLONG));
        assert_eq!(text(ours, 8), Err(Errno::FAULT), "nothing is there");
    }
}
