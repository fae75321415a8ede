//! A sandbox for each test: folders for dataset and session, and a program that sees nothing of the user who runs the
//! tests.

use crate::artefacts::program;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The reviewer in tests.
pub const REVIEWER: &str = "tester";

/// A temporary folder with a dataset folder and a session folder in it.
#[derive(Debug)]
pub struct Sandbox {
    place: TempDir,
}

/// The result of running the program.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; −1 if a signal ended it.
    pub code: i32,
    /// Its output.
    pub stdout: String,
    /// Its messages.
    pub stderr: String,
    /// Both as bytes, to check what must not be in them.
    pub raw: Vec<u8>,
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox::new()
    }
}

impl Sandbox {
    /// Creates one.
    pub fn new() -> Sandbox {
        let place = tempfile::Builder::new().prefix("chaffinch-test-").tempdir().unwrap();
        for folder in ["data", "home", "state", "config", "cache", "run"] {
            std::fs::create_dir(place.path().join(folder)).unwrap();
        }
        std::fs::set_permissions(
            place.path().join("run"),
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
        .unwrap();
        Sandbox { place }
    }

    /// With the sample set that the program has, scanned, and where its pictures are.
    pub fn with_demo() -> (Sandbox, PathBuf) {
        let sandbox = Sandbox::new();
        sandbox.ok(["demo"]);
        let cache = sandbox.path().join("cache/chaffinch");
        let mut folders = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path().join("images"));
        let data = folders.find(|folder| folder.is_dir()).unwrap();
        (sandbox, data)
    }

    /// The sandbox folder.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Where the dataset goes.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Where the session goes.
    pub fn session(&self) -> PathBuf {
        self.path().join("session")
    }

    /// The environment of every program here: nothing of the user's own.
    pub fn environment(&self) -> Vec<(String, String)> {
        let at = |name: &str| self.path().join(name).to_str().unwrap().to_owned();
        let mut all = vec![
            ("HOME".to_owned(), at("home")),
            ("XDG_STATE_HOME".into(), at("state")),
            ("XDG_CONFIG_HOME".into(), at("config")),
            ("XDG_CACHE_HOME".into(), at("cache")),
            ("XDG_RUNTIME_DIR".into(), at("run")),
            ("USER".into(), REVIEWER.into()),
            ("LOGNAME".into(), REVIEWER.into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("PATH".into(), std::env::var("PATH").unwrap_or_default()),
            ("RUST_BACKTRACE".into(), "0".into()),
            ("HF_HUB_OFFLINE".into(), "1".into()),
        ];
        if let Ok(threads) = std::env::var("RAYON_NUM_THREADS") {
            all.push(("RAYON_NUM_THREADS".into(), threads));
        }
        all
    }

    /// The same command with SIGHUP ignored, as under nohup.
    pub fn without_hang_up(&self, command: &Command) -> Command {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args());
        shell.envs(self.environment()).current_dir(self.path());
        shell
    }

    /// The program with that environment.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program());
        command.args(args).env_clear().envs(self.environment()).current_dir(self.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs `open --plain` with these arguments and types these lines into it.
    pub fn plain<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, lines: &str) -> Ran {
        let mut command = self.command(["open", "--plain"]);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that refuses its arguments ends before it reads a line.
        if let Err(error) = child.stdin.take().unwrap().write_all(lines.as_bytes()) {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
        }
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Runs the program to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// Runs the program, which must succeed.
    pub fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        let mut command = self.command(args);
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 0, "{command:?}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    /// Arguments of a scan of the dataset into the session.
    pub fn scan_args(&self) -> Vec<String> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        vec!["scan".into(), text(self.data()), "--session".into(), text(self.session()), "--json".into()]
    }

    /// Scans the dataset and returns the report.
    pub fn scan(&self) -> Value {
        report(&self.ok(self.scan_args()))
    }

    /// The ranking as rows of column and value, worst first.
    pub fn rank(&self, top: usize) -> Vec<std::collections::BTreeMap<String, String>> {
        let ran =
            self.ok(["rank", self.session().to_str().unwrap(), "--top", &top.to_string(), "--format", "csv"]);
        table(&ran.stdout)
    }

    /// The entries of the decision journal, in order.
    pub fn journal(&self) -> Vec<Value> {
        journal(&self.session())
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            raw: [output.stdout, output.stderr].concat(),
        }
    }
}

/// The JSON printed by a run.
pub fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("invalid JSON ({error}) in\n{}\n{}", ran.stdout, ran.stderr))
}

/// The scan report of a run: the last line or the whole text.
pub fn report(ran: &Ran) -> Value {
    let value: Value = serde_json::from_str(&ran.stdout)
        .or_else(|_| serde_json::from_str(ran.stdout.trim().lines().last().unwrap_or_default()))
        .unwrap_or_else(|error| panic!("invalid report ({error}) in\n{}\n{}", ran.stdout, ran.stderr));
    assert!(value.get("samples").is_some(), "this is not a scan report: {value}");
    value
}

/// A count in a report.
pub fn number(report: &Value, field: &str) -> u64 {
    report[field].as_u64().unwrap_or_else(|| panic!("the report has no number '{field}': {report}"))
}

/// Rows of a CSV text.
pub fn table(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap_or_else(|error| panic!("{error} in\n{text}"))).collect()
}

/// The entries of every reviewer's decision journal in a session.
pub fn journal(session: &Path) -> Vec<Value> {
    let mut entries = Vec::new();
    let Ok(folder) = std::fs::read_dir(session.join("decisions")) else { return entries };
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort_unstable();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        // A last line without a newline is a torn write, which readers drop.
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        for line in std::str::from_utf8(&bytes[..whole]).unwrap().lines() {
            entries.push(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}")));
        }
    }
    entries
}
