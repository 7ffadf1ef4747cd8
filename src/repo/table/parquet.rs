//! Parquet files → rows as lines of JSON, if the program was built with the feature `parquet`.
//!
//! What a row is called and how values are spelled is in `docs/tables.md`.

#[cfg(feature = "parquet")]
mod check;
#[cfg(feature = "parquet")]
mod compact;
#[cfg(feature = "parquet")]
mod guard;
#[cfg(feature = "parquet")]
mod reader;
#[cfg(feature = "parquet")]
mod spell;

use std::ops::ControlFlow;

use super::records::Cut;
use super::rows::Fault;
use super::shape::Shape;
use crate::object::TreePath;
use crate::repo::diff::FileSide;
use crate::repo::diff::read::{Files, Refusal};

/// Whether Parquet files can be read.
pub(in crate::repo) const IS_BUILT_IN: bool = cfg!(feature = "parquet");

/// Why they cannot, if so.
const NOT_BUILT_IN: &str = "built without Parquet: cargo install provenance-vcs --features parquet";

/// Tells whether a note of a record says that a Parquet file was not read and now can be.
pub(in crate::repo) fn is_overcome(note: &str) -> bool {
    // A note that was shortened may say so.
    IS_BUILT_IN && (note.ends_with(NOT_BUILT_IN) || note.ends_with('…'))
}

/// Looks at a file; says in words why it is no table, if it is none.
#[cfg(feature = "parquet")]
pub(super) fn shape(
    files: &mut Files<'_>,
    place: (&TreePath, &FileSide),
) -> Result<Result<Shape, String>, Refusal> {
    let reader = match reader::Reader::open(files.scratch(place)?) {
        Ok(reader) => reader,
        Err(why) => return Ok(Err(why)),
    };
    let mut first = Cut::default();
    let read = reader.each(|cut| {
        first = cut;
        ControlFlow::Break(())
    });
    Ok(read.map(|()| Shape::of_parquet(reader.names, &first)))
}

/// Gives all rows, some at a time, until `take` has enough.
#[cfg(feature = "parquet")]
pub(super) fn each(
    files: &mut Files<'_>,
    place: (&TreePath, &FileSide),
    mut take: impl FnMut(Cut) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let broken = |why| Fault::Broken(super::records::Broken::Unread(why));
    let reader = reader::Reader::open(files.scratch(place)?).map_err(broken)?;
    let mut stopped = None;
    let read = reader.each(|cut| match files.check() {
        Ok(()) => take(cut),
        Err(refusal) => {
            stopped = Some(refusal);
            ControlFlow::Break(())
        }
    });
    match stopped {
        Some(refusal) => Err(refusal.into()),
        None => read.map_err(broken),
    }
}

/// Says why nothing is read.
#[cfg(not(feature = "parquet"))]
pub(super) fn shape(
    _: &mut Files<'_>,
    _: (&TreePath, &FileSide),
) -> Result<Result<Shape, String>, Refusal> {
    Ok(Err(NOT_BUILT_IN.to_owned()))
}

/// Says why nothing is read.
#[cfg(not(feature = "parquet"))]
pub(super) fn each(
    _: &mut Files<'_>,
    _: (&TreePath, &FileSide),
    _: impl FnMut(Cut) -> ControlFlow<()>,
) -> Result<(), Fault> {
    Err(Fault::Broken(super::records::Broken::Unread(NOT_BUILT_IN.to_owned())))
}
