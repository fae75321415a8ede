//! The fake engine's statistics over its whole dataset.

use super::engine::FakeEngine;
use chaffinch_protocol::dataset::{CheckedKind, DatasetFinding, DatasetFindings, Figure, Severity};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    BINS, ClassReview, Compared, Confused, DetectorAbout, DetectorForm, DetectorReview, DetectorState,
    Expected, FormKind, FormParam, Histogram, Overview, Overviewed, PastDecision, Proposal, Statistics,
};
use std::collections::BTreeMap;

pub(super) fn of(engine: &FakeEngine, ticket: u64, about: &Overview) -> Overviewed {
    match about {
        Overview::Histogram(name) => Overviewed::Histogram(histogram(engine, ticket, name)),
        Overview::Confusion => Overviewed::Confusion(confusion(engine)),
        Overview::Statistics => Overviewed::Statistics(statistics(engine)),
        Overview::Classes => Overviewed::Classes(classes(engine)),
        Overview::History => Overviewed::History(history(engine)),
        Overview::Forms => Overviewed::Forms(forms(engine)),
        Overview::Findings => Overviewed::Findings(findings(engine)),
        Overview::Prompts => Overviewed::Prompts(Box::new(engine.prompts.clone())),
    }
}

/// A finding of each severity, and a kind that was not looked for.
fn findings(engine: &FakeEngine) -> DatasetFindings {
    let figure = |name: &str, value: f64| Figure { name: name.to_owned(), value };
    let one = |kind: &str, score: f64, text: &str, figures: Vec<Figure>, samples: &[u32]| DatasetFinding {
        kind: kind.to_owned(),
        severity: Severity::of(score),
        score,
        text: text.to_owned(),
        figures,
        classes: Vec::new(),
        samples: samples.iter().map(|row| SampleId(*row)).collect(),
    };
    let kind = |name: &str, title: &str, not_checked: &str| CheckedKind {
        name: name.to_owned(),
        title: title.to_owned(),
        not_checked: not_checked.to_owned(),
    };
    DatasetFindings {
        findings: vec![
            one(
                "class_imbalance",
                0.12,
                "The class 'horse' has 2 samples (0.6 % of all), where an even share is 25 %",
                vec![
                    figure("datalab_score", 0.006),
                    figure("threshold", 0.025),
                    figure("smallest_class", 2.0),
                ],
                &[3, 7, 8, 9, 30],
            ),
            one(
                "spurious_correlations",
                0.41,
                "The property size alone tells the label of 91 % of the samples, where the most common label is right for 30 %: \
                 a model may learn it instead of what the pictures show",
                vec![figure("datalab_score", 0.13), figure("p_value", 1e-9)],
                &[1, 2],
            ),
            one("non_iid", 0.5, "The samples are sorted by class", vec![figure("datalab_score", 0.0)], &[]),
        ],
        kinds: vec![
            kind("class_imbalance", "Class imbalance", ""),
            kind("split_drift", "Drift between splits", "the dataset has fewer than two splits"),
            kind("spurious_correlations", "Spurious correlations", ""),
            kind("non_iid", "Order that is not random", ""),
        ],
        compared: engine.samples.len() as u64,
    }
}

fn classes(engine: &FakeEngine) -> Vec<ClassReview> {
    let review = |class: u32| {
        let rows = engine.samples.iter().filter(|row| row.label == Some(class));
        let mut review = ClassReview { class: Some(class), ..ClassReview::default() };
        for row in rows {
            review.size += 1;
            review.suspects += u64::from(row.suggested.is_some());
            review.decided += u64::from(row.decision.is_some());
            match row.decision.as_ref().map(|decision| &decision.choice) {
                Some(Choice::Keep) => review.fine += 1,
                Some(Choice::Remove | Choice::Relabel(_)) => review.faulty += 1,
                _ => {}
            }
        }
        review
    };
    (0..engine.summary.classes.len() as u32).map(review).collect()
}

