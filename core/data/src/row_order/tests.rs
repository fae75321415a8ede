use super::*;
use crate::manifest::NewSample;

/// Samples by path, label and content.
fn dataset(samples: &[(&str, &str, &str)]) -> (Manifest, FileMetadata) {
    let sample = |&(path, label, _): &(&str, &str, &str)| NewSample {
        path: path.into(),
        label: Some(label.into()),
        split: Default::default(),
    };
    let hash = |content: &str| match content {
        "" => ContentHash::default(),
        content => ContentHash::of(content.as_bytes()),
    };
    let hashes = samples.iter().map(|(.., content)| hash(content)).collect();
    (Manifest::new("/data", samples.iter().map(sample)), FileMetadata { hashes, ..FileMetadata::default() })
}

const BEFORE: [(&str, &str, &str); 4] = [
    ("ant/0.png", "ant", "A"),
    ("ant/1.png", "ant", "B"),
    ("bee/2.png", "bee", "C"),
    ("bee/3.png", "bee", ""),
];

/// The rows of samples that once were those of `before`.
fn rows(before: &[(&str, &str, &str)], now: &[(&str, &str, &str)]) -> (Vec<Option<u32>>, bool) {
    let (manifest, file_metadata) = dataset(before);
    let own = Some(RowOrder::of(&manifest, &file_metadata));
    let known = FirstGiven { own, ..FirstGiven::default() };
    let (manifest, file_metadata) = dataset(now);
    let placed = known.place(Some(before.len()), &manifest, &file_metadata).unwrap();
    assert!(placed.keep.is_none());
    (placed.rows, placed.moved)
}

#[test]
fn rows_stay_with_their_pictures() {
    assert_eq!(rows(&BEFORE, &BEFORE), (vec![Some(0), Some(1), Some(2), Some(3)], false));
    // Moved to the end, with a new one before it; the others are where they were, also the one that could not be read.
    let now = [
        ("ant/1.png", "ant", "B"),
        ("bee/2.png", "bee", "C"),
        ("bee/3.png", "bee", "D"),
        ("bee/8.png", "bee", "new"),
        ("bee/9.png", "bee", "A"),
    ];
    assert_eq!(rows(&BEFORE, &now), (vec![Some(1), Some(2), Some(3), None, Some(0)], true));
    // Exchanged, at the same paths.
    let now = [("ant/0.png", "ant", "B"), ("ant/1.png", "ant", "A"), BEFORE[2], BEFORE[3]];
    assert_eq!(rows(&BEFORE, &now), (vec![Some(1), Some(0), Some(2), Some(3)], true));
    // Changed in its place, which is another picture where the dataset is another one.
    let now = [("ant/0.png", "ant", "A2"), BEFORE[1], BEFORE[2], BEFORE[3]];
    assert_eq!(rows(&BEFORE, &now), (vec![Some(0), Some(1), Some(2), Some(3)], false));
    assert_eq!(rows(&BEFORE, &now[..2]), (vec![None, Some(1)], true));
    // Removed, and copied.
    let now = [BEFORE[0], ("ant/7.png", "ant", "A")];
    assert_eq!(rows(&BEFORE, &now), (vec![Some(0), Some(0)], true));
}

