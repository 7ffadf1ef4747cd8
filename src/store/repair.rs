//! Mends packs: every object that can still be read moves to a new pack, copies of the others are
//! looked for elsewhere, and the damaged file goes to quarantine.
//!
//! Only adds and sets aside: nothing is deleted, whatever is new is durable before an old file
//! moves, and run twice it changes nothing. Where else copies may be is the caller's to know.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::block_reader::{proves, slice_of};
use super::check::affected;
use super::pack::Pack;
use super::reach::Marker;
use super::{Root, Store, StoreError, Transaction};
use crate::format::layout;
use crate::format::pack::{BlockPosition, ObjectKind, ObjectRow};
use crate::object::ObjectId;
use crate::progress::{Phase, Progress};
use crate::storage::{Aside, Key};

/// What was mended, or could not be.
#[derive(Debug, Default)]
pub struct Repaired {
    /// Damaged packs, and where each was set aside.
    pub set_aside: Vec<(Key, Key)>,
    /// Objects of which a sound copy was found elsewhere.
    pub found: u64,
    /// Objects that were read out of damaged packs into a new one.
    pub moved: u64,
    /// Objects that are nowhere.
    pub lost: u64,
}

/// Gets to see the objects that can be read.
type See<'a> = dyn FnMut(&ObjectRow, &[u8]) -> Result<(), StoreError> + 'a;

