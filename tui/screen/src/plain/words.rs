//! Parses a line: a key, the name of an action, or one of a few extra words.

use super::keys;
use crate::action::{Action, Scope};
use crate::key::shown;
use crate::keymap::{Keymap, Lookup};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The sample once more.
    Again,
    /// All commands.
    Help,
    /// To a row, counted from 1.
    Go(u64),
    /// An action, with what goes into its prompt.
    Act(Action, String),
}

/// Reads a line.
///
/// # Errors
/// Suggests what may have been meant.
pub(super) fn order(keymap: &Keymap, line: &str) -> Result<Order, String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim().to_owned();
    match word {
        "" | "show" => return Ok(Order::Again),
        "help" | "?" => return Ok(Order::Help),
        "next" => return Ok(Order::Act(Action::Down, rest)),
        "previous" => return Ok(Order::Act(Action::Up, rest)),
        "accept" => return Ok(Order::Act(Action::AcceptSuggestion, rest)),
        "clear" => return Ok(Order::Act(Action::ClearDecision, rest)),
        "go" => {
            return match rest.parse::<u64>() {
                Ok(row @ 1..) => Ok(Order::Go(row)),
                _ => Err(format!("'{rest}' is not a row number: try go 12")),
            };
        }
        _ => {}
    }
    // A key of the current keymap.
    if let Some(keys) = keys(word)
        && let Lookup::Action(action) = keymap.lookup(Scope::List, &keys)
    {
        return Ok(Order::Act(action, rest));
    }
    let all = || Action::ALL.iter().copied().filter(|action| action.scope() == Scope::List);
    if let Some(action) = all().find(|action| action.name() == word) {
        return Ok(Order::Act(action, rest));
    }
    let begun: Vec<Action> = all().filter(|action| action.name().starts_with(word)).collect();
    match begun.as_slice() {
        [one] if word.len() > 1 => Ok(Order::Act(*one, rest)),
        [] | [_] => {
            let near = Action::nearest(word);
            Err(format!("there is no command '{word}': did you mean '{}'? help lists all", near.name()))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|action| action.name()).collect();
            Err(format!("'{word}' is ambiguous: use {}", names.join(", ")))
        }
    }
}

/// All commands, one per line.
pub(super) fn help(keymap: &Keymap) -> Vec<String> {
    let mut lines = vec![
        "One command per line: a key or a word, then a space and its argument.".to_owned(),
        "show (or an empty line): describe the sample again".to_owned(),
        "next, previous: go to the next or previous row; go N: go to row N".to_owned(),
        "accept: relabel to the suggested label; clear: clear the decision".to_owned(),
        "relabel CLASS, tag TAG, note TEXT, filter TERMS, search TEXT: with an argument".to_owned(),
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
        assert_eq!(read("go 12"), Ok(Order::Go(12)));
        assert_eq!(read(""), Ok(Order::Again));
    }

    #[test]
    fn what_is_not_understood_says_so() {
        assert_eq!(
            read("kepe").unwrap_err(),
            "there is no command 'kepe': did you mean 'keep'? help lists all"
        );
        assert!(read("sort").unwrap_err().starts_with("'sort' is ambiguous: use sort-rank, "));
        assert!(read("go x").unwrap_err().contains("'x' is not a row number"));
        assert!(read("panel-close").unwrap_err().contains("there is no command"));
    }
}
