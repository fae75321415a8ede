//! Prompts about each class for models that read text.

use crate::class_names;
use crate::nearest::hint;
use crate::toml_table::Source;
use crate::{Error, Result};
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::{ClassWords, PromptWords, SpokenClass};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const DEFAULT: &str = include_str!("../../../configs/prompts/default.toml");
const BUNDLED: [(&str, &str); 3] = [
    ("default", DEFAULT),
    ("cifar10", include_str!("../../../configs/prompts/cifar10.toml")),
    ("cifar10-described", include_str!("../../../configs/prompts/cifar10-described.toml")),
];

/// What the classes of ImageNet are, by their WordNet ids: lines of `n01440764 = "tench"`.
const IMAGENET: &str = include_str!("../../../configs/names/imagenet.toml");

/// Templates, words for classes, and alternatives. See `configs/prompts/default.toml` for the file format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptSet {
    templates: Vec<String>,
    alternatives: Vec<String>,
    classes: BTreeMap<String, ClassWords>,
    /// What classes are whose names are not words, by [`key`].
    names: BTreeMap<String, Vec<String>>,
    warnings: Vec<String>,
}

impl PromptSet {
    /// The file in a dataset's folder or beside it that says what its classes are called.
    pub const NAMES_FILE: &'static str = "classes.toml";

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

    /// The same with what the classes of a dataset are called: from `files`, the last of which counts most, and from a
    /// `classes.toml` in the dataset's folder or beside it, which the files override.
    ///
    /// # Errors
    /// If a file cannot be read or is not valid.
    pub fn for_dataset(mut self, files: &[impl AsRef<Path>], dataset: &Path) -> Result<PromptSet> {
        let beside = PromptSet::names_file(dataset);
        for path in beside.iter().map(PathBuf::as_path).chain(files.iter().map(AsRef::as_ref)) {
            let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
            self.name_classes(&text, path)?;
        }
        Ok(self)
    }

    /// The file that says what the classes of a dataset are, if there is one.
    pub fn names_file(dataset: &Path) -> Option<PathBuf> {
        let inside = dataset.join(PromptSet::NAMES_FILE);
        let beside = || Some(dataset.parent()?.join(PromptSet::NAMES_FILE)).filter(|file| file.is_file());
        if inside.is_file() { Some(inside) } else { beside() }
    }

    /// Reads what classes are called: `n02123045 = "tabby cat"`, or several names in a list.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn name_classes(&mut self, text: &str, path: &Path) -> Result<()> {
        let source = Source { path, text };
        let parsed = source.parse()?;
        let file = source.table(parsed.get_ref(), "");
        for (class, names) in file.other_texts()? {
            if names.iter().all(|name| name.trim().is_empty()) {
                return Err(file.complain(&class, format!("'{class}' needs a name")));
            }
            self.warn(&names, path);
            self.names.insert(key(&class), names.iter().map(|name| spoken(name)).collect());
        }
        Ok(())
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
        let named = self.names_of(name);
        let none = ClassWords::default();
        let words = self.words(name).unwrap_or(&none);
        let own = named.iter().filter(|_| !words.only);
        let names = || own.clone().chain(&words.synonyms);
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

    /// The words for a class, under its name or under what it is called.
    fn words(&self, name: &str) -> Option<&ClassWords> {
        let under = |name: &str| self.classes.get(&spoken(name).to_lowercase());
        under(name).or_else(|| self.names_of(name).iter().find_map(|name| under(name)))
    }

    /// What a class is called: as a file says, as ImageNet says, or its own name.
    fn names_of(&self, name: &str) -> Vec<String> {
        if let Some(names) = self.names.get(&key(name)) {
            return names.clone();
        }
        vec![imagenet(name).map_or_else(|| spoken(name), str::to_owned)]
    }

    /// Why a model cannot be asked about these classes, and what to do: at least half of their names are not words, and
    /// nothing says what they are. `None` if it can.
    pub fn nameless(&self, classes: &[String]) -> Option<String> {
        let known = |name: &&String| {
            class_names::is_word(name)
                || self.names.contains_key(&key(name))
                || self.words(name).is_some()
                || imagenet(name).is_some()
        };
        let codes: Vec<&String> = classes.iter().filter(|name| !known(name)).collect();
        if codes.is_empty() || codes.len() * 2 < classes.len() {
            return None;
        }
        let examples: Vec<String> =
            codes.iter().take(3).map(|name| format!("'{}'", safe_text(name))).collect();
        let more = if codes.len() > 3 { ", …" } else { "" };
        let file = PromptSet::NAMES_FILE;
        let names = counted(codes.len() as u64, "class name is not a word", "class names are not words");
        Some(format!(
            "{names} ({}{more}): say what the classes are in a {file} beside the dataset, in lines such as \"{}\" = \"tabby cat\", or in a file named by class-names under [prompts]",
            examples.join(", "),
            safe_text(codes[0])
        ))
    }

    /// Where the set of these files is from, in words.
    pub fn origin(files: &[PathBuf]) -> String {
        let own = files.iter().filter(|file| file.as_path() != Path::new("default"));
        let own: Vec<String> = own.map(|file| safe_path(file)).collect();
        if own.is_empty() {
            "built in".to_owned()
        } else {
            format!("from the configuration: {}", own.join(", "))
        }
    }

    /// The set as it is edited, without what classes are whose names are not words.
    pub fn edited(&self) -> PromptWords {
        let PromptSet { templates, alternatives, classes, .. } = self.clone();
        PromptWords { templates, alternatives, classes }
    }

