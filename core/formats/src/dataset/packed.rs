//! Samples that lie with others in a file: what they are called, and how they become a manifest.

use super::Opened;
use super::rows::Rows;
use crate::{Error, Result};
use chaffinch_data::packing::{Holds, PackingBuilder, below, is_address};
use chaffinch_protocol::Ledger;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// A sample, and where its bytes are.
#[derive(Clone)]
pub(super) struct Member {
    /// What the file that holds it calls it; empty if it has no name there.
    pub(super) name: PathBuf,
    pub(super) label: Option<String>,
    /// As it is written.
    pub(super) split: String,
    /// A value for each of the other columns.
    pub(super) other: Vec<String>,
    pub(super) place: Place,
}

/// Where the bytes of a sample are.
#[derive(Clone)]
pub(super) enum Place {
    /// In the container: `length` bytes from `start` on, or the row `start`.
    Inside { start: u64, length: u64 },
    /// In a file of its own, relative to the dataset or absolute.
    File(PathBuf),
}

/// Samples as they are read, container by container.
#[derive(Default)]
pub(super) struct PackedRows {
    members: Vec<Member>,
    /// The container of each member, by number, and the row in it.
    places: Vec<(usize, usize)>,
    containers: Vec<(PathBuf, Holds)>,
    rows: usize,
    /// What a row without a label has in its place, if a column says the labels.
    pub(super) no_label: Option<&'static str>,
    /// Whether other columns may say the splits, if nothing else does.
    pub(super) splits_from_columns: bool,
    /// Whether columns of 0 and 1 may say the labels, because no column does.
    pub(super) labels_from_flags: bool,
    /// Whether names are keys, which tell the samples of one container apart, and not always those of several.
    pub(super) keyed_by_container: bool,
}

impl PackedRows {
    /// Goes on with another container, relative to the dataset.
    pub(super) fn container(&mut self, path: &Path, holds: Holds) {
        self.containers.push((path.to_path_buf(), holds));
        self.rows = 0;
    }

    /// Adds a sample of the last container.
    pub(super) fn push(&mut self, member: Member) {
        self.places.push((self.containers.len().saturating_sub(1), self.rows));
        self.rows += 1;
        self.members.push(member);
    }

    pub(super) fn members_mut(&mut self) -> &mut [Member] {
        &mut self.members
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether no sample is in a container.
    pub(super) fn are_files(&self) -> bool {
        self.members.iter().all(|member| matches!(member.place, Place::File(_)))
    }

    /// Puts the samples in another order, in which some may be left out and some be there again.
    pub(super) fn select(&mut self, order: &[usize]) {
        self.members = order.iter().map(|&at| self.members[at].clone()).collect();
        self.places = order.iter().map(|&at| self.places[at]).collect();
    }

    /// Takes a folder off the paths of files that are below it.
    fn relative_to(&mut self, folder: &Path) {
        for member in &mut self.members {
            if let Place::File(path) = &mut member.place
                && let Ok(below) = path.strip_prefix(folder)
            {
                *path = below.to_path_buf();
            }
        }
    }

    /// The number of the container of each sample, in the order in which they were added.
    pub(super) fn containers(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|(container, _)| *container)
    }

