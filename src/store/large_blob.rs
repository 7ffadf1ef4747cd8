//! Reads a blob that is stored as chunks: by one thread, or by several that keep its order.
//!
//! Each thread takes the next stretch of chunks and decodes it; only what must see the bytes in
//! order, the hash of the whole above all, waits for its turn.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::format::chunk::map::Part;
use crate::format::pack::BlockPosition;
use crate::object::{DecodeError, IdHasher, ObjectId};
use crate::threads;

use super::block_reader::{Buffer, SeeBlock};
use super::chunk_lists::Chunks;
use super::in_order::InOrder;
use super::pack::Pack;
use super::packs::Found;
use super::reader::CHUNKS;
use super::{Reader, Store, StoreError};

/// Bytes of a blob that one thread decodes before it looks for the next ones: little enough for
/// a cache, much for a system call.
const STRETCH_BYTES: u64 = 1 << 20;

/// Most chunks of a stretch: theirs may be as short as one byte.
const STRETCH_CHUNKS: usize = 4096;

/// Bytes of a blob that are worth a thread.
const WORKER_BYTES_MIN: u64 = 4 * STRETCH_BYTES;

/// What several threads do with the bytes of a large blob.
pub(super) struct Uses<'a, E> {
    /// Gets every whole block as it is decoded, from any thread.
    pub block: &'a SeeAnyBlock<'a>,
    /// Gets each stretch with its offset in the blob, from any thread, in any order.
    pub stretch: &'a TakeStretch<'a, E>,
    /// Gets each stretch in order, after `stretch` has.
    pub in_order: &'a mut TakeInOrder<'a>,
}

/// Takes a stretch that begins at an offset.
pub(super) type TakeStretch<'a, E> = dyn Fn(u64, &[u8]) -> Result<(), E> + Sync + 'a;

/// Takes the stretches in order.
pub(super) type TakeInOrder<'a> = dyn FnMut(&[u8]) + Send + 'a;

/// As [`SeeBlock`], from any thread.
pub(super) type SeeAnyBlock<'a> =
    dyn Fn(&Arc<Pack>, BlockPosition, &[u8]) -> Result<(), StoreError> + Sync + 'a;

/// Where the chunks of a blob are cut into stretches.
struct Stretches {
    chunks: Chunks,
    number: u64,
    offset: u64,
}

/// Chunks that follow one another, and their bytes.
#[derive(Default)]
struct Stretch {
    number: u64,
    offset: u64,
    parts: Vec<Part>,
    buffer: Buffer,
}

impl Stretches {
    fn new(chunks: Chunks) -> Self {
        Self { chunks, number: 0, offset: 0 }
    }

    /// Lists the chunks of the next stretch; false behind the last one.
    fn next(&mut self, reader: &mut Reader<'_>, into: &mut Stretch) -> Result<bool, StoreError> {
        (into.number, into.offset) = (self.number, self.offset);
        into.parts.clear();
        while self.offset - into.offset < STRETCH_BYTES
            && into.parts.len() < STRETCH_CHUNKS
            && let Some(part) = self.chunks.next(reader)?
        {
            self.offset = self.offset.saturating_add(u64::from(part.bytes));
            into.parts.push(part);
        }
        self.number += 1;
        Ok(!into.parts.is_empty())
    }
}

impl Stretch {
    /// Reads and decodes the chunks.
    fn fill(
        &mut self,
        reader: &mut Reader<'_>,
        see: &mut SeeBlock<'_>,
    ) -> Result<&[u8], StoreError> {
        let Self { parts, buffer, .. } = self;
        buffer.clear();
        for part in parts {
            let missing = StoreError::Missing { id: part.id };
            let found = reader.store().packs().find(&part.id, CHUNKS)?.ok_or(missing)?;
            if found.row.bytes != part.bytes {
                let reason = "a chunk has another length than its map says";
                let source = DecodeError::new("chunk map", 0, reason);
                return Err(StoreError::Malformed { id: part.id, source });
            }
            reader.blocks().append(&found, buffer, see)?;
        }
        Ok(buffer.filled())
    }
}

/// Reads the blob of the map that was found on this thread: see [`Reader::stream`].
pub(super) fn stream<E: From<StoreError>>(
    reader: &mut Reader<'_>,
    id: &ObjectId,
    found: &Found,
    take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut stretches = Stretches::new(Chunks::open(reader, id, found)?);
    let mut stretch = Stretch::default();
    let mut hasher = IdHasher::new();
    while stretches.next(reader, &mut stretch)? {
        let bytes = stretch.fill(reader, &mut |_, _, _| Ok(()))?;
        hasher.update(bytes);
        take(bytes)?;
    }
    if hasher.finish() == *id { Ok(()) } else { Err(blame(reader, id, found)?.into()) }
}

