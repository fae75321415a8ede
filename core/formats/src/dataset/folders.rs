//! Folders of images.

use super::{DatasetOptions, Format, Opened, is_image, names};
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::Split;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

pub(super) const FORMAT: Format = Format {
    name: "a folder",
    summary: "a folder of images",
    details: "class folders, optionally inside `train`, `val` and `test` folders; or images without labels",
    detect: |_, metadata| metadata.is_dir(),
    read: open,
};

/// What a walk found: relative paths in byte order, and what was skipped.
#[derive(Default)]
struct Found {
    images: Vec<PathBuf>,
    others: u64,
    ledger: Ledger,
}

/// How relative paths encode labels and splits.
struct Layout {
    /// Leading folders that carry no meaning.
    wrappers: usize,
    /// Whether the first folder below them is the split.
    splits: bool,
    /// A note for the user.
    note: Option<(u64, String)>,
}

/// Opens a folder: class folders, split folders that contain class folders, or images only.
fn open(root: &Path, options: &DatasetOptions) -> Result<Opened> {
    let mut found = walk(root)?;
    let refuse = |message: String| Error::Dataset { path: root.to_path_buf(), message };
    if found.images.is_empty() {
        let others = match found.others {
            0 => String::new(),
            others => format!(" ({} of other types)", counted(others, "file", "files")),
        };
        let extensions = super::IMAGE_EXTENSIONS.join(", ");
        let notes: String = found.ledger.remarks.iter().map(|remark| format!("; {}", remark.text)).collect();
        return Err(refuse(format!(
            "it contains no image files{others}; supported extensions: {extensions}{notes}"
        )));
    }
    if found.others > 0 {
        let files = counted(found.others, "file", "files");
        let text = format!("skipped {files} without an image extension");
        found.ledger.add(RemarkKind::OtherFiles, found.others, text);
    }
    let layout = layout(&found);
    if let Some((count, text)) = &layout.note {
        found.ledger.add(RemarkKind::LayoutGuessed, *count, text.clone());
    }
    let mut samples: Vec<NewSample> = found.images.into_iter().map(|path| layout.sample(path)).collect();
    let labelled = samples.iter().filter(|sample| sample.label.is_some()).count();
    if labelled == 0 && options.labels_from_names {
        if let Some(labels) = names::labels(samples.iter().map(|sample| sample.path.as_path())) {
            for (sample, label) in samples.iter_mut().zip(labels) {
                sample.label = label;
            }
            let text = "labels were taken from file names such as cat.12.jpg";
            found.ledger.add(RemarkKind::LayoutGuessed, samples.len() as u64, text);
        }
    } else if labelled > 0 && labelled < samples.len() {
        let bare = (samples.len() - labelled) as u64;
        let images = counted(bare, "image is", "images are");
        let text = format!("{images} outside the class folders and therefore unlabeled");
        found.ledger.add(RemarkKind::LabelsMissing, bare, text);
    }
    found.ledger.left_out = found.others;
    found.ledger.found = found.others + samples.len() as u64;
    Ok(Opened { manifest: Manifest::new(root, samples), ledger: found.ledger })
}

