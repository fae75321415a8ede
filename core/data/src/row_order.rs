//! Whose the rows of a file are that does not name them: those of the samples in their order when it was first given, and of the same
//! pictures afterwards, whatever becomes of that order. Nothing in the file would say that it changed, too.
//!
//! A session remembers this for each file by a digest of its bytes, in `rows/DIGEST.arrow`: the content and the path of each row's
//! sample.

use crate::columns::file;
use crate::file_metadata::FileMetadata;
use crate::keys::{Keys, batch_of};
use crate::manifest::Manifest;
use crate::session::{ROWS, Session, folders, same};
use crate::{Error, Result};
use chaffinch_compute::content::ContentHash;
use chaffinch_protocol::display::{counted, excerpt_path, safe_path};
use chaffinch_protocol::sample::SampleId;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The format version.
const FORMAT: u32 = 1;

/// The metadata of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    checksum: String,
}

/// The samples of a dataset in the order that they once had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowOrder(Keys);

impl RowOrder {
    /// The order that they have.
    pub fn of(manifest: &Manifest, file_metadata: &FileMetadata) -> RowOrder {
        RowOrder(Keys::of(manifest.ids(), manifest, file_metadata))
    }

    /// The sample that each row is about now: that of its content, of several the one at its path. A picture that was changed in its
    /// place keeps its row as long as all paths are what they were.
    fn samples(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Vec<Option<SampleId>> {
        self.samples_and_changed(manifest, file_metadata).0
    }

    /// The same, and the samples whose content is another one.
    fn samples_and_changed(
        &self,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> (Vec<Option<SampleId>>, Vec<SampleId>) {
        let mut samples = self.0.places_in_turn(manifest, file_metadata);
        let mut changed = Vec::new();
        let path = |id: SampleId| manifest.path(id).as_os_str().as_bytes();
        let same_paths = self.0.len() == manifest.len()
            && manifest.ids().zip(&self.0.keys).all(|(id, (_, own))| path(id) == own.as_slice());
        if same_paths && samples.iter().any(Option::is_none) {
            let mut free = vec![true; manifest.len()];
            samples.iter().flatten().for_each(|id| free[id.index()] = false);
            for (sample, id) in samples.iter_mut().zip(manifest.ids()).filter(|(sample, _)| sample.is_none())
            {
                *sample = Some(id).filter(|id| free[id.index()]);
                changed.extend(*sample);
            }
        }
        // Nothing is known of what could not be read.
        let is_read = |id: &SampleId| {
            let own = self.0.keys.get(id.index()).map(|(hash, _)| *hash);
            let hashes = [own, file_metadata.hashes.get(id.index()).copied()];
            hashes.iter().all(|hash| hash.is_some_and(|hash| hash != ContentHash::default()))
        };
        changed.retain(is_read);
        (samples, changed)
    }

    /// Whether every picture that can be read is one of these.
    fn has_all(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> bool {
        let rows = self.0.rows(&self.samples(manifest, file_metadata), manifest, file_metadata);
        let known =
            |at: usize| file_metadata.hashes.get(at).is_some_and(|hash| *hash != ContentHash::default());
        let mut read = (0..manifest.len()).filter(|&at| known(at)).peekable();
        read.peek().is_some() && read.all(|at| rows[at].is_some())
    }

    fn checksum(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        for (hash, path) in &self.0.keys {
            add(&hash.0);
            add(path);
        }
        for mark in &self.0.marks {
            // Plain data cannot fail to serialize.
            add(serde_json::to_string(mark).unwrap_or_default().as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let head = Header { format: FORMAT, checksum: self.checksum() };
        let columns = self.0.columns().into_iter().unzip();
        file::write(path, &batch_of(path, columns, file::metadata(&head))?)
    }

    /// Reads what [`RowOrder::save`] wrote; `None` if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has another version.
    pub fn load(path: &Path) -> Result<Option<RowOrder>> {
        if !path.exists() {
            return Ok(None);
        }
        let batch = file::read(path)?;
        let head: Header = file::head(path, batch.schema_ref())?;
        if head.format != FORMAT {
            let message = format!("it has version {}, and this program reads {FORMAT}", head.format);
            return Err(Error::format(path, message));
        }
        let order = RowOrder(Keys::read(path, &batch)?);
        match order.checksum() == head.checksum {
            true => Ok(Some(order)),
            false => Err(file::damaged(path, "its checksum does not match")),
        }
    }
}

impl Session {
    /// What the session in `dir` knows of the file with this digest.
    pub fn row_order_in(dir: &Path, digest: &str) -> PathBuf {
        dir.join(ROWS).join(format!("{digest}.arrow"))
    }

    /// Remembers whose the rows of the file with this digest are.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_row_order(&self, digest: &str, order: &RowOrder) -> Result<()> {
        self.writable()?;
        let folder = self.dir().join(ROWS);
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        order.save(&Session::row_order_in(self.dir(), digest))
    }
}

/// The digest by which a file is known.
///
/// # Errors
/// When it cannot be read.
pub fn digest(path: &Path) -> Result<String> {
    let hash = File::open(path).and_then(ContentHash::of_reader);
    Ok(hash.map_err(Error::io("read", path))?.to_string())
}

/// What is known of files whose rows have no names: in a session, and in those beside it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowOrders<'a> {
    session: Option<&'a Session>,
}

impl<'a> RowOrders<'a> {
    /// What a session knows. Without one, nothing is.
    pub fn new(session: &'a Session) -> RowOrders<'a> {
        RowOrders { session: Some(session) }
    }

    /// What is known of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(&self, path: &Path) -> Result<FirstGiven> {
        match self.session {
            Some(_) => Ok(self.find(&digest(path)?)),
            None => Ok(FirstGiven::default()),
        }
    }

    /// What is known of the file with this digest.
    pub fn find(&self, digest: &str) -> FirstGiven {
        let Some(session) = self.session else { return FirstGiven::default() };
        let mut found = FirstGiven { digest: digest.to_owned(), ..FirstGiven::default() };
        let own = Session::row_order_in(session.dir(), digest);
        match RowOrder::load(&own) {
            Ok(Some(order)) => {
                found.own = Some(order);
                return found;
            }
            Ok(None) => {}
            Err(_) => found.damaged = Some(own),
        }
        let folder = session.dir().parent().filter(|folder| !folder.as_os_str().is_empty());
        let others = folders(folder.unwrap_or(Path::new("."))).into_iter();
        let others = others.filter(|other| !same(other, session.dir())).filter_map(|other| {
            // What is damaged there says its own next scan.
            let order = RowOrder::load(&Session::row_order_in(&other, digest)).ok()??;
            let session = Session::open_to_read(&other).ok()?;
            Some((session.created(), session.dataset(), order))
        });
        let mut others: Vec<(String, PathBuf, RowOrder)> = others.collect();
        others.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
        found.elsewhere = others.into_iter().map(|(_, dataset, order)| (dataset, order)).collect();
        found
    }
}

/// What is known of a file whose rows have no names.
#[derive(Debug, Default)]
pub struct FirstGiven {
    digest: String,
    own: Option<RowOrder>,
    /// In other sessions, of these datasets, the oldest first.
    elsewhere: Vec<(PathBuf, RowOrder)>,
    damaged: Option<PathBuf>,
}

/// Whose the rows of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Whether a session knew it; the samples are in their order otherwise.
    pub known: bool,
    /// The sample of each row, `None` if it is gone.
    pub samples: Vec<Option<SampleId>>,
    /// The row of each sample, `None` if it is new. Copies of a picture have the row of the first.
    pub rows: Vec<Option<u32>>,
    /// Whether the samples are others now, or in another order.
    pub moved: bool,
    /// How many samples have another content than that which their rows were given for, and the path of the first.
    changed: Option<(u64, String)>,
    /// What is to be remembered, under the file's digest.
    pub keep: Option<(String, RowOrder)>,
    /// The dataset of the session that said it, if it was another one.
    from: Option<PathBuf>,
    /// The dataset of another session that has other rows for so many of the samples, and the path of the first.
    other_rows: Option<(PathBuf, u64, String)>,
}

impl FirstGiven {
    /// Whether a session knows the file, although it may know it for other pictures.
    pub fn is_known(&self) -> bool {
        self.own.is_some() || !self.elsewhere.is_empty()
    }

    /// That what the session knew of the file, which is called `file`, is lost.
    pub fn lost(&self, file: &str) -> Option<String> {
        let damaged = safe_path(self.damaged.as_ref()?);
        Some(format!("{damaged} is damaged, so the rows of {file} are bound anew, and it is written again"))
    }

    /// Whose the rows are for a dataset, if a session knows it: this one, or another one that knew all its pictures. `rows` is how
    /// many the file has, if there is one for each sample.
    pub fn place(
        &self,
        rows: Option<usize>,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Option<Placed> {
        let fits = |order: &RowOrder| rows.is_none_or(|rows| rows == order.0.len());
        let own = self.own.as_ref().filter(|order| fits(order)).map(|order| (None, order));
        let has_all =
            |(_, order): &&(PathBuf, RowOrder)| fits(order) && order.has_all(manifest, file_metadata);
        let elsewhere = || self.elsewhere.iter().find(has_all).map(|(dataset, order)| (Some(dataset), order));
        let (from, order) = own.or_else(elsewhere)?;
        let (samples, changed) = order.samples_and_changed(manifest, file_metadata);
        let changed = changed.first().map(|id| (changed.len() as u64, excerpt_path(manifest.path(*id))));
        let in_order = samples.len() == manifest.len()
            && samples.iter().zip(manifest.ids()).all(|(sample, id)| *sample == Some(id));
        Some(Placed {
            known: true,
            rows: order.0.rows(&samples, manifest, file_metadata),
            samples,
            moved: !in_order,
            changed,
            keep: from.map(|_| (self.digest.clone(), order.clone())),
            from: from.cloned(),
            other_rows: None,
        })
    }

    /// Takes the rows for the samples in their order.
    pub fn place_in_order(&self, manifest: &Manifest, file_metadata: &FileMetadata) -> Placed {
        Placed {
            known: false,
            samples: manifest.ids().map(Some).collect(),
            rows: manifest.ids().map(|id| Some(id.0)).collect(),
            moved: false,
            changed: None,
            keep: (!self.digest.is_empty())
                .then(|| (self.digest.clone(), RowOrder::of(manifest, file_metadata))),
            from: None,
            other_rows: self.other_rows(manifest, file_metadata),
        }
    }

    /// Another session that knows most of the samples, and other rows for some of them than those of their places.
    fn other_rows(
        &self,
        manifest: &Manifest,
        file_metadata: &FileMetadata,
    ) -> Option<(PathBuf, u64, String)> {
        self.elsewhere.iter().find_map(|(dataset, order)| {
            let rows = order.0.rows(&order.samples(manifest, file_metadata), manifest, file_metadata);
            let known = rows.iter().flatten().count();
            let differ = || manifest.ids().filter(|id| rows[id.index()].is_some_and(|row| row != id.0));
            let first = excerpt_path(manifest.path(differ().next()?));
            (known * 2 > rows.len()).then(|| (dataset.clone(), differ().count() as u64, first))
        })
    }
}

impl Placed {
    /// That rows stay with their pictures, if they are no longer in the order of the samples, or that another session has others for
    /// them. `source` has them, and `otherwise`
    /// would bind them anew.
    pub fn said(&self, source: &str, otherwise: &str) -> Option<String> {
        let elsewhere = |dataset: &PathBuf| format!(" in the session of {}", safe_path(dataset));
        let there = self.from.as_ref().map(elsewhere).unwrap_or_default();
        if self.moved {
            return Some(stay(source, &there, otherwise));
        }
        let (dataset, count, first) = self.other_rows.as_ref()?;
        Some(format!(
            "the {source} are taken in the order of the samples, and {} other rows{}, such as {first}: if pictures came or went \
             since the file was written, {otherwise}",
            counted(*count, "picture has", "pictures have"),
            elsewhere(dataset)
        ))
    }

    /// That rows are about pictures that were replaced or changed under their names since, if there are such. `source` has them.
    pub fn of_changed(&self, source: &str, otherwise: &str) -> Option<String> {
        let (count, first) = self.changed.as_ref()?;
        let (pictures, were) =
            (counted(*count, "picture", "pictures"), if *count == 1 { "was" } else { "were" });
        Some(format!(
            "{pictures} {were} replaced or changed since the {source} were first given, and kept the rows of their names: {first}; if \
             these are not about what is there now, {otherwise} or leave them out"
        ))
    }
}

/// That rows without names stay with the pictures for which they were taken earlier, `there`: nothing in the file says that it is in a
/// new order, too.
pub fn stay(source: &str, there: &str, otherwise: &str) -> String {
    format!(
        "the {source} stay with the pictures that they were first given for{there}, because the samples are others now, or in \
         another order; if the file is in the new order, {otherwise}"
    )
}

/// What there is to say of files whose rows have no names, and to remember.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// One sentence each.
    pub warnings: Vec<String>,
    /// What is worth knowing once, one sentence each.
    pub notes: Vec<String>,
    /// For [`Session::keep_row_order`].
    pub keep: Vec<(String, RowOrder)>,
}

impl Told {
    /// Adds a file, which has the `source`, such as `probabilities`, of samples of a manifest. `otherwise` is what would bind its
    /// rows anew.
    pub fn add(
        &mut self,
        (source, file): (&str, &Path),
        (first, placed): (&FirstGiven, &Placed),
        otherwise: &str,
        manifest: &Manifest,
    ) {
        let name = safe_path(file);
        self.warnings.extend(first.lost(&name));
        let source = format!("{source} of {name}");
        self.warnings.extend(placed.said(&source, otherwise));
        self.warnings.extend(placed.of_changed(&source, otherwise));
        if placed.keep.is_some() && !placed.moved {
            self.notes.extend(taken_in_order(&name, manifest));
        }
        self.keep.extend(placed.keep.clone());
    }
}

/// That the rows of a file were taken in the order of the samples for the first time: a sentence that begins with their number.
fn taken_in_order(file: &str, manifest: &Manifest) -> Option<String> {
    let path = |at: usize| manifest.path(SampleId(at as u32));
    let last = manifest.len().checked_sub(1)?;
    let bytes = |at: usize| path(at).as_os_str().as_bytes();
    let order = match (1..=last).all(|at| bytes(at - 1) <= bytes(at)) {
        true => "the order of the sorted paths",
        false => "the order of the dataset",
    };
    Some(format!(
        "{} of {file} {} taken in {order}: the first is of {}, the last of {}",
        counted(manifest.len() as u64, "row", "rows"),
        if last == 0 { "was" } else { "were" },
        excerpt_path(path(0)),
        excerpt_path(path(last)),
    ))
}

#[cfg(test)]
mod tests;
