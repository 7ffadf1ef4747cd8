//! Removes what nothing reaches: marked twice, a grace period apart, then moved to the trash.
//!
//! What is unreachable is listed in a create-only file first; only what an old list names and a
//! new mark does not reach is left out of new packs. The rules are in `docs/guarantees.md`.

use std::sync::Arc;

use super::candidates::Candidates;
use super::garbage::{Garbage, is_live};
use super::id_set::IdSet;
use super::lease::Leases;
use super::merge::{self, Dispose};
use super::pack::Pack;
use super::reach::Marker;
use super::{Root, Store, StoreError};
use crate::format::layout;
use crate::format::lease::Holder;
use crate::format::pack::{ObjectRow, PackClass};
use crate::object::ObjectId;
use crate::progress::{Phase, Progress};
use crate::storage::{Key, Leftovers};

/// Files of a killed process, and the trash, stay at least so long. Milliseconds: a day.
pub const SAFE_MS: i64 = 86_400_000;

/// A pack is written anew only if at least one part in this many of it can go.
const WASTE_PART_MIN: u64 = 10;

/// What to collect.
pub struct CollectRequest<'a> {
    /// What must stay, with all that it reaches.
    pub roots: &'a [Root],
    /// How long something must have been unreachable; none: it goes at once, and for good.
    pub grace_ms: Option<i64>,
    /// Whether to do it, or only to count.
    pub applies: bool,
    /// Tells whether the roots are still all there is; asked before anything is taken away.
    pub is_current: &'a dyn Fn() -> bool,
    /// Tells whether the holder of a lease still runs; `None` if that cannot be seen from here.
    pub is_alive: &'a dyn Fn(&Holder) -> Option<bool>,
    /// Counts, and says when to stop.
    pub progress: &'a Progress,
}

/// What was collected, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects that the roots reach.
    pub reachable: u64,
    /// Objects in packs that nothing reaches, and their raw bytes.
    pub unreachable: u64,
    /// Raw bytes of those.
    pub unreachable_bytes: u64,
    /// Objects of those that the grace period still protects.
    pub waiting: u64,
    /// Objects that were left out, or would be.
    pub dropped: u64,
    /// Packs before.
    pub packs_before: u64,
    /// Packs after; as before if nothing was done.
    pub packs_after: u64,
    /// Length of packs and trash before, in bytes.
    pub bytes_before: u64,
    /// Length of packs and trash after, in bytes.
    pub bytes_after: u64,
    /// Files of killed processes that were swept, or would be.
    pub swept_files: u64,
    /// Their length in bytes.
    pub swept_bytes: u64,
    /// Files in the trash that were deleted, or would be.
    pub trash_files: u64,
    /// What still lies in the trash, in bytes.
    pub trash_bytes: u64,
    /// Whether it stopped because somebody recorded something meanwhile.
    pub is_overtaken: bool,
}

/// Marks, lists what is unreachable, and takes away what has been so for long enough.
///
/// Errors: if anything a root reaches cannot be read, nothing is deleted. Killed at any point it
/// loses nothing. Cost: reads all reachable records, and rewrites packs with much waste.
pub fn collect(store: &Store, request: &CollectRequest<'_>) -> Result<Collected, StoreError> {
    let progress = request.progress;
    // What a damaged pack holds, and what it needs of others, is not known.
    store.packs().relist()?.insist_on_all()?;
    progress.begin(Phase { name: "marking what is reachable", ..Phase::default() });
    let mut live = mark(store, request.roots, progress)?;
    let mut collected = Collected { reachable: live.len(), ..Collected::default() };
    (collected.packs_before, collected.bytes_before) = sizes(store)?;
    let now_ms = store.storage().now_ms()?;
    let leases = Leases::load(&**store.storage(), now_ms, request.is_alive)?;
    let candidates = Candidates::load(store.storage(), now_ms, request.grace_ms, leases.since_ms)?;
    let garbage = Garbage::part(store, &mut live, &candidates, progress)?;
    // Without a grace period nothing protects a writer but that it is seen.
    collected.is_overtaken = request.grace_ms.is_none() && leases.count > 0;
    let mut sweep = Sweep { store, request, live, garbage, leases, candidates, now_ms, collected };
    sweep.leftovers()?;
    sweep.packs()?;
    if request.applies {
        progress.begin(Phase { name: "merging packs", ..Phase::default() });
        // Where there is no room left, the packs stay as many as they are.
        match merge::merge_up_to(store, u64::MAX, u64::MAX, progress) {
            Err(error) if error.is_no_room() => {}
            merged => drop(merged?),
        }
    }
    let mut collected = sweep.collected;
    (collected.packs_after, collected.bytes_after) = sizes(store)?;
    collected.trash_bytes = bytes_below(store, layout::TRASH)?;
    Ok(collected)
}

