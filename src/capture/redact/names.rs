//! Which names belong to secrets, and which values under such names are none.

/// How much a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// A value that looks like chance is a secret: `signature`.
    Hint,
    /// Any value is one where names are certain; among prose, one that looks like chance: `token`.
    Named,
    /// Any value is one: `password`.
    Certain,
}

/// Last words of a name whose value only speaks about a secret.
const ABOUT: &[&str] = &[
    "file",
    "path",
    "dir",
    "name",
    "length",
    "len",
    "count",
    "counts",
    "size",
    "type",
    "types",
    "id",
    "ids",
    "index",
    "idx",
    "limit",
    "field",
    "prompt",
    "policy",
    "env",
    "var",
    "ttl",
    "expiry",
    "expires",
    "rate",
    "loss",
    "embedding",
    "embeddings",
    "dim",
    "usage",
    "budget",
    "per",
    "second",
    "seconds",
    "prob",
    "probs",
    "accuracy",
    "sock",
    "pid",
    "url",
    "uri",
    "method",
];

/// What may follow `secret` in the name of one.
const AFTER_SECRET: &[&str] = &["access", "key", "token", "base", "value", "text", "string"];

/// Words before `key` that make it a secret one.
const KEY_OWNERS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "account",
    "signing",
    "encryption",
    "subscription",
    "master",
    "auth",
    "ssh",
    "deploy",
    "service",
    "shared",
    "app",
    "application",
    "storage",
    "openai",
    "anthropic",
    "wandb",
    "hf",
    "huggingface",
    "azure",
    "aws",
    "gcp",
    "google",
    "stripe",
    "sendgrid",
    "twilio",
    "slack",
    "github",
    "gitlab",
    "datadog",
    "dd",
    "comet",
    "neptune",
    "clearml",
    "mlflow",
    "cohere",
    "mistral",
    "groq",
    "replicate",
    "together",
    "pinecone",
    "weaviate",
    "qdrant",
    "langchain",
    "langsmith",
    "cloudflare",
];

/// Words before `token` that make it a part of a text, not a secret.
const PARTS_OF_TEXT: &[&str] = &[
    "pad",
    "eos",
    "bos",
    "unk",
    "sep",
    "cls",
    "mask",
    "sos",
    "image",
    "img",
    "video",
    "audio",
    "special",
    "start",
    "end",
    "stop",
    "begin",
    "next",
    "first",
    "last",
    "prompt",
    "new",
    "max",
    "min",
    "num",
    "n",
    "total",
    "per",
    "each",
    "current",
    "cur",
    "prev",
    "previous",
    "target",
    "source",
    "added",
    "vocab",
    "word",
    "sub",
    "subword",
    "char",
    "byte",
    "time",
    "text",
    "input",
    "output",
    "generated",
    "sampled",
    "top",
    "draft",
    "speech",
    "vision",
    "register",
    "think",
    "thinking",
    "eot",
    "eom",
    "eop",
    "eod",
    "fim",
    "prefix",
    "suffix",
    "middle",
    "blank",
    "oov",
    "number",
    "separator",
    "memory",
    "latent",
    "single",
    "one",
    "trigger",
    "rare",
    "answer",
];

/// What may stand before `token` without a separator.
const TOKEN_OWNERS: &[&str] = &[
    "auth", "access", "refresh", "api", "bearer", "session", "sas", "csrf", "xsrf", "git", "hf",
    "bot", "app", "oauth",
];

/// Values that are none.
const NOTHING: &[&str] = &["none", "null", "nil", "true", "false", "undefined", "yes", "no"];

