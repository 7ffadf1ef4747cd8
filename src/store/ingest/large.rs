//! One large file at a time: a thread reads it, another makes its SHA-256, the lane makes its id
//! and finds the cut points, and the workers hash, encode and write the chunks.
//!
//! SHA-256 of one file cannot be split and takes as long as all the rest together, so that its
//! thread does nothing else.

use std::io::Read;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::cutter::Cutter;
use super::older::Older;
use super::segment::{Pool, Segment, Slice};
use super::{Desk, Give, IngestFailure, Ingested, Job, Shared, Stop, limits, read, small};
use crate::format::chunk::map::Part;
use crate::object::{IdHasher, ObjectId, Sha256, Sha256Hasher};
use crate::progress::Stopped;
use crate::store::transaction::Transaction;
use crate::store::{StoreError, chunk_lists};
use crate::threads::{self, Once};

/// Segments that may be read ahead of the lane.
const READ_AHEAD: usize = 2;

/// A piece of a large file on its way to a worker.
#[derive(Debug)]
pub(super) struct ChunkJob {
    slice: Slice,
    position: usize,
    /// Where it begins in the file.
    offset: u64,
    older: Option<Arc<Older>>,
    answer: Sender<(usize, Part)>,
}

/// What the lane knows of a file once it has seen all of it.
struct Seen {
    id: ObjectId,
    bytes: u64,
    chunks: Vec<Part>,
}

impl ChunkJob {
    /// Hashes one chunk and stores it unless the repository has it.
    pub fn store(
        self,
        transaction: &Transaction<'_>,
        desk: &mut Desk<'_>,
    ) -> Result<(), StoreError> {
        let Self { slice, position, offset, older, answer } = self;
        let part = small::chunk(transaction, slice.bytes(), offset, older.as_deref(), desk)?;
        // Nobody listens any more if the file failed meanwhile.
        let _ = answer.send((position, part));
        Ok(())
    }
}

/// Reads and stores one large file; `None` if it is a small one by now, of which nothing was read.
pub(super) fn file<T: Send, F: Read + Send, S: PartialEq + Send>(
    shared: &Shared<'_, '_, T, F, S>,
    token: &T,
    give: Give<'_, T>,
) -> Result<Option<Ingested<S>>, Stop> {
    let mut reader = shared.transaction.store().reader();
    let before = (shared.request.before)(token);
    let older = before.and_then(|before| Older::of(&mut reader, &before)).map(Arc::new);
    for _ in 0..read::ATTEMPTS {
        let (mut file, look) = read::open(shared.request, token)?;
        if look.bytes < limits::LARGE_BYTES {
            return Ok(None);
        }
        let (seen, sha256) = pass(shared, &mut file, look.bytes, older.clone(), give)?;
        if shared.is_halted() {
            return Err(StoreError::Interrupted(Stopped).into());
        }
        if read::is_unchanged(shared.request, &file, &look, seen.bytes)? {
            if shared.transaction.claim_blob(&seen.id)? {
                chunk_lists::put(shared.transaction, seen.id, &seen.chunks)?;
            }
            let Seen { id, bytes, .. } = seen;
            return Ok(Some(Ingested { id, sha256, bytes, stamp: look.stamp }));
        }
    }
    Err(IngestFailure::Changed.into())
}

/// Reads the file once, to its end or until somebody stops.
fn pass<T: Send, F: Read + Send, S: Send>(
    shared: &Shared<'_, '_, T, F, S>,
    file: &mut F,
    file_bytes: u64,
    older: Option<Arc<Older>>,
    give: Give<'_, T>,
) -> Result<(Seen, Sha256), Stop> {
    let pool = Pool::new(Cutter::CHUNK_BYTES_MAX);
    let left = Some(file_bytes);
    let reading = Once::new(Reading { shared, file, pool: &pool, left, failed: None });
    let (filled, segments) = bounded(READ_AHEAD);
    // The pool bounds what is under way.
    let (to_hash, hashed) = unbounded();
    thread::scope(|scope| {
        let read_ahead = || {
            let mut reading = reading.take();
            // Nobody takes them any more if the lane panicked, which the scope reports.
            let _gone = reading.by_ref().try_for_each(|segment| filled.send(segment));
            drop(filled);
            reading.failed
        };
        let reader = threads::begin(scope, read_ahead);
        let sha256 = threads::begin(scope, move || sha256_of(hashed));
        let (answer, answers) = unbounded();
        let lane = Lane {
            hasher: IdHasher::new(),
            cutter: None,
            file_bytes,
            older,
            count: 0,
            bytes: 0,
            offset: 0,
            give,
            answer,
        };
        let mut own_sha256 = Sha256Hasher::new();
        let mut hash = |slice: Slice| match &sha256 {
            // The other end outlives the lane unless its thread panicked, which the scope reports.
            Some(_) => drop(to_hash.send(slice)),
            None => own_sha256.update(slice.bytes()),
        };
        let (seen, failed) = match reader {
            Some(reader) => {
                let seen = lane.run(segments.into_iter(), &mut hash, &answers);
                (seen, threads::end(reader))
            }
            None => {
                let mut reading = reading.take();
                (lane.run(reading.by_ref(), &mut hash, &answers), reading.failed)
            }
        };
        drop(to_hash);
        let sha256 = sha256.map_or_else(|| own_sha256.finish(), threads::end);
        failed.map_or(Ok((seen, sha256)), |failure| Err(failure.into()))
    })
}

