use super::*;
use crate::ends::{of_several_roots, of_several_splits};
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{ExtraColumn, NewSample};
use chaffinch_protocol::sample::Split;

fn found(paths: &[&str], columns: &[(&str, &[&str])]) -> Result<(Option<String>, Option<String>), String> {
    find(side(columns), false, &dataset(paths, &[]), "--ids")
        .map(|RowNames { ids, said, .. }| (ids.map(|ids| ids.join(" ")), said))
}

fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

fn side(columns: &[(&str, &[&str])]) -> Vec<SideColumn> {
    let column = |(heading, cells): &(&str, &[&str])| SideColumn {
        heading: (*heading).to_owned(),
        cells: texts(cells),
    };
    columns.iter().map(column).collect()
}

/// A dataset of these paths with these columns.
fn dataset(paths: &[&str], columns: &[(&str, &[&str])]) -> Manifest {
    let sample = |path: &&str| NewSample { path: path.into(), label: None, split: Split::None };
    let column =
        |(name, cells): &(&str, &[&str])| ExtraColumn { name: (*name).to_owned(), values: texts(cells) };
    Manifest::new("/data", paths.iter().map(sample)).with_extra(columns.iter().map(column).collect())
}

/// The place of the sample of each row, `-` if it has none, where the dataset has columns, too; `order` if rows are in order.
fn joined(own: &[(&str, &[&str])], columns: &[(&str, &[&str])]) -> Result<(String, Option<String>), String> {
    let found = find(side(columns), false, &dataset(&PATHS, own), "--ids")?;
    Ok((shown(&found), found.said))
}

fn shown(found: &RowNames) -> String {
    match (&found.samples, &found.ids) {
        (Some(samples), _) => {
            samples.iter().map(|id| id.map_or("-".to_owned(), |id| id.0.to_string())).collect()
        }
        (None, Some(ids)) => ids.join(" "),
        (None, None) => "order".to_owned(),
    }
}

const PATHS: [&str; 3] = ["cat/a.jpg", "cat/b.jpg", "dog/c.jpg"];
const NUMBERED: [&str; 3] = ["a/0.jpg", "a/10.jpg", "a/2.jpg"];

#[test]
fn a_column_is_known_by_what_is_in_it() {
    for cells in [
        &["dog/c.jpg", "cat/a.jpg", "cat/b.jpg"][..],
        &["c", "a", "b"],
        &["/x/dog/c.jpg", "a.jpg", "b.jpg"],
        &["c", "a", "?"],
    ] {
        let (ids, said) = found(&PATHS, &[("label", &["dog", "cat", "cat"]), ("uuid", cells)]).unwrap();
        assert_eq!(ids, Some(cells.join(" ")));
        assert_eq!(said.as_deref(), Some("are named by the column 'uuid'"));
    }
    // The usual names are preferred, and need not be said.
    let both: [(&str, &[&str]); 2] = [("x", &["a", "b", "c"]), ("key", &["c", "b", "a"])];
    assert_eq!(found(&PATHS, &both), Ok((Some("c b a".to_owned()), None)));
    let hash = "0".repeat(64);
    let hashes = [hash.as_str(), "1", "2"];
    assert_eq!(found(&PATHS, &[("md", &[&hash, &hash, &hash])]).unwrap().0, None);
    assert_eq!(found(&["a.jpg"], &[("md", &hashes[..1])]).unwrap().0, Some(hash.clone()));
}

#[test]
fn rows_are_in_order_only_where_nothing_says_otherwise() {
    assert_eq!(found(&PATHS, &[]), Ok((None, None)));
    for counting in [["0", "1", "2"], ["1", "2", "3"], ["0.0", "1.0", "2.0"]] {
        for index in ["", "index", "row", "n"] {
            assert_eq!(found(&PATHS, &[(index, &counting)]), Ok((None, None)), "{index}");
        }
        for id in ["id", "image_id", "uid"] {
            let said = format!("are taken for the samples in the order of the dataset, as '{id}' counts up");
            assert_eq!(found(&PATHS, &[(id, &counting)]), Ok((None, Some(said))));
        }
    }
    let (ids, said) =
        found(&PATHS, &[("label", &["cat", "cat", "dog"]), ("text", &["x", "y", "z"])]).unwrap();
    assert_eq!(ids, None);
    assert_eq!(
        said.as_deref(),
        Some("are taken for the samples in the order of the dataset, as 'text' names no samples")
    );
    for index in ["", "idx", "image_id", "uid", "sample_id"] {
        let error = found(&PATHS, &[(index, &["2", "0", "1"])]).unwrap_err();
        assert!(error.contains("do not count up from 0 or 1"), "{error}");
    }
    // Names that are none of the samples are for the reader of the names to refuse.
    assert_eq!(found(&PATHS, &[("id", &["x", "y", "z"])]).unwrap().0.as_deref(), Some("x y z"));
}

