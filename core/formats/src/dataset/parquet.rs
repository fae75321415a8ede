//! Parquet files: with the pictures in them, as the `datasets` library writes them, or with the paths of pictures.

mod compressions;
mod configs;
mod damage;
mod missing_bytes;

use super::alike::{self, Looks};
use super::apart::{self, Apart};
use super::columns::{Cells, Columns, Features, Rival, inner, is_single, looks, tell_rivals, tell_unlabeled};
use super::declared::{ClassNames as DeclaredClasses, Declared, DeclaredNames};
use super::packed::{Member, PackedRows, Place, clean_name};
use super::reading_options::OF_TABLES;
use super::rows::{EMPTY, EMPTY_OR_NONE, Rows};
use super::shard_sets::{self, Described};
use super::typed::Typed;
use super::{Candidate, ClassNames, DatasetOptions, Format, Opened, is_image, shards, unnamed_classes};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::packing::{Blob, Holds, below, is_address};
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::{Ledger, RemarkKind};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::schema::types::SchemaDescriptor;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "Parquet files",
    summary: "a Parquet file, or a folder of them",
    details: "pictures in a column of bytes (`image`, as the `datasets` library writes it, or plain bytes), read in place, or \
              from the path beside bytes that are missing; or a column of paths; labels with the names of classes from the \
              schema or `dataset_info` in `README.md`, `-1` is none; splits from a column, from `configs:` in `README.md` or the names of files; labels and \
              splits in structures (`meta.label`); other columns are kept; missing files are named; several configurations of \
              a hub's dataset in one folder are said; in a bucket, too, and chosen by patterns such as `train-*.parquet`",
    written: "`parquet` writes one file with the pictures in it; `cleaned` writes these as files in class folders, with the \
              other columns in `metadata.csv`",
    lost: "columns of bytes other than the pictures'; several pictures in a row",
    class_names: ClassNames::Written,
    annotated: None,
    elsewhere: true,
    options: |_| OF_TABLES,
    detect,
    read,
};

fn detect(candidate: &Candidate) -> bool {
    if !candidate.is_dir() {
        return candidate.has_extension(&["parquet", "pq"]);
    }
    // Beside pictures, a Parquet file describes them.
    let has = |extension| candidate.with_extension(extension).next().is_some();
    (has("parquet") || has("pq")) && !candidate.files().iter().any(|path| is_image(path))
}

/// Where the metadata of a file names the folder that its paths start from.
pub(crate) const ROOT_KEY: &str = "chaffinch.root";

/// A file of a dataset, as far as it is rewritten.
pub(crate) struct ParquetFile {
    /// Absolute.
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
    /// The names of the columns of labels and splits.
    pub(crate) label: Option<String>,
    pub(crate) split: Option<String>,
    /// The names of the classes, if labels are numbers.
    pub(crate) classes: Option<Vec<String>>,
    /// The other columns of single values, with the names of their classes if they are numbers of these.
    pub(crate) others: BTreeMap<String, Option<Vec<String>>>,
}

impl ParquetFile {
    /// The names of the classes of a column of labels, if its values are their numbers; `None` if there is no such column.
    pub(crate) fn classes_of(&self, column: &str) -> Option<Option<&[String]>> {
        if self.label.as_deref() == Some(column) {
            return Some(self.classes.as_deref());
        }
        self.others.get(column).map(Option::as_deref)
    }
}

