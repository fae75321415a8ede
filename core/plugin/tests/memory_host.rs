//! The in-memory host does what the real one promises, and refuses what the real one refuses.
#![cfg(feature = "testing")]

use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Outcome, Picture};

/// A detector from a closure, so that each test is self-contained.
struct Probe<F>(F);

impl<F: Fn(&View<'_>, &Report<'_>) -> Result<()> + Send + Sync> Detector for Probe<F> {
    const INFO: Info = Info::new("probe", "Asks for everything")
        .needs(
            Needs::EMBEDDINGS
                .and(Needs::NEIGHBORS)
                .and(Needs::HASHES)
                .and(Needs::PIXELS)
                .and(Needs::TEXTS)
                .and(Needs::DECISIONS),
        )
        .params(&[
            Param::number("share", 0.5, 0.0, 1.0, "A share"),
            Param::flag("loud", true, "Whether to shout"),
        ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        (self.0)(view, report)
    }
}

fn ask(host: &MemoryHost, detect: impl Fn(&View<'_>, &Report<'_>) -> Result<()> + Send + Sync) -> Outcome {
    host.run(&Probe(detect))
}

fn four() -> MemoryHost {
    MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&[0, 0, 1, NO_LABEL])
        .embeddings(&[1.0, 0.0, 2.0, 2.0, 0.0, 1.0, -1.0, 0.0], 2)
        .hashes(&[0, 0b111, 0b1, u64::MAX], &[0, 1, 2, 3])
}

#[test]
fn the_dataset_arrives_as_given() {
    let host = four()
        .splits(&[Split::Train, Split::Validation, Split::Test, Split::None])
        .decide(1, Decided::Relabel(1));
    let outcome = ask(&host, |view, _| {
        assert_eq!((view.len(), view.class_count(), view.class_name(1)), (4, 2, "dog"));
        assert_eq!(view.members(), [vec![0, 1], vec![2]]);
        assert_eq!(
            (0..4).map(|s| view.split(s)).collect::<Vec<_>>(),
            [Split::Train, Split::Validation, Split::Test, Split::None]
        );
        assert_eq!((view.decision(0), view.decision(1)), (None, Some(Decided::Relabel(1))));
        assert_ne!(view.content_hashes()[0], view.content_hashes()[1]);
        assert_eq!(view.dimensions()[3].width, 32);
        Ok(())
    });
    assert_eq!(outcome.error, None);
}

/// Says what it sees of decisions without a word that it reads them.
struct Undeclared;

impl Detector for Undeclared {
    const INFO: Info = Info::new("undeclared", "Reads decisions");

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        report.note("seen", &format!("{:?}", (0..view.len()).map(|at| view.decision(at)).collect::<Vec<_>>()))
    }
}

#[test]
fn nothing_is_decided_for_a_detector_that_does_not_say_it_reads_decisions() {
    let outcome = four().decide(1, Decided::Keep).decide(2, Decided::Relabel(1)).run(&Undeclared);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.note("seen"), Some("[None, None, None, None]"));
}

#[test]
fn vectors_are_unit_length_and_products_agree() {
    let half = 0.5_f32.sqrt();
    let outcome = ask(&four(), move |view, _| {
        let close =
            |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-6) && a.len() == b.len();
        assert!(close(view.embeddings()?.row(1), &[half, half]));
        assert!(close(&view.block(&[1, 0], &[0, 2, 3])?, &[half, half, -half, 1.0, 0.0, -1.0]));
        assert!(close(&view.similarities(&[0.0, 9.0], 1)?, &[0.0, half, 1.0, 0.0]));
        let near: Vec<_> = view.neighbors(2)?.of(0).map(|(sample, _)| sample).collect();
        assert_eq!(near, [1, 2]);
        assert!(view.block(&[4], &[0]).is_err());
        Ok(())
    });
    assert_eq!(outcome.error, None);
}

#[test]
fn undecodable_samples_have_no_pairs_neighbors_or_scores() {
    let host = four().decodable(&[true, false, true, true]);
    let outcome = ask(&host, |view, report| {
        assert_eq!(view.near_hashes(HashKind::Phash, 16)?, [HashPair { first: 0, second: 2, distance: 1 }]);
        assert_eq!(view.neighbors(5)?.of(0).count(), 2);
        assert_eq!(view.neighbors(5)?.of(1).count(), 0);
        report.scores(&[0.1, 0.2, f32::NAN, 0.4])?;
        report.issue(Issue::new(1, Score::WORST))
    });
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.scores, [Some(0.1), None, None, Some(0.4)]);
    assert!(outcome.issues.is_empty());
    assert_eq!(outcome.flagged(0.2), [0]);
}

