use super::*;
use crate::arrays::testing::{f32s, npy_bytes, npy_ordered, safetensors, write};
use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use chaffinch_compute::content::ContentHash;
use chaffinch_data::manifest::{ExtraColumn, NewSample};
use chaffinch_data::probabilities::Bound;
use chaffinch_data::session::Session;
use std::fs;
use std::sync::Arc;

const SAMPLES: [(&str, &str); 3] = [("a.png", "cat"), ("b.png", "dog"), ("c.png", "cat")];

fn dataset() -> (Manifest, FileMetadata) {
    dataset_with(Vec::new())
}

/// The three samples with other columns.
fn dataset_with(extra: Vec<ExtraColumn>) -> (Manifest, FileMetadata) {
    let sample = |&(path, label): &(&str, &str)| NewSample {
        path: path.into(),
        label: Some(label.into()),
        split: Default::default(),
    };
    let manifest = Manifest::new("/data", SAMPLES.iter().map(sample)).with_extra(extra);
    let hashes = SAMPLES.iter().map(|(path, _)| ContentHash::of(path.as_bytes())).collect();
    (manifest, FileMetadata { hashes, ..FileMetadata::default() })
}

/// A folder of files.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.at(name), bytes).unwrap();
    }

    /// What the files, joined, say of the three samples, and the remarks.
    fn read(
        &self,
        names: &str,
        classes: Option<&str>,
        ids: Option<&str>,
    ) -> std::result::Result<(Bound, Vec<String>), String> {
        self.read_for(dataset(), names, classes, ids)
    }

    fn read_for(
        &self,
        (manifest, file_metadata): (Manifest, FileMetadata),
        names: &str,
        classes: Option<&str>,
        ids: Option<&str>,
    ) -> std::result::Result<(Bound, Vec<String>), String> {
        let files = ProbabilityFiles {
            files: names.split(' ').map(|name| self.at(name)).collect(),
            classes: classes.map(|name| self.at(name)),
            ids: ids.map(|name| self.at(name)),
        };
        let read = || {
            let models = read_given(&files, &manifest, &RowOrders::default())?;
            let joined = join(&models, files.name(), &manifest, &file_metadata)?;
            Ok((joined.probabilities.bind(&manifest, &file_metadata)?, joined.remarks))
        };
        read().map_err(|error: Error| error.to_string())
    }

    fn matrix(&self, names: &str, classes: Option<&str>, ids: Option<&str>) -> Vec<f32> {
        self.read(names, classes, ids).unwrap_or_else(|error| panic!("{names}: {error}")).0.found.matrix
    }

    fn error(&self, names: &str, classes: Option<&str>, ids: Option<&str>) -> String {
        self.read(names, classes, ids).map_or_else(|error| error, |_| panic!("{names} was read"))
    }
}

/// Of cat and dog, for each sample.
const ROWS: [f32; 6] = [0.75, 0.25, 0.5, 0.5, 0.125, 0.875];

