//! Object ids, the SHA-256 beside them, and the hashers that make both.
//!
//! Specified in `docs/format/object.md`.

use std::fmt;

use sha2::Digest as _;

/// Prefix of an id inside records, which leaves room for a second hash function one day.
const RECORD_PREFIX: &str = "blake3:";

/// Names an object: the BLAKE3-256 of its canonical bytes.
///
/// Shape: displayed as 64 lower-case hexadecimal digits, what `b3sum` prints.
/// Source: `docs/format/object.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 32]);

/// Tells why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text has another length than 64 digits, or than the 4 to 64 of a prefix.
    #[error("expected {expected} hexadecimal digits, got {actual}")]
    Length {
        /// What was asked for.
        expected: &'static str,
        /// How many characters came.
        actual: usize,
    },
    /// A character is not a lower-case hexadecimal digit.
    #[error("expected lower-case hexadecimal digits only")]
    Digit,
    /// The text does not begin with `blake3:`.
    #[error("expected an id of the form blake3:<64 hexadecimal digits>")]
    Record,
}

impl ObjectId {
    /// Takes the 32 bytes of an id.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Gives the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Hashes `content`, held whole; large content goes through [`ContentHasher`].
    pub fn of(content: &[u8]) -> Self {
        Self(*blake3::hash(content).as_bytes())
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(hex: &str) -> Result<Self, IdError> {
        parse_hex(hex).map(Self)
    }

    /// Reads the form used inside records, `blake3:<64 hex>`.
    pub fn parse_record(text: &str) -> Result<Self, IdError> {
        Self::parse(text.strip_prefix(RECORD_PREFIX).ok_or(IdError::Record)?)
    }

    /// Writes the form used inside records, `blake3:<64 hex>`.
    pub fn to_record(&self) -> String {
        format!("{RECORD_PREFIX}{self}")
    }

    /// Gives the first 12 hexadecimal digits, for people.
    pub fn short(&self) -> String {
        let mut hex = self.to_string();
        hex.truncate(12);
        hex
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

/// The SHA-256 of a file's bytes, kept in trees for audits that ask for it.
///
/// Shape: displayed as 64 lower-case hexadecimal digits, what `sha256sum` prints.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Takes the 32 bytes of a hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Gives the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Hashes `content`, held whole.
    pub fn of(content: &[u8]) -> Self {
        Self(sha2::Sha256::digest(content).into())
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(hex: &str) -> Result<Self, IdError> {
        parse_hex(hex).map(Self)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// Hashes content that comes in pieces to its id.
#[derive(Debug, Clone, Default)]
pub struct IdHasher(blake3::Hasher);

impl IdHasher {
    /// Starts with no content.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Gives the id of all pieces in order.
    pub fn finish(self) -> ObjectId {
        ObjectId(*self.0.finalize().as_bytes())
    }
}

/// Hashes content that comes in pieces to its SHA-256.
#[derive(Debug, Clone, Default)]
pub struct Sha256Hasher(sha2::Sha256);

impl Sha256Hasher {
    /// Starts with no content.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Gives the SHA-256 of all pieces in order.
    pub fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

/// Hashes content that comes in pieces to both its id and its SHA-256.
///
/// Cost: no allocation; the pieces may have any size, 16 KiB and more is fastest.
#[derive(Debug, Clone, Default)]
pub struct ContentHasher {
    id: IdHasher,
    sha256: Sha256Hasher,
}

impl ContentHasher {
    /// Starts with no content.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.id.update(piece);
        self.sha256.update(piece);
    }

    /// Gives both hashes of all pieces in order.
    pub fn finish(self) -> (ObjectId, Sha256) {
        (self.id.finish(), self.sha256.finish())
    }
}

/// The first digits of an id, as people type them.
///
/// Shape: 4 to 64 lower-case hexadecimal digits; an odd count ends in half a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    low: ObjectId,
    high: ObjectId,
}

impl Prefix {
    /// Fewest digits that are taken for a prefix, as in git.
    pub const DIGITS_MIN: usize = 4;

    /// Reads 4 to 64 lower-case hexadecimal digits.
    pub fn parse(hex: &str) -> Result<Self, IdError> {
        if !(Self::DIGITS_MIN..=64).contains(&hex.len()) {
            return Err(IdError::Length { expected: "4 to 64", actual: hex.len() });
        }
        let low = parse_hex(&format!("{hex:0<64}"))?;
        let high = parse_hex(&format!("{hex:f<64}"))?;
        Ok(Self { low: ObjectId(low), high: ObjectId(high) })
    }

    /// Gives the first and the last id that begin with these digits, both inclusive.
    pub const fn range(&self) -> (ObjectId, ObjectId) {
        (self.low, self.high)
    }

    /// Tells whether `id` begins with these digits.
    pub fn matches(&self, id: &ObjectId) -> bool {
        (self.low..=self.high).contains(id)
    }
}

fn parse_hex(hex: &str) -> Result<[u8; 32], IdError> {
    if hex.len() != 64 {
        return Err(IdError::Length { expected: "64", actual: hex.len() });
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return Err(IdError::Digit) };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Ok(bytes)
}

fn digit(character: u8) -> Result<u8, IdError> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(IdError::Digit),
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8; 32]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_b3sum_prints() {
        let hex = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(ObjectId::of(b"").to_string(), hex);
        assert_eq!(ObjectId::parse(hex), Ok(ObjectId::of(b"")));
        assert_eq!(ObjectId::parse_record(&format!("blake3:{hex}")), Ok(ObjectId::of(b"")));
    }

    #[test]
    fn one_spelling_per_id() {
        let hex = ObjectId::of(b"x").to_string();
        assert_eq!(ObjectId::parse(&hex.to_uppercase()), Err(IdError::Digit));
        assert_eq!(ObjectId::parse(&hex[1..]), Err(IdError::Length { expected: "64", actual: 63 }));
        assert_eq!(ObjectId::parse_record(&hex), Err(IdError::Record));
        assert!(ObjectId::parse(&"é".repeat(32)).is_err());
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut hasher = ContentHasher::new();
        hasher.update(b"ab");
        hasher.update(b"");
        hasher.update(b"c");
        assert_eq!(hasher.finish(), (ObjectId::of(b"abc"), Sha256::of(b"abc")));
    }

    #[test]
    fn a_prefix_of_odd_length_covers_its_half_byte() {
        let prefix = Prefix::parse("af134").expect("five digits");
        assert!(prefix.matches(&ObjectId::of(b"")));
        assert!(!Prefix::parse("af135").expect("five digits").matches(&ObjectId::of(b"")));
        assert!(Prefix::parse("af1").is_err());
        assert!(Prefix::parse("AF13").is_err());
    }
}
