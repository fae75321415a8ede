//! The numbers of classes where files beside a dataset state them, as programs that train on it and hubs write them: `class_to_idx.json`,
//! `id2label` of a `config.json`, `dataset_info.json`, the head of `README.md` and the like.

use super::{Opened, declared, yolo};
use crate::numberings;
use crate::text::as_whole;
use chaffinch_data::class_numbers::ClassNumbers;
use chaffinch_data::dataset::LabelFiles;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::is_address;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{excerpt, safe_path};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Words of which the names of such files consist, some of them about classes: `class_to_idx.json`, `labelmap.txt`.
const ABOUT: [&str; 5] = ["class", "classes", "label", "labels", "names"];
/// Their other words. The second list says that they can have nothing but numbers.
const OTHER: [&str; 5] = ["name", "to", "info", "list", "imagenet"];
const NUMBERED: [&str; 9] = ["idx", "idxs", "index", "indices", "indexes", "id", "ids", "map", "mapping"];
/// Files about much else that may state them as well.
const GENERAL: [&str; 4] = ["metadata.json", "config.json", "dataset_info.json", "dataset_infos.json"];
/// Files that may hold anything to look at.
const FILES: usize = 16;
/// Larger files have something else.
const MOST: u64 = 1 << 20;

/// Takes the numbers that files beside the dataset state, if the dataset has none of its own and the files agree. Where they do not,
/// or contradict the dataset's own, it is said.
pub(super) fn beside(mut opened: Opened, path: &Path) -> Opened {
    if is_address(path) || opened.manifest.classes().is_empty() {
        return opened;
    }
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let names = names_in(folder);
    let stated = stated(folder, &names, &opened.manifest);
    let own = opened.manifest.class_numbers().clone();
    if own.is_empty()
        && let Some(text) = of_number_classes(folder, &names, path, &opened.manifest)
    {
        opened.ledger.add(RemarkKind::LayoutDoubtful, 1, text);
        return opened;
    }
    if own.is_empty() {
        for text in unusable(folder, &names, &stated, &opened.manifest) {
            opened.ledger.add(RemarkKind::LayoutDoubtful, 1, text);
        }
    }
    let (first, rest) = match (own.is_empty(), stated.split_first()) {
        (_, None) => return opened,
        (true, Some(((name, numbers), rest))) => ((name.clone(), numbers.clone()), rest),
        (false, Some(_)) => (("the dataset itself".to_owned(), own.clone()), &stated[..]),
    };
    let other =
        rest.iter().find_map(|(name, numbers)| Some((name, differ(&first.1, numbers, &opened.manifest)?)));
    match other {
        None if own.is_empty() => {
            opened.manifest = opened.manifest.with_class_numbers(first.1);
        }
        None => {}
        Some((name, (class, [one, two]))) => {
            let taken = if own.is_empty() { "neither was taken" } else { "those of the dataset count" };
            let text = format!(
                "{name} numbers the classes otherwise than {} ('{}' is {two} and {one}), and {taken}: --classes FILE says what the \
                 columns of probabilities are",
                first.0,
                excerpt(&class)
            );
            opened.ledger.add(RemarkKind::LayoutDoubtful, 1, text);
        }
    }
    opened
}

/// The numbers of a dataset's classes, and where they are from: its own, or those that files beside it state and agree about. Classes
/// of a dataset without labels may be called anything.
pub(super) fn of(opened: &Opened, path: &Path, files: LabelFiles) -> Option<(ClassNumbers, String)> {
    let own = opened.manifest.class_numbers();
    if !own.is_empty() {
        return Some((own.clone(), "the dataset".to_owned()));
    }
    if is_address(path) || files == LabelFiles::Ignore {
        return None;
    }
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let mut stated = stated(folder, &names_in(folder), &opened.manifest).into_iter();
    let (name, numbers) = stated.next()?;
    stated.all(|(_, other)| other == numbers).then_some((numbers, name))
}

/// A class that two numberings give different numbers.
fn differ(one: &ClassNumbers, other: &ClassNumbers, manifest: &Manifest) -> Option<(String, [u64; 2])> {
    let numbers = |class: &String| Some((class.clone(), [one.number(class)?, other.number(class)?]));
    manifest.classes().iter().filter_map(numbers).find(|(_, [one, two])| one != two)
}

