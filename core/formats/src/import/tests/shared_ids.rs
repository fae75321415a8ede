//! Tables whose rows are joined to the samples by ids that the dataset has, too.

use super::*;
use chaffinch_data::manifest::ExtraColumn;

/// Rows of tables of issues are those of the dataset's column with the same heading.
#[test]
fn rows_are_joined_by_a_column_that_the_dataset_has_too() {
    let temp = tempfile::tempdir().unwrap();
    let paths = ["a.png", "b.png", "c.png"];
    let of = |program: &str, own: &str, text: &str| {
        let (manifest, file_metadata) = dataset(&paths);
        let values = ["2", "0", "1"].map(str::to_owned).to_vec();
        let manifest = manifest.with_extra(vec![ExtraColumn { name: own.to_owned(), values }]);
        let file = temp.path().join("issues.csv");
        fs::write(&file, text).unwrap();
        let target = Target::new(&manifest, &file_metadata, BTreeSet::new(), false);
        Importer::find(program).unwrap().read(&[file], &target, None).map_err(|error| error.to_string())
    };
    for (program, name, own) in
        [("csv", "csv_x", "id"), ("cleanlab", "cleanlab_label", "id"), ("csv", "csv_x", "uid")]
    {
        let (flag, score) = if program == "csv" { ("is_x", "x") } else { ("is_label_issue", "label_score") };
        let text = format!("{own},{flag},{score}\n0,True,0.1\n1,False,0.9\n2,False,0.8\n");
        let outcome = of(program, own, &text).unwrap();
        let found = result(&outcome, name, &paths);
        assert_eq!(flagged(&found, &paths), ["b.png"], "{program} {own}");
        let said = format!("are named by the column '{own}', which the dataset has, too");
        assert!(outcome.notes.iter().any(|note| note.contains(&said)), "{:?}", outcome.notes);
    }
    let error = of("csv", "Unnamed: 0", ",is_x,x\n0,True,0.1\n1,False,0.9\n2,False,0.8\n").err().unwrap();
    assert!(
        error.contains("may be the values of that column of the dataset, or the numbers of rows"),
        "{error}"
    );
}

#[test]
fn ids_that_contradict_the_paths_of_a_table_are_said() {
    let (manifest, file_metadata) = dataset(&PETS[..3]);
    let values = ["7", "8", "9"].map(str::to_owned).to_vec();
    let manifest = manifest.with_extra(vec![ExtraColumn { name: "uid".into(), values }]);
    let target = Target::new(&manifest, &file_metadata, BTreeSet::new(), false);
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("my.csv");
    for (ids, said) in [([7, 8, 9], false), ([8, 7, 9], true)] {
        let rows = PETS.iter().zip(ids).map(|(path, id)| format!("{path},{id},0.{id}\n"));
        fs::write(&file, format!("path,uid,score\n{}", rows.collect::<String>())).unwrap();
        let outcome =
            Importer::find("csv").unwrap().read(std::slice::from_ref(&file), &target, None).unwrap();
        let warnings = outcome.warnings.join("\n");
        let words = format!("the column 'uid' says otherwise: row 1 is {} by its path", PETS[0]);
        assert_eq!(warnings.contains(&words), said, "{warnings}");
    }
}

#[test]
fn rows_are_refused_where_their_labels_say_that_they_are_in_another_order() {
    let paths: Vec<String> =
        (0..60).map(|row| format!("{}/{row:02}.png", if row < 30 { "cat" } else { "dog" })).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (manifest, file_metadata) = dataset(&paths);
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("issues.csv");
    let read = |index: bool, label: &dyn Fn(usize) -> usize| {
        let rows = (0..60).map(|row| {
            let number = if index { format!("{row},") } else { String::new() };
            format!("{number}True,0.1,{}\n", ["cat", "dog"][label(row)])
        });
        let heading = if index { "," } else { "" };
        let text = format!("{heading}is_x,x,given_label\n{}", rows.collect::<String>());
        fs::write(&file, text).unwrap();
        let target = Target::new(&manifest, &file_metadata, BTreeSet::new(), false);
        Importer::find("csv")
            .unwrap()
            .read(std::slice::from_ref(&file), &target, None)
            .map_err(|error| error.to_string())
    };
    for index in [false, true] {
        let error = read(index, &|row| row % 2).err().unwrap();
        assert!(error.contains("agree with those of the dataset in only 30 of 60 rows"), "{error}");
        assert!(error.contains("add a column path"), "{error}");
        read(index, &|row| if row % 3 == 0 { row % 2 } else { row / 30 }).unwrap();
    }
}
