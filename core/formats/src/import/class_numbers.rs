//! What numbers mean that another program has in the place of names of classes.

use super::{Read, Target, json};
use crate::row_names::{Speaks, clearly};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::sample::{LabelId, SampleId};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers to name in a sentence.
const SHOWN: usize = 4;

/// The classes of a file's numbers.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// The class of each number, `None` if that is not known. Without any, classes are written by name.
    classes: Option<BTreeMap<u64, Option<LabelId>>>,
    /// Whether names of classes are numbers, and these are meant by their places all the same.
    by_place: bool,
}

impl Numbering {
    /// Classes are written by name.
    pub(super) const NONE: Numbering = Numbering { classes: None, by_place: false };

    /// Learns the numbers of a file from what it says the samples' labels are (`given`): a program that numbers classes need not
    /// number them as the dataset does or by name, nor know the same ones. Without that, they are taken for the dataset's own numbers,
    /// or else for the classes in the order of their names, which is said.
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
    ) -> Result<Numbering, String> {
        let manifest = target.manifest;
        let names = manifest.classes();
        if names.iter().any(|name| name.parse::<i64>().is_ok()) {
            return Ok(Numbering::of_digits(file, given, target, read));
        }
        let wanted: BTreeSet<u64> = suggested.iter().filter_map(|text| number(text, manifest)).collect();
        let mut beside: BTreeMap<u64, BTreeMap<LabelId, u64>> = BTreeMap::new();
        for (id, text) in given {
            if let (Some(number), Some(label)) = (number(text, manifest), manifest.label(*id)) {
                *beside.entry(number).or_default().entry(label).or_default() += 1;
            }
        }
        let readings = Reading::of(manifest);
        if beside.is_empty() {
            if wanted.is_empty() {
                return Ok(Numbering::default());
            }
            let class_of = |reading: &Reading, number: u64| reading.class(number, manifest);
            let mut likely = readings.iter().filter(|reading| reading.knows(&wanted));
            // Ids that do not count up from 0 may be written as they are, or counted up: both need not be right.
            let (first, second) = (likely.next(), likely.next());
            let same = |other: &Reading| {
                first.is_some_and(|first| {
                    wanted.iter().all(|&number| class_of(first, number) == class_of(other, number))
                })
            };
            let clear = first.filter(|first| first.whose != Whose::Ids || second.is_none_or(same));
            let Some(reading) = clear else {
                read.warnings.push(format!(
                    "{file} suggests labels by number, up to {}, and the dataset has {}: what the numbers mean is not known, so \
                     none is suggested; write the names of classes, or add a column given_label",
                    wanted.last().copied().unwrap_or_default(),
                    counted(names.len() as u64, "class", "classes")
                ));
                return Ok(Numbering {
                    classes: Some(wanted.into_iter().map(|number| (number, None)).collect()),
                    ..Numbering::default()
                });
            };
            let classes: BTreeMap<u64, Option<LabelId>> =
                wanted.into_iter().map(|number| (number, class_of(reading, number))).collect();
            read.notes.push(format!(
                "the numbers of {file} were taken for the classes {}: {}",
                reading.whose.words(),
                listed(&classes, manifest)
            ));
            return Ok(Numbering { classes: Some(classes), ..Numbering::default() });
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
        let agreeing = |reading: &Reading| agree(&|number| reading.class(number, manifest));
        // The first of those that agree most.
        let usual = readings.iter().rev().max_by_key(|reading| agreeing(reading));
        let usual = usual.filter(|reading| agreeing(reading) * 2 > all);
        if usual.is_none() && !named {
            return Err("the numbers in its column of given labels are not those of the samples with the same numbers: its rows \
                        are in another order, or its numbers mean other classes; add a column path"
                .to_owned());
        }
        if usual.is_none()
            && (different.len() < learned.len() || agree(&|number| learned[&number]) * 2 <= all)
        {
            return Err(format!(
                "the numbers in its column of given labels do not go with the labels of the dataset: of {}, {} agree at most",
                counted(all, "row", "rows"),
                agree(&|number| learned[&number])
            ));
        }
        let class = |number: u64| match usual {
            Some(reading) => reading.class(number, manifest),
            None => learned.get(&number).copied().flatten(),
        };
        let numbers = beside.keys().copied().chain(wanted.iter().copied());
        let classes: BTreeMap<u64, Option<LabelId>> = numbers.map(|number| (number, class(number))).collect();
        match usual {
            None => read.notes.push(format!(
                "the numbers of {file} are not the places of the classes in the order of their names; by the given labels, {}",
                listed(&classes, manifest)
            )),
            Some(Reading { whose: Whose::Names, .. }) => {}
            Some(reading) => read.notes.push(format!(
                "the numbers of {file} are those of the classes {}: {}",
                reading.whose.words(),
                listed(&classes, manifest)
            )),
        }
        let strange: Vec<String> =
            wanted.iter().filter(|number| classes[number].is_none()).map(u64::to_string).collect();
        if !strange.is_empty() {
            let whose = match usual {
                Some(_) => "of classes that no sample has",
                None => "that no given label has",
            };
            read.warnings.push(format!(
                "{file} suggests labels by numbers {whose}, which are not taken: {}",
                strange.join(", ")
            ));
        }
        Ok(Numbering { classes: Some(classes), ..Numbering::default() })
    }

    /// The same where names of classes are numbers: they are meant by their names, unless the given labels clearly say that they
    /// are places of the classes, which is said.
    fn of_digits(
        file: &str,
        given: &[(SampleId, String)],
        target: &Target<'_>,
        read: &mut Read,
    ) -> Numbering {
        let manifest = target.manifest;
        let by_name = |text: &str| {
            manifest.find_class(text.trim()).or_else(|| manifest.find_class(json::whole(text.trim())))
        };
        let orders = [manifest.class_numbers().clone(), ClassNumbers::of_list(manifest.classes())];
        for numbers in orders.iter().filter(|numbers| !numbers.is_empty()) {
            let by_place = |text: &str| {
                let number: u64 = json::whole(text.trim()).parse().ok()?;
                manifest.find_class(numbers.name(number)?)
            };
            let (mut first, mut second) = (0, 0);
            for (id, text) in given {
                let own = manifest.label(*id);
                let [name, place] =
                    [by_name(text), by_place(text)].map(|class| class.is_some() && class == own);
                first += usize::from(name && !place);
                second += usize::from(place && !name);
            }
            let classes = || numbers.iter().map(|(number, name)| (number, manifest.find_class(name)));
            match clearly(first, second) {
                Speaks::Second => {
                    let classes: BTreeMap<u64, Option<LabelId>> = classes().collect();
                    read.notes.push(format!(
                        "the numbers of {file} are places of classes, not their names, by the given labels: {}",
                        listed(&classes, manifest)
                    ));
                    return Numbering { classes: Some(classes), by_place: true };
                }
                Speaks::ForNeither if second > 0 && second >= first => read.warnings.push(format!(
                    "the numbers of {file} were taken for the names of classes, and may be their places as well: the given labels \
                     do not say which"
                )),
                Speaks::ForNeither | Speaks::First => {}
            }
        }
        Numbering::default()
    }

    /// The name of a label in the file, which stands for itself if it is no number; empty if it is one whose class is not known.
    pub(super) fn name<'a>(&self, text: &'a str, target: &'a Target<'_>) -> &'a str {
        let place = || json::whole(text.trim()).parse().ok();
        let number = if self.by_place { place() } else { number(text, target.manifest) };
        let found = self.classes.as_ref().zip(number);
        match found {
            Some((classes, number)) => {
                let class = classes.get(&number).copied().flatten();
                class.map_or("", |class| target.manifest.class(class))
            }
            None => text,
        }
    }
}

