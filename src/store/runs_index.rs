//! The files of the runs index in `cache/`: opened, read by column, written, swept.
//!
//! The bytes are specified in `docs/format/runs-index.md`. What is not as it was written is
//! [`Stale`]: whoever meets it forgets all of it and builds it anew. What the rows mean is decided
//! in `repo`.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;

use crate::format::layout;
use crate::format::runs_index::{
    Directory, IDS, Place, SHORT_IDS, STARTED, TRAILER_BYTES, Trailer, WIDE,
};
use crate::object::ObjectId;

use super::cache::{Cache, Stale, open_plain};

pub use crate::format::runs_index::{
    COLUMNS_MAX, Cell, Column, SEGMENT_ROWS, SEGMENTS_MAX, SegmentBuilder, SegmentName, State,
};

/// Longest state file, in bytes; a longer one is built anew.
const STATE_BYTES_MAX: u64 = 64 << 20;

/// One segment, of which columns are read as they are asked for.
#[derive(Debug)]
pub struct Segment {
    source: Source,
    directory: Directory,
}

#[derive(Debug)]
enum Source {
    File(File),
    Held(Vec<u8>),
}

impl Segment {
    /// Takes a segment that was just built.
    pub fn held(bytes: Vec<u8>) -> Result<Self, Stale> {
        Self::open(Source::Held(bytes))
    }

    fn open(source: Source) -> Result<Self, Stale> {
        let length = match &source {
            Source::File(file) => file.metadata().map_err(|_| Stale)?.len(),
            Source::Held(bytes) => bytes.len() as u64,
        };
        let start = length.checked_sub(TRAILER_BYTES as u64).ok_or(Stale)?;
        let trailer = read(&source, start, TRAILER_BYTES as u64, length)?;
        let trailer = trailer.first_chunk().ok_or(Stale)?;
        let trailer = Trailer::decode(trailer, length)?;
        let directory = read(&source, trailer.offset, trailer.bytes, length)?;
        let directory = Directory::decode(&directory, &trailer)?;
        Ok(Self { source, directory })
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
        read(&self.source, place.offset, place.bytes, u64::MAX)
    }
}

/// Reads a stretch; its length was checked against that of the file.
fn read(source: &Source, offset: u64, bytes: u64, length: u64) -> Result<Vec<u8>, Stale> {
    if bytes > length {
        return Err(Stale);
    }
    let bytes = usize::try_from(bytes).map_err(|_| Stale)?;
    match source {
        Source::File(file) => {
            let mut read = vec![0; bytes];
            file.read_exact_at(&mut read, offset).map_err(|_| Stale)?;
            Ok(read)
        }
        Source::Held(held) => {
            let start = usize::try_from(offset).map_err(|_| Stale)?;
            let end = start.checked_add(bytes).ok_or(Stale)?;
            held.get(start..end).map(<[u8]>::to_vec).ok_or(Stale)
        }
    }
}

/// Loads the state; nothing where there is none that can be believed.
pub fn load_state(cache: &Cache) -> Option<State> {
    State::decode(&cache.load(layout::RUNS_INDEX, STATE_BYTES_MAX)?).ok()
}

/// Opens a segment that the state names.
pub fn open_segment(cache: &Cache, name: &SegmentName, rows: u32) -> Result<Segment, Stale> {
    let path = cache.path(&layout::runs_segment_name(name)).ok_or(Stale)?;
    let file = open_plain(OpenOptions::new().read(true), &path).map_err(|_| Stale)?;
    let segment = Segment::open(Source::File(file))?;
    if segment.rows() == rows { Ok(segment) } else { Err(Stale) }
}

/// Keeps a segment, if that is possible, and gives its name.
pub fn save_segment(cache: &Cache, bytes: &[u8]) -> SegmentName {
    let id = ObjectId::of(bytes);
    let name = id.as_bytes().first_chunk().copied().unwrap_or_default();
    cache.save(&layout::runs_segment_name(&name), bytes);
    name
}

/// Makes a state the one that counts, and removes the segments of `before` that it does without.
pub fn save_state(cache: &Cache, state: &State, before: &State) {
    cache.save(layout::RUNS_INDEX, &state.encode());
    for (name, _) in &before.segments {
        if !state.segments.iter().any(|(kept, _)| kept == name) {
            remove(cache, name);
        }
    }
}

/// Throws all of it away.
pub fn forget(cache: &Cache) {
    cache.forget(layout::RUNS_INDEX);
}

fn remove(cache: &Cache, name: &SegmentName) {
    if let Some(path) = cache.path(&layout::runs_segment_name(name)) {
        let _gone_already = fs::remove_file(path);
    }
}
