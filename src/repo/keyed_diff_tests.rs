//! Changes by key in three languages, and documents that are built to cost.

use super::DocumentLanguage::{Json, Toml, Yaml};
use super::*;

/// Words the changes as `diff` does, one a line; `-` for no answer.
fn words(language: DocumentLanguage, old: &str, new: &str) -> String {
    let Some(changes) = keyed_diff(language, old.as_bytes(), new.as_bytes()) else {
        return "-".into();
    };
    let line = |change: &KeyChange| {
        let [old, new] = [&change.old, &change.new].map(|side| side.as_deref().unwrap_or("none"));
        format!("{}: {old} → {new}", change.key)
    };
    changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn json_changes_are_named_by_key() {
    let old = r#"{"optimizer": {"lr": 0.001, "name": "adam"}, "layers": [16, 8], "seed": 1}"#;
    let new = r#"{"seed": 1, "optimizer": {"lr": 0.01, "name": "sgd"}, "layers": [16], "amp": {}}"#;
    let expected = "optimizer.lr: 0.001 → 0.01\noptimizer.name: \"adam\" → \"sgd\"\n\
                    layers[1]: 8 → none\namp: none → {}";
    assert_eq!(words(Json, old, new), expected);
}

#[test]
fn yaml_changes_are_named_by_key() {
    let old = "optimizer:\n  lr: 0.001\n  betas: [0.9, 0.99]\nname: 'base'\n";
    let new = "# tuned\nname: \"base\"\noptimizer:\n  lr: 0.01\n  betas:\n    - 0.9\n    - 0.999\n";
    let expected = "optimizer.lr: 0.001 → 0.01\noptimizer.betas[1]: 0.99 → 0.999";
    assert_eq!(words(Yaml, old, new), expected);
}

#[test]
fn toml_changes_are_named_by_key() {
    let old = "seed = 1 # first\n[optimizer]\nlr = 1e-3\n[[layer]]\nunits = 4\n";
    let new = "seed = 1\noptimizer = { lr = 1e-2 }\n[[layer]]\nunits = 4\n[[layer]]\nunits = 2\n";
    let expected = "optimizer.lr: 1e-3 → 1e-2\nlayer[1].units: none → 2";
    assert_eq!(words(Toml, old, new), expected);
}

#[test]
fn a_number_keeps_every_digit() {
    let (old, new) = (r#"{"x": 0.10000000000000000001}"#, r#"{"x": 0.10000000000000000002}"#);
    assert_eq!(words(Json, old, new), "x: 0.10000000000000000001 → 0.10000000000000000002");
}

#[test]
fn a_yaml_alias_stands_for_what_it_names() {
    let old = "base: &b {lr: 1, wd: 0}\nlarge: *b\n";
    let new = "base: &b {lr: 2, wd: 0}\nlarge: *b\n";
    assert_eq!(words(Yaml, old, new), "base.lr: 1 → 2\nlarge.lr: 1 → 2");
}

#[test]
fn names_that_could_be_read_otherwise_are_quoted() {
    let (old, new) = (r#"{"a.b": 1, "": 1}"#, r#"{"a.b": 2, "": 2}"#);
    assert_eq!(words(Json, old, new), "\"a.b\": 1 → 2\n\"\": 1 → 2");
}

#[test]
fn no_answer_where_a_patch_says_more() {
    assert_eq!(words(Json, "{\"a\": 1}", "{ \"a\":1 }"), "-", "only the form differs");
    assert_eq!(words(Json, "{\"a\": 1, \"a\": 2}", "{\"a\": 3}"), "-", "a key twice");
    assert_eq!(words(Json, "{\"a\": 1", "{\"a\": 2}"), "-", "malformed");
    assert_eq!(words(Json, "{\"a\": 01}", "{\"a\": 2}"), "-", "malformed leaf");
    assert_eq!(words(Yaml, "a: 1\n---\nb: 1\n", "a: 1\n"), "-", "two documents");
    assert_eq!(words(Yaml, "? [a]\n: 1\n", "a: 1\n"), "-", "a list as a name");
    assert_eq!(words(Toml, "a = ", "a = 1"), "-", "malformed");
    let long = |value: usize| format!("{:?}", vec![value; CHANGES_MAX + 1]);
    assert_eq!(words(Json, &long(1), &long(2)), "-", "too many changes");
    assert_eq!(keyed_diff(Json, b"\"\xff\"", b"1"), None, "not UTF-8");
}

#[test]
fn deep_documents_get_no_answer_and_no_stack() {
    let deep = 200_000;
    for (language, open) in [(Json, "["), (Yaml, "["), (Toml, "a=["), (Yaml, "- ")] {
        assert_eq!(words(language, &open.repeat(deep), "1"), "-");
    }
    let json = format!("{}1{}", "[".repeat(deep), "]".repeat(deep));
    assert_eq!(words(Json, &json, "1"), "-");
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(words(Json, &objects, "1"), "-");
    let tables = format!("[{}a]\nb = 1\n", "a.".repeat(deep));
    assert_eq!(words(Toml, &tables, "a = 1"), "-");
}

#[test]
fn a_billion_laughs_are_not_laughed() {
    let mut document = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        document.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert_eq!(words(Yaml, &document, "a: 1\n"), "-");
}

#[test]
fn large_documents_get_no_answer() {
    let large = format!("\"{}\"", "x".repeat(DOCUMENT_BYTES_MAX));
    assert_eq!(words(Json, &large, "1"), "-");
}

#[test]
fn the_language_is_told_by_the_name() {
    assert_eq!(DocumentLanguage::of_name(b"configs/Train.YML"), Some(Yaml));
    assert_eq!(DocumentLanguage::of_name(b"metrics.json"), Some(Json));
    assert_eq!(DocumentLanguage::of_name(b"data.csv"), None);
    assert_eq!(DocumentLanguage::of_name(b"caf\xe9.json"), None);
}
