//! Which rows of two tables are the same: read side by side, with what is out of step held back.
//!
//! While both tables go on alike, nothing is held. Around a difference a few rows ahead are looked
//! at; what finds no partner there waits in a map until its partner comes, or the end.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU64;

use crossbeam_channel::Receiver;

use super::reading::Reading;
use super::rows::{Batch, Row, RowHash, RowHasher};

/// Rows that may wait for their partner: about 120 MiB of them.
const WAITING_MAX: usize = 1_800_000;
/// Rows ahead that are looked at where the tables differ.
const AHEAD_ROWS: usize = 32;

/// One of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Old,
    New,
}

/// A row without a partner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// Its number in the table, from 0.
    pub number: u64,
    pub line: u64,
    /// Hash of what tells it from all others, if it has that.
    pub key: Option<NonZeroU64>,
}

/// What two tables have not in common, each side by number.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    pub old: Vec<Left>,
    pub new: Vec<Left>,
    /// Rows of both that stand in another order.
    pub moved: u64,
}

/// More rows wait than may: the tables are to be compared part by part.
#[derive(Debug)]
pub(super) struct Overflow;

/// Reads one table row by row.
struct Cursor<'a> {
    receiver: Receiver<Batch>,
    batches: VecDeque<Batch>,
    /// The next row of the first batch.
    at: usize,
    reading: &'a Reading,
    spelled: Option<RowHash>,
}

impl<'a> Cursor<'a> {
    fn new(receiver: Receiver<Batch>, reading: &'a Reading) -> Self {
        Self { receiver, batches: VecDeque::new(), at: 0, reading, spelled: None }
    }

    fn peek(&mut self, ahead: usize) -> Option<(&Batch, Row)> {
        let mut at = self.at + ahead;
        let mut which = 0;
        loop {
            match self.batches.get(which) {
                Some(batch) if at < batch.rows.len() => break,
                Some(batch) => {
                    at -= batch.rows.len();
                    which += 1;
                }
                None => self.batches.push_back(self.receiver.recv().ok()?),
            }
        }
        let batch = self.batches.get(which)?;
        Some((batch, *batch.rows.get(at)?))
    }

    fn hash(&mut self, ahead: usize) -> Option<RowHash> {
        self.peek(ahead).map(|(_, row)| row.hash)
    }

    /// The number of the next row; that of no row is 0.
    fn number(&mut self) -> u64 {
        self.peek(0).map_or(0, |(_, row)| row.number)
    }

    /// The hash of the next row as it would be spelled.
    fn spelled(&mut self, hasher: &RowHasher) -> Option<RowHash> {
        if self.spelled.is_none() {
            let reading = self.reading;
            let (batch, row) = self.peek(0)?;
            self.spelled = Some(match reading.is_plain {
                false => row.hash,
                true => {
                    let mut bytes = Vec::new();
                    reading.spell(batch.text(&row), &mut bytes);
                    hasher.row(&bytes)
                }
            });
        }
        self.spelled
    }

    fn pop(&mut self) {
        self.spelled = None;
        self.at += 1;
        if self.batches.front().is_some_and(|batch| self.at >= batch.rows.len()) {
            self.batches.pop_front();
            self.at = 0;
        }
    }
}

/// Stands for no row that waits.
const NONE: u32 = u32::MAX;

/// Rows that are the same and wait, from the first to the last: the first one is taken first, or
/// rows that come again would seem to have changed their order.
#[derive(Debug, Clone, Copy)]
struct Queue {
    first: u32,
    last: u32,
}

/// A row that waits, and the next one that is the same. There are many: no byte is wasted.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    left: Left,
    next: u32,
    from: From,
    has_partner: bool,
}

/// The comparison under way.
pub(super) struct Matching<'a> {
    old: Cursor<'a>,
    new: Cursor<'a>,
    hasher: &'a RowHasher,
    by_hash: HashMap<RowHash, Queue>,
    waiting: Vec<Waiting>,
    free: Vec<u32>,
    /// The furthest rows of each side that have a partner.
    furthest: (u64, u64),
    moved: u64,
}

