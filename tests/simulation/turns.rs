//! Clients that take turns, one call of the storage at a time, as a seed decides.
//!
//! Each client has a thread of its own, and exactly one of them runs: so a seed repeats a schedule.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::support::chance::Chance;

/// Whose turn it is.
#[derive(Debug)]
pub struct Turns {
    state: Mutex<State>,
    woken: Vec<Condvar>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    /// How likely each client is to come next; 0 once it has ended.
    weights: Vec<u64>,
    current: usize,
    /// Turns after which the sleepers wake.
    until_wake: u64,
    sleeper: Option<usize>,
    taken: u64,
}

impl Turns {
    /// Prepares turns for `clients`; some are slow, and one may sleep for long.
    pub fn new(clients: usize, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let weights = (0..clients).map(|_| [1, 4, 16][chance.below(3) as usize]).collect();
        let sleeper = (chance.below(2) == 0).then(|| chance.below(clients as u64) as usize);
        let until_wake = chance.below(400);
        let state = State { chance, weights, current: usize::MAX, until_wake, sleeper, taken: 0 };
        let woken = (0..clients).map(|_| Condvar::new()).collect();
        Self { state: Mutex::new(state), woken }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the first client run.
    pub fn start(&self) {
        let mut state = self.lock();
        self.pass_on(&mut state);
    }

    /// Waits until client `me` may go on.
    pub fn wait(&self, me: usize) {
        let mut state = self.lock();
        while state.current != me {
            state = self.woken[me].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends a turn of client `me`, and waits for its next one.
    pub fn step(&self, me: usize) {
        let mut state = self.lock();
        self.pass_on(&mut state);
        while state.current != me {
            state = self.woken[me].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends client `me` for good.
    pub fn leave(&self, me: usize) {
        let mut state = self.lock();
        state.weights[me] = 0;
        self.pass_on(&mut state);
    }

    fn pass_on(&self, state: &mut State) {
        state.taken += 1;
        let asleep = state.sleeper.filter(|_| state.taken % 500 < state.until_wake);
        let weight = |(at, weight): (usize, &u64)| if asleep == Some(at) { 0 } else { *weight };
        let mut sum: u64 = state.weights.iter().enumerate().map(weight).sum();
        let everyone = sum == 0;
        if everyone {
            sum = state.weights.iter().sum();
        }
        if sum == 0 {
            return;
        }
        let mut drawn = state.chance.below(sum);
        let next = state.weights.iter().enumerate().position(|(at, own)| {
            let own = if everyone { *own } else { weight((at, own)) };
            match drawn.checked_sub(own) {
                Some(rest) => {
                    drawn = rest;
                    false
                }
                None => true,
            }
        });
        let next = next.expect("the sum of the weights was drawn from");
        if state.current != next {
            state.current = next;
            self.woken[next].notify_one();
        }
    }
}

/// Ends the turns of a client, also when it panics.
pub struct Seat(pub Arc<Turns>, pub usize);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}
