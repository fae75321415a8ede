//! Folders of images.

mod apart;
mod beside_table;
mod file_kinds;
mod label_files;
mod labels_beside;
mod layout;
mod left_out;
mod machine_made;
mod tree;
mod unread_labels;
mod vanished;
mod walk;

use super::annotated::Annotated;
use super::around::Around;
use super::names_of_parts;
use super::reading_options::of_folder;
use super::{Candidate, ClassNames, DatasetOptions, Format, Opened, names};
use crate::{Error, Result};
pub(crate) use beside_table::{BesideTable, Edit, Record, RowEdits, json_like, json_set};
use chaffinch_data::as_written::TextsBuilder;
use chaffinch_data::class_names::{self, Meaning};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::dataset::{Folders, LabelFiles};
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use labels_beside::Beside;
use layout::Layout;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tree::Folder;
use walk::{Found, walk};

pub(super) const FORMAT: Format = Format {
    name: "a folder",
    summary: "a folder of images",
    details: "class folders, optionally inside `train`, `val` and `test` folders in any usual spelling, as torchvision and Keras \
              read them; or images without labels",
    written: "`cleaned` writes the same folders with what was decided; label files come along",
    lost: "label files of other formats, which are refused or named",
    class_names: ClassNames::Folders,
    annotated: None,
    elsewhere: false,
    options: of_folder,
    detect: Candidate::is_dir,
    read: |candidate, options| open(candidate.path(), options),
};

/// Opens a folder: class folders, split folders that contain class folders, images with labels in other files, or images
/// only.
pub(super) fn open(root: &Path, options: &DatasetOptions) -> Result<Opened> {
    open_with(root, options).map(|(opened, _)| opened)
}

/// A file of an annotation tool, with the row of each of its entries that is a picture of the folder.
pub(super) type Taken = (Annotated, Vec<Option<usize>>);

/// The same with the files of annotation tools that gave labels.
pub(super) fn open_with(root: &Path, options: &DatasetOptions) -> Result<(Opened, Vec<Taken>)> {
    let Found { images, dangling, tables, empty, mut left_out, mut ledger } = walk(root)?;
    let refuse = |message: String| Error::Dataset { path: root.to_path_buf(), message };
    if images.is_empty() {
        left_out.enter(&mut ledger);
        let notes: String = ledger.remarks.iter().map(|remark| format!("; {}", remark.text)).collect();
        let extensions = super::IMAGE_EXTENSIONS.join(", ");
        let advice = left_out.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
        let message =
            format!("it contains no image files; supported extensions: {extensions}{notes}{advice}");
        return Err(refuse(message));
    }
    if let (Some((link, target)), count) = &dangling
        && *count == images.len() as u64
    {
        return Err(refuse(format!(
            "all {} are links to files that are missing; the first is {}, which leads to {}; is the disk mounted, \
             or do the files have to be fetched first?",
            counted(*count, "image", "images"),
            safe_path(link),
            safe_path(target)
        )));
    }
    let layout = Layout::infer(&Folder::of(&images), options.folders, &mut ledger);
    let mut unlabeled = 0;
    let mut samples: Vec<NewSample> =
        images.into_iter().map(|path| sample(&layout, path, &mut unlabeled)).collect();
    let images = counted(unlabeled, "image", "images");
    let text = format!("{images} without a label, in folders called unlabeled or the like");
    ledger.add(RemarkKind::LayoutGuessed, unlabeled, text);
    let mut splits: Vec<String> = samples.iter().map(|sample| split_as_written(&layout, sample)).collect();
    let mut beside = match options.label_files {
        LabelFiles::Auto | LabelFiles::Optional => {
            Beside::read(root, &tables, &mut samples, &mut splits, options, &mut ledger)?
        }
        LabelFiles::Ignore => Beside::default(),
    };
    let mut read: Vec<PathBuf> = beside.read.iter().map(|table| table.path().to_path_buf()).collect();
    read.iter().for_each(|path| left_out.was_read(path, beside.gives_labels));
    let mut taken = Vec::new();
    let mut class_numbers = ClassNumbers::default();
    if options.label_files != LabelFiles::Ignore && !beside.gives_labels {
        let around = Around { root, others: &tables, samples: &samples, options };
        let mut tools = label_files::read(&around, &mut beside.extra, &mut ledger)?;
        tools.give(&mut samples, &mut splits, &mut ledger);
        tools.files.iter().for_each(|path| left_out.was_read(path, true));
        beside.gives_labels |= tools.gives_labels();
        read.extend(tools.files);
        beside.read.extend(tools.marks);
        taken = tools.taken;
        for (file, _) in &taken {
            let columns = file.columns.iter();
            columns.for_each(|name| beside.typed.mark(name, file.typed.contains(name)));
            if class_numbers.is_empty() {
                class_numbers = file.class_numbers.clone();
            }
        }
    }
    let labelled = samples.iter().filter(|sample| sample.label.is_some()).count();
    if labelled == 0 && options.labels_from_names && !beside.gives_labels {
        labels_from_names(&layout, &mut samples, &mut ledger);
    }
    if !beside.gives_labels {
        let unread = unread_labels::find(root, &tables, &samples, &read);
        match options.label_files {
            LabelFiles::Auto => unread_labels::settle(root, &unread, &samples, &mut ledger)?,
            LabelFiles::Optional => unread_labels::enter(&unread, &samples, &mut ledger),
            LabelFiles::Ignore => unread_labels::ignored(&unread, &mut ledger),
        }
    }
    let unread: Vec<&PathBuf> = tables.iter().filter(|path| !read.contains(path)).collect();
    without_labels(&layout, &samples, &unread, beside.gives_labels, &mut ledger);
    vanished::enter(&layout, &samples, &empty, &left_out, &mut ledger);
    left_out.enter(&mut ledger);
    ledger.found += samples.len() as u64;
    let mut written = TextsBuilder::default();
    splits.iter().for_each(|split| written.push(split));
    let manifest = Manifest::new(root, samples)
        .with_extra(beside.extra)
        .with_typed(beside.typed.names())
        .with_class_numbers(class_numbers)
        .with_written_splits(written.finish())
        .with_beside(beside.read);
    Ok((Opened { manifest, ledger }, taken))
}

