//! Exports of embeddings: positions, neighbors and vectors are those of the samples, and the sprite has their pictures.

use super::testing::{atlas, exporting};
use super::*;
use crate::dataset;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::Manifest;
use image::{Rgb, RgbImage};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const COUNT: u8 = 20;

fn color(number: u8) -> Rgb<u8> {
    Rgb([number * 12, 255 - number * 12, 90])
}

/// Pictures, each of one color, the first twice as wide as high.
fn pictures() -> (TempDir, Arc<Manifest>) {
    let temp = tempfile::tempdir().unwrap();
    for number in 0..COUNT {
        let path =
            temp.path().join(format!("data/{}/{number:02}.png", if number < 7 { "cat" } else { "dog" }));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_pixel(if number == 0 { 128 } else { 64 }, 64, color(number)).save(path).unwrap();
    }
    let manifest = dataset::open(&temp.path().join("data"), &DatasetOptions::default()).unwrap().manifest;
    (temp, Arc::new(manifest))
}

fn write(temp: &TempDir, manifest: &Arc<Manifest>, format: &str) -> (PathBuf, Written) {
    let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
    journal.bind(manifest, None);
    let stop = AtomicBool::new(false);
    let output = temp.path().join(format);
    let request = Request { output: output.clone(), ..Request::default() };
    let written = exporting(manifest, &journal.snapshot(), |export| {
        Format::find(format).unwrap().write(export, &request, &Job::new(&stop, &|_, _| {})).unwrap()
    });
    (output, written)
}

#[test]
fn a_map_has_positions_and_the_nearest_neighbors() {
    let (temp, manifest) = pictures();
    let (file, _) = write(&temp, &manifest, "embedding-atlas");
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&file).unwrap()).unwrap().build().unwrap();
    let batches: Vec<_> = reader.map(|batch| batch.unwrap()).collect();
    let batch = &batches[0];
    assert_eq!((batches.len(), batch.num_rows()), (1, usize::from(COUNT)));
    let column = |name: &str| batch.column_by_name(name).unwrap().clone();
    let atlas = atlas(&manifest);
    let (xs, ys) = (column("projection_x"), column("projection_y"));
    let neighbors = column("neighbors");
    let neighbors = neighbors.as_struct();
    let (ids, distances) = (neighbors.column(0).as_list::<i32>(), neighbors.column(1).as_list::<i32>());
    for row in 0..batch.num_rows() {
        let place =
            [xs.as_primitive::<Float32Type>().value(row), -ys.as_primitive::<Float32Type>().value(row)];
        assert_eq!(place, atlas.projection().points()[row]);
        let own = ids.value(row);
        let own = own.as_primitive::<Int64Type>().values();
        // The directions are in the order of the rows.
        let mut expected: Vec<i64> = (0..i64::from(COUNT)).collect();
        expected.sort_by_key(|other| (other - row as i64).abs());
        let far = |ids: &[i64]| ids.iter().map(|other| (other - row as i64).abs()).collect::<Vec<_>>();
        assert_eq!((own.len(), own[0], far(own)), (16, row as i64, far(&expected[..16])));
        let values = distances.value(row);
        let values = values.as_primitive::<Float32Type>().values();
        assert!(values[0] == 0.0 && values.windows(2).all(|two| two[0] <= two[1] + 1e-6), "{values:?}");
    }
}

#[test]
fn a_sprite_has_every_picture_in_its_place() {
    let (temp, manifest) = pictures();
    let (folder, written) = write(&temp, &manifest, "tensorboard");
    assert_eq!((written.summary.as_deref(), written.left_out.len()), (Some("20 samples"), 0));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let vectors: Vec<Vec<f32>> = read("tensors.tsv")
        .lines()
        .map(|line| line.split('\t').map(|number| number.parse().unwrap()).collect())
        .collect();
    let atlas = atlas(&manifest);
    assert_eq!(vectors.len(), usize::from(COUNT));
    assert!((0..vectors.len()).all(|row| vectors[row] == atlas.matrix().row(row)));
    let metadata = read("metadata.tsv");
    let lines: Vec<&str> = metadata.lines().collect();
    assert!(
        lines[0].starts_with("path\tlabel\tsplit\tdecision\t") && lines[1].starts_with("cat/00.png\tcat\t")
    );
    assert_eq!(lines.len(), 1 + usize::from(COUNT));
    let sprite = image::open(folder.join("sprite.png")).unwrap().to_rgb8();
    assert_eq!(sprite.dimensions(), (5 * 64, 5 * 64));
    for number in 0..COUNT {
        let (column, row) = (u32::from(number) % 5, u32::from(number) / 5);
        let near = |place: &Rgb<u8>| place.0.iter().zip(color(number).0).all(|(a, b)| a.abs_diff(b) < 4);
        assert!(near(sprite.get_pixel(column * 64 + 32, row * 64 + 32)), "{number}");
    }
    // The wide one keeps its shape.
    assert_eq!(sprite.get_pixel(32, 2), &Rgb([0; 3]));
    assert!(read("projector_config.pbtxt").contains("single_image_dim: 64\n    single_image_dim: 64"));
    let config: serde_json::Value = serde_json::from_str(&read("projector_config.json")).unwrap();
    assert_eq!(config["embeddings"][0]["tensorShape"], serde_json::json!([20, 3]));
}

#[test]
fn without_embeddings_the_error_says_what_to_do() {
    let (temp, manifest) = pictures();
    let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
    journal.bind(&manifest, None);
    let stop = AtomicBool::new(false);
    for format in ["embedding-atlas", "tensorboard"] {
        let request = Request { output: temp.path().join(format), ..Request::default() };
        let error = exporting(&manifest, &journal.snapshot(), |export| {
            let bare = Export { embeddings: &|| None, ..*export };
            Format::find(format).unwrap().write(&bare, &request, &Job::new(&stop, &|_, _| {})).unwrap_err()
        });
        assert!(error.to_string().contains("no embeddings; scan the dataset with a model first"), "{error}");
        assert!(!request.output.exists());
    }
}
