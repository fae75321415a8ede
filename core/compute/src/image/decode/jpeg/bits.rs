//! The compressed data of a scan as bits, up to the marker that ends it.

/// The most bytes that writers fill up with.
const FILLING: usize = 32;

/// Reads bits, first bit = most significant one. Behind the end it reads zeros, and knows that it did.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte.
    at: usize,
    /// The lowest `held` bits are waiting.
    waiting: u64,
    held: u32,
    /// Zeros among the waiting bits, behind the real ones.
    made_up: u32,
    ended: bool,
}

impl<'a> Bits<'a> {
    /// From `at` to the next marker, or to the end of `bytes`.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Bits<'a> {
        Bits { bytes, at: at.min(bytes.len()), waiting: 0, held: 0, made_up: 0, ended: false }
    }

    /// Makes sure that at least 32 bits wait.
    #[inline]
    fn fill(&mut self) {
        if self.held >= 32 {
            return;
        }
        if let Some(four) =
            self.bytes.get(self.at..self.at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok())
        {
            let word = u32::from_be_bytes(four);
            // None of them is 0xff: no byte of the complement is zero.
            let inverse = !word;
            if !self.ended && inverse.wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
                self.waiting = self.waiting << 32 | u64::from(word);
                self.held += 32;
                self.at += 4;
                return;
            }
        }
        while self.held <= 56 {
            let byte = self.byte().unwrap_or_else(|| {
                self.made_up += 8;
                0
            });
            self.waiting = self.waiting << 8 | u64::from(byte);
            self.held += 8;
        }
    }

    /// The next byte of data; `None` at a marker and at the end.
    fn byte(&mut self) -> Option<u8> {
        if self.ended {
            return None;
        }
        match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
            (Some(0xff), Some(0)) => {
                self.at += 2;
                Some(0xff)
            }
            (None | Some(0xff), _) => {
                self.ended = true;
                None
            }
            (Some(&byte), _) => {
                self.at += 1;
                Some(byte)
            }
        }
    }

    /// The next `count` bits, 1 to 16, without taking them.
    #[inline]
    pub(super) fn peek(&mut self, count: u32) -> usize {
        self.fill();
        (self.waiting >> (self.held - count) & ((1 << count) - 1)) as usize
    }

    /// Drops bits that were peeked at, at most 32 since the last [`Bits::peek`].
    #[inline]
    pub(super) fn drop(&mut self, count: u32) {
        self.held = self.held.saturating_sub(count);
    }

    /// The next `count` bits, at most 16.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> usize {
        if count == 0 {
            return 0;
        }
        let bits = self.peek(count);
        self.drop(count);
        bits
    }

    /// Whether bits behind the end were taken.
    #[inline]
    pub(super) fn overrun(&self) -> bool {
        self.made_up > self.held
    }

    /// Bytes left over, from the next whole one to the marker, and where the marker is. A short filling of
    /// one repeated byte counts as none.
    pub(super) fn rest(mut self) -> (usize, usize) {
        let real = self.held.saturating_sub(self.made_up);
        let waiting = real / 8;
        let mut rest = (0..waiting).rev().map(|byte| (self.waiting >> (self.made_up + 8 * byte)) as u8);
        let first = rest.next();
        let mut uniform = rest.all(|byte| Some(byte) == first);
        let mut count = waiting as usize;
        let mut like = first;
        while let Some(byte) = self.byte() {
            uniform &= *like.get_or_insert(byte) == byte;
            count += 1;
        }
        (if uniform && count < FILLING { 0 } else { count }, self.at)
    }
}
