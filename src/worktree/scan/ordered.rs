//! Work that unfolds into more work, done on several threads, with its output in one fixed order.
//!
//! Each piece of work becomes a row of outputs and further pieces; reading the rows depth first
//! gives the order in which a single thread would have worked. The caller's thread takes part:
//! it does the piece it waits for itself unless another thread is already at it, so that threads
//! which run ahead may stop as soon as their output exceeds a budget, and nothing can wait for
//! ever. Nothing here knows what the work is.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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
    Busy,
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
    changed: Condvar,
}

struct Pending<W, O> {
    slots: Vec<Arc<Slot<W, O>>>,
    buffered: usize,
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
    let shared = Shared {
        pending: Mutex::new(Pending { slots: Vec::new(), buffered: 0, is_closed: false }),
        changed: Condvar::new(),
    };
    let (shared, work) = (&shared, &work);
    std::thread::scope(|scope| {
        let closer = Closer(shared);
        for _ in 1..thread_count {
            scope.spawn(|| run_ahead(shared, budget, work));
        }
        let mut rows = vec![shared.unfold_one(first, work).into_iter()];
        while let Some(row) = rows.last_mut() {
            match row.next() {
                None => drop(rows.pop()),
                Some(Next::Slot(slot)) => rows.push(shared.finished(&slot, work).into_iter()),
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

fn run_ahead<W, O>(
    shared: &Shared<W, O>,
    budget: usize,
    work: &(impl Fn(W) -> Vec<Step<W, O>> + Sync),
) {
    loop {
        let mut pending = lock(&shared.pending);
        let slot = loop {
            if pending.is_closed {
                return;
            }
            if pending.buffered < budget
                && let Some(slot) = pending.slots.pop()
            {
                break slot;
            }
            pending = shared.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
        };
        drop(pending);
        let Some(piece) = slot.claim() else { continue };
        // Should the work panic, whoever waits for it must not wait for ever.
        let mut finish = Finish { slot: &slot, row: Vec::new() };
        finish.row = shared.unfold_one(piece, work);
    }
}

struct Finish<'a, W, O> {
    slot: &'a Slot<W, O>,
    row: Vec<Next<W, O>>,
}

impl<W, O> Drop for Finish<'_, W, O> {
    fn drop(&mut self) {
        *lock(&self.slot.state) = State::Done(std::mem::take(&mut self.row));
        self.slot.done.notify_all();
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
        drop(pending);
        if is_more {
            self.changed.notify_all();
        }
        row
    }

    /// Waits for a row that another thread is at, or makes it here.
    fn finished(&self, slot: &Slot<W, O>, work: &impl Fn(W) -> Vec<Step<W, O>>) -> Vec<Next<W, O>> {
        if let Some(piece) = slot.claim() {
            return self.unfold_one(piece, work);
        }
        let mut state = lock(&slot.state);
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Done(row) => return row,
                State::Taken => return Vec::new(),
                unfinished => *state = unfinished,
            }
            state = slot.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn release(&self, weight: usize) {
        if weight > 0 {
            let mut pending = lock(&self.pending);
            pending.buffered = pending.buffered.saturating_sub(weight);
            drop(pending);
            self.changed.notify_all();
        }
    }
}

impl<W, O> Slot<W, O> {
    fn claim(&self) -> Option<W> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut *state, State::Busy) {
            State::Waiting(piece) => Some(piece),
            other => {
                *state = other;
                None
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
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
}
