//! What was found and decided, as counts in a text.

use super::clusters::clusters;
use super::concluded::Concluded;
use super::{Export, Format, Request, Target, Written};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::atomic;
use chaffinch_protocol::display::safe_text;
use std::collections::BTreeMap;
use std::io::Write;

pub(super) const FORMAT: Format = Format {
    name: "cleaning-summary",
    summary: "Counts of what was found and decided, as text",
    file_name: "cleaning_summary.txt",
    target: Target::File,
    stage: None,
    guards: false,
    write,
};

fn write(export: &Export<'_>, request: &Request, _job: &Job<'_>) -> Result<Written> {
    export.outside(&request.output)?;
    let manifest = export.source.manifest;
    let concluded = Concluded::of(export, &request.finders);
    let clusters = clusters(export, &request.finders);
    let (mut actions, mut flags, mut tags): (BTreeMap<&str, u64>, BTreeMap<&str, u64>, BTreeMap<&str, u64>) =
        Default::default();
    let (mut flagged, mut reviewed, mut removed, mut leaked, mut relabeled) = (0, 0, 0, 0, 0);
    let verdicts = export.source.verdicts();
    for id in manifest.ids() {
        let (before, action) = (flagged, concluded.action(id));
        for flag in verdicts.flags(id) {
            *flags.entry(flag.detector).or_default() += 1;
            flagged = before + 1;
        }
        reviewed += u64::from(!export.decision(id).is_empty());
        removed += u64::from(concluded.removed(id));
        leaked += u64::from(concluded.goes_as_leak(id));
        relabeled += u64::from(export.new_label(id).is_some());
        if !action.is_empty() {
            *actions.entry(action).or_default() += 1;
        }
        concluded.tags(id).into_iter().for_each(|tag| *tags.entry(tag).or_default() += 1);
    }
    let leaks: Vec<bool> =
        clusters.iter().filter(|one| one.is_leak(export)).map(|one| one.is_multi_label()).collect();
    let different = leaks.iter().filter(|several| **several).count();
    let several = clusters.iter().filter(|one| one.is_multi_label()).count();
    let total = manifest.len() as u64;
    atomic::write(&request.output, |out| {
        writeln!(out, "Cleaning of {}", safe_text(export.dataset))?;
        writeln!(out)?;
        writeln!(out, "Images: {total}")?;
        writeln!(out, "Suspects: {flagged}")?;
        writeln!(out, "Reviewed: {reviewed}")?;
        writeln!(out, "Not reviewed: {}", total - reviewed)?;
        writeln!(out, "Removed: {removed}, {leaked} of them as leaks that were not reviewed")?;
        writeln!(out, "Relabeled: {relabeled}")?;
        writeln!(out, "Images after cleaning: {}", total - removed)?;
        writeln!(
            out,
            "Leaks: {} ({} with one label, {different} with several)",
            leaks.len(),
            leaks.len() - different
        )?;
        writeln!(out, "Clusters with several labels: {several}")?;
        for (heading, counts) in [("Actions", &actions), ("Flags", &flags), ("Tags", &tags)] {
            if counts.is_empty() {
                continue;
            }
            writeln!(out)?;
            writeln!(out, "{heading}:")?;
            let mut counts: Vec<(&&str, &u64)> = counts.iter().collect();
            counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            counts
                .into_iter()
                .try_for_each(|(name, count)| writeln!(out, "  {}: {count}", safe_text(name)))?;
        }
        Ok(())
    })?;
    Ok(Written::file(&request.output))
}
