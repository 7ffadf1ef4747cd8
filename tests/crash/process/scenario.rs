//! The commands that change something, each with a state from which it has something to do.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::OnceLock;

use super::world::World;

/// One command, and what comes before it.
pub struct Scenario {
    /// The words after `provenance`.
    pub words: &'static [&'static str],
    /// Makes the state before, of the history of [`history`].
    pub prepare: fn(&World),
    /// What sets it apart from others of the same words.
    pub about: &'static str,
}

impl Scenario {
    /// A name for people and for `PROVENANCE_POINT`.
    pub fn name(&self) -> String {
        let words = self.words.join(" ");
        if self.about.is_empty() { words } else { format!("{words} ({})", self.about) }
    }

    /// Makes the world in which the command is run.
    pub fn world(&self) -> World {
        let base = if self.words[0] == "init" { empty() } else { history() };
        let world = base.copy(None);
        (self.prepare)(&world);
        world
    }
}

const fn of(words: &'static [&'static str], prepare: fn(&World), about: &'static str) -> Scenario {
    Scenario { words, prepare, about }
}

fn nothing(_: &World) {}

/// All scenarios whose first word is one of `commands`.
pub fn all(commands: &[&str]) -> Vec<&'static Scenario> {
    SCENARIOS.iter().filter(|scenario| commands.contains(&scenario.words[0])).collect()
}

/// Every mutating command, and those that refresh a cache.
pub const SCENARIOS: &[Scenario] = &[
    of(&["init"], nothing, ""),
    of(&["init"], beside_git, "in a git checkout"),
    of(&["add", "-A"], edit, "changes"),
    of(&["add", "."], much, "large and many"),
    of(&["add", "-u", "."], edit, "tracked files"),
    of(&["add", "model.bin"], retrained, "a large file"),
    of(&["commit", "-m", "a change"], staged, ""),
    of(&["commit", "-am", "declared"], declared, "artifacts"),
    of(&["commit", "-am", "a change"], edit, ""),
    of(&["commit", "--allow-empty", "-m", "nothing"], nothing, ""),
    of(&["commit-tree", "other^{tree}", "-p", "main", "-m", "by hand"], nothing, ""),
    of(&["checkout", "other"], nothing, ""),
    of(&["checkout", "-f", "other"], edit, "over changes"),
    of(&["checkout", "-b", "fresh"], nothing, ""),
    of(&["checkout", "v1"], nothing, "no branch"),
    of(&["checkout", "-b", "fresh", "v1"], nothing, "elsewhere"),
    of(&["checkout", "main"], detached, "back to a branch"),
    of(&["restore", "."], edit, ""),
    of(&["restore", "--source", "v1", "table.csv", "many"], nothing, ""),
    of(&["restore", "--staged", "."], staged, ""),
    of(&["restore", "-S", "-W", "."], staged, "both"),
    of(&["restore", "--source", "other", "."], nothing, "all of another branch"),
    of(&["rollback", "v1"], nothing, ""),
    of(&["rollback", "v1", "table.csv", "many"], nothing, "paths"),
    of(&["rollback", "-f", "v1"], edit, "over changes"),
    of(&["import", "--jsonl", "../bystander/runs.jsonl", "--files", "."], described, ""),
    of(&["bisect", "start", "main", "v1"], many_packs, ""),
    of(&["bisect", "good"], bisecting, ""),
    of(&["bisect", "reset"], bisecting, ""),
    of(&["rm", "table.csv"], nothing, ""),
    of(&["rm", "-r", "many"], nothing, ""),
    of(&["rm", "-r", "--cached", "many"], nothing, ""),
    of(&["branch", "fresh", "v1"], nothing, ""),
    of(&["branch", "-f", "other", "main"], nothing, ""),
    of(&["branch", "-m", "main", "trunk"], nothing, ""),
    of(&["branch", "-m", "other", "third"], nothing, "another"),
    of(&["branch", "-D", "other"], nothing, ""),
    of(&["tag", "v2"], nothing, ""),
    of(&["tag", "-f", "v1", "main"], nothing, ""),
    of(&["tag", "-d", "v1"], nothing, ""),
    of(&["undo"], nothing, ""),
    of(&["undo"], renamed, "a rename"),
    of(&["undo"], branched, "of the branch that is checked out"),
    of(&["undo"], tagged, "a tag"),
    of(&["gc"], unreachable, ""),
    of(&["gc"], many_packs, "many packs"),
    of(&["gc", "--prune-now"], unreachable, ""),
    of(&["gc"], long_journal, "long journal"),
    of(&["fsck", "--full"], nothing, ""),
    of(&["status"], edit, "new stamps"),
    of(&["log", "--all"], no_cache, "no cache"),
    of(&["lineage", "table.csv"], no_cache, "no cache"),
    of(&["config", "set", "gc.grace-days", "30"], nothing, ""),
    of(&["config", "unset", "user.name"], set_name, ""),
    of(&["config", "set", "--user", "user.email", "ada@example.org"], nothing, ""),
];

/// Nothing but a few files.
fn empty() -> &'static World {
    static EMPTY: OnceLock<World> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let world = World::new();
        world.write("table.csv", b"1,2\n");
        world
    })
}

