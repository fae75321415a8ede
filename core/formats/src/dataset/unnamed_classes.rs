//! Numbers of classes without names: what is said of them where they are read is not said again.

use super::Opened;
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::{Ledger, Remark, RemarkKind};
use std::collections::BTreeSet;

/// Numbers to show in a remark.
const SHOWN: usize = 3;

/// What each sentence says that is about numbers of classes without names.
pub(super) const WITHOUT_NAME: &str = "without a name";

/// Whether reading a dataset has said of such numbers that they count as classes.
pub(super) fn are_said(ledger: &Ledger) -> bool {
    let of =
        |remark: &Remark| remark.kind == RemarkKind::ClassesDoubtful && remark.text.contains(WITHOUT_NAME);
    ledger.remarks.iter().any(of)
}

/// Says which samples have the number of a class that is not among the `names` of all classes: it is a class of its own
/// then. Without names, numbers are names. `whose` are the names: `the schema`.
pub(super) fn tell(whose: &str, names: &BTreeSet<&str>, opened: &mut Opened) {
    if names.is_empty() {
        return;
    }
    let manifest = &opened.manifest;
    let is = |class: &str| class.parse::<i64>().is_ok() && !names.contains(class);
    let samples = manifest.ids().filter(|&id| is(manifest.label_name(id))).count() as u64;
    let numbers: Vec<&String> = manifest.classes().iter().filter(|class| is(class)).collect();
    let shown: Vec<String> =
        numbers.iter().take(SHOWN).map(|class| format!("'{}'", excerpt(class))).collect();
    let more = if numbers.len() > SHOWN { ", …" } else { "" };
    let samples_have = counted(samples, "sample has", "samples have");
    let classes = counted(names.len() as u64, "class", "classes");
    let text = format!(
        "{samples_have} the number of a class {WITHOUT_NAME}, since {whose} names {classes}: {}{more}",
        shown.join(", ")
    );
    opened.ledger.add(RemarkKind::ClassesDoubtful, samples, text);
}
