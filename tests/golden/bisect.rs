//! A search for the first bad commit has one spelling.

use provenance::format::bisect::{Bisection, MetricRule, Said, Side, Verdict};
use provenance::object::ObjectId;

use crate::support::fixture;

fn begun() -> Bisection {
    Bisection {
        head: "ref: heads/main".to_owned(),
        bad_word: "bad".to_owned(),
        good_word: "good".to_owned(),
        first_parent: false,
        paths: Vec::new(),
        metric: None,
        log: Vec::new(),
    }
}

fn under_way() -> Bisection {
    let said = |name: &[u8], verdict, reason: Option<&str>| Said {
        commit: ObjectId::of(name),
        verdict,
        reason: reason.map(str::to_owned),
    };
    let name = "metrics.accuracy".to_owned();
    Bisection {
        bad_word: "slow".to_owned(),
        good_word: "fast".to_owned(),
        first_parent: true,
        paths: vec!["data/train.csv".to_owned()],
        metric: Some(MetricRule::new(name, Side::Below, 0.9, 0.005).expect("numbers")),
        log: vec![
            said(b"bad", Verdict::Bad, None),
            said(b"good", Verdict::Good, None),
            said(b"near", Verdict::Skip, Some("metrics.accuracy is 0.901, too near to the bound")),
        ],
        ..begun()
    }
}

#[test]
fn a_bisection_is_spelled_in_one_way() {
    for (name, bisection) in [("begun.json", begun()), ("under-way.json", under_way())] {
        let path = format!("format/v1/bisect/{name}");
        fixture::check(&path, &bisection.encode());
        assert_eq!(Bisection::decode(&fixture::read(&path)), Ok(bisection));
    }
}

#[test]
fn bisections_with_one_defect_are_refused() {
    let bytes = under_way().encode();
    let text = String::from_utf8(bytes).expect("text");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for name in document.as_object().expect("an object").keys() {
        let mut less = document.clone();
        less.as_object_mut().expect("an object").shift_remove(name);
        assert_eq!(Bisection::decode(less.to_string().as_bytes()).is_ok(), name == "metric");
    }
    for (old, new) in [
        ("\"verdict\":\"bad\"", "\"verdict\":\"worse\""),
        ("\"is_bad\":\"below\"", "\"is_bad\":\"beside\""),
        ("\"bound\":0.9", "\"bound\":\"0.9\""),
        ("\"first_parent\":true", "\"first_parent\":1"),
        ("blake3:", ""),
        ("bisect/v1", "bisect/v2"),
    ] {
        assert!(text.contains(old), "{old}");
        assert!(Bisection::decode(text.replace(old, new).as_bytes()).is_err(), "{new}");
    }
}

#[test]
fn a_rule_decides_by_the_side_of_its_bound() {
    let rule = |side, tolerance| MetricRule::new(String::new(), side, 0.9, tolerance).expect("one");
    assert_eq!(rule(Side::Below, 0.0).decide(0.89), Some(Verdict::Bad));
    assert_eq!(rule(Side::Below, 0.0).decide(0.9), Some(Verdict::Good));
    assert_eq!(rule(Side::Above, 0.0).decide(0.91), Some(Verdict::Bad));
    assert_eq!(rule(Side::Above, 0.0).decide(0.9), Some(Verdict::Good));
    assert_eq!(rule(Side::Above, 0.02).decide(0.91), None);
    assert_eq!(rule(Side::Above, 0.0).decide(f64::NAN), None);
    assert_eq!(rule(Side::Above, 0.0).decide(f64::INFINITY), Some(Verdict::Bad));
    assert!(MetricRule::new(String::new(), Side::Above, f64::NAN, 0.0).is_err());
}
