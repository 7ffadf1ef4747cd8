//! Which files a run opened: what its record says of it, and the list that is attached.

use super::canonical::{FieldError, Fields, Object, Value, decode_record};
use super::{DecodeError, ObjectId, Timestamp};

/// Most bytes of an encoded list.
///
/// Source: `docs/format/trace.md`.
pub const TRACE_BYTES_MAX: usize = 1 << 30;
const WHAT: &str = "trace";
const SCHEMA: &str = "provenance/trace/v1";

/// What the record of a run says of its trace.
///
/// Source: `docs/format/commit.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// The attached list of files.
    pub files: ObjectId,
    /// Files in the worktree that were read.
    pub read: u64,
    /// Files in the worktree that were written.
    pub written: u64,
    /// Files outside of it.
    pub outside: u64,
    /// Calls that were seen.
    pub calls: u64,
    /// How long they were held for that, in milliseconds.
    pub cost_ms: u64,
    /// Calls that could not be followed; 0 is not written.
    pub missed: u64,
}

/// The files that a run opened.
///
/// Source: `docs/format/trace.md`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceFiles {
    /// Strictly ascending by the bytes of the path.
    pub files: Vec<TraceFile>,
}

/// One file that a run opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFile {
    /// Relative to the worktree's root, or absolute outside of it; not empty, any bytes but NUL.
    pub path: Vec<u8>,
    /// Whether it was read.
    pub is_read: bool,
    /// Whether it was written; one of both holds.
    pub is_written: bool,
    /// Its size, when it was first read or else in the end.
    pub bytes: Option<u64>,
    /// When its content had been changed last, then.
    pub modified: Option<Timestamp>,
    /// Why a file in the worktree is neither input nor output.
    pub left_out: Option<LeftOut>,
}

/// Why a file is not recorded with the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// A rule ignores it.
    Ignored,
    /// It belongs to an installed package.
    Package,
    /// It was read and then changed: what was read is not known any more.
    Changed,
    /// It was gone in the end.
    Gone,
    /// No tree or record can hold it: its name is not UTF-8, or it could not be read.
    Unrecordable,
}

impl LeftOut {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Ignored, "ignored"),
        (Self::Package, "package"),
        (Self::Changed, "changed"),
        (Self::Gone, "gone"),
        (Self::Unrecordable, "unrecordable"),
    ];

    /// Gives the word of the format.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, word)| word)
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        let text = value.text()?;
        let found = Self::ALL.iter().find(|(_, word)| *word == text);
        found.map(|(known, _)| *known).ok_or_else(|| FieldError::new("is not a known reason"))
    }
}

impl Trace {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            files: fields.required("files", Value::id)?,
            read: fields.required("read", Value::counted)?,
            written: fields.required("written", Value::counted)?,
            outside: fields.required("outside", Value::counted)?,
            calls: fields.required("calls", Value::counted)?,
            cost_ms: fields.required("cost_ms", Value::counted)?,
            missed: fields.optional("missed", at_least_one)?.unwrap_or(0),
        })
    }

    pub(super) fn to_value(self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("files", self.files);
        object.set("read", Value::count(self.read)?);
        object.set("written", Value::count(self.written)?);
        object.set("outside", Value::count(self.outside)?);
        object.set("calls", Value::count(self.calls)?);
        object.set("cost_ms", Value::count(self.cost_ms)?);
        let missed = (self.missed > 0).then(|| Value::count(self.missed));
        object.set_some("missed", missed.transpose()?);
        Ok(object.into())
    }
}

impl TraceFiles {
    /// Gives the canonical bytes.
    ///
    /// Errors: a size that no number of JSON holds. Cost: memory for the bytes, and one file more.
    pub fn encode(&self) -> Result<Vec<u8>, FieldError> {
        let mut bytes = br#"{"files":["#.to_vec();
        for (at, file) in self.files.iter().enumerate() {
            if at > 0 {
                bytes.push(b',');
            }
            bytes.extend(file.to_value()?.encode());
        }
        bytes.extend(format!(r#"],"schema":"{SCHEMA}"}}"#).into_bytes());
        Ok(bytes)
    }

    /// Reads the canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_record(bytes, WHAT, TRACE_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            let files = fields.required("files", |value| {
                let files = value.items(|item| item.record(TraceFile::read))?;
                let ascend = files.is_sorted_by(|a, b| a.path < b.path);
                ascend.then_some(files).ok_or_else(|| FieldError::new("must ascend by path"))
            })?;
            Ok(Self { files })
        })
    }
}

impl TraceFile {
    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        let path = match fields.has("path_hex") {
            true => fields.required("path_hex", path_of_hex)?,
            false => fields.required("path", |value| Ok(value.text()?.as_bytes().to_vec()))?,
        };
        if path.is_empty() || path.contains(&0) {
            return Err(FieldError::new("must be a path").under("path"));
        }
        let file = Self {
            path,
            is_read: fields.optional("read", only_true)?.is_some(),
            is_written: fields.optional("written", only_true)?.is_some(),
            bytes: fields.optional("bytes", Value::counted)?,
            modified: fields.optional("modified", Value::instant)?,
            left_out: fields.optional("left_out", LeftOut::read)?,
        };
        let is_opened = file.is_read || file.is_written;
        is_opened.then_some(file).ok_or_else(|| FieldError::new("must be read or written"))
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        match std::str::from_utf8(&self.path) {
            Ok(path) => object.set("path", path),
            Err(_) => {
                let hex: String = self.path.iter().map(|byte| format!("{byte:02x}")).collect();
                object.set("path_hex", hex.as_str());
            }
        }
        object.set_some("read", self.is_read.then_some(true));
        object.set_some("written", self.is_written.then_some(true));
        object.set_some("bytes", self.bytes.map(Value::count).transpose()?);
        // A time that no record can spell is left out, as any that is not known.
        let modified = self.modified.filter(|time| time.to_record().is_some());
        object.set_some("modified", modified.map(Value::from_instant).transpose()?);
        object.set_some("left_out", self.left_out.map(LeftOut::as_str));
        Ok(object.into())
    }
}

/// Reads what is either true or absent.
pub(super) fn only_true(value: &Value) -> Result<bool, FieldError> {
    match value.boolean()? {
        true => Ok(true),
        false => Err(FieldError::new("must be true, or absent")),
    }
}

fn at_least_one(value: &Value) -> Result<u64, FieldError> {
    match value.counted()? {
        0 => Err(FieldError::new("must be at least 1, or absent")),
        count => Ok(count),
    }
}

/// Reads a path that is not UTF-8; one that is has another spelling.
fn path_of_hex(value: &Value) -> Result<Vec<u8>, FieldError> {
    let refused = || FieldError::new("must be lower-case hex of a path that is not UTF-8");
    let digits = value.text()?.as_bytes();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    let path: Vec<u8> = pairs.collect::<Option<_>>().ok_or_else(refused)?;
    std::str::from_utf8(&path).is_err().then_some(path).ok_or_else(refused)
}
