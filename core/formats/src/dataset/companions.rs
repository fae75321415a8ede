//! Columns beside the labels that say the same in other words, such as `class_id` beside `label`: they change with it, whatever
//! the dataset is packed in and whatever is written from it. What cannot be changed for certain is said.

use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt, safe_text};
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// Words in the headings of such columns.
const WORDS: [&str; 5] = ["label", "class", "category", "target", "cls"];
/// What such a word may end with where nothing stands between: `classid`, `labels`.
const ENDS: [&str; 16] = [
    "", "s", "es", "id", "ids", "idx", "ix", "index", "name", "names", "no", "nr", "num", "number", "code",
    "text",
];
/// Words of headings whose columns say another thing: what the label was or is to others, what it might be, or how good it is.
const OTHERS: [&str; 36] = [
    "by",
    "date",
    "time",
    "at",
    "annotator",
    "annotated",
    "reviewer",
    "worker",
    "human",
    "second",
    "other",
    "alt",
    "model",
    "top",
    "gt",
    "ground",
    "truth",
    "true",
    "clean",
    "noisy",
    "original",
    "orig",
    "old",
    "previous",
    "new",
    "predicted",
    "prediction",
    "predictions",
    "pred",
    "suggested",
    "suggestion",
    "score",
    "issue",
    "reason",
    "quality",
    "confidence",
];
/// With fewer rows of each class on average, a column may go with the labels by chance.
const LEAST_EACH: usize = 3;
/// Columns and labels to name in a sentence.
const SHOWN: usize = 3;

/// What stands beside what, if each value of one side goes with one of the other.
pub(super) fn one_to_one<'v>(
    pairs: impl Iterator<Item = (&'v str, &'v str)>,
) -> Option<BTreeMap<&'v str, &'v str>> {
    let (mut there, mut back) = (BTreeMap::new(), BTreeMap::new());
    for (one, other) in pairs {
        if *there.entry(one).or_insert(other) != other || *back.entry(other).or_insert(one) != one {
            return None;
        }
    }
    Some(there)
}

/// The columns that go with the labels of a dataset.
#[derive(Default)]
pub(crate) struct Companions<'a> {
    all: Vec<Companion<'a>>,
    /// Those that go with them in nearly all rows, and the rows in which they do not.
    nearly: Vec<(usize, &'a str, u64)>,
    /// Those that go with them in all rows, and do not say by their headings that they speak of classes.
    maybe: Vec<(usize, &'a str)>,
    values: Vec<&'a [String]>,
}

/// One of them.
pub(crate) struct Companion<'a> {
    /// Its place among the columns that are kept.
    pub(crate) extra: usize,
    pub(crate) heading: &'a str,
    /// What stands in it beside each label.
    of: BTreeMap<&'a str, &'a str>,
    /// Whether that is the label itself.
    is_label: bool,
}

/// What files have of a companion once a label is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// What goes with the new label.
    Changed,
    /// Nothing, since it is unknown what goes with the new label.
    Unknown,
    /// What went with the old one.
    Old,
}