/// The label and the split, as it is written, of each of these sorted paths, as if they were files of a folder.
pub(super) fn placed(
    paths: Vec<PathBuf>,
    options: &DatasetOptions,
    ledger: &mut Ledger,
) -> HashMap<PathBuf, (Option<String>, String)> {
    let layout = Layout::infer(&Folder::of(&paths), options.folders, ledger);
    let mut unlabeled = 0;
    let mut samples: Vec<NewSample> =
        paths.into_iter().map(|path| sample(&layout, path, &mut unlabeled)).collect();
    if options.labels_from_names && samples.iter().all(|sample| sample.label.is_none()) {
        labels_from_names(&layout, &mut samples, ledger);
    }
    without_labels(&layout, &samples, &[], false, ledger);
    let placed = samples.into_iter().map(|sample| {
        let split = split_as_written(&layout, &sample);
        (sample.path, (sample.label, split))
    });
    placed.collect()
}

/// The split of a sample as the name of its folder spells it, where a table would be read the same with that name.
fn split_as_written(layout: &Layout, sample: &NewSample) -> String {
    let folder = layout.split_folder(&sample.path).and_then(OsStr::to_str);
    folder.unwrap_or_else(|| sample.split.name()).to_owned()
}

/// Whether these paths of a folder alone say the labels and splits that a manifest has.
pub(crate) fn paths_say(manifest: &Manifest) -> bool {
    let paths: Vec<PathBuf> = manifest.ids().map(|id| manifest.path(id).to_path_buf()).collect();
    let folder = Folder::of(&paths);
    [Folders::Auto, Folders::Splits, Folders::Classes].into_iter().any(|wish| {
        let layout = Layout::infer(&folder, wish, &mut Ledger::default());
        let read = |path: &PathBuf| sample(&layout, path.clone(), &mut 0);
        let mut samples: Vec<NewSample> = paths.iter().map(read).collect();
        if samples.iter().all(|sample| sample.label.is_none()) {
            labels_from_names(&layout, &mut samples, &mut Ledger::default());
        }
        manifest.ids().zip(&samples).all(|(id, sample)| {
            let label = sample.label.as_deref().unwrap_or_default();
            let none = class_names::folder_meaning(label) == Meaning::NoLabel && manifest.label(id).is_none();
            manifest.split(id) == sample.split && (none || class_names::same(manifest.label_name(id), label))
        })
    })
}

