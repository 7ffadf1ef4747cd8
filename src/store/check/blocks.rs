//! Decodes every block of a pack and hashes every object in it, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Checked, Finding, finding, open};
use crate::format::block::Decoder;
use crate::format::chunk::map::ChunkMap;
use crate::format::pack::{
    BlockPosition, BlockRow, KindSet, ObjectKind, ObjectPosition, ObjectRow, PackIndex,
};
use crate::object::{DecodeError, ObjectId, Sha256, Sha256Hasher};
use crate::progress::Progress;
use crate::store::id_set::half;
use crate::store::pack::Pack;
use crate::store::reach::Files;
use crate::store::reader::slice_of;
use crate::store::{Reader, Store, StoreError};

/// What the threads of one check share.
struct Shared<'a> {
    store: &'a Store,
    files: &'a Files,
    progress: &'a Progress,
    next: AtomicUsize,
    outcome: Mutex<Outcome>,
}

#[derive(Default)]
struct Outcome {
    findings: Vec<Finding>,
    raw_bytes: u64,
    error: Option<StoreError>,
}

/// What one thread keeps from block to block.
struct Desk<'s> {
    reader: Reader<'s>,
    decoder: Decoder,
    buffer: Vec<u8>,
}

/// Checks every block of a pack whose footer is sound.
pub(super) fn check_pack(
    store: &Store,
    pack: &Arc<Pack>,
    files: &Files,
    checked: &mut Checked,
    progress: &Progress,
) -> Result<(), StoreError> {
    let index = pack.index()?;
    let order = by_block(pack, &index)?;
    let count = index.trailer().block_count as usize;
    checked.blocks += count as u64;
    in_parallel(store, files, checked, progress, count, |shared, desk, at| {
        let block = u32::try_from(at).unwrap_or(u32::MAX);
        let from = order.partition_point(|(other, ..)| *other < block);
        let objects = order[from..].iter().take_while(|(other, ..)| *other == block);
        let positions: Vec<u32> = objects.map(|(.., position)| *position).collect();
        let first = check_block(shared, desk, pack, block, &positions);
        let outcome = first.or_else(|error| match open(store, pack.key()) {
            // Merged away meanwhile: its objects are somewhere else, and were looked up there.
            Ok(None) => Ok(0),
            Ok(Some(again)) => check_block(shared, desk, &again, block, &positions),
            Err(_) => Err(error),
        });
        (pack.key().to_string(), outcome)
    })
}

/// Checks every large file as a whole.
pub(super) fn check_whole(
    store: &Store,
    files: &Files,
    checked: &mut Checked,
    progress: &Progress,
) -> Result<(), StoreError> {
    in_parallel(store, files, checked, progress, files.chunked.len(), |shared, desk, at| {
        let id = files.chunked[at];
        let outcome = whole(shared, desk, &id).or_else(|_| whole(shared, desk, &id));
        (format!("the file with id {id}"), outcome)
    })
}

/// Runs `one` for each number below `count`, on all cores, and collects what it finds.
fn in_parallel(
    store: &Store,
    files: &Files,
    checked: &mut Checked,
    progress: &Progress,
    count: usize,
    one: impl Fn(&Shared<'_>, &mut Desk<'_>, usize) -> (String, Result<u64, StoreError>) + Sync,
) -> Result<(), StoreError> {
    let (next, outcome) = (AtomicUsize::new(0), Mutex::default());
    let shared = Shared { store, files, progress, next, outcome };
    let workers = thread::available_parallelism().map_or(2, usize::from).min(count);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                if let Err(error) = shared.work(count, &one) {
                    shared.outcome().error.get_or_insert(error);
                    shared.next.store(count, Ordering::Relaxed);
                }
            });
        }
    });
    let outcome = shared.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    checked.findings.extend(outcome.findings);
    checked.raw_bytes += outcome.raw_bytes;
    outcome.error.map_or(Ok(()), Err)
}

