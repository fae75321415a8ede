//! Mutations of an input, the same in every run.

/// What stands where a number, a name or a structure is expected.
const STRANGE: [&[u8]; 20] = [
    b"18446744073709551615",
    b"9223372036854775807",
    b"4294967295",
    b"-1",
    b"NaN",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b"\"\"",
    b"\0",
    b"\0\0\0\0",
    b"\xef\xbb\xbf",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"../../..",
    b"\r",
    b"\x1b[",
    b",,,,,,,,",
    b"\xc3\x28",
];

/// SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// That of a name.
    pub fn of(name: &str) -> Chance {
        Chance(name.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one; 0 below 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// An input with one to four changes behind its first byte, which selects the reader. `other` is another input, of
/// which a part may be taken.
pub fn mutated(original: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = original.get(1..).unwrap_or_default().to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        let end = (at + 1 + chance.below(40)).min(bytes.len());
        match chance.below(11) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            1 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][chance.below(5)],
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at.min(end)..end)),
            4 => {
                let part = bytes[at.min(end)..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, part);
            }
            5 => {
                let strange = STRANGE[chance.below(STRANGE.len())];
                bytes.splice(at.min(end)..end, strange.iter().copied());
            }
            6 => {
                let deep = [b'[', b'{', b'<', b'(', b'"', b'-'][chance.below(6)];
                bytes.splice(at..at, std::iter::repeat_n(deep, 2_000));
            }
            7 => {
                let part = bytes[at.min(end)..end].to_vec();
                (0..20).for_each(|_| bytes.extend_from_slice(&part));
            }
            8 if !other.is_empty() => {
                let from = chance.below(other.len());
                let to = (from + 1 + chance.below(200)).min(other.len());
                bytes.splice(at.min(end)..end, other[from..to].iter().copied());
            }
            // Integers of binary formats: lengths, counts and offsets.
            9 if bytes.len() >= 8 => {
                let at = chance.below(bytes.len() - 3) & !3;
                let value = [0_u32, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, 1 << 16, 1 << 24][chance.below(7)];
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            _ if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add([1, 0xff, 16][chance.below(3)]),
            _ => {}
        }
    }
    let kind = original.first().copied().unwrap_or(0);
    bytes.insert(0, kind);
    bytes
}