#[test]
fn texts_and_prompts() {
    let host = four().texts(|text| Some(vec![text.len() as f32, 0.0])).alternatives(&["a photo of nothing"]);
    let outcome = ask(&host.logit_scale(30.0), |view, _| {
        assert_eq!(view.prompts(1)?, ["a photo of a dog"]);
        assert_eq!(view.alternatives()?, ["a photo of nothing"]);
        assert!(view.prompts(2).is_err());
        assert_eq!(view.embed_texts(&["cat", "dogs"])?.row(1), [1.0, 0.0]);
        assert_eq!(view.model()?, (2, 30.0));
        Ok(())
    });
    assert_eq!(outcome.error, None);
    let outcome = ask(&four(), |view, _| view.embed_texts(&["cat"]).map(|_| ()));
    assert_eq!(
        outcome.error.as_deref(),
        Some("the model MemoryHost has no text tower, so it cannot read prompts")
    );
    let outcome = ask(&four(), |view, _| {
        assert!(view.class_vectors().unwrap_err().is_missing());
        assert!(!view.prompts(9).unwrap_err().is_missing());
        Ok(())
    });
    assert_eq!(outcome.error, None);
}

#[test]
fn pixels_are_shrunk_and_handed_out() {
    let picture = Picture::from_fn(8, 4, |x, y| [x as u8, y as u8, 0]);
    let host = MemoryHost::new().pictures(vec![picture.clone(), picture]);
    let outcome = ask(&host, |view, _| {
        assert_eq!(view.dimensions()[0].height, 4);
        let (width, full, first) = view.pixels(0, 4, |p| Ok((p.width, p.full_width, p.rgb[3])))?;
        assert_eq!((width, full, first), (4, 8, 2));
        view.each_pixels(0, &|sample, p| {
            if p.rgb.len() == 96 && sample < 2 { Ok(()) } else { Err(Error::new("no")) }
        })
    });
    assert_eq!(outcome.error, None);
}

#[test]
fn one_score_that_is_none_costs_one_sample() {
    let outcome = ask(&four(), |_, report| report.scores(&[0.25, -0.000_238, 0.5, f32::NAN]));
    assert_eq!((outcome.error, outcome.stopped), (None, false));
    assert_eq!(outcome.scores, [Some(0.25), None, Some(0.5), None]);
    let note = outcome.notes.iter().find(|(name, _)| name == "not scored").unwrap();
    assert_eq!(note.1, "sample 1, whose score of -0.000238 is not between 0 and 1");
}

#[test]
fn nonsense_is_refused() {
    let error =
        |detect: fn(&View<'_>, &Report<'_>) -> Result<()>| ask(&four(), detect).error.unwrap_or_default();
    assert!(error(|_, report| report.scores(&[0.5; 3])).contains("3 scores for 4"));
    assert!(error(|_, report| report.scores(&[0.0, 1.5, 1.5, -1.0])).contains("sample 1 the score 1.5"));
    assert!(error(|_, report| report.issue(Issue::new(4, Score::BEST))).contains("sample 4 of 4"));
    assert!(error(|_, report| report.issue(Issue::new(0, Score::BEST).suggest(2))).contains("class 2 of 2"));
    let related = |_: &View<'_>, report: &Report<'_>| {
        report.issue(Issue::new(0, Score::BEST).related(&[Related { sample: 9, similarity: 1.0 }]))
    };
    assert!(error(related).contains("as evidence"));
    // Not listening does not help.
    let deaf = |_: &View<'_>, report: &Report<'_>| {
        let _ = report.scores(&[]);
        Ok(())
    };
    assert!(error(deaf).contains("0 scores"));
    assert!(error(|view, _| view.number("volume").map(|_| ())).contains("not declared"));
    assert!(error(|_, _| panic!("boom")).contains("boom"));
}

/// Panics again when it is dropped, which must not reach the other side of the border: there, it would end the process.
struct Twice;

impl Drop for Twice {
    fn drop(&mut self) {
        panic!("again");
    }
}

