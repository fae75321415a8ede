//! Recipes of the documentation ("add a detector", "add a command"), followed to the letter in a copy of the checkout.
//!
//! A recipe is a section of Markdown, or of a module's `//!` lines. Its steps are sentences that a fenced block follows:
//!
//! - ``Create `PATH`:`` makes a file of the block.
//! - ``In `PATH`, below `LINE`:`` puts the block under the only line that contains `LINE`; `above` puts it over that line.
//!
//! Everything else, blocks of commands included, is for the reader.

use crate::artefacts::{cargo, profile_dir, profile_name, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new file.
    Create {
        /// Relative to the checkout.
        path: String,
        /// All of it.
        text: String,
    },
    /// Lines in a file that is there.
    Insert {
        /// Relative to the checkout.
        path: String,
        /// What the line beside them contains.
        beside: String,
        /// Whether they come above that line.
        above: bool,
        /// The lines.
        text: String,
    },
}

/// What following a recipe takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Files made.
    pub files: usize,
    /// Places edited in files that were there.
    pub edits: usize,
    /// Lines written at those places.
    pub edited_lines: usize,
}

/// The steps of one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// In the order of the text.
    pub steps: Vec<Step>,
}

/// The `//!` lines of a source as Markdown.
pub fn module_docs(source: &str) -> String {
    let lines = source.lines().take_while(|line| line.starts_with("//!"));
    lines.map(|line| line.strip_prefix("//! ").unwrap_or(&line[3..]).to_owned() + "\n").collect()
}

impl Recipe {
    /// Reads the section with this heading.
    ///
    /// # Panics
    ///
    /// If there is no such section, or it has no steps.
    pub fn read(markdown: &str, heading: &str) -> Recipe {
        let level = |line: &str| line.chars().take_while(|c| *c == '#').count();
        let mut lines = markdown.lines();
        let found = lines.find(|line| level(line) > 0 && line.trim_start_matches('#').trim() == heading);
        let depth = level(found.unwrap_or_else(|| panic!("no section is headed '{heading}'")));
        let mut steps = Vec::new();
        let (mut begun, mut block): (Option<Step>, Option<String>) = (None, None);
        for line in lines {
            match (&mut block, line.trim_start().starts_with("```")) {
                (Some(_), true) => {
                    let written = block.take().unwrap_or_default();
                    if let Some(mut step) = begun.take() {
                        let (Step::Create { text, .. } | Step::Insert { text, .. }) = &mut step;
                        *text = written;
                        steps.push(step);
                    }
                }
                (Some(text), false) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, true) => block = Some(String::new()),
                (None, false) if level(line) > 0 && level(line) <= depth => break,
                (None, false) if !line.trim().is_empty() => begun = sentence(line),
                (None, false) => {}
            }
        }
        assert!(!steps.is_empty(), "the section '{heading}' has no steps");
        Recipe { steps }
    }

    /// What it takes to follow it.
    pub fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        for step in &self.steps {
            match step {
                Step::Create { .. } => cost.files += 1,
                Step::Insert { text, .. } => {
                    cost.edits += 1;
                    cost.edited_lines += text.lines().count();
                }
            }
        }
        cost
    }

    /// Does what it says in this folder.
    ///
    /// # Panics
    ///
    /// If a file to make is there already, or a line to put something beside is not there exactly once.
    pub fn follow(&self, folder: &Path) {
        for step in &self.steps {
            match step {
                Step::Create { path, text } => {
                    let file = folder.join(path);
                    assert!(!file.exists(), "{path} is there already");
                    fs::create_dir_all(file.parent().unwrap()).unwrap();
                    fs::write(file, text).unwrap();
                }
                Step::Insert { path, beside, above, text } => {
                    let file = folder.join(path);
                    let old = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
                    let hits = old.lines().filter(|line| line.contains(beside.as_str())).count();
                    assert_eq!(hits, 1, "{path} has {hits} lines with '{beside}'");
                    let mut new = String::new();
                    for line in old.lines() {
                        let hit = line.contains(beside.as_str());
                        let parts = match (hit, above) {
                            (true, true) => [text, line, "\n"],
                            (true, false) => [line, "\n", text],
                            (false, _) => [line, "\n", ""],
                        };
                        new.extend(parts);
                    }
                    fs::write(file, new).unwrap();
                }
            }
        }
    }
}

