//! Reads TOML tables key by key, so that every error names its file and line.

use crate::nearest::hint;
use crate::{Error, Result};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use toml::Spanned;
use toml::de::DeValue;

pub use toml::de::DeTable;

/// The text of a TOML file, for [`Source::table`].
#[derive(Debug)]
pub struct Source<'a> {
    /// The file, for errors.
    pub path: &'a Path,
    /// What it contains.
    pub text: &'a str,
}

impl<'a> Source<'a> {
    /// Parses the text.
    pub fn parse(&self) -> Result<Spanned<DeTable<'a>>> {
        DeTable::parse(self.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            self.error(offset, error.message().trim_end().replace('\n', ", "))
        })
    }

    /// Starts reading a table called `name`, which is empty for the whole file.
    pub fn table<'t>(&'t self, table: &'t DeTable<'a>, name: &'t str) -> Table<'t, 'a> {
        Table { source: self, table, name, read: BTreeSet::new() }
    }

    fn error(&self, offset: usize, message: impl std::fmt::Display) -> Error {
        let before = self.text.as_bytes().iter().take(offset);
        let line = before.filter(|&&byte| byte == b'\n').count() + 1;
        Error::format(self.path, format!("line {line}: {message}"))
    }
}

/// A number or a string.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; true is 1 and false is 0.
    Number(f64),
    /// A string.
    Text(String),
}

/// A table being read; [`Table::finish`] rejects keys that were never read.
#[derive(Debug)]
pub struct Table<'t, 'a> {
    source: &'t Source<'a>,
    table: &'t DeTable<'a>,
    name: &'t str,
    read: BTreeSet<&'static str>,
}

