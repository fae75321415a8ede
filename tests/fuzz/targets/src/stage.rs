//! Folders in which one file is the input and all others are as they should be.

use crate::fixtures::Named;
use crate::{chosen, input};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A small dataset, session or model, and the file of it that is read from the input.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    /// All files.
    pub(crate) files: fn() -> Vec<Named>,
    /// The one that is the input.
    pub(crate) varied: &'static str,
}

/// Where in its folder a stage is.
const DEEP: &str = "a/b/c/d/stage";

thread_local! {
    /// Folders of this thread by target and number. They are deep, so that a path to somewhere above stays inside.
    static FOLDERS: RefCell<HashMap<(&'static str, usize), TempDir>> = RefCell::default();
}

/// Puts the input into the folder of the stage that it chooses, and reads that.
pub(crate) fn play(target: &'static str, stages: &[Stage], bytes: &[u8], read: impl Fn(usize, &Path)) {
    let Some((number, bytes)) = chosen(bytes, stages.len()) else { return };
    let stage = &stages[number];
    let folder = folder(target, number, stage);
    put(&folder.join(stage.varied), bytes);
    read(number, &folder);
}

/// The stages as they should be.
pub(crate) fn seeds(stages: &[Stage]) -> Vec<Vec<u8>> {
    let seed = |(number, stage): (usize, &Stage)| {
        let files = (stage.files)();
        let (_, bytes) = files.iter().find(|(name, _)| name == stage.varied).expect(stage.varied);
        input(number, bytes)
    };
    stages.iter().enumerate().map(seed).collect()
}

fn folder(target: &'static str, number: usize, stage: &Stage) -> PathBuf {
    FOLDERS.with_borrow_mut(|folders| {
        let made = folders.entry((target, number)).or_insert_with(|| {
            let folder = tempfile::Builder::new().prefix("chaffinch-fuzz-").tempdir().unwrap();
            for (name, bytes) in (stage.files)() {
                let path = folder.path().join(DEEP).join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            folder
        });
        made.path().join(DEEP)
    })
}

/// Replaces a file by another one, so that what is still mapped stays as it was.
pub(crate) fn put(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new-input");
    fs::write(&new, bytes).unwrap();
    fs::rename(&new, path).unwrap();
}
