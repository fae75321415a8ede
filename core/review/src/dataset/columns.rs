//! Columns of metadata with missing values, with one value, with a value per sample, or that give the label away: Datalab's
//! `null` and `identifier_column`, and more.

use super::counts::{crossed, is_missing, numbered, percent, plural};
use super::look::Look;
use super::{Found, Kind, Unchecked, because, calibrated};
use chaffinch_compute::job::Job;
use chaffinch_data::manifest::ExtraColumn;
use chaffinch_protocol::display::safe_text;

pub(super) const KIND: Kind = Kind { name: "metadata_columns", title: "Metadata columns", find };

/// Missing values from this share on are an issue.
const MISSING: f64 = 0.05;
/// Fewer samples say nothing about a column.
const LEAST: usize = 20;
/// The share of the errors of the most common label that a column which gives the label away leaves.
const AWAY: f64 = 0.1;

/// Datalab's null scores: the share of the columns that have a value, for each sample; their mean is its score. A missing
/// value is an empty cell or a word for none.
pub(super) fn present_shares(columns: &[&[String]]) -> Vec<f64> {
    let count = columns.first().map_or(0, |column| column.len());
    let present = |row: usize| columns.iter().filter(|column| !is_missing(&column[row])).count();
    (0..count).map(|row| present(row) as f64 / columns.len() as f64).collect()
}

/// Datalab's identifier column: whole numbers that, sorted and each once, follow each other without a gap.
pub(super) fn is_identifier(values: &[String]) -> bool {
    let numbers: Option<Vec<i64>> = values.iter().map(|value| value.trim().parse().ok()).collect();
    let Some(mut numbers) = numbers else { return false };
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() > 1 && numbers.windows(2).all(|pair| pair[1] - pair[0] == 1)
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    let columns = look.inputs.manifest.extra();
    if columns.is_empty() {
        return because("the dataset has no columns beside paths, labels and splits");
    }
    if look.inputs.manifest.len() < LEAST {
        return because(format!("fewer than {LEAST} samples say little about a column"));
    }
    let values: Vec<&[String]> = columns.iter().map(|column| column.values.as_slice()).collect();
    let shares = present_shares(&values);
    let null = shares.iter().sum::<f64>() / shares.len() as f64;
    Ok(columns.iter().flat_map(|column| of_column(look, column, null)).collect())
}

fn of_column(look: &Look<'_>, column: &ExtraColumn, null: f64) -> Vec<Found> {
    let (codes, values) = numbered(&column.values);
    let name = safe_text(&column.name);
    let count = codes.len();
    let missing: Vec<u32> =
        (0..).zip(&codes).filter(|(_, code)| **code == u32::MAX).map(|(row, _)| row).collect();
    let present = count - missing.len();
    let mut found = Vec::new();
    let share = missing.len() as f64 / count as f64;
    if !missing.is_empty() {
        let text = format!(
            "The column '{name}' has no value for {} ({})",
            plural(missing.len() as u64, "sample", "samples"),
            percent(share)
        );
        found.push(
            Found::new(calibrated(1.0 - share, 1.0 - MISSING), text)
                .figure("datalab_score", null)
                .figure("missing_share", share)
                .samples(missing),
        );
    }
    if values.len() == 1 && present == count {
        let text = format!(
            "The column '{name}' has one value for all samples, '{}': it says nothing",
            safe_text(values[0])
        );
        found.push(Found::new(0.6, text).figure("values", 1.0));
    } else if present > 1 && values.len() == present {
        let sequential = is_identifier(&column.values);
        let text = format!(
            "The column '{name}' has a value of its own for each sample, as identifiers have: never train on it, nor stratify \
             by it"
        );
        found.push(
            Found::new(if sequential { 0.5 } else { 0.6 }, text)
                .figure("datalab_score", f64::from(u8::from(!sequential)))
                .figure("values", values.len() as f64),
        );
    } else if let Some(away) = given_away(look, &codes, &values, &name) {
        found.push(away);
    } else if is_identifier(&column.values) {
        let text = format!(
            "The column '{name}' numbers the samples or groups of them without a gap, as identifiers do"
        );
        found.push(Found::new(0.7, text).figure("datalab_score", 0.0).figure("values", values.len() as f64));
    }
    found
}

/// Whether the other samples with the same value have the same label, nearly always.
fn given_away(look: &Look<'_>, codes: &[u32], values: &[&str], name: &str) -> Option<Found> {
    let classes = look.class_count();
    let labels = look.inputs.manifest.labels();
    if classes < 2 || values.len() < 2 || values.len() > codes.len() / 2 {
        return None;
    }
    let table = crossed(codes.iter().copied().zip(labels.iter().copied()), values.len(), classes);
    let total: u64 = table.iter().flatten().sum();
    let of_class: Vec<u64> = (0..classes).map(|class| table.iter().map(|row| row[class]).sum()).collect();
    let baseline = of_class.iter().max().copied().unwrap_or(0) as f64 / total as f64;
    // Each sample is predicted by the others with its value, so that a value of one sample tells nothing.
    let mut right = 0;
    for row in &table {
        let most = row.iter().max().copied().unwrap_or(0);
        let ties = row.iter().filter(|count| **count + 1 >= most && **count > 0).count();
        if most > 1 && (ties == 1 || row.iter().filter(|count| **count > 0).count() == 1) {
            right += most;
        }
    }
    let accuracy = right as f64 / total as f64;
    let left = if baseline < 1.0 { ((1.0 - accuracy) / (1.0 - baseline)).min(1.0) } else { 1.0 };
    if left >= AWAY {
        return None;
    }
    let text = format!(
        "The column '{name}' gives the label away: it is right for {} of the samples, where the most common label is right for {}",
        percent(accuracy),
        percent(baseline)
    );
    let found = Found::new(calibrated(left, AWAY).min(0.45), text);
    Some(
        found.figure("accuracy", accuracy).figure("baseline", baseline).figure("values", values.len() as f64),
    )
}
