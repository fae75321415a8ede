//! Numbers of classes in tables of other programs.

use super::*;
use chaffinch_data::class_numbers::ClassNumbers;

const FOUR: [&str; 4] = ["ant/0.png", "ant/1.png", "cow/2.png", "dog/3.png"];

fn suggested(program: &str, name: &str, text: &str) -> (Vec<Option<u32>>, Outcome) {
    let outcome = read_text(program, "issues.csv", text, &FOUR).unwrap();
    let found = result(&outcome, name, &FOUR);
    ((0..4).map(|row| found.suggested(SampleId(row))).collect(), outcome)
}

/// The program that wrote them numbered its classes otherwise: cow, bee, ant and dog, of which the dataset has no bee.
#[test]
fn numbers_are_what_the_given_labels_say() {
    let rows =
        "ant/0.png,True,0.1,2,0\nant/1.png,True,0.2,2,1\ncow/2.png,True,0.1,0,3\ndog/3.png,False,0.9,3,3\n";
    for (program, name) in [("cleanlab", "cleanlab_label"), ("csv", "csv_label")] {
        let head = match program {
            "cleanlab" => "path,is_label_issue,label_score,given_label,predicted_label\n",
            _ => "path,is_label_issue,score,given_label,suggested_label\n",
        };
        let (found, outcome) = suggested(program, name, &format!("{head}{rows}"));
        assert_eq!(found, [Some(1), None, Some(2), None], "{program}");
        let said = "by the given labels, 0 is cow, 2 is ant, 3 is dog";
        assert!(outcome.notes.iter().any(|note| note.contains(said)), "{program}: {:?}", outcome.notes);
        let said = "by numbers that no given label has, which are not taken: 1";
        assert!(outcome.warnings.iter().any(|text| text.contains(said)), "{program}: {:?}", outcome.warnings);
    }
}

#[test]
fn without_given_labels_numbers_are_places_and_it_is_said() {
    let head = "path,is_label_issue,label_score,predicted_label\n";
    let (found, outcome) = suggested("cleanlab", "cleanlab_label", &format!("{head}ant/0.png,True,0.1,1\n"));
    assert_eq!(found[0], Some(1));
    let said = "taken for the classes in the order of their names: 1 is cow";
    assert!(outcome.notes.iter().any(|note| note.contains(said)), "{:?}", outcome.notes);
    let (found, outcome) = suggested(
        "cleanlab",
        "cleanlab_label",
        &format!("{head}ant/0.png,True,0.1,1\nant/1.png,True,0.1,3\n"),
    );
    assert_eq!(found[..2], [None, None], "3 is beyond the classes, so 1 need not be cow");
    assert!(outcome.warnings.iter().any(|text| text.contains("what the numbers mean is not known")));
}

#[test]
fn numbers_that_go_with_no_labels_are_refused() {
    let head = "path,is_label_issue,label_score,given_label,predicted_label\n";
    let rows =
        "ant/0.png,True,0.1,7,8\nant/1.png,False,0.9,8,8\ncow/2.png,False,0.9,7,7\ndog/3.png,False,0.9,8,8\n";
    let error =
        read_text("cleanlab", "issues.csv", &format!("{head}{rows}"), &FOUR).err().unwrap().to_string();
    assert!(error.contains("do not go with the labels of the dataset"), "{error}");
}

/// A dataset numbers its classes itself: 0 is dog, 1 is cow, 2 is ant.
#[test]
fn numbers_of_the_dataset_count_before_those_by_name() {
    let read = |numbers: &ClassNumbers, text: &str| {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("issues.csv");
        fs::write(&file, text).unwrap();
        let manifest = dataset(&FOUR).0.with_class_numbers(numbers.clone());
        let outcome = read_into("cleanlab", &[file], &manifest).unwrap();
        let found = result(&outcome, "cleanlab_label", &FOUR);
        let suggested: Vec<Option<u32>> = (0..4).map(|row| found.suggested(SampleId(row))).collect();
        (suggested, outcome.notes.join("\n") + &outcome.warnings.join("\n"))
    };
    let places = ClassNumbers::of_list(["dog", "cow", "ant"]);
    let head = "path,is_label_issue,label_score,predicted_label\n";
    let two = format!("{head}ant/0.png,True,0.1,0\ncow/2.png,True,0.2,2\n");
    let (found, said) = read(&places, &two);
    assert_eq!(found, [Some(2), None, Some(0), None]);
    assert!(said.contains("as the dataset numbers them: 0 is dog, 2 is ant"), "{said}");
    // With given labels, which say the same, also by the numbers of rows.
    let head = "is_label_issue,label_score,given_label,predicted_label\n";
    let (found, said) =
        read(&places, &format!("{head}True,0.1,2,0\nFalse,0.9,2,2\nTrue,0.2,1,2\nFalse,0.9,0,0\n"));
    assert_eq!(found, [Some(2), None, Some(0), None]);
    assert!(said.contains("are those of the classes as the dataset numbers them"), "{said}");
    // Given labels say that a program numbered by name all the same.
    let (found, _) =
        read(&places, &format!("{head}True,0.1,0,2\nFalse,0.9,0,0\nTrue,0.2,1,0\nFalse,0.9,2,2\n"));
    assert_eq!(found, [Some(2), None, Some(0), None]);
    // Ids from 1 may be written as they are, or counted from 0.
    let ids = ClassNumbers::of_ids([(1, "dog"), (2, "cow"), (3, "ant")]);
    let (found, said) = read(&ids, &two);
    assert_eq!(found, [Some(2), None, Some(0), None], "0 is no id");
    assert!(said.contains("in the order of the dataset's numbers: 0 is dog"), "{said}");
    let head = "path,is_label_issue,label_score,predicted_label\n";
    let (found, said) = read(&ids, &format!("{head}ant/0.png,True,0.1,1\ncow/2.png,True,0.2,3\n"));
    assert_eq!(found, [Some(2), None, Some(0), None], "3 is no place");
    assert!(said.contains("1 is dog, 3 is ant"), "{said}");
    let (found, said) = read(&ids, &format!("{head}ant/0.png,True,0.1,1\ncow/2.png,True,0.2,2\n"));
    assert_eq!(found, [None; 4], "both ways are possible");
    assert!(said.contains("what the numbers mean is not known"), "{said}");
}
