use super::super::list;
use super::*;
use std::fs;

/// A folder of files, read with labels from a table with this text.
fn read(files: &[&str], table: &str, more: DatasetOptions) -> Result<Opened> {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    for file in files {
        let path = data.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"x").unwrap();
    }
    let labels = temp.path().join("labels.csv");
    fs::write(&labels, table).unwrap();
    list(&data, &DatasetOptions { labels: Some(labels), ..more }).map(|(_, opened)| opened)
}

fn labels(opened: &Opened) -> Vec<&str> {
    opened.manifest.ids().map(|id| opened.manifest.label_name(id)).collect()
}

fn said(opened: &Opened, words: &str) -> bool {
    opened.ledger.remarks.iter().any(|remark| remark.text.contains(words))
}

#[test]
fn rows_are_joined_by_path_stem_and_number() {
    let files = ["x/001.png", "x/002.png", "y/003.png"];
    let options = DatasetOptions::default;
    for (table, by) in [
        ("path,label\nx/001.png,cat\n/old/x/002.png,dog\ny/003.png,cat\n", "by path"),
        ("file,label\n001.png,cat\n002.png,dog\n003.png,cat\n", "by path"),
        ("image_id,label\n001,cat\n002,dog\n003,cat\n", "by file name without extension"),
        ("image_id,label\nx/001.jpg,cat\nx/002.jpg,dog\ny/003.jpg,cat\n", "by file name without extension"),
        ("id,class\n1,cat\n2,dog\n3,cat\n", "by number in the file name"),
    ] {
        let opened = read(&files, table, options()).unwrap();
        assert_eq!(labels(&opened), ["cat", "dog", "cat"], "{table}");
        assert!(said(&opened, by), "{table}: {:?}", opened.ledger);
        assert_eq!(opened.manifest.classes(), ["cat", "dog"]);
    }
}

#[test]
fn paths_in_an_older_encoding_are_read_like_others() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    let names: Vec<String> = (0..4).map(|number| format!("Käfer und Größe {number}.png")).collect();
    names.iter().for_each(|name| fs::write(data.join(name), b"x").unwrap());
    let file = temp.path().join("labels.csv");
    let rows = names.iter().enumerate().map(|(row, name)| format!("{name},{}\n", ["cat", "dog"][row % 2]));
    let text = format!("path,label\n{}", rows.collect::<String>());
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter as u32).unwrap()).collect();
    fs::write(&file, latin).unwrap();
    let (_, opened) =
        list(&data, &DatasetOptions { labels: Some(file), ..DatasetOptions::default() }).unwrap();
    assert_eq!(labels(&opened), ["cat", "dog", "cat", "dog"]);
}

/// Ids that are also the names of other files.
#[test]
fn a_column_of_both_tables_joins_them_and_other_doubts_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let (table, labels_file) = (temp.path().join("t.csv"), temp.path().join("labels.csv"));
    for (heading, key) in [("id", "id"), ("ID", "id"), ("image_id", "id")] {
        fs::write(&table, format!("{heading},path\n2,0.png\n1,1.png\n0,2.png\n")).unwrap();
        fs::write(&labels_file, format!("{key},label\n0,cat\n1,dog\n2,cow\n")).unwrap();
        let options = DatasetOptions { labels: Some(labels_file.clone()), ..DatasetOptions::default() };
        let read = list(&table, &options);
        if heading.eq_ignore_ascii_case(key) {
            assert_eq!(labels(&read.unwrap().1), ["cow", "dog", "cat"], "{heading}");
        } else {
            let error = read.err().unwrap().to_string();
            for words in
                ["0 in column 'id' is 0.png by file name", "and 2.png by id", "one heading in both tables"]
            {
                assert!(error.contains(words), "{error}");
            }
        }
    }
}

