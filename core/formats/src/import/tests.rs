//! Files that the programs wrote, from `scripts/fixtures/make_import_fixtures.py`, and files in their documented layout.

use super::*;
use chaffinch_compute::content::ContentHash;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_data::row_order::RowOrders;
use chaffinch_data::session::Session;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::{SampleId, Split};
use std::fs;

mod class_numbers;
mod decided_rows;
mod other_samples;
mod sessions;
mod shared_ids;

/// The pictures of the fixtures, in the order of a folder's manifest.
const PETS: [&str; 16] = [
    "bird/0.png",
    "bird/1.png",
    "bird/2.png",
    "bird/3.png",
    "bird/odd.png",
    "cat/0.png",
    "cat/1.png",
    "cat/2.png",
    "cat/3.png",
    "cat/copy.png",
    "cat/dark.png",
    "dog/0.png",
    "dog/1.png",
    "dog/2.png",
    "dog/3.png",
    "dog/light.png",
];

fn dataset(paths: &[&str]) -> (Manifest, FileMetadata) {
    let sample = |path: &&str| NewSample {
        path: path.into(),
        label: path.split('/').rev().nth(1).map(str::to_owned),
        split: Split::from_name(path.split('/').next().unwrap()).unwrap_or_default(),
    };
    let hashes = paths.iter().map(|path| ContentHash::of(path.as_bytes())).collect();
    (Manifest::new("/here", paths.iter().map(sample)), FileMetadata { hashes, ..FileMetadata::default() })
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/import").join(name)
}

/// What a program's files say of samples with these paths.
fn read(program: &str, files: &[PathBuf], paths: &[&str]) -> Result<Outcome> {
    read_into(program, files, &dataset(paths).0)
}

fn read_into(program: &str, files: &[PathBuf], manifest: &Manifest) -> Result<Outcome> {
    let hashes = manifest.ids().map(|id| ContentHash::of(manifest.path(id).as_os_str().as_encoded_bytes()));
    let file_metadata = FileMetadata { hashes: hashes.collect(), ..FileMetadata::default() };
    let target = Target::new(manifest, &file_metadata, BTreeSet::from(["duplicates".to_owned()]), false);
    Importer::find(program).unwrap().read(files, &target, None)
}

/// The same for a file with this text.
fn read_text(program: &str, name: &str, text: &str, paths: &[&str]) -> Result<Outcome> {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join(name);
    fs::write(&file, text).unwrap();
    read(program, &[file], paths)
}

fn message(program: &str, name: &str, text: &str) -> String {
    read_text(program, name, text, &PETS).err().unwrap().to_string()
}

/// A detector's result for the samples.
fn result(outcome: &Outcome, name: &str, paths: &[&str]) -> DetectorResult {
    let names: Vec<&str> = outcome.imports.iter().map(|one| one.record().name.as_str()).collect();
    let found = outcome.imports.iter().find(|one| one.record().name == name);
    let (manifest, file_metadata) = dataset(paths);
    found.unwrap_or_else(|| panic!("no {name} in {names:?}")).bind(&manifest, &file_metadata).result
}

fn flagged<'p>(result: &DetectorResult, paths: &[&'p str]) -> Vec<&'p str> {
    let threshold = result.record().threshold;
    result
        .scores()
        .iter()
        .zip(paths)
        .filter(|(score, _)| **score < threshold)
        .map(|(_, path)| *path)
        .collect()
}

/// The cells of a column of a fixture.
fn column(file: &str, name: &str) -> Vec<String> {
    let mut reader = ::csv::Reader::from_path(fixture(file)).unwrap();
    let at = reader.headers().unwrap().iter().position(|heading| heading == name).unwrap();
    reader.records().map(|record| record.unwrap()[at].to_owned()).collect()
}

/// The samples that a column of a fixture flags.
fn flags(file: &str, name: &str) -> Vec<&'static str> {
    column(file, name).iter().zip(PETS).filter(|(cell, _)| *cell == "True").map(|(_, path)| path).collect()
}

#[test]
fn cleanvision_flags_what_it_flagged_with_its_scores() {
    let outcome = read("cleanvision", &[fixture("cleanvision")], &PETS).unwrap();
    assert_eq!(outcome.imports.len(), 9);
    let mut all = 0;
    for kind in [
        "dark",
        "light",
        "blurry",
        "low_information",
        "odd_size",
        "odd_aspect_ratio",
        "grayscale",
        "exact_duplicates",
        "near_duplicates",
    ] {
        let result = result(&outcome, &format!("cleanvision_{kind}"), &PETS);
        let expected = flags("cleanvision/issues.csv", &format!("is_{kind}_issue"));
        all += expected.len();
        // An odd size is flagged above the threshold of the others.
        assert_eq!(flagged(&result, &PETS), expected, "{kind}");
        let scores: Vec<f32> = column("cleanvision/issues.csv", &format!("{kind}_score"))
            .iter()
            .map(|cell| cell.parse().unwrap())
            .collect();
        assert_eq!(result.scores(), scores, "{kind}");
        assert_eq!(result.record().imported, "cleanvision");
    }
    assert!(all >= 8, "{all} flags");
    let dark = result(&outcome, "cleanvision_dark", &PETS);
    assert_eq!(dark.record().threshold, 0.32);
    assert!(dark.reason(SampleId(10)).starts_with("CleanVision's score for dark is 0.0"));
    assert_eq!((outcome.warnings, outcome.notes), (vec![], vec![]));
}

