mod beside;

use super::*;
use chaffinch_data::dataset::Folders;
use chaffinch_protocol::sample::{SampleId, Split};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use tempfile::TempDir;

fn tree(files: &[&str]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    for file in files {
        write(&temp, file, "x");
    }
    temp
}

fn write(temp: &TempDir, file: &str, text: &str) {
    let path = temp.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

type Row = (String, String, Split);

fn rows(opened: &Opened) -> Vec<Row> {
    let manifest = &opened.manifest;
    let row =
        |id: SampleId| (safe_path(manifest.path(id)), manifest.label_name(id).to_owned(), manifest.split(id));
    manifest.ids().map(row).collect()
}

fn row(path: &str, label: &str, split: Split) -> Row {
    (path.to_owned(), label.to_owned(), split)
}

fn texts(opened: &Opened) -> Vec<&str> {
    opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect()
}

fn read_in(temp: &TempDir) -> Opened {
    open(temp.path(), &DatasetOptions::default()).unwrap()
}

fn read(files: &[&str]) -> Opened {
    let opened = read_in(&tree(files));
    assert_eq!(opened.ledger.found, files.len() as u64, "{:?}", opened.ledger);
    assert_eq!(opened.ledger.found - opened.ledger.left_out, opened.manifest.len() as u64);
    opened
}

fn read_as(files: &[&str], folders: Folders) -> Opened {
    open(tree(files).path(), &DatasetOptions { folders, ..DatasetOptions::default() }).unwrap()
}

#[test]
fn class_folders_in_byte_order() {
    let opened =
        read(&["dog/1.JPG", "cat/2.jpeg", "cat/10.png", "cat/.hidden.jpg", ".git/a.png", "dog/readme.txt"]);
    let row = |path, label| row(path, label, Split::None);
    assert_eq!(rows(&opened), [row("cat/10.png", "cat"), row("cat/2.jpeg", "cat"), row("dog/1.JPG", "dog")]);
    let expected = [
        "1 file in .git folder was left out: data of a version control system",
        "1 hidden file was left out, which is named like a picture: cat/.hidden.jpg",
        "1 file is not a picture and was left out: 1 .txt",
    ];
    assert_eq!(texts(&opened), expected);
    assert_eq!((opened.ledger.found, opened.ledger.left_out), (6, 3));
}

#[test]
fn pictures_that_are_not_read_are_said_first() {
    let opened = read(&["cat/1.jpg", "cat/2.HEIC", "dog/3.jpg", "dog/4.heic", "dog/5.nef"]);
    let expected = [
        "2 .heic files were left out: HEIC pictures are not read; convert them to JPEG or PNG",
        "1 .nef file was left out: camera raw pictures are not read; convert them to JPEG or PNG",
    ];
    assert_eq!(texts(&opened), expected);
    assert!(opened.ledger.remarks[0].kind.is_serious());
}

#[test]
fn thumbnails_of_a_file_server_are_no_samples() {
    let opened = read(&[
        "cat/0.jpg",
        "cat/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg",
        "dog/1.jpg",
        "dog/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
        "dog/Thumbs.db",
        "__MACOSX/dog/._1.jpg",
    ]);
    assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
    assert_eq!(opened.manifest.len(), 2);
    assert!(
        texts(&opened).contains(
            &"2 files in @eaDir folders were left out: thumbnails and previews made by a file server"
        )
    );
}

#[test]
fn splits_where_all_top_folders_are() {
    let opened = read(&["Train/cat/1.jpg", "test/dog/1.jpg", "val/2.jpg"]);
    let expected = [
        row("Train/cat/1.jpg", "cat", Split::Train),
        row("test/dog/1.jpg", "dog", Split::Test),
        row("val/2.jpg", "", Split::Validation),
    ];
    assert_eq!(rows(&opened), expected);
    assert_eq!(texts(&opened), ["1 image is outside the class folders and therefore unlabeled: val/2.jpg"]);
}

#[test]
fn a_folder_named_like_a_split_may_be_a_class() {
    let opened = read(&["train/a/1.jpg", "trainings/b/1.jpg"]);
    assert_eq!(rows(&opened)[0], row("train/a/1.jpg", "train", Split::None));
    assert!(
        texts(&opened)[0].contains("train is named like a split, but trainings is not"),
        "{:?}",
        opened.ledger
    );
    let vehicles = ["bus/1.jpg", "car/1.jpg", "train/1.jpg"];
    let opened = read(&vehicles);
    assert_eq!(opened.manifest.classes(), ["bus", "car", "train"]);
    assert_eq!(opened.ledger.doubt.as_ref().map(|doubt| doubt.other.as_str()), Some("splits"));
    // Without class folders, splits would leave no labels.
    let flat = read(&["bus/1.jpg", "car/1.jpg", "test/1.jpg", "train/1.jpg"]);
    assert_eq!(flat.manifest.classes(), ["bus", "car", "test", "train"]);
    let doubt = flat.ledger.doubt.unwrap();
    assert!(
        doubt.text.contains("test and train are named like splits, but bus and car are not"),
        "{doubt:?}"
    );
    assert_eq!(doubt.otherwise, "if test and train are splits and bus and car are not classes");
    let warned = &flat.ledger.remarks[0];
    assert!(warned.kind.is_serious() && warned.text.ends_with("use --layout splits"), "{warned:?}");
    let folders =
        ["bus/a/1.jpg", "bus/b/2.jpg", "car/a/3.jpg", "car/b/4.jpg", "train/a/5.jpg", "train/b/6.jpg"];
    assert_eq!(read(&folders).ledger.doubt.map(|doubt| doubt.other).as_deref(), Some("classes"));
    let opened = read_as(&["train/a/1.jpg", "trainings/b/1.jpg"], Folders::Splits);
    assert_eq!(rows(&opened)[0], row("train/a/1.jpg", "a", Split::Train));
    assert_eq!(opened.ledger.doubt, None);
}

#[test]
fn a_part_without_labels_beside_splits() {
    for name in ["unlabeled", "pred", "extra", "misc"] {
        let path = format!("{name}/5.jpg");
        let files = ["test/cat/1.jpg", "test/dog/2.jpg", "train/cat/3.jpg", "train/dog/4.jpg", path.as_str()];
        let opened = read(&files);
        assert_eq!(opened.manifest.classes(), ["cat", "dog"], "{name}");
        assert!(rows(&opened).contains(&row(&path, "", Split::None)), "{name}");
        assert!(rows(&opened).contains(&row("test/cat/1.jpg", "cat", Split::Test)), "{name}");
        assert!(texts(&opened).iter().any(|text| text.contains(name)), "{name}: {:?}", opened.ledger);
    }
}

#[test]
fn a_split_repeated_inside_itself() {
    let opened = read(&[
        "seg_pred/seg_pred/0.jpg",
        "seg_test/seg_test/forest/0.jpg",
        "seg_test/seg_test/sea/1.jpg",
        "seg_train/seg_train/forest/2.jpg",
        "seg_train/seg_train/sea/3.jpg",
    ]);
    let expected = [
        row("seg_pred/seg_pred/0.jpg", "", Split::None),
        row("seg_test/seg_test/forest/0.jpg", "forest", Split::Test),
        row("seg_test/seg_test/sea/1.jpg", "sea", Split::Test),
        row("seg_train/seg_train/forest/2.jpg", "forest", Split::Train),
        row("seg_train/seg_train/sea/3.jpg", "sea", Split::Train),
    ];
    assert_eq!(rows(&opened), expected);
    assert!(texts(&opened).iter().any(|text| text.contains("seg_test as test, seg_train as train")));
}

#[test]
fn tiny_imagenet_and_imagenet() {
    let temp = tree(&[
        "tiny/test/images/test_0.JPEG",
        "tiny/train/n01/images/n01_0.JPEG",
        "tiny/train/n02/images/n02_0.JPEG",
        "tiny/val/images/val_0.JPEG",
        "tiny/val/images/val_1.JPEG",
        "tiny/wnids.txt",
    ]);
    write(
        &temp,
        "tiny/val/val_annotations.txt",
        "val_0.JPEG\tn01\t0\t0\t1\t1\nval_1.JPEG\tn02\t0\t0\t1\t1\n",
    );
    let opened = read_in(&temp);
    let expected = [
        row("tiny/test/images/test_0.JPEG", "", Split::Test),
        row("tiny/train/n01/images/n01_0.JPEG", "n01", Split::Train),
        row("tiny/train/n02/images/n02_0.JPEG", "n02", Split::Train),
        row("tiny/val/images/val_0.JPEG", "n01", Split::Validation),
        row("tiny/val/images/val_1.JPEG", "n02", Split::Validation),
    ];
    assert_eq!(rows(&opened), expected);
    let opened = read(&[
        "ILSVRC/Data/CLS-LOC/train/n01/a.JPEG",
        "ILSVRC/Data/CLS-LOC/train/n02/b.JPEG",
        "ILSVRC/Data/CLS-LOC/val/c.JPEG",
    ]);
    assert_eq!(opened.manifest.classes(), ["n01", "n02"]);
    assert_eq!(rows(&opened)[2].2, Split::Validation);
}

#[test]
fn class_folders_that_recur_make_their_parents_parts() {
    let files = ["art/cat/1.jpg", "art/dog/2.jpg", "photo/cat/3.jpg", "photo/dog/4.jpg"];
    let opened = read(&files);
    assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
    assert_eq!(opened.ledger.doubt.as_ref().map(|doubt| doubt.other.as_str()), Some("classes"));
    assert_eq!(read_as(&files, Folders::Classes).manifest.classes(), ["art", "photo"]);
    let unusual = read(&["calib/cat/1.jpg", "calib/dog/2.jpg", "train/cat/3.jpg", "train/dog/4.jpg"]);
    assert_eq!(unusual.manifest.classes(), ["cat", "dog"]);
    assert_eq!(rows(&unusual)[0], row("calib/cat/1.jpg", "cat", Split::None));
    assert!(texts(&unusual).iter().any(|text| text.contains("calib")), "{:?}", unusual.ledger);
    let folds = [
        "fold1/0/1.jpg",
        "fold1/1/2.jpg",
        "fold2/0/3.jpg",
        "fold2/1/4.jpg",
        "fold3/0/5.jpg",
        "fold3/1/6.jpg",
    ];
    assert_eq!(read(&folds).manifest.classes(), ["0", "1"]);
}

#[test]
fn folders_below_classes_are_no_classes() {
    let views = [
        "cat/back/1.jpg",
        "cat/front/2.jpg",
        "dog/back/3.jpg",
        "dog/front/4.jpg",
        "pig/back/5.jpg",
        "pig/front/6.jpg",
    ];
    let opened = read(&views);
    assert_eq!(opened.manifest.classes(), ["cat", "dog", "pig"]);
    assert_eq!(opened.ledger.doubt.as_ref().map(|doubt| doubt.other.as_str()), Some("splits"));
    let numbers = read(&["cat/001/1.jpg", "cat/002/2.jpg", "dog/001/3.jpg", "dog/002/4.jpg"]);
    assert_eq!(numbers.manifest.classes(), ["cat", "dog"]);
    let plain = read(&["cat/images/1.jpg", "dog/images/2.jpg"]);
    assert_eq!(plain.manifest.classes(), ["cat", "dog"]);
    let divided = read(&["cat/train/1.jpg", "cat/test/2.jpg", "dog/train/3.jpg"]);
    assert_eq!(rows(&divided)[0], row("cat/test/2.jpg", "cat", Split::Test));
}

#[test]
fn folders_above_and_below_classes_say_nothing() {
    let opened = read(&["set/test/cat/images/1.jpg", "set/train/dog/2.jpg"]);
    let labels: Vec<String> = rows(&opened).into_iter().map(|row| row.1).collect();
    assert_eq!(labels, ["cat", "dog"]);
    assert_eq!(rows(&read(&["cat/1.jpg"]))[0].1, "cat");
    let none = read(&["images/1.jpg", "images/2.jpg"]);
    assert!(none.manifest.classes().is_empty());
    assert!(texts(&none)[0].contains("no image has a label"), "{:?}", none.ledger);
    let masks = read(&["train/images/1.jpg", "train/masks/1.jpg", "val/images/2.jpg", "val/masks/2.jpg"]);
    assert!(masks.manifest.classes().is_empty());
    let hidden = read(&["test/unknown/1.jpg", "train/cat/2.jpg", "train/dog/3.jpg"]);
    assert_eq!(rows(&hidden)[0], row("test/unknown/1.jpg", "", Split::Test));
}

#[test]
fn folders_below_classes_are_said() {
    let opened = read(&["mammal/cat/1.jpg", "mammal/dog/2.jpg", "bird/emu/3.jpg", "bird/hen/4.jpg"]);
    assert_eq!(opened.manifest.classes(), ["bird", "mammal"]);
    let text = "bird and mammal were read as the classes, and the folders below them (cat, dog, emu and hen) as parts of these";
    assert!(texts(&opened).contains(&text), "{:?}", opened.ledger);
    // Parts that are numbered or say nothing are usual.
    for files in [
        ["cat/1/1.jpg", "cat/2/2.jpg", "dog/3/3.jpg", "dog/4/4.jpg"],
        ["cat/images/1.jpg", "cat/2.jpg", "dog/images/3.jpg", "dog/4.jpg"],
        ["cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/a/4.jpg"],
    ] {
        assert!(!texts(&read(&files)).iter().any(|said| said.contains("as parts of these")), "{files:?}");
    }
}

#[test]
fn flat_folders_take_labels_from_names_unless_told_not_to() {
    let temp = tree(&["cat.0.jpg", "dog.1.jpg"]);
    assert_eq!(read_in(&temp).manifest.classes(), ["cat", "dog"]);
    let options = DatasetOptions { labels_from_names: false, ..DatasetOptions::default() };
    assert!(open(temp.path(), &options).unwrap().manifest.classes().is_empty());
    assert_eq!(read(&["train/cat.0.jpg", "train/dog.1.jpg"]).manifest.classes(), ["cat", "dog"]);
    let opened = read(&["test1/1.jpg", "test1/2.jpg", "train/cat.0.jpg", "train/dog.1.jpg"]);
    assert_eq!(rows(&opened)[0], row("test1/1.jpg", "", Split::Test));
    assert_eq!(rows(&opened)[3], row("train/dog.1.jpg", "dog", Split::Train));
}

#[test]
fn hostile_names_and_links_are_no_trouble() {
    let temp = tree(&["a\nb/\u{202e}gpj.jpg"]);
    let bytes = OsStr::from_bytes(b"cl\xffss");
    fs::create_dir(temp.path().join(bytes)).unwrap();
    fs::write(temp.path().join(bytes).join("1.jpg"), b"x").unwrap();
    std::os::unix::fs::symlink("..", temp.path().join("a\nb/up")).unwrap();
    std::os::unix::fs::symlink("nowhere", temp.path().join("a\nb/gone.png")).unwrap();
    std::os::unix::fs::symlink("nowhere", temp.path().join("gone.txt")).unwrap();
    let opened = read_in(&temp);
    let paths: Vec<String> = rows(&opened).into_iter().map(|row| row.0).collect();
    assert_eq!(paths, ["a\\nb/gone.png", "a\\nb/\\u{202e}gpj.jpg", "cl\\xffss/1.jpg"]);
    assert_eq!(opened.manifest.classes().len(), 2);
    let expected = [
        "the link a\\nb/up forms a loop and was not followed",
        "1 broken link was left out, such as gone.txt",
    ];
    assert_eq!(texts(&opened), expected);
    assert_eq!((opened.ledger.found, opened.ledger.left_out), (4, 1));
}

#[test]
fn hidden_folders_are_counted_without_following_their_links() {
    let temp = tree(&["cat/1.jpg", ".wine/2.jpg"]);
    std::os::unix::fs::symlink("/", temp.path().join(".wine/z")).unwrap();
    let opened = read_in(&temp);
    assert_eq!((opened.ledger.found, opened.ledger.left_out), (2, 1));
}

#[test]
fn links_to_nothing_only_are_an_error() {
    let temp = tree(&["cat/readme.txt"]);
    std::os::unix::fs::symlink("../objects/1", temp.path().join("cat/1.jpg")).unwrap();
    let error = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("cat/1.jpg, which leads to ../objects/1"), "{error}");
}

