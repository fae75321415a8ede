//! What the members of a sample say of it, and which of them says its label.

use super::keys::CLASS;
use crate::dataset::choice::LABEL_NAMES;
use crate::dataset::split_columns::SPLIT_NAMES;
use crate::dataset::typed::Typed;
use crate::dataset::unnamed_classes::WITHOUT_NAME;
use crate::text::json_numbers;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Samples to show in a remark.
const SHOWN: usize = 3;

/// What the members of a sample say.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) labels: Labels,
    pub(super) split: Option<String>,
    pub(super) other: Vec<(String, String)>,
}

/// The labels of a sample.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// That of its `cls` member.
    class: Option<String>,
    /// Which member that is.
    member: String,
    /// That of its JSON.
    json: Option<String>,
    /// The key of the JSON that has the label.
    key: Option<String>,
    /// Whether it is a text, which names a class whatever it reads like.
    named: bool,
    /// What it is in the JSON.
    value: Value,
    /// Whether a member says that there is none.
    none: bool,
    /// A key of the JSON that is called like labels and has something else than one text or number.
    unread: Option<String>,
}

impl Labels {
    /// Whether there is a label, or a member says that there is none.
    pub(super) fn are_said(&self) -> bool {
        self.none || self.unread.is_some() || self.class.is_some() || self.json.is_some()
    }

    /// The key of a label that is not read, where no other one is.
    pub(super) fn unread(&self) -> Option<&str> {
        self.unread.as_deref().filter(|_| self.class.is_none() && self.json.is_none())
    }

    /// What is not taken of them where a column was asked for, by its name: each says the label in other words.
    pub(super) fn left(&self, take: Option<Take>) -> impl Iterator<Item = (&str, &str, Option<&Value>)> {
        let class = self.class.as_deref().filter(|_| !matches!(take, Some(Take::Class | Take::Usual)));
        let json = self.json.as_deref().filter(|_| !matches!(take, Some(Take::Json | Take::Usual)));
        let class = class.map(|class| (self.member.as_str(), class, None));
        class
            .into_iter()
            .chain(self.key.as_deref().zip(json).map(|(key, json)| (key, json, Some(&self.value))))
    }
}

fn is_number(label: &str) -> bool {
    label.parse::<i64>().is_ok()
}

/// A label, without those that mean none.
fn label(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.trim().is_empty() && text.trim() != "-1")
}

impl Said {
    /// Takes in a member that may say the class once more; false if it is not text.
    pub(super) fn hear_again(&mut self, what: &str, bytes: &[u8], typed: &mut Typed) -> bool {
        let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| is_plain(text)) else { return false };
        typed.mark(what, false);
        self.other.push((what.to_owned(), text.trim_end_matches(['\n', '\r']).to_owned()));
        true
    }

    /// Takes in a member, and of which type its values are; false if it cannot be understood.
    pub(super) fn hear(&mut self, what: &str, bytes: &[u8], typed: &mut Typed) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        if CLASS.contains(&what) {
            let found = label(text.trim());
            self.labels.none |= found.is_none();
            self.labels.member = what.to_owned();
            self.labels.class = found.or(self.labels.class.take());
            return true;
        }
        if what != "json" {
            typed.mark(what, false);
            self.other.push((what.to_owned(), text.trim_end_matches('\n').to_owned()));
            return true;
        }
        let Ok(Value::Object(object)) = json_numbers::read(text.as_bytes()) else { return false };
        let named = |usual: &[&str]| {
            let found = usual.iter().find_map(|usual| {
                object.keys().find(|key| key.eq_ignore_ascii_case(usual) && is_scalar(only(&object[*key])))
            });
            found.cloned()
        };
        let (label_key, split_key) = (named(&LABEL_NAMES), named(&SPLIT_NAMES));
        if label_key.is_none() {
            self.labels.unread = unread(&object);
        }
        for (key, value) in &object {
            let value = if Some(key) == label_key.as_ref() { only(value) } else { value };
            let text = json_numbers::cell(Some(value));
            if Some(key) == label_key.as_ref() {
                self.labels.json = label(&text);
                self.labels.none |= self.labels.json.is_none();
                self.labels.named =
                    value.is_string() && !json_numbers::is_number(value) && self.labels.json.is_some();
                self.labels.key = Some(key.clone());
                self.labels.value = value.clone();
            } else if Some(key) == split_key.as_ref() {
                // Nothing leaves it to the shard.
                self.split = Some(text).filter(|text| !text.trim().is_empty());
            } else {
                typed.see(key, Some(value));
                self.other.push((key.clone(), text));
            }
        }
        true
    }
}

/// Whether it is text, and not numbers in bytes that read like text.
fn is_plain(text: &str) -> bool {
    !text.contains(|sign: char| sign.is_control() && !matches!(sign, '\n' | '\r' | '\t'))
}

/// The only element of a list, as some programs write a label.
fn only(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        _ => value,
    }
}

/// A key that is called like labels, also inside of an object.
fn unread(object: &Map<String, Value>) -> Option<String> {
    let is_label = |key: &str| LABEL_NAMES.iter().any(|name| key.eq_ignore_ascii_case(name));
    let inside = |(key, value): (&String, &Value)| {
        let inner = value.as_object()?.keys().find(|inner| is_label(inner))?;
        Some(format!("{key}.{inner}"))
    };
    object.keys().find(|key| is_label(key)).cloned().or_else(|| object.iter().find_map(inside))
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null)
}

/// Whose label is taken where a `cls` member and a JSON have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// That of `cls`; a number is that of the name in the JSON.
    Usual,
    Class,
    Json,
}

