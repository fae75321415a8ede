//! What files beside pictures hold, by what they are called and by what is in them.

use super::{Names, Role};
use crate::dataset::json::Shape;
use crate::dataset::{extension, label_studio};
use crate::headings::{is_unnamed, is_usual_index};
use chaffinch_protocol::display::excerpt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of a file is looked at.
const LOOKED_AT: u64 = 1 << 16;
/// How many lines of a file are looked at.
const LINES: usize = 2_000;
/// How many of the files that stand beside pictures are looked into.
const SAMPLED: usize = 5;
/// What may stand beside each picture under its name.
pub(super) const PER_PICTURE: &[&str] =
    &["txt", "xml", "json", "csv", "mat", "npy", "pts", "cls", "lab", "label", "caption"];
/// Text that may name pictures.
const TEXT: &[&str] = &[
    "csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", "xml", "lst", "list", "dat", "data", "ann",
    "yaml", "yml",
];
/// Tables in binary formats, whatever they are called.
const TABLES: &[(&str, &str)] = &[
    ("parquet", "a Parquet table"),
    ("arrow", "an Arrow table"),
    ("feather", "an Arrow table"),
    ("mat", "a MATLAB file"),
    ("xlsx", "a spreadsheet"),
    ("xls", "a spreadsheet"),
    ("xlsm", "a spreadsheet"),
    ("ods", "a spreadsheet"),
    ("numbers", "a spreadsheet"),
];
/// Other binary files, if they are called after labels.
const ARRAYS: &[(&str, &str)] = &[
    ("npy", "a NumPy file"),
    ("npz", "a NumPy file"),
    ("pkl", "a Python pickle"),
    ("pickle", "a Python pickle"),
    ("h5", "an HDF5 file"),
    ("hdf5", "an HDF5 file"),
    ("pt", "a PyTorch file"),
    ("pth", "a PyTorch file"),
    ("db", "a database"),
    ("sqlite", "a database"),
];
const LABEL_WORDS: &[&str] = &["label", "annot", "class", "target", "truth", "categor"];
/// Text that is about a dataset rather than part of it.
const ABOUT: &[&str] = &["license", "licence", "changelog", "citation", "requirements", "log"];

/// Whether a file is worth a look.
pub(in super::super) fn may_hold_labels(path: &Path) -> bool {
    let Some(extension) = extension(path) else { return false };
    let extension = extension.as_str();
    let of = |all: &[(&str, &str)]| all.iter().any(|(known, _)| *known == extension);
    TEXT.contains(&extension) || PER_PICTURE.contains(&extension) || of(TABLES) || of(ARRAYS)
}

/// What files beside each picture are, and whether their content leaves no doubt.
pub(super) fn per_picture(root: &Path, extension: &str, paths: &[&PathBuf]) -> (String, Role, bool) {
    let texts: Vec<String> = paths.iter().take(SAMPLED).filter_map(|path| head(&root.join(path))).collect();
    let all = |test: &dyn Fn(&str) -> bool| {
        let told = || texts.iter().filter(|text| !text.trim().is_empty());
        told().next().is_some() && told().all(|text| test(text))
    };
    let one = |whose: &str| format!("{whose}, one .{extension} file for each picture");
    let plain = format!("labels in one .{} file for each picture", excerpt(extension));
    match extension {
        "txt" if all(&is_boxes) => (one("YOLO labels"), Role::PerPicture, true),
        "txt" | "caption" if all(&is_prose) => (one("captions"), Role::Aside, false),
        "xml" if all(&|text| text.contains("<annotation")) => {
            (one("Pascal VOC labels"), Role::PerPicture, true)
        }
        "json" if all(&|text| text.contains("\"shapes\"") || text.contains("\"imagePath\"")) => {
            (one("labelme labels"), Role::PerPicture, true)
        }
        "json" if !texts.iter().any(|text| has_labels(text)) => (one("metadata"), Role::Aside, false),
        "npy" | "mat" => (one("arrays"), Role::Aside, false),
        _ => (plain, Role::PerPicture, false),
    }
}

