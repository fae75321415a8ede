//! The numbers of classes where a dataset has them in a column beside its labels, as tables that were written for a trainer do.

use super::Opened;
use crate::headings::is_class_number;
use crate::text::as_whole;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::manifest::{ExtraColumn, Manifest};
use std::collections::BTreeMap;

/// Takes the numbers of a column called like them, if each of its numbers stands beside one label and each label beside one number.
pub(super) fn from_columns(mut opened: Opened) -> Opened {
    if opened.manifest.class_numbers().is_empty() {
        let columns = opened.manifest.extra().iter().filter(|column| is_class_number(&column.name));
        let found = columns.filter_map(|column| of_column(column, &opened.manifest)).next();
        if let Some(numbers) = found {
            opened.manifest = opened.manifest.with_class_numbers(numbers);
        }
    }
    opened
}

fn of_column(column: &ExtraColumn, manifest: &Manifest) -> Option<ClassNumbers> {
    let mut names: BTreeMap<u64, &str> = BTreeMap::new();
    for (id, cell) in manifest.ids().zip(&column.values) {
        if manifest.label(id).is_none() || cell.trim().is_empty() {
            continue;
        }
        let number = as_whole(cell.trim().trim_matches('"')).parse().ok()?;
        let name = manifest.label_name(id);
        if *names.entry(number).or_insert(name) != name {
            return None;
        }
    }
    let numbers = ClassNumbers::of_ids(names);
    (numbers.len() == manifest.classes().len() && numbers.are_clear()).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::Ledger;
    use chaffinch_protocol::sample::Split;

    fn of(heading: &str, rows: [(&str, &str); 4]) -> Vec<(u64, String)> {
        let sample = |(label, _): (&str, &str)| NewSample {
            path: format!("{label}.png").into(),
            label: (!label.is_empty()).then(|| label.to_owned()),
            split: Split::None,
        };
        let values = rows.iter().map(|(_, cell)| (*cell).to_owned()).collect();
        let manifest = Manifest::new("/d", rows.into_iter().map(sample))
            .with_extra(vec![ExtraColumn { name: heading.to_owned(), values }]);
        let numbers = from_columns(Opened { manifest, ledger: Ledger::default() }).manifest;
        let numbers = numbers.class_numbers();
        (0..20).filter_map(|number| Some((number, numbers.name(number)?.to_owned()))).collect()
    }

    #[test]
    fn a_column_of_numbers_beside_the_labels_gives_them_if_it_is_one_to_one() {
        let both = vec![(0, "cow".to_owned()), (7, "ant".to_owned())];
        for heading in ["class_id", "Label ID", "label_idx", "target"] {
            assert_eq!(
                of(heading, [("cow", "0"), ("ant", "7"), ("cow", "0.0"), ("", "3")]),
                both,
                "{heading}"
            );
        }
        for rows in [
            [("cow", "0"), ("ant", "7"), ("cow", "1"), ("ant", "7")],
            [("cow", "0"), ("ant", "0"), ("cow", "0"), ("ant", "0")],
            [("cow", "0"), ("ant", "x"), ("cow", "0"), ("ant", "x")],
            [("cow", "0"), ("ant", ""), ("cow", "0"), ("ant", "")],
        ] {
            assert_eq!(of("class_id", rows), [], "{rows:?}");
        }
        assert_eq!(of("age", [("cow", "0"), ("ant", "7"), ("cow", "0"), ("ant", "7")]), []);
    }
}
