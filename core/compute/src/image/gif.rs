//! The blocks of a GIF. Only their lengths are read, no pixels are decoded.

/// The first byte of an image.
pub(super) const IMAGE: u8 = 0x2c;
/// The first byte of an extension.
const EXTENSION: u8 = 0x21;

/// Goes through the blocks of a file.
pub(super) struct Blocks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Blocks<'a> {
    /// At the first block; `None` if the file ends before it.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Blocks<'a>> {
        Some(Blocks { bytes, at: 13 + colors(*bytes.get(10)?) })
    }

    /// Where the block here begins, and its first byte; `None` at the end of the file.
    pub(super) fn here(&self) -> Option<(usize, u8)> {
        Some((self.at, *self.bytes.get(self.at)?))
    }

    /// Goes past the block here; `None` if it is neither an image nor an extension, or the file ends first.
    pub(super) fn skip(&mut self) -> Option<()> {
        match self.here()?.1 {
            // Position and size, then colors, then the code width.
            IMAGE => self.at += 10 + colors(*self.bytes.get(self.at + 9)?) + 1,
            EXTENSION => self.at += 2,
            _ => return None,
        }
        // Both are followed by sub-blocks up to an empty one.
        loop {
            let length = usize::from(*self.bytes.get(self.at)?);
            self.at += length + 1;
            if length == 0 {
                return Some(());
            }
        }
    }
}

/// Bytes of a color table: 3 for each of 2^(n+1) colors, where the lowest 3 bits of the flags are n.
fn colors(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}