/// Lists a folder. Links are followed (except in loops); hidden files and folders are skipped.
fn walk(root: &Path) -> Result<Found> {
    let mut found = Found::default();
    let mut paths: Vec<Vec<u8>> = Vec::new();
    let visible = |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().as_bytes().starts_with(b".");
    let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
    for entry in WalkDir::new(root).follow_links(true).into_iter().filter_entry(visible) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if is_image(entry.path()) => {
                paths.push(relative(entry.path()).into_os_string().into_vec());
            }
            Ok(_) => found.others += 1,
            Err(error) => {
                let Some(path) = error.path().map(Path::to_path_buf) else { continue };
                let name = safe_path(&relative(&path));
                if error.loop_ancestor().is_some() {
                    let text = format!("skipped the link {name}, which forms a loop");
                    found.ledger.add(RemarkKind::OtherFiles, 1, text);
                } else if error.depth() == 0 {
                    let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("unknown"));
                    return Err(Error::io("list", root)(source));
                } else if !path.is_symlink() {
                    let reason = error.io_error().map_or_else(String::new, |io| format!(": {io}"));
                    let text = format!("cannot list the folder {name}{reason}");
                    found.ledger.add(RemarkKind::FoldersNotListed, 1, text);
                } else if is_image(&path) {
                    // A broken link: the index will report this image as missing.
                    paths.push(relative(&path).into_os_string().into_vec());
                } else {
                    let text = format!("skipped the link {name}, which is broken");
                    found.ledger.add(RemarkKind::OtherFiles, 1, text);
                }
            }
        }
    }
    paths.sort_unstable();
    found.ledger.remarks.sort_by(|a, b| (a.kind, &a.text).cmp(&(b.kind, &b.text)));
    found.images =
        paths.into_iter().map(|bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes))).collect();
    Ok(found)
}

/// Infers the meaning of the folders from all paths together.
fn layout(found: &Found) -> Layout {
    let depth = |path: &PathBuf| path.components().count();
    let shallowest = found.images.iter().map(depth).min().unwrap_or(1);
    let at = |level: usize| -> BTreeSet<&OsStr> {
        let folders = |path: &'_ PathBuf| depth(path) > level + 1;
        let images = found.images.iter().filter(|path| folders(path));
        images
            .filter_map(|path| path.components().nth(level).map(|component| component.as_os_str()))
            .collect()
    };
    let is_split = |name: &&OsStr| split_of(name).is_some();
    let mut wrappers = 0;
    // A single folder that holds all class folders carries no meaning, unless it is a split.
    while shallowest >= wrappers + 3 {
        let top = at(wrappers);
        if top.len() != 1 || top.iter().any(is_split) {
            break;
        }
        wrappers += 1;
    }
    let top = at(wrappers);
    let splits = top.iter().filter(|name| is_split(name)).count();
    let note = (splits > 0 && splits < top.len()).then(|| {
        let (split, class): (Vec<&OsStr>, Vec<&OsStr>) = top.iter().partition(|name| is_split(name));
        let (split, class) = (safe_path(Path::new(split[0])), safe_path(Path::new(class[0])));
        let text = format!(
            "all top-level folders were read as classes: {split} is named like a split, but {class} is not"
        );
        (top.len() as u64, text)
    });
    Layout { wrappers, splits: splits > 0 && splits == top.len(), note }
}

fn split_of(name: &OsStr) -> Option<Split> {
    name.to_str().and_then(Split::from_name)
}

