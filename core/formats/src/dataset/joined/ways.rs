//! The ways to take the names in a column of a table of labels: as paths, stems, ids, or numbers in the names of files.

use crate::dataset::is_image;
use crate::dataset::said_splits::SaidSplits;
use crate::ends::{Ends, Place, may_mean, other_word};
use crate::headings::same;
use crate::text::{Sheet, as_whole, file_names};
use chaffinch_data::manifest::{ExtraColumn, Manifest};
use chaffinch_protocol::display::{excerpt, excerpt_path};
use chaffinch_protocol::sample::{SampleId, Split};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Columns of the dataset that may hold ids.
const IDS: [&str; 3] = ["id", "image_id", "img_id"];

/// How a name in the table is one of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Path,
    Stem,
    Id,
    Number,
}

impl By {
    pub(super) const fn words(self) -> &'static str {
        match self {
            By::Path => "path",
            By::Stem => "file name without extension",
            By::Id => "id",
            By::Number => "number in the file name",
        }
    }
}

/// What the rows of a table mean if their names are taken in one way.
pub(super) struct Way {
    pub(super) places: Vec<Place>,
    pub(super) by: By,
    /// Whether the names are those of a column that the dataset has, too, which is what both have in common.
    pub(super) is_shared: bool,
    /// How many samples are named.
    pub(super) found: usize,
}

impl Way {
    fn new(places: Vec<Place>, by: By, is_shared: bool) -> Way {
        let found = places.iter().filter(|place| matches!(place, Place::At(_))).count();
        Way { places, by, is_shared, found }
    }

    /// A row that means one sample in this way and another one in that.
    pub(super) fn differs(&self, other: &Way) -> Option<(usize, [SampleId; 2])> {
        let pairs = self.places.iter().zip(&other.places).enumerate();
        let mut both = pairs.filter_map(|(row, (one, two))| Some((row, [one.row()?, two.row()?])));
        both.find(|(_, [one, two])| one != two).map(|(row, samples)| (row, samples.map(SampleId)))
    }
}

/// The samples of all rows, by what names the most of them. `own` are the columns of the dataset itself. A row that is in another
/// split than the sample of its path may mean several, if one in its own split ends in that path; of several samples, it means the
/// one in its split, and of a sample in another split, none.
///
/// # Errors
/// When two ways name as many samples, but others.
pub(super) fn places(
    sheet: &Sheet,
    (key, said): (usize, &SaidSplits),
    manifest: &Manifest,
    own: &[ExtraColumn],
) -> std::result::Result<(Vec<Place>, By), String> {
    let mut ways = ways(sheet, key, manifest, own);
    // The first of the best ones.
    let rank = |at: &usize| (ways[*at].found, ways[*at].is_shared, Reverse(*at));
    let best = (0..ways.len()).max_by_key(rank).unwrap_or(0);
    let chosen = &ways[best];
    let rivals = ways.iter().filter(|way| way.found == chosen.found && !chosen.is_shared);
    let doubt = rivals.filter_map(|rival| Some((rival.by, chosen.differs(rival)?))).next();
    if let Some((other, (row, [one, two]))) = doubt {
        return Err(format!(
            "{} in column '{}' is {} by {} and {} by {}; give the column that is meant one heading in both tables, or choose a \
             column of paths with --key",
            excerpt(&sheet.text(row, key)),
            excerpt(&sheet.headings[key]),
            excerpt_path(manifest.path(one)),
            chosen.by.words(),
            excerpt_path(manifest.path(two)),
            other.words(),
        ));
    }
    let Way { mut places, by, .. } = ways.swap_remove(best);
    let paths = || manifest.ids().map(|id| manifest.path(id).as_os_str().as_bytes());
    let ends = match by {
        By::Path if said.says_any() => Some(Ends::new(paths())),
        By::Stem if said.says_any() => Some(Ends::new(paths().map(stem))),
        _ => None,
    };
    if let Some(ends) = ends {
        let names = names(sheet, key, manifest);
        let mut seen = HashSet::new();
        for (row, (place, name)) in places.iter_mut().zip(&names).enumerate() {
            let (split, word) = said.said(row, &|row, column| sheet.text(row, column));
            let word = if split == Split::None { other_word(&word) } else { "" };
            let name = if by == By::Stem { stem(name) } else { name.as_slice() };
            let at = match *place {
                Place::At(at) | Place::Again(at) => at,
                Place::Several => match ends.in_split(name, split, manifest) {
                    Some(at) => at,
                    None => continue,
                },
                Place::Nothing => continue,
            };
            *place = if by == By::Path && ends.longer_in(at, split, manifest).is_some() {
                Place::Several
            } else if !may_mean((name, split, word), SampleId(at), manifest) {
                Place::Nothing
            } else if seen.insert(at) {
                Place::At(at)
            } else {
                Place::Again(at)
            };
        }
    }
    Ok((places, by))
}

/// The names in a column, as names of files.
fn names(sheet: &Sheet, key: usize, manifest: &Manifest) -> Vec<Vec<u8>> {
    let files = file_names(manifest);
    (0..sheet.len()).map(|row| sheet.file_name(row, key, &files)).collect()
}

