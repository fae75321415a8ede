use super::*;
use std::sync::atomic::AtomicBool;

const DIM: usize = 8;

fn manner(balance: Balance, start: Option<&Logistic>) -> Manner<'_> {
    Manner { balance, link: Link::Softmax, start }
}

/// Numbers in -1..1 that are the same on every machine.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

/// `each` samples of each class around its corner, class by class.
fn dataset(classes: usize, each: usize) -> (EmbeddingMatrix, Vec<u32>, Vec<ContentHash>) {
    let mut noise = Noise(7);
    let (mut data, mut labels, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    for class in 0..classes {
        for number in 0..each {
            let mut row: Vec<f32> =
                (0..DIM).map(|d| f32::from(u8::from(d == class)) + 0.25 * noise.next()).collect();
            let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.iter_mut().for_each(|x| *x /= norm);
            data.extend(row);
            labels.push(class as u32);
            contents.push(ContentHash::of(format!("{class} {number}").as_bytes()));
        }
    }
    (EmbeddingMatrix::from_vec(data, DIM), labels, contents)
}

fn run(
    matrix: &EmbeddingMatrix,
    labels: &[u32],
    classes: usize,
    contents: &[ContentHash],
    usable: &dyn Fn(usize) -> bool,
) -> Result<OutOfSample> {
    let stop = AtomicBool::new(false);
    compute(matrix, labels, classes, contents, usable, Balance::Samples, &Job::new(&stop, &|_, _| {}))
}

fn best(found: &OutOfSample, sample: usize) -> (usize, f32) {
    let row = &found.matrix[sample * found.classes..(sample + 1) * found.classes];
    let best = row.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    best.unwrap()
}

#[test]
fn of_rows_that_do_not_differ_nothing_is_learned() {
    let (matrix, labels, contents) = dataset(2, 20);
    let row = matrix.row(0).to_vec();
    let equal = EmbeddingMatrix::from_vec(row.repeat(40), DIM);
    let refused = run(&equal, &labels, 2, &contents, &|_| true).unwrap_err().to_string();
    assert!(refused.starts_with("the embeddings of all pictures are the same"), "{refused}");
    // One that differs is enough.
    let mut some = row.repeat(40);
    some[..DIM].iter_mut().for_each(|number| *number = -*number);
    assert!(run(&EmbeddingMatrix::from_vec(some, DIM), &labels, 2, &contents, &|_| true).is_ok());
}

#[test]
fn a_wrong_label_is_seen_through() {
    let (matrix, mut labels, contents) = dataset(4, 60);
    labels[3] = 2;
    labels[200] = 0;
    let found = run(&matrix, &labels, 4, &contents, &|_| true).unwrap();
    assert_eq!((best(&found, 3).0, best(&found, 200).0), (0, 3));
    let wrong = (0..240).filter(|&sample| best(&found, sample).0 != sample / 60).count();
    assert!(wrong <= 2, "{wrong}");
    for row in found.matrix.chunks_exact(4) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
    }
}

#[test]
fn labels_that_are_contradicted_are_not_trained_on_again() {
    let (matrix, mut labels, contents) = dataset(4, 60);
    // A fifth of one class is labeled as another.
    (0..12).for_each(|sample| labels[5 * sample] = 1);
    let stop = AtomicBool::new(false);
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |done: u64, total: u64| seen.lock().unwrap().push(done as f64 / total as f64);
    let job = Job::new(&stop, &progress);
    let first = run(&matrix, &labels, 4, &contents, &|_| true).unwrap();
    let again = compute_cleaned(&matrix, &labels, 4, &contents, &|row| row != 7, &job).unwrap();
    assert_eq!((again.folds[7], &again.matrix[28..32]), (NO_FOLD, &[0.0; 4][..]));
    let own = |found: &OutOfSample, sample: usize| found.matrix[sample * 4 + labels[sample] as usize];
    let wrong = |found: &OutOfSample| (0..12).map(|sample| own(found, 5 * sample)).sum::<f32>();
    assert!(wrong(&again) < 0.7 * wrong(&first), "{} {}", wrong(&again), wrong(&first));
    let right = |found: &OutOfSample| (60..240).map(|sample| own(found, sample)).sum::<f32>();
    assert!(right(&again) > right(&first));
    let seen = seen.into_inner().unwrap();
    assert!(
        seen.is_sorted() && seen.iter().all(|share| *share <= 1.0),
        "progress goes on over both trainings"
    );
}

