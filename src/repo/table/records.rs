//! A stream of bytes → records: rows of CSV, which quotes may carry over lines, or single lines.

use memchr::{memchr_iter, memchr2_iter};

use super::shape::Form;

/// Longest record, bytes: a file with a longer one is not taken for a table.
pub(super) const RECORD_BYTES_MAX: usize = 16 << 20;

/// Bytes after which the records so far are handed on.
const BATCH_BYTES: usize = 1 << 20;

/// What UTF-8 files of some programs begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where a record stands in the bytes of its batch, without the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
    /// Its first line, from 1.
    pub line: u64,
}

/// Records that follow one another.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub bytes: Vec<u8>,
    pub spans: Vec<Span>,
}

/// Why a file is no table after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// A record is longer than [`RECORD_BYTES_MAX`].
    Long {
        /// Where it begins.
        line: u64,
    },
    /// It is none of the files that can be read: why, in words.
    Unread(String),
    /// A quote is not closed before the end.
    OpenQuote {
        /// Where the record begins.
        line: u64,
    },
}

impl Broken {
    /// Says what is wrong.
    pub fn words(self) -> String {
        match self {
            Self::Unread(why) => why,
            Self::Long { line } => format!("the row in line {line} is longer than 16 MiB"),
            Self::OpenQuote { line } => format!("a quote in line {line} is not closed"),
        }
    }
}

/// Cuts pieces into records. Empty lines are none.
#[derive(Debug)]
pub(super) struct Cutter {
    form: Form,
    cut: Cut,
    /// Where the record that is not finished begins.
    start: usize,
    /// How far it was looked through.
    looked: usize,
    is_quoted: bool,
    /// Where the last quote was closed: another one there is a quote in the text.
    closed: Option<usize>,
    /// Line in which the record begins, and the line that was reached.
    line: u64,
    line_now: u64,
    is_begun: bool,
}

impl Cutter {
    pub fn new(form: Form) -> Self {
        Self {
            form,
            cut: Cut::default(),
            start: 0,
            looked: 0,
            is_quoted: false,
            closed: None,
            line: 1,
            line_now: 1,
            is_begun: false,
        }
    }

