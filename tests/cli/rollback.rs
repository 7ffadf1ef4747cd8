//! `rollback` goes back to a recorded state, loses nothing, and says what it did.

use super::project::Project;

fn read(project: &Project, name: &str) -> Option<String> {
    std::fs::read_to_string(project.path(name.as_bytes())).ok()
}

/// `one` has `a` and `gone`; `two` changes `a`, removes `gone`, adds `new`.
fn project() -> Project {
    let project = Project::new();
    project.write(b"a", b"1\n");
    project.write(b"gone", b"was here\n");
    project.commit("one\n\nat length");
    project.text(&["tag", "v1"]);
    project.write(b"a", b"2\n");
    std::fs::remove_file(project.path(b"gone")).expect("removed");
    project.write(b"data/new", b"new\n");
    project.commit("two");
    project.text(&["tag", "v2"]);
    project
}

#[test]
fn everything_is_as_it_was_and_history_goes_on() {
    let project = project();
    let plan = project.text(&["rollback", "-n", "v1"]);
    let v1 = project.text(&["rev-parse", "--short", "v1"]);
    let v1 = v1.trim();
    assert_eq!(plan, format!("Would go back to {v1}:\n  M  a\n  D  data/new\n  A  gone\n"));
    assert_eq!(read(&project, "a").as_deref(), Some("2\n"));
    let done = project.run(&["rollback", "v1"]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    let done = String::from_utf8(done.out).expect("text");
    assert!(done.contains(&format!("] roll back to {v1}: one\n  M  a\n")), "{done}");
    assert_eq!(read(&project, "a").as_deref(), Some("1\n"));
    assert_eq!(read(&project, "gone").as_deref(), Some("was here\n"));
    assert!(!project.path(b"data").exists());
    let same = ["rev-parse", "HEAD^{tree}", "v1^{tree}"].map(str::to_owned);
    let trees = project.text(&same);
    let trees: Vec<&str> = trees.lines().collect();
    assert_eq!(trees[0], trees[1]);
    assert_eq!(project.text(&["rev-parse", "HEAD~1"]), project.text(&["rev-parse", "v2"]));
    assert_eq!(project.text(&["status", "-s"]), "");
    let again = project.run(&["rollback", "v1"]);
    assert_eq!(again.code, Some(1));
    assert!(String::from_utf8_lossy(&again.out).contains("nothing was recorded"));
    project.text(&["undo"]);
    assert_eq!(project.text(&["rev-parse", "HEAD"]), project.text(&["rev-parse", "v2"]));
}

#[test]
fn single_paths_go_back_alone() {
    let project = project();
    project.write(b"a", b"unrecorded\n");
    let answer = project.run(&["rollback", "--json", "-m", "why", "v1", "gone"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let answer: serde_json::Value = serde_json::from_slice(&answer.out).expect("JSON");
    assert_eq!((&answer["changed"], &answer["written"]), (&1.into(), &1.into()));
    assert_eq!(read(&project, "gone").as_deref(), Some("was here\n"));
    assert_eq!(read(&project, "a").as_deref(), Some("unrecorded\n"));
    assert_eq!(read(&project, "data/new").as_deref(), Some("new\n"));
    let log = project.text(&["log", "-n", "1"]);
    assert!(log.ends_with("    why\n"), "{log}");
    assert_eq!(project.run(&["rollback", "v1", "nowhere"]).code, Some(2));
}

#[test]
fn nothing_that_no_commit_holds_is_lost() {
    let project = project();
    project.write(b"gone", b"somebody's\n");
    let head = project.text(&["rev-parse", "HEAD"]);
    let answer = project.run(&["rollback", "v1"]);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(answer.err.contains("gone"), "{}", answer.err);
    assert_eq!(read(&project, "a").as_deref(), Some("2\n"), "half of it was done");
    std::fs::remove_file(project.path(b"gone")).expect("removed");
    project.write(b"a", b"unrecorded\n");
    assert_eq!(project.run(&["rollback", "v1"]).code, Some(11));
    project.text(&["add", "a"]);
    let answer = project.run(&["rollback", "v1"]);
    assert_eq!(answer.code, Some(11));
    assert!(answer.err.contains("changes are staged that no commit holds"), "{}", answer.err);
    assert_eq!(read(&project, "a").as_deref(), Some("unrecorded\n"));
    assert_eq!(project.text(&["rev-parse", "HEAD"]), head);
    assert_eq!(project.run(&["rollback", "--force", "v1"]).code, Some(0));
    assert_eq!(read(&project, "a").as_deref(), Some("1\n"));
    assert_eq!(project.text(&["status", "-s"]), "");
}

/// What a kill between the files and the commit leaves: the same command completes it.
#[test]
fn a_rollback_that_was_cut_off_is_completed_by_the_next() {
    let project = project();
    project.text(&["restore", "--staged", "--worktree", "--source", "v1", "."]);
    assert_eq!(project.run(&["rollback", "v1"]).code, Some(0));
    assert_eq!(project.text(&["status", "-s"]), "");
    let subject = project.text(&["log", "--oneline", "-n", "1"]);
    assert!(subject.contains("roll back to"), "{subject}");
}

/// What was staged elsewhere was forgotten, and the next commit took it for unchanged.
#[test]
fn what_is_staged_beside_the_paths_stays_staged_when_forced() {
    let project = project();
    project.write(b"staged", b"new\n");
    project.write(b"data/new", b"changed\n");
    project.text(&["add", "staged", "data/new"]);
    project.write(b"a", b"unrecorded\n");
    let staged = project.text(&["diff", "--staged", "--name-status"]);
    assert_eq!(project.run(&["rollback", "v1", "a"]).code, Some(11));
    assert_eq!(project.run(&["rollback", "--force", "v1", "a"]).code, Some(0));
    assert_eq!(read(&project, "a").as_deref(), Some("1\n"));
    assert_eq!(project.text(&["cat", "HEAD:a"]), "1\n");
    assert_eq!(project.text(&["cat", "HEAD:data/new"]), "new\n");
    assert_eq!(project.text(&["diff", "--staged", "--name-status"]), staged);
    assert_eq!(project.text(&["status", "-s"]).lines().count(), 2);
    project.text(&["commit", "-q", "-m", "the rest"]);
    assert_eq!(project.text(&["cat", "HEAD:data/new"]), "changed\n");
    assert_eq!(project.text(&["cat", "HEAD:staged"]), "new\n");
    assert_eq!(project.text(&["status", "-s"]), "");
}

/// It said that everything is as recorded, and the file was not.
#[test]
fn files_that_differ_are_told_where_the_head_does_not() {
    let project = project();
    let same = project.run(&["rollback", "HEAD"]);
    assert!(String::from_utf8_lossy(&same.out).starts_with("Everything is as in"));
    project.write(b"a", b"unrecorded\n");
    std::fs::remove_file(project.path(b"data/new")).expect("removed");
    project.write(b"untracked", b"1");
    let answer = project.run(&["rollback", "HEAD"]);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let said = String::from_utf8(answer.out).expect("text");
    assert!(said.starts_with("HEAD is as in"), "{said}");
    assert!(said.contains("Left as changed in the worktree: 2 files"), "{said}");
    let said = project.text(&["rollback", "-n", "-f", "HEAD"]);
    assert!(said.starts_with("Would bring back 2 files"), "{said}");
    assert_eq!(read(&project, "a").as_deref(), Some("unrecorded\n"));
    let said = project.text(&["rollback", "-f", "HEAD"]);
    assert!(said.starts_with("Brought back 2 files"), "{said}");
    assert_eq!(read(&project, "a").as_deref(), Some("2\n"));
    assert_eq!(project.text(&["status", "-s"]), "?? untracked\n");
    assert_eq!(project.run(&["rollback", "-f", "HEAD"]).code, Some(1));
}

#[test]
fn many_changes_are_counted_and_the_first_are_named() {
    let project = project();
    for number in 0..30 {
        project.write(format!("many/{number:02}").as_bytes(), b"1");
    }
    project.commit("many");
    let said = project.text(&["rollback", "v2"]);
    assert!(said.contains("  D  many/19\n  … and 10 more files\n"), "{said}");
    assert!(!said.contains("many/20"), "{said}");
}
