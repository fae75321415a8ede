//! Theme and keymap of the interface: presets, overridden by files of the user and of the project.

use anyhow::{Context, Result};
use chaffinch_data::config::{Config, Ui};
use chaffinch_screen::keymap::Keymap;
use chaffinch_screen::looks::Looks;
use chaffinch_screen::model::Arrangement;
use chaffinch_screen::text;
use chaffinch_screen::theme::{AUTO, Depth, Theme};
use std::path::{Path, PathBuf};

/// Loads what the configuration asks for, given the environment.
///
/// # Errors
/// If a named preset or file does not exist, or a file is not valid TOML.
pub(crate) fn load(config: &Config, get: impl Fn(&str) -> Option<String>) -> Result<Looks> {
    let ui = config.ui();
    let depth = Depth::detect(&get);
    let (mut warnings, mut files) = (Vec::new(), Vec::new());
    let mut keymap = keymap(&ui.keymap, &mut warnings)?;
    let mut overlays = Vec::new();
    for folder in config.folders() {
        for (name, is_theme) in [("keymap.toml", false), ("theme.toml", true)] {
            let file = folder.join(name);
            if !file.is_file() {
                continue;
            }
            let text = read(&file)?;
            let shown = text::safe(&file.display().to_string()).into_owned();
            match is_theme {
                true => overlays.push((text, shown)),
                false => warnings.extend(keymap.overlay_what_fits(&text, &shown)?),
            }
            files.push(file);
        }
    }
    let only_ascii = ascii(ui, &get);
    let dressed = |name: &str| -> Result<(Theme, Vec<String>)> {
        let mut theme = theme(name, config.folders(), depth)?;
        let mut skipped = Vec::new();
        for (text, shown) in &overlays {
            skipped.extend(theme.overlay_what_fits(text, shown, depth)?);
        }
        Ok((theme.ascii(only_ascii), skipped))
    };
    let asked = if ui.theme.is_empty() { AUTO } else { ui.theme.as_str() };
    let (theme, skipped) = dressed(asked)?;
    warnings.extend(skipped);
    let mut themes = vec![(asked.to_owned(), theme.clone())];
    for name in Theme::builtin_names() {
        if name != asked {
            themes.push((name.to_owned(), dressed(name)?.0));
        }
    }
    Ok(Looks {
        theme,
        themes,
        theme_name: asked.to_owned(),
        ground: ground(&get),
        open_with: ui.open_with.split_whitespace().map(str::to_owned).collect(),
        keymap,
        arrangement: Arrangement { list_width: ui.list_width, strip: ui.strip },
        learn: ui.learn,
        mouse: mouse(ui, &get),
        tags: ui.tags.clone(),
        warnings,
        files,
    })
}

/// What the color behind the text is, as far as a variable of some terminals tells: the last of its numbers is one of
/// the sixteen basic colors. The terminal is asked as well, and its answer counts.
fn ground(get: &impl Fn(&str) -> Option<String>) -> Option<[u8; 3]> {
    let number: u8 = get("COLORFGBG")?.rsplit(';').next()?.parse().ok()?;
    Some(if matches!(number, 7 | 9..=15) { [255; 3] } else { [0; 3] })
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn keymap(name: &str, warnings: &mut Vec<String>) -> Result<Keymap> {
    if name.is_empty() || Keymap::preset_names().contains(&name) || !Path::new(name).is_file() {
        let named = Some(Path::new(name)).filter(|name| !name.as_os_str().is_empty());
        return Keymap::load(named);
    }
    let mut keymap = Keymap::builtin()?;
    warnings.extend(keymap.overlay_what_fits(&read(Path::new(name))?, &text::safe(name))?);
    Ok(keymap)
}

/// Loads a built-in theme, one from a folder `themes`, or a file.
fn theme(name: &str, folders: &[PathBuf], depth: Depth) -> Result<Theme> {
    let word = !name.is_empty() && !name.contains(['/', '.']);
    let own = folders.iter().rev().map(|folder| folder.join("themes").join(format!("{name}.toml")));
    match own.filter(|_| word).find(|file| file.is_file()) {
        Some(file) => Theme::load(&file.to_string_lossy(), depth),
        None => Theme::load(name, depth),
    }
}

/// Whether only ASCII characters may be used, according to the setting or the locale.
fn ascii(ui: &Ui, get: &impl Fn(&str) -> Option<String>) -> bool {
    match ui.glyphs.as_str() {
        "ascii" => true,
        "unicode" => false,
        _ => {
            let set = |name: &&str| get(name).filter(|value| !value.is_empty());
            // Most terminals support UTF-8, so an unset locale does not matter.
            let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
            locale.is_some_and(|locale| {
                let locale = locale.to_lowercase();
                !locale.contains("utf-8") && !locale.contains("utf8")
            })
        }
    }
}

/// Over SSH, the mouse is left to the user's terminal for selecting text unless configured otherwise.
fn mouse(ui: &Ui, get: &impl Fn(&str) -> Option<String>) -> bool {
    match ui.mouse.as_str() {
        "on" => true,
        "off" => false,
        _ => ["SSH_CONNECTION", "SSH_TTY", "MOSH_CONNECTION"]
            .iter()
            .all(|name| get(name).is_none_or(|value| value.is_empty())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ui(mouse: &str, glyphs: &str) -> Ui {
        Ui { mouse: mouse.to_owned(), glyphs: glyphs.to_owned(), ..Ui::default() }
    }

    fn env(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_mouse_is_left_alone_over_ssh() {
        assert!(mouse(&ui("auto", ""), &env(&[])));
        assert!(!mouse(&ui("auto", ""), &env(&[("SSH_CONNECTION", "1 2 3 4")])));
        assert!(mouse(&ui("on", ""), &env(&[("SSH_TTY", "/dev/pts/0")])));
        assert!(!mouse(&ui("off", ""), &env(&[])));
    }

    #[test]
    fn characters_follow_the_locale() {
        assert!(ascii(&ui("", "auto"), &env(&[("LANG", "C")])));
        assert!(ascii(&ui("", "auto"), &env(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "POSIX")])));
        assert!(!ascii(&ui("", "auto"), &env(&[("LANG", "C.utf8"), ("LC_ALL", "")])));
        assert!(!ascii(&ui("", "auto"), &env(&[])));
        assert!(ascii(&ui("", "ascii"), &env(&[])) && !ascii(&ui("", "unicode"), &env(&[("LANG", "C")])));
    }

    #[test]
    fn some_terminals_tell_their_background_in_a_variable() {
        assert_eq!(ground(&env(&[("COLORFGBG", "0;default;15")])), Some([255; 3]));
        assert_eq!(ground(&env(&[("COLORFGBG", "15;0")])), Some([0; 3]));
        assert_eq!(ground(&env(&[("COLORFGBG", "default;default")])), None);
        assert_eq!(ground(&env(&[])), None);
    }

    #[test]
    fn a_theme_in_a_folder_is_found_by_its_name() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("themes")).unwrap();
        std::fs::write(temp.path().join("themes/mine.toml"), "keep = { fg = \"#123456\" }").unwrap();
        let folders = [temp.path().to_path_buf()];
        let found = theme("mine", &folders, Depth::True).unwrap();
        assert_eq!(
            found.style(chaffinch_screen::theme::Role::Keep).fg,
            Some(ratatui::style::Color::Rgb(18, 52, 86))
        );
        assert!(theme("yours", &folders, Depth::True).is_err());
    }
}