#[test]
fn numbers_that_are_names_of_pictures_are_no_order() {
    for heading in ["id", "image_id", "uuid"] {
        assert_eq!(found(&NUMBERED, &[(heading, &["0", "2", "10"])]).unwrap().0.as_deref(), Some("0 2 10"));
    }
    let ten = [
        "a/0.jpg", "a/1.jpg", "a/10.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "a/5.jpg", "a/6.jpg", "a/7.jpg",
        "a/8.jpg", "a/9.jpg",
    ];
    let counting: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let counting: Vec<&str> = counting.iter().map(String::as_str).collect();
    for heading in ["image_id", "name", "photo_id"] {
        assert!(found(&ten, &[(heading, &counting)]).unwrap().0.is_some(), "{heading}");
    }
    for heading in ["", "index", "Unnamed: 0", "__index_level_0__", "id", "n", "row_number"] {
        let error = found(&ten, &[(heading, &counting)]).unwrap_err();
        assert!(
            error.contains("are names of pictures, which are in another order in the dataset"),
            "{error}"
        );
    }
    // Shuffled by the program that wrote them, they are as doubtful.
    let mut shuffled = counting.clone();
    shuffled.reverse();
    for heading in ["", "index", "__index_level_0__"] {
        let error = found(&ten, &[(heading, &shuffled)]).unwrap_err();
        assert!(error.contains("may be the numbers of rows as well"), "{error}");
    }
    assert_eq!(found(&ten, &[("image_id", &shuffled)]).unwrap().0, Some(shuffled.join(" ")));
    // Larger numbers are those of no rows.
    let large = ["a/2024.jpg", "a/2025.jpg"];
    assert_eq!(found(&large, &[("", &["2025", "2024"])]).unwrap().0.as_deref(), Some("2025 2024"));
    // In the order of the dataset it makes no difference.
    let same = ["a/0.jpg", "a/1.jpg", "a/2.jpg"];
    assert_eq!(found(&same, &[("", &["0", "1", "2"])]), Ok((None, None)));
}

#[test]
fn a_column_of_both_tables_joins_them_whatever_its_numbers_count() {
    for heading in ["id", "image_id", "uid", "sample_id", "photoId", "key"] {
        for (own, cells) in [
            (["2", "0", "1"], ["0", "1", "2"]),
            (["3", "1", "2"], ["1", "2", "3"]),
            (["02", "00", "01"], ["0", "1", "2"]),
            (["2", "0", "1"], ["0.0", "1.0", "2.0"]),
            (["x", "y", "z"], ["y", "z", "x"]),
            (["31", "11", "21"], ["11", "21", "31"]),
        ] {
            let (found, said) = joined(&[(heading, &own)], &[(heading, &cells)]).unwrap();
            assert_eq!(found, "120", "{heading} {cells:?}");
            let expected = format!("are named by the column '{heading}', which the dataset has, too");
            assert_eq!(said, Some(expected));
        }
    }
    // In another case, for a part of the samples, and beside columns that say nothing.
    let own: [(&str, &[&str]); 2] = [("ID", &["8", "9", "7"]), ("width", &["1", "1", "2"])];
    assert_eq!(joined(&own, &[("label", &["a", "b"]), ("id", &["7", "8"])]).unwrap().0, "20");
    assert_eq!(joined(&own, &[("id", &["9", "7", "6"])]).unwrap().0, "12-");
    // Any other column whose texts are the same.
    let own: [(&str, &[&str]); 1] = [("caption", &["one", "two", "three"])];
    assert_eq!(joined(&own, &[("caption", &["two", "three", "one"])]).unwrap().0, "120");
}

