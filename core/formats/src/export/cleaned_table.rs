//! The cleaned dataset as a table, which looks like the one it was read from.

use super::other_cells::OtherCells;
use super::sample_table::free_name;
use super::{Export, Format, Target, Written};
use crate::Result;
use crate::dataset::list_cells;
use crate::dataset::path_spellings::is_path;
use crate::dataset::{BesideTable, Edit, Record};
use crate::text::encoder;
use chaffinch_data::as_written::TableForm;
use chaffinch_data::atomic;
use chaffinch_data::class_names::{self, Meaning};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "cleaned-table",
    summary: "CSV of the cleaned dataset: your table without removed samples, with new labels",
    file_name: "cleaned.csv",
    target: Target::File,
    stage: None,
    guards: false,
    write: |export, request, _| {
        let notes = export.cleaned_table(&request.output)?;
        let summary = (!notes.is_empty()).then(|| notes.join("; "));
        let warning = OtherCells::of(export).contradictions();
        Ok(Written { summary, warning, ..Written::file(&request.output) })
    },
};

/// What a cell has its bytes from.
enum Cell<'a> {
    Path(&'a [u8]),
    Label(Cow<'a, str>),
    Text(Cow<'a, str>),
}

/// The columns of the table that is written.
struct Columns<'a> {
    form: Cow<'a, TableForm>,
    manifest: &'a Manifest,
    /// Whether labels need a column that the table did not have.
    added: bool,
    /// The cells of other columns.
    others: OtherCells<'a>,
}

impl Export<'_> {
    /// Writes the cleaned dataset as a table without removed samples and with the new labels. Of a dataset that is a
    /// table, everything else is as it was: the columns, their order and headings, every value, the delimiter and the
    /// encoding, and of a CSV file every byte of what does not change. Of folders, the columns are `path`, `label` and
    /// `split`. Returns what is worth knowing, in sentences.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn cleaned_table(&self, target: &Path) -> Result<Vec<String>> {
        self.outside(target)?;
        let manifest = self.source.manifest;
        let mut notes = Vec::new();
        if reads_as_no_label(manifest) {
            notes.push(
                "read it with --keep-null-labels, because a class has the name of a missing value".into(),
            );
        }
        if manifest.packing().is_some() {
            notes.push("its paths are names inside the files that hold the pictures; --format cleaned writes the pictures".into());
        }
        if let Some(bytes) = self.as_it_was() {
            atomic::write(target, |out| out.write_all(&bytes))?;
            return Ok(notes);
        }
        let relabeled: Vec<Cow<'_, str>> = manifest.ids().filter_map(|id| self.new_label(id)).collect();
        let columns = Columns::of(self, !relabeled.is_empty());
        let encode = encoder(&columns.form.encoding);
        let fits = relabeled.iter().all(|label| encode(label).is_some());
        if !fits {
            let encoding = &columns.form.encoding;
            notes.insert(0, format!("in UTF-8, because {encoding} has no signs for a new label"));
        }
        let utf8 = !fits || columns.form.encoding == "UTF-8";
        let wide = !utf8 && columns.form.encoding.starts_with("UTF-16");
        let in_bytes = |text: &str| match utf8 || wide {
            true => text.as_bytes().to_vec(),
            // Whatever was in the table has signs in its encoding.
            false => encode(text).unwrap_or_else(|| text.as_bytes().to_vec()),
        };
        atomic::write(target, |out| {
            if columns.form.mark {
                match wide {
                    true => out.write_all(&encode("\u{feff}").unwrap_or_default())?,
                    false => out.write_all("\u{feff}".as_bytes())?,
                }
            }
            if wide {
                let mut text = Vec::new();
                self.table_rows(&mut text, &columns, &in_bytes)?;
                return out.write_all(&encode(&String::from_utf8_lossy(&text)).unwrap_or_default());
            }
            self.table_rows(out, &columns, &in_bytes)
        })?;
        Ok(notes)
    }

    /// The bytes of the table with what changes, if it is a CSV file that still says what was read from it.
    fn as_it_was(&self) -> Option<Vec<u8>> {
        let (manifest, file) = (self.source.manifest, self.place.filter(|place| place.is_file())?);
        let form = manifest.table().filter(|form| form.label.is_some() || !form.flags.is_empty())?;
        let csv = file
            .extension()
            .is_some_and(|own| ["csv", "tsv", "tab"].iter().any(|known| own.eq_ignore_ascii_case(known)));
        let table = BesideTable::of_dataset(file, form.delimiter, form.path).ok().filter(|_| csv)?;
        let (columns, rows) = (Columns::of(self, false), &table.records);
        let headings = form.columns.iter().map(|heading| heading.trim());
        if !headings.eq(table.headings.iter().map(String::as_str)) || rows.len() != manifest.len() {
            return None;
        }
        let says = |(id, record): (SampleId, &Record)| {
            columns.row(id, None, false).iter().zip(&record.cells).enumerate().all(|(column, (own, cell))| {
                match own {
                    // In an older encoding, a path may be its bytes instead of its text.
                    Cell::Path(path) => {
                        let written = table.written_path(record).filter(|_| column == form.path);
                        *cell == String::from_utf8_lossy(path)
                            || is_path(manifest.root(), cell, Path::new(OsStr::from_bytes(path)))
                            || written.is_some_and(|written| written.as_os_str().as_bytes() == *path)
                    }
                    Cell::Label(label) => class_names::of_bytes(cell.as_bytes()) == **label,
                    Cell::Text(text) => cell == text,
                }
            })
        };
        if !manifest.ids().zip(rows).all(says) {
            return None;
        }
        let edit = |row: usize| {
            let id = SampleId(row as u32);
            match self.new_label(id) {
                _ if self.removed(id) => Edit::Drop,
                None => Edit::Keep,
                Some(label) => {
                    let others = columns.changed(id);
                    let label = columns.in_cell(id, &label).into_owned();
                    Edit::Change { name: None, label: Some(label), others }
                }
            }
        };
        let table = if form.flags.is_empty() { table } else { table.with_flags_in(&form.flags) };
        table.edited(form.label, edit, &[]).ok()
    }

    fn table_rows(
        &self,
        out: &mut dyn Write,
        columns: &Columns<'_>,
        in_bytes: &dyn Fn(&str) -> Vec<u8>,
    ) -> io::Result<()> {
        let form = &columns.form;
        let terminator = if form.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut out =
            csv::WriterBuilder::new().delimiter(form.delimiter).terminator(terminator).from_writer(out);
        let added = columns.others.added().iter().map(String::as_str).chain(columns.added.then_some("label"));
        for heading in form.columns.iter().map(String::as_str).chain(added) {
            out.write_field(in_bytes(heading))?;
        }
        out.write_record(None::<&[u8]>)?;
        for id in self.source.manifest.ids().filter(|&id| !self.removed(id)) {
            for cell in columns.row(id, self.new_label(id), true) {
                match cell {
                    Cell::Path(path) if form.paths_as_bytes => out.write_field(path)?,
                    Cell::Path(path) => match std::str::from_utf8(path) {
                        Ok(path) => out.write_field(in_bytes(path))?,
                        Err(_) => out.write_field(path)?,
                    },
                    Cell::Label(label) => {
                        let bytes = class_names::bytes(&label);
                        match std::str::from_utf8(&bytes) {
                            Ok(label) => out.write_field(in_bytes(label))?,
                            // A folder's name, which has no encoding.
                            Err(_) => out.write_field(&bytes)?,
                        }
                    }
                    Cell::Text(text) => out.write_field(in_bytes(&text))?,
                }
            }
            out.write_record(None::<&[u8]>)?;
        }
        out.flush()
    }
}

