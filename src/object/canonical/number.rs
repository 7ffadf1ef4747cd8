//! Numbers of canonical JSON: what may be one, and how it is spelled.

/// Largest integer that every common implementation keeps: 2^53 − 1 (RFC 7493 §2.2).
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The value from which ECMAScript spells a number with an exponent.
const EXPONENT_MIN: f64 = 1e21;

/// A number of canonical JSON.
///
/// Shape: a finite double other than −0; below 10^21, where the spelling is that of an integer,
/// within ±(2^53 − 1). Source: `docs/format/json.md`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(f64);

// No NaN gets in, so equality is total.
impl Eq for Number {}

/// Tells why a number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Infinity or not a number, or a text that overflows a double.
    #[error("number is not finite as a double")]
    NotFinite,
    /// Minus zero, which common implementations turn into zero.
    #[error("-0 is refused, because it is lost by common implementations")]
    MinusZero,
    /// An integer beyond ±(2^53 − 1), which common implementations round.
    #[error("integer is beyond ±9007199254740991")]
    Integer,
    /// The digits name a value that no double has.
    #[error("number does not survive the round trip through a double")]
    Rounded,
    /// The text is no JSON number at all.
    #[error("not a JSON number")]
    Syntax,
}

impl Number {
    /// Takes a double that is within the guards.
    pub fn from_f64(value: f64) -> Result<Self, NumberError> {
        if !value.is_finite() {
            return Err(NumberError::NotFinite);
        }
        if value == 0.0 && value.is_sign_negative() {
            return Err(NumberError::MinusZero);
        }
        let integer_max = as_double(INTEGER_MAX);
        if value.abs() > integer_max && value.abs() < EXPONENT_MIN {
            return Err(NumberError::Integer);
        }
        Ok(Self(value))
    }

    /// Takes an integer that does not exceed 2^53 − 1.
    pub fn from_u64(value: u64) -> Result<Self, NumberError> {
        if value > INTEGER_MAX {
            return Err(NumberError::Integer);
        }
        Ok(Self(as_double(value)))
    }

    /// Takes an integer within ±(2^53 − 1).
    pub fn from_i64(value: i64) -> Result<Self, NumberError> {
        let Self(magnitude) = Self::from_u64(value.unsigned_abs())?;
        Ok(Self(if value < 0 { -magnitude } else { magnitude }))
    }

    /// Gives the double.
    pub const fn as_f64(self) -> f64 {
        self.0
    }

    /// Gives the integer, where the number is one within ±(2^53 − 1).
    #[expect(clippy::cast_possible_truncation, reason = "checked to be a small integer before")]
    pub fn as_i64(self) -> Option<i64> {
        let whole = self.0.fract() == 0.0 && self.0.abs() <= as_double(INTEGER_MAX);
        whole.then_some(self.0 as i64)
    }

    /// Gives the integer, where the number is one from 0 to 2^53 − 1.
    pub fn as_u64(self) -> Option<u64> {
        self.as_i64().and_then(|value| u64::try_from(value).ok())
    }

    /// Reads a JSON number in any spelling that names exactly a number within the guards.
    ///
    /// Shape: `0.10` and `1e-1` are the number 0.1; `0.1000000000000000001` is refused.
    /// Errors: [`NumberError`].
    pub fn exact(text: &str) -> Result<Self, NumberError> {
        let decimal = Decimal::parse(text).ok_or(NumberError::Syntax)?;
        let value = text.parse::<f64>().map_err(|_| NumberError::Syntax)?;
        if text.starts_with('-') && decimal.digits.is_empty() {
            return Err(NumberError::MinusZero);
        }
        if decimal.is_integer_text && decimal.exceeds_integer_max() {
            return Err(NumberError::Integer);
        }
        let number = Self::from_f64(value)?;
        let spelled = number.spell(&mut ryu_js::Buffer::new()).to_owned();
        match Decimal::parse(&spelled) {
            Some(kept) if kept.same_value(&decimal) => Ok(number),
            _ => Err(NumberError::Rounded),
        }
    }

    /// Spells the number as ECMAScript's `Number::toString` does (RFC 8785 §3.2.2.3).
    pub(super) fn spell(self, buffer: &mut ryu_js::Buffer) -> &str {
        buffer.format_finite(self.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "callers pass at most 2^53 - 1, which is exact")]
const fn as_double(value: u64) -> f64 {
    value as f64
}

/// The exact value of a decimal text: `digits` × 10^`exponent`.
struct Decimal {
    /// Significant digits, without zeros on either side; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
    /// Neither a point nor an exponent was written.
    is_integer_text: bool,
}

impl Decimal {
    /// Reads a number in the grammar of RFC 8259 §6; the sign is left to the caller.
    fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let is_integer_text = fraction.is_none() && exponent.is_none();
        if !is_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        if fraction.is_some_and(|digits| !is_digits(digits)) {
            return None;
        }
        let shift = exponent.map_or(Some(0), parse_exponent)?;
        let fraction = fraction.unwrap_or_default();
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let mut exponent = shift.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent = exponent.checked_add(1)?;
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        Some(Self { digits, exponent, is_integer_text })
    }

    fn same_value(&self, other: &Self) -> bool {
        self.digits == other.digits && (self.digits.is_empty() || self.exponent == other.exponent)
    }

    fn exceeds_integer_max(&self) -> bool {
        let mut value = 0_u64;
        for digit in &self.digits {
            value = value.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')));
        }
        for _ in 0..self.exponent.clamp(0, 20) {
            value = value.saturating_mul(10);
        }
        value > INTEGER_MAX
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_digits(digits) {
        return None;
    }
    // An exponent of more than a million is beyond any double, whatever the digits before it.
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000_000_000);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}