#[test]
fn numbers_that_may_be_rows_as_well_are_refused() {
    // An index that was kept while the rows were put into another order.
    for heading in ["", "index", "Unnamed: 0", "rank"] {
        let error = joined(&[(heading, &["2", "0", "1"])], &[(heading, &["0", "1", "2"])]).unwrap_err();
        for words in ["row 1 (0) is cat/b.jpg by the one and cat/a.jpg by the other", "add a column path"] {
            assert!(error.contains(words), "{heading}: {error}");
        }
    }
    // Where it makes no difference, it is none.
    assert_eq!(joined(&[("", &["0", "1", "2"])], &[("", &["2", "0", "1"])]).unwrap().0, "201");
    for counting in [["0", "1", "2"], ["1", "2", "3"]] {
        assert_eq!(
            joined(&[("", &["0", "1", "2"])], &[("", &counting)]).unwrap(),
            ("order".to_owned(), None)
        );
    }
    // Counted from 0 here and from 1 there, most of the ids match, and mean others.
    let error = joined(&[("id", &["1", "2", "3"])], &[("id", &["0", "1", "2"])]).unwrap_err();
    assert!(error.contains("row 2 (1) is cat/a.jpg by the one and cat/b.jpg by the other"), "{error}");
    // A column that is called otherwise.
    let error = joined(&[("id", &["2", "0", "1"])], &[("image_id", &["0", "1", "2"])]).unwrap_err();
    assert!(error.contains("may be those of the dataset's column 'id', or the numbers of rows"), "{error}");
    let (found, said) = joined(&[("id", &["x", "y", "z"])], &[("image_id", &["z", "y", "x"])]).unwrap();
    assert_eq!(found, "210");
    assert!(said.unwrap().ends_with("which has the values of the dataset's column 'id'"));
}

#[test]
fn columns_that_contradict_each_other_are_refused() {
    let own: [(&str, &[&str]); 2] = [("id", &["0", "1", "2"]), ("uid", &["a", "b", "c"])];
    let agree: [(&str, &[&str]); 2] = [("id", &["2", "0", "1"]), ("uid", &["c", "a", "b"])];
    assert_eq!(joined(&own, &agree).unwrap().0, "201");
    let error = joined(&own, &[("id", &["2", "0", "1"]), ("uid", &["a", "b", "c"])]).unwrap_err();
    assert!(error.contains("the column 'id' (2)") && error.contains("the column 'uid' (a)"), "{error}");
    let error = joined(&own, &[("id", &["2", "0", "1"]), ("key", &["a", "b", "c"])]).unwrap_err();
    assert!(error.contains("row 1 is about dog/c.jpg") && error.contains("'key'"), "{error}");
    // An id that several samples have.
    let error = joined(&[("id", &["1", "1", "2"])], &[("id", &["1", "2", "2"])]).unwrap_err();
    assert!(error.contains("is about '1' by the column 'id', which several samples have"), "{error}");
}

#[test]
fn a_column_of_ids_that_is_not_used_is_said() {
    let (found, said) = joined(&[("id", &["x", "y", "z"])], &[("id", &["0", "1", "2"])]).unwrap();
    assert_eq!(found, "order");
    let said = said.unwrap();
    assert!(
        said.contains("'id' counts up") && said.contains("the dataset has other values in 'id'"),
        "{said}"
    );
    // pandas counts the rows whatever the dataset's ids are.
    let (found, said) = joined(&[("id", &["2", "0", "1"])], &[("", &["0", "1", "2"])]).unwrap();
    assert_eq!(found, "order");
    assert!(said.unwrap().contains("the dataset's column 'id' has the same numbers in another order"));
    let (found, said) = joined(&[], &[("photo_id", &["12", "70", "83"])]).unwrap();
    assert_eq!(found, "order");
    assert!(said.unwrap().contains("'photo_id' names no samples"));
    for heading in ["photo_id", "uid", "photo"] {
        let error = joined(&[], &[(heading, &["83", "12", "70"])]).unwrap_err();
        assert!(error.contains("numbers in no order that name no samples (83, 12, …)"), "{error}");
    }
    assert_eq!(joined(&[], &[("width", &["83", "12", "70"])]).unwrap().0, "order");
}

