use super::stand_in::{Fault, Files, Hub, files, without};
use super::*;
use crate::source::ModelSource;
use crate::{DeviceChoice, load};
use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;
use tempfile::TempDir;

const REPO: &str = "owner/model";
const PICKLE: &str = "pytorch_model.bin";

fn fixture(name: &str) -> Files {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name))
}

/// A hub and a cache.
struct Bench {
    hub: Hub,
    cache: TempDir,
}

impl Bench {
    fn new(main: Files) -> (Bench, String) {
        let bench = Bench { hub: Hub::new(), cache: tempfile::tempdir().unwrap() };
        let commit = bench.hub.add(REPO, "main", main);
        (bench, commit)
    }

    fn place(&self, offline: bool) -> Place {
        Place {
            cache: self.cache.path().into(),
            endpoint: self.hub.address.clone(),
            token: Some("secret".into()),
            offline,
            answer_limit: Duration::from_secs(1),
            pause_limit: Duration::from_secs(1),
        }
    }

    fn get(&self, revision: &str, offline: bool) -> Result<Snapshot, ClipError> {
        self.get_with(&self.place(offline), revision, &mut |_| ())
    }

    fn get_with(
        &self,
        place: &Place,
        revision: &str,
        progress: &mut dyn FnMut(FetchProgress),
    ) -> Result<Snapshot, ClipError> {
        Asked { place, repo: REPO, revision }.snapshot(progress)
    }

    fn refused(&self, words: &[&str]) {
        let error = self.get("main", false).unwrap_err().to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "{word:?} is not in: {error}"));
    }

    /// The folder of the repository in the cache.
    fn folder(&self) -> PathBuf {
        self.place(true).repository(REPO)
    }

    /// A snapshot as Python leaves it: links to blobs.
    fn python(&self, commit: &str, files: &Files, links: bool) {
        let (blobs, snapshot) = (self.folder().join("blobs"), self.folder().join("snapshots").join(commit));
        fs::create_dir_all(&blobs).unwrap();
        fs::create_dir_all(&snapshot).unwrap();
        for (name, bytes) in files {
            let digest = blake3::hash(bytes).to_hex().to_string();
            if links {
                fs::write(blobs.join(&digest), bytes).unwrap();
                symlink(Path::new("../../blobs").join(&digest), snapshot.join(name)).unwrap();
            } else {
                fs::write(snapshot.join(name), bytes).unwrap();
            }
        }
    }

    fn point(&self, revision: &str, commit: &str) {
        let path = self.folder().join("refs").join(revision);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, commit).unwrap();
    }

    fn names(snapshot: &Snapshot) -> Vec<&str> {
        snapshot.files.iter().map(|(name, _)| name).collect()
    }
}

/// The same as a folder.
fn loads(snapshot: &Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    for (name, path) in snapshot.files.iter() {
        fs::copy(path, folder.path().join(name)).unwrap();
    }
    load(&ModelSource::Folder(folder.path().into()), DeviceChoice::Cpu).unwrap();
}

#[test]
fn a_model_of_any_layout_is_fetched_once_and_then_found_offline() {
    for name in
        ["quick", "asymmetric", "legacy", "siglip", "siglip2", "vit", "vision-only", "dinov2", "open-clip"]
    {
        let (bench, commit) = Bench::new(fixture(name));
        let mut seen: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut progress = |p: FetchProgress| {
            seen.insert(p.file.into(), (p.done, p.total));
        };
        let first = bench.get_with(&bench.place(false), "main", &mut progress).unwrap();
        assert_eq!(first.commit, commit, "{name}");
        assert!(
            seen.len() >= 3 && seen.values().all(|(done, total)| done == total && *total > 0),
            "{seen:?}"
        );
        loads(&first);
        for request in bench.hub.requests() {
            assert!(request.to_ascii_lowercase().contains("authorization: bearer secret"), "{request}");
        }
        assert!(!bench.hub.store_requests().is_empty());
        for request in bench.hub.store_requests() {
            assert!(!request.contains("secret"), "the token went to another host: {request}");
        }
        // No more requests, online or offline, by branch or by commit.
        let asked = bench.hub.requests().len();
        for (offline, revision) in [(false, "main"), (true, "main"), (true, commit.as_str())] {
            let again = bench.get(revision, offline).unwrap();
            assert_eq!(Bench::names(&again), Bench::names(&first), "{name} {revision}");
            assert!(again.notes.is_empty(), "{:?}", again.notes);
        }
        assert_eq!(bench.hub.requests().len(), asked, "{name}");
    }
}

