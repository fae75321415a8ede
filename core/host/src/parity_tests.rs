//! The real host and the in-memory one give the same answers, refuse the same requests and store the same data.

use super::declared::ALL;
use super::detector::Code;
use super::library::admit;
use super::{DatasetServices, KeepFolder, LoadedDetector, RunContext, RunFailure};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::{EmbedError, Embedder, ModelFingerprint};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_data::prompts::PromptSet;
use chaffinch_plugin::abi::ABI_VERSION;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::{MemoryHost, Noise, Outcome, Picture, exported};
use chaffinch_protocol::sample::{LabelId, SampleId, Split as Part};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

const COUNT: usize = 24;
const DIM: usize = 4;
/// The sample that cannot be decoded.
const BROKEN: usize = 3;
/// A model whose text tower, if it has one, counts letters.
struct Model {
    fingerprint: ModelFingerprint,
    reads: bool,
}

fn labels() -> Vec<u32> {
    (0..COUNT as u32).map(|sample| if sample == 5 { NO_LABEL } else { sample % 2 }).collect()
}

/// Columns of the dataset.
fn camera(sample: usize) -> String {
    ["old", "", "näw"][sample % 3].to_owned()
}

fn second(sample: usize) -> String {
    ["dog", "cat", "", "goat"][sample % 4].to_owned()
}

fn age(sample: usize) -> String {
    ["1.5", " 2 ", "unknown", "", "inf"][sample % 5].to_owned()
}

/// The scores of a detector that ran before.
fn before() -> Vec<f32> {
    (0..COUNT).map(|sample| if sample == BROKEN { f32::NAN } else { sample as f32 / 100.0 }).collect()
}

fn letters(text: &str) -> Vec<f32> {
    let count = |letter: char| text.chars().filter(|&c| c == letter).count() as f32;
    let vector = [1.0, count('a'), count('o'), count('t')];
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / norm).collect()
}

