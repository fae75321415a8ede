//! How the work of each command grows with the number of files, copies, classes, groups and notes.
//!
//! Work is what the program does, counted in instructions of the processor by valgrind: a count that no load changes, of
//! everything that a command does and not only of what somebody thought of counting. With three sizes that differ by the
//! same factor, what does not grow cancels out: of `a + b·n^e`, the second difference over the first is the factor to the
//! power of `e`.

use super::{Report, Scale};
use crate::random::Random;
use crate::sandbox::{Ran, Sandbox};
use chaffinch_data::journal::{Journal, Said};
use chaffinch_data::session::Session;
use chaffinch_protocol::decision::Choice;
use image::{Rgb, RgbImage};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest exponent that is allowed; n log n has 1.1 at these sizes.
const MOST: f64 = 1.1;

/// How the sizes differ.
const FACTOR: usize = 4;

/// Pictures of one size, and what was done with them.
struct World {
    sandbox: Sandbox,
    size: usize,
}

/// What is counted: what it does, what grows, and the arguments of the command.
struct Stage {
    name: &'static str,
    /// Whether its exponent is limited: exact neighbors are not.
    limited: bool,
    args: fn(&World) -> Vec<String>,
}

/// The files of a world: by its number, the class, and the number of the picture.
type Layout = fn(usize, usize) -> (usize, usize);

/// Worlds, each with its stages in the order in which they run.
const WORLDS: [(&str, Layout, &[Stage]); 4] = [
    (
        "files",
        |number, _| (number % 4, number),
        &[
            Stage {
                name: "index and measure",
                limited: true,
                args: |world| world.scan("one", "image-quality"),
            },
            Stage {
                name: "hash pairs and copies",
                limited: true,
                args: |world| world.scan("one", "duplicates"),
            },
            Stage {
                name: "a scan that finds nothing new",
                limited: true,
                args: |world| world.scan("one", "duplicates"),
            },
            Stage { name: "rank and list", limited: true, args: |world| world.rank("") },
            Stage {
                name: "filter",
                limited: true,
                args: |world| world.rank("class:class-1 score<0.9 -decided"),
            },
            Stage { name: "leaks", limited: true, args: World::leaks },
            Stage { name: "list with notes", limited: true, args: World::noted },
            Stage { name: "conflicts", limited: true, args: World::conflicts },
            Stage { name: "agreement", limited: true, args: |world| world.words(&["agreement", "SESSION"]) },
            Stage {
                name: "export",
                limited: true,
                args: |world| {
                    world.words(&["export", "SESSION", "--format", "manifest", "--output", "clean.csv"])
                },
            },
            Stage {
                name: "export of a copy",
                limited: true,
                args: |world| world.words(&["export", "SESSION", "--format", "cleaned", "--output", "clean"]),
            },
            Stage { name: "merge", limited: true, args: World::merge },
            Stage {
                name: "plan",
                limited: true,
                args: |world| world.words(&["plan", "SESSION", "--force", "--output", "plan.json"]),
            },
            Stage {
                name: "apply",
                limited: true,
                args: |world| world.words(&["apply", "plan.json", "--output", "applied"]),
            },
            Stage {
                name: "report",
                limited: true,
                args: |world| world.words(&["report", "SESSION", "--format", "md", "--output", "report.md"]),
            },
        ],
    ),
    (
        "copies of one file",
        |number, _| (number % 4, 0),
        &[
            Stage { name: "index and groups", limited: true, args: |world| world.scan("one", "duplicates") },
            Stage { name: "rank and list", limited: true, args: |world| world.rank("") },
            Stage { name: "filter", limited: true, args: |world| world.rank("score<0.5") },
            Stage {
                name: "plan",
                limited: true,
                args: |world| world.words(&["plan", "SESSION", "--force", "--output", "plan.json"]),
            },
        ],
    ),
    (
        "pairs, each a group",
        |number, _| (number % 4, number / 2),
        &[
            Stage { name: "index and groups", limited: true, args: |world| world.scan("one", "duplicates") },
            Stage { name: "rank and list", limited: true, args: |world| world.rank("") },
            Stage {
                name: "plan",
                limited: true,
                args: |world| {
                    world.words(&[
                        "plan",
                        "SESSION",
                        "--copies",
                        "keep-larger",
                        "--force",
                        "--output",
                        "plan.json",
                    ])
                },
            },
        ],
    ),
    (
        "classes, four files each, half of them copies",
        |number, size| (number % (size / 4).max(1), if number % 2 == 0 { 0 } else { number }),
        &[
            Stage { name: "index and groups", limited: true, args: |world| world.scan("one", "duplicates") },
            Stage { name: "rank and list", limited: true, args: |world| world.rank("") },
            Stage {
                name: "report",
                limited: true,
                args: |world| world.words(&["report", "SESSION", "--format", "md", "--output", "report.md"]),
            },
        ],
    ),
];

