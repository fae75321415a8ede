//! The interface between the engine and a model.

pub use crate::error::EmbedError;
use crate::image::RgbImage;
use std::fmt;
use std::ops::Range;

/// A model's vector for a sample: `dim` numbers of unit length.
pub type Embedding = Vec<f32>;

/// Identifies vectors: equal fingerprints mean that the same image gives the same vector.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelFingerprint(String);

impl ModelFingerprint {
    /// Combines the digest of the weights and configuration with the version of the preprocessing. `digest` is
    /// lower-case hexadecimal; the result is safe as a folder name.
    pub fn new(digest: &str, preprocessing: &str) -> ModelFingerprint {
        let digest: String = digest.chars().filter(char::is_ascii_hexdigit).take(32).collect();
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let preprocessing: String = preprocessing.chars().filter(|&c| safe(c)).collect();
        ModelFingerprint(format!("{digest}-{preprocessing}"))
    }

    /// A fingerprint from the text returned by [`ModelFingerprint::as_str`].
    pub fn stored(text: &str) -> ModelFingerprint {
        let safe = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '.';
        ModelFingerprint(text.chars().filter(safe).collect())
    }

    /// The text, safe as a folder name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ModelFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ModelFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Consecutive rows whose largest product is checked first.
pub const GROUP: usize = 256;

/// What a search does with the products of one block of rows.
pub trait Filter {
    /// Given the largest product of each row with each group, row-major `[block, groups]`, returns where products are needed:
    /// `row * groups + group`, ascending.
    fn choose(&mut self, maxima: &[f32]) -> Vec<u32>;

    /// Receives the products of some of these places, `[places, GROUP]`. Missing rows of the last group count as zero vectors.
    fn take(&mut self, places: &[u32], products: &[f32]);
}

/// Unit vectors in the memory of a device.
pub trait DeviceVectors: Send + Sync {
    /// Vectors.
    fn rows(&self) -> usize;

    /// Rows that are multiplied with all others at a time.
    fn block(&self) -> usize;

    /// The most that a product differs from the cosine of two rows.
    fn error(&self) -> f32;

    /// Multiplies a block of rows with all rows. The filter chooses once, and then takes what it chose, in order, in as many
    /// parts as the device likes.
    ///
    /// # Errors
    /// When the device fails or runs out of memory.
    fn products(&self, block: Range<usize>, filter: &mut dyn Filter) -> crate::Result<()>;
}

/// Images that a model works on.
pub trait Started: Send {
    /// Waits for their vectors, which are those of [`Embedder::embed_images`].
    ///
    /// # Errors
    /// When the device fails.
    fn finish(self: Box<Self>) -> Result<Vec<f32>, EmbedError>;
}

/// Vectors that are already there.
impl Started for Vec<f32> {
    fn finish(self: Box<Self>) -> Result<Vec<f32>, EmbedError> {
        Ok(*self)
    }
}

/// What the parts of a picture add to its vector, as a grid over the model's input.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Cells from top to bottom.
    pub rows: usize,
    /// Cells from left to right.
    pub columns: usize,
    /// A vector for each cell, row by row, in the space of the picture's vector: its product with a direction is what the cell adds
    /// to the picture's.
    pub vectors: Vec<f32>,
}

/// A loaded model. The engine calls [`Embedder::preprocess`] on its decoding threads and
/// [`Embedder::embed_images`] on one thread.
pub trait Embedder: Send + Sync {
    /// Its display name: a hub name, a folder, or `bundled`.
    fn name(&self) -> &str;

    /// Identifies its vectors.
    fn fingerprint(&self) -> &ModelFingerprint;

    /// The commit of a model from the Hugging Face Hub; `None` for others.
    fn revision(&self) -> Option<&str> {
        None
    }

    /// Sentences worth showing whoever uses it: where its files are from, why it does not run where it could.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Length of a vector.
    fn dim(&self) -> usize;

