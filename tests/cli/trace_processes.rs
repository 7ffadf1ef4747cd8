//! `run --trace` over trees of processes: whatever they do, it is seen, and they go on as without.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::project::Project;

const OPENER: &str = include_str!("opener.c");

/// A worktree with files of data, a first commit, and beside it a program that opens files.
fn sample() -> (Project, tempfile::TempDir, PathBuf) {
    let project = Project::new();
    project.write(b"data/rows.csv", b"a,1\n");
    project.write(b"data/more.csv", b"b,2\n");
    project.write(b"data/script.sh", b"#!/bin/sh\necho 1 > by-script\n");
    project.write(b"cut", b"long\n");
    let made = Command::new("chmod").arg("755").arg(project.path(b"data/script.sh")).status();
    assert!(made.expect("chmod runs").success());
    project.commit("base");
    let folder = tempfile::tempdir().expect("a folder");
    let (source, program) = (folder.path().join("opener.c"), folder.path().join("opener"));
    let mut file = fs::File::create(&source).expect("made");
    std::io::Write::write_all(&mut file, OPENER.as_bytes()).expect("written");
    let mut compiler = Command::new("cc");
    compiler.args(["-static", "-pthread", "-w", "-o"]).arg(&program).arg(&source);
    assert!(compiler.status().expect("a compiler, as Rust needs one").success());
    (project, folder, program)
}

