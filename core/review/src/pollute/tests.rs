use super::*;
use chaffinch_compute::job::Job;
use chaffinch_data::manifest::NewSample;
use chaffinch_data::output::CopyMode;
use chaffinch_protocol::sample::Split;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::AtomicBool;

/// `count` samples of ten classes in turn.
fn manifest(count: usize) -> Manifest {
    let samples = (0..count).map(|row| NewSample {
        path: format!("{}/{row}.png", row % 10).into(),
        label: Some((row % 10).to_string()),
        split: Split::None,
    });
    Manifest::new("/data", samples)
}

fn labels(labels: LabelNoise) -> Recipe {
    Recipe { seed: 3, labels, ..Recipe::default() }
}

#[test]
fn symmetric_noise_has_the_share_its_definition_gives() {
    let manifest = manifest(50_000);
    let wrong = |same_too| {
        let noise = LabelNoise::Symmetric { share: 0.5, same_too };
        plan(&manifest, &labels(noise)).unwrap().planted.len()
    };
    assert_eq!(wrong(false), 25_000);
    // Of labels drawn from all classes a tenth is the true one.
    let with_same = wrong(true);
    assert!((22_300..22_700).contains(&with_same), "{with_same}");
}

#[test]
fn asymmetric_noise_flips_one_class_into_one() {
    let manifest = manifest(1000);
    let pairs = vec![(LabelId(9), LabelId(1)), (LabelId(3), LabelId(5)), (LabelId(5), LabelId(3))];
    let plan = plan(&manifest, &labels(LabelNoise::Asymmetric { share: 0.4, pairs })).unwrap();
    let mut flips: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for planted in &plan.planted {
        let from = manifest.label(planted.sample.unwrap()).unwrap();
        *flips.entry((from.0, planted.label.unwrap().0)).or_default() += 1;
    }
    assert_eq!(flips, BTreeMap::from([((3, 5), 40), ((5, 3), 40), ((9, 1), 40)]));
}

#[test]
fn a_matrix_gives_its_probabilities_and_must_be_one() {
    let manifest = manifest(20_000);
    let mut matrix = vec![vec![0.0; 10]; 10];
    for (class, row) in matrix.iter_mut().enumerate() {
        row[class] = 1.0;
    }
    (matrix[0][0], matrix[1][0], matrix[2][0]) = (0.5, 0.3, 0.2);
    let plan = plan(&manifest, &labels(LabelNoise::Matrix(matrix.clone()))).unwrap();
    let to = |class| plan.planted.iter().filter(|planted| planted.label == Some(LabelId(class))).count();
    assert_eq!(to(1) + to(2), plan.planted.len());
    assert!((540..660).contains(&to(1)) && (340..460).contains(&to(2)), "{} {}", to(1), to(2));
    matrix[0][0] = 0.6;
    let refused = super::plan(&manifest, &labels(LabelNoise::Matrix(matrix))).unwrap_err().to_string();
    assert!(refused.contains("column 1 of the noise matrix sums to 1.1"), "{refused}");
}

#[test]
fn given_labels_are_replayed() {
    let manifest = manifest(4);
    let given = vec![None, Some(LabelId(1)), Some(LabelId(0)), None];
    let plan = plan(&manifest, &labels(LabelNoise::Given(given))).unwrap();
    let wrong: Vec<_> =
        plan.planted.iter().map(|planted| (planted.sample.unwrap().0, planted.label.unwrap().0)).collect();
    assert_eq!(wrong, [(2, 0)], "a label that is the true one is not a fault");
}

#[test]
fn a_portion_counts_the_whole() {
    assert_eq!(portion(0.01, 12_477).unwrap(), 126);
    assert_eq!(portion(0.0, 10).unwrap(), 0);
    assert!(portion(1.0, 10).is_err() && portion(f64::NAN, 10).is_err());
}

#[test]
fn too_much_is_refused() {
    let refused = |recipe: Recipe| plan(&manifest(20), &recipe).unwrap_err().to_string();
    assert!(refused(Recipe { copies: 15, dark: 6, ..Recipe::default() }).contains("'dark'"));
    assert!(refused(Recipe { foreign: 1, ..Recipe::default() }).contains("0 to choose from"));
    assert!(
        refused(labels(LabelNoise::Symmetric { share: 1.5, same_too: true })).contains("in the range 0..=1")
    );
}

proptest! {
    #[test]
    fn one_fault_a_sample_and_the_same_for_the_same_seed(
        seed in any::<u64>(), share in 0.0..0.5, copies in 0_usize..10, blurred in 0_usize..10, dark in 0_usize..10,
    ) {
        let recipe = Recipe {
            seed, copies, blurred, dark,
            labels: LabelNoise::Symmetric { share, same_too: false },
            ..Recipe::default()
        };
        let manifest = manifest(100);
        let first = plan(&manifest, &recipe).unwrap();
        prop_assert_eq!(&first, &plan(&manifest, &recipe).unwrap());
        let mut samples: Vec<_> = first.planted.iter().map(|planted| planted.sample.unwrap()).collect();
        samples.sort_unstable();
        let all = samples.len();
        samples.dedup();
        prop_assert_eq!(samples.len(), all);
        prop_assert_eq!(all, (share * 100.0) as usize + copies + blurred + dark);
    }
}

