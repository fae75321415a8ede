//! Detectors in Python: a program, the file that speaks the protocol for it, and a description.

use super::{Made, trying};
use std::path::Path;

const SOURCE: &str = include_str!("../templates/detector.py.in");
const DESCRIPTION: &str = include_str!("../templates/python.toml.in");
const SDK: &str = include_str!("../../../../sdk/python/chaffinch_detector.py");

pub(super) fn make(name: &str, folder: &Path) -> Made {
    let source = format!("{}.py", name.replace('-', "_"));
    let description = DESCRIPTION.replace("@NAME@", name).replace("@FILE@", &source);
    let next =
        format!("Created {source}, chaffinch_detector.py and detector.toml. Next:\n{}", trying(folder));
    let files = vec![
        (source, SOURCE.into()),
        ("chaffinch_detector.py".to_owned(), SDK.into()),
        ("detector.toml".to_owned(), description.into_bytes()),
    ];
    Made { files, next }
}
