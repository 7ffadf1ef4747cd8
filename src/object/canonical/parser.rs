//! JSON text to values, under the guards of `docs/format/json.md`.

use std::str::Utf8Error;

use super::writer::needs_escape;
use super::{DEPTH_MAX, Number, Object, Value};
use crate::object::DecodeError;

/// What to do with a number that does not survive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Refuse it.
    Exact,
    /// Keep its text.
    Capture,
}

pub(super) struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    what: &'static str,
    mode: Mode,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        bytes: &'a [u8],
        what: &'static str,
        bytes_max: usize,
        mode: Mode,
    ) -> Result<Self, DecodeError> {
        let parser = |text| Self { text, bytes, at: 0, depth: 0, what, mode };
        if bytes.len() > bytes_max {
            return Err(parser("").error_at(bytes_max, format!("longer than {bytes_max} bytes")));
        }
        let text = std::str::from_utf8(bytes);
        let error = |error: Utf8Error| parser("").error_at(error.valid_up_to(), "not UTF-8");
        Ok(parser(text.map_err(error)?))
    }

    /// Reads one value and the end.
    pub(super) fn document(mut self) -> Result<Value, DecodeError> {
        self.skip_blanks();
        let value = self.value()?;
        self.skip_blanks();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.error("something follows the value")),
        }
    }

    fn value(&mut self) -> Result<Value, DecodeError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => self.text().map(Value::Text),
            Some(b'N' | b'I') if self.mode == Mode::Capture => self.number_by_name(),
            Some(b'-')
                if self.mode == Mode::Capture && self.bytes.get(self.at + 1) == Some(&b'I') =>
            {
                self.number_by_name()
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.error("a value must begin here")),
            None => Err(self.error("ends where a value must begin")),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, DecodeError>,
    ) -> Result<Value, DecodeError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(format!("nested deeper than {DEPTH_MAX}")));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_blanks();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, DecodeError> {
        let mut values = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value()?);
            if self.ends(b']')? {
                return Ok(Value::List(values));
            }
        }
    }

    fn object(&mut self) -> Result<Value, DecodeError> {
        let start = self.at;
        let mut members = Vec::new();
        while !(members.is_empty() && self.take(b'}')) {
            if self.peek() != Some(b'"') {
                return Err(self.error("a name in quotes must begin here"));
            }
            let name = self.text()?;
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.error("a colon must follow the name"));
            }
            self.skip_blanks();
            members.push((name, self.value()?));
            if self.ends(b'}')? {
                break;
            }
        }
        match Object::from_members(members) {
            Ok(object) => Ok(Value::Object(object)),
            Err(name) => {
                let shown: String = name.escape_debug().take(80).collect();
                Err(self.error_at(start, format!("name \"{shown}\" occurs twice in one object")))
            }
        }
    }

    /// Reads what stands after an element: the end (true), or a comma before the next one.
    fn ends(&mut self, close: u8) -> Result<bool, DecodeError> {
        self.skip_blanks();
        if self.take(close) {
            return Ok(true);
        }
        if !self.take(b',') {
            return Err(self.error(format!("a comma or {} must follow", char::from(close))));
        }
        self.skip_blanks();
        Ok(false)
    }

    fn number(&mut self) -> Result<Value, DecodeError> {
        let start = self.at;
        while let Some(b'+' | b'-' | b'.' | b'0'..=b'9' | b'e' | b'E') = self.peek() {
            self.at += 1;
        }
        let text = self.slice_text(start, self.at)?;
        match Number::exact(text) {
            Ok(number) => Ok(Value::Number(number)),
            Err(super::NumberError::Syntax) => Err(self.error_at(start, "not a JSON number")),
            Err(_) if self.mode == Mode::Capture => Ok(Value::Text(text.to_owned())),
            Err(error) => Err(self.error_at(start, error.to_string())),
        }
    }

    /// Reads what is no JSON number, by the name that other writers give it.
    fn number_by_name(&mut self) -> Result<Value, DecodeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let named = ["NaN", "Infinity", "-Infinity"];
        let name = named.into_iter().find(|name| rest.starts_with(name.as_bytes()));
        self.word(name.unwrap_or("NaN"), name.unwrap_or_default().into())
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, DecodeError> {
        let end = self.at.saturating_add(word.len());
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return Err(self.error("a value must begin here"));
        }
        self.at = end;
        Ok(value)
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let start = self.at;
            let rest = self.bytes.get(start..).unwrap_or_default();
            let plain = rest.iter().position(|byte| needs_escape(*byte));
            self.at += plain.unwrap_or(rest.len());
            text.push_str(self.slice_text(start, self.at)?);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.error("control character inside a text")),
                None => return Err(self.error("text does not end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, DecodeError> {
        let start = self.at;
        let letter = self.bytes.get(start + 1).copied();
        self.at += 2;
        match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => Ok(char::from(letter)),
            Some(b'b') => Ok('\u{8}'),
            Some(b't') => Ok('\t'),
            Some(b'n') => Ok('\n'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'r') => Ok('\r'),
            Some(b'u') => self.unicode_escape(start),
            _ => Err(self.error_at(start, "unknown escape")),
        }
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, DecodeError> {
        let first = self.four_digits(start)?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.error_at(start, "lone surrogate"));
        }
        if self.bytes.get(self.at..self.at + 2) != Some(br"\u") {
            return Err(self.error_at(start, "lone surrogate"));
        }
        self.at += 2;
        let second = self.four_digits(start)?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(self.error_at(start, "lone surrogate"));
        }
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        char::from_u32(code).ok_or_else(|| self.error_at(start, "lone surrogate"))
    }

    fn four_digits(&mut self, start: usize) -> Result<u32, DecodeError> {
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let mut code = 0;
        for digit in digits {
            let value = char::from(*digit).to_digit(16);
            code = code * 16 + value.ok_or_else(|| self.error_at(start, "unknown escape"))?;
        }
        if digits.is_empty() {
            return Err(self.error_at(start, "unknown escape"));
        }
        self.at += 4;
        Ok(code)
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn slice_text(&self, start: usize, end: usize) -> Result<&'a str, DecodeError> {
        self.text.get(start..end).ok_or_else(|| self.error_at(start, "not UTF-8"))
    }

    fn error(&self, reason: impl Into<String>) -> DecodeError {
        self.error_at(self.at, reason)
    }

    fn error_at(&self, at: usize, reason: impl Into<String>) -> DecodeError {
        DecodeError::new(self.what, u64::try_from(at).unwrap_or(u64::MAX), reason)
    }
}
