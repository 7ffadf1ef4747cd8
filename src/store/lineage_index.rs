//! The files of the lineage index in `cache/`: opened, read by page, written, swept.
//!
//! The bytes are specified in `docs/format/lineage-index.md`. What is not as it was written is
//! [`Stale`]: whoever meets it forgets all of it and builds it anew. What the rows mean is decided
//! in `repo`.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;

use crate::format::layout;
use crate::format::lineage_index::{Directory, Page, TRAILER_BYTES, Trailer, has, id_at, numbers};
use crate::object::ObjectId;

use super::cache::{Cache, Stale, open_plain};

pub use crate::format::lineage_index::{SegmentBuilder, SegmentName, State, Table};

/// Longest state file, in bytes; a longer one is built anew.
const STATE_BYTES_MAX: u64 = 16 << 20;

/// Most pages that one segment keeps in memory.
const PAGES_MAX: usize = 4096;

/// One segment, of which pages are read as they are asked for.
#[derive(Debug)]
pub struct Segment {
    source: Source,
    directory: Directory,
    pages: HashMap<u64, Vec<u8>>,
}

#[derive(Debug)]
enum Source {
    File(File),
    Held(Vec<u8>),
}

impl Segment {
    /// Takes a segment that was just built.
    pub fn held(bytes: Vec<u8>) -> Result<Self, Stale> {
        let length = bytes.len() as u64;
        Self::open(Source::Held(bytes), length)
    }

    fn open(source: Source, length: u64) -> Result<Self, Stale> {
        let start = length.checked_sub(TRAILER_BYTES as u64).ok_or(Stale)?;
        let trailer = source.read(start, TRAILER_BYTES)?;
        let trailer = Trailer::decode(trailer.first_chunk().ok_or(Stale)?, length)?;
        let bytes = usize::try_from(trailer.bytes).map_err(|_| Stale)?;
        let directory = Directory::decode(&source.read(trailer.offset, bytes)?, &trailer)?;
        Ok(Self { source, directory, pages: HashMap::new() })
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
        let bytes = self.source.read(page.offset, page.bytes)?;
        if page.is_sound(&bytes) { Ok(bytes) } else { Err(Stale) }
    }
}

impl Source {
    fn read(&self, offset: u64, bytes: usize) -> Result<Vec<u8>, Stale> {
        match self {
            Self::File(file) => {
                let mut read = vec![0; bytes];
                file.read_exact_at(&mut read, offset).map_err(|_| Stale)?;
                Ok(read)
            }
            Self::Held(held) => {
                let start = usize::try_from(offset).map_err(|_| Stale)?;
                let end = start.checked_add(bytes).ok_or(Stale)?;
                held.get(start..end).map(<[u8]>::to_vec).ok_or(Stale)
            }
        }
    }
}

/// Loads the state; nothing where there is none that can be believed.
pub fn load_state(cache: &Cache) -> Option<State> {
    State::decode(&cache.load(layout::LINEAGE_INDEX, STATE_BYTES_MAX)?).ok()
}

/// Opens a segment that the state names.
pub fn open_segment(cache: &Cache, name: &SegmentName, length: u64) -> Result<Segment, Stale> {
    let path = cache.path(&layout::lineage_segment_name(name)).ok_or(Stale)?;
    let file = open_plain(OpenOptions::new().read(true), &path).map_err(|_| Stale)?;
    if file.metadata().map_err(|_| Stale)?.len() != length {
        return Err(Stale);
    }
    Segment::open(Source::File(file), length)
}

/// Keeps a segment, if that is possible, and gives its name and its length.
pub fn save_segment(cache: &Cache, bytes: &[u8]) -> (SegmentName, u64) {
    let id = ObjectId::of(bytes);
    let name = id.as_bytes().first_chunk().copied().unwrap_or_default();
    cache.save(&layout::lineage_segment_name(&name), bytes);
    (name, bytes.len() as u64)
}

/// Makes a state the one that counts, and removes the segments that it does without.
pub fn save_state(cache: &Cache, state: &State, dropped: &[SegmentName]) {
    cache.save(layout::LINEAGE_INDEX, &state.encode());
    for name in dropped {
        if let Some(path) = cache.path(&layout::lineage_segment_name(name)) {
            let _gone_already = fs::remove_file(path);
        }
    }
}

/// Throws all of it away.
pub fn forget(cache: &Cache) {
    cache.forget(layout::LINEAGE_INDEX);
}
