//! What the folders of a dataset mean: classes, splits, sources, or nothing.
//!
//! The names of folders decide together with their structure. A folder named like a split is one if class folders
//! stand below it, or if all folders beside it are splits, too: `train` may also be a class beside `bus` and `car`.
//! Class folders that recur below sibling folders make those siblings parts of the dataset, whatever they are called.

use super::tree::Folder;
use crate::dataset::names_of_parts::{
    alike, are_parts, is_answer, is_generic, is_plain, is_unlabeled, says_no_label, split as split_of,
    split_and_rest, unlabeled_rest,
};
use chaffinch_data::dataset::Folders;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::ledger::Doubt;
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// How relative paths give labels and splits.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Leading folders that carry no meaning.
    wrappers: usize,
    /// What the folders below them are, by name.
    tops: BTreeMap<OsString, Part>,
}

/// What a folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A class.
    Class,
    /// A split, or a source of the dataset without one. `skip` folders below it carry no meaning; the next is the class.
    Split { split: Split, skip: usize, labeled: bool },
    /// Samples without labels.
    Unlabeled,
    /// A class of a split, both in its name: `positive_train`.
    Named { split: Split, label: OsString },
    /// A class that is divided into splits.
    Divided,
    /// A part of the dataset with splits of its own.
    Nested(BTreeMap<OsString, Part>),
}

/// A folder at the level that is being understood.
struct Top<'a> {
    name: &'a OsStr,
    folder: &'a Folder,
    split: Option<Split>,
    unlabeled: bool,
    /// The words of its name besides that of the split, if these distinguish classes.
    label: Option<OsString>,
    /// Folders below it that carry no meaning, and the one below them.
    skip: usize,
    inner: &'a Folder,
}

impl Layout {
    /// Infers the meaning of all folders together, and says in the ledger what was guessed.
    pub(super) fn infer(root: &Folder, wish: Folders, ledger: &mut Ledger) -> Layout {
        let (mut at, mut wrappers) = (root, 0);
        // A single folder that holds all class folders carries no meaning, unless it is a split.
        while let Some((name, next)) = at.only() {
            if next.files > 0 || split_of(name).is_some() {
                break;
            }
            (at, wrappers) = (next, wrappers + 1);
        }
        let tops = match wish {
            Folders::Auto => understand(at, ledger),
            Folders::Classes => tops(at).iter().map(|top| (top.name.to_os_string(), Part::Class)).collect(),
            Folders::Splits => {
                let known = tops(at);
                let part = |top: &Top<'_>| (top.name.to_os_string(), top.part(true));
                known.iter().map(part).collect()
            }
        };
        Layout { wrappers, tops }
    }

    /// The split and the class folder of a picture.
    pub(super) fn place<'p>(&'p self, path: &'p Path) -> (Split, Option<&'p OsStr>) {
        place(&self.tops, &self.folders(path))
    }

    /// The folder that a picture has its split from, as far as its name alone says so.
    pub(super) fn split_folder<'p>(&self, path: &'p Path) -> Option<&'p OsStr> {
        let folders = self.folders(path);
        let (split, _) = place(&self.tops, &folders);
        folders.into_iter().find(|folder| split != Split::None && split_of(folder) == Some(split))
    }

    fn folders<'p>(&self, path: &'p Path) -> Vec<&'p OsStr> {
        path.parent().map(Path::iter).into_iter().flatten().skip(self.wrappers).collect()
    }

    /// The folders above a picture that are its class or stand where classes and splits do.
    pub(super) fn meaningful<'p>(&'p self, path: &'p Path) -> impl Iterator<Item = &'p Path> {
        let (split, class) = self.place(path);
        let top = self.wrappers + 1;
        let folders = path.ancestors().skip(1).filter(move |folder| folder.iter().count() >= top);
        let is_class = move |folder: &&Path| class.is_some() && folder.file_name() == class;
        let is_top =
            move |folder: &&Path| (split != Split::None || class.is_some()) && folder.iter().count() == top;
        folders.filter(move |folder| is_class(folder) || is_top(folder))
    }

    /// Whether a remark already says that a picture has no label.
    pub(super) fn expects_none(&self, path: &Path) -> bool {
        let part = self.part(path).and_then(|name| self.tops.get(name));
        matches!(part, Some(Part::Unlabeled | Part::Split { labeled: false, .. }))
    }

    /// The folder that decides about the split of a picture, and is the same for all pictures of a part.
    pub(super) fn part<'p>(&self, path: &'p Path) -> Option<&'p OsStr> {
        path.parent()?.iter().nth(self.wrappers)
    }
}

