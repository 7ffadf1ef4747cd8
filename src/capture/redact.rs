//! Secrets never enter a record: what looks like one, or stands under the name of one, is replaced.
//!
//! The replacement is `[redacted]`, never a hash: what can be guessed could be found by its hash.
//! Known are keys and tokens of common issuers by their shapes, private keys, JSON Web Tokens,
//! credentials inside addresses and headers, and values under names such as `password`,
//! `api_key` or `token`. Names like `max_tokens` and `eos_token` are those of texts.

mod address;
mod arguments;
mod known;
mod log;
mod names;
mod private_key;
mod shapes;
mod spans;

use std::borrow::Cow;

pub use arguments::arguments;
pub use known::KnownSecrets;
pub use log::LogRedactor;

use crate::object::canonical::{Object, Value};

/// What stands in place of a secret.
pub const REDACTED_TEXT: &str = "[redacted]";
const REDACTED: &[u8] = REDACTED_TEXT.as_bytes();
const REDACTED_LINE: &[u8] = b"[redacted]\n";

/// Replaces the secrets in any text.
///
/// Shape: borrowed where there is none. Cost: one pass.
pub fn text(text: &str) -> Cow<'_, str> {
    let found = spans::find(text.as_bytes(), &mut None);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = Vec::with_capacity(text.len());
    log::apply(text.as_bytes(), &found, &mut clean);
    // Secrets begin and end beside ASCII, so nothing is lost here.
    Cow::Owned(String::from_utf8_lossy(&clean).into_owned())
}

/// Replaces the credentials in an address, and whatever else in it is a secret.
pub fn url(address: &str) -> Cow<'_, str> {
    text(address)
}

/// Replaces the value of a variable if its name is that of a secret, else the secrets in it.
pub fn variable<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    match names::is_secret_value(name, value.as_bytes(), true) {
        true => Cow::Borrowed(REDACTED_TEXT),
        false => text(value),
    }
}

/// Replaces the secrets in a document: by the names of its members, and by their values.
///
/// Shape: the same members, of the same order; a name that is a secret itself is replaced and
/// counted. Under a name such as `password`, every text and number however deep is one.
pub fn object(object: &Object) -> Object {
    clean_object(object, false)
}

fn clean_object(object: &Object, all: bool) -> Object {
    let mut clean = Object::new();
    for (name, value) in object.iter() {
        let mut written = text(name);
        let mut count = 1;
        while written != name && clean.find(&written).is_some() {
            count += 1;
            written = Cow::Owned(format!("{REDACTED_TEXT} {count}"));
        }
        clean.set(written.into_owned(), clean_value(name, value, all));
    }
    clean
}

fn clean_value(name: &str, value: &Value, all: bool) -> Value {
    let is_certain = names::strength(name) == Some(names::Strength::Certain);
    match value {
        Value::Text(_) | Value::Number(_) if all => REDACTED_TEXT.into(),
        Value::Number(_) if is_certain => REDACTED_TEXT.into(),
        Value::Text(text) => Value::Text(variable(name, text).into_owned()),
        Value::List(items) => {
            Value::List(items.iter().map(|item| clean_value(name, item, all)).collect())
        }
        Value::Object(inner) => clean_object(inner, all || is_certain).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
