//! Results of other programs, which a scan does not compute: it finds their samples again.

use crate::Result;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::imported::Bound;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session::Session;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Samples and detectors that are named in a remark.
const NAMED: usize = 3;

/// The imported results for the samples as they were read. Adds remarks on samples that lost theirs or are gone.
pub(crate) fn bind(
    session: &Session,
    manifest: &Manifest,
    file_metadata: &FileMetadata,
    ledger: &mut Ledger,
    trouble: &dyn Fn(&str, &str),
) -> Vec<DetectorResult> {
    let (imports, damaged) = session.load_imports(manifest.classes());
    damaged.iter().for_each(|text| trouble("session", text));
    // Detectors of one program lose the same samples.
    let mut lost: BTreeMap<(bool, Vec<PathBuf>), Vec<String>> = BTreeMap::new();
    let mut results = Vec::with_capacity(imports.len());
    for imported in imports {
        let Bound { result, changed, gone } = imported.bind(manifest, file_metadata);
        for (is_gone, paths) in [(false, changed), (true, gone)] {
            if !paths.is_empty() {
                let name = safe_text(&result.record().name).into_owned();
                lost.entry((is_gone, paths)).or_default().push(name);
            }
        }
        results.push(result);
    }
    for ((is_gone, paths), names) in lost {
        let count = paths.len() as u64;
        let (kind, samples, after) = match is_gone {
            false => (
                RemarkKind::ImportsLost,
                counted(count, "sample has changed and lost", "samples have changed and lost"),
                "; import it again for the new contents",
            ),
            true => (
                RemarkKind::DecisionsGone,
                counted(
                    count,
                    "sample is no longer in the dataset with",
                    "samples are no longer in the dataset with",
                ),
                ", which is kept",
            ),
        };
        let shown: Vec<String> = paths.iter().take(NAMED).map(|path| safe_path(path)).collect();
        let more = if paths.len() > NAMED { ", …" } else { "" };
        let text =
            format!("{samples} what was imported as {}: {}{more}{after}", named(&names), shown.join(", "));
        ledger.add(kind, count, text);
    }
    results
}

/// The first names, and how many more there are.
fn named(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{first} and {more} more"),
        _ => first,
    }
}

/// Stores the results that are not up to date, and makes all of them known.
///
/// # Errors
/// When a result cannot be written.
pub(crate) fn keep(
    session: &Session,
    imports: Vec<DetectorResult>,
    results: &mut BTreeMap<String, Arc<DetectorResult>>,
) -> Result<()> {
    let names: Vec<String> = imports.iter().map(|result| result.record().name.clone()).collect();
    // One whose file is gone or damaged is not a result of this session.
    results.retain(|name, result| !result.record().is_imported() || names.contains(name));
    for result in imports {
        let record = result.record();
        let known = results.get(&record.name).is_some_and(|known| {
            known.record().input_digest == record.input_digest && known.len() == result.len()
        });
        if !known {
            session.save_result(&result)?;
            results.insert(record.name.clone(), Arc::new(result));
        }
    }
    Ok(())
}
