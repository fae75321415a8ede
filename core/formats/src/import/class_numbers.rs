//! What numbers mean that another program has in the place of names of classes.

use super::{Read, Target, json};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::sample::{LabelId, SampleId};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers to name in a sentence.
const SHOWN: usize = 4;

/// The classes of a file's numbers.
#[derive(Debug, Default)]
pub(super) struct ClassNumbers {
    /// The class of each number, `None` if that is not known. Without any, classes are written by name.
    classes: Option<BTreeMap<u64, Option<LabelId>>>,
}

impl ClassNumbers {
    /// Classes are written by name.
    pub(super) const NONE: ClassNumbers = ClassNumbers { classes: None };

    /// Learns the numbers of a file from what it says the samples' labels are (`given`): a program that numbers classes need not
    /// number them by name, nor know the same ones. Without that, they are taken for the classes in the order of their names, which is said.
    /// `suggested` are all other labels in the file, whose name is `file`. Where rows are not `named`, so that they are samples by
    /// their order, another numbering cannot be told from another order, and only that by name is read.
    ///
    /// # Errors
    /// When what it says of labels does not go with those of the samples under any reading, in a sentence.
    pub(super) fn of(
        (file, named): (&str, bool),
        given: &[(SampleId, String)],
        suggested: &BTreeSet<String>,
        target: &Target<'_>,
        read: &mut Read,
    ) -> Result<ClassNumbers, String> {
        let manifest = target.manifest;
        let names = manifest.classes();
        if names.iter().any(|name| name.parse::<i64>().is_ok()) {
            return Ok(ClassNumbers::default());
        }
        let wanted: BTreeSet<u64> = suggested.iter().filter_map(|text| number(text, manifest)).collect();
        let mut beside: BTreeMap<u64, BTreeMap<LabelId, u64>> = BTreeMap::new();
        for (id, text) in given {
            if let (Some(number), Some(label)) = (number(text, manifest), manifest.label(*id)) {
                *beside.entry(number).or_default().entry(label).or_default() += 1;
            }
        }
        let by_place =
            |number: u64| u32::try_from(number).ok().filter(|at| (*at as usize) < names.len()).map(LabelId);
        if beside.is_empty() {
            if wanted.is_empty() {
                return Ok(ClassNumbers::default());
            }
            let known = wanted.iter().all(|number| by_place(*number).is_some());
            if !known {
                read.warnings.push(format!(
                    "{file} suggests labels by number, up to {}, and the dataset has {}: what the numbers mean is not known, so \
                     none is suggested; write the names of classes, or add a column given_label",
                    wanted.last().copied().unwrap_or_default(),
                    counted(names.len() as u64, "class", "classes")
                ));
                return Ok(ClassNumbers {
                    classes: Some(wanted.into_iter().map(|number| (number, None)).collect()),
                });
            }
            let classes: BTreeMap<u64, Option<LabelId>> =
                wanted.into_iter().map(|number| (number, by_place(number))).collect();
            read.notes.push(format!(
                "the numbers of {file} were taken for the classes in the order of their names: {}",
                listed(&classes, manifest)
            ));
            return Ok(ClassNumbers { classes: Some(classes) });
        }
        let all: u64 = beside.values().flat_map(BTreeMap::values).sum();
        let agree = |class: &dyn Fn(u64) -> Option<LabelId>| -> u64 {
            let count = |(number, labels): (&u64, &BTreeMap<LabelId, u64>)| {
                class(*number).and_then(|label| labels.get(&label)).copied().unwrap_or_default()
            };
            beside.iter().map(count).sum()
        };
        let most = |labels: &BTreeMap<LabelId, u64>| {
            labels
                .iter()
                .max_by_key(|(label, count)| (**count, std::cmp::Reverse(**label)))
                .map(|(label, _)| *label)
        };
        let learned: BTreeMap<u64, Option<LabelId>> =
            beside.iter().map(|(number, labels)| (*number, most(labels))).collect();
        let different: BTreeSet<LabelId> = learned.values().flatten().copied().collect();
        let usual = agree(&by_place) * 2 > all;
        if !usual && !named {
            return Err("the numbers in its column of given labels are not those of the samples with the same numbers: its rows \
                        are in another order, or its numbers mean other classes; add a column path"
                .to_owned());
        }
        if !usual && (different.len() < learned.len() || agree(&|number| learned[&number]) * 2 <= all) {
            return Err(format!(
                "the numbers in its column of given labels do not go with the labels of the dataset: of {}, {} agree at most",
                counted(all, "row", "rows"),
                agree(&|number| learned[&number])
            ));
        }
        let class = |number: u64| match usual {
            true => by_place(number),
            false => learned.get(&number).copied().flatten(),
        };
        let numbers = beside.keys().copied().chain(wanted.iter().copied());
        let classes: BTreeMap<u64, Option<LabelId>> = numbers.map(|number| (number, class(number))).collect();
        if !usual {
            read.notes.push(format!(
                "the numbers of {file} are not the places of the classes in the order of their names; by the given labels, {}",
                listed(&classes, manifest)
            ));
        }
        let strange: Vec<String> =
            wanted.iter().filter(|number| classes[number].is_none()).map(u64::to_string).collect();
        if !strange.is_empty() {
            read.warnings.push(format!(
                "{file} suggests labels by numbers that no given label has, which are not taken: {}",
                strange.join(", ")
            ));
        }
        Ok(ClassNumbers { classes: Some(classes) })
    }

    /// The name of a label in the file, which stands for itself if it is no number; empty if it is one whose class is not known.
    pub(super) fn name<'a>(&self, text: &'a str, target: &'a Target<'_>) -> &'a str {
        let found = self.classes.as_ref().zip(number(text, target.manifest));
        match found {
            Some((classes, number)) => {
                let class = classes.get(&number).copied().flatten();
                class.map_or("", |class| target.manifest.class(class))
            }
            None => text,
        }
    }
}

/// The number of a class; `None` for a name, be it one of digits.
fn number(text: &str, manifest: &Manifest) -> Option<u64> {
    let whole = json::whole(text.trim());
    let number = whole.parse().ok()?;
    manifest.find_class(text.trim()).or_else(|| manifest.find_class(whole)).is_none().then_some(number)
}

/// `0 is ant, 1 is bee, …`.
fn listed(classes: &BTreeMap<u64, Option<LabelId>>, manifest: &Manifest) -> String {
    let known = classes.iter().filter_map(|(number, class)| Some((number, (*class)?)));
    let shown: Vec<String> = known
        .take(SHOWN)
        .map(|(number, class)| format!("{number} is {}", excerpt(manifest.class(class))))
        .collect();
    let more = if classes.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}
