//! Tables with a column of 0 and 1 for each class: a new label sets its column and clears the others; a class that has none
//! gets one at the end.

use super::{BesideTable, Edit, Form, csv_record};
use crate::dataset::flags;
use crate::text::{field_of, replaced};
use chaffinch_data::class_names;
use std::collections::BTreeSet;
use std::path::PathBuf;

impl BesideTable {
    /// The same table, whose labels are columns of 0 and 1.
    pub(crate) fn with_flags(self) -> BesideTable {
        match self.form {
            Form::Csv(delimiter) => BesideTable { form: Form::Flags(delimiter), ..self },
            _ => self,
        }
    }

    /// The same where it is known which columns they are.
    pub(crate) fn with_flags_in(self, columns: &[usize]) -> BesideTable {
        BesideTable { flags: Some(columns.to_vec()), ..self }.with_flags()
    }

    /// Whether its labels are columns of 0 and 1.
    pub(crate) fn is_flags(&self) -> bool {
        matches!(self.form, Form::Flags(_))
    }

    /// The columns in which every record has 0 or 1, but for that of paths.
    pub(crate) fn flag_columns(&self) -> Vec<usize> {
        if let Some(known) = &self.flags {
            return known.clone();
        }
        let is = |column: &usize| {
            let mut values = self.records.iter().map(|record| record.cells[*column].trim());
            Some(*column) != self.file_name
                && !self.records.is_empty()
                && values.all(|value| matches!(value, "0" | "1"))
        };
        (0..self.headings.len()).filter(is).collect()
    }

    /// How a column writes that a picture has its class, and that it does not.
    fn words(&self, column: usize) -> [&str; 2] {
        flags::words(self.records.iter().map(|record| record.cells[column].as_str()))
    }

    /// The file with some records changed and others added.
    ///
    /// # Errors
    /// Says in words why a record cannot be written.
    pub(super) fn flags_edited(
        &self,
        delimiter: u8,
        edit: impl Fn(usize) -> Edit,
        added: &[(PathBuf, String)],
    ) -> Result<Vec<u8>, String> {
        let columns = self.flag_columns();
        let column_of = |label: &str| {
            columns.iter().copied().find(|&column| class_names::same(&self.headings[column], label))
        };
        let mut new = BTreeSet::new();
        for index in 0..self.records.len() {
            if let Edit::Change { label: Some(label), .. } = edit(index) {
                new.insert(label);
            }
        }
        new.extend(added.iter().map(|(_, label)| label.clone()));
        new.retain(|label| column_of(label).is_none());
        let words: Vec<(usize, [&str; 2])> =
            columns.iter().map(|&column| (column, self.words(column))).collect();
        let [set, clear] = words.first().map_or(["1", "0"], |(_, words)| *words);
        let ends = |bytes: &[u8]| {
            bytes.len() - bytes.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
        };
        let mut out = Vec::with_capacity(self.text.len());
        let header = &self.text[..self.records.first().map_or(self.text.len(), |first| first.span.start)];
        let end = ends(header);
        out.extend_from_slice(&header[..end]);
        for label in &new {
            out.push(delimiter);
            out.extend(field_of(&self.label_bytes(label)?, delimiter, false));
        }
        out.extend_from_slice(&header[end..]);
        for (index, record) in self.records.iter().enumerate() {
            let bytes = &self.text[record.span.clone()];
            let end = ends(bytes);
            let (mut kept, mut own) = (bytes[..end].to_vec(), None);
            match edit(index) {
                Edit::Keep => {}
                Edit::Drop => continue,
                Edit::Change { name, label, others } => {
                    let name = name.as_deref().zip(self.file_name);
                    if name.is_some() {
                        kept = self.changed(&kept, name, None)?;
                    }
                    for (column, value) in &others {
                        kept = self.changed(&kept, None, Some((value, *column)))?;
                    }
                    if let Some(label) = label {
                        let is = column_of(&label);
                        let cells: Vec<(usize, &[u8])> = (words.iter())
                            .filter_map(|&(column, words)| {
                                let cell = flags::cell(&record.cells[column], is == Some(column), words)?;
                                Some((column, cell.as_bytes()))
                            })
                            .collect();
                        kept = replaced(&kept, delimiter, &cells);
                        own = Some(label);
                    }
                }
            }
            out.extend_from_slice(&kept);
            for label in &new {
                out.push(delimiter);
                out.extend_from_slice(if own.as_ref() == Some(label) { set } else { clear }.as_bytes());
            }
            out.extend_from_slice(&bytes[end..]);
        }
        for (path, label) in added {
            let Some(name) = self.file_name else { return Err("it has no column of paths".to_owned()) };
            let mut cells = vec![Vec::new(); self.headings.len()];
            let is = column_of(label);
            for &(column, [set, clear]) in &words {
                cells[column] = if is == Some(column) { set } else { clear }.as_bytes().to_vec();
            }
            cells[name] = self.name_bytes(path)?;
            cells.extend(new.iter().map(|own| if own == label { set } else { clear }.as_bytes().to_vec()));
            if !out.ends_with(b"\n") {
                out.push(b'\n');
            }
            out.extend_from_slice(&csv_record(&cells, delimiter));
            out.extend_from_slice(self.line_end());
        }
        self.encoded(out)
    }
}
