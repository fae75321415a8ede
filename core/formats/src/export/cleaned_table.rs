//! The cleaned dataset as a table, which looks like the one it was read from.

use super::{Export, Format, Target, Written};
use crate::Result;
use crate::text::encoder;
use chaffinch_data::as_written::TableForm;
use chaffinch_data::atomic;
use chaffinch_data::class_names::{self, Meaning};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "cleaned-table",
    summary: "CSV of the cleaned dataset: your table without removed samples, with new labels",
    file_name: "cleaned.csv",
    target: Target::File,
    stage: None,
    write: |export, request, _| {
        let notes = export.cleaned_table(&request.output)?;
        let summary = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Written { summary, ..Written::file(&request.output) })
    },
};

/// What a cell has its bytes from.
enum Cell<'a> {
    Path(&'a [u8]),
    Label(Cow<'a, str>),
    Text(&'a str),
}

/// The columns of the table that is written.
struct Columns<'a> {
    form: Cow<'a, TableForm>,
    manifest: &'a Manifest,
    /// Whether labels need a column that the table did not have.
    added: bool,
}

impl Export<'_> {
    /// Writes the cleaned dataset as a table without removed samples and with the new labels. Of a dataset that is a
    /// table, everything else is as it was: the columns, their order and headings, every value, the delimiter and the
    /// encoding. Of folders, the columns are `path`, `label` and `split`. Returns what is worth knowing, in sentences.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn cleaned_table(&self, target: &Path) -> Result<Vec<String>> {
        self.outside(target)?;
        let manifest = self.source.manifest;
        let relabeled: Vec<Cow<'_, str>> = manifest.ids().filter_map(|id| self.new_label(id)).collect();
        let columns = Columns::of(manifest, !relabeled.is_empty());
        let mut notes = Vec::new();
        let encode = encoder(&columns.form.encoding);
        let fits = relabeled.iter().all(|label| encode(label).is_some());
        if !fits {
            let encoding = &columns.form.encoding;
            notes.push(format!("in UTF-8, because {encoding} has no signs for a new label"));
        }
        if reads_as_no_label(manifest) {
            notes.push(
                "read it with --keep-null-labels, because a class has the name of a missing value".into(),
            );
        }
        let utf8 = !fits || columns.form.encoding == "UTF-8";
        let wide = !utf8 && columns.form.encoding.starts_with("UTF-16");
        let in_bytes = |text: &str| match utf8 || wide {
            true => text.as_bytes().to_vec(),
            // Whatever was in the table has signs in its encoding.
            false => encode(text).unwrap_or_else(|| text.as_bytes().to_vec()),
        };
        if manifest.packing().is_some() {
            notes.push("its paths are names inside the files that hold the pictures; --format cleaned writes the pictures".into());
        }
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
        for heading in form.columns.iter().map(String::as_str).chain(columns.added.then_some("label")) {
            out.write_field(in_bytes(heading))?;
        }
        out.write_record(None::<&[u8]>)?;
        for id in self.source.manifest.ids().filter(|&id| !self.removed(id)) {
            for cell in columns.row(id, self.new_label(id)) {
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
                    Cell::Text(text) => out.write_field(in_bytes(text))?,
                }
            }
            out.write_record(None::<&[u8]>)?;
        }
        out.flush()
    }
}

impl<'a> Columns<'a> {
    fn of(manifest: &'a Manifest, relabeled: bool) -> Columns<'a> {
        let Some(form) = manifest.table() else {
            let extra = manifest.extra().iter().map(|column| column.name.as_str());
            let columns = ["path", "label", "split"].into_iter().chain(extra).map(str::to_owned).collect();
            let form = TableForm {
                columns,
                path: 0,
                label: Some(1),
                split: Some(2),
                delimiter: b',',
                encoding: "UTF-8".into(),
                mark: false,
                crlf: false,
                paths_as_bytes: true,
            };
            return Columns { form: Cow::Owned(form), manifest, added: false };
        };
        Columns { form: Cow::Borrowed(form), manifest, added: relabeled && form.label.is_none() }
    }

    /// The cells of a sample.
    fn row(&self, id: SampleId, new: Option<Cow<'a, str>>) -> Vec<Cell<'a>> {
        let (manifest, form) = (self.manifest, &self.form);
        let mut label = new.unwrap_or_else(|| Cow::Borrowed(manifest.label_as_written(id)));
        let mut extra = manifest.extra().iter();
        let mut cells: Vec<Cell<'a>> = (0..form.columns.len())
            .map(|column| match column {
                _ if column == form.path => Cell::Path(manifest.path(id).as_os_str().as_bytes()),
                _ if Some(column) == form.label => Cell::Label(std::mem::take(&mut label)),
                _ if Some(column) == form.split => Cell::Text(manifest.split_as_written(id)),
                _ => Cell::Text(extra.next().map_or("", |column| column.values[id.index()].as_str())),
            })
            .collect();
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
