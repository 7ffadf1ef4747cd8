//! A storage that tells somebody before each call: to take turns, or to keep the state.

use std::sync::Arc;

use provenance::storage::{
    Aside, Created, IfTaken, Key, KeyInfo, Leftovers, Source, Storage, StorageError, Upload,
};

/// What is about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// It reads.
    Read,
    /// It changes what everybody sees.
    Change,
    /// It changes a file that has no name yet.
    Private,
}

type Hook = Arc<dyn Fn(Call) + Send + Sync>;

/// Passes every call on to another storage, after the hook.
#[derive(Clone)]
pub struct HookedStorage {
    inner: Arc<dyn Storage>,
    hook: Hook,
}

impl HookedStorage {
    pub fn new(inner: Arc<dyn Storage>, hook: Hook) -> Self {
        Self { inner, hook }
    }

    fn after(&self, call: Call) -> &dyn Storage {
        (self.hook)(call);
        &*self.inner
    }
}

impl std::fmt::Debug for HookedStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookedStorage")
    }
}

impl Storage for HookedStorage {
    fn begin(&self, bytes_expected: Option<u64>) -> Result<Box<dyn Upload>, StorageError> {
        let inner = Some(self.after(Call::Private).begin(bytes_expected)?);
        Ok(Box::new(HookedUpload { inner, storage: self.clone() }))
    }

    fn settle(&self, keys: &[&Key]) -> Result<(), StorageError> {
        self.after(Call::Change).settle(keys)
    }

    fn open(&self, key: &Key) -> Result<Option<Box<dyn Source>>, StorageError> {
        self.after(Call::Read).open(key)
    }

    fn info(&self, key: &Key) -> Result<Option<KeyInfo>, StorageError> {
        self.after(Call::Read).info(key)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Key>, StorageError> {
        self.after(Call::Read).list(prefix)
    }

    fn remove(&self, key: &Key) -> Result<bool, StorageError> {
        self.after(Call::Change).remove(key)
    }

    fn set_aside(&self, key: &Key, place: Aside) -> Result<Option<Key>, StorageError> {
        self.after(Call::Change).set_aside(key, place)
    }

    fn note(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        self.after(Call::Change).note(key, bytes)
    }

    fn now_ms(&self) -> Result<i64, StorageError> {
        self.after(Call::Read).now_ms()
    }

    fn sweep(&self, age_ms_min: i64, apply: bool) -> Result<Leftovers, StorageError> {
        self.after(Call::Change).sweep(age_ms_min, apply)
    }
}

struct HookedUpload {
    inner: Option<Box<dyn Upload>>,
    storage: HookedStorage,
}

impl HookedUpload {
    fn inner(&mut self) -> &mut Box<dyn Upload> {
        self.inner.as_mut().expect("not installed yet")
    }
}

impl Upload for HookedUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.storage.after(Call::Private);
        self.inner().write(bytes)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.storage.after(Call::Private);
        self.inner().sync()
    }

    fn install(mut self: Box<Self>, key: &Key, if_taken: IfTaken) -> Result<Created, StorageError> {
        self.storage.after(Call::Change);
        self.inner.take().expect("installed once").install(key, if_taken)
    }
}
