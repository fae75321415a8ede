//! A message of an assistant as it is read.

/// What was read.
pub(super) enum Line {
    /// A line.
    Whole(Vec<u8>),
    /// One of more bytes than these, whose end was passed over.
    TooLong(u64),
}
