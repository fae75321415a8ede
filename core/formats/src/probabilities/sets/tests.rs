use super::*;
use crate::arrays::testing::{npy_bytes, npy_ordered};
use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use std::fs;
use std::sync::Arc;

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Files {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        Files(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn npy(&self, name: &str, descr: &str, shape: &str, data: &[u8]) {
        fs::write(self.path(name), npy_bytes(descr, shape, data)).unwrap();
    }

    fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = fs::File::create(self.path(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    fn read(
        &self,
        probabilities: &str,
        labels: &str,
        classes: &str,
        truth: &str,
    ) -> std::result::Result<ReadSets, String> {
        let given = |name: &str| (!name.is_empty()).then(|| self.path(name));
        let files: Vec<PathBuf> = probabilities.split(' ').map(|name| self.path(name)).collect();
        read_sets(&files, &self.path(labels), given(classes).as_deref(), given(truth).as_deref())
            .map_err(|error| error.to_string())
    }

    /// The labels of each row, by name.
    fn labels(&self, probabilities: &str, labels: &str, classes: &str) -> Vec<String> {
        let read =
            self.read(probabilities, labels, classes, "").unwrap_or_else(|error| panic!("{labels}: {error}"));
        all_labels(&read.input)
    }

    fn recognized(&self, labels: &str) -> Option<String> {
        has_several_labels(&self.path(labels)).unwrap()
    }
}

fn all_labels(input: &SetInput) -> Vec<String> {
    let row = |row| {
        let named = input.classes().iter().zip(input.given(row)).filter(|(_, has)| **has);
        named.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("+")
    };
    (0..input.len()).map(row).collect()
}

/// Three classes, four rows that do not add up to 1; the third row has no label, the fourth all but one.
const PROBABILITIES: &str = "dog,cat,owl\n.9,.8,.1\n.2,.9,.1\n.1,.1,.1\n.9,.1,.9\n";
const EXPECTED: [&str; 4] = ["dog+cat", "cat", "", "dog+owl"];

#[test]
fn every_form_of_labels_is_read_alike() {
    let files = Files::new(&[
        ("p.csv", PROBABILITIES),
        ("bare.csv", ".9,.8,.1\n.2,.9,.1\n.1,.1,.1\n.9,.1,.9\n"),
        ("classes.txt", "dog\ncat\nowl\n"),
        (
            "json.csv",
            "path,labels\na,\"[\"\"cat\"\", \"\"dog\"\"]\"\nb,\"[\"\"cat\"\"]\"\nc,[]\nd,\"[\"\"owl\"\",\"\"dog\"\"]\"\n",
        ),
        ("python.csv", "path,label\na,\"['cat', 'dog']\"\nb,['cat']\nc,[]\nd,\"['owl', 'dog']\"\n"),
        ("bars.csv", "path,label\na,cat|dog\nb,cat\nc,\nd,owl|dog\n"),
        ("commas.csv", "path,labels\na,\"cat, dog\"\nb,cat\nc,nan\nd,\"owl,dog\"\n"),
        ("words.tsv", "path\ttags\na\tcat dog\nb\tcat\nc\t\nd\towl dog\n"),
        ("lines.txt", "cat|dog\ncat\n\nowl|dog\n"),
        ("headed.txt", "labels\ncat;dog\ncat\n\nowl;dog\n"),
        ("ours.csv", "path,label,all_labels\na,cat,cat|dog\nb,cat,\nc,,\nd,,owl|dog\n"),
        ("flags.csv", "path,cat,owl,dog\na,1,0,1\nb,1,0,0\nc,0,0,0\nd,0,1,1\n"),
        ("words.csv", "cat,owl,dog\nTrue,False,True\nTrue,False,False\nFalse,False,False\nFalse,True,True\n"),
        (
            "lines.jsonl",
            "{\"labels\": [\"cat\", \"dog\"]}\n{\"labels\": [\"cat\"]}\n{\"labels\": []}\n{\"labels\": [\"owl\", \"dog\"]}\n",
        ),
        (
            "array.json",
            r#"[{"tags": ["cat", "dog"]}, {"tags": "cat"}, {"tags": null}, {"tags": ["owl", "dog"]}]"#,
        ),
        ("numbers.csv", "labels\n\"[1, 0]\"\n[1]\n[]\n\"[2, 0]\"\n"),
        (
            "hot.jsonl",
            "{\"label\": [1,1,0]}\n{\"label\": [0,1,0]}\n{\"label\": [0,0,0]}\n{\"label\": [1,0,1]}\n",
        ),
    ]);
    files.npy("flags.npy", "|u1", "(4, 3)", &[1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1]);
    let columns = npy_ordered("|b1", "(4, 3)", true, &[1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1]);
    fs::write(files.path("columns.npy"), columns).unwrap();
    let floats = [1.0_f32, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0].map(f32::to_le_bytes);
    files.npy("floats.npy", "<f4", "(4, 3)", floats.as_flattened());
    let mut names = ListBuilder::new(StringBuilder::new());
    let mut numbers = ListBuilder::new(Int64Builder::new());
    for labels in [&["cat", "dog"][..], &["cat"], &[], &["owl", "dog"]] {
        labels.iter().for_each(|label| names.values().append_value(label));
        names.append(true);
        let place =
            |label: &&str| ["dog", "cat", "owl"].iter().position(|name| name == label).unwrap() as i64;
        labels.iter().for_each(|label| numbers.values().append_value(place(label)));
        numbers.append(true);
    }
    files.parquet("names.parquet", vec![("marks", Arc::new(names.finish()) as ArrayRef)]);
    files.parquet("numbers.parquet", vec![("labels", Arc::new(numbers.finish()) as ArrayRef)]);
    for (labels, several) in [
        ("json.csv", true),
        ("python.csv", true),
        ("bars.csv", false),
        ("commas.csv", false),
        ("words.tsv", false),
        ("lines.txt", false),
        ("headed.txt", false),
        ("ours.csv", true),
        ("flags.csv", true),
        ("words.csv", true),
        ("lines.jsonl", true),
        ("array.json", true),
        ("names.parquet", false),
    ] {
        assert_eq!(files.labels("p.csv", labels, ""), EXPECTED, "{labels}");
        assert_eq!(files.recognized(labels).is_some(), several, "{labels}");
    }
    for labels in ["numbers.csv", "hot.jsonl", "flags.npy", "columns.npy", "floats.npy", "numbers.parquet"] {
        assert_eq!(files.labels("p.csv", labels, "classes.txt"), EXPECTED, "{labels}");
        assert_eq!(files.labels("bare.csv", labels, "").len(), 4, "{labels}");
        assert!(files.recognized(labels).is_some(), "{labels}");
    }
    assert!(
        files
            .recognized("flags.csv")
            .unwrap()
            .ends_with("flags.csv has columns of 0 and 1: 'cat', 'owl', 'dog'")
    );
}

#[test]
fn rows_are_joined_by_their_names() {
    let files = Files::new(&[
        ("p.csv", "path,owl,dog,cat\nd.jpg,.9,.9,.1\nc.jpg,.1,.1,.1\nb.jpg,.1,.2,.9\na.jpg,.1,.9,.8\n"),
        ("l.csv", "path,labels\na.jpg,cat|dog\nb.jpg,cat\nc.jpg,\nd.jpg,owl|dog\n"),
        (
            "l.jsonl",
            "{\"path\": \"a.jpg\", \"labels\": [\"cat\", \"dog\"]}\n{\"path\": \"b.jpg\", \"labels\": [\"cat\"]}\n{\"path\": \"c.jpg\"}\n{\"path\": \"d.jpg\", \"labels\": [\"owl\", \"dog\"]}\n",
        ),
        ("flags.csv", "file,cat,owl,dog\na.jpg,1,0,1\nb.jpg,1,0,0\nc.jpg,0,0,0\nd.jpg,0,1,1\n"),
        ("truth.csv", "path,true_labels\nd.jpg,owl|dog\nc.jpg,\nb.jpg,cat|dog\na.jpg,cat|dog\n"),
        ("errors.csv", "path,is_error\nd.jpg,0\nc.jpg,1\nb.jpg,0\na.jpg,0\n"),
    ]);
    for labels in ["l.csv", "l.jsonl", "flags.csv"] {
        let read = files.read("p.csv", labels, "", "truth.csv").unwrap();
        let expected = ["cat+dog", "cat", "", "dog+owl"];
        assert_eq!(all_labels(&read.input), expected, "{labels}");
        assert_eq!(read.input.errors(), Some(&[false, true, false, false][..]), "{labels}");
    }
    let read = files.read("p.csv", "l.csv", "", "errors.csv").unwrap();
    assert_eq!(read.input.errors(), Some(&[false, false, true, false][..]));
}

/// Each form of labels means the same in rows that are named and in others.
#[test]
fn forms_of_labels_do_not_depend_on_how_rows_are_found() {
    let files = Files::new(&[
        ("named.csv", "path,owl,dog,cat\nd,.9,.9,.1\nc,.1,.1,.1\nb,.1,.2,.9\na,.1,.9,.8\n"),
        ("probs.csv", "path,prob_owl,prob_dog,prob_cat\nd,.9,.9,.1\nc,.1,.1,.1\nb,.1,.2,.9\na,.1,.9,.8\n"),
        ("numbers.csv", "path,2,0,1\nd,.9,.9,.1\nc,.1,.1,.1\nb,.1,.2,.9\na,.1,.9,.8\n"),
        ("order.csv", "prob_dog,prob_cat,prob_owl\n.9,.8,.1\n.2,.9,.1\n.1,.1,.1\n.9,.1,.9\n"),
        ("classes.txt", "dog\ncat\nowl\n"),
        ("words.csv", "path,labels\na,dog cat\nb,cat\nc,\nd,owl dog\n"),
        ("places.csv", "path,labels\na,\"[1, 0]\"\nb,[1]\nc,[]\nd,\"[2, 0]\"\n"),
        ("hot.csv", "path,labels\na,\"[1, 1, 0]\"\nb,\"[0, 1, 0]\"\nc,\"[0, 0, 0]\"\nd,\"[1, 0, 1]\"\n"),
        ("columns.csv", "path,cat,dog,owl,held\na,1,1,0,1\nb,1,0,0,0\nc,0,0,0,1\nd,0,1,1,0\n"),
    ]);
    let sorted = |probabilities: &str, labels: &str, classes: &str| -> Vec<String> {
        let sort = |labels: String| {
            let mut all: Vec<&str> = labels.split('+').collect();
            all.sort_unstable();
            all.join("+")
        };
        files.labels(probabilities, labels, classes).into_iter().map(sort).collect()
    };
    let expected = ["cat+dog", "cat", "", "dog+owl"];
    for probabilities in ["named.csv", "probs.csv", "order.csv"] {
        for labels in ["words.csv", "places.csv", "hot.csv", "columns.csv"] {
            assert_eq!(sorted(probabilities, labels, "classes.txt"), expected, "{probabilities} {labels}");
        }
        for labels in ["words.csv", "columns.csv"] {
            assert_eq!(sorted(probabilities, labels, ""), expected, "{probabilities} {labels}");
        }
        for labels in ["places.csv", "hot.csv"] {
            let error = files.read(probabilities, labels, "", "").unwrap_err();
            assert!(error.contains("pass --classes FILE"), "{probabilities} {labels}: {error}");
        }
    }
    assert_eq!(sorted("numbers.csv", "places.csv", ""), ["0+1", "1", "", "0+2"]);
    assert_eq!(sorted("numbers.csv", "hot.csv", ""), ["0+1", "1", "", "0+2"]);
}

#[test]
fn what_would_be_a_guess_is_refused() {
    let files = Files::new(&[
        ("p.csv", PROBABILITIES),
        ("bare.csv", ".9,.8,.1\n.2,.9,.1\n.1,.1,.1\n.9,.1,.9\n"),
        ("odd.csv", "labels\ncat|dog\ncat\n-\nowl|dgo\n"),
        ("two.csv", "path,cat,dog\na,1,0\nb,0,1\nc,0,0\nd,1,1\n"),
        ("more.csv", "path,cat,dog,owl,held_back\na,1,1,0,1\nb,1,0,0,0\nc,0,0,0,1\nd,0,1,1,0\n"),
        ("short.csv", "labels\ncat|dog\n"),
        ("none.csv", "path,width\na,3\nb,4\nc,5\nd,6\n"),
        ("flags.csv", "is_error\n0\n1\n1\n0\n"),
        ("high.csv", "dog,cat,owl\n.9,.8,.1\n.2,.9,.1\n.1,.1,.1\n.9,.1,1.5\n"),
        ("good.csv", "labels\ncat|dog\ncat\ndog\nowl\n"),
    ]);
    files.npy("flags.npy", "|u1", "(4, 3)", &[1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1]);
    files.npy("two.npy", "|u1", "(4, 2)", &[1, 1, 0, 0, 1, 0, 0, 0]);
    files.npy("counts.npy", "|u1", "(4, 3)", &[1, 1, 0, 0, 1, 0, 0, 7, 0, 1, 0, 1]);
    for (p, labels, why) in [
        (
            "p.csv",
            "odd.csv",
            "row 3 has the label 'dgo', which is not a class (classes: 'dog', 'cat', 'owl')",
        ),
        ("p.csv", "two.csv", "the class 'owl' has no column of labels (columns of 0 and 1: 'cat', 'dog')"),
        ("bare.csv", "more.csv", "pass --classes FILE"),
        (
            "p.csv",
            "flags.npy",
            "its columns have no names, but those of probabilities have; pass --classes FILE",
        ),
        ("p.csv", "two.npy", "it has 2 columns for 3 classes"),
        ("p.csv", "counts.npy", "row 2, column 1: 7 is neither 0 nor 1"),
        ("p.csv", "short.csv", "it has 1 row, but"),
        ("p.csv", "none.csv", "it needs a column 'labels' with a list of labels for each row"),
        ("high.csv", "good.csv", "row 3, class 2 ('owl'): 1.5 is not a probability"),
    ] {
        let error = files.read(p, labels, "", "").unwrap_err();
        assert!(
            error.contains(why) && error.contains(if p == "high.csv" { p } else { labels }),
            "{labels}: {error}"
        );
    }
    let read = files.read("p.csv", "more.csv", "", "").unwrap();
    assert_eq!(all_labels(&read.input), EXPECTED);
    assert!(
        read.remarks[0].contains("p.csv does not: its rows were taken in the same order")
            && read.remarks[1].starts_with("1 column of 0 and 1 is not a class of probabilities in"),
        "{:?}",
        read.remarks
    );
    assert!(read.remarks[1].ends_with("left out: 'held_back'"), "{:?}", read.remarks);
}

#[test]
fn one_label_a_row_is_not_taken_for_several() {
    let files = Files::new(&[
        ("names.csv", "path,label\na,cat\nb,dog\n"),
        ("commas.csv", "path,label\na,\"tench, Tinca tinca\"\nb,dog\n"),
        ("numbers.txt", "0\n3\n"),
        ("flags.csv", "is_error\n0\n1\n"),
        ("beside.csv", "label,is_train,is_test\ncat,1,0\ndog,0,1\n"),
        ("ragged.csv", "path,label\na,cat\nb\n"),
    ]);
    files.npy("column.npy", "|u1", "(4, 1)", &[1, 1, 0, 0]);
    files.npy("numbers.npy", "|u1", "(4,)", &[1, 1, 0, 3]);
    for labels in [
        "names.csv",
        "commas.csv",
        "numbers.txt",
        "flags.csv",
        "beside.csv",
        "ragged.csv",
        "column.npy",
        "numbers.npy",
    ] {
        assert_eq!(files.recognized(labels), None, "{labels}");
    }
}
