//! The prompts of classes as a reviewer edits them, and what they would change.

use crate::Ticket;
use crate::display::safe_text;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The parameter of the detector that is tried with prompts: it divides all logits.
pub const TEMPERATURE: &str = "temperature";

/// Characters of the longest prompt; models read fewer.
const LONGEST: usize = 500;

/// The most rows of one list.
const MOST: usize = 1000;

/// A set of prompts, as its file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptWords {
    /// Each class is filled into each of them, in place of `{}`.
    #[serde(default)]
    pub templates: Vec<String>,
    /// Complete prompts for pictures of no class.
    #[serde(default)]
    pub alternatives: Vec<String>,
    /// What else classes are called, by [`SpokenClass::key`].
    #[serde(default)]
    pub classes: BTreeMap<String, ClassWords>,
}

/// What a class is called beside its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassWords {
    /// Fill the templates along with the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<String>,
    /// Complete prompts, used unchanged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<String>,
    /// Whether the name itself is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
}

/// A class of the dataset, as prompts name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenClass {
    /// Under which its words are in [`PromptWords::classes`].
    pub key: String,
    /// What it is called without further words: its name, or what a file says that it is.
    pub names: Vec<String>,
}

/// What prompts say of the samples with one label, compared with the detector's last run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptTally {
    /// Samples with this label that were compared with prompts.
    pub labeled: u64,
    /// Those of them that look most like this class.
    pub agreed: u64,
    /// Samples of any label that look most like this class.
    pub seen: u64,
    /// Those that did not in the last run, and those that did and do not now.
    pub seen_moved: (u64, u64),
    /// Samples with this label that would be flagged.
    pub flagged: u64,
    /// Those that the last run does not flag, and those that only it flags.
    pub flagged_moved: (u64, u64),
}

/// The answer to [`Command::SetPrompts`](crate::Command::SetPrompts).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptsSet {
    /// The question's ticket.
    pub ticket: Ticket,
    /// Why nothing was changed; empty if the set is on disk.
    pub refused: String,
}

impl PromptWords {
    /// Why it cannot be used, in a sentence; `None` if it can.
    pub fn fault(&self) -> Option<String> {
        let none = self.templates.is_empty().then(|| "at least one template is needed".to_owned());
        none.or_else(|| list_fault("template", &self.templates, template_fault))
            .or_else(|| list_fault("alternative", &self.alternatives, whole_fault))
            .or_else(|| {
                let fault = |(key, words): (&String, &ClassWords)| {
                    words.fault().map(|fault| format!("'{}': {fault}", safe_text(key)))
                };
                self.classes.iter().find_map(fault)
            })
    }
}

impl ClassWords {
    /// Why they cannot be used, in a sentence; `None` if they can.
    pub fn fault(&self) -> Option<String> {
        if self.only && self.synonyms.is_empty() && self.prompts.is_empty() {
            return Some("it needs at least one word".to_owned());
        }
        let word = |text: &str| text.contains("{}").then(|| "it must not contain {}".to_owned());
        list_fault("word", &self.synonyms, word).or_else(|| list_fault("prompt", &self.prompts, whole_fault))
    }

    /// All words of a class that is called `names`, in a line: complete prompts are in quotes.
    pub fn line(&self, names: &[String]) -> String {
        let names = names.iter().filter(|_| !self.only).chain(&self.synonyms).cloned();
        let prompts = self.prompts.iter().map(|prompt| format!("\"{prompt}\""));
        names.chain(prompts).collect::<Vec<String>>().join("; ")
    }

    /// Reads such a line. If a name of the class is missing, only what it says counts.
    pub fn read(line: &str, names: &[String]) -> ClassWords {
        let mut words = ClassWords::default();
        for part in parts(line) {
            match part.strip_prefix('"').map(|quoted| quoted.strip_suffix('"').unwrap_or(quoted)) {
                Some(prompt) => words.prompts.push(prompt.trim().to_owned()),
                None => words.synonyms.push(part.to_owned()),
            }
        }
        let said = |name: &String| words.synonyms.iter().any(|word| same(word, name));
        words.only = !names.iter().all(said);
        if !words.only {
            // The name once is the name; twice is a word too many, which is found as a fault.
            for name in names {
                let is_name = |word: &String| same(word, name);
                if words.synonyms.iter().filter(|word| is_name(word)).count() == 1 {
                    words.synonyms.retain(|word| !is_name(word));
                }
            }
        }
        words
    }
}

