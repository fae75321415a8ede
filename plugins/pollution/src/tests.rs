use super::Pollution;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Noise, Outcome};

const DIM: usize = 24;

/// Three classes of `n`; in the first class sample 0 is of the second, sample 1 of the third.
fn dataset(n: usize) -> MemoryHost {
    let mut noise = Noise(11);
    let mut data = Vec::new();
    let mut labels = Vec::new();
    for label in 0..3 {
        for index in 0..n {
            let corner = if label == 0 && index < 2 { index + 1 } else { label };
            data.extend(noise.around(DIM, corner, 0.2));
            labels.push(label as u32);
        }
    }
    MemoryHost::new().classes(&["cat", "dog", "frog"]).labels(&labels).embeddings(&data, DIM)
}

fn tower(text: &str) -> Option<Vec<f32>> {
    let corner =
        ["cat", "dog", "frog"].iter().position(|name| text.contains(name)).unwrap_or(5 + text.len() % 8);
    let mut vector = vec![0.02; DIM];
    vector[corner] = 1.0;
    vector[20] = if text.contains("drawing") { 0.9 } else { 0.5 };
    Some(vector)
}

fn score(outcome: &Outcome, sample: usize) -> f32 {
    outcome.scores[sample].unwrap()
}

#[test]
fn swapped_samples_are_rejected_and_claimed() {
    for host in [dataset(200), dataset(200).texts(tower)] {
        let outcome = host.run(&Pollution);
        assert_eq!(outcome.error, None);
        let flagged = outcome.flagged(0.48);
        assert!(flagged.starts_with(&[0, 1]) && flagged.len() <= 8, "{flagged:?}");
        let issue = outcome.issue(0).unwrap();
        assert_eq!(issue.suggested, Some(1));
        let expected = "all 5 classifiers of typical cat samples reject it, and those of dog claim it";
        assert!(issue.reason.starts_with(expected), "{}", issue.reason);
        assert!(issue.related.iter().all(|&(other, _)| (200..400).contains(&other)));
        assert_eq!(outcome.issue(1).unwrap().suggested, Some(2));
        assert!(outcome.note("members").unwrap().starts_with("cat: 5 of 5 members joined; they call clean "));
    }
}

#[test]
fn the_same_twice() {
    let (first, second) = (dataset(40).run(&Pollution), dataset(40).run(&Pollution));
    assert_eq!(first.scores, second.scores);
    assert_eq!(first.issues, second.issues);
}

#[test]
fn engineered_features_vary_and_find_the_swapped() {
    for choice in [1.0, 2.0] {
        let outcome = dataset(60).texts(tower).logit_scale(10.0).param("features", choice).run(&Pollution);
        assert_eq!(outcome.error, None);
        let flagged = outcome.flagged(0.48);
        assert!(flagged.contains(&0) && flagged.contains(&1), "features {choice}: {flagged:?}");
        let cats = outcome.note("features").unwrap().lines().next().unwrap();
        let variances: Vec<f64> = cats["cat: ".len()..].split(", ").map(|v| v.parse().unwrap()).collect();
        assert_eq!(variances.len(), 7);
        assert!(variances.iter().all(|&variance| variance > 0.0), "{cats}");
    }
    // Without texts the average similarity is what is left.
    let outcome = dataset(60).param("features", 1.0).run(&Pollution);
    assert_eq!(outcome.error, None);
    assert!(score(&outcome, 0) < 0.48);
}

#[test]
fn the_gate_keeps_out_who_flags_too_much() {
    // 2 of 60 are wrong, so a member that finds them calls 96.7 % clean.
    let outcome = dataset(60).param("gate", 0.99).run(&Pollution);
    let cats = outcome.note("members").unwrap().lines().next().unwrap();
    assert!(cats.starts_with("cat: 0 of 5 members joined; none passed the gate"), "{cats}");
    // The rank stays, and no more than one in a hundred (here: none, for want of a hundred) is flagged.
    assert!(outcome.flagged(0.48).iter().all(|&sample| sample >= 60));
    let worst = (0..60).min_by(|&a, &b| score(&outcome, a).total_cmp(&score(&outcome, b)));
    assert!(worst.unwrap() < 2);
}

#[test]
fn decisions_are_learned_from() {
    let before = dataset(60).run(&Pollution);
    // A person says that what looks like a dog is a cat, and throws out one dog.
    let after = dataset(60).decide(0, Decided::Keep).decide(70, Decided::Remove).run(&Pollution);
    assert!(score(&after, 0) > score(&before, 0) + 0.2);
    assert!(score(&after, 70) < score(&before, 70) - 0.2);
    let moved = dataset(60).decide(0, Decided::Relabel(1)).run(&Pollution);
    assert!(score(&moved, 0) <= score(&before, 0) + 0.05);
    let unsure = dataset(60).decide(0, Decided::Unsure).run(&Pollution);
    assert_eq!(unsure.scores, before.scores);
}

#[test]
fn what_is_removed_for_being_a_copy_teaches_nothing() {
    // Each fifth cat is there twice, and one of the two is removed.
    let with = |decided: bool| {
        let (mut labels, mut data, mut noise) = (Vec::new(), Vec::new(), Noise(7));
        for number in 0..120 {
            labels.push(u32::from(number >= 60));
            data.extend(noise.around(DIM, usize::from(number >= 60), 0.2));
        }
        for number in (2..60).step_by(5) {
            labels.push(0);
            data.extend_from_within(number * DIM..(number + 1) * DIM);
        }
        let mut host = MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&data, DIM);
        if decided {
            for copy in 120..labels.len() {
                host = host.decide(copy, Decided::Remove);
            }
        }
        host.run(&Pollution)
    };
    let (before, after) = (with(false), with(true));
    assert!(after.flagged(0.48).len() <= before.flagged(0.48).len() + 1, "{:?}", after.flagged(0.48));
    for sample in (2..60).step_by(5) {
        assert!(score(&after, sample) > score(&before, sample) - 0.1, "{sample}");
    }
}