/// Mends all packs.
///
/// Shape: `elsewhere` stores what it has of the wanted objects, in one transaction. Errors: those
/// of `elsewhere`, or of the system; whatever was done until then is an improvement. Killed at
/// any point, nothing is lost, and the same again goes on. Cost: decodes and hashes every stored
/// byte once, those of damaged packs three times.
pub fn repair<E: From<StoreError>>(
    store: &Store,
    roots: &[Root],
    progress: &Progress,
    elsewhere: impl FnOnce(&Transaction<'_>, &HashSet<ObjectId>) -> Result<(), E>,
) -> Result<Repaired, E> {
    progress.begin(Phase { name: "reading packs", ..Phase::default() });
    let mut repaired = Repaired::default();
    let survey = Survey::of(store, progress)?;
    let sound = store.without(survey.damaged.clone());
    let mut wanted = survey.lost;
    wanted.extend(missing(store, roots, progress)?);
    wanted.retain(|id| !sound.contains(id).unwrap_or(false));
    let before = wanted.len() as u64;
    if !wanted.is_empty() {
        let chunks = affected::holders(&mut store.reader(), &wanted)?;
        let transaction = sound.transaction()?;
        let mut salvage = Salvage::new(&transaction);
        let mut asked = wanted.clone();
        for key in set_aside_packs(store)? {
            let Some(pack) = open(store, &key)? else { continue };
            look(store, &pack, &mut |row, content| match wanted.contains(&row.id) {
                true => salvage.put(row, content),
                false => Ok(()),
            })?;
        }
        asked.extend(chunks.into_keys());
        elsewhere(&transaction, &asked)?;
        transaction.finish()?;
        wanted.retain(|id| !sound.contains(id).unwrap_or(false));
        repaired.found = before - wanted.len() as u64;
    }
    // What is a base of something in a damaged pack may only be there again now.
    let again = store.anew();
    let transaction = sound.transaction()?;
    let mut salvage = Salvage::new(&transaction);
    for key in &survey.damaged {
        let Some(pack) = open(&again, key)? else { continue };
        look(&again, &pack, &mut |row, content| salvage.put(row, content))?;
    }
    repaired.moved = salvage.count;
    transaction.finish()?;
    wanted.retain(|id| !sound.contains(id).unwrap_or(false));
    repaired.lost = wanted.len() as u64;
    for key in survey.damaged {
        repaired.set_aside.extend(retire(&store.anew(), key)?);
    }
    store.packs().relist()?;
    Ok(repaired)
}

/// Sets a pack aside that is still damaged, looked at through a new descriptor.
///
/// Its name follows from its footer: the pack that took over its content may have taken its name
/// too, and a base that was found again may have healed it.
fn retire(store: &Store, key: Key) -> Result<Option<(Key, Key)>, StoreError> {
    let is_sound = match open(store, &key)? {
        Some(pack) => look(store, &pack, &mut |_, _| Ok(()))?.is_sound,
        None => false,
    };
    if is_sound {
        return Ok(None);
    }
    let aside = store.storage().set_aside(&key, Aside::Quarantine)?;
    Ok(aside.map(|aside| (key, aside)))
}

/// Which packs are damaged, and what can be read in none of them.
struct Survey {
    damaged: BTreeSet<Key>,
    lost: HashSet<ObjectId>,
}

impl Survey {
    fn of(store: &Store, progress: &Progress) -> Result<Self, StoreError> {
        let (mut damaged, mut lost) = (BTreeSet::new(), HashSet::new());
        for key in store.storage().list(layout::PACKS)? {
            progress.check()?;
            if layout::parse_pack_name(key.as_str()).is_none() {
                continue;
            }
            let mut looked = look_at(store, &key)?;
            if !looked.is_sound {
                // A disk may have stuttered.
                looked = look_at(&store.anew(), &key)?;
            }
            if !looked.is_sound {
                damaged.insert(key);
                lost.extend(looked.lost);
            }
        }
        Ok(Self { damaged, lost })
    }
}

/// What one look at a pack found.
#[derive(Debug, Default)]
struct Looked {
    is_sound: bool,
    lost: Vec<ObjectId>,
}

fn look_at(store: &Store, key: &Key) -> Result<Looked, StoreError> {
    match open(store, key)? {
        Some(pack) => look(store, &pack, &mut |_, _| Ok(())),
        // Gone, merged away by somebody: what it held is elsewhere; or no pack at all.
        None => Ok(Looked { is_sound: store.storage().info(key)?.is_none(), lost: Vec::new() }),
    }
}

/// Opens whatever is to be read as a pack; none if its ends are damaged, or it is gone.
fn open(store: &Store, key: &Key) -> Result<Option<Arc<Pack>>, StoreError> {
    let Some(source) = store.storage().open(key)? else { return Ok(None) };
    match Pack::open(key.clone(), source) {
        Err(StoreError::Damaged { .. }) => Ok(None),
        opened => Ok(Some(Arc::new(opened?))),
    }
}

/// Reads all that a pack leads to, whether its footer can be believed or not.
///
/// Shape: `see` gets every object that proves itself. Errors: those of `see`, and a stop.
fn look(store: &Store, pack: &Arc<Pack>, see: &mut See<'_>) -> Result<Looked, StoreError> {
    let is_named = layout::parse_pack_name(pack.key().as_str()).is_some();
    let mut looked = Looked { is_sound: !is_named || pack.verify().is_ok(), lost: Vec::new() };
    let index = pack.index()?;
    let mut blocks: HashMap<BlockPosition, Vec<ObjectRow>> = HashMap::new();
    for row in index.objects() {
        match row {
            Ok(row) => blocks.entry(row.block).or_default().push(row),
            Err(_) => looked.is_sound = false,
        }
    }
    let mut positions: Vec<_> = blocks.into_iter().collect();
    positions.sort_unstable_by_key(|(position, _)| *position);
    let mut reader = store.reader();
    for (position, rows) in positions {
        let block = index.block(position).map_err(|error| pack.damaged(error));
        let raw = block.and_then(|block| reader.blocks().decoded(pack, &block));
        let raw = raw.unwrap_or_default();
        for row in rows {
            match slice_of(pack, &row, raw) {
                Ok(content) if proves(&row, content) => see(&row, content)?,
                _ => {
                    looked.is_sound = false;
                    looked.lost.push(row.id);
                }
            }
        }
    }
    Ok(looked)
}

/// Lists the packs that were once set aside: damaged ones hold sound objects too.
fn set_aside_packs(store: &Store) -> Result<Vec<Key>, StoreError> {
    let mut keys = store.storage().list(layout::QUARANTINE)?;
    keys.extend(store.storage().list(layout::TRASH)?);
    keys.retain(|key| key.as_str().contains(layout::PACKS));
    Ok(keys)
}

/// Lists what the roots need and no pack with a sound footer has.
fn missing(
    store: &Store,
    roots: &[Root],
    progress: &Progress,
) -> Result<Vec<ObjectId>, StoreError> {
    let store = store.sound_part();
    let mut missing = Vec::new();
    let mut failed = |_, error| {
        if let StoreError::Missing { id } | StoreError::Mismatch { id, .. } = &error {
            missing.push(*id);
        }
        match error.fault() {
            super::Fault::Interrupted => Err(error),
            _ => Ok(()),
        }
    };
    let mut marker = Marker::new(&store, progress, &mut failed);
    for root in roots {
        marker.mark(*root)?;
    }
    drop(marker);
    Ok(missing)
}

/// Stores objects that have proven themselves, each once.
struct Salvage<'t, 's> {
    transaction: &'t Transaction<'s>,
    seen: HashSet<(ObjectId, ObjectKind)>,
    count: u64,
}

impl<'t, 's> Salvage<'t, 's> {
    fn new(transaction: &'t Transaction<'s>) -> Self {
        Self { transaction, seen: HashSet::new(), count: 0 }
    }

    fn put(&mut self, row: &ObjectRow, content: &[u8]) -> Result<(), StoreError> {
        if self.seen.insert((row.id, row.kind)) {
            self.count += u64::from(self.transaction.put_proven(row, content)?);
        }
        Ok(())
    }
}
