//! Pictures that are not those that were indexed are not lent as these, and a run that missed some is repeated.

use super::detector::Code;
use super::library::admit;
use super::{DatasetServices, LoadedDetector, RunContext};
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::job::Job;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::index::refresh;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_data::prompts::PromptSet;
use chaffinch_plugin::abi::ABI_VERSION;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::exported;
use chaffinch_protocol::sample::{SampleId, Split as Part};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// Scores each picture by its first byte.
#[derive(Default)]
struct Brightness;

impl Detector for Brightness {
    const INFO: Info = Info::new("brightness", "Says how bright pictures are").needs(Needs::PIXELS);

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let scores = Mutex::new(vec![f32::NAN; view.len()]);
        view.each_pixels(0, &|sample, pixels| {
            scores.lock().unwrap()[sample] = f32::from(pixels.rgb[0]) / 255.0;
            Ok(())
        })?;
        report.scores(&scores.into_inner().unwrap())
    }
}

struct World {
    _folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
    services: DatasetServices,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (0..4).map(|sample| folder.path().join(format!("{sample}.png"))).collect();
        let samples = paths.iter().enumerate().map(|(sample, path)| {
            RgbImage::from_pixel(4, 4, image::Rgb([sample as u8 * 60; 3])).save(path).unwrap();
            NewSample { path: path.clone(), label: Some("cat".into()), split: Part::Train }
        });
        let manifest = Manifest::new(folder.path(), samples);
        let stop = AtomicBool::new(false);
        let (metadata, _) = refresh(&manifest, None, &Job::new(&stop, &|_, _| {})).unwrap();
        let prompts = PromptSet::bundled();
        let services = DatasetServices::new(Arc::new(manifest), Arc::new(metadata), None, None, prompts, []);
        World { _folder: folder, paths, services }
    }

    /// The result of a run, and what it warned of.
    fn run(&self) -> (DetectorResult, Vec<String>) {
        let exported = admit(Box::leak(Box::new(exported::<Brightness>())), ABI_VERSION).unwrap();
        let code = Code::Here(exported);
        let detector = LoadedDetector::new(exported.info(), code, Path::new("brightness.so"), "digest");
        let (stop, warned) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let log = |level: u32, text: &str| {
            if level == 2 {
                warned.lock().unwrap().push(text.to_owned());
            }
        };
        let job = Job::new(&stop, &|_, _| {});
        let run = RunContext::new(&self.services, &detector, &BTreeMap::new(), job, &log).unwrap();
        let result = run.run(String::new()).unwrap();
        (result, warned.into_inner().unwrap())
    }
}

#[test]
fn pictures_that_were_exchanged_are_not_taken_for_those_that_were_indexed() {
    let world = World::new();
    let (whole, warned) = world.run();
    assert!(warned.is_empty() && whole.record().is_settled(), "{warned:?}");
    // Sizes and times may be the same.
    let other = world.paths[0].with_extension("away");
    fs::rename(&world.paths[0], &other).unwrap();
    fs::rename(&world.paths[2], &world.paths[0]).unwrap();
    fs::rename(&other, &world.paths[2]).unwrap();
    let (found, warned) = world.run();
    let scored: Vec<bool> = (0..4).map(|sample| found.score(SampleId(sample)).is_some()).collect();
    assert_eq!(scored, [false, true, false, true]);
    assert_eq!(warned, ["2 files changed or went away since they were indexed; scan again"]);
    assert!(!found.record().is_settled(), "it is due again, whatever its inputs are");
}

#[test]
fn a_picture_that_is_away_leaves_a_result_that_is_due_again() {
    let world = World::new();
    let away = world.paths[1].with_extension("away");
    fs::rename(&world.paths[1], &away).unwrap();
    let (found, warned) = world.run();
    assert_eq!(warned, ["1 file changed or went away since it was indexed; scan again"]);
    assert!(!found.record().is_settled() && found.score(SampleId(1)).is_none());
    fs::rename(&away, &world.paths[1]).unwrap();
    // Touched, it is the same picture.
    let bytes = fs::read(&world.paths[1]).unwrap();
    fs::write(&world.paths[1], bytes).unwrap();
    let (found, warned) = world.run();
    assert!(warned.is_empty() && found.record().is_settled(), "{warned:?}");
    assert!(found.score(SampleId(1)).is_some());
}
