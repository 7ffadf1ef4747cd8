//! The one place that writes files of a repository.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags};
use rustix::io::Errno;

use super::direct::DirectWriter;
use super::{Key, Root, StorageError, TEMPORARY, Upload, name, shown, source};
use crate::storage::{Aside, Created, IfTaken};

/// Bytes of one write: large enough that the system call does not count.
const WRITE_BYTES: usize = 1 << 20;

/// Bytes after which the disk is told to begin, so that the sync at the end finds little left.
const WRITEBACK_BYTES: u64 = 16 << 20;

/// Length from which on a file on a disk of this machine is written past the page cache: what is
/// shorter is written in no time, and may be read again soon.
const DIRECT_BYTES_MIN: u64 = 16 << 20;

/// Uploads that are expected to be smaller do not reserve space.
const RESERVE_BYTES_MIN: u64 = 1 << 20;

/// How often a damaged file in the way is set aside before giving up.
const MEND_ATTEMPTS: usize = 8;

/// A file under `tmp/` that is being written.
#[derive(Debug)]
pub(super) struct FolderUpload {
    root: Arc<Root>,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Takes all bytes once the file is large.
    direct: Option<DirectWriter>,
    /// Bytes that were handed to the system, or to the direct writer.
    written: u64,
    /// Bytes that the disk was told to take.
    started: u64,
    /// Whether space was reserved, perhaps beyond the end.
    is_reserved: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Synced,
    Dead,
}

