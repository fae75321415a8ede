//! Arrow datasets as `save_to_disk` of the `datasets` library leaves them. Values lie in them as they are, so that pictures
//! are read in place.

mod selected;
mod stream;

use super::alike::{self, Classes, Looks};
use super::apart::{self, Apart};
use super::columns::{Cells, Columns, Features, Rival, inner, looks, tell_rivals, tell_unlabeled};
use super::declared::Declared;
use super::packed::{Member, PackedRows, Place, clean_name};
use super::reading_options::OF_COLUMNS;
use super::rows::{EMPTY, EMPTY_OR_NONE};
use super::shard_sets::{self, Described, Shard};
use super::typed::Typed;
use super::{Candidate, ClassNames, DatasetOptions, Format, Opened, is_image, unnamed_classes};
use crate::arrow_kinds::bytes_of;
use crate::{Error, Result};
use arrow_array::ArrayRef;
use arrow_schema::Schema;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::packing::{Blob, Holds, NO_PICTURE, below};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use stream::{Body, Stream};

pub(super) const FORMAT: Format = Format {
    name: "Arrow files",
    summary: "an Arrow dataset as `save_to_disk` leaves it",
    details: "a folder with `state.json` or `dataset_dict.json`, or one `.arrow` or `.feather` file: pictures in a column of bytes, read in \
              place, or a column of paths; names of classes from the schema; splits from folders; labels and splits in structures (`meta.label`); rows selected or put in order \
              before saving; other columns are kept; missing files and splits are named; in a bucket, too",
    written: "`cleaned` writes the pictures as files in class folders, with the other columns in `metadata.csv`",
    lost: "files with compressed buffers, which are refused; columns of bytes other than the pictures'",
    class_names: ClassNames::Written,
    annotated: None,
    elsewhere: true,
    options: |_| OF_COLUMNS,
    detect,
    read,
};

/// What describes a dataset is small.
const LARGEST_INFO: u64 = 64 << 20;

fn detect(candidate: &Candidate) -> bool {
    if !candidate.is_dir() {
        return candidate.has_extension(&["arrow", "feather"]);
    }
    let has = |name| candidate.called(name).next().is_some();
    let arrow = candidate.with_extension("arrow").next().is_some();
    arrow
        && (has("state.json")
            || has("dataset_dict.json")
            || has("dataset_info.json")
            || !candidate.files().iter().any(|path| is_image(path)))
}