#[test]
fn of_too_many_samples_some_teach_enough() {
    let (matrix, mut labels, contents) = dataset(4, 200);
    let wrong: Vec<usize> = (0..800).filter(|sample| sample % 16 == 0).collect();
    wrong.iter().for_each(|&sample| labels[sample] = (labels[sample] + 1) % 4);
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let order = content_order(&contents);
    let given = Given { matrix: &matrix, labels: &labels, classes: 4, order: &order };
    // Room for 320 of 640 in the second training, and for as few as there must be of each class in the first.
    let work = 320 * DIM * 4;
    let some = cleaned_within(work, given, &contents, &|_| true, &job).unwrap();
    let all = compute_cleaned(&matrix, &labels, 4, &contents, &|_| true, &job).unwrap();
    assert_ne!(some.matrix, all.matrix);
    let seen_through =
        |found: &OutOfSample| wrong.iter().filter(|&&sample| best(found, sample).0 == sample / 200).count();
    assert!(seen_through(&some) + 1 >= seen_through(&all), "{} {}", seen_through(&some), seen_through(&all));
    assert!(seen_through(&some) * 10 >= wrong.len() * 9, "{}", seen_through(&some));
}

#[test]
fn the_order_of_the_files_changes_nothing() {
    let (matrix, mut labels, contents) = dataset(4, 100);
    (0..400).filter(|sample| sample % 9 == 0).for_each(|sample| labels[sample] = (labels[sample] + 1) % 4);
    // Room for half of the training samples, so that which ones are taken matters.
    let work = 160 * DIM * 4;
    let stop = AtomicBool::new(false);
    let found = |order: &[usize]| {
        let rows: Vec<f32> = order.iter().flat_map(|&row| matrix.row(row)).copied().collect();
        let labels: Vec<u32> = order.iter().map(|&row| labels[row]).collect();
        let contents: Vec<ContentHash> = order.iter().map(|&row| contents[row]).collect();
        let (matrix, by_content) = (EmbeddingMatrix::from_vec(rows, DIM), content_order(&contents));
        let given = Given { matrix: &matrix, labels: &labels, classes: 4, order: &by_content };
        cleaned_within(work, given, &contents, &|_| true, &Job::new(&stop, &|_, _| {})).unwrap()
    };
    let plain = found(&(0..400).collect::<Vec<_>>());
    // 7 and 400 have no common divisor.
    let shuffled: Vec<usize> = (0..400).map(|index| (index * 7 + 3) % 400).collect();
    let other = found(&shuffled);
    assert_eq!(other.inverse_temperature, plain.inverse_temperature);
    for (index, &row) in shuffled.iter().enumerate() {
        for class in 0..4 {
            let (one, two) = (plain.matrix[row * 4 + class], other.matrix[index * 4 + class]);
            assert!((one - two).abs() < 1e-6, "row {row}, class {class}: {one} {two}");
        }
    }
}

#[test]
fn a_class_that_the_model_does_not_know_keeps_its_labels() {
    // Two classes at the same position: each label is contradicted as often as not.
    let (matrix, mut labels, contents) = dataset(3, 40);
    (0..40).filter(|sample| sample % 2 == 0).for_each(|sample| labels[sample] = 1);
    (40..80).filter(|sample| sample % 2 == 0).for_each(|sample| labels[sample] = 0);
    let stop = AtomicBool::new(false);
    let job = Job::new(&stop, &|_, _| {});
    let found = compute_cleaned(&matrix, &labels, 3, &contents, &|_| true, &job).unwrap();
    for sample in 0..80 {
        let row = &found.matrix[sample * 3..sample * 3 + 2];
        assert!(row.iter().all(|probability| *probability > 0.1), "{sample}: {row:?}");
    }
}

#[test]
fn where_training_starts_from_changes_little() {
    let (matrix, labels, _) = dataset(4, 60);
    let (all, most): (Vec<u32>, Vec<u32>) =
        ((0..240).collect(), (0..240).filter(|row| row % 9 != 0).collect());
    let train = |samples: &[u32], start: Option<&Logistic>| {
        let steps = std::cell::Cell::new(0);
        let count = |done: u64, _| {
            steps.set(done);
            Ok(())
        };
        let model = Logistic::train(&matrix, samples, &labels, 4, manner(Balance::Samples, start), &count);
        let model = model.unwrap().unwrap();
        let mut found = Vec::new();
        model.predict(&matrix, &all, |_, row| found.extend_from_slice(row));
        (model, found, steps.get())
    };
    let (model, ..) = train(&most, None);
    let ((_, cold, many), (_, warm, few)) = (train(&all, None), train(&all, Some(&model)));
    assert!(few < many, "{few} steps from a model, {many} from nothing");
    assert!(cold.iter().zip(&warm).all(|(a, b)| (a - b).abs() < 1e-3));
}

