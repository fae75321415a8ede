use super::Lite0Tower;
use crate::bundled::Bundled;
use crate::layers::Loader;
use crate::source::{Checkpoint, ModelSource};
use candle_core::{DType, Device, Tensor};

/// What other devices run, and what the CPU does instead.
#[test]
fn candles_operations_give_the_same_features() {
    let source = ModelSource::Bundled(Bundled::Photo);
    let checkpoint = Checkpoint::open(&source, true, &mut |_| ()).unwrap();
    let loader = Loader {
        weights: &checkpoint.weights,
        device: &Device::Cpu,
        dtype: DType::F32,
        stepwise: false,
        in_tiles: false,
        device_name: "cpu",
        stop: &false.into(),
    };
    let tower = Lite0Tower::load(&loader, &checkpoint.config).unwrap();
    let pixels: Vec<f32> =
        (0..2 * 3 * 224 * 224).map(|i: u64| ((i * 7919 % 1009) as f32 / 504.5) - 1.0).collect();
    let images = Tensor::from_vec(pixels, (2, 3, 224, 224), &Device::Cpu).unwrap();
    let numbers = |features: Tensor| features.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let (here, there) =
        (numbers(tower.features_on_cpu(&images).unwrap()), numbers(tower.features(&images).unwrap()));
    assert_eq!(here.len(), 2 * super::FEATURES);
    let largest = there.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let difference = here.iter().zip(&there).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest > 0.1 && difference < 1e-4 * largest.max(1.0), "{difference} of {largest}");
}
