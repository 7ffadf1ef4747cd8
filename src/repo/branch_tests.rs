//! Branches of a small repository.

use super::*;
use crate::repo::sample::Sample;

fn branches(sample: &Sample) -> String {
    let report = branch_list(&sample.repository).expect("listed");
    let shown = report.branches.iter().map(|branch| {
        let is_head = report.head == Head::Branch(format!("heads/{}", branch.name));
        let mark = if is_head { "*" } else { "" };
        format!("{mark}{}={}", branch.name, sample.letter(&branch.id))
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn create(
    sample: &Sample,
    name: &str,
    start: Option<&str>,
    force: bool,
) -> Result<RefMoved, Error> {
    let request = BranchCreateRequest {
        name: name.into(),
        start: start.map(Into::into),
        is_forced: force,
        command: "branch".into(),
    };
    branch_create(&sample.repository, &request)
}

fn delete(sample: &Sample, names: &[&str], force: bool) -> Result<Vec<RefMoved>, Error> {
    let request = BranchDeleteRequest {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        is_forced: force,
        command: "branch -d".into(),
    };
    branch_delete(&sample.repository, &request, &sample.progress)
}

fn rename(sample: &Sample, old: Option<&str>, new: &str, force: bool) -> Result<RefMoved, Error> {
    let request = BranchRenameRequest {
        old: old.map(str::to_owned),
        new: new.into(),
        is_forced: force,
        command: "branch -m".into(),
    };
    branch_rename(&sample.repository, &request, &sample.progress)
}

#[test]
fn branches_are_made_and_moved() {
    let sample = Sample::drawn("a b:a");
    create(&sample, "side", None, false).expect("made");
    create(&sample, "old", Some("main~1"), false).expect("made");
    assert_eq!(branches(&sample), "*main=b old=a side=b");
    assert!(matches!(create(&sample, "old", None, false), Err(Error::Conflict(_))));
    create(&sample, "old", None, true).expect("moved");
    assert!(matches!(create(&sample, "main", Some("old~1"), true), Err(Error::Conflict(_))));
    assert!(matches!(create(&sample, "x..y", None, false), Err(Error::Usage(_))));
    assert!(create(&sample, "main/x", None, false).is_err(), "main is a branch");
    assert_eq!(branches(&sample), "*main=b old=b side=b");
    let empty = Sample::new();
    assert!(matches!(create(&empty, "side", None, false), Err(Error::NotFound { .. })));
    assert_eq!(branches(&empty), "");
}

#[test]
fn what_only_a_branch_has_is_not_let_go_of_by_chance() {
    let sample = Sample::drawn("a b:a c:a");
    sample.move_ref("heads/merged", None, Some('a'));
    sample.move_ref("heads/other", None, Some('b'));
    assert!(matches!(delete(&sample, &["merged", "other"], false), Err(Error::Conflict(_))));
    assert_eq!(branches(&sample), "*main=c merged=a other=b");
    delete(&sample, &["merged"], false).expect("it is merged");
    delete(&sample, &["other"], true).expect("forced");
    assert!(matches!(delete(&sample, &["main"], true), Err(Error::Conflict(_))));
    assert!(matches!(delete(&sample, &["other"], true), Err(Error::NotFound { .. })));
    assert_eq!(branches(&sample), "*main=c");
}

#[test]
fn the_worktree_follows_a_branch_that_is_renamed() {
    let sample = Sample::drawn("a b:a");
    sample.move_ref("heads/side", None, Some('a'));
    rename(&sample, None, "trunk", false).expect("renamed");
    assert_eq!(branches(&sample), "side=a *trunk=b");
    rename(&sample, Some("side"), "trunk/side", false).expect_err("trunk is a branch");
    assert!(matches!(rename(&sample, Some("side"), "trunk", false), Err(Error::Conflict(_))));
    assert!(matches!(rename(&sample, Some("side"), "trunk", true), Err(Error::Conflict(_))));
    rename(&sample, Some("trunk"), "side", true).expect("replaced");
    assert_eq!(branches(&sample), "*side=b");
    rename(&sample, Some("side"), "side/deeper", false).expect("it makes room for itself");
    assert_eq!(branches(&sample), "*side/deeper=b");
    assert!(matches!(rename(&sample, Some("x"), "y", false), Err(Error::NotFound { .. })));
    let empty = Sample::new();
    rename(&empty, None, "trunk", false).expect("renamed before its first commit");
    assert_eq!(empty.repository.head().expect("a head"), Head::Branch("heads/trunk".into()));
}

/// Once killed between the journal and `HEAD`, a rename left the worktree on no branch: `status`
/// took all files for new, and the same command was refused.
#[test]
fn a_branch_whose_rename_was_killed_is_followed_through_the_journal() {
    let sample = Sample::drawn("a b:a");
    let folder = &sample.repository.location.folder;
    let old = sample.repository.head().expect("a head");
    for (from, to) in [("main", "trunk"), ("trunk", "twig")] {
        rename(&sample, Some(from), to, false).expect("renamed");
    }
    local::save_head(folder, &old).expect("as a kill leaves it");
    sample.move_ref("heads/side", None, Some('a'));
    assert_eq!(branches(&sample), "side=a *twig=b");
    delete(&sample, &["side"], true).expect("deleted");
    local::save_head(folder, &Head::Branch("heads/side".into())).expect("a branch that is gone");
    assert_eq!(sample.repository.head().expect("a head"), Head::Branch("heads/side".into()));
}
