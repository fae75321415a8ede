//! What is to become of the entries of a file of annotations, and how a file gets its new contents.

use crate::text::Document;
use crate::text::json_parts::{Part, Patch};
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_protocol::sample::Split;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What becomes of an entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntryChange {
    /// Whether it goes, with all that the file says of its picture.
    pub(crate) remove: bool,
    /// The label that it has; empty if it has none.
    pub(crate) old: String,
    /// Its new label.
    pub(crate) label: Option<String>,
    /// Its new split, and how the dataset writes it.
    pub(crate) split: Option<(Split, String)>,
    /// The new path of its picture, relative to the dataset.
    pub(crate) path: Option<PathBuf>,
}

impl EntryChange {
    /// Whether a class of the file is the label that the entry has.
    pub(crate) fn is_old(&self, class: &str) -> bool {
        class_names::same(&self.old, class)
    }
}

/// Changes by the number of the entry.
pub(crate) type EntryChanges = BTreeMap<usize, EntryChange>;

/// What becomes of a file; `None` if it goes.
pub(crate) type NewFile = (PathBuf, Option<Vec<u8>>);

/// Rewrites a file of JSON; `edit` says what changes.
///
/// # Errors
/// When it cannot be read, or `edit` cannot make a change.
pub(super) fn json(
    file: &Path,
    edit: impl FnOnce(Part<'_>, &mut Patch) -> std::result::Result<(), String>,
) -> Result<Vec<u8>> {
    let document = Document::read(file)?;
    let (mark, encoding) = (document.mark, document.encoding);
    let (text, _) = document.into_string(file)?;
    let whole =
        Part::of(&text).map_err(|error| Error::format(file, format!("it is not valid JSON: {error}")))?;
    let mut patch = Patch::default();
    edit(whole, &mut patch).map_err(|why| Error::format(file, why))?;
    encoded(file, &patch.applied(&text), mark, encoding)
}

/// A text as bytes of the encoding that the file has.
///
/// # Errors
/// When the encoding has no sign for a character.
pub(super) fn encoded(
    file: &Path,
    text: &str,
    mark: bool,
    encoding: &'static encoding_rs::Encoding,
) -> Result<Vec<u8>> {
    let text = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
    if encoding == encoding_rs::UTF_8 {
        return Ok(text.into_bytes());
    }
    crate::text::encoder(encoding.name())(&text)
        .ok_or_else(|| Error::format(file, format!("{} has no signs for a new label", encoding.name())))
}

/// Why a split cannot be changed that the name of a file says.
pub(super) fn split_of_file() -> String {
    "the splits are those of whole files, so that an entry cannot be moved to another one; remove it instead, or use \
     export --format cleaned"
        .to_owned()
}