/// Tells what a name says about its value; `None` for a name like any other.
pub(super) fn strength(name: &str) -> Option<Strength> {
    let words = words(name);
    let mut from_last = words.split(' ').rev();
    let last = from_last.next()?;
    let before = from_last.next();
    if last.is_empty() {
        return None;
    }
    if ABOUT.contains(&last) {
        return None;
    }
    let is_password =
        |word: &str| ["password", "passwd", "passphrase"].iter().any(|end| word.ends_with(end));
    if words.split(' ').any(is_password) || last == "pwd" || is_secret(&words) {
        return Some(Strength::Certain);
    }
    if last == "credential" || last == "credentials" {
        return Some(Strength::Certain);
    }
    if let Some(owner) = last.strip_suffix("key") {
        let owner = if owner.is_empty() { before.unwrap_or_default() } else { owner };
        return KEY_OWNERS.contains(&owner).then_some(Strength::Certain);
    }
    if let Some(owner) = last.strip_suffix("token") {
        let is_secret = match owner {
            "" => !before.is_some_and(|owner| PARTS_OF_TEXT.contains(&owner)),
            glued => TOKEN_OWNERS.contains(&glued),
        };
        return is_secret.then_some(Strength::Named);
    }
    match last {
        "auth" | "authorization" | "cookie" => Some(Strength::Named),
        "pass" if before.is_some() => Some(Strength::Named),
        "sig" | "signature" => Some(Strength::Hint),
        "pat" | "sas" if before.is_some() => Some(Strength::Hint),
        _ => None,
    }
}

fn is_secret(words: &str) -> bool {
    let mut words = words.split(' ');
    words.any(|word| word.ends_with("secret")) && words.all(|word| AFTER_SECRET.contains(&word))
}

/// Splits `dbPassword`, `DB_PASSWORD` and `db-password2` into `db password`.
fn words(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut words = String::with_capacity(bytes.len() + 8);
    let end_word = |words: &mut String| {
        words.truncate(words.trim_end_matches(|c: char| c.is_ascii_digit()).len());
        if !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
    };
    for (at, byte) in bytes.iter().enumerate() {
        let next_is_lower = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after_lower = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let after_upper = before.is_some_and(u8::is_ascii_uppercase);
        let starts = byte.is_ascii_uppercase() && (after_lower || (after_upper && next_is_lower));
        if starts || !byte.is_ascii_alphanumeric() {
            end_word(&mut words);
        }
        if byte.is_ascii_alphanumeric() {
            words.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    end_word(&mut words);
    words.truncate(words.trim_end().len());
    words
}

/// Tells whether a value under the name of a secret is one.
///
/// Shape: `certain` where the name is known to be a name: a key of a document, a variable, a flag.
pub(super) fn is_secret_value(name: &str, value: &[u8], certain: bool) -> bool {
    let Some(strength) = strength(name) else { return false };
    if is_nothing(value) || (may_be_a_place(name) && is_place(value)) {
        return false;
    }
    match strength {
        Strength::Certain => true,
        Strength::Named if certain => !is_number(value),
        Strength::Named | Strength::Hint => looks_like_chance(value),
    }
}

/// `PWD` is a directory as often as a password, `GOOGLE_APPLICATION_CREDENTIALS` a file.
fn may_be_a_place(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("pwd") || name.ends_with("credentials") || name.ends_with("credential")
}

fn is_place(value: &[u8]) -> bool {
    [b"/".as_slice(), b"./", b"../", b"~"].iter().any(|start| value.starts_with(start))
        || value.ends_with(b".json")
}

/// Tells placeholders, and what was redacted before, from secrets.
pub(super) fn is_nothing(value: &[u8]) -> bool {
    let masked = value.iter().all(|byte| b"*x.#-_?X".contains(byte));
    let is_reference = [b"$".as_slice(), b"<", b"{{", b"%(", super::REDACTED]
        .iter()
        .any(|start| value.starts_with(start));
    masked || is_reference || NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Tells a count or a setting from a key.
fn is_number(value: &[u8]) -> bool {
    value.len() <= 8 && value.iter().all(|byte| byte.is_ascii_digit() || b".-+".contains(byte))
}

/// Tells whether somebody drew these characters by lot rather than wrote them.
pub(super) fn looks_like_chance(value: &[u8]) -> bool {
    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_.%~:-".contains(byte);
    if value.len() < 12 || is_place(value) || !value.iter().all(is_of_token) {
        return false;
    }
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let turns = value.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    letters >= 2 && (digits >= 2 || turns.count() >= 3)
}
