//! What secrets look like: one expression of every shape that is known by its value.
//!
//! Source: the issuers' own pages, and the rules of gitleaks and of GitHub's secret scanning.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::spans::count;

/// Most bytes in which the end of a shape is looked for: shapes may begin everywhere in a line.
const SHAPE_BYTES_MAX: usize = 4096;
/// Begins with a private key's marker.
pub(super) const KEY_BEGIN: &[u8] = b"----";

/// Shapes of whole secrets: how each begins, and how it goes on.
const SHAPES: &[(&str, &str)] = &[
    // Amazon: key ids; secrets have no shape and are known by their names.
    ("AKIA|ASIA|ABIA|ACCA", "[A-Z0-9]{16}"),
    // GitHub, GitLab.
    ("gh[pousr]_", "[A-Za-z0-9]{36,}"),
    ("github_pat_", "[A-Za-z0-9_]{22,}"),
    ("gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-", r"[A-Za-z0-9_\-]{20,}"),
    // Slack, Discord.
    ("xox[abeoprs]-", r"[A-Za-z0-9\-]{10,}"),
    ("xapp-", r"[A-Za-z0-9\-]{20,}"),
    (r"hooks\.slack\.com/", "(?:services|workflows)/[A-Za-z0-9/]{20,}"),
    (r"discord(?:app)?\.com/api/webhooks/", r"[0-9]+/[A-Za-z0-9_\-]{20,}"),
    // OpenAI, Anthropic, and those that spell keys like them.
    ("sk-", r"[A-Za-z0-9]{20,}|(?:proj|svcacct|admin|ant|or|lf|None)-[A-Za-z0-9_\-]{16,}"),
    (
        r"(?:gsk|fw|xai|pplx|nvapi|tgp_v1|r8|hf|api_org|jina|lsv2_pt|lsv2_sk)[_\-]",
        r"[A-Za-z0-9_\-]{24,}",
    ),
    // Google.
    ("AIza", r"[A-Za-z0-9_\-]{35}"),
    (r"ya29\.", r"[A-Za-z0-9_\-]{20,}"),
    ("GOCSPX-", r"[A-Za-z0-9_\-]{20,}"),
    ("1//0", r"[A-Za-z0-9_\-]{30,}"),
    // JSON Web Tokens.
    ("eyJ", r"[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_.\-]{8,}"),
    // Stripe, Twilio, SendGrid, Mailgun, Telegram, Shopify, Square.
    ("[sr]k_(?:live|test)_", "[A-Za-z0-9]{16,}"),
    ("whsec_", "[A-Za-z0-9+/=]{24,}"),
    ("(?:AC|SK)[0-9a-f]", "[0-9a-f]{31}"),
    (r"SG\.", r"[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
    ("key-[0-9a-f]", "[0-9a-f]{31}"),
    ("[0-9]:AA", r"[A-Za-z0-9_\-]{33}"),
    ("shp(?:at|ca|pa|ss)_", "[0-9a-fA-F]{32}"),
    ("sq0[a-z]", r"[a-z]{2}-[A-Za-z0-9_\-]{22,}"),
    // Package registries.
    ("npm_", "[A-Za-z0-9]{36,}"),
    ("pypi-AgE", r"[A-Za-z0-9_\-]{16,}"),
    ("dckr_[po]at_", r"[A-Za-z0-9_\-]{20,}"),
    ("rubygems_", "[0-9a-f]{40,}"),
    // Clouds and services.
    ("do[opr]_v1_", "[0-9a-f]{64}"),
    ("dapi[0-9a-f]", "[0-9a-f]{31}(?:-[0-9])?"),
    (r"hv[sbr]\.", r"[A-Za-z0-9_\-]{20,}"),
    (r"\.atlasv1\.", r"[A-Za-z0-9_\-]{40,}"),
    ("gl(?:sa|c)_", "[A-Za-z0-9_+/=]{24,}"),
    ("NRAK-|PMAK-|CCIPAT_|ATATT3x", r"[A-Za-z0-9_=\-]{20,}"),
    (r"(?:lin_api|sntrys|sbp|pscale_tkn|pul|bkua|dp\.pt|wandb_v1)[_\-.]", "[A-Za-z0-9_+/=]{24,}"),
    ("AGE-SECRET-KEY-1", "[A-Z0-9]{40,}"),
];

/// Names, schemes and markers behind which a secret may stand; looked at by `spans.rs`.
const WORDS: &str = "(?i:pass|pwd|secret|token|key|auth|cookie|credential|sig|bearer|basic)|://";

/// How the first line of a private key begins, and how it goes on.
const KEY: (&str, &str) = ("-{4,5} ?BEGIN ", r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}");

/// Finds where a shape may begin, a word or a marker.
///
/// No counts and no looking around in it: its automaton stays small, so that it runs over a log
/// at the speed of memory. What it finds is looked at again, from there.
pub(super) static FINDER: LazyLock<Regex> = LazyLock::new(|| {
    let begins: Vec<&str> = SHAPES.iter().map(|(begin, _)| *begin).collect();
    compile(&format!("(?-u){}|{}|{WORDS}", begins.join("|"), KEY.0))
});

/// The whole shapes, from the first byte on.
static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    let whole = SHAPES.iter().map(|(begin, rest)| format!("(?:{begin})(?:{rest})"));
    compile(&format!(r"(?-u)\A(?:{})", whole.collect::<Vec<_>>().join("|")))
});

