//! Tables beside the pictures of a folder: read record by record, and written back with every unchanged byte.

mod flags;
mod json;
mod named;
mod parquet;
mod read;

pub(super) use read::pictures;

use crate::Result;
use crate::dataset::declared::{ClassNames, class_names as declared_names};
use crate::dataset::list_cells;
use crate::dataset::path_spellings::{self, Spelling};
use crate::text::{as_whole, encoder, replaced};
use chaffinch_data::class_names;
use encoding_rs::UTF_8;
pub(crate) use json::{json_like, json_set};
pub(crate) use named::Named;

use read::{annotations, csv_table, json_lines, list};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Separated by this byte.
    Csv(u8),
    /// One JSON object per line.
    JsonLines,
    /// A file name, a tab and a class per line, as Tiny ImageNet has them.
    Annotations,
    /// A path, blanks and a class per line.
    List,
    /// Separated by this byte, with a column of 0 and 1 for each class.
    Flags(u8),
    /// Parquet, which is not text.
    Parquet,
}

/// A table beside the pictures.
pub(crate) struct BesideTable {
    form: Form,
    /// The file without its mark: in UTF-8 if it was UTF-16 or is not CSV, else as it is.
    text: Vec<u8>,
    /// What the file is in, and what cells of a CSV are in.
    encoding: &'static str,
    cells: &'static str,
    mark: bool,
    /// The headings without blanks at their ends.
    pub(crate) headings: Vec<String>,
    pub(crate) records: Vec<Record>,
    /// The column of paths.
    file_name: Option<usize>,
    /// The columns of 0 and 1, if it is known which they are.
    flags: Option<Vec<usize>>,
    /// The columns whose values are not texts.
    pub(in crate::dataset) typed: BTreeSet<String>,
    /// The names of the classes whose numbers a column has in the file, by its place; its cells are these names.
    numbered: BTreeMap<usize, Vec<String>>,
    /// The folder that it is in, as it is called from the root of the file system, in both ways if links lead there.
    homes: Vec<PathBuf>,
}

/// One record.
pub(crate) struct Record {
    /// Its bytes in the file, its end of line included.
    span: Range<usize>,
    /// Its cells, one for each heading.
    pub(crate) cells: Vec<String>,
    /// Its path in bytes, where these are not the text of its cell.
    raw_name: Option<Vec<u8>>,
}

/// What changes in the records of a table, which are counted from 0.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RowEdits {
    pub(crate) dropped: BTreeSet<u64>,
    /// New values by heading and record.
    pub(crate) values: BTreeMap<String, BTreeMap<u64, String>>,
}

/// What becomes of a record.
pub(crate) enum Edit {
    /// It stays as it is.
    Keep,
    /// It goes.
    Drop,
    /// It gets another path, another label, and other values in other columns.
    Change { name: Option<PathBuf>, label: Option<String>, others: Vec<(usize, String)> },
}

impl BesideTable {
    /// Reads a file of one of the names that are known to go with pictures; `None` if it is none of them. `root` is the dataset.
    ///
    /// # Errors
    /// When it cannot be read or is malformed.
    pub(crate) fn read(file: &Path, root: &Path) -> Result<Option<BesideTable>> {
        let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        let table = match name.as_str() {
            "metadata.csv" => csv_table(file, b',', None).map(Some),
            "metadata.jsonl" => json_lines(file).map(Some),
            "metadata.parquet" => parquet::table(file).map(Some),
            "_classes.csv" => csv_table(file, b',', None).map(|table| {
                let file_name = table.file_name.or_else(|| table.column("filename"));
                Some(BesideTable { file_name, ..table }.with_flags())
            }),
            "val_annotations.txt" => annotations(file).map(Some),
            _ => Ok(None),
        };
        let folder = file.parent().unwrap_or(Path::new(""));
        let homes =
            [std::path::absolute(folder), std::fs::canonicalize(folder)].into_iter().flatten().collect();
        Ok(table?.map(|table| BesideTable { homes, ..table }.with_names(&declared_names(folder, root))))
    }

