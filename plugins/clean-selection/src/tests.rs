use super::CleanSelection;
use super::sources::Sums;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Outcome};
use chaffinch_selection::{Evidence, Limits, fill_empty_classes, intersection};

const CLASSES: [&str; 3] = ["cat", "dog", "frog"];

/// cat, dog and frog are the axes of the space.
fn tower(text: &str) -> Option<Vec<f32>> {
    Some(CLASSES.iter().map(|name| f32::from(u8::from(text.contains(name)))).collect())
}

/// Directions near the axes, each a little away from it in its own way.
fn directions() -> Vec<[f32; 3]> {
    let near = |sample: usize| {
        let mut row = [0.02 * (sample as f32).sin().abs(); 3];
        row[sample / 20] = 1.0;
        row
    };
    let mut rows: Vec<[f32; 3]> = (0..60).map(near).collect();
    // Called cat, and a dog to both sources.
    rows[0] = [0.1, 1.0, 0.1];
    rows
}

fn probabilities() -> Vec<[f32; 3]> {
    let likely = |sample: usize| {
        let sure = 0.8 + 0.1 * (sample as f32).cos().abs();
        std::array::from_fn(|class| if class == sample / 20 { sure } else { (1.0 - sure) / 2.0 })
    };
    let mut rows: Vec<[f32; 3]> = (0..60).map(likely).collect();
    rows[0] = [0.06, 0.81, 0.13];
    rows[25] = [0.1, 0.2, 0.7];
    rows
}

fn labels() -> Vec<u32> {
    (0..60).map(|sample| sample / 20).collect()
}

/// Twenty samples of each class; sample 0 is doubted by both sources, 25 by the trained model.
fn dataset() -> MemoryHost {
    MemoryHost::new()
        .classes(&CLASSES)
        .labels(&labels())
        .embeddings(&directions().concat(), 3)
        .texts(tower)
        .probabilities(&probabilities().concat())
}

fn run(host: &MemoryHost) -> Outcome {
    let outcome = host.run(&CleanSelection);
    assert_eq!(outcome.error, None);
    outcome
}

/// Both sources' evidence, without the detector. Samples without a label have none.
fn evidence(labels: &[u32]) -> [Evidence; 2] {
    let zero_shot = directions().into_iter().map(|row| {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        let odds = row.map(|x| (f64::from(x / norm) / 0.07).exp());
        odds.map(|x| x / odds.iter().sum::<f64>())
    });
    let trained = probabilities().into_iter().map(|row| row.map(f64::from));
    let of = |rows: Vec<[f64; 3]>| {
        let mut evidence = Evidence::default();
        for (row, &label) in rows.into_iter().zip(labels) {
            match row.get(label as usize) {
                Some(&own) => evidence.push(own, row.into_iter().fold(0.0, f64::max)),
                None => evidence.skip(),
            }
        }
        evidence
    };
    [of(zero_shot.collect()), of(trained.collect())]
}

/// What is not selected with these limits, by the mathematics alone. The first choice is both sources.
fn left_out(labels: &[u32], sources: usize, limits: Limits) -> Vec<usize> {
    let [zero_shot, trained] = evidence(labels).map(|evidence| evidence.scores(labels).unwrap());
    let used = match sources {
        0 => vec![zero_shot, trained],
        1 => vec![zero_shot],
        _ => vec![trained],
    };
    let selections: Vec<Vec<bool>> = used.iter().map(|scores| scores.select(limits).both()).collect();
    let mut clean = intersection(&selections.iter().map(Vec::as_slice).collect::<Vec<_>>());
    fill_empty_classes(&mut clean, labels, 3, used[0].stretched());
    (0..60).filter(|&sample| labels[sample] != NO_LABEL && !clean[sample]).collect()
}

#[test]
fn what_is_not_selected_is_flagged_whatever_the_limits_and_sources() {
    let mut odd = labels();
    (odd[7], odd[33], odd[40]) = (NO_LABEL, 0, 1);
    for labels in [labels(), odd] {
        for sources in 0..3 {
            for (mixture, consistency) in [(0.5, 0.8), (0.0, 0.0), (1.0, 1.0), (0.9, 0.3), (0.0, 1.0)] {
                let host = dataset().labels(&labels).param("sources", sources as f64);
                let host = host.param("theta-gmm", mixture).param("theta-cons", consistency);
                let expected = left_out(&labels, sources, Limits { mixture, consistency });
                assert_eq!(run(&host).flagged(0.5), expected, "{sources} {mixture} {consistency}");
            }
        }
    }
}

