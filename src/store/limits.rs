//! Sizes by which content is sorted into blocks: choices of this writer, not of the format.
//!
//! Measured in `docs/decisions/0002-chunk-average.md`; readers accept any others.

/// Raw size at which a shared block of files is closed, in bytes.
pub(super) const SHARED_BLOCK_BYTES: usize = 1 << 20;

/// Raw size at which a block of records is closed, in bytes: whoever asks for one record decodes
/// the block up to it.
pub(super) const RECORDS_BLOCK_BYTES: usize = 128 << 10;

/// What is shorter is stored whole: the row of a block of its own would take as much, in bytes.
pub(super) const DIFFERENCE_BYTES_MIN: usize = 1 << 10;

/// From this size on a file gets a block of its own, in bytes.
pub(super) const OWN_BLOCK_BYTES: usize = 128 << 10;

/// From this size on a file is cut into chunks, in bytes.
pub(super) const CHUNKED_BYTES: u64 = 1 << 20;

/// From this size on a file is read, hashed and encoded by several threads at once, in bytes.
pub(super) const LARGE_BYTES: u64 = 8 << 20;

/// Bytes of a large file that travel between threads together.
pub(super) const SEGMENT_BYTES: usize = 4 << 20;
