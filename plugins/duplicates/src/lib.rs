#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-duplicates`.

mod groups;
mod semantic;
mod words;

use chaffinch_plugin::prelude::*;
use chaffinch_plugin::{Orientation, is_flat};
use groups::{Link, group};
use std::collections::BTreeMap;

/// Other members listed as evidence.
const MAX_RELATED: usize = 16;
/// The score of the member to keep: nothing is wrong with it.
const KEEP_SCORE: f32 = 0.55;
/// The same if the group's labels differ, so that one of them is wrong: flagged, but after everything else.
const DISPUTED_KEEP_SCORE: f32 = 0.45;

/// Finds exact, perceptual and (if enabled) semantic copies.
pub struct Duplicates;

impl Detector for Duplicates {
    const INFO: Info = Info::new("duplicates", "Finds copies of the same picture, also across splits")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("docs.md"))
        .needs(Needs::HASHES)
        .scope(Scope::Group)
        .threshold(0.5)
        .params(&[
            Param::integer("radius", 5, 0, 16, "pHash bits that may differ between copies"),
            Param::integer("wide-radius", 10, 0, 16, "pHash bits that may differ if the dHash agrees"),
            Param::integer("dhash-radius", 12, 0, 64, "dHash bits that may differ within wide-radius"),
            Param::flag("turned", false, "Also look for mirrored and rotated copies"),
            Param::number(
                "semantic",
                1.0,
                0.5,
                1.0,
                "Minimum cosine of the embeddings of two copies; 1 = off",
            )
            .needs(Needs::NEIGHBORS.and(Needs::EMBEDDINGS)),
            Param::number(
                "nearest-share",
                0.0,
                0.0,
                1.0,
                "Fraction of the median nearest-neighbor distance below which a pair is a copy; 0 = off",
            )
            .needs(Needs::NEIGHBORS.and(Needs::EMBEDDINGS)),
        ]);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let (cosine, share) = (view.number("semantic")? as f32, view.number("nearest-share")? as f32);
        let mut near = semantic::Pairs::default();
        if cosine < 1.0 || share > 0.0 {
            near = semantic::Pairs::find(view, cosine, share)?;
            let count = (0..view.len()).filter(|&sample| view.decodable(sample)).count();
            report.note("near embeddings", &near.note(count))?;
        }
        let links = links(view, &near)?;
        view.checkpoint()?;
        let scores: Vec<f32> =
            (0..view.len()).map(|sample| if view.decodable(sample) { 1.0 } else { f32::NAN }).collect();
        report.scores(&scores)?;
        let groups = group(&links, |sample| quality(view, sample));
        for (number, members) in groups.iter().enumerate() {
            if number % 1024 == 0 {
                view.checkpoint()?;
            }
            write_group(view, report, number as u32, members, &links)?;
        }
        let copies: usize =
            groups.iter().map(|members| members.len() - 1 - spared(view, members, &links).len()).sum();
        let leaks = groups.iter().filter(|members| words::splits_of(view, members).len() > 1).count();
        if leaks > 0 {
            report.note("leaks", &words::leaks(view, &groups))?;
        }
        let summary = words::summary(groups.len(), copies, leaks) + &words::unknown(view);
        report.note("summary", &summary)
    }
}

export_detector!(Duplicates);

/// Order in which members are kept: smaller is better.
fn quality(view: &View<'_>, sample: usize) -> (u8, std::cmp::Reverse<u64>, std::cmp::Reverse<u64>, usize) {
    let split = match view.split(sample) {
        Split::Train => 0,
        Split::None => 1,
        Split::Validation => 2,
        Split::Test => 3,
    };
    let size = view.dimensions()[sample];
    let area = u64::from(size.width) * u64::from(size.height);
    (split, std::cmp::Reverse(area), std::cmp::Reverse(size.bytes), sample)
}

/// All pairs of copies, the strongest link of each pair.
fn links(view: &View<'_>, near: &semantic::Pairs) -> Result<BTreeMap<(u32, u32), Link>> {
    let mut links = BTreeMap::new();
    add_exact(view, &mut links);
    add_perceptual(view, &mut links)?;
    for &(a, b, cosine) in &near.all {
        links.entry((a, b)).or_insert(Link::Semantic { cosine });
    }
    Ok(links)
}

/// Links every file to the first with the same bytes: a star, so that many copies make few links.
fn add_exact(view: &View<'_>, links: &mut BTreeMap<(u32, u32), Link>) {
    let hashes = view.content_hashes();
    let mut order: Vec<usize> = (0..view.len()).filter(|&sample| view.decodable(sample)).collect();
    order.sort_by_key(|&sample| (hashes[sample], quality(view, sample)));
    for same in order.chunk_by(|&a, &b| hashes[a] == hashes[b]) {
        for &other in &same[1..] {
            links.insert(pair(same[0], other), Link::Exact);
        }
    }
}

