//! Many small packs into one: blocks are copied as they are, small ones are put together anew.
//!
//! Which packs to merge is `plan`; what nothing reaches is left out by `keep`. The merged pack is
//! durable before an old one goes, so readers lose nothing: who finds a pack gone lists again.

mod plan;

use std::collections::HashSet;
use std::sync::Arc;

use crate::format::block;
use crate::format::pack::{BlockRow, KindSet, ObjectKind, ObjectRow, PackClass, PackIndex};
use crate::object::{DecodeError, ObjectId};
use crate::progress::Progress;
use crate::storage::{Aside, Key};

pub use plan::plan;

use super::block_builder::{BlockBuilder, BlockEncoder, BlockObject};
use super::block_reader::{BlockReader, slice_of};
use super::lease::HOLD_MS;
use super::pack::Pack;
use super::pack_writer::PackWriter;
use super::{JournalError, Store, StoreError, limits, reader};

/// Packs below this length are merged on the way; the others wait for a collection. Bytes.
const TIDY_BYTES_MAX: u64 = 64 << 20;

/// Packs with fewer objects are merged on the way; the others wait as well. A merge holds some 200
/// bytes for each object, and takes hardly more than eight packs at once.
const TIDY_OBJECTS_MAX: u64 = 100_000;

/// What a merge did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Packs that are gone.
    pub packs: u64,
    /// Length of those, in bytes.
    pub bytes_before: u64,
    /// Length of the pack that took their place, in bytes; 0 if nothing was left to keep.
    pub bytes_after: u64,
    /// Objects that were left out because they were not to be kept.
    pub dropped: u64,
}

impl Merged {
    /// Adds what another merge did.
    pub fn add(&mut self, other: Self) {
        self.packs += other.packs;
        self.bytes_before += other.bytes_before;
        self.bytes_after += other.bytes_after;
        self.dropped += other.dropped;
    }
}

/// What becomes of a pack whose content stands in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispose {
    /// It is deleted: nothing was left out.
    Delete,
    /// It goes to the trash, in case something that was left out is missed after all.
    Trash,
}

/// Merges small packs where there are many: after each commit, so that a repository of any age
/// has few.
///
/// Errors: as [`merge`]; nothing is lost, and the next run tries again.
/// Cost: mostly nothing; over many commits, each byte is copied a logarithm's number of times.
pub fn tidy(store: &Store, progress: &Progress) -> Result<Merged, StoreError> {
    merge_up_to(store, TIDY_BYTES_MAX, TIDY_OBJECTS_MAX, progress)
}

/// Merges what [`plan`] chooses among the packs below `bytes_max` and `objects_max`, and drops
/// nothing.
pub fn merge_up_to(
    store: &Store,
    bytes_max: u64,
    objects_max: u64,
    progress: &Progress,
) -> Result<Merged, StoreError> {
    let mut all = Merged::default();
    for class in [PackClass::Data, PackClass::Records] {
        let listing = store.packs().listing()?;
        let is_small = |pack: &&Arc<Pack>| pack.bytes() < bytes_max && pack.objects() < objects_max;
        let small: Vec<_> = listing.of(class).iter().filter(is_small).collect();
        let sizes: Vec<u64> = small.iter().map(|pack| pack.bytes()).collect();
        let chosen: Vec<_> =
            plan(&sizes).into_iter().map(|position| Arc::clone(small[position])).collect();
        if !chosen.is_empty() {
            all.add(merge(store, class, &chosen, &|_| true, Dispose::Delete, progress)?);
        }
    }
    Ok(all)
}