impl Take {
    /// What a column that was asked for is; `None` if it is another one.
    pub(super) fn of<'a>(column: Option<&str>, all: impl Iterator<Item = &'a Labels>) -> Option<Take> {
        let Some(column) = column else { return Some(Take::Usual) };
        let (mut class, mut json) = (false, false);
        for labels in all {
            class |= labels.class.is_some();
            json |= labels.key.as_ref().is_some_and(|key| key.eq_ignore_ascii_case(column));
        }
        let says_class = class && CLASS.contains(&column.to_ascii_lowercase().as_str());
        if json { Some(Take::Json) } else { says_class.then_some(Take::Class) }
    }
}

/// Which label each sample has.
pub(super) struct Settle<'a> {
    pub(super) take: Take,
    /// The names of classes by their numbers.
    pub(super) names: &'a [String],
    differing: Vec<(PathBuf, String, String)>,
    differ: u64,
    /// How often each name stands beside each number, and the first sample.
    pairs: BTreeMap<String, BTreeMap<String, (u64, PathBuf)>>,
    key: String,
    /// Numbers without a name.
    nameless: u64,
}

impl<'a> Settle<'a> {
    pub(super) fn new(take: Take, names: &'a [String]) -> Settle<'a> {
        Settle {
            take,
            names,
            differing: Vec::new(),
            differ: 0,
            pairs: BTreeMap::new(),
            key: String::new(),
            nameless: 0,
        }
    }

    /// The label of a sample.
    pub(super) fn label(&mut self, sample: &Path, labels: Labels) -> Option<String> {
        let Labels { class, json, key, named, .. } = labels;
        let class = class.map(|class| self.named(class));
        let json = json.map(|json| if named { json } else { self.named(json) });
        match (self.take, class, json) {
            (Take::Json, _, json) => json,
            (Take::Class, class, _) => class,
            (Take::Usual, Some(class), Some(json)) => {
                self.key = key.unwrap_or_default();
                Some(self.one_of(sample, class, json, named))
            }
            (Take::Usual, class, json) => class.or(json),
        }
    }

    fn one_of(&mut self, sample: &Path, class: String, json: String, named: bool) -> String {
        let pair = match (is_number(&class), is_number(&json)) {
            (true, _) if named && class != json => Some((&class, &json)),
            (false, true) if !named => Some((&json, &class)),
            _ => None,
        };
        if let Some((number, name)) = pair {
            let pairs = self.pairs.entry(number.clone()).or_default();
            pairs.entry(name.clone()).or_insert_with(|| (0, sample.to_path_buf())).0 += 1;
            return if named { json } else { class };
        }
        // Line breaks in names are blanks in a list of names.
        if class.trim() != json.replace(['\n', '\r'], " ").trim() {
            self.differ += 1;
            if self.differing.len() < SHOWN {
                self.differing.push((sample.to_path_buf(), class.clone(), json));
            }
            return class;
        }
        if named { json } else { class }
    }

    /// The name of a class, if it is a number that has one.
    fn named(&mut self, class: String) -> String {
        let Some(number) = Some(&class).filter(|_| !self.names.is_empty()).and_then(|text| text.parse().ok())
        else {
            return class;
        };
        match self.names.get::<usize>(number).filter(|name| !name.trim().is_empty()) {
            Some(name) => name.clone(),
            None => {
                self.nameless += 1;
                class
            }
        }
    }

    /// Says where the members of samples disagree.
    pub(super) fn tell(&self, ledger: &mut Ledger) {
        let key = safe_text(&self.key);
        let more = if self.differ > self.differing.len() as u64 { ", …" } else { "" };
        let shown: Vec<String> = (self.differing.iter())
            .map(|(path, class, json)| {
                format!("{} ('{}', '{}')", safe_path(path), safe_text(class), safe_text(json))
            })
            .collect();
        let text = format!(
            "{} another class in the cls member than in the '{key}' of the json, and that of cls was taken: {}{more}; \
             --label-column '{key}' takes the other",
            counted(self.differ, "sample has", "samples have"),
            shown.join(", ")
        );
        ledger.add(RemarkKind::LabelsSeveral, self.differ, text);
        let mut odd = 0;
        let mut examples = Vec::new();
        for (number, names) in self.pairs.iter().filter(|(_, names)| names.len() > 1) {
            let usual = names.iter().max_by_key(|(name, (count, _))| (*count, std::cmp::Reverse(*name)));
            let Some((usual, _)) = usual else { continue };
            for (name, (count, first)) in names.iter().filter(|(name, _)| *name != usual) {
                odd += count;
                examples.push(format!(
                    "{} ('{}', but {} is '{}' elsewhere)",
                    safe_path(first),
                    safe_text(name),
                    safe_text(number),
                    safe_text(usual)
                ));
            }
        }
        let more = if examples.len() > SHOWN { ", …" } else { "" };
        examples.truncate(SHOWN);
        let text = format!(
            "{} a class by name and by number that disagree, and the name was taken: {}{more}; --label-column cls or \
             '{key}' takes one of them",
            counted(odd, "sample has", "samples have"),
            examples.join(", ")
        );
        ledger.add(RemarkKind::LabelsSeveral, odd, text);
        let numbers = counted(self.nameless, "label is a number", "labels are numbers");
        let kept = if self.nameless == 1 { "it is" } else { "they are" };
        let text = format!("{numbers} {WITHOUT_NAME} in classes.txt, and kept as {kept}");
        ledger.add(RemarkKind::ClassesDoubtful, self.nameless, text);
    }
}
