//! What several sets have in common: files of the same content, rows of the same cells.
//!
//! The largest set comes last and is only looked up, so that memory goes by the others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::rows::RowHash;

/// Hashes that are held at once: about 90 MiB of them.
const HELD_MAX: usize = 1_800_000;
/// How much more room it takes to hold something of another set too.
const MORE_COST: usize = 4;
/// Places of each pair that are kept.
pub(in crate::repo) const SAMPLES_MAX: usize = 10;

/// Where something stands: a file by its number, and the line in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::repo) struct Place {
    pub file: u32,
    pub line: u64,
}

/// How often a set has something, and where first. There are many: no byte is wasted.
#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u64,
    line: u64,
    file: u32,
    set: u32,
}

impl Seen {
    const fn first(set: u32, place: Place) -> Self {
        Self { count: 1, line: place.line, file: place.file, set }
    }

    const fn place(&self) -> Place {
        Place { file: self.file, line: self.line }
    }
}

/// What two sets have in common.
#[derive(Debug, Default)]
pub(in crate::repo) struct Shared {
    /// How much of the set that came first the other one has too.
    pub count: u64,
    /// Where, in both.
    pub samples: Vec<(Place, Place)>,
}

/// Too much is held: the sets are to be compared part by part.
#[derive(Debug)]
pub(in crate::repo) struct TooMuch;

/// Finds what sets have in common, that are given one after the other.
#[derive(Debug, Default)]
pub(in crate::repo) struct Finder {
    held: HashMap<RowHash, Seen>,
    /// What the sets after the first have too; mostly there is none.
    more: HashMap<RowHash, Vec<Seen>>,
    more_count: usize,
    /// By the numbers of two sets.
    pub shared: HashMap<(u32, u32), Shared>,
}

impl Finder {
    /// Takes one of a set; one of the last set is only looked up. Tells whether it is a sample.
    ///
    /// Shape: sets come in the order of their numbers.
    pub fn add(
        &mut self,
        set: u32,
        is_last: bool,
        hash: RowHash,
        place: Place,
    ) -> Result<bool, TooMuch> {
        let is_full = self.held.len() + self.more_count * MORE_COST >= HELD_MAX;
        let first = match self.held.entry(hash) {
            Entry::Vacant(_) if is_last => return Ok(false),
            Entry::Vacant(_) if is_full => return Err(TooMuch),
            Entry::Vacant(vacant) => {
                vacant.insert(Seen::first(set, place));
                return Ok(false);
            }
            Entry::Occupied(first) => first.into_mut(),
        };
        if first.set == set {
            first.count += 1;
            return Ok(false);
        }
        let more = self.more.get_mut(&hash).map(Vec::as_mut_slice).unwrap_or_default();
        if let Some(seen) = more.iter_mut().find(|seen| seen.set == set) {
            seen.count += 1;
            return Ok(false);
        }
        let mut is_sampled = false;
        for before in std::iter::once(&*first).chain(&*more) {
            let shared = self.shared.entry((before.set, set)).or_default();
            shared.count += before.count;
            if shared.samples.len() < SAMPLES_MAX {
                shared.samples.push((before.place(), place));
                is_sampled = true;
            }
        }
        if is_full && !is_last {
            return Err(TooMuch);
        }
        self.more.entry(hash).or_default().push(Seen::first(set, place));
        self.more_count += 1;
        Ok(is_sampled)
    }

    /// Forgets what is held, and keeps what was found.
    pub fn next_part(&mut self) {
        self.held.clear();
        self.more.clear();
        self.more_count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds what sets of letters share: for each pair how much of the first is in the second.
    fn shared(sets: &[&str]) -> Vec<(u32, u32, u64)> {
        let mut finder = Finder::default();
        for (number, set) in (0..).zip(sets) {
            let is_last = number as usize + 1 == sets.len();
            for (line, letter) in (1..).zip(set.chars()) {
                let place = Place { file: number, line };
                let hash = [u64::from(u32::from(letter)), 0];
                finder.add(number, is_last, hash, place).expect("little is held");
            }
        }
        let mut found: Vec<_> = finder.shared.iter().map(|(of, s)| (of.0, of.1, s.count)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn what_two_sets_have_is_counted_in_the_first() {
        assert_eq!(shared(&["ab", "cd"]), []);
        assert_eq!(shared(&["aab", "axa"]), [(0, 1, 2)]);
        assert_eq!(shared(&["a", "bba", "bbbba"]), [(0, 1, 1), (0, 2, 1), (1, 2, 3)]);
    }
}
