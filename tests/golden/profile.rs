//! Profiles of tables: bytes that stay.

use provenance::object::canonical::Number;
use provenance::object::{ColumnKind, ColumnProfile, LabelProfile, Profile};

use crate::support::fixture;

#[test]
fn profiles_keep_their_bytes() {
    let number = |value| Number::from_f64(value).ok();
    let species = ColumnProfile {
        name: "species".to_owned(),
        kind: ColumnKind::Text,
        missing: 0,
        min: None,
        max: None,
    };
    let bill = ColumnProfile {
        name: "bill_length_mm".to_owned(),
        kind: ColumnKind::Number,
        missing: 2,
        min: number(32.1),
        max: number(59.6),
    };
    let label = LabelProfile {
        column: "species".to_owned(),
        values: vec![("Adelie".to_owned(), 152), ("Gentoo".to_owned(), 124)],
        other_rows: 0,
    };
    let note = "data/half.csv: a quote in line 7 is not closed; not counted from there";
    let profile = Profile {
        tables: 2,
        rows: 276,
        column_count: 2,
        columns: vec![species, bill],
        label: Some(label),
        notes: vec![note.to_owned()],
    };
    let name = "format/v1/profile/penguins.json";
    fixture::check(name, &profile.encode().unwrap());
    let kept = fixture::read(name);
    assert_eq!(Profile::decode(&kept).unwrap(), profile);
    let is_refused = |from: &str, to: &str| {
        let text = String::from_utf8(kept.clone()).unwrap();
        assert!(text.contains(from));
        Profile::decode(text.replacen(from, to, 1).as_bytes()).is_err()
    };
    assert!(is_refused("\"type\":\"text\"", "\"type\":\"string\""), "an unknown type");
    assert!(is_refused("\"rows\":276", "\"rows\":0.5"), "half a row");
    assert!(is_refused("\"tables\":2", "\"tables\":2,\"trees\":1"), "another field");
}
