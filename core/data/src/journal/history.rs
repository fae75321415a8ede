//! What was said about one sample, by whom and when.

use super::Journal;
use chaffinch_protocol::sample::SampleId;

/// An entry about a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Who.
    pub reviewer: String,
    /// When, ISO 8601 in UTC.
    pub at: String,
    /// What, in words: `remove`, `clear`, `tag +crop`, `note`.
    pub words: String,
    /// Whether it decides, and does not only clear, tag or note.
    pub decides: bool,
    /// Whether it settled what reviewers had decided differently.
    pub adjudicates: bool,
    /// Whether its reviewer has undone it since.
    pub undone: bool,
}

impl Journal {
    /// Everything that was said about a sample, the latest first; while others are left out, only one's own.
    pub fn history_of(&self, id: SampleId) -> Vec<Told> {
        let own = self.own.entries.iter().enumerate();
        let own = own.filter(|(_, entry)| entry.rows.contains(&id.0));
        let own = own.map(|(index, _)| (&self.own, index as u32));
        let told = if self.blind { None } else { self.told.get(&id.0) };
        let others =
            told.into_iter().flatten().map(|(number, index)| (&self.others[usize::from(*number)], *index));
        let mut all: Vec<_> = (own.chain(others))
            .map(|(book, index)| {
                let entry = &book.entries[index as usize];
                let decides = matches!(entry.choice(id.0), Some(Some(_)));
                let undone = !book.applied.contains(&index);
                let told = Told {
                    reviewer: book.reviewer.clone(),
                    at: entry.at.to_string(),
                    words: entry.words_about(id.0),
                    decides,
                    adjudicates: decides && entry.adjudicates(),
                    undone,
                };
                (entry.at, entry.seq, told)
            })
            .collect();
        all.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| a.2.reviewer.cmp(&b.2.reviewer)));
        all.into_iter().map(|(.., told)| told).collect()
    }
}
