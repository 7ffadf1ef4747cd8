//! The packs of a repository: listed once, searched newest first, and listed again before
//! anything is called missing, since others merge packs and delete old ones meanwhile.

use std::sync::{Arc, PoisonError, RwLock};

use crate::format::layout;
use crate::format::pack::{KindSet, ObjectKind, ObjectRow, PackClass};
use crate::object::ObjectId;
use crate::storage::{Key, Storage};

use super::StoreError;
use super::pack::Pack;

/// All packs of a repository.
#[derive(Debug)]
pub struct Packs {
    storage: Arc<dyn Storage>,
    listed: RwLock<Option<Arc<Listing>>>,
    /// Whether damaged packs are passed over, for who looks for what is left.
    skips_damaged: bool,
}

/// What one listing found, in the order of their names.
#[derive(Debug, Default)]
pub struct Listing {
    records: Vec<Arc<Pack>>,
    data: Vec<Arc<Pack>>,
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

    /// Finds the first object of an accepted kind; a damaged pack is passed over until a miss.
    fn find(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<Found>, StoreError> {
        for pack in self.searched(kinds) {
            if let Some(row) = pack.index()?.find(id, kinds).map_err(|error| pack.damaged(error))? {
                return Ok(Some(Found { pack: Arc::clone(pack), row }));
            }
        }
        Ok(None)
    }

    /// As [`Self::find`], over footers that were checked as a whole.
    fn find_verified(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<Found>, StoreError> {
        for pack in self.searched(kinds) {
            let index = pack.verified_index()?;
            if let Some(row) = index.find(id, kinds).map_err(|error| pack.damaged(error))? {
                return Ok(Some(Found { pack: Arc::clone(pack), row }));
            }
        }
        Ok(None)
    }

    /// Finds every object of an accepted kind, the copies of one pack too.
    pub fn find_all(&self, id: &ObjectId, kinds: KindSet) -> Result<Vec<Found>, StoreError> {
        let mut all = Vec::new();
        for pack in self.searched(kinds) {
            let index = pack.index()?;
            for kind in ObjectKind::ALL.into_iter().filter(|kind| kinds.contains(*kind)) {
                let row = index.find(id, KindSet::only(kind));
                let row = row.map_err(|error| pack.damaged(error))?;
                all.extend(row.map(|row| Found { pack: Arc::clone(pack), row }));
            }
        }
        Ok(all)
    }

    fn searched(&self, kinds: KindSet) -> impl Iterator<Item = &Arc<Pack>> {
        let meets = |class: PackClass| {
            ObjectKind::ALL.iter().any(|&kind| kinds.contains(kind) && kind.class() == class)
        };
        let records = if meets(PackClass::Records) { self.records.as_slice() } else { &[] };
        let data = if meets(PackClass::Data) { self.data.as_slice() } else { &[] };
        records.iter().chain(data)
    }
}

impl Packs {
    /// Prepares to look into `storage`; nothing is listed yet.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, listed: RwLock::new(None), skips_damaged: false }
    }

    /// As [`Self::new`], and passes over every pack whose footer is not sound.
    pub fn skipping_damaged(storage: Arc<dyn Storage>) -> Self {
        Self { skips_damaged: true, ..Self::new(storage) }
    }

    /// Finds an object of an accepted kind.
    ///
    /// Shape: a hit proves itself when it is read; a miss is told only after a second listing, over
    /// checked footers.
    pub fn find(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<Found>, StoreError> {
        if let Some(found) = self.listing()?.find(id, kinds)? {
            return Ok(Some(found));
        }
        self.relist()?.find_verified(id, kinds)
    }

    /// Finds an object of an accepted kind as of the last listing, for who can do without.
    pub fn peek(&self, id: &ObjectId, kinds: KindSet) -> Result<Option<Found>, StoreError> {
        self.listing()?.find(id, kinds)
    }

    /// Tells whether a pack holds an object of an accepted kind, as of the last listing.
    ///
    /// Shape: a miss may be wrong when another process has just added it: the object is then
    /// stored twice, which is harmless.
    pub fn contains(&self, id: &ObjectId, kinds: KindSet) -> Result<bool, StoreError> {
        Ok(self.listing()?.find_verified(id, kinds)?.is_some())
    }

    /// The packs as last listed.
    pub fn listing(&self) -> Result<Arc<Listing>, StoreError> {
        if let Some(listing) = &*self.listed.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(listing));
        }
        self.relist()
    }

    /// Lists anew; packs that are open stay open.
    pub fn relist(&self) -> Result<Arc<Listing>, StoreError> {
        let mut slot = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        let before = slot.clone().unwrap_or_default();
        let mut listing = Listing::default();
        for key in self.storage.list(layout::PACKS)? {
            let Some((class, _)) = layout::parse_pack_name(key.as_str()) else { continue };
            let open = before.of(class).iter().find(|pack| *pack.key() == key);
            let pack = match open {
                Some(pack) => Some(Arc::clone(pack)),
                None => self.open(key)?,
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