impl<'t, 'a> Table<'t, 'a> {
    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'a>>> {
        self.read.insert(key);
        self.table.get(key)
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) -> Error {
        self.source.error(value.span().start, format!("'{key}' must be {expected}"))
    }

    /// An error about the value of a key.
    pub fn complain(&self, key: &str, message: impl std::fmt::Display) -> Error {
        let offset = self.table.get(key).map_or_else(|| self.start(), |value| value.span().start);
        self.source.error(offset, message)
    }

    /// Where the table begins: its heading, or the first of its keys.
    fn start(&self) -> usize {
        let heading = format!("[{}]", self.name);
        let mut lines = self.source.text.split_inclusive('\n').scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        });
        let named = lines.find(|(_, line)| !self.name.is_empty() && line.trim_start().starts_with(&heading));
        let first = || self.table.iter().map(|(key, _)| key.span().start).min();
        named.map(|(start, _)| start).or_else(first).unwrap_or(0)
    }

    /// Says that a key is one that the table may have, before it is read.
    pub fn expect(&mut self, key: &'static str) {
        self.read.insert(key);
    }

    /// A string.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(text.to_string())),
            _ => Err(self.wrong(value, key, "a string")),
        }
    }

    /// A boolean.
    pub fn boolean(&mut self, key: &'static str) -> Result<Option<bool>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(Some(*value)),
            _ => Err(self.wrong(value, key, "true or false")),
        }
    }

    /// A list of strings.
    pub fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let DeValue::Array(values) = value.get_ref() else {
            return Err(self.wrong(value, key, "a list of strings"));
        };
        let texts = values.iter().map(|value| match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.wrong(value, key, "a list of strings")),
        });
        texts.collect::<Result<Vec<String>>>().map(Some)
    }

    /// A table.
    pub fn table(&mut self, key: &'static str) -> Result<Option<&'t DeTable<'a>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Table(table) => Ok(Some(table)),
            _ => Err(self.wrong(value, key, "a table")),
        }
    }

    /// Starts reading a table within this one; `name` is its full name.
    pub fn section<'n>(&mut self, key: &'static str, name: &'n str) -> Result<Option<Table<'n, 'a>>>
    where
        't: 'n,
    {
        Ok(self.table(key)?.map(|table| self.sibling(table, name)))
    }

    /// Starts reading another table of the same file.
    pub fn sibling<'n>(&self, table: &'t DeTable<'a>, name: &'n str) -> Table<'n, 'a>
    where
        't: 'n,
    {
        Table { source: self.source, table, name, read: BTreeSet::new() }
    }

    /// All tables under keys that were not read.
    pub fn other_tables(&self) -> Result<Vec<(String, &'t DeTable<'a>)>> {
        let mut tables = Vec::new();
        for (key, value) in self.others() {
            match value.get_ref() {
                DeValue::Table(table) => tables.push((key.get_ref().to_string(), table)),
                _ => return Err(self.unknown(key)),
            }
        }
        Ok(tables)
    }

    /// Like [`Table::other_tables`], but returns an error message for each key that is not a table.
    pub fn other_tables_and_unknown_keys(&self) -> (Vec<(String, &'t DeTable<'a>)>, Vec<String>) {
        let (mut tables, mut unknown) = (Vec::new(), Vec::new());
        for (key, value) in self.others() {
            match value.get_ref() {
                DeValue::Table(table) => tables.push((key.get_ref().to_string(), table)),
                _ => unknown.push(self.unknown(key).to_string()),
            }
        }
        (tables, unknown)
    }

    /// All numbers and strings under keys that were not read; true is 1 and false is 0.
    pub fn other_values(&self) -> Result<Vec<(String, Value)>> {
        let others = self.others();
        let values = others.map(|(key, value)| {
            let known = match value.get_ref() {
                DeValue::String(text) => Some(Value::Text(text.to_string())),
                other => number(other).map(Value::Number),
            };
            let wrong =
                || self.wrong(value, key.get_ref(), "a number, true or false, or the name of a choice");
            Ok((key.get_ref().to_string(), known.ok_or_else(wrong)?))
        });
        values.collect()
    }

    /// All strings and lists of strings under keys that were not read, the former as lists of one.
    pub fn other_texts(&self) -> Result<Vec<(String, Vec<String>)>> {
        let text = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        };
        let others = self.others();
        let texts = others.map(|(key, value)| {
            let texts = match value.get_ref() {
                DeValue::Array(values) => values.iter().map(text).collect(),
                _ => text(value).map(|text| vec![text]),
            };
            let wrong = || self.wrong(value, key.get_ref(), "a string, or a list of strings");
            Ok((key.get_ref().to_string(), texts.ok_or_else(wrong)?))
        });
        texts.collect()
    }

    /// All numbers under keys that were not read; true is 1 and false is 0.
    pub fn other_numbers(&self) -> Result<Vec<(String, f64)>> {
        let others = self.others();
        let numbers = others.map(|(key, value)| match number(value.get_ref()) {
            Some(number) => Ok((key.get_ref().to_string(), number)),
            None => Err(self.wrong(value, key.get_ref(), "a number, or true or false")),
        });
        numbers.collect()
    }

    /// A number.
    pub fn number(&mut self, key: &'static str) -> Result<Option<f64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(_) => Err(self.wrong(value, key, "a number")),
            other => number(other).map(Some).ok_or_else(|| self.wrong(value, key, "a number")),
        }
    }

    fn others(&self) -> impl Iterator<Item = (&'t Spanned<Cow<'a, str>>, &'t Spanned<DeValue<'a>>)> {
        self.table.iter().filter(|(key, _)| !self.read.contains(key.get_ref().as_ref()))
    }

    fn unknown(&self, key: &Spanned<Cow<'_, str>>) -> Error {
        let section = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
        let hint = hint(key.get_ref(), self.read.iter().copied());
        self.source.error(key.span().start, format!("unknown key '{}'{section}{hint}", key.get_ref()))
    }

    /// An error message for each key that was not read, in the order of the file.
    pub fn unknown_keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.others().map(|(key, _)| key).collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| self.unknown(key).to_string()).collect()
    }

    /// Rejects keys that were not read. What is missing may be one of them, misspelled, so this comes before what is said of
    /// missing keys.
    pub fn finish(&self) -> Result<()> {
        match self.others().map(|(key, _)| key).min_by_key(|key| key.span().start) {
            Some(key) => Err(self.unknown(key)),
            None => Ok(()),
        }
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64)
        }
        DeValue::Float(number) => number.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
        DeValue::Boolean(value) => Some(f64::from(u8::from(*value))),
        _ => None,
    }
}
