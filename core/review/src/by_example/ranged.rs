//! A threshold within the range of scores that decisions cover, where no random sample says anything about the rest.

use super::curve::{Curve, Gap};
use super::known::Known;
use super::{Outcome, best, sorted};
use chaffinch_protocol::{BINS, Expected, Proposal};

pub(super) fn propose(known: &Known) -> Result<Proposal, Outcome> {
    let (flagged, bad, fine) =
        (known.below(|bin| bin.samples), known.below(|bin| bin.bad), known.below(|bin| bin.fine));
    if bad[BINS] == 0 {
        return Err(Outcome::Alike);
    }
    let decided = |cut: usize| bad[cut] + fine[cut];
    // Past the last decision, what is flagged only grows.
    let last = (0..=BINS).find(|&cut| decided(cut) == decided(BINS)).unwrap_or(BINS);
    let covered = |cut: usize| cut <= last && 2 * decided(cut) >= flagged[cut];
    let faults: Vec<f64> = bad.iter().map(|&bad| bad as f64).collect();
    let cut = best(&flagged, &faults, faults[BINS], covered).ok_or(Outcome::Uncovered)?;
    let reach = (0..=BINS).rev().find(|&cut| covered(cut)).unwrap_or(cut);

    // Samples without a decision are taken for as faulty as those around them; the ends take nothing for granted.
    let shares = Curve::fit(sorted(&known.decided, None)).over_bins(BINS, &mut || Gap::Even);
    let open = |(bin, share): (&super::known::Bin, f64)| (bin.samples - bin.bad - bin.fine) as f64 * share;
    let open: f64 = known.bins.iter().zip(shares).take(cut).map(open).sum();
    let of_flagged = |number: f64| (number / flagged[cut] as f64) as f32;
    let precision = Expected {
        share: of_flagged(faults[cut] + open),
        low: of_flagged(faults[cut]),
        high: of_flagged((flagged[cut] - fine[cut]) as f64),
    };
    Ok(Proposal {
        threshold: cut as f32 / BINS as f32,
        flagged: flagged[cut],
        precision,
        recall: None,
        reach: Some(reach as f32 / BINS as f32),
        ..Proposal::default()
    })
}
