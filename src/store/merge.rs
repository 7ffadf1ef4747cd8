//! Many small packs into one: blocks are copied as they are, small ones are put together anew.
//!
//! Which packs to merge is `plan`; what nothing reaches is left out by `keep`. The merged pack is
//! durable before an old one goes, so readers lose nothing: who finds a pack gone lists again.

use std::collections::HashSet;
use std::sync::Arc;

use crate::format::pack::{BlockRow, KindSet, ObjectKind, ObjectRow, PackClass, PackIndex};
use crate::object::{DecodeError, ObjectId};
use crate::progress::Progress;
use crate::storage::{Aside, Key};

use super::block_builder::{BlockBuilder, BlockEncoder, BlockObject};
use super::block_reader::{BlockReader, slice_of};
use super::pack::Pack;
use super::pack_writer::PackWriter;
use super::{Store, StoreError, limits, reader};

/// A larger pack must be this many times the size of all smaller ones together, or it is merged
/// with them: then there are never more than a logarithm's worth of packs, and each byte is
/// copied a logarithm's number of times. Source: git's `repack --geometric`.
const FACTOR: u64 = 2;

/// Packs that are merged at once, at least: fewer would be copied, and their folder synced, after
/// nearly every commit.
const PACKS_MIN: usize = 8;

/// Packs below this length are merged on the way; the others wait for a collection. Bytes.
const TIDY_BYTES_MAX: u64 = 64 << 20;

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

/// Chooses the smallest packs of one class so that the rest are a geometric series.
///
/// Shape: `sizes` in bytes, in any order; gives the positions of those to merge, some at once or
/// none.
pub fn plan(sizes: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&position| sizes[position]);
    let mut sum: u64 = 0;
    let mut chosen = 0;
    for (rank, &position) in order.iter().enumerate() {
        if sizes[position] < FACTOR.saturating_mul(sum) {
            chosen = rank + 1;
        }
        sum = sum.saturating_add(sizes[position]);
    }
    // Packs of about the same size are all smaller than twice the sum of those before.
    order.truncate(if chosen < PACKS_MIN { 0 } else { chosen });
    order
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
    merge_up_to(store, TIDY_BYTES_MAX, progress)
}

/// Merges what [`plan`] chooses among the packs below `bytes_max`, and drops nothing.
pub fn merge_up_to(
    store: &Store,
    bytes_max: u64,
    progress: &Progress,
) -> Result<Merged, StoreError> {
    let mut all = Merged::default();
    for class in [PackClass::Data, PackClass::Records] {
        let listing = store.packs().listing()?;
        let small: Vec<_> =
            listing.of(class).iter().filter(|pack| pack.bytes() < bytes_max).collect();
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
        // copy of a damaged block.
        let raw = self.blocks.decoded(pack, row)?;
        for object in objects {
            let content = slice_of(pack, object, raw)?;
            if object.kind != ObjectKind::ChunkMap && ObjectId::of(content) != object.id {
                return Err(StoreError::Mismatch { id: object.id, key: pack.key().clone() });
            }
        }
        if whole && (is_large || row.base.is_some()) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_packs_stay_as_they_are() {
        assert!(plan(&[]).is_empty());
        assert!(plan(&[100; PACKS_MIN - 1]).is_empty());
    }

    #[test]
    fn small_packs_are_merged_and_a_large_one_is_left() {
        let mut sizes = vec![10; PACKS_MIN];
        sizes.push(1_000_000);
        let mut chosen = plan(&sizes);
        chosen.sort_unstable();
        assert_eq!(chosen, (0..PACKS_MIN).collect::<Vec<_>>());
    }

    #[test]
    fn a_geometric_series_is_left_alone() {
        let sizes: Vec<u64> = (0..20).map(|n| 3u64.pow(n)).collect();
        assert!(plan(&sizes).is_empty());
    }

    /// Each of n commits adds one pack: what is copied in all stays within n log n.
    #[test]
    fn the_cost_of_many_commits_is_logarithmic_in_each() {
        let mut sizes: Vec<u64> = Vec::new();
        let (mut copied, mut most) = (0, 0);
        for _ in 0..10_000 {
            sizes.push(1);
            let chosen = plan(&sizes);
            if !chosen.is_empty() {
                let sum = chosen.iter().map(|&position| sizes[position]).sum();
                copied += sum;
                sizes =
                    (0..sizes.len()).filter(|p| !chosen.contains(p)).map(|p| sizes[p]).collect();
                sizes.push(sum);
            }
            most = most.max(sizes.len());
        }
        assert!(copied < 10_000 * 14, "{copied}");
        assert!(most <= 24, "{most}");
    }
}