#[test]
fn a_higher_clean_share_flags_less() {
    let few = dataset(200).param("clean-share", 0.98).param("gate", 0.5).run(&Pollution).flagged(0.48);
    let many = dataset(200).param("clean-share", 0.5).param("gate", 0.5).run(&Pollution).flagged(0.48);
    assert!(few.len() <= many.len() && few.contains(&0));
}

#[test]
fn what_cannot_be_judged_has_no_score() {
    let mut labels = vec![0; 20];
    labels.extend([1, 1, 1, NO_LABEL]);
    let mut noise = Noise(5);
    let data: Vec<f32> = (0..24).flat_map(|_| noise.around(DIM, 0, 0.2)).collect();
    let host = || MemoryHost::new().classes(&["cat", "dog"]).embeddings(&data, DIM);
    let outcome = host().labels(&labels).run(&Pollution);
    assert_eq!(outcome.error, None);
    assert!(outcome.scores[..20].iter().all(Option::is_some));
    assert!(outcome.scores[20..].iter().all(Option::is_none));
    let error = host().labels(&[NO_LABEL; 24]).run(&Pollution).error.unwrap();
    assert!(error.contains("no class has 8"), "{error}");
}

#[test]
fn a_single_class_is_told_from_chance() {
    let mut noise = Noise(5);
    let data: Vec<f32> = (0..40).flat_map(|_| noise.around(DIM, 0, 0.2)).collect();
    let outcome = MemoryHost::new().classes(&["cat"]).labels(&[0; 40]).embeddings(&data, DIM).run(&Pollution);
    assert_eq!(outcome.error, None);
    assert!(outcome.flagged(0.48).len() <= 4);
}

#[test]
fn a_stop_is_obeyed() {
    assert!(dataset(60).stop_after(5).run(&Pollution).stopped);
}

#[test]
fn stablelabels_ensemble_finds_what_is_foreign_and_is_gated() {
    // Sample 0 of the first class lies in a corner that no class has.
    let mut noise = Noise(17);
    let data: Vec<f32> =
        (0..400).flat_map(|s| noise.around(DIM, if s == 0 { 15 } else { s % 2 * 3 }, 0.2)).collect();
    let labels: Vec<u32> = (0..400).map(|s| s % 2).collect();
    let host = || {
        let host = MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&data, DIM);
        host.param("method", 1.0).param("members", 10.0).param("gate", 0.99)
    };
    let outcome = host().run(&Pollution);
    assert_eq!(outcome.error, None);
    let flagged = outcome.flagged(0.48);
    assert!(flagged.len() <= 80, "the gate bounds what members flag: {}", flagged.len());
    let worst = (0..400).step_by(2).min_by(|&a, &b| score(&outcome, a).total_cmp(&score(&outcome, b)));
    assert_eq!(worst, Some(0));
    assert_eq!(outcome.scores, host().run(&Pollution).scores);
    // A threshold of its own, by P(polluted): the higher, the fewer.
    let strict = host().param("polluted-above", 0.9).run(&Pollution).flagged(0.48).len();
    assert!(strict <= flagged.len());
    assert!(
        outcome
            .note("model")
            .unwrap()
            .starts_with("version 1: StableLabel's networks, trained with 0 decided")
    );
}

#[test]
fn a_model_is_kept_in_versions_and_used_again() {
    let first = dataset(60).run(&Pollution);
    let kept = first.kept["model"].clone();
    let text = first.note("model").unwrap();
    assert!(text.starts_with(
        "version 1: logistic regressions, trained with 0 decided samples\ncross-validated in 5"
    ));
    let share: f64 = text.split(" % right").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(share > 95.0 && text.ends_with("AUROC 1.000"), "{text}");
    // A decision makes another model, and the figure on what was decided appears.
    let decided =
        || dataset(60).decide(0, Decided::Remove).decide(1, Decided::Relabel(2)).decide(9, Decided::Keep);
    let second = decided().kept("model", std::slice::from_ref(&kept)).run(&Pollution);
    assert_ne!(second.kept["model"], kept);
    let text = second.note("model").unwrap();
    assert!(text.starts_with("version 2: logistic regressions, trained with 3 decided samples\n"), "{text}");
    assert!(text.contains(" decided samples: "), "{text}");
    // The first one again: all members judge everything.
    let again = decided().kept("model", std::slice::from_ref(&kept)).param("model", 1.0).run(&Pollution);
    assert_eq!(again.error, None);
    assert!(again.flagged(0.48).contains(&0));
    assert!(again.kept.is_empty());
    let missing = dataset(60).kept("model", std::slice::from_ref(&kept)).param("model", 4.0).run(&Pollution);
    assert_eq!(missing.error.as_deref(), Some("there is no model version 4: the newest is 1"));
    let other =
        dataset(60).classes(&["a", "b", "c"]).kept("model", &[kept]).param("model", 1.0).run(&Pollution);
    assert!(other.error.unwrap().contains("has other classes"));
    let broken = dataset(60).kept("model", &[b"nonsense".to_vec()]).param("model", 1.0).run(&Pollution);
    assert!(broken.error.unwrap().contains("in another format"));
}
