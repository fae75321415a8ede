//! Files beside the pictures that hold their labels and are read.

use super::apart::Apart;
use super::beside_table::{BesideTable, Named, Record, pictures};
use crate::dataset::DatasetOptions;
use crate::dataset::choice::{self, LABEL_NAMES, LAST_LABELS};
use crate::dataset::path_spellings::{self, Spelling};
use crate::dataset::said_splits::{OtherSplits, SaidSplits};
use crate::dataset::several::{ALL_LABELS, BETWEEN};
use crate::dataset::typed::Typed;
use crate::same_headings;
use crate::tally::Tally;
use crate::{Error, Result};
use chaffinch_data::as_written::TableBeside;
use chaffinch_data::class_names;
use chaffinch_data::dataset::LabelFiles;
use chaffinch_data::manifest::{ExtraColumn, NewSample};
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The only label of samples, that is the name of their folder: `Some(None)` if they have none, `None` if they have several.
fn sole_label(samples: &[NewSample]) -> Option<Option<&str>> {
    let mut labels = samples.iter().map(|sample| sample.label.as_deref());
    let first = labels.next()?;
    labels.all(|label| label == first).then_some(first)
}

/// What files beside the pictures gave.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The files that were read, in their order.
    pub(super) read: Vec<TableBeside>,
    /// Whether they have labels.
    pub(super) gives_labels: bool,
    /// Their other columns, one value per sample.
    pub(super) extra: Vec<ExtraColumn>,
    /// Which of them have no texts.
    pub(super) typed: Typed,
    /// Which of the files gave the labels and splits of samples.
    labels_of: HashMap<usize, usize>,
    splits_of: HashMap<usize, usize>,
}

impl Beside {
    /// Reads the tables that are known to go with pictures, and gives their labels to the samples below them; of tables in
    /// folders above each other the nearest counts. `tables` and `samples` are in byte order; `splits` are those of the samples
    /// as written.
    ///
    /// # Errors
    /// When a table is malformed.
    pub(super) fn read(
        root: &Path,
        tables: &[PathBuf],
        samples: &mut [NewSample],
        splits: &mut [String],
        options: &DatasetOptions,
        ledger: &mut Ledger,
    ) -> Result<Beside> {
        let mut beside = Beside::default();
        let mut taken: BTreeMap<&Path, &Path> = BTreeMap::new();
        let mut from_above: Vec<&PathBuf> = tables.iter().collect();
        from_above.sort_by_key(|path| path.components().count());
        for path in from_above {
            let folder = path.parent().unwrap_or(Path::new(""));
            if samples_below(samples, folder).is_empty() {
                continue;
            }
            let full = root.join(path);
            let Some(table) = BesideTable::read(&full, root)? else { continue };
            if table.is_annotations() {
                beside.annotations(path, &table, samples, ledger);
                continue;
            }
            if let Some(first) = taken.get(folder) {
                let first = first.file_name().map(PathBuf::from).unwrap_or_default();
                let text = format!("{} was not read: {} beside it was", safe_path(path), safe_path(&first));
                ledger.add(RemarkKind::LabelsMissing, 1, text);
                continue;
            }
            taken.insert(folder, path);
            beside.take((path, &full), &table, (samples, splits), options, ledger)?;
        }
        Ok(beside)
    }