#[test]
fn a_list_of_names_may_have_the_values_of_a_column() {
    let of = |own: &[(&str, &[&str])], names: &[&str]| {
        let manifest = dataset(&NUMBERED, own);
        of_names(texts(names), &manifest).map(|found| (shown(&found), found.said))
    };
    let (found, said) = of(&[("id", &["7", "8", "9"])], &["9", "7", "8"]).unwrap();
    assert_eq!((found.as_str(), said.is_some()), ("201", true));
    // Numbers that are other ones, or those of an index, join nothing, which the reader of the names refuses.
    assert_eq!(of(&[("id", &["7", "8", "9"])], &["8", "7", "6"]).unwrap().0, "8 7 6");
    assert_eq!(of(&[("", &["7", "8", "9"])], &["9", "8", "7"]).unwrap().0, "9 8 7");
    assert_eq!(of(&[("id", &["x", "y", "z"])], &["y", "x", "w"]).unwrap().0, "10-");
    // Paths and stems need no column, and where both would do, neither is taken.
    assert_eq!(of(&[("id", &["7", "8", "9"])], &["0", "2", "10"]).unwrap().0, "0 2 10");
    assert_eq!(
        of(&[("next", &["a/10.jpg", "a/2.jpg", "a/0.jpg"])], &NUMBERED).unwrap().0,
        NUMBERED.join(" ")
    );
    let error = of(&[("id", &["2", "10", "0"])], &["0", "2", "10"]).unwrap_err();
    for words in
        ["row 1 (0) is a/0.jpg by its path", "a/2.jpg by the dataset's column 'id'", "write whole paths"]
    {
        assert!(error.contains(words), "{error}");
    }
    let error = of(&[("id", &["7", "8", "9"]), ("uid", &["9", "8", "7"])], &["7", "8", "9"]).unwrap_err();
    assert!(error.contains("by the dataset's column 'id'") && error.contains("'uid'"), "{error}");
}

#[test]
fn numbers_are_those_in_the_names_of_files_however_these_are_written() {
    let files = |first: usize, prefix: &str| -> Vec<String> {
        // Not in the order of their numbers, as a table may have them.
        (0..6).map(|row| format!("{prefix}{:05}.png", (row * 5 + 2) % 6 + first)).collect()
    };
    let numbers = |cells: [u32; 6]| cells.map(|cell| cell.to_string());
    for (first, prefix) in [(0, "img/"), (100, "img/"), (0, "img/img_"), (2024, "a-")] {
        let files = files(first, prefix);
        let paths: Vec<&str> = files.iter().map(String::as_str).collect();
        for order in [[0, 1, 2, 3, 4, 5], [3, 0, 5, 1, 4, 2]] {
            let cells = numbers(order.map(|number| number + first as u32));
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            for heading in ["sample_index", "number", "Frame", "image_id", "id"] {
                // Numbers that count the rows may be no more than that.
                if cells[0] == "0" && heading != "image_id" {
                    let error = found(&paths, &[(heading, &cells)]).unwrap_err();
                    assert!(error.contains("may be the numbers of rows as well"), "{heading}: {error}");
                    continue;
                }
                let found = find(side(&[(heading, &cells)]), false, &dataset(&paths, &[]), "--ids").unwrap();
                let wanted: Vec<Option<SampleId>> = cells
                    .iter()
                    .map(|cell| {
                        let name = format!("{prefix}{:05}.png", cell.parse::<u32>().unwrap());
                        files.iter().position(|file| *file == name).map(|row| SampleId(row as u32))
                    })
                    .collect();
                assert_eq!(found.samples, Some(wanted), "{heading} {prefix} {first}");
                assert!(found.said.unwrap().ends_with("which has the numbers in the names of the files"));
            }
        }
    }
}

