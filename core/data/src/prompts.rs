//! Prompts about each class for models that read text.

use crate::toml_table::Source;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const DEFAULT: &str = include_str!("../../../configs/prompts/default.toml");
const BUNDLED: [(&str, &str); 3] = [
    ("default", DEFAULT),
    ("cifar10", include_str!("../../../configs/prompts/cifar10.toml")),
    ("cifar10-described", include_str!("../../../configs/prompts/cifar10-described.toml")),
];

/// Templates, words for classes, and alternatives. See `configs/prompts/default.toml` for the file format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptSet {
    templates: Vec<String>,
    alternatives: Vec<String>,
    classes: BTreeMap<String, ClassWords>,
    warnings: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ClassWords {
    synonyms: Vec<String>,
    prompts: Vec<String>,
    only: bool,
}

impl PromptSet {
    /// The built-in prompts for any dataset.
    pub fn bundled() -> PromptSet {
        let mut set = PromptSet::default();
        let read = set.overlay(DEFAULT, Path::new("configs/prompts/default.toml"));
        debug_assert!(read.is_ok());
        set
    }

    /// The built-in prompts with those of files on top; a file may also be the name of a built-in set.
    ///
    /// # Errors
    /// If a file cannot be read or is not valid.
    pub fn load(files: &[impl AsRef<Path>]) -> Result<PromptSet> {
        let mut set = PromptSet::bundled();
        for file in files {
            let path = file.as_ref();
            match BUNDLED.iter().find(|(name, _)| Path::new(name) == path) {
                Some((name, text)) => {
                    set.overlay(text, Path::new(&format!("configs/prompts/{name}.toml")))?
                }
                None => set.overlay(&fs::read_to_string(path).map_err(Error::io("read", path))?, path)?,
            }
        }
        Ok(set)
    }

