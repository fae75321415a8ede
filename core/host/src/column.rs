//! The columns of a dataset as detectors see them.

use chaffinch_data::manifest::Manifest;
use chaffinch_data::nearest::hint;
use chaffinch_plugin::Result;
use chaffinch_plugin::host::{COLUMNS, Dataset, no_column, standard_column};
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;

/// The values of a column as text, empty where there is none. One of the dataset's own is lent.
///
/// # Errors
/// When there is no such column.
pub(crate) fn values<'a>(
    name: &str,
    data: &Dataset<'_>,
    manifest: &'a Manifest,
) -> Result<Cow<'a, [String]>> {
    if let Some(column) = manifest.extra().iter().find(|column| column.name == name) {
        return Ok(Cow::Borrowed(&column.values));
    }
    let path = |sample: usize| manifest.path(SampleId(sample as u32)).to_string_lossy().into_owned();
    match standard_column(name, data, path) {
        Some(values) => Ok(Cow::Owned(values)),
        None => {
            let own = || manifest.extra().iter().map(|column| column.name.as_str());
            let hint = hint(name, own().chain(COLUMNS));
            Err(no_column(name, own(), &hint))
        }
    }
}
