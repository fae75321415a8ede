use super::*;
use crate::{DeviceChoice, ModelSource, load};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one repository, `owner/model`, on the loopback interface.
struct FakeHub {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeHub {
    fn new(files: BTreeMap<String, Vec<u8>>) -> FakeHub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&requests);
        let files = Arc::new(files);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, log) = (Arc::clone(&files), Arc::clone(&log));
                std::thread::spawn(move || answer(&stream, &files, &log));
            }
        });
        FakeHub { address, requests }
    }

    /// Of a folder with a checkpoint.
    fn serving(folder: &Path) -> FakeHub {
        let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let file = |path: PathBuf| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
        };
        FakeHub::new(entries.map(file).collect())
    }

    fn hub(&self, cache: &Path, offline: bool) -> Hub {
        let token = Some("secret".into());
        Hub { cache: cache.into(), endpoint: self.address.clone(), token, offline }
    }

    fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// Answers requests as the hub does: `/api/models/...` lists files, `/.../resolve/...` sends parts of them.
fn answer(stream: &TcpStream, files: &BTreeMap<String, Vec<u8>>, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut out = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        log.lock().unwrap().push(head.clone());
        let range = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
        let name = path.strip_prefix(&format!("/owner/model/resolve/{COMMIT}/"));
        let known = ["main", COMMIT].map(|revision| format!("/api/models/owner/model/revision/{revision}"));
        let (status, extra, body) = if known.contains(&path) {
            let siblings: Vec<_> = files.keys().map(|name| serde_json::json!({"rfilename": name})).collect();
            let list = serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string();
            ("200 OK", "content-type: application/json\r\n".to_owned(), list.into_bytes())
        } else if let Some(bytes) = name.and_then(|name| files.get(name)) {
            let range = range.unwrap_or_else(|| "0-".into());
            let (start, end) = range.split_once('-').unwrap();
            let start: usize = start.parse().unwrap();
            let end = end.parse().map_or(bytes.len(), |end: usize| end + 1).min(bytes.len());
            let extra = format!(
                "x-repo-commit: {COMMIT}\r\netag: \"{:016x}\"\r\ncontent-range: bytes {start}-{}/{}\r\n",
                blake3::hash(bytes).as_bytes()[..8].iter().fold(0_u64, |n, &b| n << 8 | u64::from(b)),
                end - 1,
                bytes.len()
            );
            ("206 Partial Content", extra, bytes[start..end].to_vec())
        } else {
            ("404 Not Found", String::new(), b"no".to_vec())
        };
        let head = format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\n\r\n", body.len());
        if out.write_all(head.as_bytes()).and_then(|()| out.write_all(&body)).is_err() {
            return;
        }
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn a_model_is_fetched_once_and_then_found_offline() {
    // One in a single file, one in shards, one with vocab.json and merges.txt.
    for name in ["quick", "asymmetric", "legacy"] {
        let served = FakeHub::serving(&fixture(name));
        let cache = tempfile::tempdir().unwrap();
        let mut seen: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut progress = |p: FetchProgress| {
            seen.insert(p.file.into(), (p.done, p.total));
        };
        let folder = served.hub(cache.path(), false).snapshot("owner/model", "main", &mut progress).unwrap();
        assert!(folder.starts_with(cache.path()) && folder.ends_with(COMMIT), "{}", folder.display());
        assert!(
            seen.len() >= 4 && seen.values().all(|(done, total)| done == total && *total > 0),
            "{seen:?}"
        );
        assert!(!seen.contains_key("expected.json"), "only what is read is fetched");
        for request in served.requests.lock().unwrap().iter() {
            assert!(request.to_ascii_lowercase().contains("authorization: bearer secret"), "{request}");
        }
        load(&ModelSource::Folder(folder.clone()), DeviceChoice::Cpu).unwrap();
        // No more requests, online or offline, by branch or by commit.
        let asked = served.requests();
        for (offline, revision) in [(false, "main"), (true, "main"), (true, COMMIT)] {
            let again =
                served.hub(cache.path(), offline).snapshot("owner/model", revision, &mut |_| ()).unwrap();
            assert_eq!(again, folder);
        }
        assert_eq!(served.requests(), asked);
    }
}

#[test]
fn a_broken_fetch_goes_on() {
    let served = FakeHub::serving(&fixture("quick"));
    let cache = tempfile::tempdir().unwrap();
    let folder = served.hub(cache.path(), false).snapshot("owner/model", "main", &mut |_| ()).unwrap();
    std::fs::remove_file(folder.join(WEIGHTS)).unwrap();
    let mut seen = Vec::new();
    let mut progress = |p: FetchProgress| seen.push(p.file.to_owned());
    served.hub(cache.path(), false).snapshot("owner/model", "main", &mut progress).unwrap();
    assert!(seen.iter().all(|file| file == WEIGHTS) && !seen.is_empty(), "{seen:?}");
}

#[test]
fn what_cannot_be_had_is_explained() {
    let served =
        FakeHub::new(BTreeMap::from([("pytorch_model.bin".into(), vec![1]), (CONFIG.into(), vec![2])]));
    let cache = tempfile::tempdir().unwrap();
    let refused = |hub: Hub, repo: &str, words: &[&str]| {
        let error = hub.snapshot(repo, "main", &mut |_| ()).unwrap_err().to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "{error}"));
    };
    let folder = cache.path().join("models--owner--model");
    let folder = folder.to_str().unwrap();
    refused(
        served.hub(cache.path(), true),
        "owner/model",
        &["owner/model at main", folder, "HF_HUB_OFFLINE"],
    );
    refused(served.hub(cache.path(), false), "owner/other", &[&served.address, "owner/other", "HF_TOKEN"]);
    refused(served.hub(cache.path(), false), "owner/model", &["pytorch_model.bin", "pickle"]);
    let nobody = Hub { endpoint: "http://127.0.0.1:9".into(), ..served.hub(cache.path(), false) };
    refused(nobody, "owner/model", &["http://127.0.0.1:9", folder, "pass a model folder"]);
}