fn history(engine: &FakeEngine) -> Vec<PastDecision> {
    let decided = engine.samples.iter().rev().filter_map(|row| {
        Some(PastDecision {
            sample: row.sample,
            path: row.path.clone(),
            label: row.label,
            choice: row.decision.as_ref()?.choice.clone(),
            reviewer: if row.sample.0 % 2 == 0 { "ana" } else { "ben" }.to_owned(),
            at: format!("2026-01-02T03:{:02}:00Z", row.sample.0 % 60),
        })
    });
    decided.collect()
}

fn histogram(engine: &FakeEngine, ticket: u64, name: &str) -> Histogram {
    let mut histogram = Histogram {
        ticket,
        detector: name.to_owned(),
        samples: vec![0; BINS + 1],
        alone: vec![0; BINS + 1],
        faulty: vec![0; BINS + 1],
        fine: vec![0; BINS + 1],
        elsewhere: 30,
        unscored: 2,
        default: 0.5,
        examples: (0, 0),
        proposal: None,
        uncovered: false,
    };
    for row in &engine.samples {
        // Squares crowd at the low end, as real scores do at one end or the other.
        let score = row.score.unwrap_or(1.0);
        let bin = (score * score * BINS as f32) as usize;
        histogram.samples[bin] += 1;
        histogram.alone[bin] += u64::from(row.sample.0 % 3 == 0);
        match row.decision.as_ref().map(|decision| &decision.choice) {
            Some(Choice::Keep) => histogram.fine[bin] += 1,
            Some(Choice::Remove | Choice::Relabel(_)) => histogram.faulty[bin] += 1,
            _ => {}
        }
    }
    let sum = |counts: &[u64]| counts.iter().sum::<u64>();
    histogram.examples = (sum(&histogram.faulty), sum(&histogram.fine));
    let (faulty, fine) = histogram.examples;
    let enough = faulty >= 3 && fine >= 3;
    histogram.proposal = enough.then(|| Proposal {
        threshold: 0.37,
        flagged: Histogram::below(&histogram.samples, 0.37),
        precision: Expected { share: 0.91, low: 0.62, high: 0.99 },
        recall: Some(Expected { share: 0.8, low: 0.35, high: 0.97 }),
        reach: None,
        faulty,
        fine,
    });
    histogram
}

fn confusion(engine: &FakeEngine) -> Vec<Confused> {
    let mut counts: BTreeMap<(u32, u32), (u64, u64)> = BTreeMap::new();
    for row in &engine.samples {
        if let (Some(given), Some(suggested)) = (row.label, row.suggested) {
            let count = counts.entry((given, suggested)).or_default();
            // Some pairs are much more frequent than others.
            count.0 += 1 + u64::from(given == 1) * 40 + u64::from(given == 2) * 3;
            count.1 += u64::from(row.decision.is_some());
        }
    }
    let cells = counts.into_iter();
    cells
        .map(|((given, suggested), (count, decided))| Confused { given, suggested, count, decided })
        .collect()
}

fn statistics(engine: &FakeEngine) -> Statistics {
    let decided: Vec<_> =
        engine.samples.iter().filter_map(|row| Some((row, row.decision.as_ref()?))).collect();
    let mut statistics = Statistics {
        suspects: engine.samples.len() as u64,
        suspects_decided: decided.len() as u64,
        ..Statistics::default()
    };
    for (row, decision) in &decided {
        let place = match &decision.choice {
            Choice::Keep => 0,
            Choice::Remove => 1,
            Choice::Relabel(_) => 2,
            Choice::Unsure => 3,
        };
        statistics.by_choice[place] += 1;
        statistics.suggested += u64::from(row.suggested.is_some());
        statistics.accepted += u64::from(row.suggested.is_some() && place == 2);
        statistics.kept += u64::from(row.suggested.is_some() && place == 0);
    }
    statistics.detectors = engine
        .summary
        .detectors
        .iter()
        .map(|detector| DetectorReview {
            name: detector.name.clone(),
            flagged: detector.flagged,
            faulty: 1,
            fine: 1,
        })
        .collect();
    statistics
}

