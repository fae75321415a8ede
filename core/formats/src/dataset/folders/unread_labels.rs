//! Files beside the pictures that hold labels and are not read: found by what they are called and by what is in them, and
//! refused by name where the pictures have no labels without them.
//!
//! The rule for text is one for all programs that write it: it holds labels if it names pictures of the dataset and says
//! something of them, or if it stands beside each picture under the same name.

use crate::dataset::extension;
use crate::{Error, Result};
use chaffinch_data::manifest::NewSample;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of a file is looked at.
const LOOKED_AT: u64 = 1 << 16;
/// How many files are looked into.
const OPENED: usize = 64;
/// How many of the files that stand beside pictures are looked into.
const SAMPLED: usize = 5;
/// How many lines of a file are looked at.
const LINES: usize = 2_000;
/// How many other files an error names.
const NAMED: usize = 3;

/// What may stand beside each picture under its name.
const PER_PICTURE: &[&str] =
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
const ABOUT: &[&str] = &["readme", "license", "licence", "changelog", "citation", "requirements", "log"];

/// A kind of file that is not read.
#[derive(Debug)]
pub(super) struct Unread {
    /// The first of its files.
    path: PathBuf,
    /// What it looks like: `a COCO label file`.
    what: String,
    files: u64,
    role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It holds labels, or may well hold them.
    Labels,
    /// The same, and it is a table that can be opened instead of the folder.
    Table,
    /// One file for each picture, with labels.
    PerPicture,
    /// It lists pictures, or describes them in sentences.
    Aside,
}

/// Looks for them among the files that are no samples, in byte order. `read` are those that were read.
pub(super) fn find(root: &Path, others: &[PathBuf], samples: &[NewSample], read: &[PathBuf]) -> Vec<Unread> {
    let candidate = |path: &&PathBuf| !read.contains(path) && may_hold_labels(path);
    let others: Vec<&PathBuf> = others.iter().filter(candidate).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let names = Names::of(samples);
    let mut beside: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
    let mut rest = Vec::new();
    for path in others {
        match extension(path).filter(|extension| PER_PICTURE.contains(&extension.as_str())) {
            Some(extension)
                if path.file_stem().is_some_and(|stem| names.has_stem(stem) || names.has(stem)) =>
            {
                beside.entry(extension).or_default().push(path);
            }
            _ => rest.push(path),
        }
    }
    let mut found = Vec::new();
    for (extension, paths) in beside {
        let (what, role, sure) = per_picture(root, &extension, &paths);
        if sure || paths.len() * 2 >= samples.len() {
            found.push(Unread { path: paths[0].clone(), what, files: paths.len() as u64, role });
        } else {
            rest.extend(paths);
        }
    }
    rest.sort_unstable();
    let mut opened = 0;
    for path in rest {
        let known = by_name(path).map(|what| (what.to_owned(), Role::Labels));
        let known = known.or_else(|| {
            opened += 1;
            if opened > OPENED { None } else { by_content(&root.join(path), path, &names) }
        });
        if let Some((what, role)) = known {
            found.push(Unread { path: path.clone(), what, files: 1, role });
        }
    }
    found
}

/// Remarks on these files: labels that were not read, and what only lists or describes pictures.
pub(super) fn enter(unread: &[Unread], samples: &[NewSample], ledger: &mut Ledger) {
    let complete = samples.iter().all(|sample| sample.label.is_some());
    for one in unread {
        let comma = if one.what.contains(',') { "," } else { "" };
        let (looks, was) = if one.files == 1 { ("looks", "was") } else { ("look", "were") };
        let (labels, instead) = match one.role {
            Role::Aside => ("", ""),
            Role::Table => (
                ": the labels are those of folders or file names",
                "; open it instead of the folder to use it",
            ),
            Role::Labels | Role::PerPicture => (": the labels are those of folders or file names", ""),
        };
        let text =
            format!("{} {looks} like {}{comma} and {was} not read{labels}{instead}", one.shown(), one.what);
        let serious = one.role == Role::PerPicture || (one.role != Role::Aside && !complete);
        let kind = if serious { RemarkKind::LabelsMissing } else { RemarkKind::LayoutGuessed };
        ledger.add(kind, one.files, text);
    }
}

/// Refuses the dataset if its samples have no labels without these files; otherwise remarks on them.
///
/// # Errors
/// As said.
pub(super) fn settle(
    root: &Path,
    unread: &[Unread],
    samples: &[NewSample],
    ledger: &mut Ledger,
) -> Result<()> {
    let mut classes = samples.iter().filter_map(|sample| sample.label.as_deref());
    let first = classes.next();
    let labels: Vec<&Unread> = unread.iter().filter(|one| one.role != Role::Aside).collect();
    if labels.is_empty() || classes.any(|class| Some(class) != first) {
        enter(unread, samples, ledger);
        return Ok(());
    }
    // What can be opened instead is the best advice.
    let table = labels.iter().find(|one| one.role == Role::Table);
    let Some(first) = table.or(labels.first()) else { return Ok(()) };
    let others: Vec<String> = labels
        .iter()
        .filter(|one| !std::ptr::eq(**one, *first))
        .map(|one| format!("{} ({})", one.shown(), one.what))
        .collect();
    let more = match others.len() {
        0 => String::new(),
        1..=NAMED => format!("; the same is true of {}", others.join(", ")),
        count => format!("; the same is true of {} and {} others", others[..NAMED].join(", "), count - NAMED),
    };
    let what = &first.what;
    let advice = match first.role {
        Role::Table => "open this table instead of the folder",
        _ => "write the labels to a CSV table with the columns path and label and open that",
    };
    let (is, it) = if first.files > 1 { ("are", "them") } else { ("is", "it") };
    let of =
        if first.files > 1 { format!(" ({})", counted(first.files, "file", "files")) } else { String::new() };
    Err(Error::format(
        root.join(&first.path),
        format!(
            "this looks like {what}{of}, which {is} not read, and without {it} the images have no labels: {advice}, or \
             use --label-files ignore to go on without {it}{more}"
        ),
    ))
}

