//! What a directory held when it was read, short enough to be compared with what is tracked.

use std::sync::OnceLock;

use super::Stamp;

/// What a directory held when its names were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectorySeen {
    /// The directory itself, before its names were read.
    pub stamp: Stamp,
    pub(in crate::worktree) names: NameSet,
}

/// Stands for a set of names with kinds: equal sets have equal values, and others only by an
/// accident of one in 2^64. It lives no longer than the process, whose key nobody else knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::worktree) struct NameSet(u64);

impl NameSet {
    pub fn add(&mut self, name: &[u8], is_directory: bool) {
        self.0 = self.0.wrapping_add(Self::of(name, is_directory));
    }

    pub fn remove(&mut self, name: &[u8], is_directory: bool) {
        self.0 = self.0.wrapping_sub(Self::of(name, is_directory));
    }

    fn of(name: &[u8], is_directory: bool) -> u64 {
        let [first, second] = *KEY.get_or_init(new_key);
        let mut hash = mix(first ^ name.len() as u64, second ^ u64::from(is_directory));
        let (words, rest) = name.as_chunks::<8>();
        for word in words {
            hash = mix(hash ^ u64::from_le_bytes(*word), second);
        }
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        mix(hash ^ u64::from_le_bytes(last), first)
    }
}

static KEY: OnceLock<[u64; 2]> = OnceLock::new();

/// Draws the key; any odd numbers will do where the system gives none.
fn new_key() -> [u64; 2] {
    let mut random = [[0; 8]; 2];
    let _or_zero = getrandom::fill(random.as_flattened_mut());
    let [one, other] = random.map(|random| u64::from_le_bytes(random) << 1);
    [one ^ 0x9e37_79b9_7f4a_7c15, other ^ 0xd6e8_feb8_6659_fd93]
}

/// Multiplies two words to twice their length and folds it: a quarter of the time of SipHash.
fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one).wrapping_mul(u128::from(other));
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_told_apart_by_each_name_and_kind() {
        let mut names: Vec<Vec<u8>> = (0..200_000_u32)
            .map(|number| format!("r{number:07}.json").into_bytes())
            .chain((0..64).map(|bytes| vec![b'a'; bytes + 1]))
            .collect();
        let of = |name: &Vec<u8>, is_directory| NameSet::of(name, is_directory);
        let mut hashes: Vec<u64> = names.iter().map(|name| of(name, false)).collect();
        hashes.extend(names.iter().map(|name| of(name, true)));
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
        let set = |names: &[Vec<u8>]| {
            let mut set = NameSet::default();
            names.iter().for_each(|name| set.add(name, false));
            set
        };
        let all = set(&names);
        names.reverse();
        assert_eq!(set(&names), all);
        let lost = names.pop().unwrap();
        let mut without = set(&names);
        assert_ne!(without, all);
        without.add(&lost, false);
        assert_eq!(without, all);
        without.remove(&lost, false);
        assert_eq!(without, set(&names));
    }
}