/// Runs the program in one of its ways, and gives what was recorded.
#[track_caller]
fn open(project: &Project, program: &Path, way: &str) -> (String, Value) {
    let program = program.to_str().expect("text");
    let answer = project.run(&["run", "--trace", "--name", way, "--", program, way]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    (answer.err, project.record(way)["run"].clone())
}

fn paths(of: &Value) -> Vec<&str> {
    of.as_array().expect("a list").iter().map(|one| one["path"].as_str().expect("a path")).collect()
}

fn wait_for(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_static_program_is_seen_by_descriptors_links_and_moves() {
    let (project, _folder, program) = sample();
    let (_, run) = open(&project, &program, "directories");
    assert_eq!(paths(&run["inputs"]), ["data/more.csv", "data/rows.csv"]);
    let made = ["cut", "cut-too", "made-below", "named-late", "sign", "whole"];
    assert_eq!(paths(&run["outputs"]), made);
    assert!(run["trace"].get("missed").is_none(), "{run}");
}

#[test]
fn children_threads_and_scripts_are_seen() {
    let (project, _folder, program) = sample();
    let (_, run) = open(&project, &program, "children");
    assert_eq!(paths(&run["inputs"]), ["data/rows.csv", "data/script.sh"]);
    let mut made = vec!["by-grandchild", "by-script", "by-vfork"];
    made.extend(["thread-0", "thread-1", "thread-2", "thread-3"]);
    assert_eq!(paths(&run["outputs"]), made);
    assert!(run["trace"].get("missed").is_none(), "{run}");
}

#[test]
fn signals_and_kills_while_files_are_opened_break_nothing() {
    let (project, _folder, program) = sample();
    let (_, run) = open(&project, &program, "interrupted");
    assert_eq!(paths(&run["inputs"]), ["data/rows.csv"]);
    assert!(run["trace"]["calls"].as_u64() > Some(10_000), "{run}");
}

#[test]
fn long_names_are_followed_and_what_cannot_be_is_counted() {
    let (project, _folder, program) = sample();
    let (said, run) = open(&project, &program, "long");
    assert_eq!(paths(&run["inputs"]), ["data/rows.csv"], "by a path of 4,095 bytes");
    assert_eq!(run["trace"]["missed"], 1, "a place with a longer name than the kernel tells");
    assert!(said.contains("so that what they opened is not known: 1"), "{said}");
}

#[test]
fn io_uring_is_refused_with_a_word() {
    let (project, _folder, program) = sample();
    let (said, _) = open(&project, &program, "ring");
    assert!(said.contains("io_uring was refused"), "{said}");
}

#[test]
fn nothing_is_started_where_nothing_can_be_seen() {
    let (project, _folder, program) = sample();
    let ours = env!("CARGO_BIN_EXE_provenance");
    for (call, reason) in [
        ("seccomp", "or the container forbids it"),
        ("process_vm_readv", "the memory of other processes may not be read here"),
    ] {
        let script = "echo 1 > started";
        let mut command = Command::new(&program);
        command.args(["without", call, ours, "run", "--trace", "--", "sh", "-c", script]);
        let output = command.current_dir(project.root()).output().expect("ran");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(14), "{said}");
        assert!(said.contains(reason) && said.contains("hint: nothing was started"), "{said}");
        assert!(!project.path(b"started").exists());
        assert_eq!(project.done(&["runs", "--unfinished"]), "");
    }
}

#[test]
fn exit_codes_are_those_of_the_command() {
    let (project, _folder, _) = sample();
    let code = |words: &[&str]| {
        let words = [&["run", "--trace", "--no-advance", "--"], words].concat();
        let answer = project.run(&words);
        (answer.code, answer.err)
    };
    for (script, expected) in [("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
        assert_eq!(code(&["sh", "-c", script]).0, Some(expected), "{script}");
    }
    assert_eq!(code(&["no-such-program"]).0, Some(127));
    assert_eq!(code(&["data/rows.csv"]).0, Some(126));
    // A parent's death is no death of the thread that started it.
    assert_eq!(code(&["setpriv", "--pdeathsig", "KILL", "sleep", "0.2"]).0, Some(0));
    let program = env!("CARGO_BIN_EXE_provenance");
    let (inner, said) = code(&[program, "run", "--trace", "--", "true"]);
    assert_eq!(inner, Some(14), "one inside another is refused: {said}");
    assert!(said.contains("something around it watches already"), "{said}");
    assert_eq!(code(&[program, "run", "--no-advance", "--", "true"]).0, Some(0));
}

#[test]
fn a_user_without_rights_sees_as_much() {
    let (project, _folder, _) = sample();
    let script = "cat data/rows.csv > out";
    let words = ["--json", "run", "--trace", "--name", "t", "--", "sh", "-c", script];
    let Some(answer) = project.run_without_rights(&words) else { return };
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let run = project.record("t")["run"].clone();
    assert_eq!(
        (paths(&run["inputs"]), paths(&run["outputs"])),
        (vec!["data/rows.csv"], vec!["out"])
    );
}

/// Starts a script, watched, that has made `begun` when this returns.
fn start(project: &Project, script: &str) -> Child {
    let words = ["run", "--trace", "--name", "t", "--", "sh", "-c", script];
    let mut command = project.command(&words);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    wait_for(|| project.path(b"begun").exists());
    child
}

#[test]
fn an_interrupt_and_a_stop_reach_the_command() {
    let (project, _folder, _) = sample();
    let signal = |process: &str, signal: &str| {
        let sent = Command::new("kill").args([signal, process]).status();
        assert!(sent.expect("kill runs").success());
    };
    let script = "echo $$ > begun; while :; do cat data/rows.csv > out; done";
    let mut run = start(&project, script);
    wait_for(|| fs::read_to_string(project.path(b"begun")).is_ok_and(|text| text.ends_with('\n')));
    let inner = fs::read_to_string(project.path(b"begun")).expect("read");
    signal(inner.trim(), "-STOP");
    std::thread::sleep(Duration::from_millis(50));
    assert!(run.try_wait().expect("asked").is_none(), "a stopped command is waited for");
    signal(inner.trim(), "-CONT");
    signal(&run.id().to_string(), "-INT");
    let ended = run.wait().expect("ended");
    assert_eq!((ended.code(), ended.signal()), (None, Some(2)), "as the command");
    let run = project.record("t")["run"].clone();
    assert_eq!(run["exit_code"], 130);
    assert_eq!(paths(&run["outputs"]), ["begun", "out"]);
}

#[test]
fn what_outlives_its_run_or_its_watcher_opens_files_as_before() {
    let (project, _folder, _) = sample();
    let daemon = "(while [ ! -e left ]; do sleep 0.01; done; cat data/rows.csv > late) \
                  > /dev/null 2>&1 & echo 1 > begun";
    let ended = start(&project, daemon).wait().expect("ended");
    assert!(ended.success(), "the run does not wait for it: {ended}");
    project.write(b"left", b"");
    wait_for(|| fs::read(project.path(b"late")).is_ok_and(|bytes| bytes == b"a,1\n"));

    fs::remove_file(project.path(b"begun")).expect("removed");
    let script = "echo 1 > begun; while [ ! -e go ]; do cat data/rows.csv > /dev/null; done; \
                  cat data/more.csv > survived";
    let mut run = start(&project, script);
    run.kill().expect("killed");
    run.wait().expect("gone");
    project.write(b"go", b"");
    wait_for(|| fs::read(project.path(b"survived")).is_ok_and(|bytes| bytes == b"b,2\n"));
    let said = || project.run(&["run", "--recover"]).err;
    let mut last = String::new();
    wait_for(|| {
        let said = said();
        said.contains("the files that it opened are not known")
    });
    last.push_str(&project.done(&["runs", "--unfinished"]));
    assert_eq!(last, "");
}