#[test]
fn cleanlab_flags_what_it_flagged_whatever_its_scores() {
    let outcome = read("cleanlab", &[fixture("cleanlab/issues.csv")], &PETS).unwrap();
    for kind in ["label", "outlier", "near_duplicate", "non_iid", "class_imbalance"] {
        let found = result(&outcome, &format!("cleanlab_{kind}"), &PETS);
        assert_eq!(
            flagged(&found, &PETS),
            flags("cleanlab/issues.csv", &format!("is_{kind}_issue")),
            "{kind}"
        );
    }
    let outlier = result(&outcome, "cleanlab_outlier", &PETS);
    let scores: Vec<f32> =
        column("cleanlab/issues.csv", "outlier_score").iter().map(|cell| cell.parse().unwrap()).collect();
    assert_eq!(outlier.scores(), scores, "no number is changed where a threshold separates the flags");
    // A score of 0.03 is not flagged, and one of 0.04 is.
    let label = result(&outcome, "cleanlab_label", &PETS);
    assert_eq!(flagged(&label, &PETS), ["bird/2.png", "cat/copy.png"]);
    assert!(label.score(SampleId(2)) < label.score(SampleId(9)), "the order stays");
    assert!(label.reason(SampleId(9)).contains("score for label is 0.0400"), "{}", label.reason(SampleId(9)));
    assert!(outcome.notes[0].contains("in the order of the samples"), "{:?}", outcome.notes);
}

#[test]
fn cleanlab_suggests_labels_and_finds_rows_by_path_or_number() {
    for file in ["cleanlab/find_label_issues.csv", "cleanlab/with_paths.csv"] {
        let outcome = read("cleanlab", &[fixture(file)], &PETS).unwrap();
        let label = result(&outcome, "cleanlab_label", &PETS);
        assert_eq!(flagged(&label, &PETS), ["bird/2.png", "cat/copy.png"], "{file}");
        assert_eq!((label.suggested(SampleId(2)), label.suggested(SampleId(9))), (Some(1), Some(0)));
        assert_eq!(label.suggested(SampleId(12)), None, "what it does not flag keeps its label");
        assert!(label.reason(SampleId(2)).ends_with("and it predicts cat"));
    }
    // In another dataset rows are found by path.
    let others = ["old/cat/copy.png", "old/bird/2.png", "new/1.png"];
    let outcome = read("cleanlab", &[fixture("cleanlab/with_paths.csv")], &others).unwrap();
    let label = result(&outcome, "cleanlab_label", &others);
    assert_eq!(flagged(&label, &others), ["old/cat/copy.png", "old/bird/2.png"]);
    assert_eq!(label.score(SampleId(2)), None);
    assert!(
        outcome.warnings[0].starts_with("14 names in with_paths.csv are not samples"),
        "{:?}",
        outcome.warnings
    );
    let near = read("cleanlab", &[fixture("cleanlab/near_duplicate.csv")], &PETS).unwrap();
    let near = result(&near, "cleanlab_near_duplicate", &PETS);
    assert_eq!(near.issue(SampleId(3)).unwrap().related[0].0, SampleId(4));
    assert_eq!(near.group_members(near.group(SampleId(3)).unwrap()), [SampleId(3), SampleId(4)]);
}

#[test]
fn rows_that_cannot_be_those_of_the_samples_are_refused() {
    let error = read("cleanlab", &[fixture("cleanlab/issues.csv")], &PETS[..3]).err().unwrap().to_string();
    assert!(error.contains("it has 16 rows for 3 samples, and no column of paths or row numbers"), "{error}");
    let error =
        read("cleanlab", &[fixture("cleanlab/find_label_issues.csv")], &PETS[..3]).err().unwrap().to_string();
    assert!(error.contains("line 5 is about row 3, but there are only 3 samples"), "{error}");
    let mut turned = PETS;
    turned.reverse();
    let error =
        read("cleanlab", &[fixture("cleanlab/find_label_issues.csv")], &turned).err().unwrap().to_string();
    assert!(error.contains("so the rows are in another order"), "{error}");
    let error = message("cleanlab", "i.csv", ",is_x_issue\n3,True\n2,True\n");
    assert!(error.contains("line 3: the row numbers do not count up (2 follows 3)"), "{error}");
    let error = message("cleanvision", "issue_summary.csv", "issue_type,num_images\ndark,2\n");
    assert!(error.contains("there is no column is_…_issue; name the file issues.csv"), "{error}");
    let error = message("cleanvision", "i.csv", ",is_dark_issue,dark_score\nx/9.png,True,0.1\n");
    assert!(error.contains("none of its 1 name is a sample of this dataset: it names x/9.png"), "{error}");
    let error = message("cleanvision", "i.csv", ",is_dark_issue,dark_score\nbird/0.png,maybe,0.1\n");
    assert!(error.contains("line 2, column 'is_dark_issue': 'maybe' is not True or False"), "{error}");
    let cut = &fs::read_to_string(fixture("cleanvision/issues.csv")).unwrap()[..1000];
    assert!(message("cleanvision", "i.csv", cut).contains("is the file cut?"));
}

