//! No room: full disks, no names left, too few open files or bytes allowed, read-only disks.
//!
//! A command does its work or says what is missing and how to mend it; the repository is as before
//! or as after, and with room again the same command succeeds. Disks of our own need root.

use std::fs;
use std::process::Output;

use super::disk::{self, Disk, EXT4};
use super::errors::judge_line;
use super::oracle::{Ended, Standing, Truth, shown};
use super::scenario::{self, Scenario};
use super::world::{World, program};
use crate::support::effort;
use crate::support::tally::Tally;

/// Commands that write something of their own.
const WRITING: &[&str] = &["add", "commit", "checkout", "restore", "rm", "branch", "undo"];

/// Bytes of room that are left: none, one block, and then some.
const ROOM: &[u64] = &[0, 4 << 10, 16 << 10, 64 << 10, 256 << 10];

/// Scenarios to try: one of each command in `make test`.
fn scenarios(commands: &[&str]) -> Vec<&'static Scenario> {
    let mut scenarios = scenario::all(commands);
    if !effort::is_torture() {
        scenarios.dedup_by_key(|scenario| scenario.words[0]);
    }
    scenarios
}

/// Judges a command that had less than it wanted, after it was given back.
///
/// Shape: whether it was told that there is too little.
fn judge(truth: &Truth, world: &World, output: &Output, tally: &Tally) -> Result<bool, String> {
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        _ if said.contains("panicked") => return Err(format!("it panics: {said}")),
        Some(0) => {}
        Some(3 | 14) => judge_line(&said)?,
        // What cannot be read may be unrecorded work: it is left alone.
        Some(11) if said.contains("cannot be read: ") => {}
        code => return Err(format!("exit code {code:?}: {}", shown(output))),
    }
    let standing = truth.judge(world, Ended::of(output))?;
    tally.count(match (output.status.success(), standing) {
        (true, _) => "done",
        (false, Standing::Before) => "told, as before, and the same again succeeds",
        (false, Standing::After) => "told, and as after",
        (false, Standing::Between) => "told, whole files, and the same again succeeds",
    });
    Ok(!output.status.success())
}

/// Runs each scenario on a disk from which `take` has taken what it gives back by its answer.
fn on_a_disk<T>(
    fault: &'static str,
    disk: &Disk,
    amounts: &[u64],
    take: impl Fn(&Disk, u64) -> T,
    give_back: impl Fn(T),
) {
    let mut findings = Vec::new();
    let mut told = 0;
    for scenario in scenarios(WRITING) {
        let truth = Truth::of(scenario);
        let tally = Tally::new(fault, scenario.words[0]);
        for amount in amounts {
            let world = truth.world.copy(Some(&disk.mount()));
            let taken = take(disk, *amount);
            let output = world.run(scenario.words);
            give_back(taken);
            match judge(&truth, &world, &output, &tally) {
                Ok(is_told) => told += u64::from(is_told),
                Err(wrong) => findings.push(format!("{}/{amount}: {wrong}", scenario.name())),
            }
        }
    }
    super::assert_none("full", &findings);
    assert!(told > 6, "there was too much room: {told} commands were short of it");
}

fn remove(path: std::path::PathBuf) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.expect("room again");
}

#[test]
fn a_full_disk_is_told_and_harms_nothing() {
    let Some(disk) = Disk::make(disk::memory("size=40m"), 0) else { return };
    on_a_disk("a full disk (tmpfs)", &disk, ROOM, Disk::fill, remove);
}

#[test]
fn a_full_disk_with_blocks_and_a_journal_is_told_and_harms_nothing() {
    let Some(disk) = Disk::make(EXT4, 24) else { return };
    on_a_disk("a full disk (ext4)", &disk, ROOM, Disk::fill, remove);
}

#[test]
fn a_disk_without_names_left_is_told_and_harms_nothing() {
    let Some(disk) = Disk::make(disk::memory("size=32m,nr_inodes=1000"), 0) else { return };
    on_a_disk("no inodes left (tmpfs)", &disk, &[0, 1, 2, 4, 8], Disk::fill_names, remove);
}

#[test]
fn collecting_makes_room_where_there_is_none() {
    let Some(disk) = Disk::make(EXT4, 24) else { return };
    let tally = Tally::new("a full disk (ext4)", "gc --prune-now");
    for scenario in scenario::all(&["gc"]) {
        let truth = Truth::of(scenario);
        for left in ROOM {
            let world = truth.world.copy(Some(&disk.mount()));
            let filler = disk.fill(*left);
            let used = || {
                let space = rustix::fs::statvfs(disk.mount()).expect("the room");
                space.f_blocks - space.f_bfree
            };
            let before = used();
            let output = world.run(&["gc", "--prune-now"]);
            let after = used();
            remove(filler);
            let case = format!("{} with {left} bytes left", scenario.name());
            assert!(output.status.success(), "{case}: {}", shown(&output));
            assert!(after <= before, "{case}: {before} blocks before, {after} after");
            truth.judge(&world, Ended::Failed).unwrap_or_else(|e| panic!("{case}: {e}"));
            tally.count("done, and there is more room");
        }
    }
}

#[test]
fn a_read_only_disk_is_told_and_can_be_read() {
    let Some(disk) = Disk::make(disk::memory("size=32m"), 0) else { return };
    let take = |disk: &Disk, _| disk.remount("ro");
    on_a_disk("a read-only disk", &disk, &[0], take, |()| disk.remount("rw"));
    let world = Truth::of(scenario::all(&["status"])[0]).world.copy(Some(&disk.mount()));
    disk.remount("ro");
    for words in [&["log"][..], &["status"], &["show"], &["diff"], &["ls"], &["fsck"], &["du"]] {
        let output = world.run(words);
        assert!(output.status.success(), "{words:?}: {}", shown(&output));
    }
    disk.remount("rw");
}

/// Runs a command below a limit of the shell's `ulimit`.
fn limited(world: &World, limit: &str, words: &[&str]) -> Output {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    let shell = ["sh", "-c", &script, program()];
    world.command(&[&shell, words].concat()).output().expect("a shell starts")
}

#[test]
fn limits_of_the_process_are_told_and_harm_nothing() {
    let mut findings = Vec::new();
    let limits = (4..40_u32).step_by(if effort::is_torture() { 1 } else { 3 });
    let limits: Vec<String> = limits
        .map(|files| format!("-n {files}"))
        .chain([0, 1, 2, 8, 64].map(|blocks| format!("-f {blocks}")))
        .collect();
    for scenario in scenarios(&[WRITING, &["gc"]].concat()) {
        let truth = Truth::of(scenario);
        let tally = Tally::new("ulimit", scenario.words[0]);
        for limit in &limits {
            let world = truth.world.copy(None);
            let output = limited(&world, limit, scenario.words);
            // The loader comes first, and words of its own.
            if output.status.code() == Some(127) {
                tally.count("cannot even be started");
                continue;
            }
            let judged = judge(&truth, &world, &output, &tally);
            findings.extend(judged.err().map(|e| format!("{}/{limit}: {e}", scenario.name())));
        }
    }
    super::assert_none("full", &findings);
}