impl Embedder for Model {
    fn name(&self) -> &str {
        "MemoryHost"
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn dim(&self) -> usize {
        DIM
    }

    fn device(&self) -> String {
        "none".into()
    }

    fn batch_size(&self) -> usize {
        1
    }

    fn input_len(&self) -> usize {
        1
    }

    fn preprocess(&self, _: &RgbImage) -> Vec<u8> {
        vec![0]
    }

    fn embed_images(&self, _: &[u8], count: usize) -> std::result::Result<Vec<f32>, EmbedError> {
        Ok(vec![0.0; count * DIM])
    }

    fn embed_texts(&self, texts: &[&str]) -> std::result::Result<Vec<f32>, EmbedError> {
        match self.reads {
            true => Ok(texts.iter().flat_map(|text| letters(text)).collect()),
            false => Err(EmbedError::NoTextTower(self.name().into())),
        }
    }

    fn logit_scale(&self) -> f32 {
        30.0
    }
}

/// The same dataset for both hosts.
struct World {
    services: DatasetServices,
    memory: MemoryHost,
    kept: TempDir,
    _pictures: TempDir,
}

/// What varies between worlds, apart from the host.
#[derive(Clone, Copy)]
struct Has {
    vectors: bool,
    texts: bool,
}

impl World {
    fn new(has: Has) -> World {
        let pictures = tempfile::tempdir().unwrap();
        let colour = |sample: usize| [sample as u8 * 3, 200 - sample as u8, 7];
        let path = |sample: usize| pictures.path().join(format!("{sample:02}.png"));
        let labels = labels();
        let rows = (0..COUNT).map(|sample| {
            let path = path(sample);
            RgbImage::from_pixel(16, 8, image::Rgb(colour(sample))).save(&path).unwrap();
            let label = ["cat", "dog"].get(labels[sample] as usize).map(|&name| name.to_owned());
            let split = if sample < 12 { Part::Train } else { Part::Test };
            NewSample { path, label, split }
        });
        let column = |name: &str, value: &dyn Fn(usize) -> String| ExtraColumn {
            name: name.into(),
            values: (0..COUNT).map(value).collect(),
        };
        let extra = vec![column("camera", &camera), column("second", &second), column("age", &age)];
        let manifest = Arc::new(Manifest::new(pictures.path(), rows).with_extra(extra));
        let hash = |sample: usize| ContentHash::of(&std::fs::read(path(sample)).unwrap()).0;
        let sizes = |_| Dimensions { width: 16, height: 8, bytes: 99 };
        let (phash, dhash): (Vec<u64>, Vec<u64>) =
            (0..COUNT as u64).map(|sample| (0xFF00_FF00_1234 ^ (sample / 4), 1 << sample)).unzip();
        let file_metadata = Arc::new(FileMetadata {
            hashes: (0..COUNT).map(|sample| ContentHash(hash(sample))).collect(),
            dimensions: (0..COUNT).map(sizes).collect(),
            modified: (0..COUNT as i64).collect(),
            phash: phash.iter().copied().collect(),
            dhash: dhash.iter().copied().collect(),
            unreadable: BTreeMap::from([(SampleId(BROKEN as u32), "it is broken".to_owned())]),
            ..FileMetadata::default()
        });
        let mut noise = Noise(3);
        let vector = |sample: usize| {
            let vector = noise.around(DIM, sample % 2, 0.3);
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.into_iter().map(move |x| if sample == BROKEN { 0.0 } else { x / norm })
        };
        let vectors: Vec<f32> = (0..COUNT).flat_map(vector).collect();
        let model = Model { fingerprint: ModelFingerprint::new("parity", "none"), reads: has.texts };
        let services = DatasetServices::new(
            manifest,
            file_metadata,
            has.vectors.then(|| Arc::new(EmbeddingMatrix::from_vec(vectors.clone(), DIM))),
            has.vectors.then(|| Arc::new(model) as Arc<dyn Embedder>),
            PromptSet::bundled(),
            [(SampleId(1), 1, u32::MAX), (SampleId(2), 3, 1)],
        );
        let mut memory = MemoryHost::new()
            .classes(&["cat", "dog"])
            .labels(&labels)
            .splits(&(0..COUNT).map(|s| if s < 12 { Split::Train } else { Split::Test }).collect::<Vec<_>>())
            .decodable(&(0..COUNT).map(|sample| sample != BROKEN).collect::<Vec<_>>())
            .contents(&(0..COUNT).map(hash).collect::<Vec<_>>())
            .dimensions(&(0..COUNT).map(sizes).collect::<Vec<_>>())
            .decide(1, Decided::Keep)
            .decide(2, Decided::Relabel(1))
            .hashes(&phash, &dhash)
            .pictures((0..COUNT).map(|sample| Picture::from_fn(16, 8, |_, _| colour(sample))).collect())
            .sources(&[Source { format: 2, named: 2, channels: 3, orientation: 1, frames: 1 }; COUNT])
            .alternatives(services.prompts(None))
            .paths(&(0..COUNT).map(|sample| path(sample).display().to_string()).collect::<Vec<_>>())
            .column("camera", &(0..COUNT).map(camera).collect::<Vec<_>>())
            .column("second", &(0..COUNT).map(second).collect::<Vec<_>>())
            .column("age", &(0..COUNT).map(age).collect::<Vec<_>>())
            .scores_of("earlier", &before());
        for class in 0..2 {
            memory = memory.prompts(class, services.prompts(Some(LabelId(class))));
        }
        if has.texts {
            memory = memory.texts(|text| Some(letters(text)));
        }
        if has.vectors {
            let found = services.probabilities(&Job::new(&AtomicBool::new(false), &|_, _| {})).unwrap();
            memory = memory
                .embeddings(&vectors, DIM)
                .logit_scale(30.0)
                .probabilities(&found.matrix)
                .folds(&found.folds)
                .inverse_temperature(found.inverse_temperature);
        }
        let versions = [b"one".to_vec(), b"two".to_vec()];
        let kept = tempfile::tempdir().unwrap();
        for (version, bytes) in (1..).zip(&versions) {
            KeepFolder::new(kept.path()).write("model", version, bytes).unwrap();
        }
        World { services, memory: memory.kept("model", &versions), kept, _pictures: pictures }
    }

    fn with_everything() -> World {
        World::new(Has { vectors: true, texts: true })
    }