#[test]
fn splits_stay_as_they_are_spelled() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("data");
    for split in ["train1", "val"] {
        for class in ["cat", "dog"] {
            fs::create_dir_all(root.join(split).join(class)).unwrap();
            fs::write(root.join(split).join(class).join("1.png"), [split, class].concat()).unwrap();
        }
    }
    let options = chaffinch_data::dataset::DatasetOptions::default();
    let manifest = chaffinch_formats::dataset::open(&root, &options).unwrap().manifest;
    let strangers: Vec<std::path::PathBuf> =
        (0..2).map(|n| temp.path().join(format!("stranger{n}.png"))).collect();
    strangers.iter().for_each(|file| fs::write(file, "foreign").unwrap());
    let recipe = Recipe { seed: 1, copies: 2, strangers, foreign: 2, ..Recipe::default() };
    let plan = plan(&manifest, &recipe).unwrap();
    let target = temp.path().join("polluted");
    let stop = AtomicBool::new(false);
    write(&manifest, &plan, &target, CopyMode::Copy, &Job::new(&stop, &|_, _| {})).unwrap();
    let copy = chaffinch_formats::dataset::open(&target.join(DATA), &options).unwrap().manifest;
    assert_eq!(copy.len(), 8);
    for id in copy.ids() {
        let folder = copy.path(id).iter().next().unwrap().to_str().unwrap();
        assert!(["train1", "val"].contains(&folder) && copy.split_as_written(id) == folder, "{folder}");
    }
}

#[test]
fn the_copy_holds_what_the_lists_say_and_the_original_is_untouched() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("data");
    for row in 0..40_u8 {
        let folder = root.join((row % 4).to_string());
        fs::create_dir_all(&folder).unwrap();
        let picture =
            image::RgbImage::from_fn(24, 24, |x, y| image::Rgb([(x * 10) as u8, (y * 9) as u8, row * 5]));
        picture.save(folder.join(format!("{row}.png"))).unwrap();
    }
    fs::write(root.join("0/broken.png"), "no picture").unwrap();
    let stranger = temp.path().join("stranger.jpg");
    image::RgbImage::new(50, 30).save(&stranger).unwrap();
    let manifest =
        chaffinch_formats::dataset::open(&root, &chaffinch_data::dataset::DatasetOptions::default())
            .unwrap()
            .manifest;
    let recipe = Recipe {
        seed: 1,
        labels: LabelNoise::Symmetric { share: 0.1, same_too: false },
        copies: 2,
        reencoded: 2,
        blurred: 2,
        dark: 2,
        truncated: 2,
        strangers: vec![stranger],
        foreign: 1,
        noisy: 1,
        specked: 1,
        blocky: 1,
        faint: 1,
        moved: 1,
        cut: 1,
        boxed: 1,
    };
    let plan = plan(&manifest, &recipe).unwrap();
    let target = temp.path().join("polluted");
    let write_to = |target: &std::path::Path| {
        write(&manifest, &plan, target, CopyMode::Copy, &Job::new(&AtomicBool::new(false), &|_, _| {}))
    };
    let report = write_to(&target).unwrap();
    assert_eq!(report.planted.values().sum::<usize>() + report.failed.len(), plan.planted.len());
    assert_eq!(report.planted["label"], 4);
    let copy = chaffinch_formats::dataset::open(
        &target.join("data"),
        &chaffinch_data::dataset::DatasetOptions::default(),
    )
    .unwrap();
    assert_eq!(copy.manifest.len(), report.samples);
    assert!((44..=46).contains(&report.samples), "{report:?}");

    let truth = fs::read_to_string(target.join(TRUTH)).unwrap();
    assert_eq!(
        truth.lines().filter(|line| line.split(',').nth(3) == Some("1")).count(),
        report.planted.values().sum::<usize>()
    );
    for line in truth.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        assert!(target.join("data").join(fields[0]).is_file(), "{line}");
        assert_eq!(fields[0].split('/').next(), Some(fields[1]), "{line}");
        let copied = ["copy", "reencoded"].contains(&fields[4]);
        assert_eq!(!fields[5].is_empty(), copied, "{line}");
        assert!(!copied || fields[5] != fields[0] && target.join("data").join(fields[5]).is_file(), "{line}");
    }
    let list = fs::read_to_string(target.join(LIST)).unwrap();
    assert_eq!(list.lines().next(), Some("path,fault,label,true_label,source"));
    for line in list.lines().filter(|line| line.contains(",copy,")) {
        let fields: Vec<&str> = line.split(',').collect();
        let copy = fs::read(target.join("data").join(fields[0])).unwrap();
        assert_eq!(copy, fs::read(root.join(fields[4])).unwrap());
    }
    assert!(write_to(&target).unwrap_err().to_string().contains("not empty"));
    assert!(write_to(&root.join("inside")).unwrap_err().to_string().contains("inside the dataset"));
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 3, "nothing half-made is left");
}
