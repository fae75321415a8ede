//! Files that describe a dataset and are none: what to open instead.

use super::{Candidate, yolo};
use crate::{Error, Result};
use chaffinch_protocol::display::quoted;
use std::ffi::OsStr;
use std::path::Path;

/// Refuses a file that describes the dataset in a folder, and names the folder.
///
/// # Errors
/// When it is one.
pub(super) fn refuse(candidate: &Candidate) -> Result<()> {
    let file = candidate.path();
    let folder = file.parent().unwrap_or(Path::new("/"));
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let beside = |name: &str| folder.parent().filter(|above| above.join(name).is_file());
    let message = match name {
        _ if candidate.has_extension(&["yaml", "yml"]) => match yolo::described(file) {
            Some(folder) => {
                format!("it describes a YOLO dataset; open its folder instead: {}", quoted(&folder))
            }
            None => return Ok(()),
        },
        _ if !candidate.has_extension(&["json"]) => return Ok(()),
        "dataset_dict.json" => {
            format!("it names the splits of a dataset; open the folder instead: {}", quoted(folder))
        }
        "state.json" | "dataset_info.json" | "dataset_infos.json" => {
            let whole = beside("dataset_dict.json");
            let whole = whole.map(|above| format!(", or all splits: {}", quoted(above))).unwrap_or_default();
            format!("it describes a dataset; open the folder instead: {}{whole}", quoted(folder))
        }
        _ => return Ok(()),
    };
    Err(Error::Dataset { path: file.to_path_buf(), message })
}
