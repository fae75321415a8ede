//! The samples that results are imported for.

use super::{Read, file_name};
use crate::ends::{Ends, Place};
use crate::row_splits::RowSplits;
use crate::spelled_otherwise;
use crate::{Error, Result};
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::row_keys::RowKeys;
use chaffinch_data::row_order::{Placed, RowOrders};
use chaffinch_protocol::display::{counted, excerpt, excerpt_path};
use chaffinch_protocol::sample::{LabelId, SampleId, Split};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// Names to show in a sentence.
const SHOWN: usize = 3;

/// The samples of a session.
pub struct Target<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) file_metadata: &'a FileMetadata,
    /// The names of detectors whose results were not imported.
    pub(super) own: BTreeSet<String>,
    /// Whether high numbers in columns of a table of one's own are bad.
    pub(super) higher_is_worse: bool,
    /// The column of a table that names the samples, if it was asked for.
    pub(super) path_column: Option<String>,
    /// What is known of files that number their samples.
    orders: RowOrders<'a>,
    ends: OnceLock<Ends>,
}

impl<'a> Target<'a> {
    /// The samples of a session with results of its own detectors `own`.
    pub fn new(
        manifest: &'a Manifest,
        file_metadata: &'a FileMetadata,
        own: BTreeSet<String>,
        higher_is_worse: bool,
    ) -> Target<'a> {
        Target {
            manifest,
            file_metadata,
            own,
            higher_is_worse,
            path_column: None,
            orders: RowOrders::default(),
            ends: OnceLock::new(),
        }
    }

    /// The same, with what a session knows of files that number their samples.
    #[must_use]
    pub fn with_orders(self, orders: RowOrders<'a>) -> Target<'a> {
        Target { orders, ..self }
    }

    /// The same, with the column of a table that names the samples.
    #[must_use]
    pub fn with_path_column(self, path_column: Option<String>) -> Target<'a> {
        Target { path_column, ..self }
    }

    /// The samples that a file numbers: those of the pictures that had these numbers when it was first imported, or else the
    /// samples in their order. Says where they are others now; `otherwise` would bind them anew.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn numbered(&self, file: &Path, otherwise: &str, read: &mut Read) -> Result<Placed> {
        let first = self.orders.of_file(file)?;
        let known = first.place(None, self.manifest, self.file_metadata);
        let placed = known.unwrap_or_else(|| first.place_in_order(self.manifest, self.file_metadata));
        let name = file_name(file);
        read.warnings.extend(first.lost(&name));
        let source = format!("rows of {name}");
        read.warnings.extend(placed.said(&source, otherwise));
        read.warnings.extend(placed.of_changed(&source, otherwise));
        read.orders.extend(placed.keep.clone());
        Ok(placed)
    }

    /// How many of these names are samples.
    pub(super) fn known(&self, names: &[&[u8]]) -> usize {
        let places = self.ends().places_in(self.manifest, names);
        places.iter().filter(|place| place.row().is_some()).count()
    }

    /// What absolute paths of samples begin with.
    fn root(&self) -> Vec<u8> {
        [self.manifest.root().as_os_str().as_bytes(), b"/"].concat()
    }

    fn ends(&self) -> &Ends {
        let paths = || self.manifest.ids().map(|id| self.manifest.path(id).as_os_str().as_bytes());
        self.ends.get_or_init(|| Ends::new(paths()))
    }

    /// The class of a name in a file, which may be the number of a class where the classes are names.
    pub(super) fn class(&self, name: &str) -> Option<LabelId> {
        let name = name.trim();
        let classes = self.manifest.classes();
        let named = || classes.iter().all(|class| class.parse::<i64>().is_err());
        let number =
            || name.parse::<u32>().ok().filter(|number| (*number as usize) < classes.len() && named());
        self.manifest.find_class(name).or_else(|| number().map(LabelId))
    }

    /// The samples of names that mean one of several rows with the same path: by the key of the row, or, `in_turn`, one after the
    /// other if the path is there as often as it has rows, or by its split.
    fn rows_of_repeated(
        &self,
        (names, splits): (&[Vec<u8>], Option<&RowSplits>),
        root: &[u8],
        in_turn: bool,
    ) -> Vec<Option<SampleId>> {
        let by_key = RowKeys::of(self.manifest).repeated();
        let mut rows: Vec<Option<SampleId>> = vec![None; names.len()];
        if by_key.is_empty() {
            return rows;
        }
        let path = |id: &SampleId| self.manifest.path(*id).as_os_str().as_bytes();
        let groups: HashMap<&[u8], &[u32]> =
            by_key.values().map(|id| (path(id), self.manifest.rows_of_path(*id))).collect();
        let mut by_path: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            let name = name.strip_prefix(root).unwrap_or(name);
            match by_key.get(name) {
                Some(id) => rows[at] = Some(*id),
                None if groups.contains_key(name) => by_path.entry(name).or_default().push(at),
                None => {}
            }
        }
        for (path, places) in by_path {
            let own = groups[path];
            if let Some(splits) = splits {
                for &at in &places {
                    let split = splits.of(at);
                    let mut same = own
                        .iter()
                        .map(|row| SampleId(*row))
                        .filter(|id| split != Split::None && self.manifest.split(*id) == split);
                    rows[at] = same.next().filter(|_| same.next().is_none());
                }
            }
            let is_open = places.iter().all(|at| rows[*at].is_none());
            if is_open && in_turn && own.len() == places.len() {
                places.iter().zip(own).for_each(|(&at, &row)| rows[at] = Some(SampleId(row)));
            }
        }
        rows
    }

    /// The samples that names in a file mean: the one whose path has the longest common end with each. A name that repeats
    /// an earlier one means the same sample. Names that mean none or several are said, and no others are.
    ///
    /// # Errors
    /// When no name means a sample.
    pub(super) fn samples(
        &self,
        file: &Path,
        names: &[Vec<u8>],
        read: &mut Read,
    ) -> Result<Vec<Option<SampleId>>> {
        self.named(file, (names, None), false, read)
    }

    /// The same of a table with a row for each sample, where rows of one path are about its samples in turn, and a row that says its
    /// split means no sample of another.
    ///
    /// # Errors
    /// As of [`Target::samples`].
    pub(super) fn samples_in_turn(
        &self,
        file: &Path,
        named: (&[Vec<u8>], Option<&RowSplits>),
        read: &mut Read,
    ) -> Result<Vec<Option<SampleId>>> {
        self.named(file, named, true, read)
    }

    fn named(
        &self,
        file: &Path,
        (names, splits): (&[Vec<u8>], Option<&RowSplits>),
        in_turn: bool,
        read: &mut Read,
    ) -> Result<Vec<Option<SampleId>>> {
        let manifest = self.manifest;
        let ends = self.ends();
        let root = self.root();
        let rows = self.rows_of_repeated((names, splits), &root, in_turn);
        let mut different: Vec<&[u8]> = Vec::new();
        // A name in each split that rows say, by the first of these.
        let mut first_rows: Vec<usize> = Vec::new();
        let mut index: HashMap<(&[u8], &str), usize> = HashMap::new();
        let split = |row: usize| splits.map_or("", |splits| splits.word(row));
        for (row, (name, _)) in names.iter().zip(&rows).enumerate().filter(|(_, (_, id))| id.is_none()) {
            index.entry((name, split(row))).or_insert_with(|| {
                different.push(name);
                first_rows.push(row);
                different.len() - 1
            });
        }
        let mut places = ends.places_in(manifest, &different);
        let mut is_elsewhere = vec![false; places.len()];
        if let Some(splits) = splits {
            for (at, (place, (name, row))) in
                places.iter_mut().zip(different.iter().zip(&first_rows)).enumerate()
            {
                let means = |id: u32| splits.may_mean(*row, name, SampleId(id), manifest);
                match *place {
                    Place::Several => {
                        *place = ends.in_split(name, splits.of(*row), manifest).map_or(*place, Place::At);
                    }
                    Place::At(id) | Place::Again(id) if !means(id) => {
                        (*place, is_elsewhere[at]) = (Place::Nothing, true);
                    }
                    _ => {}
                }
            }
        }
        let shown = |wanted: Place| {
            let all: Vec<usize> = (0..places.len()).filter(|&at| places[at] == wanted).collect();
            let first = all.iter().take(SHOWN).map(|&at| {
                let name = String::from_utf8_lossy(different[at]);
                let name = excerpt(&name);
                match is_elsewhere[at] {
                    true => {
                        format!("{name} in {}", splits.map_or("", |splits| splits.word(first_rows[at])))
                    }
                    false => name.into_owned(),
                }
            });
            let more = if all.len() > SHOWN { ", …" } else { "" };
            (all.len() as u64, first.collect::<Vec<_>>().join(", ") + more)
        };
        let found = rows.iter().any(Option::is_some) || places.iter().any(|place| place.row().is_some());
        let (missing, named) = shown(Place::Nothing);
        let file_words = file_name(file);
        if !found && !names.is_empty() {
            let sample = manifest.ids().next().map(|id| excerpt_path(manifest.path(id))).unwrap_or_default();
            let message = format!(
                "none of its {} is a sample of this dataset: it names {named}, and the first sample is {sample}{}",
                counted(different.len() as u64, "name", "names"),
                spelled_otherwise::hint(
                    different.iter().filter_map(|name| std::str::from_utf8(name).ok()),
                    manifest
                )
                .unwrap_or_default()
            );
            let several = shown(Place::Several);
            return Err(Error::format(
                file,
                if missing == 0 {
                    format!("each of its names may mean several samples: {}", several.1)
                } else {
                    message
                },
            ));
        }
        if missing > 0 {
            let names = counted(missing, "name in", "names in");
            let verb = if missing == 1 { "is not a sample" } else { "are not samples" };
            read.warnings.push(format!("{names} {file_words} {verb} of this dataset: {named}"));
        }
        let (several, named) = shown(Place::Several);
        if several > 0 {
            let names = counted(several, "name in", "names in");
            let verb = if several == 1 {
                "may mean several samples and was"
            } else {
                "may mean several samples and were"
            };
            let first = different.iter().zip(&places).find(|(_, place)| **place == Place::Several);
            let either = match first.map(|(name, _)| ends.candidates(name)).as_deref() {
                Some([one, other, ..]) => {
                    let [one, other] = [one, other].map(|row| excerpt_path(manifest.path(SampleId(*row))));
                    format!(" ({one} or {other}; write more of the path)")
                }
                _ => String::new(),
            };
            read.warnings.push(format!("{names} {file_words} {verb} left out: {named}{either}"));
        }
        if let Some((count, at, row)) = ends.in_other_folders(&different, &places) {
            let names = counted(count, "name in", "names in");
            let were = if count == 1 { "was" } else { "were" };
            read.warnings.push(format!(
                "{names} {file_words} {were} taken for samples in other folders: '{}' for {}; if they are others, write the paths \
                 of the dataset",
                excerpt(&String::from_utf8_lossy(different[at])),
                excerpt_path(manifest.path(SampleId(row)))
            ));
        }
        let sample = |row: usize| {
            let at = index.get(&(names[row].as_slice(), split(row)))?;
            places.get(*at)?.row().map(SampleId)
        };
        Ok(rows.iter().enumerate().map(|(row, id)| id.or_else(|| sample(row))).collect())
    }

    /// Leaves out rows that say another split than that of the sample which they name, where the path of one in that split ends
    /// in the name of this: which of both is meant is not known. They are said.
    pub(super) fn leave_other_splits(
        &self,
        file: &Path,
        splits: &RowSplits,
        found: &mut [Option<SampleId>],
        read: &mut Read,
    ) {
        let (mut left, mut first) = (0_u64, None);
        for (row, sample) in found.iter_mut().enumerate() {
            let (split, Some(id)) = (splits.of(row), *sample) else { continue };
            if let Some(other) = self.ends().longer_in(id.0, split, self.manifest) {
                left += 1;
                first.get_or_insert((id, split, SampleId(other)));
                *sample = None;
            }
        }
        if let Some((id, said, other)) = first {
            let rows = counted(left, "row of", "rows of");
            let (names, was) = if left == 1 {
                ("names a sample of another split than its own", "was")
            } else {
                ("name samples of other splits than their own", "were")
            };
            let [one, two] = [id, other].map(|id| excerpt_path(self.manifest.path(id)));
            read.warnings.push(format!(
                "{rows} {} {names} and {was} left out: {one} is not in {}, and {two} is; write \
                 more of the path",
                file_name(file),
                said.name(),
            ));
        }
    }
}
