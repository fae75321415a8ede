//! Recipes from the documentation ("add a detector", "add a command"), followed to the letter in a copy of the checkout.
//!
//! A recipe is a section of Markdown, or of a module's `//!` lines. Each step is a sentence followed by a fenced block:
//!
//! - ``Create `PATH`:`` writes the block to a new file.
//! - ``In `PATH`, below `LINE`:`` inserts the block after the only line that contains `LINE`; `above` inserts it before.
//!
//! Everything else, including blocks of commands, is for the reader.

use crate::artefacts::{cargo, profile_dir, profile_name, root};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creates a file.
    Create {
        /// Relative to the checkout.
        path: String,
        /// The whole content.
        text: String,
    },
    /// Inserts lines into an existing file.
    Insert {
        /// Relative to the checkout.
        path: String,
        /// A text that only the adjacent line contains.
        beside: String,
        /// Whether the lines go above that line.
        above: bool,
        /// The lines.
        text: String,
    },
}

/// How much a recipe takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// New files.
    pub files: usize,
    /// Edits to existing files.
    pub edits: usize,
    /// Lines added by those edits.
    pub edited_lines: usize,
    /// Those of the added lines that only declare a new file as a module.
    pub mod_lines: usize,
}

/// The steps of one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// In document order.
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
    /// If there is no such section, or it contains no steps.
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

    /// How much it takes to follow it.
    pub fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        for step in &self.steps {
            match step {
                Step::Create { .. } => cost.files += 1,
                Step::Insert { text, .. } => {
                    cost.edits += 1;
                    cost.edited_lines += text.lines().count();
                    cost.mod_lines += text.lines().filter(|line| line.starts_with("mod ")).count();
                }
            }
        }
        cost
    }

    /// Carries out the steps in this folder.
    ///
    /// # Panics
    ///
    /// If a file to create already exists, or the line to insert beside does not occur exactly once.
    pub fn follow(&self, folder: &Path) {
        for step in &self.steps {
            match step {
                Step::Create { path, text } => {
                    let file = folder.join(path);
                    assert!(!file.exists(), "{path} already exists");
                    fs::create_dir_all(file.parent().unwrap()).unwrap();
                    fs::write(file, text).unwrap();
                }
                Step::Insert { path, beside, above, text } => {
                    let file = folder.join(path);
                    let old = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
                    let hits = old.lines().filter(|line| line.contains(beside.as_str())).count();
                    assert_eq!(hits, 1, "{path} has {hits} lines with '{beside}' instead of 1");
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

/// The step that a line introduces, if any.
fn sentence(line: &str) -> Option<Step> {
    // Ignores a list marker before the sentence.
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

/// Copies the checkout to a folder, without ignored files. Modification times are preserved.
///
/// # Panics
///
/// If git cannot list the files.
pub fn checkout(folder: &Path) {
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git can be started");
    assert!(list.status.success(), "git ls-files failed in {}", root().display());
    for name in String::from_utf8(list.stdout).unwrap().split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root().join(name), folder.join(name));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            copy(&from, &to);
        }
    }
}

/// Copies a file with its modification time, which cargo compares.
///
/// # Panics
///
/// If it cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    let time = fs::metadata(from).unwrap().modified().unwrap();
    fs::File::options().append(true).open(to).unwrap().set_modified(time).unwrap();
}

/// A scratch copy of the checkout, without ignored files. Only one exists at a time; it is inside cargo's target folder,
/// and builds in it share dependencies with the running tests.
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
        // The path is fixed and modification times are preserved, so unchanged crates are not rebuilt on the next run.
        let folder = profile_dir().parent().unwrap().join("tmp/recipes");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        checkout(&folder);
        Scratch { folder, _alone: alone }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Runs a cargo command (`check`, `test`) here, with the profile of the running tests.
    ///
    /// # Panics
    ///
    /// With cargo's output, if it fails.
    pub fn cargo(&self, command: &str, args: &[&str]) {
        let mut run = cargo();
        run.current_dir(&self.folder).args([command, "--offline", "--profile", &profile_name()]).args(args);
        let output = run.output().expect("cargo can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "cargo {command} {args:?} failed in {}:\n{}{}",
            self.folder.display(),
            text(&output.stdout),
            text(&output.stderr)
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
        assert_eq!(recipe.cost(), Cost { files: 1, edits: 2, edited_lines: 2, mod_lines: 0 });
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("list.txt"), "finch\na robin\nthrush\n").unwrap();
        recipe.follow(folder.path());
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("birds/wren.txt"), "small\n");
        assert_eq!(read("list.txt"), "finch\nowl\na robin\nwren\nthrush\n");
    }

    #[test]
    #[should_panic(expected = "list.txt has 2 lines with 'robin'")]
    fn a_line_that_occurs_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("list.txt"), "robin\nrobin\n").unwrap();
        Recipe::read(TEXT, "Add a bird").follow(folder.path());
    }

    #[test]
    fn recipes_may_be_in_module_docs() {
        let source = "//! # Add one\n//!\n//! Create `a`:\n//! ```text\n//!  x\n//! ```\nfn f() {}";
        let recipe = Recipe::read(&module_docs(source), "Add one");
        assert_eq!(recipe.steps, [Step::Create { path: "a".into(), text: " x\n".into() }]);
    }
}
