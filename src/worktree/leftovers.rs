//! Files that a killed checkout had not finished: removed once it is proved that nobody uses them.
//!
//! What is removed bears a name that only a [`super::checkout::Hand`] gives, is a file or a link,
//! and is older than the lock of the worktree that the caller holds. Whoever writes under such a
//! name holds that lock, and a process that is gone holds none: so its writer is gone. A worktree
//! inside of this one has a lock of its own, and so everything in it stays.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::AtFlags;

use super::checkout::is_temporary;
use super::directory::{Directory, EntryKind, kind_of_stamp};
use crate::format::layout;

/// What was left, and is gone if that was asked for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Leftovers {
    /// Files and links.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Leftovers {
    /// Counts the file at `path`, which a walk named, and with `applies` removes it.
    ///
    /// Shape: `held_since_ns` is a moment, by the clock of the worktree's file system, at which the
    /// caller held the lock already. What is not proved to be left over stays and is not counted.
    pub fn take(&mut self, root: &Directory, path: &OsStr, held_since_ns: i64, applies: bool) {
        if let Ok(Some(bytes)) = remove(root, path.as_bytes(), held_since_ns, applies) {
            self.files += 1;
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }
}

/// Gives the bytes of what was removed; `None` for what stays.
fn remove(
    root: &Directory,
    path: &[u8],
    held_since_ns: i64,
    applies: bool,
) -> io::Result<Option<u64>> {
    let mut names: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let Some(last) = names.pop().filter(|name| is_temporary(name)) else { return Ok(None) };
    let nested = CString::new(layout::FOLDER)?;
    let mut inner: Option<Directory> = None;
    for name in names {
        let outer = inner.as_ref().unwrap_or(root);
        let next = outer.open_directory(&CString::new(name)?)?;
        if next.stat(&nested).is_ok() {
            return Ok(None);
        }
        inner = Some(next);
    }
    let (directory, last) = (inner.as_ref().unwrap_or(root), CString::new(last)?);
    let stamp = directory.stat(&last)?;
    if kind_of_stamp(&stamp) != EntryKind::File || stamp.ctime_ns > held_since_ns {
        return Ok(None);
    }
    if applies {
        rustix::fs::unlinkat(directory, &last, AtFlags::empty())?;
    }
    Ok(Some(stamp.size))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::worktree::{open, stamps};

    const NAME: &str = ".provenance-0123456789abcdef.tmp";

    #[test]
    fn only_what_is_proved_to_be_left_over_goes() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for folder in ["data", "inner/.provenance", "inner/deep", "gone"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let [plain, deep, inner, other, link, folder] = [
            NAME.to_owned(),
            format!("data/{NAME}"),
            format!("inner/deep/{NAME}"),
            "data/.provenance-0123456789abcdef.tmpx".to_owned(),
            "data/.provenance-ffffffffffffffff.tmp".to_owned(),
            "gone/.provenance-0123456789abcdef.tmp".to_owned(),
        ];
        for file in [&plain, &deep, &inner, &other] {
            File::create(at(file)).unwrap().set_len(7).unwrap();
        }
        symlink("/etc/passwd", at(&link)).unwrap();
        fs::create_dir(at(&folder)).unwrap();
        symlink("data", at("alias")).unwrap();
        let aliased = format!("alias/{NAME}");
        let root = open::root(dir.path()).unwrap();
        let sweep = |paths: &[&String], moment, applies| {
            let mut left = Leftovers::default();
            for path in paths {
                left.take(&root, OsStr::new(path.as_str()), moment, applies);
            }
            left
        };
        let now = stamps::moment(dir.path()).unwrap();
        let stay = [&inner, &other, &folder, &aliased];
        assert_eq!(sweep(&stay, now, true), Leftovers::default());
        assert_eq!(sweep(&[&plain, &deep, &link], now - 3_600_000_000_000, true).files, 0);
        assert_eq!(sweep(&[&plain, &deep], now, false), Leftovers { files: 2, bytes: 14 });
        assert!([&plain, &deep, &inner, &other].iter().all(|path| at(path).exists()));
        assert_eq!(sweep(&[&plain, &deep, &link, &deep], now, true).files, 3);
        assert!([&plain, &deep, &link].iter().all(|path| at(path).symlink_metadata().is_err()));
        assert!(stay.iter().all(|path| at(path).symlink_metadata().is_ok() || *path == &aliased));
    }
}