/// What there is to say of classes that are called by numbers, where a file names each of these.
fn of_number_classes(folder: &Path, names: &[String], path: &Path, manifest: &Manifest) -> Option<String> {
    let number = |class: &String| as_whole(class).parse::<u64>().ok();
    let numbers: Vec<u64> = manifest.classes().iter().map(number).collect::<Option<_>>()?;
    let names_all = |(_, stated): &(String, ClassNumbers)| {
        stated.are_clear() && numbers.iter().all(|number| stated.name(*number).is_some())
    };
    let (file, stated) = in_files(folder, names).into_iter().find(names_all)?;
    let (first, name) = numbers.iter().find_map(|number| Some((number, stated.name(*number)?)))?;
    let advice = match path.is_file() {
        true => "write the names as labels, or scan the folder of the images with --labels and this table",
        false => "write the names as labels",
    };
    Some(format!(
        "the classes are numbers, which {file} names ({first} is '{}'), and stay numbers; to see the names, {advice}",
        excerpt(name)
    ))
}

/// What files in a folder state of all classes of a dataset, by the names of these files.
fn stated(folder: &Path, names: &[String], manifest: &Manifest) -> Vec<(String, ClassNumbers)> {
    let mut found = in_files(folder, names);
    for (_, numbers) in &mut found {
        *numbers = spelled(numbers, manifest);
    }
    // Others are about something else.
    found.retain(|(_, numbers)| is_of(numbers, manifest));
    found
}

/// The numbers of classes that files in a folder state, by the names of these files.
fn in_files(folder: &Path, names: &[String]) -> Vec<(String, ClassNumbers)> {
    let mut found: Vec<(String, ClassNumbers)> = Vec::new();
    let mut add = |name: &str, all: Vec<ClassNumbers>| {
        found.extend(all.into_iter().map(|numbers| (safe_path(Path::new(name)), numbers)));
    };
    let with = |ends: &'static [&str]| {
        names.iter().filter(move |name| extension(name).is_some_and(|end| ends.contains(&end)))
    };
    for name in with(&["json"]) {
        add(name, small(folder, name).and_then(|text| numberings::in_json(&text)).unwrap_or_default());
    }
    for name in with(&["txt", "names"]) {
        add(name, small(folder, name).map(|text| numberings::in_lines(&text)).unwrap_or_default());
    }
    for name in with(&["yaml", "yml"]).take(FILES) {
        let is_small = fs::metadata(folder.join(name)).is_ok_and(|meta| meta.is_file() && meta.len() <= MOST);
        let numbers = is_small.then(|| yolo::class_numbers(&folder.join(name))).flatten();
        add(name, numbers.into_iter().collect());
    }
    let readme = declared::class_names(folder, folder).into_values();
    found.extend(readme.map(|names| (safe_path(Path::new("README.md")), ClassNumbers::of_list(names))));
    found
}

/// The files in a folder that may state them.
pub(crate) fn files_of_numbers(folder: &Path) -> impl Iterator<Item = PathBuf> {
    names_in(folder)
        .into_iter()
        .map(|name| folder.join(name))
        .chain(declared::readmes(&folder.join("README.md"), folder))
}

/// The names of the files in a folder that may state them, in order. Next to each picture may be a file about it.
fn names_in(folder: &Path) -> Vec<String> {
    let may_state = |name: &String| match extension(name) {
        Some("json") => GENERAL.contains(&name.as_str()) || is_about(name).is_some(),
        Some("txt" | "names") => is_about(name).is_some(),
        Some("yaml" | "yml") => true,
        _ => false,
    };
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok().filter(may_state)?;
        entry.file_type().is_ok_and(|kind| !kind.is_dir()).then_some(name)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.filter_map(name).collect();
    names.sort_unstable();
    names
}

fn extension(name: &str) -> Option<&str> {
    Some(name.rsplit_once('.')?.1)
}

/// Whether the name of a file says that it is about classes, and then whether it can have nothing but their numbers.
fn is_about(name: &str) -> Option<bool> {
    let (stem, extension) = name.rsplit_once('.')?;
    if extension == "names" {
        return Some(false);
    }
    let stem = stem.to_lowercase().replace('2', "_to_").replace("labelmap", "label_map");
    let words: Vec<&str> = stem.split(['_', '-', ' ', '.']).filter(|word| !word.is_empty()).collect();
    let is = |word: &&str| ABOUT.contains(word) || OTHER.contains(word) || NUMBERED.contains(word);
    let is_about = !words.is_empty() && words.iter().all(is) && words.iter().any(|word| ABOUT.contains(word));
    let is_numbered = words.iter().any(|word| NUMBERED.contains(word));
    is_about.then_some(is_numbered)
}

/// The text of a file that may have nothing else.
fn small(folder: &Path, name: &str) -> Option<String> {
    let file = folder.join(name);
    let fits = fs::metadata(&file).is_ok_and(|meta| meta.is_file() && meta.len() <= MOST);
    fits.then(|| fs::read_to_string(&file).ok()).flatten()
}

