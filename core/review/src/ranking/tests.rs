use super::*;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::issue::RunRecord;
use chaffinch_protocol::ensemble::thresholds_under;
use proptest::prelude::*;

fn result(name: &str, threshold: f32, scores: &[f32]) -> (String, Arc<DetectorResult>) {
    let record = RunRecord { name: name.into(), threshold, ..RunRecord::default() };
    let mut builder = ResultBuilder::new(scores.len());
    builder.scores(scores);
    (name.into(), Arc::new(builder.finish(record, &[])))
}

fn rank_of(results: &Results, rule: &EnsembleRule) -> Ranking {
    let count = results.values().next().map_or(0, |result| result.len());
    rank(results, &BTreeMap::new(), rule, count)
}

#[test]
fn calibration_puts_every_threshold_at_one_half() {
    assert_eq!(calibrate(0.0, 0.2), 0.0);
    assert_eq!(calibrate(0.1, 0.2), 0.25);
    assert_eq!(calibrate(0.2, 0.2), 0.5);
    assert_eq!(calibrate(1.0, 0.2), 1.0);
    assert_eq!(calibrate(0.0, 0.0), 0.5);
    assert_eq!(calibrate(1.0, 1.0), 1.0);
    assert!(calibrate(f32::NAN, 0.5).is_nan() && calibrate(f32::NAN, 1.0).is_nan());
}

#[test]
fn a_detector_with_many_zeros_does_not_starve_another() {
    // 500 zeros of one detector, 30 swaps at 0.01 of another.
    let mut many = vec![1.0; 2000];
    many[..500].fill(0.0);
    let mut few = vec![1.0; 2000];
    few[1000..1030].fill(0.01);
    let results: Results = [result("many", 0.5, &many), result("few", 0.5, &few)].into();
    let ranking = rank_of(&results, &EnsembleRule::Or);
    assert_eq!(ranking.order.len(), 530);
    let top = &ranking.order[..160];
    assert_eq!(top.iter().filter(|&&row| row >= 1000).count(), 30);
    assert!(ranking.scores()[0] == 0.0 && ranking.scores()[1000] == 0.01 && ranking.scores()[1999] == 1.0);
}

#[test]
fn each_rule_by_hand() {
    let nan = f32::NAN;
    let a = [0.4, 0.1, 0.9, nan, 0.3];
    let b = [0.4, 0.9, 0.9, nan, 0.2];
    let results: Results = [result("a", 0.5, &a), result("b", 0.5, &b)].into();
    let or = rank_of(&results, &EnsembleRule::Or);
    // Both flag rows 4 and 0; row 1 only a.
    assert_eq!(or.order, [4, 0, 1]);
    assert_eq!(or.flags, [2, 1, 0, 0, 2]);
    assert!(or.scores()[3].is_nan());
    assert_eq!(or.full_order(), [4, 0, 1, 2, 3]);
    assert_eq!(rank_of(&results, &EnsembleRule::Majority).order, [4, 0, 1]);
    // Ranks in a: 1, 4, 0, 2; in b: 0: 1, 1 and 2 tied at 2.5, 4: 0; thirds of the way.
    let mean = rank_of(&results, &EnsembleRule::MeanRank);
    assert_eq!(mean.order, [4, 1, 0]);
    assert!((mean.scores()[1] - (0.0 + 2.5 / 3.0) / 2.0).abs() < 1e-6);
    let weighted = EnsembleRule::Weighted([("b".to_owned(), 0.0)].into());
    assert_eq!(rank_of(&results, &weighted).order, [1, 4, 0]);
}

#[test]
fn what_nobody_flags_goes_by_all_detectors() {
    let results: Results = [
        result("a", 0.5, &[0.95, 0.6]),
        result("b", 0.5, &[0.95, 0.6]),
        // Uninformative, but just above its threshold.
        result("c", 0.5, &[0.51, 0.9]),
    ]
    .into();
    let or = rank_of(&results, &EnsembleRule::Or);
    assert_eq!(or.order, [0; 0]);
    assert_eq!(or.full_order(), [1, 0]);
    assert!((or.scores()[0] - 0.51).abs() < 1e-6, "the score stays the lowest");
}

#[test]
fn a_moved_threshold_moves_the_suspects() {
    let results: Results = [result("a", 0.5, &[0.1, 0.4, 0.6])].into();
    let with = |threshold| rank(&results, &[("a".to_owned(), threshold)].into(), &EnsembleRule::Or, 3).order;
    assert_eq!(with(0.2), [0]);
    assert_eq!(with(0.7), [0, 1, 2]);
    assert!(with(0.0).is_empty());
}

