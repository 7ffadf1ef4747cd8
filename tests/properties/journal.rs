//! Journal entries and bundles: round trips, and arbitrary bytes.

use proptest::prelude::*;
use provenance::format::tile;
use provenance::object::{Transaction, merkle};

use crate::support::sample;

proptest! {
    #[test]
    fn a_byte_changed_is_another_entry_or_none(at in any::<usize>(), to in any::<u8>()) {
        let mut bytes = sample::transaction().encode().unwrap();
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(entry) = Transaction::decode(&bytes) {
            prop_assert_eq!(entry.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn a_bundle_reads_back(lengths in proptest::collection::vec(0_usize..300, 256)) {
        let entries: Vec<_> = lengths.into_iter().map(|length| vec![b'x'; length]).collect();
        let bundle = tile::encode_bundle(&entries).unwrap();
        prop_assert_eq!(tile::decode_bundle(&bundle).unwrap(), entries);
    }

    #[test]
    fn arbitrary_bytes_are_no_bundle_or_that_bundle(bytes in any::<Vec<u8>>()) {
        let _ = tile::decompress_bundle(&bytes);
        if let Ok(entries) = tile::decode_bundle(&bytes) {
            prop_assert_eq!(tile::encode_bundle(&entries).unwrap(), bytes);
        }
    }

    #[test]
    fn any_range_hashes_like_a_tree_of_its_own(begin in 0_u64..64, length in 1_u64..64) {
        // A range that begins where a tree of its size may begin is a node, whatever is before.
        let begin = begin * length.next_power_of_two();
        let leaf = |index: u64| merkle::leaf_hash(&index.to_be_bytes());
        let mut frontier = merkle::Frontier::new();
        (begin..begin + length).for_each(|index| frontier.push(leaf(index)));
        let range = merkle::Range { begin, end: begin + length };
        let hash = range.hash(|subtree| {
            let mut complete = merkle::Frontier::new();
            let first = subtree.index << subtree.level;
            (first..first + (1 << subtree.level)).for_each(|index| complete.push(leaf(index)));
            Ok::<_, ()>(complete.root())
        });
        prop_assert_eq!(hash, Ok(frontier.root()));
    }
}
