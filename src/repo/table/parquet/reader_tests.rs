//! Whole, damaged and hostile files: rows come, or words; nothing panics and little is allocated.

use std::time::{Duration, Instant};

use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

const SCHEMA: &str = "message m {
    required int64 id;
    optional binary word (UTF8);
    optional group tags (LIST) { repeated group list { optional binary element (UTF8); } }
    required int64 since (TIMESTAMP(NANOS,true));
    required int32 price (DECIMAL(9,2));
    required double share;
}";

/// Writes two row groups of three rows each.
fn written(properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).expect("begun");
    for first in [1, 4] {
        let words = |words: &[&str]| words.iter().map(|word| ByteArray::from(*word)).collect();
        let words: [Vec<ByteArray>; 2] = [words(&["a", "b"]), words(&["x", "y", "x"])];
        let mut group = writer.next_row_group().expect("a group");
        let mut at = 0;
        while let Some(mut column) = group.next_column().expect("a column") {
            match column.untyped() {
                ColumnWriter::Int64ColumnWriter(to) => {
                    let ids = [first, first + 1, first + 2];
                    let times = [0, 1_704_067_200_000_000_001, -1];
                    to.write_batch(if at == 0 { &ids } else { &times }, None, None)
                }
                ColumnWriter::Int32ColumnWriter(to) => to.write_batch(&[150, -5, 0], None, None),
                ColumnWriter::DoubleColumnWriter(to) => {
                    to.write_batch(&[1.0, f64::NAN, f64::NEG_INFINITY], None, None)
                }
                ColumnWriter::ByteArrayColumnWriter(to) if at == 1 => {
                    to.write_batch(&words[0], Some(&[1, 0, 1]), None)
                }
                ColumnWriter::ByteArrayColumnWriter(to) => {
                    // Of two and none, none at all, of one.
                    to.write_batch(&words[1], Some(&[3, 2, 3, 0, 3]), Some(&[0, 1, 1, 0, 0]))
                }
                _ => panic!("another column"),
            }
            .expect("written");
            column.close().expect("closed");
            at += 1;
        }
        group.close().expect("closed");
    }
    writer.close().expect("closed");
    bytes
}

fn small() -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED);
    written(properties.build())
}

fn scratch_of(bytes: &[u8]) -> Arc<Scratch> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut scratch = Scratch::new(folder.path()).expect("made");
    scratch.push(bytes).expect("written");
    Arc::new(scratch)
}

/// Gives the rows of a file as JSON, or why there are none.
fn rows(bytes: &[u8]) -> Result<Vec<String>, String> {
    let reader = Reader::open(scratch_of(bytes))?;
    let mut rows = Vec::new();
    reader.each(|cut| {
        for Span { start, end, line } in cut.spans {
            rows.push(String::from_utf8_lossy(&cut.bytes[start..end]).into_owned());
            assert_eq!(line, rows.len() as u64);
        }
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

#[test]
fn rows_come_as_json_whatever_the_pages_are() {
    let expected = [
        r#"{"id":1,"word":"a","tags":["x",null,"y"],"since":"1970-01-01T00:00:00","#,
        r#""price":1.50,"share":1.0}"#,
        r#"{"id":2,"word":null,"tags":null,"since":"2024-01-01T00:00:00.000000001","#,
        r#""price":-0.05,"share":"NaN"}"#,
        r#"{"id":3,"word":"b","tags":["x"],"since":"1969-12-31T23:59:59.999999999","#,
        r#""price":0.00,"share":"-inf"}"#,
    ];
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
    ];
    for compression in compressions {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for dictionary in [false, true] {
                let properties = WriterProperties::builder()
                    .set_compression(compression)
                    .set_writer_version(version)
                    .set_dictionary_enabled(dictionary)
                    .set_encoding(Encoding::PLAIN);
                let rows = rows(&written(properties.build())).expect("rows");
                assert_eq!(rows[..3].concat(), expected.concat(), "{compression:?} {version:?}");
                assert_eq!(rows.len(), 6);
            }
        }
    }
}

#[test]
fn no_damage_makes_the_reader_panic_or_wait() {
    let whole = small();
    let begun = Instant::now();
    let mut read = 0;
    for at in 0..whole.len() {
        for flip in [0x01, 0xff, whole[at]] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            read += usize::from(rows(&damaged).is_ok());
        }
        assert!(rows(&whole[..at]).is_err(), "cut off at {at}");
    }
    assert!(read > 0 && begun.elapsed() < Duration::from_secs(300), "{:?}", begun.elapsed());
}

