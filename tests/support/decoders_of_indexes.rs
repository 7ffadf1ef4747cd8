//! Any bytes to the decoders of derived files, of which a part is read at a time.

use std::hint::black_box;

use provenance::format::lineage_index::{self, Table};
use provenance::format::runs_index::{self, State};
use provenance::object::ObjectId;

pub fn runs_index(bytes: &[u8]) {
    if let Ok(state) = State::decode(bytes) {
        assert_eq!(state.encode(), bytes, "a state has one spelling");
    }
    let Some(end) = bytes.last_chunk() else { return };
    let Ok(trailer) = runs_index::Trailer::decode(end, bytes.len() as u64) else { return };
    let cut = |offset: u64, length: u64| {
        let start = usize::try_from(offset).ok()?;
        bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    };
    let Some(listed) = cut(trailer.offset, trailer.bytes) else { return };
    let Ok(directory) = runs_index::Directory::decode(listed, &trailer) else { return };
    for (_, place) in directory.fields() {
        let Some(column) = cut(place.offset, place.bytes) else { continue };
        let Ok(column) = place.decode(column.to_vec(), directory.rows) else { continue };
        for row in [0, 1, directory.rows / 2, directory.rows, u32::MAX] {
            black_box(column.cell(row));
        }
    }
}

pub fn lineage_index(bytes: &[u8]) {
    if let Ok(state) = lineage_index::State::decode(bytes) {
        assert_eq!(state.encode(), bytes, "a state has one spelling");
    }
    let Some(end) = bytes.last_chunk() else { return };
    let Ok(trailer) = lineage_index::Trailer::decode(end, bytes.len() as u64) else { return };
    let cut = |offset: u64, length: usize| {
        let start = usize::try_from(offset).ok()?;
        bytes.get(start..start.checked_add(length)?)
    };
    let Some(listed) = cut(trailer.offset, usize::try_from(trailer.bytes).unwrap_or(usize::MAX))
    else {
        return;
    };
    let Ok(directory) = lineage_index::Directory::decode(listed, &trailer) else { return };
    let sought = ObjectId::of(b"data");
    for table in [Table::Runs, Table::Nodes, Table::Makers, Table::Users, Table::Holders] {
        for page in directory.pages(table).chain(directory.pages_of(table, &sought)) {
            let page = cut(page.offset, page.bytes).expect("pages lie in the file");
            black_box(lineage_index::numbers(page, &sought).count());
            black_box(lineage_index::has(page, &sought));
        }
        for number in [0, 1, directory.rows(table), u32::MAX] {
            let Some((page, row)) = directory.page_at(table, number) else { continue };
            let page = cut(page.offset, page.bytes).expect("pages lie in the file");
            black_box(lineage_index::id_at(page, row));
        }
    }
}
