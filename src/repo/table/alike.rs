//! Whether rows without a key are the same ones with other cells: read again, side by side.
//!
//! Only rows that could be the same are read, and only a few of them are held at a time.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crossbeam_channel::{Receiver, Sender};

use super::matching::Leftovers;
use super::pairs::{Fates, TRIES, by_place, candidates};
use super::reading::{CellMark, Reading};
use super::rows::{Fault, RowHasher, read_rows};
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::Files;
use crate::threads::produce_beside;

/// One of two versions, and how it is read.
#[derive(Clone, Copy)]
pub(super) struct Version<'a> {
    pub place: (&'a TreePath, &'a FileSide),
    pub reading: &'a Reading,
}

/// The cells of a row, by its number.
type Marked = (u64, Vec<CellMark>);

/// Pairs rows by where they stand, if at least half of their cells are the same.
///
/// Cost: reads both versions at once, up to the last row that could have become another one;
/// nothing if there is none. Memory for some dozens of rows.
pub(super) fn pair_by_place(
    files: &Files<'_>,
    (old, new): (Version<'_>, Version<'_>),
    hasher: &RowHasher,
    leftovers: Leftovers,
) -> Result<Fates, Fault> {
    let (old_numbers, new_numbers) = candidates(&leftovers);
    if old_numbers.is_empty() {
        return Ok(by_place(leftovers, |_, _| false));
    }
    let (old_files, new_files) = (files.again(), files.again());
    let read_old =
        |sender: Sender<Vec<Marked>>| send(old_files, old, hasher, &old_numbers, &sender);
    let read_new =
        |sender: Sender<Vec<Marked>>| send(new_files, new, hasher, &new_numbers, &sender);
    let (old_read, (new_read, fates)) = produce_beside(1, read_old, |old_rows| {
        produce_beside(1, read_new, |new_rows| {
            let (mut old_rows, mut new_rows) = (Window::new(old_rows), Window::new(new_rows));
            by_place(leftovers, |old, new| {
                let both = (old_rows.row(old.number), new_rows.row(new.number));
                matches!(both, (Some(old), Some(new)) if is_alike(old, new))
            })
        })
    });
    old_read?;
    new_read?;
    Ok(fates)
}

/// Sends the cells of the rows with these numbers.
fn send(
    mut files: Files<'_>,
    Version { place, reading }: Version<'_>,
    hasher: &RowHasher,
    mut numbers: &[u64],
    sender: &Sender<Vec<Marked>>,
) -> Result<(), Fault> {
    read_rows(&mut files, place, reading, hasher, None, |batch| {
        let mut marked = Vec::new();
        for row in &batch.rows {
            if let Some((_, rest)) = numbers.split_first().filter(|(next, _)| **next == row.number)
            {
                marked.push((row.number, reading.marks(batch.text(row), hasher)));
                numbers = rest;
            }
        }
        let is_sent = marked.is_empty() || sender.send(marked).is_ok();
        match is_sent && !numbers.is_empty() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })
    .map(drop)
}

/// The rows of one version around those that are asked for: the next ones, and a few before.
struct Window {
    receiver: Receiver<Vec<Marked>>,
    held: VecDeque<Marked>,
}

impl Window {
    const fn new(receiver: Receiver<Vec<Marked>>) -> Self {
        Self { receiver, held: VecDeque::new() }
    }

    /// Gives a row; none that lies more than [`TRIES`] rows before another one that was given.
    fn row(&mut self, number: u64) -> Option<&[CellMark]> {
        while self.held.back().is_none_or(|(last, _)| *last < number) {
            self.held.extend(self.receiver.recv().ok()?);
            let before = self.held.partition_point(|(held, _)| *held < number);
            self.held.drain(..before.saturating_sub(TRIES));
        }
        let at = self.held.binary_search_by_key(&number, |(held, _)| *held).ok()?;
        self.held.get(at).map(|(_, marks)| marks.as_slice())
    }
}

/// Tells whether two rows share at least half of their cells.
fn is_alike(old: &[CellMark], new: &[CellMark]) -> bool {
    let (mut same, mut only_new) = (0, 0);
    let mut rest = new.iter().peekable();
    for mark in old {
        while rest.next_if(|other| other.column < mark.column).is_some() {
            only_new += 1;
        }
        if let Some(other) = rest.next_if(|other| other.column == mark.column) {
            same += usize::from(other.value == mark.value);
        }
    }
    let all = old.len() + only_new + rest.count();
    same > 0 && same * 2 >= all
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    fn marks(cells: &[(u64, u64)]) -> Vec<CellMark> {
        cells.iter().map(|(column, value)| CellMark { column: *column, value: *value }).collect()
    }

    #[test]
    fn half_of_the_cells_of_both_is_enough() {
        let alike = |old: &[(u64, u64)], new: &[(u64, u64)]| is_alike(&marks(old), &marks(new));
        assert!(alike(&[(1, 1), (2, 2)], &[(1, 1), (2, 3)]));
        assert!(alike(&[(2, 2)], &[(1, 1), (2, 2)]));
        assert!(!alike(&[(2, 2)], &[(1, 1), (2, 2), (3, 3)]));
        assert!(!alike(&[(1, 1), (2, 2), (3, 3)], &[(1, 1), (2, 3), (3, 4)]));
        assert!(!alike(&[(1, 1)], &[(2, 1)]));
        assert!(!alike(&[], &[]));
    }

    #[test]
    fn a_window_goes_forward_and_a_little_back() {
        let (sender, receiver) = unbounded();
        for number in 0..100 {
            sender.send(vec![(number * 2, marks(&[(number, 0)]))]).expect("sent");
        }
        drop(sender);
        let mut window = Window::new(receiver);
        let columns = |row: Option<&[CellMark]>| row.map(|marks| marks[0].column);
        assert_eq!(columns(window.row(100)), Some(50));
        assert_eq!(columns(window.row(100 - 2 * TRIES as u64)), Some(50 - TRIES as u64));
        assert_eq!(columns(window.row(101)), None);
        assert_eq!(columns(window.row(198)), Some(99));
        assert_eq!(columns(window.row(200)), None);
        assert!(window.held.len() <= TRIES + 1);
    }
}
