//! What reviewers of another session said.

use super::*;
use chaffinch_data::journal::Journal;
use chaffinch_data::session::Session;
use std::sync::Arc;

#[test]
fn what_reviewers_of_another_session_said_follows_the_pictures() {
    let there = ["b/cat/0.png", "b/cat/1.png", "b/dog/gone.png", "b/dog/2.png"];
    let (manifest, mut file_metadata) = dataset(&there);
    // The same pictures as in the other dataset, under other names, but for one.
    let pictures = ["cat/0.png", "cat/1.png", "nowhere", "dog/2.png"];
    file_metadata.hashes = pictures.iter().map(|path| ContentHash::of(path.as_bytes())).collect();
    let (manifest, file_metadata) = (Arc::new(manifest), Arc::new(file_metadata));
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let session = Session::open_or_create(folder.path(), other.path()).unwrap();
    let mut anna = Journal::open(&session.decisions_dir(), "anna").unwrap();
    anna.bind(&manifest, Some(&file_metadata));
    anna.decide(&[SampleId(0)], Some(Choice::Remove.into())).unwrap();
    anna.decide(&[SampleId(2)], Some(Choice::Keep.into())).unwrap();
    anna.decide(&[SampleId(1)], Some(Choice::Remove.into())).unwrap();
    anna.decide(&[SampleId(1)], None).unwrap();
    anna.tag(&[SampleId(3)], &["night".to_owned()], "").unwrap();
    let mut ben = Journal::open(&session.decisions_dir(), "ben").unwrap();
    ben.bind(&manifest, Some(&file_metadata));
    ben.decide(&[SampleId(0)], Some(Choice::Relabel("dog".to_owned()).into())).unwrap();
    let when = ben.decisions().review(SampleId(0)).unwrap().at();
    let outcome = read("chaffinch", &[folder.path().to_path_buf()], &PETS).unwrap();
    let row = |path: &str| SampleId(PETS.iter().position(|other| *other == path).unwrap() as u32);
    let said = |name: &str| &outcome.said[&Some(name.to_owned())];
    let of_anna: Vec<(SampleId, Option<Choice>, Vec<String>)> =
        said("anna").iter().map(|(id, said)| (*id, said.choice.clone(), said.tags.clone())).collect();
    assert_eq!(
        of_anna,
        [
            (row("cat/0.png"), Some(Choice::Remove), vec![]),
            (row("dog/2.png"), None, vec!["night".to_owned()])
        ]
    );
    let [(id, of_ben)] = &said("ben")[..] else { panic!("{outcome:?}") };
    assert_eq!((*id, &of_ben.choice), (row("cat/0.png"), &Some(Choice::Relabel("dog".to_owned()))));
    assert_eq!(of_ben.at, when);
    let [warning] = &outcome.warnings[..] else { panic!("{outcome:?}") };
    assert!(
        warning.starts_with("anna: 1 decision is about a picture that this session does not have"),
        "{warning}"
    );
    assert!(warning.ends_with("b/dog/gone.png"), "{warning}");
    let error = read("chaffinch", &[other.path().to_path_buf()], &PETS).unwrap_err().to_string();
    assert!(error.contains("the folder has no session.toml"), "{error}");
}
