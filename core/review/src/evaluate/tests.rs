use super::*;
use crate::ranking::rank;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::SampleId;
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
    // One error and one correct sample at 0.5, an error at 0.1, another at 0.9.
    let (errors, quality) = ([true, false, true, false], [0.5, 0.5, 0.1, 0.9]);
    close(auroc(&errors, &quality), 3.5 / 4.0);
    // Recall one half at precision 1, then one half more at 2 of 3.
    close(average_precision(&errors, &quality), 0.5 + 0.5 * 2.0 / 3.0);
    close(auroc(&[true, false, true, false], &[1.0; 4]), 0.5);
    close(average_precision(&[true, false, true, false], &[1.0; 4]), 0.5);
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
    let resampling = Resampling { resamples: 50, seed: 1 };
    let evaluation = evaluate(&results, &BTreeMap::new(), &ranking, &truth, Some(resampling));
    assert_eq!((evaluation.n, evaluation.n_errors), (5, 3));
    for figures in [&evaluation.detectors["a"], &evaluation.ensemble] {
        assert_eq!((figures.scored, figures.flagged), (4, 3));
        close(figures.auroc, 1.0);
        close(figures.auprc, 1.0);
        close(figures.lift_at_errors, 2.0);
        close(figures.precision, 2.0 / 3.0);
        close(Some(figures.recall), 2.0 / 3.0);
        close(Some(figures.f1), 2.0 / 3.0);
        assert_eq!(figures.precision_at, [(3, 2.0 / 3.0)].into());
        assert_eq!(figures.recall_at, [(3, 2.0 / 3.0)].into());
    }
    let json = serde_json::to_string(&evaluation).unwrap();
    assert_eq!(serde_json::from_str::<Evaluation>(&json).unwrap(), evaluation);
}

/// Three hundred samples, of which about one in seven is an error with a lower score; equal scores are common.
fn graded() -> (Results, Ranking, Truth) {
    let mut state = 9_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let rows: Vec<(bool, f32)> = (0..300)
        .map(|_| {
            let error = next() % 7 == 0;
            (error, (next() % 40) as f32 / if error { 80.0 } else { 40.0 })
        })
        .collect();
    let mut builder = ResultBuilder::new(rows.len());
    builder.scores(&rows.iter().map(|row| row.1).collect::<Vec<_>>());
    let record = RunRecord { name: "a".into(), threshold: 0.3, ..RunRecord::default() };
    let results: Results = [("a".to_owned(), Arc::new(builder.finish(record, &[])))].into();
    let ranking = rank(&results, &BTreeMap::new(), &EnsembleRule::Or, rows.len());
    (results, ranking, Truth::new(rows.iter().map(|row| Some(row.0))))
}

#[test]
fn intervals_hold_the_figures_and_depend_on_the_seed_alone() {
    let (results, ranking, truth) = graded();
    let with = |seed| {
        let resampling = Resampling { resamples: 400, seed };
        evaluate(&results, &BTreeMap::new(), &ranking, &truth, Some(resampling))
    };
    let evaluation = with(3);
    let figures = &evaluation.detectors["a"];
    let intervals = figures.intervals.unwrap();
    let pairs = [
        (figures.auroc, intervals.auroc),
        (figures.auprc, intervals.auprc),
        (figures.precision, intervals.precision),
        (Some(figures.recall), intervals.recall),
        (Some(figures.f1), intervals.f1),
    ];
    for (figure, interval) in pairs {
        let ((low, high), figure) = (interval.unwrap(), figure.unwrap());
        assert!(low < figure && figure < high && high - low < 0.4, "{low} {figure} {high}");
    }
    // The standard error of an AUROC by Hanley and McNeil (1982), times four, is about the width of the interval.
    let (a, n1, n2) =
        (figures.auroc.unwrap(), evaluation.n_errors as f64, 300.0 - evaluation.n_errors as f64);
    let (q1, q2) = (a / (2.0 - a), 2.0 * a * a / (1.0 + a));
    let variance = (a * (1.0 - a) + (n1 - 1.0) * (q1 - a * a) + (n2 - 1.0) * (q2 - a * a)) / (n1 * n2);
    let (low, high) = intervals.auroc.unwrap();
    assert!((0.5..1.5).contains(&((high - low) / (3.92 * variance.sqrt()))), "{low} {high} {variance}");
    assert_eq!(evaluation.resamples, 400);
    assert_eq!(evaluation, with(3));
    assert_ne!(evaluation, with(4));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| with(3)), evaluation);
    assert_eq!(evaluate(&results, &BTreeMap::new(), &ranking, &truth, None).ensemble.intervals, None);
}

