//! Where the secrets are in some bytes that may be anything.

use std::cmp::Reverse;

use super::address::{self, AtSign};
use super::names::{self, Strength};
use super::private_key::{self, Body};
use super::shapes::{self, FINDER, Found};
use super::{REDACTED, REDACTED_LINE};

/// Most bytes of a name on either side of the word that drew attention to it.
const NAME_BYTES_MAX: usize = 64;

/// Most bytes of a value that is a secret only if it looks like one.
const VALUE_BYTES_MAX: usize = 512;

/// One place that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Where that begins which shows it to be a secret: its name, or itself.
    pub(super) context: usize,
    /// Where the secret begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// What stands there instead.
    pub(super) with: &'static [u8],
}

impl Span {
    pub(super) fn new(context: usize, start: usize, end: usize) -> Self {
        Self { context, start, end, with: REDACTED }
    }
}

/// Finds the secrets in whole lines.
///
/// Shape: ascending, apart from one another. `key` is what is known of a private key that began
/// before `bytes`, and then of one that does not end in them.
pub(super) fn find(bytes: &[u8], key: &mut Option<Body>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = match key.take() {
        None => 0,
        Some(body) => private_key::go_on(bytes, body, key, &mut spans),
    };
    let (mut name_end, mut address_end, mut at_sign) = (0, 0, AtSign::default());
    while let Some(found) = FINDER.find_at(bytes, at) {
        at = found.end();
        match Found::of(found.as_bytes()) {
            Found::Shape => {
                if let Some(secret) = shapes::secret_at(bytes, found.start()) {
                    at = at.max(secret.end);
                    spans.push(Span::new(secret.start, secret.start, secret.end));
                }
            }
            Found::PrivateKey => {
                if let Some(end) = shapes::key_marker_end(bytes, found.start()) {
                    at = private_key::begin(bytes, found.start(), end, key, &mut spans);
                }
            }
            Found::Address if found.start() < address_end => {}
            Found::Address => {
                let credentials = address::credentials(bytes, found.start(), &mut at_sign);
                address_end = credentials.map_or(0, |span| span.end);
                spans.extend(credentials);
            }
            Found::Scheme => spans.extend(after_scheme(bytes, found.start(), found.end())),
            Found::Name if found.start() < name_end => {}
            Found::Name => {
                let (end, span) = after_name(bytes, found.start(), found.end());
                // Names inside of a secret are a part of it.
                name_end = span.map_or(end, |span| span.end.max(end));
                spans.extend(span);
            }
        }
    }
    merge(spans)
}

/// Joins what overlaps; the replacement of the first stays.
fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    // A line end that closes a key of an earlier piece comes before what begins there.
    spans.sort_by_key(|span| (span.start, span.end > span.start, Reverse(span.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => {
                if span.end > last.end && span.with == REDACTED_LINE {
                    last.with = REDACTED_LINE;
                }
                last.end = last.end.max(span.end);
                last.context = last.context.min(span.context);
            }
            _ => merged.push(span),
        }
    }
    merged
}

/// Finds the secret behind `Bearer` or `Basic`.
fn after_scheme(bytes: &[u8], start: usize, end: usize) -> Option<Span> {
    let value = end + count(bytes, end, |byte| byte == b' ' || byte == b'\t');
    if value == end || start.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(is_of_name) {
        return None;
    }
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte);
    let value_end = value + count(bytes, value, of_token);
    let secret = bytes.get(value..value_end)?;
    // Base64 of `user:password` is short; words after `basic` begin with their only capital.
    let is_mixed = secret.len() >= 8
        && secret.iter().any(u8::is_ascii_lowercase)
        && secret.iter().skip(1).any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_secret = is_mixed || names::looks_like_chance(secret);
    is_secret.then(|| Span::new(start, value, value_end))
}

/// Reads the name around `start..end`, and its value; gives where the name ends.
fn after_name(bytes: &[u8], start: usize, end: usize) -> (usize, Option<Span>) {
    let before = bytes.get(..start).unwrap_or_default().iter().rev().take(NAME_BYTES_MAX);
    let name_start = start - before.take_while(|byte| is_of_name(byte)).count();
    let name_end = end + count(bytes, end, |byte| is_of_name(&byte)).min(NAME_BYTES_MAX);
    let written = bytes.get(name_start..name_end).unwrap_or_default();
    let Ok(name) = std::str::from_utf8(written) else { return (name_end, None) };
    let is_flag = name.starts_with('-');
    let name = name.trim_matches(['-', '.']);
    // Most words are no names of anything: what follows tells that sooner than the name.
    let Some((value, certain)) = value_start(bytes, name_start, name_end, is_flag) else {
        return (name_end, None);
    };
    // `key_dim=64`: no issuer makes keys like that, and names take longer to look at.
    let number = count(bytes, value, |byte| byte.is_ascii_digit() || b".-+".contains(&byte));
    let ends = bytes.get(value + number).is_none_or(|byte| is_line_end(*byte) || is_blank(*byte));
    let may_be_short = matches!(bytes.get(start), Some(b'p' | b'P' | b's' | b'S' | b'c' | b'C'));
    if (1..=8).contains(&number) && ends && !may_be_short {
        return (name_end, None);
    }
    let Some(strength) = names::strength(name) else { return (name_end, None) };
    // What is a secret only if it looks like one is not that long; and a line may hold many names.
    let is_certain = certain || strength == Strength::Certain;
    let until = if is_certain { bytes.len() } else { bytes.len().min(value + VALUE_BYTES_MAX) };
    let near = bytes.get(..until).unwrap_or_default();
    let (secret, mut end) = value_range(near, value, is_long(name));
    let looked_at = bytes.get(secret..end).unwrap_or_default();
    if !names::is_secret_value(name, looked_at, certain) {
        return (name_end, None);
    }
    if end == until {
        (_, end) = value_range(bytes, value, is_long(name));
    }
    (name_end, Some(Span::new(name_start, secret, end)))
}

