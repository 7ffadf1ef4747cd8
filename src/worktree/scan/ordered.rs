//! Work that unfolds into more work, done on several threads, with its output in one fixed order.
//!
//! Each piece of work becomes a row of outputs and further pieces; reading the rows depth first
//! gives the order in which a single thread would have worked. The caller's thread takes part:
//! it does the piece whose turn it is itself, and while another thread is at that one, it does a
//! later piece instead of sleeping, as the other threads do. Threads that run ahead stop as soon
//! as their output exceeds a budget; nothing can wait for ever, since the piece whose turn it is
//! needs no budget. Nothing here knows what the work is.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::threads;

/// What becomes of a piece of work.
#[derive(Debug)]
pub enum Step<W, O> {
    /// More work, whose output belongs here.
    Work(W),
    /// Output, and how much of the budget it takes until it is consumed.
    Output(O, usize),
}

enum State<W, O> {
    Waiting(W),
    /// A thread is at it; whether the consumer sleeps until it is done.
    Busy {
        is_awaited: bool,
    },
    Done(Vec<Next<W, O>>),
    Taken,
}

enum Next<W, O> {
    Slot(Arc<Slot<W, O>>),
    Output(O, usize),
}

struct Slot<W, O> {
    state: Mutex<State<W, O>>,
    done: Condvar,
}

struct Shared<W, O> {
    pending: Mutex<Pending<W, O>>,
    /// There is work again for a thread that runs ahead, or none for ever.
    changed: Condvar,
    budget: usize,
}

struct Pending<W, O> {
    /// Pieces to be done, the one whose turn comes first on top; some were taken meanwhile.
    slots: Vec<Arc<Slot<W, O>>>,
    buffered: usize,
    /// Threads that sleep until something changes; nobody is woken in vain, as that costs a
    /// system call.
    asleep: usize,
    is_closed: bool,
}

/// Unfolds `first` and gives every output to `consume`, in order, on this thread.
///
/// Shape: `thread_count` counts this thread; `budget` bounds the output that waits, beyond one
/// row per thread. Errors: the first error of `consume`, which ends all work early.
pub fn unfold<W: Send, O: Send, E>(
    first: W,
    thread_count: usize,
    budget: usize,
    work: impl Fn(W) -> Vec<Step<W, O>> + Sync,
    mut consume: impl FnMut(O) -> Result<(), E>,
) -> Result<(), E> {
    let pending = Pending { slots: Vec::new(), buffered: 0, asleep: 0, is_closed: false };
    let shared = Shared { pending: Mutex::new(pending), changed: Condvar::new(), budget };
    let (shared, work) = (&shared, &work);
    let ahead = || run_ahead(shared, work);
    std::thread::scope(|scope| {
        let closer = Closer(shared);
        let mut rows = vec![shared.unfold_one(first, work).into_iter()];
        // What one thread does piece by piece takes less time than another one takes to begin.
        let mut is_alone = true;
        while let Some(row) = rows.last_mut() {
            match row.next() {
                None => drop(rows.pop()),
                Some(Next::Slot(slot)) => {
                    if is_alone && lock(&shared.pending).slots.len() > 1 {
                        is_alone = false;
                        threads::join(scope, thread_count - 1, &ahead);
                    }
                    rows.push(shared.finished(&slot, work).into_iter());
                }
                Some(Next::Output(output, weight)) => {
                    shared.release(weight);
                    consume(output)?;
                }
            }
        }
        drop(closer);
        Ok(())
    })
}

/// Ends the other threads when the consumer leaves, in whichever way.
struct Closer<'a, W, O>(&'a Shared<W, O>);

impl<W, O> Drop for Closer<'_, W, O> {
    fn drop(&mut self) {
        lock(&self.0.pending).is_closed = true;
        self.0.changed.notify_all();
    }
}

fn run_ahead<W, O>(shared: &Shared<W, O>, work: &impl Fn(W) -> Vec<Step<W, O>>) {
    loop {
        let mut pending = lock(&shared.pending);
        let slot = loop {
            if pending.is_closed {
                return;
            }
            if let Some(slot) = pending.pop(shared.budget) {
                break slot;
            }
            pending.asleep += 1;
            pending = shared.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
            pending.asleep -= 1;
        };
        drop(pending);
        shared.complete(&slot, work);
    }
}

struct Finish<'a, W, O> {
    slot: &'a Slot<W, O>,
    row: Vec<Next<W, O>>,
}

impl<W, O> Drop for Finish<'_, W, O> {
    fn drop(&mut self) {
        let done = State::Done(std::mem::take(&mut self.row));
        let before = std::mem::replace(&mut *lock(&self.slot.state), done);
        if matches!(before, State::Busy { is_awaited: true }) {
            self.slot.done.notify_all();
        }
    }
}

impl<W, O> Pending<W, O> {
    /// Takes the earliest piece, if there is room for its output.
    fn pop(&mut self, budget: usize) -> Option<Arc<Slot<W, O>>> {
        if self.buffered < budget { self.slots.pop() } else { None }
    }
}

impl<W, O> Shared<W, O> {
    /// Does one piece, and offers the pieces it unfolds into, the earliest on top.
    fn unfold_one(&self, piece: W, work: &impl Fn(W) -> Vec<Step<W, O>>) -> Vec<Next<W, O>> {
        let mut buffered = 0;
        let mut slots = Vec::new();
        let row = work(piece).into_iter().map(|step| match step {
            Step::Output(output, weight) => {
                buffered += weight;
                Next::Output(output, weight)
            }
            Step::Work(piece) => {
                let state = Mutex::new(State::Waiting(piece));
                let slot = Arc::new(Slot { state, done: Condvar::new() });
                slots.push(Arc::clone(&slot));
                Next::Slot(slot)
            }
        });
        let row = row.collect();
        let is_more = !slots.is_empty();
        let mut pending = lock(&self.pending);
        pending.buffered += buffered;
        pending.slots.extend(slots.into_iter().rev());
        let wakes = is_more && pending.asleep > 0;
        drop(pending);
        if wakes {
            self.changed.notify_all();
        }
        row
    }

