//! Faults planted into real images are among the first suspects.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step fails the test; figures are its result"
)]

use chaffinch_tests::planted::{Planted, found, plant, sources};
use chaffinch_tests::sandbox::{Sandbox, number};
use std::collections::{BTreeMap, BTreeSet};
use std::env;

/// Suspects that are looked at.
const TOP: usize = 150;

fn seeds() -> Vec<u64> {
    let text = env::var("CHAFFINCH_PLANTED_SEEDS").unwrap_or_else(|_| "1".into());
    text.split([',', ' '])
        .filter(|seed| !seed.is_empty())
        .map(|seed| seed.parse().expect("seeds are numbers"))
        .collect()
}

#[test]
#[ignore = "needs CIFAR-10 and photos of cats and dogs beside the repository: cargo test --release -p chaffinch-tests --test planted -- --ignored"]
fn planted_faults_stand_among_the_first_suspects() {
    let sources = sources();
    for seed in seeds() {
        let sandbox = Sandbox::new();
        let planted = plant(&sources, &sandbox.data(), seed);
        let report = sandbox.scan();
        assert_eq!(number(&report, "samples") as usize, planted.samples, "{report}");
        let ranked = sandbox.rank(TOP);
        assert_eq!(ranked.len(), TOP, "fewer suspects than looked at");
        let listed: BTreeSet<String> = ranked.iter().map(|row| row["path"].clone()).collect();
        let found = found(&planted, &listed);
        println!(
            "seed {seed}: {} samples, {} suspects, {} s, {:.0} images/s",
            planted.samples,
            report["suspects"],
            report["seconds"],
            planted.samples as f64 / report["seconds"].as_f64().unwrap()
        );
        show(&planted, &found, &sandbox);
        let share = |kind: &str| found[kind].0 as f64 / found[kind].1 as f64;
        assert!(share("copies") >= 0.95, "copies: {:?}", found["copies"]);
        assert!(share("broken") >= 1.0, "broken: {:?}", found["broken"]);
        assert!(share("foreign") >= 0.80, "foreign: {:?}", found["foreign"]);
        assert!(share("swapped") >= 0.60, "swapped: {:?}", found["swapped"]);
    }
}

fn show(planted: &Planted, found: &BTreeMap<&str, (usize, usize)>, sandbox: &Sandbox) {
    for (kind, (hit, all)) in found {
        println!("  {kind:<28} {hit:>3} of {all:>3}  {:>5.1} %", 100.0 * *hit as f64 / *all as f64);
    }
    // The ranks of those that were missed, to help improve it.
    let whole = sandbox.rank(planted.samples);
    let place: BTreeMap<&str, usize> =
        whole.iter().enumerate().map(|(place, row)| (row["path"].as_str(), place + 1)).collect();
    let all = [("swapped", planted.swapped.iter().map(|pair| &pair.0).collect::<Vec<_>>())];
    let others = [
        ("foreign", planted.foreign.iter().collect::<Vec<_>>()),
        ("broken", planted.broken.iter().collect()),
    ];
    for (kind, paths) in all.into_iter().chain(others) {
        let mut missed: Vec<String> = paths
            .iter()
            .filter_map(|path| match place.get(path.as_str()) {
                Some(place) if *place <= TOP => None,
                Some(place) => Some(format!("{path} at {place}")),
                None => Some(format!("{path} is not a suspect")),
            })
            .collect();
        missed.sort_unstable();
        println!("  missed, {kind}: {}", if missed.is_empty() { "none".into() } else { missed.join(", ") });
    }
    let right = planted.swapped.iter().filter(|(path, truth)| {
        whole.iter().any(|row| row["path"] == *path && row["suggested_label"] == *truth)
    });
    println!("  suggested labels that are right: {} of {}", right.count(), planted.swapped.len());
}
