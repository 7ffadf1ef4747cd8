//! What a sequence is made of.

use proptest::prelude::*;

/// The files of a worktree.
pub const PATHS: &[&str] = &["a", "b", "d/x", "d/y", "d/e/z"];
/// The branches.
pub const BRANCHES: &[&str] = &["main", "side", "other"];

/// A command of a person or a script.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Write(usize, u8),
    Delete(usize),
    Add,
    AddPath(usize),
    Commit,
    CommitAll,
    Checkout(usize, bool),
    Detach(usize, bool),
    Branch(usize),
    BranchDelete(usize),
    Tag(usize),
    TagDelete(usize),
    Undo,
    Rm(usize, bool),
    Restore(usize),
    Unstage(usize),
    Gc(bool),
    Reopen,
}

/// Draws a command.
pub fn step() -> impl Strategy<Value = Step> {
    let path = || 0..PATHS.len();
    prop_oneof![
        6 => (path(), 0..4_u8).prop_map(|(path, content)| Step::Write(path, content)),
        1 => path().prop_map(Step::Delete),
        4 => Just(Step::Add),
        2 => path().prop_map(Step::AddPath),
        5 => Just(Step::Commit),
        1 => Just(Step::CommitAll),
        3 => (0..BRANCHES.len(), any::<bool>()).prop_map(|(n, forced)| Step::Checkout(n, forced)),
        1 => (0..9_usize, any::<bool>()).prop_map(|(n, forced)| Step::Detach(n, forced)),
        2 => (0..BRANCHES.len()).prop_map(Step::Branch),
        1 => (0..BRANCHES.len()).prop_map(Step::BranchDelete),
        1 => (0..2_usize).prop_map(Step::Tag),
        1 => (0..2_usize).prop_map(Step::TagDelete),
        2 => Just(Step::Undo),
        1 => (path(), any::<bool>()).prop_map(|(path, keeps)| Step::Rm(path, keeps)),
        1 => path().prop_map(Step::Restore),
        1 => path().prop_map(Step::Unstage),
        1 => any::<bool>().prop_map(Step::Gc),
        1 => Just(Step::Reopen),
    ]
}

/// What to write: of one content a small file, of another one that is cut into chunks.
pub fn content(path: usize, number: u8) -> Vec<u8> {
    match number {
        3 => b"chunked ".iter().cycle().take((1 << 20) + path).copied().collect(),
        number => format!("{path} {number}\n").repeat(usize::from(number) * 40 + 1).into_bytes(),
    }
}