#[test]
fn one_source_alone_flags_what_its_scores_do_not_select() {
    for (sources, evidence) in (1..).zip(evidence(&labels())) {
        let selection = evidence.scores(&labels()).unwrap().select(Limits::default()).both();
        let outcome = run(&dataset().param("sources", f64::from(sources)));
        let flags: Vec<bool> = outcome.scores.iter().map(|score| score.unwrap() < 0.5).collect();
        assert_eq!(flags, selection.iter().map(|clean| !clean).collect::<Vec<_>>());
    }
}

#[test]
fn a_sentence_says_who_doubts_and_by_which_criterion() {
    let outcome = run(&dataset());
    let doubted = outcome.issue(0).unwrap();
    assert_eq!(
        doubted.reason,
        "by the prompts it is dog rather than cat, so consistency and mixture fail; \
         by the trained model it is dog rather than cat, so consistency and mixture fail"
    );
    assert_eq!(doubted.suggested, Some(1));
    assert_eq!(doubted.related.len(), 3);
    assert!(doubted.related.iter().all(|(sample, near)| (20..40).contains(sample) && *near > 0.9));
    let other = outcome.issue(25).unwrap();
    assert_eq!(other.suggested, Some(2));
    assert!(other.reason.contains("by the trained model it is frog rather than dog, so "));
    assert!(outcome.issues.iter().all(|issue| !issue.reason.contains('%')), "{}", other.reason);
    assert!(outcome.scores[0] < outcome.scores[25]);
    assert!(outcome.note("selected").unwrap().contains("of 60 samples\nthe prompts: "));
    // By mixture alone there is nothing to suggest.
    let alone = run(&dataset().param("sources", 2.0).param("theta-cons", 0.0));
    let reason = &alone.issue(0).unwrap().reason;
    assert_eq!(reason, "by the trained model it is in the doubtful group of cat, so mixture fails");
    assert_eq!(alone.issue(0).unwrap().suggested, None);
}

/// Probabilities of two classes: of the first, ten are sure and one is not; of the second, all are called the first.
fn one_empty() -> MemoryHost {
    let mut rows = vec![[0.9_f32, 0.1]; 10];
    rows.push([0.2, 0.8]);
    rows.extend((0..20).map(|index| [0.99 - 0.01 * index as f32, 0.01 + 0.01 * index as f32]));
    let labels: Vec<u32> = (0..31).map(|sample| u32::from(sample > 10)).collect();
    MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&labels)
        .embeddings(&rows.concat(), 2)
        .probabilities(&rows.concat())
        .param("sources", 2.0)
}

#[test]
fn a_class_left_empty_gets_its_best_samples_which_are_not_flagged() {
    let outcome = run(&one_empty());
    // As many as the other class has, the most likely ones of what is there.
    let flagged: Vec<usize> = (10..21).collect();
    assert_eq!(outcome.flagged(0.5), flagged);
    assert!(outcome.scores[21..].iter().all(|score| *score == Some(0.5)), "{:?}", outcome.scores);
    assert_eq!(outcome.note("classes that would be left empty"), Some("dog: its 10 best are taken"));
    let reason = &outcome.issue(30).unwrap().reason;
    assert!(reason.starts_with("taken only so that dog is not left empty: by the trained model"), "{reason}");
    // The worst of them comes last in the order of trust.
    assert!(outcome.scores[11] < outcome.scores[20]);
}

#[test]
fn trust_orders_either_half() {
    let rows = [[0.9_f32, 0.1], [0.45, 0.5], [0.4, 0.5], [0.39, 0.5], [0.2, 0.5]];
    let host = MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&[0; 5])
        .embeddings(&rows.concat(), 2)
        .probabilities(&rows.concat())
        .param("sources", 2.0)
        .param("theta-gmm", 0.0);
    let outcome = run(&host);
    assert_eq!(outcome.flagged(0.5), [3, 4]);
    let trust = |own: f32, best: f32| (own / best + (own / 0.2).ln() / (0.9_f32 / 0.2).ln()) / 2.0;
    for (row, (score, border)) in rows.iter().zip(outcome.scores.iter().zip([0.5, 0.5, 0.5, 0.0, 0.0])) {
        let expected = border + 0.5 * trust(row[0], row[0].max(row[1]));
        assert!((score.unwrap() - expected).abs() < 1e-5, "{:?}", outcome.scores);
    }
    assert!(outcome.issue(3).unwrap().reason.starts_with("by the trained model it is dog"));
    assert_eq!(outcome.issue(0), None);
    // No one's highest trust is a way around a limit.
    let strict = run(&dataset().param("theta-gmm", 1.0).param("theta-cons", 1.0));
    assert!(strict.scores.iter().all(|score| (0.0..=1.0).contains(&score.unwrap())));
}

