//! `bisect inputs` names what flips the verdict, nothing else, and touches nothing.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::project::{Answer, Project};

const RULE: [&str; 4] = ["--metric", "metrics.m", "--below", "0.5"];

/// Records a run whose metric is what the script prints.
#[track_caller]
fn record(project: &Project, name: &str, script: &str, arguments: &[&str]) {
    project.add();
    let script = format!("(echo m; {script}) > m.csv");
    let words = ["run", "-q", "--name", name, "--metrics", "m.csv", "--", "sh", "-c", &script];
    let answer = project.run(&[&words[..], &["sh"], arguments].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
}

fn search(project: &Project, options: &[&str]) -> Answer {
    project.run(&[&["bisect", "inputs", "--run"], options, &["runs/a", "runs/b"]].concat())
}

#[track_caller]
fn found(project: &Project, options: &[&str]) -> (Vec<String>, u64) {
    let words = ["--json", "bisect", "inputs", "--run"];
    let answer = project.run(&[&words[..], options, &["runs/a", "runs/b"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let answer: Value = serde_json::from_slice(&answer.out).expect("a document");
    let found = answer["found"].as_array().expect("found").iter();
    let names = found.map(|unit| unit["name"].as_str().expect("a name").to_owned()).collect();
    (names, answer["tried"].as_u64().expect("a number"))
}

fn out(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.out).into_owned()
}

/// Two runs between which seven things differ; bad is a hot temperature with a spoilt row.
fn mixed() -> Project {
    let project = Project::new();
    // Bad if the temperature is 9 and there is a row that says so.
    let script = "if test $2 = 9 && grep -q bad rows.csv; then echo 0.1; else echo 0.9; fi";
    project.write(b"rows.csv", b"x\n1\n2\n3\n4\n5\n");
    project.write(b"config.json", b"{\"lr\": 1, \"seed\": 1}\n");
    project.write(b"gone", b"1\n");
    project.commit("good");
    record(&project, "a", script, &["--temperature", "7", "--batch", "8"]);
    project.write(b"rows.csv", b"x\n1\ntwo\n3\nbad\n5\n6\n");
    project.write(b"config.json", b"{\"lr\": 2, \"seed\": 2}\n");
    project.write(b"new", b"1\n");
    fs::remove_file(project.path(b"gone")).expect("removed");
    record(&project, "b", script, &["--temperature", "9", "--batch", "16"]);
    project
}

#[test]
fn what_flips_a_metric_is_named_down_to_the_row() {
    let project = mixed();
    let before = (project.text(&["log", "--journal"]), project.text(&["status"]));
    let plan = project.run(&[&["bisect", "inputs"], &RULE[..], &["runs/a", "runs/b"]].concat());
    assert!(out(&plan).starts_with("7 differences between the runs:\n"), "{plan:?}");
    assert!(out(&plan).contains("  config.json: lr  1 → 2\n"), "{}", out(&plan));

    let answer = search(&project, &RULE);
    let said = out(&answer);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let these = "These 2 together flip the verdict, and none can be left out:\n  \
                 --temperature  7 → 9\n  rows.csv  ";
    assert!(said.starts_with(these), "{said}");
    assert!(said.contains("Without: metrics.m is 0.9; with: metrics.m is 0.1\n"), "{said}");
    assert!(said.contains("To take it back: provenance rollback runs/a rows.csv\n"), "{said}");
    assert!(said.contains("sh --temperature 7 --batch 16\n"), "the batch is not to blame: {said}");
    let files = answer.err.matches(" from the bad run: ").count();
    assert!(files <= 20, "{}", answer.err);

    let by_row = [&RULE[..], &["--granularity", "row"]].concat();
    let (names, tried) = found(&project, &by_row);
    assert_eq!(names, ["--temperature", "rows.csv: line 5"]);
    let parallel = [&by_row[..], &["-j", "4"]].concat();
    assert_eq!(found(&project, &parallel), (names, tried), "whatever runs at once");
    assert_eq!((project.text(&["log", "--journal"]), project.text(&["status"])), before);
}

#[test]
fn a_command_decides_as_well() {
    let project = mixed();
    let test = ["runs/a", "runs/b", "--", "sh", "-c", "! grep -q 0.1 m.csv"];
    let answer = project.run(&[&["bisect", "inputs", "--run"], &test[..]].concat());
    assert!(out(&answer).contains("These 2 together"), "{}{}", out(&answer), answer.err);
    let settings = ["runs/a", "runs/b", "--", "grep", "-q", "\"seed\": 1", "config.json"];
    let answer = project.run(&[&["bisect", "inputs", "--run"], &settings[..]].concat());
    let said = "This alone flips the verdict:\n  config.json: seed  1 → 2\n";
    assert!(out(&answer).starts_with(said), "{}{}", out(&answer), answer.err);
    let gone = ["runs/a", "runs/b", "--", "test", "-e", "gone"];
    let answer = project.run(&[&["bisect", "inputs", "--run"], &gone[..]].concat());
    let said = "This alone flips the verdict:\n  gone  ";
    assert!(out(&answer).starts_with(said), "{}{}", out(&answer), answer.err);
    assert!(out(&answer).contains(" → (gone)\n"), "{}", out(&answer));
}

#[test]
fn what_fails_in_between_decides_nothing() {
    let project = Project::new();
    // The option and the file belong together: one alone cannot run.
    let script = "case $2$(cat form) in 1one) echo 0.9;; 2two) cat value;; *) exit 4;; esac";
    for (file, content) in [("form", "one"), ("value", "0.9"), ("other", "1")] {
        project.write(file.as_bytes(), content.as_bytes());
    }
    project.commit("good");
    record(&project, "a", script, &["--form", "1"]);
    for (file, content) in [("form", "two"), ("value", "0.1"), ("other", "2")] {
        project.write(file.as_bytes(), content.as_bytes());
    }
    record(&project, "b", script, &["--form", "2"]);
    let answer = search(&project, &RULE);
    assert!(answer.err.contains("undecided: "), "{}", answer.err);
    assert!(answer.err.contains("the command ended with 4"), "{}", answer.err);
    assert!(out(&answer).contains("decided nothing"), "{}", out(&answer));
    assert_eq!(found(&project, &RULE).0, ["--form", "form", "value"]);
}

#[test]
fn ends_that_are_not_what_they_are_called_are_told() {
    let project = mixed();
    let turned = [&["bisect", "inputs", "--run"], &RULE[..], &["runs/b", "runs/a"]].concat();
    let answer = project.run(&turned);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("run b is called good, but its metrics.m is 0.1"), "{answer:?}");
    let same = [&["bisect", "inputs"], &RULE[..], &["runs/a", "runs/a"]].concat();
    let answer = project.run(&same);
    assert!(answer.code == Some(2) || answer.err.contains("is called bad"), "{answer:?}");
    let test = ["runs/a", "runs/b", "--", "true"];
    let answer = project.run(&[&["bisect", "inputs", "--run"], &test[..]].concat());
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(out(&answer).starts_with("The bad run is good when it is run now"), "{answer:?}");
    let same = ["runs/a", "runs/a", "--", "true"];
    let answer = project.run(&[&["bisect", "inputs", "--run"], &same[..]].concat());
    assert!(answer.err.contains("the two runs began alike"), "{}", answer.err);
    let none = ["runs/a", "runs/a~", "--", "true"];
    let answer = project.run(&[&["bisect", "inputs"], &none[..]].concat());
    assert!(answer.err.contains("is no commit of a run"), "{}", answer.err);
}

#[test]
fn values_that_contradict_are_told() {
    let project = Project::new();
    let counter = project.path(b".provenance/cache/counter");
    let noisy = format!(
        "echo >> {0}; if test $(cat f) = 2 && test $(($(wc -l < {0}) % 3)) != 0; then echo 0.1; \
         else echo 0.9; fi",
        counter.display()
    );
    project.write(b"f", b"1\n");
    project.commit("good");
    record(&project, "a", &noisy, &["x"]);
    project.write(b"f", b"2\n");
    record(&project, "b", &noisy, &["y"]);
    let answer = search(&project, &[&RULE[..], &["--repeat", "3"]].concat());
    assert!(out(&answer).contains("values of one combination contradict"), "{answer:?}");
    assert!(out(&answer).contains("This alone flips the verdict:\n  f  "), "{}", out(&answer));
}

#[test]
fn the_git_checkout_may_be_it() {
    let project = Project::new();
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words);
        let ran = command.current_dir(project.root()).output().expect("git runs");
        assert!(ran.status.success(), "{words:?}");
    };
    git(&["init", "-q"]);
    project.write(b"code.sh", b"echo 0.9\n");
    git(&["add", "code.sh"]);
    git(&["commit", "-qm", "one"]);
    let run = |name: &str, batch: &str| {
        let script = "(echo m; sh code.sh) > m.csv";
        let words = ["run", "-q", "--name", name, "--metrics", "m.csv", "--", "sh", "-c", script];
        project.done(&[&words[..], &["sh", batch]].concat());
    };
    run("a", "8");
    project.write(b"code.sh", b"echo 0.1\n");
    git(&["commit", "-qam", "two"]);
    run("b", "16");
    let answer = search(&project, &RULE);
    let said = out(&answer);
    assert!(said.starts_with("This alone flips the verdict:\n  git checkout  "), "{said}");
    assert!(said.contains("To take it back: git checkout "), "{said}{}", answer.err);
    // What was not committed: the commit is the same on both sides.
    project.write(b"code.sh", b"echo 0.9\n");
    run("c", "8");
    let answer =
        project.run(&[&["bisect", "inputs", "--run"], &RULE[..], &["runs/c", "runs/b"]].concat());
    let said = out(&answer);
    let line = said.lines().nth(1).expect("what differs");
    assert!(
        line.starts_with("  git checkout  ") && line.matches(" + changes ").count() == 2,
        "{said}"
    );
    assert!(said.contains("git did not have: provenance reproduce --keep DIR runs/c\n"), "{said}");
}

