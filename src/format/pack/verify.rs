//! Checks that a footer index is what was written, and what a writer may write.
//!
//! Specified in `docs/format/pack.md`.

use super::footer::pack_id;
use super::index::{PackIndex, row_at};
use super::trailer::{HASHED_BYTES, header};
use super::{HEADER_BYTES, ObjectPosition, ObjectRow};
use crate::format::field::u32_at;
use crate::object::DecodeError;

impl<B: AsRef<[u8]>> PackIndex<B> {
    /// Checks that header, footer and trailer are those that were written.
    ///
    /// Errors: a byte differs. Cost: one pass over the footer, no allocation.
    pub fn verify_hash(&self) -> Result<(), DecodeError> {
        let hashed = self.tail().get(..self.parts().trailer + HASHED_BYTES).unwrap_or_default();
        if pack_id(&header(self.class()), hashed) == self.id() {
            return Ok(());
        }
        Err(self.malformed(0, "its bytes are not those that were written"))
    }

    /// Checks the hash, and every rule of the format that concerns the footer.
    ///
    /// Packs from elsewhere must pass before they are kept: then every byte between header and
    /// footer belongs to one block, every byte of a block to one object, and there is one way to
    /// write the tables. Cost: one pass, 4 bytes an object and a block.
    pub fn verify(&self) -> Result<(), DecodeError> {
        self.verify_hash()?;
        self.verify_blocks()?;
        self.verify_bases()?;
        self.verify_order()?;
        self.verify_coverage()
    }

    fn verify_blocks(&self) -> Result<(), DecodeError> {
        let mut end = HEADER_BYTES as u64;
        let mut raw_bytes: u64 = 0;
        for block in self.blocks() {
            let block = block?;
            if block.offset != end {
                return Err(self.malformed(0, "a block does not begin where the last one ended"));
            }
            end = end.saturating_add(u64::from(block.encoded_bytes));
            raw_bytes = raw_bytes.saturating_add(u64::from(block.raw_bytes));
        }
        if end != self.trailer().footer_offset {
            return Err(self.malformed(0, "there are bytes between the blocks and the footer"));
        }
        if raw_bytes != self.trailer().raw_bytes {
            return Err(self.malformed(0, "the blocks have not as many raw bytes as it says"));
        }
        Ok(())
    }

    fn verify_bases(&self) -> Result<(), DecodeError> {
        if !self.bases().is_sorted_by(|a, b| a < b) {
            return Err(self.malformed(self.parts().bases, "the bases are not sorted"));
        }
        let bases: Vec<_> = self.bases().collect();
        let mut used = vec![false; bases.len()];
        for block in self.blocks() {
            let row = block?.base.and_then(|base| bases.binary_search(&base).ok());
            if let Some(used) = row.and_then(|row| used.get_mut(row)) {
                *used = true;
            }
        }
        match used.iter().all(|used| *used) {
            true => Ok(()),
            false => Err(self.malformed(self.parts().bases, "no block needs one of the bases")),
        }
    }

    fn verify_order(&self) -> Result<(), DecodeError> {
        let mut counts = [0u32; 256];
        let mut last: Option<ObjectRow> = None;
        for object in self.objects() {
            let object = object?;
            if last.is_some_and(|last| (last.id, last.kind) >= (object.id, object.kind)) {
                return Err(self.malformed(self.parts().ids, "the objects are not sorted"));
            }
            let [first, ..] = *object.id.as_bytes();
            if let Some(count) = counts.get_mut(usize::from(first)) {
                *count += 1;
            }
            last = Some(object);
        }
        let mut sum = 0;
        for (row, count) in (0..).zip(counts) {
            sum += count;
            let at = row_at(self.parts().fan_out, row, 4);
            if u32_at(self.tail(), at) != Some(sum) {
                return Err(self.malformed(at, "the fan-out does not count the ids"));
            }
        }
        Ok(())
    }

    /// Groups the objects by block, then walks each group in the order of its bytes.
    fn verify_coverage(&self) -> Result<(), DecodeError> {
        let uncovered = || self.malformed(self.parts().objects, "objects do not fill a block");
        let (ends, mut members) = self.members()?;
        let mut rest = members.as_mut_slice();
        let mut taken = 0;
        let mut spans = Vec::new();
        for (block, end) in self.blocks().zip(ends) {
            let count = usize::try_from(end - taken).unwrap_or(usize::MAX);
            let (group, others) = rest.split_at_mut_checked(count).ok_or_else(uncovered)?;
            (rest, taken) = (others, end);
            spans.clear();
            for position in group {
                let object = self.object(ObjectPosition(*position))?;
                spans.push((object.offset, object.bytes));
            }
            spans.sort_unstable();
            let filled = spans.iter().try_fold(0u32, |end, (offset, bytes)| {
                if *offset == end { end.checked_add(*bytes) } else { None }
            });
            if spans.is_empty() || filled != Some(block?.raw_bytes) {
                return Err(uncovered());
            }
        }
        Ok(())
    }

    /// Gives where each block's group ends, and the positions of all objects, group by group.
    fn members(&self) -> Result<(Vec<u32>, Vec<u32>), DecodeError> {
        let slot = |position: u32| usize::try_from(position).unwrap_or(usize::MAX);
        let mut ends = vec![0u32; slot(self.trailer().block_count)];
        for object in self.objects() {
            if let Some(count) = ends.get_mut(slot(object?.block.0)) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            (sum, *end) = (sum + *end, sum);
        }
        let mut members = vec![0u32; slot(sum)];
        for (position, object) in (0..).zip(self.objects()) {
            let Some(end) = ends.get_mut(slot(object?.block.0)) else { continue };
            if let Some(member) = members.get_mut(slot(*end)) {
                *member = position;
            }
            *end += 1;
        }
        Ok((ends, members))
    }
}
