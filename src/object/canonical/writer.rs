//! Values to canonical JSON: the half of RFC 8785 that cannot fail.

use super::Value;

/// Appends the only spelling of `value`.
///
/// Recursion is as deep as the value; only values of ours and parsed ones (at most `DEPTH_MAX`
/// deep) come here.
pub(super) fn write(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Null => into.extend_from_slice(b"null"),
        Value::Bool(true) => into.extend_from_slice(b"true"),
        Value::Bool(false) => into.extend_from_slice(b"false"),
        Value::Number(number) => {
            into.extend_from_slice(number.spell(&mut ryu_js::Buffer::new()).as_bytes());
        }
        Value::Text(text) => write_text(text, into),
        Value::List(values) => {
            into.push(b'[');
            for (index, value) in values.iter().enumerate() {
                separate(index, into);
                write(value, into);
            }
            into.push(b']');
        }
        Value::Object(object) => {
            into.push(b'{');
            for (index, (name, value)) in object.iter().enumerate() {
                separate(index, into);
                write_name(name, into);
                write(value, into);
            }
            into.push(b'}');
        }
    }
}

/// Appends the comma before every value but the first.
pub(super) fn separate(index: usize, into: &mut Vec<u8>) {
    if index > 0 {
        into.push(b',');
    }
}

/// Appends a name of an object and its colon.
pub(super) fn write_name(name: &str, into: &mut Vec<u8>) {
    write_text(name, into);
    into.push(b':');
}

/// Appends a text with the escapes of RFC 8785 §3.2.2.2: only what JSON requires, short where
/// there is a short form, else `\u00xx` in lower case.
fn write_text(text: &str, into: &mut Vec<u8>) {
    into.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (plain, from) = rest.split_at(at);
        into.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else { break };
        write_escape(*byte, into);
        rest = after;
    }
    into.extend_from_slice(rest);
    into.push(b'"');
}

/// Tells whether a byte of a text cannot stand in it as it is.
pub(super) const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\')
}

fn write_escape(byte: u8, into: &mut Vec<u8>) {
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        0..0x20 => {
            into.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            return;
        }
        _ => byte,
    };
    into.extend_from_slice(&[b'\\', short]);
}
