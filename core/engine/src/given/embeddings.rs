//! Embeddings from elsewhere: from their files into the store, and what is missing.

use super::{Complaints, remember, settle};
use crate::findings::Findings;
use crate::{Error, Result, Setup};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::embedding::{Embedder, ModelFingerprint};
use chaffinch_compute::job::Job;
use chaffinch_data::issue::EMBEDDINGS;
use chaffinch_data::store::{CHUNK_ROWS, EmbeddingStore};
use chaffinch_formats::embeddings::Vectors;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::sample::SampleId;
use std::io::ErrorKind;
use std::path::Path;

/// The vectors that a session has below a folder of its embeddings, by their fingerprints: that in use first.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn kept(folder: &Path, in_use: &str) -> Result<Vec<ModelFingerprint>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io("read", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::io("read", folder))?.file_name();
        names.extend(name.into_string());
    }
    names.sort_by_key(|name| (name != in_use, name.clone()));
    Ok(names.iter().map(|name| ModelFingerprint::stored(name)).collect())
}

/// Adds the vectors of all contents that are not in the store yet, and returns remarks on the file. Files of the same
/// content have the vector of the first.
///
/// # Errors
/// When rows cannot be matched to samples, a chunk cannot be written, or when stopped.
pub(crate) fn fill(
    setup: &Setup,
    store: &mut EmbeddingStore,
    vectors: &Vectors,
    findings: &Findings,
    job: &Job<'_>,
) -> Result<Vec<(String, String)>> {
    if let Some(stays) = vectors.stays() {
        return Ok(vec![("warning".to_owned(), stays)]);
    }
    let rows = vectors.bind(&findings.manifest, &findings.file_metadata)?;
    let mut hashes: Vec<ContentHash> = findings.file_metadata.hashes.to_vec();
    for (row, hash) in (0_u32..).zip(&mut hashes) {
        if rows.of(SampleId(row)).is_none() {
            *hash = ContentHash::default();
        }
    }
    let missing = store.missing(&hashes);
    let mut done = 0;
    for chunk in missing.chunks(CHUNK_ROWS) {
        job.checkpoint()?;
        let mut numbers = Vec::with_capacity(chunk.len() * vectors.dim());
        let (mut contents, mut usable) = (Vec::new(), Vec::new());
        for &sample in chunk {
            let Some(row) = rows.of(SampleId(sample as u32)) else { continue };
            usable.push(vectors.push_unit(row, &mut numbers));
            contents.push(hashes[sample]);
        }
        store.append(&contents, &numbers, &usable)?;
        done += chunk.len();
        job.progress(done as u64, missing.len() as u64);
    }
    let (unmatched, first) = rows.unmatched();
    let mut notes = remember(setup, rows.told())?;
    notes.extend(vectors.said().map(|said| ("remark".to_owned(), said.to_owned())));
    let doubts = rows.doubts().iter();
    notes.extend(doubts.map(|text| ("warning".to_owned(), format!("{}: {text}", safe_path(vectors.file())))));
    if unmatched > 0 {
        let rows = counted(unmatched, "row", "rows");
        let are = if unmatched == 1 { "is" } else { "are" };
        let file = safe_path(vectors.file());
        notes.push(("remark".to_owned(), format!("{rows} of {file} {are} about no sample: '{first}'")));
    }
    Ok(notes)
}

/// Reports pictures that have no vector, and `notes` on the vectors as a whole. Returns how many contents have one that was
/// given.
///
/// # Errors
/// When the result cannot be written.
pub(crate) fn report(
    setup: &Setup,
    store: &EmbeddingStore,
    embedder: &dyn Embedder,
    mut notes: Vec<(String, String)>,
    findings: &mut Findings,
) -> Result<u64> {
    let (mut bad, mut missing, mut known) = (Vec::new(), Vec::new(), Vec::new());
    let files = findings.file_metadata.clone();
    for (row, hash) in (0_u32..).zip(files.hashes.iter()) {
        let id = SampleId(row);
        match (store.get(hash), store.knows(hash)) {
            (Some(_), _) if embedder.sees() => {}
            (Some(_), _) => known.push(*hash),
            _ if !files.decodable(id) => {}
            (None, true) => bad.push(id),
            (None, false) => missing.push(id),
        }
    }
    known.sort_unstable();
    known.dedup();
    let name = embedder.name();
    let (bad_reason, missing_reason) = match embedder.sees() {
        true => (
            format!("the model {name} gave no finite vector"),
            "there is no embedding of it, because the file changed during the scan".to_owned(),
        ),
        false => (
            format!("its row in the {name} is not a direction: zero, or with numbers that are not finite"),
            format!("the {name} have no row for it, so detectors that compare pictures did not judge it"),
        ),
    };
    let mut warn = |count: usize, one: &str, many: &str| {
        if count > 0 {
            notes.push(("not judged".to_owned(), counted(count as u64, one, many)));
        }
    };
    warn(
        bad.len(),
        "picture has an unusable embedding, and was not compared with others",
        "pictures have unusable embeddings, and were not compared with others",
    );
    warn(
        missing.len(),
        "picture has no embedding, and was not compared with others",
        "pictures have no embedding, and were not compared with others",
    );
    let complaints = Complaints {
        name: EMBEDDINGS,
        summary: "The picture has no embedding, so it was not compared with others",
        bad: (&bad, bad_reason),
        missing: (&missing, missing_reason),
        notes,
    };
    let result = complaints.result(findings.manifest.len(), findings.manifest.classes());
    settle(setup, EMBEDDINGS, result, findings)?;
    Ok(known.len() as u64)
}
