use super::*;
use crate::columns::ResultBuilder;
use crate::issue::RunRecord;
use crate::manifest::{Manifest, NewSample};
use crate::protocol::EnsembleRule;
use crate::ranking::rank;
use crate::sample::Split;
use proptest::prelude::*;
use std::sync::Arc;

fn close(a: Option<f64>, b: f64) {
    assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} {b}");
}

#[test]
fn figures_by_hand() {
    // scikit-learn's own example: y = 0 0 1 1, scores .1 .4 .35 .8, so quality is their complement.
    let (errors, quality) = ([false, false, true, true], [0.9, 0.6, 0.65, 0.2]);
    close(auroc(&errors, &quality), 0.75);
    close(average_precision(&errors, &quality), 5.0 / 6.0);
    close(lift_at(&errors, &quality, 2), 1.0);
    close(lift_at(&errors, &quality, 1), 2.0);
    close(lift_at(&errors, &quality, 100), 1.0);
    assert_eq!(auroc(&[true, true], &[0.1, 0.2]), None);
    assert_eq!(average_precision(&[false], &[0.1]), None);
    assert_eq!(lift_at(&[false], &[0.1], 1), None);
}

#[test]
fn ties_count_half() {
    // One error and one other at 0.5, an error at 0.1, another at 0.9.
    let (errors, quality) = ([true, false, true, false], [0.5, 0.5, 0.1, 0.9]);
    close(auroc(&errors, &quality), 3.5 / 4.0);
    // Recall one half at precision 1, then one half more at 2 of 3.
    close(average_precision(&errors, &quality), 0.5 + 0.5 * 2.0 / 3.0);
    close(auroc(&[true, false, true, false], &[1.0; 4]), 0.5);
    close(average_precision(&[true, false, true, false], &[1.0; 4]), 0.5);
}

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

fn truth(csv: &str) -> Result<Truth, String> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("truth.csv");
    std::fs::write(&path, csv).unwrap();
    Truth::from_csv(&path, &manifest()).map_err(|error| error.to_string())
}

#[test]
fn the_truth_is_joined_by_path() {
    let labels = truth("\u{feff}Path,true_label\na/1.jpg,cat\n/data/a/2.jpg,cat\n/other/b/1.jpg,dog\n3.jpg,dog\n1.jpg,cat\nx.jpg,cat\n").unwrap();
    // 3.jpg has no given label to be wrong; 1.jpg is ambiguous; x.jpg is not there.
    assert_eq!(labels.known(), [(0, false), (1, true), (2, false)]);
    assert_eq!(labels.unmatched(), 2);
    let flags = truth("is_error,file_name\nTRUE,./a/1.jpg\n0,2.jpg\n,b/1.jpg\n1,3.jpg\n").unwrap();
    assert_eq!(flags.known(), [(0, true), (1, false), (3, true)]);
}

#[test]
fn a_truth_that_is_none_says_why() {
    assert!(truth("name,label\n").unwrap_err().contains("no column of paths"));
    assert!(truth("path,tru_label\n").unwrap_err().contains("did you mean 'true_label'?"));
    assert!(truth("path,is_error\na/1.jpg,maybe\n").unwrap_err().contains("line 2: 'maybe' is neither"));
    assert!(truth("path,label\nq.jpg,cat\n").unwrap_err().contains("none of its 1 rows"));
    assert!(truth("path,label\n").unwrap_err().contains("should look like a/1.jpg"));
}

#[test]
fn detectors_and_ensemble_are_measured_where_the_truth_is_known() {
    let scores = [0.1, 0.9, f32::NAN, 0.4, 0.2, 0.8];
    let mut builder = ResultBuilder::new(6);
    builder.scores(&scores);
    let record = RunRecord { name: "a".into(), threshold: 0.5, ..RunRecord::default() };
    let results: Results = [("a".to_owned(), Arc::new(builder.finish(record, &[])))].into();
    let ranking = rank(&results, &BTreeMap::new(), &EnsembleRule::Or, 6);
    let truth = Truth::new([Some(true), Some(false), Some(true), Some(false), Some(true), None]);
    let evaluation = evaluate(&results, &BTreeMap::new(), &ranking, &truth);
    assert_eq!((evaluation.n, evaluation.n_errors), (5, 3));
    for figures in [&evaluation.detectors["a"], &evaluation.ensemble] {
        assert_eq!((figures.scored, figures.flagged), (4, 3));
        close(figures.auroc, 1.0);
        close(figures.auprc, 1.0);
        close(figures.lift_at_errors, 2.0);
        close(Some(figures.precision), 2.0 / 3.0);
        close(Some(figures.recall), 2.0 / 3.0);
        close(Some(figures.f1), 2.0 / 3.0);
        assert_eq!(figures.at, [AtPlace { k: 3, precision: 2.0 / 3.0, recall: 2.0 / 3.0 }]);
    }
    let json = serde_json::to_string(&evaluation).unwrap();
    assert_eq!(serde_json::from_str::<Evaluation>(&json).unwrap(), evaluation);
}

proptest! {
    #[test]
    fn auroc_is_the_share_of_pairs_in_order(rows in prop::collection::vec((any::<bool>(), 0_u8..5), 1..40)) {
        let errors: Vec<bool> = rows.iter().map(|row| row.0).collect();
        let quality: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
        let (mut sum, mut pairs) = (0.0, 0.0);
        for error in rows.iter().filter(|row| row.0) {
            for fine in rows.iter().filter(|row| !row.0) {
                pairs += 1.0;
                sum += if error.1 < fine.1 { 1.0 } else if error.1 == fine.1 { 0.5 } else { 0.0 };
            }
        }
        match auroc(&errors, &quality) {
            None => prop_assert_eq!(pairs, 0.0),
            Some(area) => prop_assert!((area - sum / pairs).abs() < 1e-12),
        }
    }
}
