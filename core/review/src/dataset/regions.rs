//! Regions with few samples: small groups that are far from everything else.

use super::counts::plural;
use super::look::{Look, NEIGHBORS};
use super::{Found, Kind, Unchecked};
use chaffinch_compute::job::Job;
use std::collections::BTreeMap;

pub(super) const KIND: Kind =
    Kind { name: "under_represented_region", title: "Under-represented regions", find };

/// Neighbors that connect samples to a region.
const LINKS: usize = 3;
/// Members of a region: fewer are outliers, more than this share of the samples are a part of the dataset.
const LEAST: usize = 4;
const SHARE: f64 = 0.01;
/// How much farther the rest is than the members are from each other, at least.
const APART: f64 = 2.0;
/// How much farther the rest is than the tenth neighbor usually is, at least.
const FAR: f64 = 1.5;
/// Members that are nearer to each other than this share of the usual distance are copies of a picture, which is another fault.
const COPIES: f64 = 0.25;
/// Samples for which it makes sense.
const SAMPLES: usize = 100;
/// Regions that are told of.
const TOLD: usize = 10;

/// A region.
struct Region {
    members: Vec<usize>,
    /// The distance to the rest in multiples of that within.
    apart: f64,
    /// The distance to the rest in multiples of the usual one.
    far: f64,
}

fn find(look: &Look<'_>, _job: &Job<'_>) -> Result<Vec<Found>, Unchecked> {
    look.several(SAMPLES)?;
    let distance = |cosine: f32| f64::from(1.0 - cosine).max(0.0);
    let lists: Vec<Vec<(usize, f64)>> = (0..look.len())
        .map(|at| look.neighbors.of(at).map(|(other, cosine)| (other, distance(cosine))).collect())
        .collect();
    let usual = |place: usize| {
        let mut all: Vec<f64> = lists.iter().filter_map(|list| Some(list.get(place)?.1)).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    };
    let (nearest, tenth) = (usual(0), usual(NEIGHBORS - 1));
    let most = ((SHARE * look.len() as f64) as usize).max(2 * LEAST);
    let mut regions: Vec<Region> = connected(&lists)
        .into_iter()
        .filter(|members| (LEAST..=most).contains(&members.len()))
        .filter_map(|members| judged(members, &lists, nearest, tenth))
        .collect();
    regions.sort_by(|a, b| b.far.total_cmp(&a.far));
    regions.truncate(TOLD);
    Ok(regions.into_iter().map(|region| told(look, &region)).collect())
}

/// Samples connected by their nearest neighbors, in either direction, by the first of them.
fn connected(lists: &[Vec<(usize, f64)>]) -> Vec<Vec<usize>> {
    let mut parent: Vec<usize> = (0..lists.len()).collect();
    fn root(parent: &mut [usize], mut at: usize) -> usize {
        while parent[at] != at {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        at
    }
    for (at, list) in lists.iter().enumerate() {
        for &(other, _) in list.iter().take(LINKS) {
            let (a, b) = (root(&mut parent, at), root(&mut parent, other));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..lists.len() {
        groups.entry(root(&mut parent, at)).or_default().push(at);
    }
    groups.into_values().collect()
}

fn judged(members: Vec<usize>, lists: &[Vec<(usize, f64)>], nearest: f64, tenth: f64) -> Option<Region> {
    let (mut inside, mut outside) = (0.0, 0.0);
    for &member in &members {
        let list = &lists[member];
        inside += list.iter().take(LINKS).map(|(_, distance)| distance).sum::<f64>() / LINKS as f64;
        // Where all neighbors are members, the rest is at least as far as the last of them.
        let first = list.iter().find(|(other, _)| members.binary_search(other).is_err()).or(list.last());
        outside += first.map_or(0.0, |(_, distance)| *distance);
    }
    let count = members.len() as f64;
    let (inside, outside) = (inside / count, outside / count);
    let region = Region { members, apart: outside / inside, far: outside / tenth };
    (inside > COPIES * nearest && region.apart >= APART && region.far >= FAR).then_some(region)
}

fn told(look: &Look<'_>, region: &Region) -> Found {
    let mut labels: BTreeMap<u32, usize> = BTreeMap::new();
    region.members.iter().for_each(|&at| *labels.entry(look.labels[at]).or_default() += 1);
    let label = labels.iter().max_by_key(|(label, count)| (**count, std::cmp::Reverse(**label)));
    let label = label.map(|(label, _)| *label).filter(|label| (*label as usize) < look.class_count());
    let named = label.map_or(String::new(), |label| format!(", mostly {}", look.class(label)));
    let text = format!(
        "{}{named}, are alike and {:.1} times as far from all others as usual: too few to learn or to measure",
        plural(region.members.len() as u64, "sample", "samples"),
        region.far
    );
    // 0.5 at the distance from which on it counts; it is never surely an issue.
    Found::new((0.5 * FAR / region.far).max(0.2), text)
        .figure("samples", region.members.len() as f64)
        .figure("distance_in_usual_ones", region.far)
        .figure("distance_in_own_ones", region.apart)
        .classes(label)
        .samples(region.members.iter().map(|&at| look.rows[at]))
}
