//! `run --trace`: what a command was seen to read and write, with nothing declared.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use super::project::{Answer, Project};

/// A worktree with a file of data, and its first commit.
fn sample() -> Project {
    let project = Project::new();
    project.write(b"data/rows.csv", b"a,1\n");
    project.commit("base");
    project
}

/// Runs a script, watched, and gives what was said and what was recorded.
#[track_caller]
fn traced(project: &Project, options: &[&str], script: &str) -> (String, Value) {
    let words = [&["run", "--trace", "--name", "t"], options, &["--", "sh", "-c", script]].concat();
    let Answer { code, err, .. } = project.run(&words);
    assert_eq!(code, Some(0), "{err}");
    let listed = project.done(&["--json", "runs", "-n", "1"]);
    let commit: Value = serde_json::from_str(listed.lines().next().expect("a run")).expect("JSON");
    (err, commit["run"].clone())
}

fn paths(of: &Value) -> Vec<&str> {
    of.as_array().expect("a list").iter().map(|one| one["path"].as_str().expect("a path")).collect()
}

/// Gives the attached list of what was opened, by path.
#[track_caller]
fn opened(project: &Project, run: &Value) -> Value {
    let list = project.done(&["cat", run["trace"]["files"].as_str().expect("an id")]);
    serde_json::from_str(&list).expect("JSON")
}

fn told<'v>(list: &'v Value, path: &str) -> &'v Value {
    let mut files = list["files"].as_array().expect("a list").iter();
    files.find(|file| file["path"] == path).unwrap_or(&Value::Null)
}

#[test]
fn what_is_read_and_written_is_recorded_though_nothing_is_declared() {
    let project = sample();
    project.write(b"new.csv", b"b,2\n");
    let script = "cat data/rows.csv new.csv > model.bin; cat model.bin > /dev/null; echo t > tmp; \
                  rm tmp; echo 1 > part; mv part final; cat nothing 2>/dev/null; ls . > /dev/null";
    let (said, run) = traced(&project, &[], script);
    assert_eq!(paths(&run["inputs"]), ["data/rows.csv", "new.csv"]);
    assert_eq!(paths(&run["outputs"]), ["final", "model.bin"]);
    assert_eq!(
        (&run["inputs"][0]["observed"], &run["outputs"][1]["bytes"]),
        (&json!(true), &json!(8))
    );
    assert!(said.contains("read, not declared: data/rows.csv, new.csv"), "{said}");
    assert!(said.contains("written, not declared: final, model.bin"), "{said}");
    assert!(said.contains("calls seen, which cost 0."), "{said}");
    let trace = &run["trace"];
    assert_eq!((&trace["read"], &trace["written"]), (&json!(2), &json!(2)));
    assert!(trace["outside"].as_u64() > Some(2) && trace.get("missed").is_none(), "{trace}");
    let list = opened(&project, &run);
    assert_eq!(told(&list, "new.csv")["bytes"], 4);
    let outside = list["files"][0]["path"].as_str().expect("a path");
    assert!(outside.starts_with('/') && list["files"][0]["read"] == true, "{outside}");
    assert!(project.done(&["status"]).contains("the worktree is clean"), "all of it is tracked");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
    project.done(&["gc", "-q", "--prune-now"]);
    opened(&project, &run);
}

#[test]
fn what_was_declared_is_held_against_what_was_seen() {
    let project = sample();
    for name in ["unread.csv", "stale.bin"] {
        project.write(name.as_bytes(), b"x\n");
    }
    let options = ["-i", "data", "-i", "unread.csv", "-o", "made", "-o", "stale.bin"];
    let (said, run) = traced(&project, &options, "mkdir made; cat data/rows.csv > made/a");
    assert!(said.contains("declared and never read: unread.csv\n"), "{said}");
    assert!(said.contains("declared and never written: stale.bin\n"), "{said}");
    assert!(!said.contains("not declared"), "{said}");
    assert_eq!(paths(&run["inputs"]), ["data", "unread.csv"]);
    assert!(run["inputs"][0].get("observed").is_none());
    assert_eq!(told(&opened(&project, &run), "made/a")["written"], true);
}

#[test]
fn what_rules_ignore_and_what_packages_bring_is_told_and_not_recorded() {
    let project = sample();
    project.write(b".provenanceignore", b"cache/\n");
    project.write(b"cache/x", b"x");
    project.write(b"env/pyvenv.cfg", b"");
    project.write(b"env/lib/part.py", b"");
    project.write(b"lib/part.py", b"Z = 1\n");
    project.write(b"lib/__pycache__/part.cpython-311.pyc", b"\0");
    let script = "cat cache/x env/lib/part.py lib/__pycache__/part.cpython-311.pyc > cache/y; \
                  echo 1 > lib/__pycache__/more.pyc; cat .provenance/stage > /dev/null";
    let (said, run) = traced(&project, &[], script);
    assert_eq!(paths(&run["inputs"]), ["lib/part.py"], "the source of what is compiled");
    assert!(paths(&run["outputs"]).is_empty());
    assert!(said.contains("ignored by a rule and not recorded: cache/x, cache/y\n"), "{said}");
    let list = opened(&project, &run);
    assert_eq!(told(&list, "cache/y")["left_out"], "ignored");
    assert_eq!(told(&list, "env/lib/part.py")["left_out"], "package");
    assert!(!list.to_string().contains("/.provenance/"), "{list}");
    let tree = project.done(&["ls", "-r", "HEAD"]);
    assert!(!tree.contains("cache") && !tree.contains("env/"), "{tree}");
}

