//! The Merkle tree over a journal: hashes, a growing root, and proofs.
//!
//! Source: RFC 6962 §2.1; verification as in RFC 9162 §2.1.3.2 and §2.1.4.2. What the leaves are
//! is in `docs/format/journal.md`.

use super::id::{Sha256, Sha256Hasher};

/// Hash of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Sha256 {
    Sha256::of(b"")
}

/// Hashes one leaf: SHA-256 of a zero byte and the leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> Sha256 {
    prefixed(0, [leaf])
}

/// Hashes two subtrees into their parent: SHA-256 of a one byte and both hashes.
pub fn node_hash(left: &Sha256, right: &Sha256) -> Sha256 {
    prefixed(1, [left.as_bytes().as_slice(), right.as_bytes().as_slice()])
}

fn prefixed<const N: usize>(prefix: u8, parts: [&[u8]; N]) -> Sha256 {
    let mut hasher = Sha256Hasher::new();
    hasher.update(&[prefix]);
    parts.into_iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

/// A tree that only grows at its end, kept as the roots of its complete subtrees.
///
/// Cost: at most 64 hashes, whatever the number of leaves; a push hashes twice on average.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// One for each bit that is set in `size`, the largest subtree first.
    subtrees: Vec<Sha256>,
}

impl Frontier {
    /// Starts with no leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up where another left off.
    ///
    /// Shape: `subtrees` are the roots of the complete subtrees of a tree with `size` leaves, the
    /// largest first. Gives nothing when their number does not fit `size`.
    pub fn from_subtrees(size: u64, subtrees: Vec<Sha256>) -> Option<Self> {
        let fits = u32::try_from(subtrees.len()) == Ok(size.count_ones());
        fits.then_some(Self { size, subtrees })
    }

    /// Counts the leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Gives the roots of the complete subtrees, the largest first.
    pub fn subtrees(&self) -> &[Sha256] {
        &self.subtrees
    }

    /// Adds a leaf, given by its hash.
    pub fn push(&mut self, leaf: Sha256) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// Gives the hash of the whole tree.
    pub fn root(&self) -> Sha256 {
        fold_right(self.subtrees.iter().copied()).unwrap_or_else(empty_root)
    }
}

/// Joins neighbouring subtrees, each larger than the next, into the tree over all of them.
fn fold_right(hashes: impl DoubleEndedIterator<Item = Sha256>) -> Option<Sha256> {
    hashes.rev().reduce(|right, left| node_hash(&left, &right))
}

/// A complete subtree: 2^`level` leaves, beginning with leaf `index` × 2^`level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subtree {
    /// How many steps above the leaves its root is.
    pub level: u32,
    /// How many such subtrees are before it.
    pub index: u64,
}

/// Leaves from `begin` to before `end` that form a node of some tree.
///
/// Shape: not empty; `begin` is a multiple of the smallest power of two that is not below the
/// length, so the node's shape follows from the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    /// The first leaf.
    pub begin: u64,
    /// The leaf after the last.
    pub end: u64,
}

impl Range {
    /// Gives the hash of the range from the hashes of complete subtrees.
    ///
    /// Shape: `subtree` is asked from left to right, at most 64 times.
    /// Errors: those of `subtree`. An empty range hashes like an empty tree.
    pub fn hash<E>(self, subtree: impl FnMut(Subtree) -> Result<Sha256, E>) -> Result<Sha256, E> {
        let hashes = self.subtrees().map(subtree).collect::<Result<Vec<_>, E>>()?;
        Ok(fold_right(hashes.into_iter()).unwrap_or_else(empty_root))
    }

    /// Lists the complete subtrees of the range, from left to right.
    pub fn subtrees(self) -> impl Iterator<Item = Subtree> {
        let mut begin = self.begin;
        std::iter::from_fn(move || {
            let level = self.end.checked_sub(begin)?.checked_ilog2()?;
            let subtree = Subtree { level, index: begin >> level };
            begin += 1 << level;
            Some(subtree)
        })
    }

    /// Splits a range of at least two leaves where RFC 6962 does.
    fn halves(self) -> Option<(Self, Self)> {
        let last = (self.end - self.begin).checked_sub(1)?;
        let middle = self.begin + (1 << last.checked_ilog2()?);
        Some((Self { end: middle, ..self }, Self { begin: middle, ..self }))
    }
}

/// Lists the nodes whose hashes prove that leaf `index` is in the tree of `size` leaves.
///
/// Shape: from the leaf upwards, as RFC 6962 §2.1.1 orders them; nothing when there is no such
/// leaf.
pub fn inclusion_path(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let mut path = Vec::new();
    let mut range = Range { begin: 0, end: size };
    while let Some((left, right)) = range.halves() {
        let is_left = index < left.end;
        path.push(if is_left { right } else { left });
        range = if is_left { left } else { right };
    }
    path.reverse();
    Some(path)
}

/// Lists the nodes whose hashes prove that the tree of `old` leaves is the beginning of the tree
/// of `new` leaves.
///
/// Shape: as RFC 6962 §2.1.2 orders them; empty for equal trees; nothing when `old` is 0 (any
/// tree goes on from the empty one, there is nothing to prove) or more than `new`.
pub fn consistency_path(old: u64, new: u64) -> Option<Vec<Range>> {
    if old == 0 || old > new {
        return None;
    }
    let mut path = Vec::new();
    let mut range = Range { begin: 0, end: new };
    while range.end > old {
        let Some((left, right)) = range.halves() else { break };
        let is_left = old <= left.end;
        path.push(if is_left { right } else { left });
        range = if is_left { left } else { right };
    }
    // The old tree itself is known to whoever checks the proof.
    if range.begin > 0 {
        path.push(range);
    }
    path.reverse();
    Some(path)
}

/// Tells whether `proof` shows that `leaf` is the hash of leaf `index` of the tree of `size`
/// leaves whose hash is `root`.
pub fn verify_inclusion(
    proof: &[Sha256],
    leaf: Sha256,
    index: u64,
    size: u64,
    root: &Sha256,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Tells whether `proof` shows that the tree of `old` leaves with hash `old_root` is the
/// beginning of the tree of `new` leaves with hash `new_root`.
///
/// Shape: an empty tree is the beginning of any tree, with an empty proof and its own root.
pub fn verify_consistency(
    proof: &[Sha256],
    (old, old_root): (u64, &Sha256),
    (new, new_root): (u64, &Sha256),
) -> bool {
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root() && (new > 0 || old_root == new_root);
    }
    if old >= new {
        return old == new && proof.is_empty() && old_root == new_root;
    }
    let mut proof = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let shift = (old - 1).trailing_ones();
    // A shift by 64 cannot happen: old would be 2^64.
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
#[path = "merkle_tests.rs"]
mod tests;