#[test]
fn every_form_says_the_same() {
    let files = Files::new();
    let swapped: Vec<f32> = ROWS.chunks(2).flat_map(|row| [row[1], row[0]]).collect();
    files.write("p.npy", npy_bytes("<f4", "(3, 2)", &f32s(&swapped)));
    let columns: Vec<f32> = [0, 2, 4, 1, 3, 5].iter().map(|&at| swapped[at]).collect();
    files.write("fortran.npy", npy_ordered("<f4", "(3, 2)", true, &f32s(&columns)));
    let big: Vec<u8> = swapped.iter().flat_map(|&p| f64::from(p).to_be_bytes()).collect();
    files.write("big.npy", npy_bytes(">f8", "(3, 2)", &big));
    files.write("classes.txt", "dog\ncat\n");
    for name in ["p.npy", "fortran.npy", "big.npy"] {
        assert_eq!(files.matrix(name, Some("classes.txt"), None), ROWS, "{name}");
    }
    // Tables name samples and classes, in any order, and may have other columns.
    files.write(
        "p.csv",
        "split,dog,path,label,cat\nx,.875,c.png,cat,.125\nx,.25,/data/a.png,cat,.75\nx,.5,b.png,dog,.5\n",
    );
    let texts = |texts: [&str; 3]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
    let numbers = |numbers: [f32; 3]| Arc::new(Float32Array::from(numbers.to_vec())) as ArrayRef;
    let wide = |numbers: [f64; 3]| Arc::new(Float64Array::from(numbers.to_vec())) as ArrayRef;
    let columns = [
        ("path", texts(["c.png", "a.png", "b.png"])),
        ("cat", numbers([0.125, 0.75, 0.5])),
        ("dog", wide([0.875, 0.25, 0.5])),
        ("note", texts(["x"; 3])),
    ];
    write(&files.at("p.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
    for name in ["p.csv", "p.parquet"] {
        assert_eq!(files.matrix(name, None, None), ROWS, "{name}");
    }
    let metadata = [("paths", r#"["a.png", "b.png", "c.png"]"#), ("classes", r#"["dog", "cat"]"#)];
    safetensors(&files.at("p.safetensors"), "probabilities", &swapped, 2, &metadata);
    assert_eq!(files.matrix("p.safetensors", None, None), ROWS);
    files.write("ids.txt", "c.png\nb\na\n");
    let turned: Vec<f32> = swapped.chunks(2).rev().flatten().copied().collect();
    files.write("turned.npy", npy_bytes("<f4", "(3, 2)", &f32s(&turned)));
    assert_eq!(files.matrix("turned.npy", Some("classes.txt"), Some("ids.txt")), ROWS);
}

#[test]
fn an_index_tells_which_samples_the_rows_are() {
    let files = Files::new();
    for heading in ["", "Unnamed: 0", "id", "key"] {
        files.write("p.csv", format!("{heading},cat,dog\nc.png,.125,.875\na.png,.75,.25\nb.png,.5,.5\n"));
        assert_eq!(files.matrix("p.csv", None, None), ROWS, "{heading}");
    }
    for (first, heading) in [(0, ""), (1, "id")] {
        let rows = [".75,.25", ".5,.5", ".125,.875"].into_iter().enumerate();
        let rows: String = rows.map(|(row, numbers)| format!("{},{numbers}\n", first + row)).collect();
        files.write("p.csv", format!("{heading},cat,dog\n{rows}"));
        assert_eq!(files.matrix("p.csv", None, None), ROWS, "{heading}");
    }
    files.write("p.csv", "id,cat,dog\n2,.125,.875\n0,.75,.25\n1,.5,.5\n");
    let error = files.error("p.csv", None, None);
    assert!(error.contains("'id' has numbers of rows") && error.contains("--pred-probs-ids"), "{error}");
    files.write("ids.txt", "c.png\na.png\nb.png\n");
    assert_eq!(files.matrix("p.csv", None, Some("ids.txt")), ROWS);
    let texts = Arc::new(StringArray::from(vec!["c.png", "a.png", "b.png"])) as ArrayRef;
    let numbers = Arc::new(arrow_array::Int64Array::from(vec![2, 0, 1])) as ArrayRef;
    for (index, known) in [(texts, true), (numbers, false)] {
        let columns = [
            ("cat", Arc::new(Float32Array::from(vec![0.125, 0.75, 0.5])) as ArrayRef),
            ("dog", Arc::new(Float32Array::from(vec![0.875, 0.25, 0.5])) as ArrayRef),
            ("__index_level_0__", index),
        ];
        write(&files.at("p.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
        match known {
            true => assert_eq!(files.matrix("p.parquet", None, None), ROWS),
            false => assert!(files.error("p.parquet", None, None).contains("__index_level_0__")),
        }
    }
}

#[test]
fn several_models_are_averaged_where_they_say_something() {
    let files = Files::new();
    files.write("one.csv", "path,cat,dog\na.png,.5,.5\nb.png,.5,.5\n");
    files.write("two.csv", "path,cat,dog\na.png,1,0\nb.png,nan,1\nc.png,.25,.75\n");
    let (bound, remarks) = files.read("one.csv two.csv", None, None).unwrap();
    assert_eq!(bound.found.matrix, [0.75, 0.25, 0.5, 0.5, 0.25, 0.75]);
    assert_eq!((bound.bad.len(), bound.missing.len(), remarks.len()), (0, 0, 0));
}

#[test]
fn rows_that_are_no_distribution_are_findings_and_no_end() {
    let files = Files::new();
    for row in ["nan,1", ",1", ".9,.9", "-.5,1.5", "inf,0", ".1,.1"] {
        files.write("p.csv", format!("path,cat,dog\na.png,.5,.5\nb.png,{row}\n"));
        let (bound, _) = files.read("p.csv", None, None).unwrap();
        assert_eq!(bound.bad, [chaffinch_protocol::sample::SampleId(1)], "{row}");
        assert_eq!(bound.missing, [chaffinch_protocol::sample::SampleId(2)], "{row}");
        assert_eq!(bound.found.matrix[2..], [0.0; 4], "{row}");
    }
    files.write("logits.csv", "path,cat,dog\na.png,3.5,-1\nb.png,2,-7\n");
    let error = files.error("logits.csv", None, None);
    assert!(error.contains("no row is a distribution") && error.contains("3.5000, -1.0000"), "{error}");
    assert!(!error.contains("--multi-label"), "{error}");
    let several = vec![ExtraColumn { name: ALL_LABELS.into(), values: vec!["cat|dog".into(); 3] }];
    let error = files.read_for(dataset_with(several), "logits.csv", None, None).map(|_| ()).unwrap_err();
    assert!(error.contains("chaffinch label-quality --multi-label judges several labels"), "{error}");
}

#[test]
fn classes_are_bound_by_name_or_refused() {
    let files = Files::new();
    files.write("p.npy", npy_bytes("<f4", "(3, 2)", &f32s(&ROWS)));
    assert!(files.error("p.npy", None, None).contains("pass --classes FILE"));
    files.write("other.txt", "cats\ndog\n");
    let error = files.error("p.npy", Some("other.txt"), None);
    assert!(
        error.contains("the class 'cat' has no column of probabilities; did you mean 'cats'?"),
        "{error}"
    );
    files.write("three.txt", "cat\ndog\nfrog\n");
    let error = files.error("p.npy", Some("three.txt"), None);
    assert!(error.contains("it has 3 names, but") && error.contains("has 2 columns"), "{error}");
    files.write("twice.txt", "cat\ncat\n");
    assert!(files.error("p.npy", Some("twice.txt"), None).contains("the class 'cat' is named twice"));
    // Classes that the dataset does not have leave the others to add up to 1, and are said.
    files.write(
        "more.npy",
        npy_bytes("<f4", "(3, 3)", &f32s(&[0.5, 0.25, 0.25, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])),
    );
    let (bound, remarks) = files.read("more.npy", Some("three.txt"), None).unwrap();
    let third = 1.0_f32 / 3.0;
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
    assert!(bound.found.matrix.iter().zip(&[2.0 * third, third, 1.0, 0.0, 0.0, 0.0]).all(near), "{bound:?}");
    assert_eq!(bound.bad, [chaffinch_protocol::sample::SampleId(2)], "it says nothing of cats and dogs");
    assert!(remarks[0].contains("1 row of") && remarks[0].contains("'frog'"), "{remarks:?}");
}

#[test]
fn files_that_do_not_fit_are_refused_with_both_numbers() {
    let files = Files::new();
    files.write("classes.txt", "cat\ndog\n");
    files.write("four.npy", npy_bytes("<f4", "(4, 2)", &f32s(&[0.5; 8])));
    let error = files.error("four.npy", Some("classes.txt"), None);
    assert!(error.contains("it has 4 rows, but the dataset has 3 samples"), "{error}");
    files.write("ids.txt", "a\nb\nc\n");
    let error = files.error("four.npy", Some("classes.txt"), Some("ids.txt"));
    assert!(error.contains("ids.txt: it has 3 lines, but") && error.contains("has 4 rows"), "{error}");
    files.write("twice.csv", "path,cat,dog\na.png,.5,.5\na.png,.4,.6\n");
    assert!(files.error("twice.csv", None, None).contains("rows 1 and 2 are both about a.png"));
    files.write("none.csv", "path,cat,dog\nx.png,.5,.5\ny.png,.4,.6\n");
    assert!(files.error("none.csv", None, None).contains("none of its 2 rows names a sample"));
    files.write("words.csv", "path,cat,dog\na.png,.5,much\n");
    assert!(files.error("words.csv", None, None).contains("line 2, column 'dog': 'much' is not a number"));
    files.write("object.npy", npy_bytes("|O", "(3,)", b"\x80\x04]."));
    assert!(files.error("object.npy", None, None).contains("it contains pickled objects"));
    files.write("cut.npy", &npy_bytes("<f4", "(3, 2)", &f32s(&ROWS))[..140]);
    assert!(files.error("cut.npy", Some("classes.txt"), None).contains("cut.npy: it is truncated"));
    files.write("some.csv", "path,cat,dog\na.png,.5,.5\nx.png,.4,.6\n");
    let (_, remarks) = files.read("some.csv", None, None).unwrap();
    assert!(remarks[0].starts_with("1 of 2 rows of ") && remarks[0].ends_with("is about no sample: 'x.png'"));
}

#[test]
fn columns_of_classes_are_found_by_case_affix_and_number_and_that_is_said() {
    let files = Files::new();
    files.write("classes.txt", "dog\ncat\n");
    let rows = "a.png,.75,.25\nb.png,.5,.5\nc.png,.125,.875\n";
    for (heading, classes, said) in [
        ("Cat,DOG", None, "2 columns of "),
        ("prob_cat,prob_dog", None, "with 'prob_…' around each name"),
        ("0,1", None, "are numbers of classes: 0 is cat, 1 is dog"),
        ("1,0", Some("classes.txt"), "are numbers of classes: 0 is dog, 1 is cat"),
    ] {
        files.write("p.csv", format!("path,{heading}\n{rows}"));
        let (bound, remarks) = files.read("p.csv", classes, None).unwrap();
        assert_eq!(bound.found.matrix, ROWS, "{heading}");
        assert!(remarks.len() == 1 && remarks[0].contains(said), "{remarks:?}");
    }
    files.write("p.csv", format!("path,first,second\n{rows}"));
    let error = files.error("p.csv", None, None);
    assert!(
        error.contains(
            "'cat' has no column of probabilities (columns: 'path', 'first', 'second'; classes: 'cat', 'dog')"
        ),
        "{error}"
    );
    // The first of several usual columns that name samples is the one that other tables are read by.
    files.write("p.csv", "image_id,cat,dog,path\n7,.125,.875,c.png\n8,.75,.25,a.png\n9,.5,.5,b.png\n");
    assert_eq!(files.matrix("p.csv", None, None), ROWS);
}

#[test]
fn rows_that_rounding_leaves_short_of_1_are_scaled_and_others_are_not() {
    let files = Files::new();
    files.write("p.csv", "path,cat,dog\na.png,.33,.66\nb.png,.5,.5\nc.png,.3,.6\n");
    let (bound, remarks) = files.read("p.csv", None, None).unwrap();
    let (cat, dog) = (bound.found.matrix[0], bound.found.matrix[1]);
    assert!((cat - 1.0 / 3.0).abs() < 1e-6 && (dog - 2.0 / 3.0).abs() < 1e-6, "{bound:?}");
    assert_eq!(
        bound.bad,
        [chaffinch_protocol::sample::SampleId(2)],
        "a tenth is more than two decimals lose"
    );
    assert!(
        remarks[0].starts_with("1 row of ") && remarks[0].contains("scaled to add up to 1"),
        "{remarks:?}"
    );
    // Numbers with many decimals are not rounded.
    files.write("p.csv", "path,cat,dog\na.png,.3312345,.66\nb.png,.5,.5\n");
    assert_eq!(files.read("p.csv", None, None).unwrap().0.bad.len(), 1);
}

#[test]
fn rows_of_one_path_that_differ_in_another_order_are_said() {
    let paths = ["a.png", "b.png", "a.png"];
    let sample = |(path, label): (&str, &str)| NewSample {
        path: path.into(),
        label: Some(label.into()),
        split: Default::default(),
    };
    let manifest = Manifest::new("/data", paths.into_iter().zip(["cat", "dog", "dog"]).map(sample));
    let hashes = paths.iter().map(|path| ContentHash::of(path.as_bytes())).collect();
    let file_metadata = FileMetadata { hashes, ..FileMetadata::default() };
    let remarks = |rows: [&str; 3]| {
        let files = Files::new();
        files.write("p.csv", format!("path,cat,dog\n{}\n", rows.join("\n")));
        let given = ProbabilityFiles { files: vec![files.at("p.csv")], classes: None, ids: None };
        let models = read_given(&given, &manifest, &RowOrders::default()).unwrap();
        join(&models, given.name(), &manifest, &file_metadata).unwrap().remarks
    };
    let said = remarks(["b.png,0.5,0.5", "a.png,0.25,0.75", "a.png,0.75,0.25"]);
    assert!(
        said.iter().any(|remark| remark.starts_with("2 rows of ")
            && remark.contains("such as rows 2 and 3 ('a.png')")
            && remark.contains("the file is in another order than the dataset")),
        "{said:?}"
    );
    // Rows that are the same, and those in the order of the dataset, leave nothing to guess.
    assert!(remarks(["b.png,0.5,0.5", "a.png,0.25,0.75", "a.png,0.25,0.75"]).is_empty());
    assert!(remarks(["a.png,0.25,0.75", "b.png,0.5,0.5", "a.png,0.75,0.25"]).is_empty());
}

/// Ids of the dataset's table, which has its rows in another order.
#[test]
fn rows_are_joined_by_a_column_that_the_dataset_has_too() {
    let files = Files::new();
    let ids = |name: &str| {
        let values = ["2", "0", "1"].map(str::to_owned).to_vec();
        dataset_with(vec![ExtraColumn { name: name.to_owned(), values }])
    };
    let numbers = ".5,.5\n1,.125,.875\n2,.75,.25\n";
    for heading in ["id", "image_id", "uid"] {
        files.write("p.csv", format!("{heading},cat,dog\n0,{numbers}"));
        let (bound, remarks) = files.read_for(ids(heading), "p.csv", None, None).unwrap();
        assert_eq!(bound.found.matrix, ROWS, "{heading}");
        let said = format!("are named by the column '{heading}', which the dataset has, too");
        assert!(remarks.iter().any(|remark| remark.contains(&said)), "{remarks:?}");
        let column = |numbers: [f32; 3]| Arc::new(Float32Array::from(numbers.to_vec())) as ArrayRef;
        let columns = [
            (heading, Arc::new(arrow_array::Int64Array::from(vec![0, 1, 2])) as ArrayRef),
            ("cat", column([0.5, 0.125, 0.75])),
            ("dog", column([0.5, 0.875, 0.25])),
        ];
        write(&files.at("p.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
        assert_eq!(files.read_for(ids(heading), "p.parquet", None, None).unwrap().0.found.matrix, ROWS);
    }
    files.write("p.csv", format!(",cat,dog\n0,{numbers}"));
    let error = files.read_for(ids("Unnamed: 0"), "p.csv", None, None).unwrap_err();
    assert!(error.contains("p.csv: the numbers in a column without a name may be"), "{error}");
    // A file of ids, one a line.
    files.write("classes.txt", "cat\ndog\n");
    files.write("ids.txt", "0\n1\n2\n");
    files.write("p.npy", npy_bytes("<f4", "(3, 2)", &f32s(&[0.5, 0.5, 0.125, 0.875, 0.75, 0.25])));
    let (bound, remarks) = files.read_for(ids("id"), "p.npy", Some("classes.txt"), Some("ids.txt")).unwrap();
    assert_eq!(bound.found.matrix, ROWS);
    assert!(remarks[0].contains("by the values of the dataset's column 'id'"), "{remarks:?}");
    // Paths come first, and what contradicts them is said.
    for (cells, said) in [(["1", "0", "2"], false), (["0", "1", "2"], true)] {
        let [a, b, c] = cells;
        let rows = format!("path,id,cat,dog\nc.png,{a},.125,.875\nb.png,{b},.5,.5\na.png,{c},.75,.25\n");
        files.write("p.csv", rows);
        let (bound, remarks) = files.read_for(ids("id"), "p.csv", None, None).unwrap();
        assert_eq!(bound.found.matrix, ROWS);
        let words = "the column 'id' says otherwise: row 1 is c.png by its path and b.png by the column";
        assert_eq!(remarks.iter().any(|remark| remark.contains(words)), said, "{remarks:?}");
    }
    // Two rows about one sample.
    files.write("p.csv", "id,cat,dog\n0,.5,.5\n1,.125,.875\n1,.75,.25\n");
    let error = files.read_for(ids("id"), "p.csv", None, None).unwrap_err();
    assert!(error.contains("rows 2 and 3 are both about c.png ('1')"), "{error}");
}

/// Labels beside an array show another order of its rows, as a column of a table does.
#[test]
fn labels_beside_an_array_show_another_order() {
    let files = Files::new();
    let class = |row: usize| ["ant", "bee", "cow"][row / 8];
    let sample = |row: usize| NewSample {
        path: format!("{}/{row:02}.png", class(row)).into(),
        label: Some(class(row).into()),
        split: Default::default(),
    };
    let manifest = Manifest::new("/data", (0..24).map(sample));
    let hashes = (0..24).map(|row: usize| ContentHash::of(&row.to_le_bytes())).collect();
    let file_metadata = FileMetadata { hashes, ..FileMetadata::default() };
    // The classes of the file are in another order than those of the dataset.
    let classes = [("classes", r#"["cow", "ant", "bee"]"#)];
    let numbers: Vec<f32> = [0.5, 0.25, 0.25].repeat(24);
    for name in ["labels", "label", "targets", "y", "class_id"] {
        for (step, right) in [(1, true), (5, false)] {
            let labels: Vec<i64> = (0..24).map(|row| ((row * step % 24 / 8) + 1) % 3).collect();
            for metadata in [&classes[..], &[]] {
                let given = (&numbers[..], 3);
                crate::arrays::testing::beside(
                    &files.at("p.safetensors"),
                    given,
                    &[(name, &labels)],
                    metadata,
                );
                files.write("classes.txt", "cow\nant\nbee\n");
                let dataset = (manifest.clone(), file_metadata.clone());
                let order = metadata.is_empty().then_some("classes.txt");
                match files.read_for(dataset, "p.safetensors", order, None) {
                    Ok(_) => assert!(right, "{name}"),
                    Err(error) => {
                        assert!(!right && error.contains("so the rows are in another order"), "{error}");
                    }
                }
            }
        }
    }
}

/// What is beside rows was compared when they were first given; the dataset's labels may be others since.
#[test]
fn rows_that_a_session_knows_stay_with_pictures_whose_labels_have_changed() {
    let files = Files::new();
    let class = |row: usize| if row.is_multiple_of(2) { "cat" } else { "dog" };
    let row = |row: usize| format!("{},.{:02},.{:02}\n", class(row), 10 + row, 90 - row);
    files.write("p.csv", format!("label,cat,dog\n{}", (0..20).map(row).collect::<String>()));
    let of = |rows: &[usize], label: &dyn Fn(usize) -> &'static str| {
        let sample = |row: &usize| NewSample {
            path: format!("{}/{row:02}.png", label(*row)).into(),
            label: Some(label(*row).into()),
            split: Default::default(),
        };
        let hashes = rows.iter().map(|row| ContentHash::of(&[*row as u8])).collect();
        let manifest = Manifest::new("/data", rows.iter().map(sample));
        (manifest, FileMetadata { hashes, ..FileMetadata::default() })
    };
    fs::create_dir(files.at("data")).unwrap();
    let session = Session::open_or_create(&files.at("session"), &files.at("data")).unwrap();
    let given = ProbabilityFiles { files: vec![files.at("p.csv")], classes: None, ids: None };
    let joined = |(manifest, file_metadata): &(Manifest, FileMetadata)| {
        let models = read_given(&given, manifest, &RowOrders::new(&session))?;
        join(&models, given.name(), manifest, file_metadata)
    };
    let before = of(&(0..20).collect::<Vec<_>>(), &class);
    let Told { warnings, notes, keep } = joined(&before).unwrap().told;
    assert_eq!((warnings.len(), notes.len(), keep.len()), (0, 1, 1), "{notes:?}");
    // Half are relabeled, and all are in another order.
    let now = of(&(0..20).rev().collect::<Vec<_>>(), &|row| class(row / 2));
    let error = joined(&now).unwrap_err().to_string();
    assert!(error.contains("in another order"), "{error}");
    session.keep_row_order(&keep[0].0, &keep[0].1).unwrap();
    let Joined { probabilities, told, .. } = joined(&now).unwrap();
    assert!(told.warnings[0].contains("stay with the pictures") && told.keep.is_empty(), "{told:?}");
    let bound = probabilities.bind(&now.0, &now.1).unwrap().found.matrix;
    let cats: Vec<f32> = bound.chunks(2).map(|row| row[0]).collect();
    let expected: Vec<f32> = (0..20).rev().map(|row| (10 + row) as f32 / 100.0).collect();
    assert!(cats.iter().zip(&expected).all(|(one, other)| (one - other).abs() < 1e-6), "{cats:?}");
}
