//! `reproduce` executes a recorded run again, says truly what came of it, and touches nothing else.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::project::{Answer, Project};

/// Records a run of a shell script.
#[track_caller]
pub(super) fn record(project: &Project, name: &str, options: &[&str], script: &str) {
    let words = [&["run", "-q", "--name", name], options, &["--", "sh", "-c", script]].concat();
    let answer = project.run(&words);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
}

pub(super) fn out(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.out).into_owned()
}

/// Everything that a reproduction may not touch.
fn state(project: &Project) -> (String, String, Vec<u8>) {
    let head = fs::read(project.path(b".provenance/HEAD")).expect("read");
    (project.text(&["log", "--journal"]), project.text(&["status"]), head)
}

fn json(project: &Project, words: &[&str]) -> Value {
    let answer = project.run(&[&["--json", "reproduce"], words].concat());
    serde_json::from_slice(&answer.out).expect("a document")
}

#[test]
fn a_run_that_depends_on_what_is_recorded_alone_is_reproduced() {
    let project = Project::new();
    project.write(b"data.csv", b"a\nb\nc\n");
    project.write(b"train.sh", b"wc -l < data.csv > out/model; echo {\\\"rows\\\": 3} > m.json\n");
    project.commit("data");
    let options = ["-i", "data.csv", "-o", "out", "--metrics", "m.json"];
    record(&project, "one", &options, "mkdir -p out && sh train.sh");
    // What is in the worktree now does not count.
    project.write(b"data.csv", b"spoilt\n");
    project.write(b"train.sh", b"exit 7\n");
    fs::remove_dir_all(project.path(b"out")).expect("removed");
    let before = state(&project);
    let answer = project.run(&["reproduce", "runs/one"]);
    let expected = "Outputs:\n  identical  out\nMetrics:\n  identical  rows  3\n\
                    one is reproduced: 1 output, 1 metric\n";
    assert_eq!((answer.code, out(&answer).as_str()), (Some(0), expected), "{}", answer.err);
    assert_eq!(state(&project), before);
    let place = answer.err.split('"').nth(1).expect("says where it ran");
    assert!(!std::path::Path::new(place).exists(), "{place} is left behind");
}

#[test]
fn what_is_drawn_by_lot_differs_and_is_named() {
    let project = Project::new();
    let script = "mkdir -p out; date +%s%N > out/now; echo same > out/same; echo > log; \
                  echo '{\"loss\": 0.25, \"seconds\": '$(date +%N | sed s/^0*//)'}' > m.json";
    record(&project, "lot", &["-o", "out", "-o", "log", "--metrics", "m.json"], script);
    let answer = project.run(&["reproduce", "runs/lot"]);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let said = out(&answer);
    let outputs = "  identical  log\n  different  out  1 of 2 files\n    M  out/now\n";
    assert!(said.contains(outputs), "{said}");
    assert!(said.contains("  identical  loss     0.25\n  different  seconds  "), "{said}");
    assert!(said.ends_with("lot is not reproduced: 2 of 4 outputs and metrics match\n"), "{said}");
    let ignoring = ["reproduce", "--ignore", "seconds", "--ignore", "out", "runs/lot"];
    let answer = project.run(&ignoring);
    assert_eq!(answer.code, Some(0), "{}", out(&answer));
    assert!(out(&answer).contains("lot is reproduced: 2 outputs, 2 metrics, 2 ignored\n"));
    let answer = project.run(&["reproduce", "--ignore", "secnods", "runs/lot"]);
    assert_eq!(answer.code, Some(2), "a slip is no name: {}", answer.err);
}

/// A script whose metrics are others each time that it runs, by a counter outside.
fn counting(project: &Project) -> String {
    let counter = project.path(b".provenance/cache/counter");
    let counter = counter.display();
    format!(
        "echo x >> {counter}; n=$(wc -l < {counter}); \
         echo '{{\"step\": 1, \"loss\": 2}}' >> $PROVENANCE_METRICS; \
         echo '{{\"step\": 2, \"loss\": 0.2'$n'}}' >> $PROVENANCE_METRICS; \
         echo '{{\"accuracy\": 0.9'$n'}}' > m.json; echo '{{\"seed\": '$n'}}' >> $PROVENANCE_PARAMS"
    )
}

