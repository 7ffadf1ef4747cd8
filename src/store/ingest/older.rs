//! The version of a large file before this one: which of its chunks a new chunk comes after.
//!
//! Where chunks are found unchanged they tell how far the content has moved since, and a new chunk
//! is compared with the old one in its place. Any choice is right; a bad one only takes more space.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::format::block::probe;
use crate::format::chunk::map::Part;
use crate::object::ObjectId;
use crate::store::base::Base;
use crate::store::{Reader, chunk_lists};

/// Chunks of a file that are kept in mind, at 100 bytes each; a longer file has no bases.
const CHUNKS_MAX: usize = 1 << 18;

/// Places where a chunk that does not compress is compared with its base, and bytes of each.
const SAMPLES: usize = 64;
const SAMPLE_BYTES: usize = 16;

/// Samples that must be equal before a chunk that does not compress is compared whole: then that
/// saves about half of it. To save less would take as long as to hash the chunk ten times.
const EQUAL_MIN: usize = SAMPLES / 2;

/// Chunks in a row that had nothing in common with their bases before most are left alone, and
/// how many are left alone for one that is looked at.
const MISSES_MAX: u32 = 4;
const MISSES_STEP: u32 = 64;

/// The chunks of the version before.
#[derive(Debug)]
pub(super) struct Older {
    /// Where each begins; the last number is where the file ends.
    starts: Vec<u64>,
    ids: Vec<ObjectId>,
    start_of: HashMap<ObjectId, u64>,
    /// How far the content has moved, and for which place that was found.
    moved: Mutex<(u64, i64)>,
    /// Chunks in a row whose bases were of no use.
    misses: AtomicU32,
}

impl Older {
    /// Reads which chunks `before` has; none if it is not chunked, too long, or cannot be read.
    pub fn of(reader: &mut Reader<'_>, before: &ObjectId) -> Option<Self> {
        let mut older = Self {
            starts: vec![0],
            ids: Vec::new(),
            start_of: HashMap::new(),
            moved: Mutex::default(),
            misses: AtomicU32::new(0),
        };
        let mut end = 0;
        let mut chunks = chunk_lists::of_blob(reader, before).ok()??;
        while let Some(Part { id, bytes }) = chunks.next(reader).ok()? {
            older.start_of.insert(id, end);
            end += u64::from(bytes);
            older.ids.push(id);
            older.starts.push(end);
            if older.ids.len() > CHUNKS_MAX {
                return None;
            }
        }
        Some(older)
    }

    /// Notes that a chunk at `offset` was stored already.
    pub fn met(&self, part: &Part, offset: u64) {
        let Some(&start) = self.start_of.get(&part.id) else { return };
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        if offset >= moved.0 {
            *moved = (offset, offset.cast_signed() - start.cast_signed());
        }
    }

    /// Finds what the new chunk at `offset` may continue.
    pub fn base(&self, reader: &mut Reader<'_>, content: &[u8], offset: u64) -> Option<Base> {
        let old = self.in_place_of(offset, content.len())?;
        if probe(content) {
            return Base::of_next(reader, &old);
        }
        // Weights that were all trained on have nothing in common but their place.
        let misses = self.misses.load(Ordering::Relaxed);
        if misses >= MISSES_MAX && !misses.is_multiple_of(MISSES_STEP) {
            self.misses.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let base = Base::of_next(reader, &old).filter(|base| is_alike(content, base));
        match base {
            Some(_) => self.misses.store(0, Ordering::Relaxed),
            None => drop(self.misses.fetch_add(1, Ordering::Relaxed)),
        }
        base
    }

    /// The old chunk of which most lies where `bytes` at `offset` came from.
    fn in_place_of(&self, offset: u64, bytes: usize) -> Option<ObjectId> {
        let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner).1;
        let middle = offset.saturating_add(bytes as u64 / 2).checked_add_signed(-moved)?;
        let after = self.starts.partition_point(|start| *start <= middle);
        self.ids.get(after.checked_sub(1)?).copied()
    }
}

/// Tells whether two contents of one length have many bytes in common where they should.
fn is_alike(content: &[u8], base: &Base) -> bool {
    fn sample(bytes: &[u8], start: usize) -> Option<&[u8]> {
        bytes.get(start..start + SAMPLE_BYTES)
    }
    let step = content.len() / SAMPLES;
    let is_equal = |start: &usize| {
        let (new, old) = (sample(content, *start), sample(&base.content, *start));
        new.is_some() && new == old
    };
    (0..SAMPLES).map(|number| number * step).filter(is_equal).count() >= EQUAL_MIN
}
