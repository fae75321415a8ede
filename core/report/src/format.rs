//! The formats of reports, and writing one.

use crate::subject::Subject;
use crate::{FORMATS, Result};
use chaffinch_compute::job::Job;
use chaffinch_data::{Error, atomic, output};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name for `--format`.
    pub name: &'static str,
    /// What is written, in one line.
    pub summary: &'static str,
    /// The default name of its file.
    pub file_name: &'static str,
    /// Whether it lists suspects.
    pub lists: bool,
    /// Whether it has pictures in it.
    pub pictures: bool,
    pub(crate) render: fn(&Subject<'_>, &Request, &Job<'_>) -> Result<Text>,
}

/// A rendered report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// Plots as files of their own: name and content.
    pub(crate) plots: Vec<(String, String)>,
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text { text, plots: Vec::new() }
    }
}

/// What to write, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The file.
    pub output: PathBuf,
    /// How many suspects to list; `None` for all.
    pub top: Option<usize>,
    /// The longer side of pictures in pixels; 0 for none.
    pub thumbnails: u32,
    /// A folder for plots as files, in formats that can point to them.
    pub plots: Option<PathBuf>,
}

/// What would be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Suspects of the session.
    pub suspects: u64,
    /// Suspects that would be listed.
    pub listed: u64,
    /// Pictures that would be in it.
    pub pictures: u64,
    /// Whether a file would be replaced.
    pub replaces: bool,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The files.
    pub paths: Vec<PathBuf>,
    /// Suspects that are listed.
    pub listed: u64,
    /// Suspects of the session.
    pub suspects: u64,
    /// Size of the report in bytes.
    pub bytes: u64,
}

impl Format {
    /// The format of this name.
    pub fn find(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// What writing it would do.
    pub fn preview(&self, subject: &Subject<'_>, request: &Request) -> Preview {
        let suspects = subject.source.ranking.order.len() as u64;
        let listed = match self.lists {
            true => request.top.map_or(suspects, |top| suspects.min(top as u64)),
            false => 0,
        };
        let pictures = if self.pictures && request.thumbnails > 0 { listed } else { 0 };
        Preview { suspects, listed, pictures, replaces: request.output.exists() }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the target is inside the dataset, its folder is not there, it cannot be written, or the job is stopped.
    pub fn write(&self, subject: &Subject<'_>, request: &Request, job: &Job<'_>) -> Result<Written> {
        let root = subject.source.manifest.root();
        output::outside(root, &request.output)?;
        if let Some(folder) = &request.plots {
            output::outside(root, folder)?;
        }
        // A mistyped path is an error, as for every other file that is written.
        let above = request.output.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = above.filter(|folder| !folder.is_dir()) {
            let folder = folder.display();
            return Err(Error::Invalid(format!(
                "there is no folder {folder}; create it, or choose another path"
            )));
        }
        let Text { text, plots } = (self.render)(subject, request, job)?;
        let mut paths = vec![request.output.clone()];
        if let Some(folder) = &request.plots {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            for (name, plot) in &plots {
                let path = folder.join(name);
                atomic::write(&path, |out| out.write_all(plot.as_bytes()))?;
                paths.push(path);
            }
        }
        atomic::write(&request.output, |out| out.write_all(text.as_bytes()))?;
        let Preview { suspects, listed, .. } = self.preview(subject, request);
        Ok(Written { paths, listed, suspects, bytes: text.len() as u64 })
    }
}

/// How a file at `from` names one at `to`: relative where both are below one folder.
pub(crate) fn relative(from: &Path, to: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let (from, to) = (absolute(from), absolute(to));
    let base = from.parent().unwrap_or(Path::new("/"));
    let shared = base.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().count() - shared;
    let down: PathBuf = to.components().skip(shared).collect();
    format!("{}{}", "../".repeat(up), down.to_string_lossy())
}