#[test]
fn a_tolerance_is_how_far_metrics_may_be() {
    let project = Project::new();
    let script = counting(&project);
    record(&project, "near", &["-p", "lr=1", "-o", "m.json", "--metrics", "m.json"], &script);
    let answer = project.run(&["reproduce", "--tolerance", "0.015", "runs/near"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
    let expected = "Outputs:\n  within     m.json\nMetrics:\n  \
                    within  accuracy  0.91 → 0.92  (+0.01)\n  \
                    within  loss      0.21 → 0.22  (+0.01)\n\
                    Different from when it was recorded:\nParams:\n  seed  1  →  2  (+1)\n\
                    near is reproduced: 1 output, 2 metrics\n";
    assert_eq!(out(&answer), expected);
    let answer = json(&project, &["--tolerance", "0.015", "runs/near"]);
    assert_eq!(answer["reproduced"], false, "0.02 is farther: {answer}");
    assert_eq!(answer["metrics"][0]["verdict"], "different");
    assert_eq!(answer["differs"]["params"][0]["new"], "3");
    for wrong in ["-1", "NaN", "inf", "x"] {
        let word = format!("--tolerance={wrong}");
        assert_eq!(project.run(&["reproduce", &word, "runs/near"]).code, Some(2), "{wrong}");
    }
}

#[test]
fn what_is_not_written_again_is_missing() {
    let project = Project::new();
    let flag = project.path(b".provenance/cache/flag");
    project.write(b".provenance/cache/flag", b"");
    let script = format!(
        "echo x > sure; test -e {0} && {{ echo y > model; echo '{{\"f1\": 1}}' > m.json; \
         mkdir dir; echo 1 > dir/a; echo 2 > dir/b; }}; rm -f {0}",
        flag.display()
    );
    let options = ["-o", "model", "-o", "sure", "-o", "dir", "--metrics", "m.json"];
    record(&project, "gone", &options, &script);
    let answer = project.run(&["reproduce", "runs/gone"]);
    let said = out(&answer);
    assert_eq!(answer.code, Some(1), "{said}{}", answer.err);
    let outputs = "  missing    dir  2 of 2 files\n    D  dir/a\n    D  dir/b\n  \
                   missing    model\n  identical  sure\n";
    assert!(said.contains(outputs), "{said}");
    assert!(said.contains("  missing  f1  1 → -"), "{said}");
}

#[test]
fn a_run_that_writes_over_what_it_reads_begins_with_what_it_read() {
    let project = Project::new();
    project.write(b"model", b"base\n");
    project.write(b"state/a", b"1\n");
    project.commit("base");
    // Changed once more before the run, so that no commit has what it reads.
    project.write(b"model", b"tuned by hand\n");
    let options = ["-i", "model", "-i", "state", "-o", "model", "-o", "state/b"];
    let script = "echo more >> model; cat state/a > state/b; echo 2 >> state/b";
    record(&project, "over", &options, script);
    let answer = project.run(&["reproduce", "runs/over"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
    // A second one has read what the first has written.
    record(&project, "again", &options, script);
    let answer = project.run(&["reproduce", "runs/again"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
}

pub(super) fn git(project: &Project, words: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words);
    command.current_dir(project.root()).env("GIT_CONFIG_GLOBAL", "/dev/null");
    assert!(command.output().expect("git runs").status.success(), "{words:?}");
}

#[test]
fn code_of_git_comes_with_what_was_not_committed() {
    let project = Project::new();
    git(&project, &["init", "-q"]);
    project.write(b"lib/one.sh", b"echo committed\n");
    project.write(b"lib/two.sh", b"echo committed\n");
    project.write(b"result", b"of an earlier run, in git\n");
    git(&project, &["add", "lib", "result"]);
    git(&project, &["commit", "-qm", "code"]);
    project.write(b"lib/two.sh", b"echo changed\n");
    project.write(b"lib/new.sh", b"echo new\n");
    // An output is not there when a run begins again, not even the one that git has.
    let script = "grep -q earlier result 2>/dev/null && rm result; \
                  for it in one two new; do sh lib/$it.sh >> result; done";
    record(&project, "code", &["-o", "result"], script);
    // The checkout goes on; so does the index.
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "later"]);
    project.write(b"lib/one.sh", b"echo later\n");
    git(&project, &["add", "lib/one.sh"]);
    let index = fs::read(project.path(b".git/index")).expect("read");
    let answer = project.run(&["reproduce", "runs/code"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
    assert_eq!(fs::read(project.path(b".git/index")).expect("read"), index);
    assert_eq!(fs::read(project.path(b"lib/one.sh")).expect("read"), b"echo later\n");

    // Without the commit: it is said, before anything else goes wrong for that reason.
    fs::remove_dir_all(project.path(b".git")).expect("removed");
    let answer = project.run(&["reproduce", "runs/code"]);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(answer.err.contains("is not in a git checkout here"), "{}", answer.err);
    assert!(out(&answer).contains("Code:\n  git commit  "), "{}", out(&answer));
}

#[test]
fn a_worktree_below_the_root_of_a_git_checkout_stays_below_it() {
    let outer = Project::new();
    fs::remove_dir_all(outer.path(b".provenance")).expect("removed");
    git(&outer, &["init", "-q"]);
    outer.write(b"shared.sh", b"echo shared\n");
    outer.write(b"inner/x", b"x\n");
    git(&outer, &["add", "-A"]);
    git(&outer, &["commit", "-qm", "code"]);
    outer.done(&["-C", "inner", "init"]);
    let words = ["-C", "inner", "run", "-q", "--name", "up", "-o", "y", "--"];
    let command = ["sh", "-c", "sh ../shared.sh > y"];
    let answer = outer.run(&[&words[..], &command].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let answer = outer.run(&["-C", "inner", "reproduce", "runs/up"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
}

#[test]
fn what_the_command_does_to_a_repository_happens_to_another_one() {
    let project = Project::new();
    project.write(b"a", b"a\n");
    project.commit("a");
    let program = env!("CARGO_BIN_EXE_provenance");
    // When it was recorded there was no such program in the folder.
    let tool = project.path(b".provenance/cache/tool");
    let script = format!("echo x > made; test ! -e {0} || sh {0}", tool.display());
    record(&project, "nested", &["-o", "made"], &script);
    let damage = format!(
        "{program} -q add made && {program} -q commit -m inside && \
         {program} -q run --name inside -- true && {program} -q gc --prune-now && \
         {program} -q branch -m main other && rm made && {program} -q restore made"
    );
    project.write(b".provenance/cache/tool", damage.as_bytes());
    let before = state(&project);
    let answer = project.run(&["reproduce", "runs/nested"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
    assert_eq!(state(&project), before);
    // Even what takes away the repository takes away the other one.
    project.write(b".provenance/cache/tool", b"rm -rf .provenance");
    let answer = project.run(&["reproduce", "runs/nested"]);
    assert_eq!((answer.code, state(&project)), (Some(0), before), "{}", answer.err);
}

#[test]
fn a_directory_is_kept_where_it_was_asked_for() {
    let project = Project::new();
    record(&project, "one", &["-o", "x"], "echo x > x");
    let answer = project.run(&["reproduce", "--keep", "again", "runs/one"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(out(&answer).contains("Kept in "), "{}", out(&answer));
    assert_eq!(fs::read(project.path(b"again/x")).expect("kept"), b"x\n");
    let status = project.command(&["-C", "again", "status", "-s"]).output().expect("ran");
    assert!(status.status.success(), "it is a worktree of its own");
    let runs = fs::read_dir(project.path(b"again/.provenance/run")).expect("there");
    assert_eq!(runs.count(), 0, "no run is under way there");
    let answer = project.run(&["reproduce", "--keep", "again", "runs/one"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("the directory is not empty"), "{}", answer.err);
}

#[test]
fn what_cannot_be_run_again_is_refused() {
    let project = Project::new();
    project.write(b"a", b"a\n");
    project.commit("a");
    let answer = project.run(&["reproduce", "HEAD"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("is no commit of a run"), "{}", answer.err);

    let token = "hf_abcdefghijklmnopqrstuvwxyzABCDEF";
    let words = ["run", "-q", "--name", "secret", "--", "sh", "-c", "true", "--token", token];
    project.done(&words);
    let answer = project.run(&["reproduce", "runs/secret"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("secrets in the command were replaced"), "{}", answer.err);
    let typed = |script| ["reproduce", "runs/secret", "--", "sh", "-c", script, "--token", token];
    assert_eq!(project.run(&typed("true")).code, Some(0));
    assert_eq!(project.run(&typed("false")).code, Some(2), "another command is another run");
}

#[test]
fn a_run_that_failed_is_reproduced_if_it_fails_alike() {
    let project = Project::new();
    let flag = project.path(b".provenance/cache/flag");
    let script = format!("echo x > x; test -e {} && exit 4; exit 3", flag.display());
    let words = ["run", "-q", "--name", "bad", "-o", "x", "--", "sh", "-c", &script];
    assert_eq!(project.run(&words).code, Some(3));
    let answer = project.run(&["reproduce", "runs/bad"]);
    assert_eq!(answer.code, Some(0), "{}{}", out(&answer), answer.err);
    assert!(answer.err.contains("the recorded run ended with exit code 3"), "{}", answer.err);
    project.write(b".provenance/cache/flag", b"");
    let answer = project.run(&["reproduce", "runs/bad"]);
    assert_eq!(answer.code, Some(1));
    assert!(out(&answer).contains("ended with exit code 4, and with 3 when recorded"));
}

#[test]
fn of_weights_it_is_said_how_many_tensors_differ() {
    let project = Project::new();
    let tensor = |name, shape, from, to| {
        format!(r#""{name}":{{"dtype":"U8","shape":[{shape}],"data_offsets":[{from},{to}]}}"#)
    };
    let header = format!("{{{},{}}}", tensor("a", 2, 0, 2), tensor("b", 1, 2, 3));
    let counter = project.path(b".provenance/cache/counter");
    let script = format!(
        "echo x >> {0}; printf '\\{1:o}\\0\\0\\0\\0\\0\\0\\0%s\\1\\1%s' '{2}' $(wc -l < {0}) > \
         model.safetensors",
        counter.display(),
        header.len(),
        header
    );
    record(&project, "w", &["-o", "model.safetensors"], &script);
    let answer = project.run(&["reproduce", "runs/w"]);
    let line = "  different  model.safetensors  1 of 2 tensors\n";
    assert!(out(&answer).contains(line), "{}{}", out(&answer), answer.err);
    let answer = json(&project, &["runs/w"]);
    assert_eq!(answer["outputs"][0]["differing_files"][0]["tensors"]["changed"], 1, "{answer}");
}

#[test]
fn variables_that_are_others_now_are_named() {
    let project = Project::new();
    let mut command = project.command(&["run", "-q", "--name", "v", "-o", "x", "--"]);
    let ran = command.args(["sh", "-c", "echo $OMP_NUM_THREADS > x"]).env("OMP_NUM_THREADS", "2");
    assert!(ran.status().expect("ran").success());
    let answer = project.run(&["reproduce", "runs/v"]);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let said = "Variables:\n  OMP_NUM_THREADS  2  →  -\n";
    assert!(out(&answer).contains(said), "{}", out(&answer));
    let mut command = project.command(&["reproduce", "runs/v"]);
    let again = command.env("OMP_NUM_THREADS", "2").output();
    assert_eq!(again.expect("ran").status.code(), Some(0));
}
