//! What a writer relies on without having stored it, and what protects that from collection.
//!
//! A writer relies only on what no list of candidates names, and such things stay at least a day
//! longer. So whoever runs for a short time leaves nothing behind; a longer one leaves a lease, and
//! one that stood still for too long finds out itself. Why this is enough is in
//! `docs/decisions/0006-leases.md`; the bytes are specified in `docs/format/lease.md`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::candidates::Candidates;
use super::{Store, StoreError};
use crate::format::layout;
use crate::format::lease::{Holder, LEASE_BYTES_MAX, Lease};
use crate::object::{ObjectId, Timestamp};
use crate::storage::{Key, Storage, StorageError};

/// How long what is not listed can be relied on without a lease, and how long a lease counts that
/// was not renewed. Half of the shortest grace period. Milliseconds: 12 hours.
pub const HOLD_MS: i64 = 43_200_000;

/// From when on a writer leaves a lease, and how often it renews it. Milliseconds: 10 minutes.
pub const RENEW_MS: i64 = 600_000;

/// Lists that came up so shortly before may not have been seen: network file systems remember
/// what a folder held. Milliseconds: 10 minutes.
const UNSEEN_MS: i64 = 600_000;

/// Time between two looks at the store's clock.
const LOOK: Duration = Duration::from_secs(1);

/// What one writer relies on.
#[derive(Debug)]
pub struct Reliance {
    storage: Arc<dyn Storage>,
    holder: Option<fn() -> Holder>,
    listed: Candidates,
    since_ms: i64,
    /// Whether something that is listed was stored anew.
    revives: AtomicBool,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// Until when, at least, nothing goes that is relied on, by the store's clock.
    until_ms: i64,
    renewed_ms: i64,
    looked: Instant,
    lease: Option<Key>,
}

impl Reliance {
    /// Begins: what is not listed now can be relied on.
    ///
    /// Cost: two listings and a look at the clock; reads the lists of candidates if there are any.
    pub(super) fn begin(store: &Store) -> Result<Self, StoreError> {
        let storage = Arc::clone(store.storage());
        let now_ms = storage.now_ms()?;
        let listed = Candidates::load(&storage, now_ms, Some(0), None)?;
        // What an old list named may be gone since the packs were listed.
        store.packs().relist()?;
        let held = Held {
            until_ms: now_ms + HOLD_MS,
            renewed_ms: now_ms,
            looked: Instant::now(),
            lease: None,
        };
        let (holder, since_ms) = (store.holder, now_ms - UNSEEN_MS);
        let revives = AtomicBool::new(false);
        Ok(Self { storage, holder, listed, since_ms, revives, held: Mutex::new(held) })
    }

    /// Tells whether an object may be collected soon, so that it must be stored anew.
    pub(super) fn is_listed(&self, id: &ObjectId) -> bool {
        let is_listed = self.listed.names(id);
        if is_listed {
            self.revives.store(true, Ordering::Relaxed);
        }
        is_listed
    }

    /// Tells whether a list names an object, for who can do without it.
    pub(super) fn names(&self, id: &ObjectId) -> bool {
        self.listed.names(id)
    }

    /// Tells whether something that is listed was stored anew, so that new packs must not be
    /// named like old ones that are about to go.
    pub(super) fn revives(&self) -> bool {
        self.revives.load(Ordering::Relaxed)
    }

    /// Leaves or renews the lease once that is due; to be called now and then.
    pub(super) fn touch(&self) -> Result<(), StoreError> {
        if self.held().looked.elapsed() < LOOK {
            return Ok(());
        }
        self.confirm()
    }

    /// Confirms that nothing is gone that was relied on: before something is named, and after.
    ///
    /// Errors: [`StoreError::Overdue`] if the process stood still for so long that this is not
    /// known.
    pub fn confirm(&self) -> Result<(), StoreError> {
        let mut held = self.held();
        let now_ms = self.storage.now_ms()?;
        held.looked = Instant::now();
        if now_ms > held.until_ms {
            return Err(StoreError::Overdue);
        }
        if now_ms >= held.renewed_ms + RENEW_MS {
            self.renew(&mut held, now_ms)?;
        }
        Ok(())
    }

    /// Puts a new lease in the place of the old one.
    fn renew(&self, held: &mut Held, now_ms: i64) -> Result<(), StoreError> {
        held.renewed_ms = now_ms;
        let Some(holder) = self.holder else { return Ok(()) };
        let lease = Lease { holder: holder(), since: Timestamp(self.since_ms) };
        // Who cannot say who it is goes on without a lease, and ends in time or not at all.
        let Ok(bytes) = lease.encode() else { return Ok(()) };
        let mut random = [0; 16];
        if getrandom::fill(&mut random).is_err() {
            return Ok(());
        }
        let key = Key::new(layout::lease_name(u128::from_le_bytes(random)))?;
        self.storage.note(&key, &bytes)?;
        held.until_ms = now_ms + HOLD_MS;
        if let Some(old) = held.lease.replace(key) {
            self.storage.remove(&old)?;
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reliance {
    fn drop(&mut self) {
        if let Some(key) = self.held().lease.take() {
            // Otherwise it is swept when this process is gone.
            let _leftover = self.storage.remove(&key);
        }
    }
}

/// The leases that count, and those that do not any more.
#[derive(Debug, Default)]
pub(super) struct Leases {
    /// How many count.
    pub count: u64,
    /// Lists that were made after this time, by the store's clock, are no evidence yet.
    pub since_ms: Option<i64>,
    /// Those whose holder is gone.
    pub dead: Vec<Key>,
}

impl Leases {
    /// Looks at all leases.
    pub fn load(
        storage: &dyn Storage,
        now_ms: i64,
        is_alive: &dyn Fn(&Holder) -> Option<bool>,
    ) -> Result<Self, StorageError> {
        let mut all = Self::default();
        for key in storage.list(layout::LEASES)? {
            let Some(info) = storage.info(&key)? else { continue };
            let is_fresh = info.created_ms >= now_ms - HOLD_MS;
            let lease = match storage.load(&key, LEASE_BYTES_MAX as u64) {
                Err(StorageError::TooLong { .. }) => None,
                loaded => loaded?.and_then(|bytes| Lease::decode(&bytes).ok()),
            };
            let counts = match lease.as_ref().map(|lease| is_alive(&lease.holder)) {
                Some(Some(is_alive)) => is_alive,
                // Elsewhere, or not to be read: a power cut tears what was not synced.
                Some(None) | None => is_fresh,
            };
            if !counts {
                all.dead.push(key);
                continue;
            }
            all.count += 1;
            // Whoever wrote one that cannot be read began before it did.
            let since_ms = lease.map_or(i64::MIN, |lease| lease.since.0);
            all.since_ms = Some(all.since_ms.map_or(since_ms, |other| other.min(since_ms)));
        }
        Ok(all)
    }
}
