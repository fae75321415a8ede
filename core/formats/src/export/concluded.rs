//! What becomes of each sample: what people decided, and the removal of undecided pictures that are in training, too.
//!
//! A leak only ever takes held-out pictures. One that is merely like a picture of training is tagged for people to look at.

use super::clusters::{clusters, leaked};
use super::{Export, Finders};
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::sample::SampleId;
use std::collections::BTreeMap;

/// The tag of a held-out picture that is in training, too, and that of one that only looks like it.
const LEAK: &str = "train_test_leak";
const LOOK: &str = "needs_review";

/// What becomes of samples.
pub(super) struct Concluded<'a> {
    export: Export<'a>,
    /// Held-out samples of leaks; whether each is the same picture as one in training.
    leaked: BTreeMap<SampleId, bool>,
}

impl<'a> Concluded<'a> {
    pub(super) fn of(export: &Export<'a>, finders: &Finders) -> Concluded<'a> {
        Concluded { export: *export, leaked: leaked(export, &clusters(export, finders)) }
    }

    /// Whether a sample is in a list of what was found and decided.
    pub(super) fn is_listed(&self, id: SampleId) -> bool {
        let source = &self.export.source;
        source.ranking.flags[id.index()] > 0
            || source.decisions.review(id).is_some()
            || self.leaked.contains_key(&id)
    }

    /// The action in a word; empty if there is none.
    pub(super) fn action(&self, id: SampleId) -> &'static str {
        match self.export.decision(id) {
            "" if self.leaked.get(&id) == Some(&true) => Choice::Remove.word(),
            decided => decided,
        }
    }

    /// Whether it goes although no one decided about it.
    pub(super) fn goes_as_leak(&self, id: SampleId) -> bool {
        self.export.decision(id).is_empty() && self.leaked.get(&id) == Some(&true)
    }

    /// Whether it goes.
    pub(super) fn removed(&self, id: SampleId) -> bool {
        self.action(id) == Choice::Remove.word()
    }

    /// Its tags, those for leaks last.
    pub(super) fn tags(&self, id: SampleId) -> Vec<&str> {
        let mut tags: Vec<&str> = self.export.source.decisions.tags(id).iter().map(String::as_str).collect();
        if let Some(same) = self.leaked.get(&id) {
            let decided = !self.export.decision(id).is_empty();
            let more = [Some(LEAK), (!same && !decided).then_some(LOOK)];
            let new: Vec<&str> = more.into_iter().flatten().filter(|tag| !tags.contains(tag)).collect();
            tags.extend(new);
        }
        tags
    }
}
