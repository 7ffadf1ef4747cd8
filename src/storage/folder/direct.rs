//! Writing past the page cache: aligned pieces, written by a thread while the next one is filled.
//!
//! A large pack is read again by nobody soon. Copying it into the page cache costs as much as
//! hashing it, and pushes out the data that the next training wants to read. When a file takes
//! this way, and how it is synced, is in `upload.rs`; figures are in
//! `docs/decisions/0004-direct-writes.md`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// What memory, offset and length of a direct write are multiples of: no disk asks for more.
const ALIGN: usize = 4096;

/// Bytes of one write: enough to keep a fast disk busy with one write at a time.
const PIECE_BYTES: usize = 2 << 20;

/// Pieces of one file: one is filled, one is written, and one waits.
const PIECES: usize = 3;

/// Continues a file from an aligned offset on. Dropped, it leaves the file unfinished.
#[derive(Debug)]
pub(super) struct DirectWriter {
    file: File,
    /// Where the piece that is being filled begins.
    offset: u64,
    piece: Piece,
    filled: Sender<(Piece, u64)>,
    /// Pieces to be filled again, or why there are no more.
    free: Receiver<io::Result<Piece>>,
}

/// Room for one write, aligned.
struct Piece {
    room: Vec<u8>,
    start: usize,
    bytes: usize,
}

impl DirectWriter {
    /// Continues `file` at `offset`; none where the system cannot write directly.
    pub fn begin(file: &File, offset: u64) -> Option<Self> {
        if !offset.is_multiple_of(ALIGN as u64) {
            return None;
        }
        let (file, target) = (file.try_clone().ok()?, file.try_clone().ok()?);
        set_direct(&file, true).ok()?;
        let (filled, work) = bounded(PIECES);
        let (give_back, free) = bounded(PIECES);
        for _ in 1..PIECES {
            give_back.send(Ok(Piece::new())).ok()?;
        }
        let started = thread::Builder::new().spawn(move || write_all(&target, &work, &give_back));
        if started.is_err() {
            // Nothing was written yet, and the file goes on as it was opened.
            return set_direct(&file, false).ok().and(None);
        }
        Some(Self { file, offset, piece: Piece::new(), filled, free })
    }

    /// Appends bytes; waits if the disk is slower than they come.
    ///
    /// Errors: of an earlier write too; nothing that was appended is then to be relied on.
    pub fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            bytes = self.piece.fill(bytes);
            if self.piece.is_full() {
                self.next_piece()?;
            }
        }
        Ok(())
    }

    /// Writes what is left, and leaves the file as it was opened; nothing is synced yet.
    pub fn finish(self) -> io::Result<()> {
        let Self { file, offset, piece, filled, free } = self;
        drop(filled);
        free.iter().try_for_each(|written| written.map(drop))?;
        set_direct(&file, false)?;
        file.write_all_at(piece.content(), offset)
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let Ok(next) = self.free.recv() else { return Err(self.failure()) };
        let piece = std::mem::replace(&mut self.piece, next?);
        let offset = self.offset;
        self.offset += piece.bytes as u64;
        self.filled.send((piece, offset)).map_err(|_| self.failure())
    }

    /// Tells why the thread has ended; it may have given back sound pieces before.
    fn failure(&self) -> io::Error {
        let ended = || io::Error::other("the thread that writes has ended");
        self.free.iter().find_map(Result::err).unwrap_or_else(ended)
    }
}

/// Writes one piece after the other and gives them back; the first error ends it.
fn write_all(file: &File, filled: &Receiver<(Piece, u64)>, give_back: &Sender<io::Result<Piece>>) {
    for (mut piece, offset) in filled {
        let written = put(file, piece.content(), offset);
        let is_over = written.is_err();
        piece.bytes = 0;
        // Nobody takes it any more once the file was given up.
        if give_back.send(written.map(|()| piece)).is_err() || is_over {
            return;
        }
    }
}

/// Writes one piece directly; through the page cache where that turns out not to work.
///
/// Some file systems refuse only when they are written to, and what follows a short write is no
/// longer aligned. The same bytes go to the same place, however often.
fn put(file: &File, content: &[u8], offset: u64) -> io::Result<()> {
    match file.write_all_at(content, offset) {
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
            set_direct(file, false)?;
            file.write_all_at(content, offset)
        }
        done => done,
    }
}

/// Has all writes to an open file go past the page cache, or not.
fn set_direct(file: &File, is_direct: bool) -> io::Result<()> {
    let mut flags = rustix::fs::fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, is_direct);
    Ok(rustix::fs::fcntl_setfl(file, flags)?)
}

impl Piece {
    fn new() -> Self {
        let room = vec![0; PIECE_BYTES + ALIGN];
        let start = room.as_ptr().align_offset(ALIGN);
        Self { room, start, bytes: 0 }
    }

    /// Takes as many bytes as there is room for, and gives the rest back.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(PIECE_BYTES - self.bytes));
        let start = self.start + self.bytes;
        self.room[start..start + taken.len()].copy_from_slice(taken);
        self.bytes += taken.len();
        rest
    }

    fn is_full(&self) -> bool {
        self.bytes == PIECE_BYTES
    }

    fn content(&self) -> &[u8] {
        &self.room[self.start..self.start + self.bytes]
    }
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piece").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
