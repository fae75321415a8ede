//! Labels beside the names of rows, compared with those of the samples that the names seem to mean.

use super::{Read, Target, file_name};
use chaffinch_protocol::display::{counted, excerpt};
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::path::Path;

/// Labels to compare before it means something that most are others, and that all are.
const COMPARED: u64 = 6;
const FEW: u64 = 2;

/// Warns if most labels in a column of a file are those of other classes. Each row has its name, its label and the sample that it
/// was taken for.
pub(super) fn tell<'r>(
    (file, column): (&Path, &str),
    rows: impl Iterator<Item = (Cow<'r, str>, Cow<'r, str>, Option<SampleId>)>,
    target: &Target<'_>,
    read: &mut Read,
) {
    let manifest = target.manifest;
    let (mut compared, mut others) = (0_u64, 0_u64);
    let mut first = None;
    for (name, label, sample) in rows {
        let (Some(said), Some(id)) = (manifest.find_class(label.trim()), sample) else { continue };
        let Some(own) = manifest.label(id) else { continue };
        compared += 1;
        if own != said {
            others += 1;
            first.get_or_insert((name, said));
        }
    }
    let are_others =
        (compared >= COMPARED && others * 2 > compared) || (compared >= FEW && others == compared);
    let Some((name, said)) = first.filter(|_| are_others) else { return };
    read.warnings.push(format!(
        "{others} of {} in the column '{column}' of {} are not those of the samples that the rows name, such as '{}' for {}: if other \
         samples are meant, write the paths of the dataset",
        counted(compared, "label", "labels"),
        file_name(file),
        excerpt(manifest.class(said)),
        excerpt(&name),
    ));
}
