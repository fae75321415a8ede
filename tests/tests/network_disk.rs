//! Two machines and a disk that they share over a network, which neither carries locks from one to the other nor shows at once what
//! the other has written: they scan side by side, and what was shown as saved is never lost.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::network_disk::NetworkDisk;
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox, journal, number, report, table};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// A machine of its own, but for the disk: home, sockets, caches and sandbox are its own.
struct Node {
    sandbox: Sandbox,
}

impl Node {
    fn new(disk: &mut NetworkDisk) -> Node {
        let sandbox = Sandbox::new();
        disk.mount(&sandbox.path().join("shared"));
        Node { sandbox }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.sandbox.path().join("shared").join(name)
    }

    fn args(&self, session: &Path, more: &[&str]) -> Vec<String> {
        let data = self.at("data");
        let own = [text(&data), "--session", text(session), "--model", "bundled-small", "--json"];
        ["scan"].iter().chain(&own).chain(more).map(|&word| word.to_owned()).collect()
    }

    fn begin(&self, session: &Path, more: &[&str]) -> Child {
        let mut command = self.sandbox.command(self.args(session, more));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn rank(&self, session: &Path) -> String {
        let ran = self.sandbox.ok(["rank", text(session), "--all", "--top", "0", "--format", "csv"]);
        ran.stdout.replace(text(self.sandbox.path()), "NODE")
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn ended(child: Child) -> serde_json::Value {
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    report(&ran)
}

#[test]
fn two_machines_fill_one_store_and_their_shards_are_one_session() {
    let place = tempfile::tempdir().unwrap();
    let Some(mut disk) = NetworkDisk::new(place.path()) else { return };
    let (one, two) = (Node::new(&mut disk), Node::new(&mut disk));
    let samples = pictures::dataset(&one.at("data"), 3, 40, 32).len() as u64;
    let store = |node: &Node| node.at("store").to_str().unwrap().to_owned();
    let shards = [&one, &two].into_iter().zip(["1/2", "2/2"]).map(|(node, shard)| {
        let session = node.at(&format!("shard-{}", &shard[..1]));
        node.begin(&session, &["--shard", shard, "--store", &store(node)])
    });
    let shards: Vec<Child> = shards.collect();
    let read: u64 = shards.into_iter().map(|shard| number(&ended(shard), "samples")).sum();
    assert_eq!(read, samples);
    let (merged, shards) = (one.at("merged"), [one.at("shard-1"), one.at("shard-2")]);
    one.sandbox.ok([
        "merge",
        "--session",
        text(&merged),
        "--dataset",
        text(&one.at("data")),
        "--store",
        &store(&one),
        text(&shards[0]),
        text(&shards[1]),
    ]);
    // As one machine with a disk of its own would have made it.
    let own = one.sandbox.session();
    let whole = ended(one.begin(&own, &[]));
    assert_eq!(number(&whole, "embedded"), samples, "the other session has vectors of its own");
    assert_eq!(one.rank(&merged), one.rank(&own));
    assert_eq!(two.rank(&two.at("merged")), one.rank(&own), "the other machine reads the same");
}

#[test]
fn two_machines_that_fill_a_store_at_once_lose_no_vector() {
    let place = tempfile::tempdir().unwrap();
    let Some(mut disk) = NetworkDisk::new(place.path()) else { return };
    let (one, two) = (Node::new(&mut disk), Node::new(&mut disk));
    let samples = pictures::dataset(&one.at("data"), 3, 40, 32).len() as u64;
    let scans = [&one, &two]
        .map(|node| node.begin(&node.sandbox.session(), &["--store", node.at("store").to_str().unwrap()]));
    for scan in scans {
        assert_eq!(number(&ended(scan), "samples"), samples);
    }
    let third = report(&one.sandbox.ok(one.args(&one.at("third"), &["--store", text(&one.at("store"))])));
    assert_eq!(number(&third, "embedded"), 0, "each vector is in the store");
    assert_eq!(one.rank(&one.sandbox.session()), two.rank(&two.sandbox.session()));
}

/// `open --plain` on one of the machines, to which lines are typed one by one.
struct Plain {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Plain {
    fn open(node: &Node, reviewer: &str) -> Plain {
        let session = node.at("session");
        let args = ["open", "--plain", text(&session), "--reviewer", reviewer];
        let mut command = node.sandbox.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Plain { child, answers }
    }

    /// Types a line, and reads until a line of the answer contains a word.
    fn says(&mut self, line: &str, word: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut all = String::new();
        while !all.lines().last().is_some_and(|last| last.contains(word)) {
            let read = self.answers.read_line(&mut all).unwrap();
            assert!(read > 0, "'{line}' was not answered with '{word}':\n{all}");
        }
        all
    }

    fn quit(mut self) -> Ran {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.answers, &mut rest).unwrap();
        Ran::from(self.child.wait_with_output().unwrap())
    }
}

/// What was decided, by the name of the file.
fn decided(node: &Node) -> Vec<(String, String)> {
    let rows = table(&node.rank(&node.at("session")));
    let said = rows.into_iter().filter(|row| !row["decision"].is_empty());
    let mut all: Vec<_> = said.map(|row| (row["path"].clone(), row["decision"].clone())).collect();
    all.sort();
    all
}

#[test]
fn two_reviewers_on_two_machines_lose_nothing() {
    let place = tempfile::tempdir().unwrap();
    let Some(mut disk) = NetworkDisk::new(place.path()) else { return };
    let (one, two) = (Node::new(&mut disk), Node::new(&mut disk));
    pictures::dataset(&one.at("data"), 2, 8, 32);
    one.sandbox.ok(one.args(&one.at("session"), &[]));
    let (mut anna, mut ben) = (Plain::open(&one, "anna"), Plain::open(&two, "ben"));
    for plain in [&mut anna, &mut ben] {
        plain.says("toggle-all", "16");
    }
    for number in 1..=6 {
        anna.says(&format!("go {number}"), "label:");
        anna.says("remove", "saved");
        ben.says(&format!("go {}", number + 8), "label:");
        ben.says("keep", "saved");
    }
    for plain in [anna, ben] {
        let ran = plain.quit();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(journal(&one.at("session")).len(), 12);
    assert_eq!(decided(&one).len(), 12);
}
