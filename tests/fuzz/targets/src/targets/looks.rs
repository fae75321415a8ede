//! What users write to set the program up: configuration, keymap, theme, prompts and names of classes.

use crate::Target;
use crate::fixtures::below;
use crate::stage::put;
use crate::{chosen, input};
use chaffinch_data::config::Config;
use chaffinch_data::prompts::PromptSet;
use chaffinch_screen::key::parse_sequence;
use chaffinch_screen::keymap::Keymap;
use chaffinch_screen::model::Model;
use chaffinch_screen::theme::{Depth, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;
use std::path::Path;
use tempfile::TempDir;

/// The target.
pub const TARGET: Target = Target {
    name: "looks",
    reads: "configuration, keymaps, themes, prompts, names of classes, keys",
    run,
    seeds,
};

thread_local! {
    static FOLDER: TempDir = tempfile::Builder::new().prefix("chaffinch-fuzz-").tempdir().unwrap();
}

fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = chosen(bytes, 6) else { return };
    if kind == 0 {
        let folder = FOLDER.with(|folder| folder.path().to_path_buf());
        let file = folder.join("chaffinch.toml");
        put(&file, bytes);
        if let Ok(config) = Config::load_with(&file, None) {
            let _ = (config.effective(), config.ensemble(), config.thresholds(), config.reviewer());
        }
        let _ = Config::load_kept(&file, &folder);
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match kind {
        1 => keymap(text),
        2 => theme(text),
        3 => drop(PromptSet::bundled().overlay(text, Path::new("prompts.toml"))),
        4 => {
            let mut set = PromptSet::bundled();
            if set.name_classes(text, Path::new("classes.toml")).is_ok() {
                let _ = (set.for_class("cat"), set.nameless(&["n0123".into()]), set.digest());
            }
        }
        _ => {
            if let Ok(keys) = parse_sequence(text) {
                let written = chaffinch_screen::key::notation(&keys);
                assert_eq!(parse_sequence(&written).as_ref(), Ok(&keys), "{written}");
            }
        }
    }
}

fn keymap(text: &str) {
    let mut keymap = super::terminal::keymap();
    let _ = keymap.clone().overlay(text, "keymap.toml");
    if keymap.overlay_what_fits(text, "keymap.toml").is_ok() {
        draw(keymap, super::terminal::theme());
    }
}

fn theme(text: &str) {
    for depth in [Depth::True, Depth::Mono] {
        let _ = Theme::parse(text, "theme.toml", depth);
        let mut theme = Theme::load("dark", depth).unwrap();
        if theme.overlay_what_fits(text, "theme.toml", depth).is_ok() {
            let theme = theme.on(Some([200, 190, 180]));
            draw(super::terminal::keymap(), theme);
        }
    }
}

fn draw(keymap: Keymap, theme: Theme) {
    let model = Model::new(keymap, theme, Size::new(80, 24));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| chaffinch_screen::view::view(&model, frame)).unwrap();
}

fn seeds() -> Vec<Vec<u8>> {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../configs");
    let mut all = vec![
        input(5, b"g<C-r><lt><Space>\xc3\xb6<S-Tab><F12>"),
        input(1, b"[list]\n\"<C-x>\" = \"keep\"\nzz = \"quit\"\nx = \"\"\n"),
        input(2, b"text = { fg = \"#aabbcc\", bold = true }\ntitle = \"red\"\n"),
    ];
    for (name, bytes) in below(&configs) {
        let kind = match name.split('/').next().unwrap_or_default() {
            "default.toml" => 0,
            "keymaps" => 1,
            "themes" => 2,
            "prompts" => 3,
            "names" => 4,
            _ => continue,
        };
        // The list of ImageNet's names is long, and all its lines are alike.
        all.push(input(kind, &bytes[..bytes.len().min(6000)]));
    }
    all
}
