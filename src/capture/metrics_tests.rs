//! Files of metrics as programs write them, whole and broken.

use std::fs::File;
use std::io::Write as _;

use super::*;

fn read(files: &[(&str, &str)]) -> CapturedMetrics {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = MetricsReader::new();
    for (name, content) in files {
        let path = folder.path().join(name);
        File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
        reader.read_file(&path).unwrap();
    }
    let mut captured = reader.finish();
    let place = format!("{}/", folder.path().display());
    captured.notes.iter_mut().for_each(|note| *note = note.replace(&place, ""));
    captured
}

fn number(value: f64) -> Reading {
    Reading::Number(Number::from_f64(value).unwrap())
}

fn names(captured: &CapturedMetrics) -> Vec<&str> {
    captured.metrics.iter().map(|(name, _)| name.as_str()).collect()
}

fn series(captured: &CapturedMetrics, name: &str) -> (Series, SeriesValues) {
    let found = captured.metrics.iter().find(|(other, _)| other == name);
    let Some((_, Metric::Series(series))) = found else { panic!("{name}: {found:?}") };
    let is_it = |bytes: &&Vec<u8>| Some(ObjectId::of(bytes)) == series.series;
    let bytes = captured.series.iter().find(is_it).unwrap();
    (series.clone(), SeriesValues::decode(bytes).unwrap())
}

#[test]
fn single_values_are_nested_names() {
    let json =
        r#"{"accuracy":0.91,"test":{"f1":NaN,"n":12345678901234567890},"by":"me","ok":true}"#;
    let found = read(&[("metrics.json", json)]);
    assert_eq!(names(&found), ["accuracy", "test.f1", "test.n"]);
    assert_eq!(found.metrics[0].1, Metric::Single(number(0.91)));
    assert_eq!(found.metrics[1].1, Metric::Single(Reading::Text("NaN".to_owned())));
    let digits = Reading::Text("12345678901234567890".to_owned());
    assert_eq!(found.metrics[2].1, Metric::Single(digits));
    let left_out = ["by", "ok"].map(|name| format!("metrics.json: {name} is no number, left out"));
    assert_eq!(found.notes, left_out);
    let yaml = read(&[("m.yaml", "a: {b: 1}\n")]);
    assert_eq!((names(&yaml), yaml.notes.len()), (vec!["a.b"], 0));
    let toml = read(&[("m.toml", "[a]\nb = inf\n")]);
    assert_eq!(toml.metrics[0].1, Metric::Single(Reading::Text("Infinity".to_owned())));
}

#[test]
fn lines_become_series_under_their_steps() {
    let lines = "{\"step\":1,\"loss\":0.5,\"epoch\":0}\n{\"step\":2,\"loss\":NaN}\n\
        {\"step\":3,\"loss\":0.25}\n{\"accuracy\":0.9}\n{\"step\":4,\"lo";
    let found = read(&[("m.jsonl", lines)]);
    assert_eq!(names(&found), ["accuracy", "epoch", "loss"]);
    assert_eq!(found.metrics[0].1, Metric::Single(number(0.9)));
    let (summary, values) = series(&found, "loss");
    assert_eq!((summary.count, summary.first, summary.last), (3, number(0.5), number(0.25)));
    let min_max = [summary.min, summary.max].map(|number| number.unwrap().as_f64());
    assert_eq!(min_max, [0.25, 0.5]);
    let steps = [1, 2, 3].map(|step| Number::from_u64(step).ok());
    assert_eq!(values.steps, steps);
    assert_eq!(values.values, [number(0.5), Reading::Text("NaN".to_owned()), number(0.25)]);
    assert_eq!(found.notes, ["m.jsonl: the last line is half written, left out"]);
}

