//! The packs of a repository: listed once, searched newest first, and listed again before
//! anything is called missing, since others merge packs and delete old ones meanwhile.
//!
//! A damaged pack hides no other: it is passed over, and told when something is not found.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use rustix::io::Errno;

use crate::format::layout;
use crate::format::pack::{KindSet, ObjectKind, ObjectRow, PackClass};
use crate::object::{DecodeError, ObjectId};
use crate::storage::{Key, Storage, StorageError};

use super::StoreError;
use super::pack::Pack;

/// How often packs are listed at most before an object that is in none of them is missing; each
/// time but the last, others have merged some meanwhile.
const LISTINGS_MAX: u32 = 16;

/// All packs of a repository.
#[derive(Debug)]
pub struct Packs {
    storage: Arc<dyn Storage>,
    listed: RwLock<Option<Arc<Listing>>>,
    /// Whether damaged packs count as absent, for who looks for what is left.
    skips_damaged: bool,
    /// Packs that count as absent.
    skipped: BTreeSet<Key>,
}

/// What one listing found, in the order of their names.
#[derive(Debug, Default)]
pub struct Listing {
    records: Vec<Arc<Pack>>,
    data: Vec<Arc<Pack>>,
    /// Files that have the name of a pack and cannot be opened as one.
    broken: Vec<(PackClass, Key, Defect)>,
    /// Whether a pack was gone before it could be opened: what took its place was not listed.
    is_overtaken: bool,
}

/// Why one pack cannot be opened, while others can.
#[derive(Debug)]
enum Defect {
    /// It is not what it should be.
    Malformed(DecodeError),
    /// A bad sector under its ends: `EIO`.
    Unreadable,
}

impl Defect {
    fn error(&self, key: &Key) -> StoreError {
        match self {
            Self::Malformed(error) => StoreError::damaged(key, error.clone()),
            Self::Unreadable => {
                let source = Errno::IO.into();
                StorageError::system("read the file", key.as_str(), source).into()
            }
        }
    }
}

/// Where an object lies.
#[derive(Debug, Clone)]
pub struct Found {
    /// The pack that holds it.
    pub pack: Arc<Pack>,
    /// Its row in the pack's footer.
    pub row: ObjectRow,
}

impl Listing {
    /// The packs of one class.
    pub fn of(&self, class: PackClass) -> &[Arc<Pack>] {
        match class {
            PackClass::Records => &self.records,
            PackClass::Data => &self.data,
        }
    }

    /// The keys of all packs.
    pub fn keys(&self) -> Vec<&Key> {
        self.records.iter().chain(&self.data).map(|pack| pack.key()).collect()
    }

    /// Insists that every pack could be opened.
    pub fn insist_on_all(&self) -> Result<(), StoreError> {
        match self.broken.first() {
            None => Ok(()),
            Some((_, key, defect)) => Err(defect.error(key)),
        }
    }

    /// Finds the first object of an accepted kind, over footers that nobody has checked.
    fn find(&self, id: &ObjectId, kinds: KindSet) -> Option<Found> {
        self.searched(kinds).find_map(|pack| {
            let row = pack.index().ok()?.find(id, kinds).ok()??;
            Some(Found { pack: Arc::clone(pack), row })
        })
    }