fn place<'p>(parts: &'p BTreeMap<OsString, Part>, folders: &[&'p OsStr]) -> (Split, Option<&'p OsStr>) {
    let Some((first, rest)) = folders.split_first() else { return (Split::None, None) };
    match parts.get(*first) {
        None | Some(Part::Unlabeled) => (Split::None, None),
        Some(Part::Class) => (Split::None, Some(first)),
        Some(Part::Named { split, label }) => (*split, Some(label)),
        Some(Part::Split { split, skip, labeled }) => (*split, rest.get(*skip).copied().filter(|_| *labeled)),
        Some(Part::Divided) => {
            (rest.first().and_then(|name| split_of(name)).unwrap_or_default(), Some(first))
        }
        Some(Part::Nested(parts)) => place(parts, rest),
    }
}

fn tops(folder: &Folder) -> Vec<Top<'_>> {
    let mut tops: Vec<Top<'_>> = folder.folders.iter().map(|(name, folder)| Top::new(name, folder)).collect();
    // Splits that share other words: `asl_alphabet_train` and `asl_alphabet_test`.
    let lower = |words: &[String]| words.join(" ").to_lowercase();
    let mut found: BTreeMap<String, Vec<(usize, Split, OsString)>> = BTreeMap::new();
    for (at, top) in tops.iter().enumerate().filter(|(_, top)| top.split.is_none()) {
        if let Some((split, rest)) = split_and_rest(top.name) {
            found.entry(lower(&rest)).or_default().push((at, split, rest.join("_").into()));
        }
    }
    found.retain(|_, parts| parts.iter().any(|(_, split, _)| *split != parts[0].1));
    let flat = found.values().flatten().all(|(at, _, _)| tops[*at].inner.is_flat());
    let classes = found.len() > 1 && flat;
    for top in tops.iter_mut().filter(|top| !top.unlabeled) {
        let rest = unlabeled_rest(top.name);
        top.unlabeled = rest.is_some_and(|rest| found.contains_key(&lower(&rest)));
    }
    for (at, split, label) in found.into_values().flatten() {
        tops[at].split = Some(split);
        tops[at].label = classes.then_some(label);
    }
    tops
}

impl<'a> Top<'a> {
    fn new(name: &'a OsStr, folder: &'a Folder) -> Top<'a> {
        let (mut inner, mut skip) = (folder, 0);
        while let Some((below, next)) = inner.only() {
            // `seg_train/seg_train/…` and `val/images/…`.
            if !alike(name, below) && !is_generic(below) {
                break;
            }
            (inner, skip) = (next, skip + 1);
        }
        let (split, unlabeled) = (split_of(name), is_unlabeled(name));
        Top { name, folder, split, unlabeled, label: None, skip, inner }
    }

    /// The names of the folders that would be its classes.
    fn classes(&self) -> BTreeSet<&'a OsStr> {
        self.inner.folders.keys().map(OsString::as_os_str).collect()
    }

    /// As a split, or as a source if it is not named like one.
    fn part(&self, labeled: bool) -> Part {
        if let Some(label) = &self.label {
            return Part::Named { split: self.split.unwrap_or_default(), label: label.clone() };
        }
        Part::Split { split: self.split.unwrap_or_default(), skip: self.skip, labeled }
    }

    /// Whether all its pictures are in folders named like splits.
    fn is_divided(&self) -> bool {
        let folders = &self.inner.folders;
        self.inner.files == 0 && !folders.is_empty() && folders.keys().all(|name| split_of(name).is_some())
    }

    /// Whether its folders hold the pictures and the answers of another task.
    fn is_another_task(&self) -> bool {
        let folders = &self.inner.folders;
        folders.len() > 1 && folders.keys().all(|name| is_generic(name) || is_answer(name))
    }

    fn shown(&self) -> String {
        safe_path(Path::new(self.name))
    }
}

