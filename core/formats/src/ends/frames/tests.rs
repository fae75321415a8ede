//! Rows of pictures that are gone are no other pictures.

use super::super::Ends;
use super::super::Place::{self, At, Nothing, Several};
use crate::rows_of::RowsOf;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_protocol::sample::Split;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A dataset in `/new/pets`, of class folders.
fn dataset(paths: &[String]) -> Manifest {
    let sample = |path: &String| {
        let label = path.rsplit('/').nth(1).map(str::to_owned);
        NewSample { path: path.into(), label, split: Split::None }
    };
    Manifest::new("/new/pets", paths.iter().map(sample))
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|&one| one.to_owned()).collect()
}

fn places(paths: &[String], names: &[String]) -> Vec<Place> {
    let manifest = dataset(paths);
    let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    let ends = Ends::new(manifest.ids().map(|id| manifest.path(id).as_os_str().as_bytes()));
    ends.places_in(&manifest, &names)
}

/// The row of each sample, and how many rows are about none, as files with names of rows are bound.
fn bound(paths: &[String], names: &[String]) -> Result<(Vec<Option<u32>>, u64), String> {
    let found = RowsOf::named(Path::new("ids.txt"), (names, None), &dataset(paths), &FileMetadata::default());
    found.map(|found| (found.rows, found.unmatched.0)).map_err(|error| error.to_string())
}

/// Both ways to bind rows: `gone` are those that are about nothing, and all others are about the samples in turn.
fn all_but(paths: &[&str], names: &[&str], gone: &[usize]) {
    let (paths, names) = (texts(paths), texts(names));
    let mut next = 0;
    let mut row = |at: usize| match gone.contains(&at) {
        true => Nothing,
        false => {
            next += 1;
            At(next - 1)
        }
    };
    let wanted: Vec<Place> = (0..names.len()).map(&mut row).collect();
    assert_eq!(places(&paths, &names), wanted, "{names:?} for {paths:?}");
    let mut rows = vec![None; paths.len()];
    wanted.iter().zip(0..).for_each(|(place, at)| {
        if let Some(row) = place.row() {
            rows[row as usize] = Some(at);
        }
    });
    assert_eq!(bound(&paths, &names), Ok((rows, gone.len() as u64)), "{names:?} for {paths:?}");
}

