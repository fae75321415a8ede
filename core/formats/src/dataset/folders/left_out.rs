//! Counts the files that are not samples, by reason, and words the reasons.

use super::file_kinds::{FileKind, kind};
use crate::dataset::extension;
use chaffinch_data::prompts::PromptSet;
use chaffinch_protocol::display::{counted, excerpt, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// How many extensions one remark names.
const NAMED: usize = 6;

/// Why a file is not a sample.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// A picture in a format that is not read, by extension.
    Unsupported(String, &'static str),
    /// A picture whose extension is not recognized.
    Misnamed(String, &'static str),
    /// A picture by its content whose name does not say so, by extension and format.
    Unnamed(String, &'static str),
    /// In a folder made by a machine, by the folder's name.
    MachineFolder(String, &'static str),
    /// Made by a machine.
    MachineFile,
    /// Hidden, or in a hidden folder.
    Hidden,
    /// It stands for a picture that is not there.
    Placeholder,
    /// A video, by extension.
    Video(String),
    /// An archive, by extension.
    Archive(String),
    /// Read for labels instead.
    Labels,
    /// Read for other columns instead.
    Columns,
    /// Read for what the classes are called.
    ClassNames,
    /// A link to nothing.
    BrokenLink,
    /// Neither a file nor a folder.
    Special,
    /// Anything else, by extension.
    Other(String),
}

/// The files of one reason.
#[derive(Clone, Debug, Default)]
struct Tally {
    files: u64,
    /// Of these, named like a picture.
    pictures: u64,
    /// The extension as written; empty if it is written in several ways.
    spelled: Option<String>,
    /// The first in byte order.
    first: PathBuf,
}

impl Tally {
    /// An extension as it is written, if it is written in one way, or else in lower case.
    fn written<'a>(&'a self, lower: &'a str) -> &'a str {
        self.spelled.as_deref().filter(|spelled| !spelled.is_empty()).unwrap_or(lower)
    }
}

/// All files that are not samples.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    tallies: BTreeMap<Reason, Tally>,
    /// The folders of those that may be pictures.
    folders: BTreeSet<PathBuf>,
}

impl LeftOut {
    fn add(&mut self, reason: Reason, path: &Path) {
        let is_picture = matches!(
            reason,
            Reason::Unsupported(..)
                | Reason::Misnamed(..)
                | Reason::Unnamed(..)
                | Reason::Placeholder
                | Reason::Video(_)
        );
        let tally = self.tallies.entry(reason).or_default();
        if tally.files == 0 || path < tally.first {
            tally.first = path.to_path_buf();
        }
        tally.files += 1;
        tally.pictures += u64::from(crate::dataset::is_image(path));
        let spelled = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        match &mut tally.spelled {
            None => tally.spelled = Some(spelled.to_owned()),
            Some(known) if known != spelled => known.clear(),
            Some(_) => {}
        }
        if is_picture
            && let Some(folder) = path.parent()
            && !self.folders.contains(folder)
        {
            self.folders.insert(folder.to_path_buf());
        }
    }

    /// The folders of files that may be pictures.
    pub(super) fn folders_of_pictures(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(PathBuf::as_path)
    }

    /// A visible file without the extension of a sample.
    pub(super) fn file(&mut self, path: &Path) {
        let names = path == Path::new(PromptSet::NAMES_FILE);
        self.add(if names { Reason::ClassNames } else { by_extension(path) }, path);
    }

    /// A visible file that is a picture of this format, but not named like one.
    pub(super) fn unnamed(&mut self, format: &'static str, path: &Path) {
        self.add(Reason::Unnamed(extension(path).unwrap_or_default(), format), path);
    }

    /// A file in the place of a picture.
    pub(super) fn placeholder(&mut self, path: &Path) {
        self.add(Reason::Placeholder, path);
    }

    /// The same as [`LeftOut::file`], once it turned out to hold labels, or other columns about the pictures.
    pub(super) fn was_read(&mut self, path: &Path, labels: bool) {
        let reason = by_extension(path);
        if let Some(tally) = self.tallies.get_mut(&reason) {
            tally.files = tally.files.saturating_sub(1);
        }
        self.tallies.retain(|_, tally| tally.files > 0);
        self.add(if labels { Reason::Labels } else { Reason::Columns }, path);
    }

    pub(super) fn in_machine_folder(&mut self, name: &str, what: &'static str, path: &Path) {
        self.add(Reason::MachineFolder(name.to_owned(), what), path);
    }

    pub(super) fn machine_file(&mut self, path: &Path) {
        self.add(Reason::MachineFile, path);
    }

    pub(super) fn hidden(&mut self, path: &Path) {
        self.add(Reason::Hidden, path);
    }

    pub(super) fn broken_link(&mut self, path: &Path) {
        self.add(Reason::BrokenLink, path);
    }

    pub(super) fn special(&mut self, path: &Path) {
        self.add(Reason::Special, path);
    }

    /// What to do where there is no picture, but something else that holds pictures.
    pub(super) fn advice(&self) -> Option<&'static str> {
        const CONTAINERS: &[(&[&str], &str)] = &[
            (
                &["parquet", "arrow", "feather"],
                "Parquet and Arrow files may hold pictures, but are not read: save the pictures as files, with a \
                 metadata.csv of file_name and label",
            ),
            (
                &["npy", "npz", "mat", "h5", "hdf5", "pkl", "pickle", "pt", "bin", "rec"],
                "arrays are not read as pictures: save them as PNG files in a folder for each class",
            ),
        ];
        let is = |extension: &str| self.tallies.contains_key(&Reason::Other(extension.to_owned()));
        let found =
            CONTAINERS.iter().find(|(extensions, _)| extensions.iter().any(|extension| is(extension)));
        // MNIST and CIFAR-10 as their authors give them have no extension.
        let bare = self.tallies.get(&Reason::Other(String::new()));
        let name = bare.map(|tally| tally.first.to_string_lossy().into_owned()).unwrap_or_default();
        match found {
            Some((_, advice)) => Some(advice),
            None if name.contains("ubyte") || name.contains("batch") => Some(CONTAINERS[1].1),
            None => None,
        }
    }

    /// How many there are.
    pub(super) fn files(&self) -> u64 {
        self.tallies.values().map(|tally| tally.files).sum()
    }

    /// Adds all of them to the ledger; the counts of these remarks add up to [`LeftOut::files`].
    pub(super) fn enter(&self, ledger: &mut Ledger) {
        let mut others: Vec<(String, u64)> = Vec::new();
        for (reason, tally) in &self.tallies {
            match reason {
                Reason::Other(extension) => others.push((tally.written(extension).to_owned(), tally.files)),
                reason => {
                    let (kind, text) = words(reason, tally);
                    ledger.add(kind, tally.files, text);
                }
            }
        }
        if !others.is_empty() {
            let files = others.iter().map(|(_, files)| files).sum();
            ledger.add(RemarkKind::OtherFiles, files, other_words(files, others));
        }
        ledger.left_out += self.files();
        ledger.found += self.files();
    }
}

/// Whether only its content can tell what a file is.
pub(super) fn is_unknown(path: &Path) -> bool {
    let known = ["csv", "tsv", "txt", "json", "jsonl", "xml", "md", "parquet", "py", "html", "yaml", "yml"];
    match by_extension(path) {
        Reason::Other(extension) => !known.contains(&extension.as_str()),
        _ => false,
    }
}

fn by_extension(path: &Path) -> Reason {
    let Some(extension) = extension(path) else { return Reason::Other(String::new()) };
    match kind(&extension) {
        FileKind::Unsupported(format) => Reason::Unsupported(extension, format),
        FileKind::Misnamed(format) => Reason::Misnamed(extension, format),
        FileKind::Video => Reason::Video(extension),
        FileKind::Archive => Reason::Archive(extension),
        FileKind::Other => Reason::Other(extension),
    }
}

fn words(reason: &Reason, tally: &Tally) -> (RemarkKind, String) {
    let left_out = if tally.files == 1 { "was left out" } else { "were left out" };
    let dotted = |extension: &str| {
        let extension = excerpt(tally.written(extension));
        counted(tally.files, &format!(".{extension} file"), &format!(".{extension} files"))
    };
    let files = counted(tally.files, "file", "files");
    match reason {
        Reason::Unsupported(extension, format) => (
            RemarkKind::UnsupportedPictures,
            format!(
                "{} {left_out}: {format} pictures are not read; convert them to JPEG or PNG",
                dotted(extension)
            ),
        ),
        Reason::Misnamed(extension, format) => (
            RemarkKind::UnsupportedPictures,
            format!(
                "{} {left_out}: {format} pictures are not recognized by this extension; rename them to .{}",
                dotted(extension),
                if *format == "JPEG" { "jpg".to_owned() } else { format.to_ascii_lowercase() }
            ),
        ),
        Reason::Unnamed(extension, format) => {
            let which = match extension.as_str() {
                "" => format!("{files} without an extension"),
                extension => dotted(extension),
            };
            let suffix = match *format {
                "JPEG" => "jpg".to_owned(),
                "TIFF" => "tif".to_owned(),
                format => format.to_ascii_lowercase(),
            };
            let text = format!(
                "{which} {left_out}: the content is {format}, but the name does not say so; add .{suffix}"
            );
            (RemarkKind::UnsupportedPictures, text)
        }
        Reason::MachineFolder(name, what) => {
            let folders = if tally.files == 1 { "folder" } else { "folders" };
            let text = format!("{files} in {} {folders} {left_out}: {what}", excerpt(name));
            (RemarkKind::MachineMade, text)
        }
        Reason::MachineFile => (
            RemarkKind::MachineMade,
            format!(
                "{files} made by the operating system or a picture viewer {left_out}, such as {}",
                safe_path(&tally.first)
            ),
        ),
        Reason::Hidden => {
            let hidden = counted(tally.files, "hidden file", "hidden files");
            let pictures = match (tally.pictures, tally.files) {
                (0, _) => String::new(),
                (_, 1) => ", which is named like a picture".to_owned(),
                (pictures, _) => format!(", {} of them named like a picture", pictures),
            };
            let first = safe_path(&tally.first);
            let text = match tally.files {
                1 => format!("{hidden} {left_out}{pictures}: {first}"),
                _ => format!("{hidden} {left_out}{pictures}; the first is {first}"),
            };
            (RemarkKind::MachineMade, text)
        }
        Reason::Placeholder => {
            let first = safe_path(&tally.first);
            let pictures = counted(tally.files, "picture is", "pictures are");
            let text = format!(
                "{pictures} not there, but in the cloud or not downloaded to the end; fetch what {first} stands for"
            );
            (RemarkKind::UnsupportedPictures, text)
        }
        Reason::Video(extension) => {
            (RemarkKind::OtherFiles, format!("{} {left_out}: videos are not read", dotted(extension)))
        }
        Reason::Archive(extension) => (
            RemarkKind::OtherFiles,
            format!("{} {left_out}: archives are not read; unpack them", dotted(extension)),
        ),
        Reason::Labels | Reason::Columns | Reason::ClassNames => {
            let first = safe_path(&tally.first);
            let what = match reason {
                Reason::Labels => "labels",
                Reason::ClassNames => "names of classes",
                _ => "columns",
            };
            let text = match tally.files {
                1 => format!("{first} is not a picture; its {what} were read"),
                _ => format!("{files} are not pictures; their {what} were read: {first} and others"),
            };
            (RemarkKind::OtherFiles, text)
        }
        Reason::BrokenLink => {
            let links = counted(tally.files, "broken link", "broken links");
            let first = safe_path(&tally.first);
            (RemarkKind::OtherFiles, format!("{links} {left_out}, such as {first}"))
        }
        Reason::Special => {
            let files = counted(tally.files, "special file", "special files");
            let first = safe_path(&tally.first);
            (RemarkKind::OtherFiles, format!("{files} {left_out} (a pipe, a socket or a device): {first}"))
        }
        Reason::Other(extension) => (
            RemarkKind::OtherFiles,
            other_words(tally.files, vec![(tally.written(extension).to_owned(), tally.files)]),
        ),
    }
}

/// All files that are neither pictures nor of another known kind, most frequent extensions first.
fn other_words(files: u64, mut extensions: Vec<(String, u64)>) -> String {
    extensions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let one = |(extension, files): &(String, u64)| match extension.as_str() {
        "" => format!("{files} without an extension"),
        extension => format!("{files} .{}", excerpt(extension)),
    };
    let mut named: Vec<String> = extensions.iter().take(NAMED).map(one).collect();
    let rest: u64 = extensions.iter().skip(NAMED).map(|(_, files)| files).sum();
    if rest > 0 {
        named.push(format!("{rest} others"));
    }
    let (count, left_out) = match files {
        1 => ("1 file".to_owned(), "is not a picture and was left out"),
        _ => (counted(files, "file", "files"), "are not pictures and were left out"),
    };
    format!("{count} {left_out}: {}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(left_out: &LeftOut) -> Vec<(u64, String)> {
        let mut ledger = Ledger::default();
        left_out.enter(&mut ledger);
        assert_eq!(ledger.remarks.iter().map(|remark| remark.count).sum::<u64>(), ledger.left_out);
        assert_eq!(ledger.found, ledger.left_out);
        ledger.remarks.into_iter().map(|remark| (remark.count, remark.text)).collect()
    }

    #[test]
    fn each_kind_has_its_own_words() {
        let mut left_out = LeftOut::default();
        for name in ["b/1.HEIC", "a/2.heic", "x.txt", "y.txt", "README", "clip.MOV"] {
            left_out.file(Path::new(name));
        }
        left_out.hidden(Path::new("a/.x.jpg"));
        let expected = [
            (2, "2 .heic files were left out: HEIC pictures are not read; convert them to JPEG or PNG"),
            (1, "1 hidden file was left out, which is named like a picture: a/.x.jpg"),
            (1, "1 .MOV file was left out: videos are not read"),
            (3, "3 files are not pictures and were left out: 2 .txt, 1 without an extension"),
        ];
        assert_eq!(texts(&left_out), expected.map(|(count, text)| (count, text.to_owned())));
    }

    #[test]
    fn what_was_read_for_labels_is_still_no_sample() {
        let mut left_out = LeftOut::default();
        left_out.file(Path::new("metadata.csv"));
        left_out.was_read(Path::new("metadata.csv"), true);
        assert_eq!(texts(&left_out), [(1, "metadata.csv is not a picture; its labels were read".to_owned())]);
    }
}
