//! Code that does not ship with the program is pinned: when it first runs, its digest is written down, and code that has
//! changed since does not run until the user says so.

use crate::state_file;
use chaffinch_data::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The digests of code that has run, by its library or description.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    /// Where they are stored; without a place nothing is pinned.
    file: Option<PathBuf>,
    /// Whether code that has changed is pinned anew without a question.
    changes: bool,
}

/// Code as it was when the user last agreed to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The digest of the code.
    pub digest: String,
    /// The detectors in it.
    pub names: Vec<String>,
    /// The beginning of the digest of each of its files, where there are several and not many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

impl Pin {
    /// Of code with these detectors in it.
    pub fn new(digest: impl Into<String>, names: Vec<String>) -> Pin {
        Pin { digest: digest.into(), names, files: BTreeMap::new() }
    }

    /// The same with what is known of each of its files.
    #[must_use]
    pub(crate) fn of_files(self, files: BTreeMap<String, String>) -> Pin {
        Pin { files, ..self }
    }
}

/// The largest file that is read; a line per library is far below it.
const MOST: u64 = 16 << 20;

impl Pins {
    /// Stored in this file.
    pub fn in_file(file: impl Into<PathBuf>) -> Pins {
        Pins { file: Some(file.into()), changes: false }
    }

    /// The same, but code that has changed is pinned anew if `changes`: the user has agreed to that.
    #[must_use]
    pub fn taking_changes(self, changes: bool) -> Pins {
        Pins { changes, ..self }
    }

    /// Where they are stored, if they are.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether changes are taken without a question.
    pub(crate) fn takes_changes(&self) -> bool {
        self.changes
    }

    /// All pins, by path.
    ///
    /// # Errors
    /// When the file is there but cannot be read: code that has changed would run as if it were new.
    pub fn all(&self) -> Result<BTreeMap<String, Pin>> {
        let Some(file) = &self.file else { return Ok(BTreeMap::new()) };
        let damaged = |why: String| {
            let advice = "delete the file to pin all detectors as they are now";
            Error::format(file, format!("the list of pinned detectors cannot be read ({why}); {advice}"))
        };
        let size = match std::fs::metadata(file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(Error::io("read", file)(error)),
        };
        if size > MOST {
            return Err(damaged("it is too large".into()));
        }
        let text = std::fs::read_to_string(file).map_err(Error::io("read", file))?;
        serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))
    }

    /// The pin of the code at a path, however that is spelled: code that was pinned through a link is pinned where it lies, and a link
    /// that leads elsewhere now is known by its own name.
    ///
    /// # Errors
    /// As [`Pins::all`].
    pub fn of(&self, path: &Path) -> Result<Option<Pin>> {
        let mut all = self.all()?;
        let spelled = all.remove(&key(path));
        Ok(spelled.or_else(|| all.remove(&key(&real(path)))))
    }

    /// Pins the code at a path as it is now.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn set(&self, path: &Path, pin: Pin) -> Result<()> {
        self.change(path, |_| Some(pin))
    }

    /// Changes the pin of the code at a path, if `new` returns one for the present one.
    fn change(&self, path: &Path, new: impl FnOnce(Option<&Pin>) -> Option<Pin>) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let locked = state_file::lock(file)?;
        let mut all = self.all()?;
        let place = real(path);
        let known = all.get(&key(path)).or_else(|| all.get(&key(&place)));
        let Some(pin) = new(known) else { return Ok(()) };
        let before = all.clone();
        // Other names of the same code are agreed to with it.
        for (_, other) in all.iter_mut().filter(|(other, _)| real(Path::new(other)) == place) {
            other.clone_from(&pin);
        }
        all.insert(key(&place), pin.clone());
        all.insert(key(path), pin);
        if all == before {
            return Ok(());
        }
        forget_what_is_gone(&mut all);
        locked.store(&all)
    }

    /// Pins code that has not run before; what is pinned stays as it is.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub(crate) fn first_use(&self, path: &Path, pin: Pin) -> Result<()> {
        // Most runs change nothing, for which nothing is locked.
        match self.of(path)? {
            Some(known) if !is_first(&known, &pin) => Ok(()),
            _ => self
                .change(path, |known| known.is_none_or(|known| is_first(known, &pin)).then(|| pin.clone())),
        }
    }
}