/// What the threads that read one blob share.
struct Shared<'s, 'u, E> {
    store: &'s Store,
    stretches: Mutex<(Reader<'s>, Stretches)>,
    hasher: InOrder<IdHasher>,
    in_order: InOrder<&'u mut TakeInOrder<'u>>,
    error: Mutex<Option<E>>,
}

/// Reads the blob of the map that was found on `workers` threads.
///
/// Errors: as [`Reader::stream`]; what was given until then must not be used.
/// Cost: for each thread a stretch of 1 MiB and one chunk, and a reader.
pub(super) fn read<E: From<StoreError> + Send>(
    store: &Store,
    id: &ObjectId,
    found: &Found,
    workers: usize,
    uses: Uses<'_, E>,
) -> Result<(), E> {
    let Uses { block, stretch, in_order } = uses;
    let mut reader = store.reader();
    let chunks = Chunks::open(&mut reader, id, found)?;
    let worth = usize::try_from(chunks.blob_bytes() / WORKER_BYTES_MIN).unwrap_or(usize::MAX);
    let stretches = Stretches::new(chunks);
    let shared = Shared {
        store,
        stretches: Mutex::new((reader, stretches)),
        hasher: InOrder::new(IdHasher::new()),
        in_order: InOrder::new(in_order),
        error: Mutex::new(None),
    };
    threads::share(workers.min(worth), || shared.work(block, stretch));
    let Shared { stretches, hasher, error, .. } = shared;
    if let Some(error) = error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let (mut reader, _) = stretches.into_inner().unwrap_or_else(PoisonError::into_inner);
    match hasher.into_inner().finish() == *id {
        true => Ok(()),
        false => Err(blame(&mut reader, id, found)?.into()),
    }
}

impl<E: From<StoreError> + Send> Shared<'_, '_, E> {
    fn work(&self, block: &SeeAnyBlock<'_>, take: &TakeStretch<'_, E>) {
        let _guard = SendAway(self);
        if let Err(error) = self.stretches(block, take) {
            let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(error);
            self.give_up();
        }
    }

    fn stretches(&self, block: &SeeAnyBlock<'_>, take: &TakeStretch<'_, E>) -> Result<(), E> {
        let mut reader = self.store.reader();
        let mut stretch = Stretch::default();
        while self.next(&mut stretch)? {
            let (number, offset) = (stretch.number, stretch.offset);
            let bytes = stretch.fill(&mut reader, &mut |pack, at, raw| block(pack, at, raw))?;
            if self.hasher.enter(number, |hasher| hasher.update(bytes)).is_none() {
                break;
            }
            take(offset, bytes)?;
            if self.in_order.enter(number, |use_it| use_it(bytes)).is_none() {
                break;
            }
        }
        Ok(())
    }

    fn next(&self, into: &mut Stretch) -> Result<bool, StoreError> {
        let mut stretches = self.stretches.lock().unwrap_or_else(PoisonError::into_inner);
        let (reader, stretches) = &mut *stretches;
        stretches.next(reader, into)
    }

    fn give_up(&self) {
        self.hasher.give_up();
        self.in_order.give_up();
    }
}

/// Lets nobody wait for the turn of a thread that panicked.
struct SendAway<'a, 's, 'u, E: From<StoreError> + Send>(&'a Shared<'s, 'u, E>);

impl<E: From<StoreError> + Send> Drop for SendAway<'_, '_, '_, E> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.give_up();
        }
    }
}

/// Finds which chunk made a blob wrong; if none did, it is the map.
fn blame(reader: &mut Reader<'_>, id: &ObjectId, found: &Found) -> Result<StoreError, StoreError> {
    let mut chunks = Chunks::open(reader, id, found)?;
    while let Some(part) = chunks.next(reader)? {
        let missing = StoreError::Missing { id: part.id };
        let chunk = reader.store().packs().find(&part.id, CHUNKS)?.ok_or(missing)?;
        reader.blocks().checked(&part.id, &chunk)?;
    }
    Ok(StoreError::Mismatch { id: *id, key: found.pack.key().clone() })
}

#[cfg(test)]
#[path = "large_blob_tests.rs"]
mod tests;
