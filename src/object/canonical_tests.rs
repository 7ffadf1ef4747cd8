//! Canonical JSON: the vectors of RFC 8785, the guards, and fields of records.

use super::*;

const WHAT: &str = "test value";

fn read(text: &str) -> Result<Value, DecodeError> {
    decode(text.as_bytes(), WHAT, 1 << 20)
}

fn reason(text: &str) -> String {
    read(text).expect_err(text).reason
}

/// The example of RFC 8785 §3.2.2 to §3.2.4, input and canonical bytes.
#[test]
fn the_example_of_rfc_8785() {
    let input = r#"{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"#;
    let canonical = concat!(
        r#"{"literals":[null,true,false],"numbers":["333333333.33333329",1e+30,4.5,0.002,1e-27],"#,
        "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
    );
    // The first number has a digit more than a double keeps; RFC 8785 rounds it, we keep its text.
    let value = capture(input.as_bytes(), WHAT, 1 << 20).expect("valid JSON");
    assert_eq!(String::from_utf8(value.encode()).expect("UTF-8"), canonical);
    assert_eq!(read(canonical), Ok(value));
}

/// RFC 8785 §3.2.3: sorted by UTF-16 code units, where U+1F600 comes before U+FB33.
#[test]
fn the_order_of_names_of_rfc_8785() {
    let input = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet",
        "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
        "\u00f6":"Latin Small Letter O With Diaeresis"}"#;
    let value = capture(input.as_bytes(), WHAT, 1 << 20).expect("valid JSON");
    let Value::Object(object) = value else { panic!("an object") };
    let names: Vec<_> = object.iter().map(|(name, _)| name).collect();
    let expected = ["\r", "1", "\u{80}", "ö", "€", "\u{1f600}", "\u{fb33}"];
    assert_eq!(names, expected);
}

/// RFC 8785 appendix B: doubles by their bits, and their spelling.
#[test]
fn the_numbers_of_rfc_8785() {
    let samples = [
        (0x0000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, text) in samples {
        let number = Number::from_f64(f64::from_bits(bits)).expect("within the guards");
        assert_eq!(Value::Number(number).encode(), text.as_bytes());
        assert_eq!(read(text), Ok(Value::Number(number)));
    }
}

#[test]
fn integers_that_others_round_are_refused() {
    assert!(read("9007199254740991").is_ok());
    assert!(read("-9007199254740991").is_ok());
    for text in
        ["9007199254740992", "-9007199254740992", "9007199254740993", "1000000000000000000000"]
    {
        assert_eq!(reason(text), NumberError::Integer.to_string(), "{text}");
        assert_eq!(capture(text.as_bytes(), WHAT, 99), Ok(Value::from(text)));
    }
    assert!(Number::from_u64(1 << 53).is_err());
    assert!(Number::from_i64(-(1 << 53)).is_err());
    assert!(Number::from_f64(1e20).is_err());
}

#[test]
fn numbers_that_do_not_survive_are_refused_or_kept_as_text() {
    for text in [
        "0.1000000000000000055511151231257827",
        "1e400",
        "1e-400",
        "-0",
        "-0.0",
        "0.30000000000000004441",
    ] {
        assert!(read(text).is_err(), "{text}");
        assert_eq!(capture(text.as_bytes(), WHAT, 99), Ok(Value::from(text)), "{text}");
    }
    for (text, kept) in [("0.10", 0.1), ("1E-1", 0.1), ("100e-3", 0.1), ("0e999999999999999", 0.0)]
    {
        assert!(read(text).is_err(), "{text} has another spelling");
        let number = Number::from_f64(kept).expect("within the guards");
        assert_eq!(Value::number_or_text(text), Value::Number(number), "{text}");
    }
    assert_eq!(Value::number_or_text("nan"), Value::from("nan"));
    assert!(Number::from_f64(f64::NAN).is_err());
    assert!(Number::from_f64(-0.0).is_err());
}

#[test]
fn what_is_not_json_is_refused() {
    let texts = [
        "",
        " ",
        "nul",
        "truee",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "--1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{,}",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "[",
        "{",
        "{\"a\":1",
        "[1",
        "1 1",
        "nan",
        "+Infinity",
        "-Inf",
        "NaNs",
        "\u{feff}1",
        "'a'",
    ];
    for text in texts {
        assert!(read(text).is_err(), "{text}");
        assert!(capture(text.as_bytes(), WHAT, 99).is_err(), "{text}");
    }
    assert_eq!(decode(b"\"\xff\"", WHAT, 99).expect_err("not UTF-8").offset, 1);
}

#[test]
fn what_others_write_for_no_number_is_refused_and_captured_by_name() {
    for text in ["NaN", "Infinity", "-Infinity"] {
        assert!(read(text).is_err(), "{text}");
        assert_eq!(capture(text.as_bytes(), WHAT, 99), Ok(Value::Text(text.to_owned())));
    }
    let listed = capture(b"[NaN, -Infinity,1]", WHAT, 99).unwrap();
    assert_eq!(listed.encode(), br#"["NaN","-Infinity",1]"#);
}

#[test]
fn guards_hold_while_capturing_too() {
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#] {
        let error = capture(text.as_bytes(), WHAT, 99).expect_err("a name twice");
        assert!(error.reason.contains("occurs twice"), "{error}");
    }
    for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800x""#] {
        let error = capture(text.as_bytes(), WHAT, 99).expect_err("a lone surrogate");
        assert_eq!(error.reason, "lone surrogate");
    }
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&deep(DEPTH_MAX)).is_ok());
    assert_eq!(reason(&deep(DEPTH_MAX + 1)), "nested deeper than 64");
    assert!(read(&"[".repeat(1 << 19)).is_err());
    assert!(decode(b"123", WHAT, 3).is_ok());
    assert!(decode(b"1234", WHAT, 3).is_err());
}

