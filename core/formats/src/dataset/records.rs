//! Binary files of CIFAR-10, CIFAR-100 and MNIST: pixels in records of one size.

use super::packed::{Member, PackedRows, Place};
use super::reading_options::NONE;
use super::{Candidate, ClassNames, DatasetOptions, Format, Opened, unnamed_classes};
use crate::{Error, Result};
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::packing::{Holds, Pixels};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

pub(super) const FORMAT: Format = Format {
    name: "the binary files of CIFAR or MNIST",
    summary: "the binary files of CIFAR-10, CIFAR-100 or MNIST",
    details: "`data_batch_1.bin` … `test_batch.bin`, `train.bin` and `test.bin`, or `train-images-idx3-ubyte` and the like with \
              their labels; names of classes from the file beside them; CIFAR-100's fine labels, its coarse ones as a column",
    written: "`cleaned` writes the pictures as BMP files in class folders",
    lost: "the pickled batches and compressed IDX files, which are refused",
    class_names: ClassNames::Written,
    annotated: None,
    elsewhere: false,
    options: |_| NONE,
    detect: |candidate| candidate.is_dir() && Kind::of(candidate).is_some(),
    read,
};

const CIFAR: Pixels = Pixels { width: 32, height: 32, channels: 3 };
/// What an IDX file of pictures begins with: bytes, three dimensions.
const IDX_PICTURES: u32 = 0x0803;
/// The same for labels.
const IDX_LABELS: u32 = 0x0801;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cifar10,
    Cifar100,
    Idx,
    /// Of any of these, in a form that is not read.
    Unread,
}

impl Kind {
    fn of(candidate: &Candidate) -> Option<Kind> {
        let is = |wanted: &dyn Fn(&str) -> bool| {
            candidate.own_files().any(|path| path.to_str().is_some_and(wanted))
        };
        if is(&|name| name == "data_batch_1.bin" || name == "test_batch.bin") {
            return Some(Kind::Cifar10);
        }
        if is(&|name| name == "train.bin" || name == "test.bin") && is(&|name| name == "fine_label_names.txt")
        {
            return Some(Kind::Cifar100);
        }
        if is(&|name| idx_pictures(name).is_some() && !name.ends_with(".gz")) {
            return Some(Kind::Idx);
        }
        let gz = |name: &str| name.ends_with(".gz") && idx_pictures(name.trim_end_matches(".gz")).is_some();
        let pickled = is(&|name| name == "data_batch_1") || is(&|name| name == "batches.meta");
        (is(&gz) || pickled).then_some(Kind::Unread)
    }
}

/// The part of an IDX file of pictures, such as `train`.
fn idx_pictures(name: &str) -> Option<&str> {
    let stem = name
        .strip_suffix("-ubyte")
        .or_else(|| name.strip_suffix(".ubyte"))
        .or_else(|| name.strip_suffix(".idx"));
    let stem = stem.unwrap_or(name);
    stem.strip_suffix("-images-idx3").or_else(|| stem.strip_suffix("-images.idx3"))
}

fn read(candidate: &Candidate, _: &DatasetOptions) -> Result<Opened> {
    let root = candidate.path().to_path_buf();
    let mut ledger = Ledger::default();
    let mut rows = PackedRows::default();
    let mut used: Vec<PathBuf> = Vec::new();
    let mut columns = Vec::new();
    // The file with the names of the classes, and these.
    let mut named: Option<(&str, Vec<String>)> = None;
    match Kind::of(candidate) {
        Some(Kind::Cifar10) => {
            let names = names(&root, "batches.meta.txt", &mut used)?;
            for path in bins(candidate) {
                let split = if path.starts_with("test_batch.bin") { "test" } else { "train" };
                cifar(
                    &root,
                    &path,
                    split,
                    1,
                    |bytes| (class(&names, bytes[0]), Vec::new()),
                    &mut rows,
                    &mut ledger,
                )?;
                used.push(path);
            }
            named = Some(("batches.meta.txt", names));
        }
        Some(Kind::Cifar100) => {
            let fine = names(&root, "fine_label_names.txt", &mut used)?;
            let coarse = names(&root, "coarse_label_names.txt", &mut used)?;
            columns.push("coarse_label".to_owned());
            for path in bins(candidate) {
                let split = if path.starts_with("test.bin") { "test" } else { "train" };
                let label = |bytes: &[u8]| (class(&fine, bytes[1]), vec![class(&coarse, bytes[0])]);
                cifar(&root, &path, split, 2, label, &mut rows, &mut ledger)?;
                used.push(path);
            }
            named = Some(("fine_label_names.txt", fine));
        }
        Some(Kind::Idx) => idx(candidate, &mut rows, &mut used, &mut ledger)?,
        Some(Kind::Unread) | None => {
            let pickled = candidate.own_files().find(|path| path.extension().is_none_or(|own| own != "gz"));
            let gz = candidate.own_files().find(|path| path.extension().is_some_and(|own| own == "gz"));
            let (path, advice) = match (gz, pickled) {
                (Some(gz), _) => (gz, "it is compressed; decompress it with gunzip"),
                (None, Some(path)) => (
                    path,
                    "batches for Python are pickled and not read; get the binary version, or write the pictures as files",
                ),
                (None, None) => (Path::new(""), "it has no batches"),
            };
            return Err(Error::format(root.join(path), advice));
        }
    }
    let rest = candidate.files().iter().filter(|path| !used.contains(path)).count() as u64;
    ledger.leave_out(RemarkKind::OtherFiles, rest, counted(rest, "other file", "other files"));
    let beside = used.len() as u64;
    let text = format!("{} hold the pictures and labels", counted(beside, "file", "files"));
    ledger.leave_out(RemarkKind::OtherFiles, beside, text);
    let mut opened = rows.finish(columns, root.clone(), &root, ledger)?;
    if let Some((file, names)) = named {
        let numbers = ClassNumbers::of_list(&names);
        opened.manifest = opened.manifest.with_class_numbers(numbers);
        let names = names.iter().map(String::as_str).collect();
        unnamed_classes::tell(file, &names, &mut opened);
    }
    Ok(opened)
}

