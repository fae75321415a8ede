//! Describes a group of copies.

use crate::groups::{Link, Pair};
use crate::known::Why;
use chaffinch_plugin::Orientation;
use chaffinch_plugin::prelude::*;
use std::collections::BTreeMap;

/// The splits of some samples with the number in each; empty if the dataset has no splits.
pub(crate) fn splits_of(view: &View<'_>, members: &[usize]) -> BTreeMap<Split, usize> {
    let mut splits = BTreeMap::new();
    for &sample in members {
        if view.split(sample) != Split::None {
            *splits.entry(view.split(sample)).or_insert(0) += 1;
        }
    }
    splits
}

/// The summary note.
pub(crate) fn summary(groups: usize, copies: usize, leaks: usize, disputed: usize, alike: usize) -> String {
    let mut text = match groups {
        0 => "no copies found".to_owned(),
        _ => format!("{} with {}", plural(groups, "group"), plural(copies, "redundant sample")),
    };
    if leaks > 0 {
        text += &format!("; {} across splits", plural(leaks, "group"));
    }
    if disputed > 0 {
        text += &format!("; {} with different labels", plural(disputed, "group"));
    }
    if alike > 0 {
        text += &format!("; {} only alike", plural(alike, "group"));
    }
    text
}

/// What to add about files that were not compared.
pub(crate) fn unknown(view: &View<'_>) -> String {
    match (0..view.len()).filter(|&sample| !view.decodable(sample)).count() {
        0 => String::new(),
        1 => "; 1 file could not be read and was not checked".to_owned(),
        files => format!("; {files} files could not be read and were not checked"),
    }
}

pub(crate) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// For every split that holds copies of another one's pictures, how many, and of how many: a line each.
pub(crate) fn leaks<'a>(view: &View<'_>, groups: impl Iterator<Item = &'a [usize]>) -> String {
    let mut sizes: BTreeMap<Split, usize> = BTreeMap::new();
    for sample in (0..view.len()).filter(|&sample| view.decodable(sample)) {
        *sizes.entry(view.split(sample)).or_default() += 1;
    }
    // By the split that is trained on first, then the one that would be cleaned.
    let mut leaked: BTreeMap<(Split, Split), usize> = BTreeMap::new();
    for members in groups {
        let splits = splits_of(view, members);
        let held: Vec<(Split, usize)> = splits.into_iter().collect();
        for (index, &(first, _)) in held.iter().enumerate() {
            for &(second, count) in &held[index + 1..] {
                *leaked.entry((first, second)).or_default() += count;
            }
        }
    }
    let line = |(&(first, second), &count): (&(Split, Split), &usize)| {
        let (size, pictures) = (sizes.get(&second).copied().unwrap_or(0), plural(count, "picture"));
        let percent = 100.0 * count as f64 / size.max(1) as f64;
        let verb = if count == 1 { "has a copy" } else { "have copies" };
        format!("{pictures} of {size} in {} ({percent:.2} %) {verb} in {}", second.name(), first.name())
    };
    leaked.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a picture is to one that it is a part of, or that is a part of it.
fn part(is_whole: bool, border: bool, orientation: Orientation, size: usize) -> String {
    let other = if size == 2 { "another" } else { "one of the others" };
    let text = match (is_whole, border) {
        (true, true) => format!("{other} with a border around it"),
        (false, true) => format!("{other} without its border"),
        (true, false) => format!("more of the picture that {other} is a crop of"),
        (false, false) => format!("a crop of {other}"),
    };
    match orientation.name() {
        "" => text,
        turned => format!("{text}, {turned}"),
    }
}

/// The role of a member in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one to keep.
    Best,
    /// A copy of the one to keep.
    Redundant,
    /// Similar to redundant members only: it stays, too.
    Spared,
    /// A copy among copies with other labels: nobody knows yet which is right.
    Disputed,
    /// Alike, and no copy.
    Alike,
}

/// What is the same for all members of a group.
pub(crate) struct Group {
    size: usize,
    splits: BTreeMap<Split, usize>,
    /// The split of the first, which is the one to keep.
    best: Split,
    /// Names of the most common labels in the group, these first.
    labels: Vec<String>,
    /// How many labels there are besides.
    unnamed: usize,
}

