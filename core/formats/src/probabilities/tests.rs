use super::*;
use crate::arrays::testing::{self, npy_bytes};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use chaffinch_confident::{Ensemble, Filter, InputError, Method};
use chaffinch_review::label_quality::{JudgeOptions, Report};
use std::fs;
use std::sync::Arc;

/// Files in a temporary folder; npy files are assembled from their parts.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Files {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Files(folder)
    }

    fn npy(&self, name: &str, descr: &str, shape: &str, data: &[u8]) {
        fs::write(self.0.path().join(name), npy_bytes(descr, shape, data)).unwrap();
    }

    fn read(
        &self,
        probabilities: &str,
        labels: &str,
        classes: &str,
        truth: &str,
    ) -> std::result::Result<Input, String> {
        let path = |name: &str| self.0.path().join(name);
        let given = |name: &str| (!name.is_empty()).then(|| path(name));
        let files: Vec<PathBuf> = probabilities.split(' ').map(path).collect();
        super::read(&files, &path(labels), given(classes).as_deref(), given(truth).as_deref())
            .map(|read| read.input)
            .map_err(|error| error.to_string())
    }
}

fn question(filters: Vec<Filter>) -> JudgeOptions {
    JudgeOptions { method: Method::SelfConfidence, adjusted: false, filters, ensemble: Ensemble::Scores }
}

fn issues(input: &Input) -> Vec<bool> {
    let filters = vec![Filter::PredictedNeqGiven];
    let question = question(filters);
    input.judge(&question).unwrap().flagged["predicted_neq_given"].clone()
}

const WORKSHOP: &str = "lion,boar,female_lion,male_lion,lion_cub,human\n\
                        .6,.1,.1,.1,.05,.05\n.1,.6,.1,.1,.05,.05\n.1,.1,.1,.6,.05,.05\n.05,.05,.1,.1,.1,.6\n";

#[test]
fn columns_are_bound_by_name_in_whatever_order_they_stand() {
    // The header is not in the order in which a library would sort its labels.
    let sorted = "boar\nfemale_lion\nhuman\nlion\nlion_cub\nmale_lion\n";
    let files = Files::new(&[
        ("p.csv", WORKSHOP),
        ("names.csv", "label\nlion\nboar\nmale_lion\nhuman\n"),
        ("sorted.txt", sorted),
        ("numbers.txt", "3\n0\n5\n2\n"),
    ]);
    let by_name = files.read("p.csv", "names.csv", "", "").unwrap();
    assert_eq!(issues(&by_name), [false; 4]);
    // The same labels as numbers into the sorted list.
    let by_number = files.read("p.csv", "numbers.txt", "sorted.txt", "").unwrap();
    assert_eq!(by_number.labels(), by_name.labels());
    assert_eq!(by_number.classes()[by_number.labels()[2] as usize], "male_lion");
}