    /// As of [`PackedRows::finish`], where the samples may all be files: these are below `given`, or else beside the dataset.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn finish_files(
        mut self,
        columns: Vec<String>,
        root: PathBuf,
        given: Option<&Path>,
        file: &Path,
        ledger: Ledger,
    ) -> Result<Opened> {
        if !self.are_files() || is_address(&root) {
            return self.finish(columns, root, file, ledger);
        }
        // Paths are told as they are written where that is possible.
        let home = match given {
            Some(given) => std::path::absolute(given).map_err(Error::io("find", given))?,
            None if root.is_dir() => root,
            None => root.parent().unwrap_or(Path::new("/")).to_path_buf(),
        };
        self.relative_to(&home);
        self.finish(columns, home, file, ledger)
    }

    /// The samples below `root`, which is also the folder of the containers. `file` is the dataset, and `ledger` what was
    /// said while it was read.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn finish(
        self,
        columns: Vec<String>,
        root: PathBuf,
        file: &Path,
        mut ledger: Ledger,
    ) -> Result<Opened> {
        let (names, files) = (self.names(), self.are_files());
        let mut rows = Rows::new(columns);
        rows.no_label = self.no_label;
        let mut packing = PackingBuilder::default();
        let mut opened: HashMap<usize, u32> = HashMap::new();
        let bare = self.members.iter().all(|member| member.split.trim().is_empty());
        for ((member, (container, _)), name) in self.members.into_iter().zip(&self.places).zip(names) {
            match member.place {
                Place::Inside { start, length } => {
                    let (path, holds) = &self.containers[*container];
                    let own = *(opened.entry(*container))
                        .or_insert_with(|| packing.container(below(&root, path), holds.clone()));
                    packing.push_in(own, start, length);
                    rows.push(name, member.label, &member.split, member.other);
                }
                Place::File(path) => {
                    packing.push_file();
                    rows.push(path, member.label, &member.split, member.other);
                }
            }
        }
        let flags = if self.labels_from_flags { rows.labels_from_flags() } else { None };
        if bare && self.splits_from_columns {
            rows.splits_from_flags();
        }
        let (manifest, said) = rows.finish(root, file)?;
        ledger.found += said.found;
        for remark in said.remarks {
            ledger.add(remark.kind, remark.count, remark.text);
        }
        let manifest = if files { manifest } else { manifest.with_packing(packing.finish()) };
        if let Some(flags) = flags {
            flags.enter(&mut ledger);
        }
        Ok(Opened { manifest, ledger })
    }

    /// A name for each sample, all different. They are those of the containers where these are enough. Otherwise their
    /// classes stand before them, then their splits; so that the same pictures are called the same, however they are
    /// packed. Where that leaves pictures without a class bare, and others have their names, splits stand in place of
    /// classes: what is called after a bare name would be taken for the picture that has no more than that. Otherwise, and
    /// before that where keys are those of their container, the container stands before them.
    fn names(&self) -> Vec<PathBuf> {
        let label = |member: &Member| within(&[member.label.as_deref()], &member.name);
        let split = |member: &Member| within(&[Some(&member.split)], &member.name);
        let both = |member: &Member| within(&[Some(&member.split), member.label.as_deref()], &member.name);
        let different = |names: &[PathBuf]| {
            let mut seen = HashSet::new();
            names.iter().all(|name| seen.insert(name))
        };
        let of = |scheme: &dyn Fn(&Member) -> PathBuf| -> Option<Vec<PathBuf>> {
            let names: Vec<PathBuf> = self.members.iter().map(scheme).collect();
            different(&names).then_some(names)
        };
        let named = self.members.iter().all(|member| !member.name.as_os_str().is_empty());
        if named {
            if let Some(names) = of(&|member| member.name.clone()) {
                return names;
            }
            if !self.keyed_by_container || !self.repeat_in_none() {
                let by_label = of(&label);
                if by_label.is_none() || self.leaves_bare(&label) {
                    let by_split = by_label.is_some() && !self.leaves_bare(&split);
                    let by_split = if by_split { of(&split) } else { None };
                    let better = by_split.or_else(|| of(&both).filter(|_| !self.leaves_bare(&both)));
                    if let Some(names) = better {
                        return names;
                    }
                }
                if let Some(names) = by_label.or_else(|| of(&both)) {
                    return names;
                }
            }
        }
        let names = self.in_containers(true);
        if different(&names) { names } else { self.in_containers(false) }
    }

    /// Whether a sample keeps the name that it has in its container, and others are called by the same below folders.
    fn leaves_bare(&self, scheme: &dyn Fn(&Member) -> PathBuf) -> bool {
        let is_bare = |member: &&Member| scheme(member) == member.name;
        let bare: HashSet<&Path> = self.members.iter().filter(is_bare).map(|member| &*member.name).collect();
        self.members.iter().any(|member| bare.contains(&*member.name) && !is_bare(&member))
    }

    /// Whether no name is there twice in one container.
    fn repeat_in_none(&self) -> bool {
        let mut seen = HashSet::new();
        let places = self.members.iter().zip(&self.places);
        places.map(|(member, (container, _))| (*container, &member.name)).all(|name| seen.insert(name))
    }

    /// Names below those of the containers. What has no name of its own in its container is called after its row there, which
    /// is then told from names that are numbers; so is everything unless `by_name`.
    fn in_containers(&self, by_name: bool) -> Vec<PathBuf> {
        let stems = self.stems();
        let mut counts: HashMap<(usize, &Path), usize> = HashMap::new();
        let mut numbers: HashSet<usize> = HashSet::new();
        for (member, (container, _)) in self.members.iter().zip(&self.places) {
            *counts.entry((*container, member.name.as_path())).or_default() += 1;
            let stem = member.name.file_stem().map(OsStr::as_bytes).unwrap_or_default();
            if !stem.is_empty() && stem.iter().all(u8::is_ascii_digit) {
                numbers.insert(*container);
            }
        }
        let name = |(member, (container, row)): (&Member, &(usize, usize))| {
            let stem = stems.get(*container).map(PathBuf::as_path).unwrap_or(Path::new(""));
            let is_own = counts.get(&(*container, member.name.as_path())) == Some(&1);
            if by_name && is_own && !member.name.as_os_str().is_empty() {
                return stem.join(&member.name);
            }
            let before = if numbers.contains(container) { "row-" } else { "" };
            let mut name = stem.join(format!("{before}{row:06}"));
            let extension = member.name.extension().unwrap_or_default();
            if !extension.is_empty() {
                name.set_extension(extension);
            }
            name
        };
        self.members.iter().zip(&self.places).map(name).collect()
    }

    /// What each container is called without its extension, or with it where several would be called the same.
    fn stems(&self) -> Vec<PathBuf> {
        let mut counts: HashMap<PathBuf, usize> = HashMap::new();
        for (path, _) in &self.containers {
            *counts.entry(path.with_extension("")).or_default() += 1;
        }
        let stem = |(path, _): &(PathBuf, Holds)| {
            let stem = path.with_extension("");
            if counts.get(&stem) == Some(&1) { stem } else { path.clone() }
        };
        self.containers.iter().map(stem).collect()
    }
}

