//! Parses a line: a key, the name of an action, or one of a few extra words.

use super::keys;
use crate::action::{Action, Kind, Scope};
use crate::key::shown;
use crate::keymap::{Keymap, Lookup};
use crate::model::Place;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    /// The sample once more.
    Again,
    /// All commands.
    Help,
    /// To a row.
    Go(Place),
    /// How to export.
    Export,
    /// An action, with what goes into its prompt.
    Act(Action, String),
}

impl Order {
    /// Whether it says something about a sample.
    pub(super) fn decides(&self) -> bool {
        let back = |action: &Action| matches!(action, Action::Undo | Action::Redo);
        matches!(self, Order::Act(action, _) if matches!(action.kind(), Kind::Decide(_)) && !back(action) || *action == Action::KeepBest)
    }

    /// Whether it chooses a sample, wherever the cursor was before.
    pub(super) fn chooses(&self) -> bool {
        match self {
            Order::Go(place) => !matches!(place, Place::Down(_) | Place::Up(_)),
            Order::Act(Action::NextHit | Action::PreviousHit, _) => false,
            Order::Act(action, _) => {
                matches!(action.kind(), Kind::Find(_)) || matches!(action, Action::Top | Action::Bottom)
            }
            Order::Again | Order::Help | Order::Export => false,
        }
    }

    /// Whether what follows is about another sample if it fails.
    pub(super) fn leads(&self) -> bool {
        match self {
            Order::Go(_) => true,
            Order::Act(Action::Undo | Action::Redo | Action::Note | Action::Tag, _) => false,
            Order::Act(action, _) => {
                matches!(action.kind(), Kind::Decide(_) | Kind::Move(_) | Kind::Find(_) | Kind::Mark(_))
                    || *action == Action::KeepBest
            }
            Order::Again | Order::Help | Order::Export => false,
        }
    }
}

/// Reads a line. After a colon, as typed into the palette: no keys, so that `:5` is row 5 and not candidate 5.
///
/// # Errors
/// Suggests what may have been meant.
pub(super) fn order(keymap: &Keymap, line: &str) -> Result<Order, String> {
    let (line, palette) = match line.strip_prefix(':') {
        // A colon alone is its key.
        Some(rest) if !rest.trim().is_empty() => (rest.trim(), true),
        _ => (line, false),
    };
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim().to_owned();
    match word {
        "" | "show" => return Ok(Order::Again),
        "help" | "?" => return Ok(Order::Help),
        "next" => return Ok(Order::Act(Action::Down, rest)),
        "previous" => return Ok(Order::Act(Action::Up, rest)),
        "accept" => return Ok(Order::Act(Action::AcceptSuggestion, rest)),
        "clear" => return Ok(Order::Act(Action::ClearDecision, rest)),
        "export" => return Ok(Order::Export),
        "go" => {
            return match Place::parse(&rest) {
                Some(place) => Ok(Order::Go(place)),
                None => Err(format!("'{rest}' names no row: try go 12, go +5, go -5, go 50% or go $")),
            };
        }
        _ => {}
    }
    // A key of the current keymap.
    if !palette
        && let Some(keys) = keys(word)
        && let Lookup::Action(action) = keymap.lookup(Scope::List, &keys)
    {
        return Ok(Order::Act(action, rest));
    }
    // A key as it is written in the help: `C-r`, `Enter`.
    if !palette && let Some(action) = written(keymap, word) {
        return Ok(Order::Act(action, rest));
    }
    if let Some(place) = Place::parse(line) {
        return Ok(Order::Go(place));
    }
    let all = || Action::ALL.iter().copied().filter(|action| action.scope() == Scope::List);
    if let Some(action) = all().find(|action| action.name() == word) {
        return Ok(Order::Act(action, rest));
    }
    let begun: Vec<Action> = all().filter(|action| action.name().starts_with(word)).collect();
    match begun.as_slice() {
        [one] if word.len() > 1 => Ok(Order::Act(*one, rest)),
        [] | [_] => {
            let near = near(word).map(|near| format!(": did you mean '{near}'?"));
            Err(format!("there is no command '{word}'{} help lists all", near.as_deref().unwrap_or(";")))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|action| action.name()).collect();
            Err(format!("'{word}' is ambiguous: use {}", names.join(", ")))
        }
    }
}

/// What a line answers to a question that wants yes or no; `None` if it does not.
pub(super) fn answer(line: &str) -> Option<bool> {
    match line.to_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

/// The words that are not actions.
const WORDS: [&str; 8] = ["show", "help", "next", "previous", "accept", "clear", "export", "go"];

/// The command that was probably meant; `None` if none is like it.
fn near(word: &str) -> Option<&'static str> {
    /// Words that are less alike have nothing in common but a few letters.
    const ALIKE: f64 = 0.8;
    let word = word.to_lowercase();
    let names = Action::ALL.iter().filter(|action| action.scope() == Scope::List).map(|action| action.name());
    let rated = WORDS.into_iter().chain(names).map(|name| (strsim::jaro_winkler(name, &word), name));
    let best = rated.filter(|(alike, _)| *alike >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, name)| name)
}