    /// Runs a detector in both hosts, checks that the outcomes are equal, and returns the outcome.
    fn both<D: Detector + Default>(&self) -> Outcome {
        let detector = loaded::<D>();
        let (stop, log) = (AtomicBool::new(false), |_: u32, _: &str| {});
        let scores = self::before();
        let run =
            RunContext::new(&self.services, &detector, &BTreeMap::new(), Job::new(&stop, &|_, _| {}), &log);
        let earlier = BTreeMap::from([("earlier", scores.as_slice())]);
        let before = versions(self.kept.path());
        let real = run.unwrap().after(earlier).keeping(KeepFolder::new(self.kept.path())).run(String::new());
        let memory = self.memory.run(&D::default());
        match real {
            Ok(result) => {
                assert_eq!(memory.error, None);
                assert_eq!(memory.notes, result.record().notes);
                said_the_same(&memory, &result);
                for sample in 0..COUNT {
                    let id = SampleId(sample as u32);
                    assert_eq!(memory.scores[sample], result.score(id), "sample {sample}");
                    let Some(said) = memory.issue(sample) else { continue };
                    let issue = result.issue(id).unwrap();
                    assert_eq!(
                        (said.score, said.suggested, said.group, &said.reason),
                        (issue.score, issue.suggested, issue.group, &issue.reason)
                    );
                    let related: Vec<(usize, f32)> =
                        issue.related.iter().map(|(other, alike)| (other.index(), *alike)).collect();
                    assert_eq!(said.related, related);
                }
            }
            Err(RunFailure::Stopped) => assert!(memory.stopped),
            Err(RunFailure::Failed(reason)) => {
                assert_eq!(memory.error, Some(reason));
                assert_eq!(versions(self.kept.path()), before, "a run that failed keeps nothing");
            }
        }
        memory
    }
}

/// Attributes, findings and regions are stored as the in-memory host has them.
fn said_the_same(memory: &Outcome, result: &DetectorResult) {
    assert_eq!(
        memory.attributes.keys().map(String::as_str).collect::<Vec<_>>(),
        result.attributes().collect::<Vec<_>>()
    );
    for (name, (unit, values)) in &memory.attributes {
        assert_eq!(unit, result.unit(name));
        for (sample, value) in values.iter().enumerate() {
            let stored = result.attribute(name, SampleId(sample as u32));
            assert_eq!((!value.is_nan()).then_some(*value), stored, "{name} of {sample}");
        }
    }
    let findings = result.record().findings.iter();
    let findings: Vec<_> =
        findings.map(|one| (one.severity.as_str(), one.text.as_str(), one.evidence.clone())).collect();
    let said =
        memory.findings.iter().map(|one| (one.severity.name(), one.text.as_str(), one.evidence.clone()));
    assert_eq!(said.collect::<Vec<_>>(), findings);
    for sample in 0..COUNT {
        let stored = result.regions(SampleId(sample as u32));
        let stored: Vec<_> = stored.iter().map(|one| (one.edges, one.label.as_str())).collect();
        let said =
            memory.regions.get(&sample).into_iter().flatten().map(|one| (one.edges, one.label.as_str()));
        assert_eq!(said.collect::<Vec<_>>(), stored, "{sample}");
    }
}

fn versions(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn loaded<D: Detector + Default>() -> LoadedDetector {
    // A loaded library stays as well.
    let exported = admit(Box::leak(Box::new(exported::<D>())), ABI_VERSION).unwrap();
    LoadedDetector::new(exported.info(), Code::Here(exported), Path::new("parity.so"), "digest")
}

/// The answer of a service as text; numbers are rounded, since different orders of addition may differ in the last
/// bits.
fn words<T: Debug>(answer: Result<T>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("missing {}, stopped {}: {error}", error.is_missing(), error.is_stopped()),
    }
}

fn rounded(values: &[f32]) -> Vec<i64> {
    values.iter().map(|value| (f64::from(*value) * 1e4).round() as i64).collect()
}

const COLUMNS: [Str; 10] = [
    Str::new("camera"),
    Str::new("second"),
    Str::new("age"),
    Str::new("path"),
    Str::new("label"),
    Str::new("split"),
    Str::new("width"),
    Str::new("height"),
    Str::new("bytes"),
    Str::new("sunshine"),
];

/// Asks for everything and notes each answer.
#[derive(Default)]
struct Asks<const NEEDS: u64>;

impl<const NEEDS: u64> Detector for Asks<NEEDS> {
    const INFO: Info = Info::new("asks", "Asks for everything")
        .needs(Needs::from_bits(NEEDS))
        .params(&[
            Param::number("share", 0.5, 0.0, 1.0, "A share").needs(Needs::HASHES),
            Param::flag("loud", true, "Whether to shout"),
        ])
        .columns(&COLUMNS)
        .after(&[Str::new("earlier"), Str::new("nobody")]);
    const MEASURE_BYTES: usize = 3;
    const MEASURE_SIDE: u32 = 4;