impl<'a> Matching<'a> {
    pub fn new(
        (old, old_reading): (Receiver<Batch>, &'a Reading),
        (new, new_reading): (Receiver<Batch>, &'a Reading),
        hasher: &'a RowHasher,
    ) -> Self {
        Self {
            old: Cursor::new(old, old_reading),
            new: Cursor::new(new, new_reading),
            hasher,
            by_hash: HashMap::new(),
            waiting: Vec::new(),
            free: Vec::new(),
            furthest: (0, 0),
            moved: 0,
        }
    }

    /// Reads both tables to their ends.
    pub fn run(mut self) -> Result<Leftovers, Overflow> {
        loop {
            match (self.old.hash(0), self.new.hash(0)) {
                (None, None) => break,
                (Some(old), Some(new)) if old == new || self.is_spelled_alike() => {
                    let (old, new) = (self.old.number(), self.new.number());
                    self.pair(old, new);
                    self.old.pop();
                    self.new.pop();
                }
                (old, new) => {
                    let is_met = (new.is_some() && self.meet(From::New))
                        || (old.is_some() && self.meet(From::Old));
                    if !is_met {
                        let (skip_old, skip_new) = match (old, new) {
                            (Some(_), Some(_)) => self.look_ahead().unwrap_or((1, 1)),
                            (old, _) => (usize::from(old.is_some()), usize::from(old.is_none())),
                        };
                        self.set_aside(From::Old, skip_old)?;
                        self.set_aside(From::New, skip_new)?;
                    }
                }
            }
        }
        Ok(self.leftovers())
    }

    fn is_spelled_alike(&mut self) -> bool {
        let is_plain = self.old.reading.is_plain;
        is_plain && self.old.spelled(self.hasher) == self.new.spelled(self.hasher)
    }

    /// Finds how many rows to pass over on each side until both go on alike.
    fn look_ahead(&mut self) -> Option<(usize, usize)> {
        let (old, new) = (self.old.hash(0)?, self.new.hash(0)?);
        for ahead in 1..=AHEAD_ROWS {
            let (old_ahead, new_ahead) = (self.old.hash(ahead), self.new.hash(ahead));
            if new_ahead == Some(old) {
                return Some((0, ahead));
            }
            if old_ahead == Some(new) {
                return Some((ahead, 0));
            }
            if old_ahead.is_some() && old_ahead == new_ahead {
                return Some((ahead, ahead));
            }
            if old_ahead.is_none() && new_ahead.is_none() {
                break;
            }
        }
        None
    }

    fn cursor(&mut self, from: From) -> &mut Cursor<'a> {
        match from {
            From::Old => &mut self.old,
            From::New => &mut self.new,
        }
    }

    /// Takes the next row of one side if its partner waits.
    fn meet(&mut self, from: From) -> bool {
        let hasher = self.hasher;
        let cursor = self.cursor(from);
        let number = cursor.number();
        let Some(hash) = cursor.spelled(hasher) else { return false };
        let Some(&Queue { first, last }) = self.by_hash.get(&hash) else { return false };
        let found = usize::try_from(first).ok().and_then(|at| self.waiting.get_mut(at));
        let Some(partner) = found.filter(|waiting| waiting.from != from) else { return false };
        partner.has_partner = true;
        let Waiting { left, next, .. } = *partner;
        match next {
            NONE => drop(self.by_hash.remove(&hash)),
            first => drop(self.by_hash.insert(hash, Queue { first, last })),
        }
        self.free.push(first);
        match from {
            From::Old => self.pair(number, left.number),
            From::New => self.pair(left.number, number),
        }
        self.cursor(from).pop();
        true
    }

    fn pair(&mut self, old: u64, new: u64) {
        if old < self.furthest.0 || new < self.furthest.1 {
            self.moved += 1;
        }
        self.furthest = (self.furthest.0.max(old), self.furthest.1.max(new));
    }

    /// Lets the next rows of one side wait, but for those whose partner does.
    fn set_aside(&mut self, from: From, count: usize) -> Result<(), Overflow> {
        for _ in 0..count {
            if self.meet(from) {
                continue;
            }
            let hasher = self.hasher;
            let cursor = self.cursor(from);
            let reading = cursor.reading;
            let Some(hash) = cursor.spelled(hasher) else { return Ok(()) };
            let Some((batch, row)) = cursor.peek(0) else { return Ok(()) };
            let text = batch.text(&row);
            let left = Left {
                number: row.number,
                line: row.line,
                key: reading.key_of(text).and_then(|key| NonZeroU64::new(hasher.short(&key) | 1)),
            };
            cursor.pop();
            let slot = self.place(Waiting { left, next: NONE, from, has_partner: false })?;
            self.queue(hash, slot);
        }
        Ok(())
    }

    /// Puts a row that waits behind those that are the same.
    fn queue(&mut self, hash: RowHash, slot: u32) {
        let queue = self.by_hash.entry(hash).or_insert(Queue { first: slot, last: slot });
        let last = std::mem::replace(&mut queue.last, slot);
        let before = usize::try_from(last).ok().and_then(|at| self.waiting.get_mut(at));
        if let Some(before) = before.filter(|_| last != slot) {
            before.next = slot;
        }
    }

    fn place(&mut self, waiting: Waiting) -> Result<u32, Overflow> {
        if let Some(slot) = self.free.pop() {
            let place = usize::try_from(slot).ok().and_then(|at| self.waiting.get_mut(at));
            *place.ok_or(Overflow)? = waiting;
            return Ok(slot);
        }
        if self.waiting.len() >= WAITING_MAX {
            return Err(Overflow);
        }
        self.waiting.push(waiting);
        u32::try_from(self.waiting.len() - 1).map_err(|_| Overflow)
    }

    fn leftovers(self) -> Leftovers {
        let Self { by_hash, waiting, moved, .. } = self;
        drop(by_hash);
        let left = |from: From| -> Vec<Left> {
            let alone = waiting.iter().filter(|row| row.from == from && !row.has_partner);
            let mut left: Vec<Left> = alone.map(|row| row.left).collect();
            left.sort_unstable_by_key(|left| left.number);
            left
        };
        Leftovers { old: left(From::Old), new: left(From::New), moved }
    }
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
