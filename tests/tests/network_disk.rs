//! Two machines and a disk that they share over a network, which neither carries locks from one to the other nor shows at once what
//! the other has written: they scan side by side, and what was shown as saved is never lost.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_tests::network_disk::NetworkDisk;
use chaffinch_tests::pictures;
use chaffinch_tests::sandbox::{Ran, Sandbox, journal, number, report, table};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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
        let command = node.sandbox.command(args);
        // What it refuses is read where it answers.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(command.get_program()).args(command.get_args());
        let mut command = shell;
        command.env_clear().envs(node.sandbox.environment()).current_dir(node.sandbox.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Plain { child, answers }
    }

    /// Types a line, and reads until a line of the answer has one of these words, which is returned.
    fn says(&mut self, line: &str, words: &[&str]) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut all = String::new();
        loop {
            let mut answer = String::new();
            let read = self.answers.read_line(&mut answer).unwrap();
            assert!(read > 0, "'{line}' was not answered with {words:?}:\n{all}");
            if words.iter().any(|word| answer.contains(word)) {
                return answer;
            }
            all.push_str(&answer);
        }
    }

    /// Decides about the sample in a row; whether that was shown as done.
    fn decides(&mut self, row: usize, choice: &str) -> bool {
        self.says(&format!("go {row}"), &["size: "]);
        self.says(choice, &["samples decided", "error: "]).contains("samples decided")
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
        plain.says("toggle-all", &["size: "]);
    }
    for row in 1..=6 {
        assert!(anna.decides(row, "remove") && ben.decides(row + 8, "keep"));
    }
    for plain in [anna, ben] {
        assert_eq!(plain.quit().code, 0);
    }
    assert_eq!(journal(&one.at("session")).len(), 12);
    assert_eq!(decided(&one).len(), 12);
}

#[test]
fn one_reviewer_on_two_machines_is_told_before_anything_is_shown_as_saved() {
    let place = tempfile::tempdir().unwrap();
    let Some(mut disk) = NetworkDisk::new(place.path()) else { return };
    let (one, two) = (Node::new(&mut disk), Node::new(&mut disk));
    pictures::dataset(&one.at("data"), 2, 8, 32);
    one.sandbox.ok(one.args(&one.at("session"), &[]));
    let (mut here, mut there) = (Plain::open(&one, "anna"), Plain::open(&two, "anna"));
    let mut saved = 0;
    for plain in [&mut here, &mut there] {
        plain.says("toggle-all", &["size: "]);
    }
    for row in 1..=4 {
        saved += usize::from(here.decides(row, "remove"));
        saved += usize::from(there.decides(row + 8, "keep"));
    }
    let codes = [here, there].map(|plain| plain.quit().code);
    assert_eq!(decided(&one).len(), saved, "what was shown as saved is there, and nothing else");
    assert_eq!(saved, 4, "the second to write is refused");
    assert!(codes.contains(&0) && codes.contains(&2), "who was refused is told at the end: {codes:?}");
}