#[test]
fn no_row_depends_on_its_own_label() {
    let (matrix, labels, contents) = dataset(3, 30);
    let before = run(&matrix, &labels, 3, &contents, &|_| true).unwrap();
    // Trained on the other folds only, a model gives the row to the last bit, whatever the sample's label.
    for sample in [0, 40, 80] {
        let fold = before.folds[sample];
        let order = content_order(&contents).into_iter();
        let training: Vec<u32> = order.filter(|&row| before.folds[row as usize] != fold).collect();
        assert!(!training.contains(&(sample as u32)));
        let go = |_, _| Ok(());
        let model = Logistic::train(&matrix, &training, &labels, 3, manner(Balance::Samples, None), &go)
            .unwrap()
            .unwrap();
        let mut relabeled = labels.clone();
        relabeled[sample] = (labels[sample] + 1) % 3;
        let other = Logistic::train(&matrix, &training, &relabeled, 3, manner(Balance::Samples, None), &go)
            .unwrap()
            .unwrap();
        for model in [model, other] {
            model.predict(&matrix, &[sample as u32], |_, row| {
                assert_eq!(row, &before.matrix[sample * 3..sample * 3 + 3]);
            });
        }
    }
}

/// `scripts/fixtures/make_logistic_fixtures.py` made the expected values.
#[test]
fn log_loss_equals_that_of_scikit_learn() {
    let fixture: serde_json::Value =
        serde_json::from_str(include_str!("../../fixtures/logistic.json")).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let rows = numbers(&fixture["rows"]).into_iter().map(|x| x as f32).collect();
    let matrix = EmbeddingMatrix::from_vec(rows, fixture["width"].as_u64().unwrap() as usize);
    let labels: Vec<u32> = numbers(&fixture["labels"]).into_iter().map(|label| label as u32).collect();
    let all: Vec<u32> = (0..labels.len() as u32).collect();
    let stop = AtomicBool::new(false);
    for (balance, theirs) in [(Balance::Classes, &fixture["balanced"]), (Balance::Samples, &fixture["plain"])]
    {
        let mut ours: Vec<Vec<f32>> = Vec::new();
        let take = |_, row: &[f32]| ours.push(row.to_vec());
        if balance == Balance::Classes {
            in_sample(&matrix, &labels, 5, &|_| true, &Job::new(&stop, &|_, _| {}), take).unwrap();
        } else {
            let model = Logistic::train(&matrix, &all, &labels, 5, manner(balance, None), &|_, _| Ok(()))
                .unwrap()
                .unwrap();
            model.predict(&matrix, &all, take);
        }
        let losses = ours.iter().zip(&labels).map(|(row, &label)| -f64::from(row[label as usize]).ln());
        let loss = losses.sum::<f64>() / labels.len() as f64;
        assert!((loss - theirs["log_loss"].as_f64().unwrap()).abs() < 1e-3, "{balance:?}: {loss}");
        for (ours, theirs) in ours.iter().zip(theirs["probabilities"].as_array().unwrap()) {
            let near = ours.iter().zip(numbers(theirs)).all(|(a, b)| (f64::from(*a) - b).abs() < 5e-3);
            assert!(near, "{balance:?}: {ours:?} {theirs}");
        }
    }
}

#[test]
fn folds_are_stratified_and_follow_the_content() {
    let (matrix, labels, contents) = dataset(4, 25);
    let found = run(&matrix, &labels, 4, &contents, &|_| true).unwrap();
    for class in 0..4 {
        for fold in 0..FOLDS {
            let of = |row: usize| labels[row] == class && found.folds[row] == fold;
            assert_eq!((0..100).filter(|&row| of(row)).count(), 5);
        }
    }
    // In reverse order, each sample keeps its fold.
    let back = |values: &[u32]| values.iter().rev().copied().collect::<Vec<_>>();
    let hashes: Vec<ContentHash> = contents.iter().rev().copied().collect();
    assert_eq!(folds::assign(&back(&labels), 4, &hashes, &|_| true), back(&found.folds));
}

