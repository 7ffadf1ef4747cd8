//! Credentials inside addresses: `scheme://user:password@host/`.

use super::names;
use super::spans::{Span, count, is_blank, is_line_end};

/// Schemes whose user is an account, and whose secret is elsewhere.
const WITHOUT_TOKENS: &[&str] = &["ssh", "git", "sftp", "rsync", "git+ssh", "svn+ssh", "ftp", "s3"];

/// Most bytes of an address in which credentials are looked for: a line may hold many.
const ADDRESS_BYTES_MAX: usize = 4096;

/// Where the next `@` is: a line may hold many addresses and none of these.
#[derive(Debug, Default)]
pub(super) struct AtSign {
    looked_until: usize,
    found: Option<usize>,
}

impl AtSign {
    /// Tells whether there is one in this range; ranges ascend.
    fn is_in(&mut self, bytes: &[u8], start: usize, end: usize) -> bool {
        if self.looked_until == 0 || self.found.is_some_and(|found| found < start) {
            let rest = bytes.get(start..).unwrap_or_default();
            self.found = rest.iter().position(|byte| *byte == b'@').map(|at| start + at);
            self.looked_until = bytes.len();
        }
        self.found.is_some_and(|found| found < end)
    }
}

/// Finds the credentials of the address whose `://` is at `mark`.
///
/// Shape: the whole of what stands before `@`, as tokens are written in either half of it. A user
/// without a password stays where it is a plain word.
pub(super) fn credentials(bytes: &[u8], mark: usize, at_sign: &mut AtSign) -> Option<Span> {
    let start = mark + 3;
    let near = bytes.get(..bytes.len().min(start + ADDRESS_BYTES_MAX))?;
    if !at_sign.is_in(bytes, start, near.len()) {
        return None;
    }
    let before = bytes.get(..mark)?.iter().rev();
    let of_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let scheme_start = mark - before.take(20).take_while(of_scheme).count();
    let scheme = std::str::from_utf8(bytes.get(scheme_start..mark)?).ok()?.to_ascii_lowercase();
    if scheme.is_empty() || near.get(start) == Some(&b'[') {
        return None;
    }
    let ends = |byte: u8| is_blank(byte) || is_line_end(byte) || b"\"'<>`".contains(&byte);
    let host_ends = |byte: u8| ends(byte) || b"/?#\\".contains(&byte);
    let authority = near.get(start..start + count(near, start, |byte| !host_ends(byte)))?;
    let colon = authority.iter().position(|byte| *byte == b':');
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
        // A password with a slash in it; but `:8080/a@b` is a port.
        let after = authority.get(colon? + 1..)?;
        if after.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let rest = near.get(start..start + count(near, start, |byte| !ends(byte)))?;
        let at = rest.iter().rposition(|byte| *byte == b'@')?;
        return Some(Span::new(scheme_start, start, start + at));
    };
    let user = authority.get(..at)?;
    let is_secret = match colon {
        Some(colon) if colon < at => true,
        _ if WITHOUT_TOKENS.contains(&scheme.as_str()) => false,
        _ => user.len() >= 20 || names::looks_like_chance(user),
    };
    let is_there = !user.is_empty() && user != super::REDACTED;
    (is_secret && is_there).then(|| Span::new(scheme_start, start, start + at))
}
