//! Answers in JSON: whatever field appears is on the page that promises it, `docs/json.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A day that makes every command answer; `!` before those that may end with another code than 0.
const DAY: &[&str] = &[
    "init",
    "status",
    "add -n .",
    "add -A",
    "commit -m one",
    "!commit -m nothing",
    "ls -r",
    "diff",
    "hash config.toml",
    "config set user.name Ada",
    "config list",
    "config get user.name",
    "log",
    "log --journal",
    "show",
    "branch other",
    "branch",
    "checkout -b third",
    "tag v1",
    "tag",
    "undo",
    "rev-parse HEAD",
    "rev-list HEAD",
    "rev-list --count HEAD",
    "merge-base HEAD HEAD",
    "merge-base --is-ancestor HEAD HEAD",
    "commit-tree HEAD: -m again",
    "restore config.toml",
    "rm -n --cached config.toml",
    "fsck --full",
    "gc -n",
    "du",
    "!status -C nowhere",
];

#[test]
fn every_field_of_an_answer_is_documented() {
    let page = fs::read_to_string("docs/json.md").expect("the page is there");
    let record = fs::read_to_string("docs/schema/commit-v1.json").expect("the schema is there");
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in [("config.toml", "lr = 1\n"), ("data.csv", "a\n")] {
        put(&dir.path().join(name), text);
    }
    let mut fields = BTreeSet::new();
    for (at, line) in DAY.iter().enumerate() {
        if *line == "diff" {
            put(&dir.path().join("config.toml"), "lr = 2\n");
            put(&dir.path().join("data.csv"), "b\n");
        }
        let may_fail = line.starts_with('!');
        let words = line.trim_start_matches('!').split(' ');
        let output = Command::new(env!("CARGO_BIN_EXE_provenance"))
            .arg("--json")
            .args(words)
            .current_dir(&dir)
            .env_remove("PROVENANCE_USER_NAME")
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .output()
            .expect("the program starts");
        assert!(output.status.success() || may_fail, "{at}: {line}");
        for answer in [output.stdout, output.stderr] {
            let answer = String::from_utf8(answer).expect("JSON is UTF-8");
            for document in answer.lines() {
                collect(&serde_json::from_str(document).expect(line), &mut fields);
            }
        }
    }
    let is_documented = |field: &str| {
        page.contains(&format!("`{field}`")) || record.contains(&format!("\"{field}\":"))
    };
    let missing: Vec<_> = fields.iter().filter(|field| !is_documented(field)).collect();
    assert!(missing.is_empty(), "not in docs/json.md: {missing:?}");
}

fn put(path: &Path, text: &str) {
    use std::io::Write as _;
    fs::File::create(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("is written");
}

fn collect(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                fields.insert(key.clone());
                collect(value, fields);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, fields)),
        _ => {}
    }
}