impl<'a> Columns<'a> {
    fn of(export: &Export<'a>, relabeled: bool) -> Columns<'a> {
        let manifest = export.source.manifest;
        let others = OtherCells::of(export);
        let Some(form) = manifest.table() else {
            let own = ["path", "label", "split"];
            let mut taken = own.map(str::to_owned).into();
            // No column shares its heading with one of those that are read.
            let extra = manifest.extra().iter().map(|column| {
                let is_own = own.iter().any(|own| column.name.trim().eq_ignore_ascii_case(own));
                if is_own { free_name(column.name.trim(), &mut taken) } else { column.name.clone() }
            });
            let columns = own.map(str::to_owned).into_iter().chain(extra).collect();
            let form = TableForm {
                columns,
                path: 0,
                label: Some(1),
                split: Some(2),
                flags: Vec::new(),
                delimiter: b',',
                encoding: "UTF-8".into(),
                mark: false,
                crlf: false,
                paths_as_bytes: true,
            };
            return Columns { form: Cow::Owned(form), manifest, added: false, others };
        };
        let added = relabeled && form.label.is_none() && !others.any();
        Columns { form: Cow::Borrowed(form), manifest, added, others }
    }

    /// The cells of other columns that change with the label of a sample, by their places in the table; those of 0 and 1 do by
    /// themselves.
    fn changed(&self, id: SampleId) -> Vec<(usize, String)> {
        let extra = self.manifest.extra();
        let kept = self.form.kept().enumerate().filter(|(_, column)| !self.form.flags.contains(column));
        kept.filter_map(|(place, column)| {
            let new = self.others.cell(place, id);
            (new != extra.get(place)?.values[id.index()].as_str()).then(|| (column, new.into_owned()))
        })
        .collect()
    }

    /// A new label as the cell of a sample has it.
    fn in_cell<'n>(&self, id: SampleId, new: &'n str) -> Cow<'n, str> {
        list_cells::relabeled(self.manifest.label_as_written(id), new)
    }

    /// The cells of a sample: as they were read, or `cleaned`.
    fn row(&self, id: SampleId, new: Option<Cow<'a, str>>, cleaned: bool) -> Vec<Cell<'a>> {
        let (manifest, form) = (self.manifest, &self.form);
        let mut label = match &new {
            Some(new) => Cow::Owned(self.in_cell(id, new).into_owned()),
            None => Cow::Borrowed(manifest.label_as_written(id)),
        };
        let mut others = 0..manifest.extra().len();
        let mut cells: Vec<Cell<'a>> = (0..form.columns.len())
            .map(|column| match column {
                _ if column == form.path => Cell::Path(manifest.path(id).as_os_str().as_bytes()),
                _ if Some(column) == form.label => Cell::Label(std::mem::take(&mut label)),
                _ if Some(column) == form.split => Cell::Text(manifest.split_as_written(id).into()),
                _ => Cell::Text(others.next().map_or("".into(), |column| match cleaned {
                    true => self.others.cell(column, id),
                    false => manifest.extra()[column].values[id.index()].as_str().into(),
                })),
            })
            .collect();
        if cleaned {
            cells.extend(
                self.others.added().iter().map(|label| Cell::Text(self.others.added_cell(label, id).into())),
            );
        }
        if self.added {
            cells.push(Cell::Label(label));
        }
        cells
    }
}

/// Whether a class would be read from a table as no label.
fn reads_as_no_label(manifest: &Manifest) -> bool {
    class_names::meanings(manifest.classes()).contains(&Meaning::NoLabel)
}
