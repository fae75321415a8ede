use super::testing::{Do, contents, files, manifest, plan, rows, stopped_after, whole, write};
use super::*;
use chaffinch_data::output::CopyMode;
use chaffinch_data::packing::Source;
use chaffinch_protocol::sample::Split;
use chaffinch_review::repair::Plan;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder of splits and classes with other files in it.
fn folder() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    let mut all = vec![("README.md".to_owned(), "about".to_owned()), ("train/notes.bin".into(), "x".into())];
    for split in ["train", "test"] {
        for class in ["cat", "dog"] {
            for number in 1..4 {
                let path = format!("{split}/{class}/{number}.jpg");
                all.push((path.clone(), path));
            }
        }
    }
    let all: Vec<(&str, &str)> = all.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    write(&data, &all);
    (temp, data)
}

fn some_changes() -> Vec<(&'static str, Do)> {
    vec![
        ("train/cat/1.jpg", Do::Remove),
        ("train/cat/2.jpg", Do::Label("dog")),
        ("test/dog/3.jpg", Do::Split(Split::Train)),
        ("test/cat/1.jpg", Do::Both("dog", Split::Train)),
    ]
}

/// The folder afterwards: names in the way get a number.
fn after() -> [&'static str; 13] {
    [
        "README.md",
        "test/cat/2.jpg",
        "test/cat/3.jpg",
        "test/dog/1.jpg",
        "test/dog/2.jpg",
        "train/cat/3.jpg",
        "train/dog/1-2.jpg",
        "train/dog/1.jpg",
        "train/dog/2-2.jpg",
        "train/dog/2.jpg",
        "train/dog/3-2.jpg",
        "train/dog/3.jpg",
        "train/notes.bin",
    ]
}

fn names(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<&str> {
    files.keys().map(|path| path.to_str().unwrap()).collect()
}

fn apply(plan: &Plan) -> Applied {
    whole(|job| apply_in_place(plan, job)).unwrap()
}

fn undo(data: &Path) {
    let found = found(data);
    whole(|job| rollback(&found[0], job)).unwrap();
}

#[test]
fn a_copy_has_the_changes_and_everything_else() {
    let (temp, data) = folder();
    let before = files(&data);
    let copy = temp.path().join("copy");
    let plan = plan(&data, &some_changes());
    for mode in [CopyMode::Auto, CopyMode::Copy, CopyMode::Symlink] {
        let copied = whole(|job| apply_to(&plan, &copy, mode, job)).unwrap();
        assert_eq!((copied.files, copied.rewritten), (13, 0));
        let read: Vec<String> = rows(&copy);
        assert!(read.contains(&"train/dog/1-2.jpg dog train".to_owned()), "{read:?}");
        if mode != CopyMode::Symlink {
            let now = contents(&copy);
            assert_eq!(names(&now), after());
            assert_eq!(now[Path::new("train/dog/1-2.jpg")], b"test/cat/1.jpg");
        }
        fs::remove_dir_all(&copy).unwrap();
    }
    assert_eq!(files(&data), before);
    let inside = whole(|job| apply_to(&plan, &data.join("copy"), CopyMode::Copy, job));
    assert!(inside.unwrap_err().to_string().contains("inside the dataset"));
}

#[test]
fn changes_in_place_are_those_of_the_copy_and_come_back() {
    let (temp, data) = folder();
    let before = files(&data);
    let plan = plan(&data, &some_changes());
    let applied = apply(&plan);
    assert_eq!((applied.removed, applied.moved, applied.rewritten, applied.resumed), (1, 3, 0, false));
    assert_eq!(names(&contents(&data)), after());
    let again = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
    assert!(again.contains("applied already"), "{again}");
    undo(&data);
    assert_eq!(files(&data), before);
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    assert!(found(&data).is_empty());
    // And it can be applied again.
    apply(&plan);
    assert_eq!(names(&contents(&data)), after());
}

#[test]
fn stopped_at_any_step_it_goes_on_or_back() {
    let (temp, data) = folder();
    let before = files(&data);
    let plan = plan(&data, &some_changes());
    for steps in 0..100 {
        let outcome = stopped_after(steps, |job| apply_in_place(&plan, job));
        let done = outcome.is_ok();
        if !done {
            match found(&data).first().map(|one| one.state) {
                None => assert_eq!(files(&data), before, "{steps}"),
                Some(state) => assert_eq!(state, State::Unfinished, "{steps}"),
            }
            if steps % 2 == 0 && !found(&data).is_empty() {
                // Back, interrupted as well.
                for more in 0.. {
                    let Some(one) = found(&data).into_iter().next() else { break };
                    let _ = stopped_after(more, |job| rollback(&one, job));
                }
                assert_eq!(files(&data), before, "{steps}");
                apply(&plan);
            } else {
                apply(&plan);
            }
        }
        assert_eq!(names(&contents(&data)), after(), "{steps}");
        undo(&data);
        assert_eq!(files(&data), before, "{steps}");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "{steps}");
        if done {
            assert!(steps > 10);
            return;
        }
    }
    panic!("it never ends");
}