#[test]
fn a_panic_within_a_panic_is_an_error_like_any_other() {
    let detect = |_: &View<'_>, _: &Report<'_>| -> Result<()> { std::panic::panic_any(Twice) };
    assert!(ask(&four(), detect).error.unwrap().contains("panicked"));
    let pictures = (0..4).map(|_| Picture::from_fn(2, 2, |_, _| [1, 2, 3])).collect();
    let look = |view: &View<'_>, _: &Report<'_>| {
        view.each_pixels(0, &|_, _| -> Result<()> { std::panic::panic_any(Twice) })
    };
    assert!(ask(&four().pictures(pictures), look).error.unwrap().contains("panicked: unknown reason"));
}

#[test]
fn needs_are_enforced() {
    struct Shy;
    impl Detector for Shy {
        const INFO: Info = Info::new("shy", "Declares nothing");
        fn detect(&self, view: &View<'_>, _: &Report<'_>) -> Result<()> {
            assert!(view.hashes(HashKind::Phash).is_err());
            view.embeddings().map(|_| ())
        }
    }
    assert_eq!(
        four().run(&Shy).error.unwrap(),
        "the detector requests embeddings but does not declare the need: needs = [\"embeddings\"] in detector.toml, \
         Needs::EMBEDDINGS in Rust, CHAFFINCH_EMBEDDINGS in C"
    );
}

#[test]
fn parameters_are_checked() {
    let share = |view: &View<'_>, report: &Report<'_>| {
        report.note("share", &format!("{} {}", view.number("share")?, view.flag("loud")?))
    };
    assert_eq!(ask(&four(), share).note("share"), Some("0.5 true"));
    assert_eq!(ask(&four().param("share", 0.25), share).note("share"), Some("0.25 true"));
    assert!(ask(&four().param("share", 2.0), share).error.unwrap().contains("is not from 0 to 1"));
    assert!(ask(&four().param("shares", 0.0), share).error.unwrap().contains("no parameter"));
}

#[test]
fn a_stop_is_no_failure() {
    let outcome = ask(&four().stop_after(1), |view, _| {
        view.checkpoint()?;
        view.checkpoint()?;
        unreachable!("the second look stops")
    });
    assert!(outcome.stopped);
    assert_eq!(outcome.error, None);
}

#[test]
fn what_is_kept_comes_back_in_versions() {
    let keep = |view: &View<'_>, report: &Report<'_>| {
        let earlier = view.kept("model", None)?.map(|(version, bytes)| (version, bytes.to_vec()));
        let version = report.keep("model", b"two")?;
        report.note("seen", &format!("{earlier:?} {version}"))
    };
    let first = ask(&four(), keep);
    assert_eq!(first.note("seen"), Some("None 1"));
    assert_eq!(first.kept["model"], b"two");
    let again = ask(&four().kept("model", &[b"two".to_vec()]), keep);
    assert_eq!(again.note("seen"), Some("Some((1, [116, 119, 111])) 1"));
    let later = ask(&four().kept("model", &[b"two".to_vec(), vec![]]), keep);
    assert_eq!(later.note("seen"), Some("Some((2, [])) 3"));
    let failed = ask(&four(), |_, report| {
        report.keep("model", b"two")?;
        Err(Error::new("no"))
    });
    assert!(failed.kept.is_empty());
    assert!(
        ask(&four(), |_, report| report.keep("../x", b"").map(|_| ()))
            .error
            .unwrap()
            .contains("not a valid name")
    );
}

#[test]
fn a_parameter_brings_its_needs_when_it_is_set() {
    struct Careful;
    impl Detector for Careful {
        const INFO: Info = Info::new("careful", "Looks at embeddings when asked").params(&[Param::number(
            "near",
            1.0,
            0.0,
            1.0,
            "Minimum cosine",
        )
        .needs(Needs::NEIGHBORS)]);
        fn detect(&self, view: &View<'_>, _: &Report<'_>) -> Result<()> {
            view.neighbors(1).map(|_| ())
        }
    }
    assert_eq!(
        four().run(&Careful).error.unwrap(),
        "the detector requests neighbors but does not declare the need: needs = [\"neighbors\"] in detector.toml, \
         Needs::NEIGHBORS in Rust, CHAFFINCH_NEIGHBORS in C"
    );
    assert_eq!(four().param("near", 0.5).run(&Careful).error, None);
}
