//! Writes one pack: blocks from many threads, then the footer, then nothing ever again.
//!
//! Nothing is visible before [`PackWriter::finish`] has handed the upload back to be published.

use std::sync::{Arc, Mutex, PoisonError};

use crate::format::layout;
use crate::format::pack::{BlockSummary, FooterBuilder, PackClass, header};
use crate::storage::{Key, Storage, Upload};

use super::StoreError;
use super::block_builder::BlockObject;

/// Collects the blocks of one pack. Shared by the threads that encode them.
pub(super) struct PackWriter {
    storage: Arc<dyn Storage>,
    class: PackClass,
    open: Mutex<Option<Open>>,
}

/// A pack that has at least one block.
struct Open {
    upload: Box<dyn Upload>,
    footer: FooterBuilder,
}

/// A pack that is written but has no name yet.
pub(super) struct Finished {
    pub upload: Box<dyn Upload>,
    pub key: Key,
    pub bytes: u64,
}

impl PackWriter {
    /// Prepares a pack; a file is begun with the first block only.
    pub fn new(storage: Arc<dyn Storage>, class: PackClass) -> Self {
        Self { storage, class, open: Mutex::new(None) }
    }

    /// Appends one encoded block and names the objects that lie in it, in order.
    ///
    /// Errors: whatever storage says; the pack can then no longer be finished.
    pub fn append(
        &self,
        summary: BlockSummary,
        encoded: &[u8],
        objects: &[BlockObject],
    ) -> Result<(), StoreError> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match slot.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        // The slot stays empty if this fails, so a broken upload is dropped, never published.
        open.upload.write(encoded)?;
        let objects = objects.iter().map(|object| (object.id, object.kind, object.bytes));
        open.footer.add_block(summary, objects)?;
        *slot = Some(open);
        Ok(())
    }

    /// Tells whether a block came.
    pub fn is_begun(&self) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Ends the pack with its footer; none if no block came.
    pub fn finish(self) -> Result<Option<Finished>, StoreError> {
        let slot = self.open.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(Open { mut upload, footer }) = slot else { return Ok(None) };
        let tail = footer.finish()?;
        upload.write(&tail.bytes)?;
        let key = Key::new(layout::pack_name(self.class, &tail.trailer.id))?;
        Ok(Some(Finished { upload, key, bytes: tail.trailer.file_bytes }))
    }

    fn begin(&self) -> Result<Open, StoreError> {
        let mut upload = self.storage.begin(None)?;
        upload.write(&header(self.class))?;
        Ok(Open { upload, footer: FooterBuilder::new(self.class) })
    }
}

impl std::fmt::Debug for PackWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackWriter").field("class", &self.class).finish_non_exhaustive()
    }
}