#[test]
fn a_file_that_changed_stops_everything() {
    let (temp, data) = folder();
    let plan = plan(&data, &some_changes());
    fs::write(data.join("test/dog/3.jpg"), "another picture").unwrap();
    let before = files(&data);
    for outcome in [
        whole(|job| apply_in_place(&plan, job).map(|_| ())),
        whole(|job| apply_to(&plan, &temp.path().join("copy"), CopyMode::Copy, job).map(|_| ())),
    ] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("test/dog/3.jpg has changed since the plan was made"), "{error}");
    }
    assert_eq!(files(&data), before);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn nothing_is_rolled_back_over_newer_files() {
    let (_temp, data) = folder();
    let plan = plan(&data, &some_changes());
    apply(&plan);
    let roll = || whole(|job| rollback(&found(&data)[0], job)).unwrap_err().to_string();
    fs::write(data.join("train/cat/1.jpg"), "new").unwrap();
    assert!(roll().contains("is a new file in the place of a removed one"), "{}", roll());
    fs::remove_file(data.join("train/cat/1.jpg")).unwrap();
    fs::write(data.join("train/dog/2-2.jpg"), "edited").unwrap();
    assert!(roll().contains("was changed since the plan was applied"), "{}", roll());
    fs::write(data.join("train/dog/2-2.jpg"), "train/cat/2.jpg").unwrap();
    undo(&data);
}

#[test]
fn of_several_plans_the_last_one_is_found_first() {
    let (_temp, data) = folder();
    let before = files(&data);
    let first = plan(&data, &[("train/cat/1.jpg", Do::Remove)]);
    apply(&first);
    let second = plan(&data, &[("train/cat/2.jpg", Do::Remove)]);
    apply(&second);
    let plans: Vec<String> = found(&data).into_iter().map(|one| one.plan).collect();
    assert_eq!(plans, [second.id(), first.id()]);
    undo(&data);
    undo(&data);
    assert_eq!(files(&data), before);
}

#[test]
fn labels_and_splits_in_tables_change_there() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    let table = "file_name,label,split,weight\r\na/1.jpg,cat,train,\"0,5\"\r\na/2.jpg,dog,test,1e-3\r\nb/3.jpg,dog,test,07\r\n";
    write(&data, &[("metadata.csv", table), ("a/1.jpg", "1"), ("a/2.jpg", "2"), ("b/3.jpg", "3")]);
    let before = files(&data);
    let plan = plan(
        &data,
        &[
            ("a/1.jpg", Do::Remove),
            ("a/2.jpg", Do::Both("cow, big", Split::Train)),
            ("b/3.jpg", Do::Split(Split::Train)),
        ],
    );
    let applied = apply(&plan);
    assert_eq!((applied.removed, applied.moved, applied.rewritten), (1, 0, 1));
    let now = fs::read_to_string(data.join("metadata.csv")).unwrap();
    assert_eq!(
        now,
        "file_name,label,split,weight\r\na/2.jpg,\"cow, big\",train,1e-3\r\nb/3.jpg,dog,train,07\r\n"
    );
    undo(&data);
    assert_eq!(files(&data), before);
}

/// The names of classes are in the README, and their numbers in the table.
#[test]
fn labels_that_are_numbers_in_a_table_stay_numbers() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    let head = "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names: [cow, ant, bee]\n---\n";
    let table = "file_name,label\na/1.jpg,0\na/2.jpg,1\n";
    write(&data, &[("README.md", head), ("metadata.csv", table), ("a/1.jpg", "1"), ("a/2.jpg", "2")]);
    let before = files(&data);
    apply(&plan(&data, &[("a/2.jpg", Do::Label("bee"))]));
    assert_eq!(
        fs::read_to_string(data.join("metadata.csv")).unwrap(),
        "file_name,label\na/1.jpg,0\na/2.jpg,2\n"
    );
    undo(&data);
    assert_eq!(files(&data), before);
    let other = plan(&data, &[("a/2.jpg", Do::Label("elk"))]);
    let error = whole(|job| apply_in_place(&other, job).map(|_| ())).unwrap_err().to_string();
    assert!(error.contains("'elk' has no number, since the README.md that names the classes"), "{error}");
    assert_eq!(files(&data), before);
}