#[test]
fn copies_share_a_fold_whatever_they_are_called() {
    let (matrix, labels, mut contents) = dataset(3, 40);
    // The same picture in all three classes.
    (contents[50], contents[100]) = (contents[10], contents[10]);
    let found = run(&matrix, &labels, 3, &contents, &|_| true).unwrap();
    assert_eq!((found.folds[50], found.folds[100]), (found.folds[10], found.folds[10]));
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let (matrix, labels, contents) = dataset(5, 300);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&matrix, &labels, 5, &contents, &|_| true).unwrap())
    };
    let one = with(1);
    assert!([2, 3, 8].into_iter().all(|threads| with(threads) == one));
}

#[test]
fn odd_datasets_have_a_defined_result() {
    let (matrix, labels, contents) = dataset(3, 20);
    // One class, or none with a label.
    for labels in [vec![0; 60], vec![u32::MAX; 60]] {
        let error = run(&matrix, &labels, 3, &contents, &|_| true).unwrap_err().to_string();
        assert!(error.contains("at least two classes"), "{error}");
    }
    // An empty class, a class of one, samples without a label, and one that cannot be read.
    let mut odd: Vec<u32> = labels.iter().map(|&label| if label == 2 { u32::MAX } else { label }).collect();
    odd[59] = 4;
    let found = run(&matrix, &odd, 5, &contents, &|row| row != 7).unwrap();
    assert_eq!((found.folds[7], &found.matrix[35..40]), (u32::MAX, &[0.0; 5][..]));
    for sample in (0..60).filter(|&sample| sample != 7) {
        let row = &found.matrix[sample * 5..sample * 5 + 5];
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!((row[2], row[3]), (0.0, 0.0));
    }
    // The only one of its class is predicted by a model that does not know the class.
    assert_eq!(found.matrix[59 * 5 + 4], 0.0);
    // Constant embeddings carry no information, which is said.
    let constant = EmbeddingMatrix::from_vec([1.0, 0.0].repeat(60), 2);
    let error = run(&constant, &labels, 3, &contents, &|_| true).unwrap_err().to_string();
    assert!(error.contains("are the same"), "{error}");
}

#[test]
fn large_classes_are_thinned_evenly() {
    let labels: Vec<u32> = (0..1000).map(|row| u32::from(row % 10 == 0)).collect();
    let taken = sampled(0..1000, &labels, 2, 100);
    let ones = taken.iter().filter(|&&row| labels[row as usize] == 1).count();
    assert!((taken.len() - ones, ones) == (90, LEAST_SHARE), "{} {ones}", taken.len());
    assert_eq!(sampled(0..1000, &labels, 2, 1000).len(), 1000);
    assert_eq!(room(100, 5, 4), 5);
}

#[test]
fn a_stop_ends_the_work() {
    let (matrix, labels, contents) = dataset(3, 20);
    let stop = AtomicBool::new(true);
    let outcome =
        compute(&matrix, &labels, 3, &contents, &|_| true, Balance::Samples, &Job::new(&stop, &|_, _| {}));
    assert!(matches!(outcome, Err(Error::Stopped)));
}

/// 50,000 samples of 128 numbers and ten classes. `cargo test --release -p chaffinch-compute --lib speed -- --ignored
/// --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let mut noise = Noise(3);
    let (rows, dim, classes) = (50_000, 128, 10);
    let (mut data, mut labels) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let class = row % classes;
        let mut vector: Vec<f32> =
            (0..dim).map(|d| 0.3 * f32::from(u8::from(d == class)) + 0.3 + 0.25 * noise.next()).collect();
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|x| *x /= norm);
        data.extend(vector);
        labels.push(class as u32);
    }
    let contents: Vec<ContentHash> =
        (0..rows).map(|row| ContentHash::of(&(row as u64).to_le_bytes())).collect();
    let matrix = EmbeddingMatrix::from_vec(data, dim);
    let started = std::time::Instant::now();
    run(&matrix, &labels, classes, &contents, &|_| true).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert!(seconds < 60.0, "{seconds:.1} s");
    std::io::Write::write_all(&mut std::io::stderr(), format!("{seconds:.2} s\n").as_bytes()).unwrap();
}
