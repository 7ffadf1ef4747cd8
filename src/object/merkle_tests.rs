//! The Merkle tree: reference vectors, and every proof of small trees.

use super::*;

/// Leaves, roots and proofs of the reference vectors of Certificate Transparency:
/// github.com/google/certificate-transparency, `cpp/merkletree/merkle_tree_test.cc`.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Leaf (from 0), tree size, proof.
const INCLUSION: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// Old size, new size, proof.
const CONSISTENCY: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn parse(hex: &str) -> Sha256 {
    Sha256::parse(hex).expect("64 digits")
}

fn hashes(proof: &[&str]) -> Vec<Sha256> {
    proof.iter().map(|hex| parse(hex)).collect()
}

/// The definition of RFC 6962 §2.1, word for word.
fn definition(leaves: &[Sha256]) -> Sha256 {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while 2 * k < leaves.len() {
                k *= 2;
            }
            node_hash(&definition(&leaves[..k]), &definition(&leaves[k..]))
        }
    }
}

/// Gives complete subtrees of `leaves` by the definition.
fn subtrees(leaves: &[Sha256]) -> impl FnMut(Subtree) -> Result<Sha256, ()> {
    |subtree| {
        let width = 1 << subtree.level;
        let begin = usize::try_from(subtree.index).map_err(|_| ())? * width;
        Ok(definition(leaves.get(begin..begin + width).ok_or(())?))
    }
}

fn prove(path: &[Range], leaves: &[Sha256]) -> Vec<Sha256> {
    path.iter().map(|range| range.hash(subtrees(leaves)).expect("inside the tree")).collect()
}

fn numbered(count: u64) -> Vec<Sha256> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

#[test]
fn roots_of_the_reference() {
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root(), parse(ROOTS[0]));
    for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
        frontier.push(leaf_hash(leaf));
        assert_eq!(frontier.root(), parse(root));
    }
}

#[test]
fn inclusion_proofs_of_the_reference() {
    let leaves = LEAVES.map(leaf_hash);
    for (index, size, expected) in INCLUSION {
        let at = usize::try_from(index).expect("small");
        let root = parse(ROOTS[usize::try_from(size).expect("small")]);
        let proof = prove(&inclusion_path(index, size).expect("inside"), &leaves);
        assert_eq!(proof, hashes(expected));
        assert!(verify_inclusion(&proof, leaves[at], index, size, &root));
    }
}

#[test]
fn consistency_proofs_of_the_reference() {
    let leaves = LEAVES.map(leaf_hash);
    for (old, new, expected) in CONSISTENCY {
        let proof = prove(&consistency_path(old, new).expect("inside"), &leaves);
        assert_eq!(proof, hashes(expected));
        let root = |size: u64| parse(ROOTS[usize::try_from(size).expect("small")]);
        assert!(verify_consistency(&proof, (old, &root(old)), (new, &root(new))));
    }
}

#[test]
fn every_proof_up_to_40_leaves_holds_and_no_other() {
    let leaves = numbered(40);
    let other = leaf_hash(b"other");
    let root = |size: u64| definition(&leaves[..usize::try_from(size).expect("small")]);
    for size in 1..=40 {
        for index in 0..size {
            let leaf = leaves[usize::try_from(index).expect("small")];
            let proof = prove(&inclusion_path(index, size).expect("inside"), &leaves);
            assert!(verify_inclusion(&proof, leaf, index, size, &root(size)));
            assert!(!verify_inclusion(&proof, other, index, size, &root(size)));
            assert!(!verify_inclusion(&proof, leaf, index + 1, size, &root(size)));
            refuse_changes(&proof, |proof| verify_inclusion(proof, leaf, index, size, &root(size)));
        }
        for old in 1..=size {
            let proof = prove(&consistency_path(old, size).expect("inside"), &leaves);
            let check = |proof: &[Sha256], old_root: &Sha256, new_root: &Sha256| {
                verify_consistency(proof, (old, old_root), (size, new_root))
            };
            assert!(check(&proof, &root(old), &root(size)));
            assert!(!check(&proof, &other, &root(size)));
            assert!(!check(&proof, &root(old), &other));
            refuse_changes(&proof, |proof| check(proof, &root(old), &root(size)));
        }
    }
}

/// Changes, drops and adds hashes; `verify` must refuse each.
fn refuse_changes(proof: &[Sha256], verify: impl Fn(&[Sha256]) -> bool) {
    for at in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[at] = leaf_hash(b"changed");
        assert!(!verify(&changed));
        changed.remove(at);
        assert!(!verify(&changed));
    }
    let longer: Vec<_> = proof.iter().copied().chain([leaf_hash(b"more")]).collect();
    assert!(!verify(&longer));
}

#[test]
fn what_is_outside_has_no_proof() {
    assert_eq!(inclusion_path(0, 0), None);
    assert_eq!(inclusion_path(3, 3), None);
    assert_eq!(consistency_path(0, 3), None);
    assert_eq!(consistency_path(4, 3), None);
    let root = leaf_hash(b"");
    assert!(!verify_inclusion(&[], root, 0, 0, &root));
    assert!(!verify_consistency(&[], (2, &root), (1, &root)));
    assert!(verify_consistency(&[], (0, &empty_root()), (5, &root)));
    assert!(!verify_consistency(&[], (0, &root), (5, &root)));
    assert!(!verify_consistency(&[], (0, &empty_root()), (0, &root)));
}

#[test]
fn the_largest_sizes_do_not_overflow() {
    let path = inclusion_path(u64::MAX - 1, u64::MAX).expect("inside");
    assert_eq!(path.len(), 63);
    let path = consistency_path(u64::MAX - 1, u64::MAX).expect("inside");
    assert!(path.len() <= 65);
    let proof = vec![leaf_hash(b""); 64];
    let root = leaf_hash(b"root");
    assert!(!verify_inclusion(&proof, root, u64::MAX - 1, u64::MAX, &root));
    assert!(!verify_consistency(&proof, (1 << 63, &root), (u64::MAX, &root)));
}

#[test]
fn a_frontier_goes_on_from_its_subtrees() {
    let leaves = numbered(23);
    let mut frontier = Frontier::new();
    for (count, leaf) in (1..).zip(&leaves) {
        let kept = frontier.subtrees().to_vec();
        let taken_up = Frontier::from_subtrees(frontier.size(), kept);
        frontier = taken_up.expect("as many as bits");
        frontier.push(*leaf);
        assert_eq!(frontier.root(), definition(&leaves[..count]));
    }
    assert_eq!(Frontier::from_subtrees(3, vec![leaf_hash(b"")]), None);
}
