//! Cut points of weights, and headers that are none.

use super::*;

const LIMITS: TensorLimits = TensorLimits { min_bytes: 100, piece_bytes: 1000 };

/// A header with these tensors, padded to 200 bytes, and the length of the file.
fn header(tensors: &[(&str, u64, u64)]) -> (Vec<u8>, u64) {
    let items = tensors.iter().map(|(name, start, end)| {
        format!(
            r#""{name}":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#,
            end - start
        )
    });
    let items: Vec<_> = items.collect();
    let json = format!(r#"{{"__metadata__":{{"format":"pt"}},{}}}"#, items.join(","));
    let end = tensors.iter().map(|(_, _, end)| *end).max().unwrap_or(0);
    from_json(&format!("{json: <592}"), end)
}

fn from_json(json: &str, data_bytes: u64) -> (Vec<u8>, u64) {
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.extend_from_slice(json.as_bytes());
    let file_bytes = header.len() as u64 + data_bytes;
    (header, file_bytes)
}

fn cuts((header, file_bytes): (Vec<u8>, u64)) -> Vec<u64> {
    assert_eq!(header_bytes(&header, file_bytes), Some(header.len() as u64));
    assert_eq!(header_bytes(&header[..8], file_bytes), Some(header.len() as u64));
    cut_points(&header, file_bytes, LIMITS).expect("a header")
}

#[test]
fn tensors_begin_and_end_pieces() {
    let (a, b, c) = (("a", 0, 150), ("b", 150, 2650), ("c", 2650, 2800));
    assert_eq!(cuts(header(&[a, b, c])), [600, 750, 1750, 2750, 3250, 3400]);
    assert_eq!(cuts(header(&[c, a, b])), [600, 750, 1750, 2750, 3250, 3400], "in any order");
}

#[test]
fn a_short_rest_joins_the_last_piece() {
    assert_eq!(cuts(header(&[("a", 0, 2250)])), [600, 1600, 2850]);
    assert_eq!(cuts(header(&[("a", 0, 2251)])), [600, 1600, 2600, 2851]);
}

#[test]
fn small_tensors_share_a_piece() {
    let small: Vec<_> = (0..6).map(|number| ("s", number * 40, number * 40 + 40)).collect();
    assert_eq!(cuts(header(&small)), [600, 720, 840]);
    let mut mixed = small[..1].to_vec();
    mixed.extend([("large", 40, 240), ("s", 240, 250), ("empty", 250, 250), ("s", 250, 270)]);
    assert_eq!(cuts(header(&mixed)), [600, 640, 840, 870]);
}

#[test]
fn a_long_header_is_cut_too() {
    let (long, file_bytes) = header(&[("a", 0, 10)]);
    let json = format!("{: <3000}", String::from_utf8_lossy(&long[8..]).trim_end());
    let (long, _) = from_json(&json, 10);
    let ends = cut_points(&long, file_bytes + 3000 - 592, LIMITS).expect("a header");
    assert_eq!(ends, [1000, 2000, 3008, 3018]);
}

#[test]
fn what_is_not_safetensors_is_refused() {
    let refuse = |json: &str, data_bytes| {
        let (header, file_bytes) = from_json(json, data_bytes);
        assert!(cut_points(&header, file_bytes, LIMITS).is_err(), "{json}");
    };
    refuse("{}", 0);
    refuse(r#"{"__metadata__":{}}"#, 0);
    refuse(r#"{"a":{"data_offsets":[0,10]}}"#, 11);
    refuse(r#"{"a":{"data_offsets":[0,10]}}"#, 9);
    refuse(r#"{"a":{"data_offsets":[1,10]}}"#, 10);
    refuse(r#"{"a":{"data_offsets":[10,0]}}"#, 10);
    refuse(r#"{"a":{"data_offsets":[0,6]},"b":{"data_offsets":[5,10]}}"#, 10);
    refuse(r#"{"a":{"data_offsets":[0,18446744073709551615]}}"#, 10);
    refuse(r#"{"a":{"data_offsets":[0,18446744073709551616]}}"#, 10);
    refuse(r#"{"a":{"data_offsets":[0,-1]}}"#, 10);
    refuse(r#"{"a":{"data_offsets":[0,10,11]}}"#, 10);
    refuse(r#"{"a":{}}"#, 10);
    refuse(r#"{"a":{"data_offsets":[0,10]}"#, 10);
    refuse(r#"{"a":{"data_offsets":[0,1125899906842624]}}"#, 1 << 50);
    refuse(&format!(r#"{{"a":{}"#, "[".repeat(100_000)), 10);
}

#[test]
fn a_header_is_never_longer_than_the_file() {
    let start = |length: u64, next: u8| {
        let mut start = length.to_le_bytes().to_vec();
        start.push(next);
        start
    };
    assert_eq!(header_bytes(&start(100, b'{'), 108), Some(108));
    assert_eq!(header_bytes(&start(100, b'{'), 107), None);
    assert_eq!(header_bytes(&start(100, b'['), 1 << 40), None);
    assert_eq!(header_bytes(&start(HEADER_BYTES_MAX + 1, b'{'), 1 << 40), None);
    assert_eq!(header_bytes(&start(u64::MAX, b'{'), u64::MAX), None);
    assert_eq!(header_bytes(b"PK\x03\x04", 1000), None);
}

#[test]
fn numbers_are_counted_by_type_and_checked_against_their_bytes() {
    let count = |json: &str, data_bytes| {
        let (header, file_bytes) = from_json(json, data_bytes);
        count_numbers(&header, file_bytes)
    };
    let json = r#"{"__metadata__":{},"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},
        "b":{"dtype":"F32","shape":[],"data_offsets":[12,16]},
        "c":{"dtype":"BF16","shape":[0,9],"data_offsets":[16,16]},
        "d":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[16,20]}}"#;
    let counted: Vec<(String, u64)> = count(json, 20).unwrap().into_iter().collect();
    let expected = [("BF16", 6), ("F32", 1), ("F8_E4M3", 4)];
    assert_eq!(counted, expected.map(|(name, count)| (name.to_owned(), count)));
    for json in [
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}"#,
        r#"{"a":{"dtype":"X_1","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1]}}"#,
        r#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#,
        r#"{"__metadata__":{}}"#,
        "{} ",
    ] {
        assert!(count(json, 8).is_err(), "{json}");
    }
    assert!(count_numbers(&[], 0).is_err() && count_numbers(&[255; 16], 16).is_err());
}