#[test]
fn of_two_rows_of_one_path_the_worst_counts_and_is_said() {
    let text = ",is_dark_issue,dark_score\nbird/0.png,False,0.6\nbird/1.png,True,0.3\nbird/0.png,True,0.2\n";
    let outcome = read_text("cleanvision", "i.csv", text, &PETS).unwrap();
    let dark = result(&outcome, "cleanvision_dark", &PETS);
    assert_eq!(flagged(&dark, &PETS), ["bird/0.png", "bird/1.png"]);
    assert!(
        outcome.warnings[0].starts_with("1 row of i.csv repeats an earlier one"),
        "{:?}",
        outcome.warnings
    );
    assert!(outcome.notes[0].starts_with("14 samples are not in i.csv"), "{:?}", outcome.notes);
}

#[test]
fn fastdup_is_read_from_its_folder_and_from_single_tables() {
    let outcome = read("fastdup", &[fixture("fastdup")], &PETS).unwrap();
    let duplicate = result(&outcome, "fastdup_duplicate", &PETS);
    assert_eq!(duplicate.score(SampleId(5)), Some(0.0), "a similarity of 1 is surely an issue");
    let issue = duplicate.issue(SampleId(13)).unwrap();
    assert_eq!((issue.related[0], 1.0 - issue.score), ((SampleId(12), 0.980339), 1.0 - (1.0 - 0.980339)));
    let pairs =
        column("fastdup/similarity.csv", "from").into_iter().chain(column("fastdup/similarity.csv", "to"));
    let named: BTreeSet<usize> = pairs.map(|number| number.parse().unwrap()).collect();
    let expected: Vec<&str> = named.into_iter().map(|number| PETS[number]).collect();
    assert_eq!(flagged(&duplicate, &PETS), expected);
    assert_eq!(duplicate.group_members(duplicate.group(SampleId(5)).unwrap()), [SampleId(5), SampleId(9)]);
    assert_eq!(duplicate.score(SampleId(4)), Some(1.0), "fastdup looked at it");
    let outlier = result(&outcome, "fastdup_outlier", &PETS);
    assert_eq!(
        (flagged(&outlier, &PETS), outlier.score(SampleId(15))),
        (vec!["dog/light.png"], Some(0.156181))
    );
    let component = result(&outcome, "fastdup_component", &PETS);
    assert_eq!(component.group_members(component.group(SampleId(9)).unwrap()), [SampleId(5), SampleId(9)]);
    assert_eq!(component.score(SampleId(10)), Some(1.0));
    assert_eq!(flagged(&result(&outcome, "fastdup_dark", &PETS), &PETS), ["cat/dark.png"]);
    assert_eq!(flagged(&result(&outcome, "fastdup_bright", &PETS), &PETS), ["dog/light.png"]);
    assert_eq!(outcome.warnings, Vec::<String>::new());

    let tables = ["fastdup-api/similarity.csv", "fastdup-api/outliers.csv"].map(fixture);
    let api = read("fastdup", &tables, &PETS).unwrap();
    assert_eq!(result(&api, "fastdup_outlier", &PETS).score(SampleId(15)), Some(0.156181));
    let with_names = result(&api, "fastdup_duplicate", &PETS);
    assert_eq!(flagged(&with_names, &PETS), expected);
    assert_eq!(with_names.score(SampleId(4)), None, "nothing says that fastdup looked at it");
    // The list of names is found beside a table of numbers.
    let alone = read("fastdup", &[fixture("fastdup/outliers.csv")], &["x/light.png", "x/a.png"]).unwrap();
    let paths = ["x/light.png", "x/a.png"];
    assert_eq!(flagged(&result(&alone, "fastdup_outlier", &paths), &paths), ["x/light.png"]);
}

#[test]
fn fastdup_numbers_without_names_are_doubted() {
    let text = "from,to,distance\n0,1,0.99\n";
    let outcome = read_text("fastdup", "similarity.csv", text, &PETS).unwrap();
    assert!(outcome.warnings[0].contains("has numbers instead of names"), "{:?}", outcome.warnings);
    let error = message("fastdup", "similarity.csv", "from,to,distance\n0,99,0.99\n");
    assert!(error.contains("name atrain_features.dat.csv of the same folder as well"), "{error}");
    let error = message("fastdup", "similarity.csv", "from,to\n0,99\n");
    assert!(error.contains("that tells a table of fastdup"), "{error}");
    let names = "from,to,distance\n/a/bird/0.png,/a/bird/1.png,0.99\n";
    let outcome = read_text("fastdup", "similarity.csv", names, &PETS).unwrap();
    assert_eq!(flagged(&result(&outcome, "fastdup_duplicate", &PETS), &PETS), ["bird/0.png", "bird/1.png"]);
}

#[test]
fn scores_belong_to_the_flag_that_is_called_like_them_in_any_order() {
    for heading in ["score,is_bad,bad_score", "bad_score,is_bad,score", "is_bad,bad_score,score"] {
        let cells = |bad: &str, score: &str, flag: &str| {
            let cell = |name: &str| match name {
                "score" => score.to_owned(),
                "is_bad" => flag.to_owned(),
                _ => bad.to_owned(),
            };
            heading.split(',').map(cell).collect::<Vec<_>>().join(",")
        };
        let text = format!(
            "path,{heading}\ncat/0.png,{}\ncat/1.png,{}\n",
            cells("0.1", "0.9", "True"),
            cells("0.8", "0.2", "False")
        );
        let outcome = read_text("csv", "my.csv", &text, &PETS).unwrap();
        let of = |name: &str| [5, 6].map(|row| result(&outcome, name, &PETS).score(SampleId(row)).unwrap());
        assert_eq!((of("csv_is_bad"), of("csv_score")), ([0.1, 0.8], [0.9, 0.2]), "{heading}");
    }
    // One that is called only a flag has those that are called only a score, whichever comes first.
    let text = "path,flagged,is_bad,bad_score,score\ncat/0.png,1,0,0.7,0.3\ncat/1.png,0,1,0.2,0.9\n";
    let outcome = read_text("csv", "my.csv", text, &PETS).unwrap();
    assert_eq!(result(&outcome, "csv_is_bad", &PETS).score(SampleId(6)), Some(0.2));
    assert_eq!(result(&outcome, "csv_flagged", &PETS).score(SampleId(5)), Some(0.3));
}

