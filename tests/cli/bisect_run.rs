//! `bisect run` says of a test what it was, and leaves nothing of it behind.

use std::process::Stdio;

use super::bisect::{finds, id, line, out};
use super::project::Project;

#[test]
fn a_test_that_hangs_is_skipped() {
    let project = line(6, 4);
    project.text(&["bisect", "start", "main", "c1"]);
    let test = "grep -q 3 number && sleep 600; grep -q good state";
    let answer = project.run(&["bisect", "run", "--timeout", "0.5", "sh", "-c", test]);
    assert!(answer.err.contains("skipped: stopped after 0.5 s"), "{}", answer.err);
    assert_eq!(answer.code, Some(3), "{}", out(&answer));
    let [three, four] = ["c3", "c4"].map(|name| id(&project, name)[..12].to_owned());
    let left = format!("the first bad one is one of these:\n  {three} 3\n  {four} 4\n");
    assert!(out(&answer).contains(&left), "{}", out(&answer));
}

#[test]
fn tests_that_contradict_one_another_are_told() {
    let project = line(3, 3);
    project.text(&["bisect", "start", "main", "c1"]);
    let flaky = "echo >> ../flaky; test $(($(wc -l < ../flaky) % 3)) != 0";
    let flaky = flaky.replace("..", &project.root().join(".provenance/cache").to_string_lossy());
    let answer = project.run(&["bisect", "run", "--repeat", "3", "sh", "-c", &flaky]);
    assert!(answer.err.contains("contradict one another: 1 bad, 2 good"), "{}", answer.err);
    finds(&answer, &id(&project, "c3"));
}

/// The test ran at the root where a commit did not have the directory, and what it said there
/// counted.
#[test]
fn a_commit_without_the_directory_of_the_test_is_skipped() {
    let project = Project::new();
    for number in 1..=6 {
        let inner = project.path(b"inner");
        match number {
            5 => std::fs::remove_dir_all(inner).unwrap_or_default(),
            _ => project.write(b"inner/number", format!("{number}\n").as_bytes()),
        }
        project.write(b"number", b"9\n");
        project.write(b"step", format!("{number}\n").as_bytes());
        project.commit(&number.to_string());
        project.text(&["tag", &format!("c{number}")]);
    }
    project.text(&["bisect", "start", "main", "c1"]);
    let inner = project.path(b"inner");
    let mut run = project.command(&["bisect", "run", "sh", "-c", "test $(cat number) -lt 5"]);
    let output = run.current_dir(inner).output().expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("skipped: it has no directory inner"), "{told}");
    assert_eq!(output.status.code(), Some(3), "{told}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let left = text.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(left, 2, "{text}");
}

/// What the test had changed stayed, and was in the way of `reset`.
#[test]
fn a_test_that_is_stopped_leaves_nothing_behind() {
    let project = line(6, 4);
    project.text(&["bisect", "start", "main", "c1"]);
    let ready = project.path(b".provenance/cache/ready");
    let script = format!("echo spoilt > number; echo > {}; sleep 600", ready.display());
    let mut run = project.command(&["bisect", "run", "sh", "-c", &script]);
    let mut run = run.stderr(Stdio::null()).spawn().expect("started");
    while !ready.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let number = run.id().to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &number]).status();
    assert!(sent.expect("kill runs").success());
    assert_eq!(run.wait().expect("it ends").code(), Some(143));
    assert_eq!(project.text(&["status", "-s"]), "");
    // What somebody has changed stays until they say so.
    project.write(b"number", b"mine\n");
    let answer = project.run(&["bisect", "bad"]);
    assert!(answer.err.contains("take it back: `provenance restore PATH`"), "{}", answer.err);
    assert_eq!(project.run(&["bisect", "reset"]).code, Some(11));
    project.text(&["bisect", "reset", "--force"]);
    assert_eq!(project.text(&["status", "-s"]), "");
}

/// What had left its parent went on.
#[test]
fn what_a_test_left_in_the_background_ends_with_it() {
    let project = line(3, 3);
    project.text(&["bisect", "start", "main", "c1"]);
    let left = project.path(b".provenance/cache/left");
    let script = format!("(sleep 600 & echo $! > {}); sleep 600", left.display());
    project.run(&["bisect", "run", "--timeout", "1", "sh", "-c", &script]);
    let pid = std::fs::read_to_string(left).expect("it began");
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
    let status = status.unwrap_or_default();
    assert!(status.is_empty() || status.contains("State:\tZ"), "{status}");
}