impl Shared<'_> {
    fn outcome(&self) -> std::sync::MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(
        &self,
        count: usize,
        one: impl Fn(&Self, &mut Desk<'_>, usize) -> (String, Result<u64, StoreError>),
    ) -> Result<(), StoreError> {
        let decoder = Decoder::new().ok_or(StoreError::OutOfMemory)?;
        let mut desk = Desk { reader: self.store.reader(), decoder, buffer: Vec::new() };
        let mut raw_bytes = 0;
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            self.progress.check()?;
            match one(self, &mut desk, at) {
                (_, Ok(bytes)) => raw_bytes += bytes,
                (place, Err(error)) => {
                    let found = finding(place, error)?;
                    self.outcome().findings.push(found);
                }
            }
        }
        self.outcome().raw_bytes += raw_bytes;
        Ok(())
    }
}

/// Block, offset and position of every object, in the order of their bytes: 12 bytes each.
fn by_block(pack: &Pack, index: &PackIndex<&[u8]>) -> Result<Vec<(u32, u32, u32)>, StoreError> {
    let mut order = Vec::with_capacity(index.trailer().object_count as usize);
    for (position, object) in (0..).zip(index.objects()) {
        let object = object.map_err(|error| pack.damaged(error))?;
        order.push((object.block.0, object.offset, position));
    }
    order.sort_unstable();
    Ok(order)
}

/// Decodes one block and hashes every object in it; gives its raw bytes.
fn check_block(
    shared: &Shared<'_>,
    desk: &mut Desk<'_>,
    pack: &Arc<Pack>,
    block: u32,
    positions: &[u32],
) -> Result<u64, StoreError> {
    let damaged = |error| pack.damaged(error);
    let index = pack.index()?;
    let row = index.block(BlockPosition(block)).map_err(damaged)?;
    let prefix = match row.base {
        Some(base) => desk.reader.get(&base, KindSet::CONTENT)?,
        None => Vec::new(),
    };
    let Desk { decoder, buffer, .. } = desk;
    let encoded = pack.read(row.offset, row.encoded_bytes)?;
    let raw = decoder.decode(&row, &encoded, &prefix, buffer).map_err(damaged)?;
    for position in positions {
        let object = index.object(ObjectPosition(*position)).map_err(damaged)?;
        check_object(shared.files, pack, &row, &object, raw)?;
    }
    shared.progress.add_bytes(u64::from(row.encoded_bytes));
    Ok(u64::from(row.raw_bytes))
}

fn check_object(
    files: &Files,
    pack: &Arc<Pack>,
    block: &BlockRow,
    object: &ObjectRow,
    raw: &[u8],
) -> Result<(), StoreError> {
    let content = slice_of(pack, object, raw)?;
    let id = object.id;
    let mismatch = || StoreError::Mismatch { id, key: pack.key().clone() };
    match object.kind {
        ObjectKind::ChunkMap => ChunkMap::decode(content, &id).map(drop).map_err(|error| {
            pack.damaged(DecodeError::new("chunk map", block.offset, error.to_string()))
        }),
        ObjectKind::Blob => {
            let Some(sha256) = files.sha256.get(&half(&id)) else {
                return if ObjectId::of(content) == id { Ok(()) } else { Err(mismatch()) };
            };
            if ObjectId::of(content) != id {
                return Err(mismatch());
            }
            compare(&id, &Sha256::of(content), sha256)
        }
        _ if ObjectId::of(content) == id => Ok(()),
        _ => Err(mismatch()),
    }
}

fn compare(id: &ObjectId, found: &Sha256, told: &[u8; 16]) -> Result<(), StoreError> {
    match found.as_bytes().starts_with(told) {
        true => Ok(()),
        false => {
            let reason = "a tree names another SHA-256 than the content has";
            Err(StoreError::Malformed { id: *id, source: DecodeError::new("tree", 0, reason) })
        }
    }
}

/// Reads a large file and compares both hashes; gives its length.
fn whole(shared: &Shared<'_>, desk: &mut Desk<'_>, id: &ObjectId) -> Result<u64, StoreError> {
    let mut hasher = Sha256Hasher::new();
    let mut bytes = 0;
    let told = shared.files.sha256.get(&half(id));
    desk.reader.stream(id, |piece| {
        shared.progress.check()?;
        // The stream itself compares the id.
        if told.is_some() {
            hasher.update(piece);
        }
        bytes += piece.len() as u64;
        shared.progress.add_bytes(piece.len() as u64);
        Ok::<(), StoreError>(())
    })?;
    match told {
        Some(told) => compare(id, &hasher.finish(), told).map(|()| bytes),
        None => Ok(bytes),
    }
}
