//! A storage that stops, fails or tears at step N, for tests; every other step is another's.
//!
//! A step is one call that may change something: begin, write, sync, install, settle, remove,
//! set aside, note, sweep. What is made of these (`create`, `finish_all`) is stopped in the middle.
//! Calls that only read are steps too if asked for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{
    Aside, Created, IfTaken, Key, KeyInfo, Leftovers, Source, Storage, StorageError, Upload,
};

/// Says what happens at the chosen step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before the step: this and all later calls fail, nothing is cleaned
    /// up.
    Stop,
    /// The process is killed in the step: half of a write is done, or all of any other step.
    Tear,
    /// The step is not done and fails; later ones are done.
    Fail(io::ErrorKind),
    /// The step and all later ones fail, as on a full disk.
    FailOn(io::ErrorKind),
    /// The step is done and fails all the same, as when an answer is lost on the way.
    Unclear(io::ErrorKind),
}

/// Passes every call on to another storage, but for the fault.
///
/// Shape: clones share the count.
#[derive(Debug, Clone)]
pub struct FaultyStorage {
    inner: Arc<dyn Storage>,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    fault: Fault,
    at: u64,
    counts_reads: bool,
    steps: AtomicU64,
    is_stopped: AtomicBool,
}

/// What becomes of one step.
enum Verdict {
    Do,
    DoThenFail(io::ErrorKind),
    Half,
}

impl FaultyStorage {
    /// Wraps `inner`, with a fault at step `at`, counted from 0.
    pub fn new(inner: Arc<dyn Storage>, fault: Fault, at: u64) -> Self {
        let (steps, is_stopped) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { inner, plan: Arc::new(Plan { fault, at, counts_reads: false, steps, is_stopped }) }
    }

    /// Wraps `inner` without a fault, to count the steps.
    pub fn counting(inner: Arc<dyn Storage>) -> Self {
        Self::new(inner, Fault::Stop, u64::MAX)
    }

    /// Counts calls that only read as steps as well; for a storage that was not used yet.
    pub fn with_reads(self) -> Self {
        let Plan { fault, at, .. } = *self.plan;
        let (steps, is_stopped) = (AtomicU64::new(0), AtomicBool::new(false));
        let plan = Arc::new(Plan { fault, at, counts_reads: true, steps, is_stopped });
        Self { inner: self.inner, plan }
    }

    /// Tells how many steps were begun so far.
    pub fn steps(&self) -> u64 {
        self.plan.steps.load(Ordering::SeqCst)
    }
}

impl Plan {
    fn error(&self, doing: &'static str, path: &str, kind: io::ErrorKind) -> StorageError {
        let at = self.at;
        StorageError::system(doing, path, io::Error::new(kind, format!("injected at step {at}")))
    }

    fn stopped(&self, doing: &'static str, path: &str) -> StorageError {
        self.error(doing, path, io::ErrorKind::Interrupted)
    }

    fn judge(&self, doing: &'static str, path: &str) -> Result<Verdict, StorageError> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        if self.is_stopped.load(Ordering::SeqCst) {
            return Err(self.stopped(doing, path));
        }
        match self.fault {
            Fault::FailOn(kind) if step >= self.at => Err(self.error(doing, path, kind)),
            _ if step != self.at => Ok(Verdict::Do),
            Fault::Stop => {
                self.is_stopped.store(true, Ordering::SeqCst);
                Err(self.stopped(doing, path))
            }
            Fault::Tear => {
                self.is_stopped.store(true, Ordering::SeqCst);
                Ok(Verdict::Half)
            }
            Fault::Fail(kind) | Fault::FailOn(kind) => Err(self.error(doing, path, kind)),
            Fault::Unclear(kind) => Ok(Verdict::DoThenFail(kind)),
        }
    }

    /// Runs a step that is done whole or not at all.
    fn step<T>(
        &self,
        doing: &'static str,
        path: &str,
        run: impl FnOnce() -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        match self.judge(doing, path)? {
            Verdict::Do => run(),
            Verdict::DoThenFail(kind) => run().and(Err(self.error(doing, path, kind))),
            Verdict::Half => run().and(Err(self.stopped(doing, path))),
        }
    }

    fn read<T>(
        &self,
        doing: &'static str,
        path: &str,
        run: impl FnOnce() -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        match self.is_stopped.load(Ordering::SeqCst) {
            true => Err(self.stopped(doing, path)),
            false if self.counts_reads => self.step(doing, path, run),
            false => run(),
        }
    }
}