impl Layout {
    fn sample(&self, path: PathBuf) -> NewSample {
        let folders: Vec<&OsStr> =
            path.parent().map(Path::iter).into_iter().flatten().skip(self.wrappers).collect();
        let (split, class) = match folders.as_slice() {
            [first, rest @ ..] if self.splits => (split_of(first).unwrap_or_default(), rest.first()),
            all => (Split::None, all.first()),
        };
        let label = class.map(|name| class_names::of_bytes(name.as_bytes()));
        NewSample { path, label, split }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::sample::SampleId;
    use std::fs;
    use tempfile::TempDir;

    fn tree(files: &[&str]) -> TempDir {
        let temp = tempfile::tempdir().unwrap();
        for file in files {
            let path = temp.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        temp
    }

    fn rows(opened: &Opened) -> Vec<(String, String, Split)> {
        let manifest = &opened.manifest;
        let row = |id: SampleId| {
            (safe_path(manifest.path(id)), manifest.label_name(id).to_owned(), manifest.split(id))
        };
        manifest.ids().map(row).collect()
    }

    fn texts(opened: &Opened) -> Vec<&str> {
        opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect()
    }

    fn read(files: &[&str]) -> Opened {
        open(tree(files).path(), &DatasetOptions::default()).unwrap()
    }

    #[test]
    fn class_folders_in_byte_order() {
        let opened = read(&[
            "dog/1.JPG",
            "cat/2.jpeg",
            "cat/10.png",
            "cat/.hidden.jpg",
            ".git/a.png",
            "dog/readme.txt",
        ]);
        let row = |path: &str, label: &str| (path.to_owned(), label.to_owned(), Split::None);
        assert_eq!(
            rows(&opened),
            [row("cat/10.png", "cat"), row("cat/2.jpeg", "cat"), row("dog/1.JPG", "dog")]
        );
        assert_eq!(texts(&opened), ["skipped 1 file without an image extension"]);
    }

    #[test]
    fn splits_only_where_all_top_folders_are() {
        let opened = read(&["Train/cat/1.jpg", "test/dog/1.jpg", "val/2.jpg"]);
        let row = |path: &str, label: &str, split| (path.to_owned(), label.to_owned(), split);
        let expected = [
            row("Train/cat/1.jpg", "cat", Split::Train),
            row("test/dog/1.jpg", "dog", Split::Test),
            row("val/2.jpg", "", Split::Validation),
        ];
        assert_eq!(rows(&opened), expected);
        assert_eq!(texts(&opened), ["1 image is outside the class folders and therefore unlabeled"]);

        let opened = read(&["train/a/1.jpg", "trainings/b/1.jpg"]);
        assert_eq!(rows(&opened)[0], row("train/a/1.jpg", "train", Split::None));
        assert!(
            texts(&opened)[0].contains("train is named like a split, but trainings is not"),
            "{:?}",
            opened.ledger
        );
    }

    #[test]
    fn folders_above_and_below_classes_say_nothing() {
        let opened = read(&["set/test/cat/images/1.jpg", "set/train/dog/2.jpg"]);
        let labels: Vec<String> = rows(&opened).into_iter().map(|row| row.1).collect();
        assert_eq!(labels, ["cat", "dog"]);
        assert_eq!(rows(&read(&["cat/1.jpg"]))[0].1, "cat");
    }

    #[test]
    fn flat_folders_take_labels_from_names_unless_told_not_to() {
        let temp = tree(&["cat.0.jpg", "dog.1.jpg"]);
        let opened = open(temp.path(), &DatasetOptions::default()).unwrap();
        assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
        let options = DatasetOptions { labels_from_names: false, ..DatasetOptions::default() };
        assert!(open(temp.path(), &options).unwrap().manifest.classes().is_empty());
        assert_eq!(read(&["train/cat.0.jpg", "train/dog.1.jpg"]).manifest.classes(), ["cat", "dog"]);
    }

    #[test]
    fn hostile_names_and_links_are_no_trouble() {
        let temp = tree(&["a\nb/\u{202e}gpj.jpg"]);
        let bytes = OsStr::from_bytes(b"cl\xffss");
        fs::create_dir(temp.path().join(bytes)).unwrap();
        fs::write(temp.path().join(bytes).join("1.jpg"), b"x").unwrap();
        std::os::unix::fs::symlink("..", temp.path().join("a\nb/up")).unwrap();
        std::os::unix::fs::symlink("nowhere", temp.path().join("a\nb/gone.png")).unwrap();
        let opened = open(temp.path(), &DatasetOptions::default()).unwrap();
        let paths: Vec<String> = rows(&opened).into_iter().map(|row| row.0).collect();
        assert_eq!(paths, ["a\\nb/gone.png", "a\\nb/\\u{202e}gpj.jpg", "cl\\xffss/1.jpg"]);
        assert_eq!(opened.manifest.classes(), ["a\nb", "cl\\xffss"]);
        assert_eq!(texts(&opened), ["skipped the link a\\nb/up, which forms a loop"]);
    }
}
