//! Environments: bytes that stay, and a schema that says what is written.
//!
//! That the bytes are what is written today, `src/capture/environment_tests.rs` shows.

use std::path::Path;

use provenance::capture::environment::{self, EnvironmentRequest, Variables};
use provenance::object::canonical::{self, Value};

use crate::support::fixture;
use crate::support::schema::Schema;

fn schema() -> Schema {
    let text = fixture::read("../docs/schema/environment-v1.json");
    Schema::parse(&String::from_utf8(text).expect("a schema is text"))
}

#[test]
fn the_schema_accepts_what_is_written() {
    let bytes = fixture::read("format/v1/environment/complete.json");
    canonical::decode(&bytes, "environment", bytes.len()).unwrap();
    let mut complete: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert!(schema().accepts(&complete));
    for field in ["interpreter", "packages", "lock_files", "container", "ci", "variables"] {
        assert!(complete.get(field).is_some(), "{field}");
    }
    complete["more"] = true.into();
    assert!(!schema().accepts(&complete));
}

#[test]
fn the_schema_accepts_this_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = environment::look(EnvironmentRequest {
        command: &["python3".to_owned(), "train.py".to_owned()],
        directory: root,
        root,
        variables: &Variables::of_this_program(),
    });
    let bytes = Value::from(found.document).encode();
    assert!(schema().accepts(&serde_json::from_slice(&bytes).unwrap()));
    assert!(found.lock_files.iter().any(|file| file.path == "Cargo.lock"));
}