#[test]
fn labels_that_are_not_read_are_never_ignored() {
    let files = [
        ("data/1.jpg", "labels.json", "FiftyOne"),
        ("data/1.jpg", "samples.json", "FiftyOne"),
        ("train2017/1.jpg", "annotations/instances_train2017.json", "COCO"),
        ("train/1.jpg", "train/_annotations.coco.json", "Roboflow"),
    ];
    for (picture, labels, whose) in files {
        let temp = tree(&[picture, labels]);
        let error = open(temp.path(), &DatasetOptions::default()).unwrap_err().to_string();
        assert!(error.contains(labels) && error.contains(whose) && error.contains("CSV"), "{error}");
    }
    let opened = read(&["cat/1.jpg", "dog/2.jpg", "labels.json"]);
    assert!(texts(&opened)[0].contains("labels.json looks like"), "{:?}", opened.ledger);
}

#[test]
fn splits_may_share_the_name_of_the_dataset() {
    let opened = read(&[
        "asl_alphabet_pred/0.jpg",
        "asl_alphabet_test/asl_alphabet_test/1.jpg",
        "asl_alphabet_train/asl_alphabet_train/A/2.jpg",
        "asl_alphabet_train/asl_alphabet_train/B/3.jpg",
    ]);
    let splits: Vec<(String, Split)> = rows(&opened).into_iter().map(|row| (row.1, row.2)).collect();
    let expected = [("", Split::None), ("", Split::Test), ("A", Split::Train), ("B", Split::Train)];
    assert_eq!(splits, expected.map(|(label, split)| (label.to_owned(), split)));
    let opened = read(&["testA/1.jpg", "testB/2.jpg", "trainA/3.jpg", "trainB/4.jpg"]);
    assert_eq!(rows(&opened)[0], row("testA/1.jpg", "A", Split::Test));
    assert_eq!(rows(&opened)[3], row("trainB/4.jpg", "B", Split::Train));
}

