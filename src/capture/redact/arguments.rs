//! Command lines, where a secret may be the word after its name.

use super::{REDACTED_TEXT, names, text};

/// Flags of one letter, or plain words, after which a program takes a secret; and how many words
/// after the program at most.
const AFTER: &[(&str, &str, usize)] = &[
    ("curl", "-u", 32),
    ("curl", "--user", 32),
    ("docker", "-p", 8),
    ("redis-cli", "-a", 8),
    ("sshpass", "-p", 1),
    ("wandb", "login", 1),
];

/// Replaces the secrets in a command line, word by word.
///
/// Shape: as many words as there were. `--token X`, `--token=X`, `-password X`, `TOKEN=X` and
/// `+db.password=X` are known by their names, and any word by the shape of what is in it.
pub fn arguments(words: &[String]) -> Vec<String> {
    let mut clean = Vec::with_capacity(words.len());
    let mut pending: Option<&str> = None;
    for (at, word) in words.iter().enumerate() {
        let name = pending.take();
        if let Some(name) = name.filter(|_| !word.starts_with("--")) {
            clean.push(value_of(name, word));
            continue;
        }
        if is_after_flag(words, at) {
            clean.push(after_flag(word));
            continue;
        }
        clean.push(match split(word) {
            Some((name, Some(value))) => {
                let before = word.get(..word.len() - value.len()).unwrap_or_default();
                match value_of(name, value) {
                    replaced if replaced == REDACTED_TEXT => format!("{before}{replaced}"),
                    _ => text(word).into_owned(),
                }
            }
            Some((name, None)) => {
                pending = names::strength(name).map(|_| name);
                text(word).into_owned()
            }
            None => text(word).into_owned(),
        });
    }
    clean
}

fn value_of(name: &str, value: &str) -> String {
    match names::is_secret_value(name, value.as_bytes(), true) {
        true => REDACTED_TEXT.to_owned(),
        false => text(value).into_owned(),
    }
}

/// Splits `--name=value` and `name=value`; a flag alone has no value yet.
fn split(word: &str) -> Option<(&str, Option<&str>)> {
    let is_flag = word.starts_with('-');
    let is_name = |name: &str| {
        let of_name = |c: char| c.is_ascii_alphanumeric() || "_-.+/[]".contains(c);
        !name.is_empty() && name.chars().all(of_name)
    };
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let is_complete = value.is_some() || is_flag;
    (is_complete && is_name(name)).then(|| (name.trim_start_matches(['-', '+']), value))
}

fn is_after_flag(words: &[String], at: usize) -> bool {
    let Some((flag, before)) = words.get(..at).and_then(<[String]>::split_last) else {
        return false;
    };
    let is_program = |word: &String, name: &str| word.rsplit('/').next() == Some(name);
    AFTER.iter().any(|(name, after, words_max)| {
        flag == after && before.iter().rev().take(*words_max).any(|word| is_program(word, name))
    })
}

/// Replaces a secret; of `user:password` the password, and nothing of `8080:80` and flags.
fn after_flag(word: &str) -> String {
    let of_port = |byte: u8| byte.is_ascii_digit() || b":.".contains(&byte);
    let is_port = word.contains(':') && word.bytes().all(of_port);
    if word.starts_with('-') || is_port || names::is_nothing(word.as_bytes()) {
        return text(word).into_owned();
    }
    match word.split_once(':') {
        Some((user, _)) => format!("{user}:{REDACTED_TEXT}"),
        None => REDACTED_TEXT.to_owned(),
    }
}
