//! The words of the command line, parsed and nothing more.

use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::ensemble::RULES;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::collections::BTreeMap;
use std::path::PathBuf;

mod bench;
mod probabilities;
mod settings;

pub(super) use bench::{
    Bench, BenchAudit, BenchDetectors, BenchEmbed, BenchHashes, BenchImages, BenchNeighbors, BenchProduct,
};
pub(super) use probabilities::{
    LabelQuality, PromptPooling, QualityFormat, ScoreMethod, Select, SelectSource,
};
pub(super) use settings::{Config, ConfigAction, SchemaOf, ScreenArgs};

/// Finds the bad samples of an image-classification dataset and lets you decide about them, in a terminal.
#[derive(Debug, Parser)]
#[command(name = "chaffinch", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Start with `chaffinch demo`. Exit status: 0 done, 1 suspects found where --fail-on asked, \
                        2 error, 130 interrupted."
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Global {
    /// The session's folder [default: one for each dataset, under the XDG state folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) session: Option<PathBuf>,
    /// Configuration to read instead of $XDG_CONFIG_HOME/chaffinch/config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// No progress and no remarks on stderr, warnings and errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// What the engine logs, on stderr
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Scan and open the built-in sample set; a summary where stdout is no terminal
    Demo(Demo),
    /// Bring a dataset's session up to date: index, embed, run the detectors
    Scan(Scan),
    /// Open the terminal interface; what is missing is computed in the background
    Open(Open),
    /// What `open` starts behind the screen
    #[command(hide = true)]
    Engine(Engine),
    /// List suspects, worst first
    Rank(Rank),
    /// Compare what was found with a list of known faults
    Evaluate(Evaluate),
    /// Find images of a training set that stand in its test set
    Leaks(Leaks),
    /// Make a copy of a dataset with known faults, to measure detectors by
    Pollute(Pollute),
    /// Find wrong labels from class probabilities that a model of your own gave
    LabelQuality(LabelQuality),
    /// Select the samples whose labels can be trusted, to train a classifier on
    Select(Select),
    /// Write what was decided: a manifest, lists, or a cleaned copy
    Export(Export),
    /// Detector libraries: list them, check one, start a new one
    #[command(subcommand)]
    Plugins(Plugins),
    /// Models: list them, check one
    #[command(subcommand)]
    Models(Models),
    /// Say what was found on this machine and what is missing
    Doctor(Doctor),
    /// Completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Show the configuration, or check a file
    Config(Config),
    /// Print the key card: every key and what it does, with the keymap that is in force
    Keys {
        /// The keys: default, vim, prodigy, lightroom, or a file [default: the configuration's]
        #[arg(long, value_name = "NAME|FILE")]
        keymap: Option<String>,
    },
    /// Measure a part of the program
    #[command(subcommand, hide = true)]
    Bench(Bench),
}

/// How to read a dataset.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Dataset")]
pub(super) struct DatasetArgs {
    /// The table's column of paths
    #[arg(long, value_name = "NAME")]
    pub(super) path_column: Option<String>,
    /// The table's column of labels
    #[arg(long, value_name = "NAME")]
    pub(super) label_column: Option<String>,
    /// The table's column of splits
    #[arg(long, value_name = "NAME")]
    pub(super) split_column: Option<String>,
    /// The folder that a table's relative paths start from [default: the table's own]
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
}

/// With what a dataset is scanned.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Scan")]
pub(super) struct EngineArgs {
    /// The model: `bundled`, a name on the hub, or a folder [default: the configuration's]
    #[arg(long, value_name = "NAME|DIR")]
    pub(super) model: Option<String>,
    /// Where the model runs: auto, cpu, cpu:bf16, cuda:N [default: the configuration's]
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    /// How much of a shared GPU's memory may be taken, such as 6GiB [default: the configuration's, else all]
    #[arg(long, value_name = "BYTES")]
    pub(super) vram_budget: Option<String>,
    /// Detectors to run [default: all that are enabled]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(super) detectors: Vec<String>,
    /// How detectors are joined: or, and, 2-of-n, majority, mean-rank, average, consensus, weighted, stacking, recall,
    /// precision [default: the session's or configuration's]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(super) ensemble: Option<String>,
    /// One more folder of detector libraries; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(super) plugins: Vec<PathBuf>,
}