    /// As [`Self::find`], over footers that were checked as a whole.
    ///
    /// Errors: nothing was found, and a damaged pack may hold it.
    fn find_verified(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<Found>, StoreError> {
        let mut defect = None;
        for pack in self.searched(kinds) {
            let row = pack
                .verified_index()
                .and_then(|index| index.find(id, kinds).map_err(|error| pack.damaged(error)));
            match row {
                Ok(Some(row)) => return Ok(Some(Found { pack: Arc::clone(pack), row })),
                Ok(None) => {}
                Err(error) => drop(defect.get_or_insert(error)),
            }
        }
        let broken = self.broken.iter().find(|(class, ..)| is_of(kinds, *class));
        match (defect, broken) {
            (Some(error), _) => Err(error),
            (None, Some((_, key, defect))) => Err(defect.error(key)),
            (None, None) => Ok(None),
        }
    }

    /// Finds every object of an accepted kind, the copies of one pack too, where footers lead to
    /// one; damaged ones are passed over.
    pub fn find_all(&self, id: &ObjectId, kinds: KindSet) -> Vec<Found> {
        let mut all = Vec::new();
        for pack in self.searched(kinds) {
            let Ok(index) = pack.index() else { continue };
            for kind in ObjectKind::ALL.into_iter().filter(|kind| kinds.contains(*kind)) {
                let row = index.find(id, KindSet::only(kind)).ok().flatten();
                all.extend(row.map(|row| Found { pack: Arc::clone(pack), row }));
            }
        }
        all
    }

    fn searched(&self, kinds: KindSet) -> impl Iterator<Item = &Arc<Pack>> {
        let of = |class| if is_of(kinds, class) { self.of(class) } else { &[] };
        let (records, data) = (of(PackClass::Records), of(PackClass::Data));
        records.iter().chain(data)
    }
}

impl Packs {
    /// Prepares to look into `storage`; nothing is listed yet.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        let (listed, skipped) = (RwLock::new(None), BTreeSet::new());
        Self { storage, listed, skips_damaged: false, skipped }
    }

    /// As [`Self::new`], and passes over every pack whose footer is not sound.
    pub fn skipping_damaged(storage: Arc<dyn Storage>) -> Self {
        Self { skips_damaged: true, ..Self::new(storage) }
    }

    /// As [`Self::skipping_damaged`], and passes over some others.
    pub fn without(storage: Arc<dyn Storage>, skipped: BTreeSet<Key>) -> Self {
        Self { skipped, ..Self::skipping_damaged(storage) }
    }

    /// Finds an object of an accepted kind.
    ///
    /// Shape: a hit proves itself when it is read; a miss is told only after two listings that
    /// found the same packs, over checked footers: a pack that is merged while a folder is listed
    /// may be gone already, and the one that took its place not be in the list yet.
    pub fn find(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<Found>, StoreError> {
        if let Some(found) = self.listing()?.find(id, kinds) {
            return Ok(Some(found));
        }
        Ok(self.find_many(&[*id], kinds)?.pop().flatten())
    }

    /// Finds several objects, each as [`Self::find`] does.
    ///
    /// Cost: packs are listed anew for all that are missed at once, not for each.
    pub fn find_many(
        &self,
        ids: &[ObjectId],
        kinds: KindSet,
    ) -> Result<Vec<Option<Found>>, StoreError> {
        let mut before = self.listing()?;
        let mut all: Vec<Option<Found>> = ids.iter().map(|id| before.find(id, kinds)).collect();
        for round in 1..=LISTINGS_MAX {
            if all.iter().all(Option::is_some) {
                break;
            }
            let listing = self.relist()?;
            let is_settled =
                round == LISTINGS_MAX || (!listing.is_overtaken && listing.keys() == before.keys());
            let missed = all.iter_mut().zip(ids).filter(|(found, _)| found.is_none());
            for (found, id) in missed {
                *found = match listing.find_verified(id, kinds) {
                    Ok(None) | Err(StoreError::Damaged { .. }) if !is_settled => None,
                    found => found?,
                };
            }
            if is_settled {
                break;
            }
            before = listing;
        }
        Ok(all)
    }

    /// Finds an object of an accepted kind as of the last listing, for who can do without.
    pub fn peek(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<Found>, StoreError> {
        Ok(self.listing()?.find(id, kinds))
    }

    /// Tells whether a pack holds an object of an accepted kind, as of the last listing.
    ///
    /// Shape: a miss may be wrong when another process has just added it, or when a damaged pack
    /// holds it: the object is then stored twice, which is harmless. A hit is relied on.
    /// Cost: the hash of the whole footer of a pack, once, and only after a hit in it.
    pub fn contains(&self, id: &ObjectId, kinds: KindSet) -> Result<bool, StoreError> {
        for pack in self.listing()?.searched(kinds) {
            let found = pack.index().map(|index| index.find(id, kinds));
            let is_sound = match found {
                Ok(Ok(None)) => continue,
                Ok(Ok(Some(_))) => pack.verified_index().map(drop),
                Ok(Err(error)) => Err(pack.damaged(error)),
                Err(error) => Err(error),
            };
            match is_sound {
                Err(StoreError::Damaged { .. }) => {}
                sound => return sound.map(|()| true),
            }
        }
        Ok(false)
    }

    /// The packs as last listed.
    pub fn listing(&self) -> Result<Arc<Listing>, StoreError> {
        if let Some(listing) = &*self.listed.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(listing));
        }
        self.relist()
    }

