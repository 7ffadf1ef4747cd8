//! Files that are read whole: hashed, and put into a shared block, a block of their own, or chunks.

use std::io::Read;

use super::cutter::Cutter;
use super::older::Older;
use super::{Desk, IngestFailure, Ingested, Shared, limits, read};
use crate::format::chunk::map::Part;
use crate::format::pack::ObjectKind;
use crate::object::{ObjectId, Sha256};
use crate::store::base::Base;
use crate::store::block_builder::BlockObject;
use crate::store::transaction::Transaction;
use crate::store::{StoreError, chunk_lists};

/// Reads and stores the files of one batch, in order.
pub(super) fn batch<T, F: Read, S: PartialEq>(
    shared: &Shared<'_, '_, T, F, S>,
    files: Vec<(T, u64)>,
    desk: &mut Desk<'_>,
) -> Result<(), StoreError> {
    for (token, _) in files {
        if shared.is_halted() {
            return Ok(());
        }
        let outcome = one(shared, &token, desk)?;
        if let Ok(ingested) = &outcome {
            shared.request.progress.add_bytes(ingested.bytes);
        }
        shared.request.progress.add_files(1);
        (shared.request.done)(token, outcome);
    }
    Ok(())
}

fn one<T, F: Read, S: PartialEq>(
    shared: &Shared<'_, '_, T, F, S>,
    token: &T,
    desk: &mut Desk<'_>,
) -> Result<Result<Ingested<S>, IngestFailure>, StoreError> {
    let mut content = std::mem::take(&mut desk.content);
    let outcome = match read::whole(shared.request, token, &mut content) {
        Err(failure) => Ok(Err(failure)),
        Ok(look) => {
            // Both at once, not piece by piece: so BLAKE3 fills the lanes of the processor.
            let (id, sha256) = (ObjectId::of(&content), Sha256::of(&content));
            let bytes = content.len() as u64;
            let before = (shared.request.before)(token);
            store(shared.transaction, id, before, &content, desk)
                .map(|()| Ok(Ingested { id, sha256, bytes, stamp: look.stamp }))
        }
    };
    desk.content = content;
    outcome
}

/// Stores the content of a small file unless the repository has it.
fn store(
    transaction: &Transaction<'_>,
    id: ObjectId,
    before: Option<ObjectId>,
    content: &[u8],
    desk: &mut Desk<'_>,
) -> Result<(), StoreError> {
    if !transaction.claim_blob(&id)? {
        return Ok(());
    }
    if content.len() as u64 >= limits::CHUNKED_BYTES {
        return chunks(transaction, id, before, content, desk);
    }
    let before = before.filter(|_| content.len() >= limits::DIFFERENCE_BYTES_MIN);
    let base = before.and_then(|old| transaction.base_of_next(&mut desk.reader, &old));
    if base.is_some() || content.len() >= limits::OWN_BLOCK_BYTES {
        return own_block(transaction, id, ObjectKind::Blob, base.as_ref(), content, desk);
    }
    desk.block.push(id, ObjectKind::Blob, content);
    if desk.block.is_full() {
        desk.block.flush(&mut desk.encoder, transaction.data())?;
    }
    Ok(())
}

/// Stores content that is held whole as chunks and a chunk map.
pub(super) fn chunks(
    transaction: &Transaction<'_>,
    id: ObjectId,
    before: Option<ObjectId>,
    content: &[u8],
    desk: &mut Desk<'_>,
) -> Result<(), StoreError> {
    let older = before.and_then(|before| Older::of(&mut desk.reader, &before));
    let mut cutter = Cutter::new(content, content.len() as u64);
    let mut parts = Vec::new();
    let (mut rest, mut offset) = (content, 0);
    while !rest.is_empty() {
        let bytes = cutter.cut(rest, true).expect("the last piece is always cut");
        let (piece, tail) = rest.split_at(bytes);
        parts.push(chunk(transaction, piece, offset, older.as_ref(), desk)?);
        offset += bytes as u64;
        rest = tail;
    }
    chunk_lists::put(transaction, id, &parts)
}

/// Stores one chunk, which begins at `offset` of its file, unless the repository has it.
pub(super) fn chunk(
    transaction: &Transaction<'_>,
    content: &[u8],
    offset: u64,
    older: Option<&Older>,
    desk: &mut Desk<'_>,
) -> Result<Part, StoreError> {
    let id = ObjectId::of(content);
    let bytes = u32::try_from(content.len()).expect("a chunk is smaller than a block");
    let part = Part { id, bytes };
    if transaction.claim_chunk(&id)? {
        let reader = &mut desk.reader;
        let base = older.and_then(|older| older.base(reader, content, offset));
        let base = base.filter(|base| transaction.can_build_on(base));
        own_block(transaction, id, ObjectKind::Chunk, base.as_ref(), content, desk)?;
    } else if let Some(older) = older {
        older.met(&part, offset);
    }
    Ok(part)
}

/// Stores one object alone in its block.
fn own_block(
    transaction: &Transaction<'_>,
    id: ObjectId,
    kind: ObjectKind,
    base: Option<&Base>,
    content: &[u8],
    desk: &mut Desk<'_>,
) -> Result<(), StoreError> {
    let bytes = u32::try_from(content.len()).expect("callers keep objects below a block");
    let object = BlockObject { id, kind, bytes };
    desk.encoder.append(content, base, &[object], transaction.data())
}