#[test]
fn the_curve_goes_through_the_figures() {
    let (results, ranking, truth) = graded();
    let evaluation = evaluate(&results, &BTreeMap::new(), &ranking, &truth, None);
    let curves = curves(&results, &BTreeMap::new(), &ranking, &truth);
    let (curve, figures) = (&curves["a"], &evaluation.detectors["a"]);
    // Average precision is the curve's steps.
    let mut before = 0.0;
    let area: f64 = curve
        .points
        .iter()
        .map(|p| (p.recall - std::mem::replace(&mut before, p.recall)) * p.precision)
        .sum();
    assert!((area - figures.auprc.unwrap()).abs() < 1e-12);
    assert_eq!(curve.points.last().unwrap().recall, 1.0);
    assert_eq!(
        curve.threshold,
        Some(Point { recall: figures.recall, precision: figures.precision.unwrap() })
    );
    assert!(curve.best_precision(1.0).unwrap() >= evaluation.n_errors as f64 / 300.0);
    assert_eq!(curve.best_precision(1.1), None);
    assert_eq!(curve.thinned(3).len(), 3);
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("curve.svg");
    write_svg(&file, &curves, &Manifest::new("/data", [])).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("<svg ") && text.ends_with("</svg>\n") && text.matches("<polyline ").count() == 2
    );
    let inside = Manifest::new(temp.path(), []);
    assert!(write_svg(&file, &curves, &inside).unwrap_err().to_string().contains("inside the dataset"));
}

#[test]
fn kinds_are_told_apart() {
    let mut kinds = Truth::unknown(4, true);
    for (row, error, kind) in [(0, true, "blurred"), (1, false, ""), (2, true, "label"), (3, false, "label")]
    {
        kinds.set(SampleId(row), Some(error));
        assert!(kind.is_empty() || kinds.set_kind(SampleId(row), kind));
    }
    assert_eq!(kinds.kinds(), [("blurred".to_owned(), 1), ("label".to_owned(), 1)].into());
    assert_eq!((kinds.kind(0), kinds.kind(1), kinds.kind(3)), (Some("blurred"), None, None));
    let mut alone = Truth::unknown(4, true);
    (0..3).for_each(|row| alone.set(SampleId(row), Some(row == 0)));
    assert!(alone.set_kind(SampleId(0), "dark"));
    assert_eq!(alone.known(), [(0, true), (1, false), (2, false)]);
    assert_eq!(alone.only(|row| row < 2).known(), [(0, true), (1, false)]);
    assert_eq!(alone.only(|row| row > 0).kinds(), BTreeMap::new());

    let mut builder = ResultBuilder::new(4);
    builder.scores(&[0.1, 0.2, 0.9, 0.8]);
    let record = RunRecord { name: "a".into(), threshold: 0.5, ..RunRecord::default() };
    let results: Results = [("a".to_owned(), Arc::new(builder.finish(record, &[])))].into();
    let ranking = rank(&results, &BTreeMap::new(), &EnsembleRule::Or, 4);
    let evaluation = evaluate(&results, &BTreeMap::new(), &ranking, &kinds, None);
    let by_kind = &evaluation.detectors["a"].by_kind;
    assert_eq!((by_kind["blurred"].found, by_kind["label"].found), (1, 0));
    close(Some(by_kind["blurred"].recall), 1.0);
    close(by_kind["blurred"].precision, 0.5);
    close(by_kind["blurred"].auroc, 1.0);
    close(by_kind["label"].auroc, 0.0);
}

