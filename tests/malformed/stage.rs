//! Stages with one defect each are refused. (Stamps are derived: damage to them is a unit test.)

use provenance::format::stage::Stage;
use provenance::object::ObjectId;

use crate::support::fixture;

#[test]
fn stages_with_one_defect_are_refused() {
    let tree = ObjectId::of(b"tree");
    let good = format!("{{\"schema\":\"provenance/stage/v1\",\"tree\":\"{}\"}}", tree.to_record());
    assert!(Stage::decode(good.as_bytes()).is_ok());
    for (defect, text) in [
        ("empty", String::new()),
        ("line-end", good.clone() + "\n"),
        ("schema-other", good.replace("stage/v1", "stage/v2")),
        ("tree-bare", good.replace("blake3:", "")),
        ("tree-missing", "{\"schema\":\"provenance/stage/v1\"}".to_owned()),
        ("truncated", good[..40].to_owned()),
        ("unknown-field", good.replace("}", ",\"x\":1}")),
    ] {
        fixture::check(&format!("malformed/stage/{defect}"), text.as_bytes());
    }
    for name in fixture::names("malformed/stage") {
        let bytes = fixture::read(&format!("malformed/stage/{name}"));
        assert!(Stage::decode(&bytes).is_err(), "{name} was accepted");
    }
}
