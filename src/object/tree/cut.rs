//! Where a node of a directory ends: at names chosen by their own hash.
//!
//! Specified in `docs/format/tree.md`. An entry that comes or goes moves only the ends next to
//! it, so that equal runs of entries are equal nodes in every version of a directory.

/// Most items of a node; names without a cut for so long are one in 3,000 nodes.
pub const NODE_ITEMS_MAX: usize = 8_192;

/// The highest level a node may have; it holds only roots, and nothing is cut there.
pub const LEVEL_MAX: u8 = 5;

/// Bits of the hash that each level looks at: one name in 1,024 ends a node.
const LEVEL_BITS: u32 = 10;

/// The first 8 bytes of the BLAKE3 of a name, which decide about every level.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameHash(u64);

impl NameHash {
    pub(super) fn of(name: &[u8]) -> Self {
        let hash = blake3::hash(name);
        let first = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        Self(u64::from_le_bytes(first))
    }

    /// Tells whether a node of this level ends after the item with this (last) name.
    pub(super) const fn ends_node(self, level: u8) -> bool {
        let mask = (1 << LEVEL_BITS) - 1;
        level < LEVEL_MAX && (self.0 >> (LEVEL_BITS * level as u32)) & mask == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_looks_at_its_own_ten_bits() {
        assert!((0..LEVEL_MAX).all(|level| NameHash(0).ends_node(level)));
        assert!(!NameHash(0).ends_node(LEVEL_MAX));
        for level in 0..LEVEL_MAX {
            for bit in 0..60 {
                let is_own = (10 * u32::from(level)..10 * u32::from(level) + 10).contains(&bit);
                assert_eq!(NameHash(1 << bit).ends_node(level), !is_own, "{level} {bit}");
            }
        }
    }

    #[test]
    fn about_one_name_in_1024_ends_a_leaf() {
        let ends = |number: &u32| NameHash::of(number.to_string().as_bytes()).ends_node(0);
        let count = (0..100_000).filter(ends).count();
        assert!((70..130).contains(&count), "{count}");
    }
}