#[test]
fn a_table_that_is_the_dataset_keeps_every_other_byte() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    let table = "\u{feff}path;class;split;\"a \"\"note\"\"\"\n1.jpg;\"cat\";TRAIN;x\n2.jpg;dog;test;\"y;z\"\n2.jpg;dog;test;\n\n3.jpg;dog ;holdout;w\n";
    write(&data, &[("t.csv", table), ("1.jpg", "1"), ("2.jpg", "2"), ("3.jpg", "3")]);
    let file = data.join("t.csv");
    let mut plan = plan(&file, &[("1.jpg", Do::Label("cow")), ("3.jpg", Do::Split(Split::Train))]);
    // The second of two rows of one picture.
    let row =
        manifest(&file).ids().filter(|&id| manifest(&file).path(id) == Path::new("2.jpg")).last().unwrap();
    let mut second = plan.changes[1].clone();
    (second.row, second.path) = (row.0, chaffinch_review::repair::PathText::new(Path::new("2.jpg")));
    (second.split, second.to_split, second.remove) = (Split::Test, None, true);
    second.hash = chaffinch_compute::content::ContentHash::of(b"2");
    plan.changes.insert(1, second);
    let before = files(&data);
    let copy = temp.path().join("copy");
    whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
    apply(&plan);
    let expected = "\u{feff}path;class;split;\"a \"\"note\"\"\"\n1.jpg;\"cow\";TRAIN;x\n2.jpg;dog;test;\"y;z\"\n3.jpg;dog ;TRAIN;w\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(fs::read_to_string(copy.join("t.csv")).unwrap(), expected);
    assert_eq!(names(&contents(&copy)), ["1.jpg", "2.jpg", "3.jpg", "t.csv"]);
    undo(&file);
    assert_eq!(files(&data), before);
}

#[test]
fn hostile_names_move_and_come_back() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("da ta\n\u{1b}[31m");
    for name in [&b"cat/a\xff.jpg"[..], b"cat/-rf\n.jpg", b"dog/\\xff.jpg", b"dog/a\xff.jpg", b"cat/'\".jpg"]
    {
        let path = data.join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let before = files(&data);
    let read = manifest(&data);
    let cats: Vec<PathBuf> =
        read.ids().map(|id| read.path(id).to_path_buf()).filter(|path| path.starts_with("cat")).collect();
    let mut all = plan(&data, &[("dog/\\xff.jpg", Do::Remove)]);
    for id in read.ids().filter(|&id| cats.iter().any(|path| path == read.path(id))) {
        let mut change = all.changes[0].clone();
        (change.row, change.path) = (id.0, chaffinch_review::repair::PathText::new(read.path(id)));
        change.hash = chaffinch_compute::content::ContentHash::of(&read.source(id).read().unwrap());
        (change.remove, change.label, change.to_label) = (false, "cat".into(), Some("dog".into()));
        all.changes.push(change);
    }
    // As it would be stored.
    let file = temp.path().join("plan.json");
    all.save(&file).unwrap();
    let all = Plan::load(&file).unwrap();
    apply(&all);
    let now = contents(&data);
    let moved = [&b"dog/-rf\n.jpg"[..], b"dog/'\".jpg", b"dog/a\xff-2.jpg", b"dog/a\xff.jpg"];
    assert!(moved.iter().all(|name| now.contains_key(Path::new(OsStr::from_bytes(name)))), "{now:?}");
    assert_eq!(now.len(), 4);
    undo(&data);
    assert_eq!(files(&data), before);
}

#[test]
fn what_a_scan_would_read_otherwise_is_refused_before_anything_happens() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    write(&data, &[("cat/1.jpg", "1"), ("cat/2.jpg", "2"), ("dog/3.jpg", "3")]);
    let before = files(&data);
    // No folder can have this name.
    let plan = plan(&data, &[("cat/1.jpg", Do::Label("a/b"))]);
    let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
    assert!(error.contains("would be read as 'a_b' instead of 'a/b'; nothing was changed"), "{error}");
    assert_eq!(files(&data), before);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

/// A tar file of these members, each with other attributes than the last.
fn tar_of(path: &Path, members: &[(&str, &str)]) {
    let mut builder = ::tar::Builder::new(fs::File::create(path).unwrap());
    for (number, (name, text)) in (0_u32..).zip(members) {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o640);
        header.set_mtime(u64::from(number) + 1_000_000);
        header.set_uid(u64::from(number));
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.finish().unwrap();
}

