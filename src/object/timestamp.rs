//! Instants as records spell them.

/// Milliseconds since 1970-01-01T00:00:00Z; negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads the form used inside records: `2026-07-31T09:30:00.000Z`.
    ///
    /// Shape: RFC 3339 in UTC, years 0000 to 9999, always three decimals, no leap second.
    /// Gives nothing for any other text.
    pub fn parse_record(text: &str) -> Option<Self> {
        let parsed = text.parse::<jiff::Timestamp>().ok()?;
        let timestamp = Self(parsed.as_millisecond());
        (timestamp.to_record().as_deref() == Some(text)).then_some(timestamp)
    }

    /// Writes the form used inside records; years outside 0000 to 9999 have none.
    pub fn to_record(self) -> Option<String> {
        let civil = jiff::Timestamp::from_millisecond(self.0).ok()?;
        let text = civil.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        (text.len() == "0000-00-00T00:00:00.000Z".len()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_one_spelling() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_785_490_200_120, "2026-07-31T09:30:00.120Z"),
            (951_827_696_789, "2000-02-29T12:34:56.789Z"),
            (253_402_207_200_000, "9999-12-30T22:00:00.000Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp(ms).to_record().as_deref(), Some(text));
            assert_eq!(Timestamp::parse_record(text), Some(Timestamp(ms)));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "2026-07-31T09:30:00Z",
            "2026-07-31T09:30:00.12Z",
            "2026-07-31T09:30:00.1200Z",
            "2026-07-31T09:30:00.120+00:00",
            "2026-07-31t09:30:00.120z",
            "2026-07-31 09:30:00.120Z",
            "2026-06-30T23:59:60.000Z",
            "2026-02-29T00:00:00.000Z",
            "2026-07-31T24:00:00.000Z",
            "-000001-07-31T09:30:00.120Z",
            "2026-07-31T09:30:00.120Z[UTC]",
            "2026-07-31T09:30:00.120Z ",
        ] {
            assert_eq!(Timestamp::parse_record(text), None, "{text}");
        }
        assert_eq!(Timestamp(i64::MAX).to_record(), None);
        assert_eq!(Timestamp(-62_167_219_200_001).to_record(), None);
    }
}
