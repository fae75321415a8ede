//! The contract between Chaffinch and its detectors.
//!
//! A detector is a shared library that finds one kind of issue in an image-classification dataset. It declares
//! what it is and what it needs in one constant, [`Info`], and does its work in one function. The host owns
//! the images, the embeddings and the device; a detector sees borrowed slices and has the host do the heavy
//! work (see [`View`]).
//!
//! ```
//! use chaffinch_plugin::prelude::*;
//!
//! /// Finds images that are almost black.
//! struct Dark;
//!
//! impl SampleDetector for Dark {
//!     const INFO: Info = Info::new("dark", "Mean brightness is close to zero").threshold(0.15);
//!
//!     fn inspect(&self, pixels: &Pixels<'_>, _view: &View<'_>) -> Result<Finding> {
//!         let mean = pixels.rgb.iter().map(|&p| f32::from(p)).sum::<f32>() / pixels.rgb.len().max(1) as f32;
//!         Ok(Finding::new(Score::clamp(mean / 255.0)?).reason(format!("mean brightness is {mean:.0} of 255")))
//!     }
//! }
//!
//! export_detector!(Dark);
//! ```
//!
//! Two tiers: a [`SampleDetector`] looks at one image at a time; every one of them is a [`Detector`], which
//! looks at the whole dataset. The score has one meaning everywhere: **0 = surely an issue, 1 = surely fine**.
//!
//! This crate has no dependencies, so a detector builds in seconds and [`abi::ABI_VERSION`] alone determines whether two
//! builds are compatible.
//!
//! Run its tests: `cargo test --release -p chaffinch-plugin`.

pub mod abi;
mod detector;
mod error;
mod export;
#[cfg(feature = "host")]
pub mod host;
mod info;
mod near_hashes;
mod orientation;
mod panic;
mod score;
#[cfg(feature = "testing")]
pub mod testing;
mod values;

pub use abi::{Info, Param, Str};
pub use detector::{Detector, Finding, Issue, Region, Related, Report, SampleDetector, View};
pub use error::{Error, Result};
#[doc(hidden)]
pub use export::{measure_guarded, run_guarded};
pub use info::{Needs, ParamKind, Scope};
pub use near_hashes::{Bounds, Hashes, Nearness};
pub use orientation::Orientation;
#[doc(hidden)]
pub use panic::PanicMessage;
pub use score::Score;
pub use values::{
    Decided, Dimensions, FORMATS, GIVEN_FOLD, HashKind, HashPair, Likeness, Matrix, NO_LABEL, Neighbors,
    OwnedMatrix, Pixels, Severity, Source, Split, is_flat,
};

/// Everything a detector's source file needs.
pub mod prelude {
    pub use crate::{
        Decided, Detector, Dimensions, Error, Finding, HashKind, HashPair, Info, Issue, Likeness, Matrix,
        NO_LABEL, Needs, Neighbors, OwnedMatrix, Param, Pixels, Region, Related, Report, Result,
        SampleDetector, Scope, Score, Severity, Source, Split, Str, View, export_detector,
    };
}
