use super::*;
use chaffinch_data::manifest::NewSample;
use chaffinch_protocol::sample::Split;

fn manifest() -> Manifest {
    let row = |path: &str, label: &str| NewSample {
        path: path.into(),
        label: (!label.is_empty()).then(|| label.into()),
        split: Split::None,
    };
    Manifest::new(
        "/data",
        [row("a/1.jpg", "cat"), row("a/2.jpg", "dog"), row("b/1.jpg", "dog"), row("b/3.jpg", "")],
    )
}

fn truth(csv: &str) -> std::result::Result<Truth, String> {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("truth.csv");
    std::fs::write(&path, csv).unwrap();
    read(&path, &manifest()).map_err(|error| error.to_string())
}

#[test]
fn the_truth_is_joined_by_path() {
    let labels = truth("\u{feff}Path,true_label\na/1.jpg,cat\n/data/a/2.jpg,cat\n/mnt/data/b/1.jpg,dog\n3.jpg,dog\n1.jpg,cat\nx.jpg,cat\n").unwrap();
    // Beside paths in full, 1.jpg and 3.jpg are no pictures of the dataset, nor is x.jpg.
    assert_eq!(labels.known(), [(0, false), (1, true), (2, false)]);
    assert_eq!(labels.unmatched(), 3);
    let flags = truth("is_error,file_name\nTRUE,./a/1.jpg\n0,a/2.jpg\n,b/1.jpg\n1,b/3.jpg\n").unwrap();
    assert_eq!(flags.known(), [(0, true), (1, false), (3, true)]);
}

#[test]
fn a_truth_that_is_none_says_why() {
    assert!(truth("name,label\n").unwrap_err().contains("no column for paths"));
    assert!(truth("path,tru_label\n").unwrap_err().contains("did you mean 'true_label'?"));
    assert!(
        truth("path,is_error\na/1.jpg,maybe\n").unwrap_err().contains("line 2: 'maybe' is not a boolean")
    );
    assert!(truth("path,label\nq.jpg,cat\n").unwrap_err().contains("no sample matches a path in its 1 row;"));
    assert!(truth("path,label\n").unwrap_err().contains("should look like a/1.jpg"));
}

#[test]
fn labels_are_compared_like_class_names() {
    let labels = truth("path;true_label\na/1.jpg; cat\u{a0}\na/2.jpg;cat\n").unwrap();
    assert_eq!(labels.known(), [(0, false), (1, true)]);
    let numbers = truth("path,label\na/1.jpg,0\na/2.jpg,1\n").unwrap_err();
    assert!(numbers.contains("none of its labels is a class of the dataset: it has '0', '1'"), "{numbers}");
}

#[test]
fn kinds_are_read_with_the_errors_or_alone() {
    let kinds =
        truth("path,is_error,fault\na/1.jpg,1,blurred\na/2.jpg,0,\nb/1.jpg,1,label\nb/3.jpg,0,label\n")
            .unwrap();
    assert_eq!(kinds.kinds(), [("blurred".to_owned(), 1), ("label".to_owned(), 1)].into());
    let alone = truth("path,kind\na/1.jpg,dark\na/2.jpg,None\nb/1.jpg,\n").unwrap();
    assert_eq!(alone.known(), [(0, true), (1, false), (2, false)]);
    let sample =
        |number: usize| NewSample { path: format!("{number}.jpg").into(), label: None, split: Split::None };
    let samples = Manifest::new("/data", (0..=MAX_KINDS).map(sample));
    let many: String = (0..=MAX_KINDS).map(|kind| format!("{kind}.jpg,{kind}x\n")).collect();
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("truth.csv");
    std::fs::write(&path, format!("path,kind\n{many}")).unwrap();
    assert!(read(&path, &samples).unwrap_err().to_string().contains("more than 200 kinds"));
}

#[test]
fn copies_are_read_with_the_sample_they_repeat() {
    let truth =
        truth("path,is_error,fault,copy_of\na/1.jpg,0,,\nb/1.jpg,1,copy,a/1.jpg\nb/3.jpg,1,copy,gone.jpg\n");
    assert_eq!(truth.unwrap().copies(), [[0, 2]]);
}

#[test]
fn rows_of_one_path_are_about_its_samples_in_turn() {
    let row = |path: &str, label: &str| NewSample {
        path: path.into(),
        label: Some(label.into()),
        split: Split::None,
    };
    let twice = Manifest::new("/data", [row("a.jpg", "cat"), row("b.jpg", "dog"), row("a.jpg", "dog")]);
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("truth.csv");
    let known = |csv: &str| {
        std::fs::write(&path, csv).unwrap();
        read(&path, &twice).map(|truth| truth.known()).map_err(|error| error.to_string())
    };
    assert_eq!(
        known("path,is_error\na.jpg,0\na.jpg,1\nb.jpg,0\n"),
        Ok(vec![(0, false), (1, false), (2, true)])
    );
    assert_eq!(known("path,true_label\na.jpg,cat\n"), Ok(vec![(0, false), (2, true)]));
    assert_eq!(known("path,is_error\nb.jpg,1\nb.jpg,1\n"), Ok(vec![(1, true)]));
    let error = known("path,is_error\nb.jpg,1\na.jpg,1\nb.jpg,0\n").unwrap_err();
    assert!(error.contains("lines 2 and 4 say different things of b.jpg; leave one of them out"), "{error}");
}

#[test]
fn labels_that_are_no_classes_are_said_beside_those_that_are() {
    let some = truth("path,label\na/1.jpg,cat\na/2.jpg,DOG\nb\\1.jpg,zebra\n").unwrap();
    assert_eq!(some.known(), [(0, false), (1, true), (2, true)]);
    let said = some.foreign().unwrap();
    assert!(
        said.starts_with(
            "2 rows have labels that are no class of the dataset, and count as errors: 'DOG', 'zebra'"
        ),
        "{said}"
    );
    assert_eq!(truth("path,label\na/1.jpg,cat\na/2.jpg,\n").unwrap().foreign(), None);
}

#[test]
fn names_are_found_as_those_of_a_truth() {
    let find = |name: &str| find(&[name.as_bytes().to_vec()], &manifest())[0].map(|id| id.0);
    assert_eq!(
        ["a/1.jpg", "/x/a/1.jpg", r"C:\x\b\1.jpg", "3.jpg"].map(find),
        [Some(0), Some(0), Some(2), Some(3)]
    );
    assert_eq!(["1.jpg", "x.jpg"].map(find), [None, None], "several, and none");
}
