//! Rows come back as they went in, and no damage goes unseen.

use super::*;

fn id(word: &str) -> ObjectId {
    ObjectId::of(word.as_bytes())
}

/// Sixteen rows in columns of each encoding.
fn sample() -> Vec<u8> {
    let mut builder = SegmentBuilder::default();
    for row in 0..16_u32 {
        builder.push(id(&row.to_string()), 1_000 + i64::from(row));
        builder.set("metrics.loss", Cell::Number(f64::from(row) / 4.0));
        builder.set("name", Cell::Text(&format!("run-{}", row % 3)));
        if row % 2 == 0 {
            builder.set("params.flag", Cell::Bool(row % 4 == 0));
            builder.set("params.mixed", Cell::Text("word"));
        } else {
            builder.set("params.mixed", Cell::Number(-1.5));
        }
        if row == 7 {
            builder.set("params.rare", Cell::Text("here"));
            builder.set("params.rare", Cell::Text("the first one counts"));
            builder.set_wide();
        }
    }
    builder.finish()
}

fn open(bytes: &[u8]) -> Result<(Trailer, Directory), DecodeError> {
    let end = bytes.last_chunk().ok_or_else(|| DecodeError::new(WHAT, 0, "short"))?;
    let trailer = Trailer::decode(end, bytes.len() as u64)?;
    let start = usize::try_from(trailer.offset).unwrap();
    let end = start + usize::try_from(trailer.bytes).unwrap();
    let directory = Directory::decode(&bytes[start..end], &trailer)?;
    Ok((trailer, directory))
}

fn bytes_of<'b>(bytes: &'b [u8], place: &Place) -> &'b [u8] {
    let start = usize::try_from(place.offset).unwrap();
    &bytes[start..start + usize::try_from(place.bytes).unwrap()]
}

#[test]
fn rows_come_back_as_they_went_in() {
    let bytes = sample();
    let (_, directory) = open(&bytes).unwrap();
    assert_eq!(directory.rows, 16);
    let names: Vec<&str> = directory.fields().map(|(name, _)| name).collect();
    assert_eq!(names, ["metrics.loss", "name", "params.flag", "params.mixed", "params.rare"]);
    let encodings = directory.fields().map(|(_, place)| place.encoding);
    assert_eq!(encodings.collect::<Vec<_>>(), [1, 2, 3, 3, 4]);
    let column = |name: &str| {
        let place = directory.find(name).unwrap();
        place.decode(bytes_of(&bytes, place).to_vec(), 16).unwrap()
    };
    assert_eq!(column("metrics.loss").cell(6), Some(Cell::Number(1.5)));
    assert_eq!(column("name").cell(5), Some(Cell::Text("run-2")));
    assert_eq!(column("params.flag").cell(2), Some(Cell::Bool(false)));
    assert_eq!(column("params.flag").cell(3), None);
    assert_eq!(column("params.mixed").cell(3), Some(Cell::Number(-1.5)));
    assert_eq!(column("params.mixed").cell(4), Some(Cell::Text("word")));
    assert_eq!(column("params.rare").cell(7), Some(Cell::Text("here")));
    assert_eq!(column("params.rare").cell(8), None);
    assert!(names.iter().all(|name| column(name).cell(16).is_none()), "there are 16 rows");
    let place = |name| directory.find(name).unwrap();
    let raw = |name| bytes_of(&bytes, place(name));
    assert_eq!(place(IDS).ids(raw(IDS), 16).unwrap()[3], id("3"));
    assert_eq!(place(SHORT_IDS).short_ids(raw(SHORT_IDS), 16).unwrap()[3], id("3").as_bytes()[..4]);
    assert_eq!(place(STARTED).times(raw(STARTED), 16).unwrap()[15], 1_015);
    assert_eq!(place(WIDE).rows(raw(WIDE), 16).unwrap(), [7]);
}

#[test]
fn no_byte_of_a_segment_changes_unseen() {
    let bytes = sample();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let Ok((_, directory)) = open(&damaged) else { continue };
        let places = [IDS, SHORT_IDS, STARTED, WIDE].map(|name| directory.find(name).unwrap());
        let raw = |place: &Place| bytes_of(&damaged, place).to_vec();
        let rows = directory.rows;
        let is_seen = places[0].ids(&raw(places[0]), rows).is_err()
            || places[1].short_ids(&raw(places[1]), rows).is_err()
            || places[2].times(&raw(places[2]), rows).is_err()
            || places[3].rows(&raw(places[3]), rows).is_err()
            || directory.fields().any(|(_, place)| place.decode(raw(place), rows).is_err());
        assert!(is_seen, "byte {at}");
    }
    for end in 0..bytes.len() {
        assert!(open(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_column_with_a_right_check_and_wrong_bytes_gives_no_panic() {
    // Whoever can write the cache can make any check fit.
    for bytes in [&[][..], &[255; 4], &[0, 0, 0, 0], &[255; 64], &[1, 0, 0, 0, 9, 0, 0, 0, 1]] {
        for encoding in 0..=5 {
            let check = check_of(bytes);
            let place = Place { name: "x".into(), encoding, offset: 0, bytes: 0, check };
            for rows in [0, 1, 2, u32::MAX] {
                if let Ok(column) = place.decode(bytes.to_vec(), rows) {
                    let _any = (column.cell(0), column.cell(1), column.cell(u32::MAX));
                }
                let _any = (place.ids(bytes, rows), place.rows(bytes, rows));
            }
        }
    }
}

#[test]
fn a_state_comes_back_as_it_was_and_no_byte_of_it_changes_unseen() {
    let state = State {
        refs: Some(id("refs")),
        segments: vec![([1; 16], 65_536), ([2; 16], 3)],
        gone: vec![(0, 7), (1, 2)],
        again: vec![(id("twice"), 1)],
    };
    assert_eq!(state.rows(), 65_537);
    let bytes = state.encode();
    assert_eq!(State::decode(&bytes).unwrap(), state);
    assert_eq!(State::decode(&State::default().encode()).unwrap(), State::default());
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(State::decode(&damaged).is_err(), "byte {at}");
        assert!(State::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
}