#[test]
fn converted_weights_are_found_in_a_pull_request_of_the_bot() {
    let whole = fixture("quick");
    let mut pickled = without(&whole, &["model.safetensors"]);
    pickled.insert(PICKLE.into(), vec![0; 9]);
    let (bench, main) = Bench::new(pickled);
    let mut evil = whole.clone();
    evil.insert("README.md".into(), b"evil".to_vec());
    bench.hub.add(REPO, "refs/pr/9", evil);
    let converted = bench.hub.add(REPO, "refs/pr/7", whole.clone());
    bench.hub.author(REPO, 9, "somebody");
    bench.hub.author(REPO, 7, CONVERTER);
    let first = bench.get("main", false).unwrap();
    assert_eq!(first.commit, converted, "not the newer one, which is somebody's");
    let note = first.notes.join(" ");
    assert!(note.contains("refs/pr/7") && note.contains(&converted[..10]), "{note}");
    loads(&first);
    let asked = bench.hub.requests().len();
    for (offline, revision) in [(false, "main"), (true, "main"), (true, "refs/pr/7")] {
        assert_eq!(bench.get(revision, offline).unwrap().commit, converted, "{revision}");
    }
    assert_eq!(bench.hub.requests().len(), asked);
    // Python leaves the configuration in one snapshot and the weights in another.
    let bench = Bench { cache: tempfile::tempdir().unwrap(), ..bench };
    bench.python(&main, &without(&whole, &["model.safetensors"]), true);
    bench.python(
        &converted,
        &without(&whole, &["config.json", "tokenizer.json", "preprocessor_config.json"]),
        true,
    );
    bench.point("main", &main);
    bench.point("refs/pr/7", &converted);
    for (offline, revision) in [(true, "main"), (true, "refs/pr/7"), (false, "main"), (false, "refs/pr/7")] {
        let joined = bench.get(revision, offline).unwrap();
        assert_eq!(joined.commit, converted, "{revision}");
        assert!(joined.notes.join(" ").contains(&main[..10]), "{:?}", joined.notes);
        loads(&joined);
    }
    assert_eq!(bench.hub.requests().len(), asked, "a joined model needs no hub");
}

#[test]
fn a_pull_request_of_somebody_is_not_taken() {
    let whole = fixture("quick");
    let mut pickled = without(&whole, &["model.safetensors"]);
    pickled.insert(PICKLE.into(), vec![0; 9]);
    let (bench, _) = Bench::new(pickled);
    bench.hub.add(REPO, "refs/pr/9", whole);
    bench.hub.author(REPO, 9, "somebody");
    bench.refused(&[REPO, PICKLE, CONVERTER]);
}

#[test]
fn caches_in_every_shape_are_found() {
    let whole = fixture("quick");
    for links in [true, false] {
        // A download by commit leaves no reference.
        let (bench, commit) = Bench::new(Files::new());
        bench.python(&commit, &whole, links);
        let found = bench.get("main", true).unwrap();
        assert!(found.notes.join(" ").contains(&commit[..10]), "{:?}", found.notes);
        loads(&found);
        // A second one makes it unclear which is meant.
        bench.python("abcdef", &fixture("eos7"), links);
        let error = bench.get("main", true).unwrap_err().to_string();
        assert!(error.contains("abcdef") && error.contains(&commit), "{error}");
        assert_eq!(bench.get("abcdef", true).unwrap().commit, "abcdef");
        // A reference to a snapshot that is gone counts as none.
        bench.point("main", "1234567");
        bench.get("main", true).unwrap_err();
        bench.point("main", "abcdef");
        assert_eq!(bench.get("main", true).unwrap().commit, "abcdef");
        assert!(bench.hub.requests().is_empty());
        // The folder of the repository itself, as people pass it.
        load(&ModelSource::Folder(bench.folder()), DeviceChoice::Cpu).unwrap();
    }
}