/// Labels that a sentence names: with all of thousands in the sentence of each member, they would fill the disk.
const NAMED: usize = 32;

impl Group {
    pub(crate) fn new(view: &View<'_>, members: &[usize]) -> Group {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for &sample in members {
            let label = view.labels()[sample];
            if label != NO_LABEL {
                *counts.entry(label).or_insert(0) += 1;
            }
        }
        let mut counts: Vec<(u32, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|&(label, count)| (std::cmp::Reverse(count), label));
        let unnamed = counts.len().saturating_sub(NAMED);
        counts.truncate(NAMED);
        let labels = counts.iter().map(|&(label, _)| view.class_name(label).to_owned()).collect();
        let best = members.first().map_or(Split::None, |&first| view.split(first));
        Group { size: members.len(), splits: splits_of(view, members), best, labels, unnamed }
    }

    /// The sentence for one member.
    pub(crate) fn reason(
        &self,
        view: &View<'_>,
        sample: usize,
        role: Role,
        pair: Pair,
        why: Option<Why>,
    ) -> String {
        let others = self.size - 1;
        let others = if others == 1 { "another".to_owned() } else { format!("{others} others") };
        let across = self.across(view.split(sample));
        if role == Role::Alike {
            if let Link::Part { whole, orientation, border, .. } = pair.link {
                return part(whole as usize == sample, border, orientation, self.size) + &across;
            }
            let (how, glance) = match pair.link {
                Link::Semantic { .. } => ("much like", ""),
                Link::Turned { .. } => ("turned, looks like", " at a glance"),
                Link::Exact | Link::Perceptual { .. } | Link::Part { .. } => ("looks like", " at a glance"),
            };
            return format!(
                "{how} {others}{glance}{across}, but the pixels differ: a template, a burst or a crop"
            );
        }
        let what = match (pair.likeness, pair.link) {
            (_, Link::Turned { orientation, .. }) => format!("{}, the same picture as", orientation.name()),
            (Likeness::SameBytes, _) => "the same file as".to_owned(),
            (Likeness::SamePixels, _) => "the same pixels as".to_owned(),
            _ => "the same picture as".to_owned(),
        };
        let text = format!("{what} {others}{across}");
        match (role, self.size) {
            (Role::Disputed, _) => {
                let more = match self.unnamed {
                    0 => String::new(),
                    count => format!(" and {count} more"),
                };
                let labels = self.labels.join(", ") + &more;
                format!("labels differ: {labels}: which one is right? This is {text}")
            }
            (Role::Best, _) => text + "; this is the copy to keep",
            (Role::Spared, _) => text + "; it resembles only redundant copies, so it stays",
            (Role::Redundant, 2) => match why {
                Some(Why::Damaged) => text + "; this one is damaged, and the other is the copy to keep",
                Some(Why::Split) => {
                    format!("{text}; the other is in {} and is the copy to keep", self.kept_in())
                }
                None => text + "; the other is the copy to keep",
            },
            (Role::Redundant, _) if why == Some(Why::Damaged) => {
                text + "; this one is damaged, and a better copy is in the group"
            }
            (Role::Redundant, _) if why == Some(Why::Split) => {
                format!("{text}; the copy to keep is in {}", self.kept_in())
            }
            (Role::Redundant | Role::Alike, _) => text + "; a better copy is in the group",
        }
    }

    fn kept_in(&self) -> &'static str {
        if self.best == Split::None { "no split" } else { self.best.name() }
    }

    /// `, one of them in test`, if members are in more than one split.
    fn across(&self, own: Split) -> String {
        if self.splits.len() < 2 {
            return String::new();
        }
        let others = self.size - 1;
        let elsewhere =
            self.splits.iter().filter(|&(&split, _)| split != own).map(|(&split, &count)| match count {
                _ if others == 1 => format!("which is in {}", split.name()),
                1 => format!("one of them in {}", split.name()),
                count if count == others => format!("all of them in {}", split.name()),
                count => format!("{count} of them in {}", split.name()),
            });
        let elsewhere: Vec<String> = elsewhere.collect();
        format!(", {} (this one is in {})", elsewhere.join(" and "), own.name())
    }
}
