//! Lists of what nothing reached at some time: the evidence that it has been so for long.
//!
//! A list is created once, and named by its content; when it was created, by the store's clock,
//! is when its grace period began. Specified in `docs/format/layout.md`, "Candidates".

use std::sync::Arc;

use super::StoreError;
use super::collect::candidate_keys;
use super::id_set::{IdSet, Role};
use crate::format::layout;
use crate::object::ObjectId;
use crate::storage::{Key, Storage};

/// Longest list that is read, bytes: 16 million ids.
const LIST_BYTES_MAX: u64 = 1 << 30;

/// What earlier collections have found unreachable.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Whether nothing needs evidence.
    is_anything: bool,
    /// What has been unreachable for long enough. One role stands for all: what is asked for was
    /// found unreachable in its own role before.
    old: IdSet,
    /// What is listed, but not for long enough.
    young: IdSet,
    /// The lists that are old enough.
    spent: Vec<Key>,
}

impl Candidates {
    /// Reads the lists; without a grace period everything may go. Lists that were made after
    /// `since_ms` are young, however old they are: somebody relies on what only they name.
    pub fn load(
        storage: &Arc<dyn Storage>,
        now_ms: i64,
        grace_ms: Option<i64>,
        since_ms: Option<i64>,
    ) -> Result<Self, StoreError> {
        let mut all = Self { is_anything: grace_ms.is_none(), ..Self::default() };
        for key in candidate_keys(storage.list(layout::CANDIDATES)?) {
            let Some(info) = storage.info(&key)? else { continue };
            let is_old = grace_ms.is_none_or(|grace| info.created_ms <= now_ms - grace)
                && since_ms.is_none_or(|since| info.created_ms < since);
            let bytes = storage.load(&key, LIST_BYTES_MAX)?.unwrap_or_default();
            let named = layout::parse_candidates_name(key.as_str());
            let set = if is_old { &mut all.old } else { &mut all.young };
            // A damaged list is no evidence of anything.
            if named == Some(ObjectId::of(&bytes)) {
                let lines = bytes.split(|byte| *byte == b'\n');
                for id in lines.filter_map(|line| ObjectId::parse(str::from_utf8(line).ok()?).ok())
                {
                    set.insert(Role::Blob, &id);
                }
            }
            all.spent.extend(is_old.then_some(key));
        }
        Ok(all)
    }

    /// Tells whether an object that nothing reaches now may go.
    pub fn may_go(&self, id: &ObjectId) -> bool {
        self.is_anything || self.old.contains(Role::Blob, id)
    }

    /// Tells whether a list names an object, however young it is.
    pub fn names(&self, id: &ObjectId) -> bool {
        self.old.contains(Role::Blob, id) || self.young.contains(Role::Blob, id)
    }

    /// Lists what is unreachable and not listed yet; old lists go unless something is left of
    /// what they name.
    pub fn renew(
        &self,
        storage: &Arc<dyn Storage>,
        mut dead: Vec<ObjectId>,
        is_left: bool,
    ) -> Result<(), StoreError> {
        dead.retain(|id| !self.young.contains(Role::Blob, id));
        dead.sort_unstable();
        dead.dedup();
        if !dead.is_empty() {
            let text: String = dead.iter().map(|id| format!("{id}\n")).collect();
            let name = layout::candidates_name(&ObjectId::of(text.as_bytes()));
            storage.create(&Key::new(name)?, text.as_bytes())?;
        }
        if !is_left {
            storage.delete_all(&self.spent)?;
        }
        Ok(())
    }
}
