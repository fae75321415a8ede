//! Maps keys to actions. Read from TOML: the built-in map first, then the user's on top.

use crate::action::{Action, Scope};
use crate::key::{self, KeyChord};
use anyhow::{Context, Result, bail};
use crossterm::event::KeyModifiers;
use std::collections::BTreeMap;
use std::path::Path;
use toml::de::{DeTable, DeValue};

const DEFAULT: &str = include_str!("../../../configs/keymaps/default.toml");
/// Named presets that are applied over the default map.
const PRESETS: [(&str, &str); 3] = [
    ("vim", include_str!("../../../configs/keymaps/vim.toml")),
    ("prodigy", include_str!("../../../configs/keymaps/prodigy.toml")),
    ("lightroom", include_str!("../../../configs/keymaps/lightroom.toml")),
];
/// In place of an action, this removes a key.
const DISABLED: &str = "<disabled>";

/// The result of looking up a key sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is complete.
    Action(Action),
    /// More keys may follow.
    Prefix,
    /// Nothing.
    Nothing,
}

/// Keys and their actions, by scope. Sequences are sorted in display order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap {
    bound: BTreeMap<Scope, BTreeMap<Vec<KeyChord>, Action>>,
}

impl Keymap {
    /// The built-in map.
    ///
    /// # Errors
    /// If the built-in file is invalid, which a test rules out.
    pub fn builtin() -> Result<Keymap> {
        let mut keymap = Keymap::default();
        keymap.overlay(DEFAULT, "configs/keymaps/default.toml")?;
        Ok(keymap)
    }

