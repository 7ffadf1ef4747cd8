//! Decodes every block of every pack and hashes every object in it, and every large file as a
//! whole, on all cores.
//!
//! A large file is put together first: its chunks are checked by their own ids on the way, so
//! that they are decoded once. SHA-256 of one file keeps one core busy; the others go on beside.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::ledger::{Ledger, Page};
use super::{Checked, Finding, finding, open};
use crate::format::chunk::map::ChunkMap;
use crate::format::pack::{BlockPosition, BlockRow, ObjectKind, ObjectPosition, ObjectRow};
use crate::object::{DecodeError, ObjectId, Sha256, Sha256Hasher};
use crate::progress::Progress;
use crate::store::block_reader::{proves, slice_of};
use crate::store::id_set::half;
use crate::store::large_blob::Uses;
use crate::store::pack::Pack;
use crate::store::reach::Files;
use crate::store::{Reader, Store, StoreError};
use crate::threads;

/// What the threads of one check share.
struct Shared<'a> {
    store: &'a Store,
    files: &'a Files,
    progress: &'a Progress,
    ledger: Ledger,
    /// Threads for each large file that is put together.
    workers_of_file: usize,
    is_over: AtomicBool,
    outcome: Mutex<Outcome>,
}

#[derive(Default)]
struct Outcome {
    findings: Vec<Finding>,
    raw_bytes: u64,
    error: Option<StoreError>,
}

/// What was checked: for people where it is, and its raw bytes or what is wrong with which objects.
type Looked = (String, Result<u64, (StoreError, Vec<ObjectId>)>);

/// Most threads that put one file together: while one hashes it, the others decode.
const FILE_WORKERS_MAX: usize = 4;

/// Checks every block of the packs, whose footers are sound, and every large file.
///
/// Cost: a thread for each core, and for large files as many again, at least 2 for one file;
/// each needs memory for about 3 MiB, at most 60 MiB for blocks of 16 MiB.
pub(super) fn check_bytes(
    store: &Store,
    files: &Files,
    checked: &mut Checked,
    progress: &Progress,
) -> Result<(), StoreError> {
    let cores = threads::count();
    let lanes = cores.min(files.chunked.len());
    let shared = Shared {
        store,
        files,
        progress,
        ledger: Ledger::new(&*store.packs().listing()?)?,
        workers_of_file: (cores / lanes.max(1)).clamp(2, FILE_WORKERS_MAX),
        is_over: AtomicBool::new(false),
        outcome: Mutex::default(),
    };
    let blocks = shared.ledger.len();
    let (next_file, next_block) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let whole = || shared.work(&next_file, files.chunked.len(), |_, at| shared.file(at));
    // What large files are made of is left to those who put them together.
    let others = || shared.work(&next_block, blocks, |r, at| shared.block(r, at, false));
    thread::scope(|scope| {
        threads::join(scope, lanes, &whole);
        threads::join(scope, cores.min(blocks).saturating_sub(1), &others);
        others();
        whole();
    });
    let next_block = AtomicUsize::new(0);
    // What no file led to, and what was not sound, is looked at by itself.
    let left = || shared.work(&next_block, blocks, |r, at| shared.block(r, at, true));
    threads::share(cores.min(blocks), left);
    let outcome = shared.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    checked.blocks += blocks as u64;
    checked.findings.extend(outcome.findings);
    checked.raw_bytes += outcome.raw_bytes;
    outcome.error.map_or(Ok(()), Err)
}