    fn measure(&self, pixels: &Pixels<'_>, record: &mut [u8]) -> Result<()> {
        record.copy_from_slice(&[pixels.rgb[0], pixels.width as u8, pixels.full_width as u8]);
        Ok(())
    }

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let note = |service: &str, answer: String| report.note(service, &answer);
        note("dataset", format!("{:?} {:?} {:?}", view.labels(), view.members(), view.dimensions()))?;
        let of_each = |sample| (view.split(sample), view.decision(sample), view.decodable(sample));
        note("samples", format!("{:?}", (0..view.len()).map(of_each).collect::<Vec<_>>()))?;
        note("contents", format!("{:?}", view.content_hashes()))?;
        note("parameters", words(Ok((view.number("share")?, view.flag("loud")?))))?;
        note("unknown parameter", words(view.number("no\u{1b}ne")))?;
        note("embeddings", words(view.embeddings().map(|all| (all.cols(), rounded(all.as_slice())))))?;
        for k in [2, 30, 1] {
            let lists = view.neighbors(k).map(|lists| {
                let of = |sample| lists.of(sample).map(|(other, cosine)| (other, rounded(&[cosine])));
                (0..view.len()).map(|sample| of(sample).collect::<Vec<_>>()).collect::<Vec<_>>()
            });
            note(&format!("{k} neighbors"), words(lists))?;
        }
        note("similarities", words(view.similarities(&[0.0, 9.0, 0.0, 3.0], 1).map(|v| rounded(&v))))?;
        note("short vectors", words(view.similarities(&[1.0], 1)))?;
        note("block", words(view.block(&[1, 0, 1], &[3, 2]).map(|v| rounded(&v))))?;
        note("no such sample", words(view.block(&[1], &[0, COUNT as u32])))?;
        note("model", words(view.model()))?;
        note("texts", words(view.embed_texts(&["cat", "a goat"]).map(|v| rounded(&v.data))))?;
        note("class vectors", words(view.class_vectors().map(|v| rounded(&v.data))))?;
        note("prompts", words(view.prompts(1)))?;
        note("no such class", words(view.prompts(2)))?;
        note("alternatives", words(view.alternatives()))?;
        for kind in [HashKind::Phash, HashKind::Dhash, HashKind::TurnedPhash] {
            note(&format!("{kind:?}"), words(view.hashes(kind)))?;
            note(&format!("near {kind:?}"), words(view.near_hashes(kind, 2)))?;
            note(&format!("far {kind:?}"), words(view.near_hashes(kind, 17)))?;
        }
        note("probabilities", words(view.probabilities().map(|all| rounded(all.as_slice()))))?;
        note("folds", words(view.folds()))?;
        note("inverse temperature", words(view.inverse_temperature()))?;
        let look = |pixels: &Pixels<'_>| {
            Ok((pixels.width, pixels.height, pixels.full_width, pixels.source, pixels.rgb.to_vec()))
        };
        note("pixels", words(view.pixels(2, 4, look)))?;
        note("broken pixels", words(view.pixels(BROKEN, 4, look)))?;
        note("pixels of none", words(view.pixels(COUNT, 4, look)))?;
        note("refused pixels", words(view.pixels(1, 0, |_| Err::<(), _>(Error::missing("no taste")))))?;
        let seen = std::sync::Mutex::new(Vec::new());
        let each = view.each_pixels(2, &|sample, pixels| {
            seen.lock().unwrap().push((sample, pixels.width, pixels.rgb[0]));
            Ok(())
        });
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        note("each", words(each.map(|()| seen)))?;
        note("measures", words(view.measures(self).map(|all| all.map(<[u8]>::to_vec).collect::<Vec<_>>())))?;
        for version in [None, Some(1), Some(2), Some(3)] {
            note(&format!("kept {version:?}"), words(view.kept("model", version)))?;
        }
        note("nothing kept", words(view.kept("other", None)))?;
        note("kept nowhere", words(view.kept("../other", None)))?;
        note("keep the same", words(report.keep("model", b"two")))?;
        note("keep another", words(report.keep("new", b"first")))?;
        for name in ["", "A", "a/b", "a\u{1b}", &"a".repeat(65)] {
            note(&format!("keep as {}", name.escape_debug()), words(report.keep(name, b"bytes")))?;
        }
        note("too many bytes", words(report.keep("large", &vec![0; (64 << 20) + 1])))?;
        for name in Self::INFO.needed_columns() {
            note(&format!("column {name}"), words(view.column(name)))?;
            note(&format!("numbers {name}"), words(view.column_numbers(name)))?;
            note(&format!("labels {name}"), words(view.labels_of(name)))?;
        }
        for name in ["hidden", "ba\u{1b}d"] {
            note(&format!("column {}", name.escape_debug()), words(view.column(name)))?;
            note(&format!("numbers {}", name.escape_debug()), words(view.column_numbers(name)))?;
            note(&format!("labels {}", name.escape_debug()), words(view.labels_of(name)))?;
        }
        for name in ["earlier", "nobody", "undeclared"] {
            note(&format!("scores of {name}"), words(view.scores_of(name)))?;
        }
        note("none", words(view.checkpoint()))?;
        note("none", "a later note of a name stands beside the earlier".into())
    }
}

