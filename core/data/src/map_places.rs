//! Maps of neighborhoods that were computed, as the session keeps them: one safetensors file each with the tensor `places` (F32
//! `[samples, 2]`), and in its metadata what it was computed from. A map that is not there, damaged or of something else is computed anew.

use crate::{Error, Result, atomic};
use chaffinch_compute::mapped;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// The key of the file's metadata: what the map was computed from, and a checksum of its places.
const KEY: &str = "chaffinch";

/// Keeps a map: horizontal and vertical positions, one after the other, computed from what `of` identifies.
///
/// # Errors
/// When it cannot be written.
pub fn save(path: &Path, of: &str, places: &[f32]) -> Result<()> {
    let invalid = |error: safetensors::SafeTensorError| Error::format(path, error.to_string());
    let bytes: &[u8] = bytemuck::cast_slice(places);
    let view = TensorView::new(Dtype::F32, vec![places.len() / 2, 2], bytes).map_err(invalid)?;
    let metadata = HashMap::from([(KEY.to_owned(), identity(of, bytes))]);
    let bytes = safetensors::serialize([("places", view)], Some(metadata)).map_err(invalid)?;
    atomic::write(path, |out| out.write_all(&bytes))
}

/// The places that [`save`] kept of the same; `None` if there are none.
pub fn load(path: &Path, of: &str) -> Option<Vec<f32>> {
    let bytes = mapped::read(path).ok()?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).ok()?;
    let tensors = SafeTensors::deserialize(&bytes).ok()?;
    let places = tensors.tensor("places").ok().filter(|places| places.dtype() == Dtype::F32)?;
    let known = metadata.metadata().as_ref()?.get(KEY)? == &identity(of, places.data());
    known.then(|| places.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}

fn identity(of: &str, places: &[u8]) -> String {
    format!("{of} {}", blake3::hash(places).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_come_back_if_they_are_whole_and_of_the_same() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("umap.safetensors");
        let (of, other) = ("one", "other");
        assert_eq!(load(&path, of), None);
        save(&path, of, &[0.0, 0.25, 1.0, 0.5]).unwrap();
        assert_eq!(load(&path, of), Some(vec![0.0, 0.25, 1.0, 0.5]));
        assert_eq!(load(&path, other), None);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(load(&path, of), None, "damaged");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(load(&path, of), None, "empty");
    }
}