impl Shared<'_> {
    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `one` for each number below `count` that no other thread has taken.
    fn work(
        &self,
        next: &AtomicUsize,
        count: usize,
        one: impl Fn(&mut Reader<'_>, usize) -> Option<Looked>,
    ) {
        let mut reader = self.store.reader();
        while !self.is_over.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            let looked = match self.progress.check() {
                Ok(()) => one(&mut reader, at),
                Err(stopped) => Some((String::new(), Err((stopped.into(), Vec::new())))),
            };
            match looked {
                None => {}
                Some((_, Ok(bytes))) => self.outcome().raw_bytes += bytes,
                Some((place, Err((error, objects)))) => match finding(place, error) {
                    Ok(found) => self.outcome().findings.push(Finding { objects, ..found }),
                    Err(error) => {
                        self.outcome().error.get_or_insert(error);
                        self.is_over.store(true, Ordering::Relaxed);
                    }
                },
            }
        }
    }

    /// Checks a block, and if it fails once more through a new descriptor.
    ///
    /// Shape: `None` if it is known to be sound, or holds a chunk and is not `left` to itself.
    fn block(&self, reader: &mut Reader<'_>, number: usize, left: bool) -> Option<Looked> {
        let (page, block) = self.ledger.block(number)?;
        let is_skipped = match left {
            true => page.is_sound(block) || !page.holds_chunk(block),
            false => page.holds_chunk(block),
        };
        if is_skipped {
            return None;
        }
        let key = page.pack.key();
        let first = self.check_block(reader, page, &page.pack, block);
        let outcome = first.or_else(|error| match open(self.store, key) {
            // Merged away meanwhile: its objects are somewhere else, and were looked up there.
            Ok(None) => Ok(0),
            Ok(Some(again)) => self.check_block(reader, page, &again, block),
            Err(_) => Err(error),
        });
        let outcome = outcome.map_err(|error| (error, self.lost_in(reader, page, block)));
        Some((key.to_string(), outcome))
    }

    /// Lists the objects of a damaged block that cannot be read.
    fn lost_in(&self, reader: &mut Reader<'_>, page: &Page, block: BlockPosition) -> Vec<ObjectId> {
        let pack = &page.pack;
        let Ok(index) = pack.index() else { return Vec::new() };
        let rows = page.objects(block).filter_map(|at| index.object(ObjectPosition(at)).ok());
        let row = index.block(block).map_err(|error| pack.damaged(error));
        let raw = row.and_then(|row| reader.blocks().decoded(pack, &row)).unwrap_or_default();
        let is_lost = |row: &ObjectRow| {
            slice_of(pack, row, raw).map_or(true, |content| !proves(row, content))
        };
        rows.filter(is_lost).map(|row| row.id).collect()
    }

    /// Decodes one block and hashes every object in it; gives its raw bytes, once.
    fn check_block(
        &self,
        reader: &mut Reader<'_>,
        page: &Page,
        pack: &Arc<Pack>,
        block: BlockPosition,
    ) -> Result<u64, StoreError> {
        let row = pack.index()?.block(block).map_err(|error| pack.damaged(error))?;
        let raw = reader.blocks().decoded(pack, &row)?;
        check_objects(self.files, page, pack, (block, &row), raw)?;
        Ok(self.sound(page, block, &row))
    }

    /// Counts a block that was found to be sound; gives its raw bytes, once.
    fn sound(&self, page: &Page, block: BlockPosition, row: &BlockRow) -> u64 {
        if !page.note_sound(block) {
            return 0;
        }
        self.progress.add_bytes(u64::from(row.encoded_bytes));
        u64::from(row.raw_bytes)
    }

    fn file(&self, at: usize) -> Option<Looked> {
        let id = self.files.chunked.get(at)?;
        let outcome = self.whole(id).or_else(|_| self.whole(id));
        let outcome = outcome.map_err(|error| (error, vec![*id]));
        Some((format!("the file with id {id}"), outcome))
    }

    /// Puts a large file together and compares both hashes; gives its length.
    fn whole(&self, id: &ObjectId) -> Result<u64, StoreError> {
        let mut hasher = Sha256Hasher::new();
        let mut bytes = 0;
        let told = self.files.sha256.get(&half(id));
        let uses = Uses {
            block: &|pack, block, raw| self.see(pack, block, raw),
            stretch: &|_, _| Ok(self.progress.check()?),
            // The id of the whole is compared by who reads it.
            in_order: &mut |piece| {
                bytes += piece.len() as u64;
                if told.is_some() {
                    hasher.update(piece);
                }
            },
        };
        self.store.read_with::<StoreError>(id, self.workers_of_file, uses)?;
        match told {
            Some(told) => compare(id, &hasher.finish(), told).map(|()| bytes),
            None => Ok(bytes),
        }
    }

    /// Checks a block that was decoded for a large file, unless it is known to be sound.
    fn see(&self, pack: &Arc<Pack>, block: BlockPosition, raw: &[u8]) -> Result<(), StoreError> {
        let Some(page) = self.ledger.page(pack) else { return Ok(()) };
        if page.is_sound(block) {
            return Ok(());
        }
        let row = pack.index()?.block(block).map_err(|error| pack.damaged(error))?;
        // One that is not is looked at again by itself, and told then.
        if check_objects(self.files, page, pack, (block, &row), raw).is_ok() {
            let raw_bytes = self.sound(page, block, &row);
            self.outcome().raw_bytes += raw_bytes;
        }
        Ok(())
    }
}

/// Hashes every object of a decoded block.
fn check_objects(
    files: &Files,
    page: &Page,
    pack: &Arc<Pack>,
    (block, row): (BlockPosition, &BlockRow),
    raw: &[u8],
) -> Result<(), StoreError> {
    let index = pack.index()?;
    for position in page.objects(block) {
        let object = index.object(ObjectPosition(position)).map_err(|error| pack.damaged(error))?;
        check_object(files, pack, row, &object, raw)?;
    }
    Ok(())
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
