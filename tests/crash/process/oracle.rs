//! The one judge of all faults at the level of processes: what must hold after each.
//!
//! 1. The repository opens, and `fsck --full` finds nothing.
//! 2. Refs, head, stage and each file of the worktree are as before or as after; as after if the
//!    command had answered. Nothing else was touched.
//! 3. All that was ever committed reads back bit by bit.
//! 4. The same command again succeeds (or answers as it does when there is nothing to do).
//! 5. `gc --prune-now` then removes all that was left behind.

use std::fs;
use std::process::Output;

use super::scenario::Scenario;
use super::state::{self, Contents, State};
use super::world::World;

/// What a command does without faults.
pub struct Truth {
    pub scenario: &'static Scenario,
    /// Where it begins; never changed.
    pub world: World,
    before: (State, Contents),
    after: (State, Contents),
    /// What the same command answers after itself, and leaves.
    again: (Option<i32>, State),
}

/// How a command ended that met a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With exit code 0.
    Done,
    /// With exit code 3: files that it named were left out.
    Partly,
    /// In any other way.
    Failed,
    /// Killed, and then the power went: files that were being written to the worktree may be
    /// empty (`docs/guarantees.md`).
    Cut,
}

impl Ended {
    pub fn of(output: &Output) -> Self {
        match output.status.code() {
            Some(0) => Self::Done,
            Some(3) => Self::Partly,
            _ => Self::Failed,
        }
    }
}

/// What a fault left behind before it was cleaned up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Before,
    Between,
    After,
}

impl Truth {
    /// Runs a scenario twice without faults.
    pub fn of(scenario: &'static Scenario) -> Self {
        let world = scenario.world();
        let before = (State::of(&world), known(&world));
        let copy = world.copy(None);
        let first = copy.run(scenario.words);
        assert!(first.status.success(), "{}: {first:?}", scenario.name());
        let after = (State::of(&copy), known(&copy));
        let second = copy.run(scenario.words);
        let again = (second.status.code(), State::of(&copy));
        Self { scenario, world, before, after, again }
    }

    /// Judges what is in `world` after a command that ended so.
    pub fn judge(&self, world: &World, ended: Ended) -> Result<Standing, String> {
        let standing = self.judge_state(world, ended)?;
        self.judge_again(world, standing, ended)?;
        self.judge_cleaning(world)?;
        Ok(standing)
    }

    /// Tells whether all that the command does is done.
    pub fn is_done(&self, world: &World) -> bool {
        State::of(world).tidy() == self.after.0
    }

    fn judge_state(&self, world: &World, ended: Ended) -> Result<Standing, String> {
        let is_init = self.scenario.words[0] == "init";
        if !is_init || world.store().join("format").exists() {
            check(world)?;
        }
        let found = State::of(world);
        if ended != Ended::Partly {
            found.is_between(&self.before.0, &self.after.0, ended == Ended::Cut)?;
        }
        let standing = match &found.clone().tidy() {
            found if *found == self.after.0 => Standing::After,
            found if *found == self.before.0 => Standing::Before,
            _ => Standing::Between,
        };
        if ended == Ended::Done && standing != Standing::After {
            return Err(format!("it had answered, and is {standing:?}: {found:?}"));
        }
        let contents = known(world);
        let is_new = found.refs == self.after.0.refs;
        let expected = if is_new { &self.after.1 } else { &self.before.1 };
        for (id, files) in expected {
            // What no ref ever named is a commit all the same, once its command had answered.
            if contents.get(id) != Some(files) {
                return Err(format!("commit {id} is not as it was"));
            }
        }
        Ok(standing)
    }

    fn judge_again(&self, world: &World, standing: Standing, ended: Ended) -> Result<(), String> {
        let mut output = world.run(self.scenario.words);
        // What was written and not synced may be neither: then it has to be told to overwrite it.
        let word = self.scenario.words[0];
        let is_refused =
            output.status.code() == Some(11) && matches!(word, "checkout" | "rollback");
        if ended == Ended::Cut && standing == Standing::Between && is_refused {
            output = world.run(&[&[word, "-f"], &self.scenario.words[1..]].concat());
        }
        // The search is under way by then, and says how it goes on.
        let is_begun = output.status.code() == Some(11)
            && self.scenario.words.starts_with(&["bisect", "start"]);
        if is_begun && standing != Standing::After {
            output = world.run(&["bisect", "next"]);
        }
        let (code, found) = (output.status.code(), State::of(world).tidy());
        let is_first = code == Some(0) && found == self.after.0;
        let is_second = code == self.again.0 && found == self.again.1;
        let holds = match standing {
            Standing::Before => is_first,
            Standing::After => is_second,
            Standing::Between => is_first || is_second,
        };
        if holds { Ok(()) } else { Err(format!("again, {standing:?}: {}", shown(&output))) }
    }

    fn judge_cleaning(&self, world: &World) -> Result<(), String> {
        let output = world.run(&["gc", "--prune-now"]);
        if !output.status.success() {
            return Err(format!("gc: {}", shown(&output)));
        }
        for folder in ["tmp", "trash", "quarantine"] {
            let left: Vec<_> = fs::read_dir(world.store().join(folder))
                .map(|entries| entries.map(|entry| entry.expect("listed").file_name()).collect())
                .unwrap_or_default();
            if !left.is_empty() {
                return Err(format!("gc leaves {left:?} in {folder}"));
            }
        }
        let found = State::of(world);
        if found.leftovers() > 0 {
            return Err(format!("gc leaves files in the worktree: {:?}", found.worktree.keys()));
        }
        check(world)
    }
}

fn known(world: &World) -> Contents {
    if world.store().join("format").exists() { state::contents(world) } else { Contents::new() }
}

/// Checks the repository as a user would.
fn check(world: &World) -> Result<(), String> {
    let output = world.run(&["fsck", "--full"]);
    let is_clean = output.status.success();
    if is_clean { Ok(()) } else { Err(format!("fsck: {}", shown(&output))) }
}

/// Gives what a command said.
pub fn shown(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{:?} {out} {err}", output.status)
}
