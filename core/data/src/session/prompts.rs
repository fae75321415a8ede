//! Prompts that were edited in a session, which count in the place of those of the configuration.

use super::Session;
use crate::prompts::PromptSet;
use crate::{Error, Result};
use chaffinch_protocol::PromptWords;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

pub(super) const FILE: &str = "prompts.toml";

impl Session {
    /// Where they are, if there are any.
    pub fn prompts_path(&self) -> PathBuf {
        self.dir().join(FILE)
    }

    /// The set in use: that of the session if it has one, on top of what the configuration says that classes are called.
    ///
    /// # Errors
    /// When there is a set of the session that cannot be read.
    pub fn prompts(&self, configured: &PromptSet) -> Result<PromptSet> {
        Ok(match self.load_prompts()? {
            Some(words) => configured.edit(&words),
            None => configured.clone(),
        })
    }

    /// The set of the session, if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or is not valid.
    pub fn load_prompts(&self) -> Result<Option<PromptWords>> {
        let path = self.prompts_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let mut set = PromptSet::default();
        let words = set.overlay(&text, &path).map(|()| set.edited())?;
        match words.fault() {
            None => Ok(Some(words)),
            Some(fault) => {
                let how = "chaffinch prompts SESSION --reset returns to the set of the configuration";
                Err(Error::format(&path, format!("{fault}; {how}")))
            }
        }
    }

    /// Stores a set, or that there is none.
    ///
    /// # Errors
    /// When the set is not valid, or cannot be written.
    pub fn save_prompts(&self, words: Option<&PromptWords>) -> Result<()> {
        self.writable()?;
        let path = self.prompts_path();
        let Some(words) = words else { return super::removed(fs::remove_file(&path), &path) };
        if let Some(fault) = words.fault() {
            return Err(Error::Invalid(fault));
        }
        let text = toml::to_string_pretty(words).map_err(|error| Error::format(&path, error.to_string()))?;
        self.write(&path, |out| {
            out.write_all(b"# Edited with chaffinch; as configs/prompts/default.toml describes it.\n\n")?;
            out.write_all(text.as_bytes())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_protocol::ClassWords;

    #[test]
    fn a_set_is_kept_as_it_was_and_counts_in_the_place_of_the_configured_one() {
        let temp = tempfile::tempdir().unwrap();
        let (data, dir) = (temp.path().join("data"), temp.path().join("session"));
        fs::create_dir(&data).unwrap();
        let session = Session::open_or_create(&dir, &data).unwrap();
        let mut configured = PromptSet::load(&["cifar10"]).unwrap();
        configured.name_classes("0 = 'cat'", &data).unwrap();
        assert_eq!(session.prompts(&configured).unwrap(), configured);
        let mut words = configured.edited();
        assert_eq!(configured.edit(&words).digest(), configured.digest());
        words.templates = vec!["a {}, \\ and é".into()];
        let own =
            ClassWords { synonyms: vec!["kitten".into()], prompts: vec!["a cat; asleep".into()], only: true };
        words.classes.insert("cat".into(), own);
        session.save_prompts(Some(&words)).unwrap();
        assert_eq!(session.load_prompts().unwrap().as_ref(), Some(&words));
        let used = session.prompts(&configured).unwrap();
        let expected = ["a kitten, \\ and é", "a cat; asleep"];
        // What a file says that a class is stays, and leads to its words.
        assert_eq!(
            (used.for_class("cat"), used.for_class("0")),
            (expected.map(str::to_owned).to_vec(), expected.map(str::to_owned).to_vec())
        );
        assert_eq!(used.spoken_class("0").key, "cat");
        assert!(used.for_class("automobile").contains(&"a car, \\ and é".to_owned()));
        assert_ne!(used.digest(), configured.digest());
        let classes = ["cat".to_owned(), "tulip".to_owned()];
        assert_eq!(configured.unknown_class(&words, &classes), None, "what the configuration names is known");
        words.classes.insert("tulp".into(), ClassWords::default());
        let unknown = configured.unknown_class(&words, &classes).unwrap();
        assert_eq!(unknown, "the dataset has no class 'tulp'; did you mean 'tulip'?");
        session.save_prompts(None).unwrap();
        session.save_prompts(None).unwrap();
        assert_eq!(session.load_prompts().unwrap(), None);
    }

    #[test]
    fn nothing_invalid_is_written_and_what_is_damaged_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let (data, dir) = (temp.path().join("data"), temp.path().join("session"));
        fs::create_dir(&data).unwrap();
        let session = Session::open_or_create(&dir, &data).unwrap();
        let none = PromptWords::default();
        assert_eq!(
            session.save_prompts(Some(&none)).unwrap_err().to_string(),
            "at least one template is needed"
        );
        assert!(!session.prompts_path().exists());
        for (text, why) in [
            ("templates = [", "line 1"),
            ("templates = ['a']", "must contain {} once"),
            ("templates = ['{}', '{}']", "it is there twice; chaffinch prompts SESSION --reset"),
            ("colour = 1", "unknown key 'colour'"),
        ] {
            fs::write(session.prompts_path(), text).unwrap();
            let error = session.load_prompts().unwrap_err().to_string();
            assert!(error.contains("prompts.toml") && error.contains(why), "{text}: {error}");
        }
        let words = PromptSet::bundled().edited();
        drop(session);
        let session = Session::open_to_read(&dir).unwrap();
        assert!(session.save_prompts(Some(&words)).unwrap_err().to_string().contains("read-only"));
        assert!(session.save_prompts(None).unwrap_err().to_string().contains("read-only"));
        assert!(session.prompts_path().exists());
    }
}