fn add_perceptual(view: &View<'_>, links: &mut BTreeMap<(u32, u32), Link>) -> Result<()> {
    let radius = view.count("radius")? as u32;
    let wide = view.count("wide-radius")? as u32;
    let dhash_radius = view.count("dhash-radius")? as u32;
    let phash = view.hashes(HashKind::Phash)?;
    let dhash = view.hashes(HashKind::Dhash)?;
    for near in view.near_hashes(HashKind::Phash, radius.max(wide))? {
        let (a, b) = (near.first as usize, near.second as usize);
        if is_flat(phash[a], dhash[a]) || is_flat(phash[b], dhash[b]) {
            continue;
        }
        let differing = (dhash[a] ^ dhash[b]).count_ones();
        if near.distance <= radius || (near.distance <= wide && differing <= dhash_radius) {
            links.entry(pair(a, b)).or_insert(Link::Perceptual { phash: near.distance, dhash: differing });
        }
    }
    if view.flag("turned")? {
        for near in view.near_hashes(HashKind::TurnedPhash, radius.max(wide))? {
            let (a, b) = (near.first as usize, near.second as usize);
            if is_flat(phash[a], dhash[a]) || is_flat(phash[b], dhash[b]) {
                continue;
            }
            // Seven more comparisons find seven times as many pairs by chance, so the bounds are halved.
            let link = Orientation::ALL[1..].iter().filter_map(|&orientation| {
                let distance = (orientation.of_phash(phash[a]) ^ phash[b]).count_ones();
                let near = match orientation.of_dhash(dhash[a]) {
                    Some(turned) => distance <= wide && (turned ^ dhash[b]).count_ones() <= dhash_radius / 2,
                    None => distance <= radius / 2,
                };
                near.then_some((distance, orientation))
            });
            if let Some((distance, orientation)) = link.min_by_key(|&(distance, _)| distance) {
                links.entry(pair(a, b)).or_insert(Link::Turned { phash: distance, orientation });
            }
        }
    }
    Ok(())
}

fn pair(a: usize, b: usize) -> (u32, u32) {
    (a.min(b) as u32, a.max(b) as u32)
}

/// Members whose embeddings are near those of redundant members only, not that of the kept one: once those are
/// gone, nothing duplicates them.
fn spared(view: &View<'_>, members: &[usize], links: &BTreeMap<(u32, u32), Link>) -> Vec<usize> {
    let hashes = view.content_hashes();
    let (best, others) = (members[0], &members[1..]);
    let link = |a: usize, b: usize| links.get(&pair(a, b));
    let spared = others.iter().copied().filter(|&sample| {
        link(best, sample).is_none()
            && hashes[best] != hashes[sample]
            && others
                .iter()
                .filter(|&&other| other != sample && hashes[other] != hashes[sample])
                .filter_map(|&other| link(sample, other))
                .all(|link| matches!(link, Link::Semantic { .. }))
    });
    spared.collect()
}

/// Writes one group, whose first member is the one to keep.
fn write_group(
    view: &View<'_>,
    report: &Report<'_>,
    number: u32,
    members: &[usize],
    links: &BTreeMap<(u32, u32), Link>,
) -> Result<()> {
    let phash = view.hashes(HashKind::Phash)?;
    let hashes = view.content_hashes();
    let described = words::Group::new(view, members);
    let labels = view.labels();
    let mut named = members.iter().map(|&sample| labels[sample]).filter(|&label| label != NO_LABEL);
    let disputed = named.next().is_some_and(|first| named.any(|label| label != first));
    let spared = spared(view, members, links);
    for (index, &sample) in members.iter().enumerate() {
        // Two copies of one file are only linked through a third.
        let link = |other: usize| {
            if hashes[sample] == hashes[other] {
                Some(Link::Exact)
            } else {
                links.get(&pair(sample, other)).copied()
            }
        };
        let mut related: Vec<Related> = members
            .iter()
            .filter(|&&other| other != sample)
            .map(|&other| {
                let by_hash = 1.0 - (phash[sample] ^ phash[other]).count_ones() as f32 / 64.0;
                let similarity = link(other).map_or(by_hash, |link| link.similarity());
                Related { sample: other as u32, similarity }
            })
            .collect();
        related.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.sample.cmp(&b.sample)));
        related.truncate(MAX_RELATED);
        // The nearest copy decides what kind of copy this is.
        let nearest = members.iter().filter(|&&other| other != sample).filter_map(|&other| link(other));
        let nearest = nearest.min_by(|a, b| a.score().total_cmp(&b.score())).unwrap_or(Link::Exact);
        let role = match index {
            0 => words::Role::Best,
            _ if spared.contains(&sample) => words::Role::Spared,
            _ => words::Role::Redundant,
        };
        let score = match (role, disputed) {
            (words::Role::Redundant, _) => nearest.score(),
            (_, false) => KEEP_SCORE,
            (_, true) => DISPUTED_KEEP_SCORE,
        };
        let reason = described.reason(view, sample, role, nearest);
        report.issue(
            Issue::new(sample, Score::clamp(score)?).group(number).related(&related).reason(&reason),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
use chaffinch_plugin::testing::npy;

#[cfg(test)]
#[path = "../../../tests/src/paintings.rs"]
mod paintings;
