//! Reads tables beside pictures, each record with its place in the file.

use super::{BesideTable, Form, Record};
use crate::dataset::choice::BESIDE_PATHS;
use crate::dataset::is_image;
use crate::dataset::typed::Typed;
use crate::text::{Document, TableText, broken, json_numbers};
use crate::{Error, Result};
use chaffinch_protocol::display::counted;
use csv::ByteRecord;
use encoding_rs::UTF_8;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// What the columns of imagefolders end with that name several pictures in a row, and what those do that name a list.
const ONE: &str = "_file_name";
const MANY: &str = "file_names";

pub(super) fn path_column(headings: &[String]) -> Option<usize> {
    let usual =
        BESIDE_PATHS.iter().find_map(|name| headings.iter().position(|own| own.eq_ignore_ascii_case(name)));
    // `front_file_name` is a picture under another name, if it is alone.
    usual.or_else(|| match pictures(headings).as_slice() {
        [only] if headings[*only].ends_with(ONE) => Some(*only),
        _ => None,
    })
}

/// The columns that name pictures under another name than `file_name`.
pub(in super::super) fn pictures(headings: &[String]) -> Vec<usize> {
    let names = |name: &String| name.ends_with(ONE) || name == MANY || name.ends_with(&format!("_{MANY}"));
    (0..headings.len()).filter(|&column| names(&headings[column])).collect()
}

/// `path` is the column of paths, if it is not found by its name.
pub(super) fn csv_table(file: &Path, delimiter: u8, path: Option<usize>) -> Result<BesideTable> {
    let table = TableText::read(file, delimiter)?;
    let mut reader = table.reader();
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(|error| broken(file, error))?;
    let named: Vec<String> =
        record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
    let file_name = path.filter(|&path| path < named.len()).or_else(|| path_column(&named));
    let cells = table.cells(file, |_, column| Some(column) == file_name)?;
    let headings: Vec<String> = record.iter().map(|cell| cells.text(cell).trim().to_owned()).collect();
    let (text, offset) = (table.document().text(), table.start());
    let mut records: Vec<Record> = Vec::new();
    while reader.read_byte_record(&mut record).map_err(|error| broken(file, error))? {
        if record.len() != headings.len() {
            let has = counted(record.len() as u64, "field", "fields");
            let message =
                format!("line {} has {has}, but the header has {}", table.line(&record), headings.len());
            return Err(Error::format(file, message));
        }
        let mut start = offset + record.position().map_or(0, |position| position.byte() as usize);
        // The reader leaves the end of a line, and blank ones, to the record after it.
        start += text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if let Some(last) = records.last_mut() {
            last.span.end = start;
        }
        let name = file_name.map(|column| &record[column]);
        records.push(Record {
            span: start..text.len(),
            cells: record.iter().map(|cell| cells.text(cell).into_owned()).collect(),
            raw_name: name.filter(|name| std::str::from_utf8(name).is_err()).map(<[u8]>::to_vec),
        });
    }
    let document = table.document();
    let encoding = if document.encoding == UTF_8 { cells.encoding() } else { document.encoding };
    Ok(BesideTable {
        homes: Vec::new(),
        form: Form::Csv(table.delimiter),
        text: text.to_vec(),
        encoding: encoding.name(),
        cells: cells.encoding().name(),
        mark: document.mark,
        headings,
        records,
        file_name,
        flags: None,
        typed: BTreeSet::new(),
        numbered: BTreeMap::new(),
    })
}

/// The lines of a text with their ends, each as its span.
fn lines(text: &str) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(number, line)| {
        let span = start..start + line.len();
        start = span.end;
        (number + 1, span)
    })
}