/// The blocks of each member.
fn blocks(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let mut archive = ::tar::Archive::new(&bytes[..]);
    let (mut all, mut begin) = (BTreeMap::new(), 0);
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let end = (entry.raw_file_position() + entry.size()).next_multiple_of(512) as usize;
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        all.insert(name, bytes[begin..end].to_vec());
        begin = end;
    }
    all
}

#[test]
fn shards_lose_members_and_keep_the_blocks_of_the_others() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("shards");
    fs::create_dir(&data).unwrap();
    let long = format!("{}/6.jpg", "d".repeat(150));
    let one = data.join("train-000000.tar");
    tar_of(
        &one,
        &[
            ("1.jpg", "one"),
            ("1.cls", "cat\n"),
            ("2.jpg", "two"),
            ("2.json", "{\"label\": \"cat\", \"weight\": 1e-3}"),
            ("3.jpg", "three"),
            ("3.cls", "dog"),
            (&long, "six"),
        ],
    );
    tar_of(&data.join("test-000000.tar"), &[("4.jpg", "four"), ("4.cls", "cat")]);
    let before = files(&data);
    let old = blocks(&one);
    let plan =
        plan(&data, &[("1.jpg", Do::Label("dog")), ("2.jpg", Do::Label("cow")), ("3.jpg", Do::Remove)]);
    let copy = temp.path().join("copy");
    let copied = whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
    assert_eq!((copied.files, copied.rewritten), (2, 1));
    assert_eq!(contents(&copy)[Path::new("test-000000.tar")], before[Path::new("test-000000.tar")].0);
    let new = blocks(&copy.join("train-000000.tar"));
    assert_eq!(new.keys().collect::<Vec<_>>(), ["1.cls", "1.jpg", "2.jpg", "2.json", &long]);
    for name in ["1.jpg", "2.jpg", &long] {
        assert_eq!(new[name], old[name], "{name}");
    }
    let text = |name: &str, length: usize| String::from_utf8(new[name][512..512 + length].to_vec()).unwrap();
    assert_eq!(text("1.cls", 4), "dog\n");
    assert_eq!(text("2.json", 32), "{\"label\": \"cow\", \"weight\": 1e-3}");
    assert!(rows(&copy).contains(&"1.jpg dog train".to_owned()), "{:?}", rows(&copy));
    apply(&plan);
    assert_eq!(contents(&data), contents(&copy));
    undo(&data);
    assert_eq!(files(&data), before);
}

#[test]
fn a_class_that_the_list_beside_shards_lacks_is_added_to_it() {
    for (old, new) in [("cat\ndog\n", "cat\ndog\nbird\n"), (" cat\r\ndog", " cat\r\ndog\r\nbird")] {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("shards");
        fs::create_dir(&data).unwrap();
        let json = "{\"label\": 1, \"w\": 1e-3}";
        tar_of(
            &data.join("train-0.tar"),
            &[("1.jpg", "one"), ("1.cls", "0\n"), ("2.jpg", "two"), ("2.json", json)],
        );
        tar_of(
            &data.join("train-1.tar"),
            &[("3.jpg", "three"), ("3.cls", "1"), ("4.jpg", "four"), ("4.cls", "0")],
        );
        fs::write(data.join("classes.txt"), old).unwrap();
        let before = files(&data);
        let wishes =
            [("1.jpg", Do::Label("bird")), ("2.jpg", Do::Label("bird")), ("3.jpg", Do::Label("bird"))];
        let plan = plan(&data, &wishes);
        let copy = temp.path().join("copy");
        whole(|job| apply_to(&plan, &copy, CopyMode::Copy, job)).unwrap();
        assert_eq!(fs::read_to_string(copy.join("classes.txt")).unwrap(), new);
        let after = ["1.jpg bird train", "2.jpg bird train", "3.jpg bird train", "4.jpg cat train"];
        assert_eq!(rows(&copy), after);
        let first = blocks(&copy.join("train-0.tar"));
        assert_eq!(first["1.cls"][512..515], *b"2\n\0");
        assert_eq!(first["2.json"][512..512 + json.len()], *b"{\"label\": 2, \"w\": 1e-3}");
        apply(&plan);
        assert_eq!(contents(&data), contents(&copy));
        undo(&data);
        assert_eq!(files(&data), before);
    }
}

