use super::*;
use chaffinch_data::manifest::NewSample;
use chaffinch_protocol::sample::Split;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const BASE: u64 = 0x0123_4567_89ab_cdef;

/// A set of images by (content, pHash), each with a row of embeddings.
struct Set {
    manifest: Manifest,
    file_metadata: FileMetadata,
    embeddings: EmbeddingMatrix,
    ledger: Ledger,
}

impl Set {
    fn new(root: &str, images: &[(u8, u64)], embeddings: &[[f32; 2]]) -> Set {
        let samples = (0..images.len()).map(|row| NewSample {
            path: format!("{row}.jpg").into(),
            label: None,
            split: Split::None,
        });
        let file_metadata = FileMetadata {
            hashes: images.iter().map(|(content, _)| ContentHash::of(&[*content])).collect(),
            phash: images.iter().map(|(_, phash)| *phash).collect(),
            dhash: vec![7; images.len()].into(),
            ..FileMetadata::default()
        };
        let embeddings = EmbeddingMatrix::from_vec(embeddings.concat(), 2);
        let ledger = Ledger::default();
        Set { manifest: Manifest::new(root, samples), file_metadata, embeddings, ledger }
    }

    fn side(&self) -> Side<'_> {
        Side {
            manifest: &self.manifest,
            file_metadata: &self.file_metadata,
            embeddings: Some(&self.embeddings),
            ledger: &self.ledger,
        }
    }
}

fn options(methods: &[Method]) -> Options {
    Options { methods: methods.iter().copied().collect(), phash_threshold: 5, semantic_threshold: Some(0.95) }
}

fn found(train: &Set, test: &Set, options: &Options) -> Result<Vec<Leak>> {
    all(train, test, options).map(|found| found.leaks)
}

fn all(train: &Set, test: &Set, options: &Options) -> Result<Found> {
    find(train.side(), test.side(), options, &Job::new(&AtomicBool::new(false), &|_, _| {}))
}

fn as_found(leaks: &[Leak]) -> Found {
    Found { leaks: leaks.to_vec(), semantic_cut: None }
}

fn sets() -> (Set, Set) {
    let train = Set::new(
        "/train",
        &[(1, BASE), (2, BASE ^ 0b11), (1, !BASE), (3, 0), (4, BASE.rotate_left(17))],
        &[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]],
    );
    let test = Set::new(
        "/test",
        &[(1, BASE), (9, 0), (8, BASE.rotate_left(17) ^ 0b1_1111), (7, BASE.rotate_left(29))],
        &[[1.0, 0.0], [0.0, 0.0], [0.6, 0.8], [0.28, 0.96]],
    );
    (train, test)
}

#[test]
fn every_pair_is_found_once_by_the_first_method() {
    let (train, test) = sets();
    let all = options(&[Method::Semantic, Method::Perceptual, Method::Exact]);
    let leaks = found(&train, &test, &all).unwrap();
    let pairs: Vec<_> =
        leaks.iter().map(|leak| (leak.test.0, leak.train.0, leak.method, leak.distance)).collect();
    assert_eq!(
        pairs,
        [
            // The same bytes twice: all training images are kept. Their hashes are either equal too, or unrelated.
            (0, 0, Method::Exact, None),
            (0, 2, Method::Exact, None),
            (0, 1, Method::Perceptual, Some(2)),
            (3, 1, Method::Semantic, None),
            (2, 4, Method::Perceptual, Some(5)),
        ]
    );
    assert_eq!(leaks[2].similarity, 1.0 - 2.0 / 64.0);
    let counts = Counts::new(&as_found(&leaks), train.side(), test.side(), &all.methods);
    assert_eq!((counts.pairs, counts.leaked_test_images, counts.leaked_train_images), (5, 3, 4));
    assert_eq!(counts.leaked_test_percent, 75.0);
    assert_eq!(counts.by_leak_type["exact_duplicate"], 2);
    assert_eq!(counts.by_leak_type["semantic_duplicate"], 1);
}

