//! Detectors that misbehave, as programs and as libraries, with what must be said of each.

use crate::artefacts::fixture;
use crate::pictures;
use crate::sandbox::{Ran, Sandbox};
use std::fs;
use std::path::PathBuf;

/// The greeting that a program begins with.
pub const HELLO: &str = r#"echo '{"type":"hello","protocol":1}'"#;

macro_rules! good {
    ($before:literal) => {
        concat!(
            $before,
            r#"
read -r run
count=$(printf '%s' "$run" | sed 's/.*"count":\([0-9]*\).*/\1/')
scores=$(yes 0.25 | head -n "$count" | paste -sd, -)
echo '{"type":"hello","protocol":1}'
echo "{\"type\":\"scores\",\"values\":[$scores]}"
echo '{"type":"issues","items":[{"sample":0,"score":0.125,"reason":"it is the first"}]}'
echo '{"type":"done"}'
"#
        )
    };
}

/// A program that scores every sample with 0.25.
pub const GOOD: &str = good!("");

/// A dataset, and a folder of detectors for it.
pub struct Programs {
    /// Where both are.
    pub sandbox: Sandbox,
}

impl Default for Programs {
    fn default() -> Programs {
        Programs::new()
    }
}

impl Programs {
    /// For 32 samples of 4 classes.
    pub fn new() -> Programs {
        Programs::of(4, 8)
    }

    /// For so many classes with so many samples each.
    pub fn of(classes: usize, each: usize) -> Programs {
        let programs = Programs { sandbox: Sandbox::new() };
        pictures::dataset(&programs.sandbox.data(), classes, each, 32);
        fs::create_dir(programs.folder()).unwrap();
        programs
    }

    /// The folder of detectors.
    pub fn folder(&self) -> PathBuf {
        self.sandbox.path().join("programs")
    }

    /// A project with a shell script, and more lines for its description.
    pub fn put(&self, name: &str, script: &str, more: &str) -> PathBuf {
        let folder = self.folder().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("run.sh"), script).unwrap();
        let text =
            format!("name = \"{name}\"\nsummary = \"Tries\"\ncommand = [\"sh\", \"run.sh\"]\n{more}\n");
        fs::write(folder.join("detector.toml"), text).unwrap();
        folder
    }

    /// Puts a library of `tests/bad` among them.
    pub fn put_library(&self, name: &str) {
        let library = fixture(name);
        fs::copy(&library, self.folder().join(library.file_name().unwrap())).unwrap();
    }

    /// Puts everything there that misbehaves, and two detectors that do not. Returns their number.
    pub fn put_all(&self) -> usize {
        self.put("good", GOOD, "");
        self.put_library("witness");
        STRANGE_PROGRAMS.iter().for_each(|(name, script)| _ = self.put(name, script, ""));
        for (name, script, more, _) in PROGRAMS {
            self.put(name, &format!("{HELLO}\n{script}\n"), more);
        }
        for (name, script, _) in STRANGERS {
            self.put(name, script, "");
        }
        LIBRARIES.iter().for_each(|(name, _)| self.put_library(name));
        PROGRAMS.len() + STRANGERS.len() + LIBRARIES.len()
    }

    /// Scans the dataset with them.
    pub fn scan(&self, more: &[&str]) -> Ran {
        let mut args = self.sandbox.scan_args();
        args.extend(["--plugins".to_owned(), self.folder().to_str().unwrap().to_owned()]);
        args.extend(more.iter().map(|&word| word.to_owned()));
        let mut command = self.sandbox.command(&args);
        Ran::from(command.envs(LIMITS).output().unwrap())
    }
}

/// Limits under which what never ends soon does. A library has none of its own.
pub const LIMITS: [(&str, &str); 2] = [("CHAFFINCH_TIME_LIMIT", "4"), ("CHAFFINCH_MEMORY_LIMIT", "200MiB")];

/// Time for what ends by something else, on a busy machine, too.
const LONG: &str = "[limits]\ntime = 60";

