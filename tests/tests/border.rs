//! Detectors in C, C++ and Rust in their processes under valgrind: what crosses the border between them and the host is
//! neither read nor written out of bounds, nor used before it has a value, nor freed twice.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_data::index::refresh;
use chaffinch_data::manifest::{ExtraColumn, Manifest, NewSample};
use chaffinch_data::prompts::PromptSet;
use chaffinch_host::{DatasetServices, Limits, Registry, RunContext, Workers};
use chaffinch_protocol::sample::Split;
use chaffinch_tests::artefacts::{profile_dir, program, root};
use chaffinch_tests::sandbox::Sandbox;
use chaffinch_tests::{pictures, tools};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A folder for detectors, and one for what valgrind says.
struct Place {
    sandbox: Sandbox,
}

impl Place {
    fn new() -> Place {
        let place = Place { sandbox: Sandbox::new() };
        pictures::dataset(&place.sandbox.data(), 3, 6, 32);
        fs::create_dir(place.logs()).unwrap();
        let script = format!(
            "#!/bin/sh\nexec valgrind --quiet --leak-check=full --show-leak-kinds=definite \
             --log-file='{}/%p' '{}' \"$@\"\n",
            place.logs().display(),
            program().display()
        );
        fs::write(place.program(), script).unwrap();
        fs::set_permissions(place.program(), Permissions::from_mode(0o755)).unwrap();
        place
    }

    fn logs(&self) -> PathBuf {
        self.sandbox.path().join("logs")
    }

    /// What the host takes for the program: a worker of it is one under valgrind.
    fn program(&self) -> PathBuf {
        self.sandbox.path().join("chaffinch-under-valgrind")
    }

    /// A project of `plugins new`, whose source may be changed before it is built.
    fn made(&self, name: &str, language: &str, change: impl Fn(String) -> String) -> PathBuf {
        let parent = self.sandbox.path().to_str().unwrap();
        self.sandbox.ok(["plugins", "new", name, "--language", language, "--path", parent]);
        let folder = self.sandbox.path().join(name);
        let source = folder.join(format!("{}.{language}", name.replace('-', "_")));
        fs::write(&source, change(fs::read_to_string(&source).unwrap())).unwrap();
        built(&folder);
        folder.join("detector.toml")
    }

    /// Runs the detectors of a file; returns what valgrind said about their processes, and how many these were.
    fn run(&self, file: &Path, sound: bool) -> (String, usize) {
        let limits = Limits { time: Some(Duration::from_secs(600)), ..Limits::default() };
        let mut registry = Registry::with(Workers::of(self.program()).within(limits));
        registry.add(file);
        assert!(registry.refused().is_empty(), "{:?}", registry.refused());
        assert!(!registry.detectors().is_empty(), "{}", file.display());
        let stop = AtomicBool::new(false);
        let job = Job::new(&stop, &|_, _| ());
        let services = services(&self.sandbox.data(), &job);
        for detector in registry.detectors() {
            let log = |_: u32, _: &str| ();
            let run = RunContext::new(&services, detector, &BTreeMap::new(), job, &log).unwrap();
            let result = run.run(String::new());
            let name = detector.info().name();
            if !sound {
                // What it overwrote may end it before it has answered.
                continue;
            }
            let result = result.unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.said().0));
            assert!(result.scores().iter().any(|score| score.is_finite()), "{name} scores nothing");
        }
        self.said()
    }

    /// Errors begin with `==`; what begins with `--` is about valgrind, such as system calls that are newer than it.
    fn said(&self) -> (String, usize) {
        let entries = fs::read_dir(self.logs()).unwrap();
        let texts: Vec<String> =
            entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
        let all = texts.concat();
        let errors: Vec<&str> = all.lines().filter(|line| line.starts_with("==")).collect();
        (errors.join("\n"), texts.len())
    }
}

/// Builds a project as its description says, so that valgrind names lines.
fn built(folder: &Path) {
    let text = fs::read_to_string(folder.join("detector.toml")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("build = \"")?.strip_suffix('"')).unwrap();
    let ran = Command::new("sh").args(["-c", &format!("{line} -g")]).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// The pictures with everything that detectors ask for.
fn services(data: &Path, job: &Job<'_>) -> DatasetServices {
    let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(data)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.is_file())
        .map(|path| path.strip_prefix(data).unwrap().to_owned())
        .collect();
    paths.sort();
    let count = paths.len();
    let sample = |path: PathBuf| NewSample {
        label: path.parent().map(|folder| folder.display().to_string()),
        path,
        split: Split::Train,
    };
    let values = (0..count).map(|number| number.to_string()).collect();
    let column = ExtraColumn { name: "number".into(), values };
    let manifest = Manifest::new(data, paths.into_iter().map(sample)).with_extra(vec![column]);
    let (metadata, _) = refresh(&manifest, None, job).unwrap();
    let vectors: Vec<f32> = (0..count)
        .flat_map(|number| {
            let angle = number as f32;
            [angle.cos(), angle.sin(), 0.0, 0.0]
        })
        .collect();
    let matrix = EmbeddingMatrix::from_vec(vectors, 4);
    let (manifest, metadata) = (Arc::new(manifest), Arc::new(metadata));
    DatasetServices::new(manifest, metadata, Some(Arc::new(matrix)), None, PromptSet::bundled(), [])
}

fn ready() -> bool {
    tools::installed(&["valgrind", "cc", "c++"], "valgrind gcc g++")
}

#[test]
fn detectors_in_c_and_cpp_keep_within_their_memory() {
    if !ready() {
        return;
    }
    let place = Place::new();
    let mut files = vec![place.made("dark-c", "c", |text| text), place.made("dark-cpp", "cpp", |text| text)];
    let blur = place.sandbox.path().join("blur-frequency");
    fs::create_dir(&blur).unwrap();
    for name in ["blur_frequency.c", "detector.toml"] {
        fs::copy(root().join("sdk/gallery/blur-frequency").join(name), blur.join(name)).unwrap();
    }
    fs::copy(root().join("sdk/c/chaffinch_plugin.h"), blur.join("chaffinch_plugin.h")).unwrap();
    let text = fs::read_to_string(blur.join("detector.toml")).unwrap();
    fs::write(blur.join("detector.toml"), text.replace("-I../../c", "-I.")).unwrap();
    built(&blur);
    files.push(blur.join("detector.toml"));
    for file in files {
        let (said, processes) = place.run(&file, true);
        assert!(processes >= 1, "no process ran under valgrind");
        assert_eq!(said, "", "{}", file.display());
    }
}

#[test]
fn detectors_in_rust_keep_within_their_memory() {
    if !ready() {
        return;
    }
    let place = Place::new();
    // Together they ask for pixels, measures, hashes, vectors and neighbors.
    for name in ["image_quality", "duplicates", "neighbor_outliers", "cluster_outliers"] {
        let file =
            format!("{}chaffinch_{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let (said, processes) = place.run(&profile_dir().join("deps").join(file), true);
        assert!(processes >= 2, "no process ran under valgrind");
        assert_eq!(said, "", "{name}");
    }
}

#[test]
fn a_write_beyond_the_end_is_seen() {
    if !ready() {
        return;
    }
    let place = Place::new();
    let short = |text: String| {
        let changed = text.replace("malloc((data.count + 1) * sizeof(float))", "malloc(sizeof(float))");
        assert_ne!(changed, text, "the example allocates its scores otherwise");
        changed
    };
    let (said, _) = place.run(&place.made("short-c", "c", short), false);
    assert!(said.contains("Invalid write of size 4") && said.contains("short_c.c"), "{said}");
}
