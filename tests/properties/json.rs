//! Canonical JSON: round trips, and arbitrary bytes.

use proptest::prelude::*;
use provenance::object::Commit;
use provenance::object::canonical::{self, Number, Object, Value};

use crate::support::sample;

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_filter_map("within the guards", |double| {
            Number::from_f64(double).ok().map(Value::Number)
        }),
        (0..=9_007_199_254_740_991_u64).prop_map(|count| Value::count(count).expect("small")),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
            proptest::collection::vec((any::<String>(), inner), 0..8).prop_map(|members| {
                let mut object = Object::new();
                members.into_iter().for_each(|(name, value)| object.set(name, value));
                Value::Object(object)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_reads_back(value in values()) {
        let bytes = value.encode();
        prop_assert_eq!(canonical::decode(&bytes, "value", bytes.len()), Ok(value.clone()));
        prop_assert_eq!(canonical::capture(&bytes, "value", bytes.len()), Ok(value));
        // Another implementation reads the same text as JSON.
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
    }

    #[test]
    fn whatever_is_accepted_is_spelled_the_same(bytes in any::<Vec<u8>>()) {
        if let Ok(value) = canonical::decode(&bytes, "value", bytes.len()) {
            prop_assert_eq!(value.encode(), bytes);
        }
    }

    #[test]
    fn whatever_is_captured_is_json(text in r#"[\[\]{},:"0-9eE.+\-ntrufalsx\\ ]{0,40}"#) {
        let ours = canonical::capture(text.as_bytes(), "value", text.len());
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        if ours.is_ok() {
            prop_assert!(theirs.is_ok() || text.contains(['e', 'E']), "{}", text);
        }
    }

    #[test]
    fn a_byte_changed_is_another_commit_or_none(at in any::<usize>(), to in any::<u8>()) {
        let mut bytes = sample::complete_commit().encode().unwrap();
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(commit) = Commit::decode(&bytes) {
            prop_assert_eq!(commit.encode().unwrap(), bytes);
        }
    }
}
