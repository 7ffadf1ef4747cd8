//! Which file a process means by a path: found as the kernel finds it for that process.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::LazyLock;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::fs::{fstat, open, openat, openat2, readlinkat, stat, statat};
use rustix::io::Errno;

use super::call::{Given, HERE};

/// How a file looks: where any of it differs, it may be another, or hold something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Its device and its number on it.
    pub identity: (u64, u64),
    /// What it is.
    pub kind: LookKind,
    /// Size, bytes.
    pub bytes: u64,
    /// When its content was changed, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When anything of it was changed.
    pub ctime_ns: i64,
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket.
    Special,
}

/// A name, without links in it, and what lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Absolute.
    pub path: Vec<u8>,
    pub look: Option<Look>,
    /// Whether the process sees other files than we do under the same names.
    pub is_elsewhere: bool,
}

/// Finds the file that a process opens; `creates` where it need not be there yet.
///
/// Errors: what the process will meet too (there is no such file), or a name that is too long.
pub(super) fn opened(thread: i32, given: &Given, creates: bool) -> Result<Place, Errno> {
    let (base, is_elsewhere) = Base::of(thread, given)?;
    match base.open(OFlags::empty()) {
        Ok(file) => place_of(&file, is_elsewhere),
        Err(Errno::NOENT) if creates => base.name(is_elsewhere),
        Err(error) => Err(error),
    }
}

/// Finds the name that a process makes, moves or replaces: the last of a path is not followed.
pub(super) fn named(thread: i32, given: &Given) -> Result<Place, Errno> {
    let (base, is_elsewhere) = Base::of(thread, given)?;
    base.name(is_elsewhere)
}

/// Finds the file behind a descriptor of a process.
pub(super) fn held(thread: i32, descriptor: i32) -> Result<Place, Errno> {
    let path = format!("/proc/{thread}/fd/{descriptor}");
    place_of(&open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?, false)
}

/// Looks at what lies under an absolute name, the link itself where it is one.
pub(super) fn look_at(path: &[u8]) -> Option<Look> {
    let found = statat(CWD, OsStr::from_bytes(path), AtFlags::SYMLINK_NOFOLLOW);
    found.ok().as_ref().map(look_of)
}

/// A path, and the directory to look it up from.
struct Base {
    /// None: from ours.
    directory: Option<OwnedFd>,
    path: Vec<u8>,
    resolve: ResolveFlags,
}

impl Base {
    /// Finds where to begin; tells whether the process sees other files than we do.
    fn of(thread: i32, given: &Given) -> Result<(Self, bool), Errno> {
        let hold = |path: String| {
            let held = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
            // It is we who may not look, not the process.
            held.map_err(|error| if error == Errno::ACCESS { Errno::PERM } else { error })
        };
        let is_elsewhere = is_elsewhere(thread);
        if given.path.first() != Some(&b'/') {
            let directory = match given.directory {
                HERE => hold(format!("/proc/{thread}/cwd"))?,
                number => hold(format!("/proc/{thread}/fd/{number}"))?,
            };
            let (path, resolve) = (given.path.clone(), ResolveFlags::empty());
            return Ok((Self { directory: Some(directory), path, resolve }, is_elsewhere));
        }
        let path = of_itself(thread, &given.path);
        if !is_elsewhere {
            let base = Self { directory: None, path, resolve: ResolveFlags::empty() };
            return Ok((base, false));
        }
        let root = hold(format!("/proc/{thread}/root"))?;
        Ok((Self { directory: Some(root), path, resolve: ResolveFlags::IN_ROOT }, true))
    }

    fn open(&self, flags: OFlags) -> Result<OwnedFd, Errno> {
        self.open_path(&self.path, flags)
    }

    fn open_path(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::PATH | OFlags::CLOEXEC;
        let path = OsStr::from_bytes(if path.is_empty() { b"." } else { path });
        match &self.directory {
            None => openat(CWD, path, flags, Mode::empty()),
            Some(directory) if self.resolve.is_empty() => {
                openat(directory, path, flags, Mode::empty())
            }
            Some(directory) => openat2(directory, path, flags, Mode::empty(), self.resolve),
        }
    }

