use super::*;
use crate::meaning::{Expression, Towers};
use crate::ranking;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::NewSample;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::decision::{Choice, Decision};
use chaffinch_protocol::sample::{SampleId, Split};
use std::path::Path;
use std::sync::Arc;

/// Has no vectors but those of samples.
struct NoModel;

impl Towers for NoModel {
    fn text(&self, _: &str) -> Result<Vec<f32>> {
        Err(Error::Invalid("there is no model".into()))
    }

    fn picture(&self, _: &Path) -> Result<Vec<f32>> {
        self.text("")
    }
}

struct World {
    manifest: Arc<Manifest>,
    file_metadata: FileMetadata,
    results: Results,
    previous: Results,
    thresholds: BTreeMap<String, f32>,
    ranking: Ranking,
    decisions: Decisions,
}

fn world() -> World {
    let rows = [
        ("train/cat/One.jpg", "cat", Split::Train),
        ("train/dog/two.jpg", "dog", Split::Train),
        ("test/cat/three.png", "cat", Split::Test),
        ("test/x/größe.jpg", "hot dog", Split::Test),
        ("train/cat/five.jpg", "", Split::Train),
        ("z.jpg", "dog", Split::None),
    ];
    let samples = rows.iter().map(|(path, label, split)| NewSample {
        path: path.into(),
        label: (!label.is_empty()).then(|| (*label).to_owned()),
        split: *split,
    });
    let manifest = Arc::new(Manifest::new("/data", samples));
    let mut file_metadata = FileMetadata::default();
    file_metadata.unreadable.insert(SampleId(5), "it is empty".into());
    let record =
        |name: &str, groups| RunRecord { name: name.into(), groups, threshold: 0.5, ..RunRecord::default() };
    let mut labels = ResultBuilder::new(6);
    labels.scores(&[0.9, 0.1, 0.3, 0.9, f32::NAN, f32::NAN]);
    labels.issue(SampleId(1), Issue { score: 0.1, suggested: Some(0), ..Issue::default() });
    labels.attribute("tone", "", &[2.0, -1.5, f32::NAN, 0.0, -0.5, 7.0]);
    let mut copies = ResultBuilder::new(6);
    copies.attribute("tone", "", &[1.0; 6]).attribute("size", "px", &[1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN]);
    for (row, group, score) in [(0, 1, 0.2), (2, 1, 0.45), (1, 2, 0.9), (3, 3, 0.9), (4, 3, 0.0)] {
        copies.issue(SampleId(row), Issue { score, group: Some(group), ..Issue::default() });
    }
    let mut earlier = ResultBuilder::new(6);
    earlier.scores(&[0.2, 0.1, 0.9, 0.3, f32::NAN, 0.4]);
    let results: Results = [
        ("copies".to_owned(), Arc::new(copies.finish(record("copies", true), manifest.classes()))),
        ("labels".to_owned(), Arc::new(labels.finish(record("labels", false), manifest.classes()))),
    ]
    .into();
    let ranking = ranking::rank(&results, &BTreeMap::new(), &EnsembleRule::Or, 6);
    let temp = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(temp.path(), "anna").unwrap();
    journal.bind(&manifest, None);
    let decision = Decision { tags: vec!["Duplicate".into()], ..Choice::Remove.into() };
    journal.decide(&[SampleId(0)], Some(decision)).unwrap();
    journal.tag(&[SampleId(2)], &["duplicate".to_owned()], "a smeared lens").unwrap();
    World {
        manifest,
        file_metadata,
        results,
        previous: [("labels".to_owned(), Arc::new(earlier.finish(record("labels", false), &[])))].into(),
        thresholds: BTreeMap::new(),
        ranking,
        decisions: journal.snapshot(),
    }
}

impl World {
    fn ask(&self, query: &Query) -> Result<Vec<u32>> {
        select(&self.source(), query)
    }

