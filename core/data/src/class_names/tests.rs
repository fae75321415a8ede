use super::*;
use proptest::prelude::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

proptest! {
    #[test]
    fn every_bytes_have_one_name(all in prop::collection::vec(prop_oneof![
        Just(b'\\'), Just(b'x'), Just(b'f'), Just(b'5'), Just(b'c'), any::<u8>()
    ], 0..12)) {
        let name = of_bytes(&all);
        prop_assert_eq!(&*bytes(&name), &all[..]);
        prop_assert_eq!(of_bytes(&bytes(&name)), name);
    }
}

#[test]
fn text_is_its_own_name() {
    assert_eq!(of_bytes("café \\d".as_bytes()), "café \\d");
    assert_eq!(of_bytes(b"cl\xffss"), "cl\\xffss");
    assert_ne!(of_bytes(b"cl\xffss"), of_bytes(b"cl\\xffss"));
    assert_ne!(of_bytes(b"cl\xffss"), of_bytes(b"cl\xfess"));
}

#[test]
fn spellings_of_one_name_are_one() {
    assert!(
        same("cat", " cat\u{a0}") && same("cafe\u{301}", "caf\u{e9}") && same("\u{feff}cat", "cat\u{200b}")
    );
    assert!(!same("cat", "Cat") && !same("cat", "c at"));
}

#[test]
fn words_for_no_label_are_no_classes() {
    use Meaning::{Class, Doubtful, NoLabel};
    let meaning = |all: &[&str]| meanings(&names(all));
    assert_eq!(
        meaning(&["cat", "nan", "NaN", "N/A", "<NA>", "null", "Unlabeled", " "]),
        [Class, NoLabel, NoLabel, NoLabel, NoLabel, NoLabel, NoLabel, NoLabel]
    );
    assert_eq!(meaning(&["cat", "None", "NA"]), [Class, NoLabel, NoLabel]);
    assert_eq!(meaning(&["scratch", "none", "unknown"]), [Class, Doubtful, Doubtful]);
    assert_eq!(meaning(&["DE", "NA"]), [Class, Doubtful]);
    assert_eq!(meaning(&["0", "1", "2", "-1"]), [Class, Class, Class, NoLabel]);
    assert_eq!(meaning(&["-1", "1"]), [Doubtful, Class]);
    assert_eq!(meaning(&["1.0", "2.0", "-1.0"]), [Class, Class, NoLabel]);
    assert_eq!(
        meaning(&["cat", "-", "--", "\u{2014}", "_", "?"]),
        [Class, NoLabel, NoLabel, NoLabel, NoLabel, Doubtful]
    );
    assert_eq!(meaning(&["1", "2", "-"]), [Class, Class, NoLabel]);
    assert_eq!(meaning(&["a", "b", "-"])[2], Doubtful, "characters");
    assert_eq!(meaning(&["+", "-"]), [Class, Doubtful]);
    assert_eq!((folder_meaning("none"), folder_meaning("unlabeled")), (Doubtful, NoLabel));
    assert_eq!(
        (folder_meaning("-"), folder_meaning("--"), folder_meaning("a-b")),
        (Doubtful, Doubtful, Class)
    );
}

#[test]
fn twins_differ_in_spelling_only() {
    let found = twins(&names(&[
        "Cat",
        "a",
        "A",
        "cat",
        "dog",
        "stop sign",
        "stop-sign",
        "Stop_Sign",
        "ship",
        "ships",
        "bus",
        "bu",
    ]));
    assert_eq!(
        found,
        [names(&["Cat", "cat"]), names(&["ship", "ships"]), names(&["stop sign", "stop-sign", "Stop_Sign"])]
    );
}

#[test]
fn numbers_written_differently_are_twins() {
    let found = twins(&names(&["1", "1.0", "01", "10", "2", "2,50", "2.5", "-1", "1e1", "1.2.3", "n1"]));
    let expected: [&[&str]; 3] = [&["1", "1.0", "01"], &["10", "1e1"], &["2,50", "2.5"]];
    assert_eq!(found, expected.map(names));
    assert!(twins(&names(&["a", "A", "00012345678901234567", "12345678901234568"])).is_empty());
}