impl<'a> Companions<'a> {
    /// Those whose headings speak of classes, and whose values divide the labeled rows as the labels do.
    pub(crate) fn of(manifest: &'a Manifest) -> Companions<'a> {
        let flags: Vec<usize> = manifest.table().map_or_else(Vec::new, |form| {
            form.kept()
                .enumerate()
                .filter(|(_, column)| form.flags.contains(column))
                .map(|(at, _)| at)
                .collect()
        });
        let mut found = Companions {
            values: manifest.extra().iter().map(|column| column.values.as_slice()).collect(),
            ..Companions::default()
        };
        for (extra, column) in manifest.extra().iter().enumerate() {
            let heading = column.name.as_str();
            if flags.contains(&extra) {
                continue;
            }
            let speaks = speaks_of_classes(heading, manifest);
            if !speaks && (says_other(&heading.to_lowercase()) || is_class(heading, manifest)) {
                continue;
            }
            let labeled = || {
                let rows = manifest.ids().zip(&column.values);
                rows.map(|(id, value)| (manifest.label_name(id), value.as_str()))
                    .filter(|(label, _)| !label.is_empty())
            };
            let whole = one_to_one(labeled()).filter(|of| of.values().all(|value| !value.is_empty()));
            match whole {
                // It may say the label under a name of its own, or be the same by chance: it is said, and stays.
                Some(of) if !speaks => {
                    let rows = labeled().count();
                    if of.len() > 1 && rows >= LEAST_EACH * of.len() {
                        found.maybe.push((extra, heading));
                    }
                }
                None if !speaks => {}
                Some(of) if of.len() > 1 => {
                    let is_label = of.iter().all(|(label, value)| class_names::same(label, value));
                    found.all.push(Companion { extra, heading, of, is_label });
                }
                Some(_) => {}
                None => found.nearly.extend(rows_apart(labeled()).map(|rows| (extra, heading, rows))),
            }
        }
        found
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Companion<'a>> {
        self.all.iter()
    }

    /// The same but for those with these headings.
    #[must_use]
    pub(crate) fn without(mut self, headings: &[String]) -> Companions<'a> {
        let stays = |heading: &str| !headings.iter().any(|other| other == heading);
        self.all.retain(|one| stays(one.heading));
        self.nearly.retain(|(_, heading, _)| stays(heading));
        self.maybe.retain(|(_, heading)| stays(heading));
        self
    }

