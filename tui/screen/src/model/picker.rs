//! A list to choose from, narrowed by typing.

use super::Line;
use crate::action::Action;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;

/// What is typed as a tag: words become one, since a tag has no blanks.
pub fn tag_word(typed: &str) -> String {
    typed.split_whitespace().collect::<Vec<_>>().join("_")
}

/// What a list selects from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerKind {
    /// All keys and what they do.
    Help,
    /// All actions by name.
    Palette,
    /// A class for these samples, each with the label that it has.
    Relabel(Vec<(SampleId, Option<u32>)>),
    /// A tag for these samples.
    Tag(Vec<SampleId>),
    /// A theme.
    Theme,
    /// The rule by which one of a group is kept.
    KeepBy {
        /// The names of the rules, and the member that each keeps.
        best: Vec<(String, SampleId)>,
        /// All members.
        samples: Vec<SampleId>,
    },
    /// The right label of a group of copies whose labels differ.
    Settle {
        /// The member that is kept, with its label.
        keep: (SampleId, Option<u32>),
        /// The others, which are removed.
        remove: Vec<SampleId>,
    },
}

/// One line of a picker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PickerItem {
    /// Shown first, matched first.
    pub name: String,
    /// Shown beside it, matched too.
    pub note: String,
    /// Shown at the side, not matched: keys, where a class comes from.
    pub side: String,
    /// The action, where the item is one.
    pub action: Option<Action>,
    /// The heading that it stands under, empty for none.
    pub part: String,
    /// Other words for it, matched and not shown.
    pub synonyms: &'static str,
    /// Whether it is only what was typed, which is none of the others.
    pub typed: bool,
}

/// A line on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerLine<'a> {
    /// Nothing, above a heading.
    Blank,
    /// A heading.
    Heading(&'a str),
    /// A match, by its index.
    Item(usize),
}

/// The items that match what is typed, best first; all if nothing is. What it is called comes before other words for it,
/// and those before what is said about it.
fn matches(items: &[PickerItem], typed: &str, fuzzily: bool) -> Vec<usize> {
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        return (0..items.len()).collect();
    }
    let words: Vec<&str> = typed.split_whitespace().collect();
    // The names of actions have hyphens for blanks.
    let hyphened = words.join("-");
    let name =
        |item: &PickerItem| item.action.map_or_else(|| item.name.to_lowercase(), |it| it.name().into());
    let begins =
        |text: &str, separator: char, with: &str| text.split(separator).any(|it| it.starts_with(with));
    let tiers: [&dyn Fn(&PickerItem) -> bool; 6] = [
        &|item| name(item) == typed || item.action.is_some() && name(item) == hyphened,
        &|item| item.action.is_some() && item.side.to_lowercase().split("  ").any(|key| key == typed),
        &|item| item.action.is_some() && name(item).starts_with(&hyphened),
        &|item| item.action.is_some() && typed.len() > 1 && begins(&name(item), '-', &hyphened),
        &|item| item.action.is_some() && name(item).contains(&hyphened),
        &|item| typed.len() > 1 && begins(item.synonyms, ' ', &typed),
    ];
    let mut found: Vec<usize> = Vec::new();
    for tier in tiers {
        found.extend((0..items.len()).filter(|place| tier(&items[*place])));
    }
    // Names are matched fuzzily; sentences only by whole words, since fuzzily they match everything.
    if fuzzily {
        let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
        found.extend(crate::fuzzy::rank(&typed, &names));
    }
    let says = |item: &PickerItem| {
        let keys = if item.action.is_some() { item.side.as_str() } else { "" };
        let text = format!("{} {} {keys} {} {}", item.name, item.note, name(item), item.synonyms);
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    found.extend((0..items.len()).filter(|place| says(&items[*place])));
    let mut known = BTreeSet::new();
    found.retain(|place| known.insert(*place));
    found
}

/// A list to choose from, narrowed by typing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picker {
    /// What is chosen.
    pub kind: PickerKind,
    /// What is typed.
    pub line: Line,
    /// Everything there is.
    pub items: Vec<PickerItem>,
    /// The items that match, best first.
    pub found: Vec<usize>,
    /// The selected item, an index into `found`.
    pub selected: usize,
}

impl Picker {
    /// A picker with nothing typed.
    pub fn new(kind: PickerKind, items: Vec<PickerItem>) -> Picker {
        let found = (0..items.len()).collect();
        Picker { kind, line: Line::default(), items, found, selected: 0 }
    }

    /// Updates the matches after typing.
    pub fn refresh(&mut self) {
        self.items.retain(|item| !item.typed);
        self.found = matches(&self.items, &self.line.text, self.kind != PickerKind::Help);
        self.selected = 0;
        self.offer_typed();
    }

    /// A name that is not among the items can be chosen too, where any name will do. A tag is what was typed; the name
    /// of a class is typed in part, so that a new one comes last.
    fn offer_typed(&mut self) {
        let typed = self.line.text.trim();
        let (name, side, first) = match &self.kind {
            PickerKind::Tag(_) => (tag_word(typed), "new tag", true),
            PickerKind::Relabel(_) => (typed.to_owned(), "new class", false),
            _ => return,
        };
        if name.is_empty() {
            return;
        }
        let place = self.items.iter().position(|item| item.name == name);
        let (index, first) = match place {
            Some(index) => (index, true),
            None => {
                let side = side.to_owned();
                self.items.push(PickerItem { name, side, typed: true, ..PickerItem::default() });
                (self.items.len() - 1, first)
            }
        };
        self.found.retain(|known| *known != index);
        self.found.insert(if first { 0 } else { self.found.len() }, index);
    }

    /// The lines to show in this height: the page that the chosen item is on. Headings stand above their items as long as
    /// nothing is typed.
    pub fn lines(&self, height: usize) -> Vec<PickerLine<'_>> {
        let mut lines: Vec<PickerLine<'_>> = Vec::new();
        let mut part = "";
        for (place, index) in self.found.iter().enumerate() {
            let item = &self.items[*index];
            if self.line.text.is_empty() && item.part != part {
                part = &item.part;
                if !lines.is_empty() {
                    lines.push(PickerLine::Blank);
                }
                lines.push(PickerLine::Heading(part));
            }
            lines.push(PickerLine::Item(place));
        }
        let height = height.max(1);
        let chosen = lines.iter().position(|line| *line == PickerLine::Item(self.selected)).unwrap_or(0);
        lines.into_iter().skip(chosen / height * height).take(height).collect()
    }

    /// The item that completes what is typed: the chosen one, or the best match where that is only what was typed.
    pub fn completed(&self) -> Option<&PickerItem> {
        let matches = self.found.iter().filter_map(|place| self.items.get(*place));
        self.chosen().filter(|item| !item.typed).or_else(|| matches.into_iter().find(|item| !item.typed))
    }

    /// The item that is called what is typed, in any case where that is only one; or what was typed, where it can be chosen.
    pub fn named(&self) -> Option<&PickerItem> {
        let typed = self.line.text.trim();
        let known = || self.items.iter().filter(|item| !item.typed);
        let mut alike = known().filter(|item| item.name.to_lowercase() == typed.to_lowercase());
        let only = alike.next().filter(|_| alike.next().is_none());
        let exact = known().find(|item| item.name == typed);
        exact.or(only).or_else(|| self.items.iter().find(|item| item.typed))
    }

    /// The chosen item.
    pub fn chosen(&self) -> Option<&PickerItem> {
        self.items.get(*self.found.get(self.selected)?)
    }
}
