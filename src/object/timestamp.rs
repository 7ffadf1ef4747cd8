//! Instants as records spell them.

/// Milliseconds since 1970-01-01T00:00:00Z; negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

const MS_PER_DAY: i64 = 86_400_000;

/// What the text looks like; digits stand for any digit.
const PATTERN: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

impl Timestamp {
    /// Reads the form used inside records: `2026-07-31T09:30:00.000Z`.
    ///
    /// Shape: RFC 3339 in UTC, years 0000 to 9999, always three decimals, no leap second.
    /// Gives nothing for any other text.
    pub fn parse_record(text: &str) -> Option<Self> {
        let fits = |(byte, pattern): (u8, &u8)| match pattern {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *pattern,
        };
        if text.len() != PATTERN.len() || !text.bytes().zip(PATTERN).all(fits) {
            return None;
        }
        let field = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
        let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
        let days = days_from_civil(year, month, day);
        // A date that there is not, as February 30, comes back as another one.
        if civil_from_days(days) != (year, month, day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + field(20, 23)?))
    }

    /// Writes the form used inside records; years outside 0000 to 9999 have none.
    pub fn to_record(self) -> Option<String> {
        let (year, month, day) = civil_from_days(self.0.div_euclid(MS_PER_DAY));
        let ms = self.0.rem_euclid(MS_PER_DAY);
        let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
        let (second, milli) = (ms / 1000 % 60, ms % 1000);
        (0..=9999).contains(&year).then(|| {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
        })
    }
}

/// Counts days from 1970-01-01 in the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Gives year, month and day of a count of days from 1970-01-01; the same source.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
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
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
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
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-02-29T00:00:00.000Z",
            "2026-07-31T24:00:00.000Z",
            "-000001-07-31T09:30:00.120Z",
            "2026-07-31T09:30:00.120Z[UTC]",
            "2026-07-31T09:30:00.120Z ",
        ] {
            assert_eq!(Timestamp::parse_record(text), None, "{text}");
        }
        assert_eq!(Timestamp(i64::MAX).to_record(), None);
        assert_eq!(Timestamp(i64::MIN).to_record(), None);
        assert_eq!(Timestamp(253_402_300_800_000).to_record(), None);
        assert_eq!(Timestamp(-62_167_219_200_001).to_record(), None);
    }
    /// The calendar is checked day by day against another implementation.
    #[test]
    fn every_day_agrees_with_jiff() {
        for day in (-719_528..2_932_896).step_by(37) {
            let ms = day * MS_PER_DAY + 1;
            let theirs = jiff::Timestamp::from_millisecond(ms).expect("within the range");
            let theirs = theirs.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            assert_eq!(Timestamp(ms).to_record(), Some(theirs.clone()));
            assert_eq!(Timestamp::parse_record(&theirs), Some(Timestamp(ms)));
        }
    }
}