#[test]
fn folders_that_say_so_have_no_labels() {
    let opened = read(&["cat/1.jpg", "dog/2.jpg", "unlabeled/3.jpg"]);
    assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
    assert_eq!(texts(&opened), ["1 picture in unlabeled was read as unlabeled"]);
    let opened = read(&["test/cat/1.jpg", "train/cat/2.jpg", "train/dog/3.jpg", "train/unlabeled/4.jpg"]);
    assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
    assert!(
        texts(&opened)
            .iter()
            .any(|text| text.contains("1 image without a label, in folders called unlabeled"))
    );
}

#[test]
fn a_copy_of_the_dataset_inside_itself() {
    let opened = read(&["daisy/1.jpg", "flowers/daisy/1.jpg", "flowers/rose/2.jpg", "rose/2.jpg"]);
    assert_eq!(opened.manifest.classes(), ["daisy", "rose"]);
    assert!(texts(&opened)[0].contains("flowers has the class folders that stand beside it"));
}

#[test]
fn pictures_whose_names_do_not_say_so_are_said() {
    let temp = tree(&["cat/1.jpg", "cat/notes"]);
    fs::write(temp.path().join("cat/2"), b"\xff\xd8\xff\xe0").unwrap();
    fs::write(temp.path().join("cat/3.image"), b"\x89PNG\r\n").unwrap();
    let opened = read_in(&temp);
    let expected = [
        "1 file without an extension was left out: the content is JPEG, but the name does not say so; add .jpg",
        "1 .image file was left out: the content is PNG, but the name does not say so; add .png",
        "1 file is not a picture and was left out: 1 without an extension",
    ];
    assert_eq!(texts(&opened), expected);
    assert_eq!((opened.ledger.found, opened.ledger.left_out), (4, 3));
}