    /// The same with these words in the place of its own; what classes are whose names are not words stays.
    #[must_use]
    pub fn edit(&self, words: &PromptWords) -> PromptSet {
        let PromptWords { templates, alternatives, classes } = words.clone();
        let mut set =
            PromptSet { templates, alternatives, names: self.names.clone(), ..PromptSet::default() };
        set.classes =
            classes.into_iter().map(|(name, words)| (spoken(&name).to_lowercase(), words)).collect();
        let own = set.classes.values().flat_map(|words| words.synonyms.iter().chain(&words.prompts));
        let all: Vec<String> = set.alternatives.iter().chain(own).cloned().collect();
        set.warn(&all, Path::new("prompts.toml"));
        set
    }

    /// Says which class these words are about that neither the dataset nor this set has; `None` if there is none.
    pub fn unknown_class(&self, words: &PromptWords, classes: &[String]) -> Option<String> {
        let edited = self.edit(words);
        let mut known: BTreeSet<String> = classes.iter().map(|name| edited.spoken_class(name).key).collect();
        known.extend(self.classes.keys().cloned());
        let key = edited.classes.keys().find(|key| !known.contains(*key))?;
        let hint = hint(key, known.iter().map(String::as_str));
        Some(format!("the dataset has no class '{}'{}", safe_text(key), safe_text(&hint)))
    }

    /// How words name a class.
    pub fn spoken_class(&self, name: &str) -> SpokenClass {
        let names = self.names_of(name);
        let keys = std::iter::once(name).chain(names.iter().map(String::as_str));
        let mut keys = keys.map(|name| spoken(name).to_lowercase());
        let own = spoken(name).to_lowercase();
        SpokenClass { key: keys.find(|key| self.classes.contains_key(key)).unwrap_or(own), names }
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
        for (class, names) in &self.names {
            add(class, &[]);
            add("names", names);
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// A class name as it is looked up.
fn key(name: &str) -> String {
    class_names::clean(name).to_lowercase()
}

/// The thousand names of ImageNet's classes, in the order of its ids.
pub fn imagenet_names() -> Vec<String> {
    let name = |line: &str| Some(line.split_once(" = \"")?.1.strip_suffix('"')?.to_owned());
    IMAGENET.lines().filter_map(name).collect()
}

/// What a WordNet id means in ImageNet.
fn imagenet(name: &str) -> Option<&'static str> {
    let id = class_names::clean(name);
    let is_id = id.len() == 9 && id.starts_with('n') && id[1..].bytes().all(|byte| byte.is_ascii_digit());
    if !is_id {
        return None;
    }
    IMAGENET.lines().find_map(|line| line.strip_prefix(&*id)?.strip_prefix(" = \"")?.strip_suffix('"'))
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
    fn imagenet_has_a_thousand_names() {
        let names = imagenet_names();
        assert_eq!((names.len(), names[0].as_str()), (1000, "tench"));
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
    fn classes_whose_names_are_no_words_can_be_named() {
        let classes = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mut set = PromptSet::bundled();
        let digits = classes(&["0", "1", "2", "3", "4", "5"]);
        let sentence = set.nameless(&digits).unwrap();
        assert!(sentence.starts_with("6 class names are not words ('0', '1', '2', …)"), "{sentence}");
        assert!(sentence.contains("classes.toml beside the dataset"), "{sentence}");
        assert_eq!(set.nameless(&classes(&["cat", "dog", "7"])), None, "most are words");
        assert_eq!(set.nameless(&classes(&["n01440764", "n02123045"])), None, "ImageNet is known");
        assert!(set.nameless(&classes(&["n00000001", "n00000002"])).is_some());
        assert_eq!(set.for_class("n01440764")[0], "a photo of a tench");
        let before = set.digest();
        let text = "0 = \"tabby_cat\"\n1 = [\"dog\", \"hound\"]\n2 = 'a'\n3 = 'b'\nn01440764 = 'fish'\n";
        set.name_classes(text, Path::new("classes.toml")).unwrap();
        assert_eq!(set.nameless(&digits), None, "two of six are left");
        assert_eq!((&*set.for_class("0")[0], set.for_class("1").len()), ("a photo of a tabby cat", 8));
        assert_eq!(set.for_class("n01440764")[0], "a photo of a fish");
        assert_ne!(set.digest(), before);
        let error = |text: &str| {
            PromptSet::bundled().name_classes(text, Path::new("classes.toml")).unwrap_err().to_string()
        };
        assert!(error("0 = 1").contains("classes.toml: line 1: '0' must be a string, or a list of strings"));
        assert!(error("\n0 = ''").contains("line 2: '0' needs a name"));
    }

    #[test]
    fn names_are_found_beside_the_dataset() {
        let temp = tempfile::tempdir().unwrap();
        let dataset = temp.path().join("data");
        fs::create_dir(&dataset).unwrap();
        let first = |files: &[PathBuf]| {
            PromptSet::bundled().for_dataset(files, &dataset).unwrap().for_class("0")[0].clone()
        };
        assert_eq!(first(&[]), "a photo of a 0");
        fs::write(temp.path().join("classes.toml"), "0 = 'cat'").unwrap();
        assert_eq!(first(&[]), "a photo of a cat");
        fs::write(dataset.join("classes.toml"), "0 = 'dog'").unwrap();
        assert_eq!(first(&[]), "a photo of a dog");
        let own = temp.path().join("own.toml");
        fs::write(&own, "0 = 'cow'").unwrap();
        assert_eq!(first(&[own]), "a photo of a cow");
        let table = dataset.join("labels.csv");
        assert_eq!(PromptSet::names_file(&table), Some(dataset.join("classes.toml")));
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
