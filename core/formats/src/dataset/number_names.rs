//! Classes that are called by numbers, where another column has their names.

use super::companions::one_to_one;
use super::{Opened, is_image};
use crate::headings::{is_label_of_names, names_classes};
use crate::text::as_whole;
use chaffinch_data::manifest::{ExtraColumn, Manifest};
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::excerpt;
use std::path::Path;

/// Samples of each class on average from which a column does not go with the labels by chance.
const EACH: usize = 3;

/// Says which column seems to have the names of classes that are only numbers. `by_option` says that `--label-column` takes it.
pub(super) fn tell(mut opened: Opened, by_option: bool) -> Opened {
    let manifest = &opened.manifest;
    let is_number = |class: &String| as_whole(class).parse::<i64>().is_ok();
    let are_numbers = manifest.classes().len() > 1 && manifest.classes().iter().all(is_number);
    // Numbers with names were read as such.
    if !are_numbers || !manifest.class_numbers().is_empty() {
        return opened;
    }
    if let Some(column) = manifest.extra().iter().find(|column| has_names(column, manifest)) {
        let column = excerpt(&column.name);
        let advice = match by_option {
            true => format!("; --label-column '{column}' takes them"),
            false => String::new(),
        };
        let text = format!("the classes are numbers, for which '{column}' seems to have the names{advice}");
        opened.ledger.add(RemarkKind::LayoutDoubtful, 1, text);
    }
    opened
}

/// Whether each class has one text in a column, which no other has.
fn has_names(column: &ExtraColumn, manifest: &Manifest) -> bool {
    let pairs = || {
        let labeled = manifest.ids().zip(&column.values).filter(|(id, _)| manifest.label(*id).is_some());
        labeled.map(|(id, text)| (manifest.label_name(id), text.as_str()))
    };
    let is_name =
        |text: &str| !text.trim().is_empty() && text.parse::<f64>().is_err() && !is_image(Path::new(text));
    let is_called = is_label_of_names(&column.name) || names_classes(&column.name);
    (is_called || pairs().count() >= manifest.classes().len() * EACH)
        && pairs().all(|(_, text)| is_name(text))
        && one_to_one(pairs()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::Ledger;
    use chaffinch_protocol::sample::Split;

    fn said(heading: &str, rows: &[(&str, &str)]) -> String {
        let sample = |(at, (label, _)): (usize, &(&str, &str))| NewSample {
            path: format!("{at}.png").into(),
            label: (!label.is_empty()).then(|| (*label).to_owned()),
            split: Split::None,
        };
        let values = rows.iter().map(|(_, text)| (*text).to_owned()).collect();
        let manifest = Manifest::new("/d", rows.iter().enumerate().map(sample))
            .with_extra(vec![ExtraColumn { name: heading.to_owned(), values }]);
        let opened = tell(Opened { manifest, ledger: Ledger::default() }, true);
        opened.ledger.remarks.iter().map(|remark| remark.text.clone()).collect()
    }

    #[test]
    fn a_column_with_a_name_for_each_number_is_said() {
        let rows = [("0", "zebra"), ("1", "ant"), ("", "cow"), ("2", "monkey")];
        for heading in
            ["label_name", "name", "species", "label_text", "Class Name", "wnid", "str_label", "label_human"]
        {
            assert_eq!(
                said(heading, &rows),
                format!(
                    "the classes are numbers, for which '{heading}' seems to have the names; --label-column '{heading}' takes them"
                )
            );
        }
        assert_eq!(said("camera", &rows), "", "may be chance");
        let many: Vec<(&str, &str)> = rows[..2].iter().cycle().take(8).copied().collect();
        assert!(said("camera", &many).contains("'camera'"));
    }

    #[test]
    fn other_columns_are_not_said() {
        for rows in [
            [("0", "zebra"), ("1", "ant"), ("0", "cow")],
            [("0", "zebra"), ("1", "zebra"), ("0", "zebra")],
            [("0", "zebra"), ("1", ""), ("0", "zebra")],
            [("0", "1.5"), ("1", "2.5"), ("0", "1.5")],
            [("cat", "zebra"), ("dog", "ant"), ("cat", "zebra")],
            [("0", "a/1.jpg"), ("1", "b/2.jpg"), ("0", "a/1.jpg")],
        ] {
            assert_eq!(said("label_name", &rows), "", "{rows:?}");
        }
    }
}
