//! Clusters of pictures that one source, camera or annotator explains.

use super::chance::shuffled;
use super::counts::{crossed, percent, plural};
use super::look::Look;
use super::shift;
use super::{Found, Kind, Unchecked, because, rising};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;

pub(super) const KIND: Kind =
    Kind { name: "source_clusters", title: "Clusters that a source explains", find };

/// Trials whose mean is what chance gives.
const TRIALS: u64 = 20;
/// The share of what there is to know about the clusters that a column tells, at which the score is 0.5, and at which it is 0.
const THRESHOLD: f64 = 0.3;
const WORST: f64 = 0.9;
const TOLD: f64 = 0.1;
/// The share of a value in a cluster from which on it explains the cluster, if it is at most half as common elsewhere.
const PURE: f64 = 0.9;
const LEAST: usize = 100;
const SHOWN: usize = 100;

/// The mutual information of the rows and the columns of a table, and the entropy of the rows, in bits.
fn information(table: &[Vec<u64>]) -> (f64, f64) {
    let total = table.iter().flatten().sum::<u64>() as f64;
    let columns = table.first().map_or(0, Vec::len);
    let of_column: Vec<f64> =
        (0..columns).map(|column| table.iter().map(|row| row[column]).sum::<u64>() as f64).collect();
    let (mut mutual, mut entropy) = (0.0, 0.0);
    for row in table {
        let own = row.iter().sum::<u64>() as f64;
        if own > 0.0 {
            entropy -= own / total * (own / total).log2();
        }
        for (&count, &in_column) in row.iter().zip(&of_column) {
            if count > 0 {
                let count = count as f64;
                mutual += count / total * (count * total / (own * in_column)).log2();
            }
        }
    }
    (mutual, entropy)
}

/// The share of the entropy of the clusters that some codes explain, beyond what shuffled codes do.
fn explained(clusters: &[u32], codes: &[u32], count: usize, values: usize) -> f64 {
    let of = |order: &[u32]| {
        let codes = order.iter().map(|&at| codes[at as usize]);
        information(&crossed(clusters.iter().copied().zip(codes), count, values))
    };
    let (mutual, entropy) = of(&(0..codes.len() as u32).collect::<Vec<u32>>());
    let chance = (0..TRIALS).map(|trial| of(&shuffled(codes.len(), trial)).0).sum::<f64>() / TRIALS as f64;
    if entropy > chance { ((mutual - chance) / (entropy - chance)).max(0.0) } else { 0.0 }
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    look.several(LEAST)?;
    let sources = shift::sources(look);
    if sources.is_empty() {
        return because("no column names sources: it takes between 2 and 50 values");
    }
    let count = look.clusters.iter().max().map_or(0, |most| *most as usize + 1);
    let by_label = explained(&look.clusters, &look.labels, count, look.class_count());
    let mut found = Vec::new();
    for (all, values, name) in &sources {
        let codes: Vec<u32> = look.rows.iter().map(|&row| all[row as usize]).collect();
        let share = explained(&look.clusters, &codes, count, values.len());
        if share < TOLD {
            continue;
        }
        let table = crossed(look.clusters.iter().copied().zip(codes.iter().copied()), count, values.len());
        let pure = pure(&table);
        let named = match pure.first() {
            Some(&(_, value)) => format!(
                "; {} {} nearly only '{}' or another single value",
                plural(pure.len() as u64, "cluster", "clusters"),
                if pure.len() == 1 { "has" } else { "have" },
                safe_text(values[value])
            ),
            None => String::new(),
        };
        let text = format!(
            "The column '{}' explains {} of how the pictures group, and the labels {}{named}: split and evaluate by it",
            safe_text(name),
            percent(share),
            percent(by_label)
        );
        let of_pure = (0..look.len())
            .filter(|&at| pure.first().is_some_and(|(cluster, _)| look.clusters[at] as usize == *cluster));
        // What follows the labels is what a source should do.
        let score = rising(share, THRESHOLD, WORST);
        let score = if share < by_label { score.max(0.5) } else { score };
        found.push(
            Found::new(score, text)
                .figure("explained_by_column", share)
                .figure("explained_by_labels", by_label)
                .figure("clusters", count as f64)
                .figure("clusters_of_one_value", pure.len() as f64)
                .samples(of_pure.take(SHOWN).map(|at| look.rows[at])),
        );
    }
    Ok(found)
}

/// Clusters with nearly one value only, which is rare elsewhere, largest first.
fn pure(table: &[Vec<u64>]) -> Vec<(usize, usize)> {
    let total = table.iter().flatten().sum::<u64>() as f64;
    let mut all = Vec::new();
    for (cluster, row) in table.iter().enumerate() {
        let own = row.iter().sum::<u64>();
        let most = (0..row.len()).max_by_key(|&value| (row[value], std::cmp::Reverse(value)));
        let Some(value) = most.filter(|_| own > 0) else { continue };
        let overall = table.iter().map(|row| row[value]).sum::<u64>() as f64 / total;
        if row[value] as f64 >= PURE * own as f64 && overall <= PURE / 2.0 {
            all.push((own, cluster, value));
        }
    }
    all.sort_by_key(|&(own, cluster, _)| (std::cmp::Reverse(own), cluster));
    all.into_iter().map(|(_, cluster, value)| (cluster, value)).collect()
}