/// Says what the folders of one level are.
fn understand(at: &Folder, ledger: &mut Ledger) -> BTreeMap<OsString, Part> {
    let tops = tops(at);
    if let [top] = tops.as_slice()
        && top.split.is_none()
        && top.folder.is_flat()
        && (is_generic(top.name) || top.unlabeled)
    {
        return named(&tops, |_| Part::Unlabeled);
    }
    if tops.len() > 1 && tops.iter().all(|top| is_generic(top.name) || is_answer(top.name)) {
        let pictures: u64 = tops.iter().map(|top| top.folder.total()).sum();
        let text = format!("the folders {} were not read as classes", list(tops.iter()));
        ledger.add(RemarkKind::LayoutGuessed, pictures, text);
        return named(&tops, |top| match top.inner.is_flat() || is_answer(top.name) {
            true => Part::Unlabeled,
            false => top.part(true),
        });
    }
    let splits: Vec<&Top<'_>> = tops.iter().filter(|top| top.split.is_some()).collect();
    if splits.is_empty() {
        return without_splits(&tops, ledger);
    }
    let others: Vec<&Top<'_>> = tops.iter().filter(|top| top.split.is_none()).collect();
    if others.iter().all(|top| top.unlabeled) || are_splits(&splits, &others, ledger) {
        return with_splits(&tops, ledger);
    }
    named(&tops, |_| Part::Class)
}

fn named(tops: &[Top<'_>], mut part: impl FnMut(&Top<'_>) -> Part) -> BTreeMap<OsString, Part> {
    tops.iter().map(|top| (top.name.to_os_string(), part(top))).collect()
}