    /// Merges another file into this set.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn overlay(&mut self, text: &str, path: &Path) -> Result<()> {
        let source = Source { path, text };
        let parsed = source.parse()?;
        let mut file = source.table(parsed.get_ref(), "");
        if let Some(templates) = file.texts("templates")? {
            if let Some(wrong) = templates.iter().find(|template| template.matches("{}").count() != 1) {
                let message =
                    format!("the template '{wrong}' must contain {{}} once, in place of the class name");
                return Err(file.complain("templates", message));
            }
            if templates.is_empty() {
                return Err(file.complain("templates", "at least one template is required"));
            }
            self.templates = templates;
        }
        if let Some(alternatives) = file.texts("alternatives")? {
            if let Some(wrong) =
                alternatives.iter().find(|text| text.contains("{}") || text.trim().is_empty())
            {
                let message = format!("the alternative '{wrong}' must be a complete prompt without {{}}");
                return Err(file.complain("alternatives", message));
            }
            self.warn(&alternatives, path);
            self.alternatives = alternatives;
        }
        if let Some(classes) = file.table("classes")? {
            for (name, table) in source.table(classes, "classes").other_tables()? {
                let title = format!("classes.{name}");
                let mut table = source.table(table, &title);
                let words = ClassWords {
                    synonyms: table.texts("synonyms")?.unwrap_or_default(),
                    prompts: table.texts("prompts")?.unwrap_or_default(),
                    only: table.boolean("only")?.unwrap_or(false),
                };
                if words.only && words.synonyms.is_empty() && words.prompts.is_empty() {
                    return Err(table.complain("only", "'only' leaves no prompts; add synonyms or prompts"));
                }
                table.finish()?;
                self.warn(&words.synonyms, path);
                self.warn(&words.prompts, path);
                self.classes.insert(spoken(&name).to_lowercase(), words);
            }
        }
        file.finish()
    }

    fn warn(&mut self, texts: &[String], path: &Path) {
        let negated = |text: &&String| {
            let text = format!(" {} ", text.to_lowercase());
            [" not ", " no ", " without ", " isn't "].iter().any(|word| text.contains(word))
        };
        self.warnings.extend(texts.iter().filter(negated).map(|text| {
            format!(
                "{}: '{text}' is a negation, which models like CLIP ignore; use a generic word such as 'something' instead",
                path.display()
            )
        }));
    }

    /// The prompts of a class without duplicates: each of its words in each template, then its own prompts.
    pub fn for_class(&self, name: &str) -> Vec<String> {
        let spoken = spoken(name);
        let none = ClassWords::default();
        let words = self.classes.get(&spoken.to_lowercase()).unwrap_or(&none);
        let own = (!words.only).then_some(spoken.as_str());
        let names = || own.into_iter().chain(words.synonyms.iter().map(String::as_str));
        let made =
            self.templates.iter().flat_map(|template| names().map(|name| template.replacen("{}", name, 1)));
        let mut prompts: Vec<String> = Vec::new();
        for prompt in made.chain(words.prompts.iter().cloned()) {
            if !prompts.contains(&prompt) {
                prompts.push(prompt);
            }
        }
        prompts
    }

    /// Complete prompts for images that belong to no class.
    pub fn alternatives(&self) -> Vec<String> {
        self.alternatives.clone()
    }

    /// Prompts that are likely to work badly, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Changes whenever any prompt changes.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |kind: &str, texts: &[String]| {
            hasher.update(kind.as_bytes()).update(&[0]);
            for text in texts {
                hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
            }
        };
        add("templates", &self.templates);
        add("alternatives", &self.alternatives);
        for (name, words) in &self.classes {
            add(name, &[]);
            add("synonyms", &words.synonyms);
            add("prompts", &words.prompts);
            add(if words.only { "only" } else { "beside" }, &[]);
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// A class name as spoken: with spaces instead of underscores and hyphens.
fn spoken(name: &str) -> String {
    name.replace(['_', '-'], " ").split_whitespace().collect::<Vec<&str>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(text: &str) -> Result<PromptSet> {
        let mut set = PromptSet::bundled();
        set.overlay(text, Path::new("own.toml")).map(|()| set)
    }

    #[test]
    fn every_class_has_prompts() {
        let set = PromptSet::bundled();
        assert_eq!(set.for_class("tabby_cat")[0], "a photo of a tabby cat");
        assert_eq!(set.for_class("stop-sign").len(), 4);
        assert_eq!(set.alternatives()[0], "a photo of something");
        assert_eq!(set.warnings(), [""; 0]);
    }

    #[test]
    fn the_built_in_sets_are_read_by_name() {
        let set = PromptSet::load(&["cifar10"]).unwrap();
        let prompts = set.for_class("automobile");
        assert!(prompts.contains(&"a blurry photo of a car".to_owned()));
        assert_eq!(prompts.len(), 15);
        let described = PromptSet::load(&["cifar10-described"]).unwrap();
        for class in
            ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
        {
            assert_eq!(described.for_class(class).len(), 8, "{class}");
        }
        assert_eq!(described.for_class("tulip"), ["a photo of a tulip"]);
        assert!(PromptSet::load(&["/nowhere/x.toml"]).unwrap_err().to_string().contains("/nowhere/x.toml"));
    }

    #[test]
    fn own_words_override_the_built_in_ones() {
        let set = overlay(
            "templates = ['{} here']\n[classes.Crane]\nsynonyms = ['wading bird']\nprompts = ['a tall bird']\nonly = true\n",
        )
        .unwrap();
        assert_eq!(set.for_class("crane"), ["wading bird here", "a tall bird"]);
        assert_eq!(set.for_class("dog"), ["dog here"]);
        assert_ne!(set.digest(), PromptSet::bundled().digest());
        assert_eq!(PromptSet::bundled().digest(), PromptSet::bundled().digest());
    }

    #[test]
    fn negations_cause_a_warning() {
        let set = overlay("alternatives = ['not a cat', 'a knot']").unwrap();
        assert_eq!(set.warnings().len(), 1);
        assert!(set.warnings()[0].contains("'not a cat' is a negation"));
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = |text: &str| overlay(text).unwrap_err().to_string();
        assert_eq!(
            error("\nalternative = []"),
            "own.toml: line 2: unknown key 'alternative'; did you mean 'alternatives'?"
        );
        assert!(
            error("templates = ['a photo']").contains("line 1: the template 'a photo' must contain {} once")
        );
        assert!(error("[classes.a]\nsynonym = []").contains("line 2: unknown key 'synonym' in [classes.a]"));
        assert!(error("templates = 3").contains("must be a list of strings"));
        assert!(error("x = ").contains("own.toml: line 1"));
    }
}