#[test]
fn numbers_among_words_are_told() {
    let found = |all: &[&str]| numbers_among_words(&names(all)).into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(found(&["cat", "dog", "0", "1.0"]), ["0", "1.0"]);
    for fine in
        [&["0", "1", "2"][..], &["0", "1", "A", "b", "+"], &["cat", "dog"], &["3d", "2d"], &["n01", "1_cat"]]
    {
        assert!(found(fine).is_empty(), "{fine:?}");
    }
}

#[test]
fn several_labels_in_one_are_told() {
    let all = names(&["cat", "dog", "cat|dog", "['cat', 'pig']", "salt, pepper", "a;b", "a;c", "x/y"]);
    let labels = |at: usize, parts: &[&str]| (at, Combined::Labels(names(parts)));
    let expected = [
        labels(2, &["cat", "dog"]),
        labels(3, &["cat", "pig"]),
        (5, Combined::Doubtful),
        (6, Combined::Doubtful),
    ];
    assert_eq!(combined(&all), expected);
    let lists =
        names(&["['cat']", "[]", "[\"a, b\", \"c\"]", "['a' 'b']", "{\"choices\": [\"x\",\"y\"]}", "[3]"]);
    let expected = [
        labels(0, &["cat"]),
        labels(1, &[]),
        labels(2, &["a, b", "c"]),
        labels(3, &["a", "b"]),
        labels(4, &["x", "y"]),
        labels(5, &["3"]),
    ];
    assert_eq!(combined(&lists), expected);
    // Every part of each is in another one, too.
    let objects = names(&[
        r#"[{"name": "ant", "score": 0.5}]"#,
        r#"[{"name": "bee", "score": 0.5}]"#,
        r#"[{"name": "ant", "score": 0.7}]"#,
        r#"[{"name": "bee", "score": 0.7}]"#,
        r#"{"name": "bee", "score": 0.7}"#,
    ]);
    assert_eq!(combined(&objects), []);
}

#[test]
fn commas_in_names_of_classes_separate_nothing() {
    let all = names(&[
        "maillot",
        "maillot, tank suit",
        "tench, Tinca tinca",
        "[sic]",
        "(a)",
        "Effusion|Mass",
        "Effusion",
    ]);
    assert_eq!(
        combined(&all),
        [(1, Combined::Doubtful), (5, Combined::Labels(names(&["Effusion", "Mass"])))]
    );
    let known = names(&["a", "b", "a,b", "a;b"]);
    let both = Combined::Labels(names(&["a", "b"]));
    assert_eq!(combined(&known), [(2, both.clone()), (3, both)]);
}

#[test]
fn numbers_and_ids_are_no_words() {
    for name in [
        "0",
        "12",
        "3.5",
        "n01440764",
        "class_3",
        "label 7",
        "c01",
        "m.0abc12",
        "Q1234",
        "a",
        "-1",
        "5f1d3c9a",
        "0a1b2c3d-4e5f-6789-abcd-ef0123456789",
    ] {
        assert!(!is_word(name), "{name}");
    }
    for name in [
        "cat",
        "stop_sign",
        "7up",
        "3D printer",
        "TV",
        "猫",
        "A300B4 Airbus",
        "class",
        "category mistake",
        "cat dog",
    ] {
        assert!(is_word(name), "{name}");
    }
}

#[test]
fn lists_are_told_from_names() {
    for (text, labels) in [
        (r#"["cat", "dog, wet"]"#, &["cat", "dog, wet"][..]),
        ("['cat' 'dog']", &["cat", "dog"]),
        (" [3, 0] ", &["3", "0"]),
        ("[]", &[]),
        (r#"{"choices": ["a", "b"]}"#, &["a", "b"]),
    ] {
        assert_eq!(listed(text), Some(names(labels)), "{text}");
    }
    for text in ["cat", "cat|dog", "[cat]", r#"[{"label": "cat"}]"#, ""] {
        assert_eq!(listed(text), None, "{text}");
    }
}
