//! Decisions of another session about the same pictures: which of them a session would get, and whether it wants any.

use super::Session;
use crate::Result;
use crate::atomic;
use crate::file_metadata::FileMetadata;
use crate::journal::{Journal, Now};
use crate::manifest::Manifest;
use chaffinch_compute::content::ContentHash;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Is there if decisions of other sessions are not wanted.
pub(super) const DECLINED: &str = "no-carry-over";

/// What a session would get from another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Decided samples.
    pub decisions: u64,
    /// Those of them that are at the same path with the same contents in both.
    pub at_their_place: u64,
    /// Who decided, by name.
    pub reviewers: BTreeSet<String>,
    /// Decisions that apply to nothing here: whose pictures are not here, have other contents, or are several rows.
    pub gone: u64,
    /// See `gone`.
    pub changed: u64,
    /// See `gone`.
    pub unclear: u64,
}

impl Carried {
    /// Of the decisions of another session, which is `there`, to the samples `here`.
    ///
    /// # Errors
    /// When a journal cannot be read.
    pub fn of(
        from: &Session,
        (there, there_metadata): (&Manifest, &FileMetadata),
        (here, here_metadata): (&Arc<Manifest>, &Arc<FileMetadata>),
    ) -> Result<Carried> {
        // Whose journal counts as one's own makes no difference to what is decided.
        let mut journal = Journal::open(&from.decisions_dir(), "reviewer")?;
        journal.bind(here, Some(here_metadata));
        let mut carried = Carried::default();
        let mut wanted: BTreeMap<&Path, ContentHash> = BTreeMap::new();
        for (id, _) in journal.decisions().iter() {
            carried.decisions += 1;
            let review = journal.decisions().review(id);
            let names = review.map(|review| review.reviewer.to_owned()).filter(|name| !name.is_empty());
            carried.reviewers.extend(names);
            let hash = here_metadata.hashes.get(id.index()).copied().unwrap_or_default();
            wanted.insert(here.path(id), hash);
        }
        let mut found: BTreeSet<&Path> = BTreeSet::new();
        for (id, hash) in there.ids().zip(&there_metadata.hashes) {
            if let Some((&path, _)) = wanted.get_key_value(there.path(id)).filter(|(_, own)| *own == hash) {
                found.insert(path);
            }
        }
        carried.at_their_place = found.len() as u64;
        for lost in journal.changed() {
            match lost.now {
                Now::Gone => carried.gone += 1,
                Now::Changed => carried.changed += 1,
                Now::Unclear => carried.unclear += 1,
            }
        }
        Ok(carried)
    }
}

impl Session {
    /// Whether it takes no decisions of other sessions over.
    pub fn declines_carry_over(&self) -> bool {
        self.dir().join(DECLINED).exists()
    }

    /// Has it take no decisions of other sessions over, now and later.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn decline_carry_over(&self) -> Result<()> {
        match self.declines_carry_over() {
            true => Ok(()),
            false => atomic::write(&self.dir().join(DECLINED), |_| Ok(())),
        }
    }
}