/// The planted faults a release must find, with the scores its detectors give, with noisy label detectors.
#[test]
fn planted_faults_come_among_the_first() {
    let count = 2000;
    let noise = |row: usize, salt: u64| {
        let mut x =
            (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x >> 40) as f32 / (1 << 24) as f32
    };
    let column = |score: &dyn Fn(usize) -> f32| -> Vec<f32> { (0..count).map(score).collect() };
    // 0..40 copies, 40..80 their originals, 80..110 swapped labels, 110..130 foreign, 130..140 broken.
    let copies = column(&|row| match row {
        // Half of them exact, the others within a few bits.
        0..40 => 0.05 * (row as f32 / 20.0 - 1.0).max(0.0),
        40..80 => 0.55,
        _ => 1.0,
    });
    let labels = |salt| {
        column(&move |row| match row {
            80..110 => noise(row, salt) * 0.2,
            110..130 => noise(row, salt) * 0.5,
            // A sixth of the clean images are flagged too, different ones by each detector.
            _ if noise(row, salt + 9) < 0.17 => 0.05 + 0.45 * noise(row, salt),
            _ => 0.9,
        })
    };
    let outliers = column(&|row| match row {
        110..130 => 0.1 * noise(row, 5),
        _ => 0.3 + 0.7 * noise(row, 6),
    });
    let broken = column(&|row| if (130..140).contains(&row) { 0.0 } else { 1.0 });
    let results: Results = [
        result("clip-prompt", 0.5, &labels(1)),
        result("duplicates", 0.5, &copies),
        result("outliers", 0.5, &outliers),
        result("pollution", 0.5, &labels(2)),
        result("unreadable", 0.5, &broken),
    ]
    .into();
    let ranking = rank_of(&results, &EnsembleRule::Or);
    let found =
        |rows: std::ops::Range<u32>| ranking.order[..150].iter().filter(|row| rows.contains(row)).count();
    let counts = (found(0..40), found(80..110), found(110..130), found(130..140));
    // Three hundred and fifty false flags of either label detector cost the copies at most three places.
    assert!(counts.0 >= 37 && counts.1 >= 18 && counts.2 >= 16 && counts.3 == 10, "{counts:?}");
}

#[test]
fn rules_that_ask_for_agreement_name_fewer_suspects() {
    let nan = f32::NAN;
    let results: Results = [
        result("a", 0.5, &[0.1, 0.1, 0.4, 0.9, nan, 0.02]),
        result("b", 0.5, &[0.2, 0.2, 0.9, 0.9, nan, 0.9]),
        result("c", 0.5, &[0.3, 0.9, 0.9, 0.9, nan, 0.9]),
        // A readable file is not a vote, but an unreadable one is sufficient.
        result("unreadable", 0.5, &[1.0, 1.0, 1.0, 1.0, 0.0, 1.0]),
    ]
    .into();
    let order = |rule| rank_of(&results, &rule).order;
    assert_eq!(order(EnsembleRule::And), [4, 0]);
    assert_eq!(order(EnsembleRule::AtLeast(2)), [4, 0, 1]);
    assert_eq!(order(EnsembleRule::AtLeast(99)), [4, 0]);
    let mut any = order(EnsembleRule::AtLeast(1)).to_vec();
    any.sort_unstable();
    assert_eq!(any, [0, 1, 2, 4, 5]);
    let and = rank_of(&results, &EnsembleRule::And);
    assert_eq!((and.scores()[0], and.scores()[1], and.flags[1]), (0.3, 0.9, 0));
    // Two flag it, or one is certain.
    let mut precise = order(EnsembleRule::Precision).to_vec();
    precise.sort_unstable();
    assert_eq!(precise, [0, 1, 4, 5]);
    // Every sample stays in the full order once.
    for rule in [EnsembleRule::And, EnsembleRule::AtLeast(2), EnsembleRule::Precision] {
        let mut all = rank_of(&results, &rule).full_order().to_vec();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
    }
}

#[test]
fn recall_finds_what_lies_just_above_a_threshold() {
    let results: Results = [result("a", 0.5, &[0.1, 0.55, 0.7])].into();
    let own: BTreeMap<String, f32> = [("a".to_owned(), 0.5)].into();
    let of = |rule: &EnsembleRule| rank(&results, &thresholds_under(rule, own.clone()), rule, 3).order;
    assert_eq!(of(&EnsembleRule::Or), [0]);
    assert_eq!(of(&EnsembleRule::Recall), [0, 1]);
}

/// Three detectors of wrong labels with independent noise, and one that flags other samples.
fn noisy() -> (Results, Vec<bool>) {
    let noise = |row: usize, salt: usize| {
        let mixed = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (salt as u64) << 32;
        (mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1 << 24) as f32
    };
    let bad: Vec<bool> = (0..2000).map(|row| row % 10 == 0).collect();
    let detector = |salt: usize| -> Vec<f32> {
        (0..2000).map(|row| 0.5 * noise(row, salt) + if bad[row] { 0.1 } else { 0.48 }).collect()
    };
    let other: Vec<f32> = (0..2000).map(|row| noise(row, 9)).collect();
    let results: Results = [
        result("a", 0.5, &detector(1)),
        result("b", 0.5, &detector(2)),
        result("c", 0.5, &detector(3)),
        result("other", 0.1, &other),
    ]
    .into();
    (results, bad)
}