/// Merges `packs`, all of one class, and disposes of them once the merged pack is durable.
///
/// Shape: `keep` tells which objects stay; a duplicate is kept once. Errors: before anything is
/// deleted; a damaged pack is left alone and named. Cost: one pass over the packs; one block in
/// memory.
pub fn merge(
    store: &Store,
    class: PackClass,
    packs: &[Arc<Pack>],
    keep: &dyn Fn(&ObjectRow) -> bool,
    dispose: Dispose,
    progress: &Progress,
) -> Result<Merged, StoreError> {
    let began_ms = store.storage().now_ms()?;
    let mut merger = Merger::new(store, class);
    let mut merged = Merged::default();
    for pack in packs {
        merged.packs += 1;
        merged.bytes_before += pack.bytes();
        merged.dropped += merger.pack(pack, packs, keep, progress)?;
    }
    let new = merger.finish()?;
    // Merging a single pack with nothing to drop gives the same pack again, of the same name.
    let is_old = |key: &Key| new.as_ref().is_none_or(|(new, _)| new != key);
    let old: Vec<Key> = packs.iter().map(|pack| pack.key().clone()).filter(is_old).collect();
    store.packs().relist()?;
    // Who stood still for long does not know whether the new pack is still whole: a collection may
    // have taken from it what somebody now relies on in an old one. Then both stay.
    if store.storage().now_ms()? > began_ms.saturating_add(HOLD_MS) {
        return Err(StoreError::Overdue);
    }
    match dispose {
        Dispose::Delete => {
            store.storage().delete_all(&old)?;
        }
        Dispose::Trash => {
            for key in &old {
                store.storage().set_aside(key, Aside::Trash)?;
            }
        }
    }
    store.packs().relist()?;
    merged.bytes_after = new.map_or(0, |(_, bytes)| bytes);
    Ok(merged)
}

/// Copies the objects that `keep` accepts into a new pack that has no other's name; none if there
/// are none. The caller lists packs anew.
pub(super) fn copy(
    store: &Store,
    class: PackClass,
    packs: &[Arc<Pack>],
    keep: &dyn Fn(&ObjectRow) -> bool,
) -> Result<(), StoreError> {
    let mut merger = Merger::new(store, class);
    for pack in packs {
        merger.pack(pack, packs, keep, &Progress::default())?;
    }
    if !merger.seen.is_empty() {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| JournalError::NoRandomness)?;
        let kind = match class {
            PackClass::Data => ObjectKind::Blob,
            PackClass::Records => ObjectKind::Attachment,
        };
        merger.small.push(ObjectId::of(&random), kind, &random);
        merger.finish()?;
    }
    Ok(())
}

/// Writes the merged pack.
struct Merger<'s> {
    store: &'s Store,
    writer: PackWriter,
    encoder: BlockEncoder,
    small: BlockBuilder,
    /// Kept from block to block: neighbours often continue the same base.
    blocks: BlockReader<'s>,
    seen: HashSet<(ObjectId, ObjectKind)>,
}

impl<'s> Merger<'s> {
    fn new(store: &'s Store, class: PackClass) -> Self {
        Self {
            store,
            writer: PackWriter::new(Arc::clone(store.storage()), class),
            encoder: BlockEncoder::new(store.compression()),
            small: BlockBuilder::default(),
            blocks: BlockReader::new(store),
            seen: HashSet::new(),
        }
    }

    /// Copies one pack, block by block; gives how many objects were not to be kept.
    fn pack(
        &mut self,
        pack: &Arc<Pack>,
        packs: &[Arc<Pack>],
        keep: &dyn Fn(&ObjectRow) -> bool,
        progress: &Progress,
    ) -> Result<u64, StoreError> {
        let index = pack.verified_index()?;
        let mut blocks = members(&index).map_err(|error| pack.damaged(error))?;
        let mut dropped = 0;
        for (position, row) in index.blocks().enumerate() {
            progress.check()?;
            let row = row.map_err(|error| pack.damaged(error))?;
            let mut objects = std::mem::take(&mut blocks[position]);
            objects.sort_by_key(|object| object.offset);
            let before = objects.len();
            objects.retain(|object| keep(object));
            dropped += (before - objects.len()) as u64;
            if row.depth > 0 {
                let is_best = |object: &ObjectRow| is_shallowest(packs, object, row.depth);
                objects = objects
                    .into_iter()
                    .filter_map(|object| {
                        is_best(&object).map(|is| is.then_some(object)).transpose()
                    })
                    .collect::<Result<_, _>>()?;
            }
            objects.retain(|object| {
                let kind = match object.kind {
                    // Whoever looks for one takes the other.
                    ObjectKind::Chunk => ObjectKind::Blob,
                    kind => kind,
                };
                self.seen.insert((object.id, kind))
            });
            let whole = objects.len() == before;
            self.block(pack, &row, &objects, whole)?;
            progress.add_bytes(u64::from(row.encoded_bytes));
        }
        Ok(dropped)
    }

