//! Bins of scores, of which histograms and thresholds by example are made.

use chaffinch_protocol::BINS;

/// The bin of a score, chosen so that comparing with a bin's edge equals comparing with a threshold of that value.
pub(crate) fn bin(score: f32) -> usize {
    let mut bin = ((score * BINS as f32) as usize).min(BINS);
    let edge = |bin: usize| bin as f32 / BINS as f32;
    if bin > 0 && score < edge(bin) {
        bin -= 1;
    } else if bin < BINS && score >= edge(bin + 1) {
        bin += 1;
    }
    bin
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_edge_is_a_threshold(score in 0.0_f32..=1.0, thousandths in 0_usize..=1000) {
            let threshold = thousandths as f32 / 1000.0;
            prop_assert_eq!(score < threshold, bin(score) < chaffinch_protocol::edge(threshold));
        }

        #[test]
        fn thresholds_themselves_are_not_below(thousandths in 0_usize..=1000) {
            prop_assert_eq!(bin(thousandths as f32 / 1000.0), thousandths);
        }
    }
}
