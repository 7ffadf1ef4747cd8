//! `import mlflow` on a store that MLflow itself has written.
//!
//! Runs with the interpreter in `PROVENANCE_TEST_PYTHON`, which `make test` prepares. Without that,
//! the test says so and passes.

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
