//! All keys on one page, generated from the keymap.

use crate::action::{Action, Scope};
use crate::key::shown;
use crate::keymap::Keymap;

/// The parts of the card: a heading, and the first action of the part in the order of the help.
const PARTS: [(&str, Action); 8] = [
    ("Decide", Action::Keep),
    ("Move", Action::Down),
    ("Mark", Action::Mark),
    ("Find and sort", Action::Search),
    ("Detectors", Action::NextDetector),
    ("Look", Action::ScrollDown),
    ("Pages and jobs", Action::Jobs),
    ("Everything else", Action::ToggleBlind),
];

/// The part of the card that an action of the list is in.
pub(crate) fn part_of(action: Action) -> &'static str {
    let part = PARTS.iter().rev().find(|(_, first)| action >= *first);
    part.map_or("", |(heading, _)| heading)
}

/// The parts for keys that work elsewhere.
pub(crate) const ELSEWHERE: [(&str, Scope); 3] = [
    ("While typing", Scope::Prompt),
    ("On the jobs page", Scope::Pane),
    ("On the other pages", Scope::Panel),
];

/// The card as Markdown, in the order of the help.
pub fn card(keymap: &Keymap) -> String {
    let mut out = String::from(
        "# Keys\n\nGenerated from the keymap by `chaffinch keys`. `:` finds an action by its name, and a keymap file binds keys to\n\
         names ([configuration](configuration.md)). If samples are marked or a range is active, a decision applies to all of\n\
         them.\n",
    );
    for (index, (heading, first)) in PARTS.iter().enumerate() {
        let last = PARTS.get(index + 1).map(|(_, next)| *next);
        let of_part = |action: &&Action| {
            action.scope() == Scope::List && **action >= *first && last.is_none_or(|next| **action < next)
        };
        part(&mut out, keymap, heading, Action::ALL.iter().filter(of_part));
    }
    for (heading, scope) in ELSEWHERE {
        part(&mut out, keymap, heading, Action::ALL.iter().filter(|action| action.scope() == scope));
    }
    out
}

fn part<'a>(out: &mut String, keymap: &Keymap, heading: &str, actions: impl Iterator<Item = &'a Action>) {
    out.push_str(&format!("\n## {heading}\n\n| key | action | does |\n|---|---|---|\n"));
    for action in actions {
        let mut keys: Vec<String> =
            keymap.keys_for(*action).into_iter().map(|keys| code(&shown(keys))).collect();
        let name = match action.candidate() {
            // Nine lines that differ only in a digit would drown out the others.
            Some(0) => {
                keys.extend(keymap.key_for(Action::Candidate9).map(|key| format!("… {}", code(&shown(key)))));
                "candidate-1 … candidate-9".to_owned()
            }
            Some(_) => continue,
            None => action.name().to_owned(),
        };
        let keys = if keys.is_empty() { "–".to_owned() } else { keys.join(" ") };
        out.push_str(&format!("| {keys} | `{name}` | {} |\n", action.doc().replace('|', "\\|")));
    }
}

/// A key as code in a table.
fn code(key: &str) -> String {
    if key.contains('`') { format!("`` {key} ``") } else { format!("`{}`", key.replace('|', "\\|")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_in_the_documentation_is_the_keymaps() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/keys.md");
        let card = card(&Keymap::builtin().unwrap());
        if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
            std::fs::write(file, &card).unwrap();
        }
        let written = std::fs::read_to_string(file).unwrap();
        assert!(written == card, "docs/keys.md is out of date: run chaffinch keys > docs/keys.md");
    }

    #[test]
    fn every_action_is_on_the_card_once() {
        let card = card(&Keymap::builtin().unwrap());
        for action in Action::ALL.iter().filter(|action| action.candidate().is_none()) {
            let name = format!("| `{}` |", action.name());
            assert_eq!(card.matches(&name).count(), 1, "{action}");
        }
    }
}
