//! Code that crashed, hung or broke the protocol is set aside until it changes or the user lets it in again: it would do
//! the same in every scan.

use crate::named::is_named;
use crate::state_file;
use chaffinch_data::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was set aside, by the digest of the code.
#[derive(Debug, Clone, Default)]
pub struct Aside {
    /// Where it is stored; nothing is set aside without a place.
    file: Option<PathBuf>,
}

/// Something that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsideEntry {
    /// The detector's name; empty for a library that died before it said one.
    pub name: String,
    /// Its library or folder.
    pub path: PathBuf,
    /// What happened.
    pub reason: String,
}

/// The largest file that is read; ours has a few lines.
const MOST: u64 = 4 << 20;

impl AsideEntry {
    /// Why, as it follows "because": a reason is the predicate of the detector's name, or says what its process did.
    pub fn clause(&self) -> String {
        match self.reason.starts_with("its ") {
            true => self.reason.clone(),
            false => format!("it {}", self.reason),
        }
    }
}

impl Aside {
    /// Stored in this file.
    pub fn in_file(file: impl Into<PathBuf>) -> Aside {
        Aside { file: Some(file.into()) }
    }

    /// Why this code was set aside, if it was.
    pub fn of(&self, digest: &str) -> Option<AsideEntry> {
        self.all().remove(digest)
    }

    /// Everything that was set aside, by digest. A file that cannot be read sets nothing aside.
    pub fn all(&self) -> BTreeMap<String, AsideEntry> {
        let Some(file) = self.file.as_deref().filter(|file| size(file) <= MOST) else {
            return BTreeMap::new();
        };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Sets code aside. What the same detector was before is forgotten: it has changed since.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn add(&self, digest: &str, entry: AsideEntry) -> Result<()> {
        self.change(|all| {
            all.retain(|_, known| (&known.name, &known.path) != (&entry.name, &entry.path));
            all.insert(digest.to_owned(), entry);
            true
        })
    }

    /// Lets code in again, by the name of the detector, its file, its folder or its path. Returns what was let in.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn let_in(&self, name: &str) -> Result<Vec<AsideEntry>> {
        let named = |entry: &AsideEntry| {
            let known = Some(entry.name.as_str()).filter(|known| !known.is_empty());
            is_named(name, known, &entry.path)
        };
        let mut freed = Vec::new();
        if !self.all().values().any(named) {
            return Ok(freed);
        }
        self.change(|all| {
            freed.extend(all.values().filter(|entry| named(entry)).cloned());
            all.retain(|_, entry| !named(entry));
            !freed.is_empty()
        })?;
        Ok(freed)
    }

    /// Changes what is stored, if `change` says that it did; no other program changes it meanwhile.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, AsideEntry>) -> bool) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let locked = state_file::lock(file)?;
        let mut all = self.all();
        if change(&mut all) { locked.store(&all) } else { Ok(()) }
    }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(u64::MAX, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_died_is_remembered_until_it_is_let_in() {
        let temp = tempfile::tempdir().unwrap();
        let aside = Aside::in_file(temp.path().join("state/set-aside.json"));
        let entry = |name: &str| AsideEntry {
            name: name.into(),
            path: format!("/somewhere/lib{name}.so").into(),
            reason: "its process crashed".into(),
        };
        assert_eq!(aside.of("abc"), None);
        aside.add("abc", entry("one")).unwrap();
        aside.add("def", entry("two")).unwrap();
        assert_eq!(aside.of("abc"), Some(entry("one")));
        assert_eq!(aside.let_in("nobody").unwrap(), []);
        assert_eq!(aside.let_in("one").unwrap(), [entry("one")]);
        assert_eq!(aside.let_in("libtwo.so").unwrap(), [entry("two")]);
        assert!(aside.all().is_empty());
        // A detector that is written again and again is there once.
        aside.add("abc", entry("one")).unwrap();
        aside.add("def", entry("one")).unwrap();
        assert_eq!(aside.all().into_keys().collect::<Vec<_>>(), ["def"]);
        Aside::default().add("abc", entry("one")).unwrap();
        assert_eq!(Aside::default().of("abc"), None);
    }

    #[test]
    fn what_several_programs_set_aside_at_once_is_set_aside() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("set-aside.json");
        state_file::at_once(|number| {
            let (name, path) = (number.to_string(), format!("/somewhere/lib{number}.so").into());
            let entry = AsideEntry { name: name.clone(), path, reason: "it hung".into() };
            Aside::in_file(&file).add(&name, entry).unwrap();
        });
        assert_eq!(Aside::in_file(&file).all().len(), 80);
    }
}