/// The services that are refused when this need is not declared; the first word is the name of the note.
const REFUSED: [(Needs, &[&str], &str); 6] = [
    (Needs::EMBEDDINGS, &["embeddings", "similarities", "block"], "Needs::EMBEDDINGS"),
    (Needs::NEIGHBORS, &["2 neighbors", "30 neighbors"], "Needs::NEIGHBORS"),
    (Needs::TEXTS, &["texts", "prompts", "alternatives", "no such class"], "Needs::TEXTS"),
    (Needs::HASHES, &["Phash", "near Dhash", "near TurnedPhash"], "Needs::HASHES"),
    (Needs::PROBABILITIES, &["probabilities", "folds", "inverse temperature"], "Needs::PROBABILITIES"),
    (Needs::PIXELS, &["pixels", "each", "measures"], "Needs::PIXELS"),
];

fn without<const NEEDS: u64>(world: &World) -> (u64, Outcome) {
    (NEEDS, world.both::<Asks<NEEDS>>())
}

#[test]
fn every_service_answers_the_same() {
    let outcome = World::with_everything().both::<Asks<{ ALL.bits() }>>();
    assert_eq!(outcome.error, None);
    for (_, services, _) in REFUSED {
        for service in services.iter().filter(|service| **service != "no such class") {
            let answer = outcome.note(service).unwrap();
            assert!(!answer.starts_with("missing"), "{service}: {answer}");
        }
    }
    let said = |name: &str| outcome.note(name).unwrap();
    assert!(said("column path").contains("00.png\", \""), "{}", said("column path"));
    assert!(said("numbers age").starts_with("[1.5, 2.0, NaN, NaN, NaN, 1.5"), "{}", said("numbers age"));
    assert!(
        said("labels second").starts_with("[1, 0, 4294967295, 4294967295, 1"),
        "{}",
        said("labels second")
    );
    assert_eq!(said("labels label"), format!("{:?}", labels()));
    assert!(said("column sunshine").starts_with("missing true"), "{}", said("column sunshine"));
    assert!(said("column hidden").contains("does not declare it (columns"), "{}", said("column hidden"));
    assert!(said("scores of earlier").starts_with("[0.0, 0.01, 0.02, NaN"), "{}", said("scores of earlier"));
    assert!(said("scores of nobody").starts_with("missing true"), "{}", said("scores of nobody"));
    assert!(said("scores of undeclared").contains("does not declare it (after"));
}

#[test]
fn what_is_not_there_is_refused_the_same() {
    for has in [Has { vectors: false, texts: false }, Has { vectors: true, texts: false }] {
        let world = World::new(has);
        let outcome = match has.vectors {
            true => world.both::<Asks<{ ALL.bits() }>>(),
            // The in-memory host has none, the real one would compute them.
            false => world.both::<Asks<{ ALL.bits() & !Needs::PROBABILITIES.bits() }>>(),
        };
        let answer = outcome.note("texts").unwrap();
        assert!(answer.starts_with(if has.vectors { "missing true" } else { "missing false" }), "{answer}");
    }
}