impl Storage for FaultyStorage {
    fn begin(&self, bytes_expected: Option<u64>) -> Result<Box<dyn Upload>, StorageError> {
        let upload = self.plan.step("begin", "tmp", || {
            let inner = Some(self.inner.begin(bytes_expected)?);
            Ok(FaultyUpload { inner, plan: Arc::clone(&self.plan) })
        })?;
        Ok(Box::new(upload))
    }

    fn settle(&self, keys: &[&Key]) -> Result<(), StorageError> {
        let path = keys.first().map_or("", |key| key.folder());
        match self.plan.step("settle", path, || self.inner.settle(keys)) {
            Err(StorageError::System { doing, path, source, .. }) => {
                Err(StorageError::sync(doing, path, source))
            }
            settled => settled,
        }
    }

    fn open(&self, key: &Key) -> Result<Option<Box<dyn Source>>, StorageError> {
        let inner = self.plan.read("open", key.as_str(), || self.inner.open(key))?;
        Ok(inner.map(|inner| {
            Box::new(FaultySource { inner, plan: Arc::clone(&self.plan), key: key.clone() }) as _
        }))
    }

    fn info(&self, key: &Key) -> Result<Option<KeyInfo>, StorageError> {
        self.plan.read("look for", key.as_str(), || self.inner.info(key))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Key>, StorageError> {
        self.plan.read("list", prefix, || self.inner.list(prefix))
    }

    fn remove(&self, key: &Key) -> Result<bool, StorageError> {
        self.plan.step("remove", key.as_str(), || self.inner.remove(key))
    }

    fn set_aside(&self, key: &Key, place: Aside) -> Result<Option<Key>, StorageError> {
        self.plan.step("set aside", key.as_str(), || self.inner.set_aside(key, place))
    }

    fn note(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        self.plan.step("note", key.as_str(), || self.inner.note(key, bytes))
    }

    fn now_ms(&self) -> Result<i64, StorageError> {
        self.plan.read("ask the time", "tmp", || self.inner.now_ms())
    }

    fn sweep(&self, age_ms_min: i64, apply: bool) -> Result<Leftovers, StorageError> {
        let run = || self.inner.sweep(age_ms_min, apply);
        if apply {
            self.plan.step("sweep", "tmp", run)
        } else {
            self.plan.read("sweep", "tmp", run)
        }
    }
}

struct FaultyUpload {
    /// `None` once it was installed.
    inner: Option<Box<dyn Upload>>,
    plan: Arc<Plan>,
}

impl FaultyUpload {
    fn inner(&mut self) -> Result<&mut Box<dyn Upload>, StorageError> {
        self.inner.as_mut().ok_or_else(|| StorageError::Dead { path: "tmp".to_owned() })
    }
}

impl Upload for FaultyUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        match self.plan.judge("write", "tmp")? {
            Verdict::Do => self.inner()?.write(bytes),
            Verdict::DoThenFail(kind) => {
                self.inner()?.write(bytes)?;
                Err(self.plan.error("write", "tmp", kind))
            }
            Verdict::Half => {
                self.inner()?.write(&bytes[..bytes.len() / 2])?;
                Err(self.plan.stopped("write", "tmp"))
            }
        }
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        let plan = Arc::clone(&self.plan);
        let synced = plan.step("sync", "tmp", || self.inner()?.sync());
        synced.map_err(|error| match error {
            StorageError::System { doing, path, source, .. } => {
                StorageError::sync(doing, path, source)
            }
            other => other,
        })
    }

    fn install(mut self: Box<Self>, key: &Key, if_taken: IfTaken) -> Result<Created, StorageError> {
        let plan = Arc::clone(&self.plan);
        plan.step("install", key.as_str(), || {
            let dead = StorageError::Dead { path: "tmp".to_owned() };
            self.inner.take().ok_or(dead)?.install(key, if_taken)
        })
    }
}

impl Drop for FaultyUpload {
    fn drop(&mut self) {
        if self.plan.is_stopped.load(Ordering::SeqCst) {
            // A killed process cleans nothing up.
            std::mem::forget(self.inner.take());
        }
    }
}

#[derive(Debug)]
struct FaultySource {
    inner: Box<dyn Source>,
    plan: Arc<Plan>,
    key: Key,
}

impl Source for FaultySource {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read_exact_at(&self, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.plan.read("read", self.key.as_str(), || self.inner.read_exact_at(offset, into))
    }

    fn map(&self) -> Option<&[u8]> {
        // Reads through a map could not fail.
        None
    }
}
