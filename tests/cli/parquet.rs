//! Parquet files are tables: counted, compared by row, and looked at for what splits share.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use super::project::Project;

const DECLARED: &str = "[artifact.pets]\npath = \"*.parquet\"\nlabel = \"label\"\n";

type Pet<'a> = (i64, Option<&'a str>, f64);

const PETS: &[Pet<'_>] = &[(1, Some("cat"), 3.5), (2, Some("dog"), 20.0), (3, None, 4.25)];

/// Writes a table, one row group for `group_rows` rows.
fn parquet(pets: &[Pet<'_>], group_rows: usize, compression: Compression) -> Vec<u8> {
    let schema = "message pets {
        required int64 id; optional binary label (UTF8); required double weight; }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).expect("begun");
    for pets in pets.chunks(group_rows) {
        let mut group = writer.next_row_group().expect("a group");
        while let Some(mut column) = group.next_column().expect("a column") {
            match column.untyped() {
                ColumnWriter::Int64ColumnWriter(to) => {
                    let ids: Vec<i64> = pets.iter().map(|pet| pet.0).collect();
                    to.write_batch(&ids, None, None)
                }
                ColumnWriter::DoubleColumnWriter(to) => {
                    let weights: Vec<f64> = pets.iter().map(|pet| pet.2).collect();
                    to.write_batch(&weights, None, None)
                }
                ColumnWriter::ByteArrayColumnWriter(to) => {
                    let labels = pets.iter().filter_map(|pet| pet.1.map(ByteArray::from));
                    let levels = pets.iter().map(|pet| i16::from(pet.1.is_some()));
                    let (labels, levels): (Vec<_>, Vec<_>) = (labels.collect(), levels.collect());
                    to.write_batch(&labels, Some(&levels), None)
                }
                _ => panic!("another column"),
            }
            .expect("written");
            column.close().expect("closed");
        }
        group.close().expect("closed");
    }
    writer.close().expect("closed");
    bytes
}

fn snappy(pets: &[Pet<'_>]) -> Vec<u8> {
    parquet(pets, 2, Compression::SNAPPY)
}

#[test]
fn a_file_is_counted_shown_and_compared() {
    let project = Project::new();
    project.write(b"provenance.toml", DECLARED.as_bytes());
    project.write(b"pets.parquet", &snappy(PETS));
    project.commit("first");
    let shown = project.text(&["show", "-s"]);
    let expected = "
pets: 3 rows, 3 columns
  id      integer  1 to 3
  label   text                1 missing
  weight  number   3.5 to 20
  label label: cat 1, dog 1, null 1
";
    let trimmed: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert!(trimmed.join("\n").contains(expected.trim_end()), "{shown}");
    // Compressed in another way, in other row groups: the same rows.
    project.write(b"pets.parquet", &parquet(PETS, 10, Compression::ZSTD(Default::default())));
    let text = project.text(&["diff"]);
    assert!(text.contains("  3 rows: the same rows, spelled in another way, told"), "{text}");
    let more = [(2, Some("dog"), 21.0), (3, None, 4.25), (4, Some("cat"), 1.0)];
    project.write(b"pets.parquet", &snappy(&more));
    let text = project.text(&["diff"]);
    let expected = "
  3 rows: 1 changed, 1 added, 1 removed, told apart by id
  ~ 2 (line 2 → 1): weight 20.0 → 21.0
  - 1 (line 1): id 1, label \"cat\", weight 3.5
  + 4 (line 3): id 4, label \"cat\", weight 1.0
";
    assert!(text.ends_with(expected), "{text}");
    project.commit("more");
    let text = project.text(&["diff", "main~1", "main"]);
    assert!(text.contains("pets: label = cat") || text.contains("changed pets.parquet"), "{text}");
    assert_eq!(project.run(&["fsck", "--full"]).code, Some(0));
}

#[test]
fn splits_are_compared_whatever_the_files_are() {
    let project = Project::new();
    let declared = "[artifact.train]\npath = \"train.parquet\"\nsplit = \"train\"\nkey = \"id\"\n\n\
        [artifact.test]\npath = \"test*\"\nsplit = \"test\"\n";
    project.write(b"provenance.toml", declared.as_bytes());
    project.write(b"train.parquet", &snappy(PETS));
    project.write(b"test.csv", b"id,label,weight\n7,dog,20.0\n8,bird,0.5\n");
    project.add();
    let line = project.run(&["commit", "--json", "-m", "x"]).out;
    let answer: Value = serde_json::from_slice(&line).expect("JSON");
    let pair = &answer["overlaps"][0];
    assert_eq!(pair["rows"], 1, "{answer}");
    let lines = (&pair["samples"][0]["line"], &pair["samples"][0]["other_line"]);
    assert!(lines == (&2.into(), &2.into()), "{answer}");
}

#[test]
fn what_is_damaged_is_recorded_all_the_same_and_told() {
    let whole = snappy(PETS);
    let mut bad_page = whole.clone();
    bad_page[4..40].fill(0xff);
    let bad: [(&str, &[u8], &str); 4] = [
        ("cut", &whole[..whole.len() - 9], "no table: it is no Parquet file"),
        ("text", b"no such thing at all", "no table: it is no Parquet file"),
        ("empty", b"", "no table: it is no Parquet file"),
        ("page", &bad_page, "no table: column id: "),
    ];
    for (name, content, words) in bad {
        let project = Project::new();
        project.write(b"provenance.toml", DECLARED.as_bytes());
        project.write(format!("{name}.parquet").as_bytes(), content);
        project.commit("bad");
        let shown = project.text(&["show", "-s"]);
        assert!(shown.contains(words), "{name}: {shown}");
        project.write(format!("{name}.parquet").as_bytes(), &whole);
        let answer = project.run(&["diff", "--json"]);
        assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{name}");
    }
}

#[test]
fn a_file_larger_than_a_chunk_is_read_in_row_groups() {
    let pets: Vec<Pet<'_>> =
        (0..300_000).map(|at| (at, Some("cat"), 1.0 / (at + 1) as f64)).collect();
    let project = Project::new();
    project.write(b"provenance.toml", DECLARED.as_bytes());
    project.write(b"pets.parquet", &parquet(&pets, 50_000, Compression::UNCOMPRESSED));
    project.commit("many");
    let shown = project.text(&["show", "-s"]);
    assert!(shown.contains("pets: 300,000 rows, 3 columns\n"), "{shown}");
    let mut other = pets.clone();
    other[123_456].2 = 7.0;
    project.write(b"pets.parquet", &parquet(&other, 70_000, Compression::SNAPPY));
    let text = project.text(&["diff"]);
    assert!(text.contains("  300,000 rows: 1 changed, told apart by id\n"), "{text}");
    assert!(text.contains("~ 123456 (line 123457): weight "), "{text}");
}
