//! CLIP image and text towers on candle: the [`Embedder`](chaffinch_compute::embedding::Embedder) of Chaffinch.
//!
//! ```no_run
//! use chaffinch_clip::{DeviceChoice, ModelSource, load};
//! use chaffinch_compute::embedding::Embedder;
//!
//! let model = load(&ModelSource::parse("bundled-photo")?, DeviceChoice::Auto)?;
//! let vectors = model.embed_texts(&["a photo of a cat"]);
//! # Ok::<(), chaffinch_clip::ClipError>(())
//! ```
//!
//! Source of the method: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision";
//! SigLIP: Zhai et al. 2023; vision transformers: Dosovitskiy et al. 2021. The results match the Hugging Face
//! implementation; the tests compare with its vectors.
//!
//! | module | purpose |
//! |---|---|
//! | `source` | names of models, and the files of a checkpoint checked against each other |
//! | `bundled` | the models inside the program |
//! | `files` | the layouts of checkpoints: which files they consist of |
//! | `hub` | the hub's cache and its client |
//! | `config` | `config.json` and OpenCLIP's: shapes, defaults, what is supported |
//! | `weights`, `naming` | safetensors, strictly: nothing missing is made up; names of tensors in other layouts |
//! | `preprocess` | pictures to numbers, as Pillow does it |
//! | `tokenizer` | prompts to tokens |
//! | `layers`, `ops` | the transformer as tensors, and its elementwise steps; for GPUs, with kernels of ours |
//! | `host`, `tiles` | the transformer on the CPU, without tensors, and its products in bf16 |
//! | `vision`, `text` | the towers of CLIP, SigLIP and DINOv2 |
//! | `positions` | positions for pictures of another size |
//! | `lite0` | EfficientNet-Lite0 as an image tower |
//! | `vit` | vision transformers, by candle-transformers |
//! | `device`, `budget` | CPU or GPU, and how much of its memory |
//! | `batches` | how many images at a time |
//! | `resident` | vectors in device memory, for the neighbor search |
//! | `embedder` | all of it behind the engine's trait, on one device or several |
//! | `error` | what can go wrong |
//!
//! Its tests alone: `cargo test --release -p chaffinch-clip`.

mod batches;
mod budget;
mod bundled;
mod config;
mod cpu;
mod device;
mod embedder;
mod error;
mod failure;
mod files;
mod hub;
mod layers;
mod lite0;
mod naming;
mod ops;
mod positions;
mod preprocess;
mod resident;
mod search;
mod source;
mod text;
mod tiles;
mod tokenizer;
mod vision;
mod vit;
mod weights;

pub use budget::MemoryBudget;
pub use bundled::{Bundled, SMALL_SIDE};
pub use config::SUPPORTED_TYPES;
pub use device::{DeviceChoice, idle_gpu};
pub use embedder::{ClipEmbedder, TextInput, load, load_with, load_within};
pub use error::{ClipError, Refusal};
pub use hub::{CachedModel, FetchProgress, cached_models};
pub use preprocess::PREPROCESSING_VERSION;
pub use search::{SearchDevice, keep_on_device};
pub use source::ModelSource;
pub use tiles::available as has_bf16;