#[test]
fn what_claims_too_much_is_refused_before_anything_is_taken_for_it() {
    let why = |bytes: &[u8]| rows(bytes).expect_err("refused");
    assert_eq!(why(b""), "it is no Parquet file");
    assert_eq!(why(b"PAR1\x09\0\0\0PAR1"), "its footer is longer than the file");
    assert_eq!(why(b"PARE\0\0\0\0PARE"), "it is encrypted");
    assert_eq!(why(b"PAR1\xff\xff\xff\x7fPAR1"), "its footer is longer than 16 MiB");
    // A schema whose root has two billion children.
    let file = |footer: &[u8]| {
        let length = u32::try_from(footer.len()).expect("short").to_le_bytes();
        [b"PAR1", footer, &length, b"PAR1"].concat()
    };
    let root = [0x15, 2, 0x19, 0x1c, 0x48, 1, b'm', 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    assert_eq!(why(&file(&root)), "its footer is malformed");
    // Columns in columns in columns.
    let mut deep = vec![0x15, 2, 0x19, 0xfc, 0xd0, 0x0f];
    for _ in 0..2000 {
        deep.extend([0x35, 0, 0x18, 1, b'g', 0x15, 2, 0]);
    }
    deep.push(0);
    assert_eq!(why(&file(&deep)), "its columns are nested too deep");
}

#[test]
fn a_list_that_never_ends_is_refused() {
    // One row: a list of four hundred million times nothing, in a few bytes.
    let schema = "message m { repeated int32 n; }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).expect("begun");
    let mut group = writer.next_row_group().expect("a group");
    let mut column = group.next_column().expect("a column").expect("one");
    let count = 12_000_000;
    let mut starts = vec![1; count];
    starts[0] = 0;
    let ColumnWriter::Int32ColumnWriter(to) = column.untyped() else { panic!("another") };
    to.write_batch(&vec![7; count], Some(&vec![1; count]), Some(&starts)).expect("written");
    column.close().expect("closed");
    group.close().expect("closed");
    writer.close().expect("closed");
    assert!(bytes.len() < 10_000, "{}", bytes.len());
    let why = rows(&bytes).map(|rows| rows.len()).expect_err("refused");
    assert!(why.contains("the lists of a row take more than 512 MiB"), "{why}");
}

/// Writes one column of bytes, whole or as lists, plain or as `encoding` says.
fn one_column(
    schema: &str,
    encoding: Option<Encoding>,
    values: &[ByteArray],
    lists: bool,
) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let mut properties = WriterProperties::builder().set_dictionary_enabled(encoding.is_none());
    if let Some(encoding) = encoding {
        properties = properties.set_encoding(encoding);
    }
    let properties = Arc::new(properties.build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).expect("begun");
    let mut group = writer.next_row_group().expect("a group");
    let mut column = group.next_column().expect("a column").expect("one");
    let mut starts = vec![1; values.len()];
    starts[0] = 0;
    let (present, starts) = (vec![1; values.len()], starts);
    let levels = lists.then_some((present.as_slice(), starts.as_slice())).unzip();
    let ColumnWriter::ByteArrayColumnWriter(to) = column.untyped() else { panic!("another") };
    to.write_batch(values, levels.0, levels.1).expect("written");
    column.close().expect("closed");
    group.close().expect("closed");
    writer.close().expect("closed");
    bytes
}

#[test]
fn a_long_value_named_often_in_one_row_is_refused() {
    let values = vec![ByteArray::from(vec![b'x'; 60_000]); 20_000];
    let bytes = one_column("message m { repeated binary n; }", None, &values, true);
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let why = rows(&bytes).map(|rows| rows.len()).expect_err("refused");
    assert!(why.contains("the lists of a row take more than 512 MiB"), "{why}");
}

#[test]
fn packed_lengths_are_counted_before_they_are_read() {
    let schema = "message m { required binary n; }";
    let values = [ByteArray::from("a"), ByteArray::from("bc")];
    let packed = Some(Encoding::DELTA_LENGTH_BYTE_ARRAY);
    let good = one_column(schema, packed, &values, false);
    assert_eq!(rows(&good).expect("rows"), ["{\"n\":\"a\"}", "{\"n\":\"bc\"}"]);
    // Blocks of 128, in 4 parts, of 2 values: now of more than there is memory for.
    let at = good.windows(4).position(|bytes| bytes == [0x80, 1, 4, 2]).expect("its lengths");
    let mut many = good;
    many[at + 3..at + 8].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    let why = rows(&many).expect_err("refused");
    assert!(why.contains("packs more lengths than it has values"), "{why}");
    let deltas = one_column(schema, Some(Encoding::DELTA_BYTE_ARRAY), &values, false);
    assert_eq!(rows(&deltas), Err("column n: its encoding DELTA_BYTE_ARRAY is not read".into()));
}

#[test]
fn rows_of_nothing_in_a_few_bytes_are_refused() {
    let schema = Arc::new(parse_message_type("message m { optional int32 n; }").expect("a schema"));
    let written = |count: usize| {
        let mut bytes = Vec::new();
        let properties = WriterProperties::builder()
            .set_write_batch_size(count)
            .set_data_page_row_count_limit(count)
            .build()
            .into();
        let to = SerializedFileWriter::new(&mut bytes, Arc::clone(&schema), properties);
        let mut writer = to.expect("begun");
        let mut group = writer.next_row_group().expect("a group");
        let mut column = group.next_column().expect("a column").expect("one");
        let ColumnWriter::Int32ColumnWriter(to) = column.untyped() else { panic!("another") };
        to.write_batch(&[], Some(&vec![0; count]), None).expect("written");
        column.close().expect("closed");
        group.close().expect("closed");
        writer.close().expect("closed");
        bytes
    };
    assert_eq!(rows(&written(10_000)).expect("rows").len(), 10_000);
    let why = rows(&written(9_000_000)).map(|rows| rows.len()).expect_err("refused");
    assert_eq!(why, "it claims more rows than its bytes can hold");
}
