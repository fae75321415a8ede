//! What there is to say of the rows of a table of labels and the images that they name.

use super::ways::{By, either, in_other_folders};
use crate::ends::{Place, doubts};
use crate::spelled_otherwise;
use crate::text::Sheet;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::borrow::Cow;

/// Names to show in a remark.
const SHOWN: usize = 3;

/// The rows of a table, and what the names in its column `key` mean.
pub(super) struct Rows<'a> {
    pub(super) sheet: &'a Sheet,
    pub(super) key: usize,
    pub(super) places: &'a [Place],
    pub(super) by: By,
    pub(super) manifest: &'a Manifest,
    /// What the table is called in a sentence.
    pub(super) shown: &'a str,
}

impl<'a> Rows<'a> {
    fn name(&self, row: usize) -> Cow<'a, str> {
        self.sheet.text(row, self.key)
    }

    fn image(&self, at: u32) -> String {
        excerpt_path(self.manifest.path(SampleId(at)))
    }

    /// Whether no row names an image.
    pub(super) fn are_of_none(&self) -> bool {
        !self.places.iter().any(|place| matches!(place, Place::At(_)))
    }

    /// What to do where no row names an image.
    pub(super) fn why_of_none(&self) -> String {
        let names: Vec<_> = (0..self.sheet.len()).map(|row| self.name(row)).collect();
        let hint = spelled_otherwise::hint(names.iter().map(|name| name.as_ref()), self.manifest);
        format!(
            "no row names an image of the dataset in column '{}': the first is {}, and the first image is {}{}",
            excerpt(&self.sheet.headings[self.key]),
            excerpt(&names[0]),
            self.image(0),
            hint.as_deref().unwrap_or("; choose the column of paths, stems or ids with --key")
        )
    }

    /// How many rows have such a place, and the first names of them.
    fn of(&self, is_wanted: impl Fn(&Place) -> bool) -> (u64, String) {
        let rows: Vec<usize> = (0..self.sheet.len()).filter(|&row| is_wanted(&self.places[row])).collect();
        let names: Vec<String> =
            rows.iter().take(SHOWN).map(|&row| excerpt(&self.name(row)).into_owned()).collect();
        let more = if rows.len() > SHOWN { ", …" } else { "" };
        (rows.len() as u64, names.join(", ") + more)
    }

    /// Says which rows name no image, may mean several or repeat one, and which are in doubt. Labels of `joined` images were taken.
    pub(super) fn tell(&self, says_splits: bool, joined: u64, ledger: &mut Ledger) {
        let shown = self.shown;
        let (missing, names) = self.of(|place| *place == Place::Nothing);
        let verb = if missing == 1 { "names no image" } else { "name no image" };
        let rows = counted(missing, "row of", "rows of");
        let text = format!("{rows} {shown} {verb} of the dataset: {names}");
        ledger.add(RemarkKind::LabelsMissing, missing, text);
        let (several, names) = self.of(|place| *place == Place::Several);
        let first = self.places.iter().position(|place| *place == Place::Several);
        let example =
            first.map(|row| either(self.manifest, self.by, self.sheet.bytes(row, self.key).trim_ascii()));
        let text = format!(
            "{} {shown} {} several images, so no label was taken: {names}{}",
            counted(several, "row of", "rows of"),
            if several == 1 { "may mean" } else { "may each mean" },
            example.unwrap_or_default()
        );
        ledger.add(RemarkKind::LabelsMissing, several, text);
        self.tell_doubts(says_splits, joined, ledger);
        let (again, names) = self.of(|place| matches!(place, Place::Again(_)));
        let rows = counted(again, "row of", "rows of");
        let verb = if again == 1 { "repeats" } else { "repeat" };
        let text = format!("{rows} {shown} {verb} an earlier image, whose first row was taken: {names}");
        ledger.add(RemarkKind::RowsRepeated, again, text);
    }

    /// Says which rows were taken for images in other folders, and what else is in doubt about names.
    fn tell_doubts(&self, says_splits: bool, joined: u64, ledger: &mut Ledger) {
        let shown = self.shown;
        if self.by == By::Path
            && let Some((count, row, at)) = in_other_folders(self.sheet, self.key, self.manifest, self.places)
        {
            let text = format!(
                "{} {shown} {} taken for images in other folders: '{}' for {}; if they are others, write the paths of the dataset, or \
                 choose another column with --key",
                counted(count, "row of", "rows of"),
                if count == 1 { "was" } else { "were" },
                excerpt(&self.name(row)),
                self.image(at)
            );
            ledger.add(RemarkKind::LayoutDoubtful, count, text);
        }
        if matches!(self.by, By::Path | By::Stem) {
            let rows = self.places.iter().enumerate();
            let named: Vec<_> =
                rows.filter_map(|(row, place)| Some((self.name(row), SampleId(place.row()?)))).collect();
            let named = || named.iter().map(|(name, id)| (name.as_ref(), *id));
            for text in doubts(named, says_splits, self.manifest) {
                ledger.add(RemarkKind::LayoutDoubtful, joined, format!("{shown}: {text}"));
            }
        }
    }
}
