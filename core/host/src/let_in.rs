//! Letting detectors run again that were set aside, or whose code has changed.

use super::named::is_named;
use super::pins::real;
use super::registry::now_at;
use super::worker::{AsideEntry, Workers};
use super::{Pin, PluginError};
use std::path::{Path, PathBuf};

/// What was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetIn {
    /// It was set aside.
    Aside(AsideEntry),
    /// Its code has changed.
    Changed {
        /// The detectors in it.
        names: Vec<String>,
        /// The library or `detector.toml`.
        path: PathBuf,
        /// The files that differ, as a clause.
        what: String,
    },
}

impl LetIn {
    /// The detectors in it, as far as they are known.
    pub fn names(&self) -> &[String] {
        match self {
            LetIn::Aside(entry) if entry.name.is_empty() => &[],
            LetIn::Aside(entry) => std::slice::from_ref(&entry.name),
            LetIn::Changed { names, .. } => names,
        }
    }
}

/// Lets a detector run again, by its name, its file, its folder or its path: what was set aside is forgotten, and its code is pinned
/// as it is now. Returns what was in its way, nothing if it would have run. `shown` is the digest of the code that was looked at, if one was
/// shown: only that is let in.
///
/// # Errors
/// When it is not a detector any more, when its code has changed and is not what was shown, or when that cannot be stored.
pub fn let_in(workers: &Workers, name: &str, shown: Option<&str>) -> Result<Vec<LetIn>, PluginError> {
    let pins = workers.pins();
    let known = pins.all().map_err(PluginError::Stored)?;
    let known = known.into_iter().map(|(path, pin)| (PathBuf::from(path), pin));
    let mut changed = Vec::new();
    let named = |path: &Path, pin: &Pin| is_named(name, pin.names.iter().map(String::as_str), path);
    for (path, pin) in known.filter(|(path, pin)| named(path, pin) && path.exists()) {
        let now = now_at(&path)?;
        let again = changed.iter().any(|(other, ..): &(PathBuf, _, _)| real(other) == real(&path));
        if now.digest != pin.digest && !again {
            changed.push((path, now, pin));
        }
    }
    one_place(name, changed.iter().map(|(path, ..)| path.as_path()))?;
    if let Some(shown) = shown {
        changed.iter().try_for_each(|(path, now, _)| as_shown(path, &now.digest, shown))?;
    }
    let aside = workers.aside().let_in(name).map_err(PluginError::Stored)?;
    let mut all: Vec<LetIn> = aside.into_iter().map(LetIn::Aside).collect();
    for (path, now, pin) in changed {
        let what = now.different(&path, &pin);
        pins.set(&path, now.pin(pin.names.clone())).map_err(PluginError::Stored)?;
        all.push(LetIn::Changed { names: pin.names, path, what });
    }
    Ok(all)
}

/// The digest of the code at a path, as results name the code that found them; nothing if it is not a detector. Nothing of it runs.
pub fn code_at(path: &Path) -> Option<String> {
    Some(now_at(path).ok()?.digest)
}

/// Refuses code that is not what was shown: it changed again after that.
fn as_shown(path: &Path, now: &str, shown: &str) -> Result<(), PluginError> {
    if now == shown {
        return Ok(());
    }
    let short = |digest: &str| digest.get(..12).unwrap_or(digest).to_owned();
    let message = format!(
        "{} has changed again since its code {} was shown, so it is not let in: its code is {} now",
        path.display(),
        short(shown),
        short(now)
    );
    Err(PluginError::Stored(chaffinch_data::Error::Invalid(message)))
}

/// Refuses a name that code in several places has: what is let in is what was looked at.
fn one_place<'a>(name: &str, paths: impl Iterator<Item = &'a Path>) -> Result<(), PluginError> {
    let mut paths: Vec<&Path> = paths.collect();
    paths.sort_by_key(|path| path.components().count());
    let Some(folder) = paths.first().and_then(|path| path.parent()) else { return Ok(()) };
    if paths.iter().all(|path| path.starts_with(folder)) {
        return Ok(());
    }
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let message =
        format!("'{name}' has changed in several places: name one of them by its path: {}", paths.join(", "));
    Err(PluginError::Stored(chaffinch_data::Error::Invalid(message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pins;
    use std::fs;

    #[test]
    fn what_has_changed_is_let_in_in_one_place() {
        let temp = tempfile::tempdir().unwrap();
        let pins = Pins::in_file(temp.path().join("pins.json"));
        let workers = Workers::default().pinning(pins.clone());
        let description = |place: &str, words: &str| {
            let folder = temp.path().join(place);
            fs::create_dir_all(&folder).unwrap();
            let file = folder.join("detector.toml");
            fs::write(&file, format!("name = 'odd'\nsummary = '{words}'\ncommand = ['sh', 'run.sh']"))
                .unwrap();
            file
        };
        let names = vec!["odd".to_owned()];
        let pin = |path: &Path| pins.set(path, now_at(path).unwrap().pin(names.clone()));
        let (one, two) = (description("one", "a"), description("two", "a"));
        pin(&one).unwrap();
        pin(&two).unwrap();
        assert_eq!(let_in(&workers, "odd", None).unwrap(), []);
        description("one", "b");
        let changed = |path: &Path| {
            let what = format!("{} has changed", path.display());
            vec![LetIn::Changed { names: names.clone(), path: path.into(), what }]
        };
        assert_eq!(let_in(&workers, "odd", None).unwrap(), changed(&one));
        assert_eq!(let_in(&workers, "odd", None).unwrap(), []);
        description("one", "c");
        description("two", "c");
        let error = let_in(&workers, "odd", None).unwrap_err().to_string();
        assert!(error.contains("in several places") && error.contains("one/detector.toml"), "{error}");
        let folder = temp.path().join("two");
        assert_eq!(let_in(&workers, folder.to_str().unwrap(), None).unwrap(), changed(&two));
        assert_eq!(let_in(&workers, "odd", None).unwrap(), changed(&one));
    }
    #[test]
    fn what_changed_after_it_was_shown_is_not_let_in() {
        let temp = tempfile::tempdir().unwrap();
        let pins = Pins::in_file(temp.path().join("pins.json"));
        let workers = Workers::default().pinning(pins.clone());
        let file = temp.path().join("detector.toml");
        let write = |words: &str| {
            let text = format!("name = 'odd'\nsummary = '{words}'\ncommand = ['sh', 'run.sh']");
            fs::write(&file, text).unwrap();
            now_at(&file).unwrap().digest
        };
        let first = write("a");
        pins.set(&file, now_at(&file).unwrap().pin(vec!["odd".into()])).unwrap();
        let (shown, now) = (write("b"), write("c"));
        for name in ["odd", file.to_str().unwrap()] {
            let error = let_in(&workers, name, Some(&shown)).unwrap_err().to_string();
            assert!(error.contains(&shown[..12]) && error.contains(&now[..12]), "{error}");
            assert_eq!(pins.of(&file).unwrap().unwrap().digest, first, "nothing is pinned");
        }
        assert_eq!(let_in(&workers, "odd", Some(&now)).unwrap().len(), 1);
        assert_eq!(pins.of(&file).unwrap().unwrap().digest, now);
    }
}
