//! Every call of the storage fails once, from then on, or after it was done: the operation says so,
//! nothing is lost or half done, and the same again succeeds once the storage is well.

use std::collections::HashMap;
use std::io::ErrorKind as Io;
use std::sync::Arc;

use provenance::storage::{Fault, FaultyStorage, MemoryStorage};

use super::world::{Client, Home, Op, aged, fingerprint, is_conflict};
use crate::support::tally::Tally;

/// What a disk or a network answers.
const KINDS: &[Io] = &[
    Io::Other,
    Io::StorageFull,
    Io::QuotaExceeded,
    Io::ReadOnlyFilesystem,
    Io::PermissionDenied,
    Io::NotFound,
    Io::TimedOut,
    Io::Interrupted,
    Io::StaleNetworkFileHandle,
    Io::BrokenPipe,
    Io::NotADirectory,
];

const OPS: &[Op] = &[
    Op::Commit(1),
    Op::Again(1),
    Op::Again(4),
    Op::Tag(1),
    Op::Undo(1),
    Op::Tidy,
    Op::Collect,
    Op::Check,
];

/// Runs `op` with one fault at every call; tells how many calls there are.
fn fail(home: &Home, start: &MemoryStorage, op: Op, fault: &dyn Fn(Io) -> Fault, tally: &Tally) {
    let mut seen = HashMap::new();
    for kind in KINDS {
        let (mut step, mut is_over) = (0, false);
        while !is_over {
            let memory = start.fork();
            let faulty = FaultyStorage::new(Arc::new(memory.clone()), fault(*kind), step);
            let faulty = Arc::new(faulty.with_reads());
            let outcome = Client::new(home, Arc::clone(&faulty) as _, &memory).run(op);
            is_over = faulty.steps() <= step;
            let case = format!("{op:?}, {:?} at call {step}", fault(*kind));
            // What was acknowledged survives a power cut as well; what was not is there or not.
            let after = if step.is_multiple_of(2) { memory.cut_power(step) } else { memory };
            let state = (fingerprint(&after), outcome.is_ok());
            let outcome =
                seen.entry(state).or_insert_with(|| look(home, &after, op, state.1, &case));
            tally.count(outcome);
            step += 1;
        }
    }
}

fn look(home: &Home, after: &MemoryStorage, op: Op, is_done: bool, case: &str) -> &'static str {
    let client = Client::plain(home, after);
    let history = client.history(case);
    let command = op.command();
    let there = command.as_ref().map(|command| history.get(command).copied().unwrap_or(0));
    assert!(!is_done || there != Some(0), "acknowledged and lost\n{case}");
    assert!(there.is_none_or(|there| there <= 1), "there twice\n{case}");
    match client.run(op) {
        Ok(()) => {}
        Err(error) if is_conflict(&error) && there == Some(1) => {}
        Err(error) => panic!("again: {error:?}\n{case}"),
    }
    match (is_done, there) {
        (true, _) => "done all the same",
        (false, Some(1)) => "told as failed, and there; again without harm",
        (false, _) => "failed, as before; again it succeeds",
    }
}

fn fail_all(what: &'static str, fault: &dyn Fn(Io) -> Fault) {
    let home = Home::new();
    let start = aged(&home);
    for op in OPS {
        let tally = Tally::new(what, op.name());
        fail(&home, &start, *op, fault, &tally);
    }
}

#[test]
fn a_call_that_fails_once() {
    fail_all("a call of the storage fails once", &Fault::Fail);
}

#[test]
fn calls_that_fail_from_one_on() {
    fail_all("calls of the storage fail from one on", &Fault::FailOn);
}

#[test]
fn a_call_that_is_done_and_answers_with_an_error() {
    fail_all("a call of the storage is done and fails", &Fault::Unclear);
}