/// What goes wrong, as a shell script behind the greeting, lines of the description, and words of the reason.
pub const PROGRAMS: [(&str, &str, &str, &str); 32] = [
    ("exits", "exit 3", "", "exited with status 3"),
    ("exits-well", "exit 0", "", "exited with status 0"),
    ("crashes", "kill -SEGV $$", "", "segmentation fault"),
    ("aborts", "echo last words >&2; kill -ABRT $$", "", "last words"),
    (
        "turns",
        "while :; do :; done",
        "[limits]\ntime = 1",
        "took longer than 1 s, its limit (time under [limits]",
    ),
    (
        "loops-with-progress",
        r#"while sleep 0.02; do echo '{"type":"progress","done":1,"total":2}'; done"#,
        "[limits]\ntime = 1",
        "at 1 of 2",
    ),
    ("deaf", "exec sleep 16180", "[limits]\ntime = 1", "took longer"),
    ("ignores-signals", "trap '' TERM INT HUP; while :; do :; done", "[limits]\ntime = 1", "took longer"),
    (
        "floods",
        r#"exec yes '{"type":"log","text":"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz","level":0}'"#,
        LONG,
        "flooded its output",
    ),
    ("long-line", "exec head -c 40000000 /dev/zero", "", "too long for a message"),
    ("babbles", "echo what is this", "", "'what is this', which is not a message"),
    ("unknown-message", r#"echo '{"type":"greetings"}'"#, "", "whose type 'greetings' is unknown"),
    ("closes", "exec 1>&- 2>&- 0<&-; exec sleep 16180", "", "closed its standard output"),
    (
        "closes-input",
        r#"exec 0<&-; sleep 0.2; echo '{"type":"request","id":1,"what":"model"}'; exec sleep 16180"#,
        "needs = [\"embeddings\"]",
        "closed its standard input, through which the answers to its requests come, after it asked for the model",
    ),
    ("breaks-off", r#"printf '{"type":"done"}'"#, "", "in the middle of line 2, '{\"type\":\"done\"}'"),
    ("says-nothing", "echo", "", "sent an empty line (line 2)"),
    ("sends-a-list", r#"echo '["done"]'"#, "", "which is a list of one value"),
    (
        "mistypes",
        r#"echo '{"type":"scores","values":["0.5"]}'"#,
        "",
        "in which values[0] is the text '0.5' (a number or null is expected)",
    ),
    (
        "short",
        r#"echo '{"type":"scores","values":[0.5]}'; read -r _; read -r _"#,
        "",
        "wrote 1 scores for 32",
    ),
    (
        "out-of-range",
        r#"echo '{"type":"issues","items":[{"sample":1,"score":1.5}]}'; read -r _; read -r _"#,
        "",
        "gives sample 1 the score 1.5",
    ),
    (
        "elsewhere",
        r#"echo '{"type":"scores","out":{"offset":0,"length":32}}'; read -r _; read -r _"#,
        "",
        "had not written",
    ),
    ("overflows", "ulimit -s 512; exec bash -c 'deeper() { deeper; }; deeper'", "", "segmentation fault"),
    ("floods-errors", "yes what it has to say >&2; exit 1", LONG, "flooded its output"),
    (
        "swallows",
        r#"exec awk 'BEGIN { while (1) all[count++] = sprintf("%1000d", count) }'"#,
        LONG,
        "used more than 200 MiB of memory",
    ),
    (
        "talks-and-swallows",
        r#"exec awk 'BEGIN { while (1) { all[count++] = sprintf("%4000d", count)
            print "{\"type\":\"progress\",\"done\":1,\"total\":2}"; fflush() } }'"#,
        LONG,
        "used more than 200 MiB of memory",
    ),
    (
        "fills-its-file",
        "head -c 3000000000 /dev/zero >/proc/self/fd/103; exec sleep 16180",
        LONG,
        "used more than 200 MiB of memory",
    ),
    (
        "claims",
        r#"truncate -s 1T /proc/self/fd/103
        echo '{"type":"scores","out":{"offset":0,"length":100000000000}}'; read -r _; read -r _"#,
        "",
        "wrote 100000000000 scores for 32",
    ),
    (
        "asks-again",
        r#"exec 3<&0; cat <&3 >/dev/null & exec yes '{"type":"request","id":1,"what":"neighbors","k":10000}'"#,
        "needs = [\"neighbors\"]\n[limits]\ntime = 60",
        "made more than 103200 requests",
    ),
    (
        "asks-without-reading",
        r#"exec yes '{"type":"request","id":1,"what":"model"}'"#,
        "[limits]\ntime = 1",
        "took longer than 1 s",
    ),
    (
        "asks-for-more",
        r#"for k in $(seq 40); do echo "{\"type\":\"request\",\"id\":$k,\"what\":\"neighbors\",\"k\":$k}"; read -r _; done
        read -r _; read -r _"#,
        "needs = [\"neighbors\"]\n[limits]\ntime = 60",
        "32 different numbers of neighbors",
    ),
    (
        "breeds",
        "for child in $(seq 1100); do sleep 16180 & done; wait",
        "[limits]\ntime = 60\nmemory = \"4GiB\"",
        "started more than 1000 processes",
    ),
    ("says-why", r#"echo '{"type":"failed","message":"it is Saturday"}'"#, "", "it is Saturday"),
];

/// Programs that do their work, whatever they do to their process besides: script.
pub const STRANGE_PROGRAMS: [(&str, &str); 2] = [
    ("wanders", good!("cd /; umask 777; unset HOME")),
    ("leaves", good!("sleep 16180 & (trap '' TERM HUP; exec sleep 16180) &")),
];

/// Programs that do not even greet: script, and words of the reason.
pub const STRANGERS: [(&str, &str, &str); 2] = [
    ("speaks-another", r#"echo '{"type":"hello","protocol":99}'"#, "speaks version 99"),
    ("rude", r#"echo '{"type":"done"}'"#, "did not begin with a greeting"),
];

/// Libraries of `tests/bad` that end, stop or fill their process, with words of the reason.
pub const LIBRARIES: [(&str, &str); 13] = [
    ("abort", "abort, signal 6"),
    ("exit", "exited with status 0"),
    ("overflow", "its process crashed"),
    ("segfault", "segmentation fault"),
    ("loops", "took longer than 4 s, its limit (time-limit under [plugins]"),
    ("reports-for-ever", "at 1 of 2"),
    ("eats", "used more than 200 MiB of memory"),
    ("prints", "flooded its output"),
    ("closes", "closed descriptors that it had not opened"),
    ("ignores", "took longer than 4 s"),
    ("panic", "planted panic"),
    ("asks", "32 different numbers of neighbors"),
    ("forges", "'what is this', which is not a message"),
];

/// Libraries of `tests/bad` that do their work, whatever they do to their process besides.
pub const STRANGE: [&str; 3] = ["moves", "threads", "lingers"];

/// What can go wrong with a process, and where it stands here as a program and as a library.
pub const BOTH: [(&str, &str, &str); 17] = [
    ("segmentation fault", "crashes", "segfault"),
    ("abort", "aborts", "abort"),
    ("exit", "exits-well", "exit"),
    ("stack overflow", "overflows", "overflow"),
    ("endless loop", "turns", "loops"),
    ("endless loop with checkpoints", "loops-with-progress", "reports-for-ever"),
    ("memory without end", "swallows", "eats"),
    ("output without end", "floods-errors", "prints"),
    ("closed descriptors", "closes", "closes"),
    ("changed working folder", "wanders", "moves"),
    ("threads and processes left behind", "leaves", "threads"),
    ("a process that does not end", "leaves", "lingers"),
    ("signals ignored", "ignores-signals", "ignores"),
    ("wrong protocol", "babbles", "forges"),
    ("wrong version of the protocol", "speaks-another", "abi"),
    ("requests without end", "asks-for-more", "asks"),
    ("an error of its own", "says-why", "panic"),
];