    fn source(&self) -> Source<'_> {
        Source {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            results: &self.results,
            previous: &self.previous,
            thresholds: &self.thresholds,
            ranking: &self.ranking,
            decisions: &self.decisions,
            atlas: None,
            direction: None,
            learned: None,
        }
    }

    /// By meaning, with vectors on a circle: these quarters of it, or none.
    fn by_meaning(&self, quarters: &[Option<u32>], query: &Query) -> Result<Vec<u32>> {
        let atlas = self.atlas(quarters);
        let expression = Expression::parse("like:train/cat/One.jpg").unwrap();
        let direction = Direction::of(&expression, &self.manifest, &atlas, &NoModel).unwrap();
        select(&Source { atlas: Some(&atlas), direction: Some(&direction), ..self.source() }, query)
    }

    fn atlas(&self, quarters: &[Option<u32>]) -> Atlas {
        let vector = |quarter: &Option<u32>| match quarter {
            None => [0.0, 0.0],
            Some(quarter) => [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]][*quarter as usize],
        };
        let matrix = EmbeddingMatrix::from_vec(quarters.iter().flat_map(vector).collect(), 2);
        let file_metadata = Arc::new(FileMetadata::default());
        Atlas::new(Arc::new(matrix), self.manifest.clone(), file_metadata)
    }

    fn all(&self, filter: &str) -> Vec<u32> {
        let mut rows = self.ask(&Query { all: true, filter: filter.into(), ..Query::default() }).unwrap();
        rows.sort_unstable();
        rows
    }

    fn sorted(&self, all: bool, sort: Sort, descending: bool) -> Vec<u32> {
        self.ask(&Query { all, sort, descending, ..Query::default() }).unwrap()
    }
}

#[test]
fn samples_are_named_by_their_number_in_the_dataset() {
    let world = world();
    assert_eq!(world.all("sample:1,3-4"), [0, 2, 3]);
    assert_eq!(world.all("-sample:2-4294967295"), [0]);
    assert_eq!(world.all("sample:7"), Vec::<u32>::new());
}

#[test]
fn two_runs_of_a_detector_are_compared() {
    let world = world();
    assert_eq!(world.all("newly:labels"), [2]);
    assert_eq!(world.all("formerly:labels"), [0, 3, 5]);
    assert_eq!(world.all("-newly:labels -formerly:labels"), [1, 4]);
    let compared = difference(world.results["labels"].scores(), world.previous["labels"].scores(), 0.5);
    assert_eq!((compared.newly, compared.formerly), (1, 3));
    let error = |filter: &str| {
        let query = Query { all: true, filter: filter.into(), ..Query::default() };
        world.ask(&query).unwrap_err().to_string()
    };
    assert!(error("newly:copies").contains("'copies' has run only once"));
    assert!(error("formerly:label").contains("no results from a detector 'label'; did you mean 'labels'?"));
}

#[test]
fn every_word_finds_its_samples() {
    let world = world();
    for (filter, rows) in [
        ("", &[0, 1, 2, 3, 4, 5][..]),
        ("one", &[0]),
        ("CAT/ .JPG", &[0, 4]),
        ("-jpg", &[2]),
        ("GRÖSSE", &[]),
        ("Größ", &[3]),
        ("class:CAT", &[0, 2]),
        ("class:dog", &[1, 5]),
        ("class:og", &[1, 3, 5]),
        ("class:\"hot dog\"", &[3]),
        ("-class:cat -class:dog", &[3, 4]),
        ("suggested:cat", &[1]),
        ("detector:labels", &[1, 2]),
        ("split:train", &[0, 1, 4]),
        ("split:none", &[5]),
        ("decided", &[0]),
        ("undecided split:train", &[1, 4]),
        ("decision:remove", &[0]),
        ("-decision:none", &[0]),
        ("decision:keep", &[]),
        ("tag:duplicate", &[0, 2]),
        ("score<0.15", &[1, 4]),
        ("score>0.5", &[3]),
        ("-score>=0", &[5]),
        ("is:leak", &[0, 2, 3, 4]),
        ("is:leak split:test", &[2, 3]),
        ("is:unreadable", &[5]),
        ("class:dog class:cat", &[0, 1, 2, 5]),
        ("class:dog OR class:cat", &[0, 1, 2, 5]),
        ("class:dog | one", &[0, 1, 5]),
        ("split:train (class:dog or class:cat)", &[0, 1]),
        ("-(class:dog or class:cat)", &[3, 4]),
        ("NOT class:cat split:train", &[1, 4]),
        ("split:test -(class:cat or größe)", &[]),
        ("*.png", &[2]),
        ("-*.jpg", &[2]),
        ("path:*/f*", &[4]),
        ("train/*/t*", &[1]),
        ("path:cat", &[0, 2, 4]),
        ("class:*dog", &[1, 3, 5]),
        ("suggested:c*", &[1]),
        ("tag:dup*", &[0, 2]),
        ("note:smear", &[2]),
        ("note:*", &[2]),
        ("reviewer:ANNA", &[0]),
        ("reviewer:a*", &[0]),
        ("labels<0.2", &[1]),
        ("Labels>=0.3 copies<0.5", &[0, 2]),
        ("detector:*", &[0, 1, 2, 4]),
        ("is:leak is:unreadable", &[]),
    ] {
        assert_eq!(world.all(filter), rows, "{filter}");
    }
}

