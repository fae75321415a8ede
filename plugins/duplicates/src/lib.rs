#![doc = include_str!("docs.md")]
//!
//! Run its tests: `cargo test --release -p chaffinch-duplicates`.

mod groups;
mod known;
mod looks;
mod members;
mod pairs;
mod semantic;
mod words;

use chaffinch_likeness::Stored;
use chaffinch_plugin::prelude::*;
use groups::{Pair, group};
use known::DAMAGED;
use members::{Evidence, Members};
use pairs::Pairs;
use std::collections::BTreeSet;

/// Other members listed as evidence.
const MAX_RELATED: usize = 16;
/// The score of the member to keep: nothing is wrong with it.
const KEEP_SCORE: f32 = 0.55;
/// The score of all copies whose labels differ: one of them is wrong, which comes before all that is merely redundant.
const DISPUTED_SCORE: f32 = 0.0;
/// The channels of a picture in the colors of print.
const PRINT: u32 = 5;
/// The first member of a group that is alike only.
const ALIKE_FIRST_SCORE: f32 = 0.55;

/// Finds exact, perceptual and (if enabled) semantic copies.
pub struct Duplicates;

impl Detector for Duplicates {
    const INFO: Info = Info::new("duplicates", "Finds copies of the same picture, also across splits")
        .version(env!("CARGO_PKG_VERSION"))
        .docs(include_str!("docs.md"))
        .needs(Needs::HASHES.and(Needs::PIXELS))
        .scope(Scope::Group)
        .threshold(0.5)
        .after(&[Str::new(DAMAGED)])
        .params(chaffinch_likeness::params![Param;
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

    const MEASURE_BYTES: usize = chaffinch_likeness::EXAMINED;

    fn measure(&self, pixels: &Pixels<'_>, record: &mut [u8]) -> Result<()> {
        let stored = Stored {
            orientation: pixels.source.orientation,
            animated: pixels.source.frames > 1,
            cmyk: pixels.source.channels == PRINT,
        };
        chaffinch_likeness::examine(pixels.rgb, pixels.width, pixels.height, stored, record);
        Ok(())
    }

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let (cosine, share) = (view.number("semantic")? as f32, view.number("nearest-share")? as f32);
        let mut near = semantic::Pairs::default();
        if cosine < 1.0 || share > 0.0 {
            near = semantic::Pairs::find(view, cosine, share)?;
            let count = (0..view.len()).filter(|&sample| view.decodable(sample)).count();
            report.note("near embeddings", &near.note(count))?;
        }
        let pairs = Pairs::find(self, view, &near)?;
        if pairs.crowded > 0 {
            report.note("parts", &chaffinch_likeness::crowded(pairs.crowded))?;
        }
        if let Some(why) = &pairs.unseen {
            report.note(
                "second look",
                &format!("no second look at the pixels, so near hashes count only as alike: {why}"),
            )?;
        }
        view.checkpoint()?;
        let scores: Vec<f32> =
            (0..view.len()).map(|sample| if view.decodable(sample) { 1.0 } else { f32::NAN }).collect();
        report.scores(&scores)?;
        let (mut groups, lone) = grouped(view, &pairs);
        // By likeness, so that their numbers tell it.
        groups.sort_by_key(|group| (group.likeness, group.members[0]));
        for (number, group) in groups.iter().enumerate() {
            if number % 1024 == 0 {
                view.checkpoint()?;
            }
            write_group(view, report, number as u32, group, &pairs)?;
        }
        for sample in lone {
            write_lone(view, report, sample, &pairs)?;
        }
        report.likeness(
            Likeness::ALL.map(|kind| groups.iter().filter(|group| group.likeness == kind).count()),
        )?;
        let (copies, alike): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| group.is_copies());
        let redundant: usize = copies
            .iter()
            .map(|group| group.members.len() - 1 - Members::new(view, &pairs, &group.members).spared().len())
            .sum();
        let leaks = copies.iter().filter(|group| words::splits_of(view, &group.members).len() > 1).count();
        if leaks > 0 {
            report.note("leaks", &words::leaks(view, copies.iter().map(|group| group.members.as_slice())))?;
        }
        let disputed = copies.iter().filter(|group| is_disputed(view, &group.members)).count();
        let summary = words::summary(copies.len(), redundant, leaks, disputed, alike.len());
        report.note("summary", &(summary + &words::unknown(view)))
    }
}

export_detector!(Duplicates);

/// A group of samples, the best of them first.
struct Group {
    members: Vec<usize>,
    /// The vaguest likeness that joins a member.
    likeness: Likeness,
}

impl Group {
    fn is_copies(&self) -> bool {
        self.likeness < Likeness::Alike
    }
}

