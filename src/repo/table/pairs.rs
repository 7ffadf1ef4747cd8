//! Rows without a partner → rows that changed, came and went: by key, or by where they stand.

use std::collections::VecDeque;

use super::matching::{Left, Leftovers};

/// New rows at the same place that are tried for an old one.
pub(super) const TRIES: usize = 16;

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

/// Pairs rows between the same rows that both tables have, if they are alike.
///
/// Shape: `is_alike` is asked for old rows in their order, and for at most [`TRIES`] new ones that
/// follow one another for each.
pub(super) fn by_place(
    leftovers: Leftovers,
    mut is_alike: impl FnMut(&Left, &Left) -> bool,
) -> Fates {
    let mut fates = Fates::default();
    let mut new: VecDeque<_> = places(&leftovers.new).zip(leftovers.new.iter().copied()).collect();
    for (place, old) in places(&leftovers.old).zip(leftovers.old.iter().copied()) {
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

/// Gives the numbers of the rows that stand between the same rows as one of the other table.
///
/// Shape: both lists in order, none empty if the other is not.
pub(super) fn candidates(leftovers: &Leftovers) -> (Vec<u64>, Vec<u64>) {
    let shared = |rows: &[Left], others: &[Left]| {
        let mut others = places(others).peekable();
        let places = places(rows).zip(rows).filter(|(place, _)| {
            while others.next_if(|other| other < place).is_some() {}
            others.peek() == Some(place)
        });
        places.map(|(_, left)| left.number).collect()
    };
    (shared(&leftovers.old, &leftovers.new), shared(&leftovers.new, &leftovers.old))
}

/// Says behind how many rows that both tables have each row stands.
fn places(rows: &[Left]) -> impl Iterator<Item = u64> {
    (0..).zip(rows).map(|(before, left): (u64, &Left)| left.number.saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    fn left(number: u64, key: Option<u64>) -> Left {
        Left { number, line: number + 2, key: key.and_then(NonZeroU64::new) }
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
        let rows = |rows: [(u64, Option<u64>); 3]| rows.map(|(row, key)| left(row, key)).to_vec();
        let fates = by_key(Leftovers { old: rows(old), new: rows(new), moved: 0 });
        assert_eq!(numbers(&fates), (vec![(5, 0)], vec![1, 6], vec![2, 3]));
    }

    #[test]
    fn without_a_key_the_place_and_the_cells_do() {
        // Row 3 became row 4, behind a new row 3; row 8 went, and another came somewhere else.
        let old = vec![left(3, None), left(8, None)];
        let new = vec![left(3, None), left(4, None), left(12, None)];
        let leftovers = Leftovers { old, new, moved: 0 };
        assert_eq!(candidates(&leftovers), (vec![3], vec![3, 4]));
        let mut asked = Vec::new();
        let fates = by_place(leftovers, |old, new| {
            asked.push((old.number, new.number));
            (old.number, new.number) == (3, 4)
        });
        assert_eq!(numbers(&fates), (vec![(3, 4)], vec![8], vec![3, 12]));
        assert_eq!(asked, [(3, 3), (3, 4)]);
    }
}
