//! The state of a run under way has one spelling.

use provenance::format::run_state::RunState;
use provenance::object::canonical::{Number, Object};
use provenance::object::{Code, ObjectId, Timestamp};

use crate::support::fixture;

fn state() -> RunState {
    let mut params = Object::new();
    params.set("lr", Number::from_f64(0.01).expect("a number"));
    params.set("optimizer", "adam");
    RunState {
        name: "calm-otter-3f2a".to_owned(),
        named: false,
        command: ["python", "train.py", "--epochs=3"].map(str::to_owned).into(),
        directory: ".".to_owned(),
        started: Timestamp(1_785_490_200_000),
        tree: ObjectId::of(b"tree"),
        parent: Some(ObjectId::of(b"parent")),
        branch: Some("heads/main".to_owned()),
        advance: true,
        inputs: vec!["data".to_owned()],
        outputs: vec!["model.bin".to_owned()],
        params,
        params_files: vec!["params.yaml".to_owned()],
        metrics_files: Vec::new(),
        code: Some(Code {
            repository: Some("https://example.org/penguins.git".to_owned()),
            git_commit: Some("0f".repeat(20)),
            branch: Some("main".to_owned()),
            dirty: true,
            changes: Some(ObjectId::of(b"changes")),
        }),
        environment: Some(ObjectId::of(b"environment")),
        trace: false,
        message: String::new(),
        journal: "run -i data -o model.bin -- python train.py --epochs=3".to_owned(),
    }
}

#[test]
fn a_run_state_is_spelled_in_one_way() {
    let nothing = RunState { code: None, environment: None, ..state() };
    let first = RunState { parent: None, branch: None, ..nothing };
    let traced = RunState { trace: true, ..state() };
    for (name, state) in
        [("state.json", state()), ("before-the-first-commit.json", first), ("traced.json", traced)]
    {
        let path = format!("format/v1/run-state/{name}");
        fixture::check(&path, &state.encode().expect("encoded"));
        assert_eq!(RunState::decode(&fixture::read(&path)), Ok(state));
    }
}

#[test]
fn every_missing_or_unknown_field_is_refused() {
    let bytes = state().encode().expect("encoded");
    let text = String::from_utf8(bytes).expect("text");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for name in document.as_object().expect("an object").keys() {
        let mut less = document.clone();
        less.as_object_mut().expect("an object").shift_remove(name);
        let optional = ["parent", "branch", "code", "environment"];
        let is_optional = optional.contains(&name.as_str());
        assert_eq!(RunState::decode(less.to_string().as_bytes()).is_ok(), is_optional, "{name}");
    }
    let not_traced = text.replace("\"tree\"", "\"trace\":false,\"tree\"");
    assert!(RunState::decode(not_traced.as_bytes()).is_err(), "absent is its only spelling");
    assert!(RunState::decode(text.replace("\"advance\"", "\"advanced\"").as_bytes()).is_err());
    assert!(RunState::decode(&text.as_bytes()[..text.len() - 1]).is_err());
}
