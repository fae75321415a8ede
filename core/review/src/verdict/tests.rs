use super::*;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::issue::{Issue, RunRecord};

/// One detector's verdict on one sample: score, suggested class, reason.
fn said(
    name: &str,
    threshold: f32,
    score: f32,
    suggested: Option<u32>,
    reason: &str,
) -> (String, Arc<DetectorResult>) {
    let mut builder = ResultBuilder::new(1);
    builder.scores(&[score]);
    if !score.is_nan() {
        builder.issue(SampleId(0), Issue { score, suggested, reason: reason.into(), ..Issue::default() });
    }
    let record = RunRecord { name: name.into(), threshold, ..RunRecord::default() };
    let classes = ["cat".to_owned(), "dog".to_owned(), "fox".to_owned()];
    (name.to_owned(), Arc::new(builder.finish(record, &classes)))
}

#[test]
fn severity_is_compared_on_the_calibrated_scale() {
    // 0.2 of 0.9 is far worse than 0.1 of 0.11, though its score is higher.
    let results: Results =
        [said("a", 0.11, 0.1, Some(1), "barely."), said("b", 0.9, 0.2, Some(2), "clearly")].into();
    let thresholds = BTreeMap::new();
    let verdicts = Verdicts::new(&results, &thresholds);
    let flags = verdicts.worst_first(SampleId(0));
    assert_eq!(flags.iter().map(|flag| flag.detector).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(verdicts.suggested(SampleId(0)), Some(2));
    assert_eq!(verdicts.reason(SampleId(0)), "clearly; also: barely");
}

#[test]
fn who_does_not_flag_suggests_nothing() {
    let results: Results = [said("a", 0.5, 0.6, Some(1), ""), said("b", 0.5, 0.4, None, "")].into();
    let own = BTreeMap::new();
    assert_eq!(Verdicts::new(&results, &own).suggested(SampleId(0)), None);
    assert_eq!(
        Verdicts::new(&results, &own).reason(SampleId(0)),
        "b gives it 0.40, below its threshold of 0.50"
    );
    // A changed threshold counts, not the detector's default.
    let moved = [("a".to_owned(), 0.7), ("b".to_owned(), 0.3)].into();
    assert_eq!(Verdicts::new(&results, &moved).suggested(SampleId(0)), Some(1));
    assert_eq!(
        Verdicts::new(&results, &moved).flags(SampleId(0)).map(|flag| flag.index).collect::<Vec<_>>(),
        [0]
    );
}

#[test]
fn a_sample_without_a_score_or_outside_is_not_flagged() {
    let results: Results = [said("a", 0.5, f32::NAN, None, "")].into();
    let own = BTreeMap::new();
    assert_eq!(Verdicts::new(&results, &own).flags(SampleId(0)).count(), 0);
    assert_eq!(Verdicts::new(&results, &own).flags(SampleId(9)).count(), 0);
    assert_eq!(Verdicts::new(&results, &own).reason(SampleId(0)), "");
}

#[test]
fn reasons_are_joined_worst_first() {
    let with = |name: &str, score, reason: &str| {
        let mut builder = ResultBuilder::new(1);
        builder.issue(SampleId(0), Issue { score, reason: reason.into(), ..Issue::default() });
        let record = RunRecord { name: name.into(), threshold: 0.5, ..RunRecord::default() };
        (name.to_owned(), Arc::new(builder.finish(record, &[])))
    };
    let results: Results = [
        with("a", 0.4, "it looks odd"),
        with("b", 0.1, "it is a copy."),
        with("c", 0.2, ""),
        with("d", 0.9, "fine"),
    ]
    .into();
    let text = Verdicts::new(&results, &BTreeMap::new()).reason(SampleId(0));
    assert_eq!(text, "it is a copy; also: c gives it 0.20, below its threshold of 0.50; it looks odd");
    let off = [("a", 0.0), ("b", 0.0), ("c", 0.0)].map(|(n, t)| (n.to_owned(), t)).into();
    assert_eq!(Verdicts::new(&results, &off).reason(SampleId(0)), "");
}
