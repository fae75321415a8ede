//! The binary files of CIFAR and MNIST.

use super::dataset::{self, Case};
use crate::Target;
use crate::fixtures::{Named, folder};
use crate::stage::Stage;

/// The target.
pub const TARGET: Target = Target {
    name: "binaries",
    reads: "the binary files of CIFAR and MNIST, and the names of their classes",
    run: |bytes| dataset::run("binaries", CASES, bytes),
    seeds: || dataset::seeds(CASES),
};

pub(super) const CASES: &[Case] = &[
    (Stage { files: cifar, varied: "data_batch_1.bin" }, ""),
    (Stage { files: cifar, varied: "batches.meta.txt" }, ""),
    (Stage { files: mnist, varied: "train-images-idx3-ubyte" }, ""),
    (Stage { files: mnist, varied: "train-labels-idx1-ubyte" }, ""),
];

fn cifar() -> Vec<Named> {
    folder("formats/fixtures/packed/cifar")
}

fn mnist() -> Vec<Named> {
    folder("formats/fixtures/packed/mnist")
}
