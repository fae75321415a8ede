//! Whether the hashes of two pictures are near enough for them to be copies.

use crate::{Orientation, is_flat};

/// The perceptual hashes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// Its pHash.
    pub phash: u64,
    /// Its dHash.
    pub dhash: u64,
}

/// How many bits may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bits of the pHash, whatever the dHash says.
    pub radius: u32,
    /// Bits of the pHash if the dHash agrees.
    pub wide: u32,
    /// Bits of the dHash then.
    pub dhash: u32,
}

/// How near the hashes of two pictures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearness {
    /// Differing bits of the pHash.
    pub phash: u32,
    /// Differing bits of the dHash; unknown after a quarter turn.
    pub dhash: Option<u32>,
    /// What the first picture is turned by.
    pub orientation: Orientation,
}

impl Bounds {
    /// The largest distance of pHashes to look at.
    pub fn widest(self) -> u32 {
        self.radius.max(self.wide)
    }

    /// Of two pictures as they are. `None` if they are not near, or one is flat.
    pub fn upright(self, first: Hashes, second: Hashes) -> Option<Nearness> {
        let phash = (first.phash ^ second.phash).count_ones();
        let dhash = (first.dhash ^ second.dhash).count_ones();
        let near = phash <= self.radius || (phash <= self.wide && dhash <= self.dhash);
        (near && told(first, second)).then_some(Nearness {
            phash,
            dhash: Some(dhash),
            orientation: Orientation::ALL[0],
        })
    }

    /// Of two pictures of which the first is mirrored or turned. `None` if they are not near, or one is flat.
    ///
    /// Seven more comparisons find seven times as many pairs by chance, so the bounds are halved.
    pub fn turned(self, first: Hashes, second: Hashes) -> Option<Nearness> {
        let near = Orientation::ALL[1..].iter().filter_map(|&orientation| {
            let phash = (orientation.of_phash(first.phash) ^ second.phash).count_ones();
            let dhash = orientation.of_dhash(first.dhash).map(|turned| (turned ^ second.dhash).count_ones());
            let near = match dhash {
                Some(dhash) => phash <= self.wide && dhash <= self.dhash / 2,
                None => phash <= self.radius / 2,
            };
            near.then_some(Nearness { phash, dhash, orientation })
        });
        near.min_by_key(|near| near.phash).filter(|_| told(first, second))
    }
}

/// Whether the hashes of both pictures say something.
fn told(first: Hashes, second: Hashes) -> bool {
    !is_flat(first.phash, first.dhash) && !is_flat(second.phash, second.dhash)
}
