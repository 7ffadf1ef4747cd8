//! The same power cut for git, on the same file systems: what an answer of each is worth.

use std::process::Output;

use super::power::{WAYS, disk};
use super::scenario::noise;
use super::world::World;
use crate::support::effort;
use crate::support::tally::Tally;

/// Commits of each program on each file system.
const COMMITS: u64 = 10;

type Commands = &'static [&'static [&'static str]];

/// How each program records all changes.
const PROGRAMS: [(&str, Commands, Commands); 3] = [
    ("provenance add, commit", &[&["init"]], &[&["add", "-A"], &["commit", "-m", "more"]]),
    ("git add, commit", &[&["init", "-q"]], &[&["add", "-A"], &["commit", "-qm", "more"]]),
    (
        "git add, commit (core.fsync=all)",
        &[&["init", "-q"], &["config", "core.fsync", "all"]],
        &[&["add", "-A"], &["commit", "-qm", "more"]],
    ),
];

fn run(world: &World, is_git: bool, words: &[&str]) -> Output {
    if !is_git {
        return world.run(words);
    }
    let who = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "core.pager=cat"];
    world.command(&[&who, words].concat()).output().expect("git starts")
}

fn head(world: &World, is_git: bool) -> Option<String> {
    let output = run(world, is_git, &["rev-parse", "HEAD"]);
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(said)
}

#[test]
fn an_answer_of_ours_survives_and_one_of_git_is_counted() {
    for (kind, cut, way) in WAYS {
        for (name, begin, record) in PROGRAMS {
            let Some(disk) = disk(kind) else { continue };
            let is_git = name.starts_with("git");
            let fault = Box::leak(format!("answered, then a power cut: {way}").into_boxed_str());
            let tally = Tally::new(fault, name);
            for round in (0..COMMITS).take_while(|round| *round == 0 || effort::goes_on()) {
                let world = World::new().copy(Some(&disk.mount()));
                world.write("first.bin", &noise(round + 1, 60_000));
                for words in begin.iter().chain(record) {
                    assert!(run(&world, is_git, words).status.success(), "{name}: {words:?}");
                }
                disk.settle();
                world.write("second.bin", &noise(round + 100, 60_000));
                for words in record {
                    assert!(run(&world, is_git, words).status.success(), "{name}: {words:?}");
                }
                let recorded = head(&world, is_git).expect("a commit");
                disk.cut(cut);
                disk.restart();
                let full = ["fsck", "--full"];
                let is_whole = run(&world, is_git, &full).status.success();
                let is_kept = head(&world, is_git).as_deref() == Some(&recorded);
                let outcome = match (is_whole, is_kept) {
                    (true, true) => "kept",
                    (true, false) => "the commit is lost",
                    (false, _) => "the repository is damaged",
                };
                assert!(is_git || outcome == "kept", "{way}: {outcome}");
                tally.count(outcome);
            }
        }
    }
}