impl World {
    fn new(size: usize, layout: Layout) -> World {
        let world = World { sandbox: Sandbox::new(), size };
        for number in 0..size {
            let (class, picture) = layout(number, size);
            let folder = world.sandbox.data().join(format!("class-{class}"));
            fs::create_dir_all(&folder).unwrap();
            let mut random = Random::new(picture as u64 + 1);
            let mut tile = || Rgb([0; 3].map(|_: u8| random.bits() as u8));
            // Enough to see in each that no two are alike by chance: of pictures with a few squares, pairs that are grow with
            // the square of their number, and so does the work on them.
            let tiles: Vec<Rgb<u8>> = (0..64).map(|_| tile()).collect();
            let image = RgbImage::from_fn(16, 16, |x, y| tiles[(x / 2 + y / 2 * 8) as usize]);
            image.save(folder.join(format!("{number:06}.png"))).unwrap();
        }
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    fn text(&self, path: &Path) -> String {
        path.to_str().unwrap().to_owned()
    }

    /// A command line; `SESSION` is the session, and names of files are in the sandbox.
    fn words(&self, words: &[&str]) -> Vec<String> {
        let word = |&word: &&str| match word {
            "SESSION" => self.text(&self.at("one")),
            name if name.contains('.') || ["clean", "applied"].contains(&name) => self.text(&self.at(name)),
            word => word.to_owned(),
        };
        words.iter().map(word).collect()
    }

    fn scan(&self, session: &str, detectors: &str) -> Vec<String> {
        let (data, session) = (self.text(&self.sandbox.data()), self.text(&self.at(session)));
        ["scan", &data, "--session", &session, "--detectors", detectors].map(str::to_owned).to_vec()
    }

    fn rank(&self, filter: &str) -> Vec<String> {
        let session = self.text(&self.at("one"));
        let words = ["rank", &session, "--all", "--top", "0", "--format", "csv", "--filter", filter];
        words.map(str::to_owned).to_vec()
    }

    fn leaks(&self) -> Vec<String> {
        // The same pictures in another folder: each of them leaks.
        let held_out = self.at("held-out");
        for entry in walkdir::WalkDir::new(self.sandbox.data()) {
            let entry = entry.unwrap();
            let to = held_out.join(entry.path().strip_prefix(self.sandbox.data()).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir_all(to).unwrap();
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
        let (train, test) = (self.text(&self.sandbox.data()), self.text(&held_out));
        let output = self.text(&self.at("leaks.csv"));
        let words = [
            "leaks",
            "--train",
            &train,
            "--test",
            &test,
            "--methods",
            "exact,perceptual",
            "--output",
            &output,
        ];
        words.map(str::to_owned).to_vec()
    }

    /// Everybody says something about every sample: a note, and a decision with which the next one disagrees.
    fn review(&self, reviewers: &[&str]) {
        let session = Session::open(&self.at("one")).unwrap();
        let (manifest, file_metadata) = session.load_samples().unwrap().unwrap();
        let (manifest, file_metadata) = (Arc::new(manifest), Arc::new(file_metadata));
        for (place, reviewer) in reviewers.iter().enumerate() {
            let mut journal = Journal::open(&session.decisions_dir(), reviewer).unwrap();
            journal.bind(&manifest, Some(&file_metadata));
            let one = |id: chaffinch_protocol::sample::SampleId| {
                let choice =
                    if (id.index() + place).is_multiple_of(3) { Choice::Remove } else { Choice::Keep };
                (id, Said { choice: Some(choice), note: format!("note {}", id.0), ..Said::default() })
            };
            let said: Vec<_> = manifest.ids().map(one).collect();
            journal.adopt(&said).unwrap();
        }
    }

    fn noted(&self) -> Vec<String> {
        self.review(&["tester"]);
        self.rank("decided")
    }

    fn conflicts(&self) -> Vec<String> {
        self.review(&["ben"]);
        self.words(&["conflicts", "SESSION", "--format", "csv"])
    }

    /// What was exported is taken over by another reviewer.
    fn merge(&self) -> Vec<String> {
        let (file, session) = (self.text(&self.at("clean.csv")), self.text(&self.at("one")));
        ["import", "csv", &file, "--session", &session, "--reviewer", "carla"].map(str::to_owned).to_vec()
    }

    /// The instructions that a command takes.
    fn count(&self, args: &[String]) -> f64 {
        let log = self.at("instructions");
        let mut command = std::process::Command::new("valgrind");
        command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
        command.arg(format!("--log-file={}", log.display())).arg(crate::artefacts::program()).args(args);
        command.env_clear().envs(self.sandbox.environment()).current_dir(self.sandbox.path());
        // Threads that wait for work look for it, which is not work.
        command.env("RAYON_NUM_THREADS", "1").stdin(std::process::Stdio::null());
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 0, "{args:?} with {}: {}", self.size, ran.stderr);
        let text = fs::read_to_string(log).unwrap();
        let line = text.lines().rfind(|line| line.contains("I refs:") || line.contains("I   refs:"));
        let digits: String =
            line.unwrap().rsplit(':').next().unwrap().chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    }
}

/// The exponent of three counts at sizes that differ by [`FACTOR`].
fn exponent(counts: [f64; 3]) -> f64 {
    ((counts[2] - counts[1]) / (counts[1] - counts[0])).ln() / (FACTOR as f64).ln()
}

pub(super) fn exponents(scale: Scale) -> Report {
    let mut report = Report::default();
    let first = std::env::var("CHAFFINCH_EXPONENT_FILES").ok().and_then(|text| text.parse().ok());
    let first = first.unwrap_or(scale.of(1_000, 80));
    let sizes = [first, first * FACTOR, first * FACTOR * FACTOR];
    for (what, layout, stages) in WORLDS {
        let mut counts = vec![[0.0; 3]; stages.len()];
        for (place, size) in sizes.into_iter().enumerate() {
            let world = World::new(size, layout);
            for (stage, counts) in stages.iter().zip(&mut counts) {
                counts[place] = world.count(&(stage.args)(&world));
            }
        }
        for (stage, counts) in stages.iter().zip(counts) {
            let name = format!("{what}: {}", stage.name);
            let each = (counts[2] - counts[1]) / (sizes[2] - sizes[1]) as f64;
            report.count(format!("{name}, instructions for one more"), each.round(), "", None);
            report.count(format!("{name}, exponent"), exponent(counts), "", stage.limited.then_some(MOST));
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_grow_cancels_out() {
        let of = |power: f64| exponent([1e3, 4e3, 16e3].map(|n: f64| 5e9 + 7.0 * n.powf(power)));
        assert!([0.5, 1.0, 2.0].iter().all(|power| (of(*power) - power).abs() < 0.01), "{}", of(1.0));
        let sorted = exponent([1e3, 4e3, 16e3].map(|n: f64| n * n.ln()));
        assert!((1.0..1.12).contains(&sorted), "{sorted}");
    }
}