#[test]
fn flat_and_broken_pictures_are_alike_to_nothing() {
    let mut train = Set::new("/a", &[(1, 1 << 63), (2, BASE), (3, BASE)], &[[1.0, 0.0]; 3]);
    let test = Set::new("/b", &[(4, 1 << 63), (5, BASE)], &[[1.0, 0.0]; 2]);
    train.file_metadata.unreadable.insert(SampleId(1), "it is empty".into());
    let leaks = found(&train, &test, &options(&[Method::Perceptual])).unwrap();
    assert_eq!(leaks.iter().map(|leak| (leak.test.0, leak.train.0)).collect::<Vec<_>>(), [(1, 2)]);
}

#[test]
fn nonsense_is_refused() {
    let (train, test) = sets();
    let wide = Options { phash_threshold: 17, ..options(&[Method::Perceptual]) };
    assert!(found(&train, &test, &wide).unwrap_err().to_string().contains("at most 16"));
    let high = Options { semantic_threshold: Some(f32::NAN), ..options(&[Method::Semantic]) };
    assert!(found(&train, &test, &high).unwrap_err().to_string().contains("0 to 1"));
    let bare = Side { embeddings: None, ..train.side() };
    let go = AtomicBool::new(false);
    let job = Job::new(&go, &|_, _| {});
    assert!(find(bare, test.side(), &options(&[Method::Semantic]), &job).is_err());
    let stop = AtomicBool::new(true);
    let stopped =
        find(train.side(), test.side(), &options(&[Method::Semantic]), &Job::new(&stop, &|_, _| {}));
    assert!(matches!(stopped, Err(Error::Stopped)));
}

#[test]
fn the_report_has_the_known_columns_and_whole_numbers() {
    let (train, test) = sets();
    let options = options(&[Method::Exact, Method::Perceptual]);
    let leaks = found(&train, &test, &options).unwrap();
    let counts = |leaks: &[Leak]| Counts::new(&as_found(leaks), train.side(), test.side(), &options.methods);
    let temp = tempfile::tempdir().unwrap();
    let report = temp.path().join("leaks.csv");
    write_csv(&report, &leaks, &counts(&leaks), train.side(), test.side()).unwrap();
    assert_eq!(
        fs::read_to_string(&report).unwrap(),
        "train_image,test_image,method,similarity,leak_type,hamming_distance,likeness\n\
         /train/0.jpg,/test/0.jpg,md5_exact,1.0,exact_duplicate,,same_bytes\n\
         /train/2.jpg,/test/0.jpg,md5_exact,1.0,exact_duplicate,,same_bytes\n\
         /train/1.jpg,/test/0.jpg,phash,0.96875,near_duplicate,2,unknown\n\
         /train/4.jpg,/test/2.jpg,phash,0.921875,near_duplicate,5,unknown\n"
    );
    let summary = summary_path(&report);
    assert_eq!(summary.file_name().unwrap(), "leaks_summary.txt");
    write_summary(&summary, &counts(&leaks), train.side(), test.side()).unwrap();
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.contains("Leak rate by image: 50.00%\nLeak rate by pair: 100.00%\n"), "{text}");

    write_csv(&report, &[], &counts(&[]), train.side(), test.side()).unwrap();
    assert_eq!(fs::read_to_string(&report).unwrap(), "status,train_images,test_images\nno_leaks_found,5,4\n");
    let inside = write_csv(Path::new("/train/leaks.csv"), &leaks, &counts(&leaks), train.side(), test.side());
    assert!(inside.is_err());
}

