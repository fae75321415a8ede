//! Faults of disks and of other programs, injected into the program: `tests/faults/preload.c` makes its calls to the C
//! library fail.

use crate::artefacts::{keep_dir, root};
use crate::sandbox::Ran;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What can be injected: the call that fails, and how. `short` transfers half of what was asked for, `end` says that the
/// file ends.
pub const KINDS: [&str; 34] = [
    "write-EIO",
    "write-ENOSPC",
    "write-EDQUOT",
    "write-EFBIG",
    "write-EINTR",
    "write-short",
    "fsync-EIO",
    "fsync-ENOSPC",
    "fsync-EDQUOT",
    "rename-EIO",
    "rename-ENOSPC",
    "rename-EACCES",
    "rename-EXDEV",
    "rename-EBUSY",
    "create-EIO",
    "create-ENOSPC",
    "create-EACCES",
    "create-EROFS",
    "create-EMFILE",
    "create-ENFILE",
    "open-EIO",
    "open-ENOENT",
    "open-EACCES",
    "open-ESTALE",
    "read-EIO",
    "read-EINTR",
    "read-short",
    "read-end",
    "mkdir-ENOSPC",
    "mkdir-EACCES",
    "cut-EIO",
    "lock-ENOLCK",
    "unlink-EACCES",
    "copy-ENOSPC",
];

/// A fault to inject.
#[derive(Debug, Clone)]
pub struct Fault {
    /// One of [`KINDS`]; or `kill-any`: the program is killed at the call; or `read-hang`: the call never returns.
    pub kind: &'static str,
    /// Only calls about files with this text in their path count.
    pub path: PathBuf,
    /// How many of them succeed before.
    pub after: usize,
    /// How many fail then; all that follow if it is 0.
    pub times: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { kind, path, after, times } = self;
        write!(out, "{kind} in {} after {after}, {times} times", path.display())
    }
}

/// What a program did under a fault.
#[derive(Debug)]
pub struct Faulted {
    /// How it ended; −1 if it was killed.
    pub ran: Ran,
    /// How many of its calls failed.
    pub hits: usize,
    /// How long it ran.
    pub time: Duration,
}

/// The library, built once per test process.
pub fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = keep_dir("faults").join(format!("preload-{}.so", std::process::id()));
        let source = root().join("tests/faults/preload.c");
        let status = Command::new("cc")
            .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
            .args([library.as_os_str(), source.as_os_str()])
            .arg("-ldl")
            .status()
            .unwrap();
        assert!(status.success());
        library
    })
}

impl Fault {
    /// Lets a command run under this fault, with a line in the log for each call that fails.
    pub fn arm(&self, command: &mut Command, log: &Path) {
        command
            .env("LD_PRELOAD", library())
            .env("FAULT", self.kind)
            .env("FAULT_PATH", &self.path)
            .env("FAULT_AFTER", self.after.to_string())
            .env("FAULT_TIMES", self.times.to_string())
            .env("FAULT_LOG", log);
    }

    /// Runs a command under this fault, with these lines typed into it, and kills it if it takes longer than `limit`.
    pub fn run(&self, mut command: Command, lines: &str, limit: Duration) -> Faulted {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        self.arm(&mut command, &log);
        let typed = folder.path().join("typed");
        std::fs::write(&typed, lines).unwrap();
        let file = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
        command.stdin(std::fs::File::open(&typed).unwrap()).stdout(file("out")).stderr(file("err"));
        let start = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > limit {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{self}: it did not end within {limit:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let time = start.elapsed();
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap_or_default();
        let output = std::process::Output { status, stdout: read("out"), stderr: read("err") };
        Faulted { ran: Ran::from(output), hits: read("log").split(|byte| *byte == b'\n').count() - 1, time }
    }
}