    /// Lists anew until two listings found the same packs, as [`Self::find`] does before a miss.
    pub fn settled(&self) -> Result<Arc<Listing>, StoreError> {
        let mut before = self.relist()?;
        for _ in 1..LISTINGS_MAX {
            let listing = self.relist()?;
            if !listing.is_overtaken && listing.keys() == before.keys() {
                return Ok(listing);
            }
            before = listing;
        }
        Ok(before)
    }

    /// Lists anew; packs that are open stay open.
    pub fn relist(&self) -> Result<Arc<Listing>, StoreError> {
        let mut slot = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        let before = slot.clone().unwrap_or_default();
        let mut listing = Listing::default();
        for key in self.storage.list(layout::PACKS)? {
            let Some((class, _)) = layout::parse_pack_name(key.as_str()) else { continue };
            if self.skipped.contains(&key) {
                continue;
            }
            let open = before.of(class).iter().find(|pack| *pack.key() == key);
            let pack = match open {
                Some(pack) => Some(Arc::clone(pack)),
                None => match self.open(key.clone()) {
                    Ok(pack) => {
                        listing.is_overtaken |= pack.is_none() && !self.skips_damaged;
                        pack
                    }
                    Err(error) => {
                        listing.broken.push((class, key, defect(error)?));
                        continue;
                    }
                },
            };
            match class {
                PackClass::Records => listing.records.extend(pack),
                PackClass::Data => listing.data.extend(pack),
            }
        }
        let listing = Arc::new(listing);
        *slot = Some(Arc::clone(&listing));
        Ok(listing)
    }

    /// Opens a pack; none if it was merged away since it was listed.
    fn open(&self, key: Key) -> Result<Option<Arc<Pack>>, StoreError> {
        let Some(source) = self.storage.open(&key)? else { return Ok(None) };
        match Pack::open(key, source) {
            Ok(pack) if self.skips_damaged && pack.verify().is_err() => Ok(None),
            Err(StoreError::Damaged { .. }) if self.skips_damaged => Ok(None),
            opened => Ok(Some(Arc::new(opened?))),
        }
    }
}

/// Tells whether packs of a class may hold objects of these kinds.
fn is_of(kinds: KindSet, class: PackClass) -> bool {
    ObjectKind::ALL.iter().any(|&kind| kinds.contains(kind) && kind.class() == class)
}

/// Gives what is wrong with one pack; hands on what may be wrong with all of them.
fn defect(error: StoreError) -> Result<Defect, StoreError> {
    let code = match &error {
        StoreError::Storage(StorageError::System { source, .. }) => source.raw_os_error(),
        _ => None,
    };
    match (error, code.map(Errno::from_raw_os_error)) {
        (StoreError::Damaged { source, .. }, _) => Ok(Defect::Malformed(source)),
        (_, Some(Errno::IO)) => Ok(Defect::Unreadable),
        // A folder, a link or a pipe in its place.
        (error, Some(Errno::LOOP | Errno::ISDIR | Errno::NXIO | Errno::INVAL)) => {
            Ok(Defect::Malformed(DecodeError::new("pack", 0, error.to_string())))
        }
        (error, _) => Err(error),
    }
}