/// A name below the folders that are there.
fn within(folders: &[Option<&str>], name: &Path) -> PathBuf {
    // What the name says already stands there once.
    let said = |folder: &str| name.parent().is_some_and(|above| above.iter().any(|part| part == folder));
    let folders = folders.iter().flatten().filter(|folder| !folder.is_empty() && !said(folder));
    let mut path = PathBuf::new();
    // A class may be called like a path, which is no reason to leave the dataset.
    folders.for_each(|folder| path.push(folder.replace('/', "_")));
    path.join(name)
}

/// The name of a member as a path below the dataset; empty if it is none, such as one that leads out of it.
pub(crate) fn clean_name(bytes: &[u8]) -> PathBuf {
    let path = Path::new(OsStr::from_bytes(bytes));
    if bytes.contains(&0) || path.components().any(|part| part == Component::ParentDir) {
        return PathBuf::new();
    }
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(members: &[(&str, &str, &str)]) -> PackedRows {
        let mut rows = PackedRows::default();
        rows.container(Path::new("a/b.tar"), Holds::Ranges);
        for (name, label, split) in members {
            rows.push(Member {
                name: clean_name(name.as_bytes()),
                label: Some((*label).to_owned()),
                split: (*split).to_owned(),
                other: Vec::new(),
                place: Place::Inside { start: 0, length: 1 },
            });
        }
        rows
    }

    fn names(members: &[(&str, &str, &str)]) -> Vec<String> {
        rows(members).names().iter().map(|name| name.display().to_string()).collect()
    }

    #[test]
    fn names_are_as_short_as_they_may_be() {
        assert_eq!(names(&[("./1.jpg", "cat", ""), ("/x/2.jpg", "dog", "")]), ["1.jpg", "x/2.jpg"]);
        assert_eq!(names(&[("1.jpg", "cat", ""), ("1.jpg", "a/b", "")]), ["cat/1.jpg", "a_b/1.jpg"]);
        assert_eq!(
            names(&[("1.jpg", "cat", "train"), ("1.jpg", "cat", "test")]),
            ["train/cat/1.jpg", "test/cat/1.jpg"]
        );
        assert_eq!(
            names(&[("cat/1.jpg", "cat", "train"), ("cat/1.jpg", "cat", "test")]),
            ["train/cat/1.jpg", "test/cat/1.jpg"]
        );
        assert_eq!(
            names(&[("1.jpg", "a", ""), ("1.jpg", "a", "")]),
            ["a/b/row-000000.jpg", "a/b/row-000001.jpg"]
        );
        assert_eq!(names(&[("../1.jpg", "a", ""), ("2.jpg", "a", "")]), ["a/b/row-000000", "a/b/2.jpg"]);
        assert_eq!(names(&[("", "a", ""), ("", "a", "")]), ["a/b/000000", "a/b/000001"]);
    }

    #[test]
    fn no_name_is_the_end_of_others_where_splits_tell_them_apart() {
        assert_eq!(
            names(&[("1.jpg", "cat", "train"), ("2.jpg", "dog", "train"), ("1.jpg", "", "test")]),
            ["train/1.jpg", "train/2.jpg", "test/1.jpg"]
        );
        // Splits alone are not enough, or are not known.
        assert_eq!(
            names(&[("1.jpg", "cat", "train"), ("1.jpg", "dog", "train"), ("1.jpg", "", "test")]),
            ["train/cat/1.jpg", "train/dog/1.jpg", "test/1.jpg"]
        );
        assert_eq!(names(&[("1.jpg", "cat", ""), ("1.jpg", "", "")]), ["cat/1.jpg", "1.jpg"]);
        assert_eq!(names(&[("1.jpg", "cat", "train"), ("1.jpg", "", "")]), ["cat/1.jpg", "1.jpg"]);
        assert_eq!(
            names(&[("1.jpg", "cat", "train"), ("2.jpg", "", "test")]),
            ["1.jpg", "2.jpg"],
            "names that differ stay as they are"
        );
        assert_eq!(
            names(&[("1.jpg", "cat", "train"), ("1.jpg", "dog", "test")]),
            ["cat/1.jpg", "dog/1.jpg"],
            "nothing is bare"
        );
    }

    #[test]
    fn keys_of_several_containers_stay_in_the_names() {
        let of = |keyed: bool, shards: &[(&str, &[&str])]| {
            let mut rows = PackedRows { keyed_by_container: keyed, ..PackedRows::default() };
            for (path, names) in shards {
                rows.container(Path::new(path), Holds::Ranges);
                for (at, name) in names.iter().enumerate() {
                    rows.push(Member {
                        name: clean_name(name.as_bytes()),
                        label: Some(format!("{path}{}", at % 2)),
                        split: String::new(),
                        other: Vec::new(),
                        place: Place::Inside { start: 0, length: 1 },
                    });
                }
            }
            rows.names().iter().map(|name| name.display().to_string()).collect::<Vec<_>>()
        };
        let two = of(true, &[("t-0.tar", &["1.png", "2.png"]), ("t-1.tar", &["2.png", "1.png"])]);
        assert_eq!(two, ["t-0/1.png", "t-0/2.png", "t-1/2.png", "t-1/1.png"]);
        // A key that is there twice in a shard is nobody's name, and changes none of the others.
        let twice: &[(&str, &[&str])] =
            &[("t-0.tar", &["2.png", "1.png", "2.png"]), ("t-1.tar", &["2.png", "0.png"])];
        let expected = ["t-0/row-000000.png", "t-0/1.png", "t-0/row-000002.png", "t-1/2.png", "t-1/0.png"];
        assert_eq!(
            (of(true, twice), of(false, twice)),
            (expected.map(str::to_owned).to_vec(), expected.map(str::to_owned).to_vec())
        );
        // Two files of one name, and a name that leads into another file's.
        assert_eq!(
            of(true, &[("a.pq", &["1.png"]), ("a.parquet", &["1.png"])]),
            ["a.pq/1.png", "a.parquet/1.png"]
        );
        let nested = of(true, &[("a.tar", &["b/1.png"]), ("a/b.tar", &["1.png", "b/1.png"])]);
        assert_eq!(nested, ["a/row-000000.png", "a/b/row-000000.png", "a/b/row-000001.png"]);
    }
}