/// Says so where most classes have folders of their own that may be classes as well.
fn tell_lower(tops: &[Top<'_>], below: &[BTreeSet<&OsStr>], ledger: &mut Ledger) {
    let is_word = |name: &OsStr| {
        let number = name.to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        !number && !is_generic(name) && !is_answer(name)
    };
    let divided = |names: &&BTreeSet<&OsStr>| names.iter().filter(|name| is_word(name)).count() > 1;
    if below.iter().filter(divided).count() * 2 >= tops.len() {
        let all: BTreeSet<&OsStr> = below.iter().flatten().copied().filter(|name| is_word(name)).collect();
        let text = format!(
            "{} were read as the classes, and the folders below them ({}) as parts of these",
            list(tops.iter()),
            list_names(all.into_iter())
        );
        ledger.add(RemarkKind::LayoutGuessed, tops.len() as u64, text);
    }
}

/// Folders none of which is named like a split.
fn without_splits(tops: &[Top<'_>], ledger: &mut Ledger) -> BTreeMap<OsString, Part> {
    if !tops.is_empty() && tops.iter().all(Top::is_divided) {
        // Either each class is divided into splits, or each source has splits, and classes below them.
        let below: Vec<BTreeSet<&OsStr>> = tops
            .iter()
            .flat_map(|top| top.inner.folders.values())
            .map(|split| split.folders.keys().map(OsString::as_os_str).collect())
            .collect();
        let nested = tops.len() > 1 && recurring(&below).len() > 1;
        let what = if nested { "parts of the dataset" } else { "classes" };
        let text = format!("{} were read as {what}, and the folders below them as splits", list(tops.iter()));
        ledger.add(RemarkKind::LayoutGuessed, tops.len() as u64, text);
        return named(tops, |top| match nested {
            true => {
                let mut unheard = Ledger::default();
                let parts = with_splits(&self::tops(top.inner), &mut unheard);
                wrapped(top, Part::Nested(parts))
            }
            false => match top.skip {
                0 => Part::Divided,
                _ => Part::Class,
            },
        });
    }
    let below: Vec<BTreeSet<&OsStr>> = tops.iter().map(Top::classes).collect();
    let recur = recurring(&below);
    let telling: Vec<&&OsStr> = recur
        .iter()
        .filter(|name| {
            let number = name.to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
            !number && !is_generic(name) && !is_answer(name)
        })
        .collect();
    let mostly = |names: &BTreeSet<&OsStr>| {
        names.len() > 1 && names.iter().filter(|name| recur.contains(**name)).count() * 2 >= names.len()
    };
    let numbered = are_parts(tops.iter().map(|top| top.name));
    if tops.len() > 1 && recur.len() > 1 && below.iter().all(mostly) && (telling.len() > 1 || numbered) {
        let all: BTreeSet<&OsStr> = below.iter().flatten().copied().collect();
        let classes = list_names(recur.iter().copied());
        if numbered || all.len() >= tops.len() {
            let text = format!(
                "the folders {classes} recur below {}, which were read as parts of the dataset, not as classes",
                list(tops.iter())
            );
            let otherwise = format!("if {} are the classes", list(tops.iter()));
            doubt(ledger, tops.len() as u64, text, &otherwise, Folders::Classes);
            return named(tops, |top| top.part(true));
        }
        let text = format!(
            "{} were read as the classes, although the folders {classes} recur below them",
            list(tops.iter())
        );
        let otherwise = format!("if they are parts of the dataset and the classes are {classes}");
        doubt(ledger, tops.len() as u64, text, &otherwise, Folders::Splits);
    } else if tops.len() > 1 && !telling.is_empty() {
        let one = telling.len() == 1;
        let recurring = list_names(telling.iter().map(|name| **name));
        let text = format!(
            "{} were read as classes, but the {} {recurring} {} below more than one of them",
            list(tops.iter()),
            if one { "folder" } else { "folders" },
            if one { "recurs" } else { "recur" }
        );
        let otherwise = "if they are parts of the dataset and the folders below them are the classes";
        doubt(ledger, tops.len() as u64, text, otherwise, Folders::Splits);
    } else if tops.len() > 1 {
        tell_lower(tops, &below, ledger);
    }
    let names: BTreeSet<&OsStr> = tops.iter().map(|top| top.name).collect();
    let repeats = |top: &Top<'_>| {
        let classes = top.classes();
        let known = classes.iter().filter(|name| **name != top.name && names.contains(**name)).count();
        known > 1 && known * 2 >= classes.len()
    };
    named(tops, |top| {
        let pictures = counted(top.folder.total(), "picture", "pictures");
        if tops.len() > 1 && says_no_label(top.name) {
            let text = format!("{pictures} in {} {} read as unlabeled", top.shown(), were(top));
            ledger.add(RemarkKind::LayoutGuessed, top.folder.total(), text);
            return Part::Unlabeled;
        }
        if repeats(top) {
            let text = format!(
                "{} has the class folders that stand beside it; its {pictures} were given those classes",
                top.shown()
            );
            ledger.add(RemarkKind::LayoutGuessed, top.folder.total(), text);
            return top.part(true);
        }
        Part::Class
    })
}

/// A part below folders that carry no meaning.
fn wrapped(top: &Top<'_>, part: Part) -> Part {
    let mut names = Vec::new();
    let mut at = top.folder;
    for _ in 0..top.skip {
        let Some((name, next)) = at.only() else { break };
        names.push(name.to_os_string());
        at = next;
    }
    names.into_iter().rev().fold(part, |part, name| Part::Nested(BTreeMap::from([(name, part)])))
}

/// Whether folders named like splits are splits although others stand beside them.
fn are_splits(splits: &[&Top<'_>], others: &[&Top<'_>], ledger: &mut Ledger) -> bool {
    let below: Vec<BTreeSet<&OsStr>> = splits.iter().map(|top| top.classes()).collect();
    let known: BTreeSet<&OsStr> = below.iter().flatten().copied().collect();
    let different: BTreeSet<u8> =
        splits.iter().filter_map(|top| top.split).map(|split| split.code()).collect();
    let shared = !recurring(&below).is_empty();
    let beside: Vec<&&Top<'_>> = others.iter().filter(|top| !top.unlabeled).collect();
    let joins = |top: &Top<'_>| top.is_divided() || shares(&top.classes(), &known);
    let joined = (shared || beside.iter().any(|top| joins(top)))
        && beside.iter().all(|top| top.inner.is_flat() || joins(top));
    // One name of a split among several others is as likely a class: `train`, `bus`, `car`.
    let sure = joined && (different.len() > 1 || beside.len() < 2);
    let structured = !known.is_empty() && beside.iter().all(|top| top.inner.is_flat());
    let count = (splits.len() + others.len()) as u64;
    let (parts, names) = (list(beside.iter().copied().copied()), list(splits.iter().copied()));
    let (is, a_split, were) = match splits.len() {
        1 => ("is", "a split", "was"),
        _ => ("are", "splits", "were"),
    };
    let (verb, them) =
        (if beside.len() == 1 { "is" } else { "are" }, if splits.len() == 1 { "it" } else { "them" });
    // Without class folders below the splits there would be no labels at all.
    let flat = known.is_empty() && beside.iter().all(|top| top.inner.is_flat());
    if !flat && (joined || structured || shared || different.len() > 1) {
        let text =
            format!("{names} {were} read as {a_split}; {parts} beside {them} {verb} not named like one");
        if sure {
            ledger.add(RemarkKind::LayoutGuessed, count, text);
        } else {
            let all = list(splits.iter().copied().chain(others.iter().copied()));
            doubt(ledger, count, text, &format!("if {all} are the classes"), Folders::Classes);
        }
        return true;
    }
    let all =
        list_names(splits.iter().chain(others).map(|top| top.name).collect::<BTreeSet<_>>().into_iter());
    let text =
        format!("{all} were read as classes: {names} {is} named like {a_split}, but {parts} {verb} not");
    let otherwise = match flat {
        true if beside.len() == 1 => format!("if {names} {is} {a_split} and {parts} is not a class"),
        true => format!("if {names} {is} {a_split} and {parts} are not classes"),
        false => format!("if {names} {is} {a_split} with class folders in {them}"),
    };
    doubt(ledger, count, text, &otherwise, Folders::Splits);
    false
}

/// The meaning of folders of which at least one is a split.
fn with_splits(tops: &[Top<'_>], ledger: &mut Ledger) -> BTreeMap<OsString, Part> {
    let known: BTreeSet<&OsStr> =
        tops.iter().filter(|top| top.split.is_some()).flat_map(Top::classes).collect();
    let unusual: Vec<String> = tops
        .iter()
        .filter(|top| top.split.is_some() && !is_plain(top.name))
        .map(|top| format!("{} as {}", top.shown(), top.split.unwrap_or_default()))
        .collect();
    if !unusual.is_empty() {
        let text = format!("splits were recognized by the names of their folders: {}", unusual.join(", "));
        ledger.add(RemarkKind::LayoutGuessed, unusual.len() as u64, text);
    }
    let part = |top: &Top<'_>| -> (Part, Option<(RemarkKind, String)>) {
        let pictures = || counted(top.folder.total(), "picture", "pictures");
        let classes = top.classes();
        if top.is_another_task() {
            let text = format!(
                "{} in {} without a label: its folders {} are not classes",
                pictures(),
                top.shown(),
                list_names(classes.iter().copied())
            );
            return (top.part(false), Some((RemarkKind::LabelsMissing, text)));
        }
        if top.split.is_some() {
            let elsewhere: BTreeSet<&OsStr> = tops
                .iter()
                .filter(|other| other.split.is_some() && other.name != top.name)
                .flat_map(Top::classes)
                .collect();
            // `test/unknown/…` beside `train/cat/…` and `train/dog/…`.
            if let (1, Some(class)) = (classes.len(), classes.first())
                && elsewhere.len() > 1
                && !elsewhere.contains(class)
                && top.inner.files == 0
            {
                let text = format!(
                    "{} in {} without a label: {} is not a class of the other splits",
                    pictures(),
                    top.shown(),
                    safe_path(Path::new(class))
                );
                return (top.part(false), Some((RemarkKind::LabelsMissing, text)));
            }
            return (top.part(true), None);
        }
        if is_answer(top.name) {
            let text = format!("{} in {} {} read as unlabeled", pictures(), top.shown(), were(top));
            return (Part::Unlabeled, Some((RemarkKind::LayoutGuessed, text)));
        }
        if top.is_divided() {
            let mut unheard = Ledger::default();
            let parts = with_splits(&self::tops(top.inner), &mut unheard);
            let text = format!("{} has splits of its own, which were joined with the others", top.shown());
            return (wrapped(top, Part::Nested(parts)), Some((RemarkKind::LayoutGuessed, text)));
        }
        if shares(&classes, &known) {
            let text = format!(
                "{} in {} with labels and without a split: it has the class folders of the splits, but is not named like one",
                pictures(),
                top.shown()
            );
            return (top.part(true), Some((RemarkKind::LayoutGuessed, text)));
        }
        if top.unlabeled || top.inner.is_flat() {
            let text = format!("{} in {} {} read as unlabeled", pictures(), top.shown(), were(top));
            return (Part::Unlabeled, Some((RemarkKind::LayoutGuessed, text)));
        }
        let text = format!(
            "{} in {} with labels and without a split: none of its class folders is one of the splits",
            pictures(),
            top.shown()
        );
        (top.part(true), Some((RemarkKind::LayoutGuessed, text)))
    };
    let mut parts = BTreeMap::new();
    for top in tops {
        let (part, remark) = part(top);
        if let Some((kind, text)) = remark {
            ledger.add(kind, top.folder.total(), text);
        }
        parts.insert(top.name.to_os_string(), part);
    }
    parts
}

/// Whether a part has the classes of others: at least half of the smaller set.
fn shares(classes: &BTreeSet<&OsStr>, known: &BTreeSet<&OsStr>) -> bool {
    let both = classes.intersection(known).count();
    both > 0 && both * 2 >= classes.len().min(known.len())
}

/// Names that are in more than one of the sets.
fn recurring<'a>(sets: &[BTreeSet<&'a OsStr>]) -> BTreeSet<&'a OsStr> {
    let mut counts: BTreeMap<&OsStr, usize> = BTreeMap::new();
    for name in sets.iter().flatten() {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect()
}

fn were(top: &Top<'_>) -> &'static str {
    if top.folder.total() == 1 { "was" } else { "were" }
}

/// Notes a guess that a person should confirm: what was assumed, when the other reading is right, and its `--layout`.
fn doubt(ledger: &mut Ledger, count: u64, text: String, otherwise: &str, other: Folders) {
    let other = other.name().to_owned();
    let remark = format!("{text}; {otherwise}, use --layout {other}");
    ledger.doubt = Some(Doubt { text, otherwise: otherwise.to_owned(), other });
    ledger.add(RemarkKind::LayoutDoubtful, count, remark);
}

fn list<'t, 'a: 't>(tops: impl Iterator<Item = &'t Top<'a>>) -> String {
    list_names(tops.map(|top| top.name))
}

/// Up to four names: `a, b, c and 7 others`.
fn list_names<'a>(names: impl Iterator<Item = &'a OsStr>) -> String {
    let all: Vec<String> = names.map(|name| safe_path(Path::new(name))).collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if all.len() <= 4 => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} others", all[..3].join(", "), all.len() - 3),
    }
}
