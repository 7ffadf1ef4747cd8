//! Rows are paired as a count of each row says, whatever the order; order is told where it differs.

use std::collections::HashMap;

use crossbeam_channel::bounded;
use proptest::prelude::*;

use super::*;
use crate::repo::table::columns::common;
use crate::repo::table::rows::batch_of;
use crate::repo::table::shape::{Form, Shape};

fn compare(old: &str, new: &str) -> Leftovers {
    let shape = |text: &str| {
        let form = Form::Csv { delimiter: b',' };
        Shape::sniff(form, text.as_bytes(), true).expect("a table")
    };
    let common = common(shape(old), shape(new), None).expect("columns in common");
    let hasher = RowHasher::new();
    let (old_sender, old_receiver) = bounded(1);
    let (new_sender, new_receiver) = bounded(1);
    old_sender.send(batch_of(old.as_bytes(), &common.old, &hasher)).expect("sent");
    new_sender.send(batch_of(new.as_bytes(), &common.new, &hasher)).expect("sent");
    drop((old_sender, new_sender));
    let (old, new) = ((old_receiver, &common.old), (new_receiver, &common.new));
    Matching::new(old, new, &hasher).run().expect("little waits")
}

fn table(rows: &[u8]) -> String {
    let rows = rows.iter().map(|row| format!("r{row},x\n"));
    format!("name,value\n{}", rows.collect::<String>())
}

/// Gives the numbers of rows without a partner, and how many moved.
fn numbers(old: &[u8], new: &[u8]) -> (Vec<u64>, Vec<u64>, u64) {
    let Leftovers { old, new, moved } = compare(&table(old), &table(new));
    let numbers = |rows: &[Left]| rows.iter().map(|row| row.number).collect();
    (numbers(&old), numbers(&new), moved)
}

proptest! {
    #[test]
    fn each_row_finds_a_partner_if_one_is_left(
        old in prop::collection::vec(0..12u8, 0..80),
        new in prop::collection::vec(0..12u8, 0..80),
    ) {
        let mut balance: HashMap<u8, i64> = HashMap::new();
        old.iter().for_each(|row| *balance.entry(*row).or_default() += 1);
        new.iter().for_each(|row| *balance.entry(*row).or_default() -= 1);
        let left = compare(&table(&old), &table(&new));
        let gone: i64 = balance.values().map(|count| (*count).max(0)).sum();
        let came: i64 = balance.values().map(|count| (-*count).max(0)).sum();
        prop_assert_eq!((left.old.len() as i64, left.new.len() as i64), (gone, came));
    }

    #[test]
    fn what_only_came_or_went_did_not_move(
        rows in prop::collection::vec(any::<bool>(), 0..200),
        ahead in 0..2usize,
    ) {
        // Each row is another; some are missing on one side, then some on the other.
        let number = |at: usize| u8::try_from(at).expect("few rows");
        let all: Vec<u8> = (0..rows.len()).map(number).collect();
        let some: Vec<u8> =
            all.iter().zip(&rows).filter(|(_, keeps)| **keeps).map(|(row, _)| *row).collect();
        let (old, new) = if ahead == 0 { (&all, &some) } else { (&some, &all) };
        let (gone, came, moved) = numbers(old, new);
        prop_assert_eq!((gone.len() + came.len(), moved), (all.len() - some.len(), 0));
    }
}

#[test]
fn a_long_insertion_does_not_move_the_rest() {
    let all: Vec<u8> = (0..=255).collect();
    let late: Vec<u8> = (0..20).chain(150..=255).collect();
    let (gone, came, moved) = numbers(&late, &all);
    assert_eq!((gone.len(), came.len(), moved), (0, 130, 0));
}

#[test]
fn rows_elsewhere_are_told() {
    let all: Vec<u8> = (0..200).collect();
    let mut other = all.clone();
    other.rotate_left(3);
    assert_eq!(numbers(&all, &other), (vec![], vec![], 3));
    let mut back = all.clone();
    back.reverse();
    let (gone, came, moved) = numbers(&all, &back);
    assert_eq!((gone.len(), came.len()), (0, 0));
    assert!(moved > 190, "{moved}");
}

#[test]
fn the_spelling_of_a_row_does_not_matter() {
    let old = "id,text\n1,plain\n2,\"quoted\"\n3,\"a,b\"\n";
    let new = "id,text\r\n1,\"plain\"\r\n2,quoted\r\n3,\"a,b\"\r\n";
    assert!(compare(old, new).old.is_empty());
    let semicolons = "id;text\n1;plain\n2;quoted\n3;a,b\n";
    assert!(compare(old, semicolons).new.is_empty());
    // Columns in another order, one under another name, and one that is new.
    let columns = "text,more,ID number\nplain,7,1\nquoted,8,2\n\"a,b\",9,3\n";
    assert!(compare(old, columns).old.is_empty());
}