    /// Takes labels, splits and other columns from a table of the pictures below its folder.
    fn take(
        &mut self,
        (path, full): (&Path, &Path),
        table: &BesideTable,
        (samples, written): (&mut [NewSample], &mut [String]),
        options: &DatasetOptions,
        ledger: &mut Ledger,
    ) -> Result<()> {
        let several = pictures(&table.headings);
        if let (true, Some(first)) = (table.file_name().is_none() || several.len() > 1, several.first()) {
            let message = format!(
                "it names several images in a row, such as in '{}', which is not read: write a table with a row for each \
                 image; --label-files ignore goes on without it",
                excerpt(&table.headings[*first])
            );
            return match options.label_files {
                LabelFiles::Optional => {
                    ledger.add(RemarkKind::LabelsMissing, 1, format!("{}: {message}", safe_path(path)));
                    Ok(())
                }
                _ => Err(Error::format(full, message)),
            };
        }
        let Some(file_name) = table.file_name() else {
            let text = format!("{} was not read: it has no column file_name", safe_path(path));
            ledger.add(RemarkKind::LabelsMissing, 1, text);
            return Ok(());
        };
        let asked = |name: &String| {
            choice::asked(&table.headings, name).first().copied().ok_or_else(|| {
                let among = choice::among(&table.headings);
                Error::format(full, format!("there is no column '{}'; {among}", excerpt(name)))
            })
        };
        let sole = |column: Option<usize>, asked: &Option<String>, option: &str| {
            let Some(column) = column else { return Ok(()) };
            let how = (asked.as_deref(), Some(option));
            same_headings::refuse_differing(full, &table.headings, column, how, |other| {
                Ok(table.records.iter().any(|record| record.cells[column] != record.cells[other]))
            })
        };
        let label = match &options.label_column {
            Some(name) => Some(asked(name)?),
            None => {
                let free = |names: &[&str]| -> Vec<usize> {
                    let named = choice::named(&table.headings, names).into_iter();
                    named.filter(|&column| column != file_name).collect()
                };
                let columns = Some(free(&LABEL_NAMES)).filter(|columns| !columns.is_empty());
                let columns = columns.unwrap_or_else(|| free(&LAST_LABELS));
                if let Some(text) = doubt(path, &table.headings, &table.records, &columns) {
                    ledger.add(RemarkKind::LayoutDoubtful, 1, text);
                }
                columns.first().copied()
            }
        };
        sole(label, &options.label_column, "--label-column")?;
        // Beside class folders, columns of 0 and 1 are properties of the pictures.
        let folder = path.parent().unwrap_or(Path::new(""));
        let below = samples_below(samples, folder);
        let classes = path.ends_with("_classes.csv");
        let bare = classes || samples[below.clone()].iter().all(|sample| sample.label.is_none());
        let flags = match label {
            None if bare => Flags::of(table, if classes { 1 } else { 2 }),
            _ => None,
        };
        let named = {
            let find = |place: &Path| samples.binary_search_by(|sample| in_bytes(&sample.path, place)).ok();
            let all = || below.clone().map(|index| (index, samples[index].path.as_path())).collect();
            table.named(folder, find, all)
        };
        if !named.is_empty() && named.iter().all(|one| one.picture().is_none()) {
            let rows = counted(named.len() as u64, "row", "rows");
            let first = table.written_path(&table.records[0]).unwrap_or_default();
            let text = format!(
                "{} was not read: none of its {rows} names an image of this folder, such as {}",
                safe_path(path),
                safe_path(&first)
            );
            ledger.add(RemarkKind::LabelsMissing, named.len() as u64, text);
            return Ok(());
        }
        let cell = |row: usize, column: usize| Cow::from(&table.records[row].cells[column]);
        let splits = match &options.split_column {
            Some(name) => SaidSplits::asked(asked(name)?),
            None => SaidSplits::of(&table.headings, table.records.len(), &cell, &[Some(file_name), label]),
        };
        let split = splits.column;
        sole(split, &options.split_column, "--split-column")?;
        splits.tell(&table.headings, table.records.len(), &cell, &safe_path(path), ledger);
        let (mut given, mut replaced) = (BTreeSet::new(), 0_u64);
        let (mut missing, mut repeated, mut contradicting) =
            (Tally::default(), Tally::default(), Tally::default());
        let mut other_splits = OtherSplits::default();
        let (mut apart_labels, mut apart_splits) = (Apart::default(), Apart::default());
        if label.is_some() || flags.is_some() {
            self.gives_labels = true;
        } else if let Some(folder) = sole_label(&samples[below.clone()]) {
            let others: Vec<String> = (table.headings.iter().enumerate())
                .filter(|(column, _)| *column != file_name)
                .map(|(_, heading)| format!("'{}'", excerpt(heading)))
                .collect();
            let folder = match folder {
                None => String::new(),
                Some(name) => {
                    format!(", and all labels are '{}', the name of the only folder", excerpt(name))
                }
            };
            let text = format!(
                "{} has no column called label or the like{folder}; --label-column chooses one: {}",
                safe_path(path),
                others.join(", ")
            );
            ledger.add(RemarkKind::LabelsMissing, u64::from(!others.is_empty()), text);
        }
        let mut labels: BTreeMap<usize, Option<String>> = BTreeMap::new();
        let mut several = BTreeSet::new();
        let mut spelled: BTreeMap<Spelling, u64> = BTreeMap::new();
        let (mut ambiguous, mut by_end) = (Tally::default(), Tally::default());
        for (at, (record, named)) in table.records.iter().zip(&named).enumerate() {
            let index = match *named {
                Named::At(index, spelling) => {
                    if let Some(spelling) = spelling {
                        *spelled.entry(spelling).or_default() += 1;
                    }
                    index
                }
                Named::ByEnd(index) => {
                    by_end.add(|| (at, index));
                    index
                }
                Named::Several => {
                    ambiguous.add(|| at);
                    continue;
                }
                Named::Nothing => {
                    // One that leads out of the dataset is nowhere in it.
                    let place = table.places(folder, record).into_iter().next();
                    let named = place.or_else(|| table.written_path(record));
                    if let Some(picture) = named.filter(|name| !name.as_os_str().is_empty()) {
                        missing.add(|| picture);
                    }
                    continue;
                }
            };
            if !given.insert(index) {
                repeated.add(|| index);
                // A row that says another label is more than a repetition.
                if let Some(cell) = label.map(|label| record.cells[label].trim())
                    && let Some(first) = labels.get(&index)
                    && !class_names::same(first.as_deref().unwrap_or_default(), cell)
                {
                    contradicting.add(|| (index, first.clone().unwrap_or_default(), cell.to_owned()));
                }
                continue;
            }
            if let Some(label) = label {
                let text = &record.cells[label];
                labels.insert(index, (!text.trim().is_empty()).then(|| text.clone()));
            }
            if let Some(flags) = &flags {
                let set = flags.set(table, at);
                if let [_, _, ..] = set.as_slice() {
                    several.insert(index);
                    self.extra_column(ALL_LABELS, samples.len()).values[index] = set.join(BETWEEN);
                }
                let one = if let [one] = set.as_slice() { Some((*one).to_owned()) } else { None };
                labels.insert(index, one);
            }
            let (said, text) = splits.said(at, &cell);
            let above = self.splits_of.get(&index).copied();
            if samples[index].split == Split::None || above.is_some() && said != Split::None {
                if let Some(above) = above.filter(|_| said != samples[index].split) {
                    let old = written[index].clone();
                    apart_splits.add(&samples[index].path, (&text, &old), self.read[above].path());
                }
                if said != Split::None {
                    self.splits_of.insert(index, self.read.len());
                }
                samples[index].split = said;
                written[index] = text;
            } else if above.is_none() && said != Split::None && said != samples[index].split {
                other_splits.add(&samples[index].path, &text);
            }
            for (column, heading) in table.headings.iter().enumerate() {
                if column == file_name || Some(column) == label || Some(column) == split {
                    continue;
                }
                let is_number = !table.numbered().any(|own| own == column);
                self.typed.mark(heading, is_number && table.typed.contains(heading));
                self.extra_column(heading, samples.len()).values[index].clone_from(&record.cells[column]);
            }
        }
        let heading = label.map(|label| table.headings[label].clone());
        let heading = heading.or_else(|| flags.as_ref().map(|_| String::new()));
        let own = self.read.len();
        self.read.push(TableBeside::new(path, heading));
        let shown = safe_path(path);
        path_spellings::tell(&spelled, &format!(" in {shown}"), ledger);
        if let Some(label) = label.filter(|label| table.numbered().any(|own| own == *label)) {
            let text = format!(
                "the numbers in '{}' of {shown} are those of classes that README.md names",
                excerpt(&table.headings[label])
            );
            ledger.add(RemarkKind::LayoutGuessed, table.records.len() as u64, text);
        }
        let written = |at: usize| table.written_path(&table.records[at]).unwrap_or_default();
        if let Some((by_end, &(at, index))) = by_end.told() {
            let (rows, was) = (
                counted(by_end, "row of", "rows of"),
                if by_end == 1 { "names a file elsewhere and was" } else { "name files elsewhere and were" },
            );
            let text = format!(
                "{rows} {shown} {was} matched by the end of the path: {} is {} here",
                safe_path(&written(at)),
                safe_path(&samples[index].path)
            );
            ledger.add(RemarkKind::LayoutGuessed, by_end, text);
        }
        if let Some((ambiguous, &at)) = ambiguous.told() {
            let rows = counted(ambiguous, "row of", "rows of");
            let verb = if ambiguous == 1 { "names a file" } else { "name files" };
            let text = format!(
                "{rows} {shown} {verb} elsewhere, and may mean several images, so nothing was taken: {}",
                safe_path(&written(at))
            );
            ledger.add(RemarkKind::LabelsMissing, ambiguous, text);
        }
        if let Some(flags) = &flags {
            let columns = flags.columns.len() as u64;
            let columns = counted(columns, "column", "columns");
            let text = format!("{columns} of 0 and 1 in {shown} were read as one class each");
            ledger.add(RemarkKind::LayoutGuessed, given.len() as u64, text);
            let count = several.len() as u64;
            let images = counted(
                count,
                "image has several labels and counts as unlabeled",
                "images have several labels and count as unlabeled",
            );
            let text = format!(
                "{images}, because one label per image is compared; the column {ALL_LABELS} has them"
            );
            ledger.add(RemarkKind::LabelsSeveral, count, text);
        }
        if label.is_some() || flags.is_some() {
            let count = labels.values().flatten().count() as u64;
            for index in below.clone() {
                let new = labels.remove(&index).flatten();
                let same = |old: &String| new.as_ref().is_some_and(|new| class_names::same(old, new));
                let old = samples[index].label.as_ref().filter(|old| !same(old));
                match (self.labels_of.get(&index), old, &new) {
                    // What a table above says counts where this one says nothing.
                    (Some(_), _, None) => continue,
                    (Some(&above), Some(old), Some(new)) => {
                        apart_labels.add(&samples[index].path, (new, old), self.read[above].path());
                    }
                    (None, Some(_), _) => replaced += 1,
                    (_, None, _) => {}
                }
                if new.is_some() {
                    self.labels_of.insert(index, own);
                }
                samples[index].label = new;
            }
            let mut text =
                format!("the labels of {} were read from {shown}", counted(count, "image", "images"));
            if replaced > 0 {
                let folders = counted(replaced, "label", "labels");
                text += &format!("; {folders} differ from the class folders");
            }
            ledger.add(RemarkKind::LayoutGuessed, count, text);
        }
        apart_labels.tell("label", &shown, ledger);
        apart_splits.tell("split", &shown, ledger);
        let mut bare = below.filter(|index| !given.contains(index) && !self.labels_of.contains_key(index));
        if let Some(first) = bare.next() {
            let without = 1 + bare.count() as u64;
            let (images, first) =
                (counted(without, "image has", "images have"), safe_path(&samples[first].path));
            ledger.add(RemarkKind::LabelsMissing, without, format!("{images} no row in {shown}: {first}"));
        }
        if let Some((missing, first)) = missing.told() {
            let rows = counted(missing, "row of", "rows of");
            let name = if missing == 1 { "names a file that is" } else { "name files that are" };
            let text = format!("{rows} {shown} {name} missing: {}", safe_path(first));
            ledger.add(RemarkKind::FilesMissing, missing, text);
        }
        if let Some((repeated, &first)) = repeated.told() {
            let rows = counted(repeated, "row of", "rows of");
            let verb = if repeated == 1 { "repeats" } else { "repeat" };
            let text = format!("{rows} {shown} {verb} an earlier file: {}", safe_path(&samples[first].path));
            ledger.add(RemarkKind::RowsRepeated, repeated, text);
        }
        other_splits.tell(&shown, ledger);
        if let Some((contradicting, (index, first, other))) = contradicting.told() {
            let rows = counted(contradicting, "row of", "rows of");
            let verb = if contradicting == 1 { "gives" } else { "give" };
            let text = format!(
                "{rows} {shown} {verb} an earlier file another label, and the first was taken: {} ('{}', '{}')",
                safe_path(&samples[*index].path),
                excerpt(first),
                excerpt(other)
            );
            ledger.add(RemarkKind::LabelsSeveral, contradicting, text);
        }
        Ok(())
    }

