//! One entry of the journal: a change of refs, by whom, when and why.
//!
//! Specified in `docs/format/journal.md`.

use std::fmt;

use super::artifact::tree_path;
use super::canonical::{self, FieldError, Fields, Object, Value};
use super::commit::{ascending, filled_line, line, list_of};
use super::{DecodeError, ObjectId, Sha256, Timestamp, merkle};

const WHAT: &str = "journal entry";
const SCHEMA: &str = "provenance/transaction/v1";

/// Largest entry, in bytes: its length fits into the 16 bits of an entry bundle.
pub const TRANSACTION_BYTES_MAX: usize = 65_535;
/// Longest command that an entry keeps, in bytes.
pub const COMMAND_BYTES_MAX: usize = 1024;
/// What the names of refs begin with that may move without being listed.
///
/// Source: `docs/format/journal.md`.
pub const UNLISTED_PREFIX: &str = "runs/";

/// Tells one attempt to write an entry from all others, so that a writer knows its own.
///
/// Shape: 128 random bits, displayed as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId([u8; 16]);

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its place in the journal, from 0.
    pub number: u64,
    /// Tells this attempt from all others.
    pub transaction: TransactionId,
    /// When its actor says it was made.
    pub time: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// The command as typed, at most [`COMMAND_BYTES_MAX`] bytes; see [`shorten_command`].
    pub command: String,
    /// What changes, strictly ascending by ref.
    pub updates: Vec<Update>,
    /// How many refs below [`UNLISTED_PREFIX`] moved beside those, too many to be listed.
    pub unlisted: u64,
    /// The tree of all refs after it.
    pub refs: ObjectId,
    /// The tree that leads from objects to the statements about them.
    pub attestations: ObjectId,
    /// The RFC 6962 hash of the tree over all entries before.
    pub previous: Sha256,
}

/// Who made an entry, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// One line, not empty.
    pub name: String,
    /// One line; may be empty.
    pub email: String,
    /// Name of the machine, where it is known.
    pub host: Option<String>,
    /// Name of the account, where it is known.
    pub user: Option<String>,
}

/// A ref that is created, moved or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Its name below the tree of refs: `heads/main`, `tags/v1`.
    pub name: String,
    /// Where it stood; nothing when it is created.
    pub old: Option<ObjectId>,
    /// Where it stands now; nothing when it is removed.
    pub new: Option<ObjectId>,
}

impl TransactionId {
    /// Takes 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != 32 || !is_hex {
            return None;
        }
        u128::from_str_radix(hex, 16).ok().map(|value| Self(value.to_be_bytes()))
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

impl Transaction {
    /// Spells the entry; these bytes are a leaf of the journal's Merkle tree.
    ///
    /// Errors: a value that the format refuses, in the words with which decoding refuses it; an
    /// entry with too many updates for its size among them.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let value =
            self.to_value().map_err(|error| DecodeError::new(WHAT, 0, error.to_string()))?;
        let bytes = value.encode();
        // One set of rules, that of the decoder, holds for what is written too.
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads an entry, strictly: every rule of `docs/format/journal.md` is checked that one entry
    /// can break alone.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        canonical::decode_record(bytes, WHAT, TRANSACTION_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            let number = fields.required("number", Value::counted)?;
            Ok(Self {
                number,
                transaction: fields.required("transaction", transaction_id)?,
                time: fields.required("time", Value::instant)?,
                actor: fields.required("actor", |value| value.record(Actor::read))?,
                command: fields.required("command", command)?,
                updates: fields.required("updates", read_updates)?,
                unlisted: fields.optional("unlisted", unlisted)?.unwrap_or(0),
                refs: fields.required("refs", Value::id)?,
                attestations: fields.required("attestations", Value::id)?,
                previous: fields.required("previous", |value| previous(value, number))?,
            })
        })
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("number", Value::count(self.number)?);
        object.set("transaction", self.transaction.to_string());
        object.set("time", Value::from_instant(self.time)?);
        object.set("actor", self.actor.to_value());
        object.set("command", self.command.as_str());
        object.set("updates", list_of(&self.updates, |update| Ok(update.to_value()))?);
        if self.unlisted > 0 {
            object.set("unlisted", Value::count(self.unlisted)?);
        }
        object.set("refs", self.refs);
        object.set("attestations", self.attestations);
        object.set("previous", self.previous.to_string());
        Ok(object.into())
    }
}