    /// The names of the built-in maps.
    pub fn preset_names() -> Vec<&'static str> {
        std::iter::once("default").chain(PRESETS.iter().map(|(name, _)| *name)).collect()
    }

    /// The built-in map with a preset or a user's file applied over it.
    ///
    /// # Errors
    /// Names the file, the line and the closest valid name.
    pub fn load(file: Option<&Path>) -> Result<Keymap> {
        let mut keymap = Keymap::builtin()?;
        let Some(file) = file else { return Ok(keymap) };
        match file.to_str() {
            Some("default") => {}
            Some(name) if PRESETS.iter().any(|(known, _)| *known == name) => {
                for (known, text) in PRESETS.iter().filter(|(known, _)| *known == name) {
                    keymap.overlay(text, &format!("configs/keymaps/{known}.toml"))?;
                }
            }
            Some(name) if !name.contains(['/', '.']) && !file.exists() => {
                bail!("there is no keymap '{name}': use {} or a file", Keymap::preset_names().join(", "))
            }
            _ => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("{}: cannot read the keymap", file.display()))?;
                keymap.overlay(&text, &file.display().to_string())?;
            }
        }
        Ok(keymap)
    }

    /// Applies the bindings of a file over the existing ones.
    ///
    /// # Errors
    /// As for [`Keymap::load`]; the map is then partly changed and must not be used.
    pub fn overlay(&mut self, text: &str, file: &str) -> Result<()> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            anyhow::anyhow!("{file}:{}: {}", line(at), error.message())
        })?;
        for (name, value) in table.get_ref().iter() {
            let here = format!("{file}:{}", line(name.span().start));
            let Some(scope) = Scope::ALL.into_iter().find(|scope| scope.name() == name.get_ref().as_ref())
            else {
                bail!(
                    "{here}: [{}] is not a keymap table: use [list], [prompt], [pane] or [panel]",
                    name.get_ref()
                );
            };
            let DeValue::Table(bindings) = value.get_ref() else {
                bail!("{here}: '{}' must be a table of keys", name.get_ref());
            };
            for (keys, run) in bindings.iter() {
                let here = format!("{file}:{}", line(keys.span().start));
                let sequence =
                    key::parse_sequence(keys.get_ref()).map_err(|why| anyhow::anyhow!("{here}: {why}"))?;
                let Some(run) = run.get_ref().as_str() else {
                    bail!("{here}: \"{}\" must name an action, as in \"keep\"", keys.get_ref());
                };
                self.bind(scope, sequence, run).map_err(|why| anyhow::anyhow!("{here}: {why}"))?;
            }
        }
        self.check().map_err(|why| anyhow::anyhow!("{file}: {why}"))
    }

    /// Applies the bindings of a file over the existing ones and skips invalid ones. Returns what was
    /// skipped, each with file and line.
    ///
    /// # Errors
    /// If the file is not valid TOML.
    pub fn overlay_what_fits(&mut self, text: &str, file: &str) -> Result<Vec<String>> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            anyhow::anyhow!("{file}:{}: {}", line(at), error.message())
        })?;
        let mut complaints = Vec::new();
        // Each binding is tried on a copy, so that only one that would break the map is skipped.
        for (name, value) in table.get_ref().iter() {
            let scope = name.get_ref().as_ref();
            let DeValue::Table(bindings) = value.get_ref() else {
                complaints
                    .push(format!("{file}:{}: '{scope}' must be a table of keys", line(name.span().start)));
                continue;
            };
            if !Scope::ALL.iter().any(|known| known.name() == scope) {
                let names: Vec<String> =
                    Scope::ALL.iter().map(|scope| format!("[{}]", scope.name())).collect();
                let at = line(name.span().start);
                complaints
                    .push(format!("{file}:{at}: [{scope}] is not a keymap table: use {}", names.join(", ")));
                continue;
            }
            let mut entries: Vec<_> = bindings.iter().collect();
            // Removals come first: they may free keys for new bindings.
            entries.sort_by_key(|(keys, run)| (run.get_ref().as_str() != Some(DISABLED), keys.span().start));
            for (keys, run) in entries {
                let at = line(keys.span().start);
                let attempt = self.clone().with_binding(scope, keys.get_ref(), run.get_ref().as_str());
                match attempt {
                    Ok(keymap) => *self = keymap,
                    Err(why) => complaints.push(format!("{file}:{at}: {why}")),
                }
            }
        }
        complaints.sort_by_key(|text| {
            text[file.len()..].trim_start_matches(':').split(':').next().and_then(|n| n.parse::<u32>().ok())
        });
        Ok(complaints)
    }

    fn with_binding(mut self, scope: &str, keys: &str, run: Option<&str>) -> Result<Keymap, String> {
        let scope = Scope::ALL.into_iter().find(|known| known.name() == scope).unwrap_or(Scope::List);
        let sequence = key::parse_sequence(keys)?;
        let run = run.ok_or_else(|| format!("\"{keys}\" must name an action, as in \"keep\""))?;
        self.bind(scope, sequence, run)?;
        self.check()?;
        Ok(self)
    }

    fn bind(&mut self, scope: Scope, sequence: Vec<KeyChord>, run: &str) -> Result<(), String> {
        let bound = self.bound.entry(scope).or_default();
        if run == DISABLED {
            bound.remove(&sequence);
            return Ok(());
        }
        let Some(action) = Action::from_name(run) else {
            return Err(format!("there is no action '{run}': did you mean '{}'?", Action::nearest(run)));
        };
        if action.scope() != scope {
            let (right, wrong) = (action.scope().name(), scope.name());
            return Err(format!("'{run}' belongs in [{right}], not in [{wrong}]"));
        }
        bound.insert(sequence, action);
        Ok(())
    }

    /// A bound key must not also start a longer sequence: one of the two could never be reached.
    fn check(&self) -> Result<(), String> {
        for bound in self.bound.values() {
            let sequences: Vec<&Vec<KeyChord>> = bound.keys().collect();
            for pair in sequences.windows(2) {
                if pair[1].starts_with(pair[0]) {
                    let (short, long) = (key::notation(pair[0]), key::notation(pair[1]));
                    return Err(format!(
                        "\"{short}\" is bound, so \"{long}\" can never be typed: to free it, add \"{short}\" = \"{DISABLED}\""
                    ));
                }
            }
        }
        Ok(())
    }

    /// The action that these keys trigger.
    pub fn lookup(&self, scope: Scope, keys: &[KeyChord]) -> Lookup {
        let Some(bound) = self.bound.get(&scope) else { return Lookup::Nothing };
        if let Some(action) = bound.get(keys) {
            return Lookup::Action(*action);
        }
        let longer = bound.range(keys.to_vec()..).next().is_some_and(|(next, _)| next.starts_with(keys));
        if longer { Lookup::Prefix } else { Lookup::Nothing }
    }

    /// What may follow these keys.
    pub fn continuations(&self, scope: Scope, keys: &[KeyChord]) -> Vec<(&[KeyChord], Action)> {
        let Some(bound) = self.bound.get(&scope) else { return Vec::new() };
        bound
            .range(keys.to_vec()..)
            .take_while(|(sequence, _)| sequence.starts_with(keys))
            .map(|(sequence, action)| (&sequence[keys.len()..], *action))
            .collect()
    }

    /// The main key for an action: the shortest one, characters before named keys.
    pub fn key_for(&self, action: Action) -> Option<&[KeyChord]> {
        let bound = self.bound.get(&action.scope())?;
        let keys = bound.iter().filter(|(_, bound)| **bound == action).map(|(keys, _)| keys.as_slice());
        keys.min_by_key(|keys| effort(keys))
    }

    /// All keys for an action.
    pub fn keys_for(&self, action: Action) -> Vec<&[KeyChord]> {
        let Some(bound) = self.bound.get(&action.scope()) else { return Vec::new() };
        let mut keys: Vec<&[KeyChord]> =
            bound.iter().filter(|(_, bound)| **bound == action).map(|(keys, _)| keys.as_slice()).collect();
        keys.sort_by_key(|keys| effort(keys));
        keys
    }
}