#[test]
fn a_cache_without_the_preprocessing_asks_for_it_once() {
    let (bench, commit) = Bench::new(fixture("quick"));
    bench.python(&commit, &without(&fixture("quick"), &["preprocessor_config.json"]), true);
    bench.point("main", &commit);
    let offline = bench.get("main", true).unwrap();
    assert!(offline.notes.join(" ").contains("preprocessor_config.json"), "{:?}", offline.notes);
    bench.hub.fault("/api/", Fault::Status(503, ""));
    assert!(bench.get("main", false).unwrap().notes.join(" ").contains("503"));
    bench.hub.repair();
    let online = bench.get("main", false).unwrap();
    assert!(online.files.has("preprocessor_config.json") && online.notes.is_empty());
    assert!(bench.hub.store_requests().is_empty(), "the weights were there");
    // Where the hub has none either, that is remembered.
    let (bench, _) = Bench::new(without(&fixture("quick"), &["preprocessor_config.json"]));
    bench.get("main", false).unwrap();
    let asked = bench.hub.requests().len();
    assert!(bench.get("main", false).unwrap().notes.is_empty());
    assert_eq!(bench.hub.requests().len(), asked);
}

#[test]
fn completing_a_joined_model_leaves_the_references_of_python_alone() {
    let whole = fixture("siglip2");
    let mut pickled = without(&whole, &["model.safetensors"]);
    pickled.insert(PICKLE.into(), vec![0; 9]);
    let (bench, main) = Bench::new(pickled);
    let converted = bench.hub.add(REPO, "refs/pr/7", whole.clone());
    bench.python(&main, &without(&whole, &["model.safetensors", "tokenizer.json"]), true);
    bench.python(&converted, &without(&whole, &["config.json", "tokenizer.json"]), true);
    bench.point("main", &main);
    bench.point("refs/pr/7", &converted);
    loads(&bench.get("main", false).unwrap());
    assert_eq!(fs::read_to_string(bench.folder().join("refs/main")).unwrap(), main);
    assert!(bench.hub.store_requests().is_empty(), "the weights were there");
    let asked = bench.hub.requests().len();
    loads(&bench.get("main", true).unwrap());
    assert_eq!(bench.hub.requests().len(), asked);
}

#[test]
fn what_is_in_the_cache_is_completed_and_not_replaced_by_another_layout() {
    let mut both = fixture("gelu-eps");
    let open = fixture("open-clip");
    both.extend(open.clone().into_iter().filter(|(name, _)| name.starts_with("open_clip")));
    both.insert("tokenizer.json".into(), open["tokenizer.json"].clone());
    let (bench, commit) = Bench::new(both);
    // OpenCLIP brings its own tokenizer, so its caches have none.
    bench.python(&commit, &without(&open, &["tokenizer.json"]), true);
    bench.point("main", &commit);
    let found = bench.get("main", false).unwrap();
    assert_eq!(
        Bench::names(&found),
        ["open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json"]
    );
    assert!(bench.hub.store_requests().is_empty(), "the weights were there");
}

#[test]
fn a_configuration_of_timm_beside_open_clips_is_not_taken_for_the_model() {
    let mut both = fixture("open-clip");
    both.insert("config.json".into(), br#"{"architecture": "vit_base_patch16_siglip_224"}"#.to_vec());
    both.insert("model.safetensors".into(), vec![0; 9]);
    let (bench, _) = Bench::new(both);
    loads(&bench.get("main", false).unwrap());
    assert!(bench.hub.store_requests().iter().all(|request| request.contains("open_clip_model")));
    loads(&bench.get("main", true).unwrap());
}

#[test]
fn what_is_not_supported_costs_no_weights() {
    let mut other = fixture("quick");
    other.insert("config.json".into(), br#"{"model_type": "flava"}"#.to_vec());
    let (bench, _) = Bench::new(other);
    bench.refused(&["config.json", "flava", "siglip"]);
    assert!(bench.hub.store_requests().is_empty());
    let mut eva = fixture("open-clip");
    let config =
        br#"{"model_cfg": {"embed_dim": 8, "vision_cfg": {"timm_model_name": "eva02"}, "text_cfg": {}}}"#;
    eva.insert("open_clip_config.json".into(), config.to_vec());
    let (bench, _) = Bench::new(eva);
    bench.refused(&["open_clip_config.json", "eva02"]);
    assert!(bench.hub.store_requests().is_empty());
    let mut pickled = without(&fixture("open-clip"), &["open_clip_model.safetensors"]);
    pickled.insert("open_clip_pytorch_model.bin".into(), vec![0]);
    let (bench, _) = Bench::new(pickled);
    bench.refused(&["open_clip_pytorch_model.bin", "pickle"]);
}

#[test]
fn refusals_are_told_apart() {
    let (bench, _) = Bench::new(fixture("quick"));
    let page = format!("{}/{REPO}", bench.hub.address);
    let with = |token: Option<&str>, fault: Option<Fault>, revision: &str, words: &[&str]| {
        bench.hub.repair();
        if let Some(fault) = fault {
            bench.hub.fault("/resolve/", fault);
        }
        let place = Place { token: token.map(str::to_owned), ..bench.place(false) };
        let error = bench.get_with(&place, revision, &mut |_| ()).unwrap_err();
        assert!(matches!(error, ClipError::Refused { .. }), "{error:?}");
        let error = error.to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "{word:?} is not in: {error}"));
        error
    };
    let all = [
        with(None, Some(Fault::Status(401, "GatedRepo")), "main", &["gated", &page, "set HF_TOKEN"]),
        with(Some("x"), Some(Fault::Status(403, "GatedRepo")), "main", &["gated", &page, "403", "no access"]),
        with(Some("x"), Some(Fault::Status(401, "")), "main", &["HF_TOKEN", "401", "expired"]),
        with(None, Some(Fault::Status(401, "")), "main", &["401", "check the name"]),
        with(None, Some(Fault::Status(404, "")), "main", &["404", "check the name"]),
        with(None, None, "v9", &["no revision v9", "404"]),
    ];
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len());
}

