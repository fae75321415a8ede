//! Rows that may be about other samples than they seem to be.

use super::*;

/// Pictures that are called by numbers, whose order as text is another one.
const TWELVE: [&str; 12] = [
    "cat/0.png",
    "cat/10.png",
    "cat/3.png",
    "cat/4.png",
    "dog/1.png",
    "dog/11.png",
    "dog/5.png",
    "dog/8.png",
    "owl/2.png",
    "owl/6.png",
    "owl/7.png",
    "owl/9.png",
];

fn table(labels: impl Fn(usize) -> String) -> String {
    let rows = (0..12).map(|row| format!("{row},{}\n", labels(row)));
    rows.collect()
}

#[test]
fn numbers_of_rows_that_are_names_of_pictures_are_told_by_labels() {
    let named = |number: usize| {
        let path = TWELVE.iter().find(|path| path.contains(&format!("/{number}.")));
        path.unwrap().split('/').next().unwrap().to_owned()
    };
    let head = ",score,given_label\n";
    let read = |labels: &dyn Fn(usize) -> String| {
        let text = format!("{head}{}", table(|row| format!("0.{row:02},{}", labels(row))));
        read_text("csv", "x.csv", &text, &TWELVE)
    };
    let score =
        |outcome: &Outcome, row: usize| result(outcome, "csv_score", &TWELVE).score(SampleId(row as u32));
    let outcome = read(&named).unwrap();
    assert!(
        outcome.warnings.iter().any(|text| text.contains("called by their numbers")),
        "{:?}",
        outcome.warnings
    );
    assert_eq!(score(&outcome, 1), Some(0.10), "10.png");
    assert!(outcome.orders.is_empty());
    let outcome = read(&|row| TWELVE[row].split('/').next().unwrap().to_owned()).unwrap();
    assert_eq!(score(&outcome, 1), Some(0.01));
    let text = format!(",score\n{}", table(|row| format!("0.{row:02}")));
    let error = read_text("csv", "x.csv", &text, &TWELVE).err().unwrap().to_string();
    assert!(error.contains("are names of pictures as well") && error.contains("--path-column"), "{error}");
}

#[test]
fn rows_of_deleted_pictures_are_left_out() {
    let paths = ["a/x/001.png", "a/x/002.png", "extra/cat/1.png"];
    for before in ["", "./", "/here/", "/elsewhere/"] {
        let names = ["a/x/001.png", "a/x/002.png", "b/x/001.png", "cat/1.png"];
        let rows: String = names.iter().map(|name| format!("{before}{name},0.5\n")).collect();
        let outcome = read_text("csv", "x.csv", &format!("path,score\n{rows}"), &paths).unwrap();
        let found = result(&outcome, "csv_score", &paths);
        let scored: Vec<bool> = (0..3).map(|row| found.score(SampleId(row)).is_some()).collect();
        assert_eq!(scored, [true, true, false], "{before}");
        let said = "2 names in x.csv are not samples of this dataset";
        assert!(outcome.warnings.iter().any(|text| text.contains(said)), "{before}: {:?}", outcome.warnings);
    }
}

#[test]
fn rows_in_other_folders_and_other_labels_are_said() {
    let paths = ["cat/1.png", "cat/2.png", "cat/3.png", "dog/4.png", "dog/5.png", "dog/6.png"];
    let rows = |label: fn(usize) -> &'static str| -> String {
        (1..7).map(|number| format!("images/{number}.png,0.5,{}\n", label(number))).collect()
    };
    let said = |rows: String| {
        let outcome = read_text("csv", "x.csv", &format!("path,score,label\n{rows}"), &paths).unwrap();
        outcome.warnings.join("\n")
    };
    let text = said(rows(|number| if number < 4 { "cat" } else { "dog" }));
    assert!(
        text.contains("6 names in x.csv were taken for samples in other folders: 'images/1.png'"),
        "{text}"
    );
    assert!(!text.contains("are not those of the samples"), "{text}");
    let text = said(rows(|number| if number > 2 { "cat" } else { "dog" }));
    assert!(
        text.contains("5 of 6 labels in the column 'label' of x.csv are not those of the samples"),
        "{text}"
    );
}

#[test]
fn numbers_that_are_names_of_classes_may_be_their_places() {
    let classes = ["0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9"];
    let paths: Vec<String> = classes
        .iter()
        .flat_map(|class| ["a", "b"].map(|name| format!("{class}/{class}{name}.png")))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let head = "path,is_label_issue,label_score,given_label,predicted_label\n";
    let read = |place: bool| {
        let rows = paths.iter().enumerate().map(|(at, path)| {
            let given = if place { (at / 2).to_string() } else { classes[at / 2].to_owned() };
            format!("{path},True,0.1,{given},2\n")
        });
        let text = format!("{head}{}", rows.collect::<String>());
        let outcome = read_text("cleanlab", "x.csv", &text, &paths).unwrap();
        let found = result(&outcome, "cleanlab_label", &paths).suggested(SampleId(0));
        (found.map(|class| classes[class as usize]), outcome.notes.join("\n"))
    };
    assert_eq!(read(false).0, Some("2"));
    let (found, said) = read(true);
    assert_eq!(found, Some("10"), "{said}");
    assert!(said.contains("places of classes, not their names"), "{said}");
}
