//! The messages between the engine and a worker, one JSON object a line; `docs/detector-protocol.md` is their
//! documentation for authors of programs.

use crate::declared::Declared;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the protocol. Additions that a worker may ignore keep it; everything else increments it.
pub(crate) const PROTOCOL: u32 = 1;

/// What of that version a side knows. Both say theirs, and the smaller one counts: 2 has attributes, findings, regions, the
/// scores of other detectors, and columns as numbers and labels.
pub(crate) const REVISION: u32 = 2;

/// From the engine to a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum ToWorker {
    /// Begin. Sent once, at the start.
    Run(Box<Run>),
    /// The answer to a request.
    Answer {
        /// The request's number.
        id: u64,
        /// What was asked for.
        value: Value,
    },
    /// The request was refused.
    Refused {
        /// The request's number.
        id: u64,
        /// Whether it failed, or only does not exist.
        kind: Kind,
        /// Why.
        message: String,
    },
    /// The user requested a stop; the process is killed if it has not ended within a moment.
    Stop,
}

/// What a detector is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// [`PROTOCOL`].
    pub(crate) protocol: u32,
    /// [`REVISION`].
    #[serde(default = "first")]
    pub(crate) revision: u32,
    /// The detector's name.
    pub(crate) detector: String,
    /// Number of samples.
    pub(crate) count: usize,
    /// Values of all parameters: numbers, true or false for a flag, the name of a choice.
    pub(crate) parameters: Map<String, Value>,
    /// Names of classes by label.
    pub(crate) classes: Vec<String>,
    /// u4: class of each sample, 4294967295 if it has none.
    pub(crate) labels: Array,
    /// u1: 0 none, 1 train, 2 validation, 3 test.
    pub(crate) splits: Array,
    /// u1: 1 where the picture could be decoded.
    pub(crate) decodable: Array,
    /// u1, 32 of them for each sample.
    pub(crate) contents: Array,
    /// u4: width and height of each sample.
    pub(crate) sizes: Array,
    /// u8: bytes of each file.
    pub(crate) file_sizes: Array,
    /// u1: 0 nothing, 1 keep, 2 remove, 3 relabel, 4 unsure.
    pub(crate) decisions: Array,
    /// u4: the new class of relabeled samples.
    pub(crate) relabels: Array,
    /// Arrays of these in which nothing is decided, since the detector does not declare the need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) undeclared: Vec<String>,
    /// The file that the worker writes its arrays to.
    pub(crate) out: String,
}

/// Where the numbers of an array are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Array {
    /// The file to open or map, to read only.
    pub(crate) path: String,
    /// Where they begin, in bytes.
    pub(crate) offset: u64,
    /// Their type as NumPy writes it: `<f4`, `<u4`, `<u8`, `|u1`.
    pub(crate) dtype: String,
    /// Their number in each dimension.
    pub(crate) shape: Vec<usize>,
    /// Whether they are only there until the next request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) brief: bool,
}

/// Numbers that the worker has written to its file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Out {
    /// Where they begin, in bytes.
    pub(crate) offset: u64,
    /// How many there are.
    pub(crate) length: usize,
}

/// How something did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// It failed.
    Failed,
    /// Nothing failed: the model or the dataset does not have it.
    Missing,
    /// The user requested a stop.
    Stopped,
}

