//! Every file of a folder is a sample or is left out with a reason, whatever the folder looks like.

use super::*;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use tempfile::TempDir;

/// A sequence of numbers that is the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn of<'a>(&mut self, all: &[&'a [u8]]) -> &'a [u8] {
        all[self.below(all.len())]
    }
}

const FOLDERS: &[&[u8]] = &[
    b"train",
    b"seg_test",
    b"Validation",
    b"val2017",
    b"unlabeled",
    b"cat",
    b"dog",
    b"cat",
    b"dog",
    b"images",
    b"masks",
    b"@eaDir",
    b".git",
    b"__MACOSX",
    b".hidden",
    b"$RECYCLE.BIN",
    b"fold1",
    b"fold2",
    b"cl\xffss",
    b"a\nb",
    b"c d ",
    b"holdout",
    b"n01440764",
    b"0",
    b"1",
];
const FILES: &[&[u8]] = &[
    b"1.jpg",
    b"2.JPG",
    b"3.png",
    b"4.heic",
    b"5.nef",
    b"6.mp4",
    b"Thumbs.db",
    b".DS_Store",
    b"._1.jpg",
    b"notes.txt",
    b"noextension",
    b"cat.7.jpg",
    b"dog.8.jpg",
    b"\xff.jpg",
    b"x\n.png",
    b"archive.zip",
    b".hidden.png",
    b"9.jfif",
    b"val_annotations.txt",
    b"a-b.webp",
    b".nfs01",
    b"1.txt",
    b"2.txt",
    b"cat.7.json",
    b"3.xml",
    b"data.yaml",
    b"labels.csv",
    b"labels.json",
    b"imagelabels.mat",
    b"._3.png",
    b".3.png.icloud",
    b"4.jpg.crdownload",
    b"inner.tar.gz",
    b"pointer.jpg",
    b"5.HEIC",
    b"Clip.MOV",
];

/// What files hold, by what their names end with.
const TEXTS: &[(&[u8], &str)] = &[
    (b".txt", "0 0.5 0.5 0.1 0.1\n"),
    (b".xml", "<annotation/>"),
    (b".json", "{\"shapes\": [], \"imagePath\": \"1.jpg\"}"),
    (b".yaml", "names: [cat]\nnc: 1\n"),
    (b".csv", "path,label\n1.jpg,cat\n"),
    (b"pointer.jpg", "version https://git-lfs.github.com/spec/v1\n"),
];

/// A folder of up to four levels, in an order of creation that depends on `turn`.
fn grow(number: u64, turn: usize, outside: &Path) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let mut dice = Dice(number * 7 + 1);
    let mut paths: Vec<PathBuf> = (0..2 + dice.below(40))
        .map(|_| {
            let mut path = PathBuf::new();
            for _ in 0..dice.below(4) {
                path.push(OsString::from_vec(dice.of(FOLDERS).to_vec()));
            }
            path.join(OsString::from_vec(dice.of(FILES).to_vec()))
        })
        .collect();
    paths.push("cat/always.jpg".into());
    let middle = turn % paths.len();
    paths.rotate_left(middle);
    for path in &paths {
        let full = temp.path().join(path);
        let folder = full.parent().unwrap();
        // A link may stand where a folder should.
        if fs::create_dir_all(folder).is_err() || full.symlink_metadata().is_ok() {
            continue;
        }
        let bytes = path.as_os_str().as_encoded_bytes();
        let kind = bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 17;
        match if path.ends_with("always.jpg") { 17 } else { kind } {
            0 => symlink("nowhere", &full).unwrap(),
            1 => symlink(".", &full).unwrap(),
            2 => symlink(temp.path().join("cat/always.jpg"), &full).unwrap(),
            3 => symlink(outside, &full).unwrap(),
            4 => symlink(full.file_name().unwrap(), &full).unwrap(),
            5 => drop(UnixListener::bind(&full)),
            6 => drop(Command::new("mkfifo").arg(&full).status()),
            7 => fs::create_dir(&full).unwrap(),
            _ => {
                let text = TEXTS.iter().find(|(end, _)| bytes.ends_with(end)).map_or("x", |(_, text)| text);
                fs::write(&full, text).unwrap();
            }
        }
    }
    temp
}

/// All paths below a folder that are not folders. Links to folders are followed, unless they form a loop or stand in a folder
/// that is left out as a whole.
fn files(folder: &Path, left_out: bool, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let left_out = left_out || machine_made::hidden(name) || machine_made::folder(name).is_some();
        if !path.is_dir() {
            found.insert(path);
            continue;
        }
        let here = fs::canonicalize(folder).unwrap();
        let is_loop = here.ancestors().any(|above| fs::canonicalize(&path).is_ok_and(|there| there == above));
        if !path.is_symlink() || (!left_out && !is_loop) {
            files(&path, left_out, found);
        }
    }
}

/// A folder beside the dataset that links lead to.
fn outside() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    for name in ["out.jpg", "out.txt", "out.heic"] {
        fs::write(temp.path().join(name), b"x").unwrap();
    }
    temp
}

#[test]
fn samples_and_files_left_out_are_all_files() {
    let outside = outside();
    // Labels that are not read are no reason to refuse here.
    let options = DatasetOptions { label_files: LabelFiles::Optional, ..DatasetOptions::default() };
    for number in 0..120 {
        let temp = grow(number, 0, outside.path());
        let mut all = BTreeSet::new();
        files(temp.path(), false, &mut all);
        let opened = open(temp.path(), &options).unwrap_or_else(|error| panic!("{number}: {error}"));
        let (manifest, ledger) = (&opened.manifest, &opened.ledger);
        assert_eq!(ledger.found, all.len() as u64, "{number}: {ledger:#?}");
        assert_eq!(manifest.len() as u64 + ledger.left_out, ledger.found, "{number}: {ledger:#?}");
        let reasons = [RemarkKind::UnsupportedPictures, RemarkKind::MachineMade, RemarkKind::OtherFiles];
        let explained: u64 = reasons.into_iter().map(|kind| ledger.count(kind)).sum();
        let loops =
            ledger.remarks.iter().filter(|remark| remark.text.contains("forms a loop")).count() as u64;
        assert_eq!(explained - loops, ledger.left_out, "{number}: {ledger:#?}");
        assert!(manifest.ids().all(|id| all.contains(&manifest.full_path(id))), "{number}");
        // Read as usual, it is the same, or refused by name.
        match open(temp.path(), &DatasetOptions::default()) {
            Ok(usual) => assert_eq!(usual.ledger, *ledger, "{number}"),
            Err(error) => assert!(error.to_string().contains("--label-files ignore"), "{number}: {error}"),
        }
        if number % 4 != 0 {
            continue;
        }
        // The order in which files were created, and so that of the file system, says nothing.
        let again = open(grow(number, 5, outside.path()).path(), &options).unwrap();
        assert_eq!(again.ledger, *ledger, "{number}");
        let rows = |opened: &Opened| -> Vec<_> {
            let manifest = &opened.manifest;
            let row = |id: SampleId| {
                (manifest.path(id).to_path_buf(), manifest.label_name(id).to_owned(), manifest.split(id))
            };
            manifest.ids().map(row).collect()
        };
        assert_eq!(rows(&again), rows(&opened), "{number}");
    }
}
