//! A storage in memory, for tests: it keeps what is live apart from what is durable.
//!
//! Its power can be cut: what was not synced survives in part or not at all, as a seed decides.
//! A folder on a disk loses no more than this one does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::key::split_prefix;
use super::{
    Aside, Created, IfTaken, Key, KeyInfo, Leftovers, Source, Storage, StorageError, Upload,
    check_bounds,
};

/// When the clock of an empty storage begins: 2023-11-14T22:13:20Z.
const EPOCH_MS: i64 = 1_700_000_000_000;

/// Keeps files in memory.
///
/// Shape: clones share their content. The clock stands still but for 1 ms a call, and for
/// [`MemoryStorage::advance`].
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    live: BTreeMap<Key, Stored>,
    durable: BTreeMap<Key, Stored>,
    /// Names given (or taken away, if `None`) since their folders were settled, in order.
    unsettled: Vec<(Key, Option<Stored>)>,
    /// Uploads that are neither installed nor dropped: number → bytes, how many are synced, time.
    open: BTreeMap<u64, Temporary>,
    uploads_begun: u64,
    clock_ms: i64,
}

#[derive(Debug, Clone)]
struct Stored {
    bytes: Arc<[u8]>,
    created_ms: i64,
    /// Whether the bytes survive a power cut if the name does.
    is_synced: bool,
}

#[derive(Debug, Clone, Default)]
struct Temporary {
    bytes: Vec<u8>,
    synced: usize,
    created_ms: i64,
}

impl MemoryStorage {
    /// Makes an empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on.
    pub fn advance(&self, ms: i64) {
        self.state().clock_ms += ms;
    }

    /// Gives another storage of the same state, which goes its own way from here.
    pub fn fork(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().clone())) }
    }

    /// Gives what a power cut at this moment would leave, as another storage.
    ///
    /// Shape: every settled name; of the others any subset, in any order of folders, but the
    /// changes of one name in their order; of unfinished uploads any part beyond what was synced.
    /// The same seed gives the same survivors. This storage goes on untouched.
    pub fn cut_power(&self, seed: u64) -> Self {
        let state = self.state();
        let mut chance = Chance(seed);
        let mut live = state.durable.clone();
        let mut lost = BTreeSet::new();
        for (key, stored) in &state.unsettled {
            // Once a change of a name is lost, so are the later ones.
            if lost.contains(key) || chance.below(2) == 0 {
                lost.insert(key.clone());
                continue;
            }
            match stored {
                Some(stored) => live.insert(key.clone(), stored.clone()),
                None => live.remove(key),
            };
        }
        for stored in live.values_mut().filter(|stored| !stored.is_synced) {
            let bytes = chance.below(stored.bytes.len() + 1);
            *stored = Stored { bytes: stored.bytes[..bytes].into(), is_synced: true, ..*stored };
        }
        let mut open = state.open.clone();
        for upload in open.values_mut() {
            let unsynced = upload.bytes.len() - upload.synced;
            upload.bytes.truncate(upload.synced + chance.below(unsynced + 1));
            upload.synced = upload.bytes.len();
        }
        let durable = live.clone();
        let (uploads_begun, clock_ms) = (state.uploads_begun, state.clock_ms);
        let state = State { live, durable, unsettled: Vec::new(), open, uploads_begun, clock_ms };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock_ms = state.clock_ms.max(EPOCH_MS) + 1;
        state
    }
}

impl State {
    fn change(&mut self, key: &Key, stored: Option<Stored>) {
        match &stored {
            Some(stored) => self.live.insert(key.clone(), stored.clone()),
            None => self.live.remove(key),
        };
        self.unsettled.push((key.clone(), stored));
    }

    fn settle(&mut self, folders: &BTreeSet<&str>) {
        for (key, stored) in std::mem::take(&mut self.unsettled) {
            if !folders.contains(key.folder()) {
                self.unsettled.push((key, stored));
                continue;
            }
            match stored {
                Some(stored) => self.durable.insert(key, stored),
                None => self.durable.remove(&key),
            };
        }
    }

    fn set_aside(&mut self, key: &Key, place: Aside) -> Result<Option<Key>, StorageError> {
        let Some(stored) = self.live.get(key).cloned() else { return Ok(None) };
        let (place, is_numbered) = place.folder();
        let mut to = Key::new(format!("{place}/{key}"))?;
        let mut attempt = 0_u64;
        while self.live.contains_key(&to) {
            if !is_numbered {
                return Ok(None);
            }
            attempt += 1;
            to = Key::new(format!("{place}/{key}.{attempt}"))?;
        }
        let created_ms = self.clock_ms;
        self.change(&to, Some(Stored { created_ms, ..stored }));
        self.change(key, None);
        self.settle(&BTreeSet::from([key.folder(), to.folder()]));
        Ok(Some(to))
    }
}