/// The step that a line begins, if it does.
fn sentence(line: &str) -> Option<Step> {
    // A list's number before it is for the eye.
    let line =
        line.trim().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-').trim_start();
    let mut words = line.split('`');
    let (verb, path) = (words.next()?, words.next()?.to_owned());
    match verb {
        "Create " => Some(Step::Create { path, text: String::new() }),
        "In " => {
            let above = match words.next()? {
                ", below " => false,
                ", above " => true,
                _ => return None,
            };
            Some(Step::Insert { path, beside: words.next()?.to_owned(), above, text: String::new() })
        }
        _ => None,
    }
}

/// Copies the checkout into a folder, without what git ignores. Files keep their times.
///
/// # Panics
///
/// If git does not know the files.
pub fn checkout(folder: &Path) {
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("a checkout has git");
    assert!(list.status.success(), "git ls-files fails in {}", root().display());
    for name in String::from_utf8(list.stdout).unwrap().split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root().join(name), folder.join(name));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&from, &to).unwrap();
            let time = fs::metadata(&from).unwrap().modified().unwrap();
            fs::File::options().append(true).open(&to).unwrap().set_modified(time).unwrap();
        }
    }
}

/// A copy of the checkout, without what git ignores, to try something in. There is one at a time; it lies in cargo's
/// target folder, and what is built in it shares the dependencies with the running tests.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Scratch {
    /// Copies the checkout.
    pub fn new() -> Scratch {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Always the same path, and files keep their times: what is unchanged since the last time is not built again.
        let folder = profile_dir().parent().unwrap().join("tmp/recipes");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        checkout(&folder);
        Scratch { folder, _alone: alone }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Runs a command of cargo here (`check`, `test`) with the profile of the running tests.
    ///
    /// # Panics
    ///
    /// With what cargo said, if it fails.
    pub fn cargo(&self, command: &str, args: &[&str]) {
        let mut run = cargo();
        run.current_dir(&self.folder).args([command, "--offline", "--profile", &profile_name()]).args(args);
        let output = run.output().expect("cargo can be started");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "cargo {command} {args:?} in {}:\n{}{}",
            self.folder.display(),
            said(&output.stdout),
            said(&output.stderr)
        );
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Guide
## Add a bird
Words, and `code`.

1. Create `birds/wren.txt`:

   ```text
small
```

```sh
cargo run
```

In `list.txt`, below `robin`:
```text
wren
```
In `list.txt`, above `robin`:
```text
owl
```
### Why
Create `no` such thing.
## Add a fish
Create `fish.txt`:
```text
```
";

    #[test]
    fn a_section_is_read_and_followed() {
        let recipe = Recipe::read(TEXT, "Add a bird");
        assert_eq!(recipe.steps.len(), 3, "{:?}", recipe.steps);
        assert_eq!(recipe.cost(), Cost { files: 1, edits: 2, edited_lines: 2 });
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("list.txt"), "finch\na robin\nthrush\n").unwrap();
        recipe.follow(place.path());
        let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
        assert_eq!(read("birds/wren.txt"), "small\n");
        assert_eq!(read("list.txt"), "finch\nowl\na robin\nwren\nthrush\n");
    }

    #[test]
    #[should_panic(expected = "list.txt has 2 lines with 'robin'")]
    fn a_line_that_is_there_twice_is_no_place() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("list.txt"), "robin\nrobin\n").unwrap();
        Recipe::read(TEXT, "Add a bird").follow(place.path());
    }

    #[test]
    fn recipes_may_stand_in_a_source() {
        let source = "//! # Add one\n//!\n//! Create `a`:\n//! ```text\n//!  x\n//! ```\nfn f() {}";
        let recipe = Recipe::read(&module_docs(source), "Add one");
        assert_eq!(recipe.steps, [Step::Create { path: "a".into(), text: " x\n".into() }]);
    }
}