pub(super) fn json_lines(file: &Path) -> Result<BesideTable> {
    let document = Document::read(file)?;
    let mark = document.mark;
    let (text, encoding) = document.into_string(file)?;
    let mut headings: Vec<String> = Vec::new();
    let mut objects: Vec<(Range<usize>, Map<String, Value>)> = Vec::new();
    for (number, span) in lines(&text) {
        let line = &text[span.clone()];
        if line.trim().is_empty() {
            // Goes with the line before it.
            if let Some((last, _)) = objects.last_mut() {
                last.end = span.end;
            }
            continue;
        }
        let value = json_numbers::read(line.as_bytes())
            .map_err(|error| Error::format(file, format!("line {number}: {error}")))?;
        let Value::Object(object) = value else {
            return Err(Error::format(file, format!("line {number} is not a JSON object")));
        };
        for name in object.keys() {
            if !headings.contains(name) {
                headings.push(name.clone());
            }
        }
        objects.push((span, object));
    }
    let mut typed = Typed::default();
    for (_, object) in &objects {
        object.iter().for_each(|(name, value)| typed.see(name, Some(value)));
    }
    let record = |(span, object): (Range<usize>, Map<String, Value>)| Record {
        span,
        cells: headings.iter().map(|name| json_numbers::cell(object.get(name))).collect(),
        raw_name: None,
    };
    let records = objects.into_iter().map(record).collect();
    let file_name = path_column(&headings);
    Ok(BesideTable {
        homes: Vec::new(),
        form: Form::JsonLines,
        text: text.into_bytes(),
        encoding: encoding.name(),
        cells: UTF_8.name(),
        mark,
        headings,
        records,
        file_name,
        flags: None,
        typed: typed.names().collect(),
        numbered: BTreeMap::new(),
    })
}

/// Lines of a path, blanks and a class, as programs that train on pictures list them; `None` if a line is none such.
pub(super) fn list(file: &Path) -> Result<Option<BesideTable>> {
    let document = Document::read(file)?;
    let mark = document.mark;
    let (text, encoding) = document.into_string(file)?;
    let mut records: Vec<Record> = Vec::new();
    for (_, span) in lines(&text) {
        let line = text[span.clone()].trim();
        if line.is_empty() {
            // Goes with the line before it.
            records.iter_mut().next_back().into_iter().for_each(|last| last.span.end = span.end);
            continue;
        }
        let Some((name, class)) = line.rsplit_once(char::is_whitespace) else { return Ok(None) };
        let name = name.trim_end();
        if !is_image(Path::new(name)) {
            return Ok(None);
        }
        let cells = vec![name.to_owned(), class.to_owned()];
        records.push(Record { span, cells, raw_name: None });
    }
    if records.is_empty() {
        return Ok(None);
    }
    Ok(Some(BesideTable {
        homes: Vec::new(),
        form: Form::List,
        text: text.into_bytes(),
        encoding: encoding.name(),
        cells: UTF_8.name(),
        mark,
        headings: vec!["file_name".to_owned(), "label".to_owned()],
        records,
        file_name: Some(0),
        flags: None,
        typed: BTreeSet::new(),
        numbered: BTreeMap::new(),
    }))
}

pub(super) fn annotations(file: &Path) -> Result<BesideTable> {
    let document = Document::read(file)?;
    let mark = document.mark;
    let (text, encoding) = document.into_string(file)?;
    let mut records: Vec<Record> = Vec::new();
    for (_, span) in lines(&text) {
        let mut cells = text[span.clone()].trim_end_matches(['\n', '\r']).split('\t').map(str::to_owned);
        match (cells.next(), cells.next()) {
            (Some(name), Some(class)) => {
                records.push(Record { span, cells: vec![name, class], raw_name: None })
            }
            // Goes with the line before it.
            _ => records.iter_mut().next_back().into_iter().for_each(|last| last.span.end = span.end),
        }
    }
    Ok(BesideTable {
        homes: Vec::new(),
        form: Form::Annotations,
        text: text.into_bytes(),
        encoding: encoding.name(),
        cells: UTF_8.name(),
        mark,
        headings: vec!["file_name".to_owned(), "label".to_owned()],
        records,
        file_name: Some(0),
        flags: None,
        typed: BTreeSet::new(),
        numbered: BTreeMap::new(),
    })
}