fn read(candidate: &Candidate, options: &DatasetOptions) -> Result<Opened> {
    let dataset = candidate.path();
    let described = Described::of(candidate);
    let (root, paths): (PathBuf, Vec<PathBuf>) = match candidate.is_dir() {
        true => {
            let files = candidate.with_extension("arrow");
            let files = files.filter(|path| !is_cache(path) && !described.leaves_out(path));
            (candidate.root().to_path_buf(), files.map(Path::to_path_buf).collect())
        }
        // The file is the dataset, and its pictures are below it.
        false => (dataset.to_path_buf(), vec![PathBuf::new()]),
    };
    let mut ledger = Ledger::default();
    let mut rows = PackedRows::default();
    let mut others = Others::default();
    let mut splits = Vec::new();
    let mut all = Vec::new();
    let mut seen: Vec<Looks> = Vec::new();
    let declared = Declared::of(candidate, &paths);
    for path in &paths {
        let split = declared.split_in(dataset, path);
        let before = rows.members().len();
        let own = shard(&root, path, &split, options, &mut rows, &mut others, &mut ledger)?;
        let new = (rows.members().len() - before) as u64;
        seen.push(Looks { path: alike::path_of(dataset, path), rows: new, ..own });
        all.push(Shard { path: path.clone(), rows: new, split: split.clone() });
        splits.push(split);
    }
    shard_sets::check(candidate, &all, &described, &mut ledger);
    selected::follow(candidate, &all, &described, &mut rows, &mut ledger)?;
    if paths.is_empty() {
        let said: Vec<&str> = ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        let message = format!("none of its Arrow files is there: {}", said.join("; "));
        return Err(Error::Dataset { path: dataset.to_path_buf(), message });
    }
    let labeled = seen.iter().any(|shard| shard.label.is_some());
    let named = seen.iter().any(|shard| matches!(shard.classes, Classes::Named(_)));
    rows.no_label = labeled.then_some(if named { EMPTY_OR_NONE } else { EMPTY });
    rows.labels_from_flags = !labeled;
    alike::tell(&seen, &mut ledger);
    let files = paths.iter().map(PathBuf::as_path).zip(splits.iter().map(String::as_str));
    declared.tell(&files.collect::<Vec<_>>(), &mut ledger);
    if candidate.is_dir() {
        let read: BTreeSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let (stale, rest): (Vec<&PathBuf>, Vec<&PathBuf>) = (candidate.files().iter())
            .filter(|path| !read.contains(path.as_path()))
            .partition(|path| is_arrow(path) && !is_cache(path));
        if let Some(first) = stale.first() {
            let files = counted(stale.len() as u64, "file was", "files were");
            let text = format!("{files} left out, which state.json does not list: {}", safe_path(first));
            ledger.leave_out(RemarkKind::LayoutDoubtful, stale.len() as u64, text);
        }
        let rest = rest.len() as u64;
        let text = counted(rest, "file that describes the dataset", "files that describe the dataset");
        ledger.leave_out(RemarkKind::OtherFiles, rest, text);
    }
    // Files with fewer columns than others have no values in these.
    let Others { names, typed, rivals } = others;
    let columns = names.len();
    rows.members_mut().iter_mut().for_each(|member| member.other.resize(columns, String::new()));
    let named = seen.iter().filter_map(|looks| match &looks.classes {
        Classes::Named(names) => Some(names),
        _ => None,
    });
    let numbers = ClassNumbers::of_list(named.clone().next().map(Vec::as_slice).unwrap_or_default());
    let named: BTreeSet<&str> = named.flatten().map(String::as_str).collect();
    rows.splits_from_columns = true;
    let kept = names.clone();
    let mut opened = rows.finish_files(names, root, options.root.as_deref(), dataset, ledger)?;
    if !labeled {
        tell_unlabeled(&kept, &mut opened);
    }
    unnamed_classes::tell("the schema", &named, &mut opened);
    opened.manifest = opened.manifest.with_typed(typed.names()).with_class_numbers(numbers);
    tell_rivals(&rivals, &mut opened);
    Ok(opened)
}

fn is_arrow(path: &Path) -> bool {
    super::extension(path).as_deref() == Some("arrow")
}

/// Files that the library keeps between runs, such as the indices of a selection.
fn is_cache(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("cache-") || name.starts_with("tmp") || name == "indices.arrow"
}

/// The columns of all files that are kept.
#[derive(Default)]
struct Others {
    names: Vec<String>,
    typed: Typed,
    /// Columns that may hold the labels, too.
    rivals: Vec<Rival>,
}

