//! What `reproduce` runs has a place of its own: it gets at no file of the user, and ends with us.

use std::fs;
use std::process::Command;

use super::project::Project;
use super::reproduce::{git, out, record};

/// A link that leads to an absolute path of the worktree let the command write over the user's own
/// file, where it was run again.
#[test]
fn links_into_the_worktree_do_not_lead_there() {
    let project = Project::new();
    project.write(b"data.txt", b"old\n");
    std::os::unix::fs::symlink(project.path(b"data.txt"), project.path(b"link")).expect("linked");
    project.commit("data");
    record(&project, "one", &["-o", "out"], "echo written > link; cp link out");
    project.write(b"data.txt", b"mine\n");
    let answer = project.run(&["reproduce", "runs/one"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
    let told = "links into the worktree lead to the same place of the fresh directory: link\n";
    assert!(answer.err.contains(told), "{}", answer.err);
    assert_eq!(fs::read(project.path(b"data.txt")).expect("read"), b"mine\n");
    // Not if it is kept in the worktree either.
    let answer = project.run(&["reproduce", "--keep", "kept", "runs/one"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
    assert_eq!(fs::read(project.path(b"kept/data.txt")).expect("read"), b"written\n");
    assert_eq!(fs::read(project.path(b"data.txt")).expect("read"), b"mine\n");
}

/// A script that asks where it is, or for its git repository, found the user's.
#[test]
fn the_command_finds_nothing_of_the_users_directories() {
    let project = Project::new();
    git(&project, &["init", "-q"]);
    project.write(b".gitignore", b"tmp\n");
    git(&project, &["add", "."]);
    git(&project, &["commit", "-qm", "one"]);
    record(
        &project,
        "one",
        &[],
        "test \"$SEEN\" || exit 0; (echo $SEEN; printenv PWD; pwd; \
                                  git rev-parse --git-dir) > \"$SEEN\" 2>&1; exit 0",
    );
    std::fs::create_dir(project.path(b"tmp")).expect("made");
    let seen = project.path(b"tmp/seen");
    let mut command = project.command(&["reproduce", "runs/one"]);
    command.env("SEEN", &seen).env("TMPDIR", project.path(b"tmp")).env("PWD", project.root());
    assert!(command.output().expect("started").status.success());
    let seen = fs::read_to_string(seen).expect("it ran");
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines.get(1), lines.get(2), "{seen}");
    assert!(seen.contains("not a git repository"), "{seen}");
}

/// Code that a variable leads to was that of the worktree as it is now, and nothing said so.
#[test]
fn a_variable_that_leads_into_the_worktree_is_told() {
    let project = Project::new();
    record(&project, "one", &[], "exit 0");
    let mut command = project.command(&["reproduce", "runs/one"]);
    let output = command.env("PYTHONPATH", project.path(b"src")).output().expect("started");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("which is used there as it is now: PYTHONPATH\n"), "{told}");
}

/// Only the command itself got the signal: what it had started went on, where its directory had
/// been removed; in the background a shell has Ctrl-C ignored.
#[test]
fn a_signal_ends_all_that_was_started() {
    let project = Project::new();
    let script = "test -n \"$SLOW\" || exit 0; sh -c 'sleep 600' & echo $! > \"$SLOW.new\"; \
                  mv \"$SLOW.new\" \"$SLOW\"; wait";
    record(&project, "slow", &[], script);
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let pid_file = project.path(format!(".provenance/cache/{signal}").as_bytes());
        let mut command = project.command(&["reproduce", "runs/slow"]);
        command.env("SLOW", &pid_file).stderr(std::process::Stdio::null());
        let mut child = command.spawn().expect("started");
        let pid = loop {
            match fs::read_to_string(&pid_file) {
                Ok(pid) => break pid.trim().to_owned(),
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(10)),
            }
        };
        let number = child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &number]).status();
        assert!(sent.expect("kill runs").success());
        let ended = child.wait().expect("it ends");
        assert_eq!(ended.code(), Some(code), "{signal}");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let is_gone = status.is_empty() || status.contains("State:\tZ");
        assert!(is_gone, "{signal}: what it started goes on");
    }
}

#[test]
fn what_a_command_leaves_running_is_told() {
    let project = Project::new();
    record(&project, "one", &[], "test -z \"$SLOW\" || { sleep 3 & }");
    let mut command = project.command(&["reproduce", "runs/one"]);
    let output = command.env("SLOW", "1").output().expect("started");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("something that the command started goes on"), "{told}");
}