/// The whole marker of a private key, from the first byte on.
static KEY_MARKER: LazyLock<Regex> =
    LazyLock::new(|| compile(&format!(r"(?-u)\A(?:{})(?:{})", KEY.0, KEY.1)));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the shapes are valid expressions, as every test sees")
}

/// Finds the secret that is known by its shape and begins, or shows itself, at `at`.
pub(super) fn secret_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let before = bytes.get(..at)?;
    let is_glued = before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    // What comes before the mark is a part of these.
    let shows_late = matches!(bytes.get(at), Some(b'.' | b'0'..=b'9'));
    if is_glued && !shows_late {
        return None;
    }
    let near = bytes.get(at..bytes.len().min(at + SHAPE_BYTES_MAX))?;
    let mut end = at + WHOLE.find(near)?.end();
    if end == at + SHAPE_BYTES_MAX {
        let of_secret = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_.-".contains(&byte);
        end += count(bytes, end, of_secret);
    }
    let early = before.iter().rev().take(SHAPE_BYTES_MAX);
    let of_word = |byte: &&u8| byte.is_ascii_alphanumeric();
    let start = if is_glued { at - early.take_while(of_word).count() } else { at };
    Some(start..end)
}

/// Finds the end of the marker of a private key that begins at `at`.
pub(super) fn key_marker_end(bytes: &[u8], at: usize) -> Option<usize> {
    Some(at + KEY_MARKER.find(bytes.get(at..)?)?.end())
}

/// Tells what a match of [`FINDER`] may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The beginning of a secret.
    Shape,
    /// The beginning of a private key.
    PrivateKey,
    /// An address, which may hold credentials.
    Address,
    /// `Bearer` or `Basic`.
    Scheme,
    /// A part of a name.
    Name,
}

impl Found {
    /// Tells it from the bytes of the match.
    pub(super) fn of(matched: &[u8]) -> Self {
        let is = |word: &[u8]| matched.eq_ignore_ascii_case(word);
        let names: [&[u8]; 9] = [
            b"key",
            b"token",
            b"pass",
            b"pwd",
            b"secret",
            b"auth",
            b"cookie",
            b"credential",
            b"sig",
        ];
        if matched.starts_with(KEY_BEGIN) {
            Self::PrivateKey
        } else if matched == b"://" {
            Self::Address
        } else if is(b"bearer") || is(b"basic") {
            Self::Scheme
        } else if names.iter().any(|name| is(name)) {
            Self::Name
        } else {
            Self::Shape
        }
    }
}
