//! Carries changes out: removes, writes and renames, in directories it keeps open.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::io::{self, Read};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::pending::{Over, PendingFile, Temporary, unless_written};
use super::{CheckoutError, TEMPORARY_PREFIX, TEMPORARY_SUFFIX, fails};
use crate::object::TreePath;
use crate::worktree::directory::{Directory, stamp_of};
use crate::worktree::scan::is_gone;
use crate::worktree::stamps::Stamp;

/// Directories that stay open at once.
const OPEN_MAX: usize = 256;
const COPY_BYTES: usize = 128 * 1024;

/// Writes into one worktree; each thread has its own hand.
///
/// Shape: paths in any order; those of one directory one after another are quickest.
#[derive(Debug)]
pub struct Hand<'a> {
    root: &'a Directory,
    overwrites: bool,
    open: HashMap<Box<[u8]>, Arc<Directory>>,
    /// Directories in which files were removed, each once in a row.
    thinned: Vec<TreePath>,
    buffer: Vec<u8>,
    random: u64,
}

impl<'a> Hand<'a> {
    /// Begins; with `overwrites`, whatever is in the way is removed, examined or not.
    pub fn new(root: &'a Directory, overwrites: bool) -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        Ok(Self {
            root,
            overwrites,
            open: HashMap::new(),
            thinned: Vec::new(),
            buffer: Vec::new(),
            random: u64::from_le_bytes(random),
        })
    }

    /// Makes a directory, and those on the way to it, if they are not there.
    pub fn make_directory(&mut self, path: &TreePath) -> Result<(), CheckoutError> {
        self.directory(Some(path), true).map_err(fails("make the directory", path))?;
        Ok(())
    }

    /// Removes a file that is what was examined; one that is gone is fine.
    pub fn remove(&mut self, path: &TreePath, over: &Stamp) -> Result<(), CheckoutError> {
        let name = last_name(path)?;
        let parent = path.parent();
        let directory = match self.directory(parent.as_ref(), false) {
            Ok(directory) => directory,
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(fails("open the directory", path)(error)),
        };
        match directory.stat(&name) {
            Ok(now) if now == *over || (self.overwrites && !now.is_directory()) => {}
            Ok(_) => return Err(CheckoutError::Changed { path: path.clone() }),
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(fails("look at the file", path)(error)),
        }
        rustix::fs::unlinkat(&*directory, &name, AtFlags::empty())
            .map_err(|error| fails("remove the file", path)(error.into()))?;
        if let Some(parent) = parent.filter(|parent| self.thinned.last() != Some(parent)) {
            self.thinned.push(parent);
        }
        Ok(())
    }

    /// Removes the directories that [`Hand::remove`] left empty, and those around them.
    pub fn remove_empty_directories(&mut self) {
        let mut thinned = std::mem::take(&mut self.thinned);
        thinned.sort();
        thinned.dedup();
        self.open.clear();
        while let Some(path) = thinned.pop() {
            let parent = path.parent();
            let Ok(directory) = self.directory(parent.as_ref(), false) else { continue };
            let Ok(name) = last_name(&path) else { continue };
            // One that holds something stays, and so does the system's reason.
            if rustix::fs::unlinkat(&*directory, &name, AtFlags::REMOVEDIR).is_ok()
                && let Some(parent) = parent.filter(|parent| thinned.last() != Some(parent))
            {
                self.open.remove(path.as_bytes());
                let at = thinned.binary_search(&parent).map_or_else(|at| at, |at| at + 1);
                thinned.insert(at, parent);
            }
        }
        self.open.clear();
    }

    /// Writes a file of `size` bytes.
    ///
    /// Shape: `over` as in [`super::Verdict::Write`]; directories are made as needed.
    /// Errors: [`CheckoutError`]; nothing is left then under the real name but what was there.
    pub fn write_file(
        &mut self,
        path: &TreePath,
        executable: bool,
        size: u64,
        over: Option<&Stamp>,
        content: &mut dyn Read,
    ) -> Result<Stamp, CheckoutError> {
        let pending = self.begin_file(path, executable, over)?;
        self.buffer.resize(COPY_BYTES, 0);
        let mut written: u64 = 0;
        loop {
            let count = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(CheckoutError::Content { path: path.clone(), source }),
            };
            let bytes = self.buffer.get(..count).unwrap_or_default();
            pending.write_at(written, bytes)?;
            written = written.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        pending.finish(size)
    }

    /// Begins a file whose content comes in pieces, perhaps from several threads.
    pub fn begin_file(
        &mut self,
        path: &TreePath,
        executable: bool,
        over: Option<&Stamp>,
    ) -> Result<PendingFile, CheckoutError> {
        let over = self.over(over);
        self.create(path, |directory, temporary| {
            PendingFile::create(directory, temporary, path, executable, over)
        })
    }

    /// Writes a symbolic link.
    pub fn write_link(
        &mut self,
        path: &TreePath,
        target: &[u8],
        over: Option<&Stamp>,
    ) -> Result<Stamp, CheckoutError> {
        let over = self.over(over);
        let mut temporary = self.create(path, |directory, temporary| {
            rustix::fs::symlinkat(target, &*directory, &temporary)?;
            Ok(Temporary { directory, name: Some(temporary) })
        })?;
        let directory = Arc::clone(&temporary.directory);
        let look = |name: &CStr| directory.stat(name).map_err(fails("look at the link", path));
        let own = look(temporary.name.as_deref().unwrap_or_default())?;
        temporary.publish(path, over)?;
        // The name may stand for something else by now, or for nothing.
        Ok(look(&last_name(path)?).map_or(own.forget(), |now| unless_written(&own, now)))
    }

    /// Makes a file executable or not, if it still is what was examined.
    ///
    /// Shape: with `overwrites`, of a file that was written to since the stamp says nothing.
    pub fn set_executable(
        &mut self,
        path: &TreePath,
        executable: bool,
        over: &Stamp,
    ) -> Result<Stamp, CheckoutError> {
        let failed = fails("change the mode", path);
        let directory = self.directory(path.parent().as_ref(), false).map_err(&failed)?;
        let file = directory.open_file(&last_name(path)?).map_err(&failed)?;
        let look = || rustix::fs::fstat(&file).map(|stat| stamp_of(&stat));
        let now = look().map_err(|error| failed(error.into()))?;
        let is_examined = now == *over;
        if !is_examined && !self.overwrites {
            return Err(CheckoutError::Changed { path: path.clone() });
        }
        // Whoever may read may execute, as umask has it for new files.
        let permissions = now.mode & 0o7777;
        let mode = match executable {
            true => permissions | (permissions & 0o444) >> 2,
            false => permissions & !0o111,
        };
        let set = rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).and_then(|()| look());
        let set = set.map_err(|error| failed(error.into()))?;
        let is_same = is_examined && (set.mtime_ns, set.size) == (now.mtime_ns, now.size);
        Ok(if is_same { set } else { set.forget() })
    }

    fn over(&self, examined: Option<&Stamp>) -> Over {
        match examined {
            _ if self.overwrites => Over::Anything,
            Some(stamp) => Over::Examined(*stamp),
            None => Over::Nothing,
        }
    }

    /// Makes something under a temporary name in the directory of `path`.
    fn create<T>(
        &mut self,
        path: &TreePath,
        make: impl Fn(Arc<Directory>, CString) -> io::Result<T>,
    ) -> Result<T, CheckoutError> {
        let parent = path.parent();
        let mut is_retry = false;
        loop {
            let opened = self.directory(parent.as_ref(), true);
            let directory = opened.map_err(|error| match error.kind() {
                io::ErrorKind::NotADirectory => CheckoutError::InTheWay { path: path.clone() },
                _ => fails("make the directory", path)(error),
            })?;
            let temporary = self.temporary_name();
            match make(directory, temporary) {
                Ok(made) => return Ok(made),
                // The directory was removed while it was open here.
                Err(error) if is_gone(&error) && !is_retry => {
                    self.open.clear();
                    is_retry = true;
                }
                Err(error) => return Err(fails("create the file", path)(error)),
            }
        }
    }

    fn temporary_name(&mut self) -> CString {
        self.random = self.random.wrapping_add(1);
        let name = format!("{TEMPORARY_PREFIX}{:016x}{TEMPORARY_SUFFIX}", self.random);
        CString::new(name).unwrap_or_default()
    }

    /// Opens a directory, one name after another from the last one that is open.
    fn directory(&mut self, path: Option<&TreePath>, makes: bool) -> io::Result<Arc<Directory>> {
        let path = path.map_or(&b""[..], TreePath::as_bytes);
        let mut end = path.len();
        while end > 0 && !self.open.contains_key(path.get(..end).unwrap_or_default()) {
            let outer = path.get(..end).and_then(|path| path.iter().rposition(|b| *b == b'/'));
            end = outer.unwrap_or(0);
        }
        let known = self.open.get(path.get(..end).unwrap_or_default()).map(Arc::clone);
        let mut directory = match known {
            Some(known) => known,
            None => Arc::new(self.root.open_directory(c".")?),
        };
        if end == 0 {
            self.keep(b"", &directory);
        }
        while end < path.len() {
            let start = if end == 0 { 0 } else { end + 1 };
            let rest = path.get(start..).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            let name = CString::new(rest.get(..length).unwrap_or_default())?;
            directory = Arc::new(self.enter(&directory, &name, makes)?);
            end = start + length;
            self.keep(path.get(..end).unwrap_or_default(), &directory);
        }
        Ok(directory)
    }

    fn keep(&mut self, path: &[u8], directory: &Arc<Directory>) {
        if self.open.len() >= OPEN_MAX {
            self.open.clear();
        }
        self.open.insert(path.into(), Arc::clone(directory));
    }

    /// Opens a directory inside another one, which is made if need be.
    fn enter(&self, outer: &Directory, name: &CStr, makes: bool) -> io::Result<Directory> {
        let mut error = match outer.open_directory(name) {
            Ok(directory) => return Ok(directory),
            Err(error) => error,
        };
        if !makes {
            return Err(error);
        }
        if self.overwrites && is_gone(&error) && error.kind() != io::ErrorKind::NotFound {
            rustix::fs::unlinkat(outer, name, AtFlags::empty())?;
            error = io::ErrorKind::NotFound.into();
        }
        if error.kind() != io::ErrorKind::NotFound {
            // A link on the way is as good as a file there.
            return Err(if is_gone(&error) { Errno::NOTDIR.into() } else { error });
        }
        match rustix::fs::mkdirat(outer, name, Mode::from_raw_mode(0o777)) {
            // Another hand may have made it.
            Ok(()) | Err(Errno::EXIST) => outer.open_directory(name),
            Err(error) => Err(error.into()),
        }
    }
}

fn last_name(path: &TreePath) -> Result<CString, CheckoutError> {
    let name = CString::new(path.last_name()).map_err(io::Error::from);
    name.map_err(fails("name the file", path))
}
