//! Where the pictures are that a file names: below which folder, and with which of the leading folders of their paths.

use super::{IMAGE_EXTENSIONS, is_image};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// How many names are tried to learn the ways in which pictures are found.
const PROBES: usize = 64;
/// How many leading folders of a path may be left away.
const DROPPED: usize = 12;

/// Where pictures were found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The absolute path of each name, if it was found.
    pub(super) paths: Vec<Option<PathBuf>>,
    /// How many were found only without the leading folders of their paths, and these folders of the first.
    pub(super) dropped: Option<(u64, PathBuf)>,
}

/// A way from a name to its file: a folder, and how many leading folders of the name are left away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    folder: usize,
    dropped: usize,
}

/// Looks for pictures by their names below absolute folders, the likeliest first. `exists` gives the path of a picture
/// that is there, which may have an extension more.
///
/// A name is taken whole where that leads to a picture. The leading folders are those of another computer if leaving
/// them away leads to pictures, each name to one of its own. With `thorough`, each name is looked for in each folder, which
/// takes time on a disk; without, only where some of the names are.
pub(super) fn find(
    names: &[&Path],
    folders: &[PathBuf],
    exists: &dyn Fn(&Path) -> Option<PathBuf>,
    thorough: bool,
) -> Found {
    let step = names.len().div_ceil(PROBES).max(1);
    let probes: Vec<&Path> = names.iter().copied().step_by(step).collect();
    let mut ways: Vec<(usize, Way)> = Vec::new();
    for dropped in 0..=DROPPED {
        for folder in 0..folders.len() {
            let way = Way { folder, dropped };
            let hits = probes.iter().filter(|name| look(name, way, folders, exists).is_some()).count();
            if hits > 0 {
                ways.push((hits, way));
            }
        }
        // Whole names come before shorter ones.
        if ways.iter().any(|(hits, _)| *hits == probes.len()) {
            break;
        }
    }
    // Of the pictures that a file names, a few may be there that were not tried.
    if thorough || ways.is_empty() {
        for folder in 0..folders.len() {
            let way = Way { folder, dropped: 0 };
            if ways.iter().all(|(_, known)| *known != way) {
                ways.push((0, way));
            }
        }
    }
    ways.sort_by_key(|(hits, way)| (way.dropped > 0, std::cmp::Reverse(*hits), way.dropped, way.folder));
    let mut found = Found { paths: vec![None; names.len()], dropped: None };
    let mut taken: HashMap<PathBuf, usize> = HashMap::new();
    for (_, way) in ways {
        let mut new: Vec<(usize, PathBuf)> = Vec::new();
        let mut of: HashMap<PathBuf, &Path> = HashMap::new();
        let mut clash = false;
        let missing = found.paths.iter().filter(|path| path.is_none()).count();
        for (at, name) in names.iter().enumerate().filter(|(at, _)| found.paths[*at].is_none()) {
            let Some(path) = look(name, way, folders, exists) else { continue };
            if way.dropped > 0 {
                clash |= taken.contains_key(&path);
                match of.entry(path.clone()) {
                    Entry::Occupied(known) => clash |= known.get() != name,
                    Entry::Vacant(free) => drop(free.insert(name)),
                }
            }
            new.push((at, path));
        }
        // Two pictures of one name in different folders would be taken for each other, and a few that are found like that
        // are others of the same names.
        if clash || (way.dropped > 0 && new.len() * 4 < missing) {
            continue;
        }
        if let (true, Some((first, _))) = (way.dropped > 0, new.first()) {
            let leading = normal(names[*first]).into_iter().take(way.dropped).collect::<PathBuf>();
            let leading = if names[*first].is_absolute() { Path::new("/").join(leading) } else { leading };
            let count = new.len() as u64;
            found.dropped.get_or_insert((0, leading)).0 += count;
        }
        for (at, path) in new {
            taken.insert(path.clone(), at);
            found.paths[at] = Some(path);
        }
    }
    found
}