/// Whether each line is a class and the numbers of a box, a polygon or key points.
fn is_boxes(text: &str) -> bool {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).all(|line| {
        let words = || line.split_ascii_whitespace();
        words().count() >= 5 && words().all(|word| word.parse::<f64>().is_ok())
    })
}

/// Whether the keys of a JSON text speak of labels.
fn has_labels(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = LABEL_WORDS.iter().chain(&["tag", "bbox", "object", "species"]);
    words.into_iter().any(|word| lower.contains(&format!("\"{word}")))
}

/// Whether a text is made of sentences rather than of a label.
fn is_prose(text: &str) -> bool {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count() >= 4
}

/// Whether a file has COCO's captions, by its name.
pub(super) fn are_captions(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    name.starts_with("captions") && name.ends_with(".json")
}

/// Whose format a label file is in, by its name alone.
pub(super) fn by_name(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    match name.as_str() {
        "labels.json" => Some("a FiftyOne or COCO label file"),
        "samples.json" => Some("a FiftyOne label file"),
        "_annotations.coco.json" | "_annotations.createml.json" | "_annotations.csv" => {
            Some("a Roboflow label file")
        }
        "annotations.json" | "coco.json" | "instances.json" => Some("a COCO label file"),
        "annotations.xml" => Some("a CVAT label file"),
        name if name.starts_with("via_") && name.ends_with(".json") => Some("a VIA label file"),
        name if name.starts_with("instances_") && name.ends_with(".json") => Some("a COCO label file"),
        _ => binary(&name),
    }
}

/// What a binary file is that may hold labels.
fn binary(name: &str) -> Option<&'static str> {
    let extension = name.rsplit('.').next()?;
    let of = |all: &'static [(&str, &'static str)]| {
        all.iter().find(|(known, _)| *known == extension).map(|(_, what)| *what)
    };
    let arrays = || of(ARRAYS).filter(|_| LABEL_WORDS.iter().any(|word| name.contains(word)));
    of(TABLES).or_else(arrays)
}

/// What a text file is, by the pictures that it names.
pub(super) fn by_content(file: &Path, path: &Path, names: &Names) -> Option<(String, Role)> {
    let extension = extension(path)?;
    if !TEXT.contains(&extension.as_str()) {
        return None;
    }
    let stem = path.file_stem()?.to_string_lossy().to_ascii_lowercase();
    if ABOUT.contains(&stem.as_str()) || stem.starts_with("readme") {
        return None;
    }
    let text = head(file)?;
    let lines = || text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).take(LINES);
    match extension.as_str() {
        "yaml" | "yml" => {
            let starts = |word: &str| lines().any(|line| line.starts_with(word));
            let yolo =
                starts("names:") && (starts("train:") || starts("val:") || starts("nc:") || starts("path:"));
            return yolo.then(|| ("the description of a YOLO dataset".to_owned(), Role::Labels));
        }
        "json" | "jsonl" | "ndjson" | "xml" => {
            let shape = Shape::of_file(file).filter(|_| extension == "json");
            if shape.is_some_and(|shape| label_studio::is_export(&shape) || label_studio::is_min(file)) {
                return Some(("an export of Label Studio".to_owned(), Role::Export));
            }
            let any = fields(&text)
                .any(|field| names.names(field) || field.split_whitespace().any(|word| names.names(word)));
            // Manifests and exports of annotation tools are opened by their own name.
            let role = if extension == "xml" { Role::Labels } else { Role::Table };
            return any.then(|| ("a label file for these pictures".to_owned(), role));
        }
        _ => {}
    }
    let (mut all, mut named, mut stems, mut more, mut numbers) = (0, 0, 0, 0, true);
    for line in lines() {
        let line = Line::of(line, names);
        all += 1;
        named += usize::from(line.names);
        stems += usize::from(line.stem);
        more += usize::from((line.names || line.stem) && line.more);
        numbers &= !line.stem || line.number;
    }
    // A number may well be a picture's name by chance.
    let few = stems < 2 || stems * 2 < all - 1 || (numbers && stems * 2 < names.count.min(LINES));
    if named == 0 && few {
        let called = LABEL_WORDS.iter().any(|word| stem.contains(word));
        return called.then(|| ("labels or the names of classes".to_owned(), Role::Aside));
    }
    let table = matches!(extension.as_str(), "csv" | "tsv" | "tab");
    if table && named == 0 && is_statistics(lines()) {
        return Some(("a table of statistics by the numbers of rows".to_owned(), Role::Aside));
    }
    Some(match (more > 0, table) {
        (true, true) => ("a table of labels for these pictures".to_owned(), Role::Table),
        (true, false) => ("a label file for these pictures".to_owned(), Role::Labels),
        (false, _) => ("a list of pictures".to_owned(), Role::Aside),
    })
}

