//! Class probabilities that were computed elsewhere, as the session keeps them: for each sample that had some when they
//! were given, by path and content, so that they outlive their files and stay with pictures that move.
//!
//! One safetensors file with the tensors `probabilities` (F32 `[rows, classes]`), `hashes` (U8 `[rows, 32]`), `paths`
//! (U8, joined) and `path_ends` (U64 `[rows]`).

use crate::class_names;
use crate::file_metadata::FileMetadata;
use crate::keys::{self, Keys};
use crate::manifest::Manifest;
use crate::nearest::hint;
use crate::same_path::RowMark;
use crate::{Error, Result, atomic};
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::mapped;
use chaffinch_compute::out_of_sample::OutOfSample;
use chaffinch_plugin::GIVEN_FOLD;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The format version.
const FORMAT: u32 = 1;

/// The key of the file's metadata.
const KEY: &str = "chaffinch";

/// The fold of a sample without a row.
const NO_FOLD: u32 = u32::MAX;

/// The metadata, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Header {
    format: u32,
    classes: Vec<String>,
    source: String,
    /// What tells rows from others of their paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    marks: BTreeMap<u32, RowMark>,
    checksum: String,
}

/// Probabilities from elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GivenProbabilities {
    head: Header,
    numbers: Vec<f32>,
    hashes: Vec<ContentHash>,
    paths: Vec<u8>,
    path_ends: Vec<u64>,
}

/// Probabilities of a dataset's samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// Zeros, and no fold, where a sample has none; in [`GIVEN_FOLD`] where it has.
    pub found: OutOfSample,
    /// Samples whose row is not a distribution.
    pub bad: Vec<SampleId>,
    /// Samples without a row.
    pub missing: Vec<SampleId>,
}

impl GivenProbabilities {
    /// None so far, of these classes. `source` says where they are from: `probabilities of p.npy`.
    pub fn new(classes: &[String], source: String) -> GivenProbabilities {
        let head = Header { format: FORMAT, classes: classes.to_vec(), source, ..Header::default() };
        GivenProbabilities { head, ..GivenProbabilities::default() }
    }

    /// Adds a sample with one number per class; `None` for a row that is not a distribution.
    pub fn push(&mut self, path: &Path, hash: ContentHash, row: Option<&[f32]>) {
        match row {
            Some(row) => self.numbers.extend_from_slice(row),
            None => self.numbers.extend(std::iter::repeat_n(f32::NAN, self.head.classes.len())),
        }
        self.hashes.push(hash);
        self.paths.extend_from_slice(path.as_os_str().as_bytes());
        self.path_ends.push(self.paths.len() as u64);
    }

    /// The same, where `ids` are the samples that were added: with what tells those of one path apart.
    #[must_use]
    pub fn marked(mut self, ids: &[SampleId], manifest: &Manifest) -> GivenProbabilities {
        let marks = (0..).zip(keys::marks(ids, manifest));
        self.head.marks = marks.filter_map(|(row, mark)| Some((row, mark?))).collect();
        self
    }

    /// Where they are from.
    pub fn source(&self) -> &str {
        &self.head.source
    }

