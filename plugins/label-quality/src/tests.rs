use super::LabelQuality;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Outcome};

/// Twenty samples of each of three classes, of which the model is sure; sample 0 is called a cat and looks like a dog,
/// sample 25 is called a dog and looks a little more like a frog.
fn dataset() -> MemoryHost {
    let labels: Vec<u32> = (0..60).map(|sample| sample / 20).collect();
    let mut rows: Vec<[f32; 3]> = labels
        .iter()
        .map(|&label| std::array::from_fn(|class| if class == label as usize { 0.8 } else { 0.1 }))
        .collect();
    rows[0] = [0.06, 0.81, 0.13];
    rows[25] = [0.1, 0.44, 0.46];
    MemoryHost::new()
        .classes(&["cat", "dog", "frog"])
        .labels(&labels)
        .probabilities(&rows.concat())
        .embeddings(&[1.0; 60], 1)
}

fn run(host: &MemoryHost) -> Outcome {
    let outcome = host.run(&LabelQuality);
    assert_eq!(outcome.error, None);
    outcome
}

#[test]
fn a_contradicted_label_is_flagged_with_a_suggestion_and_a_sentence() {
    let outcome = run(&dataset());
    assert_eq!(outcome.flagged(0.5), [0]);
    let issue = outcome.issue(0).unwrap();
    assert_eq!(issue.suggested, Some(1));
    // Of sixty samples too few are clear for calibrated percentages.
    assert_eq!(issue.reason, "other samples like it are labeled dog, not cat");
    // Undecided ones come next in the order, with words for a moved threshold.
    assert_eq!(outcome.issue(25).unwrap().suggested, Some(2));
    assert!(outcome.scores[25] > outcome.scores[0] && outcome.scores[25] < outcome.scores[1]);
    assert!(outcome.note("quality of the probabilities").unwrap().contains("disagrees with 3.3 %"));
    assert!(outcome.note("mix-ups").unwrap().starts_with("too few samples are clear"));
}

#[test]
fn a_filter_says_what_is_flagged() {
    for filter in 0..8 {
        let flagged = run(&dataset().param("filter", f64::from(filter))).flagged(0.5);
        let expected: &[usize] = match filter {
            // Whatever is predicted to be another class, however narrowly.
            5 => &[0, 25],
            _ => &[0],
        };
        assert_eq!(flagged, expected, "filter {filter}");
    }
}

#[test]
fn a_method_orders_and_does_not_flag() {
    let of = |method: u32| run(&dataset().param("method", f64::from(method)).param("filter", 1.0));
    let all: Vec<Outcome> = (0..5).map(of).collect();
    for (method, outcome) in all.iter().enumerate() {
        assert_eq!(outcome.flagged(0.5), [0], "method {method}");
        for (other, another) in all[..method].iter().enumerate() {
            // Of sixty samples too few are sure for a posterior, so the odds stand in for it.
            let alike = (other, method) == (0, 1);
            assert_eq!(outcome.scores == another.scores, alike, "methods {other} and {method}");
        }
    }
    // The row of sample 25 is 0.1, 0.44 and 0.46, its label the second class; scores of unflagged ones lie above one half.
    let entropy = -(0.1 * 0.1_f64.ln() + 0.44 * 0.44_f64.ln() + 0.46 * 0.46_f64.ln()) / 3.0_f64.ln();
    let x = entropy / 0.44;
    for (method, score) in [(2, 0.44), (3, (0.44 - 0.46 + 1.0) / 2.0), (4, x.ln_1p() / x)] {
        let found = f64::from(all[method].scores[25].unwrap());
        assert!((found - (0.5 + score / 2.0)).abs() < 1e-6, "method {method}: {found} {score}");
    }
}

