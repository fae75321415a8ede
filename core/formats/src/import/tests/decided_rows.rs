//! Rows of decisions that contradict the dataset, each other or themselves.

use super::*;

fn outcome(text: &str) -> (Vec<(SampleId, Option<Choice>)>, String) {
    let outcome = read_text("csv", "m.csv", text, &PETS).unwrap();
    let said = outcome.said.values().flatten().map(|(id, said)| (*id, said.choice.clone())).collect();
    (said, outcome.warnings.join("\n"))
}

#[test]
fn decisions_of_another_label_id_or_time_are_said() {
    let rows = "image_path,image_id,original_label,user_action,new_label,review_date\n";
    for (row, wanted) in [
        ("cat/0.png,7,dog,remove,,2026-03-31", "the label 'dog' instead of 'cat', which the dataset has"),
        ("cat/0.png,dog/1.png,cat,remove,,", "line 2 is cat/0.png by its path and dog/1.png by its id"),
        ("cat/0.png,7,cat,remove,,03/04/2026", "1 date is not written as in 2026-03-31"),
        ("cat/0.png,7,cat,relabel,1,", "1 row relabels to '1', which is not a class of the dataset"),
        ("cat/0.png,7,cat,remove,,2026-03-31", ""),
    ] {
        let (said, warnings) = outcome(&format!("{rows}{row}\n"));
        assert_eq!(said.len(), 1, "{row}");
        assert!(warnings.contains(wanted) && warnings.is_empty() == wanted.is_empty(), "{row}: {warnings}");
    }
}

#[test]
fn of_two_decisions_about_one_sample_the_first_is_taken_and_that_is_said() {
    let text =
        "image_path,user_action,reviewer\ncat/0.png,remove,ann\ncat/0.png,keep,ann\ncat/0.png,keep,bob\n";
    let (said, warnings) = outcome(text);
    let cat = SampleId(5);
    assert_eq!(
        said,
        [(cat, Some(Choice::Remove)), (cat, Some(Choice::Keep))],
        "each reviewer has an own one"
    );
    assert!(warnings.contains("decide differently about the same sample"), "{warnings}");
    assert!(
        warnings.contains("lines 2, 3 of m.csv") || warnings.contains("line 2, 3 of m.csv"),
        "{warnings}"
    );
}

#[test]
fn a_column_of_decisions_under_another_heading_says_what_it_is_called() {
    let error = read_text("csv", "m.csv", "path,decision\ncat/0.png,remove\n", &PETS).err().unwrap();
    assert!(error.to_string().contains("there is no column user_action"), "{error}");
}

/// Which of the two the decision is about is not known.
#[test]
fn two_columns_of_paths_that_name_different_samples_are_refused() {
    let table = |other: &str| format!("filename,image_path,user_action\n{other},cat/0.png,remove\n");
    for program in ["csv", "visual-layer"] {
        let error = read_text(program, "m.csv", &table("cat/1.png"), &PETS).err().unwrap().to_string();
        assert!(
            error.contains("line 2: two columns of paths name different samples, cat/0.png and cat/1.png"),
            "{program}: {error}"
        );
        for same in ["cat/0.png", "/data/cat/0.png", "somewhere.png", ""] {
            let outcome = read_text(program, "m.csv", &table(same), &PETS).unwrap();
            assert_eq!(outcome.said.values().flatten().count(), 1, "{program} {same}");
        }
    }
    let error = message(
        "visual-layer",
        "m.json",
        r#"[{"image_path":"cat/0.png","filename":"cat/1.png","issue_type":"x"}]"#,
    );
    assert!(error.contains("record 1: two columns of paths"), "{error}");
}

/// A bare name beside the split of another picture that ends in it.
#[test]
fn a_decision_about_another_split_is_left_out_where_another_sample_may_be_meant() {
    let paths = ["test/cat/7.png", "train/dog/test/cat/7.png", "test/dog/8.png"];
    let text = "image_path,user_action,split\ntest/cat/7.png,remove,train\ntest/dog/8.png,remove,train\n";
    let outcome = read_text("csv", "m.csv", text, &paths).unwrap();
    let said: Vec<SampleId> = outcome.said.values().flatten().map(|(id, _)| *id).collect();
    assert_eq!(said, [SampleId(2)], "only one sample is called so");
    let text = "1 row of m.csv names a sample of another split than its own and was left out: test/cat/7.png is not in train, and \
                train/dog/test/cat/7.png is";
    assert!(outcome.warnings.join("\n").contains(text), "{:?}", outcome.warnings);
    let scores = "path,split,score\ntest/cat/7.png,train,0.5\ntest/dog/8.png,test,0.5\n";
    let outcome = read_text("csv", "m.csv", scores, &paths).unwrap();
    let found = result(&outcome, "csv_score", &paths);
    assert_eq!([0, 2].map(|row| found.score(SampleId(row)).is_some()), [false, true]);
}

/// A row that says another split than that of the only sample which it names by a part of its path is about one that is gone.
#[test]
fn scores_of_another_split_are_left_out() {
    let paths = ["test/cat/7.png", "train/dog/8.png"];
    let scored = |text: &str| {
        let outcome = read_text("csv", "m.csv", text, &paths).unwrap();
        let found = result(&outcome, "csv_score", &paths);
        ([0, 1].map(|row| found.score(SampleId(row)).is_some()), outcome.warnings.join("\n"))
    };
    for heading in ["split", "Split", "subset", "partition", "fold"] {
        let text =
            |split: &str| format!("path,{heading},score\ncat/7.png,{split},0.5\ndog/8.png,train,0.5\n");
        assert_eq!(scored(&text("test")).0, [true, true], "{heading}");
        let (found, said) = scored(&text("train"));
        assert_eq!(found, [false, true], "{heading}");
        let text = "1 name in m.csv is not a sample of this dataset: cat/7.png in train";
        assert!(said.contains(text), "{heading}: {said}");
    }
    assert_eq!(scored("path,is_train,score\ncat/7.png,1,0.5\ndog/8.png,1,0.5\n").0, [false, true]);
}

/// Names that both splits have mean the one that is said.
#[test]
fn scores_of_samples_that_are_called_alike_go_by_their_splits() {
    let paths = ["test/cat/7.png", "train/cat/7.png"];
    let text = "path,set,score\ncat/7.png,train,0.2\ncat/7.png,test,0.7\n";
    let outcome = read_text("csv", "m.csv", text, &paths).unwrap();
    let found = result(&outcome, "csv_score", &paths);
    assert_eq!([0, 1].map(|row| found.score(SampleId(row))), [Some(0.7), Some(0.2)]);
}
