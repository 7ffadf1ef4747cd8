//! Series of metrics: bytes that stay.

use provenance::object::canonical::Number;
use provenance::object::{Reading, SeriesValues};

use crate::support::fixture;

#[test]
fn series_keep_their_bytes() {
    let number = |value| Number::from_f64(value).unwrap();
    let text = |text: &str| Reading::Text(text.to_owned());
    let reading = |value| Reading::Number(number(value));
    let with_steps = SeriesValues {
        steps: vec![Some(number(1.0)), Some(number(2.0)), None],
        values: vec![reading(0.5), text("NaN"), reading(0.25)],
    };
    let values = vec![reading(1e-7), text("-Infinity"), text("12345678901234567890")];
    let without = SeriesValues { steps: Vec::new(), values };
    for (name, series) in [("steps.json", with_steps), ("no-steps.json", without)] {
        let name = format!("format/v1/series/{name}");
        fixture::check(&name, &series.encode());
        let decoded = SeriesValues::decode(&fixture::read(&name)).unwrap();
        assert_eq!(decoded, series);
        assert_eq!(decoded.encode(), fixture::read(&name));
    }
}