impl Actor {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            name: fields.required("name", filled_line)?,
            email: fields.required("email", line)?,
            host: fields.optional("host", line)?,
            user: fields.optional("user", line)?,
        })
    }

    fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set("email", self.email.as_str());
        object.set_some("host", self.host.as_deref());
        object.set_some("user", self.user.as_deref());
        object.into()
    }
}

impl Update {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        let update = Self {
            name: fields.required("ref", ref_name)?,
            old: fields.optional("old", Value::id)?,
            new: fields.optional("new", Value::id)?,
        };
        if update.old == update.new {
            return Err(FieldError::new("old and new must differ"));
        }
        Ok(update)
    }

    fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.set("ref", self.name.as_str());
        object.set_some("old", self.old);
        object.set_some("new", self.new);
        object.into()
    }
}

/// Cuts a command to what an entry keeps, at a character, with an ellipsis where it was cut.
pub fn shorten_command(command: &str) -> String {
    if command.len() <= COMMAND_BYTES_MAX {
        return command.to_owned();
    }
    let end = COMMAND_BYTES_MAX - '…'.len_utf8();
    let kept = (0..=end).rev().find_map(|end| command.get(..end));
    format!("{}…", kept.unwrap_or_default())
}

fn transaction_id(value: &Value) -> Result<TransactionId, FieldError> {
    let id = TransactionId::parse(value.text()?);
    id.ok_or_else(|| FieldError::new("must be 32 lower-case hexadecimal digits"))
}

fn command(value: &Value) -> Result<String, FieldError> {
    let text = value.text()?;
    if text.len() > COMMAND_BYTES_MAX {
        return Err(FieldError::new(format!("must not be longer than {COMMAND_BYTES_MAX} bytes")));
    }
    Ok(text.to_owned())
}

fn ref_name(value: &Value) -> Result<String, FieldError> {
    line(value)?;
    tree_path(value)
}

fn read_updates(value: &Value) -> Result<Vec<Update>, FieldError> {
    let updates = value.items(|item| item.record(Update::read))?;
    ascending(&updates, |update| update.name.as_str())?;
    Ok(updates)
}

fn unlisted(value: &Value) -> Result<u64, FieldError> {
    match value.counted()? {
        0 => Err(FieldError::new("must be at least 1")),
        count => Ok(count),
    }
}

fn previous(value: &Value, number: u64) -> Result<Sha256, FieldError> {
    let hash = Sha256::parse(value.text()?).map_err(|error| FieldError::new(error.to_string()))?;
    if (number == 0) != (hash == merkle::empty_root()) {
        return Err(FieldError::new(
            "must be the hash of the empty tree for entry 0, and only then",
        ));
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_cut_at_a_character() {
        assert_eq!(shorten_command("commit -m x"), "commit -m x");
        let cut = shorten_command(&"é".repeat(600));
        assert_eq!(cut.len(), 1 + 2 * 510 + 2);
        assert!(cut.ends_with("é…") && cut.len() <= COMMAND_BYTES_MAX);
    }

    #[test]
    fn an_attempt_has_one_spelling() {
        let id = TransactionId::from_bytes(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0e0f");
        assert_eq!(TransactionId::parse(&id.to_string()), Some(id));
        for text in ["", "000102030405060708090A0B0C0D0E0F", "+00102030405060708090a0b0c0d0e0f"] {
            assert_eq!(TransactionId::parse(text), None);
        }
    }
}