#[test]
fn a_table_gets_labels_by_its_ids_and_keeps_other_columns() {
    let temp = tempfile::tempdir().unwrap();
    let (table, labels_file) = (temp.path().join("t.csv"), temp.path().join("labels.csv"));
    fs::write(&table, "path,id,note\nu.png,7,first\nv.png,8,second\n").unwrap();
    fs::write(&labels_file, "key,given,second annotator,note\n8,dog,cat,a\n7,cat,cat,b\n").unwrap();
    let options = DatasetOptions {
        labels: Some(labels_file),
        key: Some("key".into()),
        label_column: Some("given".into()),
        ..DatasetOptions::default()
    };
    let (_, opened) = list(&table, &options).unwrap();
    assert_eq!(labels(&opened), ["cat", "dog"]);
    let extra: Vec<(&str, [&str; 2])> = (opened.manifest.extra().iter())
        .map(|column| (column.name.as_str(), [column.values[0].as_str(), column.values[1].as_str()]))
        .collect();
    assert_eq!(
        extra,
        [
            ("id", ["7", "8"]),
            ("note", ["first", "second"]),
            ("second annotator", ["cat", "cat"]),
            ("note_", ["b", "a"])
        ]
    );
    assert_eq!(opened.ledger.count(RemarkKind::LabelsMissing), 0, "{:?}", opened.ledger);
}

#[test]
fn what_does_not_match_is_said_and_counted() {
    let files = ["cat/1.png", "cat/2.png", "dog/1.png", "dog/3.png"];
    let table = "path,label,split\n1.png,a,train\n2.png,b,test\n3.png,c,\n9.png,d,\n2.png,e,\n8.png,d,\n";
    let opened = read(&files, table, DatasetOptions::default()).unwrap();
    assert_eq!(labels(&opened), ["", "b", "", "c"], "labels of folders are replaced");
    assert_eq!(opened.manifest.split(SampleId(1)), Split::Test);
    for words in [
        "2 images have no row in labels.csv",
        "2 rows of labels.csv name no image of the dataset: 9.png, 8.png",
        "1 row of labels.csv may mean several images, so no label was taken: 1.png (cat/1.png or dog/1.png; write more of the path, or choose another column with --key)",
        "1 row of labels.csv repeats an earlier image, whose first row was taken: 2.png",
        "1 image has rows with different labels in labels.csv, of which the first was taken: cat/2.png (b in 1 row, e in 1)",
        "2 differ from those of the dataset",
    ] {
        assert!(said(&opened, words), "{words}: {:#?}", opened.ledger.remarks);
    }
}

#[test]
fn a_table_that_cannot_be_joined_is_an_error() {
    let error = |table: &str, more: DatasetOptions| read(&["1.png"], table, more).unwrap_err().to_string();
    let options = DatasetOptions::default;
    assert!(
        error("path,label\nx.png,a\n", options())
            .contains("no row names an image of the dataset in column 'path'")
    );
    assert!(error("a,b\n9.png,x\n", options()).contains("choose one with --key; the columns are 'a', 'b'"));
    assert!(error("path,a,b\n1.png,x,y\n", options()).contains("choose one with --label-column"));
    let key = DatasetOptions { key: Some("name".into()), ..options() };
    assert!(error("path,label\n1.png,x\n", key).contains("there is no column 'name'"));
    assert!(error("path,label\n", options()).contains("a header but no rows"));
    assert!(error("path,label\n1.png\n", options()).contains("line 2 has 1 field, but the header has 2"));
}

/// Lists of pictures for training, as Clothing1M and many scripts have them: a path, blanks and a class.
#[test]
fn labels_are_joined_from_lists_of_paths_and_classes() {
    let temp = tempfile::tempdir().unwrap();
    for name in ["1.png", "2.png", "3 of 3.png"] {
        fs::write(temp.path().join(name), b"x").unwrap();
    }
    let read = |name: &str, text: &str| {
        let file = temp.path().join(name);
        fs::write(&file, text).unwrap();
        let options = DatasetOptions { labels: Some(file), ..DatasetOptions::default() };
        list(temp.path(), &options).map(|(_, opened)| opened)
    };
    for name in ["train.txt", "train.lst", "all.list"] {
        for text in [
            "2.png 7\n1.png 3\n3 of 3.png 7\n",
            "/old/3 of 3.png\t7\r\n\r\n/old/2.png   7\r\n/old/1.png 3 \r\n",
        ] {
            assert_eq!(labels(&read(name, text).unwrap()), ["3", "7", "7"], "{name} {text}");
        }
        fs::remove_file(temp.path().join(name)).unwrap();
    }
    // A line without a class, or with several.
    for text in ["1.png 3\n2.png\n3 of 3.png 7\n", "1.png 0 1\n2.png 1 0\n"] {
        assert!(read("train.txt", text).is_err(), "{text}");
    }
}