#[test]
fn another_spelling_is_refused_where_it_begins() {
    for (text, offset) in [
        (r#"{"a":1, "b":2}"#, 7),
        (r#"{"b":1,"a":2}"#, 2),
        (r#""\u0041""#, 1),
        (r#""\/""#, 1),
        ("[1.0]", 2),
        ("1\n", 1),
        (r#""\u000A""#, 2),
    ] {
        let error = read(text).expect_err(text);
        assert_eq!((error.offset, error.reason.contains("canonical")), (offset, true), "{text}");
    }
}

#[test]
fn a_record_gives_each_field_once() {
    let take = |text: &str| {
        decode_record(text.as_bytes(), WHAT, 999, |fields| {
            fields.schema("x/v1")?;
            let count = fields.required("count", Value::counted)?;
            let names = fields.optional("names", |list| list.items(|item| item.line(3)))?;
            Ok((count, names))
        })
    };
    assert_eq!(take(r#"{"count":1,"schema":"x/v1"}"#), Ok((1, None)));
    let names = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(take(r#"{"count":0,"names":["a","b"],"schema":"x/v1"}"#), Ok((0, names)));
    for (text, offset, reason) in [
        (r#"{"schema":"x/v1"}"#, 0, "count is missing"),
        (r#"{"count":1,"schema":"x/v2"}"#, 20, r#"schema: must be "x/v1""#),
        (r#"{"count":-1,"schema":"x/v1"}"#, 9, "count: must be an integer, 0 or more"),
        (r#"{"count":1,"extra":1,"schema":"x/v1"}"#, 19, "extra: unknown field"),
        (
            r#"{"count":1,"names":["a","long"],"schema":"x/v1"}"#,
            24,
            "names[1]: must not be longer than 3 bytes",
        ),
        ("[]", 0, "must be an object"),
    ] {
        assert_eq!(take(text), Err(DecodeError::new(WHAT, offset, reason)), "{text}");
    }
}

#[test]
fn a_name_set_again_is_replaced() {
    let mut object = Object::new();
    object.set("b", Value::count(1).expect("small"));
    object.set("a", true);
    object.set("b", "two");
    object.set_some("c", None::<bool>);
    assert_eq!(Value::from(object).encode(), br#"{"a":true,"b":"two"}"#);
}
