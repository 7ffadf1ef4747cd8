//! Rows without a partner → rows that changed, came and went: by key, or by where they stand.

use std::collections::VecDeque;

use super::matching::{Left, Leftovers};

/// New rows at the same place that are tried for an old one.
const TRIES: usize = 16;

/// What became of the rows without a partner, each list by number in the table.
#[derive(Debug, Default)]
pub(super) struct Fates {
    pub changed: Vec<(Left, Left)>,
    pub removed: Vec<Left>,
    pub added: Vec<Left>,
}

/// Pairs rows of the same key, the first with the first, wherever they stand.
pub(super) fn by_key(leftovers: Leftovers) -> Fates {
    let Leftovers { mut old, mut new, .. } = leftovers;
    old.sort_unstable_by_key(|left| (left.key, left.number));
    new.sort_unstable_by_key(|left| (left.key, left.number));
    let mut fates = Fates::default();
    let mut new = new.into_iter().peekable();
    for old in old {
        fates.added.extend(std::iter::from_fn(|| new.next_if(|new| new.key < old.key)));
        // A row without a key is not the same as another one without.
        match new.next_if(|new| new.key == old.key && old.key.is_some()) {
            Some(new) => fates.changed.push((old, new)),
            None => fates.removed.push(old),
        }
    }
    fates.added.extend(new);
    fates.changed.sort_unstable_by_key(|(old, _)| old.number);
    fates.removed.sort_unstable_by_key(|left| left.number);
    fates.added.sort_unstable_by_key(|left| left.number);
    fates
}

/// Pairs rows between the same rows that both tables have, if most of their cells are the same.
pub(super) fn by_place(leftovers: Leftovers) -> Fates {
    let mut fates = Fates::default();
    let mut new = VecDeque::from(with_places(leftovers.new));
    for (place, old) in with_places(leftovers.old) {
        while new.front().is_some_and(|(new_place, _)| *new_place < place) {
            fates.added.extend(new.pop_front().map(|(_, gone)| gone));
        }
        let here = new.iter().take_while(|(new_place, _)| *new_place == place).take(TRIES);
        let alike = here.map(|(_, new)| new).position(|new| is_alike(&old, new));
        match alike {
            None => fates.removed.push(old),
            Some(at) => {
                // What stands before it has no partner any more.
                fates.added.extend(new.drain(..at).map(|(_, new)| new));
                fates.changed.extend(new.pop_front().map(|(_, new)| (old, new)));
            }
        }
    }
    fates.added.extend(new.into_iter().map(|(_, new)| new));
    fates
}

/// Says behind how many rows that both tables have each row stands.
fn with_places(rows: Vec<Left>) -> Vec<(u64, Left)> {
    let place = |(before, left): (u64, Left)| (left.number.saturating_sub(before), left);
    (0..).zip(rows).map(place).collect()
}

/// Tells whether two rows share at least half of their cells, as far as their sketches show.
fn is_alike(old: &Left, new: &Left) -> bool {
    let lanes = old.sketch.iter().zip(&new.sketch);
    let used = lanes.clone().filter(|(old, new)| **old != 0 || **new != 0).count();
    let same = lanes.filter(|(old, new)| old == new && **old != 0).count();
    same > 0 && same * 2 >= used
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    fn left(number: u64, key: Option<u64>, sketch: [u8; 8]) -> Left {
        Left { number, line: number + 2, key: key.and_then(NonZeroU64::new), sketch }
    }

    fn numbers(fates: &Fates) -> (Vec<(u64, u64)>, Vec<u64>, Vec<u64>) {
        let numbers = |rows: &[Left]| rows.iter().map(|row| row.number).collect();
        let changed = fates.changed.iter().map(|(old, new)| (old.number, new.number));
        (changed.collect(), numbers(&fates.removed), numbers(&fates.added))
    }

    #[test]
    fn a_key_pairs_rows_wherever_they_stand() {
        let old = [(1, Some(7)), (5, Some(8)), (6, None)];
        let new = [(0, Some(8)), (2, Some(9)), (3, None)];
        let rows = |rows: [(u64, Option<u64>); 3]| {
            rows.map(|(number, key)| left(number, key, [1; 8])).to_vec()
        };
        let fates = by_key(Leftovers { old: rows(old), new: rows(new), moved: 0 });
        assert_eq!(numbers(&fates), (vec![(5, 0)], vec![1, 6], vec![2, 3]));
    }

    #[test]
    fn without_a_key_the_place_and_the_cells_do() {
        let (a, b, c) = ([3, 5, 7, 0, 0, 0, 0, 0], [3, 5, 9, 0, 0, 0, 0, 0], [11; 8]);
        // Row 3 became row 4, behind a new row 3; row 8 went, and another came somewhere else.
        let old = vec![left(3, None, a), left(8, None, a)];
        let new = vec![left(3, None, c), left(4, None, b), left(12, None, b)];
        let fates = by_place(Leftovers { old, new, moved: 0 });
        assert_eq!(numbers(&fates), (vec![(3, 4)], vec![8], vec![3, 12]));
    }
}