#[test]
fn what_cannot_be_judged_has_no_score() {
    let (mut labels, mut decodable) = (labels(), [true; 60]);
    labels[3] = NO_LABEL;
    decodable[5] = false;
    let outcome = run(&dataset().labels(&labels).decodable(&decodable));
    let missing: Vec<usize> = (0..60).filter(|&sample| outcome.scores[sample].is_none()).collect();
    assert_eq!(missing, [3, 5]);
    assert!(outcome.issue(3).is_none() && outcome.issue(5).is_none());
}

#[test]
fn degenerate_datasets_have_a_defined_outcome() {
    let error = |host: MemoryHost| host.run(&CleanSelection).error.unwrap();
    assert!(error(dataset().labels(&[NO_LABEL; 60])).contains("no image has a label"));
    assert!(error(MemoryHost::new()).contains("no image has a label"));
    let one = MemoryHost::new().classes(&["cat"]).labels(&[0, 0]).embeddings(&[1.0, 0.0], 1).texts(tower);
    assert!(error(one).contains("there is only one class"));
    // Constant probabilities say nothing against anybody.
    let constant = dataset().probabilities(&[1.0 / 3.0; 180]).embeddings(&[1.0; 180], 3);
    assert_eq!(run(&constant).flagged(0.5), [0; 0]);
    // A class of one sample is left to consistency, and taken where that fails, since it is all there is.
    let mut lone = labels();
    lone[40..].fill(0);
    lone[59] = 2;
    assert!(run(&dataset().labels(&lone)).scores[59] > Some(0.5));
    lone[59] = 0;
    lone[10] = 2;
    assert_eq!(run(&dataset().labels(&lone)).scores[10], Some(0.5));
}

#[test]
fn nonsense_and_what_is_missing_are_said() {
    let error = |host: MemoryHost| host.run(&CleanSelection).error.unwrap();
    for (value, words) in [(f32::NAN, "sample 2 has no probabilities"), (-0.5, "are not probabilities")] {
        let mut rows = probabilities();
        rows[2][0] = value;
        let error = error(dataset().probabilities(&rows.concat()));
        assert!(error.contains(words) && error.starts_with("the trained model: "), "{error}");
    }
    let error_text = error(dataset().prompts::<&str>(1, &[]));
    assert_eq!(error_text, "the prompt set has no prompt for dog");
    let wordless = || {
        let host = MemoryHost::new().classes(&CLASSES).labels(&labels());
        host.embeddings(&directions().concat(), 3).probabilities(&probabilities().concat())
    };
    let error = error(wordless());
    assert!(error.contains("no text tower") && error.contains("sources = \"trained\""), "{error}");
    assert_eq!(run(&wordless().param("sources", 2.0)).scores.len(), 60);
}

#[test]
fn prompts_may_come_in_any_portions() {
    let (cosines, prompts) =
        ([0.1, 0.3, 0.2, 0.05, 0.4], [(0, None), (0, Some(2)), (1, None), (1, None), (1, Some(3))]);
    let portions = |size: usize| {
        let mut sums = Sums::default();
        let parts = cosines.chunks(size).zip(prompts.chunks(size));
        parts.for_each(|(cosines, prompts)| sums.add(cosines, prompts, 1, 0.07));
        sums
    };
    assert_ne!(portions(5), Sums::default());
    assert!((1..5).all(|size| portions(size) == portions(5)));
}

#[test]
fn more_prompts_are_no_advantage() {
    let host = |prompts: &[&str]| {
        let host = dataset().param("sources", 1.0).param("temperature", 0.5);
        run(&host.prompts(1, prompts)).scores
    };
    assert_eq!(host(&["a dog"]), host(&["a dog"; 8]));
}

#[test]
fn hostile_names_of_classes_are_only_names() {
    let long = "x".repeat(10_000);
    for name in ["", "{}", "\u{1b}[2J\nselected", "\u{202e}god", &long] {
        let host = dataset().classes(&["cat", name, "frog"]).param("sources", 2.0);
        let outcome = run(&host);
        assert_eq!(outcome.flagged(0.5), run(&dataset().param("sources", 2.0)).flagged(0.5));
        let reason = &outcome.issue(0).unwrap().reason;
        assert!(reason.contains(&format!("it is {name} rather than cat")), "{reason}");
    }
}

#[test]
fn the_same_twice_and_a_stop_is_obeyed() {
    let (first, second) = (run(&dataset()), run(&dataset()));
    assert_eq!((first.scores, first.issues), (second.scores, second.issues));
    assert!(dataset().stop_after(0).run(&CleanSelection).stopped);
}