/// The files of a dataset in the order of its samples.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn files(dataset: &Path, options: &DatasetOptions) -> Result<Vec<ParquetFile>> {
    let candidate = Candidate::new(dataset)?;
    let is =
        |path: &&PathBuf| super::extension(path).is_some_and(|own| matches!(own.as_str(), "parquet" | "pq"));
    let paths: Vec<PathBuf> = match candidate.is_dir() {
        true => candidate.files().iter().filter(is).cloned().collect(),
        false => vec![PathBuf::new()],
    };
    let declared = DeclaredNames::of(&candidate, &paths);
    let mut all = Vec::new();
    for path in paths {
        let names = declared.of_file(&path);
        let path = below(candidate.root(), &path);
        let Head { schema, columns, features, .. } = guarded(&path, || Head::of(&path, options, &names))?;
        if columns.picture.is_none() && columns.path.is_none() {
            continue;
        }
        let name = |column: usize| schema.field(column).name().clone();
        let rows = builder(&path)?.metadata().file_metadata().num_rows().max(0) as u64;
        let label = columns.label.map(name);
        let classes_of = |name: &str| features.classes(name).map(<[String]>::to_vec);
        let classes = label.as_deref().and_then(classes_of);
        let others = columns.other.iter().filter(|&&column| is_single(schema.field(column).data_type()));
        let others = others.map(|&column| (name(column), classes_of(schema.field(column).name()))).collect();
        all.push(ParquetFile { path, rows, label, split: columns.split.map(name), classes, others });
    }
    Ok(all)
}

/// One file, opened.
struct Shard {
    /// Relative to the root.
    path: PathBuf,
    full: PathBuf,
    schema: SchemaRef,
    columns: Columns,
    features: Features,
    /// The folder that its paths start from, if it says so.
    root: Option<PathBuf>,
}

fn read(candidate: &Candidate, options: &DatasetOptions) -> Result<Opened> {
    let dataset = candidate.path();
    let (root, paths) = match candidate.is_dir() {
        true => {
            let files = candidate.files().iter();
            let is = |path: &&PathBuf| {
                super::extension(path).is_some_and(|own| matches!(own.as_str(), "parquet" | "pq"))
            };
            (candidate.root().to_path_buf(), files.filter(is).cloned().collect::<Vec<_>>())
        }
        false => {
            // The file is the dataset, and its pictures are below it.
            (dataset.to_path_buf(), vec![PathBuf::new()])
        }
    };
    let mut ledger = Ledger::default();
    let mut shards = Vec::new();
    let mut parts = Parts { candidate, all: Vec::new(), declared: Declared::default() };
    let declared = DeclaredNames::of(candidate, &paths);
    for path in paths {
        let full = below(&root, &path);
        let names = declared.of_file(&path);
        let Head { schema, columns, features, root: own, said } =
            guarded(&full, || Head::of(&full, options, &names))?;
        if columns.picture.is_none() && columns.path.is_none() {
            if candidate.is_dir() {
                let text = format!(
                    "{} has neither a column of pictures nor one of paths, and was left out",
                    safe_path(&path)
                );
                ledger.leave_out(RemarkKind::OtherFiles, 1, text);
                parts.read(&path, 0, "");
                continue;
            }
            let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            let among = super::choice::among(&names);
            let message = format!(
                "no column holds pictures, and none is called path or the like; choose one of paths with --path-column; \
                 {among}"
            );
            return Err(Error::format(&full, message));
        }
        for (kind, text) in said {
            if !ledger.remarks.iter().any(|remark| remark.text == text) {
                ledger.add(kind, 1, text);
            }
        }
        shards.push(Shard { path, full, schema, columns, features, root: own });
    }
    if shards.is_empty() {
        let message = "none of its Parquet files has a column of pictures or of paths".into();
        return Err(Error::Dataset { path: dataset.to_path_buf(), message });
    }
    if candidate.is_dir() {
        others(candidate, &mut ledger);
    }
    parts.declared = Declared::of(candidate, shards.iter().map(|shard| &shard.path));
    configs::check(candidate, &shards, &parts.declared, options, &mut ledger)?;
    tell_dropped(&shards, &mut ledger);
    let rivals: Vec<Rival> =
        shards.iter().filter_map(|shard| shard.columns.rival(&shard.full, shard.schema.fields())).collect();
    let named: Vec<String> = shards.iter().flat_map(Shard::class_names).cloned().collect();
    let unlabeled = shards.iter().all(|shard| shard.columns.label.is_none());
    let names = kept(&shards);
    let numbers = shards.iter().map(Shard::class_names).find(|names| !names.is_empty());
    let numbers = ClassNumbers::of_list(numbers.unwrap_or_default());
    let mut typed = Typed::default();
    shards.iter().for_each(|shard| typed.see_fields(shard.schema.fields(), &shard.columns.other));
    let mut opened = match shards.iter().all(|shard| shard.columns.picture.is_some()) {
        true => pictures(shards, root, parts, options, ledger),
        false => paths_only(shards, root, parts, options, ledger),
    }?;
    unnamed_classes::tell("the schema", &named.iter().map(String::as_str).collect(), &mut opened);
    opened.manifest = opened.manifest.with_typed(typed.names()).with_class_numbers(numbers);
    tell_rivals(&rivals, &mut opened);
    if unlabeled {
        tell_unlabeled(&names, &mut opened);
    }
    Ok(opened)
}