#[test]
fn numbers_of_rows_are_not_taken_for_those_of_files() {
    let files: Vec<String> = (1..7).map(|number| format!("{number:05}.png")).collect();
    let paths: Vec<&str> = files.iter().map(String::as_str).collect();
    for heading in ["", "index", "frame", "id"] {
        let (found, _) = found(&paths, &[(heading, &["0", "1", "2", "3", "4", "5"])]).unwrap();
        assert_eq!(found, None, "{heading}: one of them is no file");
    }
    let error = found(&paths, &[("sample_index", &["3", "0", "5", "1", "4", "2"])]).unwrap_err();
    assert!(error.contains("do not count up from 0 or 1"), "{error}");
    // Two pictures of one number.
    let twice = ["cat/001.png", "dog/001.png"];
    assert_eq!(found(&twice, &[("frame", &["1", "2"])]).unwrap().0, None);
    assert_eq!(found(&paths, &[("rank", &["6", "5", "4", "3", "2", "1"])]).unwrap().0, None);
}

#[test]
fn two_columns_of_paths_that_contradict_each_other_are_refused() {
    let turned = ["dog/c.jpg", "cat/b.jpg", "cat/a.jpg"];
    let manifest = dataset(&PATHS, &[]);
    for heading in ["image", "file_name", "key", "id", "photo_id"] {
        let error =
            of_paths(texts(&PATHS), &side(&[(heading, &turned)]), &manifest, "--ids FILE").unwrap_err();
        for words in
            ["name different samples: row 1 is cat/a.jpg by its path and dog/c.jpg", "or pass --ids FILE"]
        {
            assert!(error.contains(words), "{error}");
        }
    }
    let same = [("image", &["/x/cat/a.jpg", "b.jpg", "c"][..]), ("nearest", &turned[..])];
    assert!(of_paths(texts(&PATHS), &side(&same), &manifest, "--ids FILE").is_ok());
    let both: [(&str, &[&str]); 2] = [("uuid", &PATHS), ("photo_id", &turned)];
    assert!(found(&PATHS, &both).unwrap_err().contains("name different samples"));
}

/// A column that both tables have comes before the numbers in the names of files, whatever it is called.
#[test]
fn a_column_of_both_tables_comes_before_numbers_of_files() {
    let files: Vec<String> = (0..6).map(|number| format!("img/{number:04}.png")).collect();
    let paths: Vec<&str> = files.iter().map(String::as_str).collect();
    let own = ["3", "0", "5", "1", "4", "2"];
    let cells = ["0", "1", "2", "3", "4", "5"];
    let turned = ["5", "4", "3", "2", "1", "0"];
    let of = |own: (&str, &[&str]), cells: (&str, &[&str])| {
        find(side(&[cells]), false, &dataset(&paths, &[own]), "--ids")
            .map(|found| (shown(&found), found.said))
    };
    for heading in ["number", "frame", "Frame", "sample_index", "nr", "id", "image_id", "uid"] {
        for (cells, samples) in [(cells, "135042"), (turned, "240531")] {
            let (found, said) = of((heading, &own), (heading, &cells)).unwrap();
            assert_eq!(found, samples, "{heading}");
            assert!(said.unwrap().ends_with("which the dataset has, too"), "{heading}");
        }
        // All are, as they are written elsewhere.
        let spelled = own.map(|number| format!("S-{number:0>3}"));
        let spelled: Vec<&str> = spelled.iter().map(String::as_str).collect();
        let found = of((heading, &spelled), (heading, &["7", "1", "2", "3", "4", "5"]));
        assert!(found.is_err(), "{heading}: {found:?}");
        // Some of the values are others: which is meant is a guess.
        let mut more = own;
        more[0] = "99";
        let error = of((heading, &more), (heading, &turned)).unwrap_err();
        let is_told = error.contains("by the one and") && error.contains("add a column path");
        assert!(is_told || error.contains("with other values ('99', not '5')"), "{heading}: {error}");
    }
    for (heading, other) in
        [("asset", "id"), ("ref", "number"), ("photo_id", "id"), ("frame", "number"), ("item_no", "id")]
    {
        let error = of((heading, &own), (other, &turned)).unwrap_err();
        assert!(error.contains(&format!("the dataset's column '{heading}'")), "{heading}: {error}");
    }
    // Where both mean the same, or the column is of something else, files are found by their numbers.
    assert_eq!(of(("asset", &cells), ("id", &turned)).unwrap().0, "543210");
    assert_eq!(of(("width", &["6", "6", "7", "7", "8", "8"]), ("id", &turned)).unwrap().0, "543210");
}

