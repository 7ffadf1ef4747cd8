//! Storing anew what somebody asks for by its id, although a collection has listed it.
//!
//! What is reachable is never listed for long; what a person has noted the id of may be.

use super::garbage::{is_live, mark_bases};
use super::reach::Marker;
use super::{Reliance, Root, Store, StoreError, merge};
use crate::format::pack::{ObjectRow, PackClass};
use crate::object::ObjectId;
use crate::progress::Progress;

impl Store {
    /// Makes what a root reaches last, before something new names it.
    ///
    /// Shape: `id` is that of the root. What is listed, if the root is, is copied into new packs.
    /// Errors: [`StoreError::Missing`] if some of it is gone already.
    /// Cost: a look-up, unless it is listed.
    pub fn revive(&self, reliance: &Reliance, id: &ObjectId, root: Root) -> Result<(), StoreError> {
        if !reliance.names(id) {
            // What waits for its grace period stays with all that it reaches.
            return Ok(());
        }
        let (progress, mut failed) = (Progress::default(), |_, error| Err(error));
        let mut marker = Marker::new(self, &progress, &mut failed);
        marker.mark(root)?;
        let mut wanted = marker.seen;
        while mark_bases(self, &mut wanted)? {}
        let keep = |object: &ObjectRow| is_live(&wanted, object) && reliance.names(&object.id);
        for class in [PackClass::Data, PackClass::Records] {
            let packs = self.packs().listing()?.of(class).to_vec();
            merge::copy(self, class, &packs, &keep)?;
        }
        self.packs().relist()?;
        Ok(())
    }
}