/// 400 samples of each of three classes, of which the model is sure but for a tenth; a tenth of the cats are called dogs.
fn cats_called_dogs() -> MemoryHost {
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for sample in 0..1200_usize {
        let (class, number) = (sample % 3, sample / 3);
        let mut row = if number % 10 == 9 { [0.15; 3] } else { [0.05; 3] };
        row[class] = if number % 10 == 9 { 0.45 } else { 0.9 };
        if number % 10 == 9 {
            row[(class + 1) % 3] = 0.4;
        }
        rows.extend(row);
        labels.push(if class == 0 && number % 10 == 4 { 1 } else { class as u32 });
    }
    // Two that the model cannot judge: one is called dog and may be a cat, the other is called frog and may be a dog.
    (labels[27], labels[28]) = (1, 2);
    MemoryHost::new()
        .classes(&["cat", "dog", "frog"])
        .labels(&labels)
        .probabilities(&rows)
        .embeddings(&[1.0; 1200], 1)
}

#[test]
fn labels_that_are_often_mixed_up_are_doubted_first() {
    let (odds, posterior) = (run(&cats_called_dogs().param("method", 1.0)), run(&cats_called_dogs()));
    assert_eq!(posterior.flagged(0.5).len(), odds.flagged(0.5).len());
    let doubt = |outcome: &Outcome, sample: usize| 1.0 - outcome.scores[sample].unwrap();
    let apart = |outcome: &Outcome| doubt(outcome, 27) / doubt(outcome, 28);
    assert!((apart(&odds) - 1.0).abs() < 1e-3, "{}", apart(&odds));
    assert!(apart(&posterior) > 2.0, "{}", apart(&posterior));
    let wrong = posterior.issue(12).unwrap();
    assert_eq!((wrong.suggested, wrong.score < 0.5), (Some(0), true));
    // Cats called dogs come first; how many there are is not said, since a model only sees those that are easy to tell.
    let pairs: Vec<&str> = posterior.note("mix-ups").unwrap().lines().skip(1).collect();
    assert_eq!(pairs[0], "cat called dog");
    let said = posterior.issues.iter().map(|issue| issue.reason.as_str()).chain(pairs);
    said.for_each(|text| assert!(!text.contains(|c: char| c.is_ascii_digit()), "{text}"));
}

#[test]
fn what_cannot_be_judged_has_no_score() {
    let mut labels: Vec<u32> = (0..60).map(|sample| sample / 20).collect();
    labels[59] = NO_LABEL;
    (40..57).for_each(|sample| labels[sample] = 0);
    let outcome = run(&dataset().labels(&labels));
    // Two frogs are left, and one sample without a label.
    assert!(outcome.scores[57..].iter().all(Option::is_none));
    assert!(outcome.scores[..57].iter().all(Option::is_some));
    let outcome = dataset().labels(&[0; 60]).run(&LabelQuality);
    assert!(outcome.error.is_none() || outcome.error.as_deref().unwrap().contains("same label"));
    let outcome = dataset().labels(&[NO_LABEL; 60]).run(&LabelQuality);
    assert!(outcome.error.unwrap().contains("no class has 5 labeled images"));
    let one_class = dataset().labels(&[0; 60]).param("filter", 1.0).run(&LabelQuality);
    assert!(one_class.error.unwrap().contains("at least two classes must occur"));
}

#[test]
fn probabilities_that_are_none_end_the_run() {
    let mut rows = vec![0.5_f32; 40];
    rows[7] = f32::NAN;
    let host = MemoryHost::new().classes(&["cat", "dog"]).labels(&[[0; 10], [1; 10]].concat());
    let error = host.probabilities(&rows).embeddings(&[1.0; 20], 1).run(&LabelQuality).error.unwrap();
    assert!(error.contains("row 3, class 1: NaN is not a probability"), "{error}");
}

#[test]
fn the_same_twice() {
    let (first, second) = (run(&dataset()), run(&dataset()));
    assert_eq!(first.scores, second.scores);
    assert_eq!(first.issues, second.issues);
}