/// The action of a key that is typed as it is shown.
fn written(keymap: &Keymap, word: &str) -> Option<Action> {
    let is = |action: &&Action| keymap.keys_for(**action).into_iter().any(|keys| shown(keys) == word);
    Action::ALL.iter().filter(|action| action.scope() == Scope::List).find(is).copied()
}

/// All commands, one per line.
pub(super) fn help(keymap: &Keymap) -> Vec<String> {
    let mut lines = vec![
        "One command per line: a key or a word, then a space and its argument.".to_owned(),
        "show, or an empty line: describe the sample again; an empty line never decides".to_owned(),
        "next, previous: go to the next or previous row".to_owned(),
        "12, +5, -5, 50%, $: go to that row, by so many rows, to that share of the list, to the last row"
            .to_owned(),
        "5 alone is a key (candidate 5): go 5 or :5 goes to row 5; after a colon, names and rows but no keys"
            .to_owned(),
        "accept: relabel to the suggested label; clear: clear the decision".to_owned(),
        "relabel CLASS, tag TAG, note TEXT, filter TERMS, search TEXT: with an argument".to_owned(),
        "conflicts: list what reviewers decided differently; decisions then settle it, and conflicts again goes back"
            .to_owned(),
        "export: how to export the decisions".to_owned(),
        "yes, no (y, n): the answer to a question; nothing else answers it, and a script ends there".to_owned(),
    ];
    for action in Action::ALL.iter().filter(|action| action.scope() == Scope::List) {
        let keys: Vec<String> = keymap.keys_for(*action).into_iter().map(shown).collect();
        let keys = if keys.is_empty() { String::new() } else { format!(" ({})", keys.join(", ")) };
        lines.push(format!("{}{keys}: {}", action.name(), action.doc()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Order, String> {
        order(&Keymap::builtin().unwrap(), line)
    }

    #[test]
    fn keys_words_and_what_belongs_to_them() {
        let act = |action: Action, rest: &str| Ok(Order::Act(action, rest.to_owned()));
        assert_eq!(read("x"), act(Action::Remove, ""));
        assert_eq!(read("gu"), act(Action::NextUndecided, ""));
        assert_eq!(read("remove"), act(Action::Remove, ""));
        assert_eq!(read("relabel polar bear"), act(Action::Relabel, "polar bear"));
        assert_eq!(read("r dog"), act(Action::Relabel, "dog"));
        assert_eq!(read("f class:dog score<0.3"), act(Action::Filter, "class:dog score<0.3"));
        assert_eq!(read("stat"), act(Action::Statistics, ""));
        assert_eq!(read("export"), Ok(Order::Export));
        assert_eq!(read(":keep"), act(Action::Keep, ""));
        assert_eq!(read(""), Ok(Order::Again));
        // As the help writes them.
        assert_eq!(read("C-r"), act(Action::Redo, ""));
        assert_eq!(read("Enter"), act(Action::AcceptSuggestion, ""));
    }

    #[test]
    fn rows_are_named_as_in_the_palette() {
        for (line, place) in [
            ("12", Place::Row(12)),
            ("+5", Place::Down(5)),
            ("-5", Place::Up(5)),
            ("50%", Place::Share(50.0)),
            ("$", Place::Last),
        ] {
            for line in [line.to_owned(), format!("go {line}"), format!(":{line}")] {
                assert_eq!(read(&line), Ok(Order::Go(place)), "{line}");
            }
        }
        assert_eq!(read("5"), Ok(Order::Act(Action::Candidate5, String::new())));
        assert_eq!(read(":5"), Ok(Order::Go(Place::Row(5))));
    }

    #[test]
    fn what_is_not_understood_says_so() {
        assert_eq!(
            read("kepe").unwrap_err(),
            "there is no command 'kepe': did you mean 'keep'? help lists all"
        );
        assert_eq!(read("zqxj").unwrap_err(), "there is no command 'zqxj'; help lists all");
        assert_eq!(
            read("exprot").unwrap_err(),
            "there is no command 'exprot': did you mean 'export'? help lists all"
        );
        assert!(read("sort").unwrap_err().starts_with("'sort' is ambiguous: use sort-rank, "));
        assert!(read("go x").unwrap_err().contains("'x' names no row"));
        assert!(read(":x").is_err(), "no keys after a colon");
        assert!(read("panel-close").unwrap_err().contains("there is no command"));
    }
}
