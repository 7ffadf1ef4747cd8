//! Every command while the system refuses: each errno that matters at a sample of calls.
//!
//! Once, and from then on. Besides what `oracle.rs` asks for: no panic; an exit code that
//! `docs/exit-codes.md` has for such a thing; one line that names the file and says each thing
//! once; a hint; and no success after a sync that failed.

use std::process::Output;

use super::oracle::{Ended, Standing, Truth, shown};
use super::scenario;
use super::strace::{self, Fault, MUTATING, Point, READING};
use crate::support::effort;
use crate::support::tally::Tally;

/// What each call may answer, by the beginning of its name.
const ERRNOS: &[(&str, &[&str])] = &[
    (
        "open",
        &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENFILE", "ENOMEM", "EACCES", "EINTR"],
    ),
    ("write", &["EIO", "ENOSPC", "EDQUOT", "EFBIG", "EINTR"]),
    ("pwrite", &["EIO", "ENOSPC", "EDQUOT", "EFBIG", "EINTR"]),
    ("ftruncate", &["EIO", "ENOSPC", "EINTR"]),
    ("fallocate", &["EIO", "ENOSPC", "EDQUOT", "EOPNOTSUPP", "EINTR"]),
    ("fsync", &["EIO", "ENOSPC", "EDQUOT", "EROFS"]),
    ("syncfs", &["EIO", "ENOSPC", "EDQUOT"]),
    ("fdatasync", &["EIO", "ENOSPC", "EDQUOT", "EROFS"]),
    ("link", &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EMLINK", "EOPNOTSUPP"]),
    ("symlink", &["EIO", "ENOSPC", "EACCES", "EPERM"]),
    ("rename", &["EIO", "ENOSPC", "EROFS", "EACCES"]),
    ("unlink", &["EIO", "EROFS", "EACCES"]),
    ("mkdir", &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EMLINK"]),
    ("fchmod", &["EIO", "EROFS", "EPERM"]),
    ("flock", &["EINTR", "ENOLCK"]),
    ("getdents", &["EIO", "ENOMEM"]),
    ("read", &["EIO", "EINTR"]),
    ("pread", &["EIO", "EINTR"]),
    ("statx", &["EIO", "EACCES", "ENOMEM"]),
    ("newfstatat", &["EIO", "EACCES", "ENOMEM"]),
    ("fstat", &["EIO"]),
    ("lseek", &["EIO"]),
    ("close", &["EIO", "EINTR"]),
];

/// Cases of one scenario.
fn cases_max() -> usize {
    usize::try_from(effort::cases(24, 40)).expect("a count")
}

/// Lists each call with each errno, once and sticky, in a fixed order.
fn cases(points: &[Point]) -> Vec<(Point, Fault)> {
    let mut cases = Vec::new();
    for point in points {
        let found = ERRNOS.iter().find(|(call, _)| point.call.starts_with(call));
        for errno in found.map_or(&[][..], |(_, errnos)| errnos) {
            cases.push((point.clone(), Fault::Once(errno)));
            // No system interrupts the same call for ever, nor fails to close whatever there is.
            if *errno != "EINTR" && point.call != "close" {
                cases.push((point.clone(), Fault::Sticky(errno)));
            }
        }
    }
    cases
}

fn fail_at_calls(operation: &'static str, commands: &[&str]) {
    if !strace::is_there() {
        return;
    }
    let tally = Tally::new("errors of the system", operation);
    let mut findings = Vec::new();
    strace::on_one_processor(|| {
        for scenario in scenario::all(commands) {
            // Whether git leaves the folder alone is a courtesy: without it nothing is wrong.
            let is_courtesy = scenario.about == "in a git checkout";
            if is_courtesy || !super::is_wanted(&scenario.name()) {
                continue;
            }
            let truth = Truth::of(scenario);
            let traced = truth.world.copy(None);
            let calls = [MUTATING, READING].concat();
            let (points, _) = strace::points(&traced, scenario.words, &calls, true);
            let cases = cases(&points);
            let cases = super::sample(cases, cases_max(), &scenario.name());
            for (point, fault) in cases.into_iter().take_while(|_| effort::goes_on()) {
                findings.extend(fail_at(&truth, &point, fault, &tally).err());
            }
        }
    });
    super::assert_none("errors", &findings);
    assert!(
        tally.tried() > 0 || super::only().is_some() || !effort::goes_on(),
        "nothing was tried"
    );
}

fn fail_at(truth: &Truth, point: &Point, fault: Fault, tally: &Tally) -> Result<(), String> {
    let case = format!("{}/{point}/{fault:?}", truth.scenario.name());
    if !super::is_wanted(&case) {
        return Ok(());
    }
    let world = truth.world.copy(None);
    let output = strace::run(&world, truth.scenario.words, point, fault);
    let told = judge_words(&output, point).map_err(|wrong| format!("{case}: {wrong}"))?;
    let standing = truth
        .judge(&world, Ended::of(&output))
        .map_err(|wrong| format!("{case}: {wrong}\n  it had said {:.300}", shown(&output)))?;
    tally.count(match (told, standing) {
        (false, _) => "nothing lost by it: done",
        (true, _) if output.status.code() == Some(3) => {
            "told what was left out, and the same again succeeds"
        }
        (true, Standing::Before) => "told, as before, and the same again succeeds",
        (true, Standing::After) => "told, and as after",
        (true, Standing::Between) => "told, whole files, and the same again succeeds",
    });
    Ok(())
}

/// Judges what a command said; `true` if it said that it failed.
fn judge_words(output: &Output, point: &Point) -> Result<bool, String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let is_sync = ["fsync", "fdatasync", "syncfs"].contains(&point.call.as_str());
    match output.status.code() {
        _ if said.contains("panicked") => return Err(format!("it panics: {said}")),
        Some(0) if is_sync => return Err("success after a sync that failed".to_owned()),
        Some(0) => return Ok(false),
        Some(3 | 14) => {}
        // What cannot be read may be unrecorded work: it is left alone.
        Some(11) if said.contains("cannot be read: ") || said.contains("would be lost") => {
            return Ok(true);
        }
        // A check goes on to the end, and lists what it cannot read.
        Some(13) if is_listed_by_a_check(&String::from_utf8_lossy(&output.stdout)) => {
            return Ok(true);
        }
        code => return Err(format!("exit code {code:?}: {}", shown(output))),
    }
    // Where nothing can be written, nothing can be said.
    let is_mute = said.is_empty() && point.call.starts_with("write");
    if is_mute { Ok(true) } else { judge_line(&said).map(|()| true) }
}

/// Tells whether all problems that a check lists are files that cannot be read, each with a mend.
fn is_listed_by_a_check(said: &str) -> bool {
    let count = |words| said.lines().filter(|line| line.starts_with(words)).count();
    let problems = count("problem: ");
    problems > 0
        && problems == count("problem: cannot read the file, path=")
        && problems == count("  mend:  look at the disk")
}

/// Judges the words of an error: they name a file, say each thing once, and how to mend it.
pub fn judge_line(said: &str) -> Result<(), String> {
    let is_listed = |line: &str| {
        ["not staged: ", "left alone: "].iter().any(|list| line.starts_with(list))
            && line.contains(": cannot be ")
            || line.starts_with("not removed: ")
    };
    if said.lines().all(is_listed) && !said.is_empty() {
        return Ok(());
    }
    let Some(line) = said.lines().find(|line| line.contains("error: ")) else {
        return Err(format!("no line says what failed: {said}"));
    };
    let small = line.to_lowercase();
    for words in ["no space", "quota", "permission denied", "read-only", "too many", "input/output"]
    {
        if small.matches(words).count() > 1 {
            return Err(format!("says {words:?} twice: {line}"));
        }
    }
    if !["path=", "key=", "folder=", "the answer"].iter().any(|word| line.contains(word)) {
        return Err(format!("names no file: {line}"));
    }
    let is_list = !said.contains("hint: ");
    if is_list && !said.lines().all(|line| line.starts_with("error: ")) {
        return Err(format!("says no mend: {said}"));
    }
    Ok(())
}

/// Tries one errno at all calls of one scenario that begin with any of these.
fn fail_at_all(words: &str, begins: &[&str], errno: &'static str) {
    if !strace::is_there() {
        return;
    }
    let scenario = scenario::SCENARIOS.iter().find(|s| s.name() == words).expect("a scenario");
    let tally = Tally::new("errors of the system, at each look", scenario.words[0]);
    let mut findings = Vec::new();
    strace::on_one_processor(|| {
        let truth = Truth::of(scenario);
        let calls = [MUTATING, READING].concat();
        let (points, _) = strace::points(&truth.world.copy(None), scenario.words, &calls, true);
        let is_meant = |point: &&Point| begins.iter().any(|call| point.call.starts_with(call));
        for point in points.iter().filter(is_meant) {
            findings.extend(fail_at(&truth, point, Fault::Once(errno), &tally).err());
        }
    });
    super::assert_none("errors", &findings);
}

/// `init` once ended with 0 and without `HEAD` when it could not open it, which made a repository
/// that no command could use.
#[test]
fn rollback_and_import_tell_what_the_system_refused() {
    fail_at_calls("rollback, import", &["rollback", "import"]);
}

#[test]
fn init_does_not_take_what_it_cannot_open_for_there() {
    fail_at_all("init", &["open"], "EMFILE");
}

/// `commit -a` once left out a tracked file or directory that it could not look at, silently.
#[test]
fn commit_leaves_out_nothing_that_it_cannot_look_at() {
    fail_at_all("commit -am a change", &["newfstatat", "openat", "getdents"], "EACCES");
}

/// `checkout` once took a file that it could not look at for one that was changed meanwhile, and
/// where the file system has no `RENAME_NOREPLACE`, for one that is gone, and wrote over it.
#[test]
fn checkout_does_not_take_what_it_cannot_look_at_for_changed() {
    fail_at_all("checkout -b fresh v1 (elsewhere)", &["newfstatat"], "ENOMEM");
}

/// The program once panicked where a folder could not be closed.
#[test]
fn what_cannot_be_closed_is_told_or_harmless() {
    if !strace::is_there() {
        return;
    }
    let tally = Tally::new("errors of the system, at each look", "closing, every command");
    let mut findings = Vec::new();
    let closes_max = usize::try_from(effort::cases(8, 12)).expect("a count");
    strace::on_one_processor(|| {
        for scenario in scenario::SCENARIOS.iter().filter(|s| super::is_wanted(&s.name())) {
            let truth = Truth::of(scenario);
            let calls = ["openat", "close"];
            let (points, _) = strace::points(&truth.world.copy(None), scenario.words, &calls, true);
            let closes = points.into_iter().filter(|point| point.call == "close").collect();
            let closes = super::spread(closes, closes_max);
            for point in closes.into_iter().take_while(|_| effort::goes_on()) {
                findings.extend(fail_at(&truth, &point, Fault::Once("EIO"), &tally).err());
            }
        }
    });
    super::assert_none("errors", &findings);
}

#[test]
fn init_and_add_tell_what_the_system_refused() {
    fail_at_calls("init, add", &["init", "add"]);
}

#[test]
fn commit_tells_what_the_system_refused() {
    fail_at_calls("commit", &["commit", "commit-tree"]);
}

#[test]
fn checkout_restore_and_rm_tell_what_the_system_refused() {
    fail_at_calls("checkout, restore, rm", &["checkout", "restore", "rm"]);
}

#[test]
fn moving_refs_tells_what_the_system_refused() {
    fail_at_calls("branch, tag, undo", &["branch", "tag", "undo"]);
}

#[test]
fn collecting_and_looking_tell_what_the_system_refused() {
    fail_at_calls("gc, fsck, status, log, config", &["gc", "fsck", "status", "log", "config"]);
}