fn look(
    name: &Path,
    way: Way,
    folders: &[PathBuf],
    exists: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Option<PathBuf> {
    let folder = &folders[way.folder];
    if way.dropped == 0 {
        return exists(&joined(folder, name));
    }
    let parts = normal(name);
    let rest: PathBuf = parts.get(way.dropped..).filter(|rest| !rest.is_empty())?.iter().collect();
    exists(&joined(folder, &rest))
}

/// The parts of a path that are names.
fn normal(path: &Path) -> Vec<&std::ffi::OsStr> {
    let name = |part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

/// A path below a folder, without `.` and `..` in it. An absolute one stays what it is.
pub(super) fn joined(folder: &Path, name: &Path) -> PathBuf {
    let mut path = PathBuf::new();
    for part in folder.join(name).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// Looks on the disk. A name without the extension of a picture may stand for one with it.
pub(super) fn on_disk() -> impl Fn(&Path) -> Option<PathBuf> {
    let last: RefCell<Option<String>> = RefCell::new(None);
    let is = |path: &Path| fs::symlink_metadata(path).is_ok_and(|known| !known.is_dir());
    move |path| {
        if is(path) {
            return Some(path.to_path_buf());
        }
        if is_image(path) {
            return None;
        }
        let with = |extension: &str| {
            let mut name = path.as_os_str().to_os_string();
            name.push(".");
            name.push(extension);
            Some(PathBuf::from(name)).filter(|path| is(path))
        };
        if let Some(found) = last.borrow().as_deref().and_then(with) {
            return Some(found);
        }
        let both =
            IMAGE_EXTENSIONS.iter().flat_map(|lower| [(*lower).to_owned(), lower.to_ascii_uppercase()]);
        let (extension, found) =
            both.into_iter().find_map(|extension| Some((extension.clone(), with(&extension)?)))?;
        *last.borrow_mut() = Some(extension);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn found(names: &[&str], folders: &[&str], files: &[&str]) -> (Vec<Option<String>>, Option<u64>) {
        let files: BTreeSet<PathBuf> = files.iter().map(PathBuf::from).collect();
        let names: Vec<&Path> = names.iter().map(Path::new).collect();
        let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
        let found = find(&names, &folders, &|path| files.get(path).cloned(), false);
        let paths = found.paths.iter().map(|path| path.as_ref().map(|path| path.display().to_string()));
        (paths.collect(), found.dropped.map(|(count, _)| count))
    }

    #[test]
    fn the_folder_that_has_them_is_found() {
        let (paths, dropped) =
            found(&["1.jpg", "2.jpg"], &["/d", "/d/train"], &["/d/train/1.jpg", "/d/2.jpg"]);
        assert_eq!(paths, [Some("/d/train/1.jpg".into()), Some("/d/2.jpg".into())]);
        assert_eq!(dropped, None);
        assert_eq!(found(&["../d/./1.jpg"], &["/d"], &["/d/1.jpg"]).0, [Some("/d/1.jpg".into())]);
        assert_eq!(found(&["/far/1.jpg"], &["/d"], &["/far/1.jpg"]).0, [Some("/far/1.jpg".into())]);
        assert_eq!(found(&["1.jpg"], &["/d"], &[]).0, [None]);
    }

    #[test]
    fn a_few_of_many_are_found() {
        let names: Vec<String> = (0..10_000).map(|number| format!("{number}.jpg")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (paths, _) = found(&names, &["/d", "/d/train"], &["/d/train/7777.jpg"]);
        assert_eq!(paths.iter().flatten().collect::<Vec<_>>(), ["/d/train/7777.jpg"]);
    }

    #[test]
    fn leading_folders_of_another_computer_are_left_away() {
        let files = ["/d/a/1.jpg", "/d/b/1.jpg", "/d/2.jpg"];
        let (paths, dropped) = found(&["/home/x/a/1.jpg", "/home/x/b/1.jpg"], &["/d"], &files);
        assert_eq!(paths, [Some("/d/a/1.jpg".into()), Some("/d/b/1.jpg".into())]);
        assert_eq!(dropped, Some(2));
        // Two pictures of one name are not one picture.
        assert_eq!(found(&["x/2.jpg", "y/2.jpg"], &["/d"], &files).0, [None, None]);
        assert_eq!(found(&["2.jpg", "y/2.jpg"], &["/d"], &files).0, [Some("/d/2.jpg".into()), None]);
    }

    #[test]
    fn a_name_without_extension_is_found_on_the_disk() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("a.b.PNG"), b"x").unwrap();
        let look = on_disk();
        assert_eq!(look(&temp.path().join("a.b")), Some(temp.path().join("a.b.PNG")));
        assert_eq!(look(&temp.path().join("a")), None);
        assert_eq!(look(temp.path()), None);
    }
}