impl Shard {
    /// What it looks like beside others.
    fn looks(&self) -> Looks {
        Looks { path: self.path.clone(), ..looks(self.schema.fields(), &self.columns, &self.features) }
    }

    /// The names of its classes, if its labels are numbers for them.
    fn class_names(&self) -> &[String] {
        let label = self.columns.label.map(|column| self.schema.field(column).name());
        label.and_then(|name| self.features.classes(name)).unwrap_or_default()
    }
}

/// The files as parts of a set.
struct Parts<'a> {
    candidate: &'a Candidate,
    all: Vec<shard_sets::Shard>,
    declared: Declared,
}

impl Parts<'_> {
    fn read(&mut self, path: &Path, rows: u64, split: &str) {
        self.all.push(shard_sets::Shard { path: path.to_path_buf(), rows, split: split.to_owned() });
    }

    /// A file whose name says this split, of whose rows so many say none in a column. Returns the split if it was taken.
    fn take(&mut self, path: &Path, rows: u64, unsaid: u64, split: String) -> String {
        // What rows of a file say of their own is not a count of its split.
        self.read(path, rows, if unsaid == rows { &split } else { "" });
        if unsaid > 0 { split } else { String::new() }
    }

    /// Says what the set lacks, in what its files differ, and which splits their names gave.
    fn tell(&self, splits: &[String], shards: &[Shard], ledger: &mut Ledger) {
        let rows =
            |shard: &Shard| self.all.iter().find(|part| part.path == shard.path).map_or(0, |part| part.rows);
        let looks = shards.iter().map(|shard| Looks {
            path: alike::path_of(self.candidate.path(), &shard.path),
            rows: rows(shard),
            ..shard.looks()
        });
        let looks: Vec<Looks> = looks.collect();
        alike::tell(&looks, ledger);
        shard_sets::check(self.candidate, &self.all, &Described::of(self.candidate), ledger);
        let paths = shards.iter().map(|shard| shard.path.as_path());
        self.declared.tell(&paths.zip(splits.iter().map(String::as_str)).collect::<Vec<_>>(), ledger);
    }
}

/// What the footer of a file says, and what was chosen of its columns.
struct Head {
    /// With structures taken apart.
    schema: SchemaRef,
    columns: Columns,
    features: Features,
    root: Option<PathBuf>,
    /// What is to be said of structures.
    said: Vec<(RemarkKind, String)>,
}

impl Head {
    /// `declared` are the names of classes that are said of the dataset, if the file says none.
    fn of(file: &Path, options: &DatasetOptions, declared: &DeclaredClasses) -> Result<Head> {
        let builder = builder(file)?;
        compressions::check(file, builder.metadata())?;
        let footer = |key: &str| {
            let entries = builder.metadata().file_metadata().key_value_metadata();
            entries
                .into_iter()
                .flatten()
                .find(|entry| entry.key == key)
                .and_then(|entry| entry.value.as_deref())
        };
        let features = footer("huggingface").map(Features::parse).unwrap_or_default().or(declared);
        let root = footer(ROOT_KEY).map(PathBuf::from).filter(|root| root.is_absolute());
        let Apart { schema, options, said } = Apart::of(builder.schema(), &features, options);
        let columns = Columns::choose(file, schema.fields(), &features, &options)?;
        Ok(Head { schema, columns, features, root, said })
    }
}

