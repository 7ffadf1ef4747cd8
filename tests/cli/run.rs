//! `run` as a training script meets it: what is recorded, and what becomes of the branch.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

fn command(directory: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provenance"));
    command.current_dir(directory).args(words).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn provenance(directory: &Path, words: &[&str]) -> Output {
    command(directory, words).output().expect("the program starts")
}

#[track_caller]
fn done(directory: &Path, words: &[&str]) -> String {
    let output = provenance(directory, words);
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn write(path: &Path, text: &str) {
    let mut file = fs::File::create(path).expect("made");
    file.write_all(text.as_bytes()).expect("written");
}

/// A worktree with a file of data, and its first commit.
fn sample() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    done(folder.path(), &["init", "-q"]);
    fs::create_dir(folder.path().join("data")).expect("made");
    write(&folder.path().join("data/rows.csv"), "a,1\n");
    done(folder.path(), &["add", "-q", "."]);
    done(folder.path(), &["commit", "-qm", "base"]);
    folder
}

fn record(directory: &Path, revision: &str) -> Value {
    let shown = done(directory, &["--json", "show", "-s", revision]);
    serde_json::from_str(&shown).expect("a document")
}

#[test]
fn inputs_outputs_and_output_are_recorded_and_the_branch_moves_on() {
    let folder = sample();
    let path = folder.path();
    let script = "cat data/rows.csv data/rows.csv > model.bin; echo said; echo warned >&2";
    let words = ["run", "-i", "data", "-o", "model.bin", "-p", "lr=0.01", "-p", "opt=adam"];
    let output = provenance(path, &[&words[..], &["--", "sh", "-c", script]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"said\n", "nothing of ours among it");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("warned\n") && told.contains("main stands on it"), "{told}");

    let commit = record(path, "HEAD");
    let run = &commit["run"];
    assert_eq!(run["exit_code"], 0);
    assert_eq!(run["params"], serde_json::json!({"lr": 0.01, "opt": "adam"}));
    assert_eq!(run["command"], serde_json::json!(["sh", "-c", script]));
    assert_eq!(run["inputs"][0]["path"], "data");
    assert_eq!(run["outputs"][0]["bytes"], 8);
    assert_eq!(record(path, run["name"].as_str().expect("a name"))["id"], commit["id"]);
    let log = run["log"].as_str().expect("a log");
    let mut log: Vec<String> = done(path, &["cat", log]).lines().map(str::to_owned).collect();
    log.sort();
    assert_eq!(log, ["said", "warned"]);
    assert!(done(path, &["status"]).contains("the worktree is clean"), "outputs are tracked");

    let again = ["run", "-i", "model.bin", "--", "true"];
    done(path, &again);
    assert_eq!(record(path, "HEAD")["run"]["inputs"][0]["commit"], commit["id"], "who made it");
    assert!(done(path, &["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let folder = sample();
    let path = folder.path();
    let base = record(path, "HEAD")["id"].clone();
    for (script, code) in [("exit 7", 7), ("kill -TERM $$", 143)] {
        let output = provenance(path, &["run", "--name", "bad", "--", "sh", "-c", script]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    assert_eq!(record(path, "bad")["run"]["exit_code"], 7);
    assert_eq!(record(path, "runs/bad-2")["run"]["exit_code"], 143);
    assert_eq!(record(path, "bad-2")["run"]["name"], "bad-2");
    assert_eq!(record(path, "HEAD")["id"], base, "a run that failed stays beside the branch");
    for (program, code) in [("no-such-program", 127), ("data/rows.csv", 126)] {
        let output = provenance(path, &["run", "--name", "none", "--", program]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    assert_eq!(provenance(path, &["show", "none"]).status.code(), Some(2), "nothing ran");
    let output = provenance(path, &["run", "-o", "gone", "--", "true"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let outputs = record(path, "HEAD")["run"]["outputs"].clone();
    assert_eq!(outputs, serde_json::json!([{"path": "gone"}]), "recorded as missing");
}

#[test]
fn a_run_stays_beside_a_branch_that_moved_and_leaves_the_stage_alone() {
    let folder = sample();
    let path = folder.path();
    let script = "echo 1 > out; while [ ! -e go ]; do sleep 0.01; done";
    let words = ["run", "--name", "slow", "-o", "out", "--", "sh", "-c", script];
    let slow = command(path, &words).stderr(Stdio::null()).spawn().expect("started");
    wait_for(|| path.join("out").exists());
    write(&path.join("new.txt"), "meanwhile");
    done(path, &["add", "-q", "new.txt"]);
    done(path, &["commit", "-qm", "meanwhile"]);
    let head = record(path, "HEAD")["id"].clone();
    write(&path.join("go"), "");
    assert!(slow.wait_with_output().expect("ended").status.success());
    assert_eq!(record(path, "HEAD")["id"], head);
    assert_eq!(record(path, "slow")["run"]["outputs"][0]["bytes"], 2);
    let status = done(path, &["--json", "status"]);
    assert!(!status.contains("deleted") && !status.contains("\"new.txt\""), "{status}");
}

#[test]
fn a_run_that_died_is_listed_and_recorded_later() {
    let folder = sample();
    let path = folder.path();
    let script = "echo begun; echo 1 > out; exec sleep 600";
    let words = ["run", "--name", "dies", "-o", "out", "-i", "data", "--", "sh", "-c", script];
    let mut run =
        command(path, &words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(|| path.join("out").exists());
    let listed = done(path, &["--json", "runs", "--unfinished"]);
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one")["alive"], true);
    let _child_of_it = Command::new("pkill").args(["-KILL", "-P", &run.id().to_string()]).status();
    run.kill().expect("killed");
    run.wait().expect("gone");
    // Its own end may have been seen first; then it is recorded already.
    if provenance(path, &["show", "-s", "dies"]).status.success() {
        return;
    }
    let listed = done(path, &["--json", "runs", "--unfinished"]);
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one")["alive"], false);
    done(path, &["gc", "-q", "--prune-now"]);
    done(path, &["run", "--recover"]);
    let run = record(path, "dies")["run"].clone();
    assert!(run.get("exit_code").is_none() && run.get("ended").is_none(), "{run}");
    assert_eq!(run["outputs"][0]["bytes"], 2);
    assert_eq!(done(path, &["runs", "--unfinished"]), "");
    assert!(done(path, &["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn many_runs_at_once_are_all_recorded() {
    const RUNS: usize = 50;
    let folder = sample();
    let path = folder.path();
    thread::scope(|scope| {
        for number in 0..RUNS {
            scope.spawn(move || {
                let (out, script) =
                    (format!("out/{number}"), format!("echo {number} > out/{number}"));
                fs::create_dir_all(path.join("out")).expect("made");
                done(path, &["-q", "run", "--name", "many", "-o", &out, "--", "sh", "-c", &script]);
            });
        }
    });
    let listed = done(path, &["--json", "runs"]);
    let mut outputs: Vec<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a record"))
        .map(|commit| commit["run"]["outputs"][0]["path"].as_str().expect("a path").to_owned())
        .collect();
    outputs.sort();
    outputs.dedup();
    assert_eq!(outputs.len(), RUNS, "each once");
    assert!(done(path, &["fsck", "--full"]).contains("No problem found"));
    assert_eq!(done(path, &["runs", "--unfinished"]), "");
}

#[test]
fn runs_are_chosen_sorted_and_shown() {
    let folder = sample();
    let path = folder.path();
    for lr in ["0.1", "0.01", "0.001"] {
        let (name, param) = (format!("lr-{lr}"), format!("lr={lr}"));
        done(path, &["-q", "run", "--name", &name, "-p", &param, "--", "true"]);
    }
    let names = |words: &[&str]| -> Vec<String> {
        let listed = done(path, &[&["--json", "runs"], words].concat());
        let name = |line: &str| {
            let commit: Value = serde_json::from_str(line).expect("a record");
            commit["run"]["name"].as_str().expect("a name").to_owned()
        };
        listed.lines().map(name).collect()
    };
    assert_eq!(names(&["--sort", "params.lr"]), ["lr-0.001", "lr-0.01", "lr-0.1"]);
    assert_eq!(names(&["--sort", "-params.lr", "-n", "1"]), ["lr-0.1"]);
    assert_eq!(names(&["--where", "params.lr < 0.1", "--sort", "name"]), ["lr-0.001", "lr-0.01"]);
    let csv = done(path, &["runs", "--csv", "--columns", "name,params.lr", "--sort", "name"]);
    let rows: Vec<&str> =
        csv.lines().filter_map(|line| line.split_once(',')).map(|r| r.1).collect();
    assert_eq!(rows, ["name,params.lr", "lr-0.001,0.001", "lr-0.01,0.01", "lr-0.1,0.1"]);
    let refused = provenance(path, &["runs", "--where", "params.lr <"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[test]
fn the_difference_of_two_runs_begins_with_what_was_set_and_measured() {
    let folder = sample();
    let path = folder.path();
    let script = r#"printf '{"accuracy": %s}' $1 > metrics.json"#;
    for (name, temperature, accuracy) in [("good", "0.7", "0.93"), ("bad", "0.9", "0.81")] {
        let param = format!("temperature={temperature}");
        let words = ["run", "-q", "--name", name, "-p", &param, "-p", "seed=1"];
        let rest = ["--metrics", "metrics.json", "--", "sh", "-c", script, "sh", accuracy];
        done(path, &[&words[..], &rest].concat());
    }
    let said = done(path, &["diff", "good", "bad"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "Params:", "{said}");
    assert_eq!(lines[1], "  temperature  0.7  →  0.9  (+0.2)", "{said}");
    assert_eq!(lines[2..4], ["Metrics:", "  accuracy  0.93  →  0.81  (-0.12)"], "{said}");
    assert!(!said.contains("seed"), "what is equal is not shown: {said}");
    assert_eq!(done(path, &["diff", "good..bad"]), said);
    assert!(!done(path, &["diff", "good", "bad", "--", "data"]).contains("temperature"));
}

#[test]
fn a_declared_run_needs_its_name_alone_and_is_not_run_twice() {
    let folder = sample();
    let path = folder.path();
    let declared = "[run.train]\ncommand = \"cat data/rows.csv > model.bin\"\ninputs = \"data\"\n\
                    outputs = \"model.bin\"\nparams = {lr = 0.1}\n";
    write(&path.join("provenance.toml"), declared);
    let said = |words: &[&str]| {
        let output = provenance(path, words);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["run", "train"]).contains("recorded run train as"));
    assert_eq!(record(path, "train")["run"]["params"], serde_json::json!({"lr": 0.1}));
    assert!(said(&["run", "train"]).starts_with("provenance: skipped: run train"));
    assert!(said(&["run", "train", "--force"]).contains("recorded run train-2"));
    assert!(said(&["run", "train", "-p", "lr=0.2"]).contains("recorded run train-3"));
    write(&path.join("data/rows.csv"), "a,2\n");
    assert!(said(&["run", "train"]).contains("recorded run train-4"));
    assert!(said(&["-C", "data", "run", "train"]).contains("skipped: run train-4"));
    let unknown = provenance(path, &["run", "trian"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert_eq!(provenance(path, &["run"]).status.code(), Some(2));
}

#[test]
fn what_cannot_be_recorded_is_refused_or_told_and_nothing_is_waited_for() {
    let folder = sample();
    let path = folder.path();
    let pipe = Command::new("mkfifo").arg(path.join("pipe")).status();
    assert!(pipe.is_ok_and(|made| made.success()));
    let refused = provenance(path, &["run", "--params", "pipe", "--", "true"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let told = provenance(path, &["run", "--metrics", "pipe", "--", "true"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("no regular file"), "{told:?}");
    for option in ["-i", "-o"] {
        let refused = provenance(path, &["run", option, ".", "--", "true"]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    for words in [["--where", "foo = 1"], ["--sort", "-bar"]] {
        let refused = provenance(path, &[&["runs"][..], &words].concat());
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    done(path, &["checkout", "-q", "main~0"]);
    let beside = provenance(path, &["run", "--", "true"]);
    assert!(String::from_utf8_lossy(&beside.stderr).contains("no branch is checked out"));
}

/// Whoever presses Ctrl-C twice wants to end the command, not its record.
#[test]
fn a_second_interrupt_is_for_the_command_too() {
    use std::os::unix::process::ExitStatusExt as _;
    let folder = sample();
    let path = folder.path();
    let script = "trap 'echo 1 >> got' INT; echo > ready; while [ \"$(wc -l < got)\" != 2 ]; do \
                  sleep 0.05; done; trap - INT; kill -INT $$";
    write(&path.join("got"), "");
    let words = ["run", "--name", "twice", "--", "sh", "-c", script];
    let mut run = command(path, &words);
    let mut run = run.stderr(Stdio::null()).stdin(Stdio::null()).spawn().expect("started");
    wait_for(|| path.join("ready").exists());
    for count in 1..=2 {
        let sent = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
        assert!(sent.is_ok_and(|sent| sent.success()));
        let lines = || fs::read_to_string(path.join("got")).unwrap_or_default().lines().count();
        // Ours may not have a terminal in common with the command: then it is passed on.
        wait_for(|| lines() >= count);
    }
    let ended = run.wait().expect("ended");
    assert_eq!(ended.signal(), Some(2), "as the command: {ended:?}");
    assert_eq!(record(path, "twice")["run"]["exit_code"], 130);
}

fn wait_for(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come");
        thread::sleep(Duration::from_millis(5));
    }
}
