//! The files of the lineage index in `cache/`: opened, read by page, written, swept.
//!
//! The bytes are specified in `docs/format/lineage-index.md`. What is not as it was written is
//! [`Stale`]: whoever meets it forgets all of it and builds it anew. What the rows mean is decided
//! in `repo`.

use std::collections::HashMap;

use crate::format::layout;
use crate::format::lineage_index::{Directory, Page, TRAILER_BYTES, Trailer, has, id_at, numbers};
use crate::object::ObjectId;

use super::cache::{Cache, Stale};
use super::segment::{self, SegmentBytes};

pub use crate::format::lineage_index::{PackName, SegmentBuilder, SegmentName, State, Table};

/// Longest state file, in bytes; a longer one is built anew.
const STATE_BYTES_MAX: u64 = 16 << 20;

/// Most pages that one segment keeps in memory.
const PAGES_MAX: usize = 4096;

/// One segment, of which pages are read as they are asked for.
#[derive(Debug)]
pub struct Segment {
    bytes: SegmentBytes,
    directory: Directory,
    pages: HashMap<u64, Vec<u8>>,
}

impl Segment {
    /// Takes a segment that was just built.
    pub fn held(bytes: Vec<u8>) -> Result<Self, Stale> {
        Self::open(SegmentBytes::Held(bytes))
    }

    fn open(bytes: SegmentBytes) -> Result<Self, Stale> {
        let length = bytes.length();
        let start = length.checked_sub(TRAILER_BYTES as u64).ok_or(Stale)?;
        let trailer = bytes.read(start, TRAILER_BYTES as u64)?;
        let trailer = Trailer::decode(trailer.first_chunk().ok_or(Stale)?, length)?;
        let directory = bytes.read(trailer.offset, trailer.bytes)?;
        let directory = Directory::decode(&directory, &trailer)?;
        Ok(Self { bytes, directory, pages: HashMap::new() })
    }

    /// Finds the runs that made or used content, or the nodes that hold it, by the table.
    ///
    /// Shape: appends ids; among them may be such of other content with the same first eight bytes.
    /// Cost: a page, mostly, and one for each answer.
    pub fn find(
        &mut self,
        table: Table,
        sought: &ObjectId,
        into: &mut Vec<ObjectId>,
    ) -> Result<(), Stale> {
        let mut found = Vec::new();
        for page in self.directory.pages_of(table, sought).collect::<Vec<_>>() {
            found.extend(numbers(self.page(page)?, sought));
        }
        let ids = if table == Table::Holders { Table::Nodes } else { Table::Runs };
        for number in found {
            let (page, row) = self.directory.page_at(ids, number).ok_or(Stale)?;
            into.push(id_at(self.page(page)?, row).ok_or(Stale)?);
        }
        Ok(())
    }

    /// Tells whether a run may have made or used content, by the table.
    pub fn has_row(&mut self, table: Table, sought: &ObjectId) -> Result<bool, Stale> {
        for page in self.directory.pages_of(table, sought).collect::<Vec<_>>() {
            if numbers(self.page(page)?, sought).next().is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether a node is in it.
    pub fn has_node(&mut self, id: &ObjectId) -> Result<bool, Stale> {
        for page in self.directory.pages_of(Table::Nodes, id).collect::<Vec<_>>() {
            if has(self.page(page)?, id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds all that it says to another.
    pub fn add_to(&self, builder: &mut SegmentBuilder) -> Result<(), Stale> {
        let (runs, nodes) = (builder.rows(Table::Runs), builder.rows(Table::Nodes));
        for (table, before) in [
            (Table::Runs, 0),
            (Table::Nodes, 0),
            (Table::Makers, runs),
            (Table::Users, runs),
            (Table::Holders, nodes),
        ] {
            for page in self.directory.pages(table) {
                builder.extend(table, &self.checked(page)?, before);
            }
        }
        Ok(())
    }

    fn page(&mut self, page: Page) -> Result<&[u8], Stale> {
        if self.pages.len() >= PAGES_MAX {
            self.pages.clear();
        }
        if !self.pages.contains_key(&page.offset) {
            self.pages.insert(page.offset, self.checked(page)?);
        }
        self.pages.get(&page.offset).map(Vec::as_slice).ok_or(Stale)
    }

    fn checked(&self, page: Page) -> Result<Vec<u8>, Stale> {
        let bytes = self.bytes.read(page.offset, page.bytes as u64)?;
        if page.is_sound(&bytes) { Ok(bytes) } else { Err(Stale) }
    }
}

/// Loads the state; nothing where there is none that can be believed.
pub fn load_state(cache: &Cache) -> Option<State> {
    State::decode(&cache.load(layout::LINEAGE_INDEX, STATE_BYTES_MAX)?).ok()
}

/// Opens a segment that the state names.
pub fn open_segment(cache: &Cache, name: &SegmentName, length: u64) -> Result<Segment, Stale> {
    let bytes = SegmentBytes::open(cache, &layout::lineage_segment_name(name))?;
    if bytes.length() == length { Segment::open(bytes) } else { Err(Stale) }
}

/// Keeps a segment, if that is possible, and gives its name and its length.
pub fn save_segment(cache: &Cache, bytes: &[u8]) -> (SegmentName, u64) {
    (segment::save(cache, bytes, layout::lineage_segment_name), bytes.len() as u64)
}

/// Makes a state the one that counts, and removes the segments that it does without.
pub fn save_state(cache: &Cache, state: &State, dropped: &[SegmentName]) {
    cache.save(layout::LINEAGE_INDEX, &state.encode());
    for name in dropped {
        segment::remove(cache, &layout::lineage_segment_name(name));
    }
}

/// Throws all of it away.
pub fn forget(cache: &Cache) {
    cache.forget(layout::LINEAGE_INDEX);
}
