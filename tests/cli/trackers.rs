//! `import mlflow` and `import dvc` on what these have written themselves: dvc 3.67.1, and the
//! MLflow of `tests/reader/requirements.txt`.
//!
//! Runs with the interpreter in `PROVENANCE_TEST_PYTHON`, which `make test` prepares. Without that,
//! the test says so and passes.

use std::io::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use super::project::Project;

/// Has a script of `tests/trackers` write into a folder; false without an interpreter.
#[expect(clippy::print_stdout, reason = "a test that could not run must say so")]
fn written(script: &str, folder: &std::path::Path) -> bool {
    let Some(python) = std::env::var_os("PROVENANCE_TEST_PYTHON") else {
        println!("SKIPPED: PROVENANCE_TEST_PYTHON is not set");
        return false;
    };
    let mut command = Command::new(python);
    command.arg(format!("tests/trackers/{script}")).arg(folder);
    // Newer versions write to a file store only if they are told that it is wanted.
    command.env("MLFLOW_ALLOW_FILE_STORE", "true").env("GIT_PYTHON_REFRESH", "quiet");
    let output = command.output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn the_runs_of_a_store_that_mlflow_has_written_come_in_once() {
    let project = Project::new();
    let store = project.path(b"mlruns");
    if !written("mlflow_store.py", &store) {
        return;
    }
    let answer = project.run(&["--json", "import", "mlflow", "mlruns"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let report: Value = serde_json::from_slice(&answer.out).expect("a document");
    assert_eq!((&report["commits"], &report["refs"]), (&json!(2), &json!(2)), "{report}");
    let skipped = report["skipped"].to_string();
    assert!(skipped.contains("it is deleted in MLflow"), "{skipped}");
    assert!(skipped.contains("it has not ended, status=RUNNING"), "{skipped}");

    let runs = project.done(&["--json", "runs", "--where", "params.lr = 0.1"]);
    let run: Value = serde_json::from_str(&runs).expect("one run");
    let name = run["run"]["name"].as_str().expect("a name").to_owned();
    assert!(name.starts_with("first-run-") && name.len() == "first-run-".len() + 8, "{name}");
    assert_eq!(run["message"], "the best so far");
    assert_eq!(run["run"]["params"]["lr"], 0.1, "a number again");
    assert_eq!(run["run"]["params"]["opt/name"], "adam");
    assert_eq!(run["run"]["params"]["mlflow"]["experiment"], "iris");
    assert_eq!(run["run"]["params"]["mlflow"]["status"], "FINISHED");
    assert_eq!(run["run"]["params"]["mlflow"]["tags"]["team"], "a");
    assert_eq!(run["run"]["metrics"]["accuracy"], 0.9);
    assert_eq!(run["run"]["metrics"]["bad"], "NaN");
    assert_eq!(run["run"]["metrics"]["loss"]["count"], 3);
    assert_eq!(run["code"]["git_commit"], "0123456789".repeat(4));
    assert_eq!(run["system"], json!({}));
    let series = project.done(&["--json", "show", "--series", "loss", &name]);
    assert!(series.contains("0.5"), "{series}");
    assert_eq!(project.done(&["cat", &format!("{name}:model/model.bin")]), "weights");
    let failed = ["--json", "runs", "--where", "params.mlflow.status = FAILED"];
    assert_eq!(project.done(&failed).lines().count(), 1);

    let again = project.done(&["import", "mlflow", "mlruns"]);
    assert_eq!(again, "Nothing new: 2 commits and 2 refs here already\n");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn what_is_no_store_is_told() {
    let project = Project::new();
    project.write(b"mlruns/0/notes.txt", b"nothing");
    let answer = project.run(&["import", "mlflow", "mlruns"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("no experiment of MLflow is here"), "{}", answer.err);
    project.write(b"mlruns/0/meta.yaml", b"experiment_id: '0'\nname: Default\n");
    project.write(b"mlruns/0/abc/meta.yaml", b"run_id: abc\nstart_time: 1\nstatus: 3\n");
    project.write(b"mlruns/0/abc/metrics/loss", b"1 0.5 0\nhalf");
    let answer = project.run(&["import", "mlflow", "mlruns"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.err.contains("run abc is left out: the metric \"loss\""), "{}", answer.err);
    project.write(b"mlruns/0/abc/metrics/loss", b"1 0.5 0\n");
    let told = project.done(&["import", "mlflow", "mlruns"]);
    assert_eq!(told, "Imported 1 commit and 1 ref\n");
    assert_eq!(project.record("mlflow-abc")["run"]["metrics"]["loss"], 0.5);

    // What has changed there since then is no reason to leave the others out.
    project.write(b"mlruns/0/abc/tags/mlflow.note.content", b"the best");
    project.write(b"mlruns/0/def/meta.yaml", b"run_id: def\nstart_time: 1\nstatus: 3\n");
    let answer = project.run(&["import", "mlflow", "mlruns"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.err.contains("run mlflow-abc is left as it was imported"), "{}", answer.err);
    assert_eq!(answer.out, b"Imported 2 commits and 1 ref\n");
    assert_eq!(project.record("mlflow-abc")["message"], "run mlflow-abc");
    let answer = project.run(&["--json", "import", "mlflow", "mlruns", "--prefix", "new-"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(project.record("new-mlflow-abc")["message"], "the best");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn a_run_that_has_changed_is_left_alone_among_very_many() {
    let project = Project::new();
    project.write(b"mlruns/0/meta.yaml", b"experiment_id: '0'\nname: Default\n");
    let write = |range: std::ops::Range<u32>| {
        for n in range {
            let meta = format!("run_id: r{n}\nstart_time: {n}\nstatus: 3\n");
            project.write(format!("mlruns/0/r{n}/meta.yaml").as_bytes(), meta.as_bytes());
        }
    };
    write(0..400);
    project.done(&["import", "mlflow", "mlruns"]);
    project.write(b"mlruns/0/r7/meta.yaml", b"run_id: r7\nstart_time: 9\nstatus: 3\n");
    let answer = project.run(&["--json", "import", "mlflow", "mlruns"]);
    let report: Value = serde_json::from_slice(&answer.out).expect("a document");
    assert_eq!((&report["refs"], &report["refs_known"]), (&json!(0), &json!(399)), "{report}");
    write(400..402);
    let answer = project.run(&["--json", "import", "mlflow", "mlruns"]);
    let report: Value = serde_json::from_slice(&answer.out).expect("a document");
    assert_eq!((&report["refs"], &report["refs_known"]), (&json!(2), &json!(399)), "{report}");
    assert!(report["skipped"].to_string().contains("run mlflow-r7 is left"), "{report}");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

/// Runs git in a folder, whose name and address are fixed.
fn git(folder: &std::path::Path, words: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]);
    let output = command.args(words).current_dir(folder).output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn write(path: &std::path::Path, text: &str) {
    let mut file = std::fs::File::create(path).expect("made");
    file.write_all(text.as_bytes()).expect("written");
}

/// The MD5 of nothing.
const EMPTY_MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

#[test]
fn the_history_of_a_repository_that_dvc_has_written_comes_in_once() {
    let project = Project::new();
    let source = tempfile::tempdir().expect("a folder");
    let source = source.path().join("r");
    if !written("dvc_repository.py", &source) {
        return;
    }
    let before = std::fs::read(source.join(".git/index")).expect("an index");
    let from = source.to_str().expect("a text");
    let answer = project.run(&["--json", "import", "dvc", from]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let report: Value = serde_json::from_slice(&answer.out).expect("a document");
    assert_eq!((&report["commits"], &report["runs"]), (&json!(5), &json!(2)), "{report}");
    assert_eq!((&report["refs"], &report["skipped"]), (&json!(3), &json!([])), "{report}");
    assert_eq!(report["contents_absent"], 0, "{report}");
    assert_eq!(std::fs::read(source.join(".git/index")).expect("an index"), before);

    let tip = project.record("dvc/main");
    assert_eq!(
        (&tip["message"], &tip["author"]["name"]),
        (&json!("a better model"), &json!("Ada"))
    );
    assert_eq!(tip["time"], "2023-11-14T22:20:00.000Z");
    assert_eq!(project.record("dvc/main~2")["message"], "the data");
    assert_eq!(project.done(&["cat", "dvc/main~2:raw.csv"]), "raw\n");
    assert_eq!(project.done(&["cat", "dvc/main:data/b.csv"]), "2\n");
    let runs = project.done(&["--json", "runs", "--where", "params.lr = 0.2"]);
    let run: Value = serde_json::from_str(&runs).expect("one run");
    assert_eq!(run["parents"], json!([tip["id"]]));
    assert_eq!(run["code"]["git_commit"], tip["code"]["git_commit"]);
    assert_eq!(run["run"]["command"], json!(["python train.py"]));
    let params = json!({"dvc": {"stage": "train"}, "lr": 0.2, "opt": {"name": "adam"}});
    assert_eq!(run["run"]["params"], params);
    assert_eq!(run["run"]["metrics"], json!({"train.acc": 0.2}));
    let paths = |role: &str| -> Vec<String> {
        let used = run["run"][role].as_array().expect("a list").iter();
        used.map(|one| one["path"].as_str().expect("a path").to_owned()).collect()
    };
    assert_eq!(paths("inputs"), ["data", "train.py"]);
    assert_eq!(paths("outputs"), ["metrics.json", "model.bin"]);
    let name = run["run"]["name"].as_str().expect("a name");
    assert_eq!(project.done(&["cat", &format!("{name}:model.bin")]), "0.20.20.2");

    let again = project.done(&["import", "dvc", from]);
    assert_eq!(again, "Nothing new: 3 commits and 1 ref here already\n");
    // What is committed later is added, and the branch moves on.
    std::fs::remove_file(source.join("raw.csv.dvc")).expect("removed");
    git(&source, &["commit", "-qam", "no raw"]);
    let more = project.done(&["--json", "import", "dvc", from]);
    let more: Value = serde_json::from_str(&more).expect("a document");
    let told = (&more["commits"], &more["runs"], &more["refs"]);
    assert_eq!(told, (&json!(1), &json!(0), &json!(1)), "{more}");
    assert_eq!(project.record("dvc/main~1")["id"], tip["id"]);
    assert!(!project.done(&["ls", "dvc/main"]).contains("raw.csv"));
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
    // A history that was rewritten is another one.
    git(&source, &["commit", "-q", "--amend", "-m", "rewritten"]);
    let answer = project.run(&["import", "dvc", from]);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    project.done(&["import", "dvc", from, "--prefix", "new-"]);
    assert_eq!(project.record("new-dvc/main")["message"], "rewritten");
}

/// A repository of DVC 2, whose cache is elsewhere and has only a part.
fn older(folder: &std::path::Path) {
    let put = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        write(&path, text);
    };
    git(folder, &["init", "-q", "-b", "main"]);
    put(".dvc/config", "[cache]\n    dir = ../store\n");
    // The MD5 of "a\nb\n": before 3.0, texts are named as if their lines ended so.
    put("store/dd/8c6a395b5dd36c56d23275028f526c", "a\r\nb\r\n");
    put("store/d4/1d8cd98f00b204e9800998ecf8427e", "not empty");
    let out = |path: &str, md5: &str| format!("outs:\n- md5: {md5}\n  path: {path}\n");
    // Nobody writes into it: it was waited for.
    std::fs::create_dir_all(folder.join("store/11")).expect("made");
    let pipe = folder.join(format!("store/11/{}.dir", "1".repeat(30)));
    assert!(Command::new("mkfifo").arg(pipe).status().expect("mkfifo runs").success());
    put("data/text.csv.dvc", &out("text.csv", "dd8c6a395b5dd36c56d23275028f526c"));
    put("damaged.dvc", &out("damaged", EMPTY_MD5));
    put("absent.dvc", &out("absent", &"0".repeat(32)));
    put("folder.dvc", &out("folder", &format!("{}.dir", "1".repeat(32))));
    put("outside.dvc", &out("../../outside", &"2".repeat(32)));
    put("remote.dvc", "outs:\n- etag: x\n  path: remote\n");
    put("malformed.dvc", "outs: [\n");
    put("empty.dvc", "");
    put("dvc.yaml", "stages:\n  two:\n    cmd: x\n    metrics: [m.json]\n");
    let lock = "one:\n  cmd: 7\ntwo:\n  cmd: x --token ghp_0123456789abcdefghijklmnopqrstuvwxyz\n  \
                deps:\n  - {path: absent, md5: '00000000000000000000000000000000', size: 5}\n";
    put("dvc.lock", lock);
    git(folder, &["add", "-A", "-f", "--", ":!store/11"]);
    git(folder, &["commit", "-qm", "all"]);
}

#[test]
fn what_the_cache_of_dvc_does_not_have_is_named_and_told() {
    let project = Project::new();
    let source = tempfile::tempdir().expect("a folder");
    older(source.path());
    let from = source.path().to_str().expect("a text");
    let answer = project.run(&["--json", "import", "dvc", from]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let report: Value = serde_json::from_slice(&answer.out).expect("a document");
    let counts = (&report["contents"], &report["contents_absent"], &report["runs"]);
    assert_eq!(counts, (&json!(1), &json!(3), &json!(1)), "{report}");
    let skipped = report["skipped"].to_string();
    for part in [
        "damaged is named by its md5 only",
        "absent is named by its md5 only, 00000000000000000000000000000000: not in the cache",
        "folder is named by its md5 only, 11111111111111111111111111111111.dir: its list is not",
        "outside.dvc: \\\"../../outside\\\" is outside of the repository",
        "remote.dvc: \\\"remote\\\" has no md5",
        "malformed.dvc: ",
        "empty.dvc: it names no outs",
        "stage one: it has no cmd",
    ] {
        assert!(skipped.contains(part), "{part:?} is not in {skipped}");
    }
    assert_eq!(project.done(&["cat", "dvc/main:data/text.csv"]), "a\r\nb\r\n");
    let run = project.done(&["--json", "runs"]);
    let run: Value = serde_json::from_str(&run).expect("one run");
    let absent = json!([{"md5": "0".repeat(32), "path": "absent", "size": 5}]);
    assert_eq!(run["run"]["params"]["dvc"], json!({"deps": absent, "stage": "two"}));
    assert_eq!(run["run"]["inputs"], json!([]));
    assert!(!run.to_string().contains("ghp_"), "{run}");
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
    assert!(project.done(&["import", "dvc", from]).starts_with("Nothing new"));
}

/// All three were dropped without a word: artifacts of a commit after the first 1,024, a path that
/// no tree can have, and, where the user has git read paths literally, every commit.
#[test]
fn what_has_no_place_in_a_record_of_dvc_is_told() {
    let project = Project::new();
    let source = tempfile::tempdir().expect("a folder");
    git(source.path(), &["init", "-q", "-b", "main"]);
    std::fs::create_dir_all(source.path().join(".dvc/cache/files/md5/d4")).expect("made");
    write(&source.path().join(".dvc/config"), "");
    let object = format!(".dvc/cache/files/md5/d4/{}", EMPTY_MD5.split_at(2).1);
    write(&source.path().join(object), "");
    let out = |path: &str| format!("- {{md5: {EMPTY_MD5}, hash: md5, path: {path}}}\n");
    let many: String = (0..1025).map(|number| out(&format!("f{number:04}"))).collect();
    write(&source.path().join("many.dvc"), &format!("outs:\n{many}{}", out(".provenance/x")));
    git(source.path(), &["add", "-f", "many.dvc", ".dvc/config"]);
    git(source.path(), &["commit", "-qm", "many"]);
    let from = source.path().to_str().expect("a text");
    let mut import = project.command(&["--json", "import", "dvc", from]);
    let output = import.env("GIT_LITERAL_PATHSPECS", "1").output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a document");
    let skipped = report["skipped"].to_string();
    assert!(
        skipped.contains("of 1025 tracked files and directories only the first 1024"),
        "{skipped}"
    );
    assert!(skipped.contains(".provenance/x\\\" cannot be recorded"), "{skipped}");
    let tip = project.record("dvc/main");
    assert_eq!(tip["artifacts"].as_array().expect("a list").len(), 1024);
    assert_eq!(project.done(&["ls", "dvc/main"]).lines().count(), 1026);
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}

#[test]
fn what_is_no_repository_of_dvc_is_told() {
    let project = Project::new();
    let source = tempfile::tempdir().expect("a folder");
    let from = source.path().to_str().expect("a text");
    let told = |words: &[&str], part: &str| {
        let answer = project.run(&[&["import", "dvc", from][..], words].concat());
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        assert!(answer.err.contains(part), "{part:?} is not in {}", answer.err);
    };
    told(&[], "not a git repository");
    git(source.path(), &["init", "-q", "-b", "main"]);
    told(&[], "git");
    write(&source.path().join("README"), "x");
    git(source.path(), &["add", "-A"]);
    git(source.path(), &["commit", "-qm", "one"]);
    told(&[], "touches a file of DVC");
    told(&["--revision", "nowhere"], "nowhere");
    told(&["--revision=--output=x"], "is no revision");
}

/// It said that git is not installed.
#[test]
fn a_directory_that_is_not_there_is_named() {
    let project = Project::new();
    let answer = project.run(&["import", "dvc", "../nowhere"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("no such directory"), "{}", answer.err);
    assert!(answer.err.contains("nowhere"), "{}", answer.err);
}
