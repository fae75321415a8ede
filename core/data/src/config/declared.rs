//! Every setting of `config.toml`, declared once.
//!
//! # How to add a setting
//!
//! Add one entry below, under its section: the comment that goes into the defaults, the schema and the manual, the name
//! of the field, its type and kind (see `kinds.rs`), its key, and optionally the default, an example, limits and an
//! environment variable. Reading, checking, merging the layers and documentation all follow from the entry.
//!
//! ```text
//! /// Whether the bell rings when a scan ends.
//! bell: bool as Flag { key: "bell", default: "false", example: "true" }
//! ```
//!
//! 1. Add the entry. In `[ui]` it becomes a field of [`Ui`]; for other sections, add a getter to [`super::Config`].
//! 2. `CHAFFINCH_UPDATE=1 cargo test --release -p chaffinch-data --lib config` updates `configs/default.toml`, the
//!    schema, and the table in `docs/configuration.md`.

use super::kinds::{Flag, Folders, Kind, NameOrFile, NamesOrFiles, Number, Optional, Text, Texts, Weights};
use super::setting::{Limits, Setting, settings};
use crate::Result;
use crate::nearest::hint;
use crate::toml_table::Table;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::ensemble::RULES;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

settings! {
    /// Settings of Chaffinch. See docs/configuration.md for where they are read from.
    "" general: General {
        /// The model: "bundled" ("bundled-photo" or "bundled-small", by the size of the pictures), a name on the
        /// Hugging Face Hub such as "openai/clip-vit-base-patch32", or a folder.
        model: String as Text {
            key: "model", default: r#""bundled""#, example: r#""bundled""#, variable: Some("CHAFFINCH_MODEL"),
        }
        /// Where the model runs: "auto", "cpu", "cpu:bf16" (faster on processors with AMX), "cuda" (all GPUs), "cuda:0" or
        /// "cuda:0,1".
        device: String as Text {
            key: "device", default: r#""auto""#, example: r#""cpu""#, variable: Some("CHAFFINCH_DEVICE"),
            limits: Limits::Pattern("^(auto|cpu|cpu:bf16|cuda(:[0-9]+(,[0-9]+)*)?)$", unchecked),
        }
        /// How much memory of each GPU to use, for shared GPUs; all of it by default.
        vram_budget: Option<String> as Optional<Text> {
            key: "vram-budget", example: r#""6GiB""#, variable: Some("CHAFFINCH_VRAM_BUDGET"),
        }
        /// How much memory to use; by default three quarters of what the machine and its limits allow. Detectors in processes
        /// of their own have a limit of their own, memory-limit in [plugins].
        memory: Option<String> as Optional<Text> {
            key: "memory", example: r#""8GiB""#, variable: Some("CHAFFINCH_MEMORY"),
            user_only: Some(
                "how much memory to use cannot be set for a project or a session; set it in the user's config.toml or with --memory",
            ),
        }
        /// Your name as a reviewer; your login name by default.
        reviewer: Option<String> as Optional<Text> {
            key: "reviewer", example: r#""anna""#, variable: Some("CHAFFINCH_REVIEWER"),
        }
    }
    /// Which detectors run, and a section for each detector with its threshold and parameters.
    "detectors" detectors: Detectors {
        /// Run only these detectors, including those disabled below; an empty list runs all that are not disabled.
        enabled: Vec<String> as Texts { key: "enabled", default: "[]", example: r#"["duplicates"]"# }
        /// Detectors that run only when named, above or with --detectors. clean-selection flags every sample whose label is not
        /// certain enough to train on, often a quarter of a dataset or more, which would bury the suspects of other detectors.
        /// Your own list replaces this one: include clean-selection to keep it disabled.
        disabled: Vec<String> as Texts {
            key: "disabled", default: r#"["clean-selection"]"#, example: r#"["clean-selection", "pollution"]"#,
            aside: &[
                "Each detector can have a threshold (samples that score below it are flagged) and its own parameters;",
                "`chaffinch plugins list` shows them:",
                "",
                "[detectors.duplicates]",
                "threshold = 0.5",
                "radius = 5",
                "",
                "[detectors.clip-prompt]",
                r#"mode = "zero-shot"       # choices are set by name"#,
            ],
        }
    }
    /// How detectors are combined.
    "ensemble" ensemble: Ensemble {
        /// How detectors are combined into one ranking: "or" (what any detector flags; the likelier a sample is bad, the sooner
        /// it comes, by how sure the detectors are, how far their scores stand out from the usual, and whether others agree),
        /// "and" (all agree), "2-of-n" (two, or any other number, agree), "majority" (by how many agree), "mean-rank", "average" (of scores), "consensus" (average
        /// score of the detectors that agree most), "weighted", "stacking" (learned from your decisions), "recall" (finds more)
        /// or "precision" (fewer false alarms).
        rule: String as Text {
            key: "rule", default: r#""or""#, example: r#""majority""#,
            limits: Limits::Pattern(
                "^(or|and|[1-9][0-9]*-of-n|majority|mean-rank|average|consensus|weighted|stacking|recall|precision)$",
                unknown_rule,
            ),
        }
        /// Weights for the rule "weighted"; detectors not listed here have weight 1.
        weights: BTreeMap<String, f32> as Weights { key: "weights", example: "{ duplicates = 2 }" }
    }
    /// Your own detectors.
    "plugins" plugins: Plugins {
        /// Folders with your own detectors, in addition to those that ship with Chaffinch. Detectors are code, so a project
        /// or a session cannot set this.
        folders: Vec<PathBuf> as Folders {
            key: "folders", default: "[]", example: r#"["detectors"]"#,
            user_only: Some(
                "folders of detectors cannot be set for a project or a session because detectors are code; set them in the user's config.toml or with --plugins",
            ),
        }
        /// Whether the detectors that ship with Chaffinch run in processes of their own, too.
        own_process: bool as Flag { key: "own-process", default: "false", example: "true" }
        /// Seconds that a run of a detector in a process of its own may take; by default 10 minutes and 0.1 s for each sample.
        /// A detector.toml can have a limit of its own.
        time_limit: Option<u16> as Optional<Number> {
            key: "time-limit", example: "3600", variable: Some("CHAFFINCH_TIME_LIMIT"), limits: Limits::Within(1.0, 65535.0),
        }
        /// How much memory such a detector may use; by default three quarters of what is free.
        memory_limit: Option<String> as Optional<Text> {
            key: "memory-limit", example: r#""8GiB""#, variable: Some("CHAFFINCH_MEMORY_LIMIT"),
        }
    }
    /// Prompts for models that read text.
    "prompts" prompts: Prompts {
        /// Prompt files; later ones override earlier ones. "default", "cifar10" and "cifar10-described" are built in.
        files: Vec<PathBuf> as NamesOrFiles { key: "files", default: r#"["default"]"#, example: r#"["default"]"# }
        /// Files that say what classes are whose names are not words, in lines such as 0 = "tabby cat". A classes.toml in the
        /// dataset's folder or beside it is read without being named, and ImageNet's WordNet ids are known.
        class_names: Vec<PathBuf> as Folders { key: "class-names", default: "[]", example: r#"["classes.toml"]"# }
    }
    /// How the interface looks.
    "ui" ui: Ui {
        /// "auto" (dark or light, as the terminal's background is), "dark", "light", "high-contrast", "deuteranopia",
        /// "protanopia", "tritanopia", "mono", the name of a file in the themes/ folder next to config.toml, or a file.
        /// theme.toml next to config.toml overrides it role by role.
        theme: String as NameOrFile {
            key: "theme", default: r#""auto""#, example: r#""light""#, variable: Some("CHAFFINCH_THEME"),
        }
        /// The command that `gx` opens a file with, without a shell; the path is its last argument. Empty for the system's
        /// own (`xdg-open`, on a Mac `open`). A command is code, so a project or a session cannot set this.
        open_with: String as Text {
            key: "open-with", default: r#""""#, example: r#""feh --fullscreen""#,
            user_only: Some(
                "a command cannot be set for a project or a session because it is code; set it in the user's config.toml",
            ),
        }
        /// "default", "vim", "prodigy", "lightroom", or a file. keymap.toml next to config.toml overrides it key by key.
        keymap: String as NameOrFile {
            key: "keymap", default: r#""default""#, example: r#""vim""#, variable: Some("CHAFFINCH_KEYMAP"),
        }
        /// How pictures are shown: "auto" (the best the terminal supports), "kitty", "iterm2", "sixel", "blocks", "truecolor",
        /// "256", "ascii" or "off". --pictures and CHAFFINCH_PICTURES take precedence; see docs/terminals.md.
        picture: String as Text {
            key: "picture", default: r#""auto""#, example: r#""blocks""#, variable: Some("CHAFFINCH_PICTURES"),
            limits: Limits::Words(
                &["auto", "kitty", "iterm2", "sixel", "blocks", "truecolor", "256", "ascii", "off"],
            ),
        }
        /// Whether Chaffinch handles the mouse; the terminal then selects text with Shift held down: "auto" (not over SSH),
        /// "on" or "off". `gm` toggles it at any time.
        mouse: String as Text {
            key: "mouse", default: r#""auto""#, example: r#""off""#, variable: Some("CHAFFINCH_MOUSE"),
            limits: Limits::OneOf(&["auto", "on", "off"]),
        }
        /// The characters the screen is drawn with: "auto" (depends on the locale), "unicode" or "ascii".
        glyphs: String as Text {
            key: "glyphs", default: r#""auto""#, example: r#""ascii""#, variable: Some("CHAFFINCH_GLYPHS"),
            limits: Limits::OneOf(&["auto", "unicode", "ascii"]),
        }
        /// Your own tags, offered along with the built-in ones.
        tags: Vec<String> as Texts {
            key: "tags", default: "[]", example: r#"["night", "toy"]"#, limits: Limits::Pattern("^\\S+$", unchecked),
        }
        /// Width of the list as a percentage of the screen, 20 to 80; by default it depends on the screen.
        list_width: Option<u16> as Optional<Number> { key: "list-width", example: "50", limits: Limits::Within(20.0, 80.0) }
        /// Whether pictures of neighbors are shown below the sample if there is room.
        strip: bool as Flag { key: "strip", default: "true", example: "false" }
        /// Whether an order learned from your decisions is offered once it predicts them better than the rank (`,l` takes it).
        learn: bool as Flag { key: "learn", default: "true", example: "false" }
    }
}

/// For patterns that only help editors: the code that uses the value reports errors.
fn unchecked(_: &str) -> Option<String> {
    None
}

fn unknown_rule(name: &str) -> Option<String> {
    let unknown = EnsembleRule::parse(name, &BTreeMap::new()).is_none();
    unknown.then(|| {
        let (rules, hint) = (RULES.join(", "), hint(name, RULES));
        format!("unknown rule '{name}' (expected {rules}, or 2-of-n with any number){hint}")
    })
}
