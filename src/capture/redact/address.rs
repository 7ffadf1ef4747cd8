//! Credentials inside addresses: `scheme://user:password@host/`.

use super::names;
use super::spans::{Span, count, is_blank, is_line_end};

/// Schemes whose user is an account, and whose secret is elsewhere.
const WITHOUT_TOKENS: &[&str] = &["ssh", "git", "sftp", "rsync", "git+ssh", "svn+ssh", "ftp", "s3"];

/// Finds the credentials of the address whose `://` is at `mark`.
///
/// Shape: the whole of what stands before `@`, as tokens are written in either half of it. A user
/// without a password stays where it is a plain word.
pub(super) fn credentials(bytes: &[u8], mark: usize) -> Option<Span> {
    let before = bytes.get(..mark)?.iter().rev();
    let of_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let scheme_start = mark - before.take(20).take_while(of_scheme).count();
    let scheme = std::str::from_utf8(bytes.get(scheme_start..mark)?).ok()?.to_ascii_lowercase();
    let start = mark + 3;
    let ends = |byte: u8| is_blank(byte) || is_line_end(byte) || b"\"'<>`".contains(&byte);
    let rest = bytes.get(start..start + count(bytes, start, |byte| !ends(byte)))?;
    if scheme.is_empty() || rest.starts_with(b"[") {
        return None;
    }
    let authority = rest.split(|byte| b"/?#\\".contains(byte)).next().unwrap_or_default();
    let colon = authority.iter().position(|byte| *byte == b':');
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
        // A password with a slash in it; but `:8080/a@b` is a port.
        let after = authority.get(colon? + 1..)?;
        let is_port = after.iter().all(u8::is_ascii_digit);
        let at = rest.iter().rposition(|byte| *byte == b'@').filter(|_| !is_port)?;
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