fn builder(file: &Path) -> Result<ParquetRecordBatchReaderBuilder<Blob>> {
    let opened = Blob::open(file).map_err(Error::io("read", file))?;
    // Skip Arrow's own types, so that columns look the same no matter which program wrote the file.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    ParquetRecordBatchReaderBuilder::try_new_with_options(opened, options)
        .map_err(|error| Error::format(file, format!("it is not a whole Parquet file: {error}")))
}

/// The names of columns that are kept, of all files, in the order in which they come.
fn kept(shards: &[Shard]) -> Vec<String> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for shard in shards {
        for &column in &shard.columns.other {
            let name = shard.schema.field(column).name();
            if seen.insert(name.clone()) {
                names.push(name.clone());
            }
        }
    }
    names
}

/// Says which columns of bytes were left out.
fn tell_dropped(shards: &[Shard], ledger: &mut Ledger) {
    let mut said = shards
        .iter()
        .filter_map(|shard| shard.columns.dropped(Path::new(shard.full.file_name().unwrap_or_default())));
    if let Some(dropped) = said.next() {
        ledger.add(RemarkKind::LayoutGuessed, 1, dropped);
    }
}

/// Files of a folder that are not Parquet files.
fn others(candidate: &Candidate, ledger: &mut Ledger) {
    let is =
        |path: &&PathBuf| !super::extension(path).is_some_and(|own| matches!(own.as_str(), "parquet" | "pq"));
    let mut rest = candidate.files().iter().filter(is);
    if let Some(first) = rest.next() {
        let count = 1 + rest.count() as u64;
        let text = format!("files that are not Parquet files: {} and the like", safe_path(first));
        ledger.leave_out(RemarkKind::OtherFiles, count, text);
    }
}

/// Rows whose pictures are in them.
fn pictures(
    shards: Vec<Shard>,
    root: PathBuf,
    mut parts: Parts<'_>,
    options: &DatasetOptions,
    mut ledger: Ledger,
) -> Result<Opened> {
    let dataset = parts.candidate.path();
    let columns = kept(&shards);
    let mut rows = PackedRows::default();
    rows.no_label = no_label(&shards);
    rows.splits_from_columns = shards.iter().all(|shard| shard.columns.split.is_none());
    rows.labels_from_flags = shards.iter().all(|shard| shard.columns.label.is_none());
    let (mut splits, mut contradicted) = (Vec::new(), shards::Contradicted::default());
    for shard in &shards {
        let Some(picture) = &shard.columns.picture else { continue };
        rows.container(&shard.path, Holds::Cells { column: picture.leaf.clone() });
        let of_name = parts.declared.split_in(dataset, &shard.path);
        let skip = |leaf: &str| leaf == picture.leaf;
        let without_bytes = match picture.nested {
            true => missing_bytes::rows(&shard.full, &picture.leaf)?,
            false => BTreeSet::new(),
        };
        let home = match &options.root {
            Some(root) => std::path::absolute(root).map_err(Error::io("find", root))?,
            None => shard.full.parent().unwrap_or(Path::new("/")).to_path_buf(),
        };
        let (mut row, mut unsaid) = (0, 0);
        each(shard, skip, |batch| {
            let of = Batch::new(shard, batch, &columns)?;
            let names = match picture.nested {
                true => batch
                    .column_by_name(shard.schema.field(picture.column).name())
                    .and_then(|array| inner(array, "path")),
                false => None,
            };
            let names = names.map(|names| Cells::new(&shard.full, names, None)).transpose()?;
            for at in 0..batch.num_rows() {
                let file = (without_bytes.contains(&row)).then(|| named(names.as_ref(), at)).flatten();
                let name =
                    named(names.as_ref(), at).or_else(|| of.text(shard.columns.path, at)).unwrap_or_default();
                let said = of.split(at);
                unsaid += u64::from(said.is_none());
                contradicted.hear(said.as_deref().unwrap_or_default(), &of_name);
                rows.push(Member {
                    name: clean_name(name.as_bytes()),
                    label: of.label(at),
                    split: said.unwrap_or_else(|| of_name.clone()),
                    other: of.other(at),
                    place: match file {
                        // Without bytes, the path leads to a file.
                        Some(path) => Place::File(home.join(path)),
                        None => Place::Inside { start: row, length: 0 },
                    },
                });
                row += 1;
            }
            Ok(())
        })?;
        splits.push(parts.take(&shard.path, row, unsaid, of_name));
    }
    parts.tell(&splits, &shards, &mut ledger);
    contradicted.tell(&mut ledger);
    rows.finish_files(columns, root, options.root.as_deref(), dataset, ledger)
}

