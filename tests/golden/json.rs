//! Canonical JSON: what others write, and its only spelling.

use provenance::object::canonical;

use crate::support::fixture;

/// RFC 8785 §3.2.2, without the number that a double does not hold.
const WRITTEN: &str = r#"{
  "numbers": [1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "text": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}
"#;

/// RFC 8785 §3.2.3: names whose order by UTF-16 is not that by code points.
const NAMES: &str = r#"{"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5,
"\u0080": 6, "\u00f6": 7}
"#;

#[test]
fn what_others_write_has_one_spelling() {
    for (name, written) in [("values", WRITTEN), ("names", NAMES)] {
        fixture::check(&format!("format/v1/json/{name}.written"), written.as_bytes());
        let value = canonical::capture(written.as_bytes(), "value", 1 << 20).unwrap();
        let name = format!("format/v1/json/{name}.canonical");
        fixture::check(&name, &value.encode());
        let bytes = fixture::read(&name);
        assert_eq!(canonical::decode(&bytes, "value", bytes.len()), Ok(value));
    }
}
