//! Lines of a stream, many at a time, read on as many threads as there are.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::line::{LINE_BYTES_MAX, Line, parse};
use crate::repo::Error;
use crate::threads;

/// Lines that are read before they are looked at, and bytes of them.
const BATCH_LINES: usize = 1024;
const BATCH_BYTES: usize = 2 << 20;

/// The lines of a stream.
pub(super) struct Lines<'f> {
    from: &'f mut (dyn BufRead + Send),
    number: u64,
}

/// Some lines.
pub(super) struct Batch {
    /// Number of the first, from 1.
    first: u64,
    lines: Vec<Vec<u8>>,
    /// Whether the last one ends with the stream, and not by itself.
    is_cut: bool,
}

/// A line that was read, and its number.
pub(super) type Numbered = (u64, Result<Line, String>);

impl<'f> Lines<'f> {
    /// Begins.
    pub fn new(from: &'f mut (dyn BufRead + Send)) -> Self {
        Self { from, number: 0 }
    }

    /// Reads the next lines; `None` at the end. Empty lines count, and say nothing.
    ///
    /// Errors: what the system says; `Usage` for a line that is too long.
    pub fn next(&mut self) -> Result<Option<Batch>, Error> {
        let mut batch = Batch { first: self.number + 1, lines: Vec::new(), is_cut: false };
        let mut bytes = 0;
        while batch.lines.len() < BATCH_LINES && bytes < BATCH_BYTES && !batch.is_cut {
            let Some((line, is_whole)) = self.line()? else { break };
            self.number += 1;
            bytes += line.len();
            batch.is_cut = !is_whole;
            batch.lines.push(line);
        }
        Ok((!batch.lines.is_empty()).then_some(batch))
    }

    fn line(&mut self) -> Result<Option<(Vec<u8>, bool)>, Error> {
        let mut line = Vec::new();
        loop {
            let piece = match self.from.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                piece => piece.map_err(|error| Error::io("read the stream", "-", error))?,
            };
            if piece.is_empty() {
                return Ok((!line.is_empty()).then_some((line, false)));
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
            if line.len() + taken.len() > LINE_BYTES_MAX {
                let text = format!("longer than {LINE_BYTES_MAX} bytes");
                return Err(refused(self.number + 1, &text));
            }
            line.extend_from_slice(taken);
            let used = end.map_or(taken.len(), |end| end + 1);
            self.from.consume(used);
            if end.is_some() {
                return Ok(Some((line, true)));
            }
        }
    }
}

impl Batch {
    /// Reads each line, on several threads.
    pub fn parse(self) -> Vec<Numbered> {
        let share = self.lines.len().div_ceil(threads::count()).max(64);
        let last = self.first + self.lines.len() as u64 - 1;
        let cut = self.is_cut.then_some(last);
        let shares: Vec<&[Vec<u8>]> = self.lines.chunks(share).collect();
        let (next, parsed) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        threads::share(shares.len(), || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(lines) = shares.get(at) else { return };
                let first = self.first + (at * share) as u64;
                let lines = parse_all(first, lines, cut);
                parsed.lock().unwrap_or_else(PoisonError::into_inner).insert(at, lines);
            }
        });
        let parsed = parsed.into_inner().unwrap_or_else(PoisonError::into_inner);
        parsed.into_values().flatten().collect()
    }
}

fn parse_all(first: u64, lines: &[Vec<u8>], cut: Option<u64>) -> Vec<Numbered> {
    let mut parsed = Vec::with_capacity(lines.len());
    for (number, line) in (first..).zip(lines) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let outcome = parse(line).map_err(|reason| match cut == Some(number) {
            true => format!("the stream is cut off in it: {reason}"),
            false => reason,
        });
        parsed.push((number, outcome));
    }
    parsed
}

/// Says what is wrong with a line.
pub(super) fn refused(number: u64, reason: &str) -> Error {
    Error::Usage(format!("line {number}: {reason}"))
}
