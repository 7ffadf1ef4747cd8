//! What `run` finds out by itself: code, environment, parameters, metrics; and no secrets.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::project::Project;

/// A worktree with a file of data, and its first commit.
fn sample() -> Project {
    let project = Project::new();
    project.write(b"rows.csv", b"a,1\n");
    project.commit("base");
    project
}

fn attached(project: &Project, id: &Value) -> Value {
    let text = project.done(&["cat", id.as_str().expect("an id")]);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn parameters_and_metrics_come_from_files_and_from_what_the_command_appends() {
    let project = sample();
    let path = project.root();
    project
        .write(b"params.yaml", "lr: 0.1\noptimizer: {name: adam, betas: [0.9, 0.99]}\n".as_bytes());
    let script = r#"
        echo '{"seed": 7, "lr": 0.2}' >> "$PROVENANCE_PARAMS"
        for step in 1 2 3; do
            echo "{\"step\": $step, \"loss\": 0.$step}" >> "$PROVENANCE_METRICS"
        done
        echo '{"step": 4, "loss": NaN}' >> "$PROVENANCE_METRICS"
        printf '{"step": 5, "lo' >> "$PROVENANCE_METRICS"
        printf 'accuracy,recall\n0.9,0.8\n' > metrics.csv"#;
    let words = ["run", "-p", "epochs=3", "--params", "params.yaml", "--metrics", "metrics.csv"];
    let ran = project.command(&words).args(["--", "sh", "-c", script]).output().expect("ran");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(said.contains("half"), "a half-written line is told: {said}");
    let run = project.record("HEAD")["run"].clone();
    let optimizer = json!({"name": "adam", "betas": [0.9, 0.99]});
    let params = json!({"epochs": 3, "lr": 0.2, "seed": 7, "optimizer": optimizer});
    assert_eq!(run["params"], params);
    let loss = &run["metrics"]["loss"];
    assert_eq!(
        (&loss["count"], &loss["first"], &loss["last"]),
        (&json!(4), &json!(0.1), &json!("NaN"))
    );
    assert_eq!((&loss["min"], &loss["max"]), (&json!(0.1), &json!(0.3)));
    let series = attached(&project, &loss["series"]);
    assert_eq!(series["values"], json!([0.1, 0.2, 0.3, "NaN"]));
    assert_eq!(run["metrics"]["recall"], 0.8);
    let drawn = project.done(&["show", "--series", "loss"]);
    assert!(drawn.starts_with("0.3 │") && drawn.lines().count() == 17, "{drawn}");
    project.done(&["show", "--series", "loss", "--svg", "loss.svg"]);
    let picture = fs::read_to_string(path.join("loss.svg")).expect("drawn");
    assert!(picture.starts_with("<svg ") && picture.contains("polyline"), "{picture}");
    let again = project.command(&["show", "--series", "loss", "--svg", "loss.svg"]).output();
    assert!(!again.expect("ran").status.success(), "a file that is there stays");
    let listed =
        project.done(&["runs", "--csv", "--columns", "params.optimizer.name,metrics.loss.min"]);
    assert!(listed.lines().last().expect("a row").ends_with(",adam,0.1"), "{listed}");
    project.done(&["gc", "-q", "--prune-now"]);
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"), "all is reachable");
}

#[test]
fn a_missing_file_of_metrics_is_told_and_of_parameters_refused() {
    let project = sample();
    let gone =
        project.command(&["run", "--metrics", "gone.json", "--", "true"]).output().expect("ran");
    assert_eq!(gone.status.code(), Some(3), "{gone:?}");
    let refused =
        project.command(&["run", "--params", "gone.json", "--", "true"]).output().expect("ran");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert_eq!(project.done(&["runs", "--unfinished"]), "");
}

#[test]
fn the_git_checkout_is_recorded_with_what_git_does_not_have() {
    let project = sample();
    let path = project.root();
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(path).env("HOME", path).args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        let output = git.args(words).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "-q", "-b", "trunk"]) {
        return; // no git here
    }
    project.write(b"train.py", "print(1)\n".as_bytes());
    project.write(b".gitignore", "*.csv\n.provenance\n".as_bytes());
    assert!(git(&["add", "train.py", ".gitignore"]) && git(&["commit", "-qm", "code"]));
    git(&["remote", "add", "origin", "https://ada:secret-word@example.org/penguins.git"]);
    project.write(b"train.py", "print(2)\n".as_bytes());
    project.write(b"new.py", "print(3)\n".as_bytes());
    project.done(&["run", "--", "true"]);
    let commit = project.record("HEAD");
    let code = &commit["code"];
    assert_eq!(code["repository"], "https://[redacted]@example.org/penguins.git");
    assert_eq!((&code["branch"], &code["dirty"]), (&json!("trunk"), &json!(true)));
    assert_eq!(code["git_commit"].as_str().expect("a commit").len(), 40);
    let changes = code["changes"].as_str().expect("a tree");
    assert_eq!(project.done(&["ls", changes]), "new.py\ntrain.py\n");
    assert_eq!(project.done(&["cat", &format!("{changes}:train.py")]), "print(2)\n");
    project.done(&["gc", "-q", "--prune-now"]);
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"), "all is reachable");
}

/// Every one of these would let somebody in.
const SECRETS: &[&str] = &[
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "glpat-ABCDEFGHIJKLMNOPQRST",
    "xoxb-123456789012-123456789012-AbCdEfGhIjKlMnOpQrStUvWx",
    "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
    "npm_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
];

#[test]
fn secrets_enter_no_part_of_a_record() {
    let project = sample();
    for secret in SECRETS {
        let script = format!(
            "echo key {secret}; echo '{{\"token\": \"{secret}\"}}' >> \"$PROVENANCE_PARAMS\""
        );
        let param = format!("api_key={secret}");
        let words = ["run", "-q", "-p", &param, "-m", secret, "--", "sh", "-c", &script];
        let ran = project.command(&words).env("HF_TOKEN", secret).env("TORCH_KEY", secret).output();
        let ran = ran.expect("ran");
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        assert!(String::from_utf8_lossy(&ran.stdout).contains(secret), "output is untouched");
        let commit = project.record("HEAD");
        let log = project.done(&["cat", commit["run"]["log"].as_str().expect("a log")]);
        let environment = attached(&project, &commit["environment"]).to_string();
        let journal = project.done(&["--json", "log", "--journal"]);
        for text in [commit.to_string(), log, environment, journal] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// A password has no shape: it used to stay in the log when a script printed its environment.
#[test]
fn a_secret_that_only_its_variable_names_is_kept_out_of_the_log() {
    let project = sample();
    let script = "echo first $API_KEY last; printf '%s' \"$API_KEY\"; \
                  printf '%s\\n' \"$API_KEY\"; echo $SHORT_PASSWORD";
    let mut run = project.command(&["run", "-q", "--", "sh", "-c", script]);
    let run =
        run.env("API_KEY", "zz Plain+Words").env("SHORT_PASSWORD", "abc").output().expect("ran");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(String::from_utf8_lossy(&run.stdout).matches("zz Plain+Words").count(), 3);
    let commit = project.record("HEAD");
    let log = project.done(&["cat", commit["run"]["log"].as_str().expect("a log")]);
    assert_eq!(log, "first [redacted] last\n[redacted][redacted]\nabc\n");
}
