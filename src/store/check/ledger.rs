//! Which blocks there are, which objects lie in each, and which blocks were found to be sound.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::format::pack::{BlockPosition, ObjectKind, PackClass};
use crate::store::StoreError;
use crate::store::block_reader::address;
use crate::store::pack::Pack;
use crate::store::packs::Listing;

/// Lists the blocks of every pack: 12 bytes for each object, 2 for each block.
#[derive(Debug)]
pub(super) struct Ledger {
    pages: Vec<Page>,
    /// The page of each pack.
    by_pack: HashMap<usize, usize>,
    /// The number of the first block of each page, and behind the last.
    starts: Vec<usize>,
}

/// The blocks of one pack.
#[derive(Debug)]
pub(super) struct Page {
    pub pack: Arc<Pack>,
    /// Block, offset and position of every object, in the order of their bytes.
    objects: Vec<(u32, u32, u32)>,
    blocks: Vec<Block>,
}

#[derive(Debug, Default)]
struct Block {
    holds_chunk: bool,
    is_sound: AtomicBool,
}

impl Ledger {
    /// Lists the blocks of all packs, whose footers are sound.
    pub fn new(listing: &Listing) -> Result<Self, StoreError> {
        let (mut pages, mut by_pack, mut starts) = (Vec::new(), HashMap::new(), vec![0]);
        let mut count = 0;
        for class in [PackClass::Records, PackClass::Data] {
            for pack in listing.of(class) {
                by_pack.insert(address(pack), pages.len());
                let page = Page::new(pack)?;
                count += page.blocks.len();
                starts.push(count);
                pages.push(page);
            }
        }
        Ok(Self { pages, by_pack, starts })
    }

    /// Counts the blocks of all packs.
    pub fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The block of a number below [`Self::len`].
    pub fn block(&self, number: usize) -> Option<(&Page, BlockPosition)> {
        let page = self.starts.partition_point(|start| *start <= number).checked_sub(1)?;
        let position = u32::try_from(number - self.starts[page]).ok()?;
        Some((self.pages.get(page)?, BlockPosition(position)))
    }

    /// The page of a pack that was there when the ledger was begun.
    pub fn page(&self, pack: &Arc<Pack>) -> Option<&Page> {
        self.pages.get(*self.by_pack.get(&address(pack))?)
    }
}

impl Page {
    fn new(pack: &Arc<Pack>) -> Result<Self, StoreError> {
        let index = pack.index()?;
        let mut objects = Vec::with_capacity(index.trailer().object_count as usize);
        let mut blocks: Vec<Block> = Vec::new();
        blocks.resize_with(index.trailer().block_count as usize, Block::default);
        for (position, object) in (0..).zip(index.objects()) {
            let object = object.map_err(|error| pack.damaged(error))?;
            objects.push((object.block.0, object.offset, position));
            if let Some(block) = blocks.get_mut(object.block.0 as usize) {
                block.holds_chunk |= object.kind == ObjectKind::Chunk;
            }
        }
        objects.sort_unstable();
        Ok(Self { pack: Arc::clone(pack), objects, blocks })
    }

    /// The positions of the objects in a block, in the order of their bytes.
    pub fn objects(&self, block: BlockPosition) -> impl Iterator<Item = u32> {
        let from = self.objects.partition_point(|(other, ..)| *other < block.0);
        let objects = self.objects.get(from..).unwrap_or_default().iter();
        objects.take_while(move |(other, ..)| *other == block.0).map(|(.., position)| *position)
    }

    /// Tells whether a block holds a piece of a large file.
    pub fn holds_chunk(&self, block: BlockPosition) -> bool {
        self.blocks.get(block.0 as usize).is_some_and(|block| block.holds_chunk)
    }

    pub fn is_sound(&self, block: BlockPosition) -> bool {
        let block = self.blocks.get(block.0 as usize);
        block.is_some_and(|block| block.is_sound.load(Ordering::Relaxed))
    }

    /// Notes that every object in a block is what its id says; false if that was known.
    pub fn note_sound(&self, block: BlockPosition) -> bool {
        let block = self.blocks.get(block.0 as usize);
        block.is_some_and(|block| !block.is_sound.swap(true, Ordering::Relaxed))
    }
}
