//! From files to blocks: one read of each file yields both hashes, cut points and stored content.
//!
//! The calling thread sorts files into batches of small ones and single large ones; workers read,
//! hash and encode batches (`small.rs`), while one lane at a time reads a large file and leaves
//! its chunks to the same workers (`large.rs`). Queues are bounded, so memory is as well.

mod cutter;
mod large;
mod older;
mod read;
mod segment;
mod small;

use std::cell::RefCell;
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::block_builder::{BlockBuilder, BlockEncoder};
use super::transaction::Transaction;
use super::{Reader, StoreError, limits};
use crate::object::{ObjectId, Sha256};
use crate::progress::Progress;
use crate::threads::{self, Once};

/// Batches and chunks that may wait for a worker.
const QUEUE: usize = 16;

/// Most files in one batch, so that a million empty files still spread over the workers.
const BATCH_FILES: usize = 512;

/// Files, and bytes of them, that are read before other threads would have begun.
const FEW_FILES: usize = 8;
const FEW_BYTES: u64 = 256 << 10;

/// What to read, and whom to tell.
///
/// Shape: `T` names a file, `F` is an open one, `S` is what the file system says of it.
pub struct IngestRequest<'a, T, F, S> {
    /// Opens a file for reading without following a link; only ever read from.
    pub open: &'a (dyn Fn(&T) -> io::Result<F> + Sync),
    /// Looks at an open file; `None` if it is no regular one.
    pub look: &'a (dyn Fn(&F) -> io::Result<Option<Look<S>>> + Sync),
    /// Gives the content that a file had before, from which it may differ little.
    pub before: &'a (dyn Fn(&T) -> Option<ObjectId> + Sync),
    /// Told once for each file, from any thread, in any order.
    pub done: &'a (dyn Fn(T, Result<Ingested<S>, IngestFailure>) + Sync),
    /// Counts bytes and files, and says when to stop.
    pub progress: &'a Progress,
}

/// What the file system says of an open file: two equal looks mean that it did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look<S> {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its times and whatever else tells one version from the next.
    pub stamp: S,
}

/// A file whose whole content is stored, once the transaction is finished.
#[derive(Debug, Clone, Copy)]
pub struct Ingested<S> {
    /// The content's id.
    pub id: ObjectId,
    /// The content's SHA-256.
    pub sha256: Sha256,
    /// Length of the content in bytes.
    pub bytes: u64,
    /// What the file system said of the file, the same before and after it was read.
    pub stamp: S,
}

/// Why one file was left out. Others are not affected.
#[derive(Debug, thiserror::Error)]
pub enum IngestFailure {
    /// The file could not be opened or read.
    #[error("cannot be read")]
    Io(#[from] io::Error),
    /// The file kept changing while it was read.
    #[error("changed while it was read")]
    Changed,
    /// It is no longer a regular file.
    #[error("is no regular file any more")]
    NotRegular,
}

/// Why reading a file ended early: its own fault, or the store's.
#[derive(Debug)]
enum Stop {
    File(IngestFailure),
    Store(StoreError),
}

impl From<IngestFailure> for Stop {
    fn from(failure: IngestFailure) -> Self {
        Self::File(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::File(error.into())
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a worker is given.
enum Job<T> {
    Batch(Vec<(T, u64)>),
    Chunk(large::ChunkJob),
}

/// Gives a job to a worker, or does it.
type Give<'a, T> = &'a dyn Fn(Job<T>);

/// What all threads of one ingest share.
struct Shared<'a, 's, T, F, S> {
    request: &'a IngestRequest<'a, T, F, S>,
    transaction: &'a Transaction<'s>,
    failed: Mutex<Option<StoreError>>,
    halted: AtomicBool,
}

impl<T, F, S> Shared<'_, '_, T, F, S> {
    /// Keeps the first error of the store and stops everybody.
    fn fail(&self, error: StoreError) {
        let mut slot = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        slot.get_or_insert(error);
        self.halted.store(true, Ordering::Relaxed);
    }

    /// Tells whether to stop.
    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed) || self.request.progress.check().is_err()
    }
}

impl<T, F: Read, S: PartialEq> Shared<'_, '_, T, F, S> {
    /// Does one job; none any more once it is halted, and nobody waits for a place in the queue.
    fn work(&self, job: Job<T>, desk: &mut Desk<'_>) {
        if self.is_halted() {
            return;
        }
        let outcome = match job {
            Job::Batch(batch) => small::batch(self, batch, desk),
            Job::Chunk(chunk) => chunk.store(self.transaction, desk),
        };
        if let Err(error) = outcome {
            self.fail(error);
        }
    }

