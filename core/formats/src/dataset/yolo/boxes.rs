//! Text files of boxes, one beside each picture.

use super::description::Names;
use crate::dataset::around::Around;
use crate::dataset::extension;
use crate::dataset::several::{Label, Objects};
use crate::dataset::unnamed_classes::WITHOUT_NAME;
use crate::{Error, Result};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How many files are looked into before all count as boxes.
const SAMPLED: usize = 5;
/// Numbers of classes above this are not classes.
const CLASSES: u64 = 1 << 20;

/// The text file of each picture that has one, by row: under its name beside it, or in `labels` where it is in `images`.
pub(super) fn beside<'a>(around: &Around<'a>) -> BTreeMap<usize, &'a Path> {
    let mut found = BTreeMap::new();
    for path in around.others.iter().filter(|path| extension(path).as_deref() == Some("txt")) {
        let stem = path.with_extension("");
        let places = std::iter::once(stem.clone()).chain(in_images(&stem));
        let row = places.into_iter().find_map(|place| around.picture(&around.root.join(place)));
        if let Some(row) = row {
            found.entry(row).or_insert(path.as_path());
        }
    }
    found
}

/// A path below `labels` as one below `images`, and as one without `labels`.
fn in_images(path: &Path) -> Vec<PathBuf> {
    let parts: Vec<_> = path.iter().collect();
    let Some(at) = parts.iter().rposition(|part| part.eq_ignore_ascii_case("labels")) else {
        return Vec::new();
    };
    let with = |name: Option<&str>| -> PathBuf {
        let middle = name.map(std::ffi::OsStr::new);
        parts[..at].iter().copied().chain(middle).chain(parts[at + 1..].iter().copied()).collect()
    };
    vec![with(Some("images")), with(Some("Images")), with(Some("JPEGImages")), with(None)]
}

/// Whether the files beside pictures are boxes, as far as some of them tell.
pub(super) fn are_boxes(around: &Around<'_>, beside: &BTreeMap<usize, &Path>, described: bool) -> bool {
    let texts = beside.values().filter_map(|path| fs::read_to_string(around.root.join(path)).ok());
    let mut told = texts.filter(|text| !text.trim().is_empty()).take(SAMPLED).peekable();
    // A class alone is one if a description says what the numbers are.
    let is =
        |line: &str| parse(line).is_some_and(|(_, _, numbers)| numbers >= 4 || (described && numbers == 0));
    if told.peek().is_none() {
        return described && !beside.is_empty();
    }
    // A few lines may be broken, and are told one by one: a file of them is no reason to read none of the others.
    let (mut all, mut good) = (0, 0);
    for text in told {
        all += lines(&text).count();
        good += lines(&text).filter(|line| is(line)).count();
    }
    good * 2 > all || (described && good * 2 == all)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The class of a line, the area of its box or polygon, and how many numbers follow the class.
fn parse(line: &str) -> Option<(u64, f64, usize)> {
    let mut words = line.split_ascii_whitespace();
    let class = words.next()?;
    // Some programs write numbers of classes as 0.0.
    let class = class.parse::<u64>().ok().or_else(|| {
        let number: f64 = class.parse().ok()?;
        (number >= 0.0 && number.fract() == 0.0).then_some(number as u64)
    });
    let class = class.filter(|class| *class < CLASSES)?;
    let numbers: Vec<f64> = words.map(|word| word.parse::<f64>().ok()).collect::<Option<_>>()?;
    let area = match numbers.as_slice() {
        [] | [_] | [_, _] | [_, _, _] => 0.0,
        // A polygon has pairs of numbers; a box may have a confidence after it.
        points if points.len() >= 6 && points.len() % 2 == 0 => {
            let side = |from: usize| {
                let values = points.iter().skip(from).step_by(2);
                let (low, high) =
                    values.fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
                high - low
            };
            side(0) * side(1)
        }
        sides => sides[2] * sides[3],
    };
    Some((class, area, numbers.len()))
}

/// The lines of a file with another class in the place of one; in the place of any where `old` is none.
pub(super) fn relabeled(text: &[u8], old: Option<u64>, new: u64) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let line = |line: &str| -> String {
        let Some((class, _, _)) =
            parse(line.trim()).filter(|(class, _, _)| old.is_none_or(|old| old == *class))
        else {
            return line.to_owned();
        };
        let _ = class;
        let start = line.len() - line.trim_start().len();
        let end = line[start..].find(|c: char| c.is_ascii_whitespace()).map_or(line.len(), |at| start + at);
        format!("{}{new}{}", &line[..start], &line[end..])
    };
    text.split_inclusive('\n').map(line).collect::<String>().into_bytes()
}

/// What is to be said of all files together.
#[derive(Debug, Default)]
pub(super) struct Tally {
    unread: u64,
    first_unread: Option<(PathBuf, usize)>,
    /// Boxes of classes without a name.
    unnamed: u64,
    first_unnamed: Option<u64>,
}

impl Tally {
    pub(super) fn enter(&self, names: &Names, ledger: &mut Ledger) {
        if let Some((path, line)) = &self.first_unread {
            let lines = counted(self.unread, "line is not a box and was", "lines are not boxes and were");
            let text = format!("{lines} not read, such as line {line} of {}", safe_path(path));
            ledger.add(RemarkKind::LabelsMissing, self.unread, text);
        }
        if let Some(class) = self.first_unnamed {
            let boxes = counted(self.unnamed, "box has", "boxes have");
            let (kind, why) = match names.0.len() {
                0 => {
                    (RemarkKind::LayoutGuessed, "there is no data.yaml or classes.txt with names".to_owned())
                }
                all => (RemarkKind::ClassesDoubtful, format!("there are {all} names")),
            };
            let text = format!(
                "{boxes} a class {WITHOUT_NAME}, which is called by its number, such as {class}: {why}"
            );
            ledger.add(kind, self.unnamed, text);
        }
    }
}

/// The label of a picture from its file.
pub(super) fn read(file: &Path, path: &Path, names: &Names, tally: &mut Tally) -> Result<Label> {
    let text = fs::read(file).map_err(Error::io("read", file))?;
    let mut objects = Objects::default();
    for (number, line) in (1..).zip(String::from_utf8_lossy(&text).lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let Some((class, area, _)) = parse(line) else {
            tally.unread += 1;
            tally.first_unread.get_or_insert_with(|| (path.to_path_buf(), number));
            continue;
        };
        let name = names.0.get(&class).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| {
            tally.unnamed += 1;
            tally.first_unnamed.get_or_insert(class);
            class.to_string()
        });
        objects.add(&name, area, class);
    }
    Ok(objects.label())
}
