//! The two models inside the program.

use std::fmt;

/// Pictures whose typical shorter side is at most this are for the small model.
pub const SMALL_SIDE: u32 = 64;

/// A model inside the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundled {
    /// EfficientNet-Lite0 with a text tower: for photographs.
    Photo,
    /// A very small CLIP for pictures of ten classes at 32 pixels.
    Small,
}

/// The files of a model.
pub(crate) struct Embedded {
    pub(crate) config: &'static str,
    pub(crate) preprocessor: &'static str,
    pub(crate) tokenizer: &'static [u8],
    pub(crate) weights: &'static [u8],
}

macro_rules! embedded {
    ($folder:literal) => {
        Embedded {
            config: include_str!(concat!("../models/", $folder, "/config.json")),
            preprocessor: include_str!(concat!("../models/", $folder, "/preprocessor_config.json")),
            tokenizer: include_bytes!(concat!("../models/", $folder, "/tokenizer.json")),
            weights: include_bytes!(concat!("../models/", $folder, "/model.safetensors")),
        }
    };
}

static PHOTO: Embedded = embedded!("photo");
static SMALL: Embedded = embedded!("small");

impl Bundled {
    /// Both.
    pub const ALL: [Bundled; 2] = [Bundled::Photo, Bundled::Small];

    /// The name that stands for either of them: which one depends on the pictures.
    pub const EITHER: &str = "bundled";

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Bundled::Photo => "bundled-photo",
            Bundled::Small => "bundled-small",
        }
    }

    /// What it is for, to complete "the model for …".
    pub fn purpose(self) -> &'static str {
        match self {
            Bundled::Photo => "photographs",
            Bundled::Small => "very small pictures",
        }
    }

    /// The model of that name; [`EITHER`](Self::EITHER) is the one for photographs.
    pub fn parse(name: &str) -> Option<Bundled> {
        if name == Bundled::EITHER {
            return Some(Bundled::Photo);
        }
        Bundled::ALL.into_iter().find(|model| model.name() == name)
    }

    /// The model for pictures whose typical shorter side has that many pixels.
    pub fn for_side(side: u32) -> Bundled {
        if side <= SMALL_SIDE { Bundled::Small } else { Bundled::Photo }
    }

    pub(crate) fn files(self) -> &'static Embedded {
        match self {
            Bundled::Photo => &PHOTO,
            Bundled::Small => &SMALL,
        }
    }
}

impl fmt::Display for Bundled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
