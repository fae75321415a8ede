//! Rows that were selected or put in order before `save_to_disk`: the library keeps the numbers of the rows, and leaves the rows
//! where they are.

use super::stream::Stream;
use crate::arrow_text;
use crate::dataset::Candidate;
use crate::dataset::packed::PackedRows;
use crate::dataset::shard_sets::{Described, Shard};
use crate::{Error, Result};
use chaffinch_data::packing::below;
use chaffinch_protocol::display::{counted, safe_path, thousands};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// Takes the rows that the files of numbers name, in their order; all of them where there are no such files. `shards` are the
/// files that were read, in the order of the rows.
///
/// # Errors
/// When a file of numbers cannot be read, or a number is that of no row.
pub(super) fn follow(
    candidate: &Candidate,
    shards: &[Shard],
    described: &Described,
    rows: &mut PackedRows,
    ledger: &mut Ledger,
) -> Result<()> {
    if described.selected.is_empty() {
        return Ok(());
    }
    let mut ranges: BTreeMap<&Path, Range<usize>> = BTreeMap::new();
    let mut first = 0;
    for shard in shards {
        let end = first + shard.rows as usize;
        ranges.insert(&shard.path, first..end);
        first = end;
    }
    let mut order = Vec::with_capacity(first);
    let mut done: Vec<&Path> = Vec::new();
    for shard in shards {
        let folder = shard.path.parent().unwrap_or(Path::new(""));
        let Some(selected) = described.selected.get(folder) else {
            order.extend(ranges[shard.path.as_path()].clone());
            continue;
        };
        if done.contains(&folder) {
            continue;
        }
        done.push(folder);
        let shown = if folder.as_os_str().is_empty() { "the dataset".to_owned() } else { safe_path(folder) };
        let lacking = selected.files.iter().find(|file| !ranges.contains_key(file.as_path()));
        if let Some(lacking) = lacking {
            let message = format!(
                "it names the rows of {shown} by their numbers, which are not known without {}",
                safe_path(lacking)
            );
            return Err(Error::format(below(candidate.root(), &selected.indices[0]), message));
        }
        let all: Vec<usize> = selected.files.iter().flat_map(|file| ranges[file.as_path()].clone()).collect();
        let before = order.len();
        for file in &selected.indices {
            for number in numbers(candidate.root(), file)? {
                let row = usize::try_from(number).ok().and_then(|number| all.get(number));
                let row = row.ok_or_else(|| {
                    let rows = counted(all.len() as u64, "row", "rows");
                    let message = format!("it names the row {number}, but there are {rows}, counted from 0");
                    Error::format(below(candidate.root(), file), message)
                })?;
                order.push(*row);
            }
        }
        let taken = (order.len() - before) as u64;
        let text = format!(
            "{} of {} of {shown} were taken, in the order that {} says",
            thousands(taken),
            counted(all.len() as u64, "row", "rows"),
            safe_path(&selected.indices[0])
        );
        ledger.add(RemarkKind::LayoutGuessed, taken, text);
    }
    rows.select(&order);
    Ok(())
}

/// The numbers in a file with one column of them.
fn numbers(root: &Path, file: &Path) -> Result<Vec<u64>> {
    let full = below(root, file);
    let mut stream = Stream::open(&full)?;
    let mut all = Vec::new();
    while let Some((batch, _)) = stream.next()? {
        let Some(column) = batch.columns().first().filter(|column| column.data_type().is_integer()) else {
            return Err(Error::format(&full, "it has no column with the numbers of rows"));
        };
        for row in 0..column.len() {
            let number = arrow_text::value(column, row).as_u64();
            all.push(number.ok_or_else(|| Error::format(&full, "a number of a row is missing"))?);
        }
    }
    if stream.is_cut() {
        return Err(Error::format(&full, "it ends before its end: rows may be missing"));
    }
    Ok(all)
}
