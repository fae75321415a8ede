//! Open files, of which a process may have few: a dataset may lie in thousands of shards.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many files stay open.
const OPEN: usize = 48;

/// The most recently used last.
static HANDLES: Mutex<VecDeque<(PathBuf, Arc<File>)>> = Mutex::new(VecDeque::new());

/// The file, which may be open already. One that was replaced meanwhile is opened anew.
pub(crate) fn open(path: &Path) -> io::Result<Arc<File>> {
    let lock = || HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
    let held = {
        let mut handles = lock();
        let place = handles.iter().position(|(held, _)| held == path);
        place.and_then(|place| handles.remove(place)).inspect(|handle| handles.push_back(handle.clone()))
    };
    if let Some((_, file)) = held
        && is_current(&file, path)?
    {
        return Ok(file);
    }
    let file = Arc::new(File::open(path)?);
    let mut handles = lock();
    handles.retain(|(held, _)| held != path);
    handles.push_back((path.to_path_buf(), file.clone()));
    if handles.len() > OPEN {
        handles.pop_front();
    }
    Ok(file)
}

/// Whether the path still leads to this file.
fn is_current(file: &File, path: &Path) -> io::Result<bool> {
    let (held, there) = (file.metadata()?, std::fs::metadata(path)?);
    Ok((held.dev(), held.ino()) == (there.dev(), there.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;

    #[test]
    fn a_replaced_file_is_opened_anew_and_a_missing_one_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard.tar");
        let text = |path: &Path| -> io::Result<String> {
            let mut text = String::new();
            open(path)?.try_clone()?.read_to_string(&mut text)?;
            Ok(text)
        };
        fs::write(&path, "old").unwrap();
        assert_eq!(text(&path).unwrap(), "old");
        let new = folder.path().join("new");
        fs::write(&new, "new").unwrap();
        fs::rename(&new, &path).unwrap();
        assert_eq!(text(&path).unwrap(), "new");
        fs::remove_file(&path).unwrap();
        assert_eq!(open(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