/// Numbers with the names of classes as the dataset writes them, where they differ in case alone.
fn spelled(numbers: &ClassNumbers, manifest: &Manifest) -> ClassNumbers {
    let mut classes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for class in manifest.classes() {
        classes.entry(class.to_lowercase()).or_default().push(class);
    }
    ClassNumbers::of_ids(numbers.iter().map(|(number, name)| {
        match classes.get(&name.to_lowercase()).map(Vec::as_slice) {
            Some([class]) => (number, *class),
            _ => (number, name),
        }
    }))
}

/// Why files that can only state the numbers of classes were not taken.
fn unusable(
    folder: &Path,
    names: &[String],
    stated: &[(String, ClassNumbers)],
    manifest: &Manifest,
) -> Vec<String> {
    let mut all = Vec::new();
    for name in names {
        let is_only = extension(name) == Some("json") && is_about(name) == Some(true);
        let shown = safe_path(Path::new(name));
        if !is_only || stated.iter().any(|(taken, _)| *taken == shown) {
            continue;
        }
        let found = small(folder, name).and_then(|text| numberings::in_json(&text));
        let numbers = found.iter().flatten().next().map(|numbers| spelled(numbers, manifest));
        let missing = |numbers: &ClassNumbers| {
            manifest.classes().iter().find(|class| numbers.number(class).is_none()).cloned()
        };
        let why = match (found, numbers) {
            (None, _) => "it is not JSON".to_owned(),
            (_, None) => "it is no object of a different number for each class".to_owned(),
            (_, Some(numbers)) => match missing(&numbers) {
                Some(class) => format!("it has no number for '{}'", excerpt(&class)),
                None => "it has several numbers for a class".to_owned(),
            },
        };
        all.push(format!("{shown} was not taken for the numbers of the classes: {why}"));
    }
    all
}

/// Whether numbers have each class of the dataset once.
fn is_of(numbers: &ClassNumbers, manifest: &Manifest) -> bool {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    numbers.names().for_each(|name| *names.entry(name).or_default() += 1);
    manifest.classes().iter().all(|class| names.get(class.as_str()) == Some(&1))
}

#[cfg(test)]
mod tests {
    use super::super::list;
    use super::*;
    use chaffinch_data::dataset::DatasetOptions;

    /// The numbers of ant, bee and cow, and what is doubtful, where these files stand beside their folders.
    fn read(files: &[(&str, &str)]) -> (Vec<Option<u64>>, String) {
        let temp = tempfile::tempdir().unwrap();
        for class in ["ant", "bee", "cow"] {
            fs::create_dir(temp.path().join(class)).unwrap();
            fs::write(temp.path().join(class).join("1.png"), b"x").unwrap();
        }
        for (name, text) in files {
            fs::write(temp.path().join(name), text).unwrap();
        }
        let (_, opened) = list(temp.path(), &DatasetOptions::default()).unwrap();
        let numbers = opened.manifest.class_numbers();
        let remarks = opened.ledger.remarks.iter().filter(|remark| remark.kind == RemarkKind::LayoutDoubtful);
        let said: Vec<&str> = remarks.map(|remark| remark.text.as_str()).collect();
        (["ant", "bee", "cow"].map(|class| numbers.number(class)).to_vec(), said.join("\n"))
    }

    const LIST: &str = r#"["cow", "ant", "bee"]"#;

