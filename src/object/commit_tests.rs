//! Commits: what the encoder refuses, and the smallest one.

use super::*;
use crate::object::{ArtifactKind, Content};

fn minimal() -> Commit {
    Commit {
        tree: ObjectId::of(b"tree"),
        parents: Vec::new(),
        author: Author { name: "A".to_owned(), email: String::new() },
        time: Timestamp(0),
        message: String::new(),
        system: System::default(),
        artifacts: Vec::new(),
        run: None,
        code: None,
        environment: None,
        fine_tune: None,
        overlaps: None,
    }
}

fn artifact(path: &str, name: &str) -> Artifact {
    Artifact {
        name: name.to_owned(),
        path: path.to_owned(),
        content: Content {
            kind: ArtifactKind::Model,
            id: ObjectId::of(path.as_bytes()),
            files: 1,
            bytes: 2,
        },
        split: None,
        base: None,
        profile: None,
    }
}

fn refusal(commit: &Commit) -> String {
    commit.encode().expect_err("must be refused").reason
}

#[test]
fn the_smallest_commit_has_no_optional_field() {
    let bytes = minimal().encode().expect("valid");
    let text = String::from_utf8(bytes.clone()).expect("JSON is UTF-8");
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"artifacts":[],"author":{{"email":"","name":"A"}},"message":"","parents":[],"#,
                r#""schema":"provenance/commit/v1","system":{{}},"#,
                r#""time":"1970-01-01T00:00:00.000Z","tree":"{}"}}"#
            ),
            ObjectId::of(b"tree").to_record()
        )
    );
    assert_eq!(Commit::decode(&bytes), Ok(minimal()));
}

#[test]
fn what_the_decoder_refuses_is_not_written() {
    let mut commit = minimal();
    commit.author.name.clear();
    assert_eq!(refusal(&commit), "author.name: must not be empty");

    let mut commit = minimal();
    commit.author.name = "two\nlines".to_owned();
    assert_eq!(refusal(&commit), "author.name: must not contain control characters");

    let mut commit = minimal();
    commit.system.memory = Some(u64::MAX);
    assert_eq!(refusal(&commit), "integer is beyond ±9007199254740991");

    let mut commit = minimal();
    commit.time = Timestamp(i64::MIN);
    assert_eq!(refusal(&commit), "time is outside the years 0000 to 9999");

    let mut commit = minimal();
    commit.message = "x".repeat(COMMIT_BYTES_MAX);
    assert_eq!(refusal(&commit), "longer than 4194304 bytes");

    let mut commit = minimal();
    let id = ObjectId::of(b"parent");
    commit.parents = vec![id, ObjectId::of(b"other"), id];
    assert_eq!(refusal(&commit), "parents: must not name a commit twice");
}

#[test]
fn artifacts_are_ascending_by_path_then_name() {
    let mut commit = minimal();
    commit.artifacts = vec![artifact("a", "x"), artifact("a", "y"), artifact("a/b", "a")];
    assert!(commit.encode().is_ok());
    commit.artifacts.swap(0, 1);
    assert_eq!(refusal(&commit), "artifacts[1]: must come after the one before");
    commit.artifacts = vec![artifact("a", "x"), artifact("a", "x")];
    assert_eq!(refusal(&commit), "artifacts[1]: must come after the one before");
    for path in ["", "/a", "a/", "a//b", "./a", "a/../b", "a\0", "a/.git/b"] {
        commit.artifacts = vec![artifact(path, "x")];
        assert!(refusal(&commit).starts_with("artifacts[0].path: "), "{path}");
    }
}

#[test]
fn metrics_out_of_order_are_an_error_and_not_a_panic() {
    use crate::object::{Metric, Metrics, Params, Reading, Resources};
    let reading = |name: &str| (name.to_owned(), Metric::Single(Reading::Text("NaN".to_owned())));
    let mut commit = minimal();
    commit.run = Some(Run {
        name: "r".to_owned(),
        command: vec!["true".to_owned()],
        directory: ".".to_owned(),
        started: Timestamp(0),
        ended: None,
        exit_code: None,
        params: Params::Here(Object::new()),
        metrics: Metrics::Here(vec![reading("a"), reading("b")]),
        inputs: Vec::new(),
        outputs: Vec::new(),
        log: None,
        resources: Resources::default(),
        trace: None,
    });
    assert!(commit.encode().is_ok());
    let run = commit.run.as_mut().expect("set above");
    run.metrics = Metrics::Here(vec![reading("b"), reading("a")]);
    assert_eq!(refusal(&commit), "metrics must be ascending by name, each name once");
}