/// Every picture of a dataset in turn is deleted, and its row is not bound to another one, whatever names of the kind the file has.
#[test]
fn a_row_of_a_deleted_picture_is_bound_to_nothing() {
    let all: Vec<String> = ["a/x", "a/y", "b/x", "extra/a/x", "c"]
        .iter()
        .flat_map(|folder| (1..4).map(move |number| format!("{folder}/{number:03}.png")))
        .chain(["001.png".to_owned(), "x/001.png".to_owned()])
        .collect();
    for before in ["", "./", "/new/pets/", "/old/pets/", "/mnt/new/pets/", "file:///old/", r"C:\old\"] {
        let name = |path: &String| match before.contains('\\') {
            true => format!("{before}{}", path.replace('/', r"\")),
            false => format!("{before}{path}"),
        };
        let names: Vec<String> = all.iter().map(name).collect();
        for gone in 0..all.len() {
            let mut left = all.clone();
            left.remove(gone);
            let found = places(&left, &names);
            for (at, path) in all.iter().enumerate() {
                let wanted = left.iter().position(|own| own == path).map(|row| row as u32);
                assert!(
                    found[at].row().is_none_or(|row| Some(row) == wanted),
                    "{} is {:?} without {}",
                    names[at],
                    found[at],
                    all[gone]
                );
                assert!(
                    at == gone || found[at] == At(wanted.unwrap()),
                    "{} without {}",
                    names[at],
                    all[gone]
                );
            }
            // What may mean several is refused there.
            if let Ok((rows, _)) = bound(&left, &names) {
                for (row, path) in rows.iter().zip(&left) {
                    let own = all.iter().position(|other| other == path).map(|at| at as u32);
                    assert_eq!(*row, own, "{before}{path} without {}", all[gone]);
                }
            }
        }
    }
}

#[test]
fn rows_from_the_root_are_bound_by_whole_paths_only() {
    all_but(&["a/x/001.png"], &["a/x/001.png", "b/x/001.png"], &[1]);
    all_but(&["cat/2.png", "extra/cat/1.png"], &["cat/2.png", "cat/1.png"], &[1]);
    all_but(&["cat/2.png", "extra/cat/1.png"], &["/new/pets/cat/2.png", "/new/pets/cat/1.png"], &[1]);
    all_but(&["1.png", "extra/2.png"], &["1.png", "2.png"], &[1]);
    // Inside the dataset's folder, even where no other row is.
    all_but(&["x/1.png", "extra/cat/1.png"], &["x/1.png", "/new/pets/cat/1.png"], &[1]);
    all_but(&["x/1.png", "1.png"], &["x/1.png", "/new/pets/cat/1.png"], &[1]);
}

#[test]
fn another_prefix_names_no_picture_of_the_dataset() {
    let paths = ["cat/1.png", "cat/2.png", "cat/3.png", "cat/4.png"];
    all_but(&paths, &["/d/train/cat/1.png", "/d/train/cat/2.png", "/d/val/cat/3.png"], &[2]);
    all_but(&paths, &["cat/1.png", "cat/2.png", "crops/cat/3.png"], &[2]);
    all_but(&paths, &["/d/cat/1.png", "/d/cat/2.png", "/d/old/cat/3.png"], &[2]);
    // The root of the dataset and parts of it are no other prefixes.
    all_but(&paths, &["/new/pets/cat/1.png", "/mnt/new/pets/cat/2.png", "pets/cat/3.png"], &[]);
    // Nor are folders that say the class.
    let flat = texts(&["1.png", "2.png", "3.png"]);
    let names = texts(&["/d/cat/1.png", "/d/dog/2.png", "/d/cat/3.png"]);
    let label = ["cat", "dog", "cat"];
    let samples = flat.iter().zip(label).map(|(path, label)| NewSample {
        path: path.into(),
        label: Some(label.to_owned()),
        split: Split::None,
    });
    let manifest = Manifest::new("/new/pets", samples);
    let found =
        RowsOf::named(Path::new("ids.txt"), (&names, None), &manifest, &FileMetadata::default()).unwrap();
    assert_eq!(found.rows, [Some(0), Some(1), Some(2)]);
    let found = RowsOf::named(Path::new("ids.txt"), (&names[..2], None), &manifest, &FileMetadata::default())
        .unwrap();
    assert_eq!(found.rows, [Some(0), Some(1), None]);
}

#[test]
fn parts_of_paths_are_as_deep_as_others() {
    let paths = ["a/002.png", "a/003.png", "b/004.png", "deep/er/001.png", "c/005.png"];
    let found = bound(&texts(&paths), &texts(&["001.png", "002.png", "003.png", "004.png"]));
    assert_eq!(found, Ok((vec![Some(1), Some(2), Some(3), None, None], 1)));
    let found = places(&texts(&paths), &texts(&["001.png", "002.png", "003.png", "004.png"]));
    assert_eq!(found, [Nothing, At(0), At(1), At(2)]);
    let found = bound(&texts(&paths), &texts(&["001", "002", "003", "004"]));
    assert_eq!(found, Ok((vec![Some(1), Some(2), Some(3), None, None], 1)), "stems");
    // Where every picture has a row, none is missing.
    all_but(&paths, &["002.png", "003.png", "004.png", "001.png", "005.png"], &[]);
}

#[test]
fn folders_that_lead_nowhere_are_left_out() {
    let paths = ["cat/1.png", "cat/2.png", "dog/3.png"];
    all_but(&paths, &["./cat/1.png", "dog/../cat/2.png", r"cat\..\dog\3.png"], &[]);
    all_but(&paths, &["../pets/cat/1.png", "../pets/cat/./2.png", "../pets//dog/3.png"], &[]);
    all_but(&paths, &["/x/../d/cat/1.png", "/d/cat/2.png", "/d/e/../dog/3.png"], &[]);
}

#[test]
fn rows_in_other_folders_are_of_one_kind() {
    let paths = texts(&["cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png"]);
    let found = |names: &[&str]| places(&paths, &texts(names));
    // Flat here, or called otherwise.
    assert_eq!(found(&["all/1.png", "all/2.png", "all/3.png"]), [At(0), At(1), At(2)]);
    assert_eq!(found(&["cats/1.png", "cats/2.png", "dogs/3.png"]), [At(0), At(1), At(2)]);
    assert_eq!(
        found(&["cats/1.png", "cats/2.png", "cats/3.png", "cats/4.png"]),
        [At(0), At(1), At(2), At(3)]
    );
    // A bird is neither.
    assert_eq!(
        found(&["bird/1.png", "bird/3.png", "fish/2.png", "fish/4.png", "ant/9.png"]),
        [Nothing, Nothing, Nothing, Nothing, Nothing]
    );
    assert_eq!(found(&["/a/cat/1.png", "/b/cat/1.png"]), [Several, Several]);
}

#[test]
fn of_folders_that_differ_those_count_that_clearly_most_rows_have() {
    let paths = ["old/cat/copy.png", "old/bird/2.png", "new/1.png"];
    let names =
        ["/d/pets/cat/copy.png", "/d/pets/bird/2.png", "/d/pets/bird/1.png", "/d/pets/cat/1.png", "/d/x.png"];
    let (paths, names) = (texts(&paths), texts(&names));
    assert_eq!(places(&paths, &names), [At(0), At(1), Nothing, Nothing, Nothing]);
}

/// A dataset of one split has rows of another one that are called alike.
#[test]
fn rows_of_another_split_than_the_folder_name_no_picture_in_it() {
    let paths = ["cat/0.jpg", "cat/1.jpg", "dog/0.jpg"];
    let sample = |path: &str| NewSample { path: path.into(), label: None, split: Split::None };
    let of = |root: &str, before: &[&str]| {
        let manifest = Manifest::new(root, paths.map(sample));
        let names: Vec<String> =
            before.iter().flat_map(|before| paths.map(|path| format!("{before}{path}"))).collect();
        let bytes: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        let ends = Ends::new(paths.iter().map(|path| path.as_bytes()));
        let rows = RowsOf::named(Path::new("ids.txt"), (&names, None), &manifest, &FileMetadata::default());
        (ends.places_in(&manifest, &bytes), rows.map(|found| found.rows).unwrap_or(vec![None; 3]))
    };
    let (all, none) = ([At(0), At(1), At(2)], [Nothing; 3]);
    let rows = [Some(0), Some(1), Some(2)];
    for before in ["test/", "pets/test/", "/srv/x/test/", "/srv/pets/val/"] {
        assert_eq!(of("/new/pets/train", &[before]), (none.to_vec(), vec![None; 3]), "{before}");
    }
    for before in ["train/", "/srv/pets/train/", "/srv/pets/Training/", "/srv/x/", "tests/x/"] {
        assert_eq!(of("/new/pets/train", &[before]), (all.to_vec(), rows.to_vec()), "{before}");
    }
    let both = of("/new/pets/train", &["/srv/pets/train/", "/srv/pets/test/"]);
    assert_eq!(both, ([all, none].concat(), rows.to_vec()));
    let both = of("/new/train/images", &["/srv/test/images/", "/srv/train/images/"]);
    assert_eq!(both, ([none, all].concat(), [Some(3), Some(4), Some(5)].to_vec()));
    assert_eq!(of("/new/pets", &["test/"]), (all.to_vec(), rows.to_vec()), "the folder is of no split");
    // In any of the usual spellings, and in folders of the same name in each split.
    for (root, other, same) in [
        ("/new/coco/train2017", "val2017/", "/srv/coco/train/"),
        ("/new/seg_train", "seg_test/", "seg_train/"),
        ("/new/training_set", "/srv/x/test_set/", "/srv/x/"),
        ("/new/train_images", "test_images/", "train/"),
        ("/new/holdout", "trainset/", "/srv/test/"),
        ("/new/dev", "train/", "dev/"),
        ("/new/pets-train", "/srv/pets-test/", "/srv/pets-train/"),
        ("/new/train/pets", "test/pets/", "train/pets/"),
        ("/new/train/pets", "/srv/val/Pets/", "/srv/pets/"),
        ("/home/test/pets", "/srv/train/", "/home/ann/pets/"),
    ] {
        let expected = if root == "/home/test/pets" { all } else { none };
        assert_eq!(of(root, &[other]).0, expected, "{root}: {other}");
        assert_eq!(of(root, &[same]), (all.to_vec(), rows.to_vec()), "{root}: {same}");
    }
}

/// Rows of two datasets in one file, of which one is here.
#[test]
fn rows_behind_another_folder_are_those_of_another_dataset() {
    let paths = ["cat/1.png", "cat/2.png", "cat/3.png", "cat/4.png", "dog/5.png"];
    let some = |roots: &[&str]| {
        let names: Vec<String> =
            roots.iter().zip(paths).map(|(root, path)| format!("{root}{path}")).collect();
        places(&texts(&paths), &names)
    };
    for (own, other) in [
        ("/x/svhn/pets/", "/x/svhn/extra/"),
        ("/x/pets/", "/x/pets_backup/"),
        ("s3://a/pets/", "s3://a/extra/"),
    ] {
        let found = some(&[other, own, own, other, own]);
        assert_eq!(found, [Nothing, At(1), At(2), Nothing, At(4)], "{other}");
    }
    // Where every picture has a row, they may have been put together.
    assert_eq!(some(&["/y/", "/x/pets/", "/y/", "/x/pets/", "/y/"]), [At(0), At(1), At(2), At(3), At(4)]);
    // Of pictures that need not be all, those behind the folder of most rows.
    assert_eq!(some(&["/a/", "/a/", "/b/", "/a/"]), [At(0), At(1), Nothing, At(3)]);
    assert_eq!(some(&["/a/", "/a/", "/b/pets/", "/b/pets/"]), [Nothing, Nothing, At(2), At(3)]);
    assert_eq!(some(&["", "", "/mnt/b/", ""]), [At(0), At(1), Nothing, At(3)]);
}