    #[test]
    fn files_beside_the_classes_state_their_numbers() {
        let readme = "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n          \
                      '0': cow\n          '1': ant\n          '2': bee\n---\n";
        for (name, text) in [
            ("class_to_idx.json", r#"{"cow": 0, "ant": 1, "bee": 2}"#),
            ("class_to_idx.json", r#"{"cow": "0", "ant": "1", "bee": "2"}"#),
            ("class_to_idx.json", r#"{"COW": 0, "Ant": 1, "bee": 2}"#),
            ("idx_to_class.json", r#"{"0": "cow", "1": "ant", "2": "bee"}"#),
            ("classes.json", LIST),
            ("config.json", r#"{"model": "x", "id2label": {"0": "cow", "1": "ant", "2": "bee"}}"#),
            ("config.json", r#"{"label2id": {"cow": 0, "ant": 1, "bee": 2}, "names": [1, 2]}"#),
            (
                "dataset_info.json",
                r#"{"features": {"label": {"names": ["cow", "ant", "bee"], "_type": "ClassLabel"}}}"#,
            ),
            (
                "dataset_infos.json",
                r#"{"default": {"features": {"label": {"names": ["cow", "ant", "bee"]}}}}"#,
            ),
            ("class_indices.json", r#"{"cow": 0, "ant": 1, "bee": 2}"#),
            (
                "label_map.json",
                r#"[{"id": 0, "name": "cow"}, {"id": 1, "name": "ant"}, {"id": 2, "name": "bee"}]"#,
            ),
            ("imagenet_class_index.json", r#"{"0": ["n1", "cow"], "1": ["n2", "ant"], "2": ["n3", "bee"]}"#),
            ("classes.txt", "cow\nant\nbee\n"),
            ("classes.txt", "0 cow\n1 ant\n2 bee\n"),
            ("labels.txt", "1: ant\n0: cow\n2: bee"),
            ("class_names.txt", "cow,0\nant,1\nbee,2\n"),
            ("obj.names", "cow\nant\nbee\n"),
            ("labelmap.txt", "cow\nant\nbee\n"),
            ("data.yaml", "nc: 3\nnames: [cow, ant, bee]\n"),
            ("pets.yml", "names:\n  0: cow\n  1: ant\n  2: bee\n"),
            ("README.md", readme),
        ] {
            assert_eq!(
                read(&[(name, text)]),
                (vec![Some(1), Some(2), Some(0)], String::new()),
                "{name} {text}"
            );
        }
        for (name, text) in [
            ("classes.json", r#"["cow", "ant"]"#),
            ("classes.json", r#"["cow", "ant", "bee", "ant"]"#),
            ("config.json", r#"{"authors": ["cow", "ant", "bee"]}"#),
            ("class_to_idx.json", r#"{"cow": 0, "ant": 0, "bee": 2}"#),
            ("classes.json", "[\"cow\""),
            ("notes.json", LIST),
            ("my_classes_v2.txt", "cow\nant\nbee\n"),
            ("classes.txt", "0 cow\n0 ant\n2 bee\n"),
        ] {
            assert_eq!(read(&[(name, text)]).0, [None; 3], "{name} {text}");
        }
    }

    #[test]
    fn names_of_classes_that_are_numbers_are_said() {
        let said = |classes: &[&str], (name, text): (&str, &str)| {
            let temp = tempfile::tempdir().unwrap();
            for class in classes {
                fs::create_dir(temp.path().join(class)).unwrap();
                fs::write(temp.path().join(class).join("1.png"), b"x").unwrap();
            }
            fs::write(temp.path().join(name), text).unwrap();
            let (_, opened) = list(temp.path(), &DatasetOptions::default()).unwrap();
            let remarks = opened.ledger.remarks.into_iter();
            remarks
                .filter(|remark| remark.kind == RemarkKind::LayoutDoubtful)
                .map(|remark| remark.text)
                .collect::<String>()
        };
        for file in [
            ("classes.txt", "cow\nant\nbee\n"),
            ("class_to_idx.json", r#"{"cow": 0, "ant": 1, "bee": 2}"#),
            ("config.json", r#"{"id2label": {"0": "cow", "1": "ant", "2": "bee"}}"#),
            ("data.yaml", "names: [cow, ant, bee]\n"),
        ] {
            let text = said(&["0", "1", "2"], file);
            assert_eq!(
                text,
                format!(
                    "the classes are numbers, which {} names (0 is 'cow'), and stay numbers; to see the names, write the names as labels",
                    file.0
                )
            );
        }
        assert_eq!(said(&["0", "1", "3"], ("classes.txt", "cow\nant\nbee\n")), "");
        assert_eq!(said(&["0", "1"], ("classes.txt", "1\n0\n")), "");
    }

    #[test]
    fn files_about_pictures_stand_in_the_way_of_none() {
        let many: Vec<String> = (0..40).map(|number| format!("0{number}.json")).collect();
        let mut files: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "{}")).collect();
        files.push(("class_to_idx.json", r#"{"cow": 0, "ant": 1, "bee": 2}"#));
        assert_eq!(read(&files), (vec![Some(1), Some(2), Some(0)], String::new()));
    }

    #[test]
    fn a_file_that_is_not_taken_is_named_with_the_reason() {
        for (text, why) in [
            (r#"{"cow": 0, "ant": 1}"#, "it has no number for 'bee'"),
            (r#"{"cow": 0, "ant": 0, "bee": 2}"#, "no object of a different number for each class"),
            ("{", "it is not JSON"),
        ] {
            let (numbers, said) = read(&[("class_to_idx.json", text)]);
            assert_eq!(numbers, [None; 3]);
            assert!(said.contains("class_to_idx.json was not taken") && said.contains(why), "{said}");
        }
    }

    #[test]
    fn files_that_contradict_each_other_are_said() {
        let same = [("classes.json", LIST), ("classes.txt", "cow\nant\nbee\n")];
        assert_eq!(read(&same), (vec![Some(1), Some(2), Some(0)], String::new()));
        let (numbers, said) = read(&[("classes.json", LIST), ("classes.txt", "ant\nbee\ncow\n")]);
        assert_eq!(numbers, [None; 3]);
        assert!(
            said.contains("classes.txt numbers the classes otherwise than classes.json ('ant' is 0 and 1)"),
            "{said}"
        );
    }
}