/// One sample. `unlabeled` counts those in a class folder that says that they have no label.
fn sample(layout: &Layout, path: PathBuf, unlabeled: &mut u64) -> NewSample {
    let (split, class) = layout.place(&path);
    let named = split == Split::None || !class.is_some_and(names_of_parts::says_no_label);
    *unlabeled += u64::from(!named);
    let label = class.filter(|_| named).map(label);
    NewSample { path, label, split }
}

/// The label that a class folder gives.
fn label(name: &OsStr) -> String {
    class_names::of_bytes(name.as_bytes())
}

/// Takes labels from file names if they follow a pattern, in the whole dataset or in parts of it: the test pictures of
/// a dataset may be numbered only.
fn labels_from_names(layout: &Layout, samples: &mut [NewSample], ledger: &mut Ledger) {
    let mut parts: BTreeMap<Option<PathBuf>, Vec<usize>> = BTreeMap::new();
    let whole = names::labels(samples.iter().map(|sample| sample.path.as_path()));
    if let Some(labels) = whole {
        samples.iter_mut().zip(labels).for_each(|(sample, label)| sample.label = label);
    } else {
        for (row, sample) in samples.iter().enumerate() {
            let part = layout.part(&sample.path).map(PathBuf::from);
            parts.entry(part).or_default().push(row);
        }
        for rows in parts.values() {
            let paths = rows.iter().map(|&row| samples[row].path.as_path());
            let Some(labels) = names::labels(paths) else { continue };
            rows.iter().zip(labels).for_each(|(&row, label)| samples[row].label = label);
        }
    }
    let named = samples.iter().filter(|sample| sample.label.is_some()).count() as u64;
    let text = format!(
        "the labels of {} were taken from file names such as cat.12.jpg",
        counted(named, "image", "images")
    );
    ledger.add(RemarkKind::LayoutGuessed, named, text);
}

/// Says how many samples have no label where labels were to be expected.
fn without_labels(
    layout: &Layout,
    samples: &[NewSample],
    tables: &[&PathBuf],
    from_files: bool,
    ledger: &mut Ledger,
) {
    let bare: Vec<&NewSample> = samples.iter().filter(|sample| sample.label.is_none()).collect();
    if bare.len() == samples.len() {
        let table = tables.iter().find(|path| is_dataset_table(path));
        let hint = table.map_or_else(String::new, |table| {
            format!("; if {} has them, open it instead of the folder", safe_path(table))
        });
        let text = format!("no image has a label: there are no class folders{hint}");
        ledger.add(RemarkKind::LabelsMissing, bare.len() as u64, text);
        return;
    }
    // Those of parts without labels have their own remark.
    let told = |sample: &NewSample| {
        let (split, class) = layout.place(&sample.path);
        layout.expects_none(&sample.path)
            || split != Split::None && class.is_some_and(names_of_parts::says_no_label)
    };
    let mut loose = bare.iter().filter(|sample| !told(sample));
    if let Some(first) = loose.next() {
        let all = 1 + loose.count() as u64;
        // Each file has told of its own already.
        let told = if from_files { ledger.count(RemarkKind::LabelsMissing) } else { 0 };
        let count = all.saturating_sub(told);
        let first = safe_path(&first.path);
        let text = match from_files {
            true if told > 0 => {
                let images = counted(count, "other image has", "other images have");
                format!("{images} no label in the files that give labels")
            }
            true => format!(
                "{} no label in the files that give labels: {first}",
                counted(count, "image has", "images have")
            ),
            false => {
                let images = counted(count, "image is", "images are");
                format!("{images} outside the class folders and therefore unlabeled: {first}")
            }
        };
        ledger.add(RemarkKind::LabelsMissing, count, text);
    }
}

/// Whether a file may be a table of the dataset itself.
fn is_dataset_table(path: &Path) -> bool {
    super::extension(path).is_some_and(|extension| matches!(extension.as_str(), "csv" | "tsv"))
}

#[cfg(test)]
mod accounts_tests;
#[cfg(test)]
mod tests;