    /// Finds the directory of the last name, and what lies under that name.
    fn name(&self, is_elsewhere: bool) -> Result<Place, Errno> {
        let end = self.path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        let path = self.path.get(..end).unwrap_or_default();
        let cut = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let (directory, name) = path.split_at(cut);
        if matches!(name, b"" | b"." | b"..") {
            return Err(Errno::INVAL);
        }
        let directory = self.open_path(directory, OFlags::DIRECTORY)?;
        let mut path = path_of(&directory)?;
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        let found = statat(&directory, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW);
        let look = found.ok().as_ref().map(look_of);
        Ok(Place { path, look, is_elsewhere })
    }
}

/// Spells a path that speaks of the process itself so that we can look it up for it.
fn of_itself(thread: i32, path: &[u8]) -> Vec<u8> {
    let spell =
        |number: &str, rest: &[u8]| [format!("/proc/{thread}{number}").as_bytes(), rest].concat();
    for (prefix, number) in [
        (&b"/proc/self/"[..], "/"),
        (b"/proc/thread-self/", "/"),
        (b"/dev/fd/", "/fd/"),
        (b"/dev/stdin", "/fd/0"),
        (b"/dev/stdout", "/fd/1"),
        (b"/dev/stderr", "/fd/2"),
    ] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return spell(number, rest);
        }
    }
    path.to_vec()
}

/// The mounts and the root of a process, as far as we may know them.
type View = (Option<CString>, Option<(u64, u64)>);

/// Tells whether a process has another root, or other mounts, than we have.
fn is_elsewhere(thread: i32) -> bool {
    static OURS: LazyLock<View> = LazyLock::new(|| view("self"));
    let theirs = view(&thread.to_string());
    // Who may not look cannot tell; most processes are where we are.
    let differ = theirs.0.is_some() && OURS.0.is_some() && theirs.0 != OURS.0;
    differ || theirs.1.is_some() && OURS.1.is_some() && theirs.1 != OURS.1
}

/// Names the mounts and the root of a process.
fn view(process: &str) -> View {
    let mounts = readlinkat(CWD, format!("/proc/{process}/ns/mnt"), Vec::new()).ok();
    let root = stat(format!("/proc/{process}/root")).ok();
    (mounts, root.map(|root| (root.st_dev, root.st_ino)))
}

fn place_of(file: &OwnedFd, is_elsewhere: bool) -> Result<Place, Errno> {
    let found = fstat(file)?;
    if found.st_nlink == 0 {
        // It has no name any more.
        return Err(Errno::NOENT);
    }
    let (path, look) = (path_of(file)?, look_of(&found));
    // Under another root the same name may be another file here.
    let is_elsewhere =
        is_elsewhere && look_at(&path).is_none_or(|ours| ours.identity != look.identity);
    Ok(Place { path, look: Some(look), is_elsewhere })
}

fn path_of(file: &impl AsFd) -> Result<Vec<u8>, Errno> {
    use std::os::fd::AsRawFd as _;
    let number = file.as_fd().as_raw_fd();
    let path = readlinkat(CWD, format!("/proc/self/fd/{number}"), Vec::new());
    // The process may open it all the same, from a directory on the way.
    let path = path.map_err(|_| Errno::OVERFLOW)?.into_bytes();
    // What is no file is named like `pipe:[4711]`.
    if path.first() == Some(&b'/') { Ok(path) } else { Err(Errno::INVAL) }
}

fn look_of(found: &Stat) -> Look {
    const SECOND_NS: i64 = 1_000_000_000;
    let kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => LookKind::File,
        FileType::Directory => LookKind::Directory,
        FileType::Symlink => LookKind::Link,
        _ => LookKind::Special,
    };
    let nanoseconds = |seconds: i64, more: u64| {
        seconds.saturating_mul(SECOND_NS).saturating_add(i64::try_from(more).unwrap_or(0))
    };
    Look {
        identity: (found.st_dev, found.st_ino),
        kind,
        bytes: u64::try_from(found.st_size).unwrap_or(0),
        mtime_ns: nanoseconds(found.st_mtime, found.st_mtime_nsec),
        ctime_ns: nanoseconds(found.st_ctime, found.st_ctime_nsec),
    }
}

/// Gives the path without links of a directory that exists.
pub(super) fn canonical(path: &std::path::Path) -> std::io::Result<Vec<u8>> {
    Ok(path.canonicalize()?.into_os_string().into_vec())
}