    /// Changes whenever any of them changes.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for class in &self.head.classes {
            hasher.update(&(class.len() as u64).to_le_bytes()).update(class.as_bytes());
        }
        let parts: [&[u8]; 4] = [
            bytemuck::cast_slice(&self.numbers),
            bytemuck::cast_slice(&self.hashes),
            &self.paths,
            bytemuck::cast_slice(&self.path_ends),
        ];
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        for (row, mark) in &self.head.marks {
            // Plain data cannot fail to serialize.
            let mark = serde_json::to_string(mark).unwrap_or_default();
            hasher
                .update(&row.to_le_bytes())
                .update(&(mark.len() as u64).to_le_bytes())
                .update(mark.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    fn row(&self, index: usize) -> &[f32] {
        let classes = self.head.classes.len();
        &self.numbers[index * classes..(index + 1) * classes]
    }

    fn path(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.path_ends[before] as usize);
        &self.paths[start..self.path_ends[index] as usize]
    }

    fn keys(&self) -> Keys {
        let key = |row: usize| (self.hashes[row], self.path(row).to_vec());
        let mark = |row: u32| self.head.marks.get(&row).cloned();
        let rows = if self.head.marks.is_empty() { 0 } else { self.hashes.len() as u32 };
        Keys { keys: (0..self.hashes.len()).map(key).collect(), marks: (0..rows).map(mark).collect() }
    }

    /// The probabilities of a dataset's samples: those of a path whose content is as it was, or else those of the content.
    ///
    /// # Errors
    /// When a class of the dataset has no column.
    pub fn bind(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Result<Bound> {
        let columns = self.columns(manifest.classes())?;
        let classes = columns.len();
        let keys = self.keys();
        let places = keys.places_in_turn(manifest, file_metadata);
        let rows = keys.rows(&places, manifest, file_metadata);
        let mut matrix = vec![0.0; manifest.len() * classes];
        let mut folds = vec![NO_FOLD; manifest.len()];
        let (mut bad, mut missing) = (Vec::new(), Vec::new());
        for id in manifest.ids() {
            let Some(row) = rows[id.index()] else {
                missing.push(id);
                continue;
            };
            let row = self.row(row as usize);
            let sum: f32 = columns.iter().map(|&column| row[column]).sum();
            if !(sum > 0.0 && sum.is_finite()) {
                bad.push(id);
                continue;
            }
            // The classes may have become fewer; otherwise the numbers stay as they are.
            let part = if classes < self.head.classes.len() { sum } else { 1.0 };
            let to = &mut matrix[id.index() * classes..(id.index() + 1) * classes];
            to.iter_mut().zip(&columns).for_each(|(to, &column)| *to = row[column] / part);
            folds[id.index()] = GIVEN_FOLD;
        }
        let found = OutOfSample { matrix, classes, folds, inverse_temperature: 1.0 };
        Ok(Bound { found, bad, missing })
    }

    /// The column of each class.
    fn columns(&self, classes: &[String]) -> Result<Vec<usize>> {
        let own: HashMap<String, usize> = (0..)
            .zip(&self.head.classes)
            .map(|(at, name)| (class_names::clean(name).into_owned(), at))
            .collect();
        let find = |class: &String| {
            own.get(&*class_names::clean(class)).copied().ok_or_else(|| {
                Error::Invalid(format!(
                    "the {} have no column for the class '{}'{}; pass --pred-probs again, or --pred-probs none",
                    self.head.source,
                    safe_text(class),
                    hint(class, self.head.classes.iter().map(String::as_str))
                ))
            })
        };
        classes.iter().map(find).collect()
    }

    /// Writes them to a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let invalid = |error: String| Error::format(path, error);
        let (rows, classes) = (self.hashes.len(), self.head.classes.len());
        let head = Header { checksum: self.digest(), ..self.head.clone() };
        let head = serde_json::to_string(&head).map_err(|error| invalid(error.to_string()))?;
        let view = |dtype, shape: Vec<usize>, data| {
            TensorView::new(dtype, shape, data).map_err(|error| invalid(error.to_string()))
        };
        let tensors = [
            ("probabilities", view(Dtype::F32, vec![rows, classes], bytemuck::cast_slice(&self.numbers))?),
            ("hashes", view(Dtype::U8, vec![rows, 32], bytemuck::cast_slice(&self.hashes))?),
            ("paths", view(Dtype::U8, vec![self.paths.len()], &self.paths)?),
            ("path_ends", view(Dtype::U64, vec![rows], bytemuck::cast_slice(&self.path_ends))?),
        ];
        let metadata = HashMap::from([(KEY.to_owned(), head)]);
        let bytes =
            safetensors::serialize(tensors, Some(metadata)).map_err(|error| invalid(error.to_string()))?;
        atomic::write(path, |out| out.write_all(&bytes))
    }

    /// Reads what [`GivenProbabilities::save`] wrote; `None` if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn load(path: &Path) -> Result<Option<GivenProbabilities>> {
        if !path.exists() {
            return Ok(None);
        }
        let damaged = |reason: &str| {
            Error::format(path, format!("{reason}; pass --pred-probs again, or --pred-probs none"))
        };
        if std::fs::metadata(path).map_err(Error::io("read", path))?.len() == 0 {
            return Err(damaged("it is empty"));
        }
        let bytes = mapped::read(path)?;
        let broken = |error: safetensors::SafeTensorError| damaged(&error.to_string());
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
        let head = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let head: Option<Header> = head.and_then(|head| serde_json::from_str(head).ok());
        let head = head.filter(|head| head.format == FORMAT).ok_or_else(|| damaged("it has no header"))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(broken)?;
        let data = |name: &str| tensors.tensor(name).map(|tensor| tensor.data().to_vec()).map_err(broken);
        let found = GivenProbabilities {
            numbers: numbers(&data("probabilities")?, f32::from_le_bytes),
            hashes: data("hashes")?.as_chunks().0.iter().map(|&bytes| ContentHash(bytes)).collect(),
            paths: data("paths")?,
            path_ends: numbers(&data("path_ends")?, u64::from_le_bytes),
            head: Header { checksum: String::new(), ..head.clone() },
        };
        let rows = found.hashes.len();
        let whole = found.path_ends.len() == rows
            && found.path_ends.is_sorted()
            && found.path_ends.last().copied().unwrap_or(0) == found.paths.len() as u64
            && found.numbers.len() == rows * head.classes.len()
            && found.digest() == head.checksum;
        if whole { Ok(Some(found)) } else { Err(damaged("its checksum does not match")) }
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&bytes| from(bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::NewSample;

    fn dataset(samples: &[(&str, &str, &[u8])]) -> (Manifest, FileMetadata) {
        let sample = |&(path, label, _): &(&str, &str, &[u8])| NewSample {
            path: path.into(),
            label: Some(label.into()),
            split: Default::default(),
        };
        let manifest = Manifest::new("/data", samples.iter().map(sample));
        let hashes = samples.iter().map(|(.., content)| ContentHash::of(content)).collect();
        (manifest, FileMetadata { hashes, ..FileMetadata::default() })
    }

    fn given() -> GivenProbabilities {
        let classes = ["cat", "dog"].map(str::to_owned);
        let mut given = GivenProbabilities::new(&classes, "probabilities of p.npy".into());
        given.push(Path::new("a.png"), ContentHash::of(b"same"), Some(&[0.9, 0.1]));
        given.push(Path::new("b.png"), ContentHash::of(b"same"), Some(&[0.2, 0.8]));
        given.push(Path::new("c.png"), ContentHash::of(b"c"), None);
        given
    }

    #[test]
    fn they_stay_with_paths_and_contents() {
        // Copies have rows of their own; a picture that moved keeps its row; a new one has none.
        let (manifest, file_metadata) = dataset(&[
            ("a.png", "cat", b"same"),
            ("b.png", "dog", b"same"),
            ("c.png", "cat", b"c"),
            ("d.png", "dog", b"d"),
            ("moved.png", "dog", b"same"),
        ]);
        let bound = given().bind(&manifest, &file_metadata).unwrap();
        let expected = [0.9, 0.1, 0.2, 0.8, 0.0, 0.0, 0.0, 0.0, 0.9, 0.1];
        assert_eq!(bound.found.matrix, expected);
        assert_eq!(bound.found.folds, [GIVEN_FOLD, GIVEN_FOLD, NO_FOLD, NO_FOLD, GIVEN_FOLD]);
        assert_eq!((bound.bad, bound.missing), (vec![SampleId(2)], vec![SampleId(3)]));
        // Another content at the path is another picture.
        let (manifest, changed) = dataset(&[("a.png", "cat", b"new"), ("b.png", "dog", b"same")]);
        assert_eq!(given().bind(&manifest, &changed).unwrap().missing, [SampleId(0)]);
    }

    #[test]
    fn samples_of_one_path_have_rows_of_their_own() {
        let mut given = given();
        given.push(Path::new("a.png"), ContentHash::of(b"same"), Some(&[0.5, 0.5]));
        let row = ("a.png", "cat", &b"same"[..]);
        let (manifest, file_metadata) = dataset(&[row, ("b.png", "dog", b"same"), row, row]);
        let bound = given.bind(&manifest, &file_metadata).unwrap();
        assert_eq!(bound.found.matrix, [0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.5, 0.5]);
    }

    #[test]
    fn columns_are_classes_by_name() {
        let (manifest, file_metadata) = dataset(&[("b.png", "dog", b"same")]);
        assert_eq!(given().bind(&manifest, &file_metadata).unwrap().found.matrix, [1.0]);
        let (manifest, file_metadata) = dataset(&[("b.png", "dogs", b"same")]);
        let error = given().bind(&manifest, &file_metadata).unwrap_err().to_string();
        assert!(error.contains("no column for the class 'dogs'; did you mean 'dog'?"), "{error}");
    }

    #[test]
    fn they_come_back_as_they_were_or_not_at_all() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("p.safetensors");
        assert_eq!(GivenProbabilities::load(&path).unwrap(), None);
        given().save(&path).unwrap();
        let back = GivenProbabilities::load(&path).unwrap().unwrap();
        assert_eq!((back.digest(), back.source()), (given().digest(), "probabilities of p.npy"));
        let bytes = std::fs::read(&path).unwrap();
        for cut in [0, 7, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let error = GivenProbabilities::load(&path).unwrap_err().to_string();
            assert!(error.contains("--pred-probs"), "{error}");
        }
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        std::fs::write(&path, flipped).unwrap();
        assert!(GivenProbabilities::load(&path).unwrap_err().to_string().contains("checksum"));
    }
}
