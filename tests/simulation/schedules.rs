//! Writers, a collector and a reader at once, interleaved call by call: nothing that was
//! acknowledged is missing, nothing is there twice, and nobody sees anything broken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;

use provenance::repo::{Error, ErrorKind};
use provenance::storage::{Fault, FaultyStorage, MemoryStorage, Storage};

use super::hooked::{Call, HookedStorage};
use super::turns::{Seat, Turns};
use super::world::{Client, Home, Op, aged, is_conflict};
use crate::support::chance::Chance;
use crate::support::effort;
use crate::support::tally::Tally;

/// What one client does, and at which of its steps it is killed.
#[derive(Debug, Clone)]
struct Script {
    ops: Vec<Op>,
    dies_at: Option<u64>,
}

/// How an operation ended, by its command.
type Ended = (Op, Result<(), Error>);

fn scripts(chance: &mut Chance) -> Vec<Script> {
    let mut number = 0;
    let mut next = || {
        number += 1;
        number
    };
    let clients = 2 + chance.below(3);
    let mut scripts: Vec<Script> = (0..clients)
        .map(|_| {
            let count = 1 + chance.below(3);
            let ops = (0..count).map(|_| match chance.below(12) {
                0..=2 => Op::Commit(next()),
                // Two clients may want the same.
                3..=5 => Op::Again(chance.below(5)),
                6 => Op::Tag(next()),
                7 => Op::Undo(next()),
                8 | 9 => Op::Tidy,
                10 => Op::Check,
                _ => Op::Collect,
            });
            let ops = ops.collect();
            Script { ops, dies_at: None }
        })
        .collect();
    if chance.below(2) == 0 {
        let hours = 1 + chance.below(8).cast_signed();
        scripts
            .push(Script { ops: vec![Op::Collect, Op::Wait(hours), Op::Collect], dies_at: None });
    }
    if chance.below(4) == 0 {
        let dies_at = Some(chance.below(60));
        let client = chance.below(scripts.len() as u64) as usize;
        scripts[client].dies_at = dies_at;
    }
    scripts
}

/// What happened in one schedule.
#[derive(Default)]
struct Played {
    /// How each operation ended, in that order.
    ended: Vec<Ended>,
    /// Calls that are left until the power is cut.
    calls_left: u64,
    /// What a power cut in the middle left, and how many operations had ended by then.
    cut: Option<(MemoryStorage, usize)>,
}

/// Runs one schedule, with a power cut after so many calls.
fn play(homes: &[Home], memory: &MemoryStorage, scripts: &[Script], chance: &mut Chance) -> Played {
    let turns = Arc::new(Turns::new(scripts.len(), chance.next()));
    let (calls_left, cut_seed) = (chance.below(300), chance.next());
    let played = Arc::new(Mutex::new(Played { calls_left, ..Played::default() }));
    thread::scope(|scope| {
        for (me, script) in scripts.iter().enumerate() {
            let (turns, played) = (Arc::clone(&turns), Arc::clone(&played));
            scope.spawn(move || {
                turns.wait(me);
                let seat = Seat(Arc::clone(&turns), me);
                let (live, note) = (memory.clone(), Arc::clone(&played));
                let hook = move |call| {
                    if call == Call::Private {
                        return;
                    }
                    turns.step(me);
                    let mut played = note.lock().expect("no panic");
                    if played.calls_left == 0 && played.cut.is_none() {
                        played.cut = Some((live.cut_power(cut_seed), played.ended.len()));
                    }
                    played.calls_left = played.calls_left.saturating_sub(1);
                };
                let shared = HookedStorage::new(Arc::new(memory.clone()), Arc::new(hook));
                let mut storage: Arc<dyn Storage> = Arc::new(shared);
                if let Some(at) = script.dies_at {
                    storage = Arc::new(FaultyStorage::new(storage, Fault::Stop, at));
                }
                let client = Client::new(&homes[me], storage, memory);
                for op in &script.ops {
                    let outcome = client.run(*op);
                    played.lock().expect("no panic").ended.push((*op, outcome));
                }
                drop((client, seat));
            });
        }
        turns.start();
    });
    std::mem::take(&mut *played.lock().expect("no panic"))
}

/// Tells whether an operation may fail so; the killed ones may fail in any way.
fn is_allowed(op: Op, error: &Error, is_killed: bool) -> bool {
    is_killed
        || is_conflict(error)
        // There may be nothing to undo, or nothing to tag.
        || (matches!(op, Op::Undo(_) | Op::Tag(_)) && error.kind() == ErrorKind::Usage)
}

fn schedule(homes: &[Home], start: &MemoryStorage, seed: u64, tally: &Tally) {
    let mut chance = Chance(seed);
    let scripts = scripts(&mut chance);
    let memory = start.fork();
    let case = format!("{scripts:?}\n{}", effort::again("simulation::schedules", seed));
    let run = AssertUnwindSafe(|| play(homes, &memory, &scripts, &mut chance));
    let played = catch_unwind(run).unwrap_or_else(|_| panic!("a client panicked\n{case}"));
    let is_killed =
        |op: &Op| scripts.iter().any(|script| script.dies_at.is_some() && script.ops.contains(op));
    for (op, outcome) in &played.ended {
        match outcome {
            Err(error) if !is_allowed(*op, error, is_killed(op)) => {
                panic!("{op:?} failed: {error:?}\n{case}")
            }
            _ => {}
        }
        tally.count(if outcome.is_ok() { "done" } else { "conflict, or killed" });
    }
    // One in two schedules is looked at as a power cut in its middle leaves it.
    let (after, known) = match played.cut {
        Some((cut, known)) if seed.is_multiple_of(2) => (cut, known),
        _ => (memory, usize::MAX),
    };
    let history = Client::plain(&homes[0], &after).history(&case);
    let commands = scripts.iter().flat_map(|script| &script.ops).filter_map(|op| op.command());
    for command in commands {
        let of = |ended: &&Ended| ended.0.command().as_ref() == Some(&command);
        let ok = |ended: &&Ended| ended.1.is_ok();
        let least = played.ended.iter().take(known).filter(of).filter(ok).count();
        let tried = scripts.iter().flat_map(|script| &script.ops);
        let tried = tried.filter(|op| op.command().as_ref() == Some(&command)).count();
        // What was refused is not there; what was killed may be.
        let refused = played.ended.iter().filter(of);
        let refused = refused.filter(|(op, outcome)| outcome.is_err() && !is_killed(op)).count();
        let found = history.get(&command).copied().unwrap_or(0);
        assert!(found >= least, "{command}: {found} there, {least} acknowledged\n{case}");
        assert!(found <= tried - refused, "{command}: {found} there of {tried}\n{case}");
    }
}

#[test]
fn clients_at_once_lose_nothing_and_see_nothing_broken() {
    let tally = Tally::new("interleaved call by call, with kills", "writers, collector, reader");
    let seed = effort::seed();
    let count = if effort::is_again() { 1 } else { effort::cases(10_000, 1_000_000) };
    thread::scope(|scope| {
        for worker in 0..2 {
            let tally = &tally;
            scope.spawn(move || {
                let homes: Vec<Home> = (0..6).map(|_| Home::new()).collect();
                let start = aged(&homes[0]);
                let numbers = (worker..count).step_by(2);
                for number in numbers.take_while(|_| effort::goes_on()) {
                    schedule(&homes, &start, seed + number, tally);
                }
            });
        }
    });
}