#[test]
fn pictures_that_were_replaced_under_their_names_are_said() {
    let said = |now: &[(&str, &str, &str)]| {
        let (manifest, file_metadata) = dataset(&BEFORE);
        let own = Some(RowOrder::of(&manifest, &file_metadata));
        let known = FirstGiven { own, ..FirstGiven::default() };
        let (manifest, file_metadata) = dataset(now);
        let placed = known.place(Some(4), &manifest, &file_metadata).unwrap();
        placed.of_changed("embeddings of p.npy", "name its rows with --embedding-ids FILE")
    };
    assert_eq!(said(&BEFORE), None);
    assert_eq!(said(&[BEFORE[0], BEFORE[1], BEFORE[2], ("bee/3.png", "bee", "D")]), None, "it was not read");
    let text = said(&[("ant/0.png", "ant", "other"), BEFORE[1], BEFORE[2], BEFORE[3]]).unwrap();
    for words in ["1 picture was replaced", "ant/0.png", "name its rows with --embedding-ids FILE"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn rows_of_one_path_keep_theirs() {
    let (ant, bee, cow) = (("a.png", "ant", "A"), ("a.png", "bee", "A"), ("c.png", "cow", "C"));
    let before = [ant, bee, cow];
    assert_eq!(rows(&before, &[cow, bee, ant]), (vec![Some(2), Some(1), Some(0)], true));
    // One has another label: it is the one that is left.
    assert_eq!(rows(&before, &[("a.png", "elk", "A"), cow, bee]), (vec![Some(0), Some(2), Some(1)], true));
}

#[test]
fn files_come_back_as_they_were_or_are_written_again() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let session = Session::open_or_create(&temp.path().join("own"), &data).unwrap();
    let file = temp.path().join("p.npy");
    std::fs::write(&file, "rows").unwrap();
    let repeated = [BEFORE[0], ("ant/0.png", "bee", "A"), BEFORE[1]];
    let (manifest, file_metadata) = dataset(&repeated);
    let first = RowOrders::new(&session).of_file(&file).unwrap();
    assert!(!first.is_known() && first.place(Some(3), &manifest, &file_metadata).is_none());
    let (digest, order) = first.place_in_order(&manifest, &file_metadata).keep.unwrap();
    session.keep_row_order(&digest, &order).unwrap();
    let again = RowOrders::new(&session).of_file(&file).unwrap();
    assert_eq!(again.own, Some(order));
    assert!(again.place(Some(4), &manifest, &file_metadata).is_none(), "it has another number of rows");
    let path = Session::row_order_in(session.dir(), &digest);
    let bytes = std::fs::read(&path).unwrap();
    let mut flipped = bytes.clone();
    let at = bytes.windows(5).position(|part| part == b"ant/0").unwrap();
    flipped[at] ^= 1;
    for damaged in [&bytes[..0], &bytes[..bytes.len() / 2], &flipped] {
        std::fs::write(&path, damaged).unwrap();
        let known = RowOrders::new(&session).of_file(&file).unwrap();
        assert!(!known.is_known());
        let lost = known.lost("p.npy").unwrap();
        assert!(lost.contains(&digest) && lost.contains("is damaged") && lost.contains("p.npy"), "{lost}");
    }
    // Without a session nothing is known, or kept.
    let nothing = RowOrders::default().of_file(&file).unwrap();
    assert!(nothing.place_in_order(&manifest, &file_metadata).keep.is_none());
}

#[test]
fn another_session_knows_the_rows_of_its_pictures() {
    let temp = tempfile::tempdir().unwrap();
    let data = ["one", "two"].map(|name| temp.path().join(name));
    let sessions = data.each_ref().map(|data| {
        std::fs::create_dir(data).unwrap();
        Session::open_or_create(&data.with_extension("session"), data).unwrap()
    });
    let (manifest, file_metadata) = dataset(&BEFORE);
    let order = RowOrder::of(&manifest, &file_metadata);
    sessions[0].keep_row_order("0123", &order).unwrap();
    let known = RowOrders::new(&sessions[1]).find("0123");
    assert!(known.is_known() && !RowOrders::new(&sessions[1]).find("4567").is_known());
    // A cleaned copy has one relabeled and one removed.
    let (manifest, file_metadata) = dataset(&[("bee/0.png", "bee", "A"), BEFORE[2]]);
    let placed = known.place(Some(4), &manifest, &file_metadata).unwrap();
    assert_eq!(
        (placed.rows.as_slice(), placed.keep.as_ref()),
        (&[Some(0), Some(2)][..], Some(&("0123".to_owned(), order)))
    );
    let said = placed.said("probabilities of p.npy", "name its rows").unwrap();
    assert!(said.contains("in the session of ") && said.contains("/one,"), "{said}");
    // Other pictures are another dataset.
    let (manifest, file_metadata) = dataset(&[BEFORE[0], ("new.png", "bee", "new")]);
    assert!(known.place(Some(4), &manifest, &file_metadata).is_none());
}

#[test]
fn rows_that_another_session_has_for_other_pictures_are_said() {
    let (manifest, file_metadata) = dataset(&BEFORE);
    let order = RowOrder::of(&manifest, &file_metadata);
    let known = FirstGiven { elsewhere: vec![("/one".into(), order)], ..FirstGiven::default() };
    let said = |now: &[(&str, &str, &str)]| {
        let (manifest, file_metadata) = dataset(now);
        known.place_in_order(&manifest, &file_metadata).said("probabilities of p.npy", "name its rows")
    };
    // One went and one came, so that rows moved by one.
    let said_of = said(&[BEFORE[1], BEFORE[2], ("bee/4.png", "bee", "new")]).unwrap();
    assert_eq!(
        said_of,
        "the probabilities of p.npy are taken in the order of the samples, and 2 pictures have other rows in the session of /one, \
         such as ant/1.png: if pictures came or went since the file was written, name its rows"
    );
    assert_eq!(said(&[BEFORE[0], BEFORE[1], ("new.png", "bee", "new")]), None, "they kept theirs");
    let others = [("a", "ant", "x"), ("b", "ant", "y"), ("c", "ant", "z"), BEFORE[0]];
    assert_eq!(said(&others), None, "another dataset");
}

#[test]
fn the_order_is_said() {
    let (manifest, _) = dataset(&BEFORE);
    let said = taken_in_order("p.npy", &manifest).unwrap();
    assert_eq!(
        said,
        "4 rows of p.npy were taken in the order of the sorted paths: the first is of ant/0.png, the last of bee/3.png"
    );
    let (manifest, _) = dataset(&[BEFORE[2], BEFORE[0]]);
    assert!(taken_in_order("p.npy", &manifest).unwrap().contains("in the order of the dataset"));
    assert_eq!(taken_in_order("p.npy", &Manifest::default()), None);
}
