//! `--fail-on`: compares a session's counts with limits, for scripts.

use super::args::Global;
use super::libraries::load;
use super::listing::Listing;
use super::output::remark;
use super::settings;
use anyhow::Result;
use chaffinch_report::{Gate, Judged, Known, counts};
use std::process::ExitCode;

/// The exit status of a gate that failed.
const FAILED: u8 = 1;

/// Compares each gate with its count; `failed` are detectors that failed just now, with the reason.
///
/// # Errors
/// If a gate names neither a count nor a detector.
pub(super) fn judge(
    gates: &[Gate],
    listing: &Listing,
    failed: &[(String, String)],
    global: &Global,
) -> Result<Vec<Judged>> {
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    let config = settings::config(global, None)?;
    let used = listing.about.uses.detectors.iter().cloned();
    // Without its libraries, a detector that has not run is not told from a typing mistake.
    let known = load(&config);
    let changed = known.changed().flat_map(|changed| changed.names.to_vec());
    let loaded = known.detectors().iter().map(|one| one.info().name().to_owned());
    let mut detectors: Vec<String> = loaded.chain(changed).chain(used).collect();
    detectors.extend(chaffinch_data::issue::BUILT_IN.map(str::to_owned));
    detectors.sort();
    detectors.dedup();
    let mut counts = counts(&listing.subject(None));
    // What reading found has a result only if there is something to say: none of it is zero.
    let samples = listing.manifest.len() as u64;
    for name in chaffinch_data::issue::BUILT_IN {
        if counts.iter().all(|count| count.name != name || !count.detector) {
            let (name, what) = (name.to_owned(), format!("samples flagged by {name}"));
            let detector = true;
            counts.push(chaffinch_report::Count { name, value: 0, of: Some(samples), what, detector });
        }
    }
    Ok(chaffinch_report::judge(gates, &counts, Known { detectors: &detectors, failed })?)
}

/// Says which gates failed, and returns the exit status.
pub(super) fn tell(judged: &[Judged]) -> ExitCode {
    let failed: Vec<&Judged> = judged.iter().filter(|gate| gate.failed).collect();
    failed.iter().for_each(|gate| remark(&format!("gate failed: {}", gate.sentence)));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}
