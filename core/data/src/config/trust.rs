//! Settings that lie in data, such as those of a project: they count once the user has agreed to what they are now.

use super::folders::{project_home, state_home};
use crate::{Error, Result, atomic};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where answers are kept, in the user's state folder.
const FILE: &str = "trusted-settings";

/// The longest file that can be settings.
const MOST: u64 = 1 << 20;

/// The settings of a project, and what the user has said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The folder.
    pub folder: PathBuf,
    /// The names of its files.
    pub files: Vec<String>,
    /// Whether the user agreed to them; `None` if they were not asked about these contents.
    pub answer: Option<bool>,
    digest: String,
}

impl Offered {
    /// The settings of the project of the working directory, if it has any.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn here() -> Result<Option<Offered>> {
        match project_home() {
            Some(folder) => Offered::of(&folder),
            None => Ok(None),
        }
    }

    /// The settings in a folder, if it has any.
    fn of(folder: &Path) -> Result<Option<Offered>> {
        let mut hasher = blake3::Hasher::new();
        let place = fs::canonicalize(folder).map_err(Error::io("find", folder))?;
        hasher.update(place.as_os_str().as_bytes());
        let mut names = Vec::new();
        for file in files(folder)? {
            let metadata = fs::metadata(&file).map_err(Error::io("read", &file))?;
            if !metadata.is_file() || metadata.len() > MOST {
                return Err(Error::format(&file, "settings are a regular file of at most 1 MiB"));
            }
            let bytes = fs::read(&file).map_err(Error::io("read", &file))?;
            let name = file.strip_prefix(folder).unwrap_or(&file).as_os_str().as_bytes();
            for part in [name, &bytes] {
                hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
            }
            names.push(String::from_utf8_lossy(name).into_owned());
        }
        if names.is_empty() {
            return Ok(None);
        }
        let digest = hasher.finalize().to_hex().to_string();
        let answer = answers().lines().rev().find_map(|line| match line.split_once(' ') {
            Some((known, answer)) if known == digest => Some(answer == "yes"),
            _ => None,
        });
        Ok(Some(Offered { folder: folder.to_path_buf(), files: names, answer, digest }))
    }

    /// Keeps an answer, for these contents at this place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(&mut self, trusted: bool) -> Result<()> {
        let home = state_home().ok_or_else(|| {
            Error::Invalid("there is no home folder to keep the answer in; set HOME".into())
        })?;
        fs::create_dir_all(&home).map_err(Error::io("create", &home))?;
        let answer = if trusted { "yes" } else { "no" };
        let text = format!("{}{} {answer}\n", answers(), self.digest);
        atomic::write(&home.join(FILE), |out| out.write_all(text.as_bytes()))?;
        self.answer = Some(trusted);
        Ok(())
    }
}

fn answers() -> String {
    let file = state_home().map(|home| home.join(FILE));
    file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default()
}

/// All files of settings in a folder, in a fixed order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let named = ["config.toml", "keymap.toml", "theme.toml"].map(|name| folder.join(name));
    let mut files: Vec<PathBuf> = named.into_iter().filter(|file| file.symlink_metadata().is_ok()).collect();
    let themes = folder.join("themes");
    match fs::read_dir(&themes) {
        Ok(entries) => {
            let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort_unstable();
            files.extend(paths);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::io("list", &themes)(error)),
    }
    Ok(files)
}