/// What both tables say of each row shows another order, also where it tells no sample from another.
#[test]
fn values_of_both_tables_that_contradict_the_order_are_refused_or_said() {
    let files: Vec<String> = (0..12).map(|number| format!("{}.png", char::from(b'a' + number))).collect();
    let paths: Vec<&str> = files.iter().map(String::as_str).collect();
    let own = ["p", "p", "p", "q", "q", "q", "r", "r", "r", "s", "s", "s"];
    let turned: Vec<&str> = (0..12).map(|row| own[row * 5 % 12]).collect();
    let of = |heading: &str, cells: &[&str]| {
        let found =
            find(side(&[(heading, cells)]), false, &dataset(&paths, &[(heading, &own)]), "--ids FILE");
        found.map(|found| (shown(&found), found.said))
    };
    let error = of("patient", &turned).unwrap_err();
    for words in ["the column 'patient' are those of the dataset in only", "of 12 rows", "or pass --ids FILE"]
    {
        assert!(error.contains(words), "{error}");
    }
    let (found, said) = of("fold", &turned).unwrap();
    assert_eq!(found, "order");
    assert!(said.unwrap().contains("although the values of the column 'fold'"));
    let (found, said) = of("patient", &own).unwrap();
    assert_eq!((found.as_str(), said), ("order", None));
}

/// Where numbers may be places or names of files, labels and other columns of both tables tell which.
#[test]
fn what_stands_beside_numbers_tells_what_they_are() {
    let numbers: Vec<usize> = vec![0, 1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9];
    let classes = [0, 2, 1, 1, 0, 2, 0, 0, 1, 2, 1, 0, 2];
    let class = |number: usize| ["cat", "dog", "owl"][classes[number]].to_owned();
    let samples = numbers.iter().map(|&number| NewSample {
        path: format!("all/{number}.jpg").into(),
        label: Some(class(number)),
        split: Split::None,
    });
    let weather = |number: usize| format!("w{}", [3, 1, 2, 0, 1, 3, 2, 1, 0, 3, 0, 2, 1][number]);
    let own =
        ExtraColumn { name: "weather".to_owned(), values: numbers.iter().map(|&at| weather(at)).collect() };
    let manifest = Manifest::new("/data", samples).with_extra(vec![own]);
    let by_name: Vec<usize> = (0..13).collect();
    let counting: Vec<String> = (0..13).map(|number| number.to_string()).collect();
    for index in ["", "id", "index", "nr"] {
        for (heading, cell) in [
            ("label", &class as &dyn Fn(usize) -> String),
            ("target", &|number| ["7", "3", "5"][classes[number]].to_owned()),
            ("weather", &weather),
        ] {
            let found = |of: &[usize]| {
                let cells: Vec<String> = of.iter().map(|&number| cell(number)).collect();
                let side = vec![
                    SideColumn { heading: index.to_owned(), cells: counting.clone() },
                    SideColumn { heading: heading.to_owned(), cells },
                ];
                find(side, false, &manifest, "--ids").map(|found| (found.ids.is_some(), found.said))
            };
            assert!(found(&by_name).unwrap().0, "{index} {heading}");
            let (named, said) = found(&numbers).unwrap();
            assert!(!named, "{index} {heading}");
            assert!(said.unwrap().contains("goes with the order of the dataset"), "{index} {heading}");
        }
    }
}

