//! How many errors are among the suspects that come next.
//!
//! Suspects are ranked so that errors come first, and so the share among those that were decided is no estimate for those that come
//! next: it is an upper end. The share of the last ones before them is carried over as such, which is right as long as the share does
//! not rise along the ranking. A lower end takes what is known of suspects from there on: those of the random sample
//! (see [`covered`](crate::covered)), among which are also some that are ranked worse, so that their share is no larger. Without
//! any, as far as anybody knows, none of the next ones is an error. If twenty of the random sample are among the next ones, the upper
//! end rests on these, too, and on nothing else.
//!
//! Both ends are those of a number that is still to be drawn: of all that were looked at and all that come next, as if the former
//! were drawn from both together (see [`total`]).

use super::interval::total;
use crate::covered::{Answer, LEAST_DRAWN, drawn};
use crate::ranking::Ranking;
use serde::{Deserialize, Serialize};

/// How many suspects come next.
pub(super) const NEXT: usize = 100;
/// The last decided ones before them: enough to say something, and few enough that errors have not become much rarer since.
pub(super) const LAST: usize = 30;

/// What is known about the suspects that come next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Next {
    /// How many come next: a hundred, or all that are left.
    pub suspects: usize,
    /// Those decided last without a gap from the start of the ranking, at most 30.
    pub decided: usize,
    /// Those of them found bad.
    pub bad: usize,
    /// Suspects of the random sample that are ranked after these.
    pub sampled: usize,
    /// Those of them found bad.
    pub sampled_bad: usize,
    /// Whether the upper end rests on those decided last, as too few of the random sample are among the next ones.
    pub by_rank: bool,
    /// The lower end of the number of errors among the next ones (97.5 %); `None` as long as nothing is known of suspects from
    /// there on.
    pub low: Option<usize>,
    /// The upper end (97.5 %), with `by_rank` if the share of errors does not rise along the ranking; `None` if nothing was decided
    /// from the start of it.
    pub high: Option<usize>,
}

/// What decisions say about the next suspects; `None` where none is left, or nothing can be said.
pub(super) fn next(ranking: &Ranking, answers: &[Option<Answer>]) -> Option<Next> {
    let order: &[u32] = &ranking.order;
    let answer = |row: &u32| answers[*row as usize];
    let gap = order.iter().position(|row| answer(row).is_none())?;
    let (before, after) = order.split_at(gap);
    let coming = after.iter().filter(|row| answer(row).is_none()).take(NEXT).count();
    let mut open = 0;
    let end = after.iter().position(|row| {
        open += usize::from(answer(row).is_none());
        open == coming
    });
    let between = &after[..end.map_or(after.len(), |end| end + 1)];

    // What is said holds for all suspects up to the last one of the next, and those of them that are decided are taken out again:
    // somebody may have picked the plain ones, and left the others.
    let count = |rows: &[u32], of: &dyn Fn(u32) -> bool| rows.iter().filter(|row| of(**row)).count();
    let said = |row: u32| answers[row as usize];
    let bad = |row: u32| said(row) == Some(Answer::Bad);
    let may_be = |row: u32| matches!(said(row), Some(Answer::Bad | Answer::Unsure));
    let mut suspect = vec![false; answers.len()];
    let mut sampled = vec![false; answers.len()];
    order.iter().for_each(|row| suspect[*row as usize] = true);
    drawn(answers, |row| suspect[row]).into_iter().for_each(|row| sampled[row as usize] = true);
    let in_sample = |row: u32| sampled[row as usize];

    let last = &before[before.len().saturating_sub(LAST)..];
    let here = count(between, &in_sample);
    let by_rank = here < LEAST_DRAWN;
    let most = if by_rank {
        let found = count(last, &may_be);
        (!last.is_empty()).then(|| total(last.len() + between.len(), last.len(), found).1 - found)
    } else {
        Some(total(between.len(), here, count(between, &|row| in_sample(row) && may_be(row))).1)
    };
    let high = most.map(|most| most.saturating_sub(count(between, &bad)).min(coming));

    let sample = count(after, &in_sample);
    let sample_bad = count(after, &|row| in_sample(row) && bad(row));
    let low = (sample > 0).then(|| {
        let others = count(between, &|row| !in_sample(row));
        let (least, _) = total(sample + others, sample, sample_bad);
        let taken = count(between, &|row| !in_sample(row) && may_be(row));
        (least - sample_bad).saturating_sub(taken).min(high.unwrap_or(coming))
    });
    (high.is_some() || low.is_some()).then_some(Next {
        suspects: coming,
        decided: last.len(),
        bad: count(last, &bad),
        sampled: sample,
        sampled_bad: sample_bad,
        by_rank,
        low,
        high,
    })
}