/// The name of a rule that joins detectors.
fn rule(name: &str) -> Result<String, String> {
    match EnsembleRule::parse(name, &BTreeMap::new()) {
        Some(rule) => Ok(rule.name()),
        None => Err(format!(
            "there is no such rule (there are: {}, and 2-of-n with any number)",
            RULES.join(", ")
        )),
    }
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The summary, also where stdout is a terminal
    #[arg(long)]
    pub(super) summary: bool,
    /// Suspects in the summary
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(super) top: usize,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
}

#[derive(Debug, Args)]
pub(super) struct Scan {
    /// A folder of images or a CSV or TSV table
    #[arg(value_name = "DATASET")]
    pub(super) dataset: PathBuf,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) reading: DatasetArgs,
    /// The report as JSON on stdout
    #[arg(long)]
    pub(super) json: bool,
    /// Exit with 1 when there are any
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(super) fail_on: Option<FailOn>,
}

/// What `scan --fail-on` looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Any suspect
    Suspects,
    /// Any file that cannot be read as a picture
    Unreadable,
}

#[derive(Debug, Args)]
pub(super) struct Open {
    /// A dataset, or a session's folder
    #[arg(value_name = "DATASET|SESSION")]
    pub(super) target: PathBuf,
    /// How pictures are shown: auto, kitty, iterm2, sixel, blocks, truecolor, 256, ascii or off [default: what
    /// $CHAFFINCH_PICTURES or the configuration says, else auto]
    #[arg(long, value_name = "HOW")]
    pub(super) pictures: Option<String>,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) reading: DatasetArgs,
}

#[derive(Debug, Args)]
pub(super) struct Engine {
    /// Where to listen for terminals
    #[arg(long, value_name = "FILE")]
    pub(super) socket: PathBuf,
    #[command(flatten)]
    pub(super) open: Open,
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person
    Table,
    /// For a spreadsheet
    Csv,
    /// For a script
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Rank {
    /// A session's folder, or its dataset
    #[arg(value_name = "SESSION")]
    pub(super) target: PathBuf,
    /// By what to rank: `ensemble`, or a detector's name
    #[arg(long, value_name = "ensemble|DETECTOR", default_value = "ensemble")]
    pub(super) by: String,
    /// How detectors are joined: or, and, 2-of-n, majority, mean-rank, average, consensus, weighted, stacking, recall,
    /// precision [default: the session's or configuration's]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(super) ensemble: Option<String>,
    /// The first N only [default: 20 in a table, all elsewhere; 0 = all]
    #[arg(long, value_name = "N")]
    pub(super) top: Option<usize>,
    /// All samples, not suspects only
    #[arg(long)]
    pub(super) all: bool,
    /// Words that must match, as in the interface: `class:cat -decided score<0.3`
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    pub(super) filter: String,
    /// The form of the list
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Format,
}

/// The form of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For a person
    Table,
    /// For a script
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Pollute {
    /// The dataset, which stays as it is
    #[arg(value_name = "DATASET")]
    pub(super) dataset: PathBuf,
    /// A new folder for the copy (in `data`) and the lists `planted.csv` and `truth.csv`
    #[arg(long, value_name = "DIR")]
    pub(super) output: PathBuf,
    /// The same seed plants the same faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Share of all samples that get another class, any other alike
    #[arg(long, value_name = "SHARE", group = "noise")]
    pub(super) symmetric: Option<f64>,
    /// With --symmetric: draw from all classes, so that some keep theirs
    #[arg(long, requires = "symmetric")]
    pub(super) same_too: bool,
    /// Share of each class in --pairs that gets the class beside it
    #[arg(long, value_name = "SHARE", group = "noise", requires = "pairs")]
    pub(super) asymmetric: Option<f64>,
    /// A table of two columns: true class, given class
    #[arg(long, value_name = "CSV", requires = "asymmetric")]
    pub(super) pairs: Option<PathBuf>,
    /// Probabilities of given classes (rows) for true ones (columns, named by the heading, each summing to 1)
    #[arg(long, value_name = "CSV", group = "noise")]
    pub(super) matrix: Option<PathBuf>,
    /// Labels to give, one a sample: a table with the columns `path` and `label`
    #[arg(long, value_name = "CSV", group = "noise")]
    pub(super) labels: Option<PathBuf>,
    /// Exact copies to add
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) copies: usize,
    /// Copies to add that are written again, every second at another size
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) reencoded: usize,
    /// Samples to blur
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) blurred: usize,
    /// Samples to darken
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) dark: usize,
    /// Samples to cut off in the middle of the file
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) truncated: usize,
    /// Images of other things, to take foreign ones from
    #[arg(long, value_name = "DIR")]
    pub(super) foreign_from: Option<PathBuf>,
    /// Foreign images to add, each under a class drawn evenly
    #[arg(long, value_name = "N", conflicts_with = "foreign_portion")]
    pub(super) foreign: Option<usize>,
    /// Foreign images to add, as a portion of the polluted dataset
    #[arg(long, value_name = "SHARE")]
    pub(super) foreign_portion: Option<f64>,
    /// How unchanged files come into the copy
    #[arg(long, value_enum, default_value = "link")]
    pub(super) copy: CopyMode,
    #[command(flatten)]
    pub(super) reading: DatasetArgs,
    /// The report as JSON on stdout
    #[arg(long)]
    pub(super) json: bool,
}

