//! Files beside the pictures that hold labels and are not read: found by what they are called and by what is in them, and
//! refused by name where the pictures have no labels without them.
//!
//! The rule for text is one for all programs that write it: it holds labels if it names pictures of the dataset and says
//! something of them, or if it stands beside each picture under the same name.

mod kinds;

pub(super) use kinds::may_hold_labels;

use crate::dataset::extension;
use crate::{Error, Result};
use chaffinch_data::manifest::NewSample;
use chaffinch_protocol::display::{counted, safe_path};
use chaffinch_protocol::{Ledger, RemarkKind};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// How many files are looked into.
const OPENED: usize = 64;
/// How many other files an error names.
const NAMED: usize = 3;

/// A kind of file that is not read.
#[derive(Debug)]
pub(super) struct Unread {
    /// The first of its files.
    path: PathBuf,
    /// What it looks like: `a COCO label file`.
    what: String,
    files: u64,
    role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It holds labels, or may well hold them.
    Labels,
    /// It certainly holds them, and can be opened instead of the folder.
    Export,
    /// It may hold them, and is a table that can be opened instead of the folder.
    Table,
    /// One file for each picture, with labels.
    PerPicture,
    /// It lists pictures, or describes them in sentences.
    Aside,
}

/// Looks for them among the files that are not samples, in byte order. `read` are those that were read.
pub(super) fn find(root: &Path, others: &[PathBuf], samples: &[NewSample], read: &[PathBuf]) -> Vec<Unread> {
    let candidate = |path: &&PathBuf| !read.contains(path) && may_hold_labels(path);
    let others: Vec<&PathBuf> = others.iter().filter(candidate).collect();
    if others.is_empty() {
        return Vec::new();
    }
    let names = Names::of(samples);
    let mut beside: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
    let mut rest = Vec::new();
    for path in others {
        match extension(path).filter(|extension| kinds::PER_PICTURE.contains(&extension.as_str())) {
            Some(extension)
                if path.file_stem().is_some_and(|stem| names.has_stem(stem) || names.has(stem)) =>
            {
                beside.entry(extension).or_default().push(path);
            }
            _ => rest.push(path),
        }
    }
    let mut found = Vec::new();
    for (extension, paths) in beside {
        let (what, role, sure) = kinds::per_picture(root, &extension, &paths);
        if sure || paths.len() * 2 >= samples.len() {
            found.push(Unread { path: paths[0].clone(), what, files: paths.len() as u64, role });
        } else {
            rest.extend(paths);
        }
    }
    rest.sort_unstable();
    let mut opened = 0;
    for path in rest {
        let captions = kinds::are_captions(path).then(|| ("captions".to_owned(), Role::Aside));
        let known = captions.or_else(|| kinds::by_name(path).map(|what| (what.to_owned(), Role::Labels)));
        let known = known.or_else(|| {
            opened += 1;
            if opened > OPENED { None } else { kinds::by_content(&root.join(path), path, &names) }
        });
        if let Some((what, role)) = known {
            found.push(Unread { path: path.clone(), what, files: 1, role });
        }
    }
    found
}

/// Remarks on these files: labels that were not read, and what only lists or describes pictures.
pub(super) fn enter(unread: &[Unread], samples: &[NewSample], ledger: &mut Ledger) {
    let complete = samples.iter().all(|sample| sample.label.is_some());
    for one in unread {
        let comma = if one.what.contains(',') { "," } else { "" };
        let (looks, was) = if one.files == 1 { ("looks", "was") } else { ("look", "were") };
        let (labels, instead) = match one.role {
            Role::Aside => ("", ""),
            Role::Export => (
                ": the labels are those of folders or file names",
                "; open it instead of the folder to use it",
            ),
            Role::Table => (
                ": the labels are those of folders or file names",
                "; pass it with --labels, or open it instead of the folder, to use it",
            ),
            Role::Labels | Role::PerPicture => (": the labels are those of folders or file names", ""),
        };
        let text =
            format!("{} {looks} like {}{comma} and {was} not read{labels}{instead}", one.shown(), one.what);
        let serious = one.role == Role::PerPicture || (one.role != Role::Aside && !complete);
        let kind = if serious { RemarkKind::LabelsMissing } else { RemarkKind::LayoutGuessed };
        ledger.add(kind, one.files, text);
    }
}

