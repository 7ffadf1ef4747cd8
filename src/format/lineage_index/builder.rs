//! Rows in any order to the bytes of a segment; `docs/format/lineage-index.md`.

use super::{
    ENTRY_BYTES, ID_BYTES, Key, MAGIC, PAGE_BYTES, PAIR_BYTES, TRAILER_BYTES, Table, check_of, key,
    pair,
};
use crate::object::ObjectId;

/// Collects the rows of a segment.
///
/// Cost: as many bytes as the segment will have, and twice that at its end.
#[derive(Debug, Default)]
pub struct SegmentBuilder {
    runs: Vec<ObjectId>,
    nodes: Vec<ObjectId>,
    makers: Vec<(Key, u32)>,
    users: Vec<(Key, u32)>,
    holders: Vec<(Key, u32)>,
}

impl SegmentBuilder {
    /// Adds a run, of which the next makers and users are.
    pub fn begin_run(&mut self, id: ObjectId) {
        self.runs.push(id);
    }

    /// Adds a node, which names the next holders.
    pub fn begin_node(&mut self, id: ObjectId) {
        self.nodes.push(id);
    }

    /// Says that the run at hand made some content.
    pub fn made(&mut self, content: &ObjectId) {
        self.makers.push((key(content), last(&self.runs)));
    }

    /// Says that the run at hand read some content.
    pub fn used(&mut self, content: &ObjectId) {
        self.users.push((key(content), last(&self.runs)));
    }

    /// Says that the node at hand names something.
    pub fn holds(&mut self, inner: &ObjectId) {
        self.holders.push((key(inner), last(&self.nodes)));
    }

    /// Tells how long the segment will be, about.
    pub fn bytes(&self) -> usize {
        let pairs = self.makers.len() + self.users.len() + self.holders.len();
        (self.runs.len() + self.nodes.len()) * ID_BYTES + pairs * PAIR_BYTES
    }

    /// Tells whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.nodes.is_empty()
    }

    /// Adds the rows of a table of another segment, page by page; `Runs` before `Makers` and
    /// `Users`, `Nodes` before `Holders`.
    ///
    /// Shape: `before` is how many rows there were of the table to which numbers lead, before that
    /// segment.
    pub fn extend(&mut self, table: Table, page: &[u8], before: u32) {
        let pairs = match table {
            Table::Runs => return self.runs.extend(super::ids(page)),
            Table::Nodes => return self.nodes.extend(super::ids(page)),
            Table::Makers => &mut self.makers,
            Table::Users => &mut self.users,
            Table::Holders => &mut self.holders,
        };
        let rows = page.as_chunks::<PAIR_BYTES>().0.iter().map(pair);
        pairs.extend(rows.map(|(key, number)| (key, number.saturating_add(before))));
    }

    /// Counts the rows of a table.
    pub fn rows(&self, table: Table) -> u32 {
        let rows = match table {
            Table::Runs => self.runs.len(),
            Table::Nodes => self.nodes.len(),
            Table::Makers => self.makers.len(),
            Table::Users => self.users.len(),
            Table::Holders => self.holders.len(),
        };
        u32::try_from(rows).unwrap_or(u32::MAX)
    }

    /// Gives the bytes.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes() + self.bytes() / 128 + TRAILER_BYTES);
        let (runs, run_places) = sorted(self.runs);
        let (nodes, node_places) = sorted(self.nodes);
        let tables = [
            (Table::Makers, self.makers, &run_places),
            (Table::Users, self.users, &run_places),
            (Table::Holders, self.holders, &node_places),
        ];
        let mut directory = Vec::new();
        let mut rows = Vec::new();
        for (table, ids) in [(Table::Runs, runs), (Table::Nodes, nodes)] {
            let start = bytes.len();
            ids.iter().for_each(|id| bytes.extend_from_slice(id.as_bytes()));
            rows.push(list(table, bytes.get(start..).unwrap_or_default(), &mut directory));
        }
        for (table, pairs, places) in tables {
            let start = bytes.len();
            for (key, number) in renumbered(pairs, places) {
                bytes.extend_from_slice(&key);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            rows.push(list(table, bytes.get(start..).unwrap_or_default(), &mut directory));
        }
        let rows: [u32; 5] = rows.try_into().unwrap_or_default();
        bytes.extend_from_slice(&directory);
        rows.iter().for_each(|rows| bytes.extend_from_slice(&rows.to_le_bytes()));
        bytes.extend_from_slice(&check_of(&directory, rows).to_le_bytes());
        bytes.extend_from_slice(&MAGIC);
        bytes
    }
}

fn last(ids: &[ObjectId]) -> u32 {
    u32::try_from(ids.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

/// Sorts ids; gives each once, and of each number before the number after.
fn sorted(ids: Vec<ObjectId>) -> (Vec<ObjectId>, Vec<u32>) {
    let mut places = vec![0; ids.len()];
    let mut order: Vec<(ObjectId, usize)> = ids.into_iter().zip(0..).collect();
    order.sort_unstable();
    let mut once: Vec<ObjectId> = Vec::with_capacity(order.len());
    for (id, number) in order {
        if once.last() != Some(&id) {
            once.push(id);
        }
        if let Some(place) = places.get_mut(number) {
            *place = last(&once);
        }
    }
    (once, places)
}

/// Gives numbers as they are after sorting; sorts the rows, and gives each once.
fn renumbered(mut pairs: Vec<(Key, u32)>, places: &[u32]) -> Vec<(Key, u32)> {
    for (_, number) in &mut pairs {
        let place = usize::try_from(*number).ok().and_then(|number| places.get(number));
        *number = place.copied().unwrap_or(u32::MAX);
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Lists the pages of a table in the directory, and counts its rows.
fn list(table: Table, bytes: &[u8], directory: &mut Vec<u8>) -> u32 {
    directory.reserve(bytes.len() / PAGE_BYTES * ENTRY_BYTES);
    for page in bytes.chunks(table.rows_per_page() * table.row_bytes()) {
        directory.extend_from_slice(page.get(..size_of::<Key>()).unwrap_or_default());
        directory.extend_from_slice(&crc32fast::hash(page).to_le_bytes());
    }
    u32::try_from(bytes.len() / table.row_bytes()).unwrap_or(u32::MAX)
}