/// Copies first; then what is alike, of the samples that are not copies. Those that are alike to copies only stand alone.
fn grouped(view: &View<'_>, pairs: &Pairs) -> (Vec<Group>, Vec<usize>) {
    let by = |sample: usize| pairs.known.quality(view, sample);
    let copies =
        pairs.all.iter().filter(|(_, pair)| pair.is_copy()).map(|(&key, &pair)| (key, pair)).collect();
    let copies = group(&copies, by);
    let taken: BTreeSet<usize> = copies.iter().flatten().copied().collect();
    let free = |&(a, b): &(u32, u32)| !taken.contains(&(a as usize)) && !taken.contains(&(b as usize));
    let alike = pairs.all.iter().filter(|(key, pair)| !pair.is_copy() && free(key));
    let alike = group(&alike.map(|(&key, &pair)| (key, pair)).collect(), by);
    let placed: BTreeSet<usize> = taken.iter().copied().chain(alike.iter().flatten().copied()).collect();
    let paired: BTreeSet<usize> = pairs
        .all
        .keys()
        .flat_map(|&(a, b)| [a as usize, b as usize])
        .filter(|sample| !placed.contains(sample))
        .collect();
    let likeness = |members: &[usize]| {
        let group = Members::new(view, pairs, members);
        let nearest = |&sample: &usize| group.nearest(sample).map(|pair| pair.likeness);
        members[1..].iter().filter_map(nearest).max().unwrap_or(Likeness::Alike)
    };
    let groups = copies.into_iter().chain(alike);
    let groups = groups.map(|members| Group { likeness: likeness(&members), members }).collect();
    (groups, paired.into_iter().collect())
}

/// Whether members have different labels; one without a label differs from none.
fn is_disputed(view: &View<'_>, members: &[usize]) -> bool {
    let mut named = members.iter().map(|&sample| view.labels()[sample]).filter(|&label| label != NO_LABEL);
    named.next().is_some_and(|first| named.any(|label| label != first))
}

/// Writes one group, whose first member is the one to keep.
fn write_group(
    view: &View<'_>,
    report: &Report<'_>,
    number: u32,
    group: &Group,
    pairs: &Pairs,
) -> Result<()> {
    let members = &group.members;
    let linked = Members::new(view, pairs, members);
    let described = words::Group::new(view, members);
    let disputed = group.is_copies() && is_disputed(view, members);
    let (spared, evidence) = (linked.spared(), Evidence::new(&linked)?);
    let quality = |sample: usize| pairs.known.quality(view, sample);
    let best = quality(members[0]);
    for (index, &sample) in members.iter().enumerate() {
        let related = evidence.of(sample);
        // The nearest copy decides what kind of copy this is.
        let nearest = linked.nearest(sample).unwrap_or(Pair::EXACT);
        let role = match index {
            _ if disputed => words::Role::Disputed,
            _ if !group.is_copies() => words::Role::Alike,
            0 => words::Role::Best,
            _ if spared.contains(&sample) => words::Role::Spared,
            _ => words::Role::Redundant,
        };
        let score = match role {
            words::Role::Disputed => DISPUTED_SCORE,
            words::Role::Redundant => nearest.score(),
            words::Role::Alike if index > 0 && !spared.contains(&sample) => nearest.score(),
            words::Role::Alike => ALIKE_FIRST_SCORE,
            words::Role::Best | words::Role::Spared => KEEP_SCORE,
        };
        let why = quality(sample).why_not(&best);
        let reason = described.reason(view, sample, role, nearest, why);
        report.issue(
            Issue::new(sample, Score::clamp(score)?).group(number).related(&related).reason(&reason),
        )?;
    }
    Ok(())
}

/// Writes a sample that is alike to members of groups of copies, and no copy itself.
fn write_lone(view: &View<'_>, report: &Report<'_>, sample: usize, pairs: &Pairs) -> Result<()> {
    let partners = pairs.partners_of(sample).iter().map(|&other| other as usize);
    let members: Vec<usize> = partners.chain([sample]).collect();
    let linked = Members::new(view, pairs, &members);
    let related = Evidence::new(&linked)?.of(sample);
    let Some(nearest) = linked.nearest(sample) else { return Ok(()) };
    let reason = words::Group::new(view, &members).reason(view, sample, words::Role::Alike, nearest, None);
    report.issue(Issue::new(sample, Score::clamp(nearest.score())?).related(&related).reason(&reason))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
use chaffinch_plugin::testing::npy;

#[cfg(test)]
#[path = "../../../tests/src/paintings.rs"]
mod paintings;
#[cfg(test)]
#[path = "../../../tests/src/scenes.rs"]
mod scenes;
