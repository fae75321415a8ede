//! Caches what reopening a large session would have to recompute: the rank, and the result for files that could not be
//! decoded. Stored beside their inputs, and recomputed when those have changed.

use crate::Setup;
use crate::built_in::{remarked, unreadable as broken_files};
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::session::Session;
use chaffinch_protocol::EnsembleRule;
use chaffinch_review::ranking::Ranking;
use chaffinch_review::ranking::{load_rank, save_rank};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// With fewer samples, computing both is too fast to notice.
const WORTH_KEEPING: usize = 200_000;

/// A digest of the decisions that a rule learns from; `None` without any.
pub(crate) fn learned(reviewed: &[(u32, bool)]) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    for (row, bad) in reviewed {
        hasher.update(&row.to_le_bytes()).update(&[u8::from(*bad)]);
    }
    (!reviewed.is_empty()).then(|| hasher.finalize().to_hex().to_string())
}

/// A key for everything a rank depends on; `None` if the session is small or a file cannot be inspected.
pub(crate) fn key(
    session: &Session,
    thresholds: &BTreeMap<String, f32>,
    rule: &EnsembleRule,
    count: usize,
    learned: Option<&str>,
) -> Option<String> {
    if count < WORTH_KEEPING {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(learned.unwrap_or_default().as_bytes()).update(&[0]);
    hasher.update(&(count as u64).to_le_bytes());
    hasher.update(serde_json::to_string(rule).ok()?.as_bytes());
    for (name, threshold) in thresholds {
        let own = session.result_path(name).ok()?;
        // What reading found is computed from the samples, where it has no file of its own.
        let path = if is_built_in(name) && !own.exists() { session.samples_path() } else { own };
        hasher.update(name.as_bytes()).update(&[0]).update(&threshold.to_bits().to_le_bytes());
        hasher.update(&stamp(&path)?);
    }
    Some(hasher.finalize().to_hex().to_string())
}

/// Size and time of a file.
fn stamp(path: &Path) -> Option<[u8; 24]> {
    let metadata = std::fs::metadata(path).ok()?;
    let time = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let mut stamp = [0; 24];
    stamp[..8].copy_from_slice(&metadata.len().to_le_bytes());
    stamp[8..].copy_from_slice(&time.as_nanos().to_le_bytes());
    Some(stamp)
}

/// The cached rank for this key.
pub(crate) fn rank(session: &Session, key: &str, count: usize) -> Option<Ranking> {
    load_rank(&session.rank_path(), key, count)
}

/// Caches a rank in the background.
pub(crate) fn keep(
    setup: &Arc<Setup>,
    thresholds: &BTreeMap<String, f32>,
    rule: &EnsembleRule,
    ranking: &Ranking,
    learned: Option<&str>,
) {
    let session = &setup.session;
    let key = key(session, thresholds, rule, ranking.len(), learned);
    let Some(key) = key.filter(|_| session.is_writable()) else { return };
    let (setup, ranking) = (setup.clone(), ranking.clone());
    let spawned = std::thread::Builder::new().name("keep".into()).spawn(move || {
        // Without the cache, the next opening just takes longer.
        let _ = save_rank(&setup.session.rank_path(), &key, &ranking);
    });
    drop(spawned);
}

/// What reading found, as detectors' results by name; cached where that is worthwhile.
pub(crate) fn built_in(
    session: &Session,
    file_metadata: &FileMetadata,
    classes: &[String],
) -> Vec<(String, Arc<DetectorResult>)> {
    let broken = unreadable(session, file_metadata, classes);
    let others = remarked(file_metadata, classes);
    let all = std::iter::once(broken).chain(others);
    all.map(|result| (result.record().name.clone(), Arc::new(result))).collect()
}

/// Files that could not be decoded.
fn unreadable(session: &Session, file_metadata: &FileMetadata, classes: &[String]) -> DetectorResult {
    if file_metadata.len() < WORTH_KEEPING {
        return broken_files(file_metadata, classes, String::new());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(file_metadata.len() as u64).to_le_bytes());
    for (id, reason) in &file_metadata.unreadable {
        hasher
            .update(&id.0.to_le_bytes())
            .update(reason.as_bytes())
            .update(&[u8::from(file_metadata.not_read(*id))]);
    }
    let digest = hasher.finalize().to_hex().to_string();
    let path = session.unreadable_path();
    let known = DetectorResult::load(&path, classes).ok();
    if let Some(known) =
        known.filter(|known| known.len() == file_metadata.len() && known.record().input_digest == digest)
    {
        return known;
    }
    let made = broken_files(file_metadata, classes, digest);
    if session.is_writable() {
        // As above.
        let _ = made.save(&path);
    }
    made
}