/// A detector that found two pairs of copies, and one that found none.
#[test]
fn a_copy_counts_whichever_of_its_group_is_ranked_worst() {
    let mut truth = Truth::unknown(7, true);
    // 0 and 1, 2 and 3 are pairs; the truth calls the second of each the copy. 4 is blurred.
    (0..7).for_each(|row| truth.set(SampleId(row), Some([1, 3, 4].contains(&row))));
    for (row, kind) in [(1, "copy"), (3, "copy"), (4, "blurred")] {
        assert!(truth.set_kind(SampleId(row), kind));
    }
    truth.set_copy(SampleId(1), SampleId(0));
    truth.set_copy(SampleId(3), SampleId(2));
    assert_eq!(truth.copies(), [[0, 1], [2, 3]]);
    let result = |name: &str, scores: &[f32; 7], groups: &[(u32, u32)]| {
        let mut builder = ResultBuilder::new(7);
        builder.scores(scores);
        for &(row, group) in groups {
            let score = scores[row as usize];
            builder.issue(SampleId(row), Issue { score, group: Some(group), ..Issue::default() });
        }
        let record = RunRecord { name: name.into(), threshold: 0.5, ..RunRecord::default() };
        (name.to_owned(), Arc::new(builder.finish(record, &[])))
    };
    // It would keep the copy of the first pair, and the original of the second one.
    let pairs = result("pairs", &[0.1, 0.9, 0.9, 0.1, 1.0, 1.0, 1.0], &[(0, 5), (1, 5), (2, 6), (3, 6)]);
    let blind = result("blind", &[0.1, 0.9, 0.9, 0.1, 1.0, 1.0, 1.0], &[]);
    let results: Results = [pairs, blind].into();
    let ranking = rank(&results, &BTreeMap::new(), &EnsembleRule::Or, 7);
    let evaluation =
        evaluate(&results, &BTreeMap::new(), &ranking, &truth, Some(Resampling { resamples: 20, seed: 0 }));
    let recall = |figures: &Figures| (figures.by_kind["copy"].found, figures.flagged, figures.precision);
    assert_eq!(recall(&evaluation.detectors["pairs"]), (2, 2, Some(1.0)));
    assert_eq!(recall(&evaluation.detectors["blind"]), (1, 2, Some(0.5)));
    assert_eq!(recall(&evaluation.ensemble), (2, 2, Some(1.0)));
    assert_eq!(evaluate_rank(&ranking, &results, &truth).precision, Some(1.0));
    assert_eq!((evaluation.n_errors, evaluation.detectors["pairs"].by_kind["copy"].errors), (3, 2));
    let interval = evaluation.detectors["pairs"].intervals.unwrap().precision;
    assert_eq!(interval, Some((1.0, 1.0)));
    let curve = &curves(&results, &BTreeMap::new(), &ranking, &truth)["pairs"];
    close(curve.threshold.map(|point| point.recall), 2.0 / 3.0);
    // Copies of copies are one group; unknown truth stays unknown.
    truth.set_copy(SampleId(2), SampleId(1));
    assert_eq!(truth.copies(), [[0, 1, 2, 3]]);
}

