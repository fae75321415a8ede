use super::*;
use crate::columns::ResultBuilder;
use crate::issue::RunRecord;
use crate::manifest::NewSample;
use crate::set_value::SetValue;
use crate::uses::LoadedModel;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::sample::Split;
use std::os::unix::fs::PermissionsExt;

struct Desk {
    temp: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("data")).unwrap();
        Desk { temp }
    }

    fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    fn dir(&self) -> PathBuf {
        self.temp.path().join("deep/session")
    }

    fn open(&self) -> Result<Session> {
        Session::open_or_create(&self.dir(), &self.data())
    }
}

#[test]
fn a_session_comes_back_as_it_was() {
    let desk = Desk::new();
    let session = desk.open().unwrap();
    assert_eq!(fs::metadata(desk.dir()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(session.load_samples().unwrap().is_none());
    assert_eq!(session.load_settings().unwrap(), Settings::default());
    assert_eq!((session.load_view("anna"), session.model_name()), (String::new(), String::new()));

    let row = NewSample { path: "a.jpg".into(), label: Some("cat".into()), split: Split::Train };
    let manifest = Manifest::new(desk.data(), [row]);
    let file_metadata = FileMetadata {
        hashes: vec![Default::default()].into(),
        dimensions: [Default::default()].into_iter().collect(),
        modified: vec![0].into(),
        phash: vec![0].into(),
        dhash: vec![0].into(),
        ..FileMetadata::default()
    };
    session.save_samples(&manifest, &file_metadata).unwrap();
    let mut builder = ResultBuilder::new(1);
    builder.scores(&[0.25]);
    let record = RunRecord { name: "clip-prompt".into(), ..RunRecord::default() };
    session.save_result(&builder.finish(record, manifest.classes())).unwrap();
    let thresholds = [("clip-prompt".to_owned(), 0.3)].into();
    let rule = EnsembleRule::Weighted([("clip-prompt".to_owned(), 2.0)].into());
    let params =
        [("clip-prompt".to_owned(), [("mode".to_owned(), SetValue::Choice("zero-shot".into()))].into())]
            .into();
    let enabled = BTreeMap::from([("blurry".to_owned(), false)]);
    let settings = Settings { ensemble: Some(rule), thresholds, params, enabled };
    session.save_settings(&settings).unwrap();
    session.save_view("anna", "{\"row\":7}").unwrap();
    let loaded = LoadedModel { fingerprint: "00-cubic.224".into(), ..LoadedModel::default() };
    let uses = Uses { model: Some("bundled".into()), loaded: Some(loaded), ..Uses::default() };
    session.keep_uses("bundled on cpu", &uses).unwrap();
    drop(session);

    let session = desk.open().unwrap();
    let (manifest, known) = session.load_samples().unwrap().unwrap();
    assert_eq!((manifest.len(), known), (1, file_metadata));
    let (results, damaged) = session.load_results(1, manifest.classes());
    assert_eq!((results["clip-prompt"].scores(), damaged.len()), (&[0.25][..], 0));
    assert_eq!(session.load_settings().unwrap(), settings);
    assert!(settings.is_off("blurry") && !settings.is_off("sharp"));
    assert_eq!(
        (session.load_view("anna"), session.model_name()),
        ("{\"row\":7}".into(), "bundled on cpu".into())
    );
    assert_eq!(session.load_view("../ben"), "", "what anna recorded is hers");
    assert_eq!(session.dataset(), fs::canonicalize(desk.data()).unwrap());

    fs::write(session.result_path("broken").unwrap(), b"ARROW1").unwrap();
    let (results, damaged) = session.load_results(2, manifest.classes());
    assert!(results.is_empty() && damaged.len() == 2 && damaged[1].contains("for 2 samples"), "{damaged:?}");
    session.remove_result("clip-prompt").unwrap();
    session.remove_result("clip-prompt").unwrap();
    assert!(session.remove_result("../session").is_err());
}

#[test]
fn two_programs_do_not_work_on_one_session() {
    let desk = Desk::new();
    let first = desk.open().unwrap();
    let error = desk.open().unwrap_err();
    let holder = format!("process {} on ", std::process::id());
    assert!(
        matches!(&error, Error::SessionInUse { holder: named, .. } if named.starts_with(&holder)),
        "{error}"
    );
    let reader = Session::open_to_read(&desk.dir()).unwrap();
    assert!(reader.save_view("anna", "x").is_err() && !reader.is_writable());
    first.ends();
    let (sender, received) = std::sync::mpsc::channel();
    let next = std::thread::spawn(move || {
        sender.send(()).unwrap();
        desk.open().map(|session| session.is_writable())
    });
    received.recv().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!next.is_finished(), "who comes while the first ends waits for it");
    drop(first);
    assert!(next.join().unwrap().unwrap());
}

#[test]
fn wrong_places_are_refused() {
    let desk = Desk::new();
    let inside = Session::open_or_create(&desk.data().join("s"), &desk.data()).unwrap_err().to_string();
    assert!(inside.contains("inside the dataset"), "{inside}");
    assert!(!desk.data().join("s").exists());
    let full = desk.temp.path();
    assert!(Session::open_or_create(full, &desk.data()).unwrap_err().to_string().contains("not empty"));
    assert!(Session::open(&desk.dir()).unwrap_err().to_string().contains("not a session"));
    drop(desk.open().unwrap());
    let other = Session::open_or_create(&desk.dir(), full).unwrap_err().to_string();
    assert!(other.contains("belongs to the dataset"), "{other}");
    let mark = desk.dir().join(MARK);
    fs::write(&mark, fs::read_to_string(&mark).unwrap().replace("format = 1", "format = 9")).unwrap();
    assert!(desk.open().unwrap_err().to_string().contains("format version 9"));
}

#[test]
fn a_session_killed_as_it_began_can_begin_again() {
    let desk = Desk::new();
    fs::create_dir_all(desk.dir()).unwrap();
    fs::write(desk.dir().join(lock::FILE), "").unwrap();
    fs::write(desk.dir().join(".session.toml.4711.new"), "format =").unwrap();
    drop(desk.open().unwrap());
    for stranger in [".session.toml.new", ".session.toml.x1.new", ".other.4711.new"] {
        let dir = desk.temp.path().join(stranger);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(stranger), "").unwrap();
        let refused = Session::open_or_create(&dir, &desk.data()).unwrap_err().to_string();
        assert!(refused.contains("not empty"), "{stranger}: {refused}");
    }
}