/// From a worker to the engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum FromWorker {
    /// The first message.
    Hello {
        /// The version that the worker speaks.
        protocol: u32,
        /// What of it the worker knows.
        #[serde(default = "first")]
        revision: u32,
        /// Of a library: the detectors in it.
        #[serde(default)]
        detectors: Vec<Declared>,
    },
    /// A library cannot be used.
    Unusable(Unusable),
    /// Asks for something.
    Request {
        /// Its number, for the answer.
        id: u64,
        /// What is asked for.
        #[serde(flatten)]
        wanted: Wanted,
    },
    /// Nothing, but it is not dead.
    Alive,
    /// How far it is.
    Progress {
        /// Units done.
        done: u64,
        /// Units in total.
        total: u64,
    },
    /// A line for the log.
    Log {
        /// 0 debug, 1 info, 2 warning, 3 error.
        #[serde(default = "info")]
        level: u32,
        /// The line.
        text: String,
    },
    /// A note about the whole run.
    Note {
        /// Its name.
        name: String,
        /// Its text.
        text: String,
    },
    /// The scores of all samples.
    Scores {
        /// One for each sample, null if it has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        values: Option<Vec<Option<f32>>>,
        /// Or f4 in the worker's file, NaN if a sample has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        out: Option<Out>,
    },
    /// Results for single samples.
    Issues {
        /// They.
        items: Vec<Item>,
    },
    /// An attribute: a number for each sample.
    Attribute {
        /// Its name.
        name: String,
        /// Its unit.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        unit: String,
        /// One for each sample, null if it has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        values: Option<Vec<Option<f32>>>,
        /// Or f4 in the worker's file, NaN if a sample has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        out: Option<Out>,
    },
    /// Something about the dataset as a whole.
    Finding {
        /// `info`, `warning` or `serious`.
        severity: String,
        /// One sentence.
        text: String,
        /// Samples that show it.
        #[serde(default)]
        evidence: Vec<u32>,
    },
    /// The parts of pictures that matter.
    Regions {
        /// By sample.
        items: Vec<RegionsOf>,
    },
    /// The results are complete. The last message.
    Done,
    /// The run failed. The last message.
    Failed {
        /// Why.
        message: String,
        /// How.
        #[serde(default = "failed")]
        kind: Kind,
    },
}

fn info() -> u32 {
    1
}

fn first() -> u32 {
    1
}

fn failed() -> Kind {
    Kind::Failed
}

/// A result for one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// The sample.
    pub(crate) sample: usize,
    /// 0 = surely an issue, 1 = surely fine.
    pub(crate) score: f32,
    /// The suggested label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suggested: Option<u32>,
    /// Its group within the detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<u32>,
    /// Evidence: other samples with their similarity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) related: Vec<(u32, f32)>,
    /// One sentence in English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
}

/// The regions of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RegionsOf {
    /// The sample.
    pub(crate) sample: usize,
    /// They.
    pub(crate) boxes: Vec<BoxOf>,
}

/// A part of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BoxOf {
    /// The left, top, right and bottom edges in fractions of the picture.
    pub(crate) edges: [f32; 4],
    /// What is there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) label: String,
}

impl FromWorker {
    /// The revision that has this message.
    pub(crate) fn since(&self) -> u32 {
        match self {
            FromWorker::Attribute { .. } | FromWorker::Finding { .. } | FromWorker::Regions { .. } => 2,
            FromWorker::Request {
                wanted: Wanted::ColumnNumbers { .. } | Wanted::LabelsOf { .. } | Wanted::ScoresOf { .. },
                ..
            } => 2,
            _ => 1,
        }
    }
}

/// What a worker can ask for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(crate) enum Wanted {
    /// `rows`.
    Embeddings,
    /// `indices` and `similarities` of the `k` nearest neighbors.
    Neighbors {
        /// How many.
        k: usize,
    },
    /// `cosines` of all samples with vectors, f4 in the worker's file.
    Similarities {
        /// The vectors.
        vectors: Out,
        /// How many.
        count: usize,
    },
    /// `cosines` of some samples with others.
    Block {
        /// The samples of the rows.
        rows: Vec<u32>,
        /// The samples of the columns.
        cols: Vec<u32>,
    },
    /// `dimension` and `logit_scale`.
    Model,
    /// `rows`, one for each text.
    EmbedTexts {
        /// The texts.
        texts: Vec<String>,
    },
    /// `texts` for a class, or for the alternatives.
    Prompts {
        /// The class.
        #[serde(default)]
        class: Option<u32>,
    },
    /// `hashes`.
    Hashes {
        /// Which.
        hash: Hash,
    },
    /// `pairs`: two samples and the distance of their hashes.
    NearHashes {
        /// Which.
        hash: Hash,
        /// Bits that may differ.
        radius: u32,
    },
    /// `rows`, `folds`, `inverse_temperature`.
    Probabilities,
    /// `pictures` from a sample on, as many as fit, and the `next` sample.
    Pixels {
        /// The first sample.
        from: usize,
        /// How many samples to look at, at most.
        #[serde(default = "many")]
        count: usize,
        /// They are scaled to fit this; 0 = full size.
        #[serde(default)]
        max_side: u32,
    },
    /// `values` of a column of the dataset, as text.
    Column {
        /// Its name.
        name: String,
    },
    /// `numbers` of a column of the dataset.
    ColumnNumbers {
        /// Its name.
        name: String,
    },
    /// `labels` that a column of the dataset names.
    LabelsOf {
        /// Its name.
        name: String,
    },
    /// `scores` of a detector that ran before.
    ScoresOf {
        /// Its name.
        detector: String,
    },
    /// `version` and `bytes` of what this detector kept.
    Kept {
        /// The name.
        name: String,
        /// The version; the newest by default.
        #[serde(default)]
        version: Option<u32>,
    },
    /// `version` of the bytes, u1 in the worker's file, which are kept if the run succeeds.
    Keep {
        /// The name.
        name: String,
        /// The bytes.
        bytes: Out,
    },
}

