//! Lines that `sha256sum -c` and `b3sum -c` accept, for `hash` and `ls`.

use std::fmt::Display;

/// Writes one line: the hash, two blanks, the path from where the check will run.
///
/// Shape: a path with a line feed, a carriage return or a backslash makes the line begin with a
/// backslash and has them escaped; other bytes stay, because the check opens the file by them.
/// Source: GNU coreutils manual, "cksum output modes"; b3sum does the same.
pub fn line(hash: impl Display, path: &[u8]) -> Vec<u8> {
    let needs_escape = path.iter().any(|byte| b"\n\r\\".contains(byte));
    let mut line = if needs_escape { b"\\".to_vec() } else { Vec::new() };
    line.extend(hash.to_string().bytes());
    line.extend(b"  ");
    for byte in path {
        match byte {
            b'\n' => line.extend(b"\\n"),
            b'\r' => line.extend(b"\\r"),
            b'\\' => line.extend(b"\\\\"),
            byte => line.push(*byte),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_end_the_line_is_escaped() {
        assert_eq!(line("ab", b"caf\xe9 x"), b"ab  caf\xe9 x");
        assert_eq!(line("ab", b"a\nb\\"), b"\\ab  a\\nb\\\\");
    }
}
