//! Every setting of `config.toml`, declared once.
//!
//! # How to add a setting
//!
//! One entry below, under its section: the comment that the defaults, the schema and the manual have, the name of its
//! field, its type and kind (see `kinds.rs`), its key, and where they are wanted the default, an example, limits and the
//! environment variable. It is read, checked, merged over all layers and described from there.
//!
//! ```text
//! /// Whether the bell rings when a scan ends.
//! bell: bool as Flag { key: "bell", default: "false", example: "true" }
//! ```
//!
//! 1. Add the entry. In `[ui]` it is then a field of [`Ui`]; for others add a method to [`super::Config`] that gives
//!    it out.
//! 2. `CHAFFINCH_UPDATE=1 cargo test -p chaffinch-core --lib config` writes `configs/default.toml`, the schema, and
//!    the table in `docs/configuration.md`.

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
    /// Settings of Chaffinch; docs/configuration.md tells where they are read from.
    "" general: General {
        /// The model: "bundled", a name on the hub such as "openai/clip-vit-base-patch32", or a folder.
        model: String as Text {
            key: "model", default: r#""bundled""#, example: r#""bundled""#, variable: Some("CHAFFINCH_MODEL"),
        }
        /// Where the model runs: "auto", "cpu", "cpu:bf16" (faster on processors with AMX) or "cuda:0".
        device: String as Text {
            key: "device", default: r#""auto""#, example: r#""cpu""#, variable: Some("CHAFFINCH_DEVICE"),
            limits: Limits::Pattern("^(auto|cpu|cpu:bf16|cuda:[0-9]+)$", unchecked),
        }
        /// How much of a GPU's memory may be taken, for cards that are shared; by default all of it.
        vram_budget: Option<String> as Optional<Text> {
            key: "vram-budget", example: r#""6GiB""#, variable: Some("CHAFFINCH_VRAM_BUDGET"),
        }
        /// Who decides; by default the name you are logged in with.
        reviewer: Option<String> as Optional<Text> {
            key: "reviewer", example: r#""anna""#, variable: Some("CHAFFINCH_REVIEWER"),
        }
    }
    /// Which detectors run; beside it a section for each detector, with its threshold and parameters.
    "detectors" detectors: Detectors {
        /// Detectors that run, also those that are switched off below; an empty list means all others that are found.
        enabled: Vec<String> as Texts { key: "enabled", default: "[]", example: r#"["duplicates"]"# }
        /// Detectors that do not run unless they are named, above or by --detectors. clean-selection leaves out whatever is not
        /// sure enough to train on, a quarter of a dataset and more, which would bury the suspects of the others. A list of your
        /// own takes the place of this one: name it there, too, or it runs.
        disabled: Vec<String> as Texts {
            key: "disabled", default: r#"["clean-selection"]"#, example: r#"["clean-selection", "pollution"]"#,
            aside: &[
                "Each detector can have a threshold (samples that score below it are flagged) and parameters of its own;",
                "`chaffinch plugins list` shows them:",
                "",
                "[detectors.duplicates]",
                "threshold = 0.5",
                "radius = 5",
                "",
                "[detectors.clip-prompt]",
                r#"mode = "zero-shot"       # a choice goes by its name"#,
            ],
        }
    }
    /// How detectors are joined.
    "ensemble" ensemble: Ensemble {
        /// How detectors are joined into one rank: "or" (the worst detector decides), "and" (all agree), "2-of-n" (two agree, or
        /// any other number), "majority" (by how many agree), "mean-rank", "average" (of scores), "consensus" (of scores, of the
        /// detectors that agree most), "weighted", "stacking" (learned from your decisions), "recall" (finds more) or "precision"
        /// (fewer false alarms).
        rule: String as Text {
            key: "rule", default: r#""or""#, example: r#""majority""#,
            limits: Limits::Pattern(
                "^(or|and|[1-9][0-9]*-of-n|majority|mean-rank|average|consensus|weighted|stacking|recall|precision)$",
                no_rule,
            ),
        }
        /// Weights for the rule "weighted"; a detector that is not named weighs 1.
        weights: BTreeMap<String, f32> as Weights { key: "weights", example: "{ duplicates = 2 }" }
    }
    /// Detectors of your own.
    "plugins" plugins: Plugins {
        /// Folders with detectors of your own, beside those that come with the program. Detectors are code, so this is not
        /// read from a session's folder.
        folders: Vec<PathBuf> as Folders {
            key: "folders", default: "[]", example: r#"["detectors"]"#,
            user_only: Some(
                "folders of detectors cannot be set for a project or a session, since detectors are code; set them in the user's config.toml or with --plugins",
            ),
        }
    }
    /// What a model that reads text is asked.
    "prompts" prompts: Prompts {
        /// Files of prompts, later ones before earlier ones; "default", "cifar10" and
        /// "cifar10-described" are built in.
        files: Vec<PathBuf> as NamesOrFiles { key: "files", default: r#"["default"]"#, example: r#"["default"]"# }
    }
    /// How the screen looks, for the program that draws it.
    "ui" ui: Ui {
        /// "dark", "light", "high-contrast", "deuteranopia", "protanopia", "tritanopia", "mono", the name of a file in the folder
        /// themes/ beside this one, or a file. What theme.toml beside this file says goes over it.
        theme: String as NameOrFile {
            key: "theme", default: r#""dark""#, example: r#""light""#, variable: Some("CHAFFINCH_THEME"),
        }
        /// "default", "vim", "prodigy", "lightroom", or a file. What keymap.toml beside this file says goes over it.
        keymap: String as NameOrFile {
            key: "keymap", default: r#""default""#, example: r#""vim""#, variable: Some("CHAFFINCH_KEYMAP"),
        }
        /// How pictures are shown: "auto" (as well as the terminal can), "kitty", "iterm2", "sixel", "blocks", "truecolor",
        /// "256", "ascii" or "off". --pictures and CHAFFINCH_PICTURES go before it; see docs/terminals.md.
        picture: String as Text {
            key: "picture", default: r#""auto""#, example: r#""blocks""#, variable: Some("CHAFFINCH_PICTURES"),
            limits: Limits::Words(
                &["auto", "kitty", "iterm2", "sixel", "blocks", "truecolor", "256", "ascii", "off"],
            ),
        }
        /// Whether clicks and the wheel are taken, which leaves the terminal's own selection to Shift: "auto" (not over SSH),
        /// "on" or "off". `gm` switches it at any time.
        mouse: String as Text {
            key: "mouse", default: r#""auto""#, example: r#""off""#, variable: Some("CHAFFINCH_MOUSE"),
            limits: Limits::OneOf(&["auto", "on", "off"]),
        }
        /// The signs the screen is made of: "auto" (by the locale), "unicode" or "ascii".
        glyphs: String as Text {
            key: "glyphs", default: r#""auto""#, example: r#""ascii""#, variable: Some("CHAFFINCH_GLYPHS"),
            limits: Limits::OneOf(&["auto", "unicode", "ascii"]),
        }
        /// Tags of your own, offered beside the built-in ones.
        tags: Vec<String> as Texts {
            key: "tags", default: "[]", example: r#"["night", "toy"]"#, limits: Limits::Pattern("^\\S+$", unchecked),
        }
        /// Percent of the screen's width for the list, 20 to 80; left out, the width decides.
        list_width: Option<u16> as Optional<Number> { key: "list-width", example: "50", limits: Limits::Within(20.0, 80.0) }
        /// Whether pictures of neighbours are shown below the sample where there is room.
        strip: bool as Flag { key: "strip", default: "true", example: "false" }
    }
}

/// For patterns that help editors only: what is wrong is said by who uses the value.
fn unchecked(_: &str) -> Option<String> {
    None
}

fn no_rule(name: &str) -> Option<String> {
    let unknown = EnsembleRule::parse(name, &BTreeMap::new()).is_none();
    unknown.then(|| {
        let (rules, hint) = (RULES.join(", "), hint(name, RULES));
        format!("there is no rule '{name}' (there are: {rules}, and 2-of-n with any number){hint}")
    })
}