#[test]
fn an_input_is_what_was_read_and_not_what_became_of_it() {
    let project = sample();
    project.write(b"loose", b"as it was\n");
    let base = project.record("HEAD")["tree"].clone();
    let script =
        "cat data/rows.csv loose > /dev/null; echo b,2 >> data/rows.csv; echo other > loose";
    let (said, run) = traced(&project, &[], script);
    assert_eq!(paths(&run["inputs"]), ["data/rows.csv"]);
    assert_eq!(paths(&run["outputs"]), ["data/rows.csv", "loose"]);
    let before = project.done(&["cat", run["inputs"][0]["id"].as_str().expect("an id")]);
    assert_eq!(before, "a,1\n");
    assert_ne!(project.record("HEAD")["tree"], base);
    let words = "so that what was read is not known: loose\n";
    assert!(said.contains(words), "{said}");
    assert_eq!(told(&opened(&project, &run), "loose")["left_out"], "changed");
    // Opened for writing, and left as it was.
    let (_, run) = traced(&project, &[], ": >> loose; exec 3<> data/rows.csv; cat missing; true");
    assert!(paths(&run["outputs"]).is_empty(), "{run}");
    assert_eq!(paths(&run["inputs"]), ["data/rows.csv"]);
}

#[test]
fn a_file_that_is_the_input_or_the_output_of_the_shell_counts() {
    let project = sample();
    let words = ["run", "--trace", "--name", "t", "--", "sh", "-c", "cat"];
    let input = fs::File::open(project.path(b"data/rows.csv")).expect("opened");
    let output = fs::File::create(project.path(b"copy.csv")).expect("made");
    let ended = project.command(&words).stdin(input).stdout(output).stderr(Stdio::null()).status();
    assert!(ended.expect("ran").success());
    let run = project.record("t")["run"].clone();
    assert_eq!(paths(&run["inputs"]), ["data/rows.csv"]);
    assert_eq!(paths(&run["outputs"]), ["copy.csv"]);
    assert_eq!(run["outputs"][0]["bytes"], 4);
}

#[test]
fn names_that_are_no_text_are_in_the_list_and_in_the_tree() {
    let project = sample();
    let (said, run) = traced(&project, &[], "cat data/rows.csv > \"$(printf 'caf\\351')\"");
    assert!(paths(&run["outputs"]).is_empty());
    assert!(said.contains("opened, and cannot stand in a record: caf"), "{said}");
    let list = opened(&project, &run);
    let files = list["files"].as_array().expect("a list");
    assert!(files.iter().any(|file| file["path_hex"] == "636166e9"), "{list}");
    assert!(project.done(&["status"]).contains("the worktree is clean"));
}

#[test]
fn many_files_are_told_as_directories_and_listed_one_by_one() {
    let project = sample();
    for number in 0..300 {
        project.write(format!("data/{}/{number}", number % 2).as_bytes(), b"row\n");
    }
    let script = "cat data/*/* > all; mkdir out; for n in $(seq 300); do echo $n > out/$n; done";
    let (said, run) = traced(&project, &["--no-advance"], script);
    assert_eq!(paths(&run["inputs"]), ["data/0", "data/1"]);
    assert_eq!(run["inputs"][0]["files"], 150);
    assert_eq!(paths(&run["outputs"]), ["all", "out"]);
    assert_eq!((&run["trace"]["read"], &run["trace"]["written"]), (&json!(300), &json!(301)));
    assert!(said.contains("and 295 more"), "{said}");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn a_declared_run_is_skipped_while_what_it_was_seen_to_read_is_as_it_was() {
    let project = sample();
    let settings = "[run.count]\ncommand = 'wc -l data/rows.csv > count'\ntrace = true\n";
    project.write(b"provenance.toml", settings.as_bytes());
    let is_skipped = || {
        let answer = project.run(&["run", "count"]);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        answer.err.starts_with("provenance: skipped")
    };
    assert_eq!([is_skipped(), is_skipped()], [false, true]);
    project.write(b"data/other.csv", b"c,3\n");
    assert!(is_skipped(), "it does not read that");
    project.write(b"data/rows.csv", b"a,1\nb,2\n");
    assert_eq!([is_skipped(), is_skipped()], [false, true]);
    project.write(b".provenanceignore", b"cache\n");
    project.write(b"cache", b"c,3\n");
    let ignored = settings.replace("data/rows.csv", "cache");
    project.write(b"provenance.toml", ignored.as_bytes());
    assert_eq!([is_skipped(), is_skipped()], [false, false], "nobody knows what was in it");
    project.write(b"provenance.toml", settings.replace("true", "'yes'").as_bytes());
    let answer = project.run(&["run", "count"]);
    assert!(
        answer.code == Some(2) && answer.err.contains("provenance.toml:3: trace"),
        "{answer:?}"
    );
}
