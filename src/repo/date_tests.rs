//! Every form of a date, read at noon of a Wednesday in Berlin; and that nothing panics.

use proptest::prelude::*;

use super::*;

fn now() -> ZonedDateTime {
    "2026-07-15T12:00:00+02:00[Europe/Berlin]".parse().expect("a date")
}

fn read(typed: &str) -> String {
    let at = parse(typed, &now()).unwrap_or_else(|error| panic!("{typed}: {error}"));
    let at = jiff::Timestamp::from_millisecond(at.0).expect("in range");
    at.to_zoned_datetime(now().time_zone().clone()).strftime("%a %F %T %z").to_string()
}

#[test]
fn relative_dates_keep_the_time_of_day() {
    for (typed, expected) in [
        ("now", "Wed 2026-07-15 12:00:00 +0200"),
        ("yesterday", "Tue 2026-07-14 12:00:00 +0200"),
        ("2 days ago", "Mon 2026-07-13 12:00:00 +0200"),
        ("two days ago", "Mon 2026-07-13 12:00:00 +0200"),
        ("2 days", "Mon 2026-07-13 12:00:00 +0200"),
        ("3.weeks.ago", "Wed 2026-06-24 12:00:00 +0200"),
        ("1_month_ago", "Mon 2026-06-15 12:00:00 +0200"),
        ("an hour ago", "Wed 2026-07-15 11:00:00 +0200"),
        ("90 minutes ago", "Wed 2026-07-15 10:30:00 +0200"),
        ("1 year 2 months ago", "Thu 2025-05-15 12:00:00 +0200"),
        ("last week", "Wed 2026-07-08 12:00:00 +0200"),
        ("last monday", "Mon 2026-07-13 12:00:00 +0200"),
        ("Wednesday", "Wed 2026-07-08 12:00:00 +0200"),
        ("fri", "Fri 2026-07-10 12:00:00 +0200"),
        ("yesterday noon", "Tue 2026-07-14 12:00:00 +0200"),
        ("midnight", "Wed 2026-07-15 00:00:00 +0200"),
        ("last monday 09:30", "Mon 2026-07-13 09:30:00 +0200"),
        ("6 months ago", "Thu 2026-01-15 12:00:00 +0100"),
    ] {
        assert_eq!(read(typed), expected, "{typed}");
    }
}

#[test]
fn absolute_dates_are_local_unless_they_say_otherwise() {
    for (typed, expected) in [
        ("2026-01-31", "Sat 2026-01-31 00:00:00 +0100"),
        ("2026-01-31 12:30", "Sat 2026-01-31 12:30:00 +0100"),
        ("2026-01-31T12:30:05", "Sat 2026-01-31 12:30:05 +0100"),
        ("2026-01-31T12:30:05Z", "Sat 2026-01-31 13:30:05 +0100"),
        ("2026-01-31 12:30:05 +0000", "Sat 2026-01-31 13:30:05 +0100"),
        ("Sat Jan 31 12:30:05 2026 +0100", "Sat 2026-01-31 12:30:05 +0100"),
        ("Sat, 31 Jan 2026 12:30:05 +0100", "Sat 2026-01-31 12:30:05 +0100"),
        ("@1700000000", "Tue 2023-11-14 23:13:20 +0100"),
        ("1700000000", "Tue 2023-11-14 23:13:20 +0100"),
        ("@0", "Thu 1970-01-01 01:00:00 +0100"),
    ] {
        assert_eq!(read(typed), expected, "{typed}");
    }
}

#[test]
fn what_is_not_understood_is_an_error() {
    for typed in ["", " ", "soon", "2 moons ago", "days ago", "2026-13-01", "@", "@x", "last", "5"]
    {
        let message = parse(typed, &now()).expect_err(typed).to_string();
        assert!(message.starts_with(&format!("date not understood, date={typed:?}; write 2026")));
    }
    assert!(parse("99999999999999999 years ago", &now()).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(typed in any::<String>()) {
        let _read = parse(&typed, &now());
    }

    #[test]
    fn no_words_panic(
        typed in "((last|[0-9]{1,19}|two|day|weeks|month|ago|mon|noon|12:00|@|-)[ .]?){0,6}",
    ) {
        let _read = parse(&typed, &now());
    }
}
