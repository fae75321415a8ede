//! What is known to be wrong.

use crate::decision::{Choice, Decision};
use crate::display::safe_text;
use crate::manifest::Manifest;
use crate::nearest::hint;
use crate::sample::SampleId;
use crate::{Error, Result};
use csv::ByteRecord;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const PATHS: [&str; 8] =
    ["path", "image_path", "file_name", "filename", "file_path", "file", "image", "image_id"];
const ERRORS: [&str; 3] = ["is_error", "label_error", "error"];
const LABELS: [&str; 4] = ["true_label", "clean_label", "label", "class_name"];
const KINDS: [&str; 6] = ["kind", "fault", "fault_kind", "error_type", "pollution_type", "issue_type"];
/// What stands in a column of kinds for samples that are fine.
const NO_KIND: [&str; 5] = ["", "none", "clean", "fine", "ok"];
/// More kinds than these are no kinds but descriptions.
const MAX_KINDS: usize = 200;

const UNKNOWN: u8 = 0;
const FINE: u8 = 1;
const ERROR: u8 = 2;

/// For each sample whether it is an error, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    known: Vec<u8>,
    /// Names of kinds, in the order in which they were first met.
    names: Vec<String>,
    /// The place in `names` of each sample's kind; empty where there are no kinds.
    kinds: Vec<Option<u8>>,
    unmatched: usize,
}

impl Truth {
    /// Takes the truth from values, `None` where it is not known.
    pub fn new(errors: impl IntoIterator<Item = Option<bool>>) -> Truth {
        let code = |error: Option<bool>| error.map_or(UNKNOWN, |error| if error { ERROR } else { FINE });
        Truth { known: errors.into_iter().map(code).collect(), ..Truth::default() }
    }

    /// Takes what a person decided for the truth about `count` samples: keep says that a sample is fine, remove and
    /// relabel that it is an error; about all others nothing is known. The kind of an error is `remove` or
    /// `relabel`.
    pub fn from_decisions<'a>(
        count: usize,
        decisions: impl IntoIterator<Item = (SampleId, &'a Decision)>,
    ) -> Truth {
        let mut truth = Truth {
            known: vec![UNKNOWN; count],
            kinds: vec![None; count],
            names: vec!["remove".into(), "relabel".into()],
            unmatched: 0,
        };
        for (id, decision) in decisions {
            let (known, kind) = match &decision.choice {
                Choice::Keep => (FINE, None),
                Choice::Remove => (ERROR, Some(0)),
                Choice::Relabel(_) => (ERROR, Some(1)),
                Choice::Unsure => continue,
            };
            truth.known[id.index()] = known;
            truth.kinds[id.index()] = kind;
        }
        truth
    }

    /// The same truth about those samples only whose row `counts`.
    #[must_use]
    pub fn only(&self, counts: impl Fn(u32) -> bool) -> Truth {
        let mut truth = self.clone();
        for (row, known) in (0_u32..).zip(&mut truth.known) {
            if !counts(row) {
                *known = UNKNOWN;
            }
        }
        truth
    }