    /// With the names of classes that a README declares in place of their numbers, in columns that have nothing else.
    fn with_names(mut self, declared: &ClassNames) -> BesideTable {
        for (column, heading) in self.headings.iter().enumerate() {
            let Some(names) = declared.get(heading).filter(|names| !names.is_empty()) else { continue };
            let records = self.records.iter();
            let cells: Option<Vec<String>> =
                records.map(|record| name_of(record.cells[column].trim(), names)).collect();
            let Some(cells) = cells.filter(|cells| cells.iter().any(|cell| !cell.is_empty())) else {
                continue;
            };
            for (record, cell) in self.records.iter_mut().zip(cells) {
                record.cells[column] = cell;
            }
            self.numbered.insert(column, names.clone());
        }
        self
    }

    /// The columns that have numbers in the file and names here, which a README declares.
    pub(super) fn numbered(&self) -> impl Iterator<Item = usize> {
        self.numbered.keys().copied()
    }

    /// What a new value of a column is in the file: the number of a class, where it has these.
    fn as_written<'v>(&self, column: usize, value: &'v str) -> std::result::Result<Cow<'v, str>, String> {
        let Some(names) = self.numbered.get(&column).filter(|_| !value.is_empty()) else {
            return Ok(value.into());
        };
        match names.iter().position(|name| class_names::same(name, value)) {
            Some(number) => Ok(number.to_string().into()),
            None => Err(format!(
                "'{value}' has no number, since the README.md that names the classes of '{}' does not list it; add it there",
                self.headings[column]
            )),
        }
    }

    /// Reads a table that is the dataset itself, whose paths are in the column `path`.
    ///
    /// # Errors
    /// When it cannot be read or is malformed.
    pub(crate) fn of_dataset(file: &Path, delimiter: u8, path: usize) -> Result<BesideTable> {
        csv_table(file, delimiter, Some(path))
    }

    /// Reads a table of labels: JSON Lines and Parquet by their extensions, lists of paths and classes, else like
    /// [`BesideTable::of_dataset`].
    ///
    /// # Errors
    /// When it cannot be read or is malformed.
    pub(crate) fn of_labels(file: &Path, delimiter: u8, key: usize) -> Result<BesideTable> {
        match crate::dataset::extension(file).as_deref() {
            Some("jsonl" | "ndjson") => json_lines(file),
            Some("parquet" | "pq") => parquet::table(file),
            _ => match BesideTable::list(file)? {
                Some(list) => Ok(list),
                None => csv_table(file, delimiter, Some(key)),
            },
        }
    }

    /// Reads lines of paths and classes without headings; `None` if it is another file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn list(file: &Path) -> Result<Option<BesideTable>> {
        match crate::dataset::extension(file).as_deref() {
            Some("txt" | "lst" | "list") => list(file),
            _ => Ok(None),
        }
    }

    /// Whether it is lines of names and classes without headings.
    pub(crate) fn is_annotations(&self) -> bool {
        self.form == Form::Annotations
    }

    /// Whether a row says its label in a cell of text, so that a copy can have it like that.
    pub(crate) fn is_written(&self) -> bool {
        !matches!(self.form, Form::Flags(_) | Form::Parquet)
    }

    /// Whether it is Parquet, which [`BesideTable::edited`] does not write.
    pub(crate) fn is_parquet(&self) -> bool {
        self.form == Form::Parquet
    }

    /// The column of this name, in any case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.headings.iter().position(|heading| heading.eq_ignore_ascii_case(name))
    }

    /// The path in a record, as bytes where these are not text.
    pub(crate) fn written_path(&self, record: &Record) -> Option<PathBuf> {
        match &record.raw_name {
            Some(raw) => Some(PathBuf::from(OsStr::from_bytes(raw))),
            None => self.file_name.map(|column| PathBuf::from(&record.cells[column])),
        }
    }

    /// The column of paths.
    pub(crate) fn file_name(&self) -> Option<usize> {
        self.file_name
    }

    /// Where the picture of a record may be, relative to the dataset, if the table is in `folder`; nowhere if that
    /// leads out of the dataset.
    pub(crate) fn places(&self, folder: &Path, record: &Record) -> Vec<PathBuf> {
        self.spelled_places(folder, record).into_iter().map(|(_, place)| place).collect()
    }

    /// The same, with the way in which the path is read where that is not as it is written.
    pub(crate) fn spelled_places(&self, folder: &Path, record: &Record) -> Vec<(Option<Spelling>, PathBuf)> {
        let Some(name) = self.file_name.map(|column| &record.cells[column]) else { return Vec::new() };
        let raw = record.raw_name.as_deref().map(|raw| PathBuf::from(OsStr::from_bytes(raw)));
        let written = raw.into_iter().chain([PathBuf::from(name.trim())]).map(|name| (None, name));
        let others = path_spellings::others(name.trim()).into_iter();
        let others = others.map(|(spelling, name)| (Some(spelling), PathBuf::from(name)));
        let place = |(spelling, name): (Option<Spelling>, PathBuf)| {
            let name = self
                .homes
                .iter()
                .find_map(|home| name.strip_prefix(home).ok())
                .unwrap_or(&name)
                .to_path_buf();
            let beside = resolve(folder, &name);
            let below = (self.form == Form::Annotations).then(|| resolve(&folder.join("images"), &name));
            [beside, below.flatten()].into_iter().flatten().map(move |place| (spelling, place))
        };
        written.chain(others).flat_map(place).collect()
    }

    /// The file with some records changed and others added, these by path and label. The label is in the column
    /// `label`. Everything else is as it was, byte by byte.
    ///
    /// # Errors
    /// Says in words why a record cannot be written.
    pub(crate) fn edited(
        &self,
        label: Option<usize>,
        edit: impl Fn(usize) -> Edit,
        added: &[(PathBuf, String)],
    ) -> std::result::Result<Vec<u8>, String> {
        if let Form::Flags(delimiter) = self.form {
            return self.flags_edited(delimiter, edit, added);
        }
        let mut out = Vec::with_capacity(self.text.len());
        out.extend_from_slice(
            &self.text[..self.records.first().map_or(self.text.len(), |first| first.span.start)],
        );
        for (index, record) in self.records.iter().enumerate() {
            let bytes = &self.text[record.span.clone()];
            match edit(index) {
                Edit::Keep => out.extend_from_slice(bytes),
                Edit::Drop => {}
                Edit::Change { name, label: new, others } => {
                    let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
                    let end = bytes.len() - bytes.iter().rev().take_while(|byte| ends(byte)).count();
                    let name = name.as_deref().zip(self.file_name);
                    let cell = label.and_then(|column| record.cells.get(column)).map_or("", String::as_str);
                    let new = new.as_deref().map(|new| list_cells::relabeled(cell, new));
                    let new = new.as_deref().zip(label);
                    let written = new.map(|(new, column)| self.as_written(column, new)).transpose()?;
                    let new = written.as_deref().zip(label);
                    let mut record = self.changed(&bytes[..end], name, new)?;
                    for (column, value) in &others {
                        // Any column is written as that of labels is.
                        let value = self.as_written(*column, value)?;
                        record = self.changed(&record, None, Some((&value, *column)))?;
                    }
                    out.extend_from_slice(&record);
                    out.extend_from_slice(&bytes[end..]);
                }
            }
        }
        for (path, new) in added {
            let new = label.map_or(Ok(new.into()), |column| self.as_written(column, new))?;
            if !out.is_empty() && !out.ends_with(b"\n") {
                out.push(b'\n');
            }
            out.extend_from_slice(&self.fresh(label, path, &new)?);
            out.extend_from_slice(self.line_end());
        }
        self.encoded(out)
    }

    /// The same as values by column and record, as Parquet is changed.
    ///
    /// # Errors
    /// When a class has no number there.
    pub(crate) fn rows_edited(
        &self,
        label: Option<usize>,
        edit: impl Fn(usize) -> Edit,
    ) -> std::result::Result<RowEdits, String> {
        let mut edits = RowEdits::default();
        for (index, row) in (0..self.records.len()).zip(0_u64..) {
            match edit(index) {
                Edit::Keep => {}
                Edit::Drop => drop(edits.dropped.insert(row)),
                Edit::Change { name, label: new, others } => {
                    let name = name.map(|name| name.to_string_lossy().into_owned());
                    let cells = [self.file_name.zip(name), label.zip(new)];
                    for (column, value) in cells.into_iter().flatten().chain(others) {
                        let value = self.as_written(column, &value)?.into_owned();
                        let heading = self.headings[column].clone();
                        edits.values.entry(heading).or_default().insert(row, value);
                    }
                }
            }
        }
        Ok(edits)
    }

    /// What its lines end with.
    fn line_end(&self) -> &'static [u8] {
        let crlf = self.text.windows(2).any(|pair| pair == b"\r\n");
        if crlf { b"\r\n" } else { b"\n" }
    }

    /// A record with another path and label.
    fn changed(
        &self,
        record: &[u8],
        name: Option<(&Path, usize)>,
        label: Option<(&str, usize)>,
    ) -> std::result::Result<Vec<u8>, String> {
        match self.form {
            Form::Csv(delimiter) | Form::Flags(delimiter) => {
                let name = name.map(|(name, column)| Ok::<_, String>((column, self.name_bytes(name)?)));
                let label = label.map(|(label, column)| Ok((column, self.label_bytes(label)?)));
                let new = name.into_iter().chain(label).collect::<std::result::Result<Vec<_>, _>>()?;
                let new: Vec<(usize, &[u8])> =
                    new.iter().map(|(column, bytes)| (*column, bytes.as_slice())).collect();
                Ok(replaced(record, delimiter, &new))
            }
            Form::JsonLines => {
                let mut text = String::from_utf8_lossy(record).into_owned();
                if let Some((name, column)) = name {
                    let value = Value::from(text_of(name)?);
                    text = json_set(&text, &self.headings[column], &value);
                }
                if let Some((label, column)) = label {
                    let old: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
                    let heading = &self.headings[column];
                    let value = json_like(old.get(heading), label, self.typed.contains(heading));
                    text = json_set(&text, heading, &value);
                }
                Ok(text.into_bytes())
            }
            Form::Annotations => {
                let mut cells: Vec<Vec<u8>> =
                    record.split(|&byte| byte == b'\t').map(<[u8]>::to_vec).collect();
                for (column, new) in [
                    (0, name.map(|(name, _)| self.name_bytes(name)).transpose()?),
                    (1, label.map(|(label, _)| self.label_bytes(label)).transpose()?),
                ] {
                    if let (Some(cell), Some(new)) = (cells.get_mut(column), new) {
                        if new.iter().any(|byte| matches!(byte, b'\t' | b'\n' | b'\r')) {
                            return Err("its new name has a tab or a line break".to_owned());
                        }
                        *cell = new;
                    }
                }
                Ok(cells.join(&b'\t'))
            }
            Form::List => {
                let text = String::from_utf8_lossy(record);
                let line = text.trim();
                let Some((head, class)) = line.rsplit_once(char::is_whitespace) else {
                    return Err("it has no class".to_owned());
                };
                let old = head.trim_end();
                let between = &line[old.len()..line.len() - class.len()];
                let class = label.map_or(class, |(label, _)| label);
                if class.contains(char::is_whitespace) || class.is_empty() {
                    return Err("a list of paths and classes cannot have a class with a blank".to_owned());
                }
                let name = name.map_or(Ok(old), |(name, _)| text_of(name))?;
                Ok(format!("{name}{between}{class}").into_bytes())
            }
            Form::Parquet => Err("Parquet is not text".to_owned()),
        }
    }

    /// A record for a picture that had none.
    fn fresh(&self, label: Option<usize>, path: &Path, new: &str) -> std::result::Result<Vec<u8>, String> {
        let (Some(name), Some(label)) = (self.file_name, label) else {
            return Err("it has no column for the label".to_owned());
        };
        match self.form {
            Form::Csv(delimiter) | Form::Flags(delimiter) => {
                let mut cells = vec![Vec::new(); self.headings.len()];
                cells[name] = self.name_bytes(path)?;
                cells[label] = self.label_bytes(new)?;
                Ok(csv_record(&cells, delimiter))
            }
            Form::JsonLines => {
                let value = |text: &str| Value::from(text).to_string();
                let (heading, column) = (&self.headings[name], &self.headings[label]);
                let (path, new) = (value(text_of(path)?), value(new));
                Ok(format!("{{{}: {path}, {}: {new}}}", value(heading), value(column)).into_bytes())
            }
            Form::List if new.contains(char::is_whitespace) => {
                Err("a list of paths and classes cannot have a class with a blank".to_owned())
            }
            Form::List => Ok(format!("{} {new}", text_of(path)?).into_bytes()),
            Form::Annotations => Err("it has no place for another picture".to_owned()),
            Form::Parquet => Err("Parquet is not text".to_owned()),
        }
    }

    fn name_bytes(&self, name: &Path) -> std::result::Result<Vec<u8>, String> {
        match name.to_str() {
            Some(text) if self.cells != UTF_8.name() => self.in_cells(text),
            _ => Ok(name.as_os_str().as_bytes().to_vec()),
        }
    }

    fn label_bytes(&self, label: &str) -> std::result::Result<Vec<u8>, String> {
        match self.cells == UTF_8.name() {
            true => Ok(class_names::bytes(label).into_owned()),
            false => self.in_cells(label),
        }
    }

    fn in_cells(&self, text: &str) -> std::result::Result<Vec<u8>, String> {
        encoder(self.cells)(text).ok_or_else(|| format!("{} has no signs for '{text}'", self.cells))
    }

    /// The text as it is in a file.
    fn encoded(&self, text: Vec<u8>) -> std::result::Result<Vec<u8>, String> {
        let mark: &[u8] = if self.mark { "\u{feff}".as_bytes() } else { b"" };
        let whole = [mark, &text].concat();
        // Cells in an older encoding are in it already.
        if self.encoding == UTF_8.name() || self.encoding == self.cells {
            return Ok(whole);
        }
        let text = String::from_utf8_lossy(&whole).into_owned();
        encoder(self.encoding)(&text).ok_or_else(|| format!("{} has no signs for a new label", self.encoding))
    }
}

/// The name of the class with the number in a cell; empty if the cell says none, and `None` if it is something else.
fn name_of(cell: &str, names: &[String]) -> Option<String> {
    match as_whole(cell) {
        "" | "-1" => Some(String::new()),
        number => names.get(number.parse::<usize>().ok()?).cloned(),
    }
}

/// The path of a picture that a table names, relative to the dataset; `None` if it leads out of it.
fn resolve(folder: &Path, name: &Path) -> Option<PathBuf> {
    let mut path = folder.to_path_buf();
    for part in name.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// One record without its end of line.
fn csv_record(cells: &[Vec<u8>], delimiter: u8) -> Vec<u8> {
    let terminator = csv::Terminator::Any(b'\n');
    let mut out =
        csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = out.write_record(cells);
    let mut bytes = out.into_inner().unwrap_or_default();
    bytes.truncate(bytes.len().saturating_sub(1));
    bytes
}

fn text_of(path: &Path) -> std::result::Result<&str, String> {
    path.to_str().ok_or_else(|| "its name is not UTF-8 and cannot be written there".to_owned())
}

#[cfg(test)]
mod tests;