#[test]
fn what_was_not_compared_is_unknown() {
    let blank = [[0.0, 0.0]; 2];
    let mut train = Set::new("/a", &[(1, BASE), (2, !BASE)], &blank);
    let test = Set::new("/b", &[(3, BASE.rotate_left(17)), (4, BASE.rotate_left(29))], &blank);
    let counts = |train: &Set, methods: &[Method]| {
        let options = options(methods);
        let leaks = found(train, &test, &options).unwrap();
        let counts = Counts::new(&as_found(&leaks), train.side(), test.side(), &options.methods);
        (counts.status, counts.train_unknown, counts.test_unknown)
    };
    assert_eq!(counts(&train, &[Method::Perceptual]), ("no_leaks_found", 0, 0));
    // Its bytes are known, its pixels are not.
    train.file_metadata.unreadable.insert(SampleId(0), "it ends early".into());
    assert_eq!(counts(&train, &[Method::Perceptual]), ("unknown", 1, 0));
    assert_eq!(counts(&train, &[Method::Exact]), ("no_leaks_found", 0, 0));
    train.file_metadata.hashes = train.file_metadata.hashes.iter().map(|_| ContentHash::default()).collect();
    assert_eq!(counts(&train, &[Method::Exact]), ("unknown", 1, 0));
    train.ledger.leave_out(RemarkKind::UnsupportedPictures, 3, "3 .heic files were left out");
    assert_eq!(counts(&train, &[Method::Exact]), ("unknown", 4, 0));
    let options = options(&[Method::Exact]);
    let counts = Counts::new(&as_found(&[]), train.side(), test.side(), &options.methods);
    let temp = tempfile::tempdir().unwrap();
    let (report, summary) = (temp.path().join("leaks.csv"), temp.path().join("leaks_summary.txt"));
    write_csv(&report, &[], &counts, train.side(), test.side()).unwrap();
    write_summary(&summary, &counts, train.side(), test.side()).unwrap();
    let expected = "status,train_images,test_images,train_unknown,test_unknown\nunknown,2,2,4,0\n";
    assert_eq!(fs::read_to_string(&report).unwrap(), expected);
    let text = fs::read_to_string(&summary).unwrap();
    assert!(
        text.contains("could not be compared: 4") && text.contains("3 .heic files were left out"),
        "{text}"
    );
}

fn with_cosines(cosines: impl Iterator<Item = f32>) -> Vec<Leak> {
    let leak = |similarity| Leak {
        train: SampleId(0),
        test: SampleId(0),
        method: Method::Semantic,
        similarity,
        distance: None,
        likeness: Likeness::Unknown,
    };
    cosines.map(leak).collect()
}

/// Models that put pictures far from each other and close together, with a fifth of leaks and without any.
#[test]
fn the_semantic_cut_follows_the_model_and_the_data() {
    for scale in [0.4_f32, 0.05, 0.01] {
        for leaks in [0_usize, 40] {
            let usual = (0..200).map(|row| {
                // Log-normal by its quantiles, roughly.
                let share = (row as f32 + 0.5) / 200.0;
                1.0 - scale * (0.3 * (share / (1.0 - share)).ln() / 1.7).exp()
            });
            let copies = (0..leaks).map(|row| 1.0 - scale * 0.02 * (row as f32 / 40.0));
            let cut = cut::follow(&with_cosines(usual.clone().chain(copies.clone())));
            assert!(usual.filter(|&cosine| cosine >= cut).count() <= 3, "{scale}, {leaks} leaks: {cut}");
            assert!(copies.into_iter().all(|cosine| cosine >= cut), "{scale}, {leaks} leaks: {cut}");
        }
    }
    assert_eq!(cut::follow(&with_cosines([0.9_f32, 0.99].into_iter())), 0.95, "too few to learn it");
}

#[test]
fn the_report_says_the_semantic_cut() {
    let (train, test) = sets();
    let follow = Options { semantic_threshold: None, ..options(&[Method::Semantic]) };
    let found = all(&train, &test, &follow).unwrap();
    assert_eq!(found.semantic_cut, Some(0.95));
    let counts = Counts::new(&found, train.side(), test.side(), &follow.methods);
    let temp = tempfile::tempdir().unwrap();
    let summary = temp.path().join("leaks_summary.txt");
    write_summary(&summary, &counts, train.side(), test.side()).unwrap();
    assert!(
        fs::read_to_string(&summary).unwrap().contains("Least cosine of embeddings that counts: 0.9500\n")
    );
    assert_eq!(all(&train, &test, &options(&[Method::Exact])).unwrap().semantic_cut, None);
}
