//! `run` as a training script meets it: what is recorded, and what becomes of the branch.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::project::Project;

/// A worktree with a file of data, and its first commit.
fn sample() -> Project {
    let project = Project::new();
    project.write(b"data/rows.csv", b"a,1\n");
    project.commit("base");
    project
}

#[test]
fn inputs_outputs_and_output_are_recorded_and_the_branch_moves_on() {
    let project = sample();
    let script = "cat data/rows.csv data/rows.csv > model.bin; echo said; echo warned >&2";
    let words = ["run", "-i", "data", "-o", "model.bin", "-p", "lr=0.01", "-p", "opt=adam"];
    let output = project.output(&[&words[..], &["--", "sh", "-c", script]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"said\n", "nothing of ours among it");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("warned\n") && told.contains("main stands on it"), "{told}");

    let commit = project.record("HEAD");
    let run = &commit["run"];
    assert_eq!(run["exit_code"], 0);
    assert_eq!(run["params"], serde_json::json!({"lr": 0.01, "opt": "adam"}));
    assert_eq!(run["command"], serde_json::json!(["sh", "-c", script]));
    assert_eq!(run["inputs"][0]["path"], "data");
    assert_eq!(run["outputs"][0]["bytes"], 8);
    assert_eq!(project.record(run["name"].as_str().expect("a name"))["id"], commit["id"]);
    let log = run["log"].as_str().expect("a log");
    let mut log: Vec<String> = project.done(&["cat", log]).lines().map(str::to_owned).collect();
    log.sort();
    assert_eq!(log, ["said", "warned"]);
    assert!(project.done(&["status"]).contains("the worktree is clean"), "outputs are tracked");

    let again = ["run", "-i", "model.bin", "--", "true"];
    project.done(&again);
    assert_eq!(project.record("HEAD")["run"]["inputs"][0]["commit"], commit["id"], "who made it");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

/// The record had no such input or output, and nobody was told.
#[test]
fn a_declared_path_that_is_no_text_is_refused_before_anything_runs() {
    let project = sample();
    let name = OsStr::from_bytes(b"data/\xff.csv");
    project.write(name.as_bytes(), b"1\n");
    for option in ["-i", "-o", "--params", "--metrics"] {
        let words = [&["run", option].map(OsStr::new)[..], &[name]].concat();
        let command = ["--", "sh", "-c", "echo ran >ran"].map(OsStr::new);
        let answer = project.run(&[&words[..], &command].concat());
        assert_eq!(answer.code, Some(2), "{option}: {}", answer.err);
        assert!(answer.err.contains(r"data/\xff.csv"), "{}", answer.err);
        assert!(!project.path(b"ran").exists());
    }
    project.done(&["run", "-i", "data", "--", "true"]);
    assert_eq!(project.record("HEAD")["run"]["inputs"][0]["files"], 2);
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let project = sample();
    let base = project.record("HEAD")["id"].clone();
    for (script, code) in [("exit 7", 7), ("kill -TERM $$", 143)] {
        let output = project.output(&["run", "--name", "bad", "--", "sh", "-c", script]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    assert_eq!(project.record("bad")["run"]["exit_code"], 7);
    assert_eq!(project.record("runs/bad-2")["run"]["exit_code"], 143);
    assert_eq!(project.record("bad-2")["run"]["name"], "bad-2");
    assert_eq!(project.record("HEAD")["id"], base, "a run that failed stays beside the branch");
    for (program, code) in [("no-such-program", 127), ("data/rows.csv", 126)] {
        let output = project.output(&["run", "--name", "none", "--", program]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    assert_eq!(project.output(&["show", "none"]).status.code(), Some(2), "nothing ran");
    let output = project.output(&["-q", "run", "-o", "gone", "--", "true"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said, "provenance: missing: gone was to be written, and is not there\n");
    let outputs = project.record("HEAD")["run"]["outputs"].clone();
    assert_eq!(outputs, serde_json::json!([{"path": "gone"}]), "recorded as missing");
}

#[test]
fn a_run_stays_beside_a_branch_that_moved_and_leaves_the_stage_alone() {
    let project = sample();
    let path = project.root();
    let script = "echo 1 > out; while [ ! -e go ]; do sleep 0.01; done";
    let words = ["run", "--name", "slow", "-o", "out", "--", "sh", "-c", script];
    let slow = project.command(&words).stderr(Stdio::null()).spawn().expect("started");
    wait_for(|| path.join("out").exists());
    project.write(b"new.txt", "meanwhile".as_bytes());
    project.done(&["add", "-q", "new.txt"]);
    project.done(&["commit", "-qm", "meanwhile"]);
    let head = project.record("HEAD")["id"].clone();
    project.write(b"go", "".as_bytes());
    assert!(slow.wait_with_output().expect("ended").status.success());
    assert_eq!(project.record("HEAD")["id"], head);
    assert_eq!(project.record("slow")["run"]["outputs"][0]["bytes"], 2);
    let status = project.done(&["--json", "status"]);
    assert!(!status.contains("deleted") && !status.contains("\"new.txt\""), "{status}");
}

#[test]
fn a_run_that_died_is_listed_and_recorded_later() {
    let project = sample();
    let path = project.root();
    let script = "echo begun; echo 1 > out; exec sleep 600";
    let words = ["run", "--name", "dies", "-o", "out", "-i", "data", "--", "sh", "-c", script];
    let mut run =
        project.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(|| path.join("out").exists());
    let listed = project.done(&["--json", "runs", "--unfinished"]);
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one")["alive"], true);
    let _child_of_it = Command::new("pkill").args(["-KILL", "-P", &run.id().to_string()]).status();
    run.kill().expect("killed");
    run.wait().expect("gone");
    // Its own end may have been seen first; then it is recorded already.
    if project.output(&["show", "-s", "dies"]).status.success() {
        return;
    }
    let listed = project.done(&["--json", "runs", "--unfinished"]);
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one")["alive"], false);
    project.done(&["gc", "-q", "--prune-now"]);
    project.done(&["run", "--recover"]);
    let run = project.record("dies")["run"].clone();
    assert!(run.get("exit_code").is_none() && run.get("ended").is_none(), "{run}");
    assert_eq!(run["outputs"][0]["bytes"], 2);
    assert_eq!(project.done(&["runs", "--unfinished"]), "");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn many_runs_at_once_are_all_recorded() {
    const RUNS: usize = 50;
    let project = sample();
    let path = project.root();
    let project = &project;
    thread::scope(|scope| {
        for number in 0..RUNS {
            scope.spawn(move || {
                let (out, script) =
                    (format!("out/{number}"), format!("echo {number} > out/{number}"));
                fs::create_dir_all(path.join("out")).expect("made");
                project
                    .done(&["-q", "run", "--name", "many", "-o", &out, "--", "sh", "-c", &script]);
            });
        }
    });
    let listed = project.done(&["--json", "runs"]);
    let mut outputs: Vec<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a record"))
        .map(|commit| commit["run"]["outputs"][0]["path"].as_str().expect("a path").to_owned())
        .collect();
    outputs.sort();
    outputs.dedup();
    assert_eq!(outputs.len(), RUNS, "each once");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
    assert_eq!(project.done(&["runs", "--unfinished"]), "");
}

#[test]
fn runs_are_chosen_sorted_and_shown() {
    let project = sample();
    for lr in ["0.1", "0.01", "0.001"] {
        let (name, param) = (format!("lr-{lr}"), format!("lr={lr}"));
        project.done(&["-q", "run", "--name", &name, "-p", &param, "--", "true"]);
    }
    let names = |words: &[&str]| -> Vec<String> {
        let listed = project.done(&[&["--json", "runs"], words].concat());
        let name = |line: &str| {
            let commit: Value = serde_json::from_str(line).expect("a record");
            commit["run"]["name"].as_str().expect("a name").to_owned()
        };
        listed.lines().map(name).collect()
    };
    assert_eq!(names(&["--sort", "params.lr"]), ["lr-0.001", "lr-0.01", "lr-0.1"]);
    assert_eq!(names(&["--sort", "-params.lr", "-n", "1"]), ["lr-0.1"]);
    assert_eq!(names(&["--where", "params.lr < 0.1", "--sort", "name"]), ["lr-0.001", "lr-0.01"]);
    let csv = project.done(&["runs", "--csv", "--columns", "name,params.lr", "--sort", "name"]);
    let rows: Vec<&str> =
        csv.lines().filter_map(|line| line.split_once(',')).map(|r| r.1).collect();
    assert_eq!(rows, ["name,params.lr", "lr-0.001,0.001", "lr-0.01,0.01", "lr-0.1,0.1"]);
    let refused = project.output(&["runs", "--where", "params.lr <"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[test]
fn the_difference_of_two_runs_begins_with_what_was_set_and_measured() {
    let project = sample();
    let script = r#"printf '{"accuracy": %s}' $1 > metrics.json"#;
    for (name, temperature, accuracy) in [("good", "0.7", "0.93"), ("bad", "0.9", "0.81")] {
        let param = format!("temperature={temperature}");
        let words = ["run", "-q", "--name", name, "-p", &param, "-p", "seed=1"];
        let rest = ["--metrics", "metrics.json", "--", "sh", "-c", script, "sh", accuracy];
        project.done(&[&words[..], &rest].concat());
    }
    let said = project.done(&["diff", "good", "bad"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "Params:", "{said}");
    assert_eq!(lines[1], "  temperature  0.7  →  0.9  (+0.2)", "{said}");
    assert_eq!(lines[2..4], ["Metrics:", "  accuracy  0.93  →  0.81  (-0.12)"], "{said}");
    assert!(!said.contains("seed"), "what is equal is not shown: {said}");
    assert_eq!(project.done(&["diff", "good..bad"]), said);
    assert!(!project.done(&["diff", "good", "bad", "--", "data"]).contains("temperature"));
}

#[test]
fn a_declared_run_needs_its_name_alone_and_is_not_run_twice() {
    let project = sample();
    let declared = "[run.train]\ncommand = \"cat data/rows.csv > model.bin\"\ninputs = \"data\"\n\
                    outputs = \"model.bin\"\nparams = {lr = 0.1}\n";
    project.write(b"provenance.toml", declared.as_bytes());
    let said = |words: &[&str]| {
        let output = project.output(words);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["run", "train"]).contains("recorded run train as"));
    assert_eq!(project.record("train")["run"]["params"], serde_json::json!({"lr": 0.1}));
    assert!(said(&["run", "train"]).starts_with("provenance: skipped: run train"));
    assert!(said(&["run", "train", "--force"]).contains("recorded run train-2"));
    assert!(said(&["run", "train", "-p", "lr=0.2"]).contains("recorded run train-3"));
    project.write(b"data/rows.csv", "a,2\n".as_bytes());
    assert!(said(&["run", "train"]).contains("recorded run train-4"));
    assert!(said(&["-C", "data", "run", "train"]).contains("skipped: run train-4"));
    let unknown = project.output(&["run", "trian"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert_eq!(project.output(&["run"]).status.code(), Some(2));
}

#[test]
fn what_cannot_be_recorded_is_refused_or_told_and_nothing_is_waited_for() {
    let project = sample();
    let path = project.root();
    let pipe = Command::new("mkfifo").arg(path.join("pipe")).status();
    assert!(pipe.is_ok_and(|made| made.success()));
    let refused = project.output(&["run", "--params", "pipe", "--", "true"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let told = project.output(&["run", "--metrics", "pipe", "--", "true"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("no regular file"), "{told:?}");
    let refused = project.output(&["run", "-i", "pipe", "--", "true"]);
    assert_eq!(refused.status.code(), Some(2), "a pipe has no content: {refused:?}");
    for option in ["-i", "-o"] {
        let refused = project.output(&["run", option, ".", "--", "true"]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    for words in [["--where", "foo = 1"], ["--sort", "-bar"]] {
        let refused = project.output(&[&["runs"][..], &words].concat());
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    project.done(&["checkout", "-q", "main~0"]);
    let beside = project.output(&["run", "--", "true"]);
    assert!(String::from_utf8_lossy(&beside.stderr).contains("no branch is checked out"));
}

/// Our own files, and those that are looked for beside the command's, may be pipes as well: the
/// record was waited for without end then, with the lock of the worktree in hand.
#[test]
fn pipes_that_the_command_leaves_behind_are_not_waited_for() {
    let project = sample();
    let ours = "mkdir -p out; echo 1 >out/f; cd $PROVENANCE_RUN_DIR";
    let replaced = |name: &str| format!("{ours}; rm -f {name}; mkfifo {name}");
    let mut cases: Vec<String> =
        ["log", "params.jsonl", "metrics.jsonl", "environment.json"].map(replaced).to_vec();
    cases.push("mkdir -p out; echo 1 >out/f; mkfifo out/adapter_config.json".to_owned());
    cases.push("mkfifo requirements.txt uv.lock pyproject.toml".to_owned());
    cases.push("rm out/adapter_config.json".to_owned());
    for script in cases {
        let mut run = project.command(&["run", "-o", "out", "--", "sh", "-c", &script]);
        let mut run = run.stderr(Stdio::null()).spawn().expect("started");
        let began = Instant::now();
        let ended = loop {
            if let Some(ended) = run.try_wait().expect("looked") {
                break ended;
            }
            if began.elapsed() > Duration::from_secs(30) {
                run.kill().expect("killed");
                panic!("waits for ever: {script}");
            }
            thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(ended.code(), Some(0), "{script}");
        assert_eq!(project.record("HEAD")["run"]["command"][2], script);
    }
}

/// Whoever presses Ctrl-C twice wants to end the command, not its record.
#[test]
fn a_second_interrupt_is_for_the_command_too() {
    use std::os::unix::process::ExitStatusExt as _;
    let project = sample();
    let path = project.root();
    let script = "trap 'echo 1 >> got' INT; echo > ready; while [ \"$(wc -l < got)\" != 2 ]; do \
                  sleep 0.05; done; trap - INT; kill -INT $$";
    project.write(b"got", "".as_bytes());
    let words = ["run", "--name", "twice", "--", "sh", "-c", script];
    let mut run = project.command(&words);
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
    assert_eq!(project.record("twice")["run"]["exit_code"], 130);
}

/// A recovery used to record a run whose wrapper was killed while its command still wrote.
#[test]
fn a_command_that_outlives_us_is_under_way_until_it_ends() {
    let project = sample();
    let path = project.root();
    let script = "echo 1 > out; while [ ! -e go ]; do sleep 0.02; done; echo 2 >> out";
    let words = ["run", "--name", "orphan", "-o", "out", "--", "sh", "-c", script];
    let mut run = project.command(&words);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    wait_for(|| path.join("out").exists());
    run.kill().expect("killed");
    run.wait().expect("gone");
    let listed = project.done(&["--json", "runs", "--unfinished"]);
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one")["alive"], true);
    project.done(&["run", "--recover"]);
    assert_eq!(project.output(&["show", "-s", "orphan"]).status.code(), Some(2), "not yet");
    project.write(b"go", b"");
    wait_for(|| {
        project.done(&["run", "--recover"]);
        project.output(&["show", "-s", "orphan"]).status.success()
    });
    assert_eq!(project.record("orphan")["run"]["outputs"][0]["bytes"], 4, "all that it wrote");
}

/// A recovery used to take the lock of a run that was just being made, and that run failed.
#[test]
fn recoveries_leave_runs_that_begin_and_end_alone() {
    const RUNS: usize = 30;
    let project = &sample();
    let is_over = &AtomicBool::new(false);
    thread::scope(|scope| {
        for words in [["run", "--recover"], ["runs", "--unfinished"]] {
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    project.done(&words);
                }
            });
        }
        let brief = ["run", "--name", "brief", "--", "true"];
        let ran: Vec<_> = (0..RUNS).map(|_| project.output(&brief)).collect();
        // Before anything can fail here: the others would never end.
        is_over.store(true, Ordering::Relaxed);
        for output in ran {
            assert!(output.status.success(), "{output:?}");
        }
    });
    let listed = project.done(&["--json", "runs"]);
    assert_eq!(listed.lines().count(), RUNS);
    assert!(!listed.contains("nobody saw"), "{listed}");
}

#[test]
fn a_command_that_deletes_the_repository_is_told_so() {
    let project = sample();
    let said = project.run(&["run", "--", "sh", "-c", "rm -rf .provenance"]);
    assert_eq!(said.code, Some(13), "{}", said.err);
    assert!(said.err.contains("was deleted while the command ran"), "{}", said.err);
}

fn wait_for(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come");
        thread::sleep(Duration::from_millis(5));
    }
}
