//! Chaffinch: what the reviewers of another session said of the same pictures.

use super::{Importer, Read, Target};
use crate::{Error, Result};
use chaffinch_data::journal::{Journal, Now};
use chaffinch_data::session::{MARK, Session};
use chaffinch_protocol::display::{counted, excerpt_path, listed, safe_text};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) const IMPORTER: Importer = Importer {
    name: "chaffinch",
    summary: "decisions, tags and notes of all reviewers of another session, such as from another machine",
    files: "the folder of the session",
    in_folder: &[MARK],
    options: &[],
    read,
};

/// Pictures to name in a sentence.
const SHOWN: usize = 3;

fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    let (manifest, file_metadata) =
        (Arc::new(target.manifest.clone()), Arc::new(target.file_metadata.clone()));
    for file in files {
        let folder = file.parent().filter(|_| file.file_name() == Some(OsStr::new(MARK)));
        let folder = folder.ok_or_else(|| Error::format(file, "it is not the folder of a session"))?;
        let decisions = Session::open_to_read(folder)?.decisions_dir();
        for reviewer in Journal::reviewers_in(&decisions)? {
            let mut journal = Journal::open(&decisions, &reviewer)?;
            journal.bind(&manifest, Some(&file_metadata));
            // The others have a turn of their own.
            journal.set_blind(true);
            for note in journal.notes() {
                if !read.warnings.contains(note) {
                    read.warnings.push(note.clone());
                }
            }
            read.warnings.extend(lost(&journal, &reviewer));
            let said = journal.said().into_iter();
            read.said.extend(said.map(|(id, said)| (Some(reviewer.clone()), id, said)));
        }
    }
    Ok(read)
}

/// Says which decisions are about pictures that this session does not have.
fn lost(journal: &Journal, reviewer: &str) -> Option<String> {
    let lost = journal.changed();
    if lost.is_empty() {
        return None;
    }
    let mut names: Vec<String> = lost.iter().take(SHOWN).map(|lost| excerpt_path(&lost.path)).collect();
    if lost.len() > SHOWN {
        names.push("others".to_owned());
    }
    let decisions = counted(
        lost.len() as u64,
        "decision is about a picture that this session does not have and was left out",
        "decisions are about pictures that this session does not have and were left out",
    );
    let unclear = lost.iter().filter(|lost| lost.now == Now::Unclear).count() as u64;
    let unclear = match unclear {
        0 => String::new(),
        some => format!(", {some} of them because several samples have the picture"),
    };
    Some(format!("{}: {decisions}{unclear}: {}", safe_text(reviewer), listed(&names, "and")))
}