/// Finds where the value of a name begins, and whether what comes before is certainly a name.
fn value_start(
    bytes: &[u8],
    name_start: usize,
    name_end: usize,
    is_flag: bool,
) -> Option<(usize, bool)> {
    let at = name_end + count(bytes, name_end, |byte| b"\\\"'".contains(&byte));
    let is_quoted = at > name_end;
    let blanks = count(bytes, at, is_blank);
    let sign = bytes.get(at + blanks).copied()?;
    if sign != b'=' && sign != b':' {
        let is_written_after = is_flag || is_of_netrc(bytes, name_start);
        return (is_written_after && blanks > 0).then_some((at + blanks, true));
    }
    let mut at = at + blanks + count(bytes, at + blanks, |byte| b":=>".contains(&byte));
    if bytes.get(at..)?.starts_with(b"//") {
        return None;
    }
    at += count(bytes, at, is_blank);
    // `password: str = "…"`
    for kind in [b"str".as_slice(), b"String"] {
        if bytes.get(at..)?.starts_with(kind) {
            let after = at + kind.len();
            let blanks = count(bytes, after, is_blank);
            if bytes.get(after + blanks) == Some(&b'=') {
                at = after + blanks + 1;
                at += count(bytes, at, is_blank);
            }
        }
    }
    Some((at, is_quoted || is_flag))
}

/// Tells whether the line so far is one of a netrc file: `machine … login … password …`.
fn is_of_netrc(bytes: &[u8], name_start: usize) -> bool {
    let before = bytes.get(name_start.saturating_sub(256)..name_start).unwrap_or_default();
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(6).any(|word| word == b"login ")
}

/// Tells whether the value under a name goes on after blanks.
fn is_long(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "cookie", "passphrase"].iter().any(|end| name.ends_with(end))
}

/// Finds the range of a value, without its quotes and without the scheme before it.
fn value_range(bytes: &[u8], at: usize, is_long: bool) -> (usize, usize) {
    let is_marked = |at: usize| matches!(bytes.get(at), Some(b'b' | b'r' | b'f' | b'u'));
    let is_quote = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\''));
    let at = if is_marked(at) && is_quote(at + 1) { at + 1 } else { at };
    let at = at + count(bytes, at, |byte| byte == b'\\');
    if is_quote(at) {
        let quote = bytes.get(at).copied().unwrap_or_default();
        let inside = at + 1;
        let mut end = inside + count(bytes, inside, |byte| byte != quote && !is_line_end(byte));
        while end > inside && bytes.get(end - 1) == Some(&b'\\') {
            end -= 1;
        }
        return (skip_scheme(bytes, inside, end), end);
    }
    let ends = |byte: u8| b"\"'`<>".contains(&byte) || is_line_end(byte);
    let end = match is_long {
        true => at + count(bytes, at, |byte| !ends(byte)),
        false => at + count(bytes, at, |b| !ends(b) && !is_blank(b) && !b",;&)}]|".contains(&b)),
    };
    (skip_scheme(bytes, at, end), end)
}

/// Steps over `Bearer `, `token ` and their like.
fn skip_scheme(bytes: &[u8], start: usize, end: usize) -> usize {
    let value = bytes.get(start..end).unwrap_or_default();
    let Some(blank) = value.iter().position(|byte| *byte == b' ') else { return start };
    let scheme = value.get(..blank).unwrap_or_default().to_ascii_lowercase();
    let known: [&[u8]; 6] = [b"bearer", b"basic", b"token", b"digest", b"negotiate", b"apikey"];
    if known.contains(&scheme.as_slice()) { start + blank + 1 } else { start }
}

/// Counts the bytes from `at` on that are so.
pub(super) fn count(bytes: &[u8], at: usize, is_so: impl Fn(u8) -> bool) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|byte| is_so(**byte)).count()
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

pub(super) fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(byte)
}
