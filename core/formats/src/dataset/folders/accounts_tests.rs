//! Every file of a folder is a sample or is left out with a reason, whatever the folder looks like.

use super::*;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
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
];

/// A folder of up to four levels, in an order of creation that depends on `turn`.
fn grow(number: u64, turn: usize) -> TempDir {
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
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        match path.as_os_str().len() % 7 {
            0 if !full.exists() && full.symlink_metadata().is_err() => {
                std::os::unix::fs::symlink("nowhere", &full).unwrap();
            }
            _ if full.symlink_metadata().is_err() => fs::write(&full, b"x").unwrap(),
            _ => {}
        }
    }
    temp
}

/// All paths below a folder that are no folders.
fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else {
            found.insert(entry.path());
        }
    }
}

#[test]
fn samples_and_files_left_out_are_all_files() {
    let mut opened_some = 0;
    for number in 0..80 {
        let temp = grow(number, 0);
        let mut all = BTreeSet::new();
        files(temp.path(), &mut all);
        let Ok(opened) = open(temp.path(), &DatasetOptions::default()) else { continue };
        opened_some += 1;
        let (manifest, ledger) = (&opened.manifest, &opened.ledger);
        assert_eq!(ledger.found, all.len() as u64, "{number}: {ledger:#?}");
        assert_eq!(manifest.len() as u64 + ledger.left_out, ledger.found, "{number}: {ledger:#?}");
        let reasons = [RemarkKind::UnsupportedPictures, RemarkKind::MachineMade, RemarkKind::OtherFiles];
        let explained: u64 = reasons.into_iter().map(|kind| ledger.count(kind)).sum();
        assert_eq!(explained, ledger.left_out, "{number}: {ledger:#?}");
        assert!(manifest.ids().all(|id| all.contains(&manifest.full_path(id))), "{number}");
        if number % 4 != 0 {
            continue;
        }
        // The order in which files were created, and so that of the file system, says nothing.
        let again = open(grow(number, 5).path(), &DatasetOptions::default()).unwrap();
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
    assert!(opened_some > 60, "{opened_some}");
}