/// Of 600 samples of three classes, a tenth with the next class's name, the trained model knows nothing and the pictures lie
/// where the prompts do.
fn only_prompts_know() -> MemoryHost {
    let truth = |sample: usize| sample % 3;
    let labels: Vec<u32> = (0..600).map(|at| ((truth(at) + usize::from(at % 10 == 9)) % 3) as u32).collect();
    let mut embeddings = vec![0.0_f32; 600 * 3];
    (0..600).for_each(|at| embeddings[at * 3 + truth(at)] = 1.0);
    MemoryHost::new()
        .classes(&["cat", "dog", "frog"])
        .labels(&labels)
        .probabilities(&vec![1.0 / 3.0; 600 * 3])
        .embeddings(&embeddings, 3)
        .logit_scale(5.0)
}

/// A text lies on the axis of the class that it names.
fn axes(text: &str) -> Option<Vec<f32>> {
    let axis = ["cat", "dog", "frog"].iter().position(|name| text.contains(name))?;
    let mut vector = vec![0.0; 3];
    vector[axis] = 1.0;
    Some(vector)
}

#[test]
fn prompts_are_asked_where_the_model_reads_them() {
    let wrong: Vec<usize> = (0..600).filter(|at| at % 10 == 9).collect();
    let joined = run(&only_prompts_know().texts(axes));
    assert_eq!(joined.flagged(0.5), wrong);
    let issue = joined.issue(9).unwrap();
    assert_eq!(issue.suggested, Some(0));
    assert!(issue.reason.starts_with("looks like cat"), "{}", issue.reason);
    assert!(issue.reason.contains(", not dog"), "{}", issue.reason);
    assert!(joined.note("sources").unwrap().contains("the prompts' to the power of"));
    let trained = run(&only_prompts_know().texts(axes).param("sources", 1.0));
    assert!(trained.flagged(0.5).is_empty(), "there is nothing to tell classes apart by");
    assert_eq!(trained.note("sources"), Some("the trained model alone"));
}

#[test]
fn without_prompts_the_trained_model_judges_and_a_note_says_why() {
    let outcome = run(&only_prompts_know());
    let trained = run(&only_prompts_know().texts(axes).param("sources", 1.0));
    assert_eq!(outcome.scores, trained.scores);
    assert!(outcome.note("sources").unwrap().starts_with("the trained model alone: "));
}

#[test]
fn prompts_of_samples_that_cannot_be_judged_are_passed_over() {
    let all = run(&only_prompts_know().texts(axes));
    let mut labels: Vec<u32> = (0..600).map(|at| ((at % 3 + usize::from(at % 10 == 9)) % 3) as u32).collect();
    labels[2] = NO_LABEL;
    let outcome = run(&only_prompts_know().texts(axes).labels(&labels));
    assert_eq!(outcome.scores[2], None);
    assert_eq!(outcome.flagged(0.5), all.flagged(0.5));
    assert_eq!(outcome.issue(9).unwrap().suggested, Some(0));
}

#[test]
fn a_stop_ends_it_while_sources_are_joined() {
    let checks = |stop: usize| only_prompts_know().texts(axes).stop_after(stop).run(&LabelQuality);
    // Classes are asked first, then each sample that is looked at.
    assert!(checks(2).stopped && checks(100).stopped);
    assert!(!checks(10_000).stopped);
}

#[test]
fn prompts_that_know_nothing_change_next_to_nothing() {
    let far = |text: &str| axes(text).map(|vector| vec![vector[2], 0.3, vector[1]]);
    let mut embeddings = vec![0.0_f32; 1200 * 3];
    (0..1200).for_each(|at| embeddings[at * 3 + at * 7 / 5 % 3] = 1.0);
    let host = || cats_called_dogs().embeddings(&embeddings, 3).texts(far);
    let (joined, trained) = (run(&host()), run(&host().param("sources", 1.0)));
    let (one, other) = (joined.flagged(0.5), trained.flagged(0.5));
    let both = one.iter().filter(|at| other.contains(at)).count();
    assert!(both * 20 >= 19 * one.len().max(other.len()), "{} {} {both}", one.len(), other.len());
}

/// How a method orders samples, by its scores in the run and by its definition.
fn order<T: PartialOrd + Copy>(scores: &[T]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].partial_cmp(&scores[b]).unwrap());
    order
}