    /// Copies a block that is large and whole as it is, and takes any other apart.
    fn block(
        &mut self,
        pack: &Arc<Pack>,
        row: &BlockRow,
        objects: &[ObjectRow],
        whole: bool,
    ) -> Result<(), StoreError> {
        let is_large = row.raw_bytes as usize >= limits::OWN_BLOCK_BYTES;
        if objects.is_empty() {
            return Ok(());
        }
        // What is copied unread is checked all the same: a merge must not outlive the last good
        // copy of a damaged block. A difference was decoded when it was written, and is checked by
        // the bytes it has since: to decode it would mean to decode its bases, in every merge.
        if whole && row.base.is_some() {
            let mut encoded = vec![0; row.encoded_bytes as usize];
            pack.read(row.offset, &mut encoded)?;
            block::check(row, &encoded).map_err(|error| pack.damaged(error))?;
            let objects: Vec<_> = objects.iter().map(BlockObject::of).collect();
            return self.writer.append(row.summary(), &encoded, &objects);
        }
        let raw = self.blocks.decoded(pack, row)?;
        for object in objects {
            let content = slice_of(pack, object, raw)?;
            if object.kind != ObjectKind::ChunkMap && ObjectId::of(content) != object.id {
                return Err(StoreError::Mismatch { id: object.id, key: pack.key().clone() });
            }
        }
        if whole && is_large {
            let mut encoded = vec![0; row.encoded_bytes as usize];
            pack.read(row.offset, &mut encoded)?;
            let objects: Vec<_> = objects.iter().map(BlockObject::of).collect();
            return self.writer.append(row.summary(), &encoded, &objects);
        }
        for object in objects {
            let content = slice_of(pack, object, raw)?;
            self.small.push(object.id, object.kind, content);
            if self.small.is_full() {
                self.small.flush(&mut self.encoder, &self.writer)?;
            }
        }
        Ok(())
    }

    /// Makes the merged pack durable; none if nothing was left.
    fn finish(mut self) -> Result<Option<(Key, u64)>, StoreError> {
        self.small.flush(&mut self.encoder, &self.writer)?;
        let Some(finished) = self.writer.finish()? else { return Ok(None) };
        self.store.storage().finish(finished.upload, &finished.key)?;
        Ok(Some((finished.key, finished.bytes)))
    }
}

/// Tells whether no other pack holds an object with fewer bases than `depth`.
///
/// Two writers at once may each have stored what the other one took for its base. If of both
/// objects the copy with a base were kept, neither could be read again; the ones with the fewest
/// bases cannot be such a circle.
fn is_shallowest(packs: &[Arc<Pack>], object: &ObjectRow, depth: u8) -> Result<bool, StoreError> {
    let kinds = match object.kind {
        ObjectKind::Blob | ObjectKind::Chunk => reader::CHUNKS,
        kind => KindSet::only(kind),
    };
    for pack in packs {
        let index = pack.index()?;
        let copy = index.find(&object.id, kinds).map_err(|error| pack.damaged(error))?;
        let Some(copy) = copy else { continue };
        if index.block_of(&copy).map_err(|error| pack.damaged(error))?.depth < depth {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The objects of each block, in the order of the blocks.
fn members(index: &PackIndex<&[u8]>) -> Result<Vec<Vec<ObjectRow>>, DecodeError> {
    let mut members = vec![Vec::new(); index.trailer().block_count as usize];
    for object in index.objects() {
        let object = object?;
        members
            .get_mut(object.block.0 as usize)
            .ok_or_else(|| DecodeError::new("pack footer", 0, "an object names no block"))?
            .push(object);
    }
    Ok(members)
}