/// Reads a file into segments, in their order, until its end or until somebody stops.
///
/// Shape: one that has grown is not followed to its end, which may go on for ever.
struct Reading<'a, 'b, 's, T, F, S> {
    shared: &'a Shared<'b, 's, T, F, S>,
    file: &'a mut F,
    pool: &'a Pool,
    /// Bytes that it still had when it was looked at; none once there are more.
    left: Option<u64>,
    /// Why it ended before the end of the file.
    failed: Option<IngestFailure>,
}

impl<T, F: Read, S> Iterator for Reading<'_, '_, '_, T, F, S> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        let left = self.left?;
        let mut segment = self.pool.take(Cutter::CHUNK_BYTES_MAX);
        while !segment.room().is_empty() {
            match self.file.read(segment.room()) {
                Ok(0) => break,
                Ok(bytes) => segment.grow(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error.into());
                    return None;
                }
            }
        }
        let bytes = segment.bytes().len();
        if bytes == 0 || self.shared.is_halted() {
            return None;
        }
        self.left = left.checked_sub(bytes as u64);
        self.shared.request.progress.add_bytes(bytes as u64);
        Some(segment)
    }
}

fn sha256_of(content: Receiver<Slice>) -> Sha256 {
    let mut hasher = Sha256Hasher::new();
    content.iter().for_each(|slice| hasher.update(slice.bytes()));
    hasher.finish()
}

/// The lane's state from segment to segment.
struct Lane<'a, T> {
    hasher: IdHasher,
    cutter: Option<Cutter>,
    file_bytes: u64,
    older: Option<Arc<Older>>,
    count: usize,
    /// Bytes that were hashed, and bytes that were cut into chunks.
    bytes: u64,
    offset: u64,
    give: Give<'a, T>,
    answer: Sender<(usize, Part)>,
}

impl<T> Lane<'_, T> {
    /// Hashes the whole, finds the cut points, and hands each chunk to a worker.
    fn run(
        mut self,
        segments: impl Iterator<Item = Segment>,
        hash: &mut dyn FnMut(Slice),
        answers: &Receiver<(usize, Part)>,
    ) -> Seen {
        let mut tail: Option<Slice> = None;
        let mut segments = segments.peekable();
        while let Some(mut segment) = segments.next() {
            let bytes = segment.bytes().len();
            if let Some(left_over) = tail.take() {
                segment.prepend(left_over.bytes());
            }
            let segment = Arc::new(segment);
            let all = segment.bytes().len();
            let slice = Slice::new(&segment, all - bytes, all);
            hash(slice.clone());
            self.hasher.update(slice.bytes());
            self.bytes += bytes as u64;
            let is_last = segments.peek().is_none();
            tail = self.segment(&segment, is_last);
        }
        let Lane { hasher, bytes, answer, count, .. } = self;
        drop(answer);
        let mut rows = vec![None; count];
        for (position, row) in answers {
            rows[position] = Some(row);
        }
        // A row is only missing when a worker failed: then the whole ingest fails with its error.
        Seen { id: hasher.finish(), bytes, chunks: rows.into_iter().flatten().collect() }
    }

    /// Cuts one segment; what is left over belongs to a chunk that ends in the next.
    fn segment(&mut self, segment: &Arc<Segment>, is_last: bool) -> Option<Slice> {
        let content = segment.bytes();
        let cutter = self.cutter.get_or_insert_with(|| Cutter::new(content, self.file_bytes));
        let mut start = 0;
        while start < content.len() {
            let Some(bytes) = cutter.cut(&content[start..], is_last) else {
                return Some(Slice::new(segment, start, content.len()));
            };
            let job = ChunkJob {
                slice: Slice::new(segment, start, start + bytes),
                position: self.count,
                offset: self.offset,
                older: self.older.clone(),
                answer: self.answer.clone(),
            };
            (self.give)(Job::Chunk(job));
            self.count += 1;
            self.offset += bytes as u64;
            start += bytes;
        }
        None
    }
}