/// Refuses the dataset if its samples have no labels without these files; otherwise remarks on them.
///
/// # Errors
/// As said.
pub(super) fn settle(
    root: &Path,
    unread: &[Unread],
    samples: &[NewSample],
    ledger: &mut Ledger,
) -> Result<()> {
    let mut classes = samples.iter().filter_map(|sample| sample.label.as_deref());
    let first = classes.next();
    let labels: Vec<&Unread> = unread.iter().filter(|one| one.role != Role::Aside).collect();
    if labels.is_empty() || classes.any(|class| Some(class) != first) {
        enter(unread, samples, ledger);
        return Ok(());
    }
    // What can be opened instead is the best advice.
    let of = |role: Role| labels.iter().find(|one| one.role == role);
    let Some(first) = of(Role::Export).or(of(Role::Table)).or(labels.first()) else { return Ok(()) };
    let others: Vec<String> = labels
        .iter()
        .filter(|one| !std::ptr::eq(**one, *first))
        .map(|one| format!("{} ({})", one.shown(), one.what))
        .collect();
    let more = match others.len() {
        0 => String::new(),
        1..=NAMED => format!("; the same is true of {}", others.join(", ")),
        count => format!("; the same is true of {} and {} others", others[..NAMED].join(", "), count - NAMED),
    };
    let what = &first.what;
    let advice = match first.role {
        Role::Export => "open it instead of the folder".to_owned(),
        Role::Table => {
            let table = safe_path(&root.join(&first.path));
            format!("pass --labels {table} with the folder, or open the table instead if it has paths")
        }
        _ => "pass it with --labels if it is a table of paths and labels, or write them to a CSV table with these columns and open that".to_owned(),
    };
    let (is, it) = if first.files > 1 { ("are", "them") } else { ("is", "it") };
    let with = if matches!(first.role, Role::Export | Role::Table) { " with the folder" } else { "" };
    let of =
        if first.files > 1 { format!(" ({})", counted(first.files, "file", "files")) } else { String::new() };
    Err(Error::format(
        root.join(&first.path),
        format!(
            "this looks like {what}{of}, which {is} not read{with}, and without {it} the images have no labels: {advice}, or \
             use --label-files ignore to go on without {it}{more}"
        ),
    ))
}

/// Remarks that these files were ignored because the user said so.
pub(super) fn ignored(unread: &[Unread], ledger: &mut Ledger) {
    let files: u64 = unread.iter().map(|one| one.files).sum();
    let Some(first) = unread.first() else { return };
    let may = counted(
        files,
        "file that may hold labels was ignored, as you said",
        "files that may hold labels were ignored, as you said",
    );
    ledger.add(RemarkKind::LayoutGuessed, files, format!("{may}: {} ({})", first.shown(), first.what));
}

impl Unread {
    fn shown(&self) -> String {
        match self.files {
            1 => safe_path(&self.path),
            files => format!("{} and {} more files like it", safe_path(&self.path), files - 1),
        }
    }
}

/// The hashes of the names of pictures, with and without extension.
struct Names {
    whole: HashSet<u64>,
    stems: HashSet<u64>,
    /// How many pictures there are.
    count: usize,
}

impl Names {
    fn of(samples: &[NewSample]) -> Names {
        let names = || samples.iter().filter_map(|sample| sample.path.file_name());
        let stems = samples.iter().filter_map(|sample| sample.path.file_stem());
        Names { whole: names().map(hash).collect(), stems: stems.map(hash).collect(), count: samples.len() }
    }

    fn has(&self, name: &OsStr) -> bool {
        self.whole.contains(&hash(name))
    }

    fn has_stem(&self, name: &OsStr) -> bool {
        self.stems.contains(&hash(name))
    }

    /// Whether a word of a text is a picture's file name, perhaps behind folders.
    fn names(&self, word: &str) -> bool {
        self.has(OsStr::new(last(word)))
    }

    /// The same for a name without its extension.
    fn names_stem(&self, word: &str) -> bool {
        self.has_stem(OsStr::new(last(word)))
    }
}

fn last(word: &str) -> &str {
    word.rsplit(['/', '\\']).next().unwrap_or(word)
}

fn hash(name: &OsStr) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.as_encoded_bytes().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