#[test]
fn tables_and_lists_become_series() {
    let found = read(&[("m.csv", "epoch,loss,name\r\n0,0.5,a\r\n1,,b\r\n2,inf,c\r\n3,0")]);
    assert_eq!(names(&found), ["loss"]);
    let (summary, values) = series(&found, "loss");
    assert_eq!((summary.count, values.steps.len()), (2, 2));
    assert_eq!(values.values[1], Reading::Text("Infinity".to_owned()));
    let expected =
        ["m.csv: name is no number, left out", "m.csv: the last line is half written, left out"];
    assert_eq!(found.notes, expected);
    let state = r#"{"best":0.1,"log_history":[{"step":1,"loss":2},{"step":2,"loss":1}],"h":[1,2]}"#;
    let found = read(&[("trainer_state.json", state)]);
    assert_eq!(names(&found), ["best", "h", "log_history.loss"]);
    assert_eq!(series(&found, "h").1.steps, []);
    assert_eq!(series(&found, "log_history.loss").1.steps.len(), 2);
    let lists = read(&[("m.jsonl", "{\"h\":[1,2]}\n{\"h\":[3,4]}\n")]);
    assert_eq!((series(&lists, "h").0.count, lists.notes.len()), (4, 0));
}

#[test]
fn what_is_broken_costs_its_line_only_and_is_said() {
    let lines =
        "{\"a\":1,\"a\":2}\n[1]\n{\"b\":1,\"c.d\":1,\"c\":{\"d\":2}}\nnonsense\n\n{\"b\":2}\n";
    let found = read(&[("m.jsonl", lines), ("n.json", "{\"b\":3}")]);
    assert_eq!(names(&found), ["b", "c.d"]);
    assert_eq!(series(&found, "b").0.count, 2);
    let starts = [
        "m.jsonl: line 1: JSON is malformed at byte 1: name \"a\" occurs twice",
        "m.jsonl: line 2 is no object",
        "m.jsonl: c.d: it occurs twice",
        "m.jsonl: line 4: JSON is malformed",
        "n.json: b: an earlier file has it",
    ];
    assert_eq!(found.notes.len(), starts.len(), "{:?}", found.notes);
    for (note, start) in found.notes.iter().zip(starts) {
        assert!(note.starts_with(start), "{note}");
    }
    let many = "x\n".repeat(1000);
    let notes = read(&[("m.jsonl", &many)]).notes;
    assert_eq!(notes.len(), 6);
    assert!(notes[5].ends_with("and 995 more"));
}

#[test]
fn long_lines_and_many_names_are_bounded() {
    let long = format!("{{\"x\":\"{}\"}}\n{{\"x\":1}}\n", "y".repeat(17 << 20));
    let found = read(&[("m.jsonl", &long)]);
    assert_eq!((names(&found), found.notes.len()), (vec!["x"], 1));
    let members: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\":{n}")).collect();
    let line = format!("{{{}}}", members.join(","));
    assert_eq!(read(&[("m.jsonl", &line)]).metrics.len(), 100_000);
}

#[test]
fn names_ascend_as_canonical_json_has_them() {
    let found = read(&[("m.json", "{\"\u{ffff}\":1,\"\u{10000}\":2,\"b\":3,\"B\":4}")]);
    assert_eq!(names(&found), ["B", "b", "\u{10000}", "\u{ffff}"]);
}

/// Of content at hand, only the first five notes were given, and no word of the others.
#[test]
fn a_file_and_its_content_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let broken: String = (0..9).map(|_| "no row\n").collect();
    for (name, content) in [
        ("m.jsonl", format!("{broken}{{\"step\":1,\"loss\":0.5}}\n")),
        ("m.csv", "loss,acc\n0.5,1\n0.25\n".to_owned()),
        ("m.json", r#"{"loss":0.5,"by":"me"}"#.to_owned()),
    ] {
        let path = folder.path().join(name);
        File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
        let (mut file, mut at_hand) = (MetricsReader::new(), MetricsReader::new());
        file.read_file(&path).unwrap();
        at_hand.read_content(&path, content.as_bytes()).unwrap();
        let captured = at_hand.finish();
        assert_eq!(captured, file.finish());
        assert_eq!(
            captured.notes.iter().any(|note| note.ends_with("and 4 more")),
            name == "m.jsonl"
        );
    }
}