/// The parts of a line between semicolons outside of quotes, without those at its end that are empty.
fn parts(line: &str) -> Vec<&str> {
    let mut quoted = false;
    let split = |c: char| {
        quoted ^= c == '"';
        c == ';' && !quoted
    };
    let mut parts: Vec<&str> = line.split(split).map(str::trim).collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// A text as models read it, which tell neither upper case nor runs of blanks apart.
fn read(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ").to_lowercase()
}

fn same(one: &str, other: &str) -> bool {
    read(one) == read(other)
}

fn template_fault(text: &str) -> Option<String> {
    (text.matches("{}").count() != 1)
        .then(|| "it must contain {} once, in place of the class name".to_owned())
}

fn whole_fault(text: &str) -> Option<String> {
    text.contains("{}").then(|| "it must be a complete prompt, without {}".to_owned())
}

/// What is wrong with a list of texts, each of which may have a fault of its own kind.
fn list_fault(what: &str, texts: &[String], fault: impl Fn(&str) -> Option<String>) -> Option<String> {
    if texts.len() > MOST {
        return Some(format!("{} {what}s are too many: {MOST} at most", texts.len()));
    }
    let mut before = BTreeSet::new();
    texts.iter().find_map(|text| {
        let why = match text {
            _ if text.trim().is_empty() => {
                let article = if what.starts_with('a') { "an" } else { "a" };
                return Some(format!("{article} {what} is empty"));
            }
            _ if text.chars().any(char::is_control) => "it contains a control character".to_owned(),
            _ if text.chars().count() > LONGEST => format!("it has more than {LONGEST} characters"),
            _ if text.contains('"') => "it must not contain a quotation mark".to_owned(),
            _ if !before.insert(read(text)) => "it is there twice".to_owned(),
            _ => fault(text)?,
        };
        let start: String = text.chars().take(40).collect();
        let dots = if start.len() < text.len() { "…" } else { "" };
        Some(format!("the {what} '{}{dots}' cannot be used: {why}", safe_text(&start)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(templates: &[&str]) -> PromptWords {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        PromptWords { templates: texts(templates), ..PromptWords::default() }
    }

    #[test]
    fn every_fault_is_a_sentence_that_names_the_text() {
        let fault = |templates: &[&str]| words(templates).fault().unwrap_or_default();
        assert_eq!(fault(&["a {}", "the {}"]), "");
        assert_eq!(fault(&[]), "at least one template is needed");
        let of = |text: &str, why: &str| format!("the template '{text}' cannot be used: {why}");
        assert_eq!(fault(&["a cat"]), of("a cat", "it must contain {} once, in place of the class name"));
        assert_eq!(fault(&["{} {}"]), of("{} {}", "it must contain {} once, in place of the class name"));
        assert_eq!(fault(&["a {}", "A  {}"]), of("A  {}", "it is there twice"));
        assert_eq!(fault(&["a {}", " "]), "a template is empty");
        assert!(fault(&["a\u{1b}[2J {}"]).ends_with("it contains a control character"));
        assert!(!fault(&["a\u{1b}[2J {}"]).contains('\u{1b}'), "it is safe to show");
        let long = format!("{{}} {}", "é".repeat(501));
        assert!(fault(&[&long]).ends_with("it has more than 500 characters"));
        assert!(fault(&[&long]).len() < 150, "not all of it");
        let many: Vec<String> = (0..1001).map(|n| format!("{n} {{}}")).collect();
        assert!(fault(&many.iter().map(String::as_str).collect::<Vec<_>>()).contains("too many"));
        let mut set = words(&["a {}"]);
        set.alternatives = vec![String::new()];
        assert_eq!(set.fault().unwrap(), "an alternative is empty");
        set.alternatives = vec!["a {}".into()];
        assert!(set.fault().unwrap().contains("it must be a complete prompt, without {}"));
        set.alternatives.clear();
        set.classes.insert("cat".into(), ClassWords { only: true, ..ClassWords::default() });
        assert_eq!(set.fault().unwrap(), "'cat': it needs at least one word");
    }

    #[test]
    fn the_line_of_a_class_reads_as_it_was_written() {
        let names = ["tabby cat".to_owned()];
        let read = |line: &str| ClassWords::read(line, &names);
        assert_eq!(read("tabby cat"), ClassWords::default());
        assert_eq!(ClassWords::default().line(&names), "tabby cat");
        for line in
            ["tabby cat; kitten", "kitten", "tabby cat; \"a cat; asleep\"", "kitten; \"a cat, asleep\""]
        {
            let words = read(line);
            assert_eq!((words.line(&names).as_str(), words.fault()), (line, None));
        }
        assert!(read("kitten").only && !read("Tabby  Cat; kitten").only);
        assert_eq!(read("tabby cat; kitten;").synonyms, ["kitten"]);
        assert_eq!(read("\"unclosed; cat").prompts, ["unclosed; cat"]);
        for (line, fault) in [
            ("", "it needs at least one word"),
            ("tabby cat;;kitten", "a word is empty"),
            ("tabby cat; Tabby cat", "the word 'Tabby cat' cannot be used: it is there twice"),
            ("tabby cat; kitten; Kitten", "the word 'Kitten' cannot be used: it is there twice"),
            ("tabby cat; \"\"", "a prompt is empty"),
            ("tabby cat; a {}", "the word 'a {}' cannot be used: it must not contain {}"),
        ] {
            assert_eq!(read(line).fault().as_deref(), Some(fault), "{line}");
        }
    }
}