    /// Stores what is left on a desk.
    fn flush(&self, desk: &mut Desk<'_>) {
        if let Err(error) = desk.block.flush(&mut desk.encoder, self.transaction.data()) {
            self.fail(error);
        }
    }
}

/// Reads files and stores what the repository does not have yet.
///
/// Shape: `files` are (token, expected bytes); neighbours should come together, since small files
/// share blocks with their neighbours. Errors: [`StoreError::Interrupted`] when asked to stop, or
/// what storage says; a file that cannot be read only fails itself. Cost: one read of each file;
/// memory is bounded by the number of workers, about 60 MiB for two.
pub fn ingest<T: Send, F: Read + Send, S: PartialEq + Send>(
    transaction: &Transaction<'_>,
    request: &IngestRequest<'_, T, F, S>,
    mut files: impl Iterator<Item = (T, u64)>,
) -> Result<(), StoreError> {
    let shared =
        Shared { request, transaction, failed: Mutex::new(None), halted: AtomicBool::new(false) };
    let first: Vec<_> = files.by_ref().take(FEW_FILES).collect();
    let bytes = first.iter().fold(0, |sum: u64, (_, bytes)| sum.saturating_add(*bytes));
    if first.len() < FEW_FILES && bytes < FEW_BYTES {
        let (jobs, work) = bounded(1);
        // The one place in the queue is free.
        let _ = jobs.send(Job::Batch(first));
        drop(jobs);
        worker(&shared, &work);
    } else {
        share_out(&shared, first.into_iter().chain(files));
    }
    if let Some(error) = shared.failed.into_inner().unwrap_or_else(|poison| poison.into_inner()) {
        return Err(error);
    }
    Ok(request.progress.check()?)
}

/// Stores the content of a large file that is held whole, and tells its id.
pub(super) fn held(transaction: &Transaction<'_>, content: &[u8]) -> Result<ObjectId, StoreError> {
    let id = ObjectId::of(content);
    if transaction.claim_blob(&id)? {
        let mut desk = Desk::new(transaction);
        small::chunks(transaction, id, None, content, &mut desk)?;
        desk.block.flush(&mut desk.encoder, transaction.data())?;
    }
    Ok(id)
}

/// Has files read by several threads.
fn share_out<T: Send, F: Read + Send, S: PartialEq + Send>(
    shared: &Shared<'_, '_, T, F, S>,
    files: impl Iterator<Item = (T, u64)>,
) {
    let (jobs, work) = bounded(QUEUE);
    let (large, tokens) = unbounded();
    // The workers outlive the queue unless one panicked, which the scope reports.
    let give = |jobs: &Sender<Job<T>>, job| drop(jobs.send(job));
    let lane_jobs = Once::new(jobs.clone());
    let lane = || {
        let jobs = lane_jobs.take();
        large_lane(shared, &tokens, &|job| give(&jobs, job));
    };
    let worker = || worker(shared, &work);
    thread::scope(|scope| {
        if threads::join(scope, threads::count(), &worker) == 0 {
            return alone(shared, files);
        }
        let is_beside = threads::begin(scope, lane).is_some();
        feed(shared, files, &|job| give(&jobs, job), &large);
        drop((jobs, large));
        if !is_beside {
            lane();
        }
    });
}

/// Does all of it on this thread, as the system gives no other.
fn alone<T: Send, F: Read + Send, S: PartialEq + Send>(
    shared: &Shared<'_, '_, T, F, S>,
    files: impl Iterator<Item = (T, u64)>,
) {
    let (large, tokens) = unbounded();
    let desk = RefCell::new(Desk::new(shared.transaction));
    let give = |job| shared.work(job, &mut desk.borrow_mut());
    feed(shared, files, &give, &large);
    drop(large);
    large_lane(shared, &tokens, &give);
    shared.flush(&mut desk.borrow_mut());
}

/// Sorts files into batches and large ones.
fn feed<T, F, S>(
    shared: &Shared<'_, '_, T, F, S>,
    files: impl Iterator<Item = (T, u64)>,
    give: Give<'_, T>,
    large: &Sender<T>,
) {
    let mut batch = Vec::new();
    let mut batch_bytes = 0;
    for (token, bytes) in files {
        if shared.is_halted() {
            return;
        }
        if bytes >= limits::LARGE_BYTES {
            // Both ends outlive this loop unless a thread panicked, which the scope reports.
            let _ = large.send(token);
            continue;
        }
        batch.push((token, bytes));
        batch_bytes += bytes;
        if batch_bytes >= limits::SHARED_BLOCK_BYTES as u64 || batch.len() >= BATCH_FILES {
            give(Job::Batch(std::mem::take(&mut batch)));
            batch_bytes = 0;
        }
    }
    if !batch.is_empty() {
        give(Job::Batch(batch));
    }
}

/// Takes batches and chunks until there are no more, then flushes its shared block.
fn worker<T, F: Read, S: PartialEq>(shared: &Shared<'_, '_, T, F, S>, jobs: &Receiver<Job<T>>) {
    let mut desk = Desk::new(shared.transaction);
    jobs.iter().for_each(|job| shared.work(job, &mut desk));
    shared.flush(&mut desk);
}

/// Reads one large file after the other.
fn large_lane<T: Send, F: Read + Send, S: PartialEq + Send>(
    shared: &Shared<'_, '_, T, F, S>,
    lane: &Receiver<T>,
    give: Give<'_, T>,
) {
    for token in lane {
        if shared.is_halted() {
            continue;
        }
        let outcome = match large::file(shared, &token, give) {
            Ok(Some(ingested)) => Ok(ingested),
            Ok(None) => {
                give(Job::Batch(vec![(token, 0)]));
                continue;
            }
            Err(Stop::File(failure)) => Err(failure),
            Err(Stop::Store(error)) => {
                shared.fail(error);
                continue;
            }
        };
        shared.request.progress.add_files(1);
        (shared.request.done)(token, outcome);
    }
}

/// What one worker keeps from job to job.
struct Desk<'s> {
    reader: Reader<'s>,
    encoder: BlockEncoder,
    block: BlockBuilder,
    content: Vec<u8>,
}

impl<'s> Desk<'s> {
    fn new(transaction: &Transaction<'s>) -> Self {
        Self {
            reader: transaction.store().reader(),
            encoder: transaction.encoder(),
            block: BlockBuilder::default(),
            content: Vec::new(),
        }
    }
}

#[cfg(test)]
mod changing_tests;
#[cfg(test)]
#[path = "ingest_tests.rs"]
mod tests;
