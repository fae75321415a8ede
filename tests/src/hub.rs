//! A stand-in for the Hugging Face Hub on the loopback interface: repositories from memory, large files in a store at
//! another address, and the faults that hubs and networks have.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What goes wrong with requests whose path contains a text.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Another status, with the hub's own code for the reason.
    Status(u16, &'static str),
    /// No answer, ever.
    Silence,
    /// A redirect to itself.
    Loop,
    /// This entity tag.
    Tag(&'static str),
    /// This commit in the answer about a model.
    Commit(&'static str),
    /// One bit of the contents is wrong.
    Damaged,
    /// The connection is lost halfway.
    Cut,
    /// Half of the contents, and then nothing.
    Stall,
}

/// Everything a stand-in serves.
#[derive(Default)]
struct Content {
    /// Commit and files by repository and revision.
    revisions: BTreeMap<(String, String), (String, Files)>,
    /// Who opened a pull request, by repository and number.
    authors: BTreeMap<(String, u64), String>,
    faults: Vec<(String, Fault)>,
    /// Heads of requests to the hub, and to the store.
    requests: [Vec<String>; 2],
}

/// A hub with its store.
pub struct Hub {
    /// For `HF_ENDPOINT`.
    pub address: String,
    content: Arc<Mutex<Content>>,
}

impl Default for Hub {
    fn default() -> Hub {
        Hub::new()
    }
}

impl Hub {
    /// An empty one.
    pub fn new() -> Hub {
        let content: Arc<Mutex<Content>> = Arc::default();
        let (store, listener) = listen();
        serve(listener, Arc::clone(&content), None);
        let (address, listener) = listen();
        serve(listener, Arc::clone(&content), Some(store));
        Hub { address, content }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap()
    }

    /// Adds a revision of a repository and returns its commit.
    pub fn add(&self, repo: &str, revision: &str, files: Files) -> String {
        let mut hasher = Sha256::new();
        files.iter().for_each(|(name, bytes)| hasher.update([name.as_bytes(), bytes].concat()));
        let commit = hexadecimal(&hasher.finalize())[..40].to_owned();
        self.content().revisions.insert((repo.into(), revision.into()), (commit.clone(), files));
        commit
    }

    /// Says who opened a pull request. Without any, the stand-in does not tell, as some mirrors do not.
    pub fn author(&self, repo: &str, number: u64, name: &str) {
        self.content().authors.insert((repo.into(), number), name.into());
    }

    /// Requests whose path contains that text go wrong from now on; the last fault that fits counts.
    pub fn fault(&self, path: &str, fault: Fault) {
        self.content().faults.push((path.into(), fault));
    }

    /// Nothing goes wrong any more.
    pub fn repair(&self) {
        self.content().faults.clear();
    }

    /// Heads of the requests to the hub so far.
    pub fn requests(&self) -> Vec<String> {
        self.content().requests[0].clone()
    }

    /// Heads of the requests to the store so far.
    pub fn store_requests(&self) -> Vec<String> {
        self.content().requests[1].clone()
    }
}

/// The files of a folder that are part of a checkpoint.
pub fn files(folder: &Path) -> Files {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let named = entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()));
    named.filter(|(name, _)| name != "expected.json").collect()
}

/// The same without some.
pub fn without(files: &Files, names: &[&str]) -> Files {
    let kept = files.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

fn listen() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

/// Answers on threads that end with the process; `store` is the address of the store, if this is the hub itself.
fn serve(listener: TcpListener, content: Arc<Mutex<Content>>, store: Option<String>) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (content, store) = (Arc::clone(&content), store.clone());
            std::thread::spawn(move || connection(&stream, &content, store.as_deref()));
        }
    });
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Bytes of the body to send before the connection breaks, and whether it stays open.
    breaks: Option<(usize, bool)>,
}

fn answer(status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Answer {
    Answer { status, headers, body, breaks: None }
}

fn connection(stream: &TcpStream, content: &Mutex<Content>, store: Option<&str>) {
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
        let fault = {
            let mut content = content.lock().unwrap();
            content.requests[usize::from(store.is_none())].push(head.clone());
            content.faults.iter().rev().find(|(part, _)| path.contains(part)).map(|(_, fault)| fault.clone())
        };
        if matches!(fault, Some(Fault::Silence)) {
            std::thread::sleep(Duration::from_secs(600));
            return;
        }
        let from = head.lines().find_map(|line| {
            let range = line.to_ascii_lowercase().strip_prefix("range: bytes=")?.to_owned();
            range.trim_end_matches('-').parse::<usize>().ok()
        });
        let answer = answered(&content.lock().unwrap(), &path, fault.as_ref(), from, store);
        let mut sent = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            sent += &format!("{name}: {value}\r\n");
        }
        let until = answer.breaks.map_or(answer.body.len(), |(until, _)| until);
        let written =
            out.write_all((sent + "\r\n").as_bytes()).and_then(|()| out.write_all(&answer.body[..until]));
        match (written, answer.breaks) {
            (Err(_), _) => return,
            (_, Some((_, true))) => std::thread::sleep(Duration::from_secs(600)),
            (_, Some((_, false))) => {
                let _ = stream.shutdown(std::net::Shutdown::Both);
                return;
            }
            (_, None) => {}
        }
    }
}

