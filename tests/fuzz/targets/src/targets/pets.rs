//! A few samples, for readers of files about a dataset.

use chaffinch_compute::content::ContentHash;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_plugin::Dimensions;
use chaffinch_protocol::sample::Split;

pub(super) const PATHS: [&str; 4] = ["bird/0.png", "bird/1.png", "cat/0.png", "dog/0.png"];

/// The samples, the last two with the same content.
pub(super) fn samples() -> (Manifest, FileMetadata) {
    let sample = |(number, path): (usize, &&str)| NewSample {
        path: path.into(),
        label: path.split('/').next().map(str::to_owned),
        split: [Split::Train, Split::Test][number % 2],
    };
    let mut metadata = FileMetadata::default();
    for path in ["0", "1", "2", "2"] {
        metadata.hashes.push(ContentHash::of(path.as_bytes()));
        metadata.dimensions.push(Dimensions { width: 8, height: 6, bytes: 100 });
        metadata.modified.push(1);
        metadata.phash.push(7);
        metadata.dhash.push(9);
    }
    (Manifest::new("/here", PATHS.iter().enumerate().map(sample)), metadata)
}

/// An array as NumPy writes it.
pub(super) fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// A matrix of four rows and three columns.
pub(super) fn numbers() -> Vec<u8> {
    (1..=12_u8).flat_map(|number| (f32::from(number) / 13.0).to_le_bytes()).collect()
}

/// A file of tensors with this header.
pub(super) fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}