/// All ways to take the names in a column.
pub(super) fn ways(sheet: &Sheet, key: usize, manifest: &Manifest, own: &[ExtraColumn]) -> Vec<Way> {
    let names = names(sheet, key, manifest);
    let paths: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let all = || manifest.ids().map(|id| manifest.path(id).as_os_str().as_bytes());
    let stems: Vec<&[u8]> = paths.iter().map(|path| stem(path)).collect();
    let by_path = Way::new(Ends::new(all()).places_in(manifest, &paths), By::Path, false);
    let mut by_stem = Ends::new(all().map(stem)).places_in(manifest, &stems);
    if by_path.found > 0 {
        // Where some names are those of files, no other one with the extension of a picture is a stem.
        let is_file = |row: usize| paths[row].len() != stems[row].len();
        by_stem = files_first(&by_path.places, &by_stem, is_file);
    }
    let mut ways = vec![by_path, Way::new(by_stem, By::Stem, false)];
    for column in own {
        let is_shared = same(&column.name, &sheet.headings[key]);
        if is_shared || IDS.contains(&column.name.to_ascii_lowercase().as_str()) {
            let ids = column.values.iter().map(|id| Some(id.trim().as_bytes().to_vec()));
            let way = Way::new(equal(&names, ids), By::Id, is_shared);
            // Numbers under another heading that are only partly the same count something else, or from another start.
            let numbers = names.iter().all(|name| name.iter().all(u8::is_ascii_digit));
            let whole = way.found == manifest.len() || !way.places.contains(&Place::Nothing);
            if is_shared || whole || !numbers {
                ways.push(way);
            }
        }
    }
    let number = |text: &[u8]| -> Option<Vec<u8>> {
        let text = std::str::from_utf8(text).ok()?;
        // How pandas writes whole numbers of a column with gaps.
        let number: u64 = as_whole(text).parse().ok()?;
        Some(number.to_string().into_bytes())
    };
    let numbers: Vec<Vec<u8>> = names.iter().map(|name| number(name).unwrap_or_default()).collect();
    let stems = manifest.ids().map(|id| number(manifest.path(id).file_stem()?.as_bytes()));
    ways.push(Way::new(equal(&numbers, stems), By::Number, false));
    ways
}

/// The places of names of files, and of other names where they mean something else.
fn files_first(files: &[Place], others: &[Place], is_file: impl Fn(usize) -> bool) -> Vec<Place> {
    let mut places: Vec<Place> =
        (0..files.len()).map(|row| [others[row], files[row]][usize::from(is_file(row))]).collect();
    let mut seen = HashSet::new();
    for first in [true, false] {
        for (_, place) in places.iter_mut().enumerate().filter(|(row, _)| is_file(*row) == first) {
            if let Some(at) = place.row() {
                *place = if seen.insert(at) { Place::At(at) } else { Place::Again(at) };
            }
        }
    }
    places
}

/// How many rows were taken for images in other folders, and the first of them with its image.
pub(super) fn in_other_folders(
    sheet: &Sheet,
    key: usize,
    manifest: &Manifest,
    places: &[Place],
) -> Option<(u64, usize, u32)> {
    let names = names(sheet, key, manifest);
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let ends = Ends::new(manifest.ids().map(|id| manifest.path(id).as_os_str().as_bytes()));
    ends.in_other_folders(&names, places)
}

/// The rows of ids that are equal.
fn equal(names: &[Vec<u8>], ids: impl Iterator<Item = Option<Vec<u8>>>) -> Vec<Place> {
    let mut rows: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
    for (row, id) in (0..).zip(ids) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            rows.entry(id).or_default().push(row);
        }
    }
    let mut seen = vec![false; rows.values().flatten().max().map_or(0, |&row| row as usize + 1)];
    let place = |name: &Vec<u8>| match rows.get(name).map(Vec::as_slice) {
        None => Place::Nothing,
        Some([row]) if std::mem::replace(&mut seen[*row as usize], true) => Place::Again(*row),
        Some([row]) => Place::At(*row),
        Some(_) => Place::Several,
    };
    names.iter().map(place).collect()
}

/// A path without the extension of an image.
fn stem(path: &[u8]) -> &[u8] {
    let whole = Path::new(std::ffi::OsStr::from_bytes(path));
    match whole.extension() {
        Some(extension) if is_image(whole) => &path[..path.len() - extension.len() - 1],
        _ => path,
    }
}

/// Two images that a name may mean, and what to do.
pub(super) fn either(manifest: &Manifest, by: By, name: &[u8]) -> String {
    let whole = |id: SampleId| manifest.path(id).as_os_str().as_bytes();
    let ends = match by {
        By::Path => Ends::new(manifest.ids().map(whole)),
        By::Stem => Ends::new(manifest.ids().map(whole).map(stem)),
        By::Id | By::Number => {
            let has = |id: &SampleId| {
                manifest.extra().iter().any(|own| own.values[id.index()].trim().as_bytes() == name)
            };
            let same: Vec<String> =
                manifest.ids().filter(has).take(2).map(|id| excerpt_path(manifest.path(id))).collect();
            return match same.as_slice() {
                [one, other] => {
                    format!(" ({one} and {other} have the same; choose another column with --key)")
                }
                _ => {
                    "; the ids of several images are the same, so choose another column with --key".to_owned()
                }
            };
        }
    };
    let name = if by == By::Stem { stem(name) } else { name };
    match ends.candidates(name).as_slice() {
        [one, other, ..] => format!(
            " ({} or {}; write more of the path, or choose another column with --key)",
            excerpt_path(manifest.path(SampleId(*one))),
            excerpt_path(manifest.path(SampleId(*other)))
        ),
        _ => " (other rows mean the same image; write more of the path)".to_owned(),
    }
}
