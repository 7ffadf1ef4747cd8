//! Checks of sources: bytes that stay.

use provenance::object::{Fingerprint, ObjectId, SourceCheck, SourceMethod, Timestamp};

use crate::support::fixture;

#[test]
fn checks_of_sources_keep_their_bytes() {
    let now = Timestamp(1_785_490_200_123);
    let tag = ObjectId::of(b"etag: \"v2\"\n");
    let found = Fingerprint { id: tag, evidence: Some("ETag \"v2\"".into()), changed: Some(now) };
    let changed = SourceCheck {
        name: "crm".into(),
        uri: Some("https://example.org/export.csv".into()),
        method: SourceMethod::Http,
        paths: vec!["data/raw".into()],
        checked: now,
        found: Some(found),
        failure: None,
    };
    let words = ["sh", "-c", "psql -Atc 'select max(id) from t'"].map(str::to_owned).to_vec();
    let first = Fingerprint { id: ObjectId::of(b"7\n"), evidence: None, changed: None };
    let command = SourceCheck {
        name: "database".into(),
        uri: None,
        method: SourceMethod::Command(words),
        paths: vec!["a.csv".into(), "b.csv".into()],
        found: Some(first),
        ..changed.clone()
    };
    let unreachable = SourceCheck {
        uri: Some("/mnt/share/raw".into()),
        method: SourceMethod::File,
        found: None,
        failure: Some("No such file or directory (os error 2)".into()),
        ..changed.clone()
    };
    let all = [("changed", changed), ("command", command), ("unreachable", unreachable)];
    for (name, check) in all {
        let name = format!("format/v1/source/{name}.json");
        fixture::check(&name, &check.encode().unwrap());
        assert_eq!(SourceCheck::decode(&fixture::read(&name)).unwrap(), check);
    }
}
