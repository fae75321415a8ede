//! Writes what a probe predicts, and its weights.
//!
//! Tables have a column of paths and one for each class, as `--pred-probs` reads them.

use crate::{Error, Result};
use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use chaffinch_compute::probe::Probe;
use chaffinch_data::atomic;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::display::safe_path;
use npyz::WriterBuilder;
use parquet::arrow::ArrowWriter;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// The column of paths.
const PATH: &str = "path";

/// Probabilities of all classes of all samples.
#[derive(Debug)]
pub struct Predictions<'a> {
    /// Whose they are.
    pub manifest: &'a Manifest,
    /// `samples * classes`, row by row; rows of samples without a prediction are NaN.
    pub rows: &'a [f32],
}

/// The kinds of files that predictions are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Comma-separated values: `path` and a column for each class.
    Csv,
    /// An array of samples by classes in single precision, in the order of the dataset.
    Npy,
    /// The same columns as CSV.
    Parquet,
}

impl Kind {
    /// By the ending of a file's name.
    ///
    /// # Errors
    /// For any other ending.
    pub fn of(path: &Path) -> Result<Kind> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Ok(Kind::Csv),
            "npy" => Ok(Kind::Npy),
            "parquet" => Ok(Kind::Parquet),
            _ => Err(Error::format(
                path,
                "predictions are written to files that end in .csv, .npy or .parquet",
            )),
        }
    }
}

impl Predictions<'_> {
    /// Writes them.
    ///
    /// # Errors
    /// When the file cannot be written, or its ending is unknown.
    pub fn write(&self, path: &Path) -> Result<()> {
        match Kind::of(path)? {
            Kind::Csv => atomic::write(path, |out| self.csv(out)),
            Kind::Npy => atomic::write(path, |out| self.npy(out)),
            Kind::Parquet => atomic::write(path, |out| self.parquet(out)),
        }
    }

    fn classes(&self) -> usize {
        self.manifest.classes().len()
    }

    fn csv(&self, out: &mut impl Write) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(out);
        let heading = [PATH].into_iter().chain(self.manifest.classes().iter().map(String::as_str));
        table.write_record(heading)?;
        for (id, row) in self.manifest.ids().zip(self.rows.chunks_exact(self.classes().max(1))) {
            table.write_field(self.manifest.path(id).as_os_str().as_bytes())?;
            for p in row {
                table.write_field(if p.is_nan() { String::new() } else { p.to_string() })?;
            }
            table.write_record(None::<&[u8]>)?;
        }
        table.flush()
    }

    fn npy(&self, out: &mut impl Write) -> io::Result<()> {
        let shape = [self.manifest.len() as u64, self.classes() as u64];
        let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
        let mut writer = options.writer(out).begin_nd()?;
        writer.extend(self.rows.iter().copied())?;
        writer.finish()
    }

    fn parquet(&self, out: &mut (impl Write + Send)) -> io::Result<()> {
        let classes = self.manifest.classes();
        let mut fields = vec![Field::new(PATH, DataType::Utf8, false)];
        fields.extend(classes.iter().map(|class| Field::new(class, DataType::Float32, true)));
        let paths = self.manifest.ids().map(|id| safe_path(self.manifest.path(id)));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from_iter_values(paths))];
        for class in 0..classes.len() {
            let column =
                self.rows.chunks_exact(classes.len()).map(|row| Some(row[class]).filter(|p| !p.is_nan()));
            columns.push(Arc::new(Float32Array::from_iter(column)));
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(io::Error::other)?;
        let mut writer = ArrowWriter::try_new(out, schema, None).map_err(io::Error::other)?;
        writer.write(&batch).map_err(io::Error::other)?;
        writer.close().map(|_| ()).map_err(io::Error::other)
    }
}

/// Writes the weights of a probe as safetensors: `weight` (classes by dimensions) and `bias`, in single precision, and in the
/// metadata `classes` (names as JSON, in the order of the rows), `model` (the fingerprint of the model whose embeddings it reads) and
/// `link` (`softmax` or `sigmoid`).
///
/// # Errors
/// When the file cannot be written.
pub fn weights(path: &Path, probe: &Probe, classes: &[String], (model, link): (&str, &str)) -> Result<()> {
    let invalid = |error: String| Error::format(path, error);
    let names: Vec<&String> =
        probe.classes().iter().filter_map(|&class| classes.get(class as usize)).collect();
    let names = serde_json::to_string(&names).map_err(|error| invalid(error.to_string()))?;
    let bias = probe.bias();
    let view = |shape: Vec<usize>, numbers| {
        TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(numbers))
            .map_err(|error| invalid(error.to_string()))
    };
    let tensors = [
        ("weight", view(vec![bias.len(), probe.dim()], probe.weights())?),
        ("bias", view(vec![bias.len()], &bias)?),
    ];
    let metadata = HashMap::from([
        ("classes".to_owned(), names),
        ("link".to_owned(), link.to_owned()),
        ("model".to_owned(), model.to_owned()),
    ]);
    let bytes =
        safetensors::serialize(tensors, Some(metadata)).map_err(|error| invalid(error.to_string()))?;
    atomic::write(path, |out| out.write_all(&bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;
    use chaffinch_data::manifest::NewSample;
    use chaffinch_protocol::sample::Split;

    #[test]
    fn every_kind_of_file_holds_the_same() {
        let temp = tempfile::tempdir().unwrap();
        let sample =
            |path: &str| NewSample { path: path.into(), label: Some("a,b".into()), split: Split::None };
        let more = NewSample { path: "z.png".into(), label: Some("c".into()), split: Split::None };
        let manifest = Manifest::new("/nowhere", [sample("x, y.png"), sample("x.png"), more]);
        let rows = [0.25, 0.75, f32::NAN, f32::NAN, 1.0, 0.0];
        let predictions = Predictions { manifest: &manifest, rows: &rows };
        let file = |name: &str| temp.path().join(name);
        for name in ["p.csv", "p.npy", "p.parquet"] {
            predictions.write(&file(name)).unwrap();
        }
        let text = std::fs::read_to_string(file("p.csv")).unwrap();
        assert_eq!(text, "path,\"a,b\",c\n\"x, y.png\",0.25,0.75\nx.png,,\nz.png,1,0\n");
        let array = npyz::NpyFile::new(std::fs::File::open(file("p.npy")).unwrap()).unwrap();
        assert_eq!(array.shape(), [3, 2]);
        assert_eq!(array.into_vec::<f32>().unwrap()[4..], [1.0, 0.0]);
        let error = predictions.write(&file("p.txt")).unwrap_err().to_string();
        assert!(error.contains(".parquet"), "{error}");
    }
}
