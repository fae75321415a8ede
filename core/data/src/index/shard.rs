//! Parts of a dataset that several machines read, each for itself.

use crate::{Error, Result, atomic};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

/// The most parts of a dataset.
const MOST: u32 = 65_536;

/// One of so many parts of a dataset: `2/4` is the second of four.
///
/// A part is a range of rows, not every so many-th of them, because archives, tables and folders are read fastest in
/// their order. Rows are in the order of paths, so that every machine that sees the same dataset cuts it the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// The part with this number, from 1, of so many.
    pub fn new(number: u32, of: u32) -> Option<Shard> {
        ((1..=of).contains(&number) && of <= MOST).then_some(Shard { number, of })
    }

    /// Its number, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many parts there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Its rows of a dataset with this many samples.
    pub fn rows(self, samples: usize) -> Range<usize> {
        let at = |number: u32| (samples as u128 * u128::from(number) / u128::from(self.of)) as usize;
        at(self.number - 1)..at(self.number)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Shard, String> {
        let numbers =
            text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        numbers.and_then(|(number, of)| Shard::new(number, of)).ok_or_else(|| {
            format!("a shard is a number from 1 and how many there are, up to {MOST}, such as 2/4")
        })
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Shard, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        shard.to_string()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// What a session that holds one part says of it once all of it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// Which part.
    pub shard: Shard,
    /// Samples of the whole dataset.
    pub samples: u64,
    /// A digest of the paths of all samples, hexadecimal: the same if the dataset was the same.
    pub paths: String,
    /// The fingerprint of the model that embedded the pictures, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl ShardRecord {
    /// Reads it; `None` if there is none.
    ///
    /// # Errors
    /// When the file cannot be read or is not a record.
    pub fn load(path: &Path) -> Result<Option<ShardRecord>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path)(error)),
        };
        toml::from_str(&text).map(Some).map_err(|error| Error::format(path, error.message()))
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = toml::to_string(self).map_err(|error| Error::format(path, error.to_string()))?;
        atomic::write(path, |file| file.write_all(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_shard_is_written_as_it_is_read() {
        for text in ["1/1", "2/4", "65536/65536"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "0/4", "5/4", "1", "1/0", "-1/4", "1/65537", "1/4/4", "a/b"] {
            assert!(text.parse::<Shard>().unwrap_err().contains("such as 2/4"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn shards_have_every_row_once_and_nearly_as_many_each(samples in 0_usize..100_000, of in 1_u32..200) {
            let mut end = 0;
            for number in 1..=of {
                let rows = Shard::new(number, of).unwrap().rows(samples);
                prop_assert_eq!(rows.start, end);
                prop_assert!(rows.len().abs_diff(samples / of as usize) <= 1);
                end = rows.end;
            }
            prop_assert_eq!(end, samples);
        }
    }
}