/// Whether a pin was made before it was known which detectors are in the code, or by a version that did not know its files.
fn is_first(known: &Pin, pin: &Pin) -> bool {
    known.digest == pin.digest
        && (known.names.is_empty() || (known.files.is_empty() && !pin.files.is_empty()))
}

/// Above this many pins, those of code that is not there any more are forgotten.
const MANY: usize = 1000;

fn forget_what_is_gone(all: &mut BTreeMap<String, Pin>) {
    if all.len() > MANY {
        all.retain(|path, _| Path::new(path).exists());
    }
}

/// A path as it is written into the file. Two paths that are not text may share one, and then one pin.
/// Where a path leads, through all links; itself if nothing is there.
pub(crate) fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn key(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_use_pins_and_a_change_does_not() {
        let temp = tempfile::tempdir().unwrap();
        let pins = Pins::in_file(temp.path().join("state/pins.json"));
        let path = temp.path().join("one.so");
        assert_eq!(pins.of(&path).unwrap(), None);
        pins.first_use(&path, Pin::new("abc", vec!["one".into()])).unwrap();
        pins.first_use(&path, Pin::new("def", vec!["one".into()])).unwrap();
        let pin = Pin::new("abc", vec!["one".into()]);
        assert_eq!(pins.of(&path).unwrap(), Some(pin.clone()));
        pins.set(&path, Pin { digest: "def".into(), ..pin }).unwrap();
        assert_eq!(pins.of(&path).unwrap().unwrap().digest, "def");
        Pins::default().first_use(&path, Pin::new("abc", Vec::new())).unwrap();
        assert_eq!(Pins::default().of(&path).unwrap(), None);
    }

    #[test]
    fn code_is_known_by_all_its_names() {
        let temp = tempfile::tempdir().unwrap();
        let pins = Pins::in_file(temp.path().join("state/pins.json"));
        let (one, two, link) =
            (temp.path().join("one.so"), temp.path().join("two.so"), temp.path().join("link.so"));
        std::fs::write(&one, "a").unwrap();
        std::fs::write(&two, "b").unwrap();
        std::os::unix::fs::symlink(&one, &link).unwrap();
        let pin = |digest: &str| Pin::new(digest, vec!["one".into()]);
        let digest = |path: &Path| pins.of(path).unwrap().map(|pin| pin.digest);
        pins.first_use(&link, pin("abc")).unwrap();
        assert_eq!(
            digest(&one),
            Some("abc".into()),
            "what was pinned through a link is pinned where it lies"
        );
        pins.set(&one, pin("def")).unwrap();
        assert_eq!(
            digest(&link),
            Some("def".into()),
            "what is let in where it lies is let in through the link"
        );
        // A link that leads to other code now is not let in with it.
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&two, &link).unwrap();
        assert_eq!((digest(&link), digest(&two)), (Some("def".into()), None));
    }

    #[test]
    fn what_several_programs_pin_at_once_is_pinned() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("state/pins.json");
        state_file::at_once(|number| {
            let path = format!("/nowhere/{number}.so");
            Pins::in_file(&file).first_use(Path::new(&path), Pin::new("abc", vec![path.clone()])).unwrap();
        });
        assert_eq!(Pins::in_file(&file).all().unwrap().len(), 80);
    }

    #[test]
    fn code_that_is_gone_is_forgotten_among_many() {
        let temp = tempfile::tempdir().unwrap();
        let pins = Pins::in_file(temp.path().join("pins.json"));
        let there = temp.path().join("there.so");
        std::fs::write(&there, "x").unwrap();
        let pin = || Pin::new("abc", Vec::new());
        let many = (0..MANY).map(|number| (format!("/nowhere/{number}.so"), pin()));
        let all: BTreeMap<String, Pin> = many.collect();
        state_file::lock(&temp.path().join("pins.json")).unwrap().store(&all).unwrap();
        pins.set(&there, pin()).unwrap();
        assert_eq!(pins.all().unwrap().into_keys().collect::<Vec<_>>(), [key(&there)]);
    }

    #[test]
    fn a_damaged_file_is_no_empty_one() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("pins.json");
        std::fs::write(&file, "{").unwrap();
        let error = Pins::in_file(&file).of(Path::new("/x")).unwrap_err().to_string();
        assert!(error.contains("pins.json") && error.contains("delete the file"), "{error}");
    }
}