    /// The one at a place among the columns that are kept.
    pub(crate) fn at(&self, extra: usize) -> Option<&Companion<'a>> {
        self.all.iter().find(|one| one.extra == extra)
    }

    /// What samples with new labels leave contradictory, in a sentence: columns that keep what they say, and those of which it
    /// is unknown what goes with a new label. `kept` says what files have of a companion beside a label.
    pub(crate) fn left(
        &self,
        relabeled: &[(SampleId, &str)],
        kept: &dyn Fn(&Companion<'_>, &str) -> Kept,
    ) -> Option<String> {
        let mut said = Vec::new();
        for one in &self.all {
            let is = |wanted: Kept| relabeled.iter().filter(move |(_, label)| kept(one, label) == wanted);
            let column = excerpt(one.heading);
            let old = is(Kept::Old).filter(|(id, _)| self.says(one.extra, *id)).count() as u64;
            if old > 0 {
                said.push(format!(
                    "the column '{column}' goes with the labels, but stays as it is in files of this format; correct it where {}",
                    are_relabeled(old)
                ));
            }
            let unknown = is(Kept::Unknown).count() as u64;
            if unknown > 0 {
                let mut labels: Vec<&str> = is(Kept::Unknown).map(|(_, label)| *label).collect();
                labels.sort_unstable();
                labels.dedup();
                let shown: Vec<String> =
                    labels.iter().take(SHOWN).map(|label| format!("'{}'", safe_text(label))).collect();
                let more = if labels.len() > SHOWN { ", …" } else { "" };
                let labels_of = if labels.len() == 1 { "the new label" } else { "the new labels" };
                said.push(format!(
                    "the column '{column}' has no known value beside {labels_of} of {} ({}{more}); fill it in there",
                    counted(unknown, "sample", "samples"),
                    shown.join(", ")
                ));
            }
        }
        for (extra, heading, rows) in &self.nearly {
            let old = relabeled.iter().filter(|(id, _)| self.says(*extra, *id)).count() as u64;
            if old > 0 {
                said.push(format!(
                    "the column '{}' goes with the labels in all but {}, so it stays as it is; correct it where {}",
                    excerpt(heading),
                    counted(*rows, "row", "rows"),
                    are_relabeled(old)
                ));
            }
        }
        for (extra, heading) in &self.maybe {
            let old = relabeled.iter().filter(|(id, _)| self.says(*extra, *id)).count() as u64;
            if old > 0 {
                said.push(format!(
                    "the column '{}' goes with the labels in all rows and stays as it is; correct it where {}, if it is \
                     about the class",
                    excerpt(heading),
                    are_relabeled(old)
                ));
            }
        }
        let more = said.len().saturating_sub(SHOWN);
        said.truncate(SHOWN);
        if more > 0 {
            said.push(format!("{} the same", counted(more as u64, "more column needs", "more columns need")));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// Whether a column says anything of a sample.
    fn says(&self, extra: usize, id: SampleId) -> bool {
        self.values
            .get(extra)
            .and_then(|values| values.get(id.index()))
            .is_some_and(|value| !value.is_empty())
    }
}

impl<'a> Companion<'a> {
    /// What stands beside a label; `None` if no row says it.
    pub(crate) fn beside<'s>(&self, label: &'s str) -> Option<&'s str>
    where
        'a: 's,
    {
        self.of.get(label).copied().or_else(|| self.is_label.then_some(label))
    }

    /// The same as the text of a cell, empty if no row says it.
    pub(crate) fn cell(&self, label: &str) -> String {
        self.beside(label).unwrap_or_default().to_owned()
    }

    /// What files have of it that take each of its values.
    pub(crate) fn kept(&self, label: &str) -> Kept {
        if self.beside(label).is_some() { Kept::Changed } else { Kept::Unknown }
    }

    /// Whether its values are the places of the labels in a list of classes.
    pub(crate) fn numbers(&self, classes: &[String]) -> bool {
        self.of.iter().all(|(label, value)| {
            let class = value.parse().ok().and_then(|number: usize| classes.get(number));
            class.is_some_and(|class| class_names::same(class, label))
        })
    }
}

/// Whether a heading is that of a column which may say the labels in other words. A column that is called like a class is one
/// of 0 and 1.
fn speaks_of_classes(heading: &str, manifest: &Manifest) -> bool {
    speaks_of_a_class(&heading.trim().to_lowercase()) && !is_class(heading, manifest)
}

/// Whether a name in lower case, of a column or of a member of a tar file, is that of what may say the labels.
pub(super) fn speaks_of_a_class(low: &str) -> bool {
    let is_one =
        |word: &str| WORDS.iter().filter_map(|known| word.strip_prefix(known)).any(|end| ENDS.contains(&end));
    words(low).any(is_one) && !says_other(low)
}

/// The words of a heading in lower case; numbers at their ends are left out.
fn words(low: &str) -> impl Iterator<Item = &str> {
    low.split(|c: char| !c.is_alphanumeric()).map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Whether a heading in lower case says another thing of the label.
fn says_other(low: &str) -> bool {
    words(low)
        .any(|word| OTHERS.contains(&word) || matches!(word, "labeler" | "labeled" | "labelled" | "labeller"))
}

fn is_class(heading: &str, manifest: &Manifest) -> bool {
    manifest.classes().iter().any(|class| class_names::same(class, heading))
}

/// In how many rows a column does not go with the labels that goes with them in nearly all that it fills; `None` if it goes its
/// own way.
fn rows_apart<'v>(labeled: impl Iterator<Item = (&'v str, &'v str)>) -> Option<u64> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let (mut rows, mut filled) = (0, 0);
    for (label, value) in labeled {
        rows += 1;
        if !value.is_empty() {
            filled += 1;
            *counts.entry(label).or_default().entry(value).or_default() += 1;
        }
    }
    let most = |values: &BTreeMap<&'v str, u64>| {
        values.iter().rev().max_by_key(|(_, count)| **count).map(|(value, count)| (*value, *count))
    };
    let usual: Vec<(&str, u64)> = counts.values().filter_map(most).collect();
    let agree: u64 = usual.iter().map(|(_, count)| count).sum();
    let mut different: Vec<&str> = usual.iter().map(|(value, _)| *value).collect();
    different.sort_unstable();
    different.dedup();
    let goes = different.len() == usual.len() && usual.len() > 1;
    (goes && filled * 2 >= rows && agree * 10 >= filled * 9).then_some(rows - agree)
}

