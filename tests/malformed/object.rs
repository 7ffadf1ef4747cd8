//! Texts that are no id, one defect each.

use provenance::object::ObjectId;

use crate::support::fixture;

#[test]
fn texts_with_one_defect_are_no_ids() {
    for (defect, text) in [
        ("digits-63", format!("blake3:{}\n", "a".repeat(63))),
        ("digits-65", format!("blake3:{}\n", "a".repeat(65))),
        ("not-hexadecimal", format!("blake3:{}g\n", "a".repeat(63))),
        ("other-hash", format!("sha256:{}\n", "a".repeat(64))),
        ("upper-case", format!("blake3:{}A\n", "a".repeat(63))),
        ("upper-case-prefix", format!("BLAKE3:{}\n", "a".repeat(64))),
    ] {
        fixture::check(&format!("malformed/object/{defect}"), text.as_bytes());
    }
    for name in fixture::names("malformed/object") {
        let text = String::from_utf8(fixture::read(&format!("malformed/object/{name}"))).unwrap();
        assert!(ObjectId::parse_record(text.trim_end()).is_err(), "{name} was accepted");
    }
}