#[test]
fn pictures_without_labels_beside_a_table_need_no_other() {
    // The table itself lies beside the pictures.
    let temp = tempfile::tempdir().unwrap();
    for name in ["1.png", "2.png"] {
        fs::write(temp.path().join(name), b"x").unwrap();
    }
    let file = temp.path().join("labels.csv");
    fs::write(&file, "image,label\n1.png,cat\n2.png,nan\n").unwrap();
    let options = DatasetOptions { labels: Some(file), ..DatasetOptions::default() };
    let (_, opened) = list(temp.path(), &options).unwrap();
    assert_eq!(labels(&opened), ["cat", ""], "nan is not a label in a table");
    assert!(!said(&opened, "was not read"), "{:#?}", opened.ledger.remarks);
}

#[test]
fn splits_are_joined_from_columns_of_truth_values_too() {
    let files = ["x/001.png", "x/002.png", "y/003.png"];
    let table = "path,label,is_valid\nx/001.png,cat,0\nx/002.png,dog,1\ny/003.png,cat,0\n";
    let opened = read(&files, table, DatasetOptions::default()).unwrap();
    let splits: Vec<Split> = opened.manifest.ids().map(|id| opened.manifest.split(id)).collect();
    assert_eq!(splits, [Split::Train, Split::Validation, Split::Train]);
    assert!(
        said(&opened, "the column 'is_valid' of labels.csv was taken for the splits"),
        "{:?}",
        opened.ledger
    );
}

#[test]
fn rows_that_joined_columns_put_into_two_splits_are_said() {
    let files = ["x/001.png", "x/002.png"];
    let table = "path,label,is_train,is_test\nx/001.png,cat,1,1\nx/002.png,dog,0,1\n";
    let opened = read(&files, table, DatasetOptions::default()).unwrap();
    let splits: Vec<Split> = opened.manifest.ids().map(|id| opened.manifest.split(id)).collect();
    assert_eq!(splits, [Split::None, Split::Test]);
    let words = "1 row of labels.csv is in two splits by the columns 'is_train', 'is_test'";
    assert!(said(&opened, words), "{:?}", opened.ledger);
}

/// A table with columns beside the paths, and labels for it.
fn of_tables(table: &str, text: &str, more: DatasetOptions) -> Result<Opened> {
    let temp = tempfile::tempdir().unwrap();
    let (own, labels) = (temp.path().join("t.csv"), temp.path().join("labels.csv"));
    fs::write(&own, table).unwrap();
    fs::write(&labels, text).unwrap();
    list(&own, &DatasetOptions { labels: Some(labels), ..more }).map(|(_, opened)| opened)
}

#[test]
fn the_key_may_be_any_column_of_ids_or_an_index_of_names() {
    let own = "path,uid\na.png,7\nb.png,8\nc.png,9\n";
    for table in [
        "uid,label\n9,cat\n8,dog\n7,cow\n",
        ",label\nc.png,cat\nb.png,dog\na.png,cow\n",
        "index,label\nc,cat\nb,dog\na,cow\n",
        "name,uid,label\nTom,9,cat\nRex,8,dog\nBess,7,cow\n",
    ] {
        let opened = of_tables(own, table, DatasetOptions::default()).unwrap();
        assert_eq!(labels(&opened), ["cow", "dog", "cat"], "{table}: {:?}", opened.ledger);
    }
    let opened = of_tables(own, "name,uid,label\nTom,9,cat\nRex,8,dog\n", DatasetOptions::default()).unwrap();
    assert!(
        said(&opened, "found by the column 'uid', not by 'name', which names none"),
        "{:?}",
        opened.ledger
    );
    // An index of numbers counts rows, whatever the files are called.
    let counting = ",label\n0,cat\n1,dog\n";
    let error = read(&["0.png", "1.png"], counting, DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("choose one with --key"), "{error}");
}

