//! Reads the beginning of a file to see what table it is.

use super::parquet;
use super::records::RECORD_BYTES_MAX;
use super::shape::{Form, PROBE_BYTES, Shape};
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::{Files, Refusal};
use crate::repo::is_binary;

/// Tells what table a file is, or why it is none, whatever its name says.
///
/// Cost: reads 1 MiB, or the first row if that is longer; all of a Parquet file.
pub(in crate::repo) fn probe(
    files: &mut Files<'_>,
    (path, side): (&TreePath, &FileSide),
) -> Result<Result<Shape, String>, Refusal> {
    let Some(form) = Form::of_name(path.last_name()) else {
        return Ok(Err("its name is not that of a table".to_owned()));
    };
    if form == Form::Parquet {
        return parquet::shape(files, (path, side));
    }
    let mut probe = files.head(path, side, PROBE_BYTES)?;
    if probe.len() == PROBE_BYTES && !probe.contains(&b'\n') {
        // A byte more than a row may have: a longer one is told.
        probe = files.head(path, side, RECORD_BYTES_MAX + 1)?;
    }
    if is_binary(&probe) {
        return Ok(Err("it holds NUL bytes".to_owned()));
    }
    let is_whole = side.size <= probe.len() as u64;
    Ok(Shape::sniff(form, &probe, is_whole))
}