#[test]
fn every_order_is_whole_and_fixed() {
    let world = world();
    assert_eq!(world.sorted(false, Sort::Rank, false), [4, 2, 1, 0]);
    assert_eq!(world.sorted(true, Sort::Rank, false), [4, 2, 1, 0, 3, 5]);
    assert_eq!(world.sorted(true, Sort::Rank, true), [3, 0, 1, 2, 4, 5]);
    assert_eq!(world.sorted(true, Sort::Detector("labels".into()), false), [1, 2, 0, 3, 4, 5]);
    assert_eq!(world.sorted(true, Sort::Detector("labels".into()), true), [3, 0, 2, 1, 4, 5]);
    assert_eq!(world.sorted(true, Sort::Class, false), [2, 0, 1, 5, 3, 4]);
    assert_eq!(world.sorted(true, Sort::Class, true), [3, 1, 5, 2, 0, 4]);
    assert_eq!(world.sorted(true, Sort::Path, false), [2, 3, 0, 4, 1, 5]);
    assert_eq!(world.sorted(true, Sort::Group, false), [4, 3, 2, 0, 1, 5]);
    let random = world.sorted(true, Sort::Random, false);
    assert_eq!(random, world.sorted(true, Sort::Random, false));
    assert_ne!(random, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn orders_to_learn_from_begin_with_what_is_uncertain_unlike_or_of_another_cluster() {
    let world = world();
    let uncertain = world.sorted(true, Sort::Uncertain, false);
    let distance = |row: u32| (world.ranking.scores()[row as usize] - 0.5).abs();
    assert!(uncertain[..5].windows(2).all(|pair| distance(pair[0]) <= distance(pair[1])), "{uncertain:?}");
    assert_eq!(uncertain[5], 5, "without a score");
    let none = world.ask(&Query { sort: Sort::Diverse, ..Query::default() }).unwrap_err().to_string();
    assert!(none.contains("no embeddings to compare"), "{none}");
    let sorted = |sort: Sort, quarters: &[Option<u32>]| {
        let atlas = world.atlas(quarters);
        let query = Query { all: true, sort, ..Query::default() };
        select(&Source { atlas: Some(&atlas), ..world.source() }, &query).unwrap()
    };
    // The rank is 4, 2, 1, 0, 3, 5.
    let quarters = [Some(2), Some(1), Some(0), None, Some(0), Some(0)];
    assert_eq!(sorted(Sort::Diverse, &quarters), [4, 0, 1, 2, 5, 3]);
    // A cluster for each class, as these are small; 4 has no label.
    assert_eq!(sorted(Sort::Clusters, &[Some(0); 6]), [2, 1, 3, 0, 5, 4]);
}

#[test]
fn what_is_not_there_is_an_error_with_a_hint() {
    let world = world();
    let error = |filter: &str| {
        world.ask(&Query { filter: filter.into(), ..Query::default() }).unwrap_err().to_string()
    };
    assert!(error("class:hotdog").contains("did you mean 'hot dog'?"));
    assert!(error("detector:label").contains("did you mean 'labels'?"));
    assert!(error("label<0.2").contains("did you mean 'labels'?"), "{}", error("label<0.2"));
    assert!(error("scor<1").contains("did you mean 'score'?"));
    assert!(error("reviewer:ana").contains("did you mean 'anna'?"));
    assert!(error("class:z*").contains("no class matches"));
    assert!(error("detector:z*").contains("there are results from copies, labels"));
    let place = |filter: &str| match world.ask(&Query { filter: filter.into(), ..Query::default() }) {
        Err(Error::Filter { at, .. }) => filter[at.0..at.1].to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(place("one (two or -class:hotdog)"), "-class:hotdog");
    assert_eq!(place("detector:label one"), "detector:label");
    let query = Query { sort: Sort::Detector("copy".into()), ..Query::default() };
    assert!(world.ask(&query).unwrap_err().to_string().contains("no results from a detector 'copy'"));
}

#[test]
fn before_a_scan_all_samples_are_listed() {
    let mut world = world();
    world.results.clear();
    world.ranking = Ranking::default();
    assert_eq!(world.sorted(true, Sort::Rank, false), [0, 1, 2, 3, 4, 5]);
    assert_eq!(world.sorted(false, Sort::Rank, false), [0; 0]);
}

#[test]
fn only_places_on_the_map_and_clusters_need_embeddings() {
    let needs = |filter: &str| needs_embeddings(&Query { filter: filter.into(), ..Query::default() });
    for filter in
        ["map:0,0,1,1", "-tsne:0,0,1,1", "undecided cluster:cat/2", "CLUSTER:cat/1", "a or (b -map:0,0,1,1)"]
    {
        assert!(needs(filter), "{filter}");
    }
    // A path that contains the word needs no embeddings.
    for filter in ["", "class:cat", "\"map:0,0,1,1\"", "map:nonsense", "roadmap"] {
        assert!(!needs(filter), "{filter}");
    }
}

#[test]
fn attributes_are_compared_and_sorted_by() {
    let world = world();
    for (filter, rows) in [
        ("attr.labels.tone<0", &[1, 4][..]),
        ("ATTR.labels.tone<=0", &[1, 3, 4]),
        ("-attr.labels.tone<=0", &[0, 2, 5]),
        ("attr.size>=4", &[3, 4]),
        // The first detector that gives it.
        ("attr.tone>0.5", &[0, 1, 2, 3, 4, 5]),
        ("attr.size>1 attr.size<4", &[1, 2]),
    ] {
        assert_eq!(world.all(filter), rows, "{filter}");
    }
    let by = |name: &str, descending| world.sorted(true, Sort::Attribute(name.into()), descending);
    assert_eq!(by("labels.tone", false), [1, 4, 3, 0, 5, 2]);
    assert_eq!(by("labels.tone", true), [5, 0, 3, 4, 1, 2], "a sample without a value is last");
    for filter in ["attr.siz<1", "attr.labels.size<1", "attr.nobody.tone<1"] {
        let query = Query { all: true, filter: filter.into(), ..Query::default() };
        let error = world.ask(&query).unwrap_err().to_string();
        assert!(error.contains("no detector gives the attribute"), "{error}");
    }
}

#[test]
fn an_order_by_meaning_has_the_most_similar_first_and_those_without_a_vector_last() {
    let world = world();
    let quarters = [Some(0), Some(2), Some(1), None, Some(0), Some(3)];
    let query = |filter: &str, all, descending| {
        let sort = Sort::Meaning("like:train/cat/One.jpg".into());
        world.by_meaning(&quarters, &Query { all, filter: filter.into(), sort, descending }).unwrap()
    };
    assert_eq!(query("", true, false), [0, 4, 2, 5, 1, 3]);
    assert_eq!(query("", true, true), [1, 5, 2, 4, 0, 3]);
    assert_eq!(query("split:train", true, false), [0, 4, 1]);
    assert_eq!(query("", false, false), [0, 4, 2, 1]);
    assert!(needs_embeddings(&Query { sort: Sort::Meaning("cat".into()), ..Query::default() }));
    let refused = world.ask(&Query { sort: Sort::Meaning("cat".into()), ..Query::default() });
    assert!(refused.unwrap_err().to_string().contains("no embeddings"), "without vectors there is no order");
}