fn many() -> usize {
    usize::MAX
}

impl Wanted {
    /// Whether its answer is arrays that stay until the end of the run.
    pub(crate) fn stays(&self) -> bool {
        match self {
            Wanted::Neighbors { .. }
            | Wanted::Hashes { .. }
            | Wanted::NearHashes { .. }
            | Wanted::Probabilities
            | Wanted::ColumnNumbers { .. }
            | Wanted::LabelsOf { .. }
            | Wanted::ScoresOf { .. }
            | Wanted::Kept { .. } => true,
            Wanted::Embeddings
            | Wanted::Similarities { .. }
            | Wanted::Block { .. }
            | Wanted::Model
            | Wanted::EmbedTexts { .. }
            | Wanted::Prompts { .. }
            | Wanted::Pixels { .. }
            | Wanted::Column { .. }
            | Wanted::Keep { .. } => false,
        }
    }

    /// What it is about, to say what a worker did last.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Wanted::Embeddings => "embeddings",
            Wanted::Neighbors { .. } => "neighbors",
            Wanted::Similarities { .. } | Wanted::Block { .. } => "similarities",
            Wanted::Model => "the model",
            Wanted::EmbedTexts { .. } => "text embeddings",
            Wanted::Prompts { .. } => "prompts",
            Wanted::Hashes { .. } => "perceptual hashes",
            Wanted::NearHashes { .. } => "similar hashes",
            Wanted::Probabilities => "class probabilities",
            Wanted::Pixels { .. } => "pictures",
            Wanted::Column { .. } | Wanted::ColumnNumbers { .. } | Wanted::LabelsOf { .. } => "a column",
            Wanted::ScoresOf { .. } => "scores of another detector",
            Wanted::Kept { .. } => "what it kept",
            Wanted::Keep { .. } => "room to keep something",
        }
    }
}

/// A perceptual hash.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hash {
    /// pHash.
    Phash,
    /// dHash.
    Dhash,
    /// pHash of pictures that may be turned or mirrored.
    TurnedPhash,
}

/// A picture that was lent; its pixels are RGB, row by row.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Picture {
    /// The sample.
    pub(crate) sample: usize,
    /// Where its pixels begin, in bytes.
    pub(crate) offset: u64,
    /// Width in pixels.
    pub(crate) width: usize,
    /// Height in pixels.
    pub(crate) height: usize,
    /// Width in the file, before scaling.
    pub(crate) full_width: usize,
    /// Height in the file, before scaling.
    pub(crate) full_height: usize,
    /// How the file stores it: format, format by its name, channels, orientation, frames.
    pub(crate) source: [u32; 5],
}

/// Pictures that were lent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pictures {
    /// The file with the pixels, until the next request.
    pub(crate) path: String,
    /// The pictures.
    pub(crate) pictures: Vec<Picture>,
    /// The sample to go on with.
    pub(crate) next: Option<usize>,
}

/// Why a library cannot be used.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub(crate) enum Unusable {
    /// It has no table.
    NoSymbol,
    /// The system's loader refused it.
    Loader {
        /// The loader's message.
        reason: String,
    },
    /// It was built for another version of the contract.
    OtherAbi {
        /// That version.
        theirs: u32,
    },
    /// Its table is invalid.
    BadTable {
        /// What is wrong.
        reason: String,
    },
}
