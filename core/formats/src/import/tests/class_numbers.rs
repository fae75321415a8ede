//! Numbers of classes in tables of other programs.

use super::*;

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
