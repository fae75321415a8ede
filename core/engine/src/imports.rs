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

/// Samples that are named in a remark.
const NAMED: usize = 3;

/// The imported results for the samples as they were read. Adds a remark where samples lost theirs.
pub(crate) fn bind(
    session: &Session,
    manifest: &Manifest,
    file_metadata: &FileMetadata,
    ledger: &mut Ledger,
    trouble: &dyn Fn(&str, &str),
) -> Vec<DetectorResult> {
    let (imports, damaged) = session.load_imports(manifest.classes());
    damaged.iter().for_each(|text| trouble("session", text));
    let mut lost: BTreeMap<Vec<PathBuf>, Vec<String>> = BTreeMap::new();
    let mut results = Vec::with_capacity(imports.len());
    for imported in imports {
        let bound: Bound = imported.bind(manifest, file_metadata);
        if !bound.lost.is_empty() {
            let name = safe_text(&imported.record().name).into_owned();
            lost.entry(bound.lost).or_default().push(name);
        }
        results.push(bound.result);
    }
    for (paths, names) in lost {
        let count = paths.len() as u64;
        let samples = counted(count, "sample", "samples");
        let verb =
            if count == 1 { "has changed or is gone and lost" } else { "have changed or are gone and lost" };
        let shown: Vec<String> = paths.iter().take(NAMED).map(|path| safe_path(path)).collect();
        let more = if paths.len() > NAMED { ", …" } else { "" };
        let text = format!(
            "{samples} {verb} what was imported as {}: {}{more}; import it again for the new contents",
            names.join(", "),
            shown.join(", ")
        );
        ledger.add(RemarkKind::ImportsLost, count, text);
    }
    results
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
    // One whose file is gone or damaged is no result of this session.
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
