//! How each kind of setting is read from files and the environment.

use super::setting::{Form, Limits, Setting};
use super::written;
use crate::toml_table::Table;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A kind of setting: how it is read and the type of its value.
pub(super) trait Kind {
    /// The type of its value.
    type Value;
    /// Its form in a file.
    const FORM: Form;

    /// Reads it from a section of a file in the folder `base`; `None` if it is not set there.
    fn read(setting: &Setting, table: &mut Table<'_, '_>, base: &Path) -> Result<Option<Self::Value>>;

    /// Reads it from the environment.
    fn parse(setting: &Setting, variable: &str, _text: String) -> Result<Self::Value> {
        Err(Error::Invalid(format!("{variable}: '{}' can only be set in a file", setting.key)))
    }

    /// The value as it would be written in a file; `None` if there is none.
    fn written(value: &Self::Value) -> Option<String>;

    /// Merges the value of a later layer into that of an earlier one.
    fn merge(earlier: &mut Self::Value, later: Self::Value) {
        *earlier = later;
    }
}

/// A string.
pub(super) struct Text;

impl Kind for Text {
    type Value = String;
    const FORM: Form = Form::Text;

    fn written(text: &String) -> Option<String> {
        Some(written::text(text))
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<String>> {
        let text = table.text(setting.key)?;
        match text.as_deref().and_then(|text| setting.limits.problem(text)) {
            Some(problem) => Err(table.complain(setting.key, problem)),
            None => Ok(text),
        }
    }

    fn parse(setting: &Setting, variable: &str, text: String) -> Result<String> {
        match setting.limits.problem(&text) {
            Some(problem) => Err(Error::Invalid(format!("{variable}: {problem}"))),
            None => Ok(text),
        }
    }
}

/// A built-in name or a file.
pub(super) struct NameOrFile;

impl Kind for NameOrFile {
    type Value = String;
    const FORM: Form = Form::Text;

    fn written(text: &String) -> Option<String> {
        Text::written(text)
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, base: &Path) -> Result<Option<String>> {
        let file = |name: &String| name.contains(['/', '.']);
        let path = |name: String| match file(&name) {
            true => resolve(&name, base).to_string_lossy().into_owned(),
            false => name,
        };
        Ok(Text::read(setting, table, base)?.map(path))
    }

    fn parse(setting: &Setting, variable: &str, text: String) -> Result<String> {
        Text::parse(setting, variable, text)
    }
}

/// A list of strings.
pub(super) struct Texts;

impl Kind for Texts {
    type Value = Vec<String>;
    const FORM: Form = Form::Texts;

    fn written(texts: &Vec<String>) -> Option<String> {
        Some(written::list(texts.iter().map(|text| written::text(text))))
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<Vec<String>>> {
        table.texts(setting.key)
    }
}

/// Folders, relative to that of the settings file.
pub(super) struct Folders;

impl Kind for Folders {
    type Value = Vec<PathBuf>;
    const FORM: Form = Form::Texts;

    fn written(folders: &Vec<PathBuf>) -> Option<String> {
        Some(written::list(folders.iter().map(|folder| written::text(&folder.to_string_lossy()))))
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, base: &Path) -> Result<Option<Vec<PathBuf>>> {
        let folders = table.texts(setting.key)?;
        Ok(folders.map(|folders| folders.iter().map(|folder| resolve(folder, base)).collect()))
    }
}

/// Files, relative to the folder of the settings file, or built-in names.
pub(super) struct NamesOrFiles;

impl Kind for NamesOrFiles {
    type Value = Vec<PathBuf>;
    const FORM: Form = Form::Texts;

    fn written(files: &Vec<PathBuf>) -> Option<String> {
        Folders::written(files)
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, base: &Path) -> Result<Option<Vec<PathBuf>>> {
        let name = |file: &str| !file.contains(['/', '.']);
        let path = |file: &String| if name(file) { file.into() } else { resolve(file, base) };
        Ok(table.texts(setting.key)?.map(|files| files.iter().map(path).collect()))
    }
}

/// A boolean.
pub(super) struct Flag;

impl Kind for Flag {
    type Value = bool;
    const FORM: Form = Form::Flag;

    fn written(value: &bool) -> Option<String> {
        Some(value.to_string())
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<bool>> {
        table.boolean(setting.key)
    }
}

/// A non-negative integer.
pub(super) struct Number;

impl Kind for Number {
    type Value = u16;
    const FORM: Form = Form::Number;

    fn written(value: &u16) -> Option<String> {
        Some(value.to_string())
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<u16>> {
        let Some(number) = table.number(setting.key)? else { return Ok(None) };
        match setting.limits {
            Limits::Within(low, high) if !(low..=high).contains(&number) => {
                Err(table.complain(setting.key, format!("{number} is not between {low} and {high}")))
            }
            _ => Ok(Some(number as u16)),
        }
    }

    fn parse(setting: &Setting, variable: &str, text: String) -> Result<u16> {
        let (low, high) = match setting.limits {
            Limits::Within(low, high) => (low, high),
            _ => (0.0, f64::from(u16::MAX)),
        };
        match text.trim().parse::<f64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number as u16),
            _ => {
                Err(Error::Invalid(format!("{variable}: '{text}' is not a number between {low} and {high}")))
            }
        }
    }
}

/// Weights by detector; later layers add to those of earlier ones.
pub(super) struct Weights;

impl Kind for Weights {
    type Value = BTreeMap<String, f32>;
    const FORM: Form = Form::Numbers;

    fn written(weights: &Self::Value) -> Option<String> {
        let weight = |(name, weight): (&String, &f32)| format!("{name} = {weight}");
        let all: Vec<String> = weights.iter().map(weight).collect();
        (!all.is_empty()).then(|| format!("{{ {} }}", all.join(", ")))
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<Self::Value>> {
        let name = format!("{}.{}", setting.section, setting.key);
        let Some(weights) = table.section(setting.key, &name)? else { return Ok(None) };
        let mut read = BTreeMap::new();
        for (name, weight) in weights.other_numbers()? {
            if weight < 0.0 {
                return Err(weights.complain(&name, format!("weight {weight} is negative")));
            }
            read.insert(name, weight as f32);
        }
        Ok(Some(read))
    }

    fn merge(earlier: &mut Self::Value, later: Self::Value) {
        earlier.extend(later);
    }
}

/// A setting that may be left unset.
pub(super) struct Optional<K>(std::marker::PhantomData<K>);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;
    const FORM: Form = K::FORM;

    fn written(value: &Self::Value) -> Option<String> {
        value.as_ref().and_then(K::written)
    }

    fn read(setting: &Setting, table: &mut Table<'_, '_>, base: &Path) -> Result<Option<Self::Value>> {
        Ok(K::read(setting, table, base)?.map(Some))
    }

    fn parse(setting: &Setting, variable: &str, text: String) -> Result<Self::Value> {
        K::parse(setting, variable, text).map(Some)
    }
}

/// A path from a settings file: relative to the home folder after `~/`, otherwise to the folder of that file.
fn resolve(text: &str, base: &Path) -> PathBuf {
    match text.strip_prefix("~/").and_then(|rest| Some(etcetera::home_dir().ok()?.join(rest))) {
        Some(path) => path,
        None => base.join(text),
    }
}