#[test]
fn every_wait_ends() {
    let (bench, _) = Bench::new(fixture("quick"));
    bench.hub.fault("/api/", Fault::Silence);
    bench.refused(&[&bench.hub.address, "no answer within"]);
    bench.hub.repair();
    bench.hub.fault("/api/", Fault::Loop);
    bench.refused(&["redirected more than 5 times"]);
    bench.hub.repair();
    bench.hub.fault("config.json", Fault::Stall);
    bench.refused(&["config.json", "stopped for 1 s"]);
    bench.hub.repair();
    let nobody = Place { endpoint: "http://127.0.0.1:9".into(), ..bench.place(false) };
    let error = bench.get_with(&nobody, "main", &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:9") && error.contains("pass a model folder"), "{error}");
}

#[test]
fn answers_are_not_trusted() {
    for (path, fault, words) in [
        ("/api/", Fault::Commit("../../../out"), "invalid commit"),
        ("/resolve/", Fault::Tag("../../../out"), "invalid entity tag"),
        ("model.safetensors", Fault::Damaged, "damaged"),
    ] {
        let (bench, _) = Bench::new(fixture("quick"));
        bench.hub.fault(path, fault);
        bench.refused(&[words]);
        let inside: Vec<_> =
            bench.cache.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(inside.iter().all(|path| *path == bench.folder()), "{inside:?}");
        assert!(bench.get("main", true).is_err(), "nothing of it is used");
        bench.hub.repair();
        loads(&bench.get("main", false).unwrap());
    }
}

#[test]
fn a_broken_download_goes_on() {
    let (bench, _) = Bench::new(fixture("quick"));
    bench.hub.fault("model.safetensors", Fault::Cut);
    // Each attempt brings half of what is left, and is given up after some.
    bench.refused(&["model.safetensors", "connection"]);
    bench.hub.repair();
    let before = bench.hub.store_requests().len();
    loads(&bench.get("main", false).unwrap());
    let last = bench.hub.store_requests()[before..].join("");
    assert!(last.to_ascii_lowercase().contains("range: bytes="), "it goes on where it stopped: {last}");
}

#[test]
fn offline_says_what_is_missing() {
    let (bench, commit) = Bench::new(fixture("quick"));
    let error = bench.get("main", true).unwrap_err().to_string();
    let folder = bench.folder();
    for word in ["owner/model at main", folder.to_str().unwrap(), "HF_HUB_OFFLINE", "--offline"] {
        assert!(error.contains(word), "{error}");
    }
    let mut pickled = without(&fixture("quick"), &["model.safetensors"]);
    pickled.insert(PICKLE.into(), vec![0]);
    bench.python(&commit, &pickled, true);
    bench.point("main", &commit);
    assert!(bench.get("main", true).unwrap_err().to_string().contains(PICKLE));
    assert!(bench.hub.requests().is_empty());
}