#[test]
fn numbers_of_which_half_are_pictures_are_refused() {
    let paths: Vec<String> = (20..40).map(|number| format!("{number}.jpg")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let cells: Vec<String> = (10..30).rev().map(|number| number.to_string()).collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    for heading in ["id", "nr", "sample"] {
        let error = found(&paths, &[(heading, &cells)]).unwrap_err();
        assert!(error.contains("10 of 20 numbers") && error.contains("such as 19"), "{heading}: {error}");
    }
    assert!(found(&paths, &[("image_id", &cells)]).unwrap().0.is_some(), "said by the reader of names");
    // A few pictures may be gone.
    let cells: Vec<String> = (19..39).rev().map(|number| number.to_string()).collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    assert!(found(&paths, &[("id", &cells)]).unwrap().0.is_some());
}

/// What rows that say their splits are bound to in a dataset.
fn rows_of_splits(
    manifest: &Manifest,
    names: &[&str],
    (heading, splits): (&str, &[&str]),
) -> Vec<Option<u32>> {
    let named = of_paths(texts(names), &side(&[(heading, splits)]), manifest, "--ids FILE").unwrap();
    let rows = named.rows_of(Path::new("ids.txt"), manifest, &FileMetadata::default());
    rows.map_or_else(|_| vec![None; manifest.len()], |found| found.rows)
}

#[test]
fn a_row_means_no_sample_of_another_split() {
    let sample = |path: &str, split| NewSample { path: path.into(), label: None, split };
    let manifest = Manifest::new(
        "/data",
        [sample("train/cat/1.jpg", Split::Train), sample("test/cat/2.jpg", Split::Test)],
    );
    for heading in ["split", "Partition", "set"] {
        let of = |names: &[&str], splits: &[&str]| rows_of_splits(&manifest, names, (heading, splits));
        assert_eq!(of(&["1.jpg", "2.jpg"], &["train", "test"]), [Some(0), Some(1)]);
        assert_eq!(of(&["1.jpg", "2.jpg"], &["test", "test"]), [None, Some(1)]);
        let whole = ["train/cat/1.jpg", "test/cat/2.jpg"];
        assert_eq!(of(&whole, &["test", "test"]), [Some(0), Some(1)], "whole paths");
        assert_eq!(of(&["1.jpg", "2.jpg"], &["", "train"]), [Some(0), None]);
    }
    let of = |flags: &[&str]| rows_of_splits(&manifest, &["1.jpg", "2.jpg"], ("is_train", flags));
    assert_eq!((of(&["1", "0"]), of(&["1", "1"])), (vec![Some(0), Some(1)], vec![Some(0), None]));
}

/// Names that both splits have mean the one that is said.
#[test]
fn of_samples_that_are_called_alike_a_row_means_the_one_in_its_split() {
    let sample = |path: &str, split| NewSample { path: path.into(), label: None, split };
    let both = [sample("train/cat/1.jpg", Split::Train), sample("test/cat/1.jpg", Split::Test)];
    let manifest = Manifest::new("/data", both);
    for name in ["cat/1.jpg", "1.jpg", "1"] {
        let of = |splits: &[&str]| rows_of_splits(&manifest, &[name, name], ("fold", splits));
        assert_eq!(of(&["test", "train"]), [Some(1), Some(0)], "{name}");
        assert_eq!(of(&["val", "train"]), [Some(1), None], "{name}");
    }
    // Of one path, as a table may have them.
    let both = [sample("cat/1.jpg", Split::Train), sample("cat/1.jpg", Split::Test)];
    let manifest = Manifest::new("/data", both);
    let of = |splits: &[&str]| rows_of_splits(&manifest, &["cat/1.jpg"; 2], ("split", splits));
    assert_eq!(of(&["test", "train"]), [Some(1), Some(0)]);
}

/// A folder of one split has no splits inside.
#[test]
fn a_row_means_no_sample_in_the_folder_of_another_split() {
    let sample = |path: &str| NewSample { path: path.into(), label: None, split: Split::None };
    let of = |root: &str, names: &[&str], split: &str| {
        let manifest = Manifest::new(root, ["cat/1.jpg", "cat/2.jpg"].map(sample));
        rows_of_splits(&manifest, names, ("Split", &[split, split]))
    };
    let (names, all) = (["cat/1.jpg", "cat/2.jpg"], [Some(0), Some(1)]);
    for root in ["/pets/train", "/pets/train2017", "/pets/seg_train", "/x/pets-train", "/x/dev"] {
        assert_eq!(of(root, &names, "test"), [None, None], "{root}");
    }
    assert_eq!(of("/pets/train", &names, "training"), all);
    assert_eq!(of("/pets/train", &["train/cat/1.jpg", "train/cat/2.jpg"], "test"), all, "whole paths");
    for root in ["/pets", "/pets/train-station"] {
        assert_eq!(of(root, &names, "test"), all, "{root}");
    }
}

/// A row of a picture that is gone may be taken for one of the same name in another split.
#[test]
fn rows_of_several_splits_without_a_word_of_these_are_said() {
    let sample = |path: &str, split| NewSample { path: path.into(), label: None, split };
    let train = ["train/cat/1.jpg", "train/cat/2.jpg"].map(|path| sample(path, Split::Train));
    let manifest = Manifest::new("/data", train.into_iter().chain([sample("test/cat/3.jpg", Split::Test)]));
    let said = |names: [&str; 3]| of_several_splits(names.into_iter().zip(manifest.ids()), &manifest);
    let text = said(["cat/3.jpg", "cat/1.jpg", "cat/2.jpg"]).unwrap();
    assert!(text.contains("for pictures of test") && text.contains("for pictures of train"), "{text}");
    let whole: Vec<String> = manifest.ids().map(|id| manifest.path(id).display().to_string()).collect();
    assert_eq!(said([0, 1, 2].map(|at| whole[at].as_str())), None, "the names say it");
}

/// Numbers that are those of rows as well as names of files in another order.
#[test]
fn numbers_taken_for_names_are_said() {
    let paths = ["dog/0.jpg", "cat/1.jpg", "dog/2.jpg", "cat/3.jpg"];
    let mut sorted = paths;
    sorted.sort_unstable();
    for heading in ["id", "image_id", "row_id"] {
        let (ids, said) = found(&sorted, &[(heading, &["3", "0", "2", "1"])]).unwrap();
        assert_eq!(ids.as_deref(), Some("3 0 2 1"), "{heading}");
        assert!(said.unwrap().contains("not for those of rows"), "{heading}");
    }
}

#[test]
fn rows_behind_different_folders_are_said() {
    let sample = |path: &str| NewSample { path: path.into(), label: None, split: Split::None };
    let manifest = Manifest::new("/data/pets", ["cat/1.jpg", "cat/2.jpg", "dog/3.jpg"].map(sample));
    let said = |names: [&str; 3]| of_several_roots(names.into_iter().zip(manifest.ids()), &manifest);
    let text = said(["/a/cat/1.jpg", "/a/cat/2.jpg", "/b/dog/3.jpg"]).unwrap();
    let expected = "paths of the dataset were found behind different folders, in 2 rows such as '/a/cat/1.jpg' and 1 row such as \
                    '/b/dog/3.jpg'; leave out rows of other pictures";
    assert_eq!(text, expected);
    assert_eq!(said(["/a/cat/1.jpg", "/a/cat/2.jpg", "/a/dog/3.jpg"]), None);
    assert_eq!(said(["cat/1.jpg", "/data/pets/cat/2.jpg", "/mnt/data/pets/dog/3.jpg"]), None, "the root");
}

#[test]
fn paths_come_before_numbers_in_a_column_of_ids() {
    let paths: &[&str] = &["/data/a/10.jpg", "/data/a/2.jpg", "/data/a/0.jpg"];
    let numbers: &[&str] = &["0", "10", "2"];
    for columns in [[("ruta", paths), ("id", numbers)], [("image_id", numbers), ("src", paths)]] {
        let (ids, said) = found(&NUMBERED, &columns).unwrap();
        assert_eq!(ids, Some(paths.join(" ")), "{columns:?}");
        assert!(said.unwrap().ends_with("has the numbers of other files"), "{columns:?}");
    }
}

#[test]
fn columns_of_other_samples_name_none() {
    let others: &[&str] = &["dog/c.jpg", "cat/a.jpg", "cat/b.jpg"];
    for heading in ["nearest", "duplicate_of", "parent_id", "Closest image", "neighbour"] {
        assert_eq!(found(&PATHS, &[(heading, others)]).unwrap().0, None, "{heading}");
        let named = [(heading, others), ("uuid", &["a", "b", "c"][..])];
        assert_eq!(found(&PATHS, &named).unwrap().0, Some("a b c".to_owned()), "{heading}");
    }
    // Of names that several samples have, it is said where they are looked for.
    let columns: [(&str, &[&str]); 2] =
        [("nearest", &["dog/1.jpg", "cat/1.jpg"]), ("uid", &["1.jpg", "1.jpg"])];
    assert_eq!(found(&["cat/1.jpg", "dog/1.jpg"], &columns).unwrap().0, Some("1.jpg 1.jpg".to_owned()));
}