#[test]
fn consensus_and_stacking_leave_out_what_is_about_another_matter() {
    let (results, bad) = noisy();
    let area = |ranking: &Ranking| {
        let quality: Vec<f64> = ranking.scores().iter().map(|&score| f64::from(score)).collect();
        crate::evaluate::auroc(&bad, &quality).unwrap()
    };
    let best = ["a", "b", "c"].map(|name| {
        let quality: Vec<f64> = results[name].scores().iter().map(|&score| f64::from(score)).collect();
        crate::evaluate::auroc(&bad, &quality).unwrap()
    });
    let best = best.into_iter().fold(0.0, f64::max);
    let average = area(&rank_of(&results, &EnsembleRule::Average));
    let consensus = area(&rank_of(&results, &EnsembleRule::Consensus));
    let reviewed: Vec<(u32, bool)> = (0..300).map(|row| (row, bad[row as usize])).collect();
    let stacked = rank_reviewed(
        &results,
        &BTreeMap::new(),
        &EnsembleRule::Stacking,
        2000,
        &reviewed,
        &Places::default(),
    );
    assert_eq!(stacked.note, "");
    assert!(consensus > average && consensus > best, "{consensus} {average} {best}");
    assert!(area(&stacked) > best, "{} {best}", area(&stacked));
}

#[test]
fn only_a_rule_that_learns_follows_decisions() {
    let (results, bad) = noisy();
    let reviewed: Vec<(u32, bool)> = (0..300).map(|row| (row, !bad[row as usize])).collect();
    for name in chaffinch_protocol::ensemble::RULES.into_iter().chain(["2-of-n"]) {
        let rule = EnsembleRule::parse(name, &BTreeMap::new()).unwrap();
        let order = |reviewed: &[(u32, bool)]| {
            rank_reviewed(&results, &BTreeMap::new(), &rule, bad.len(), reviewed, &Places::default()).order
        };
        assert_eq!(order(&reviewed) != order(&[]), rule.learns(), "{name}");
    }
}

#[test]
fn an_average_decides_alone_who_is_a_suspect() {
    // The first is flagged by one detector and considered fine by the other, the last is close to both thresholds.
    let results: Results =
        [result("a", 0.5, &[0.4, 0.1, 0.9, 0.5]), result("b", 0.5, &[1.0, 0.3, 0.9, 0.52])].into();
    for rule in [EnsembleRule::Average, EnsembleRule::Consensus] {
        let ranking = rank_of(&results, &rule);
        assert_eq!((&ranking.order[..], ranking.flags[0]), (&[1][..], 0));
        assert_eq!(ranking.full_order(), [1, 3, 0, 2]);
    }
}

#[test]
fn stacking_without_decisions_is_or_and_says_so() {
    let (results, _) = noisy();
    let few = rank_reviewed(
        &results,
        &BTreeMap::new(),
        &EnsembleRule::Stacking,
        2000,
        &[(3, true), (9999, true)],
        &Places::default(),
    );
    assert!(few.note.contains("there are 0 to keep and 1 others. Until then, the rule 'or'"), "{}", few.note);
    assert_eq!(few.order, rank_of(&results, &EnsembleRule::Or).order);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn orders_hold_every_suspect_once(
        rows in prop::collection::vec((prop::option::of(0_u8..=10), prop::option::of(0_u8..=10)), 0..50),
        rule in 0_usize..6,
    ) {
        let scores = |pick: &dyn Fn(&(Option<u8>, Option<u8>)) -> Option<u8>| -> Vec<f32> {
            rows.iter().map(|row| pick(row).map_or(f32::NAN, |score| f32::from(score) / 10.0)).collect()
        };
        let results: Results =
            [result("a", 0.5, &scores(&|row| row.0)), result("b", 0.3, &scores(&|row| row.1))].into();
        let rule = [EnsembleRule::Or, EnsembleRule::Majority, EnsembleRule::MeanRank, EnsembleRule::Weighted(BTreeMap::new()), EnsembleRule::Stacking, EnsembleRule::AtLeast(1)][rule].clone();
        let ranking = rank_of(&results, &rule);
        // One by one, before all of them are computed.
        let one_by_one: Vec<Option<f32>> = (0..=rows.len()).map(|row| ranking.score(row)).collect();
        let all_at_once = ranking.scores().iter().map(|score| Some(*score).filter(|score| !score.is_nan()));
        prop_assert_eq!(one_by_one, all_at_once.chain([None]).collect::<Vec<_>>());
        let mut suspects = ranking.order.to_vec();
        suspects.sort_unstable();
        let expected: Vec<u32> = (0_u32..).zip(&rows)
            .filter(|(_, row)| row.0.is_some_and(|s| s < 5) || row.1.is_some_and(|s| s < 3))
            .map(|(row, _)| row)
            .collect();
        prop_assert_eq!(&suspects, &expected);
        let mut all = ranking.full_order().to_vec();
        prop_assert_eq!(&all[..suspects.len()], &ranking.order[..]);
        all.sort_unstable();
        prop_assert_eq!(all, (0..rows.len() as u32).collect::<Vec<u32>>());
        prop_assert!(ranking.scores().iter().all(|score| score.is_nan() || (0.0..=1.0).contains(score)));
    }
}
