//! `run`, killed at every system call by which it changes something: what ran is recorded once.
//!
//! Here the same command again would be another run, so it is judged by itself: `run --recover`
//! must record a command that left its output, if it is not recorded, and must not record it twice.

use super::oracle::shown;
use super::scenario;
use super::strace::{self, Fault, MUTATING, Point};
use super::world::World;
use crate::support::effort;
use crate::support::tally::Tally;

const SCRIPT: &str = "echo 1 > out";
const RUN: &[&str] = &["run", "--name", "once", "-o", "out", "--", "sh", "-c", SCRIPT];

#[test]
fn a_run_that_is_killed_anywhere_is_recorded_once() {
    if !strace::is_there() || !super::is_wanted("run") {
        return;
    }
    let tally = Tally::new("killed at a system call", "run");
    let mut findings = Vec::new();
    strace::on_one_processor(|| {
        let world = scenario::history().copy(None);
        let (points, output) = strace::points(&world.copy(None), RUN, MUTATING, false);
        assert!(output.status.success(), "{}", shown(&output));
        let cases = usize::try_from(effort::cases(160, 1_000_000)).expect("a count");
        let points = super::spread(points, cases);
        for point in points.into_iter().take_while(|_| effort::goes_on()) {
            findings.extend(kill_at(&world, &point, &tally).err());
        }
    });
    super::assert_none("run", &findings);
    assert!(
        tally.tried() > 0 || super::only().is_some() || !effort::goes_on(),
        "nothing was tried"
    );
}

fn kill_at(before: &World, point: &Point, tally: &Tally) -> Result<(), String> {
    let case = format!("run/{point}");
    if !super::is_wanted(&case) {
        return Ok(());
    }
    let world = before.copy(None);
    let killed = strace::was_killed(&strace::run(&world, RUN, point, Fault::Kill));
    let has_run = world.work().join("out").exists();
    let early = records(&world)?;
    said(&world, &["run", "--recover"]).map_err(|wrong| format!("{case}: {wrong}"))?;
    let late = records(&world)?;
    let unfinished = said(&world, &["runs", "--unfinished"])?;
    said(&world, &["fsck", "--full"]).map_err(|wrong| format!("{case}: {wrong}"))?;
    if late > 1 || (late == 0 && has_run) || late < early || !unfinished.is_empty() {
        return Err(format!(
            "{case}: recorded {early}, then {late}; it ran: {has_run}; {unfinished}"
        ));
    }
    let folders = std::fs::read_dir(world.store().join("run")).into_iter().flatten();
    let left = folders.flatten().filter(|entry| entry.path().join("state").exists()).count();
    if left > 0 {
        return Err(format!("{case}: {left} folders are left"));
    }
    tally.count(match (killed, early, late) {
        (false, ..) => "its command was killed, and that is recorded",
        (true, 0, 0) => "nothing ran, nothing is recorded",
        (true, 0, _) => "recorded by --recover",
        (true, ..) => "was recorded, and not again",
    });
    Ok(())
}

/// Counts the runs that are recorded.
fn records(world: &World) -> Result<usize, String> {
    Ok(said(world, &["--json", "runs"])?.lines().count())
}

fn said(world: &World, words: &[&str]) -> Result<String, String> {
    let output = world.run(words);
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{words:?}: {}", shown(&output))),
    }
}