#[test]
fn fastdup_names_come_before_its_numbers_under_either_heading() {
    for name in ["filename", "img_filename"] {
        let stats = format!("index,blur,mean,{name}\n0,10,100,/a/cat/1.png\n1,900,100,/a/dog/2.png\n");
        let outcome = read_text("fastdup", "atrain_stats.csv", &stats, &PETS).unwrap();
        assert_eq!(flagged(&result(&outcome, "fastdup_blur", &PETS), &PETS), ["cat/1.png"], "{name}");
        assert_eq!(outcome.warnings, Vec::<String>::new(), "{name}");
        let pairs = format!("from,to,distance,{name}_from,{name}_to\n0,1,0.99,/a/cat/1.png,/a/dog/2.png\n");
        let outcome = read_text("fastdup", "similarity.csv", &pairs, &PETS).unwrap();
        assert_eq!(flagged(&result(&outcome, "fastdup_duplicate", &PETS), &PETS), ["cat/1.png", "dog/2.png"]);
        let odd = format!(
            "outlier,nearest,distance,{name}_outlier,{name}_nearest\n0,1,0.3,/a/cat/1.png,/a/dog/2.png\n"
        );
        let outcome = read_text("fastdup", "outliers.csv", &odd, &PETS).unwrap();
        assert_eq!(flagged(&result(&outcome, "fastdup_outlier", &PETS), &PETS), ["cat/1.png"]);
        let bad = format!("{name},error_code\n/a/cat/1.png,ERROR_CORRUPT\n");
        let outcome = read_text("fastdup", "bad.csv", &bad, &PETS).unwrap();
        assert_eq!(flagged(&result(&outcome, "fastdup_invalid", &PETS), &PETS), ["cat/1.png"]);
    }
}