fn are_relabeled(count: u64) -> String {
    counted(count, "sample is relabeled", "samples are relabeled")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::{ExtraColumn, NewSample};
    use chaffinch_protocol::sample::Split;

    fn manifest(labels: &[&str], columns: &[(&str, &[&str])]) -> Manifest {
        let sample = |label: &&str| NewSample {
            path: "a.jpg".into(),
            label: Some((*label).into()),
            split: Split::None,
        };
        let column = |(name, values): &(&str, &[&str])| ExtraColumn {
            name: (*name).into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        Manifest::new("/data", labels.iter().map(sample)).with_extra(columns.iter().map(column).collect())
    }

    #[test]
    fn columns_that_say_the_label_in_other_words_are_known() {
        let manifest = manifest(
            &["cat", "dog", "cat"],
            &[
                ("class_id", &["0", "1", "0"]),
                ("Category", &["Katze", "Hund", "Katze"]),
                ("class_name", &["cat", "dog", "cat"]),
                // Differs within a class, is the same in two, is a class itself, was the label, or says nothing of classes.
                ("label_2", &["0", "1", "2"]),
                ("target", &["0", "0", "0"]),
                ("original_label", &["cat", "dog", "cat"]),
                ("camera", &["0", "1", "0"]),
            ],
        );
        let found = Companions::of(&manifest);
        let headings: Vec<&str> = found.iter().map(|one| one.heading).collect();
        assert_eq!(headings, ["class_id", "Category", "class_name"]);
        let beside = |label| found.iter().map(|one| one.beside(label)).collect::<Vec<_>>();
        assert_eq!(beside("dog"), [Some("1"), Some("Hund"), Some("dog")]);
        // A column that has the labels themselves has any.
        assert_eq!(beside("cow"), [None, None, Some("cow")]);
        let classes = ["cat", "dog"].map(String::from);
        assert_eq!(found.iter().map(|one| one.numbers(&classes)).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn columns_about_labels_are_no_labels() {
        let labels: Vec<&str> = (0..12).map(|row| if row % 2 == 0 { "cat" } else { "dog" }).collect();
        let own: Vec<&str> = (0..12).map(|row| if row % 2 == 0 { "a" } else { "b" }).collect();
        for heading in [
            "labeler",
            "labeled_by",
            "label_date",
            "annotator2_label",
            "gt_label",
            "model_label",
            "clean_label",
            "top1_class",
            "noisy_label",
            "true label",
        ] {
            let manifest = manifest(&labels, &[(heading, &own)]);
            let found = Companions::of(&manifest);
            assert_eq!(found.iter().count(), 0, "{heading}");
            assert_eq!(found.left(&[(SampleId(0), "dog")], &|_, _| Kept::Old), None, "{heading}");
        }
        for heading in ["classid", "Class-Name", "labels", "label_id", "category2", "cls", "target_idx"] {
            assert_eq!(Companions::of(&manifest(&labels, &[(heading, &own)])).iter().count(), 1, "{heading}");
        }
        // Another name for the same, or chance: it stays, and is said.
        for heading in ["species_id", "wnid", "synset"] {
            let manifest = manifest(&labels, &[(heading, &own)]);
            let found = Companions::of(&manifest);
            assert_eq!(found.iter().count(), 0, "{heading}");
            let said = found.left(&[(SampleId(0), "dog")], &|_, _| Kept::Old).unwrap();
            assert!(said.contains(heading) && said.contains("stays as it is"), "{said}");
        }
    }

    #[test]
    fn what_cannot_be_changed_is_said_with_its_count() {
        let labels: Vec<&str> = (0..20).map(|row| if row % 2 == 0 { "cat" } else { "dog" }).collect();
        let own: Vec<&str> = (0..20).map(|row| if row % 2 == 0 { "0" } else { "1" }).collect();
        let mut nearly = own.clone();
        nearly[4] = "1";
        let mut far = own.clone();
        far[..6].fill("0");
        let manifest = manifest(&labels, &[("class_id", &own), ("target", &nearly), ("label_2", &far)]);
        let found = Companions::of(&manifest);
        let relabeled = [(SampleId(0), "dog"), (SampleId(2), "cow")];
        let said = found.left(&relabeled, &|one, label| one.kept(label)).unwrap();
        assert_eq!(
            said,
            "the column 'class_id' has no known value beside the new label of 1 sample ('cow'); fill it in there; the column \
             'target' goes with the labels in all but 1 row, so it stays as it is; correct it where 2 samples are relabeled"
        );
        let said = found.left(&relabeled[..1], &|_, _| Kept::Old).unwrap();
        assert!(said.starts_with("the column 'class_id' goes with the labels, but stays as it is"), "{said}");
        assert!(said.contains("where 1 sample is relabeled"), "{said}");
        assert_eq!(found.left(&[], &|_, _| Kept::Old), None);
    }
}
