//! The packs of records as of one moment: which there are, and the nodes of trees that came with
//! those that somebody has not seen yet.

use std::sync::Arc;

use crate::format::layout;
use crate::format::pack::{ObjectKind, PackClass};
use crate::object::ObjectId;

use super::lineage_index::PackName;
use super::packs::Listing;
use super::{Store, StoreError};

/// The packs of records that there were.
#[derive(Debug)]
pub struct RecordPacks {
    listing: Arc<Listing>,
}

impl Store {
    /// Lists the packs of records, as they are.
    ///
    /// Cost: two listings, or more while others merge packs.
    pub fn record_packs(&self) -> Result<RecordPacks, StoreError> {
        Ok(RecordPacks { listing: self.packs().settled()? })
    }
}

impl RecordPacks {
    /// Gives their names, ascending.
    pub fn names(&self) -> Vec<PackName> {
        let packs = self.listing.of(PackClass::Records).iter();
        let mut names: Vec<_> = packs.filter_map(|pack| name(pack.key().as_str())).collect();
        names.sort_unstable();
        names
    }

    /// Gives the ids of all nodes of trees that are in packs other than `known`.
    ///
    /// Shape: ascending in each pack. Errors: those of `take`; a pack that is damaged.
    pub fn each_new_node<E: From<StoreError>>(
        &self,
        known: &[PackName],
        mut take: impl FnMut(ObjectId) -> Result<(), E>,
    ) -> Result<(), E> {
        self.listing.insist_on_all()?;
        for pack in self.listing.of(PackClass::Records) {
            if name(pack.key().as_str()).is_some_and(|name| known.binary_search(&name).is_ok()) {
                continue;
            }
            for row in pack.verified_index()?.objects() {
                let row = row.map_err(|error| pack.damaged(error))?;
                if row.kind == ObjectKind::Tree {
                    take(row.id)?;
                }
            }
        }
        Ok(())
    }
}

fn name(key: &str) -> Option<PackName> {
    layout::parse_pack_name(key)?.1.as_bytes().first_chunk().copied()
}
