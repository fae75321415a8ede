//! Class proportions that depend on a column: annotators who label differently, sources with other classes.

use super::chance::association;
use super::counts::{crossed, numbered, percent};
use super::look::Look;
use super::{Found, Kind, Unchecked, because, rising};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;

pub(super) const KIND: Kind =
    Kind { name: "label_shift", title: "Label shift between annotators or sources", find };

/// A column with more values, or with fewer samples a value, names no sources.
const VALUES: usize = 50;
const EACH: usize = 5;
/// The probability of chance, before it is divided by the number of columns.
const CHANCE: f64 = 0.01;
/// Cramér's V at which the score is 0.5, and at which it is 0. Below [`TOLD`] a shift is real and too small to matter.
const THRESHOLD: f64 = 0.2;
const WORST: f64 = 0.6;
const TOLD: f64 = 0.1;
/// Samples that are shown of the value that differs most.
const SHOWN: usize = 100;

/// The columns that could name sources or annotators: codes of the values, values, and the name.
pub(super) fn sources<'a>(look: &Look<'a>) -> Vec<(Vec<u32>, Vec<&'a str>, &'a str)> {
    let columns = look.inputs.manifest.extra().iter();
    columns
        .map(|column| {
            let (codes, values) = numbered(&column.values);
            (codes, values, column.name.as_str())
        })
        .filter(|(codes, values, _)| {
            (2..=VALUES).contains(&values.len()) && values.len() * EACH <= codes.len()
        })
        .collect()
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    let classes = look.class_count();
    let sources = sources(look);
    if sources.is_empty() {
        return because(format!("no column has between 2 and {VALUES} values"));
    }
    if classes < 2 {
        return because("there are fewer than two classes");
    }
    let labels = look.inputs.manifest.labels();
    let mut found = Vec::new();
    for (codes, values, name) in &sources {
        let table = crossed(codes.iter().copied().zip(labels.iter().copied()), values.len(), classes);
        let against = association(&table);
        if against.p * sources.len() as f64 >= CHANCE || against.v < TOLD {
            continue;
        }
        let Some((value, class, own, all)) = farthest(&table) else { continue };
        let text = format!(
            "The proportions of the classes depend on the column '{}': {} is {} of the samples with '{}' and {} of all",
            safe_text(name),
            look.class(class as u32),
            percent(own),
            safe_text(values[value]),
            percent(all)
        );
        let rows = (0..).zip(codes).zip(labels);
        let shown = rows.filter(|((_, code), label)| **code as usize == value && **label as usize == class);
        found.push(
            Found::new(rising(against.v, THRESHOLD, WORST), text)
                .figure("cramers_v", against.v)
                .figure("chi_square", against.chi_square)
                .figure("degrees_of_freedom", against.degrees)
                .figure("p_value", against.p)
                .classes([class as u32])
                .samples(shown.map(|((row, _), _)| row).take(SHOWN)),
        );
    }
    Ok(found)
}

/// The cell of a table that is farthest from independence by its standardized residual: row, column, its share of the row
/// and the column's share of all.
pub(super) fn farthest(table: &[Vec<u64>]) -> Option<(usize, usize, f64, f64)> {
    let total = table.iter().flatten().sum::<u64>() as f64;
    let mut best: Option<(f64, (usize, usize, f64, f64))> = None;
    for (at, row) in table.iter().enumerate() {
        let in_row = row.iter().sum::<u64>() as f64;
        for (column, &count) in row.iter().enumerate() {
            let all = table.iter().map(|row| row[column]).sum::<u64>() as f64 / total;
            if in_row == 0.0 || all == 0.0 {
                continue;
            }
            let residual = (count as f64 - in_row * all).abs() / (in_row * all).sqrt();
            if best.is_none_or(|(most, _)| residual > most) {
                best = Some((residual, (at, column, count as f64 / in_row, all)));
            }
        }
    }
    best.map(|(_, cell)| cell)
}
