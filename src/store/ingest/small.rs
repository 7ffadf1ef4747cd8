//! Files that are read whole: hashed, and put into a shared block, a block of their own, or chunks.

use std::io::Read;

use super::cutter::Cutter;
use super::{Desk, IngestFailure, Ingested, Shared, limits, read};
use crate::format::chunk::map::Part;
use crate::format::pack::ObjectKind;
use crate::object::{ContentHasher, ObjectId};
use crate::store::block_builder::BlockObject;
use crate::store::transaction::Transaction;
use crate::store::{StoreError, chunk_lists};

/// Reads and stores the files of one batch, in order.
pub(super) fn batch<T, F: Read, S: PartialEq>(
    shared: &Shared<'_, T, F, S>,
    files: Vec<(T, u64)>,
    desk: &mut Desk,
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
    shared: &Shared<'_, T, F, S>,
    token: &T,
    desk: &mut Desk,
) -> Result<Result<Ingested<S>, IngestFailure>, StoreError> {
    let mut content = std::mem::take(&mut desk.content);
    let outcome = match read::whole(shared.request, token, &mut content) {
        Err(failure) => Ok(Err(failure)),
        Ok(look) => {
            let mut hasher = ContentHasher::new();
            hasher.update(&content);
            let (id, sha256) = hasher.finish();
            let bytes = content.len() as u64;
            store(shared.transaction, id, &content, desk)
                .map(|()| Ok(Ingested { id, sha256, bytes, stamp: look.stamp }))
        }
    };
    desk.content = content;
    outcome
}

/// Stores the content of a small file unless the repository has it.
pub(in crate::store) fn store(
    transaction: &Transaction<'_>,
    id: ObjectId,
    content: &[u8],
    desk: &mut Desk,
) -> Result<(), StoreError> {
    if !transaction.claim_blob(&id)? {
        return Ok(());
    }
    if content.len() as u64 >= limits::CHUNKED_BYTES {
        return chunks(transaction, id, content, desk);
    }
    if content.len() >= limits::OWN_BLOCK_BYTES {
        return own_block(transaction, id, ObjectKind::Blob, content, desk);
    }
    desk.block.push(id, ObjectKind::Blob, content);
    if desk.block.is_full() {
        desk.block.flush(&mut desk.encoder, transaction.data())?;
    }
    Ok(())
}

/// Stores content that is held whole as chunks and a chunk map.
fn chunks(
    transaction: &Transaction<'_>,
    id: ObjectId,
    content: &[u8],
    desk: &mut Desk,
) -> Result<(), StoreError> {
    let mut cutter = Cutter::new(content, content.len() as u64);
    let mut parts = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let bytes = cutter.cut(rest, true).expect("the last piece is always cut");
        let (piece, tail) = rest.split_at(bytes);
        let chunk_id = ObjectId::of(piece);
        if transaction.claim_chunk(&chunk_id)? {
            own_block(transaction, chunk_id, ObjectKind::Chunk, piece, desk)?;
        }
        let bytes = u32::try_from(bytes).expect("a chunk is smaller than a block");
        parts.push(Part { id: chunk_id, bytes });
        rest = tail;
    }
    chunk_lists::put(transaction, id, &parts)
}

/// Stores one object alone in its block.
pub(super) fn own_block(
    transaction: &Transaction<'_>,
    id: ObjectId,
    kind: ObjectKind,
    content: &[u8],
    desk: &mut Desk,
) -> Result<(), StoreError> {
    let bytes = u32::try_from(content.len()).expect("callers keep objects below a block");
    desk.encoder.append(content, &[BlockObject { id, kind, bytes }], transaction.data())
}