/// The path that stands beside the bytes of a picture, if there is one.
fn named(names: Option<&Cells<'_>>, row: usize) -> Option<String> {
    names.map(|names| names.text(row)).filter(|name| !name.is_empty() && !name.contains('\0'))
}

/// What a row without a label has in its place, if a column says the labels.
fn no_label(shards: &[Shard]) -> Option<&'static str> {
    let named = shards.iter().any(|shard| !shard.class_names().is_empty());
    let words = if named { EMPTY_OR_NONE } else { EMPTY };
    shards.iter().any(|shard| shard.columns.label.is_some()).then_some(words)
}

/// The folder that all files say their paths start from, if it is there.
fn said_root(shards: &[Shard]) -> Option<PathBuf> {
    let first = shards.first()?.root.clone()?;
    (first.is_dir() && shards.iter().all(|shard| shard.root.as_ref() == Some(&first))).then_some(first)
}

/// Rows that name files.
fn paths_only(
    shards: Vec<Shard>,
    root: PathBuf,
    mut parts: Parts<'_>,
    options: &DatasetOptions,
    mut ledger: Ledger,
) -> Result<Opened> {
    let dataset = parts.candidate.path();
    let root = match &options.root {
        Some(root) => std::path::absolute(root).map_err(Error::io("find", root))?,
        None if is_address(&root) => {
            let message = "it has paths of pictures instead of the pictures; copy it, and say where they are with --root";
            return Err(Error::Dataset { path: dataset.to_path_buf(), message: message.into() });
        }
        None => match said_root(&shards) {
            Some(said) => {
                let text = format!("the paths are those of {}, as the file says", safe_path(&said));
                ledger.add(RemarkKind::LayoutGuessed, 1, text);
                said
            }
            None if root.is_dir() => root,
            None => root.parent().unwrap_or(Path::new("/")).to_path_buf(),
        },
    };
    let columns = kept(&shards);
    let mut rows = Rows::new(columns.clone());
    rows.no_label = no_label(&shards);
    let split = shards.iter().find_map(|shard| Some(shard.schema.field(shard.columns.split?).name()));
    if let Some(name) = split {
        rows.split_column(name, options.split_column.is_some());
    }
    let (mut splits, mut contradicted) = (Vec::new(), shards::Contradicted::default());
    for shard in &shards {
        let of_name = parts.declared.split_in(dataset, &shard.path);
        let (mut row, mut unsaid) = (0, 0);
        each(
            shard,
            |_| false,
            |batch| {
                let of = Batch::new(shard, batch, &columns)?;
                for at in 0..batch.num_rows() {
                    row += 1;
                    let path = of.text(shard.columns.path, at).filter(|path| !path.contains('\0'));
                    let path =
                        path.ok_or_else(|| Error::format(&shard.full, format!("row {row} has no path")))?;
                    let said = of.split(at);
                    unsaid += u64::from(said.is_none());
                    contradicted.hear(said.as_deref().unwrap_or_default(), &of_name);
                    let written = said.unwrap_or_else(|| of_name.clone());
                    rows.push(PathBuf::from(path), of.label(at), &written, of.other(at));
                }
                Ok(())
            },
        )?;
        splits.push(parts.take(&shard.path, row, unsaid, of_name));
    }
    if shards.iter().all(|shard| shard.columns.split.is_none()) && splits.iter().all(String::is_empty) {
        rows.splits_from_flags();
    }
    let unlabeled = shards.iter().all(|shard| shard.columns.label.is_none());
    let flags = if unlabeled { rows.labels_from_flags() } else { None };
    parts.tell(&splits, &shards, &mut ledger);
    contradicted.tell(&mut ledger);
    let (manifest, said) = rows.finish(root, dataset)?;
    if let Some(flags) = flags {
        flags.enter(&mut ledger);
    }
    ledger.found += said.found;
    said.remarks.into_iter().for_each(|remark| ledger.add(remark.kind, remark.count, remark.text));
    Ok(Opened { manifest, ledger })
}

