//! The folder that `clip-retrieval inference` writes: `img_emb/img_emb_N.npy` beside `metadata/metadata_N.parquet`, whose
//! column `image_path` names the pictures. Embeddings of captions, in `text_emb`, are ignored.

use super::hash_file;
use crate::arrays::{self, Picked};
use crate::{Error, Result};
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_review::label_quality::{Grid, Numbers};
use std::fs;
use std::path::{Path, PathBuf};

/// The column with the paths of the pictures.
const PATHS: &str = "image_path";

/// Reads all parts, in the order of their numbers.
///
/// # Errors
/// When a part cannot be read, has no paths or other rows than they have, or there is none.
pub(super) fn read(folder: &Path, hasher: &mut blake3::Hasher) -> Result<Picked> {
    let mut single: Vec<f32> = Vec::new();
    let mut double: Vec<f64> = Vec::new();
    let (mut ids, mut dim, mut rows) = (Vec::new(), None, 0);
    for (number, vectors) in parts(folder)? {
        let names = folder.join("metadata").join(format!("metadata_{number}.parquet"));
        hash_file(&vectors, hasher)?;
        hash_file(&names, hasher)?;
        let grid = arrays::npy::grid(&vectors)?;
        let paths = arrays::parquet::texts(&names, PATHS)?;
        if paths.len() != grid.rows {
            let own = counted(paths.len() as u64, "row", "rows");
            let message = format!(
                "it has {own}, but {} has {}",
                safe_path(&vectors),
                counted(grid.rows as u64, "row", "rows")
            );
            return Err(Error::format(&names, message));
        }
        if *dim.get_or_insert(grid.cols) != grid.cols {
            let message =
                format!("its vectors have {} numbers, but those before have {}", grid.cols, dim.unwrap_or(0));
            return Err(Error::format(&vectors, message));
        }
        match grid.numbers {
            Numbers::Single(data) if double.is_empty() => single.extend_from_slice(&data),
            numbers => {
                // The widest type of all parts.
                double.extend(single.drain(..).map(f64::from));
                double.extend((0..grid.rows * grid.cols).map(|index| arrays::number(&numbers, index)));
            }
        }
        rows += grid.rows;
        ids.extend(paths);
    }
    let numbers =
        if double.is_empty() { Numbers::Single(single.into()) } else { Numbers::Double(double.into()) };
    let grid = Grid { numbers, rows, cols: dim.unwrap_or(0), names: None };
    Ok(Picked { ids: Some(ids), ..grid.into() })
}

/// The files of vectors with the numbers in their names as they are written, in order.
fn parts(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let inside = folder.join("img_emb");
    if !inside.is_dir() {
        let message = "it has no folder img_emb, so it is not what clip-retrieval inference writes; name a file instead";
        return Err(Error::format(folder, message));
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&inside).map_err(Error::io("list", &inside))? {
        let path = entry.map_err(Error::io("list", &inside))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_prefix("img_emb_")?.strip_suffix(".npy"));
        if let Some(number) = number.map(str::to_owned)
            && let Ok(place) = number.parse::<u64>()
        {
            found.push((place, number, path));
        }
    }
    if found.is_empty() {
        return Err(Error::format(&inside, "it has no files img_emb_0.npy, img_emb_1.npy, …"));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, number, path)| (number, path)).collect())
}
