//! Numbers for people: sizes, counts, times, and columns that line up.

use crate::clock;

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Shows a size: `312 B`, `1.5 MiB`; three digits, powers of 1024.
pub fn bytes(count: u64) -> String {
    if count < 1024 {
        return format!("{count} B");
    }
    let mut unit = 0;
    let mut value = count as f64 / 1024.0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Shows a count with its noun: `1 file`, `12,000 files`.
pub fn count(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

/// Shows a number with its thousands set apart by commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Shows a span of time: `7 s`, `3 min 20 s`, `2 h 5 min`.
pub fn seconds(count: u64) -> String {
    match (count / 3600, count / 60 % 60, count % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Shows a time as git does, in the zone of this machine: `Mon Nov 23 20:14:56 2026 +0000`.
///
/// Units: milliseconds since 1970-01-01T00:00:00Z.
pub fn time(at_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(time) => {
            time.to_zoned_datetime(clock::zone()).strftime("%a %b %-d %H:%M:%S %Y %z").to_string()
        }
        Err(_) => format!("{} ms since 1970", at_ms),
    }
}

/// Lines up rows of cells: every column but the last as wide as its widest cell.
///
/// Shape: cells are plain text without escapes, at most as many as `right` tells the side of.
pub fn columns(rows: &[Vec<String>], right: &[bool]) -> Vec<String> {
    let mut widths = vec![0; right.len()];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    rows.iter().map(|row| aligned(row, &widths, right)).collect()
}

fn aligned(row: &[String], widths: &[usize], right: &[bool]) -> String {
    let mut line = String::new();
    for ((cell, width), right) in row.iter().zip(widths).zip(right) {
        let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
        if *right {
            line.extend([&padding, cell.as_str(), "  "]);
        } else {
            line.extend([cell.as_str(), &padding, "  "]);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let shown = [0, 1023, 1024, 1536, 10_240, 1_048_064, 1 << 30, u64::MAX].map(bytes);
        let expected = [
            "0 B", "1023 B", "1.00 KiB", "1.50 KiB", "10.0 KiB", "1.00 MiB", "1.00 GiB", "16.0 EiB",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn counts_are_grouped_and_agree_with_their_noun() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(1_234_567, "file"), "1,234,567 files");
        assert_eq!(count(0, "object"), "0 objects");
    }

    #[test]
    fn spans_have_two_units() {
        assert_eq!([7, 200, 7500].map(seconds), ["7 s", "3 min 20 s", "2 h 5 min"]);
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".into(), "12".into()], vec!["long".into(), "3".into()]];
        assert_eq!(columns(&rows, &[false, true]), ["a     12", "long   3"]);
    }
}
