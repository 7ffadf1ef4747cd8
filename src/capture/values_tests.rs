//! Parameters in every language, and what a word means.

use super::*;

fn params(text: &str, format: ValuesFormat) -> Result<String, String> {
    let object = parse_params(text.as_bytes(), format)?;
    Ok(String::from_utf8(Value::from(object).encode()).unwrap())
}

#[test]
fn nested_parameters_are_kept_in_every_language() {
    let expected = r#"{"a":{"b":[1,2.5,null],"s":"1"},"lr":0.0001,"on":true}"#;
    let json = r#"{"lr":1e-4,"on":true,"a":{"b":[1,2.5,null],"s":"1"}}"#;
    let yaml = "lr: 1e-4\non: true\na:\n  b: [1, 2.5, ~]\n  s: '1'\n";
    assert_eq!(params(json, ValuesFormat::Json).as_deref(), Ok(expected));
    assert_eq!(params(yaml, ValuesFormat::Yaml).as_deref(), Ok(expected));
    let toml = "lr = 1e-4\non = true\n[a]\nb = [1, 2.5]\ns = \"1\"\n[[t]]\nd = 2026-01-01\n[[t]]\n";
    let expected =
        r#"{"a":{"b":[1,2.5],"s":"1"},"lr":0.0001,"on":true,"t":[{"d":"2026-01-01"},{}]}"#;
    assert_eq!(params(toml, ValuesFormat::Toml).as_deref(), Ok(expected));
    let lines = "{\"lr\":1}\n\n{\"lr\":2,\"x\":NaN}\n";
    assert_eq!(params(lines, ValuesFormat::JsonLines).as_deref(), Ok(r#"{"lr":2,"x":"NaN"}"#));
    let pairs = "name,value\nlr,1e-4\n\"a,b\",\"x \"\"y\"\"\"\n";
    let expected = r#"{"a,b":"x \"y\"","lr":0.0001}"#;
    assert_eq!(params(pairs, ValuesFormat::Csv(b',')).as_deref(), Ok(expected));
    let row = "lr\tbatch\tname\n0.1\t32\tfirst\n";
    let expected = r#"{"batch":32,"lr":0.1,"name":"first"}"#;
    assert_eq!(params(row, ValuesFormat::Csv(b'\t')).as_deref(), Ok(expected));
}

#[test]
fn numbers_that_would_be_rounded_keep_their_text() {
    let cases = [
        ("12345678901234567890", "\"12345678901234567890\""),
        ("0.1000000000000000001", "\"0.1000000000000000001\""),
        ("-0.0", "\"-0.0\""),
        ("1e400", "\"1e400\""),
        (".nan", "\"NaN\""),
        ("nan", "\"NaN\""),
        ("-.inf", "\"-Infinity\""),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.e3", "1000"),
        ("0x1F", "31"),
        ("1_000", "1000"),
        ("007", "\"007\""),
        ("1.2.3", "\"1.2.3\""),
        ("e5", "\"e5\""),
        ("-", "\"-\""),
        ("yes", "\"yes\""),
        ("2026-01-01", "\"2026-01-01\""),
    ];
    for (text, expected) in cases {
        let value = String::from_utf8(literal(text).encode()).unwrap();
        assert_eq!(value, expected, "{text}");
    }
}

#[test]
fn a_parameter_of_a_command_line_has_a_type() {
    let parsed = |text| parse_param(text).map(|(name, value)| (name, value.encode()));
    assert_eq!(parsed("lr=1e-4"), Ok(("lr".to_owned(), b"0.0001".to_vec())));
    assert_eq!(parsed("a={\"b\":[1]}"), Ok(("a".to_owned(), b"{\"b\":[1]}".to_vec())));
    assert_eq!(parsed("a=[x"), Ok(("a".to_owned(), b"\"[x\"".to_vec())));
    assert_eq!(parsed("a=b=c"), Ok(("a".to_owned(), b"\"b=c\"".to_vec())));
    assert_eq!(parsed("a="), Ok(("a".to_owned(), b"null".to_vec())));
    assert!(parsed("a").is_err() && parsed("=1").is_err());
}

#[test]
fn aliases_are_followed_merged_and_bounded() {
    let yaml = "base: &b {lr: 1, k: [&x 5, *x]}\nrun:\n  <<: *b\n  lr: 2\nlist: [*b]\n";
    let expected =
        r#"{"base":{"k":[5,5],"lr":1},"list":[{"k":[5,5],"lr":1}],"run":{"k":[5,5],"lr":2}}"#;
    assert_eq!(params(yaml, ValuesFormat::Yaml).as_deref(), Ok(expected));
    let mut laughs = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    for level in 1..20 {
        let items = vec![format!("*a{}", level - 1); 10].join(",");
        laughs += &format!("a{level}: &a{level} [{items}]\n");
    }
    assert!(params(&laughs, ValuesFormat::Yaml).unwrap_err().contains("more than"));
    assert!(params("a: &a [*a]\n", ValuesFormat::Yaml).is_err());
}

#[test]
fn what_is_no_set_of_parameters_is_refused_with_a_reason() {
    for (text, format, reason) in [
        ("[1]", ValuesFormat::Json, "no object"),
        ("{\"a\":1,\"a\":2}", ValuesFormat::Json, "\"a\" occurs twice"),
        ("{\"a\":", ValuesFormat::Json, "at byte 5"),
        ("a: 1\na: 2\n", ValuesFormat::Yaml, "\"a\" occurs twice"),
        ("a: 1\n---\nb: 2\n", ValuesFormat::Yaml, "more than one document"),
        ("? [a]\n: 1\n", ValuesFormat::Yaml, "must be a scalar"),
        ("a = 1\na = 2\n", ValuesFormat::Toml, "duplicate key"),
        ("{\"a\":1}\n{\n", ValuesFormat::JsonLines, "line 2"),
        ("a,b,c\n1,2\n", ValuesFormat::Csv(b','), "one row under names"),
    ] {
        let error = params(text, format).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
    let deep = "[".repeat(100) + &"]".repeat(100);
    for format in [ValuesFormat::Json, ValuesFormat::Yaml] {
        assert!(params(&format!("{{\"a\":{deep}}}"), format).unwrap_err().contains("deeper"));
    }
    assert_eq!(params("", ValuesFormat::Yaml).as_deref(), Ok("{}"));
}

#[test]
fn a_hundred_thousand_parameters_are_fine() {
    let lines: String = (0..100_000).map(|n| format!("p{n}: {n}\n")).collect();
    let started = std::time::Instant::now();
    assert_eq!(parse_params(lines.as_bytes(), ValuesFormat::Yaml).unwrap().len(), 100_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
