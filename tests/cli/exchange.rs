//! `export` and `import`: what goes out comes in with the same ids, and what is wrong is told.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::project::{Answer, Project};

const BEGIN: &str = "{\"schema\":\"provenance/exchange/v1\"}\n";

fn import(project: &Project, lines: &[u8], more: &[&str]) -> Answer {
    let words = [&["import", "--jsonl", "-"][..], more].concat();
    let mut child = project
        .command(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    // Whoever refuses an early line reads no later one.
    let _refused = stdin.write_all(lines);
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let err = String::from_utf8(output.stderr).expect("messages are UTF-8");
    Answer { code: output.status.code(), out: output.stdout, err }
}

#[track_caller]
fn imported(project: &Project, lines: &[u8], more: &[&str]) -> Value {
    let answer = import(project, lines, &[&["--json"][..], more].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    serde_json::from_slice(&answer.out).expect("a document")
}

#[track_caller]
fn refused(project: &Project, lines: &str, part: &str) {
    refused_bytes(project, [BEGIN, lines].concat().as_bytes(), part);
}

#[track_caller]
fn refused_bytes(project: &Project, lines: &[u8], part: &str) {
    let before = project.done(&["log", "--journal", "--oneline"]);
    let answer = import(project, lines, &[]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains(part), "{part:?} is not in {}", answer.err);
    assert_eq!(project.done(&["log", "--journal", "--oneline"]), before, "nothing is visible");
}

/// A project with branches, tags, runs with series, logs, a link, and a large file.
fn sample() -> Project {
    let project = Project::new();
    project.write(b"data/rows.csv", b"a,1\n");
    project.write(b"big.bin", &(0..3_000_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    std::os::unix::fs::symlink("data", project.path(b"link")).expect("linked");
    project.commit("base");
    let script = "echo $1; echo '{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":NaN}' \
                  > $PROVENANCE_METRICS; cat data/rows.csv > model.bin";
    for name in ["one", "two"] {
        let words = ["run", "--name", name, "-o", "model.bin", "-p", "lr=0.1", "--", "sh", "-c"];
        project.done(&[&words[..], &[script, "x", name]].concat());
    }
    project.done(&["tag", "v1", "HEAD~1"]);
    project.done(&["branch", "other", "HEAD~2"]);
    project
}

#[test]
fn what_goes_out_comes_in_with_the_same_ids() {
    let project = sample();
    let out = project.output(&["export", "--jsonl", "--all"]);
    assert!(out.status.success());
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(told, "exported 3 commits, 3 files, 5 refs\n");
    let copy = Project::new();
    let report = imported(&copy, &out.stdout, &[]);
    assert_eq!((&report["commits"], &report["refs"]), (&json!(3), &json!(5)));
    for words in [&["log", "--all", "--json"][..], &["--json", "runs"], &["--json", "tag"]] {
        assert_eq!(copy.done(words), project.done(words), "{words:?}");
    }
    copy.done(&["checkout", "--force", "main"]);
    for name in ["big.bin", "data/rows.csv", "model.bin", "link/rows.csv"] {
        let read = |project: &Project| std::fs::read(project.path(name.as_bytes())).expect(name);
        assert_eq!(read(&copy), read(&project), "{name}");
    }
    assert_eq!(
        copy.done(&["show", "--series", "loss", "one"]),
        project.done(&["show", "--series", "loss", "one"])
    );
    assert!(copy.done(&["fsck", "--full"]).contains("No problem found"));
    assert_eq!(copy.output(&["export", "--jsonl", "--all"]).stdout, out.stdout);

    let again = imported(&copy, &out.stdout, &[]);
    assert_eq!((&again["commits"], &again["refs"]), (&json!(0), &json!(0)));
    assert_eq!(again["transaction"], Value::Null);
    let said = import(&copy, &out.stdout, &[]);
    let said = String::from_utf8_lossy(&said.out).into_owned();
    assert_eq!(said, "Nothing new: 3 commits and 5 refs here already\n");
}

#[test]
fn a_part_of_history_goes_to_who_has_the_rest() {
    let project = sample();
    let copy = Project::new();
    imported(&copy, &project.output(&["export", "--jsonl", "other"]).stdout, &[]);
    let rest = project.output(&["export", "--jsonl", "other..main"]).stdout;
    refused_bytes(&Project::new(), &rest, "no such");
    let report = imported(&copy, &rest, &[]);
    assert_eq!(report["commits"], 2);
    assert!(copy.done(&["fsck", "--full"]).contains("No problem found"));

    // Content that nobody brought is told, and never missed later.
    let bare = project.output(&["export", "--jsonl", "--no-content", "main"]).stdout;
    refused_bytes(&Project::new(), &bare, "export it with its content");
    assert_eq!(imported(&copy, &bare, &[])["commits"], 0);
}

#[test]
fn a_described_run_is_recorded_without_anything_of_this_machine() {
    let page = std::fs::read("fixtures/format/v1/exchange/described.jsonl").expect("it is kept");
    let (project, other) = (Project::new(), Project::new());
    let report = imported(&project, &page, &[]);
    assert_eq!((&report["commits"], &report["refs"]), (&json!(2), &json!(3)));
    imported(&other, &page, &[]);
    assert_eq!(project.record("best")["id"], other.record("best")["id"]);
    let tuned = project.record("tuned");
    assert_eq!(tuned["parents"], json!([project.record("base")["id"]]));
    assert_eq!((&tuned["system"], &tuned["run"]["command"]), (&json!({}), &json!(["unknown"])));
    assert_eq!(tuned["run"]["outputs"], json!([{"path": "model.bin"}]));
    assert_eq!(tuned["run"]["metrics"]["loss"]["last"], "NaN");
    assert_eq!(project.record("base")["author"]["name"], "unknown");
    let series = project.done(&["--json", "show", "--series", "loss", "tuned"]);
    assert!(series.contains("NaN") && series.contains("0.5"), "{series}");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn files_are_taken_in_and_digests_are_only_named() {
    let project = Project::new();
    let store = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(store.path().join("out")).expect("made");
    let put = |name: &str, text: &str| {
        let mut file = std::fs::File::create(store.path().join(name)).expect("made");
        file.write_all(text.as_bytes()).expect("written");
    };
    put("out/model.bin", "weights");
    put("config.json", "{}");
    let absent = format!("blake3:{}", "ab".repeat(32));
    let line = json!({"record": {"files": ["config.json"], "run": {
        "name": "a", "started": "2026-07-31T11:30:00+02:00",
        "inputs": [{"path": "data.csv", "id": absent, "bytes": 12, "kind": "dataset"}],
        "outputs": [{"path": "out/model.bin", "kind": "model"}, {"path": "out/lost.bin"}],
    }}});
    let lines = format!("{BEGIN}{line}\n");
    refused_bytes(&project, lines.as_bytes(), "line 2: record.files");
    let files = store.path().to_str().expect("a text");
    imported(&project, lines.as_bytes(), &["--files", files]);
    let record = project.record("a");
    assert_eq!(record["time"], "2026-07-31T09:30:00.000Z");
    assert_eq!(record["run"]["inputs"][0]["id"], absent.as_str());
    assert_eq!(record["run"]["outputs"][0], json!({"path": "out/lost.bin"}));
    assert_eq!(record["run"]["outputs"][1]["bytes"], 7);
    assert_eq!(record["artifacts"][1]["path"], "out/model.bin");
    assert_eq!(project.done(&["cat", "a:out/model.bin"]), "weights");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
    let again = imported(&project, lines.as_bytes(), &["--files", files]);
    assert_eq!((&again["commits"], &again["commits_known"]), (&json!(0), &json!(1)));
    put("out/model.bin", "others");
    let answer = import(&project, lines.as_bytes(), &["--files", files]);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    imported(&project, lines.as_bytes(), &["--files", files, "--prefix", "again/"]);
    assert_eq!(project.done(&["cat", "again/a:out/model.bin"]), "others");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_field_and_nothing_is_visible() {
    let project = Project::new();
    let run =
        |more: &str| format!("{{\"record\":{{\"run\":{{\"name\":\"a\",\"started\":1{more}}}}}}}\n");
    let good = run("");
    let id = format!("blake3:{}", "0".repeat(64));
    for (line, part) in [
        ("{}", "line 3: must have one of"),
        ("nonsense", "line 3: a value must begin here, at byte 0"),
        ("{\"record\":{\"run\":{\"name\":\"b\"}}}", "line 3: record.run: started is missing"),
        ("{\"record\":{\"run\":{\"name\":\"b c\",\"started\":1}}}", "line 3: record.run.name"),
        ("{\"record\":{\"message\":\"m\"}}", "line 3: record: time is missing"),
        ("{\"record\":{\"run\":{\"name\":\"b\",\"started\":1,\"x\":1}}}", "record.run.x: unknown"),
        ("{\"record\":{\"run\":{\"name\":\"b\",\"name\":\"c\"}}}", "\"name\" occurs twice"),
        ("{\"record\":{\"parents\":[\"b\"],\"run\":{\"name\":\"b\",\"started\":1}}}", "parents[0]"),
        ("{\"record\":{\"run\":{\"name\":\"a\",\"started\":2}}}", "label: \"a\" stands for"),
        ("{\"record\":{\"run\":{\"name\":\"b\",\"started\":1,\"exit_code\":300}}}", "exit_code"),
        ("{\"ref\":\"heads/main\",\"commit\":\"nobody\"}", "line 3: commit: no line before"),
        ("{\"ref\":\"heads/../x\",\"commit\":\"a\"}", "line 3: ref"),
        ("{\"ref\":\"runs/a/b\",\"commit\":\"a\"}", "line 3"),
        ("{\"schema\":\"provenance/exchange/v1\"}", "begins a second time"),
        ("{\"lines\":7}", "2 came before it, and not 7"),
        ("{\"lines\":2}\n{\"ref\":\"tags/x\",\"commit\":\"a\"}", "line 4: the stream has ended"),
    ] {
        refused(&project, &format!("{good}{line}\n"), part);
    }
    for (key, part) in [("attachment", "not those of the id"), ("content", "content")] {
        refused(&project, &format!("{{\"{key}\":\"{id}\",\"base64\":\"Zg==\"}}\n"), part);
    }
    refused(&project, &format!("{{\"content\":\"{id}\",\"base64\":\"Zg\"}}\n"), "base64, padded");
    refused(
        &project,
        &format!("{{\"content\":\"{id}\",\"last\":false,\"base64\":\"Zg==\"}}\n{good}"),
        "line 3: the content before it is not whole",
    );
    refused(
        &project,
        &format!("{good}{{\"commit\":\"{id}\",\"record\":{{}}}}\n"),
        "line 3: commit: is not the id of the record",
    );
    refused(&project, &run(",\"metrics\":{\"m\":{\"values\":[1],\"steps\":[1,2]}}"), "m.steps");
    refused(&project, &run(",\"metrics\":{\"m\":[]}"), "metrics.m: must not be empty");
    refused_bytes(&project, b"", "the stream is cut off: it has no line");
    refused_bytes(&project, good.as_bytes(), "line 1: the first line must be");
    refused_bytes(&project, b"{\"schema\":\"provenance/exchange/v2\"}\n", "line 1: schema");
    refused_bytes(&project, b"{\"schema\":\"provenance/exchange/v1\",\"end\":true}\n", "cut off");
    let cut = format!("{BEGIN}{}", &good[..good.len() - 9]);
    refused_bytes(&project, cut.as_bytes(), "line 2: the stream is cut off in it");
    let odd = [BEGIN.as_bytes(), b"{\"record\":\"\xff\"}\n"].concat();
    refused_bytes(&project, &odd, "line 2: not UTF-8, at byte 11");
    let long = format!("{BEGIN}{{\"record\":\"{}\"}}\n", "x".repeat(25 << 20));
    refused_bytes(&project, long.as_bytes(), "line 2: longer than 25165824 bytes");
    let loops = "{\"record\":{\"parents\":[\"b\"],\"run\":{\"name\":\"b\",\"started\":1}}}\n";
    refused(&project, loops, "no line before it has the label \"b\"");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn odd_values_are_kept_and_secrets_are_not() {
    let project = Project::new();
    let line = "{\"record\":{\"run\":{\"name\":\"a\",\"started\":1,\"command\":\"train\",\
        \"params\":{\"big\":9007199254740993,\"nan\":NaN,\"api_key\":\"sk-abcdefghijklmnopqrst\"},\
        \"metrics\":{\"m\":-Infinity,\"n\":[1,NaN]},\"log\":{\"text\":\"done\\u001b[0m\\n\"}}}}\n";
    imported(&project, format!("{BEGIN}{line}").as_bytes(), &[]);
    let run = &project.record("a")["run"];
    assert_eq!(run["params"]["big"], "9007199254740993");
    assert_eq!((&run["params"]["nan"], &run["metrics"]["m"]), (&json!("NaN"), &json!("-Infinity")));
    assert_eq!(run["params"]["api_key"], "[redacted]");
    assert_eq!(run["metrics"]["n"]["last"], "NaN");
    let log = run["log"].as_str().expect("an id").to_owned();
    assert_eq!(project.done(&["cat", &log]), "done\u{1b}[0m\n");
}

#[test]
fn many_runs_are_one_entry_that_undo_takes_back() {
    let project = Project::new();
    let run =
        |n: u32| format!("{{\"record\":{{\"run\":{{\"name\":\"r{n}\",\"started\":{n}}}}}}}\n");
    let lines: String = (0..3000).map(run).collect();
    let lines = format!("{BEGIN}{lines}");
    assert_eq!(imported(&project, lines.as_bytes(), &[])["transaction"], 1);
    let journal = project.done(&["log", "--journal"]);
    assert!(journal.contains("    3,000 runs\n"), "{journal}");
    assert_eq!(project.done(&["rev-parse", "r7@{0}"]), project.done(&["rev-parse", "r7"]));
    assert_eq!(project.run(&["rev-parse", "r7@{1}"]).code, Some(2), "it was not there before");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
    assert!(project.done(&["undo"]).contains("3,000 runs"));
    assert_eq!(project.done(&["--json", "runs", "-n", "1"]), "");
    project.done(&["undo"]);
    assert_eq!(project.done(&["--json", "runs"]).lines().count(), 3000);
    let more: String = (2990..3010).map(run).collect();
    let report = imported(&project, format!("{BEGIN}{more}").as_bytes(), &[]);
    assert_eq!((&report["refs"], &report["refs_known"]), (&json!(10), &json!(10)));
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
    project.done(&["run", "--name", "r7", "--", "true"]);
    assert_eq!(project.record("r7-2")["run"]["exit_code"], 0);
}
