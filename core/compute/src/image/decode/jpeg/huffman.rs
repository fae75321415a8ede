//! Huffman tables of a JPEG, and blocks of coefficients read with them.

use super::bits::Bits;

/// Codes up to this length are looked up at once.
const QUICK: u32 = 9;

/// A table of codes.
#[derive(Clone)]
pub(super) struct Table {
    /// By the next [`QUICK`] bits: the length of the code, then its symbol; 0 if it is longer or there is none.
    quick: Vec<u16>,
    /// By length: one more than the largest code, shifted to 16 bits, and what to add to a code to find its symbol.
    ends: [u32; 17],
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

/// The data are not what a JPEG's can be.
pub(super) struct Garbled;

impl Table {
    /// From the number of codes of each length, and the symbols; `None` if there cannot be so many.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        let mut table =
            Table { quick: vec![0; 1 << QUICK], ends: [0; 17], offsets: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut at) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = u32::from(counts[length as usize - 1]);
            table.offsets[length as usize] = at as i32 - code as i32;
            if code + count > 1 << length {
                return None;
            }
            for _ in 0..count {
                let symbol = *symbols.get(at)?;
                if length <= QUICK {
                    let first = (code << (QUICK - length)) as usize;
                    let entry = (length as u16) << 8 | u16::from(symbol);
                    table.quick[first..first + (1 << (QUICK - length))].fill(entry);
                }
                code += 1;
                at += 1;
            }
            table.ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    /// The next symbol.
    #[inline]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Garbled> {
        let next = bits.peek(16);
        let entry = self.quick[next >> (16 - QUICK)];
        if entry != 0 {
            bits.drop(u32::from(entry >> 8));
            return Ok(entry as u8);
        }
        let length =
            (QUICK + 1..=16).find(|&length| (next as u32) < self.ends[length as usize]).ok_or(Garbled)?;
        bits.drop(length);
        let code = (next >> (16 - length)) as i32;
        let symbol = usize::try_from(code + self.offsets[length as usize]).ok();
        symbol.and_then(|symbol| self.symbols.get(symbol)).copied().ok_or(Garbled)
    }
}

/// Passes over one block of a sequential JPEG; returns what its constant differs by from that of the last one.
#[inline]
pub(super) fn block(bits: &mut Bits<'_>, dc: &Table, ac: &Table) -> Result<i32, Garbled> {
    let size = dc.symbol(bits)?;
    let difference = difference(bits, size)?;
    let mut k = 1;
    while k < 64 {
        let symbol = ac.symbol(bits)?;
        let (run, size) = (symbol >> 4, symbol & 15);
        if size == 0 {
            if run != 15 {
                break;
            }
            k += 16;
            continue;
        }
        k += u32::from(run) + 1;
        bits.peek(16);
        bits.drop(u32::from(size));
    }
    if k <= 64 { Ok(difference) } else { Err(Garbled) }
}

/// Passes over the first scan of a constant coefficient.
pub(super) fn constant(bits: &mut Bits<'_>, dc: &Table) -> Result<(), Garbled> {
    let size = dc.symbol(bits)?;
    skip(bits, size)
}

fn difference(bits: &mut Bits<'_>, size: u8) -> Result<i32, Garbled> {
    if !(1..=12).contains(&size) {
        return skip(bits, size).map(|()| 0);
    }
    let value = bits.peek(u32::from(size)) as i32;
    bits.drop(u32::from(size));
    // The upper half of the values is positive, the lower one negative.
    Ok(if value >> (size - 1) == 1 { value } else { value + 1 - (1 << size) })
}

fn skip(bits: &mut Bits<'_>, size: u8) -> Result<(), Garbled> {
    // Eleven bits hold every difference of 8-bit pictures, twelve those of a few lossy writers.
    if size > 12 {
        return Err(Garbled);
    }
    bits.peek(16);
    bits.drop(u32::from(size));
    Ok(())
}

/// The part of the coefficients that a progressive scan has, and the blocks that have nothing more to come.
pub(super) struct Band {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) empty: u32,
}

impl Band {
    /// Passes over one block of the first scan of a band, and notes which coefficients are not zero.
    pub(super) fn begin(&mut self, bits: &mut Bits<'_>, ac: &Table, set: &mut u64) -> Result<(), Garbled> {
        if self.empty > 0 {
            self.empty -= 1;
            return Ok(());
        }
        let mut k = self.first;
        while k <= self.last {
            let symbol = ac.symbol(bits)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    self.empty = (1 << run) - 1 + bits.take(run) as u32;
                    return Ok(());
                }
                k += 16;
                continue;
            }
            k += run;
            if k > self.last {
                return Err(Garbled);
            }
            *set |= 1 << k;
            bits.peek(16);
            bits.drop(size);
            k += 1;
        }
        if k <= self.last + 1 { Ok(()) } else { Err(Garbled) }
    }

    /// The same for a scan that adds a bit to what earlier ones have: coefficients that are not zero have a bit each.
    pub(super) fn refine(&mut self, bits: &mut Bits<'_>, ac: &Table, set: &mut u64) -> Result<(), Garbled> {
        let mut k = self.first;
        if self.empty == 0 {
            while k <= self.last {
                let symbol = ac.symbol(bits)?;
                let (mut run, size) = (u32::from(symbol >> 4), symbol & 15);
                match size {
                    0 if run < 15 => {
                        self.empty = (1 << run) + bits.take(run) as u32;
                        break;
                    }
                    0 => {}
                    1 => _ = bits.take(1),
                    _ => return Err(Garbled),
                }
                while k <= self.last {
                    if *set >> k & 1 == 1 {
                        bits.take(1);
                    } else if run == 0 {
                        break;
                    } else {
                        run -= 1;
                    }
                    k += 1;
                }
                if size == 1 {
                    if k > self.last {
                        return Err(Garbled);
                    }
                    *set |= 1 << k;
                }
                k += 1;
            }
        }
        if self.empty > 0 {
            let left = if k <= self.last { *set >> k & mask(self.last - k + 1) } else { 0 };
            (0..left.count_ones()).for_each(|_| _ = bits.take(1));
            self.empty -= 1;
        }
        Ok(())
    }
}

fn mask(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}