fn answered(
    content: &Content,
    path: &str,
    fault: Option<&Fault>,
    from: Option<usize>,
    store: Option<&str>,
) -> Answer {
    match fault {
        Some(Fault::Status(status, code)) => {
            return answer(*status, vec![("x-error-code", (*code).to_owned())], b"no".to_vec());
        }
        Some(Fault::Loop) => return answer(302, vec![("location", path.to_owned())], Vec::new()),
        _ => {}
    }
    let missing = |code: &str| answer(404, vec![("x-error-code", code.to_owned())], b"no".to_vec());
    let bare = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = bare.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["api", "models", owner, name, "revision", revision] => {
            let repo = format!("{owner}/{name}");
            let revision = revision.replace("%2F", "/");
            if !content.revisions.keys().any(|(known, _)| *known == repo) {
                return missing("RepoNotFound");
            }
            let Some((commit, files)) = find(content, &repo, &revision) else {
                return missing("RevisionNotFound");
            };
            let commit = match fault {
                Some(Fault::Commit(other)) => *other,
                _ => commit.as_str(),
            };
            let sibling = |(name, bytes): (&String, &Vec<u8>)| match name.ends_with(".safetensors") {
                true => serde_json::json!({"rfilename": name, "size": bytes.len(),
                    "lfs": {"sha256": sha256(bytes), "size": bytes.len()}}),
                false => serde_json::json!({"rfilename": name, "size": bytes.len()}),
            };
            let siblings: Vec<_> = files.iter().map(sibling).collect();
            json(&serde_json::json!({"sha": commit, "siblings": siblings}))
        }
        ["api", "models", owner, name, "refs"] => {
            let repo = format!("{owner}/{name}");
            let of = content.revisions.iter().filter(|((known, _), _)| *known == repo);
            let requests = of.filter(|((_, revision), _)| revision.starts_with("refs/pr/"));
            let requests: Vec<_> = requests
                .map(|((_, revision), (commit, _))| {
                    serde_json::json!({"name": revision, "ref": revision, "targetCommit": commit})
                })
                .collect();
            json(&serde_json::json!({"branches": [], "tags": [], "pullRequests": requests}))
        }
        ["api", "models", owner, name, "discussions"] if !content.authors.is_empty() => {
            let repo = format!("{owner}/{name}");
            let of = content.authors.iter().filter(|((known, _), _)| *known == repo);
            let all: Vec<_> = of
                .map(|((_, number), author)| serde_json::json!({"num": number, "author": {"name": author}}))
                .collect();
            json(&serde_json::json!({"count": all.len(), "discussions": all}))
        }
        [owner, name, "resolve", commit, file @ ..] => {
            let file = file.join("/");
            let found = find(content, &format!("{owner}/{name}"), commit);
            match found.and_then(|(_, files)| files.get(&file)) {
                Some(bytes) => {
                    contents(&file, bytes, fault, from, store.map(|store| format!("{store}{path}")))
                }
                None => missing("EntryNotFound"),
            }
        }
        _ => missing(""),
    }
}

/// A revision by its name or its commit.
fn find<'a>(content: &'a Content, repo: &str, revision: &str) -> Option<(&'a String, &'a Files)> {
    let mut all = content.revisions.iter().filter(|((known, _), _)| known == repo);
    all.find(|((_, name), (commit, _))| name == revision || commit == revision)
        .map(|(_, (commit, files))| (commit, files))
}

/// A file itself, or a redirect to the store for weights.
fn contents(
    file: &str,
    bytes: &[u8],
    fault: Option<&Fault>,
    from: Option<usize>,
    stored: Option<String>,
) -> Answer {
    let tag = match fault {
        Some(Fault::Tag(tag)) => (*tag).to_owned(),
        _ => sha256(bytes),
    };
    if let Some(stored) = stored.filter(|_| file.ends_with(".safetensors")) {
        let headers = vec![
            ("location", stored),
            ("x-linked-etag", format!("\"{tag}\"")),
            ("x-linked-size", bytes.len().to_string()),
        ];
        return answer(302, headers, Vec::new());
    }
    // Small files have git's identifiers, which are no SHA-256.
    let tag = if file.ends_with(".safetensors") || matches!(fault, Some(Fault::Tag(_))) {
        tag
    } else {
        tag[..40].into()
    };
    let mut headers = vec![("etag", format!("\"{tag}\""))];
    let mut body = bytes.to_vec();
    if let (Some(Fault::Damaged), Some(last)) = (fault, body.last_mut()) {
        *last ^= 1;
    }
    let mut status = 200;
    if let Some(from) = from {
        if from >= body.len() {
            return answer(416, Vec::new(), Vec::new());
        }
        headers.push(("content-range", format!("bytes {from}-{}/{}", body.len() - 1, body.len())));
        body.drain(..from);
        status = 206;
    }
    let half = body.len() / 2;
    let breaks = match fault {
        Some(Fault::Cut) => Some((half, false)),
        Some(Fault::Stall) => Some((half, true)),
        _ => None,
    };
    Answer { breaks, ..answer(status, headers, body) }
}

fn json(value: &serde_json::Value) -> Answer {
    answer(200, vec![("content-type", "application/json".to_owned())], value.to_string().into_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