    fn extra_column(&mut self, name: &str, samples: usize) -> &mut ExtraColumn {
        let at = self.extra.iter().position(|column| column.name == name).unwrap_or_else(|| {
            let values = vec![String::new(); samples];
            self.extra.push(ExtraColumn { name: name.to_owned(), values });
            self.extra.len() - 1
        });
        &mut self.extra[at]
    }

    /// Takes labels from lines of file names and classes.
    fn annotations(
        &mut self,
        path: &Path,
        table: &BesideTable,
        samples: &mut [NewSample],
        ledger: &mut Ledger,
    ) {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut given = BTreeSet::new();
        for record in &table.records {
            for picture in table.places(folder, record) {
                if let Ok(index) = samples.binary_search_by(|sample| in_bytes(&sample.path, &picture)) {
                    samples[index].label = Some(record.cells[1].trim().to_owned());
                    given.insert(index);
                }
            }
        }
        let count = given.len() as u64;
        let images = counted(count, "image", "images");
        let text = format!("the labels of {images} were read from {}", safe_path(path));
        ledger.add(RemarkKind::LayoutGuessed, count, text);
        if count > 0 {
            self.read.push(TableBeside::new(path, Some(table.headings[1].clone())));
        }
    }
}

/// Columns of 0 and 1, one for each class.
struct Flags {
    columns: Vec<usize>,
}

