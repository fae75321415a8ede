//! Pictures that were mirrored or turned, told from their hashes.

/// One of the eight ways a picture can be mirrored and turned by quarters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation {
    /// Whether rows and columns change places, before anything else.
    transposed: bool,
    /// Whether left and right change places.
    across: bool,
    /// Whether top and bottom change places.
    down: bool,
}

/// Bits of a pHash that belong to odd frequencies from left to right, and from top to bottom.
const ODD_ACROSS: u64 = 0x5555_5555_5555_5555;
const ODD_DOWN: u64 = 0x00FF_00FF_00FF_00FF;

impl Orientation {
    /// All eight, the one that changes nothing first.
    pub const ALL: [Orientation; 8] = {
        let mut all = [Orientation { transposed: false, across: false, down: false }; 8];
        let mut number = 0;
        while number < all.len() {
            all[number] =
                Orientation { transposed: number & 4 > 0, across: number & 1 > 0, down: number & 2 > 0 };
            number += 1;
        }
        all
    };

    /// What was done to a picture, as an adjective; empty where nothing was.
    pub const fn name(self) -> &'static str {
        match (self.transposed, self.across, self.down) {
            (false, false, false) => "",
            (false, true, true) => "upside down",
            (false, true, false) => "mirrored",
            (true, true, false) | (true, false, true) => "turned",
            _ => "mirrored and turned",
        }
    }

    /// The pHash of a picture after this was done to it, told from its pHash alone. A bit says whether a frequency is
    /// above the median of all. Where rows and columns change places that is exact. What is mirrored has its odd
    /// frequencies negated, so their bits are turned over, which is exact as far as the median is zero: on pictures of
    /// CIFAR-10 three bits differ on average, in 84 % of the pictures no more than five.
    pub const fn of_phash(self, phash: u64) -> u64 {
        let mut hash = phash;
        if self.transposed {
            hash = transposed(hash);
        }
        if self.across {
            hash ^= ODD_ACROSS;
        }
        if self.down {
            hash ^= ODD_DOWN;
        }
        hash
    }

    /// The dHash of a picture after this was done to it, as exact as no two pixels beside one another are equal. A dHash
    /// looks from left to right alone, so nothing is known where rows and columns change places.
    pub const fn of_dhash(self, dhash: u64) -> Option<u64> {
        if self.transposed {
            return None;
        }
        let hash = if self.down { dhash.swap_bytes() } else { dhash };
        // Each row the other way round: what was brighter than its neighbor on the left is darker now.
        Some(if self.across { !hash.swap_bytes().reverse_bits() } else { hash })
    }

    /// The orientation in which two pHashes are nearest, the first of equals, and how many bits differ then.
    pub fn nearest(first: u64, second: u64) -> (Orientation, u32) {
        let distance = |orientation: Orientation| (orientation.of_phash(first) ^ second).count_ones();
        Orientation::ALL
            .into_iter()
            .map(|orientation| (orientation, distance(orientation)))
            .min_by_key(|&(_, distance)| distance)
            .unwrap_or((Orientation::ALL[0], distance(Orientation::ALL[0])))
    }
}

/// A matrix of eight rows of eight bits with rows and columns exchanged: blocks of one, two and four.
const fn transposed(bits: u64) -> u64 {
    let mut bits = bits;
    let mut swapped = (bits ^ (bits >> 7)) & 0x00AA_00AA_00AA_00AA;
    bits ^= swapped ^ (swapped << 7);
    swapped = (bits ^ (bits >> 14)) & 0x0000_CCCC_0000_CCCC;
    bits ^= swapped ^ (swapped << 14);
    swapped = (bits ^ (bits >> 28)) & 0x0000_0000_F0F0_F0F0;
    bits ^ swapped ^ (swapped << 28)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_change_places() {
        // The bit of row 2, column 5, counted from the highest, is that of row 5, column 2 then.
        assert_eq!(transposed(1 << (63 - 21)), 1 << (63 - 42));
        for hash in [0x0123_4567_89AB_CDEF_u64, 0xF0F0_A5A5_3C3C_9696] {
            let slow = (0..64).fold(0, |sum, place| {
                let (row, column) = (place / 8, place % 8);
                sum | (hash >> (63 - place) & 1) << (63 - (column * 8 + row))
            });
            assert_eq!(transposed(hash), slow);
        }
    }

    #[test]
    fn rows_of_a_dhash_are_turned_round() {
        let mirrored = Orientation { transposed: false, across: true, down: false };
        let below = Orientation { transposed: false, across: false, down: true };
        assert_eq!(mirrored.of_dhash(0xC000_0000_0000_0001), Some(0xFCFF_FFFF_FFFF_FF7F));
        assert_eq!(below.of_dhash(0xC000_0000_0000_0001), Some(0x0100_0000_0000_00C0));
        assert_eq!(Orientation { transposed: true, ..mirrored }.of_dhash(7), None);
    }

    #[test]
    fn every_orientation_is_another_and_all_are_undone_by_one() {
        let hash = 0x0123_4567_89AB_CDEF;
        let mut hashes: Vec<u64> = Orientation::ALL.iter().map(|one| one.of_phash(hash)).collect();
        for &turned in &hashes {
            assert!(Orientation::ALL.iter().any(|one| one.of_phash(turned) == hash));
            assert_eq!(Orientation::nearest(hash, turned).1, 0);
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 8);
    }
}