    /// Reads a CSV table with a column of paths (`path`, `image_path`, `file_name`, ...) and either `is_error`
    /// (0, 1, true, false) or the true label (`true_label`, `clean_label`, `label`, `class_name`). A row belongs
    /// to the sample of that very path, else to the only one whose path ends like it. Empty values are unknown.
    ///
    /// A column `kind` or `fault` names the kind of each error. Where there is neither `is_error` nor a label, a
    /// sample is an error when it has a kind, other than `none`, `clean`, `fine` and `ok`.
    ///
    /// # Errors
    /// When the table cannot be read, a column is missing, a value cannot be understood, or no row belongs to
    /// any sample.
    pub fn from_csv(path: &Path, manifest: &Manifest) -> Result<Truth> {
        let wrong = |error: csv::Error| Error::format(path, error.to_string());
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(wrong)?;
        let headers: Vec<String> = reader
            .byte_headers()
            .map_err(wrong)?
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_lowercase())
            .collect();
        let find =
            |names: &[&str]| names.iter().find_map(|name| headers.iter().position(|header| header == name));
        let missing = |what: &str, names: &[&str]| {
            let hint = headers
                .iter()
                .map(|header| hint(header, names.iter().copied()))
                .find(|hint| !hint.is_empty());
            let message = format!(
                "there is no column of {what}: name it {}{}",
                names.join(" or "),
                hint.unwrap_or_default()
            );
            Error::format(path, message)
        };
        let paths = find(&PATHS).ok_or_else(|| missing("paths", &PATHS))?;
        let (errors, labels, kinds) = (find(&ERRORS), find(&LABELS), find(&KINDS));
        if errors.is_none() && labels.is_none() && kinds.is_none() {
            return Err(missing("the truth", &[&ERRORS[..1], &LABELS[..]].concat()));
        }
        let mut joiner = Joiner::new(manifest);
        let mut truth = Truth { known: vec![UNKNOWN; manifest.len()], ..Truth::default() };
        if kinds.is_some() {
            truth.kinds = vec![None; manifest.len()];
        }
        let mut record = ByteRecord::new();
        let (mut rows, mut matched) = (0_usize, 0_usize);
        while reader.read_byte_record(&mut record).map_err(wrong)? {
            rows += 1;
            let line = record.position().map_or(0, csv::Position::line);
            let value =
                |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
            let Some(id) = joiner.find(value(Some(paths))) else {
                truth.unmatched += 1;
                continue;
            };
            matched += 1;
            let error = if errors.is_some() {
                boolean(value(errors)).ok_or_else(|| {
                    let text = String::from_utf8_lossy(value(errors)).into_owned();
                    Error::format(path, format!("line {line}: '{text}' is neither 0 or false nor 1 or true"))
                })?
            } else if labels.is_none() {
                Some(!NO_KIND.contains(&String::from_utf8_lossy(value(kinds)).trim().to_lowercase().as_str()))
            } else {
                let label = String::from_utf8_lossy(value(labels));
                let (label, given) = (label.trim(), manifest.label_name(id));
                (!label.is_empty() && !given.is_empty()).then_some(label != given)
            };
            truth.known[id.index()] = error.map_or(UNKNOWN, |error| if error { ERROR } else { FINE });
            if kinds.is_some() {
                let kind = String::from_utf8_lossy(value(kinds));
                truth.kinds[id.index()] = truth.kind_number(kind.trim()).map_err(|()| {
                    let column = &headers[kinds.unwrap_or_default()];
                    Error::format(path, format!("the column {column} has more than {MAX_KINDS} kinds"))
                })?;
            }
        }
        if matched == 0 {
            let example = manifest.ids().next().map(|id| crate::display::safe_path(manifest.path(id)));
            let message = format!(
                "none of its {rows} rows belongs to a sample; paths should look like {}",
                example.unwrap_or_default()
            );
            return Err(Error::format(path, message));
        }
        Ok(truth)
    }

    /// The number of a kind's name, which is learned where it is new.
    fn kind_number(&mut self, name: &str) -> std::result::Result<Option<u8>, ()> {
        if NO_KIND.contains(&name.to_lowercase().as_str()) {
            return Ok(None);
        }
        let name = safe_text(name);
        let place = self.names.iter().position(|known| *known == name);
        let place = place.unwrap_or_else(|| {
            self.names.push(name.into_owned());
            self.names.len() - 1
        });
        if place < MAX_KINDS { u8::try_from(place).map(Some).map_err(|_| ()) } else { Err(()) }
    }

    /// The kind of an error; `None` where it is not told, or the sample is no known error.
    pub fn kind(&self, row: u32) -> Option<&str> {
        let kind = (*self.kinds.get(row as usize)?)?;
        (self.known[row as usize] == ERROR).then(|| self.names[usize::from(kind)].as_str())
    }

    /// How many known errors there are of each kind.
    pub fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for kind in (0..self.kinds.len() as u32).filter_map(|row| self.kind(row)) {
            *kinds.entry(kind.to_owned()).or_default() += 1;
        }
        kinds
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Rows that belong to no sample, or to several.
    pub fn unmatched(&self) -> usize {
        self.unmatched
    }

    /// Samples whose truth is known, and whether they are errors.
    pub fn known(&self) -> Vec<(u32, bool)> {
        let rows = (0_u32..).zip(&self.known);
        rows.filter(|(_, known)| **known != UNKNOWN).map(|(row, known)| (row, *known == ERROR)).collect()
    }
}

/// `Some(None)` where nothing stands.
fn boolean(value: &[u8]) -> Option<Option<bool>> {
    match value.trim_ascii().to_ascii_lowercase().as_slice() {
        b"" => Some(None),
        b"0" | b"false" | b"no" | b"0.0" => Some(Some(false)),
        b"1" | b"true" | b"yes" | b"1.0" => Some(Some(true)),
        _ => None,
    }
}

/// Finds samples by path.
struct Joiner<'a> {
    manifest: &'a Manifest,
    exact: HashMap<&'a [u8], SampleId>,
    /// By file name; made when first needed.
    names: Option<HashMap<&'a OsStr, Vec<SampleId>>>,
}

impl<'a> Joiner<'a> {
    fn new(manifest: &'a Manifest) -> Joiner<'a> {
        let exact = manifest.ids().map(|id| (manifest.path(id).as_os_str().as_bytes(), id)).collect();
        Joiner { manifest, exact, names: None }
    }

    fn find(&mut self, bytes: &[u8]) -> Option<SampleId> {
        if let Some(id) = self.exact.get(bytes) {
            return Some(*id);
        }
        let path = Path::new(OsStr::from_bytes(bytes));
        let relative = path.strip_prefix(self.manifest.root()).or_else(|_| path.strip_prefix("."));
        if let Some(id) = relative.ok().and_then(|path| self.exact.get(path.as_os_str().as_bytes())) {
            return Some(*id);
        }
        let manifest = self.manifest;
        let names = self.names.get_or_insert_with(|| {
            let mut names: HashMap<&OsStr, Vec<SampleId>> = HashMap::new();
            for id in manifest.ids() {
                names.entry(manifest.path(id).file_name().unwrap_or_default()).or_default().push(id);
            }
            names
        });
        let alike = names.get(path.file_name()?)?.iter().copied();
        let mut alike =
            alike.filter(|&id| manifest.path(id).ends_with(path) || path.ends_with(manifest.path(id)));
        match (alike.next(), alike.next()) {
            (Some(id), None) => Some(id),
            _ => None,
        }
    }
}
