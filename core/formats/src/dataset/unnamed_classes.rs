//! Numbers of classes that a schema has no names for.

use super::Opened;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt};
use std::collections::BTreeSet;

/// Numbers to show in a remark.
const SHOWN: usize = 3;

/// Says which samples have the number of a class that is not among the `names` of all classes: it is a class of its own
/// then. Without names, numbers are names.
pub(super) fn tell(names: &BTreeSet<&str>, opened: &mut Opened) {
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
        "{samples_have} the number of a class that the schema, which names {classes}, has no name for: {}{more}",
        shown.join(", ")
    );
    opened.ledger.add(RemarkKind::ClassesDoubtful, samples, text);
}