/// Remarks that these files were ignored because the user said so.
pub(super) fn ignored(unread: &[Unread], ledger: &mut Ledger) {
    let files: u64 = unread.iter().map(|one| one.files).sum();
    let Some(first) = unread.first() else { return };
    let may = counted(
        files,
        "file that may hold labels was ignored, as you said",
        "files that may hold labels were ignored, as you said",
    );
    ledger.add(RemarkKind::LayoutGuessed, files, format!("{may}: {} ({})", first.shown(), first.what));
}

impl Unread {
    fn shown(&self) -> String {
        match self.files {
            1 => safe_path(&self.path),
            files => format!("{} and {} more files like it", safe_path(&self.path), files - 1),
        }
    }
}

/// Whether a file is worth a look.
pub(super) fn may_hold_labels(path: &Path) -> bool {
    let Some(extension) = extension(path) else { return false };
    let extension = extension.as_str();
    let of = |all: &[(&str, &str)]| all.iter().any(|(known, _)| *known == extension);
    TEXT.contains(&extension) || PER_PICTURE.contains(&extension) || of(TABLES) || of(ARRAYS)
}

/// The hashes of the names of pictures, with and without extension.
struct Names {
    whole: HashSet<u64>,
    stems: HashSet<u64>,
    /// How many pictures there are.
    count: usize,
}

impl Names {
    fn of(samples: &[NewSample]) -> Names {
        let names = || samples.iter().filter_map(|sample| sample.path.file_name());
        let stems = samples.iter().filter_map(|sample| sample.path.file_stem());
        Names { whole: names().map(hash).collect(), stems: stems.map(hash).collect(), count: samples.len() }
    }

    fn has(&self, name: &OsStr) -> bool {
        self.whole.contains(&hash(name))
    }

    fn has_stem(&self, name: &OsStr) -> bool {
        self.stems.contains(&hash(name))
    }

    /// Whether a word of a text is a picture's file name, perhaps behind folders.
    fn names(&self, word: &str) -> bool {
        self.has(OsStr::new(last(word)))
    }

    /// The same for a name without its extension.
    fn names_stem(&self, word: &str) -> bool {
        self.has_stem(OsStr::new(last(word)))
    }
}

fn last(word: &str) -> &str {
    word.rsplit(['/', '\\']).next().unwrap_or(word)
}

fn hash(name: &OsStr) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.as_encoded_bytes().hash(&mut hasher);
    hasher.finish()
}

/// What files beside each picture are, and whether their content leaves no doubt.
fn per_picture(root: &Path, extension: &str, paths: &[&PathBuf]) -> (String, Role, bool) {
    let texts: Vec<String> = paths.iter().take(SAMPLED).filter_map(|path| head(&root.join(path))).collect();
    let all = |test: &dyn Fn(&str) -> bool| {
        let told = || texts.iter().filter(|text| !text.trim().is_empty());
        told().next().is_some() && told().all(|text| test(text))
    };
    let one = |whose: &str| format!("{whose}, one .{extension} file for each picture");
    let plain = format!("labels in one .{} file for each picture", safe_text(extension));
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

/// Whose format a label file is in, by its name alone.
fn by_name(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    match name.as_str() {
        "metadata.parquet" => Some("a Hugging Face label file"),
        "labels.json" => Some("a FiftyOne or COCO label file"),
        "samples.json" => Some("a FiftyOne label file"),
        "_annotations.coco.json" | "_annotations.createml.json" | "_classes.csv" | "_annotations.csv" => {
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
fn by_content(file: &Path, path: &Path, names: &Names) -> Option<(String, Role)> {
    let extension = extension(path)?;
    if !TEXT.contains(&extension.as_str()) {
        return None;
    }
    let stem = path.file_stem()?.to_string_lossy().to_ascii_lowercase();
    if ABOUT.iter().any(|about| stem.starts_with(about)) {
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
            let any = fields(&text)
                .any(|field| names.names(field) || field.split_whitespace().any(|word| names.names(word)));
            return any.then(|| ("a label file for these pictures".to_owned(), Role::Labels));
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
    Some(match (more > 0, table) {
        (true, true) => ("a table of labels for these pictures".to_owned(), Role::Table),
        (true, false) => ("a label file for these pictures".to_owned(), Role::Labels),
        (false, _) => ("a list of pictures".to_owned(), Role::Aside),
    })
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

#[cfg(test)]
mod tests;
