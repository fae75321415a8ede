//! The declaration of a detector: one constant that drives loading, the parameter form, configuration checks and
//! documentation.

use crate::abi::{Info, Param, Slice, Str};

/// What a detector needs the host to provide. Needs shared by several detectors are computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Needs(u64);

impl Needs {
    /// Labels, splits, sizes and content hashes, which are always available.
    pub const NOTHING: Needs = Needs(0);
    /// Decoded pixels: [`View::pixels`](crate::View::pixels).
    pub const PIXELS: Needs = Needs(1);
    /// One unit-length embedding per sample.
    pub const EMBEDDINGS: Needs = Needs(1 << 1);
    /// Nearest neighbors in embedding space.
    pub const NEIGHBORS: Needs = Needs(1 << 2);
    /// A text tower in addition to the image tower, for prompts.
    pub const TEXTS: Needs = Needs(1 << 3);
    /// Perceptual hashes.
    pub const HASHES: Needs = Needs(1 << 4);
    /// A given label for each sample.
    pub const LABELS: Needs = Needs(1 << 5);
    /// Class probabilities for each sample from a model not trained on it.
    pub const PROBABILITIES: Needs = Needs(1 << 6);
    /// What the reviewer has decided so far: [`View::decision`](crate::View::decision). A detector that reads it is out of date once
    /// more is decided.
    pub const DECISIONS: Needs = Needs(1 << 7);

    /// The union of both sets.
    #[must_use]
    pub const fn and(self, other: Needs) -> Needs {
        Needs(self.0 | other.0)
    }

    /// Whether this contains all of `other`.
    pub const fn contains(self, other: Needs) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits, as passed across the boundary.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Needs from bits passed across the boundary.
    pub const fn from_bits(bits: u64) -> Needs {
        Needs(bits)
    }
}

/// What a score is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each sample is judged on its own.
    Sample,
    /// Samples are judged in groups (duplicates, leaks), which can be decided together.
    Group,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A number within bounds.
    Number,
    /// An integer within bounds.
    Integer,
    /// On or off.
    Flag,
    /// One of several names.
    Choice,
}

impl Param {
    const fn build(
        name: &'static str,
        help: &'static str,
        kind: u32,
        default: f64,
        min: f64,
        max: f64,
    ) -> Param {
        Param {
            name: Str::new(name),
            help: Str::new(help),
            kind,
            needs: 0,
            default,
            min,
            max,
            choices: Slice::new(&[]),
        }
    }

    /// A parameter that another process or a file declares; `choices` are empty unless it is a choice.
    #[cfg(feature = "host")]
    pub const fn declared(
        name: &'static str,
        help: &'static str,
        kind: ParamKind,
        default: f64,
        bounds: (f64, f64),
        choices: &'static [Str],
    ) -> Param {
        let kind = match kind {
            ParamKind::Number => 0,
            ParamKind::Integer => 1,
            ParamKind::Flag => 2,
            ParamKind::Choice => 3,
        };
        let mut param = Param::build(name, help, kind, default, bounds.0, bounds.1);
        param.choices = Slice::new(choices);
        param
    }

    /// A number in `min..=max`.
    pub const fn number(name: &'static str, default: f64, min: f64, max: f64, help: &'static str) -> Param {
        Param::build(name, help, 0, default, min, max)
    }

    /// An integer in `min..=max`.
    pub const fn integer(name: &'static str, default: i32, min: i32, max: i32, help: &'static str) -> Param {
        Param::build(name, help, 1, default as f64, min as f64, max as f64)
    }

    /// On or off.
    pub const fn flag(name: &'static str, default: bool, help: &'static str) -> Param {
        Param::build(name, help, 2, if default { 1.0 } else { 0.0 }, 0.0, 1.0)
    }

    /// One of `choices`; the first is the default. Read it with [`View::choice`](crate::View::choice).
    pub const fn choice(name: &'static str, choices: &'static [Str], help: &'static str) -> Param {
        let mut param = Param::build(name, help, 3, 0.0, 0.0, choices.len() as f64 - 1.0);
        param.choices = Slice::new(choices);
        param
    }

    /// Adds needs that apply only if the value is not the default.
    #[must_use]
    pub const fn needs(mut self, needs: Needs) -> Param {
        self.needs = needs.0 as u32;
        self
    }