/// How leaks are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LeakMethod {
    /// The same bytes
    Exact,
    /// Near perceptual hashes
    Perceptual,
    /// Near embeddings: the nearest training image of each test image
    Semantic,
}

#[derive(Debug, Args)]
pub(super) struct Leaks {
    /// The training set: a folder of images or a CSV or TSV table
    #[arg(long, value_name = "DATASET")]
    pub(super) train: PathBuf,
    /// The test set
    #[arg(long, value_name = "DATASET")]
    pub(super) test: PathBuf,
    /// The report; its summary goes beside it, as NAME_summary.txt
    #[arg(long, value_name = "CSV")]
    pub(super) output: PathBuf,
    /// The methods; a pair is reported by the first that finds it
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_enum, default_values = ["exact", "perceptual"])]
    pub(super) methods: Vec<LeakMethod>,
    /// Bits of the 64-bit pHash that may differ
    #[arg(long, value_name = "BITS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=16))]
    pub(super) phash_threshold: u32,
    /// Least cosine of embeddings
    #[arg(long, value_name = "COSINE", default_value_t = 0.95)]
    pub(super) semantic_threshold: f32,
    /// The model for `semantic`: `bundled`, a name on the hub, or a folder [default: the configuration's]
    #[arg(long, value_name = "NAME|DIR")]
    pub(super) model: Option<String>,
    /// Where the model runs: auto, cpu, cpu:bf16, cuda:N [default: the configuration's]
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
    /// The form of the counts on stdout
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: ReportFormat,
}

