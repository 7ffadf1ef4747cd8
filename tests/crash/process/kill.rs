//! Every command, killed at every system call by which it changes something.

use super::oracle::{Ended, Standing, Truth, shown};
use super::scenario::{self, Scenario};
use super::strace::{self, Fault, MUTATING, Point};
use crate::support::effort;
use crate::support::tally::Tally;

/// Points of one scenario: all of them; in each round of `make torture` others, and a second kill.
fn points_max() -> usize {
    usize::try_from(effort::cases(u64::MAX, 40)).expect("a count")
}

/// Kills a command at each point, and once more at another in the run after it in torture.
fn kill_everywhere(operation: &'static str, commands: &[&str]) {
    if !strace::is_there() {
        return;
    }
    let tally = Tally::new("killed at a system call", operation);
    let mut findings = Vec::new();
    strace::on_one_processor(|| {
        for scenario in scenario::all(commands) {
            findings.extend(kill_scenario(scenario, &tally));
        }
    });
    super::assert_none("kill", &findings);
    assert!(
        tally.tried() > 0 || super::only().is_some() || !effort::goes_on(),
        "nothing was tried"
    );
}

/// Gives what was found wrong.
fn kill_scenario(scenario: &'static Scenario, tally: &Tally) -> Vec<String> {
    if !super::is_wanted(&scenario.name()) {
        return Vec::new();
    }
    let truth = Truth::of(scenario);
    let traced = truth.world.copy(None);
    let (points, output) = strace::points(&traced, scenario.words, MUTATING, effort::is_torture());
    assert!(output.status.success(), "{}: {}", scenario.name(), shown(&output));
    let name = scenario.name();
    let twice = super::sample(points.clone(), points.len(), &format!("{name}, again"));
    let points = super::sample(points, points_max(), &name);
    let cases = points.iter().zip(twice);
    let cases = cases.take_while(|_| effort::goes_on());
    cases.filter_map(|(point, next)| kill_at(&truth, point, &next, tally).err()).collect()
}

/// Kills a command at `point`, and in torture the one after it at `next`.
fn kill_at(truth: &Truth, point: &Point, next: &Point, tally: &Tally) -> Result<(), String> {
    let case = format!("{}/{point}", truth.scenario.name());
    if !super::is_wanted(&case) {
        return Ok(());
    }
    let world = truth.world.copy(None);
    let mut output = strace::run(&world, truth.scenario.words, point, Fault::Kill);
    let is_twice = effort::is_torture() && strace::was_killed(&output) && !truth.is_done(&world);
    if is_twice {
        output = strace::run(&world, truth.scenario.words, next, Fault::Kill);
    }
    let answered = output.status.success();
    assert!(answered || strace::was_killed(&output), "{case}: {}", shown(&output));
    let standing = truth
        .judge(&world, Ended::of(&output))
        .map_err(|wrong| format!("{case}: {wrong}\n  then {next}: {is_twice}"))?;
    tally.count(match standing {
        _ if answered && is_twice => "the second time made fewer calls, and answered",
        _ if answered => "made fewer calls, and answered",
        _ if is_twice => "killed twice, and the same again succeeds",
        Standing::Before => "as before, and the same again succeeds",
        Standing::After => "as after, though it had not answered",
        Standing::Between => "whole files, old and new, and the same again succeeds",
    });
    Ok(())
}

#[test]
fn init_is_as_before_or_as_after() {
    kill_everywhere("init", &["init"]);
}

#[test]
fn add_is_as_before_or_as_after() {
    kill_everywhere("add", &["add"]);
}

#[test]
fn commit_is_as_before_or_as_after() {
    kill_everywhere("commit", &["commit", "commit-tree"]);
}

#[test]
fn checkout_leaves_whole_files() {
    kill_everywhere("checkout", &["checkout"]);
}

#[test]
fn restore_and_rm_leave_whole_files() {
    kill_everywhere("restore, rm", &["restore", "rm"]);
}

#[test]
fn rollback_leaves_whole_files() {
    kill_everywhere("rollback", &["rollback"]);
}

#[test]
fn bisect_leaves_whole_files() {
    kill_everywhere("bisect", &["bisect"]);
}

#[test]
fn import_is_as_before_or_as_after() {
    kill_everywhere("import", &["import"]);
}

#[test]
fn branch_and_tag_are_as_before_or_as_after() {
    kill_everywhere("branch, tag, undo", &["branch", "tag", "undo"]);
}

#[test]
fn gc_loses_nothing() {
    kill_everywhere("gc", &["gc"]);
}

#[test]
fn looking_and_setting_change_nothing_by_halves() {
    let commands = ["fsck", "status", "log", "lineage", "config"];
    kill_everywhere("fsck, status, log, lineage, config", &commands);
}