/// The `.bin` files in the folder, in the order of their names.
fn bins(candidate: &Candidate) -> Vec<PathBuf> {
    let is = |path: &&Path| path.extension().is_some_and(|own| own == "bin");
    candidate.own_files().filter(is).map(Path::to_path_buf).collect()
}

/// The name of a class, or its number.
fn class(names: &[String], number: u8) -> String {
    names.get(usize::from(number)).cloned().unwrap_or_else(|| number.to_string())
}

/// The lines of a file of names; none if it is not there.
fn names(root: &Path, file: &str, used: &mut Vec<PathBuf>) -> Result<Vec<String>> {
    let path = root.join(file);
    if !path.exists() {
        return Ok(Vec::new());
    }
    used.push(file.into());
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Records of `labels` bytes and a picture.
fn cifar(
    root: &Path,
    path: &Path,
    split: &str,
    labels: usize,
    label: impl Fn(&[u8]) -> (String, Vec<String>),
    rows: &mut PackedRows,
    ledger: &mut Ledger,
) -> Result<()> {
    let full = root.join(path);
    let file = File::open(&full).map_err(Error::io("read", &full))?;
    let size = file.metadata().map_err(Error::io("read", &full))?.len();
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut record = vec![0; labels + CIFAR.len()];
    let whole = size / record.len() as u64;
    rows.container(path, Holds::Pixels(CIFAR));
    for number in 0..whole {
        file.read_exact(&mut record).map_err(Error::io("read", &full))?;
        let (label, other) = label(&record);
        let start = number * record.len() as u64 + labels as u64;
        rows.push(record_of(path, number, label, split, other, start));
    }
    cut(path, size % record.len() as u64 > 0, ledger);
    Ok(())
}

fn record_of(path: &Path, number: u64, label: String, split: &str, other: Vec<String>, start: u64) -> Member {
    Member {
        name: path.with_extension("").join(format!("{number:05}.bmp")),
        label: Some(label),
        split: split.to_owned(),
        other,
        place: Place::Inside { start, length: 0 },
    }
}

fn cut(path: &Path, is_cut: bool, ledger: &mut Ledger) {
    let text = format!("{} ends in the middle of a record", safe_path(path));
    ledger.add(RemarkKind::FilesMissing, u64::from(is_cut), text);
}

/// The files of MNIST and its likes.
fn idx(
    candidate: &Candidate,
    rows: &mut PackedRows,
    used: &mut Vec<PathBuf>,
    ledger: &mut Ledger,
) -> Result<()> {
    let root = candidate.path();
    for path in candidate.own_files() {
        let Some(part) = path.to_str().and_then(idx_pictures) else { continue };
        let full = root.join(path);
        let size = fs::metadata(&full).map_err(Error::io("read", &full))?.len();
        let head = candidate.head(path, 16);
        let word = |at: usize| {
            head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
        };
        let [count, height, width] = [word(4), word(8), word(12)];
        let side = |side: u32| u16::try_from(side).ok().filter(|side| *side > 0);
        let (Some(width), Some(height)) = (side(width), side(height)) else {
            return Err(Error::format(&full, "it is not an IDX file of pictures"));
        };
        if word(0) != IDX_PICTURES {
            return Err(Error::format(&full, "it is not an IDX file of pictures of one byte per pixel"));
        }
        let beside = |path: &&Path| {
            path.to_str().is_some_and(|name| {
                name.starts_with(part)
                    && name.contains("labels")
                    && name.contains("idx1")
                    && !name.ends_with(".gz")
            })
        };
        let labels = match candidate.own_files().find(beside) {
            Some(labels) => {
                used.push(labels.to_path_buf());
                let full = root.join(labels);
                let bytes = fs::read(&full).map_err(Error::io("read", &full))?;
                if bytes.get(..4) != Some(&IDX_LABELS.to_be_bytes()) {
                    return Err(Error::format(&full, "it is not an IDX file of labels"));
                }
                let labels = bytes[8.min(bytes.len())..].to_vec();
                if labels.len() != count as usize {
                    let has = counted(labels.len() as u64, "label", "labels");
                    return Err(Error::format(&full, format!("it has {has} for {count} pictures")));
                }
                Some(labels)
            }
            None => None,
        };
        let pixels = Pixels { width, height, channels: 1 };
        let split = if part.starts_with("t10k") { "test" } else { part };
        rows.container(path, Holds::Pixels(pixels));
        let whole = (size.saturating_sub(16) / pixels.len() as u64).min(u64::from(count));
        for number in 0..whole {
            let label = labels.as_ref().and_then(|labels| labels.get(number as usize));
            let label = label.map_or_else(String::new, u8::to_string);
            let start = 16 + number * pixels.len() as u64;
            let name = PathBuf::from(format!("{part}-images"));
            rows.push(record_of(&name, number, label, split, Vec::new(), start));
        }
        if labels.is_none() {
            ledger.add(
                RemarkKind::LabelsMissing,
                whole,
                format!("{} has no file of labels beside it", safe_path(path)),
            );
        }
        cut(path, whole < u64::from(count), ledger);
        used.push(path.to_path_buf());
    }
    Ok(())
}