    /// Takes the next piece; gives the records so far once they are many.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Option<Cut>, Broken> {
        self.cut.bytes.extend_from_slice(piece);
        if !self.is_begun {
            if self.cut.bytes.len() < BYTE_ORDER_MARK.len() {
                return Ok(None);
            }
            self.begin();
        }
        self.look();
        if self.cut.bytes.len() - self.start > RECORD_BYTES_MAX {
            return Err(Broken::Long { line: self.line });
        }
        Ok((self.start >= BATCH_BYTES).then(|| self.split()))
    }

    /// Gives the last records.
    pub fn finish(mut self) -> Result<Cut, Broken> {
        if !self.is_begun {
            self.begin();
        }
        self.look();
        if self.is_quoted {
            return Err(Broken::OpenQuote { line: self.line });
        }
        self.end_record(self.cut.bytes.len());
        Ok(self.cut)
    }

    /// Gives the records of a beginning, without the one that is not finished.
    pub fn into_finished(self) -> Cut {
        self.cut
    }

    fn begin(&mut self) {
        self.is_begun = true;
        if self.cut.bytes.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
            self.looked = self.start;
        }
    }

    fn look(&mut self) {
        let bytes = std::mem::take(&mut self.cut.bytes);
        let rest = bytes.get(self.looked..).unwrap_or_default();
        let from = self.looked;
        match self.form {
            Form::JsonLines | Form::Parquet => {
                memchr_iter(b'\n', rest).for_each(|at| self.see_line_end(&bytes, from + at));
            }
            Form::Csv { delimiter } => memchr2_iter(b'\n', b'"', rest).for_each(|at| {
                let at = from + at;
                match bytes.get(at) {
                    Some(b'"') => self.see_quote(&bytes, at, delimiter),
                    _ => self.see_line_end(&bytes, at),
                }
            }),
        }
        self.looked = bytes.len();
        self.cut.bytes = bytes;
    }

    fn see_line_end(&mut self, bytes: &[u8], at: usize) {
        self.line_now += 1;
        if self.is_quoted {
            return;
        }
        let end = match at > self.start && bytes.get(at - 1) == Some(&b'\r') {
            true => at - 1,
            false => at,
        };
        self.push(end);
        self.start = at + 1;
        self.line = self.line_now;
    }

    /// A quote counts only where a field begins, or closes one that did.
    fn see_quote(&mut self, bytes: &[u8], at: usize, delimiter: u8) {
        if self.is_quoted {
            self.is_quoted = false;
            self.closed = Some(at + 1);
        } else {
            let begins = at == self.start || bytes.get(at - 1) == Some(&delimiter);
            self.is_quoted = begins || self.closed == Some(at);
        }
    }

    fn push(&mut self, end: usize) {
        if end > self.start {
            self.cut.spans.push(Span { start: self.start, end, line: self.line });
        }
    }

    fn end_record(&mut self, end: usize) {
        let is_returned = end > self.start && self.cut.bytes.get(end - 1) == Some(&b'\r');
        self.push(if is_returned { end - 1 } else { end });
    }

    /// Hands on the finished records, and keeps the beginning of the next one.
    fn split(&mut self) -> Cut {
        let rest = self.cut.bytes.split_off(self.start);
        self.looked -= self.start;
        self.closed = self.closed.and_then(|closed| closed.checked_sub(self.start));
        self.start = 0;
        std::mem::replace(&mut self.cut, Cut { bytes: rest, spans: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Form = Form::Csv { delimiter: b',' };

    /// Cuts with pieces of each length, and insists that it makes no difference.
    fn cut(form: Form, text: &[u8]) -> Result<Vec<(String, u64)>, Broken> {
        let with = |length: usize| {
            let mut cutter = Cutter::new(form);
            let mut found = Vec::new();
            let mut take = |cut: Cut| {
                let text = |span: &Span| {
                    let bytes = &cut.bytes[span.start..span.end];
                    (String::from_utf8_lossy(bytes).into_owned(), span.line)
                };
                found.extend(cut.spans.iter().map(text));
            };
            for piece in text.chunks(length) {
                if let Some(cut) = cutter.feed(piece)? {
                    take(cut);
                }
            }
            take(cutter.finish()?);
            Ok(found)
        };
        let whole = with(text.len().max(1));
        for length in 1..text.len().min(40) {
            assert_eq!(with(length), whole, "pieces of {length}");
        }
        whole
    }

    fn owned(rows: &[(&str, u64)]) -> Vec<(String, u64)> {
        rows.iter().map(|(text, line)| ((*text).to_owned(), *line)).collect()
    }

    #[test]
    fn quotes_carry_a_row_over_lines() {
        let text =
            b"\xef\xbb\xbfa,b\r\n1,\"x\r\ny\"\r\n\r\n2,\"say \"\"no\n\"\"\"\n3,5\" pipe\n4,z";
        let rows = owned(&[
            ("a,b", 1),
            ("1,\"x\r\ny\"", 2),
            ("2,\"say \"\"no\n\"\"\"", 5),
            ("3,5\" pipe", 7),
            ("4,z", 8),
        ]);
        assert_eq!(cut(CSV, text), Ok(rows));
    }

    #[test]
    fn lines_of_json_do_not_care_for_quotes() {
        let rows = owned(&[("{\"a\":1}", 1), ("{\"a\"", 3)]);
        assert_eq!(cut(Form::JsonLines, b"{\"a\":1}\n\n{\"a\""), Ok(rows));
        assert_eq!(cut(CSV, b""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_half_written_is_told() {
        assert_eq!(cut(CSV, b"a,b\n1,\"x\n2,y\n"), Err(Broken::OpenQuote { line: 2 }));
        let mut long = Cutter::new(CSV);
        let mut answer = Ok(None);
        for _ in 0..17 {
            answer = answer.and_then(|_: Option<Cut>| long.feed(&vec![b'x'; 1 << 20]));
        }
        assert_eq!(answer.map(|_| ()), Err(Broken::Long { line: 1 }));
    }
}
