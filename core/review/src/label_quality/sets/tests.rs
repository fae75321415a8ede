use super::*;

fn options(ensemble: Ensemble, deciding: Filter) -> SetOptions {
    SetOptions {
        method: Method::SelfConfidence,
        adjusted: false,
        aggregation: Aggregation::default(),
        filters: vec![Filter::PredictedNeqGiven],
        deciding,
        ensemble,
    }
}

fn input(models: Vec<Numbers>, errors: Option<Vec<bool>>) -> SetInput {
    let given = [true, false, true, true, false, false, false, false];
    SetInput::new(models, vec!["cat".into(), "dog".into()], given.to_vec(), errors).unwrap()
}

fn double(numbers: [f64; 8]) -> Numbers {
    Numbers::Double(numbers.to_vec().into())
}

const ONE: [f64; 8] = [0.9, 0.8, 0.2, 0.9, 0.1, 0.1, 0.3, 0.4];

#[test]
fn an_issue_says_which_class_to_add_or_to_take_away() {
    let input = input(vec![double(ONE)], Some(vec![true, true, false, false]));
    let options = options(Ensemble::Probabilities, Filter::PredictedNeqGiven);
    let judged = input.judge(&options).unwrap();
    assert_eq!(judged.flagged(), [true, true, false, false]);
    assert_eq!(judged.change(&input, 0), Change { add: vec![1], remove: vec![] });
    assert_eq!(judged.change(&input, 1), Change { add: vec![], remove: vec![0] });
    assert_eq!(judged.change(&input, 2), Change::default());
    let report = SetReport::new(&options, &input, &judged);
    assert_eq!((report.n, report.n_unlabeled, report.n_errors, report.auroc), (4, 2, Some(2), Some(1.0)));
    let figures = report.filters["predicted_neq_given"];
    assert_eq!((figures.flagged, figures.flagged_classes, figures.f1), (2, 2, Some(1.0)));
    let classes: Vec<_> = report.classes.iter().map(|class| (class.n, class.add, class.remove)).collect();
    assert_eq!(classes, [(2, 0, 1), (1, 1, 0)]);
}

#[test]
fn where_no_class_is_flagged_the_least_likely_answer_is_meant() {
    let input = input(vec![double(ONE)], None);
    let judged = input.judge(&options(Ensemble::Probabilities, Filter::LowSelfConfidence)).unwrap();
    for sample in (0..4).filter(|&sample| judged.flagged()[sample]) {
        let change = judged.change(&input, sample);
        assert!(change.add.len() + change.remove.len() > 0, "{sample}");
    }
    assert!(judged.issues.samples(Filter::PredictedNeqGiven).is_some());
}

#[test]
fn several_models_count_alike() {
    let two = [0.7, 0.2, 0.6, 0.7, 0.3, 0.1, 0.1, 0.2];
    let single = Numbers::Single(ONE.iter().map(|&p| p as f32).collect());
    let input = input(vec![single, double(two)], None);
    let by = |ensemble| input.judge(&options(ensemble, Filter::PredictedNeqGiven)).unwrap();
    let (probabilities, scores) = (by(Ensemble::Probabilities), by(Ensemble::Scores));
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
    // The mean of the first row is .8, .5, so that its second answer is neither.
    close(probabilities.scores[0], 0.8 * 0.5 + 0.2 * 0.8);
    assert_eq!(probabilities.flagged(), [false, true, false, false]);
    assert_eq!(probabilities.issues, scores.issues);
    let by_hand = [0.8 * 0.2 + 0.2 * 0.9, 0.8 * 0.7 + 0.2 * 0.8];
    close(scores.scores[0], (by_hand[0] + by_hand[1]) / 2.0);
    close(scores.class_scores[0], 0.8);
}

#[test]
fn what_cannot_be_is_refused_with_its_model() {
    let new = |numbers: Vec<Numbers>| SetInput::new(numbers, vec!["cat".into()], vec![true], None);
    let bad = Numbers::Double(vec![1.5].into());
    let good = Numbers::Double(vec![0.5].into());
    let found = InputError::Probability { sample: 0, class: 0, value: 1.5 };
    assert_eq!(new(vec![good, bad]).unwrap_err(), (1, found));
    assert_eq!(new(vec![]).unwrap_err(), (0, InputError::NoModels));
}