    /// Additional needs of the detector if the parameter has this value.
    pub fn needed_at(&self, value: f64) -> Needs {
        if value == self.default { Needs::NOTHING } else { Needs(u64::from(self.needs)) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name.as_static()
    }

    /// One sentence for the form and the documentation.
    pub fn help(&self) -> &'static str {
        self.help.as_static()
    }

    /// Its type.
    pub fn kind(&self) -> ParamKind {
        match self.kind {
            1 => ParamKind::Integer,
            2 => ParamKind::Flag,
            3 => ParamKind::Choice,
            _ => ParamKind::Number,
        }
    }

    /// The default: the number, 0 or 1 for a flag, the index for a choice.
    pub fn default(&self) -> f64 {
        self.default
    }

    /// Minimum and maximum.
    pub fn bounds(&self) -> (f64, f64) {
        (self.min, self.max)
    }

    /// The names of the choices.
    pub fn choices(&self) -> Vec<&'static str> {
        self.choices.as_static().iter().map(Str::as_static).collect()
    }
}

impl Info {
    /// Declares the detector `name` (lowercase, with hyphens); `summary` says what it finds.
    pub const fn new(name: &'static str, summary: &'static str) -> Info {
        Info {
            name: Str::new(name),
            version: Str::new("0.1.0"),
            summary: Str::new(summary),
            docs: Str::new(""),
            needs: Needs::NOTHING.bits(),
            threshold: 0.5,
            scope: 0,
            params: Slice::new(&[]),
            columns: Slice::new(&[]),
            after: Slice::new(&[]),
        }
    }

    /// Its version, usually `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub const fn version(mut self, version: &'static str) -> Info {
        self.version = Str::new(version);
        self
    }

    /// Its documentation: What it finds, Why it matters, Score, Parameters, Blind spots.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Info {
        self.docs = Str::new(docs);
        self
    }

    /// What the host must provide. A [`SampleDetector`](crate::SampleDetector) always has
    /// [`Needs::PIXELS`].
    #[must_use]
    pub const fn needs(mut self, needs: Needs) -> Info {
        self.needs = needs.bits();
        self
    }

    /// Samples with a score **below** this are flagged; the user can move the threshold.
    #[must_use]
    pub const fn threshold(mut self, threshold: f32) -> Info {
        self.threshold = threshold;
        self
    }

    /// What a score is about; the default is [`Scope::Sample`].
    #[must_use]
    pub const fn scope(mut self, scope: Scope) -> Info {
        self.scope = match scope {
            Scope::Sample => 0,
            Scope::Group => 1,
        };
        self
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(mut self, params: &'static [Param]) -> Info {
        self.params = Slice::new(params);
        self
    }

    /// The columns of the dataset that it requests ([`View::column`](crate::View::column)): its own, or `path`, `label`,
    /// `split`, `width`, `height` or `bytes`.
    #[must_use]
    pub const fn columns(mut self, columns: &'static [Str]) -> Info {
        self.columns = Slice::new(columns);
        self
    }

    /// The detectors whose scores it requests ([`View::scores_of`](crate::View::scores_of)); they run before it.
    #[must_use]
    pub const fn after(mut self, detectors: &'static [Str]) -> Info {
        self.after = Slice::new(detectors);
        self
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.name.as_static()
    }

    /// The version.
    pub fn version_text(&self) -> &'static str {
        self.version.as_static()
    }

    /// What it finds, in one line.
    pub fn summary(&self) -> &'static str {
        self.summary.as_static()
    }

    /// The documentation, possibly empty.
    pub fn docs_text(&self) -> &'static str {
        self.docs.as_static()
    }

    /// What it needs.
    pub fn needed(&self) -> Needs {
        Needs::from_bits(self.needs)
    }

    /// Its default threshold.
    pub fn default_threshold(&self) -> f32 {
        self.threshold
    }

    /// What a score is about.
    pub fn judged(&self) -> Scope {
        if self.scope == 1 { Scope::Group } else { Scope::Sample }
    }

    /// Its parameters.
    pub fn parameters(&self) -> &'static [Param] {
        self.params.as_static()
    }

    /// The columns of the dataset that it may request.
    pub fn needed_columns(&self) -> Vec<&'static str> {
        self.columns.as_static().iter().map(Str::as_static).collect()
    }

    /// The detectors whose scores it may request.
    pub fn follows(&self) -> Vec<&'static str> {
        self.after.as_static().iter().map(Str::as_static).collect()
    }
}
