//! Secrets in a stream of bytes, such as what a program prints.

use super::known::KnownSecrets;
use super::private_key::Body;
use super::spans::{self, Span};

/// Most bytes of a line that are held until it ends.
const HELD_BYTES_MAX: usize = 256 << 10;
/// Bytes at the end of a line that does not end, which stay held: a secret may have begun there.
const TAIL_BYTES: usize = 8 << 10;

/// Replaces secrets in a stream, however it is cut into pieces.
///
/// Shape: any bytes; carriage returns end lines too, as in bars of progress. What is no secret
/// comes out as it came in. Cost: holds the last line that has not ended, at most 256 KiB
/// beside the largest piece. A secret that is itself longer than that is replaced as well.
#[derive(Debug, Default)]
pub struct LogRedactor {
    held: Vec<u8>,
    key: Option<Body>,
    /// Inside a secret that began in bytes which are gone.
    swallows: bool,
    known: KnownSecrets,
}

impl LogRedactor {
    /// Starts at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts at the beginning of a stream in which some values are known to be secrets.
    pub fn with_known(known: KnownSecrets) -> Self {
        Self { known, ..Self::default() }
    }

    /// Takes the next piece, and appends what is known to be clean to `into`.
    pub fn push(&mut self, piece: &[u8], into: &mut Vec<u8>) {
        self.held.extend_from_slice(piece);
        let last_end = self.held.iter().rposition(|byte| spans::is_line_end(*byte));
        if let Some(end) = last_end.map(|last| last + 1) {
            let lines: Vec<u8> = self.held.drain(..end).collect();
            self.release(&lines, into);
        }
        if self.held.len() > HELD_BYTES_MAX {
            self.release_beginning(into);
        }
    }

    /// Appends what is left at the end of the stream.
    pub fn finish(mut self, into: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.held);
        self.release(&rest, into);
    }

    fn release(&mut self, lines: &[u8], into: &mut Vec<u8>) {
        let lines = self.after_swallowed(lines);
        let found = self.known.add_to(spans::find(lines, &mut self.key), lines);
        apply(lines, &found, into);
    }

    /// Lets go of the beginning of a line that is too long to wait for its end.
    fn release_beginning(&mut self, into: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let bytes = self.after_swallowed(&held);
        let mut after = self.key;
        let found = self.known.add_to(spans::find(bytes, &mut after), bytes);
        let mut cut = bytes.len().saturating_sub(TAIL_BYTES);
        if let Some(span) = found.iter().find(|span| span.context < cut && cut <= span.end) {
            cut = span.context;
            if cut <= bytes.len() / 2 {
                // The secret alone is as long as what is held: it ends where its letters do.
                cut = span.end;
                self.swallows = span.end == bytes.len();
            }
        }
        let before: Vec<Span> = found.into_iter().filter(|span| span.end <= cut).collect();
        apply(bytes.get(..cut).unwrap_or_default(), &before, into);
        self.held = bytes.get(cut..).unwrap_or_default().to_vec();
        self.key = if self.held.is_empty() { after } else { self.key };
    }

    fn after_swallowed<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !self.swallows {
            return bytes;
        }
        let of_secret = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_.%~-\\".contains(&byte);
        let length = spans::count(bytes, 0, of_secret);
        self.swallows = length == bytes.len();
        bytes.get(length..).unwrap_or_default()
    }
}

/// Appends bytes with their secrets replaced.
pub(super) fn apply(bytes: &[u8], found: &[Span], into: &mut Vec<u8>) {
    let mut at = 0;
    for span in found {
        into.extend_from_slice(bytes.get(at..span.start).unwrap_or_default());
        into.extend_from_slice(span.with);
        at = span.end;
    }
    into.extend_from_slice(bytes.get(at..).unwrap_or_default());
}
