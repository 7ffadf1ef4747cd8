//! Which recorded parts of a run are others now: machine, packages, variables, parameters, code,
//! and files outside of the worktree.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::capture::environment::{self, EnvironmentRequest, Variables};
use crate::capture::{redact, values};
use crate::object::canonical::{Object, Value};
use crate::object::{Commit, Params, Run, TraceFiles};
use crate::repo::fresh::Fresh;
use crate::repo::run_diff::{compared, environment_of, machine, packages_in};
use crate::repo::{Error, ValueDiff};
use crate::store::Reader;

/// Most files outside of the worktree that are named.
const OUTSIDE_MAX: usize = 20;

/// Where files change by themselves.
const FLEETING: [&str; 4] = ["/proc/", "/sys/", "/dev/", "/tmp/"];

/// A part of what a run ran in, and what of it differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Which: `machine`, `packages`, `variables`, `container`, `params`, `code`, `data`.
    pub name: &'static str,
    /// What differs.
    pub diffs: Vec<ValueDiff>,
}

/// Compares machine, packages, variables and container with what they are where it runs now.
pub(super) fn surroundings(
    reader: &mut Reader<'_>,
    commit: &Commit,
    fresh: &Fresh,
    command: &[OsString],
    directory: &Path,
) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let now = crate::capture::system();
    parts.push(Part { name: "machine", diffs: compared(&machine(&commit.system), &machine(&now)) });
    if let Some(then) = environment_of(reader, commit.environment)? {
        let command: Vec<String> =
            command.iter().map(|word| word.to_string_lossy().into()).collect();
        let now = environment::look(EnvironmentRequest {
            command: &command,
            directory,
            root: &fresh.view.location.root,
            variables: &Variables::of_this_program(),
        });
        let now = now.document;
        let packages = compared(&packages_in(&then), &packages_in(&now));
        parts.push(Part { name: "packages", diffs: packages });
        for name in ["variables", "container"] {
            let diffs = compared(&members(&then, name), &members(&now, name));
            parts.push(Part { name, diffs });
        }
    }
    Ok(parts)
}

/// Compares the parameters that the command told now with those of the record.
pub(super) fn params(run: &Run, file: &Path) -> Part {
    let told = values::read_params(file).map(|told| redact::object(&told)).unwrap_or_default();
    let recorded = match &run.params {
        Params::Here(params) => flat(params),
        // So large that they are beside the record: what was told is not looked up there.
        Params::Attached(_) => return Part { name: "params", diffs: Vec::new() },
    };
    let told = flat(&told);
    let recorded = recorded.into_iter().filter(|(name, _)| told.contains_key(name)).collect();
    Part { name: "params", diffs: compared(&recorded, &told) }
}

/// Compares files outside of the worktree that the run was seen to read: by size and time.
pub(super) fn outside(reader: &mut Reader<'_>, run: &Run) -> Result<Part, Error> {
    let mut diffs = Vec::new();
    let files = match &run.trace {
        Some(trace) => TraceFiles::decode(&reader.attachment(&trace.files)?)?.files,
        None => Vec::new(),
    };
    for file in files {
        let is_there = |start: &&str| file.path.starts_with(start.as_bytes());
        let is_looked_at = file.is_read
            && !file.is_written
            && file.path.starts_with(b"/")
            && !FLEETING.iter().any(is_there);
        let (Some(bytes), true) = (file.bytes, is_looked_at) else { continue };
        let found = Path::new(OsStr::from_bytes(&file.path)).metadata().ok();
        let modified = found.as_ref().and_then(|found| found.modified().ok());
        let modified = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|at| i64::try_from(at.as_millis()).ok());
        let is_same = found.as_ref().is_some_and(|found| found.len() == bytes)
            && file.modified.is_none_or(|then| modified.is_none_or(|now| then.0 == now));
        if is_same {
            continue;
        }
        if diffs.len() == OUTSIDE_MAX {
            break;
        }
        let say = |bytes: u64, at: Option<i64>| {
            let at = at.and_then(|at| crate::object::Timestamp(at).to_record());
            match at {
                Some(at) => format!("{bytes} bytes of {at}"),
                None => format!("{bytes} bytes"),
            }
        };
        diffs.push(ValueDiff {
            name: String::from_utf8_lossy(&file.path).into_owned(),
            old: Some(say(bytes, file.modified.map(|at| at.0))),
            new: found.map(|found| say(found.len(), modified)),
            delta: None,
        });
    }
    Ok(Part { name: "data", diffs })
}

fn members(document: &Object, name: &str) -> BTreeMap<String, String> {
    match document.find(name) {
        Some(Value::Object(members)) => flat(members),
        Some(value) => BTreeMap::from([(name.to_owned(), text(value))]),
        None => BTreeMap::new(),
    }
}

/// Spells the values of an object, those inside of others under names with dots.
fn flat(object: &Object) -> BTreeMap<String, String> {
    fn add(object: &Object, before: &str, into: &mut BTreeMap<String, String>) {
        for (name, value) in object.iter() {
            let name = format!("{before}{name}");
            match value {
                Value::Object(inner) if !inner.is_empty() => add(inner, &format!("{name}."), into),
                value => {
                    into.insert(name, text(value));
                }
            }
        }
    }
    let mut values = BTreeMap::new();
    add(object, "", &mut values);
    values
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        value => String::from_utf8_lossy(&value.encode()).into_owned(),
    }
}
