//! Commits: bytes that stay, and a schema that says what the decoder says.

use provenance::object::{Commit, canonical};
use serde_json::{Value, json};

use crate::support::schema::Schema;
use crate::support::{fixture, sample};

const SCHEMA: &str = "../docs/schema/commit-v1.json";

#[test]
fn commits_keep_their_bytes() {
    for (name, commit) in [
        ("minimal.json", sample::minimal_commit()),
        ("complete.json", sample::complete_commit()),
        ("traced.json", sample::traced_commit()),
    ] {
        let name = format!("format/v1/commit/{name}");
        fixture::check(&name, &commit.encode().unwrap());
        let decoded = Commit::decode(&fixture::read(&name)).unwrap();
        assert_eq!(decoded, commit);
        assert_eq!(decoded.encode().unwrap(), fixture::read(&name));
    }
}

/// Every place of two commits is removed, replaced and added to. Schema and decoder must
/// give the same verdict each time.
#[test]
fn schema_and_decoder_agree_on_every_mutation() {
    let schema = Schema::parse(&String::from_utf8(fixture::read(SCHEMA)).unwrap());
    let (mut accepted, mut refused) = (0, 0);
    for name in ["complete", "traced"] {
        let bytes = fixture::read(&format!("format/v1/commit/{name}.json"));
        let complete: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(schema.accepts(&complete));
        let at_each = pointers(&complete).into_iter();
        let all = at_each
            .flat_map(|at| mutations(&complete, &at).into_iter().map(move |m| (at.clone(), m)));
        for (pointer, mutated) in all {
            let text = serde_json::to_vec(&mutated).unwrap();
            let spelled = canonical::capture(&text, "commit", 1 << 20).unwrap().encode();
            let decoded = Commit::decode(&spelled);
            // That a list ascends is what a schema cannot say, and how long each name of a path is.
            let unsaid = ["must come after", "a name is longer"];
            if decoded.as_ref().is_err_and(|e| unsaid.iter().any(|text| e.reason.contains(text))) {
                continue;
            }
            let verdict = schema.accepts(&mutated);
            assert_eq!(verdict, decoded.is_ok(), "{pointer}: {decoded:?}\n{mutated:#}");
            *(if verdict { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert!(accepted > 500 && refused > 2_500, "{accepted} accepted, {refused} refused");
}

/// Lists the JSON pointers of all values inside `value`, and its own, the empty one.
fn pointers(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, v)| (name.clone(), v)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, v)| (at.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    let deeper = inner
        .into_iter()
        .flat_map(|(name, v)| pointers(v).into_iter().map(move |rest| format!("/{name}{rest}")));
    std::iter::once(String::new()).chain(deeper).collect()
}

fn mutations(complete: &Value, pointer: &str) -> Vec<Value> {
    let replacements = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(256),
        json!(0.5),
        json!(""),
        json!("x"),
        json!(".."),
        json!("a\u{0}b"),
        json!("x".repeat(4_097)),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"x": 1}),
        json!("blake3:0000000000000000000000000000000000000000000000000000000000000000"),
        json!("1999-12-31T23:59:59.999Z"),
    ];
    let mut mutated: Vec<Value> = replacements
        .into_iter()
        .map(|replacement| changed(complete, pointer, |value| *value = replacement))
        .collect();
    mutated.push(changed(complete, pointer, |value| match value {
        Value::Object(object) => drop(object.insert("unknown".to_owned(), json!(1))),
        Value::Array(list) => list.extend(list.first().cloned()),
        _ => {}
    }));
    let Some((parent, name)) = pointer.rsplit_once('/') else { return mutated };
    mutated.push(changed(complete, parent, |value| match value {
        Value::Object(object) => drop(object.remove(name)),
        Value::Array(list) => drop(list.remove(name.parse().expect("an index"))),
        _ => {}
    }));
    mutated
}

fn changed(complete: &Value, pointer: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut copy = complete.clone();
    change(copy.pointer_mut(pointer).expect("it is there"));
    copy
}
