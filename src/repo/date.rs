//! Dates as people type them: `--since`, `--until`, `main@{…}`; relative to a given now.
//!
//! ```text
//! date     = "now" | unix | iso | what `log` prints | RFC 2822 | relative
//! unix     = "@"? seconds
//! iso      = 2026-01-31 | 2026-01-31 12:00(:30)? | 2026-01-31T12:00:30Z | … +01:00
//! relative = ( "yesterday" | "today" | "last"? weekday | ( "last" | number ) unit "ago"? )* time?
//! time     = "noon" | "midnight" | 12:00(:30)?
//! ```
//! As in git, blanks, dots and underscores separate words alike (`2.weeks.ago`), a relative date
//! keeps the time of day, and a weekday is the last one before today. Unlike git, a date alone is
//! its first moment, and a word that is not understood is an error.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _, ZonedDateTime};

use super::Error;
use crate::clock::{self, Timestamp};

/// Reads a date as typed.
///
/// Shape: dates and times without an offset are in the zone of `now`.
/// Errors: `Usage`, with the date as typed.
pub fn parse(typed: &str, now: &ZonedDateTime) -> Result<Timestamp, Error> {
    let text = typed.trim();
    let found = unix(text)
        .or_else(|| absolute(text, now.time_zone()))
        .or_else(|| relative(text, now))
        .ok_or_else(|| not_understood(typed))?;
    Ok(Timestamp(found.as_millisecond()))
}

fn not_understood(typed: &str) -> Error {
    let forms = "write 2026-01-31, yesterday or \"2 weeks ago\"";
    Error::Usage(format!("date not understood, date={typed:?}; {forms}"))
}

/// Gives an instant with the time zone of this machine.
///
/// Errors: `Usage` for an instant outside of the years −9999 to 9999.
pub fn local(at: Timestamp) -> Result<ZonedDateTime, Error> {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.to_zoned_datetime(clock::zone()))
        .map_err(|_| Error::Usage(format!("time out of range, milliseconds={}", at.0)))
}

/// Reads seconds since 1970; eight digits and fewer need the `@`, as they may be a date.
fn unix(text: &str) -> Option<jiff::Timestamp> {
    let digits = text.strip_prefix('@').or_else(|| (text.len() > 8).then_some(text))?;
    jiff::Timestamp::from_second(digits.parse().ok()?).ok()
}

fn absolute(text: &str, zone: &TimeZone) -> Option<jiff::Timestamp> {
    if let Some(at) = with_offset(text) {
        return Some(at);
    }
    let local = text.parse::<DateTime>().ok().or_else(|| {
        let day = text.parse::<Date>().ok()?;
        Some(day.to_datetime(Time::midnight()))
    })?;
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

/// Reads a date with its offset from UTC: ISO 8601, what `log` prints, RFC 2822.
fn with_offset(text: &str) -> Option<jiff::Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let formats = ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M %z", "%a %b %d %H:%M:%S %Y %z"];
    formats
        .iter()
        .find_map(|format| strtime::parse(format, text).ok()?.to_timestamp().ok())
        .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp()))
}

fn relative(text: &str, now: &ZonedDateTime) -> Option<jiff::Timestamp> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split([' ', '.', '_', '\t']).filter(|word| !word.is_empty()).collect();
    let mut rest = words.as_slice();
    let mut at = now.clone();
    if rest.is_empty() {
        return None;
    }
    while let [word, after @ ..] = rest {
        (at, rest) = match (*word, after) {
            ("now" | "today", after) => (at, after),
            ("yesterday", after) => (back(&at, 1.day())?, after),
            ("last" | "a" | "an", [unit, after @ ..]) if span(1, unit).is_some() => {
                (back(&at, span(1, unit)?)?, ago(after))
            }
            ("last", [day, after @ ..]) if weekday(day).is_some() => {
                (last_weekday(&at, weekday(day)?)?, after)
            }
            (day, after) if weekday(day).is_some() => (last_weekday(&at, weekday(day)?)?, after),
            (time, after) if time_of_day(time).is_some() => {
                (at.with().time(time_of_day(time)?).build().ok()?, after)
            }
            (count, [unit, after @ ..]) => (back(&at, span(counted(count)?, unit)?)?, ago(after)),
            _ => return None,
        };
    }
    Some(at.timestamp())
}

fn back(at: &ZonedDateTime, span: Span) -> Option<ZonedDateTime> {
    at.checked_sub(span).ok()
}

fn ago<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    match words {
        ["ago", after @ ..] => after,
        words => words,
    }
}

fn span(count: i64, unit: &str) -> Option<Span> {
    let span = Span::new();
    match unit.strip_suffix('s').unwrap_or(unit) {
        "second" | "sec" => span.try_seconds(count),
        "minute" | "min" => span.try_minutes(count),
        "hour" => span.try_hours(count),
        "day" => span.try_days(count),
        "week" => span.try_weeks(count),
        "month" => span.try_months(count),
        "year" => span.try_years(count),
        _ => return None,
    }
    .ok()
}

fn counted(word: &str) -> Option<i64> {
    const WORDS: [&str; 11] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    if let Some(number) = WORDS.iter().position(|known| *known == word) {
        return i64::try_from(number).ok();
    }
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok())?
}

fn weekday(word: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let is_named = |name: &str| name == word || (word.len() >= 3 && name.starts_with(word));
    DAYS.iter().find(|(name, _)| is_named(name)).map(|(_, day)| *day)
}

fn last_weekday(at: &ZonedDateTime, day: Weekday) -> Option<ZonedDateTime> {
    at.nth_weekday(-1, day).ok()
}

fn time_of_day(word: &str) -> Option<Time> {
    match word {
        "noon" => Some(jiff::civil::time(12, 0, 0, 0)),
        "midnight" => Some(Time::midnight()),
        word if word.contains(':') => word.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
