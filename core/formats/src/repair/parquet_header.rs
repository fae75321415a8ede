//! What the header of a page in a Parquet file says. The `parquet` crate reads what is in pages, not where they begin and end.
//!
//! Headers are in Thrift's compact protocol, and only their sizes are of interest:
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>.

/// A page of a column without lists, in which each value is a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageAt {
    /// Where its header begins.
    pub(super) start: u64,
    /// Bytes with its header.
    pub(super) len: u64,
    /// The same with its data uncompressed.
    pub(super) uncompressed: u64,
    pub(super) kind: PageKind,
}

/// What is in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Dictionary,
    /// Rows, as values or as numbers of values in the dictionary.
    Rows {
        count: u64,
        by_dictionary: bool,
    },
    /// Nothing that is read by anyone.
    Index,
}

impl PageAt {
    /// The page at `start`, of which these are the first bytes; `None` if its header is not whole in them, or makes no sense.
    pub(super) fn new(start: u64, bytes: &[u8]) -> Option<PageAt> {
        let mut reader = Compact { bytes, at: 0 };
        let header = reader.header()?;
        header.page(start, reader.at as u64)
    }

    /// How many rows are in it.
    pub(super) fn rows(&self) -> u64 {
        if let PageKind::Rows { count, .. } = self.kind { count } else { 0 }
    }

    /// Whether its rows are numbers of values in the dictionary.
    pub(super) fn names_values(&self) -> bool {
        matches!(self.kind, PageKind::Rows { by_dictionary: true, .. })
    }
}

/// The fields of a header that are of interest.
#[derive(Debug, Default)]
struct Header {
    kind: Option<i64>,
    uncompressed: Option<i64>,
    compressed: Option<i64>,
    values: Option<i64>,
    encoding: Option<i64>,
}

impl Header {
    fn page(&self, start: u64, size: u64) -> Option<PageAt> {
        let length = |field: Option<i64>| u64::try_from(field?).ok();
        let kind = match self.kind? {
            // A data page of either version.
            0 | 3 => {
                PageKind::Rows { count: length(self.values)?, by_dictionary: matches!(self.encoding?, 2 | 8) }
            }
            1 => PageKind::Index,
            2 => PageKind::Dictionary,
            _ => return None,
        };
        let (len, uncompressed) = (size + length(self.compressed)?, size + length(self.uncompressed)?);
        Some(PageAt { start, len, uncompressed, kind })
    }
}

/// A reader of Thrift's compact protocol. Every method is `None` at the end of the bytes.
struct Compact<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// How deep structures may be in each other.
const DEEP: usize = 16;

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn jump(&mut self, bytes: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        (self.at <= self.bytes.len()).then_some(())
    }

    /// The next field of a structure: its number and its type; a type of 0 ends the structure.
    fn field(&mut self, last: &mut i64) -> Option<(i64, u8)> {
        let head = self.byte()?;
        if head == 0 {
            return Some((0, 0));
        }
        *last = if head >> 4 == 0 { self.signed()? } else { *last + i64::from(head >> 4) };
        Some((*last, head & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEEP {
            return None;
        }
        match kind {
            1 | 2 => {}
            3 => self.jump(1)?,
            4..=6 => _ = self.varint()?,
            7 => self.jump(8)?,
            8 => {
                let len = self.varint()?;
                self.jump(len)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    // A truth value has no byte as a field, but one in a list.
                    let kind = head & 0x0f;
                    if matches!(kind, 1 | 2) { self.jump(1)? } else { self.skip(kind, depth + 1)? }
                }
            }
            12 => {
                let mut last = 0;
                loop {
                    match self.field(&mut last)? {
                        (_, 0) => break,
                        (_, kind) => self.skip(kind, depth + 1)?,
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn header(&mut self) -> Option<Header> {
        let (mut header, mut last) = (Header::default(), 0);
        loop {
            match self.field(&mut last)? {
                (_, 0) => return Some(header),
                (1, 5) => header.kind = Some(self.signed()?),
                (2, 5) => header.uncompressed = Some(self.signed()?),
                (3, 5) => header.compressed = Some(self.signed()?),
                // Data pages of version 1 and 2 have their encoding in different fields.
                (5, 12) => (header.values, header.encoding) = self.rows(2)?,
                (8, 12) => (header.values, header.encoding) = self.rows(4)?,
                (_, kind) => self.skip(kind, 0)?,
            }
        }
    }

    fn rows(&mut self, encoding: i64) -> Option<(Option<i64>, Option<i64>)> {
        let (mut found, mut last) = ((None, None), 0);
        loop {
            match self.field(&mut last)? {
                (_, 0) => return Some(found),
                (1, 5) => found.0 = Some(self.signed()?),
                (number, 5) if number == encoding => found.1 = Some(self.signed()?),
                (_, kind) => self.skip(kind, 0)?,
            }
        }
    }
}
