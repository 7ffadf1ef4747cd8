//! Lets threads work out of order, and change one thing strictly in order.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Holds a value that numbered pieces of work change one after the other.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    state: Mutex<State<T>>,
    moved: Condvar,
}

#[derive(Debug)]
struct State<T> {
    /// The number whose turn it is.
    next: u64,
    is_over: bool,
    value: T,
}

impl<T> InOrder<T> {
    /// Begins with number 0.
    pub fn new(value: T) -> Self {
        let state = Mutex::new(State { next: 0, is_over: false, value });
        Self { state, moved: Condvar::new() }
    }

    /// Waits for the turn of `number`, and changes the value; `None` if somebody gave up.
    ///
    /// Shape: each number comes once, and whoever takes one enters, or gives up for all.
    pub fn enter<R>(&self, number: u64, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let is_early = |state: &mut State<T>| state.next != number && !state.is_over;
        let state = self.moved.wait_while(self.lock(), is_early);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if state.is_over {
            return None;
        }
        let result = change(&mut state.value);
        state.next += 1;
        drop(state);
        self.moved.notify_all();
        Some(result)
    }

    /// Sends everybody away who waits or will come.
    pub fn give_up(&self) {
        self.lock().is_over = true;
        self.moved.notify_all();
    }

    /// Ends, when all numbers have passed.
    pub fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).value
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn numbers_pass_in_order_whoever_comes_first() {
        let order = InOrder::new(Vec::new());
        thread::scope(|scope| {
            for worker in (0..4_u64).rev() {
                let order = &order;
                scope.spawn(move || {
                    for number in (worker..400).step_by(4) {
                        assert_eq!(order.enter(number, |seen| seen.push(number)), Some(()));
                    }
                });
            }
        });
        assert_eq!(order.into_inner(), (0..400).collect::<Vec<_>>());
    }

    #[test]
    fn who_waits_is_sent_away_when_somebody_gives_up() {
        let order = InOrder::new(0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| order.enter(1, |value| *value += 1));
            order.give_up();
            assert_eq!(waiting.join().unwrap(), None);
        });
        assert_eq!(order.enter(0, |value| *value += 1), None);
        assert_eq!(order.into_inner(), 0);
    }
}
