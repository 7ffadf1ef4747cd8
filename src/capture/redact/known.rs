//! Secrets that are known by their values: those of variables with the name of one.

use regex::bytes::{Regex, RegexBuilder};

use super::spans::Span;
use super::{REDACTED_TEXT, variable};

/// Shorter values, in bytes, stand in too many texts by chance.
const VALUE_BYTES_MIN: usize = 8;
/// Values that are looked for, and bytes of each, at most.
const VALUES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 4 << 10;

/// Values to be replaced wherever they stand.
#[derive(Debug, Default)]
pub struct KnownSecrets(Option<Regex>);

impl KnownSecrets {
    /// Takes the values of those variables whose names are those of secrets.
    ///
    /// Shape: short values, and those of several lines, are left out.
    pub fn of_variables<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        let is_long = |value: &&str| (VALUE_BYTES_MIN..=VALUE_BYTES_MAX).contains(&value.len());
        let secret = |(name, value)| (variable(name, value) == REDACTED_TEXT).then_some(value);
        let values = variables.into_iter().filter_map(secret).filter(is_long);
        let mut values: Vec<&str> =
            values.filter(|value| !value.contains(['\n', '\r'])).take(VALUES_MAX).collect();
        // The longest first: of two that begin alike, a search takes the first that it is given.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        let escaped: Vec<String> = values.into_iter().map(regex::escape).collect();
        let built = (!escaped.is_empty()).then(|| RegexBuilder::new(&escaped.join("|")).build());
        Self(built.and_then(Result::ok))
    }

    /// Adds where they stand to what was found otherwise; both in the order of the bytes.
    pub(super) fn add_to(&self, found: Vec<Span>, bytes: &[u8]) -> Vec<Span> {
        let Some(values) = &self.0 else { return found };
        let mut all = found;
        all.extend(values.find_iter(bytes).map(|at| Span::new(at.start(), at.start(), at.end())));
        all.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut apart: Vec<Span> = Vec::with_capacity(all.len());
        for span in all {
            match apart.last_mut() {
                // What overlaps is replaced once, from the first to the last of it.
                Some(before) if span.start < before.end => before.end = before.end.max(span.end),
                _ => apart.push(span),
            }
        }
        apart
    }
}