/// Two commits on `main`, one beside them on `other`, a tag `v1`, in packs of their own.
pub fn history() -> &'static World {
    static HISTORY: OnceLock<World> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let world = World::new();
        world.must(&["init", "-q"]);
        for number in 0..6 {
            world.write(&format!("many/{number}.txt"), format!("number {number}\n").as_bytes());
        }
        world.write("table.csv", &table(300));
        world.write("model.bin", &noise(1, 200_000));
        world.write("run.sh", b"#!/bin/sh\necho run\n");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(world.work().join("run.sh"), executable).expect("a mode");
        symlink("table.csv", world.work().join("link")).expect("a link");
        commit(&world, "first");
        world.must(&["tag", "v1"]);
        world.must(&["checkout", "-q", "-b", "other"]);
        world.write("model.bin", &noise(2, 200_000));
        world.write("many/2.txt", b"another\n");
        world.write("deep/er/file.txt", b"only here\n");
        fs::remove_file(world.work().join("link")).expect("removed");
        symlink("model.bin", world.work().join("link")).expect("a link");
        commit(&world, "aside");
        world.must(&["checkout", "-q", "main"]);
        world.write("table.csv", &table(320));
        world.write("new/one.txt", b"new\n");
        fs::remove_file(world.work().join("many/5.txt")).expect("removed");
        commit(&world, "second");
        world
    })
}

fn commit(world: &World, message: &str) {
    world.must(&["add", "-A"]);
    world.must(&["commit", "-q", "-m", message]);
}

fn table(rows: usize) -> Vec<u8> {
    (0..rows).flat_map(|row| format!("{row},{},{}\n", row * 7, row % 13).into_bytes()).collect()
}

/// Bytes that do not compress, the same each time.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(|_| next()).take(length).collect()
}

/// Changed, removed and new files that are not staged.
fn edit(world: &World) {
    world.write("table.csv", &table(310));
    world.write("many/1.txt", b"edited\n");
    world.write("fresh/file.txt", b"fresh\n");
    fs::remove_file(world.work().join("many/3.txt")).expect("removed");
}

/// So large that it is read by several threads.
fn retrained(world: &World) {
    world.write("model.bin", &noise(7, 9_000_000));
}

fn declared(world: &World) {
    edit(world);
    world.write("provenance.toml", b"[artifact.model]\npath = \"model.bin\"\nkind = \"model\"\n");
    world.must(&["add", "-q", "provenance.toml"]);
}

fn detached(world: &World) {
    world.must(&["checkout", "-q", "v1"]);
}

fn tagged(world: &World) {
    world.must(&["tag", "v2"]);
}

fn staged(world: &World) {
    edit(world);
    world.must(&["add", "-q", "-A"]);
}

/// A file in many chunks, and more files than go into one batch.
fn much(world: &World) {
    world.write("large.bin", &noise(3, 3_000_000));
    for number in 0..40 {
        world.write(&format!("lots/{number}.txt"), format!("file {number}\n").as_bytes());
    }
}

fn beside_git(world: &World) {
    world.write(".git/HEAD", b"ref: refs/heads/main\n");
    world.write(".git/info/exclude", b"# nothing yet\n");
}

/// Runs of another tracker, in the order in which they were, with content that is here.
fn described(world: &World) {
    let mut lines = String::from("{\"schema\":\"provenance/exchange/v1\"}\n");
    for number in 0..8 {
        lines += &format!(
            "{{\"record\":{{\"run\":{{\"name\":\"r{number}\",\"started\":{},\
             \"params\":{{\"lr\":{number}}},\"inputs\":[{{\"path\":\"table.csv\"}}],\
             \"outputs\":[{{\"path\":\"model.bin\"}}]}}}}}}\n",
            1_600_000_000_000_i64 + number,
        );
    }
    world.write("../bystander/runs.jsonl", lines.as_bytes());
}

/// Stored, staged, and taken off the stage again.
fn unreachable(world: &World) {
    world.write("scratch.bin", &noise(4, 50_000));
    world.must(&["add", "-q", "scratch.bin"]);
    world.must(&["restore", "-q", "--staged", "scratch.bin"]);
}

fn many_packs(world: &World) {
    for number in 0..12 {
        world.write("table.csv", &table(321 + number));
        world.must(&["commit", "-q", "-am", "a row more"]);
    }
}

fn bisecting(world: &World) {
    many_packs(world);
    world.must(&["bisect", "start", "main", "v1"]);
}

/// Enough transactions for a bundle.
fn long_journal(world: &World) {
    for number in 0..260 {
        let start = if number % 2 == 0 { "v1" } else { "other" };
        world.must(&["branch", "-f", "moving", start]);
    }
}

fn renamed(world: &World) {
    world.must(&["branch", "-m", "main", "trunk"]);
}

fn branched(world: &World) {
    world.must(&["checkout", "-q", "-b", "fresh"]);
}

fn no_cache(world: &World) {
    fs::remove_dir_all(world.store().join("cache")).expect("removed");
}

fn set_name(world: &World) {
    world.must(&["config", "set", "user.name", "Ada"]);
}
