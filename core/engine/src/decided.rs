//! Decisions after the dataset was read again: which samples they are about now, and which they are no longer about.

use crate::Result;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::{Changed, Decisions, Journal, Now};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session::Session;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Ledger, RemarkKind};
use std::sync::Arc;

/// Files that are named in a remark.
const NAMED: usize = 20;

/// Reads the decisions anew, for samples that may have moved, changed or gone. Adds remarks on those that apply to
/// nothing any more, and returns the others as contract codes. `who` reads them, and whether without those of others; with
/// `None` no one does. `moved` is the dataset as it was and where its samples are now, if that differs.
///
/// # Errors
/// When a journal cannot be read.
pub(crate) fn after_reading(
    session: &Session,
    who: Option<(&str, bool)>,
    moved: Option<(&Manifest, &[Option<SampleId>])>,
    manifest: &Arc<Manifest>,
    file_metadata: &Arc<FileMetadata>,
    ledger: &mut Ledger,
) -> Result<Vec<(SampleId, u8, u32)>> {
    let Some((reviewer, blind)) = who else { return Ok(Vec::new()) };
    let mut journal = Journal::open(&session.decisions_dir(), reviewer)?;
    journal.set_blind(blind);
    journal.bind(manifest, Some(file_metadata));
    enter(&journal.changed(), ledger);
    if let Some((known, places)) = moved {
        relabeled(known, manifest, places, journal.decisions(), ledger);
    }
    Ok(journal.codes())
}

fn enter(all: &[Changed], ledger: &mut Ledger) {
    let of = |now: Now| all.iter().filter(|one| one.now == now).collect::<Vec<_>>();
    let changed = of(Now::Changed);
    let count = changed.len() as u64;
    let files = counted(count, "decided file has", "decided files have");
    let undecided = if count == 1 { "it is" } else { "they are" };
    let text = format!("{files} changed since, so {undecided} undecided again: {}", named(&changed));
    ledger.add(RemarkKind::DecisionsChanged, count, text);
    let gone = of(Now::Gone);
    let count = gone.len() as u64;
    let files = counted(count, "decided file is", "decided files are");
    let back = if count == 1 { "its decision is" } else { "their decisions are" };
    let text = format!("{files} no longer in the dataset, and {back} kept: {}", named(&gone));
    ledger.add(RemarkKind::DecisionsGone, count, text);
    let unclear = of(Now::Unclear);
    let count = unclear.len() as u64;
    let one = "decision is about a picture that was or is there several times, and which of the copies was meant is not \
               certain, so it applies to none";
    let many = "decisions are about pictures that were or are there several times, and which of the copies were meant \
                is not certain, so they apply to none";
    let text = format!("{}: {}", counted(count, one, many), named(&unclear));
    ledger.add(RemarkKind::DecisionsChanged, count, text);
}

/// Says which samples were kept with another label than they have now: that one was never looked at.
fn relabeled(
    known: &Manifest,
    manifest: &Manifest,
    places: &[Option<SampleId>],
    decisions: &Decisions,
    ledger: &mut Ledger,
) {
    let is_kept = |id: SampleId| decisions.get(id).is_some_and(|decision| decision.choice == Choice::Keep);
    let pairs = known.ids().zip(places).filter_map(|(old, new)| Some((old, (*new)?)));
    let others: Vec<(SampleId, SampleId)> = pairs
        .filter(|(old, new)| is_kept(*new) && known.label_name(*old) != manifest.label_name(*new))
        .collect();
    let named: Vec<String> = (others.iter().take(NAMED))
        .map(|(old, new)| {
            let (was, is) = (known.label_name(*old), manifest.label_name(*new));
            format!("{} ('{}', was '{}')", safe_path(manifest.path(*new)), safe_text(is), safe_text(was))
        })
        .collect();
    let more = others.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let count = others.len() as u64;
    let samples = counted(count, "sample was", "samples were");
    let have = if count == 1 { "it has" } else { "they have" };
    let text = format!(
        "{samples} decided as keep with another label than {have} now, which was not looked at: {}{more}",
        named.join(", ")
    );
    ledger.add(RemarkKind::DecisionsChanged, count, text);
}

/// Paths with their decisions.
fn named(all: &[&Changed]) -> String {
    let one = |one: &&Changed| format!("{} ({})", safe_path(&one.path), safe_text(&one.choice.to_string()));
    let mut names: Vec<String> = all.iter().take(NAMED).map(one).collect();
    if let Some(more @ 1..) = all.len().checked_sub(NAMED) {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_and_gone_files_are_listed_apart() {
        let one = |path: &str, choice: Choice, now| Changed { path: path.into(), choice, now };
        let all = [
            one("a", Choice::Remove, Now::Changed),
            one("b", Choice::Relabel("dog".into()), Now::Gone),
            one("c", Choice::Keep, Now::Changed),
        ];
        let mut ledger = Ledger::default();
        enter(&all, &mut ledger);
        let texts: Vec<&str> = ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "2 decided files have changed since, so they are undecided again: a (remove), c (keep)",
                "1 decided file is no longer in the dataset, and its decision is kept: b (relabel to dog)"
            ]
        );
        assert!(ledger.remarks[0].kind.is_serious() && !ledger.remarks[1].kind.is_serious());
        let mut unclear = Ledger::default();
        enter(&[one("d", Choice::Remove, Now::Unclear)], &mut unclear);
        let text = &unclear.remarks[0].text;
        assert!(text.starts_with("1 decision is about a picture"), "{text}");
        assert!(text.ends_with("so it applies to none: d (remove)"), "{text}");
        let mut none = Ledger::default();
        enter(&[], &mut none);
        assert!(none.is_empty());
        let many: Vec<Changed> = (0..23).map(|n| one(&n.to_string(), Choice::Keep, Now::Changed)).collect();
        enter(&many, &mut none);
        assert!(none.remarks[0].text.ends_with("19 (keep), and 3 more"), "{}", none.remarks[0].text);
    }
}
