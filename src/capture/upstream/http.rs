//! The fingerprint of an HTTP resource: what its server says of it in the headers, by `curl`.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use super::{Answer, AskError, Asked, broken, too_long, unreachable, words};
use crate::object::ObjectId;
use crate::progress::Progress;

/// Most bytes of headers, over all redirections.
const HEADERS_BYTES_MAX: usize = 1 << 20;

/// What makes a fingerprint where headers do not.
const MEND: &str = "a check does, for example check = \"curl -sSfL ADDRESS\"";

/// Asks for the headers.
///
/// Shape: redirections are followed, at most 10, and from https to https alone. The address goes to
/// curl by its standard input: a command line is for everybody to see.
pub(super) fn ask(
    address: &str,
    directory: &Path,
    timeout: Duration,
    progress: &Progress,
) -> Result<Answer, AskError> {
    let is_secure = address.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:"));
    let seconds = format!("{}", timeout.as_secs_f64());
    let words: Vec<OsString> = [
        "curl",
        "-q",
        "--silent",
        "--show-error",
        "--stderr",
        "-",
        "--head",
        "--location",
        "--max-redirs",
        "10",
        "--proto",
        "=http,https",
        "--proto-redir",
        if is_secure { "=https" } else { "=http,https" },
        "--netrc-optional",
        "--globoff",
        "--max-time",
        &seconds,
        "--config",
        "-",
    ]
    .map(OsString::from)
    .into();
    let quoted = address.replace('\\', "\\\\").replace('"', "\\\"");
    let (input, mut config) = std::io::pipe().map_err(|error| broken(&error))?;
    // An address is shorter than what a pipe holds.
    config.write_all(format!("url = \"{quoted}\"\n").as_bytes()).map_err(|error| broken(&error))?;
    drop(config);
    // curl ends by itself; the second time-out is for one that does not.
    let longer = timeout.saturating_add(Duration::from_secs(2));
    let input = input.as_fd();
    let without = ": install curl, or give the source a check";
    let asked = Asked { words: &words, directory, timeout: longer, input, without, progress };
    let mut headers = Vec::new();
    let (ended, headers) = asked.run(move |piece| match piece {
        Some(piece) => {
            let room = (HEADERS_BYTES_MAX + 1).saturating_sub(headers.len());
            headers.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            None
        }
        None => Some(std::mem::take(&mut headers)),
    })?;
    match ended.exit_code {
        None | Some(28) => Err(too_long(timeout)),
        Some(_) if headers.len() > HEADERS_BYTES_MAX => {
            Err(unreachable(&format!("more than {HEADERS_BYTES_MAX} bytes of headers")))
        }
        Some(0) => fingerprint(&headers),
        Some(code) => Err(unreachable(&said(&headers, code))),
    }
}

/// Gives the last line, in which curl says what was wrong: `curl: (6) Could not resolve host`.
fn said(output: &[u8], code: u8) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rev().find_map(|line| line.trim().strip_prefix("curl: "));
    let words = line.map(|line| line.split_once(") ").map_or(line, |(_, words)| words));
    words.map_or_else(|| format!("curl ended with exit code {code}"), str::to_owned)
}

/// Makes the fingerprint of the headers of the last answer.
fn fingerprint(headers: &[u8]) -> Result<Answer, AskError> {
    let mut status = None;
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for line in headers.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.starts_with(b"HTTP/") {
            // A redirection, or an answer of a proxy, comes before the one that counts.
            let code = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
            status = std::str::from_utf8(code).ok().and_then(|code| code.parse::<u16>().ok());
            fields.clear();
        } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            let (name, value) = line.split_at(colon);
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            fields.push((name, value.get(1..).unwrap_or_default().trim_ascii().to_vec()));
        }
    }
    match status {
        Some(200..=299) => {}
        Some(405 | 501) => {
            let reason = format!("the server does not answer to HEAD; {MEND}");
            return Err(unreachable(&reason));
        }
        Some(code) => return Err(unreachable(&format!("the server answers with status {code}"))),
        None => return Err(unreachable("the server does not speak HTTP")),
    }
    let find = |name: &str| {
        let found = fields.iter().rev().find(|(field, value)| field == name && !value.is_empty());
        found.map(|(_, value)| value.as_slice())
    };
    let (tag, modified) = (find("etag"), find("last-modified"));
    let mut bytes = Vec::new();
    let mut evidence = Vec::new();
    let mut put = |name: &str, shown: &str, value: &[u8]| {
        bytes.extend([name.as_bytes(), b": ", value, b"\n"].concat());
        evidence.push(format!("{shown} {}", String::from_utf8_lossy(value)));
    };
    match (tag, modified) {
        (Some(tag), _) => put("etag", "ETag", tag),
        (None, Some(modified)) => {
            put("last-modified", "Last-Modified", modified);
            if let Some(length) = find("content-length") {
                put("content-length", "Content-Length", length);
            }
        }
        (None, None) => {
            let reason = format!("the server sends neither ETag nor Last-Modified; {MEND}");
            return Err(unreachable(&reason));
        }
    }
    Ok(Answer { id: ObjectId::of(&bytes), evidence: Some(words(&evidence.join(", "))) })
}