#[test]
fn imagededup_has_distances_cosines_or_neither() {
    for (score, expected) in [(", 4]", 4.0 / 64.0), (", 0.95]", 1.0 - 0.95), ("]", FLAGGED_ALONE)] {
        let open = if score == "]" { ("\"", "\"") } else { ("[\"", "\"") };
        let end = if score == "]" { "" } else { score };
        let text = format!(
            r#"{{"0.png": [], "odd.png": [{0}copy.png{1}{end}], "copy.png": [{0}odd.png{1}{end}], "light.png": []}}"#,
            open.0, open.1
        );
        let outcome = read_text("imagededup", "d.json", &text, &PETS).unwrap();
        let found = result(&outcome, "imagededup_duplicate", &PETS);
        assert_eq!(flagged(&found, &PETS), ["bird/odd.png", "cat/copy.png"], "{text}");
        assert!(
            (found.score(SampleId(4)).unwrap() - expected).abs() < 1e-6,
            "{text}: {:?}",
            found.score(SampleId(4))
        );
        assert_eq!(found.score(SampleId(15)), Some(1.0));
        assert_eq!(found.group_members(found.group(SampleId(4)).unwrap()), [SampleId(4), SampleId(9)]);
        assert!(
            outcome.warnings[0].contains("1 name in d.json may mean several samples"),
            "{:?}",
            outcome.warnings
        );
    }
    let outcome = read_text("imagededup", "r.json", r#"["copy.png"]"#, &PETS).unwrap();
    assert_eq!(flagged(&result(&outcome, "imagededup_remove", &PETS), &PETS), ["cat/copy.png"]);
    let error = message("imagededup", "d.json", r#"{"a.png": ["b.png""#);
    assert!(error.contains("it is not valid JSON") && error.contains("is the file cut?"), "{error}");
    assert!(message("imagededup", "d.json", r#"{"a.png": [3]}"#).contains("not what imagededup writes"));
}

#[test]
fn imagededup_flags_every_file_with_a_copy() {
    for file in ["imagededup/scores.json", "imagededup/duplicates.json"] {
        let outcome = read("imagededup", &[fixture(file)], &PETS).unwrap();
        let found = result(&outcome, "imagededup_duplicate", &PETS);
        let expected = ["cat/0.png", "cat/copy.png", "cat/dark.png", "dog/light.png"];
        assert_eq!(flagged(&found, &PETS), expected, "{file}");
        assert!(found.scores().iter().all(|score| !score.is_nan()), "it looked at all of them");
        assert_eq!(outcome.warnings, Vec::<String>::new());
    }
    let outcome = read("imagededup", &[fixture("imagededup/remove.json")], &PETS).unwrap();
    let removed: BTreeSet<String> =
        serde_json::from_slice(&fs::read(fixture("imagededup/remove.json")).unwrap()).unwrap();
    let found = result(&outcome, "imagededup_remove", &PETS);
    assert_eq!(flagged(&found, &PETS), removed.iter().map(String::as_str).collect::<Vec<_>>());
}

const FLAGGED_ALONE: f32 = detector::FLAGGED;

#[test]
fn fiftyone_has_fields_and_tags() {
    let text = r#"{"samples": [
        {"filepath": "/ds/data/bird/0.png", "tags": ["train", "near_duplicates", "badge"], "uniqueness": 0.2,
         "ground_truth": {"_cls": "Classification", "label": "bird", "mistakenness": 0.9}},
        {"filepath": "/ds/data/cat/0.png", "tags": ["validation"], "uniqueness": 0.75, "mistakenness": 0.1}
    ]}"#;
    let outcome = read_text("fiftyone", "samples.json", text, &PETS).unwrap();
    let uniqueness = result(&outcome, "fiftyone_uniqueness", &PETS);
    assert_eq!((uniqueness.score(SampleId(0)), uniqueness.score(SampleId(5))), (Some(0.2), Some(0.75)));
    assert!(flagged(&uniqueness, &PETS).is_empty(), "FiftyOne has no threshold");
    let mistaken = result(&outcome, "fiftyone_mistakenness", &PETS);
    assert!((mistaken.score(SampleId(0)).unwrap() - 0.1).abs() < 1e-6);
    assert_eq!(flagged(&result(&outcome, "fiftyone_near_duplicates", &PETS), &PETS), ["bird/0.png"]);
    let said = &outcome.said[&Some("fiftyone".to_owned())];
    assert_eq!(
        (said[0].0, &said[0].1.tags),
        (SampleId(0), &vec!["near_duplicates".to_owned(), "badge".to_owned()])
    );
    assert_eq!(
        (said.len(), outcome.imports.len()),
        (1, 3),
        "splits are not tags, and a badge is not a fault"
    );
    assert!(message("fiftyone", "samples.json", r#"{"classes": []}"#).contains("it has no list 'samples'"));
    let error = message("fiftyone", "samples.json", r#"{"samples": [{"id": 1}]}"#);
    assert!(error.contains("sample 0 has no 'filepath'"), "{error}");
}

const EXPORT: &str = "image_id,image_path,split,label,issue_type,confidence,suggested_label,reason\n\
                      1,/vl/cat/0.png,train,cat,mislabel,0.92,dog,looks like a dog\n\
                      2,/vl/cat/1.png,train,cat,outlier,0.7,,\n\
                      3,/vl/cat/2.png,train,cat,,,156.0,\n";

#[test]
fn visual_layers_issues_are_detectors_from_csv_and_json() {
    let json = r#"{"images": [
        {"image_id": 1, "path": "/vl/cat/0.png", "flag": "mislabel", "confidence": 0.92, "suggested_label": "dog",
         "reason": "looks like a dog"},
        {"image_id": 2, "path": "/vl/cat/1.png", "flag": "outlier", "confidence": 0.7},
        {"image_id": 3, "path": "/vl/cat/2.png", "suggested_label": 156.0}
    ]}"#;
    for (name, text) in [("vl.csv", EXPORT), ("vl.json", json)] {
        let outcome = read_text("visual-layer", name, text, &PETS).unwrap();
        let mislabel = result(&outcome, "visual-layer_mislabel", &PETS);
        assert_eq!(flagged(&mislabel, &PETS), ["cat/0.png"], "{name}");
        let issue = mislabel.issue(SampleId(5)).unwrap();
        assert_eq!((1.0 - issue.score, issue.suggested), (1.0 - (1.0 - 0.92), Some(2)));
        assert_eq!(issue.reason, "looks like a dog");
        assert_eq!(mislabel.score(SampleId(7)), Some(1.0), "listed without an issue");
        assert_eq!(mislabel.score(SampleId(0)), None, "not listed");
        assert_eq!(flagged(&result(&outcome, "visual-layer_outlier", &PETS), &PETS), ["cat/1.png"]);
        assert!(outcome.said.is_empty());
    }
    let text = "path,flag,confidence,suggested_label\ncat/0.png,mislabel,0.9,156.0\n";
    let unknown = read_text("visual-layer", "vl.csv", text, &PETS).unwrap();
    let mislabel = result(&unknown, "visual-layer_mislabel", &PETS);
    assert_eq!(mislabel.suggested_other(SampleId(5)), None, "a whole number, which means no class");
    assert!(
        unknown.warnings[0].starts_with("vl.csv suggests labels by number, up to 156, and the dataset has")
    );
    let error = message("visual-layer", "vl.csv", "image_path,issue_type,confidence\ncat/0.png,x,high\n");
    assert!(error.contains("line 2: the confidence 'high' is not a number from 0 to 1"), "{error}");
    let error = message("visual-layer", "vl.csv", "image_path,score\ncat/0.png,1\n");
    assert!(error.contains("there is no column issue_type or user_action"), "{error}");
}

#[test]
fn manifests_bring_decisions_and_no_flags_that_the_session_has() {
    let text = "image_id,image_path,dataset,split,original_label,vl_flag_type,vl_confidence,vl_suggested_label,\
                vl_reason,user_tags,user_action,new_label,reviewer,review_date,notes\n\
                1,cat/0.png,d,,cat,duplicates,0.9,,,\"duplicate_exact,keep\",remove,,anna,2026-01-02T03:04:05Z,twice\n\
                2,cat/1.png,d,,cat,mislabel,0.8,,,,relabel,dog,bob,2026-01-02,\n\
                3,cat/2.png,d,,cat,,,,,,relabel,,bob,,\n\
                4,cat/3.png,d,,cat,,,,,odd,,,,,\n\
                5,dog/0.png,d,,dog,,,,,,,dog,,,\n";
    for program in ["visual-layer", "csv"] {
        let outcome = read_text(program, "m.csv", text, &PETS).unwrap();
        let names: Vec<&str> = outcome.imports.iter().map(|one| one.record().name.as_str()).collect();
        assert_eq!(names, if program == "csv" { vec![] } else { vec!["visual-layer_mislabel"] });
        let anna = &outcome.said[&Some("anna".to_owned())];
        assert_eq!((anna[0].0, &anna[0].1.choice), (SampleId(5), &Some(Choice::Remove)));
        assert_eq!((anna[0].1.note.as_str(), anna[0].1.tags.len()), ("twice", 2));
        assert_eq!(outcome.said[&Some("bob".to_owned())][0].1.choice, Some(Choice::Relabel("dog".into())));
        assert_eq!(outcome.said[&None][0].1.tags, ["odd"]);
        let wanted =
            "1 row has relabel without a new label, which was not taken as a decision: line 4 of m.csv";
        assert_eq!(outcome.warnings, [wanted]);
        // What people fill in only half, or misspell, is said.
        let half = text.replace("odd,,,,,", ",,cow,,,").replace("remove,,anna", "keep,dgo,anna");
        let half = half.replace("relabel,dog,bob", "relabel,dgo,bob");
        let outcome = read_text(program, "m.csv", &half, &PETS).unwrap();
        let said = outcome.warnings.join("\n");
        for wanted in [
            "1 row has a new label without the action relabel, which was not taken as a decision: line 5 of m.csv",
            "1 row has a new label beside the action keep, which was not taken as a decision: line 2 of m.csv",
            "1 row relabels to 'dgo', which is not a class of the dataset: line 3 of m.csv",
        ] {
            assert!(said.contains(wanted), "{said}");
        }
    }
}

#[test]
fn clusters_leak_only_between_training_and_other_splits() {
    let text = r#"{"clusters": [
        {"cluster_id": 1, "images": [{"path": "train/cat/a.png", "label": "cat", "id": "a"},
                                     {"path": "val/cat/b.png", "label": "cat", "id": "b"}]},
        {"cluster_id": 2, "images": [{"path": "train/cat/c.png", "label": "cat", "id": "c"},
                                     {"path": "val/dog/d.png", "label": "dog", "id": "d"}]},
        {"cluster_id": 3, "images": [{"path": "train/cat/e.png", "label": "cat", "id": "e"},
                                     {"path": "train/dog/f.png", "label": "dog", "id": "f"}]}
    ]}"#;
    let paths = [
        "train/cat/a.png",
        "train/cat/c.png",
        "train/cat/e.png",
        "train/dog/f.png",
        "val/cat/b.png",
        "val/dog/d.png",
    ];
    let outcome = read_text("visual-layer", "c.json", text, &paths).unwrap();
    let leaks = flagged(&result(&outcome, "visual-layer_leak", &paths), &paths);
    assert_eq!(leaks, ["val/cat/b.png", "val/dog/d.png"]);
    let several = flagged(&result(&outcome, "visual-layer_multi-label", &paths), &paths);
    assert_eq!(several, ["train/cat/c.png", "train/cat/e.png", "train/dog/f.png", "val/dog/d.png"]);
    let duplicate = result(&outcome, "visual-layer_duplicate", &paths);
    assert_eq!(duplicate.group_members(duplicate.group(SampleId(0)).unwrap()), [SampleId(0), SampleId(4)]);
    assert!(
        outcome.notes[0].ends_with(
            "3 clusters; 2 are in training and in other splits (1 with one label, 1 with several); 2 have several labels"
        ),
        "{:?}",
        outcome.notes
    );
}

#[test]
fn any_table_of_paths_has_flags_and_scores() {
    let text = "path,blur_score,is_blur,sharpness,odd one,note\n\
                cat/0.png,0.1,True,10,no,a\ncat/1.png,0.9,False,30,yes,b\ncat/2.png,0.5,False,20,no,\n";
    let outcome = read_text("csv", "my.csv", text, &PETS).unwrap();
    let blur = result(&outcome, "csv_blur", &PETS);
    assert_eq!((flagged(&blur, &PETS), blur.score(SampleId(5))), (vec!["cat/0.png"], Some(0.1)));
    let sharpness = result(&outcome, "csv_sharpness", &PETS);
    let scores = [5, 6, 7].map(|row| sharpness.score(SampleId(row)).unwrap());
    assert_eq!((scores, flagged(&sharpness, &PETS).len()), ([0.0, 1.0, 0.5], 0));
    assert_eq!(flagged(&result(&outcome, "csv_odd_one", &PETS), &PETS), ["cat/1.png"]);
    assert!(outcome.notes.iter().any(|note| note.contains("goes from 10 to 30")), "{:?}", outcome.notes);
    let indexed = "Unnamed: 0,path,sharp\n0,cat/0.png,0.1\n1,cat/1.png,0.2\n";
    assert_eq!(
        read_text("csv", "my.csv", indexed, &PETS).unwrap().imports.len(),
        1,
        "an index is not a score"
    );
    let lone =
        read_text("csv", "my.csv", "file,score,flagged\ncat/0.png,0.9,1\ncat/1.png,0.1,0\n", &PETS).unwrap();
    assert_eq!(lone.imports.len(), 1);
    assert_eq!(flagged(&result(&lone, "csv_flagged", &PETS), &PETS), ["cat/0.png"]);
    // Flags without scores are flags however they say it, beside each other and alone.
    for [yes, no] in [["True", "False"], ["1", "0"], ["yes", "no"], ["Y", "N"], ["t", "f"], ["1.0", "0.0"]] {
        let text = format!("path,is_bad,bad\ncat/0.png,{yes},{no}\ncat/1.png,{no},{yes}\ncat/2.png,{no},\n");
        let outcome = read_text("csv", "my.csv", &text, &PETS).unwrap();
        for (name, path) in [("csv_is_bad", "cat/0.png"), ("csv_bad", "cat/1.png")] {
            assert_eq!(flagged(&result(&outcome, name, &PETS), &PETS), [path], "{text}");
        }
        let text = format!("path,bad\ncat/0.png,{yes}\ncat/1.png,{no}\n");
        let outcome = read_text("csv", "my.csv", &text, &PETS).unwrap();
        assert_eq!(flagged(&result(&outcome, "csv_bad", &PETS), &PETS), ["cat/0.png"], "{text}");
    }
    let error = message("csv", "my.csv", "path,words\ncat/0.png,x\n");
    assert!(error.contains("there is no column of numbers or of True and False beside the paths"), "{error}");
}

#[test]
fn names_of_the_sessions_own_detectors_are_refused() {
    let (manifest, files) = dataset(&PETS);
    let target = Target::new(&manifest, &files, BTreeSet::from(["mine_dark".to_owned()]), false);
    let importer = Importer::find("cleanvision").unwrap();
    let error = importer.read(&[fixture("cleanvision")], &target, Some("mine")).err().unwrap().to_string();
    assert!(
        error.contains("mine_dark is a detector of this session; choose another prefix with --as"),
        "{error}"
    );
    let error = importer.read(&[fixture("fastdup-api")], &target, None).err().unwrap().to_string();
    assert!(error.contains("the folder has no issues.csv"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    /// Whatever happened to a file, it is read or refused.
    #[test]
    fn damaged_files_are_read_or_refused(
        program in 0..IMPORTERS.len(),
        source in 0..5_usize,
        cut in 0.0..1.0_f64,
        at in 0.0..1.0_f64,
        byte in proptest::num::u8::ANY,
    ) {
        let sources = ["cleanlab/near_duplicate.csv", "cleanvision/issues.csv", "fastdup/similarity.csv"].map(fixture);
        let mut bytes = match sources.get(source) {
            Some(path) => fs::read(path).unwrap(),
            None if source == 3 => EXPORT.as_bytes().to_vec(),
            None => br#"{"samples": [{"filepath": "cat/0.png", "tags": ["x"], "images": ["cat/0.png", "cat/1.png"]}]}"#.to_vec(),
        };
        bytes.truncate((bytes.len() as f64 * (0.5 + cut)) as usize);
        let place = ((bytes.len() - 1) as f64 * at) as usize;
        bytes[place] = byte;
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join(if source < 4 { "file.csv" } else { "file.json" });
        fs::write(&file, bytes).unwrap();
        let _ = read(IMPORTERS[program].name, &[file], &PETS);
    }
}

#[test]
fn paths_are_found_under_any_heading_or_by_what_is_in_a_column() {
    let rows = "7,cat/dark.png,True\n8,bird/0.png,False\n9,cat/0.png,True\n";
    let dark = ["cat/0.png", "cat/dark.png"];
    for heading in ["bild", "id", "key", "image_id", "IMAGE_ID", "where"] {
        for (program, name) in [("csv", "csv_dark"), ("cleanlab", "cleanlab_dark")] {
            let text = format!("n,{heading},is_dark_issue\n{rows}");
            let outcome = read_text(program, "t.csv", &text, &PETS)
                .unwrap_or_else(|error| panic!("{heading}: {error}"));
            assert_eq!(flagged(&result(&outcome, name, &PETS), &PETS), dark, "{heading}");
            let by_content = !["key", "image_id", "IMAGE_ID"].contains(&heading);
            let said = format!("the paths of t.csv were taken from the column '{heading}'");
            assert_eq!(
                outcome.notes.iter().any(|note| note.starts_with(&said)),
                by_content,
                "{:?}",
                outcome.notes
            );
        }
    }
    // What repeats names something else, such as the nearest other picture.
    let near = "near,is_dark_issue\ncat/dark.png,True\ncat/dark.png,False\n";
    let error = message("cleanlab", "t.csv", near);
    assert!(error.contains("no column of paths or row numbers"), "{error}");
    let both = "a,b,is_dark_issue\ncat/dark.png,bird/0.png,True\nbird/0.png,cat/dark.png,False\n";
    let error = message("csv", "t.csv", both);
    assert!(
        error.contains("the columns 'a', 'b' may all name the samples; choose one with --path-column"),
        "{error}"
    );
}

#[test]
fn a_column_of_paths_is_chosen_and_what_is_not_used_is_said() {
    let (manifest, file_metadata) = dataset(&PETS);
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("t.csv");
    fs::write(
        &file,
        "a,b,is_dark_issue,remarks\ncat/dark.png,bird/0.png,True,x\nbird/0.png,cat/dark.png,False,y\n",
    )
    .unwrap();
    let read = |column: &str| {
        let target = Target::new(&manifest, &file_metadata, BTreeSet::new(), false);
        let target = target.with_path_column(Some(column.to_owned()));
        Importer::find("csv").unwrap().read(std::slice::from_ref(&file), &target, None)
    };
    for (column, expected) in [("a", "cat/dark.png"), ("B", "bird/0.png")] {
        let outcome = read(column).unwrap();
        assert_eq!(flagged(&result(&outcome, "csv_dark", &PETS), &PETS), [expected]);
        let unused = outcome.notes.iter().find(|note| note.contains("were not used")).unwrap();
        assert!(unused.contains("'remarks' of t.csv"), "{unused}");
    }
    let error = read("c").err().unwrap().to_string();
    assert!(error.contains("there is no column 'c'; the columns are 'a', 'b'"), "{error}");
}

#[test]
fn an_index_without_a_name_is_no_score() {
    for (program, kind) in [("cleanvision", "near_duplicates"), ("cleanlab", "near_duplicate")] {
        let flag = format!("is_{kind}_issue");
        let paths = format!(",{flag}\n/home/ann/cat/0.png,True\n/home/ann/cat/1.png,False\n");
        let outcome = read_text(program, "issues.csv", &paths, &PETS).unwrap();
        let found = result(&outcome, &format!("{program}_{kind}"), &PETS);
        assert_eq!(flagged(&found, &PETS), ["cat/0.png"], "{program}");
        let counts: Vec<String> = (0..PETS.len()).map(|row| format!("{row},{}\n", row == 6)).collect();
        let outcome =
            read_text(program, "issues.csv", &format!(",{flag}\n{}", counts.concat()), &PETS).unwrap();
        let found = result(&outcome, &format!("{program}_{kind}"), &PETS);
        assert_eq!(flagged(&found, &PETS), ["cat/1.png"], "{program}");
        assert!(
            found.reason(SampleId(6)).contains("flags it as near duplicate"),
            "{}",
            found.reason(SampleId(6))
        );
    }
}

#[test]
fn suggested_labels_that_are_no_classes_are_kept_and_said() {
    let text = "path,is_wrong,suggested_label\ncat/0.png,True,dogg\ncat/1.png,True,dogg\ncat/2.png,True,nan\n\
                cat/3.png,True,dog\ncat/dark.png,False,\n";
    let outcome = read_text("csv", "t.csv", text, &PETS).unwrap();
    let said = outcome.warnings.join("\n");
    assert!(
        said.contains("csv_wrong: 2 suggested labels are not classes of the dataset and are kept as suggested: 'dogg' (2)")
            && said.contains("did you mean 'dog'"),
        "{said}"
    );
    let wrong = result(&outcome, "csv_wrong", &PETS);
    assert_eq!((wrong.suggested_other(SampleId(5)), wrong.suggested(SampleId(8))), (Some("dogg"), Some(2)));
    assert_eq!((wrong.suggested_other(SampleId(7)), wrong.suggested(SampleId(7))), (None, None));
}

/// fastdup's numbers, and those of rows, are of the samples as they were when the file was first imported.
#[test]
fn numbers_are_those_of_the_first_import() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("data")).unwrap();
    let session = Session::open_or_create(&temp.path().join("session"), &temp.path().join("data")).unwrap();
    let write = |name: &str, text: &str| {
        fs::write(temp.path().join(name), text).unwrap();
        temp.path().join(name)
    };
    let files = [
        ("fastdup", "fastdup_blur", write("stats.csv", "index,blur,mean\n0,600,100\n1,600,100\n2,10,100\n")),
        (
            "cleanlab",
            "cleanlab_outlier",
            write("issues.csv", ",is_outlier_issue,outlier_score\n0,False,0.9\n1,False,0.8\n2,True,0.1\n"),
        ),
    ];
    // By what is in them, wherever they are.
    let of = |samples: &[(&str, &str)]| {
        let sample = |(path, _): &(&str, &str)| NewSample {
            path: path.into(),
            label: Some("pet".to_owned()),
            split: Split::None,
        };
        let hashes = samples.iter().map(|(_, content)| ContentHash::of(content.as_bytes())).collect();
        let manifest = Manifest::new("/here", samples.iter().map(sample));
        (manifest, FileMetadata { hashes, ..FileMetadata::default() })
    };
    let before = of(&[("a.png", "A"), ("b.png", "B"), ("c.png", "C")]);
    let after = of(&[("a.png", "A"), ("b.png", "C"), ("d.png", "new"), ("z.png", "B")]);
    for (program, detector, file) in &files {
        let read = |(manifest, file_metadata): &(Manifest, FileMetadata)| {
            let target = Target::new(manifest, file_metadata, BTreeSet::new(), false);
            let target = target.with_orders(RowOrders::new(&session));
            let outcome =
                Importer::find(program).unwrap().read(std::slice::from_ref(file), &target, None).unwrap();
            let found = outcome.imports.iter().find(|one| one.record().name == *detector).unwrap();
            let result = found.bind(manifest, file_metadata).result;
            let flagged =
                |id: &SampleId| result.score(*id).is_some_and(|score| score < result.record().threshold);
            let flagged: Vec<SampleId> = manifest.ids().filter(flagged).collect();
            (outcome.warnings, outcome.orders, flagged)
        };
        let (_, orders, flagged) = read(&before);
        assert_eq!((orders.len(), flagged), (1, vec![SampleId(2)]), "{program}");
        session.keep_row_order(&orders[0].0, &orders[0].1).unwrap();
        let (warnings, orders, flagged) = read(&after);
        assert_eq!((orders.len(), flagged), (0, vec![SampleId(1)]), "{program}");
        assert!(
            warnings.iter().any(|text| text.contains("stay with the pictures")),
            "{program}: {warnings:?}"
        );
    }
}