#[test]
fn pictures_in_the_class_folders_of_a_tar_file_get_other_names() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data.tar");
    let long = format!("cat/{}.jpg", "n".repeat(120));
    tar_of(&data, &[("cat/1.jpg", "one"), (&long, "long"), ("dog/1.jpg", "two"), ("README", "about")]);
    let old = blocks(&data);
    let plan = plan(&data, &[("cat/1.jpg", Do::Label("dog")), (&long, Do::Label("dog"))]);
    apply(&plan);
    let new = blocks(&data);
    let moved = long.replace("cat/", "dog/");
    assert_eq!(new.keys().collect::<Vec<_>>(), ["README", "dog/1-2.jpg", "dog/1.jpg", &moved]);
    assert_eq!((&new["README"], &new["dog/1.jpg"]), (&old["README"], &old["dog/1.jpg"]));
    assert_eq!(rows(&data), ["dog/1-2.jpg dog", &format!("{moved} dog"), "dog/1.jpg dog"]);
    let read = manifest(&data);
    let bytes: Vec<Vec<u8>> = read.ids().map(|id| read.source(id).read().unwrap()).collect();
    assert_eq!(bytes, [b"one".to_vec(), b"long".to_vec(), b"two".to_vec()]);
    assert!(matches!(read.source(read.ids().next().unwrap()), Source::Packed(_)));
    undo(&data);
    assert_eq!(blocks(&data), old);
}

#[test]
fn what_cannot_be_changed_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("shards");
    fs::create_dir(&data).unwrap();
    tar_of(
        &data.join("train-0.tar"),
        &[("1.jpg", "one"), ("1.cls", "cat"), ("2.jpg", "two"), ("2.cls", "dog")],
    );
    let plan = plan(&data, &[("1.jpg", Do::Split(Split::Test))]);
    let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
    assert!(error.contains("the split of 1.jpg is that of its shard"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Files afterwards are files before without removed ones, with the others at their new paths, and nothing else.
    #[test]
    fn files_after_are_files_before_but_for_what_the_plan_lists(
        wishes in prop::collection::vec((0..5_u8, any::<bool>()), 12),
        steps in 0..60_usize,
        back in any::<bool>(),
    ) {
        let (_temp, data) = folder();
        let read = manifest(&data);
        let before = files(&data);
        let paths: Vec<String> = read.ids().map(|id| read.path(id).to_str().unwrap().to_owned()).collect();
        let mut expected: BTreeMap<Vec<u8>, Option<(String, Split)>> = BTreeMap::new();
        let mut all: Vec<(&str, Do)> = Vec::new();
        for (id, (wish, other)) in read.ids().zip(&wishes) {
            let path = paths[id.index()].as_str();
            let (label, split) = (read.label_name(id).to_owned(), read.split(id));
            let to = if *other { Split::Train } else { Split::Test };
            let new = if label == "cat" { "dog" } else { "a new class" };
            let (wish, after) = match wish {
                0 => (Some(Do::Remove), None),
                1 => (Some(Do::Label(new)), Some((new.to_owned(), split))),
                2 if to != split => (Some(Do::Split(to)), Some((label, to))),
                3 if to != split => (Some(Do::Both(new, to)), Some((new.to_owned(), to))),
                _ => (None, Some((label, split))),
            };
            all.extend(wish.map(|wish| (path, wish)));
            expected.insert(path.as_bytes().to_vec(), after);
        }
        // With nothing left there is no dataset, and with one split or class it may be read in another way.
        prop_assume!(!all.is_empty());
        let plan = plan(&data, &all);
        let outcome = stopped_after(steps, |job| apply_in_place(&plan, job));
        if let Err(error) = &outcome && !matches!(error, crate::Error::Stopped) {
            prop_assert!(error.to_string().contains("nothing was changed"), "{}", error);
            prop_assert_eq!(files(&data), before);
            return Ok(());
        }
        if outcome.is_err() {
            if back && !found(&data).is_empty() {
                undo(&data);
                prop_assert_eq!(files(&data), before);
                return Ok(());
            }
            match whole(|job| apply_in_place(&plan, job)) {
                Ok(_) => {}
                Err(error) => {
                    prop_assert!(error.to_string().contains("nothing was changed"), "{}", error);
                    prop_assert_eq!(files(&data), before);
                    return Ok(());
                }
            }
        }
        let now = manifest(&data);
        let mut left = expected.values().flatten().count();
        for id in now.ids() {
            let bytes = fs::read(now.full_path(id)).unwrap();
            let own = (now.label_name(id).to_owned(), now.split(id));
            prop_assert_eq!(expected[&bytes].as_ref(), Some(&own));
            left -= 1;
        }
        prop_assert_eq!(left, 0);
        let all = contents(&data);
        prop_assert_eq!(all.len(), now.len() + 2);
        prop_assert_eq!(&all[Path::new("README.md")], b"about");
        undo(&data);
        prop_assert_eq!(files(&data), before);
    }
}