/// A detector that rates only the later one of two pictures and names the earlier one, as `leaks` does; one that names neighbors; and
/// one that flags nothing. The table says that the earlier ones are the copies, or a reviewer removed these.
#[test]
fn a_copy_that_is_found_from_one_side_counts() {
    let result = |name: &str, scores: [f32; 6]| {
        let mut builder = ResultBuilder::new(6);
        builder.scores(&scores);
        for row in [4, 5].into_iter().filter(|row| scores[*row as usize] < 0.5) {
            let related = vec![(SampleId(row - 4), 0.99)];
            builder.issue(SampleId(row), Issue { score: scores[row as usize], related, ..Issue::default() });
        }
        let record = RunRecord { name: name.into(), threshold: 0.5, ..RunRecord::default() };
        (name.to_owned(), Arc::new(builder.finish(record, &[])))
    };
    let nan = f32::NAN;
    let results: Results = [
        result("leaks", [nan, nan, nan, 1.0, 0.1, 0.2]),
        result("neighbors", [0.9, 0.9, 0.9, 0.9, 0.1, 0.2]),
        result("silent", [1.0; 6]),
    ]
    .into();
    let ranking = rank(&results, &BTreeMap::new(), &EnsembleRule::Or, 6);
    let mut listed = Truth::new((0..6).map(|row| Some(row < 2)));
    listed.set_copy(SampleId(0), SampleId(4));
    listed.set_copy(SampleId(1), SampleId(5));
    let decisions: Vec<Decision> =
        (0..6).map(|row| Decision::from(if row < 2 { Choice::Remove } else { Choice::Keep })).collect();
    let decided =
        Truth::from_decisions(6, (0_u32..).zip(&decisions).map(|(row, decision)| (SampleId(row), decision)));
    for truth in [listed, decided] {
        let resampling = Some(Resampling { resamples: 20, seed: 0 });
        let evaluation = evaluate(&results, &BTreeMap::new(), &ranking, &truth, resampling);
        let figures = |name: &str| {
            let figures = &evaluation.detectors[name];
            (figures.flagged, figures.precision, figures.recall)
        };
        assert_eq!(figures("leaks"), (2, Some(1.0), 1.0));
        assert_eq!(figures("neighbors"), (2, Some(0.0), 0.0), "evidence is not a copy");
        assert_eq!(figures("silent"), (0, None, 0.0));
        assert_eq!(evaluation.ensemble.precision, Some(1.0));
        assert_eq!(evaluation.detectors["silent"].intervals.unwrap().precision, None);
    }
}

/// The reviewer removed the other one of the pair that the detector flags, and one of the copies is open.
#[test]
fn whichever_copy_was_removed_the_group_was_found() {
    let mut builder = ResultBuilder::new(5);
    let scores = [0.1, 0.7, 0.1, 0.7, 1.0];
    builder.scores(&scores);
    for row in 0..4_u32 {
        let issue = Issue { score: scores[row as usize], group: Some(row / 2), ..Issue::default() };
        builder.issue(SampleId(row), issue);
    }
    let record = RunRecord { name: "pairs".into(), threshold: 0.5, groups: true, ..RunRecord::default() };
    let results: Results = [("pairs".to_owned(), Arc::new(builder.finish(record, &[])))].into();
    let ranking = rank(&results, &BTreeMap::new(), &EnsembleRule::Or, 5);
    let said = [Choice::Keep, Choice::Remove, Choice::Keep].map(Decision::from);
    let decided = (0_u32..).zip(&said).map(|(row, decision)| (SampleId(row), decision));
    let evaluation = evaluate(&results, &BTreeMap::new(), &ranking, &Truth::from_decisions(5, decided), None);
    let figures = &evaluation.detectors["pairs"];
    assert_eq!((figures.flagged, figures.precision, figures.recall), (2, Some(0.5), 1.0));
    assert_eq!(evaluation.ensemble.precision, Some(0.5));
}

#[test]
fn what_was_decided_can_be_the_truth() {
    let choices = [Choice::Keep, Choice::Remove, Choice::Unsure, Choice::Relabel("cat".into())];
    let decisions: Vec<Decision> = choices.into_iter().map(Decision::from).collect();
    let decided = (0_u32..).zip(&decisions).map(|(row, decision)| (SampleId(row), decision));
    let truth = Truth::from_decisions(6, decided);
    assert_eq!((truth.len(), truth.known()), (6, vec![(0, false), (1, true), (3, true)]));
    assert_eq!(truth.kinds(), [("relabel".to_owned(), 1), ("remove".to_owned(), 1)].into());
}

/// `roc_auc_score(error, -quality)` and `average_precision_score(error, -quality)` of scikit-learn 1.9.1.
#[test]
fn areas_equal_scikit_learns() {
    let mut state = 12_345_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let (mut errors, mut quality) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let error = next() % 7 == 0;
        let value = next() % 40;
        errors.push(error);
        quality.push((if error { value / 2 } else { value }) as f64 / 40.0);
    }
    assert_eq!(errors.iter().filter(|error| **error).count(), 71);
    close(auroc(&errors, &quality), 0.752_109_392_954_463_3);
    close(average_precision(&errors, &quality), 0.240_775_795_248_071_02);
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