    /// Where it runs, for display: `cpu (2 threads)`, `cuda:0 (NVIDIA H200)`, and since it has had much to do, perhaps
    /// `cuda:0,1 (NVIDIA H200)`.
    fn device(&self) -> String;

    /// What happened to its devices since this was asked last, in sentences worth showing: which of them is left out and why.
    fn happened(&self) -> Vec<String> {
        Vec::new()
    }

    /// Batch size that suits the device.
    fn batch_size(&self) -> usize;

    /// Bytes that one preprocessed image takes: `3 * size * size`.
    fn input_len(&self) -> usize;

    /// Whether it computes vectors of pictures. One that does not only stands for vectors that were computed elsewhere, and
    /// is asked neither for inputs nor for vectors of images.
    fn sees(&self) -> bool {
        true
    }

    /// Whether [`Embedder::embed_texts`] has a vector for a text.
    fn reads(&self, _text: &str) -> bool {
        true
    }

    /// How many tokens, which are words or parts of words, of a text its vector is about; `None` if that is all of them.
    /// [`crate::cut_texts`] says it: whoever takes a text from a person tells them.
    fn reads_only(&self, _text: &str) -> Option<usize> {
        None
    }

    /// Identifies the vectors of texts where the fingerprint does not.
    fn texts_fingerprint(&self) -> &str {
        ""
    }

    /// Turns an image into the tower's input, channel by channel (`[3, size, size]`). The tower normalizes it, where it
    /// runs: bytes are a quarter of what goes to a device otherwise. The image is as shown: EXIF orientation applied, RGB.
    fn preprocess(&self, image: &RgbImage) -> Vec<u8>;

    /// Vectors of `count` concatenated preprocessed images; row-major `[count, dim]`, unit length. The same image gives
    /// the same bytes regardless of the thread count and of the other images. The vector of an image for which the model has
    /// no finite one is not a number.
    ///
    /// # Errors
    /// When the device fails or runs out of memory.
    fn embed_images(&self, pixels: &[u8], count: usize) -> Result<Vec<f32>, EmbedError>;

    /// What the parts of one preprocessed image add to its vector.
    ///
    /// # Errors
    /// When the model does not see pictures, or the device fails.
    fn parts(&self, _pixels: &[u8]) -> Result<Parts, EmbedError> {
        Err(EmbedError::Model(format!("{} computes no vectors of parts of pictures", self.name())))
    }

    /// What of a picture of that size the input shows: left, top, right and bottom as shares of its sides. What lies outside of 0..1 is
    /// filled up.
    fn seen(&self, _width: u32, _height: u32) -> [f32; 4] {
        [0.0, 0.0, 1.0, 1.0]
    }

    /// How many calls of [`Embedder::start_images`] may be unfinished at a time: two for each device that works on one while the
    /// next is collected, one if the calling thread computes. Devices can be added and fail while there is work.
    fn ahead(&self) -> usize {
        1
    }

    /// Starts what [`Embedder::embed_images`] does, and returns once `pixels` are no longer needed.
    ///
    /// # Errors
    /// As for [`Embedder::embed_images`].
    fn start_images<'a>(&'a self, pixels: &[u8], count: usize) -> Result<Box<dyn Started + 'a>, EmbedError> {
        Ok(Box::new(self.embed_images(pixels, count)?))
    }

    /// Vectors of some texts; row-major `[texts.len(), dim]`, unit length.
    ///
    /// # Errors
    /// When the model has no text tower, or the device fails.
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<f32>, EmbedError>;

    /// Puts unit vectors, row-major and [`Embedder::dim`] wide, into device memory, where neighbors are searched from
    /// then on; `None` if the device is the CPU.
    ///
    /// # Errors
    /// When the device fails or runs out of memory.
    fn keep_on_device(&self, _vectors: &[f32]) -> Result<Option<Box<dyn DeviceVectors>>, EmbedError> {
        Ok(None)
    }

    /// The factor for cosines before a softmax: `exp(logit_scale)` of the checkpoint.
    fn logit_scale(&self) -> f32;
}
