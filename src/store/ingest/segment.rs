//! Buffers in which a large file travels from thread to thread, used again when all let go.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::limits;

/// Buffers under way for one large file: reading, hashing, and chunks that wait for a worker.
const BUFFERS: usize = 6;

/// A fixed number of buffers; who wants one waits until one is free.
#[derive(Debug)]
pub(super) struct Pool {
    free: Receiver<Vec<u8>>,
    give_back: Sender<Vec<u8>>,
}

/// Consecutive bytes of a file, behind room for what was left over of the segment before.
#[derive(Debug)]
pub(super) struct Segment {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    give_back: Sender<Vec<u8>>,
}

/// Part of a segment that several threads may read.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    segment: Arc<Segment>,
    start: usize,
    end: usize,
}

impl Pool {
    /// Makes room for segments of [`limits::SEGMENT_BYTES`] with `headroom` bytes before each.
    pub fn new(headroom: usize) -> Self {
        let (give_back, free) = bounded(BUFFERS);
        for _ in 0..BUFFERS {
            let buffer = vec![0; headroom + limits::SEGMENT_BYTES];
            give_back.send(buffer).expect("the pool was made for so many");
        }
        Self { free, give_back }
    }

    /// Waits for a free buffer; its content begins behind `headroom`.
    pub fn take(&self, headroom: usize) -> Segment {
        let buffer = self.free.recv().expect("the pool holds a sender itself");
        Segment { buffer, start: headroom, end: headroom, give_back: self.give_back.clone() }
    }
}

impl Segment {
    /// The room that is still free behind the content.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.buffer[self.end..]
    }

    /// Counts bytes that were written to [`Self::room`] as content.
    pub fn grow(&mut self, bytes: usize) {
        self.end += bytes;
        assert!(self.end <= self.buffer.len(), "no more than the room");
    }

    /// The content.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Puts what was left over of the segment before in front of the content.
    pub fn prepend(&mut self, left_over: &[u8]) {
        self.start -= left_over.len();
        self.buffer[self.start..self.start + left_over.len()].copy_from_slice(left_over);
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // The pool is gone when the file is done: then the buffer may go as well.
        let _ = self.give_back.send(std::mem::take(&mut self.buffer));
    }
}

impl Slice {
    /// Shares `start..end` of the segment's content.
    pub fn new(segment: &Arc<Segment>, start: usize, end: usize) -> Self {
        let first = segment.start;
        Self { segment: Arc::clone(segment), start: first + start, end: first + end }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.segment.buffer[self.start..self.end]
    }
}