/// Counts what killed processes left behind, older than a day.
pub fn leftovers(store: &Store) -> Result<Leftovers, StoreError> {
    Ok(store.storage().sweep(SAFE_MS, false)?)
}

/// Counts the files below `trash/` and `quarantine/`, and their bytes.
pub fn set_aside(store: &Store) -> Result<[(u64, u64); 2], StoreError> {
    let count = |prefix| {
        let keys = store.storage().list(prefix)?;
        Ok::<_, StoreError>((keys.len() as u64, bytes_below(store, prefix)?))
    };
    Ok([count(layout::TRASH)?, count(layout::QUARANTINE)?])
}

fn sizes(store: &Store) -> Result<(u64, u64), StoreError> {
    let packs = store.storage().list(layout::PACKS)?.len() as u64;
    Ok((packs, bytes_below(store, layout::PACKS)? + bytes_below(store, layout::TRASH)?))
}

pub(super) fn bytes_below(store: &Store, prefix: &str) -> Result<u64, StoreError> {
    let mut bytes: u64 = 0;
    for key in store.storage().list(prefix)? {
        bytes += store.storage().len(&key)?.unwrap_or_default();
    }
    Ok(bytes)
}

/// Marks what the roots reach.
fn mark(store: &Store, roots: &[Root], progress: &Progress) -> Result<IdSet, StoreError> {
    let mut failed = |_, error| Err(error);
    let mut marker = Marker::new(store, progress, &mut failed);
    for root in roots {
        marker.mark(*root)?;
    }
    Ok(marker.seen)
}

/// One collection after its mark.
struct Sweep<'a> {
    store: &'a Store,
    request: &'a CollectRequest<'a>,
    /// What the roots reach, and what must stay with what waits for its grace period.
    live: IdSet,
    garbage: Garbage,
    leases: Leases,
    candidates: Candidates,
    now_ms: i64,
    collected: Collected,
}

/// What can go of one pack.
#[derive(Default)]
struct Waste {
    objects: u64,
    bytes: u64,
    is_all: bool,
}