impl Storage for MemoryStorage {
    fn begin(&self, _bytes_expected: Option<u64>) -> Result<Box<dyn Upload>, StorageError> {
        let mut state = self.state();
        state.uploads_begun += 1;
        let (number, created_ms) = (state.uploads_begun, state.clock_ms);
        state.open.insert(number, Temporary { created_ms, ..Temporary::default() });
        Ok(Box::new(MemoryUpload { storage: self.clone(), number }))
    }

    fn settle(&self, keys: &[&Key]) -> Result<(), StorageError> {
        self.state().settle(&keys.iter().map(|key| key.folder()).collect());
        Ok(())
    }

    fn open(&self, key: &Key) -> Result<Option<Box<dyn Source>>, StorageError> {
        let stored = self.state().live.get(key).cloned();
        Ok(stored.map(|stored| {
            let source = MemorySource { key: key.clone(), bytes: stored.bytes };
            Box::new(source) as Box<dyn Source>
        }))
    }

    fn info(&self, key: &Key) -> Result<Option<KeyInfo>, StorageError> {
        Ok(self.state().live.get(key).map(|stored| KeyInfo {
            bytes: stored.bytes.len() as u64,
            created_ms: stored.created_ms,
        }))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Key>, StorageError> {
        split_prefix(prefix)?;
        let state = self.state();
        Ok(state.live.keys().filter(|key| key.as_str().starts_with(prefix)).cloned().collect())
    }

    fn remove(&self, key: &Key) -> Result<bool, StorageError> {
        let mut state = self.state();
        let is_there = state.live.contains_key(key);
        if is_there {
            state.change(key, None);
        }
        Ok(is_there)
    }

    fn set_aside(&self, key: &Key, place: Aside) -> Result<Option<Key>, StorageError> {
        self.state().set_aside(key, place)
    }

    fn note(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.state();
        let created_ms = state.clock_ms;
        if !state.live.contains_key(key) {
            let stored = Stored { bytes: bytes.into(), created_ms, is_synced: false };
            state.change(key, Some(stored));
        }
        Ok(())
    }

    fn now_ms(&self) -> Result<i64, StorageError> {
        Ok(self.state().clock_ms)
    }

    fn sweep(&self, age_ms_min: i64, apply: bool) -> Result<Leftovers, StorageError> {
        let mut state = self.state();
        let before_ms = state.clock_ms.saturating_sub(age_ms_min);
        let mut swept = Leftovers::default();
        state.open.retain(|_, upload| {
            let is_old = upload.created_ms <= before_ms;
            if is_old {
                swept.files += 1;
                swept.bytes += upload.bytes.len() as u64;
            }
            !(is_old && apply)
        });
        Ok(swept)
    }
}

#[derive(Debug)]
struct MemorySource {
    key: Key,
    bytes: Arc<[u8]>,
}

impl Source for MemorySource {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_exact_at(&self, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        check_bounds(&self.key, offset, into.len(), self.len())?;
        let begin = usize::try_from(offset).unwrap_or(usize::MAX);
        into.copy_from_slice(&self.bytes[begin..begin + into.len()]);
        Ok(())
    }

    fn map(&self) -> Option<&[u8]> {
        Some(&self.bytes)
    }
}

#[derive(Debug)]
struct MemoryUpload {
    storage: MemoryStorage,
    number: u64,
}

impl MemoryUpload {
    fn dead(&self) -> StorageError {
        StorageError::Dead { path: format!("upload {}", self.number) }
    }
}

impl Upload for MemoryUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.storage.state();
        let upload = state.open.get_mut(&self.number).ok_or_else(|| self.dead())?;
        upload.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        let mut state = self.storage.state();
        let upload = state.open.get_mut(&self.number).ok_or_else(|| self.dead())?;
        upload.synced = upload.bytes.len();
        Ok(())
    }

    fn install(self: Box<Self>, key: &Key, if_taken: IfTaken) -> Result<Created, StorageError> {
        let mut state = self.storage.state();
        let upload = state.open.remove(&self.number).ok_or_else(|| self.dead())?;
        let ours =
            Stored { bytes: upload.bytes.into(), created_ms: state.clock_ms, is_synced: true };
        let created = match state.live.get(key) {
            None => Created::New,
            Some(there) if if_taken == IfTaken::Keep || there.bytes == ours.bytes => {
                return Ok(Created::Exists);
            }
            Some(_) => {
                state.set_aside(key, Aside::Quarantine)?.map_or(Created::New, Created::Mended)
            }
        };
        state.change(key, Some(ours));
        Ok(created)
    }
}

impl Drop for MemoryUpload {
    fn drop(&mut self) {
        self.storage.state().open.remove(&self.number);
    }
}

/// A small generator of numbers that a seed repeats: Steele et al., SplitMix, OOPSLA 2014.
struct Chance(u64);

impl Chance {
    /// Draws a number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).unwrap_or(0)
    }
}