/// Rows as they are read.
struct Batch<'a> {
    shard: &'a Shard,
    cells: Vec<Option<Cells<'a>>>,
    /// For each kept column of the dataset, the one of this file.
    kept: Vec<Option<usize>>,
}

impl<'a> Batch<'a> {
    fn new(shard: &'a Shard, batch: &'a RecordBatch, columns: &[String]) -> Result<Batch<'a>> {
        let chosen = &shard.columns;
        let wanted = |column: usize| {
            [chosen.path, chosen.label, chosen.split].contains(&Some(column))
                || chosen.other.contains(&column)
        };
        let mut cells = Vec::new();
        for (column, field) in shard.schema.fields().iter().enumerate() {
            let array = batch.column_by_name(field.name()).filter(|_| wanted(column));
            let classes = shard.features.classes(field.name());
            cells.push(array.map(|array| Cells::new(&shard.full, array, classes)).transpose()?);
        }
        let place = |name: &String| {
            chosen.other.iter().copied().find(|&column| shard.schema.field(column).name() == name)
        };
        Ok(Batch { shard, cells, kept: columns.iter().map(place).collect() })
    }

    fn cells(&self, column: Option<usize>) -> Option<&Cells<'a>> {
        self.cells.get(column?)?.as_ref()
    }

    /// The text of a cell; `None` if it is empty, or there is no such column.
    fn text(&self, column: Option<usize>, row: usize) -> Option<String> {
        self.cells(column).map(|cells| cells.text(row)).filter(|text| !text.is_empty())
    }

    fn label(&self, row: usize) -> Option<String> {
        self.cells(self.shard.columns.label)?.label(row)
    }

    /// What the column of splits says; `None` if nothing.
    fn split(&self, row: usize) -> Option<String> {
        self.cells(self.shard.columns.split)
            .map(|cells| cells.said(row))
            .filter(|text| !text.trim().is_empty())
    }

    fn other(&self, row: usize) -> Vec<String> {
        self.kept.iter().map(|&column| self.text(column, row).unwrap_or_default()).collect()
    }
}

/// Reads a file batch by batch, without the leaves that are to be skipped.
fn each(
    shard: &Shard,
    skip: impl Fn(&str) -> bool,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let full = &shard.full;
    let dropped = |path: &str| {
        let is = |name: &String| {
            path.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        shard.columns.dropped.iter().any(is)
    };
    let wanted = |schema: &SchemaDescriptor| -> Vec<usize> {
        let is = |leaf: &usize| {
            let path = schema.column(*leaf).path().string();
            !skip(&path) && !dropped(&path)
        };
        (0..schema.num_columns()).filter(is).collect()
    };
    let mut leaves = Vec::new();
    let mut batches = guarded(full, || {
        let builder = builder(full)?;
        leaves = wanted(builder.parquet_schema());
        let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves.iter().copied());
        builder.with_projection(mask).build().map_err(|error| Error::format(full, error.to_string()))
    })?;
    let mut rows = 0;
    loop {
        let next = guarded(full, || {
            batches.next().transpose().map_err(|error| Error::format(full, error.to_string()))
        });
        let next = next.map_err(|error| damage::blame(full, &leaves, rows, error))?;
        let Some(batch) = next else { return Ok(()) };
        rows += batch.num_rows() as u64;
        take(&apart::batch(full, &batch, &shard.schema)?)?;
    }
}

/// The decoder checks most of a damaged file, and panics on the rest.
fn guarded<T>(file: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(Error::format(file, "it is damaged: its parts are inconsistent")))
}
