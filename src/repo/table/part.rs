//! Rows in parts: where too many would be held at once, only some of them are looked at.

/// Into how many parts rows are divided, one after the other looked at, if fewer hold too much.
pub(in crate::repo) const PART_COUNTS: [u64; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// Those whose key or hash leaves `index` when divided by `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::repo) struct Part {
    pub index: u64,
    pub count: u64,
}

impl Part {
    /// Tells whether something belongs to it.
    pub const fn holds(self, hash: u64) -> bool {
        hash % self.count == self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_one_of_the_parts() {
        for count in PART_COUNTS {
            for hash in [0, 1, 511, 512, u64::MAX] {
                let parts = (0..count).filter(|index| Part { index: *index, count }.holds(hash));
                assert_eq!(parts.count(), 1, "{hash} of {count}");
            }
        }
    }
}
