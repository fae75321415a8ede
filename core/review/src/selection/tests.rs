use super::*;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::job::Job;
use chaffinch_compute::matrix::EmbeddingMatrix;
use std::sync::atomic::AtomicBool;

/// Sixty samples of three classes around their corners; 0 and 20 have a wrong label.
fn dataset() -> (EmbeddingMatrix, Vec<u32>) {
    let mut labels: Vec<u32> = (0..60).map(|sample| sample / 20).collect();
    let rows = (0..60).flat_map(|sample| {
        let wobble = 0.1 * (sample as f32).sin();
        let mut row: [f32; 3] = std::array::from_fn(|d| if d == sample / 20 { 1.0 } else { wobble });
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
        row
    });
    let matrix = EmbeddingMatrix::from_vec(rows.collect(), 3);
    (labels[0], labels[20]) = (1, 2);
    (matrix, labels)
}

fn named(name: &str, evidence: Evidence) -> Source {
    Source { name: name.to_owned(), evidence }
}

fn corners(counts: Vec<usize>) -> ClassPrompts {
    let corner = |class: usize| (0..3).map(move |d| if d == class { 1.0 } else { 0.0 });
    let vectors = counts.iter().enumerate().flat_map(|(class, &n)| (0..n).flat_map(move |_| corner(class)));
    ClassPrompts::new(vectors.collect(), counts)
}

#[test]
fn prompts_and_regression_leave_out_wrong_labels() {
    let (matrix, labels) = dataset();
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let contents: Vec<ContentHash> = (0..60_u64).map(|n| ContentHash::of(&n.to_le_bytes())).collect();
    for contents in [None, Some(contents.as_slice())] {
        let sources = [
            named(
                "zero-shot",
                zero_shot(&matrix, &labels, &corners(vec![1, 2, 1]), Pooling::Mean, &|_| true),
            ),
            named("regression", regression(&matrix, &labels, 3, contents, &|_| true, &job).unwrap()),
        ];
        let selected = select(&sources, &labels, 3, Limits::default()).unwrap();
        assert!(!selected.clean[0] && !selected.clean[20] && selected.filled.is_empty());
        let truth: Truth = (0..60).map(|sample| Some(sample == 0 || sample == 20)).collect();
        let classes = ["a", "b", "c"].map(str::to_owned);
        let report = Report::new(&selected, &labels, &classes, Limits::default(), Some(&truth));
        assert_eq!((report.n, report.n_errors), (60, Some(2)));
        assert_eq!(report.together.intersection.precision, Some(1.0));
        assert!(report.together.consistency.recall > Some(0.95), "{report:?}");
        assert_eq!(report.sources.len(), 2);
        let text = serde_json::to_value(&report).unwrap();
        assert!(text["gmm"]["n"].is_u64() && text["intersection"]["recall"].is_f64(), "{text}");
    }
}

#[test]
fn a_sum_prefers_classes_with_more_prompts_and_a_mean_does_not() {
    // Halfway between the first two classes.
    let matrix = EmbeddingMatrix::from_vec(vec![0.5_f32.sqrt(), 0.5_f32.sqrt(), 0.0], 3);
    let ask = |pooling| zero_shot(&matrix, &[0], &corners(vec![7, 8, 8]), pooling, &|_| true);
    let consistency = |pooling| ask(pooling).scores(&[0]).unwrap().consistency()[0];
    assert!((consistency(Pooling::Mean) - 1.0).abs() < 1e-5);
    assert!((consistency(Pooling::Sum) - 7.0 / 8.0).abs() < 1e-5);
}

#[test]
fn a_class_of_wrong_images_only_gets_its_best_ones() {
    let mut evidence = Evidence::default();
    let mut labels = Vec::new();
    for sample in 0..40 {
        let wrong = sample >= 30;
        // The last one is the least wrong.
        evidence.push(if wrong { 0.01 + 0.001 * f64::from(sample) } else { 0.9 }, 0.9);
        labels.push(u32::from(wrong));
    }
    let selected = select(&[named("p", evidence)], &labels, 2, Limits::default()).unwrap();
    // The smallest other class has thirty; there are ten, and an even share of 40 is ten.
    assert_eq!((selected.filled.len(), selected.filled[0].samples), (1, 10));
    let mut evidence = Evidence::default();
    (0..40).for_each(|sample| match sample {
        0..4 => evidence.push(0.9, 0.9),
        4..30 => evidence.push(0.1, 0.9),
        _ => evidence.push(0.001 * f64::from(sample), 0.9),
    });
    let selected = select(&[named("p", evidence)], &labels, 2, Limits::default()).unwrap();
    // Four are selected of the first class, an even share of 40 samples and 2 classes is ten.
    assert_eq!(selected.filled[0].samples, 10);
    assert!(selected.clean[30..].iter().all(|clean| *clean));
}

#[test]
fn what_cannot_be_selected_from_is_said() {
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let (matrix, labels) = dataset();
    // One class, or no label at all.
    for labels in [vec![0; 60], vec![u32::MAX; 60]] {
        let error = regression(&matrix, &labels, 3, None, &|_| true, &job).unwrap_err().to_string();
        assert!(error.contains("at least two classes"), "{error}");
    }
    assert_eq!(select(&[], &labels, 3, Limits::default()), Err(InputError::NoSamples));
    // Constant embeddings carry no information: no class can be divided, and consistency decides.
    let constant = EmbeddingMatrix::from_vec([1.0, 0.0, 0.0].repeat(60), 3);
    let evidence = regression(&constant, &labels, 3, None, &|_| true, &job).unwrap();
    let selected = select(&[named("regression", evidence)], &labels, 3, Limits::default()).unwrap();
    assert_eq!(selected.mixture, [true; 60]);
    // A sample without a label or picture is never selected, an empty class stays empty.
    let mut odd = labels.clone();
    odd[5] = u32::MAX;
    let evidence = zero_shot(&matrix, &odd, &corners(vec![1, 1, 1]), Pooling::Sum, &|sample| sample != 7);
    let selected = select(&[named("zero-shot", evidence)], &odd, 4, Limits::default()).unwrap();
    assert!(!selected.clean[5] && !selected.clean[7] && selected.filled.is_empty());
}