fn param(name: &str, kind: FormKind, default: f64, max: f64, help: &str) -> FormParam {
    FormParam {
        name: name.to_owned(),
        help: help.to_owned(),
        kind,
        default,
        value: default,
        min: 0.0,
        max,
        choices: if kind == FormKind::Choice {
            ["combined", "zero-shot", "alternative"].map(str::to_owned).into()
        } else {
            Vec::new()
        },
    }
}

/// What is told of a detector beside its parameters.
fn about(engine: &FakeEngine, name: &str) -> DetectorAbout {
    let own = DetectorAbout {
        origin: "ships with the program".into(),
        path: format!("/opt/chaffinch/plugins/libchaffinch_{name}.so"),
        digest: "0123456789abcdef0123".into(),
        speaks: "ABI 7".into(),
        needs: vec!["pixels".into()],
        seconds: Some(1.5),
        flagged: Some(3),
        compared: Some(Compared { newly: 2, formerly: 1 }),
        ..DetectorAbout::default()
    };
    let apart = DetectorAbout {
        state: DetectorState::Ready,
        origin: "your folder of detectors".into(),
        path: format!("/home/ana/.local/share/chaffinch/detectors/{name}/detector.toml"),
        pinned: true,
        speaks: "worker protocol 1".into(),
        apart: true,
        limits: "600 s and 0.1 s per sample, three quarters of the free memory, no network".into(),
        confined: "writes only to temporary folders, caches and its own folder".into(),
        needs: vec!["embeddings".into(), "labels".into()],
        columns: vec!["camera".into()],
        after: vec!["duplicate".into()],
        seconds: Some(42.0),
        memory: Some(123 << 20),
        compared: None,
        ..own.clone()
    };
    let aside = "its process crashed with a segmentation fault after it asked for pictures";
    match name {
        _ if engine.off.iter().any(|off| off == name) => {
            DetectorAbout { state: DetectorState::Disabled, flagged: None, compared: None, ..own }
        }
        "duplicate" => DetectorAbout { flagged: Some(2), ..own },
        "experimental" => apart,
        "fragile" => DetectorAbout {
            state: match engine.let_in.iter().any(|known| known == name) {
                true => DetectorState::Ready,
                false => DetectorState::SetAside,
            },
            why: aside.into(),
            flagged: None,
            ..apart
        },
        "odd-shapes" => DetectorAbout {
            state: DetectorState::Changed,
            why: "it has changed since it was first used".into(),
            flagged: None,
            ..apart
        },
        _ => own,
    }
}

fn forms(engine: &FakeEngine) -> Vec<DetectorForm> {
    let form = |name: &str, ran: bool, params: Vec<FormParam>| DetectorForm {
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        summary: "finds what is wrong".to_owned(),
        enabled: (ran || name == "odd-shapes") && !engine.off.iter().any(|off| off == name),
        ran,
        threshold: Some(0.5),
        params,
        about: about(engine, name),
    };
    let absent = engine.absent.then(|| {
        let why = if engine.removed { "its results were removed" } else { "what it found still counts" };
        let about = DetectorAbout {
            state: match engine.off.iter().any(|off| off == "gone") {
                true => DetectorState::Disabled,
                false => DetectorState::NotLoaded,
            },
            why: why.into(),
            written: "2026-03-01T10:00:00Z".into(),
            removed: engine.removed,
            ..DetectorAbout::default()
        };
        DetectorForm { about, ..form("gone", !engine.removed, Vec::new()) }
    });
    let mut all = vec![
        form(
            "blurry",
            true,
            vec![
                param("sharpness", FormKind::Number, 0.35, 1.0, "Least variance of the Laplacian"),
                param("side", FormKind::Integer, 64.0, 512.0, "Pixels of the longer side it is measured at"),
                param("gray", FormKind::Flag, 1.0, 1.0, "Measure the gray picture"),
                param("mode", FormKind::Choice, 0.0, 2.0, "Which of the questions count"),
            ],
        ),
        form("duplicate", true, Vec::new()),
        form("experimental", false, vec![param("depth", FormKind::Integer, 3.0, 9.0, "How far it looks")]),
        form("fragile", false, Vec::new()),
        form("odd-shapes", false, Vec::new()),
    ];
    all.extend(absent);
    all
}