impl Flags {
    /// Those of a table, if there are enough.
    fn of(table: &BesideTable, least: usize) -> Option<Flags> {
        let columns = table.flag_columns();
        (columns.len() >= least).then_some(Flags { columns })
    }

    /// The names of the classes that a record has.
    fn set<'t>(&self, table: &'t BesideTable, record: usize) -> Vec<&'t str> {
        let set = self.columns.iter().filter(|&&column| table.records[record].cells[column].trim() == "1");
        set.map(|&column| table.headings[column].as_str()).collect()
    }
}

/// What is to be said where several columns may hold the labels, and do not divide the rows alike.
fn doubt(path: &Path, headings: &[String], records: &[Record], columns: &[usize]) -> Option<String> {
    let (&first, others) = columns.split_first()?;
    let count =
        |column: usize| records.iter().map(|row| row.cells[column].trim()).collect::<BTreeSet<_>>().len();
    let differs = |other: &&usize| {
        let pairs: BTreeSet<(&str, &str)> =
            records.iter().map(|row| (row.cells[first].trim(), row.cells[**other].trim())).collect();
        count(first) != pairs.len() || count(**other) != pairs.len()
    };
    let other = others.iter().find(differs)?;
    Some(choice::doubt(path, "label", &headings[first], &headings[*other]))
}

/// The rows of the samples below a folder.
fn samples_below(samples: &[NewSample], folder: &Path) -> std::ops::Range<usize> {
    if folder.as_os_str().is_empty() {
        return 0..samples.len();
    }
    // In byte order, other names may stand between a folder's own pictures, such as `a-b` between `a` and `a/b`.
    let mut prefix = folder.as_os_str().as_encoded_bytes().to_vec();
    prefix.push(b'/');
    let bytes = |sample: &NewSample| sample.path.as_os_str().as_encoded_bytes().to_vec();
    let start = samples.partition_point(|sample| bytes(sample) < prefix);
    let end = samples.partition_point(|sample| {
        let path = bytes(sample);
        path < prefix || path.starts_with(&prefix)
    });
    start..end
}

fn in_bytes(a: &Path, b: &Path) -> std::cmp::Ordering {
    a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes())
}
