//! Writes files on all processors, in the order in which their content lies in packs.
//!
//! Small files go to whoever is free, many at a time; a large one is written by all at once. A
//! file gets its name only when all of its content was there and was what its id says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Error, Repository};
use crate::object::tree::{Change, Target};
use crate::object::{ObjectId, TreePath};
use crate::progress::Progress;
use crate::store::{Place, Reader};
use crate::threads;
use crate::worktree::checkout::{Hand, Verdict};
use crate::worktree::directory::Directory;
use crate::worktree::stamps::Stamp;

/// Neighbours that one thread writes before it looks for more work: at least these many, and on
/// to the end of their block, which another thread would decode again.
const STRETCH_FILES: usize = 64;

/// Neighbours that one thread writes at most.
const STRETCH_FILES_MAX: usize = 1024;

/// Bytes after which a thread looks for more work.
const STRETCH_BYTES: u64 = 16 << 20;

/// From this size on, in bytes, a file is written by all threads at once.
const LARGE_BYTES: u64 = 32 << 20;

/// One file to be written.
pub(super) struct Job<'a> {
    place: Place,
    position: usize,
    path: &'a TreePath,
    target: Target,
    over: Option<Stamp>,
}

/// Where the files go.
pub(super) struct Site<'a> {
    pub root: &'a Directory,
    /// Whether what is in the way may be lost.
    pub overwrites: bool,
    pub progress: &'a Progress,
}

/// The positions of the changes that were carried out, and how their files look now.
type Stamped = Vec<(usize, Stamp)>;

impl Repository {
    /// Lists the files to be written, in the order in which their content lies in packs.
    pub(super) fn jobs<'w>(&self, window: &'w [(Change, Verdict)]) -> Result<Vec<Job<'w>>, Error> {
        let mut reader = self.store.reader();
        let mut jobs = Vec::new();
        for (position, (change, verdict)) in window.iter().enumerate() {
            let (Verdict::Write { over }, Some(target)) = (verdict, &change.new) else { continue };
            let place = reader.place(&target.id())?;
            let (path, target, over) = (&change.path, *target, *over);
            jobs.push(Job { place, position, path, target, over });
        }
        jobs.sort_by_key(|job| job.place);
        Ok(jobs)
    }

    /// Writes files on all processors; gives their positions and stamps.
    pub(super) fn write_files(&self, site: &Site<'_>, jobs: &[Job<'_>]) -> Result<Stamped, Error> {
        let (large, small): (Vec<&Job<'_>>, _) = jobs.iter().partition(|job| job.is_large());
        let mut stamped = self.write_small_files(site, &small)?;
        let mut hand = self.hand(site)?;
        for job in large {
            stamped.push((job.position, self.write_large_file(site, &mut hand, job)?));
        }
        Ok(stamped)
    }

    fn write_small_files(&self, site: &Site<'_>, jobs: &[&Job<'_>]) -> Result<Stamped, Error> {
        let stretches = stretches(jobs);
        let next = AtomicUsize::new(0);
        let results = Mutex::new((Vec::with_capacity(jobs.len()), None));
        let work = || -> Result<(), Error> {
            let mut reader = self.store.reader();
            let mut hand = self.hand(site)?;
            while let Some(stretch) = stretches.get(next.fetch_add(1, Ordering::Relaxed)) {
                for job in *stretch {
                    site.progress.check()?;
                    let stamp = write_one(&mut reader, &mut hand, job)?;
                    site.progress.add_files(1);
                    site.progress.add_bytes(stamp.size);
                    lock(&results).0.push((job.position, stamp));
                }
            }
            Ok(())
        };
        if !stretches.is_empty() {
            threads::share(threads::count().min(stretches.len()), || {
                if let Err(error) = work() {
                    next.store(stretches.len(), Ordering::Relaxed);
                    lock(&results).1.get_or_insert(error);
                }
            });
        }
        let (stamped, error) = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        error.map_or(Ok(stamped), Err)
    }

    fn write_large_file(
        &self,
        site: &Site<'_>,
        hand: &mut Hand<'_>,
        job: &Job<'_>,
    ) -> Result<Stamp, Error> {
        let Target::File { id, size, executable, .. } = &job.target else {
            return Err(no_file(job.path));
        };
        let pending = hand.begin_file(job.path, *executable, job.over.as_ref())?;
        self.store.stream_in_parallel::<Error>(id, threads::count(), |offset, piece| {
            site.progress.check()?;
            pending.write_at(offset, piece)?;
            site.progress.add_bytes(piece.len() as u64);
            Ok(())
        })?;
        site.progress.add_files(1);
        Ok(pending.finish(*size)?)
    }

    fn hand<'r>(&self, site: &Site<'r>) -> Result<Hand<'r>, Error> {
        Hand::new(site.root, site.overwrites)
            .map_err(|error| Error::io("draw a random name", &self.location.root, error))
    }
}

impl Job<'_> {
    fn is_large(&self) -> bool {
        matches!(self.target, Target::File { size, .. } if size >= LARGE_BYTES)
    }

    fn bytes(&self) -> u64 {
        match self.target {
            Target::File { size, .. } | Target::Symlink { size, .. } => size,
            Target::Directory { .. } | Target::Commit { .. } => 0,
        }
    }
}

/// Cuts jobs into those that one thread does in a row.
fn stretches<'j, 'a>(jobs: &'j [&'a Job<'a>]) -> Vec<&'j [&'a Job<'a>]> {
    let (mut files, mut bytes) = (0, 0);
    let is_same = |one: &&Job<'_>, next: &&Job<'_>| {
        files += 1;
        bytes += one.bytes();
        let is_full = bytes >= STRETCH_BYTES
            || files >= STRETCH_FILES_MAX
            || files >= STRETCH_FILES && !one.place.shares_block(&next.place);
        if is_full {
            (files, bytes) = (0, 0);
        }
        !is_full
    };
    jobs.chunk_by(is_same).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_one(reader: &mut Reader<'_>, hand: &mut Hand<'_>, job: &Job<'_>) -> Result<Stamp, Error> {
    let Job { path, target, over, .. } = job;
    match target {
        Target::Symlink { id, .. } => {
            let link = content(reader, id)?;
            Ok(hand.write_link(path, &link, over.as_ref())?)
        }
        Target::File { id, size, executable, .. } => {
            let pending = hand.begin_file(path, *executable, over.as_ref())?;
            let mut offset = 0;
            reader.stream::<Error>(id, |piece| {
                pending.write_at(offset, piece)?;
                offset += piece.len() as u64;
                Ok(())
            })?;
            Ok(pending.finish(*size)?)
        }
        Target::Directory { .. } | Target::Commit { .. } => Err(no_file(path)),
    }
}

fn content(reader: &mut Reader<'_>, id: &ObjectId) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    reader.stream::<Error>(id, |piece| {
        content.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(content)
}

fn no_file(path: &TreePath) -> Error {
    Error::Internal(format!("not a file, path={path}"))
}
