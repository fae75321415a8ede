//! What decisions cover: the one rule for what they say about samples without one.
//!
//! Whoever goes through suspects worst first looks at no random sample, so that the share of errors among them says nothing about
//! the others. Two kinds of decisions say more than what they are about. Of a **random sample**, the first samples of a fixed
//! shuffle, the share holds for all that it was drawn from. Of a **range that is decided as a whole**, such as the first fifty of
//! a list, everything is known, and so nothing has to be guessed.

use crate::query::shuffled;
use chaffinch_data::journal::Decisions;
use chaffinch_protocol::decision::Choice;

/// Samples of the random order below which nothing is said about samples without a decision.
pub const LEAST_DRAWN: usize = 20;

/// What a decision says about whether a sample is faulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is kept.
    Fine,
    /// It is removed or relabeled.
    Bad,
    /// The reviewer does not know.
    Unsure,
}

impl From<&Choice> for Answer {
    fn from(choice: &Choice) -> Answer {
        match choice {
            Choice::Keep => Answer::Fine,
            Choice::Unsure => Answer::Unsure,
            Choice::Remove | Choice::Relabel(_) => Answer::Bad,
        }
    }
}

/// The answer for each of so many samples.
pub(crate) fn answers(samples: usize, decisions: &Decisions) -> Vec<Option<Answer>> {
    let mut answers = vec![None; samples];
    for (id, decision) in decisions.iter() {
        if let Some(answer) = answers.get_mut(id.index()) {
            *answer = Some(Answer::from(&decision.choice));
        }
    }
    answers
}

/// The fixed shuffle of the interface and of `rank --by random`.
pub(crate) fn in_random_order(samples: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..samples as u32).collect();
    order.sort_unstable_by_key(|&row| (shuffled(row), row));
    order
}

/// The random sample: what is decided without a gap from the start of the random order. `ranked` says which samples may be decided
/// because of their rank; at the end of the sample they may follow without a gap only by chance.
pub(crate) fn drawn(answers: &[Option<Answer>], ranked: impl Fn(usize) -> bool) -> Vec<u32> {
    let place = |row: u32| (shuffled(row), row);
    let rows = || 0..answers.len() as u32;
    let gap = rows().filter(|&row| answers[row as usize].is_none()).map(place).min();
    // Few are before the first gap, however many samples there are.
    let mut order: Vec<u32> = rows().filter(|&row| gap.is_none_or(|gap| place(row) < gap)).collect();
    order.sort_unstable_by_key(|&row| place(row));
    if gap.is_some() {
        let last = order.iter().rposition(|&row| !ranked(row as usize));
        order.truncate(last.map_or(0, |last| last + 1));
    }
    order
}