impl FolderUpload {
    pub(super) fn begin(
        root: Arc<Root>,
        bytes_expected: Option<u64>,
    ) -> Result<Self, StorageError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            StorageError::system("draw a random name", TEMPORARY, io::Error::other(error))
        })?;
        let name = format!("{:032x}", u128::from_le_bytes(random));
        let path = root.path.join(TEMPORARY).join(name);
        // Read-only once closed: a stored file is never written again.
        let create = || OpenOptions::new().write(true).create_new(true).mode(0o444).open(&path);
        let file = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                root.make_folders(TEMPORARY)?;
                create()
            }
            created => created,
        };
        let file = file.map_err(|e| StorageError::system("create the file", shown(&path), e))?;
        let mut upload = Self {
            root,
            path,
            file,
            buffer: Vec::new(),
            direct: None,
            written: 0,
            started: 0,
            is_reserved: false,
            state: State::Open,
        };
        upload.reserve(bytes_expected.unwrap_or(0))?;
        Ok(upload)
    }

    /// Tells the time by the clock that stamps files in this folder.
    pub(super) fn now_ms(self) -> Result<i64, StorageError> {
        let found = self.file.metadata();
        found.map(|found| super::changed_ms(&found)).map_err(|error| self.error("read", error))
    }

    /// Gives these bytes a name without a sync.
    pub(super) fn note(mut self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        self.append(bytes)?;
        self.flush()?;
        self.give_name(key).map(drop)
    }

    fn reserve(&mut self, bytes: u64) -> Result<(), StorageError> {
        if bytes < RESERVE_BYTES_MIN {
            return Ok(());
        }
        match rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, bytes) {
            Ok(()) => self.is_reserved = true,
            Err(error @ (Errno::NOSPC | Errno::DQUOT)) => {
                return Err(self.error("reserve space for the file", error.into()));
            }
            // Not every file system can; then a full disk shows later.
            Err(_) => {}
        }
        Ok(())
    }

    fn error(&self, doing: &'static str, source: io::Error) -> StorageError {
        StorageError::system(doing, shown(&self.path), source)
    }

    fn check_alive(&self) -> Result<(), StorageError> {
        match self.state {
            State::Dead => Err(StorageError::Dead { path: shown(&self.path) }),
            State::Open | State::Synced => Ok(()),
        }
    }

    /// Runs a step; if it fails, the upload is dead.
    fn or_die<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.check_alive()?;
        let done = step(self);
        if done.is_err() {
            self.state = State::Dead;
        }
        done
    }

    fn append(&mut self, mut bytes: &[u8]) -> Result<(), StorageError> {
        self.state = State::Open;
        while !bytes.is_empty() {
            if self.direct.is_none() && self.buffer.is_empty() && self.is_large() {
                self.direct = DirectWriter::begin(&self.file, self.written);
            }
            if let Some(direct) = &mut self.direct {
                let appended = direct.append(bytes);
                appended.map_err(|error| self.error("write the file", error))?;
                self.written += bytes.len() as u64;
                return Ok(());
            }
            let whole = bytes.len() - bytes.len() % WRITE_BYTES;
            if self.buffer.is_empty() && whole > 0 {
                self.put(&bytes[..whole])?;
                bytes = &bytes[whole..];
                continue;
            }
            let count = bytes.len().min(WRITE_BYTES - self.buffer.len());
            self.buffer.extend_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            if self.buffer.len() == WRITE_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Tells whether to go past the page cache: of what is not on a disk here nobody knows better.
    fn is_large(&self) -> bool {
        self.root.is_local && self.written >= DIRECT_BYTES_MIN
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        if let Some(direct) = self.direct.take() {
            return direct.finish().map_err(|error| self.error("write the file", error));
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        self.put(&buffer)?;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let written = self.file.write_all_at(bytes, self.written);
        written.map_err(|error| self.error("write the file", error))?;
        self.written += bytes.len() as u64;
        if self.written - self.started >= WRITEBACK_BYTES {
            self.begin_writeback();
        }
        Ok(())
    }

    /// Tells the disk to begin with what was written since the last time.
    ///
    /// Linux begins to write dirty pages of a range that is declared not needed, and keeps them
    /// until they are written (`mm/fadvise.c`). It is advice: errors show at the sync.
    fn begin_writeback(&mut self) {
        let bytes = std::num::NonZeroU64::new(self.written - self.started);
        let _advice = rustix::fs::fadvise(&self.file, self.started, bytes, Advice::DontNeed);
        self.started = self.written;
    }

    fn make_durable(&mut self) -> Result<(), StorageError> {
        self.flush()?;
        if self.is_reserved {
            self.file.set_len(self.written).map_err(|e| self.error("cut the file", e))?;
        }
        self.file
            .sync_data()
            .map_err(|error| StorageError::sync("sync the file", shown(&self.path), error))?;
        let found = self.file.metadata().map_err(|e| self.error("measure the file", e))?.len();
        if found != self.written {
            let (path, expected) = (shown(&self.path), self.written);
            return Err(StorageError::Length { path, expected, found });
        }
        self.state = State::Synced;
        Ok(())
    }

    fn give_name(&self, key: &Key) -> Result<bool, StorageError> {
        let target = self.root.path_of(key);
        let named = match name::link_or_rename(&self.path, &target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.root.make_folders(key.folder())?;
                name::link_or_rename(&self.path, &target)
            }
            named => named,
        };
        named.map_err(|error| match error.raw_os_error() {
            Some(code) if code == Errno::INVAL.raw_os_error() => {
                StorageError::no_exclusive_name("name the file", key.as_str(), error)
            }
            _ => StorageError::system("name the file", key.as_str(), error),
        })
    }

    /// Tells whether the file under `key` has exactly our bytes, durably; `None` if it is gone.
    fn is_equal(&self, key: &Key) -> Result<Option<bool>, StorageError> {
        let failed = |error| StorageError::system("compare the file", key.as_str(), error);
        let mut there = match source::open_plain(&self.root.path_of(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // A symbolic link is no file of ours, wherever it leads.
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Ok(Some(false));
            }
            there => there.map_err(failed)?,
        };
        let mut ours = File::open(&self.path).map_err(|e| self.error("compare the file", e))?;
        if there.metadata().map_err(failed)?.len() != self.written {
            return Ok(Some(false));
        }
        let (mut left, mut right) = (vec![0; WRITE_BYTES], vec![0; WRITE_BYTES]);
        let mut rest = self.written;
        while rest > 0 {
            let count = usize::try_from(rest).unwrap_or(WRITE_BYTES).min(WRITE_BYTES);
            ours.read_exact(&mut left[..count]).map_err(|e| self.error("compare the file", e))?;
            // What cannot be read is not equal to what we can install instead.
            if there.read_exact(&mut right[..count]).is_err() || left[..count] != right[..count] {
                return Ok(Some(false));
            }
            rest -= count as u64;
        }
        // It may have been copied here a moment ago by a program that does not sync.
        there.sync_data().map_err(|e| StorageError::sync("sync the file", key.as_str(), e))?;
        Ok(Some(true))
    }

    /// Installs over nothing but damage.
    fn mend(&self, key: &Key) -> Result<Created, StorageError> {
        let mut damaged = None;
        for _ in 0..MEND_ATTEMPTS {
            if self.give_name(key)? {
                return Ok(damaged.map_or(Created::New, Created::Mended));
            }
            match self.is_equal(key)? {
                Some(true) => return Ok(damaged.map_or(Created::Exists, Created::Mended)),
                Some(false) => {
                    damaged = self.root.set_aside(key, Aside::Quarantine)?.or(damaged);
                }
                None => {}
            }
        }
        let error = io::Error::from(io::ErrorKind::ResourceBusy);
        Err(StorageError::system("replace the damaged file", key.as_str(), error))
    }
}

impl Upload for FolderUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.or_die(|upload| upload.append(bytes))
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        if self.state == State::Synced {
            return Ok(());
        }
        self.or_die(Self::make_durable)
    }

    fn install(mut self: Box<Self>, key: &Key, if_taken: IfTaken) -> Result<Created, StorageError> {
        self.sync()?;
        match if_taken {
            IfTaken::Mend => self.mend(key),
            IfTaken::Keep if self.give_name(key)? => Ok(Created::New),
            IfTaken::Keep => Ok(Created::Exists),
        }
    }
}

impl Drop for FolderUpload {
    fn drop(&mut self) {
        // After a link this is the second name of the file. If it stays, it is swept one day.
        let _leftover = fs::remove_file(&self.path);
    }
}
