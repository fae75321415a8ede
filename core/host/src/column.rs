//! The columns of a dataset that detectors without code judge, and that others ask for.

use chaffinch_data::manifest::Manifest;
use chaffinch_data::nearest::hint;
use chaffinch_plugin::{Error, Result, Split, View};
use chaffinch_protocol::sample::SampleId;

/// Columns that every dataset has, unless it has one of its own with this name.
pub const COLUMNS: [&str; 6] = ["path", "label", "split", "width", "height", "bytes"];

/// The values of a column as text, empty where there is none.
///
/// # Errors
/// When there is no such column.
pub(crate) fn values(name: &str, view: &View<'_>, manifest: &Manifest) -> Result<Vec<String>> {
    if let Some(column) = manifest.extra().iter().find(|column| column.name == name) {
        return Ok(column.values.clone());
    }
    let size = |sample: usize| view.dimensions().get(sample).copied().unwrap_or_default();
    let of = |sample: usize| -> String {
        match name {
            "path" => manifest.path(SampleId(sample as u32)).to_string_lossy().into_owned(),
            "label" => {
                view.labels().get(sample).map_or_else(String::new, |&label| view.class_name(label).to_owned())
            }
            "split" => match view.split(sample) {
                Split::None => String::new(),
                split => split.name().to_owned(),
            },
            "width" => size(sample).width.to_string(),
            "height" => size(sample).height.to_string(),
            _ => size(sample).bytes.to_string(),
        }
    };
    if COLUMNS.contains(&name) {
        return Ok((0..view.len()).map(of).collect());
    }
    let known: Vec<&str> =
        manifest.extra().iter().map(|column| column.name.as_str()).chain(COLUMNS).collect();
    let hint = hint(name, known.iter().copied());
    let known = known.join(", ");
    Err(Error::new(format!("this dataset has no column '{name}' (it has: {known}){hint}")))
}