impl Sweep<'_> {
    /// Empties the trash, and deletes what killed processes left behind: this makes room first.
    fn leftovers(&mut self) -> Result<(), StoreError> {
        let safe_ms = self.request.grace_ms.map_or(0, |_| SAFE_MS);
        let applies = self.request.applies;
        let storage = self.store.storage();
        // Another command may be about to finish its file; without a grace period there is none,
        // and what a killed one left may be what fills the disk.
        let swept =
            storage.sweep(self.request.grace_ms.map_or(0, |ms| ms.max(SAFE_MS)), applies)?;
        (self.collected.swept_files, self.collected.swept_bytes) = (swept.files, swept.bytes);
        let mut old = std::mem::take(&mut self.leases.dead);
        let dead = old.len();
        self.collected.swept_files += dead as u64;
        for key in storage.list(layout::TRASH)? {
            let info = storage.info(&key)?;
            old.extend(info.filter(|i| i.created_ms <= self.now_ms - safe_ms).map(|_| key));
        }
        self.collected.trash_files = (old.len() - dead) as u64;
        if applies {
            storage.delete_all(&old)?;
        }
        Ok(())
    }

    fn packs(&mut self) -> Result<(), StoreError> {
        let listing = self.store.packs().listing()?;
        let (mut dead, mut is_left) = (Vec::new(), false);
        for class in [PackClass::Data, PackClass::Records] {
            let (mut emptied, mut wasteful) = (Vec::new(), Vec::new());
            for pack in listing.of(class) {
                self.request.progress.check()?;
                let waste = self.waste(pack, &mut dead)?;
                let is_much = waste.bytes >= pack.bytes() / WASTE_PART_MIN;
                let is_now = is_much || self.request.grace_ms.is_none();
                if waste.objects == 0 {
                    continue;
                }
                if !is_now || self.is_young(pack)? {
                    is_left = true;
                    continue;
                }
                self.collected.dropped += waste.objects;
                if waste.is_all { emptied.push(pack) } else { wasteful.push(pack) }
            }
            if self.request.applies {
                // Whole packs first: this takes no room.
                self.dispose(class, &emptied)?;
                self.dispose(class, &wasteful)?;
            }
        }
        if self.request.applies && !self.collected.is_overtaken {
            self.candidates.renew(self.store.storage(), dead, is_left)?;
        }
        Ok(())
    }

    /// Counts what can go of a pack, and adds what nothing reaches to `dead`.
    fn waste(&mut self, pack: &Pack, dead: &mut Vec<ObjectId>) -> Result<Waste, StoreError> {
        let mut waste = Waste { is_all: true, ..Waste::default() };
        for object in pack.verified_index()?.objects() {
            let object = object.map_err(|error| pack.damaged(error))?;
            if !self.garbage.holds(&object) {
                waste.is_all = false;
                continue;
            }
            self.collected.unreachable += 1;
            self.collected.unreachable_bytes += u64::from(object.bytes);
            if self.may_go(&object) {
                waste.objects += 1;
                waste.bytes += u64::from(object.bytes);
            } else {
                self.collected.waiting += 1;
                waste.is_all = false;
                dead.push(object.id);
            }
        }
        Ok(waste)
    }

    /// Tells whether nothing needs an object, or what needs it may go as well.
    fn may_go(&self, object: &ObjectRow) -> bool {
        !is_live(&self.live, object) && self.candidates.may_go(&object.id)
    }

    /// Tells whether a pack may be the work of a command that is not at its end yet.
    fn is_young(&self, pack: &Pack) -> Result<bool, StoreError> {
        let Some(grace_ms) = self.request.grace_ms else { return Ok(false) };
        let info = self.store.storage().info(pack.key())?;
        let limit_ms = self.now_ms - grace_ms.min(SAFE_MS);
        Ok(info.is_none_or(|info| info.created_ms > limit_ms))
    }

    /// Writes what is to stay of some packs into one, and takes the packs away.
    fn dispose(&mut self, class: PackClass, packs: &[&Arc<Pack>]) -> Result<(), StoreError> {
        self.collected.is_overtaken |= !packs.is_empty() && !(self.request.is_current)();
        if packs.is_empty() || self.collected.is_overtaken {
            return Ok(());
        }
        let packs: Vec<_> = packs.iter().map(|pack| Arc::clone(pack)).collect();
        let dispose = match self.request.grace_ms {
            Some(_) => Dispose::Trash,
            None => Dispose::Delete,
        };
        let keep = |object: &ObjectRow| !self.may_go(object);
        merge::merge(self.store, class, &packs, &keep, dispose, self.request.progress)?;
        Ok(())
    }
}

/// Gives the names of the lists of candidates.
pub(super) fn candidate_keys(keys: Vec<Key>) -> impl Iterator<Item = Key> {
    keys.into_iter().filter(|key| layout::parse_candidates_name(key.as_str()).is_some())
}