#[test]
fn undeclared_needs_are_refused_the_same_whatever_is_at_hand() {
    const fn but(need: Needs) -> u64 {
        ALL.bits() & !need.bits()
    }
    let world = World::with_everything();
    // With everything available.
    world.both::<Asks<{ ALL.bits() }>>();
    let outcomes = [
        without::<{ but(Needs::EMBEDDINGS) }>(&world),
        without::<{ but(Needs::NEIGHBORS) }>(&world),
        without::<{ but(Needs::TEXTS) }>(&world),
        without::<{ but(Needs::HASHES) }>(&world),
        without::<{ but(Needs::PROBABILITIES) }>(&world),
        without::<{ but(Needs::PIXELS) }>(&world),
        without::<{ Needs::NOTHING.bits() }>(&world),
    ];
    for (declared, outcome) in outcomes {
        for (need, services, name) in REFUSED {
            let refused = !Needs::from_bits(declared).contains(need);
            for service in services {
                let answer = outcome.note(service).unwrap();
                let says = answer.contains("but does not declare") && answer.contains(name);
                assert_eq!(says, refused, "{service} without {name}: {answer}");
            }
        }
    }
}

/// Writes invalid or valid reports.
#[derive(Default)]
struct Writes<const CASE: usize>;

impl<const CASE: usize> Detector for Writes<CASE> {
    const INFO: Info = Info::new("writes", "Writes all kinds of reports").needs(Needs::PIXELS);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let best = |sample| Issue::new(sample, Score::BEST);
        let related = |sample, similarity| [Related { sample, similarity }];
        match CASE {
            0 => report.scores(&[0.5; COUNT - 1]),
            1 => report.scores(&[1.5; COUNT]),
            2 => report.issue(best(COUNT)),
            3 => report.issue(best(0).suggest(2)),
            4 => report.issue(best(0).related(&related(99, 1.0))),
            5 => report.issue(best(0).related(&related(1, f32::NAN))),
            // Ignoring the error does not help, and the first reason counts.
            6 => {
                let _ = report.scores(&[]);
                let _ = report.issue(best(COUNT));
                report.keep("new", b"bytes").map(|_| ())
            }
            7 => Err(Error::new("never works on Saturdays")),
            8 => Err(Error::missing("has no taste")),
            9 => Err(Error::stopped()),
            10 => panic!("boom"),
            11 => view.each_pixels(0, &|_, _| panic!("boom at an image")),
            12 => view.each_pixels(0, &|_, _| Err(Error::stopped())),
            // Reports for single samples override the list of all, in either order.
            13 => {
                report.issue(best(1).suggest(1).group(7).related(&related(2, 0.5)).reason("because"))?;
                report.issue(best(BROKEN))?;
                report.scores(&[0.25; COUNT])?;
                report.issue(Issue::new(2, Score::WORST))
            }
            14 => report.scores(&[f32::NAN; COUNT]),
            15 => report.attribute("Sharp", "", &[0.0; COUNT]),
            16 => report.attribute("sharp", "dB\n", &[0.0; COUNT]),
            17 => report.attribute("sharp", "", &[0.0; COUNT + 1]),
            18 => report.attribute("sharp", "", &[f32::INFINITY; COUNT]),
            19 => (0..33).try_for_each(|n| report.attribute(&format!("a{n}"), "", &[0.0; COUNT])),
            20 => report.finding(Severity::Info, "  ", &[]),
            21 => report.finding(Severity::Info, "odd", &[COUNT as u32]),
            22 => (0..101).try_for_each(|_| report.finding(Severity::Info, "odd", &[])),
            23 => report.regions(COUNT, &[]),
            24 => report.regions(1, &[Region::new(0.5, 0.0, 0.5, 1.0)]),
            25 => report.regions(1, &[Region::new(0.0, 0.0, 1.5, 1.0)]),
            26 => report.regions(1, &[Region::new(0.0, f32::NAN, 1.0, 1.0)]),
            27 => report.regions(1, &[Region::new(0.0, 0.0, 1.0, 1.0); 65]),
            28 => report.regions(1, &[Region::new(0.0, 0.0, 1.0, 1.0).label(&"x".repeat(101))]),
            29 => (0..2).try_for_each(|n| report.attribute("sharp", "dB", &[n as f32; COUNT])),
            30 => (0..65).try_for_each(|_| report.regions(1, &[Region::new(0.0, 0.0, 1.0, 1.0)])),
            _ => {
                let mut values = [0.25_f32; COUNT];
                values[4] = f32::NAN;
                report.attribute("sharp", "px", &values)?;
                report.attribute("age-2_b", "", &[-3.5; COUNT])?;
                report.finding(Severity::Serious, "half of them are old", &[1, 2, 5])?;
                report.finding(Severity::Info, "näch", &[])?;
                for text in ["one", "another", "one"] {
                    report.note("warning", text)?;
                }
                report.regions(2, &[Region::new(0.0, 0.0, 0.1, 0.1)])?;
                report.regions(BROKEN, &[Region::new(0.0, 0.0, 1.0, 1.0)])?;
                report.regions(
                    2,
                    &[Region::new(0.1, 0.2, 0.3, 0.4).label("face"), Region::new(0.0, 0.0, 1.0, 1.0)],
                )?;
                report.regions(6, &[Region::new(0.0, 0.5, 0.5, 1.0).label("ü")])
            }
        }
    }
}