/// Whose numbers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Those of the dataset, which count up from 0.
    Dataset,
    /// Those of the dataset, which do not.
    Ids,
    /// Places in the order of the dataset's numbers.
    Counted,
    /// Places in the order of names.
    Names,
}

impl Whose {
    const fn words(self) -> &'static str {
        match self {
            Whose::Dataset | Whose::Ids => "as the dataset numbers them",
            Whose::Counted => "in the order of the dataset's numbers",
            Whose::Names => "in the order of their names",
        }
    }
}

/// One way to read numbers of classes, which need not be those of samples.
struct Reading {
    whose: Whose,
    numbers: ClassNumbers,
}

impl Reading {
    /// All ways for a dataset, the likeliest first.
    fn of(manifest: &Manifest) -> Vec<Reading> {
        let own = manifest.class_numbers();
        let mut all = Vec::new();
        if own.are_clear() && !own.is_empty() {
            let whose = if own.are_places() { Whose::Dataset } else { Whose::Ids };
            all.push(Reading { whose, numbers: own.clone() });
            if !own.are_places() {
                all.push(Reading { whose: Whose::Counted, numbers: ClassNumbers::of_list(own.names()) });
            }
        }
        // Numbers of the dataset that count up from 0 leave nothing to guess, unless given labels say otherwise.
        all.push(Reading { whose: Whose::Names, numbers: ClassNumbers::of_list(manifest.classes()) });
        all
    }

    /// The class of a number.
    fn class(&self, number: u64, manifest: &Manifest) -> Option<LabelId> {
        manifest.find_class(self.numbers.name(number)?)
    }

    /// Whether each of these numbers is one of its own.
    fn knows(&self, numbers: &BTreeSet<u64>) -> bool {
        numbers.iter().all(|number| self.numbers.name(*number).is_some())
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