#[test]
fn what_differs_is_told_without_a_test() {
    let project = mixed();
    let told = project.text(&["bisect", "inputs", "runs/a", "runs/b"]);
    assert!(told.starts_with("7 differences between the runs:\n"), "{told}");
    let answer = project.run(&["bisect", "inputs", "--run", "runs/a", "runs/b"]);
    assert_eq!(answer.code, Some(2), "{}", out(&answer));
    assert!(answer.err.contains("what is bad?"), "{}", answer.err);
}

/// The good run was executed, and "undecided".
#[test]
fn a_metric_that_neither_run_has_is_refused() {
    let project = mixed();
    for options in [&["--run"][..], &[]] {
        let rule = ["--metric", "metrics.n", "--below", "0.5", "runs/a", "runs/b"];
        let answer = project.run(&[&["bisect", "inputs"], options, &rule].concat());
        assert_eq!(answer.code, Some(2), "{}", out(&answer));
        assert!(answer.err.contains("neither run has measured metrics.n"), "{}", answer.err);
    }
}

/// The advice took back more than was found, and ran the command without its inputs and outputs.
#[test]
fn the_advice_says_what_it_takes_back_and_how_it_was_run() {
    let project = Project::new();
    let script = "mkdir -p ../out; s=$(grep -c 2 config.json); \
                  echo '{\"m\": 0.'$((9 - s - $2))'}' > ../out/m.json";
    let run = |name: &str, config: &str, argument: &str| {
        project.write(b"sub/config.json", config.as_bytes());
        let words = ["run", "-q", "--name", name, "-i", "config.json", "-o", "../out", "-p", "x=1"];
        let more = ["--metrics", "../out/m.json", "--", "sh", "-c", script, "sh", "--n", argument];
        let mut command = project.command(&[&words[..], &more].concat());
        let output = command.current_dir(project.path(b"sub")).output().expect("started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run("a", "{\"x\": 1,\n\"y\": 1,\n\"z\": 1}\n", "0");
    run("b", "{\"x\": 2,\n\"y\": 3,\n\"z\": 3}\n", "0");
    run("c", "{\"x\": 1,\n\"y\": 1,\n\"z\": 1}\n", "4");
    let rule = ["bisect", "inputs", "--run", "--metric", "metrics.m", "--below", "0.85"];
    let said = project.run(&[&rule[..], &["runs/a", "runs/b"]].concat());
    let said = out(&said);
    let expected = "To take it back: provenance rollback runs/a sub/config.json\n  \
                    (all of sub/config.json: it differs in 2 other places as well)\n";
    assert!(said.contains(expected), "{said}");
    let said = out(&project.run(&[&rule[..], &["runs/a", "runs/c"]].concat()));
    let run = "To run without it: provenance -C sub run -i config.json -o ../out \
               --metrics ../out/m.json -- sh -c ";
    assert!(said.contains(run), "{said}");
    // As it is typed from where we are.
    let mut inner = project.command(&[&rule[..], &["runs/a", "runs/b"]].concat());
    let output = inner.current_dir(project.path(b"sub")).output().expect("started");
    let inner = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(inner.contains("provenance rollback runs/a config.json\n"), "{inner}");
    assert!(said.ends_with("  (with -p and --params as then, if they were given)\n"), "{said}");
}

/// Numbers that no double holds lost their digits where a part of the settings was taken.
#[test]
fn settings_keep_the_digits_of_their_numbers() {
    let project = Project::new();
    let settings = |seed: &str, other: &str| {
        let text =
            format!("{{\"seed\": {seed}, \"other\": {other}, \"same\": 12345678901234567890123}}");
        project.write(b"settings.json", text.as_bytes());
    };
    let script = "grep -q '12345678901234567890123}\\|12345678901234567890123$' settings.json && \
                  ! grep -q 'seed.*12345678901234567890125' settings.json && echo 0.9 || echo 0.1";
    settings("12345678901234567890124", "1");
    record(&project, "a", script, &[]);
    settings("12345678901234567890125", "2");
    record(&project, "b", script, &[]);
    let (found, _) = found(&project, &RULE);
    assert_eq!(found, ["settings.json: seed"]);
}
