//! Reads the beginning of a file to see what table it is.

use super::records::RECORD_BYTES_MAX;
use super::shape::{Form, PROBE_BYTES, Shape};
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::{Files, Refusal};
use crate::repo::is_binary;

/// Tells what table a file is; `None` if it is none, whatever its name says.
///
/// Cost: reads 1 MiB, or the first row if that is longer.
pub(in crate::repo) fn probe(
    files: &mut Files<'_>,
    (path, side): (&TreePath, &FileSide),
) -> Result<Option<Shape>, Refusal> {
    let Some(form) = Form::of_name(path.last_name()) else { return Ok(None) };
    let mut probe = files.head(path, side, PROBE_BYTES)?;
    if probe.len() == PROBE_BYTES && !probe.contains(&b'\n') {
        probe = files.head(path, side, RECORD_BYTES_MAX)?;
    }
    if is_binary(&probe) {
        return Ok(None);
    }
    let is_whole = side.size <= probe.len() as u64;
    Ok(Shape::sniff(form, &probe, is_whole))
}
