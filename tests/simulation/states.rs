//! Every state that a kill and a power cut can leave: any number of steps of an operation done, of
//! names that were not settled any part, of bytes that were not synced any part.
//!
//! Survived: nothing acknowledged is missing, every byte is right, the same again succeeds, and a
//! collection sweeps the rest. States that look the same are looked at once.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex};

use provenance::storage::{MemoryStorage, Storage as _};

use super::hooked::{Call, HookedStorage};
use super::world::{Client, HOUR_MS, Home, Op, aged, fingerprint, is_conflict};
use crate::support::chance::Chance;
use crate::support::effort;
use crate::support::tally::Tally;

/// Operations, one after the other, before the one that is stopped.
fn program(chance: &mut Chance) -> Vec<Op> {
    let count = 4 + chance.below(6);
    (0..count)
        .map(|n| match chance.below(12) {
            0..=3 => Op::Commit(n),
            4 | 5 => Op::Again(chance.below(5)),
            6 => Op::Tag(n),
            7 | 8 => Op::Undo(n),
            9 => Op::Tidy,
            10 => Op::Wait(30),
            _ => Op::Collect,
        })
        .chain([Op::Collect])
        .collect()
}

/// Cuts at each stop, however little time there is.
const CUTS_MIN: u64 = 4;

/// The states that were looked at, and what came of each operation.
struct Survey {
    home: Home,
    seen: HashSet<u64>,
    tallies: BTreeMap<(&'static str, bool), Tally>,
}

impl Survey {
    /// Stops `op` before each of its steps and after the last, cuts the power in many ways, and
    /// looks at what is left; then leaves it done in `memory`.
    fn stop(&mut self, memory: &MemoryStorage, op: Op, cuts: u64, case: &str) {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (keep, live) = (Arc::clone(&kept), memory.clone());
        let hook = move |call| {
            if call != Call::Read {
                keep.lock().expect("no panic").push(live.fork());
            }
        };
        let hooked = HookedStorage::new(Arc::new(memory.clone()), Arc::new(hook));
        let outcome = Client::new(&self.home, Arc::new(hooked), memory).run(op);
        match &outcome {
            Ok(()) => {}
            Err(error) => assert!(is_conflict(error), "{op:?}: {error:?}\n{case}"),
        }
        let mut stops = std::mem::take(&mut *kept.lock().expect("no panic"));
        stops.push(memory.fork());
        let last = stops.len() - 1;
        for (step, stopped) in stops.iter().enumerate() {
            // The last one has answered.
            let is_done = step == last && outcome.is_ok();
            for cut in (0..cuts).take_while(|cut| *cut < CUTS_MIN || effort::goes_on()) {
                let after = stopped.cut_power(cut);
                let case = || format!("{op:?} stopped before {step} of {last}, cut {cut}\n{case}");
                let outcome = self.look(&after, op, is_done, &case);
                let fault = match is_done {
                    true => "answered, then a power cut that keeps any part",
                    false => "killed at a step, then a power cut that keeps any part",
                };
                let tally = self.tallies.entry((op.name(), is_done));
                tally.or_insert_with(|| Tally::new(fault, op.name())).count(outcome);
            }
        }
    }

    fn look(
        &mut self,
        after: &MemoryStorage,
        op: Op,
        is_done: bool,
        case: &dyn Fn() -> String,
    ) -> &'static str {
        let state = (fingerprint(after), is_done.then_some(op));
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return "the same state as another";
        }
        survive(&self.home, after, op, is_done, state.0.is_multiple_of(4), &case());
        "nothing lost, and it goes on"
    }
}

/// Checks what is left; if `goes_on`, does the same again and collects.
fn survive(home: &Home, after: &MemoryStorage, op: Op, is_done: bool, goes_on: bool, case: &str) {
    let client = Client::plain(home, after);
    let count = |client: &Client| {
        let history = client.history(case);
        op.command().map_or(0, |command| history.get(&command).copied().unwrap_or(0))
    };
    let there = count(&client);
    assert!(!is_done || op.command().is_none() || there > 0, "acknowledged and lost\n{case}");
    if !goes_on {
        return;
    }
    match client.run(op) {
        Ok(()) => {}
        // It had been done already, only nobody was told.
        Err(error) if is_conflict(&error) && there > 0 => {}
        Err(error) => panic!("again: {error:?}\n{case}"),
    }
    after.advance(15 * 24 * HOUR_MS);
    client.run(Op::Collect).unwrap_or_else(|error| panic!("collected: {error:?}\n{case}"));
    assert!(op.command().is_none() || count(&client) > 0, "again\n{case}");
    assert_eq!(after.sweep(0, false).expect("counted").files, 0, "leftovers\n{case}");
}

#[test]
fn whatever_a_power_cut_leaves_is_whole_and_can_go_on() {
    let seed = effort::seed();
    let programs = if effort::is_again() { 1 } else { effort::cases(40, 4_000) };
    let cuts = effort::cases(40, 200);
    let home = Home::new();
    let mut survey = Survey { home: home.clone(), seen: HashSet::new(), tallies: BTreeMap::new() };
    let start = aged(&home);
    for number in (0..programs).take_while(|number| *number == 0 || effort::goes_on()) {
        let seed = seed + number;
        let memory = start.fork();
        let program = program(&mut Chance(seed));
        let again = effort::again("simulation::states", seed);
        for (at, op) in program.iter().enumerate() {
            survey.stop(&memory, *op, cuts, &format!("after {:?}\n{again}", &program[..at]));
        }
    }
}