#[test]
fn labels_may_be_in_json() {
    let files = Files::new(&[
        ("p.csv", "path,cat,dog\nb,.8,.2\na,.1,.9\n"),
        ("l.jsonl", "{\"path\": \"a\", \"label\": \"dog\"}\n\n{\"path\": \"b\", \"label\": \"cat\"}\n"),
        ("l.json", r#"[{"label": 1, "path": "a"}, {"path": "b", "label": 0}]"#),
        ("gap.jsonl", "{\"label\": \"dog\"}\n{\"path\": \"b\"}\n"),
        ("classes.txt", "cat\ndog\n"),
    ]);
    assert_eq!(files.read("p.csv", "l.jsonl", "", "").unwrap().labels(), [1, 0]);
    assert_eq!(
        files.read("p.csv", "l.json", "classes.txt", "l.json").unwrap().errors(),
        Some(&[false; 2][..])
    );
    let error = files.read("p.csv", "gap.jsonl", "", "").unwrap_err();
    assert!(error.contains("gap.jsonl: row 1 has no value"), "{error}");
}

#[test]
fn what_would_be_a_guess_is_refused() {
    let files = Files::new(&[
        ("p.csv", WORKSHOP),
        ("numbers.txt", "3\n0\n5\n2\n"),
        ("names.txt", "lion\nboar\nmale_lion\nhumen\n"),
        ("five.txt", "a\nb\nc\nd\ne\n"),
        ("other.txt", "lion\nboar\nfemale_lion\nmale_lion\nlion_cub\nperson\n"),
        ("twice.txt", "lion\nboar\nboar\nmale_lion\nlion_cub\nhuman\n"),
        ("bare.csv", ".5,.5\n.4,.6\n"),
        ("two.txt", "cat\ndog\n"),
        ("three.txt", "0\n1\n0\n"),
        ("flags.csv", "is_error\n0\n1\n"),
    ]);
    let error = |p: &str, l: &str, c: &str| files.read(p, l, c, "").unwrap_err();
    assert!(error("p.csv", "numbers.txt", "").contains("labels are numbers, but the columns"));
    let unknown = error("p.csv", "names.txt", "");
    assert!(
        unknown.contains("row 3 has the label 'humen', which is not a class; did you mean 'human'?"),
        "{unknown}"
    );
    assert!(error("p.csv", "numbers.txt", "five.txt").contains("five.txt: got 5 class names for 6 columns"));
    assert!(error("p.csv", "numbers.txt", "other.txt").contains("class 'person' has no column"));
    assert!(error("p.csv", "numbers.txt", "twice.txt").contains("duplicate class name 'boar'"));
    assert!(error("bare.csv", "two.txt", "").contains("labels are names, but the columns"));
    assert!(error("bare.csv", "three.txt", "").contains("three.txt: it has 3 rows"));
    assert!(error("bare.csv", "flags.csv", "").contains("true or false, not classes"));
    assert_eq!(files.read("bare.csv", "two.txt", "two.txt", "").unwrap().labels(), [0, 1]);
}

#[test]
fn columns_called_by_numbers_are_bound_by_them() {
    let files = Files::new(&[("p.csv", "2,0,1\n.8,.1,.1\n.1,.8,.1\n.1,.1,.8\n"), ("l.txt", "2\n0\n1\n")]);
    assert_eq!(issues(&files.read("p.csv", "l.txt", "", "").unwrap()), [false; 3]);
}

#[test]
fn rows_that_are_no_distribution_are_refused_with_their_place() {
    let files = Files::new(&[
        ("nan.csv", "cat,dog\n.5,.5\nnan,.5\n"),
        ("logits.csv", "cat,dog\n.5,.5\n.2,.1\n"),
        ("below.csv", "cat,dog\n.5,.5\n-.2,1.2\n"),
        ("word.csv", "cat,dog\n.5,.5\nx,.5\n"),
        ("short.csv", "cat,dog\n.5,.5\n.5\n"),
        ("one.csv", "cat\n1\n1\n"),
        ("l.csv", "label\ncat\ndog\n"),
        ("cats.csv", "label\ncat\ncat\n"),
    ]);
    let error = |p: &str| files.read(p, "l.csv", "", "").unwrap_err();
    assert!(error("nan.csv").contains("nan.csv: row 1, class 0 ('cat'): NaN is not a probability"));
    assert!(error("logits.csv").contains("row 1 sums to 0.300000, not to 1"));
    assert!(error("below.csv").contains("row 1, class 0 ('cat'): -0.2 is not a probability"));
    assert!(error("word.csv").contains("line 3, column 'cat': 'x' is not a number"));
    assert!(error("short.csv").contains("line 3 has 1 values, but the first line has 2"));
    assert!(files.read("one.csv", "cats.csv", "", "").unwrap_err().contains("only 1 class"));
    let cats = files.read("nan.csv", "cats.csv", "", "");
    assert!(cats.is_err());
    assert!(files.read("gone.csv", "l.csv", "", "").unwrap_err().contains("cannot read"));
    assert!(files.read("p.feather", "l.csv", "", "").unwrap_err().contains("use .npy, .parquet"));
}

#[test]
fn arrays_of_any_width_are_read() {
    let files = Files::new(&[("l.txt", "0\n1\n")]);
    let single: Vec<u8> = [0.75_f32, 0.25, 0.5, 0.5].iter().flat_map(|p| p.to_le_bytes()).collect();
    let big: Vec<u8> = [0.75_f64, 0.25, 0.5, 0.5].iter().flat_map(|p| p.to_be_bytes()).collect();
    files.npy("p4.npy", "<f4", "(2, 2)", &single);
    files.npy("p8.npy", ">f8", "(2, 2)", &big);
    files.npy("wrong.npy", "<i4", "(2, 2)", &single);
    files.npy("flat.npy", "<f4", "(4,)", &single);
    files.npy("l1.npy", "|u1", "(2,)", &[0, 1]);
    files.npy("l8.npy", "<i8", "(2,)", &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    files.npy("no.npy", "<i8", "(2,)", &[0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    files.npy("truth.npy", "|b1", "(2,)", &[1, 0]);
    for (p, l) in [("p4.npy", "l.txt"), ("p8.npy", "l8.npy"), ("p8.npy", "l1.npy")] {
        let input = files.read(p, l, "", "truth.npy").unwrap();
        assert_eq!((input.labels(), input.errors()), (&[0, 1][..], Some(&[true, false][..])));
    }
    // True labels instead of flags.
    assert_eq!(files.read("p4.npy", "l.txt", "", "l1.npy").unwrap().errors(), Some(&[false, false][..]));
    let no_class = files.read("p4.npy", "no.npy", "", "").unwrap_err();
    assert!(
        no_class.contains("no.npy: row 1 has the label 2, which is not a class (classes: '0', '1')"),
        "{no_class}"
    );
    assert!(
        files
            .read("wrong.npy", "l.txt", "", "")
            .unwrap_err()
            .contains("float16, bfloat16, float32 or float64")
    );
    assert!(files.read("flat.npy", "l.txt", "", "").unwrap_err().contains("it has 1 dimension;"));
}

#[test]
fn a_label_that_may_be_a_name_or_a_place_is_refused_in_every_form() {
    let rows: String = (0..12).map(|_| format!("{}\n", ["0.0833333"; 12].join(","))).collect();
    let order = ["0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"];
    let lines = |labels: &[&str]| labels.iter().map(|label| format!("{label}\n")).collect::<String>();
    let sorted: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    let sorted: Vec<&str> = sorted.iter().map(String::as_str).collect();
    let files = Files::new(&[
        ("p.csv", &rows),
        ("named.csv", &format!("{}\n{rows}", order.join(","))),
        ("classes.txt", &lines(&order)),
        ("sorted.txt", &lines(&sorted)),
        ("l.csv", &format!("label\n{}", lines(&order))),
        ("floats.csv", &format!("label\n{}", lines(&order).replace('\n', ".0\n"))),
        ("zero.csv", &format!("label\n{}", "0\n".repeat(12))),
        ("one.csv", &format!("label\n{}0\n", "1\n".repeat(11))),
        ("twelve.txt", &lines(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"])),
        ("words.txt", &lines(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"])),
    ]);
    let integers: Vec<u8> = (0..12_i64).flat_map(|number| number.to_le_bytes()).collect();
    files.npy("l.npy", "<i8", "(12,)", &integers);
    let text: Vec<u8> = order
        .iter()
        .flat_map(|name| {
            format!("{name:\0<2}").chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<u8>>()
        })
        .collect();
    files.npy("u.npy", "<U2", "(12,)", &text);
    for labels in ["l.csv", "floats.csv", "l.npy", "u.npy"] {
        for probabilities in ["p.csv", "named.csv"] {
            let error = files.read(probabilities, labels, "classes.txt", "").unwrap_err();
            assert!(error.contains("may be a name or a place"), "{labels} {probabilities}: {error}");
        }
        // A header alone makes labels names, and a list in the order of numbers says the same either way.
        assert!(files.read("named.csv", labels, "", "").is_ok(), "{labels}");
        assert!(files.read("p.csv", labels, "sorted.txt", "").is_ok(), "{labels}");
        assert!(files.read("p.csv", labels, "words.txt", "").is_ok(), "{labels}");
    }
    // Where one reading does not fit, the other is meant: places from 0 among the names 1 to 12.
    let places = files.read("p.csv", "l.csv", "twelve.txt", "").unwrap();
    assert_eq!(places.labels()[..3], [0, 1, 10]);
    // The truth is read like the labels, and refused like them.
    assert!(files.read("p.csv", "zero.csv", "classes.txt", "one.csv").is_ok());
    let truth = files.read("p.csv", "one.csv", "classes.txt", "l.csv").unwrap_err();
    assert!(truth.contains("l.csv: row 2 has the label 10, which may be a name or a place"), "{truth}");
}

#[test]
fn numbers_of_sixteen_bits_are_read() {
    let files = Files::new(&[("l.txt", "0\n1\n")]);
    let half: Vec<u8> =
        [0x3a00_u16, 0x3400, 0x3800, 0x3800].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let brain: Vec<u8> =
        [0x3f40_u16, 0x3e80, 0x3f00, 0x3f00].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    files.npy("half.npy", "<f2", "(2, 2)", &half);
    files.npy("brain.npy", "<V2", "(2, 2)", &brain);
    files.npy("short.npy", "<f2", "(3, 2)", &half);
    for (name, dtype, data) in [("half.safetensors", "F16", &half), ("brain.safetensors", "BF16", &brain)] {
        let head = format!("{{\"p\":{{\"dtype\":\"{dtype}\",\"shape\":[2,2],\"data_offsets\":[0,8]}}}}");
        let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
        bytes.extend(head.as_bytes());
        bytes.extend(data);
        fs::write(files.0.path().join(name), bytes).unwrap();
    }
    for name in ["half.npy", "brain.npy", "half.safetensors", "brain.safetensors"] {
        let judged = files.read(name, "l.txt", "", "").unwrap().judge(&question(vec![])).unwrap();
        assert_eq!(judged.scores, [0.75, 0.5], "{name}");
    }
    assert!(files.read("short.npy", "l.txt", "", "").unwrap_err().contains("truncated"));
}

#[test]
fn the_numbers_of_rows_are_no_class() {
    let files = Files::new(&[
        ("pandas.csv", ",cat,dog\n0,.9,.1\n1,.4,.6\n2,.2,.8\n"),
        ("r.csv", "\"\",\"cat\",\"dog\"\n1,.9,.1\n2,.4,.6\n3,.2,.8\n"),
        ("index.csv", "Unnamed: 0;cat;dog\n0;.9;.1\n1;.4;.6\n2;.2;.8\n"),
        ("nameless.csv", ",cat,dog\n.1,.8,.1\n.0,.4,.6\n.1,.1,.8\n"),
        ("extra.csv", "cat,dog,score\n.9,.1,7\n.4,.6,7\n.2,.8,7\n"),
        ("l.csv", "cat\ncat\ndog\n"),
        ("series.csv", ",0\n0,cat\n1,cat\n2,dog\n"),
    ]);
    for name in ["pandas.csv", "r.csv", "index.csv"] {
        for labels in ["l.csv", "series.csv"] {
            let input = files.read(name, labels, "", "").unwrap();
            assert_eq!(
                (input.classes(), input.labels()),
                (&["cat".to_owned(), "dog".to_owned()][..], &[0, 0, 1][..])
            );
        }
    }
    let error = |name: &str| files.read(name, "l.csv", "", "").unwrap_err();
    assert!(error("nameless.csv").contains("column 1 has no name"));
    assert!(error("extra.csv").contains("class 2 ('score'): 7 is not a probability"));
}

#[test]
fn labels_all_alike_are_refused_where_classes_are_compared() {
    let files = Files::new(&[("p.csv", "cat,dog\n.5,.5\n.4,.6\n"), ("l.csv", "cat\ncat\n")]);
    let input = files.read("p.csv", "l.csv", "", "").unwrap();
    let question = question(vec![Filter::Both]);
    assert_eq!(input.judge(&question), Err(InputError::OneClass));
}

#[test]
fn figures_without_the_truth_are_left_out() {
    let files = Files::new(&[
        ("p.csv", "cat,dog\n.9,.1\n.4,.6\n"),
        ("l.csv", "label\ncat\ncat\n"),
        ("t.csv", "true_label\ncat\ndog\n"),
    ]);
    let question = question(vec![]);
    for (truth, errors, area) in [("", None, None), ("t.csv", Some(1), Some(1.0))] {
        let input = files.read("p.csv", "l.csv", "", truth).unwrap();
        let judged = input.judge(&question).unwrap();
        let report = Report::new(&question, &input, &judged);
        assert_eq!((report.n, report.n_errors, report.auroc), (2, errors, area));
        assert_eq!(judged.scores, [0.9, 0.4]);
    }
}

#[test]
fn models_are_joined_whatever_order_their_columns_stand_in() {
    let files = Files::new(&[
        ("a.csv", "cat,dog\n.9,.1\n.4,.6\n.2,.8\n"),
        // The same numbers under swapped column names.
        ("b.csv", "dog,cat\n.1,.9\n.6,.4\n.8,.2\n"),
        ("c.csv", "dog,cow\n.1,.9\n.6,.4\n.8,.2\n"),
        ("short.csv", "cat,dog\n.9,.1\n"),
        ("nan.csv", "cat,dog\n.9,.1\nnan,.6\n.2,.8\n"),
        ("l.csv", "label\ncat\ncat\ndog\n"),
        ("t.csv", "true_label\ncat\ndog\ndog\n"),
    ]);
    let alone = files.read("a.csv", "l.csv", "", "t.csv").unwrap().judge(&question(vec![])).unwrap();
    for ensemble in Ensemble::ALL {
        let input = files.read("a.csv b.csv", "l.csv", "", "t.csv").unwrap();
        let question = JudgeOptions { ensemble, ..question(vec![Filter::PredictedNeqGiven]) };
        let judged = input.judge(&question).unwrap();
        assert!(judged.scores.iter().zip(&alone.scores).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(
            (&judged.suggested, &judged.flagged["predicted_neq_given"]),
            (&alone.suggested, &vec![false, true, false])
        );
        let joined = Report::new(&question, &input, &judged).ensemble.unwrap();
        assert_eq!((joined.name, joined.weights), (ensemble.name(), vec![0.5, 0.5]));
    }
    let error = |p: &str| files.read(p, "l.csv", "", "").unwrap_err();
    assert!(error("a.csv c.csv").contains("c.csv: its columns are not the classes of"));
    assert!(error("a.csv short.csv").contains("short.csv: it has 1 row,"));
    assert!(error("a.csv nan.csv").contains("nan.csv: row 1, class 0 ('cat'): NaN is not a probability"));
}

/// A class that no sample has, a class of one sample, and both under every filter, method and ensemble.
#[test]
fn odd_classes_have_a_defined_result() {
    let p = "cat,cow,dog\n.8,.1,.1\n.7,.2,.1\n.1,.1,.8\n.6,.2,.2\n";
    let files = Files::new(&[
        ("p.csv", p),
        ("empty.csv", "cat\ncat\ndog\ndog\n"),
        ("one.csv", "cat\ncat\ndog\ncow\n"),
    ]);
    for (labels, wrong) in [("empty.csv", 3), ("one.csv", 3)] {
        for models in ["p.csv", "p.csv p.csv"] {
            let input = files.read(models, labels, "", "").unwrap();
            for method in Method::ALL {
                for ensemble in Ensemble::ALL {
                    let question =
                        JudgeOptions { method, adjusted: false, filters: Filter::ALL.to_vec(), ensemble };
                    let judged = input.judge(&question).unwrap();
                    assert!(judged.scores.iter().all(|score| (0.0..=1.0).contains(score)), "{judged:?}");
                    let lowest = judged.scores.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
                    assert_eq!(lowest.unwrap().0, wrong, "{labels} {method:?}: {:?}", judged.scores);
                    let named = &judged.flagged["predicted_neq_given"];
                    assert_eq!(named, &[false, false, false, true]);
                    // Adjusted rows of a class without samples stay finite.
                    let adjusted = JudgeOptions { adjusted: true, ..question };
                    assert!(input.judge(&adjusted).unwrap().scores.iter().all(|score| score.is_finite()));
                }
            }
        }
    }
}

#[test]
fn rows_that_are_named_are_joined_as_a_scan_joins_them() {
    let files = Files::new(&[
        ("p.csv", "path,prob_dog,prob_cat,prob_bird\nb/2.jpg,.8,.1,.1\na/1.jpg,.1,.9,0\nc/9.jpg,.5,.5,0\n"),
        ("plain.csv", "path,dog,cat\nb/2.jpg,.8,.2\na/1.jpg,.1,.9\n"),
        ("bare.csv", "dog,cat\n.1,.9\n.8,.2\n"),
        ("l.csv", "path,label\na/1.jpg,cat\nb/2.jpg,dog\n"),
        ("l.txt", "cat\ndog\n"),
        ("more.csv", "path,label\na/1.jpg,cat\nb/2.jpg,dog\nb/3.jpg,dog\n"),
        ("truth.csv", "path,is_error\nb/2.jpg,1\na/1.jpg,0\n"),
        ("numbers.csv", "path,label\na/1.jpg,1\nb/2.jpg,0\n"),
        ("classes.txt", "dog\ncat\n"),
    ]);
    for probabilities in ["p.csv", "plain.csv", "p.csv plain.csv"] {
        let input = files.read(probabilities, "l.csv", "", "truth.csv").unwrap();
        assert_eq!(issues(&input), [false; 2], "{probabilities}");
        assert_eq!(input.errors(), Some(&[false, true][..]), "{probabilities}");
    }
    let numbers = files.read("plain.csv", "numbers.csv", "classes.txt", "").unwrap();
    assert_eq!(issues(&numbers), [false; 2]);
    // The truth is joined where the matrix is in the order of the labels.
    let bare = files.read("bare.csv", "l.csv", "", "truth.csv").unwrap();
    assert_eq!(bare.errors(), Some(&[false, true][..]));
    let folder = files.0.path();
    let read = super::read(&[folder.join("p.csv")], &folder.join("l.csv"), None, None).unwrap();
    let said = read.remarks.join("\n");
    assert!(said.contains("1 of 3 rows of") && said.contains("about no sample: 'c/9.jpg'"), "{said}");
    assert!(said.contains("without columns that are not classes of the dataset: 'prob_bird'"), "{said}");
    let error = |p: &str, l: &str| files.read(p, l, "", "").unwrap_err();
    assert!(error("p.csv", "l.txt").contains("l.txt: it does not name its rows"));
    let lacking = error("p.csv", "more.csv");
    assert!(
        lacking.contains("p.csv: it has no row for 1 of 3 rows with a label, such as b/3.jpg"),
        "{lacking}"
    );
    assert!(error("plain.csv bare.csv", "l.csv").contains("bare.csv: its rows have no names"));
}

/// Tables of all splits have names that each split has.
#[test]
fn rows_that_say_their_splits_are_joined_to_those_of_the_same() {
    let labels = "path,split,label\ncat/1.jpg,train,ant\ncat/1.jpg,test,bee\ncat/2.jpg,test,ant\n";
    let table = |rows: [&str; 3]| format!("path,partition,ant,bee\n{}\n", rows.join("\n"));
    let right = table(["cat/2.jpg,test,.9,.1", "cat/1.jpg,test,.2,.8", "cat/1.jpg,train,.7,.3"]);
    let wrong = table(["cat/2.jpg,train,.9,.1", "cat/1.jpg,test,.2,.8", "cat/1.jpg,train,.7,.3"]);
    let files = Files::new(&[("l.csv", labels), ("right.csv", &right), ("wrong.csv", &wrong)]);
    assert_eq!(issues(&files.read("right.csv", "l.csv", "", "").unwrap()), [false; 3]);
    let error = files.read("wrong.csv", "l.csv", "", "").unwrap_err();
    assert!(error.contains("row 1 is about cat/2.jpg in train, and"), "{error}");
}

/// A table as pandas writes it, with the index that it stores.
fn stored(files: &Files, name: &str, index: &[i64], columns: &[(&str, ArrayRef)]) {
    let index = ("__index_level_0__", Arc::new(Int64Array::from(index.to_vec())) as ArrayRef);
    let batch = RecordBatch::try_from_iter(columns.iter().cloned().chain([index])).unwrap();
    testing::write(&files.0.path().join(name), &batch);
}

#[test]
fn an_index_in_another_order_is_refused_and_one_of_names_joins() {
    let files = Files::new(&[
        ("p.csv", "cat,dog\n.9,.1\n.2,.8\n"),
        ("p-up.csv", ",cat,dog\n0,.9,.1\n1,.2,.8\n"),
        ("p-down.csv", ",cat,dog\n1,.9,.1\n0,.2,.8\n"),
        ("p-names.csv", ",cat,dog\nb,.2,.8\na,.9,.1\n"),
        ("p-uuid.csv", "uuid,cat,dog\nb,.2,.8\na,.9,.1\n"),
        ("l.csv", "label\ncat\ndog\n"),
        ("l-up.csv", ",label\n0,cat\n1,dog\n"),
        ("l-down.csv", ",label\n1,dog\n0,cat\n"),
        ("l-names.csv", ",label\na,cat\nb,dog\n"),
    ]);
    let numbers = |numbers: [f64; 2]| Arc::new(Float64Array::from(numbers.to_vec())) as ArrayRef;
    let words = |words: [&str; 2]| Arc::new(StringArray::from(words.to_vec())) as ArrayRef;
    for (end, index) in [("up", [0, 1]), ("down", [1, 0])] {
        let columns = [("cat", numbers([0.9, 0.2])), ("dog", numbers([0.1, 0.8]))];
        stored(&files, &format!("p-{end}.parquet"), &index, &columns);
        stored(&files, &format!("l-{end}.parquet"), &index, &[("label", words(["cat", "dog"]))]);
    }
    for (probabilities, labels) in [
        ("p.csv", "l.csv"),
        ("p-up.csv", "l-up.csv"),
        ("p-up.parquet", "l-up.parquet"),
        ("p-up.parquet", "l.csv"),
        ("p-names.csv", "l-names.csv"),
    ] {
        let read = files.read(probabilities, labels, "", "").unwrap();
        assert_eq!(issues(&read), [false; 2], "{probabilities} {labels}");
    }
    for (probabilities, labels) in [
        ("p-down.csv", "l.csv"),
        ("p.csv", "l-down.csv"),
        ("p-down.parquet", "l.csv"),
        ("p.csv", "l-down.parquet"),
        ("p-down.parquet", "l-down.parquet"),
    ] {
        let error = files.read(probabilities, labels, "", "").unwrap_err();
        assert!(error.contains("do not count up from 0 or 1"), "{probabilities} {labels}: {error}");
    }
    let error = files.read("p-uuid.csv", "l.csv", "", "").unwrap_err();
    assert!(error.contains("'b' is not a number; if it names the samples, call it path"), "{error}");
}

#[test]
fn a_column_of_ids_in_both_tables_joins_them() {
    let files = Files::new(&[
        ("p.csv", "id,cat,dog\n0,.2,.8\n1,.9,.1\n"),
        ("uid.csv", "uid,cat,dog\nx,.2,.8\ny,.9,.1\n"),
        ("bare.csv", "cat,dog\n.9,.1\n.2,.8\n"),
        ("l.csv", "id,label\n1,cat\n0,dog\n"),
        ("uids.csv", "label,uid\ncat,y\ndog,x\n"),
        ("same.csv", "label,uid\ndog,x\ncat,y\n"),
        ("paths.csv", "path,id,label\na.png,1,cat\nb.png,0,dog\n"),
        ("truth.csv", "id,is_error\n0,1\n1,0\n"),
        ("decimals.csv", "id,label\n1,0.0\n0,1.0\n"),
        ("classes.txt", "cat\ndog\n"),
        ("index.csv", ",cat,dog\n0,.2,.8\n1,.9,.1\n"),
        ("down.csv", "index,label\n1,cat\n0,dog\n"),
    ]);
    for (probabilities, labels, classes) in [
        ("p.csv", "l.csv", ""),
        ("p.csv", "paths.csv", ""),
        ("uid.csv", "uids.csv", ""),
        ("uid.csv", "same.csv", ""),
        ("bare.csv", "l.csv", ""),
        ("p.csv", "decimals.csv", "classes.txt"),
    ] {
        let input = files.read(probabilities, labels, classes, "").unwrap();
        assert_eq!(issues(&input), [false; 2], "{probabilities} {labels}");
    }
    let input = files.read("bare.csv", "l.csv", "", "truth.csv").unwrap();
    assert_eq!(input.errors(), Some(&[false, true][..]));
    let folder = files.0.path();
    let read = super::read(&[folder.join("p.csv")], &folder.join("l.csv"), None, None).unwrap();
    assert!(read.remarks[0].contains("are named by the column 'id'"), "{:?}", read.remarks);
    let error = files.read("index.csv", "down.csv", "", "").unwrap_err();
    assert!(error.contains("down.csv: its index has numbers of rows that do not count up"), "{error}");
}

/// What a file of arrays says of its rows and columns counts as in a table.
#[test]
fn names_beside_an_array_join_its_rows_and_name_its_columns() {
    let files = Files::new(&[
        ("paths.csv", "path,label\na.png,cat\nb.png,dog\nc.png,cow\n"),
        ("numbers.csv", "path,label\na.png,1\nb.png,0\nc.png,2\n"),
        ("ids.csv", "id,label\n7,cat\n8,dog\n9,cow\n"),
        ("turned.csv", "label\ncow\ndog\ncat\n"),
        ("classes.txt", "dog\ncat\ncow\n"),
        ("bare.csv", "dog,cat,cow\n.1,.1,.8\n.8,.1,.1\n.1,.8,.1\n"),
    ]);
    let at = |name: &str| files.0.path().join(name);
    // In the order cow, dog, cat; the columns are dog, cat, cow.
    let numbers = [0.125, 0.125, 0.75, 0.75, 0.125, 0.125, 0.125, 0.75, 0.125];
    let paths = ("paths", r#"["c.png", "b.png", "a.png"]"#);
    let classes = ("classes", r#"["dog", "cat", "cow"]"#);
    let write = |name: &str, lists: &[(&str, &[i64])], metadata: &[(&str, &str)]| {
        testing::beside(&at(name), (&numbers, 3), lists, metadata);
    };
    write("all.safetensors", &[], &[paths, classes]);
    write("paths.safetensors", &[], &[paths]);
    write("ids.safetensors", &[("id", &[9, 8, 7]), ("labels", &[2, 0, 1])], &[classes]);
    for (probabilities, labels, classes) in [
        ("all.safetensors", "paths.csv", ""),
        ("all.safetensors", "numbers.csv", ""),
        ("all.safetensors", "paths.csv", "classes.txt"),
        ("paths.safetensors", "paths.csv", "classes.txt"),
        ("paths.safetensors", "numbers.csv", ""),
        ("paths.safetensors", "numbers.csv", "classes.txt"),
        ("ids.safetensors", "ids.csv", ""),
        ("ids.safetensors", "ids.safetensors", ""),
        ("all.safetensors", "turned.csv", ""),
    ] {
        let input = files.read(probabilities, labels, classes, "").unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(issues(&input), [false; 3], "{probabilities} {labels} {classes}");
    }
    let read = super::read(&[at("all.safetensors")], &at("turned.csv"), None, None).unwrap();
    assert!(read.remarks[0].contains("names its rows by paths, which"), "{:?}", read.remarks);
    let rows: Vec<Option<&[f32]>> = numbers.chunks(3).map(Some).collect();
    let names = ("path", &["c.png", "b.png", "a.png"][..]);
    testing::parquet(&at("lists.parquet"), &[names], ("probs", &rows[..]));
    for (labels, classes) in [("numbers.csv", ""), ("paths.csv", "classes.txt")] {
        assert_eq!(
            issues(&files.read("lists.parquet", labels, classes, "").unwrap()),
            [false; 3],
            "{labels}"
        );
    }
    // An index that is not in order is refused as in a table.
    write("index.safetensors", &[("indices", &[2, 1, 0])], &[classes]);
    let error = files.read("index.safetensors", "paths.csv", "", "").unwrap_err();
    assert!(error.contains("do not count up from 0 or 1"), "{error}");
    // Classes that are numbers in another order are names or places.
    write("digits.safetensors", &[], &[("classes", r#"["2", "0", "1"]"#)]);
    fs::write(at("digits.csv"), "label\n1\n2\n0\n").unwrap();
    let error = files.read("digits.safetensors", "digits.csv", "", "").unwrap_err();
    assert!(error.contains("may be a name or a place"), "{error}");
    write("counted.safetensors", &[], &[("classes", r#"["0", "1", "2"]"#)]);
    fs::write(at("places.csv"), "label\n2\n0\n1\n").unwrap();
    assert_eq!(issues(&files.read("counted.safetensors", "places.csv", "", "").unwrap()), [false; 3]);
    assert!(files.read("counted.safetensors", "turned.csv", "classes.txt", "").is_ok());
}

/// Columns are found alike, whether rows have names or not.
#[test]
fn columns_with_words_around_the_classes_are_found_without_names_of_rows() {
    let files = Files::new(&[
        ("p.csv", "prob_dog,prob_cat,note\n.1,.9,7\n.8,.2,7\n"),
        ("upper.csv", "Dog,Cat\n.1,.9\n.8,.2\n"),
        ("numbers.csv", "prob_0,prob_1\n.1,.9\n.8,.2\n"),
        ("named.csv", "path,prob_dog,prob_cat\nb,.8,.2\na,.1,.9\n"),
        ("l.csv", "label\ncat\ndog\n"),
        ("l.txt", "1\n0\n"),
        ("paths.csv", "path,label\na,cat\nb,dog\n"),
        ("places.csv", "path,label\na,1\nb,0\n"),
        ("more.csv", "label\ncat\ndog\ndog\n"),
        ("classes.txt", "dog\ncat\n"),
    ]);
    for (probabilities, labels, classes) in [
        ("p.csv", "l.csv", ""),
        ("p.csv", "l.csv", "classes.txt"),
        ("p.csv", "l.txt", "classes.txt"),
        ("p.csv", "paths.csv", ""),
        ("upper.csv", "l.csv", ""),
        ("numbers.csv", "l.txt", ""),
        ("numbers.csv", "l.csv", "classes.txt"),
        ("named.csv", "paths.csv", ""),
        ("named.csv", "places.csv", "classes.txt"),
    ] {
        let input = files.read(probabilities, labels, classes, "").unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(issues(&input), [false; 2], "{probabilities} {labels} {classes}");
    }
    let error = |p: &str, l: &str| files.read(p, l, "", "").unwrap_err();
    for (probabilities, labels) in [("p.csv", "l.txt"), ("named.csv", "places.csv")] {
        let error = error(probabilities, labels);
        assert!(
            error.contains("labels are numbers, but the columns") && error.contains("--classes"),
            "{error}"
        );
        assert!(error.contains(labels) && error.contains("'prob_dog', 'prob_cat'"), "{error}");
    }
    let error = error("p.csv", "more.csv");
    assert!(error.contains("p.csv: it has 2 rows, but") && error.ends_with("has 3"), "{error}");
}