#[test]
fn with_the_default_cut_the_ranking_is_that_of_the_method() {
    // Confidence varies, so that no filter flags exactly the lowest scores.
    let rows: Vec<f32> = (0..600)
        .flat_map(|at| {
            let own = 0.34 + 0.65 * ((at * 37 % 600) as f32 / 600.0);
            let (rest, lean) = (1.0 - own, (at % 7) as f32 / 7.0);
            let mut row = [rest * lean, rest * (1.0 - lean), 0.0];
            row.rotate_right(at % 3);
            row[(at + 2) % 3] = own;
            row
        })
        .collect();
    let labels: Vec<u32> = (0..600).map(|at| ((at + 2 + usize::from(at % 9 == 0)) % 3) as u32).collect();
    let host = || {
        MemoryHost::new()
            .classes(&["cat", "dog", "frog"])
            .labels(&labels)
            .probabilities(&rows)
            .embeddings(&[1.0; 600], 1)
            .param("sources", 1.0)
    };
    let table = chaffinch_confident::Table::new(&rows, 3, &labels).unwrap();
    for (index, method) in chaffinch_confident::Method::ALL.into_iter().enumerate() {
        let outcome = host().param("method", index as f64 + 2.0).run(&LabelQuality);
        let scores: Vec<f32> = outcome.scores.iter().map(|score| score.unwrap()).collect();
        let expected = chaffinch_confident::scores(&table, method, false);
        let flagged = scores.iter().filter(|score| **score < 0.5).count();
        assert!(flagged > 0 && flagged < 600, "{method:?} flags {flagged}");
        // The same order, but for what rounding makes equal.
        let sorted: Vec<f32> = order(&expected).into_iter().map(|at| scores[at]).collect();
        assert!(sorted.is_sorted(), "{method:?}");
        let different = sorted.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!(different > 500, "{method:?} has {different} different scores");
    }
}

#[test]
fn given_probabilities_are_used_as_they_are() {
    let folds = vec![chaffinch_plugin::GIVEN_FOLD; 600];
    let joined = only_prompts_know().texts(axes).run(&LabelQuality);
    let given = only_prompts_know().texts(axes).folds(&folds).run(&LabelQuality);
    let alone = only_prompts_know().texts(axes).param("sources", 1.0).run(&LabelQuality);
    assert_ne!(joined.scores, alone.scores);
    assert_eq!(given.scores, alone.scores);
    assert_eq!(given.note("sources"), Some("the given probabilities, as they are"));
    // Nothing is known of the samples that their model has seen.
    let reasons: Vec<&str> = given.issues.iter().map(|issue| issue.reason.as_str()).collect();
    assert!(!reasons.is_empty());
    reasons.iter().for_each(|reason| assert!(!reason.contains("like it"), "{reason}"));
}

#[test]
fn classes_that_are_too_small_to_be_judged_are_said() {
    let mut labels: Vec<u32> = (0..60).map(|at| (at % 2) as u32).collect();
    labels[0] = 2;
    labels[2] = 2;
    let rows: Vec<f32> = labels
        .iter()
        .flat_map(|&label| (0..3).map(move |class| if class == label { 0.9 } else { 0.05 }))
        .collect();
    let host = || {
        MemoryHost::new()
            .classes(&["cat", "dog", "rare"])
            .labels(&labels)
            .probabilities(&rows)
            .embeddings(&[1.0; 60], 1)
            .param("sources", 1.0)
    };
    let outcome = host().run(&LabelQuality);
    assert_eq!((outcome.scores[0], outcome.scores[2]), (None, None));
    let said: Vec<&str> = outcome.findings.iter().map(|finding| finding.text.as_str()).collect();
    let text = "1 class has fewer than 5 samples, so 2 labels were not judged: 'rare' (2); min-class sets how many are needed";
    assert_eq!(said, [text]);
    assert!(host().param("min-class", 2.0).run(&LabelQuality).findings.is_empty());
}