/// Whether a table has an index and measured numbers only. That its rows are counted like pictures that are called 0.jpg,
/// 1.jpg, … does not make them labels.
fn is_statistics<'t>(mut lines: impl Iterator<Item = &'t str>) -> bool {
    let cells = |line: &'t str| line.split([',', ';', '\t']).map(|cell| cell.trim().trim_matches('"'));
    let Some(header) = lines.next() else { return false };
    let mut headings = cells(header);
    let counts = headings.next().is_some_and(|heading| {
        // An id may be the name of a picture.
        is_unnamed(heading) || is_usual_index(heading) && !heading.eq_ignore_ascii_case("id")
    });
    let speaks = |heading: &str| {
        let low = heading.to_lowercase();
        LABEL_WORDS.iter().any(|word| low.contains(word))
    };
    if !counts || headings.any(speaks) {
        return false;
    }
    // Numbers of classes are whole.
    let mut is_measured = false;
    let are_numbers = lines.flat_map(cells).all(|cell| {
        is_measured |= cell.contains('.');
        cell.is_empty() || cell.parse::<f64>().is_ok()
    });
    are_numbers && is_measured
}

/// What one line of a text says.
#[derive(Default)]
struct Line {
    /// It has the file name of a picture.
    names: bool,
    /// It begins with one without its extension, and whether that is a number.
    stem: bool,
    number: bool,
    /// It has more than that.
    more: bool,
}

impl Line {
    fn of(text: &str, names: &Names) -> Line {
        let mut line = Line::default();
        for (place, field) in fields(text).enumerate() {
            // A file name may have blanks in it.
            if names.names(field) {
                line.names = true;
                continue;
            }
            for (part, word) in field.split_whitespace().enumerate() {
                if names.names(word) {
                    line.names = true;
                } else if (place, part) == (0, 0) && (names.names_stem(word) || names.names_stem(field)) {
                    line.stem = true;
                    line.number = word.bytes().all(|byte| byte.is_ascii_digit());
                } else if !is_checksum(word) {
                    // A checksum says nothing of a picture's class.
                    line.more = true;
                }
            }
        }
        line
    }
}

/// What stands between the delimiters of a text.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    let delimiters = |c: char| ",;\t|\"'<>=[]{}()\n\r".contains(c);
    text.split(delimiters).map(str::trim).filter(|field| !field.is_empty())
}

fn is_checksum(word: &str) -> bool {
    word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The beginning of a file as text.
fn head(file: &Path) -> Option<String> {
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::with_capacity(metadata.len().min(LOOKED_AT) as usize);
    File::open(file).ok()?.take(LOOKED_AT).read_to_end(&mut bytes).ok()?;
    // UTF-16 has a zero in most pairs of bytes.
    bytes.retain(|&byte| byte != 0);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
