//! Files of the kinds that are common in training, each with a later version; the same every time.

use std::fmt::Write as _;

/// Gives (name, first version, next version).
pub fn all() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let rows = table();
    vec![
        ("table, 250 scattered edits", join(&rows), join(&edited_rows(rows))),
        ("archive, 1 % of the files changed", archive(false), archive(true)),
        ("weights, a tenth changed", weights(false), weights(true)),
    ]
}

/// Xorshift (Marsaglia, Journal of Statistical Software 8, 2003): seeded, and good enough.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    /// Words as frequent as in a language: short and common ones first.
    fn words(&mut self, count: usize, into: &mut String) {
        for _ in 0..count {
            let mut word = self.below(1 << 12);
            for _ in 0..2 {
                word = (word * self.below(1 << 12)) >> 12;
            }
            while word > 0 {
                into.push(char::from(b'a' + (word % 17) as u8));
                into.push(char::from(b"aeiou"[word % 5]));
                word /= 17;
            }
            into.push(' ');
        }
    }
}

/// 128 MiB or so of comma-separated values.
fn table() -> Vec<String> {
    let mut random = Random(1);
    let mut row = |number| {
        let (score, delta) = (random.below(100_000), random.below(1_000_000));
        let mut row = format!("{number},2026-11-{:02},0.{score:05},{delta},", number / 60_000 % 28);
        let words = 4 + random.below(11);
        random.words(words, &mut row);
        row.push('\n');
        row
    };
    (0..1_400_000).map(&mut row).collect()
}

fn edited_rows(mut rows: Vec<String>) -> Vec<String> {
    let mut random = Random(2);
    for number in 0..125 {
        let at = random.below(rows.len());
        rows[at] = rows[at].replace("0.", "1.");
        let at = random.below(rows.len());
        rows.insert(at, format!("{number},2026-11-23,0.5,1,an inserted row {number}\n"));
    }
    rows
}

fn join(rows: &[String]) -> Vec<u8> {
    rows.concat().into_bytes()
}

/// 8,000 JSON files of 1 to 16 KiB, one after the other with a header, as in a tar file.
fn archive(changed: bool) -> Vec<u8> {
    let mut random = Random(3);
    let mut archive = Vec::new();
    for number in 0..8_000 {
        let mut file = format!("{{\"id\":{number},\"text\":\"");
        let words = 200 + random.below(3000);
        random.words(words, &mut file);
        if changed && number % 100 == 37 {
            write!(file, " edited {number}").expect("memory");
        }
        file.push_str("\"}\n");
        let mut header =
            format!("records/{number:06}.json\0 0000644 {:o}", file.len()).into_bytes();
        header.resize(512, 0);
        archive.extend(header);
        archive.extend(file.into_bytes());
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive
}

/// 64 MiB of noise in the low bits and little in the high ones, in 40 parts.
fn weights(changed: bool) -> Vec<u8> {
    let mut weights = Vec::new();
    for part in 0..40 {
        let mut random = Random(if changed && part % 10 == 3 { 100 + part } else { 50 + part });
        for _ in 0..(64 << 20) / 40 / 4 {
            let sum: usize = (0..4).map(|_| random.below(1 << 20)).sum();
            let weight = (sum as f32 / (1 << 21) as f32 - 1.0) * 0.05;
            weights.extend(weight.to_le_bytes());
        }
    }
    weights
}