#[derive(Debug, Args)]
pub(super) struct Evaluate {
    /// A session's folder, or its dataset
    #[arg(value_name = "SESSION")]
    pub(super) target: PathBuf,
    /// A table of the truth: a column `path`, and `is_error` (0 or 1) or `label` (the right one)
    #[arg(long, value_name = "CSV", required_unless_present = "reviewed")]
    pub(super) truth: Option<PathBuf>,
    /// Only samples that were decided; without --truth the decisions are the truth
    #[arg(long)]
    pub(super) reviewed: bool,
    /// Only samples named in this file: one path a line, or a table with a column `path`
    #[arg(long, value_name = "FILE")]
    pub(super) subset: Option<PathBuf>,
    /// Only samples that nobody has decided about: what `stacking` has not learned from
    #[arg(long)]
    pub(super) undecided: bool,
    /// How detectors are joined, as in `rank` [default: the session's or configuration's]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(super) ensemble: Option<String>,
    /// All rules side by side
    #[arg(long)]
    pub(super) ensembles: bool,
    /// How often samples are drawn again for the 95 % intervals; 0 = no intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) bootstrap: usize,
    /// The seed of these draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Draw precision-recall curves: of the detectors named, or of all
    #[arg(long, value_name = "NAMES", num_args = 0..=1, value_delimiter = ',', require_equals = true)]
    pub(super) plot: Option<Vec<String>>,
    /// Write the precision-recall curves as an SVG picture
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: ReportFormat,
}

/// What `export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// CSV of suspects and reviewed samples with scores, flags and decisions
    Manifest,
    /// Paths of the samples to remove, one a line
    RemovalList,
    /// JSON of new labels by path
    RelabelMap,
    /// A copy of the dataset without removed samples, relabelled ones in their new class
    Cleaned,
    /// CSV of the cleaned dataset: path, label, split and the columns of your own table
    CleanedTable,
    /// The four files, in one folder
    All,
}

/// How `export --format cleaned` makes its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CopyMode {
    /// Hard links, which take no space; symbolic ones where there are none
    Link,
    /// Symbolic links
    Symlink,
    /// Full copies
    Copy,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// A session's folder, or its dataset
    #[arg(value_name = "SESSION")]
    pub(super) target: PathBuf,
    /// What to write
    #[arg(long, value_enum)]
    pub(super) format: ExportFormat,
    /// Where to: a file, or a folder for `cleaned` and `all`
    #[arg(long, short, value_name = "PATH")]
    pub(super) output: PathBuf,
    /// How a cleaned copy gets its files
    #[arg(long, value_enum, default_value = "link")]
    pub(super) copy: CopyMode,
    /// All samples in the manifest, not only suspects and reviewed ones
    #[arg(long)]
    pub(super) all: bool,
    /// Replace files that exist already
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// Detectors that were loaded, and libraries that were refused
    List {
        /// One more folder of detector libraries; may be given several times
        #[arg(long, value_name = "DIR")]
        plugins: Vec<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a library on a small generated dataset and say what is wrong with it
    Check {
        /// The library
        file: PathBuf,
        /// Seconds before a detector counts as hanging
        #[arg(long, value_name = "N", default_value_t = 120)]
        limit: u64,
        /// Run in this process, without a guard against crashes
        #[arg(long, hide = true)]
        unguarded: bool,
    },
    /// Write the two files of a new detector
    New {
        /// Its name: lower case, digits, hyphens
        name: String,
        /// The folder to put it in [default: plugins/ of the checkout you are in, else here]
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,
        /// The folder of the crate chaffinch-plugin [default: found]
        #[arg(long, value_name = "DIR")]
        contract: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Models {
    /// The bundled model and those in the hub's cache
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Load a model, embed a test picture and two prompts
    Check {
        /// `bundled`, a name on the hub, or a folder [default: the configuration's]
        model: Option<String>,
        /// Where it runs: auto, cpu, cpu:bf16, cuda:N
        #[arg(long, value_name = "DEVICE")]
        device: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// One more folder of detector libraries; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(super) plugins: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lists_are_split_at_commas() {
        let cli =
            Cli::parse_from(["chaffinch", "scan", "data", "--detectors", "a,b", "--fail-on", "suspects"]);
        let Command::Scan(scan) = cli.command else { panic!("another command") };
        assert_eq!(scan.engine.detectors, ["a", "b"]);
        assert_eq!(scan.fail_on, Some(FailOn::Suspects));
    }
}
