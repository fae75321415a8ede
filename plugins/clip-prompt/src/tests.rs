use super::ClipPrompt;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::MemoryHost;

/// cat, dog, and everything else are the axes of the space.
fn tower(text: &str) -> Option<Vec<f32>> {
    Some(vec![
        f32::from(u8::from(text.contains("cat"))),
        f32::from(u8::from(text.contains("dog"))),
        f32::from(u8::from(text.contains("some"))),
        0.1,
    ])
}

/// A cat, a dog labeled cat, a dog, something labeled dog, a cat without a label.
fn animals() -> MemoryHost {
    let data = [
        [1.0, 0.2, 0.1, 0.0],
        [0.1, 1.0, 0.2, 0.0],
        [0.2, 1.0, 0.1, 0.0],
        [0.1, 0.2, 1.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
    ];
    MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&[0, 0, 1, 1, NO_LABEL])
        .embeddings(&data.concat(), 4)
        .texts(tower)
        .logit_scale(10.0)
}

#[test]
fn a_dog_among_cats_is_named() {
    let outcome = animals().run(&ClipPrompt);
    assert_eq!(outcome.error, None);
    assert!(outcome.flagged(0.5).contains(&1));
    let issue = outcome.issue(1).unwrap();
    assert_eq!(issue.suggested, Some(1));
    assert_eq!(issue.reason, "looks like dog rather than cat");
    assert_eq!(issue.related[0].0, 2, "the surest dog is evidence");
    assert!(!outcome.flagged(0.5).contains(&0) && !outcome.flagged(0.5).contains(&2));
    assert_eq!(outcome.scores[4], None, "without a label there is no score");
}

#[test]
fn the_alternative_finds_what_is_neither() {
    let outcome = animals().param("mode", 2.0).run(&ClipPrompt);
    assert_eq!(outcome.flagged(0.5), [1, 3]);
    let foreign = outcome.issue(3).unwrap();
    assert_eq!(
        (foreign.reason.as_str(), foreign.suggested),
        ("looks like something else rather than dog", None)
    );
    // Zero-shot cannot: it must choose one of the classes.
    assert_eq!(animals().param("mode", 1.0).run(&ClipPrompt).flagged(0.5), [1]);
}

#[test]
fn the_alternative_is_the_works_rule() {
    let outcome = animals().param("mode", 2.0).run(&ClipPrompt);
    let cosine = |a: [f32; 4], b: [f32; 4]| {
        let dot = |a: [f32; 4], b: [f32; 4]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let sample = [1.0, 0.2, 0.1, 0.0];
    let (label, other) = (cosine(sample, [1.0, 0.0, 0.0, 0.1]), cosine(sample, [0.0, 0.0, 1.0, 0.1]));
    let expected = (10.0 * label).exp() / ((10.0 * label).exp() + (10.0 * other).exp());
    assert!((outcome.scores[0].unwrap() - expected).abs() < 1e-5);
}

#[test]
fn temperature_takes_sureness_away_but_not_the_order() {
    let at =
        |temperature: f64| animals().param("mode", 1.0).param("temperature", temperature).run(&ClipPrompt);
    let (sharp, soft) = (at(0.5), at(5.0));
    assert!(sharp.scores[1] < soft.scores[1]);
    assert!(sharp.scores[0] > soft.scores[0]);
    assert_eq!(sharp.issue(1).unwrap().suggested, soft.issue(1).unwrap().suggested);
}

#[test]
fn doubt_is_where_the_score_is_one_half() {
    let outcome = animals().param("mode", 1.0).param("temperature", 10.0).run(&ClipPrompt);
    // 1/(1+e) or so: everything is possible at this temperature.
    assert!(outcome.flagged(0.5).is_empty());
    let strict = animals().param("mode", 1.0).param("temperature", 10.0).param("doubt", 0.5).run(&ClipPrompt);
    assert_eq!(strict.flagged(0.5), [1], "at 0.5 of two classes, all that look more like the other");
}

#[test]
fn one_class_is_asked_for_the_alternative() {
    let host = MemoryHost::new()
        .classes(&["cat"])
        .labels(&[0, 0])
        .embeddings(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0], 4)
        .texts(tower);
    let outcome = host.run(&ClipPrompt);
    assert_eq!(outcome.flagged(0.5), [1]);
    let error = host.alternatives::<&str>(&[]).run(&ClipPrompt).error.unwrap();
    assert!(error.contains("no alternative prompts"), "{error}");
}

#[test]
fn a_class_is_the_mean_of_its_prompts() {
    let host = animals().prompts(0, &["cat", "dog", "dog"]).param("mode", 1.0);
    // The cat class now leans towards dogs, so the dog labeled cat is less of a surprise.
    assert!(host.run(&ClipPrompt).scores[1] > animals().param("mode", 1.0).run(&ClipPrompt).scores[1]);
    let error = animals().prompts::<&str>(1, &[]).run(&ClipPrompt).error.unwrap();
    assert_eq!(error, "the prompt set has no prompt for dog");
}

#[test]
fn near_alternatives_do_not_flag_whole_classes() {
    // Every picture is a little nearer to the alternative than to its label, as with a weak model.
    let mut data = Vec::new();
    for index in 0..40 {
        let wobble = index as f32 * 0.01;
        let (cat, dog) = if index < 20 { (1.0, 0.0) } else { (0.0, 1.0) };
        data.extend([cat + wobble * 0.2, dog, 1.2, wobble]);
    }
    let labels: Vec<u32> = (0..40).map(|index| u32::from(index >= 20)).collect();
    let host =
        || MemoryHost::new().classes(&["cat", "dog"]).labels(&labels).embeddings(&data, 4).texts(tower);
    assert!(host().run(&ClipPrompt).flagged(0.5).len() <= 2);
    assert!(host().param("mode", 2.0).run(&ClipPrompt).flagged(0.5).len() >= 38);
}

#[test]
fn what_is_missing_is_said() {
    let error = animals().labels(&[NO_LABEL; 5]).run(&ClipPrompt).error.unwrap();
    assert!(error.contains("no image has a label"), "{error}");
    let data = [1.0, 0.0];
    let error =
        MemoryHost::new().classes(&["cat"]).labels(&[0]).embeddings(&data, 2).run(&ClipPrompt).error.unwrap();
    assert_eq!(error, "the model MemoryHost has no text tower, so it cannot read prompts");
    let outcome = animals().decodable(&[true, false, true, true, true]).run(&ClipPrompt);
    assert_eq!((outcome.error, outcome.scores[1]), (None, None));
}
