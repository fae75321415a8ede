//! How each kind of setting is read from files and the environment.

use super::setting::{Form, Limits, Setting};
use crate::toml_table::Table;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A kind of setting: how it is read and what it becomes.
pub(super) trait Kind {
    /// What it becomes.
    type Value;
    /// Its form in a file.
    const FORM: Form;

    /// Reads it from a section of a file that lies in the folder `beside`; nothing where it is not there.
    fn read(setting: &Setting, table: &mut Table<'_, '_>, beside: &Path) -> Result<Option<Self::Value>>;

    /// Reads it from the environment.
    fn parse(setting: &Setting, variable: &str, _text: String) -> Result<Self::Value> {
        Err(Error::Invalid(format!("{variable}: '{}' can only be set in a file", setting.key)))
    }

    /// Lays what a later layer says over an earlier one.
    fn lay(under: &mut Self::Value, over: Self::Value) {
        *under = over;
    }
}

/// A text.
pub(super) struct Text;

impl Kind for Text {
    type Value = String;
    const FORM: Form = Form::Text;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<String>> {
        let text = table.text(setting.key)?;
        match text.as_deref().and_then(|text| setting.limits.complaint(text)) {
            Some(complaint) => Err(table.complain(setting.key, complaint)),
            None => Ok(text),
        }
    }

    fn parse(setting: &Setting, variable: &str, text: String) -> Result<String> {
        match setting.limits.complaint(&text) {
            Some(complaint) => Err(Error::Invalid(format!("{variable}: {complaint}"))),
            None => Ok(text),
        }
    }
}

/// A built-in name, or a file.
pub(super) struct NameOrFile;

impl Kind for NameOrFile {
    type Value = String;
    const FORM: Form = Form::Text;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, beside: &Path) -> Result<Option<String>> {
        let file = |name: &String| name.contains(['/', '.']);
        let path = |name: String| match file(&name) {
            true => place(&name, beside).to_string_lossy().into_owned(),
            false => name,
        };
        Ok(Text::read(setting, table, beside)?.map(path))
    }

    fn parse(setting: &Setting, variable: &str, text: String) -> Result<String> {
        Text::parse(setting, variable, text)
    }
}

/// Texts.
pub(super) struct Texts;

impl Kind for Texts {
    type Value = Vec<String>;
    const FORM: Form = Form::Texts;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<Vec<String>>> {
        table.texts(setting.key)
    }
}

/// Folders, from the file's own.
pub(super) struct Folders;

impl Kind for Folders {
    type Value = Vec<PathBuf>;
    const FORM: Form = Form::Texts;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, beside: &Path) -> Result<Option<Vec<PathBuf>>> {
        let folders = table.texts(setting.key)?;
        Ok(folders.map(|folders| folders.iter().map(|folder| place(folder, beside)).collect()))
    }
}

/// Files, from the file's own folder, or built-in names.
pub(super) struct NamesOrFiles;

impl Kind for NamesOrFiles {
    type Value = Vec<PathBuf>;
    const FORM: Form = Form::Texts;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, beside: &Path) -> Result<Option<Vec<PathBuf>>> {
        let name = |file: &str| !file.contains(['/', '.']);
        let path = |file: &String| if name(file) { file.into() } else { place(file, beside) };
        Ok(table.texts(setting.key)?.map(|files| files.iter().map(path).collect()))
    }
}

/// True or false.
pub(super) struct Flag;

impl Kind for Flag {
    type Value = bool;
    const FORM: Form = Form::Flag;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<bool>> {
        table.boolean(setting.key)
    }
}

/// A whole number that is not negative.
pub(super) struct Number;

impl Kind for Number {
    type Value = u16;
    const FORM: Form = Form::Number;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<u16>> {
        let Some(number) = table.number(setting.key)? else { return Ok(None) };
        match setting.limits {
            Limits::Within(low, high) if !(low..=high).contains(&number) => {
                Err(table.complain(setting.key, format!("{number} is not within {low}..={high}")))
            }
            _ => Ok(Some(number as u16)),
        }
    }
}

/// Weights by detector; a later layer adds to those of earlier ones.
pub(super) struct Weights;

impl Kind for Weights {
    type Value = BTreeMap<String, f32>;
    const FORM: Form = Form::Numbers;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, _: &Path) -> Result<Option<Self::Value>> {
        let name = format!("{}.{}", setting.section, setting.key);
        let Some(weights) = table.section(setting.key, &name)? else { return Ok(None) };
        let mut read = BTreeMap::new();
        for (name, weight) in weights.other_numbers()? {
            if weight < 0.0 {
                return Err(weights.complain(&name, format!("the weight {weight} is below 0")));
            }
            read.insert(name, weight as f32);
        }
        Ok(Some(read))
    }

    fn lay(under: &mut Self::Value, over: Self::Value) {
        under.extend(over);
    }
}

/// One that need not be set.
pub(super) struct Optional<K>(std::marker::PhantomData<K>);

impl<K: Kind> Kind for Optional<K> {
    type Value = Option<K::Value>;
    const FORM: Form = K::FORM;

    fn read(setting: &Setting, table: &mut Table<'_, '_>, beside: &Path) -> Result<Option<Self::Value>> {
        Ok(K::read(setting, table, beside)?.map(Some))
    }

    fn parse(setting: &Setting, variable: &str, text: String) -> Result<Self::Value> {
        K::parse(setting, variable, text).map(Some)
    }
}

/// A path as a settings file gives it: from the home folder after `~/`, else from the file's own folder.
fn place(text: &str, beside: &Path) -> PathBuf {
    match text.strip_prefix("~/").and_then(|rest| Some(etcetera::home_dir().ok()?.join(rest))) {
        Some(path) => path,
        None => beside.join(text),
    }
}
