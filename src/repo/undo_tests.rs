//! Undo and undo of undo: refs, head and stage.

use super::*;
use crate::repo::sample::Sample;
use crate::repo::{
    BranchCreateRequest, BranchRenameRequest, CommitRequest, Committed, branch_create,
    branch_rename, commit,
};

/// Stages a tree of one file and commits it.
fn record(sample: &Sample, content: &str) -> (ObjectId, ObjectId) {
    let tree = sample.tree(&[("a", content)]);
    local::save_stage(&sample.repository.location.folder, tree).expect("staged");
    let request = CommitRequest {
        message: content.to_owned(),
        command: format!("commit -m {content}"),
        ..CommitRequest::default()
    };
    match commit(&sample.repository, &request, &sample.progress).expect("committed") {
        Committed::Made(report) => (report.id, tree),
        Committed::NothingChanged => panic!("something changed"),
    }
}

fn undo_once(sample: &Sample) -> UndoReport {
    let request = UndoRequest { command: "undo".into(), ..UndoRequest::default() };
    undo(&sample.repository, &request, &sample.progress).expect("undone")
}

/// Gives head, its commit, and the stage as they really are.
fn standing(sample: &Sample) -> (Head, Option<ObjectId>, ObjectId) {
    let repository = &sample.repository;
    let stage = repository.staged_tree(&mut repository.store.reader()).expect("a stage");
    (repository.head().expect("a head"), repository.head_commit().expect("a commit"), stage)
}

fn on(branch: &str) -> Head {
    Head::Branch(format!("heads/{branch}"))
}

#[test]
fn a_commit_is_undone_and_what_it_recorded_is_staged() {
    let sample = Sample::new();
    let (first, _) = record(&sample, "one");
    let (second, tree) = record(&sample, "two");
    let report = undo_once(&sample);
    assert_eq!(report.undone.command, "commit -m two");
    assert_eq!((report.head_commit, report.has_staged), (Some(first), true));
    assert_eq!(standing(&sample), (on("main"), Some(first), tree));
    let report = undo_once(&sample);
    assert_eq!((report.undone.command.as_str(), report.has_staged), ("undo", false));
    assert_eq!(standing(&sample), (on("main"), Some(second), tree));
}

#[test]
fn the_first_commit_is_undone() {
    let sample = Sample::new();
    let (first, tree) = record(&sample, "one");
    let report = undo_once(&sample);
    assert_eq!((report.head, report.head_commit, report.has_staged), (on("main"), None, true));
    assert_eq!(standing(&sample), (on("main"), None, tree));
    undo_once(&sample);
    assert_eq!(standing(&sample), (on("main"), Some(first), tree));
}

#[test]
fn a_stage_that_was_never_written_is_kept_too() {
    let sample = Sample::new();
    let (first, _) = record(&sample, "one");
    let (_, tree) = record(&sample, "two");
    std::fs::remove_file(sample.repository.location.folder.join("stage")).expect("no stage");
    undo_once(&sample);
    assert_eq!(standing(&sample), (on("main"), Some(first), tree));
}

#[test]
fn a_branch_that_goes_leaves_its_commit_checked_out() {
    let sample = Sample::new();
    let (first, tree) = record(&sample, "one");
    let request = BranchCreateRequest { name: "side".into(), ..BranchCreateRequest::default() };
    branch_create(&sample.repository, &request).expect("made");
    local::save_head(&sample.repository.location.folder, &on("side")).expect("checked out");
    let report = undo_once(&sample);
    assert_eq!((report.head_before, report.head), (on("side"), Head::Detached(first)));
    assert_eq!(standing(&sample), (Head::Detached(first), Some(first), tree));
}

#[test]
fn a_renamed_branch_has_its_old_name_again() {
    let sample = Sample::new();
    let (first, tree) = record(&sample, "one");
    let request = BranchRenameRequest { new: "trunk".into(), ..BranchRenameRequest::default() };
    branch_rename(&sample.repository, &request, &sample.progress).expect("renamed");
    assert_eq!(undo_once(&sample).head, on("main"));
    assert_eq!(standing(&sample), (on("main"), Some(first), tree));
    assert_eq!(undo_once(&sample).head, on("trunk"));
    assert_eq!(standing(&sample), (on("trunk"), Some(first), tree));
}

#[test]
fn a_commit_on_no_branch_is_undone() {
    let sample = Sample::new();
    let (first, _) = record(&sample, "one");
    let folder = &sample.repository.location.folder;
    local::save_head(folder, &Head::Detached(first)).expect("detached");
    let (second, tree) = record(&sample, "two");
    assert_eq!(standing(&sample).0, Head::Detached(second));
    undo_once(&sample);
    assert_eq!(standing(&sample), (Head::Detached(first), Some(first), tree));
    undo_once(&sample);
    assert_eq!(standing(&sample), (Head::Detached(second), Some(second), tree));
}

#[test]
fn a_dry_run_moves_nothing() {
    let sample = Sample::new();
    record(&sample, "one");
    record(&sample, "two");
    let before = standing(&sample);
    let request = UndoRequest { is_dry_run: true, command: String::new() };
    let report = undo(&sample.repository, &request, &sample.progress).expect("told");
    assert_eq!((report.number, report.updates.len()), (None, 1));
    assert_eq!(standing(&sample), before);
}

#[test]
fn a_new_repository_has_nothing_to_undo() {
    let sample = Sample::new();
    let refused = undo(&sample.repository, &UndoRequest::default(), &sample.progress);
    assert!(matches!(refused, Err(Error::Usage(_))));
}