#[test]
fn numbers_of_another_column_or_order_are_no_key() {
    let refused = |own: &str, table: &str| {
        of_tables(own, table, DatasetOptions::default())
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    // Counted from 0 there and from 1 here, most numbers are the same and mean others.
    let own = "path,id\na.png,2\nb.png,0\nc.png,1\n";
    for heading in ["image_id", "uid"] {
        let error = refused(own, &format!("{heading},label\n1,cat\n2,dog\n3,cow\n"));
        assert!(error.contains("choose"), "{heading}: {error}");
    }
    // Those of all images among others are theirs.
    let more = "image_id,label\n0,cat\n1,dog\n2,cow\n3,owl\n";
    assert_eq!(labels(&of_tables(own, more, DatasetOptions::default()).unwrap()), ["cow", "cat", "dog"]);
    // An index that the dataset kept when its rows were put into another order.
    let kept = "path,Unnamed: 0\na.png,2\nb.png,0\nc.png,1\n";
    assert!(refused(kept, ",label\n0,cat\n1,dog\n2,cow\n").contains("choose one with --key"));
}

#[test]
fn columns_that_name_different_images_are_refused() {
    let own = "path,id\na.png,7\nb.png,8\nc.png,9\n";
    let agree = "path,id,label\na.png,7,cat\nb.png,8,dog\nc.png,9,cow\n";
    let opened = of_tables(own, agree, DatasetOptions::default()).unwrap();
    assert_eq!(labels(&opened), ["cat", "dog", "cow"]);
    let table = "path,id,label\na.png,9,cat\nb.png,8,dog\nc.png,7,cow\n";
    let error = of_tables(own, table, DatasetOptions::default()).unwrap_err().to_string();
    for words in [
        "the columns 'path' and 'id' of labels.csv name different images",
        "line 2 is a.png by the one and c.png by the other",
        "choose one with --key",
    ] {
        assert!(error.contains(words), "{error}");
    }
    let key = DatasetOptions { key: Some("id".into()), ..DatasetOptions::default() };
    assert_eq!(labels(&of_tables(own, table, key).unwrap()), ["cow", "dog", "cat"]);
    // What may count anything is said, and nothing that counts rows.
    let files = ["1.png", "2.png", "3.png"];
    let opened =
        read(&files, "path,id,label\n1.png,3,cat\n2.png,2,dog\n3.png,1,cow\n", DatasetOptions::default())
            .unwrap();
    assert_eq!(labels(&opened), ["cat", "dog", "cow"]);
    assert!(said(&opened, "'path' was taken, and --key chooses"), "{:?}", opened.ledger);
    let opened =
        read(&files, "path,index,label\n1.png,3,cat\n2.png,2,dog\n3.png,1,cow\n", DatasetOptions::default())
            .unwrap();
    assert!(!said(&opened, "name different images"), "{:?}", opened.ledger);
}

/// A counter of rows is not a number of a file where a column has the names, whatever it is called.
#[test]
fn names_of_images_win_over_numbers_under_any_heading() {
    let files = ["0.png", "1.png", "2.png"];
    let own = "path,id\n0.png,2\n1.png,3\n2.png,4\n";
    for counter in ["id", "image_id", "img_id", "name"] {
        for heading in ["pic", "Image Index", "uri", "ImageId", "sample", "key", "name", "filename", "fname"]
        {
            for names in [["2.png", "0.png", "1.png"], ["/old/2.png", "/old/0.png", "/old/1.png"]] {
                if counter == heading {
                    continue;
                }
                let row = |at: usize| format!("{at},{},{}\n", names[at], ["cow", "cat", "dog"][at]);
                let table = format!("{counter},{heading},label\n{}{}{}", row(0), row(1), row(2));
                let opened = read(&files, &table, DatasetOptions::default()).unwrap();
                assert_eq!(labels(&opened), ["cat", "dog", "cow"], "{table}");
                let words = format!("'{heading}' was taken, and --key chooses");
                assert!(said(&opened, &words), "{table}: {:?}", opened.ledger);
            }
        }
    }
    // Ids that the dataset has, too, are none that merely count.
    let table = "id,pic,label\n2,2.png,cow\n3,0.png,cat\n4,1.png,dog\n";
    let error = of_tables(own, table, DatasetOptions::default()).unwrap_err().to_string();
    for words in ["the columns 'id' and 'pic' of labels.csv name different images", "choose one with --key"] {
        assert!(error.contains(words), "{error}");
    }
    let key = DatasetOptions { key: Some("id".into()), ..DatasetOptions::default() };
    assert_eq!(labels(&of_tables(own, table, key).unwrap()), ["cow", "cat", "dog"]);
    // Names that are not those of the row: of the one before, or two columns of them.
    for (heading, rows) in [
        ("id,previous,label", "0,,cat\n1,0.png,dog\n2,1.png,cow\n"),
        ("id,nearest,label", "0,1.png,cat\n1,2.png,dog\n2,1.png,cow\n"),
        ("id,old,new,label", "0,1.png,2.png,cat\n1,2.png,0.png,dog\n2,0.png,1.png,cow\n"),
    ] {
        let error = read(&files, &format!("{heading}\n{rows}"), DatasetOptions::default()).unwrap_err();
        assert!(error.to_string().contains("name different images"), "{error}");
    }
    // They agree, there are paths besides, or the names are labels.
    for (table, column) in [
        ("id,pic,label\n2,2.png,cow\n0,0.png,cat\n1,1.png,dog\n", "'id'"),
        ("id,pic,nearest,label\n2,2.png,0.png,cow\n0,0.png,1.png,cat\n1,1.png,0.png,dog\n", "'id'"),
        ("path,nearest,label\n2.png,0.png,cow\n0.png,1.png,cat\n1.png,2.png,dog\n", "'path'"),
    ] {
        let opened = read(&files, table, DatasetOptions::default()).unwrap();
        assert_eq!(labels(&opened), ["cat", "dog", "cow"], "{table}");
        assert!(said(&opened, &format!("in column {column}")), "{table}: {:?}", opened.ledger);
    }
    let opened =
        of_tables("path,id\ncat.png,1\ndog.png,2\n", "id,given\n1,dog\n2,cat\n", DatasetOptions::default());
    assert_eq!(labels(&opened.unwrap()), ["dog", "cat"]);
}

/// Files whose names are numbers, and two columns that have all of these.
#[test]
fn numbers_that_may_name_images_in_two_ways_are_refused() {
    let files = ["0.png", "1.png", "2.png"];
    for (one, other) in [("image_id", "uid"), ("id", "photo_id"), ("image_id", "id"), ("uid", "image_id")] {
        let table = format!("{one},{other},label\n0,2,cat\n2,0,dog\n1,1,cow\n");
        let error = read(&files, &table, DatasetOptions::default()).unwrap_err().to_string();
        for words in ["name different images", &format!("'{one}'"), &format!("'{other}'"), "with --key"] {
            assert!(error.contains(words), "{table}: {error}");
        }
        let key = DatasetOptions { key: Some(other.into()), ..DatasetOptions::default() };
        assert_eq!(labels(&read(&files, &table, key).unwrap()), ["dog", "cow", "cat"]);
    }
    // The one that does not count rows is meant; ids of something else are none of images.
    for (table, meant) in [
        ("image_id,id,label\n2,0,cow\n0,1,cat\n1,2,dog\n", ["cat", "dog", "cow"]),
        ("id,annotator_id,label\n2,0,cow\n0,1,cat\n1,2,dog\n", ["cat", "dog", "cow"]),
        ("image_id,uid,label\n2,2,cow\n0,0,cat\n1,1,dog\n", ["cat", "dog", "cow"]),
    ] {
        let opened = read(&files, table, DatasetOptions::default()).unwrap();
        assert_eq!(labels(&opened), meant, "{table}");
    }
}

#[test]
fn numbers_that_are_one_off_those_of_the_files_are_refused() {
    let table = |first: u32| format!("id,label\n{first},cat\n{},dog\n{},cow\n", first + 1, first + 2);
    for (files, first, words) in [
        (["0.png", "1.png", "2.png"], 1, "go from 1 to 3, and those in the file names from 0 to 2"),
        (["1.png", "2.png", "3.png"], 0, "go from 0 to 2, and those in the file names from 1 to 3"),
    ] {
        let error = read(&files, &table(first), DatasetOptions::default()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    // Some of the images have rows, and there may be more rows than images.
    let opened = read(&["0.png", "1.png"], &table(1), DatasetOptions::default()).unwrap();
    assert_eq!(labels(&opened), ["", "cat"]);
}

#[test]
fn which_of_two_columns_of_labels_was_taken_is_said() {
    let files = ["1.png", "2.png", "3.png"];
    let of = |heading: &str, cells: [&str; 3]| {
        let rows = (1..).zip(cells).map(|(row, cells)| format!("{row}.png,{cells}\n"));
        let table = format!("path,{heading}\n{}", rows.collect::<String>());
        read(&files, &table, DatasetOptions::default()).unwrap()
    };
    let opened = of("category,label", ["pet,cat", "pet,dog", "wild,fox"]);
    assert_eq!(labels(&opened), ["cat", "dog", "fox"]);
    assert!(said(&opened, "may both hold the labels, and differ: 'label' was taken; --label-column chooses"));
    let opened = of("class_id,class_name", ["0,cat", "1,dog", "1,cat"]);
    assert_eq!(labels(&opened), ["cat", "dog", "cat"]);
    assert!(said(&opened, "'class_name' and 'class_id' of"), "{:?}", opened.ledger);
    let opened = of("class_id,class_name", ["0,cat", "1,dog", "0,cat"]);
    assert!(said(
        &opened,
        "taken from the column 'class_name', not from 'class_id', which divides the images alike"
    ));
    assert!(!said(&of("label", ["cat", "dog", "cat"]), "may both"));
}

#[test]
fn labels_that_a_program_wrote_as_decimals_are_whole_numbers() {
    let files = ["1.png", "2.png", "3.png"];
    let of = |cells: [&str; 3]| {
        let rows = (1..).zip(cells).map(|(row, cell)| format!("{row}.png,{cell}\n"));
        let table = format!("path,label\n{}", rows.collect::<String>());
        read(&files, &table, DatasetOptions::default()).unwrap()
    };
    assert_eq!(labels(&of(["1.0", "2.0", ""])), ["1", "2", ""]);
    assert_eq!(labels(&of(["1.0", "2.5", "3.0"])), ["1.0", "2.5", "3.0"]);
    assert_eq!(labels(&of(["1.0", "cat", "3.0"])), ["1.0", "cat", "3.0"]);
}

#[test]
fn a_row_is_not_joined_to_a_picture_that_only_ends_like_it() {
    let files = ["1.png", "2.png", "ant/1.png", "ant/3.png"];
    let opened =
        read(&files, "path,label\ncrops/1.png,elk\n2.png,cow\nant/3.png,ant\n", DatasetOptions::default());
    let opened = opened.unwrap();
    assert_eq!(labels(&opened), ["", "cow", "", "ant"]);
    assert!(said(&opened, "crops/1.png (1.png or ant/1.png; write more of the path"), "{:#?}", opened.ledger);
}

#[test]
fn rows_of_deleted_images_and_other_labels_are_said() {
    let files = ["a/x/1.png", "a/x/2.png", "extra/cat/1.png"];
    let table = "path,label\na/x/1.png,cat\na/x/2.png,dog\nb/x/1.png,owl\ncat/1.png,owl\n";
    let opened = read(&files, table, DatasetOptions::default()).unwrap();
    assert_eq!(labels(&opened), ["cat", "dog", ""]);
    assert!(
        said(&opened, "2 rows of labels.csv name no image of the dataset: b/x/1.png"),
        "{:?}",
        opened.ledger
    );
    // In other folders, with labels that most of these images do not have.
    let files = ["cat/1.png", "cat/2.png", "cat/3.png", "dog/4.png", "dog/5.png", "dog/6.png"];
    let rows: String = (1..7).map(|at| format!("all/{at}.png,{}\n", ["dog", "cat"][at / 4])).collect();
    let opened = read(&files, &format!("path,label\n{rows}"), DatasetOptions::default()).unwrap();
    assert!(said(
        &opened,
        "6 rows of labels.csv were taken for images in other folders: 'all/1.png' for cat/1.png"
    ));
    assert!(
        said(&opened, "6 of 6 labels of labels.csv are other classes of the dataset"),
        "{:?}",
        opened.ledger
    );
}

/// A name with the extension of a picture is that of a file, wherever some such names are those of files of the dataset.
#[test]
fn a_row_of_a_file_is_not_joined_to_one_with_another_extension() {
    let files = ["cat/0.jpg", "cat/0.png", "cat/1.png", "cat/2.png"];
    let table = "path,label\ncat/0.jpg,a\ncat/1.jpg,b\ncat/2.jpg,c\n";
    let opened = read(&files, table, DatasetOptions::default()).unwrap();
    assert_eq!(labels(&opened), ["a", "", "", ""]);
    let stems = "path,label\ncat/0.jpg,a\ncat/1.jpg,b\ncat/2,c\n";
    let opened = read(&files, stems, DatasetOptions::default()).unwrap();
    assert_eq!(labels(&opened), ["a", "", "", "c"]);
}

/// A file beside class folders says which number is which class.
#[test]
fn labels_that_are_numbers_of_classes_are_these() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    let file = temp.path().join("labels.csv");
    for (folder, names) in [("ant", ["1.png", "2.png"]), ("bee", ["3.png", "4.png"])] {
        fs::create_dir_all(data.join(folder)).unwrap();
        names.iter().for_each(|name| fs::write(data.join(folder).join(name), b"x").unwrap());
    }
    let read = |table: &str| {
        fs::write(&file, table).unwrap();
        let options = DatasetOptions { labels: Some(file.clone()), ..DatasetOptions::default() };
        list(&data, &options).unwrap().1
    };
    let table = "path,label\nant/1.png,1\nant/2.png,0.0\nbee/3.png,0\nbee/4.png,\n";
    assert_eq!(labels(&read(table)), ["1", "0", "0", ""], "nothing states numbers");
    fs::write(data.join("class_to_idx.json"), r#"{"bee": 0, "ant": 1}"#).unwrap();
    let opened = read(table);
    assert_eq!(labels(&opened), ["ant", "bee", "bee", ""]);
    let text = "the numbers in column 'label' of labels.csv were taken for the classes that class_to_idx.json numbers: 0 is 'bee'";
    assert!(said(&opened, text), "{:?}", opened.ledger);
    assert_eq!(opened.manifest.class_numbers().number("ant"), Some(1));
    // Names that are numbers themselves are names, which is said.
    for (old, new) in [("ant", "1"), ("bee", "0")] {
        fs::rename(data.join(old), data.join(new)).unwrap();
    }
    fs::write(data.join("class_to_idx.json"), r#"{"1": 0, "0": 1}"#).unwrap();
    let opened = read("path,label\n1/1.png,1\n0/3.png,0\n");
    assert_eq!(labels(&opened), ["0", "", "1", ""]);
    assert!(
        said(&opened, "numbers of others ('1' would be '0'); the names were taken"),
        "{:?}",
        opened.ledger
    );
    for (old, new) in [("1", "ant"), ("0", "bee")] {
        fs::rename(data.join(old), data.join(new)).unwrap();
    }
    fs::write(data.join("class_to_idx.json"), r#"{"bee": 0, "ant": 1}"#).unwrap();
    // A number that is not that of a class leaves all of them as they are.
    assert_eq!(labels(&read("path,label\nant/1.png,1\nant/2.png,7\n")), ["1", "7", "", ""]);
}

/// A row of a picture that is gone is not one of the same name in another split.
#[test]
fn a_row_means_no_image_of_another_split() {
    let files = ["train/cat/1.png", "train/cat/2.png", "test/cat/1.png", "test/cat/3.png"];
    let options = DatasetOptions::default;
    for heading in ["split", "partition", "fold"] {
        let table = format!(
            "path,label,{heading}\ncat/3.png,x,train\ncat/3.png,a,test\ncat/1.png,b,test\ncat/1.png,c,train\n"
        );
        let opened = read(&files, &table, options()).unwrap();
        assert_eq!(labels(&opened), ["b", "a", "c", ""], "{heading}: {:?}", opened.ledger);
        assert!(said(&opened, "1 row of labels.csv names no image"), "{:?}", opened.ledger);
    }
    let opened = read(&files, "path,label\ncat/3.png,a\ncat/2.png,b\n", options()).unwrap();
    assert!(
        said(&opened, "labels.csv: no split is said, and 1 row for pictures of test"),
        "{:?}",
        opened.ledger
    );
}

#[test]
fn headings_may_be_in_any_language() {
    let files = ["x/a.png", "x/b.png", "y/c.png"];
    for table in [
        "Datei,Klasse\nx/a.png,cat\nx/b.png,dog\ny/c.png,cat\n",
        "Klasse,Datei\ncat,a\ndog,b\ncat,c\n",
        "\u{6587}\u{4ef6},label,weight\na.png,cat,3\nb.png,dog,4\nc.png,cat,5\n",
    ] {
        let opened = read(&files, table, DatasetOptions::default()).unwrap();
        assert_eq!(labels(&opened), ["cat", "dog", "cat"], "{table}");
    }
    let numbers = "Nummer,Klasse\n0,cat\n1,dog\n2,cat\n";
    let error = read(&files, numbers, DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("there is no column called path"), "{error}");
    let two = "Datei,Quelle,label\na.png,b.png,cat\nb.png,c.png,dog\nc.png,a.png,cat\n";
    let error = read(&files, two, DatasetOptions::default()).unwrap_err().to_string();
    assert!(error.contains("'Datei' and 'Quelle'") && error.contains("choose one with --key"), "{error}");
}

#[test]
fn a_table_without_a_header_is_refused() {
    let files = ["x/a.png", "x/b.png", "y/c.png"];
    for table in [
        "a.png,cat\nb.png,dog\nc.png,cat\n",
        "cat,x/a.png\ndog,x/b.png\ncat,y/c.png\n",
        "a,cat\nb,dog\nc,cat\n",
        "/old/x/a.png,cat,3\n/old/x/b.png,dog,4\n/old/y/c.png,cat,5\n",
    ] {
        for key in [
            None,
            table
                .lines()
                .next()
                .and_then(|line| line.split(',').find(|cell| cell.contains('a') && *cell != "cat")),
        ] {
            let options = DatasetOptions { key: key.map(str::to_owned), ..DatasetOptions::default() };
            let error = read(&files, table, options).unwrap_err().to_string();
            assert!(
                error.contains("it has no header line: its first line names the image"),
                "{table}: {error}"
            );
        }
    }
    // A heading may be called like an image.
    assert!(
        read(&["image.png", "b.png"], "image,label\nimage,cat\nb,dog\n", DatasetOptions::default()).is_ok()
    );
}

#[test]
fn names_that_are_spelled_otherwise_are_said() {
    let table = "path,label\nIMG_1.png,cat\nIMG_2.png,dog\n";
    let error =
        read(&["img_01.png", "img_02.png"], table, DatasetOptions::default()).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "'IMG_1.png' would be img_01.png but for upper and lower case and zeros before a number: write the names as the dataset has them"
        ),
        "{error}"
    );
}

#[test]
fn labels_as_bytes_are_texts() {
    use crate::arrays::testing::write;
    use arrow_array::{ArrayRef, BinaryArray, RecordBatch, StringArray};
    use std::sync::Arc;
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    fs::create_dir(&data).unwrap();
    ["a.png", "b.png"].iter().for_each(|file| fs::write(data.join(file), b"x").unwrap());
    let file = temp.path().join("labels.parquet");
    let names: ArrayRef = Arc::new(StringArray::from(vec!["a.png", "b.png"]));
    let classes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"cat"[..], &b"d\xc3\xb6g"[..]]));
    write(&file, &RecordBatch::try_from_iter([("file_name", names), ("label", classes)]).unwrap());
    let options = DatasetOptions { labels: Some(file), ..DatasetOptions::default() };
    assert_eq!(labels(&list(&data, &options).unwrap().1), ["cat", "d\u{f6}g"]);
}
