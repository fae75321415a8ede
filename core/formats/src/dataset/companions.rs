//! Columns beside the labels that say the same in other words, such as `class_id` beside `label`: they change with it.

use chaffinch_data::as_written::TableForm;
use chaffinch_data::manifest::Manifest;
use std::collections::BTreeMap;

/// Words in the headings of such columns.
const WORDS: [&str; 4] = ["label", "class", "category", "target"];

/// The columns of a table that go with its labels.
pub(crate) struct Companions<'a>(Vec<Companion<'a>>);

struct Companion<'a> {
    /// Its place in the table.
    column: usize,
    /// Its place among the columns that are kept.
    extra: usize,
    /// What stands in it beside each label.
    of: BTreeMap<&'a str, &'a str>,
}

/// What stands beside each label in one of the columns that are kept; `None` if it does not go with the labels.
fn divided<'a>(manifest: &'a Manifest, heading: &str, extra: usize) -> Option<BTreeMap<&'a str, &'a str>> {
    let heading = heading.trim().to_lowercase();
    let named = WORDS.iter().any(|word| heading.contains(word));
    let values = &manifest.extra().get(extra).filter(|_| named)?.values;
    let (mut of, mut back) = (BTreeMap::new(), BTreeMap::new());
    for id in manifest.ids() {
        let (label, value) = (manifest.label_name(id), values.get(id.index())?.as_str());
        if label.is_empty() {
            continue;
        }
        let same = *of.entry(label).or_insert(value) == value;
        if value.is_empty() || !same || *back.entry(value).or_insert(label) != label {
            return None;
        }
    }
    (of.len() > 1).then_some(of)
}

/// The columns that go with the labels of a dataset, but keep what they say where a repair changes a label: only tables of
/// text, which are the dataset, are changed in them, too.
pub(crate) fn columns_that_stay(manifest: &Manifest) -> Vec<&str> {
    if manifest.table().is_some() {
        return Vec::new();
    }
    let columns = manifest.extra().iter().enumerate();
    let goes = columns.filter(|(extra, column)| divided(manifest, &column.name, *extra).is_some());
    goes.map(|(_, column)| column.name.as_str()).collect()
}

impl<'a> Companions<'a> {
    /// Those whose headings speak of classes, and whose values divide the rows as the labels do.
    pub(crate) fn of(manifest: &'a Manifest, form: &TableForm) -> Companions<'a> {
        let Some(label) = form.label else { return Companions(Vec::new()) };
        let is_kept = |column: &usize| {
            *column != form.path
                && *column != label
                && Some(*column) != form.split
                && !form.flags.contains(column)
        };
        let kept = (0..form.columns.len()).filter(is_kept).enumerate();
        let companion = |(extra, column): (usize, usize)| {
            let of = divided(manifest, &form.columns[column], extra)?;
            Some(Companion { column, extra, of })
        };
        Companions(kept.filter_map(companion).collect())
    }

    /// What the columns say beside a new label, by their place in the table; nothing beside one that no row has.
    pub(crate) fn beside(&self, label: &str) -> impl Iterator<Item = (usize, &'a str)> {
        self.0.iter().map(move |one| (one.column, one.of.get(label).copied().unwrap_or_default()))
    }

    /// The same for a column by its place among those that are kept, if it goes with the labels.
    pub(crate) fn cell(&self, extra: usize, label: &str) -> Option<&'a str> {
        let one = self.0.iter().find(|one| one.extra == extra)?;
        Some(one.of.get(label).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::{ExtraColumn, NewSample};
    use chaffinch_protocol::sample::Split;

    #[test]
    fn columns_that_say_the_label_in_other_words_are_known() {
        let sample =
            |label: &str| NewSample { path: "a.jpg".into(), label: Some(label.into()), split: Split::None };
        let manifest = Manifest::new("/data", ["cat", "dog", "cat"].map(sample));
        let column = |name: &str, values: [&str; 3]| ExtraColumn {
            name: name.into(),
            values: values.map(String::from).into(),
        };
        let manifest = manifest.with_extra(vec![
            column("class_id", ["0", "1", "0"]),
            column("Category", ["Katze", "Hund", "Katze"]),
            // Differs within a class, is the same in two, or says nothing of classes.
            column("label_2", ["0", "1", "2"]),
            column("target", ["0", "0", "0"]),
            column("camera", ["0", "1", "0"]),
        ]);
        assert_eq!(columns_that_stay(&manifest), ["class_id", "Category"]);
    }
}