#[test]
fn reports_are_checked_the_same() {
    let world = World::with_everything();
    macro_rules! ended {
        ($($case:literal),+) => { [$(world.both::<Writes<$case>>()),+] };
    }
    let outcomes = ended!(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
        28, 29, 30, 31
    );
    let reasons: Vec<&str> =
        outcomes.iter().map(|outcome| outcome.error.as_deref().unwrap_or_default()).collect();
    assert_eq!(
        reasons,
        [
            "wrote 23 scores for 24 samples",
            "gives sample 0 the score 1.5, which is not between 0 and 1",
            "names sample 24 of 24",
            "suggests class 2 of 2",
            "names sample 99 of 24 as evidence",
            "gives sample 1 the similarity NaN as evidence",
            "wrote 0 scores for 24 samples",
            "never works on Saturdays",
            "has no taste",
            "",
            "panicked: boom",
            "panicked: boom at an image",
            "",
            "",
            "",
            "names an attribute 'Sharp'; use a-z, 0-9, - and _",
            "gives the attribute sharp a unit that is too long or odd",
            "wrote 25 values of sharp for 24 samples",
            "gives sample 0 the sharp inf",
            "writes more than 32 attributes",
            "writes a finding of 2 bytes; use 1 to 2000",
            "names sample 24 of 24 as evidence",
            "writes more than 100 findings",
            "names sample 24 of 24",
            "gives sample 1 a region from 0.5, 0 to 0.5, 1, which is not a part of a picture",
            "gives sample 1 a region from 0, 0 to 1.5, 1, which is not a part of a picture",
            "gives sample 1 a region from 0, NaN to 1, 1, which is not a part of a picture",
            "gives sample 1 65 regions; use at most 64",
            "gives a region of sample 1 a label of more than 100 bytes",
            "writes the attribute sharp twice; the second would replace the first",
            "gives sample 1 65 regions; use at most 64",
            "",
        ]
    );
    let said = &outcomes[31];
    assert_eq!(said.attributes["sharp"].0, "px");
    assert!(said.attributes["sharp"].1[BROKEN].is_nan() && said.attributes["sharp"].1[4].is_nan());
    assert_eq!(said.findings.len(), 2);
    assert_eq!(said.regions.keys().copied().collect::<Vec<_>>(), [2, 6]);
    // What is said again stands beside what was said before.
    assert_eq!(said.regions[&2].len(), 3);
    let warnings = ["one", "another"].map(|text| ("warning".to_owned(), text.to_owned()));
    assert_eq!(said.notes, warnings);
    let stopped: Vec<usize> = (0..outcomes.len()).filter(|&case| outcomes[case].stopped).collect();
    assert_eq!(stopped, [9, 12]);
    assert_eq!(outcomes[13].scores[..5], [Some(0.25), Some(1.0), Some(0.0), None, Some(0.25)]);
}

/// Checks for a stop request before it does anything.
#[derive(Default)]
struct Obeys;

impl Detector for Obeys {
    const INFO: Info = Info::new("obeys", "Stops");

    fn detect(&self, view: &View<'_>, _: &Report<'_>) -> Result<()> {
        view.checkpoint()
    }
}

#[test]
fn a_stop_is_obeyed_the_same() {
    let world = World::with_everything();
    let (stop, detector) = (AtomicBool::new(false), loaded::<Obeys>());
    let run = |stop: &AtomicBool| {
        let job = Job::new(stop, &|_, _| {});
        RunContext::new(&world.services, &detector, &BTreeMap::new(), job, &|_, _| {})
            .unwrap()
            .run(String::new())
    };
    assert!(run(&stop).is_ok());
    stop.store(true, Ordering::SeqCst);
    assert_eq!(run(&stop).err(), Some(RunFailure::Stopped));
    assert!(world.memory.stop_after(0).run(&Obeys).stopped);
}