/// Reads one file, and says what it looks like.
fn shard(
    root: &Path,
    path: &Path,
    split: &str,
    options: &DatasetOptions,
    rows: &mut PackedRows,
    others: &mut Others,
    ledger: &mut Ledger,
) -> Result<Looks> {
    let full = below(root, path);
    let shown = Path::new(full.file_name().unwrap_or_default()).to_path_buf();
    let mut stream = Stream::open(&full)?;
    let features = features(stream.schema(), &full);
    let Apart { schema, options: reading, said } = Apart::of(stream.schema(), &features, options);
    let columns = Columns::choose(&full, schema.fields(), &features, &reading)?;
    for (kind, text) in said {
        if !ledger.remarks.iter().any(|remark| remark.text == text) {
            ledger.add(kind, 1, text);
        }
    }
    let picture = columns.picture.as_ref();
    if picture.is_none() && columns.path.is_none() {
        let headings: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let message = format!(
            "no column holds pictures, and none is called path or the like; choose one of paths with --path-column; {}",
            super::choice::among(&headings)
        );
        return Err(Error::format(&full, message));
    }
    let home = match &options.root {
        Some(root) => std::path::absolute(root).map_err(Error::io("find", root))?,
        None => full.parent().unwrap_or(Path::new("/")).to_path_buf(),
    };
    others.rivals.extend(columns.rival(&full, schema.fields()));
    if let Some(dropped) = columns.dropped(&shown) {
        ledger.add(RemarkKind::LayoutGuessed, 1, dropped);
    }
    if picture.is_some() {
        stream.read_in_place();
    }
    let names = &mut others.names;
    let mut kept = Vec::new();
    for &column in &columns.other {
        let name = schema.field(column).name();
        let place = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        kept.push((place, column));
    }
    rows.container(path, Holds::Ranges);
    while let Some((read, body)) = stream.next()? {
        let batch = apart::batch(&full, &read, &schema)?;
        let cells = |column: usize| {
            let classes = features.classes(schema.field(column).name());
            Cells::new(&full, batch.column(column), classes)
        };
        let label = columns.label.map(cells).transpose()?;
        let written = columns.split.map(cells).transpose()?;
        let path_cells = columns.path.map(cells).transpose()?;
        let other: Vec<(usize, Cells<'_>)> =
            kept.iter().map(|&(place, column)| Ok((place, cells(column)?))).collect::<Result<_>>()?;
        let column = picture.map(|picture| (batch.column(picture.column), picture.nested));
        let bytes = match column {
            Some((column, true)) => {
                let bytes = inner(column, "bytes");
                Some(bytes.ok_or_else(|| Error::format(&full, "its pictures have no bytes"))?)
            }
            column => column.map(|(column, _)| column),
        };
        let inside = column.filter(|(_, nested)| *nested).and_then(|(column, _)| inner(column, "path"));
        let inside = inside.map(|names| Cells::new(&full, names, None)).transpose()?;
        for row in 0..batch.num_rows() {
            let name = inside.as_ref().map(|names| names.text(row)).filter(|name| !name.is_empty());
            let name = name.or_else(|| path_cells.as_ref().map(|cells| cells.text(row))).unwrap_or_default();
            let place = match bytes.and_then(|bytes| range(bytes, row, &body)) {
                Some((start, length)) => Place::Inside { start, length },
                // Without bytes, the path leads to a file.
                None if !name.is_empty() => Place::File(home.join(&name)),
                None => Place::Inside { start: NO_PICTURE, length: 0 },
            };
            let mut values = vec![String::new(); names.len()];
            for (place, cells) in &other {
                values[*place] = cells.text(row);
            }
            rows.push(Member {
                name: clean_name(name.as_bytes()),
                label: label.as_ref().and_then(|cells| cells.label(row)),
                split: (written.as_ref().map(|cells| cells.said(row)))
                    .filter(|said| !said.trim().is_empty())
                    .unwrap_or_else(|| split.to_owned()),
                other: values,
                place,
            });
        }
    }
    if stream.is_cut() {
        let text = format!("{} ends before its end: rows may be missing", safe_path(&shown));
        ledger.add(RemarkKind::FilesMissing, 1, text);
    }
    others.typed.see_fields(schema.fields(), &columns.other);
    Ok(looks(schema.fields(), &columns, &features))
}

/// The names of classes, from the schema or from the file beside it.
fn features(schema: &Schema, file: &Path) -> Features {
    let own = Features::of(schema);
    if own != Features::default() {
        return own;
    }
    let beside = file.with_file_name("dataset_info.json");
    let text = || {
        let blob = Blob::open(&beside).ok().filter(|blob| blob.size() <= LARGEST_INFO)?;
        String::from_utf8(blob.bytes(0, blob.size()).ok()?).ok()
    };
    text().map(|text| Features::parse(&text)).unwrap_or_default()
}

/// Where a row's value is in the file; `None` if it has none.
fn range(bytes: &ArrayRef, row: usize, body: &Body) -> Option<(u64, u64)> {
    let value = bytes_of(bytes, row)?;
    Some((body.place_of(value)?, value.len() as u64))
}
