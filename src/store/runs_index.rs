//! The files of the runs index in `cache/`: opened, read by column, written, swept.
//!
//! The bytes are specified in `docs/format/runs-index.md`. What is not as it was written is
//! [`Stale`]: whoever meets it forgets all of it and builds it anew. What the rows mean is decided
//! in `repo`.

use crate::format::layout;
use crate::format::runs_index::{
    Directory, IDS, Place, SHORT_IDS, STARTED, TRAILER_BYTES, Trailer, WIDE,
};
use crate::object::ObjectId;

use super::cache::{Cache, Stale};
use super::segment::{self, SegmentBytes};

pub use crate::format::runs_index::{
    COLUMNS_MAX, Cell, Column, SEGMENT_ROWS, SEGMENTS_MAX, SegmentBuilder, SegmentName, State,
};

/// Longest state file, in bytes; a longer one is built anew.
const STATE_BYTES_MAX: u64 = 64 << 20;

/// One segment, of which columns are read as they are asked for.
#[derive(Debug)]
pub struct Segment {
    bytes: SegmentBytes,
    directory: Directory,
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
        Ok(Self { bytes, directory })
    }

    /// Counts the rows.
    pub fn rows(&self) -> u32 {
        self.directory.rows
    }

    /// Reads the values of a name; nothing where no row has one.
    pub fn column(&self, name: &str) -> Result<Option<Column>, Stale> {
        let Some(place) = self.directory.find(name) else { return Ok(None) };
        Ok(Some(place.decode(self.bytes(place)?, self.rows())?))
    }

    /// Lists the names of values.
    pub fn names(&self) -> Vec<String> {
        self.directory.fields().map(|(name, _)| name.to_owned()).collect()
    }

    /// Reads the ids.
    pub fn ids(&self) -> Result<Vec<ObjectId>, Stale> {
        let place = self.place(IDS)?;
        Ok(place.ids(&self.bytes(place)?, self.rows())?)
    }

    /// Reads the first four bytes of the ids.
    pub fn short_ids(&self) -> Result<Vec<[u8; 4]>, Stale> {
        let place = self.place(SHORT_IDS)?;
        Ok(place.short_ids(&self.bytes(place)?, self.rows())?)
    }

    /// Reads when the runs began.
    pub fn started(&self) -> Result<Vec<i64>, Stale> {
        let place = self.place(STARTED)?;
        Ok(place.times(&self.bytes(place)?, self.rows())?)
    }

    /// Reads which rows have values that are only in their records.
    pub fn wide(&self) -> Result<Vec<u32>, Stale> {
        let place = self.place(WIDE)?;
        Ok(place.rows(&self.bytes(place)?, self.rows())?)
    }

    fn place(&self, name: &str) -> Result<&Place, Stale> {
        self.directory.find(name).ok_or(Stale)
    }

    fn bytes(&self, place: &Place) -> Result<Vec<u8>, Stale> {
        self.bytes.read(place.offset, place.bytes)
    }
}

/// Loads the state; nothing where there is none that can be believed.
pub fn load_state(cache: &Cache) -> Option<State> {
    State::decode(&cache.load(layout::RUNS_INDEX, STATE_BYTES_MAX)?).ok()
}

/// Opens a segment that the state names.
pub fn open_segment(cache: &Cache, name: &SegmentName, rows: u32) -> Result<Segment, Stale> {
    let segment = Segment::open(SegmentBytes::open(cache, &layout::runs_segment_name(name))?)?;
    if segment.rows() == rows { Ok(segment) } else { Err(Stale) }
}

/// Keeps a segment, if that is possible, and gives its name.
pub fn save_segment(cache: &Cache, bytes: &[u8]) -> SegmentName {
    segment::save(cache, bytes, layout::runs_segment_name)
}

/// Makes a state the one that counts, and removes the segments of `before` that it does without.
pub fn save_state(cache: &Cache, state: &State, before: &State) {
    cache.save(layout::RUNS_INDEX, &state.encode());
    for (name, _) in &before.segments {
        if !state.segments.iter().any(|(kept, _)| kept == name) {
            segment::remove(cache, &layout::runs_segment_name(name));
        }
    }
}

/// Throws all of it away.
pub fn forget(cache: &Cache) {
    cache.forget(layout::RUNS_INDEX);
}