/// How hard a sequence is to press and read: number of keys, keys with Control, length of the name.
fn effort(keys: &[KeyChord]) -> (usize, usize, usize) {
    (
        keys.len(),
        keys.iter().filter(|key| key.modifiers.contains(KeyModifiers::CONTROL)).count(),
        key::notation(keys).len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyCode;

    fn error_of(text: &str) -> String {
        let mut keymap = Keymap::builtin().unwrap();
        keymap.overlay(text, "my.toml").unwrap_err().to_string()
    }

    #[test]
    fn every_action_can_be_reached_and_explains_itself() {
        let keymap = Keymap::builtin().unwrap();
        for action in Action::ALL {
            assert!(action.doc().len() > 5 && !action.doc().ends_with('.'), "{action}");
            assert!(!action.short().is_empty());
            assert_eq!(Action::from_name(action.name()), Some(*action));
            // The palette offers all actions of the list; those of prompts and pages need a key.
            let reachable = action.scope() == Scope::List || keymap.key_for(*action).is_some();
            assert!(reachable, "{action} has neither key nor palette entry");
            let json = serde_json::to_string(action).unwrap();
            assert_eq!(json, format!("\"{}\"", action.name()));
        }
    }

    #[test]
    fn presets_are_sound() {
        for name in Keymap::preset_names() {
            Keymap::load(Some(Path::new(name))).unwrap();
        }
        let error = Keymap::load(Some(Path::new("emacs"))).unwrap_err().to_string();
        assert_eq!(error, "there is no keymap 'emacs': use default, vim, prodigy, lightroom or a file");
        assert_eq!(Keymap::load(Some(Path::new("default"))).unwrap(), Keymap::builtin().unwrap());
    }

    #[test]
    fn no_key_needs_what_terminals_cannot_send() {
        let keymap = Keymap::builtin().unwrap();
        for sequence in keymap.bound.values().flat_map(|bound| bound.keys()) {
            for key in sequence {
                assert!(!key.modifiers.contains(KeyModifiers::ALT), "{key}");
                // Used by tmux, screen and flow control.
                let taken = key.modifiers.contains(KeyModifiers::CONTROL)
                    && matches!(key.code, KeyCode::Char('b' | 'a' | 's' | 'q' | '\\'));
                assert!(!taken || keymap.lookup(Scope::List, &[*key]) == Lookup::Nothing, "{key}");
            }
        }
    }

    #[test]
    fn sequences_are_prefixes_until_complete() {
        let keymap = Keymap::builtin().unwrap();
        assert_eq!(keymap.lookup(Scope::List, &[KeyChord::char('g')]), Lookup::Prefix);
        assert_eq!(
            keymap.lookup(Scope::List, &[KeyChord::char('g'), KeyChord::char('g')]),
            Lookup::Action(Action::Top)
        );
        assert_eq!(keymap.lookup(Scope::List, &[KeyChord::char('g'), KeyChord::char('%')]), Lookup::Nothing);
        assert_eq!(keymap.continuations(Scope::List, &[KeyChord::char(',')]).len(), 12);
    }

    #[test]
    fn a_users_file_overrides_and_disables() {
        let mut keymap = Keymap::builtin().unwrap();
        keymap
            .overlay("[list]\nk = \"keep\"\nx = \"<disabled>\"\n\"<C-x>\" = \"remove\"", "my.toml")
            .unwrap();
        assert_eq!(keymap.lookup(Scope::List, &[KeyChord::char('k')]), Lookup::Action(Action::Keep));
        assert_eq!(keymap.lookup(Scope::List, &[KeyChord::char('x')]), Lookup::Nothing);
        assert_eq!(keymap.lookup(Scope::List, &[KeyChord::ctrl('x')]), Lookup::Action(Action::Remove));
    }

    #[test]
    fn errors_name_file_line_and_what_was_meant() {
        assert_eq!(
            error_of("[list]\n\nk = \"kepe\""),
            "my.toml:3: there is no action 'kepe': did you mean 'keep'?"
        );
        assert!(error_of("[lists]\nk = \"keep\"").starts_with("my.toml:1: [lists] is not a keymap table"));
        assert!(
            error_of("[list]\n\"<Entr>\" = \"keep\"")
                .contains("my.toml:2: <Entr> is not a key: did you mean <Enter>?")
        );
        assert!(error_of("[list]\n\"<C-1>\" = \"keep\"").contains("cannot be sent"));
        assert!(error_of("[list]\nk = 3").contains("my.toml:2"));
        assert!(error_of("[list]\nk = \"keep").starts_with("my.toml:2: "));
        assert!(error_of("[pane]\nk = \"keep\"").contains("belongs in [list]"));
        assert!(error_of("[list]\nya = \"keep\"").contains("\"y\" = \"<disabled>\""));
    }

    #[test]
    fn a_users_own_file_is_taken_as_far_as_it_can_be() {
        let mut keymap = Keymap::builtin().unwrap();
        let text = "[list]\nk = \"kepe\"\nya = \"copy-path\"\nj = \"keep\"\n\n[lists]\n[panel]\nx = 3\n";
        let complaints = keymap.overlay_what_fits(text, "my.toml").unwrap();
        assert_eq!(keymap.lookup(Scope::List, &[KeyChord::char('j')]), Lookup::Action(Action::Keep));
        assert_eq!(keymap.lookup(Scope::List, &[KeyChord::char('k')]), Lookup::Action(Action::Up));
        assert_eq!(complaints.len(), 4, "{complaints:?}");
        assert_eq!(complaints[0], "my.toml:2: there is no action 'kepe': did you mean 'keep'?");
        assert!(complaints[1].starts_with("my.toml:3: \"y\" is bound"), "{complaints:?}");
        assert!(complaints[2].starts_with("my.toml:6: [lists]") && complaints[3].starts_with("my.toml:8: "));
        assert!(
            keymap.overlay_what_fits("[list", "my.toml").unwrap_err().to_string().starts_with("my.toml:1: ")
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Keymap::load(Some(Path::new("/nowhere/keys.toml"))).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/keys.toml"));
    }
}
