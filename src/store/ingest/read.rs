//! Reading a file that nobody may change meanwhile: it is looked at before and after.

use std::io::{self, Read};

use super::{IngestFailure, IngestRequest, Look, limits};

/// How often a file that changed while it was read is read again.
pub(super) const ATTEMPTS: usize = 3;

/// Opens a file and looks at it before the first byte is read.
pub(super) fn open<T, F, S>(
    request: &IngestRequest<'_, T, F, S>,
    token: &T,
) -> Result<(F, Look<S>), IngestFailure> {
    let file = (request.open)(token)?;
    let look = (request.look)(&file)?.ok_or(IngestFailure::NotRegular)?;
    Ok((file, look))
}

/// Tells whether a file is as it was before it was read, and `bytes` is all of it.
///
/// What a file system with a coarse clock hides here, the guard against racy stamps finds at the
/// next look (`docs/format/stage.md`).
pub(super) fn is_unchanged<T, F, S: PartialEq>(
    request: &IngestRequest<'_, T, F, S>,
    file: &F,
    before: &Look<S>,
    bytes: u64,
) -> io::Result<bool> {
    let after = (request.look)(file)?;
    Ok(bytes == before.bytes && after.as_ref() == Some(before))
}

/// Reads all of a small file into `content`; what was in there before is dropped.
///
/// Errors: [`IngestFailure::Changed`] if it kept changing, or has grown past the small files.
pub(super) fn whole<T, F: Read, S: PartialEq>(
    request: &IngestRequest<'_, T, F, S>,
    token: &T,
    content: &mut Vec<u8>,
) -> Result<Look<S>, IngestFailure> {
    for _ in 0..ATTEMPTS {
        let (mut file, look) = open(request, token)?;
        if look.bytes >= limits::LARGE_BYTES {
            return Err(IngestFailure::Changed);
        }
        read_expected(&mut file, content, look.bytes)?;
        if is_unchanged(request, &file, &look, content.len() as u64)? {
            return Ok(look);
        }
    }
    Err(IngestFailure::Changed)
}

/// Reads `bytes`, or fewer if the file ends before; what may follow shows in its next look.
///
/// Whoever reads on until the end is told makes a system call more for each file.
fn read_expected<F: Read>(file: &mut F, content: &mut Vec<u8>, bytes: u64) -> io::Result<()> {
    let expected = usize::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
    content.resize(expected, 0);
    let mut filled = 0;
    while filled < expected {
        match file.read(&mut content[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.truncate(filled);
    Ok(())
}