#[test]
fn datasets_and_sessions_are_told_apart() {
    let desk = Desk::new();
    let data = fs::canonicalize(desk.data()).unwrap();
    let named = resolve(&desk.data(), Some(&desk.dir())).unwrap();
    assert_eq!(named, SessionLocation { dir: desk.dir(), dataset: data.clone() });
    drop(desk.open().unwrap());
    assert_eq!(resolve(&desk.dir(), None).unwrap(), named);
    assert!(resolve(&desk.dir(), Some(&desk.data())).is_err());
    assert!(resolve(Path::new("/nowhere/at/all"), None).unwrap_err().to_string().contains("no such dataset"));
    if let Ok(dir) = default_dir(&desk.data()) {
        let name = dir.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!((name.len(), &name[..5]), (5 + 12, "data-"));
        // However the path is written.
        assert_eq!(default_dir(&desk.data().join("../data")).unwrap(), dir);
    }
}

#[test]
fn parameters_keep_their_values_under_new_names() {
    let desk = Desk::new();
    let session = desk.open().unwrap();
    fs::write(
        desk.dir().join("settings.toml"),
        "[params.image-quality]\nno-colour = 0.5\ngrey-prevalence = 0.25\n",
    )
    .unwrap();
    let params = session.load_settings().unwrap().params;
    let expected = [("gray-prevalence".to_owned(), 0.25), ("no-color".to_owned(), 0.5)];
    let expected = expected.map(|(name, value)| (name, SetValue::Number(value)));
    assert_eq!(params["image-quality"], expected.into());
}

#[test]
fn parameters_with_names_are_kept_by_them_and_old_numbers_are_read() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("settings.toml");
    std::fs::write(&path, "[params.pick]\nmode = 1.0\ntrees = 3\nhow = \"beta\"\n").unwrap();
    let settings = Settings::load(&path).unwrap();
    let pick = &settings.params["pick"];
    assert_eq!(pick["mode"], SetValue::Number(1.0));
    assert_eq!(pick["trees"], SetValue::Number(3.0));
    assert_eq!(pick["how"], SetValue::Choice("beta".into()));
    std::fs::write(&path, settings.to_toml(&path).unwrap()).unwrap();
    assert_eq!(Settings::load(&path).unwrap(), settings);
}

#[test]
fn a_removed_session_leaves_no_folder_behind() {
    let desk = Desk::new();
    let session = desk.open().unwrap();
    let folders =
        [session.maps_dir(), session.own_embeddings_dir(), session.measures_dir(), session.decisions_dir()];
    for folder in folders.into_iter().chain([desk.dir().join(ROWS)]) {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("file"), "").unwrap();
    }
    fs::write(session.probabilities_path(), "").unwrap();
    session.remove().unwrap();
    assert!(!desk.dir().exists());
}

#[test]
fn what_is_kept_of_a_review_makes_no_session_where_one_was() {
    let desk = Desk::new();
    let session = desk.open().unwrap();
    fs::rename(desk.dir(), desk.temp.path().join("elsewhere")).unwrap();
    let error = session.save_view("anna", "{}").unwrap_err().to_string();
    assert!(error.contains("deep/session/views"), "{error}");
    assert!(!desk.dir().exists());
}
