//! Every command while the system gives no thread, or no more than some: all of it is done all the
//! same, by those that there are.
//!
//! The program once panicked where `clone` was refused, as it is when the limit of processes of a
//! user or a container is reached.

use std::process::Output;

use super::oracle::{Ended, Standing, Truth, shown};
use super::scenario::{self, Scenario, noise};
use super::strace::{self, Fault, Point};
use super::world::World;
use crate::support::tally::Tally;

/// What starts a thread; the older one is tried when the newer one is not there.
const CLONE: &str = "clone3";

/// Threads that one command may ask for; the last fault comes too late.
const THREADS_MAX: usize = 9;

/// Runs a command that gets `threads` threads, and then none any more, or one later again.
fn run(world: &World, words: &[&str], threads: usize, is_once: bool) -> Output {
    let point = Point { call: CLONE.to_owned(), number: threads + 1 };
    let fault = if is_once { Fault::Once("EAGAIN") } else { Fault::Sticky("EAGAIN") };
    strace::run(world, words, &point, fault)
}

fn run_few(scenario: &'static Scenario, tally: &Tally) -> Vec<String> {
    let mut findings = Vec::new();
    if !super::is_wanted(&scenario.name()) {
        return findings;
    }
    let truth = Truth::of(scenario);
    for (threads, is_once) in [(0, false), (1, false), (2, true), (0, true)] {
        let world = truth.world.copy(None);
        let output = run(&world, scenario.words, threads, is_once);
        let judged = match output.status.success() {
            true => truth.judge(&world, Ended::Done),
            false => Err(shown(&output)),
        };
        match judged {
            Ok(Standing::After) => tally.count("done by those that there are"),
            other => findings.push(format!("{}/{threads}: {other:?}", scenario.name())),
        }
    }
    findings
}

#[test]
fn every_command_does_its_work_with_the_threads_there_are() {
    if !strace::is_there() {
        return;
    }
    let tally = Tally::new("the system gives no thread", "every command");
    let all = scenario::SCENARIOS.iter().flat_map(|scenario| run_few(scenario, &tally));
    super::assert_none("threads", &all.collect::<Vec<_>>());
}

/// Files for every way that a file is taken in: many small ones, one in chunks, one by many hands.
fn files(world: &World) {
    world.must(&["init", "-q"]);
    for number in 0..700 {
        world.write(&format!("many/{number}.txt"), format!("number {number}\n").as_bytes());
    }
    world.write("chunks.bin", &noise(5, 2_000_000));
    world.write("large.bin", &noise(6, 20_000_000));
}

fn tree(world: &World) -> Vec<u8> {
    world.run(&["rev-parse", "main^{tree}"]).stdout
}

#[test]
fn large_files_and_many_are_recorded_and_checked_with_the_threads_there_are() {
    if !strace::is_there() || !super::is_wanted("large and many") {
        return;
    }
    let tally = Tally::new("the system gives no thread", "large files and many");
    let start = World::new();
    files(&start);
    let whole = start.copy(None);
    whole.must(&["add", "-q", "."]);
    whole.must(&["commit", "-q", "-m", "all"]);
    let expected = tree(&whole);
    for threads in 0..=THREADS_MAX {
        let world = start.copy(None);
        for words in [
            &["add", "-q", "."][..],
            &["commit", "-q", "-m", "all"],
            &["fsck", "--full"],
            &["status", "-s"],
            &["diff", "--stat"],
        ] {
            let output = run(&world, words, threads, false);
            assert!(output.status.success(), "{words:?} with {threads}: {}", shown(&output));
            tally.count("done by those that there are");
        }
        assert_eq!(tree(&world), expected, "with {threads} threads");
        std::fs::remove_file(world.work().join("large.bin")).expect("removed");
        std::fs::remove_dir_all(world.work().join("many")).expect("removed");
        let output = run(&world, &["restore", "."], threads, false);
        assert!(output.status.success(), "restore with {threads}: {}", shown(&output));
        assert_eq!(world.run(&["status", "-s"]).stdout, b"", "with {threads} threads");
        tally.count("done by those that there are");
    }
}

/// The command of a run is a process, which cannot be done without.
#[test]
fn a_run_that_cannot_start_says_what_to_raise() {
    if !strace::is_there() || !super::is_wanted("run") {
        return;
    }
    let world = scenario::history().copy(None);
    let words = ["run", "--name", "none", "--", "sh", "-c", "echo > ran"];
    let output = run(&world, &words, 0, false);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("ulimit -u"), "{}", shown(&output));
    assert!(!said.contains("panicked") && !world.work().join("ran").exists(), "{said}");
    world.must(&["fsck", "--full"]);
    assert_eq!(world.run(&["--json", "runs"]).stdout, b"", "nothing ran");
}
