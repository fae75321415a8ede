//! Where the bytes of samples are: files of their own, members of tar files, values in Arrow files, cells of Parquet
//! files, objects in a bucket.
//!
//! A [`Container`] is a file that holds many samples. A [`Source`] is one sample: it says when it was changed and reads
//! its bytes, whatever holds them. Bytes are read with ordinary reads instead of being mapped: a shard that is cut while it
//! is read is an error of that sample, not the end of the program.
//!
//! Its tests alone: `cargo test --release -p chaffinch-sources`.

mod blob;
mod blocks;
pub mod bucket;
mod cells;
mod container;
mod handles;
mod no_picture;
pub mod outages;
mod pattern;
mod pixels;
mod source;
mod stamp;

pub use blob::{Blob, BlobReader};
pub use container::{Container, Holds, NO_PICTURE};
pub use no_picture::NoPicture;
pub use pattern::{Chosen, Pattern, PatternError, Written};
pub use pixels::Pixels;
pub use source::{Packed, ReadSeek, Source};
pub use stamp::{Kind, Stamp};

/// Samples beyond this size are never read as a whole.
pub const MAX_BYTES: u64 = 1 << 30;