    /// Does a piece ahead of its turn, unless somebody else began with it.
    fn complete(&self, slot: &Slot<W, O>, work: &impl Fn(W) -> Vec<Step<W, O>>) {
        let Some(piece) = slot.claim() else { return };
        // Should the work panic, whoever waits for it must not wait for ever.
        let mut finish = Finish { slot, row: Vec::new() };
        finish.row = self.unfold_one(piece, work);
    }

    /// Gives the row whose turn it is: made here, or by another thread, which is helped with what
    /// comes later meanwhile.
    fn finished(
        &self,
        slot: &Arc<Slot<W, O>>,
        work: &impl Fn(W) -> Vec<Step<W, O>>,
    ) -> Vec<Next<W, O>> {
        lock(&self.pending).slots.pop_if(|top| Arc::ptr_eq(top, slot));
        if let Some(piece) = slot.claim() {
            return self.unfold_one(piece, work);
        }
        loop {
            if let Some(row) = slot.take_done() {
                return row;
            }
            let later = lock(&self.pending).pop(self.budget);
            match later {
                Some(later) => self.complete(&later, work),
                None => return slot.wait(),
            }
        }
    }

    fn release(&self, weight: usize) {
        if weight == 0 {
            return;
        }
        let mut pending = lock(&self.pending);
        pending.buffered = pending.buffered.saturating_sub(weight);
        let is_work = pending.buffered < self.budget && !pending.slots.is_empty();
        let wakes = is_work && pending.asleep > 0;
        drop(pending);
        if wakes {
            self.changed.notify_all();
        }
    }
}

impl<W, O> Slot<W, O> {
    fn claim(&self) -> Option<W> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Busy { is_awaited: false }) {
            State::Waiting(piece) => Some(piece),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Takes the row, if it is there.
    fn take_done(&self) -> Option<Vec<Next<W, O>>> {
        take_row(&mut lock(&self.state))
    }

    /// Sleeps until the row is there.
    fn wait(&self) -> Vec<Next<W, O>> {
        let mut state = lock(&self.state);
        loop {
            if let Some(row) = take_row(&mut state) {
                return row;
            }
            *state = State::Busy { is_awaited: true };
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Takes the row out of a state; `None` while a thread is at it.
fn take_row<W, O>(state: &mut State<W, O>) -> Option<Vec<Next<W, O>>> {
    match std::mem::replace(state, State::Taken) {
        State::Done(row) => Some(row),
        State::Taken => Some(Vec::new()),
        unfinished => {
            *state = unfinished;
            None
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Work `n` becomes: output n, work n-1, output n, work n-2.
    fn fibonacci(n: u32) -> Vec<Step<u32, u32>> {
        match n {
            0 | 1 => vec![Step::Output(n, 1)],
            _ => vec![Step::Output(n, 1), Step::Work(n - 1), Step::Output(n, 1), Step::Work(n - 2)],
        }
    }

    fn collect(thread_count: usize, budget: usize) -> Vec<u32> {
        let mut outputs = Vec::new();
        let consumed: Result<(), ()> = unfold(18, thread_count, budget, fibonacci, |output| {
            outputs.push(output);
            Ok(())
        });
        consumed.unwrap();
        outputs
    }

    #[test]
    fn the_order_is_that_of_one_thread() {
        let alone = collect(1, 0);
        assert!(alone.starts_with(&[18, 17, 16]));
        for (thread_count, budget) in [(2, 0), (2, 1), (2, 1000), (4, 10), (8, usize::MAX)] {
            assert!(collect(thread_count, budget) == alone, "{thread_count} threads, {budget}");
        }
    }

    #[test]
    fn an_error_of_the_consumer_ends_the_work() {
        let mut count = 0;
        let ended = unfold(30, 4, 1000, fibonacci, |_| {
            count += 1;
            if count == 10 { Err("enough") } else { Ok(()) }
        });
        assert_eq!((ended, count), (Err("enough"), 10));
    }

    /// The consumer used to sleep whenever another thread was at the piece whose turn it was, so
    /// that two threads took turns and a scan on two cores took as long as on one.
    #[test]
    fn whoever_would_wait_does_a_later_piece() {
        const PIECES: u32 = 8;
        let begun = (Mutex::new(0), Condvar::new());
        let work = |piece: u32| {
            if piece == PIECES {
                return (0..PIECES).map(Step::Work).collect();
            }
            let mut count = lock(&begun.0);
            *count += 1;
            begun.1.notify_all();
            // Each piece but the last is done only when the one behind it is under way.
            let is_alone = |count: &mut u32| *count < PIECES.min(piece + 2);
            let waited = begun.1.wait_timeout_while(count, Duration::from_secs(10), is_alone);
            vec![Step::Output(waited.unwrap().1.timed_out(), 1)]
        };
        let mut outputs = Vec::new();
        let consumed: Result<(), ()> = unfold(PIECES, 2, 1000, work, |is_late| {
            outputs.push(is_late);
            Ok(())
        });
        assert_eq!((consumed, outputs), (Ok(()), vec![false; 8]));
    }
}
