//! fastdup: the tables in its work folder, and those of its Python interface.

use super::detector::{Detector, FLAGGED};
use super::groups::Groups;
use super::pairs::set_groups;
use super::{Importer, Read, Target, file_name};
use crate::text::Sheet;
use crate::{Error, Result};
use chaffinch_data::issue::Issue;
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) const IMPORTER: Importer = Importer {
    name: "fastdup",
    summary: "fastdup's similar pairs, outliers, components, and blurry, dark and bright pictures",
    files: "its work folder, or `similarity.csv`, `outliers.csv`, `connected_components.csv` and `atrain_stats.csv` of it; \
            numbers of files are looked up in `atrain_features.dat.csv` beside them; tables of its Python interface",
    in_folder: &[
        "atrain_features.dat.csv",
        "atrain_features.bad.csv",
        "similarity.csv",
        "outliers.csv",
        "connected_components.csv",
        "atrain_stats.csv",
    ],
    options: &[],
    read,
};

/// The list of its files, by number.
const LIST: &str = "atrain_features.dat.csv";

/// Its own limits for the variance of the Laplacian, and for mean brightness.
const BLURRY: f32 = 150.0;
const DARK: f32 = 4.0;
const BRIGHT: f32 = 253.0;

/// What a table of fastdup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Bad,
    Similarity,
    Outliers,
    Components,
    Stats,
    /// Sizes of components, which say nothing of samples.
    Sizes,
}

fn kind(sheet: &Sheet) -> Result<Kind> {
    let has = |names: &[&str]| names.iter().all(|name| sheet.column(name).is_some());
    let named_outliers = file_name(sheet.path()).to_ascii_lowercase().contains("outlier");
    let named = || sheet.any_column(&NAMES).is_some();
    let pairs = |ends: [&str; 2]| ends.iter().all(|end| end_of(sheet, end).is_some());
    Ok(match () {
        () if pairs(["outlier", "nearest"]) => Kind::Outliers,
        () if pairs(["from", "to"]) && has(&["distance"]) && named_outliers => Kind::Outliers,
        () if pairs(["from", "to"]) && has(&["distance"]) => Kind::Similarity,
        () if has(&["component_id"]) && sheet.any_column(&IDS).is_some() => Kind::Components,
        () if has(&["component_id"]) => Kind::Sizes,
        () if has(&["blur", "mean"]) => Kind::Stats,
        () if has(&["error_code"]) && named() => Kind::Bad,
        () if has(&["index"]) && named() => Kind::List,
        () => {
            let what = "that tells a table of fastdup: from, to and distance; component_id; blur and mean";
            return Err(sheet.without(what));
        }
    })
}

/// Columns of names of files, as its tables and those of its Python interface call them.
const NAMES: [&str; 2] = ["filename", "img_filename"];
/// Columns that name or number the file of a row.
const IDS: [&str; 6] = [NAMES[0], NAMES[1], "__id", "fastdup_id", "fd_index", "index"];

/// The column that names one end of a pair, or else that which numbers it.
fn end_of(sheet: &Sheet, end: &str) -> Option<usize> {
    let named = NAMES.map(|name| format!("{name}_{end}"));
    sheet.any_column(&[&named[0], &named[1], end])
}

/// The column of names of files.
fn names(sheet: &Sheet) -> Result<usize> {
    sheet.any_column(&NAMES).map_or_else(|| sheet.required(NAMES[0]), Ok)
}

/// Files by fastdup's numbers.
#[derive(Debug, Default)]
struct Files {
    names: BTreeMap<u64, Vec<u8>>,
    /// Whether a list of them was found.
    listed: bool,
}

impl Files {
    fn add(&mut self, sheet: &Sheet) -> Result<()> {
        let (index, name) = (sheet.required("index")?, names(sheet)?);
        for row in 0..sheet.len() {
            let number = sheet.text(row, index);
            let number = number.parse().map_err(|_| sheet.odd_cell(row, index, "the number of a file"))?;
            self.names.insert(number, sheet.bytes(row, name).to_vec());
        }
        self.listed = true;
        Ok(())
    }
}

/// A table and what it is.
type Table = (Kind, Sheet);

fn read(paths: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    let mut tables: Vec<Table> = Vec::new();
    for path in paths {
        let sheet = Sheet::read(path)?;
        tables.push((kind(&sheet)?, sheet));
    }
    let mut files = Files::default();
    for (_, sheet) in tables.iter().filter(|(kind, _)| *kind == Kind::List) {
        files.add(sheet)?;
    }
    // Each folder has a list of its own.
    let folders: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
    if !files.listed
        && let [folder] = folders.into_iter().collect::<Vec<_>>()[..]
        && folder.join(LIST).is_file()
    {
        files.add(&Sheet::read(&folder.join(LIST))?)?;
    }
    let listed: Vec<Vec<u8>> = files.names.values().cloned().collect();
    let mut looked_at: Vec<SampleId> = Vec::new();
    if files.listed && !listed.is_empty() {
        let list = paths.first().map_or_else(PathBuf::new, |path| path.with_file_name(LIST));
        looked_at = target.samples(&list, &listed, &mut read)?.into_iter().flatten().collect();
    }
    let mut context = Context { files: &files, target, read };
    let mut detectors: Vec<Detector> = Vec::new();
    for (kind, sheet) in &tables {
        match kind {
            Kind::List => {}
            Kind::Sizes => {
                context.read.notes.push(format!("{} says nothing of single files", file_name(sheet.path())))
            }
            Kind::Bad => detectors.push(context.bad(sheet)?),
            Kind::Similarity => detectors.push(context.similarity(sheet)?),
            Kind::Outliers => detectors.push(context.outliers(sheet)?),
            Kind::Components => detectors.push(context.components(sheet)?),
            Kind::Stats => detectors.extend(context.stats(sheet)?),
        }
    }
    let mut read = context.read;
    detectors.retain(|detector| detector.name != "invalid" || !detector.is_empty());
    // What is not in a table of pairs is fine if fastdup has looked at it, and unknown otherwise.
    if looked_at.is_empty()
        && tables.iter().any(|(kind, _)| matches!(kind, Kind::Similarity | Kind::Outliers))
    {
        read.notes.push(format!(
            "files that are not in these tables got no score; with {LIST} beside them, those that fastdup looked at are fine"
        ));
    }
    for detector in detectors.iter_mut().filter(|detector| detector.name != "invalid") {
        detector.rest_is_fine(looked_at.iter().copied());
    }
    read.detectors = detectors;
    // Each table says the same of the same names.
    read.warnings.dedup();
    Ok(read)
}

struct Context<'a> {
    files: &'a Files,
    target: &'a Target<'a>,
    read: Read,
}

impl Context<'_> {
    /// The samples of columns of names or numbers of files, one column after the other.
    fn samples(&mut self, sheet: &Sheet, columns: &[usize]) -> Result<Vec<Option<SampleId>>> {
        let cells = || columns.iter().flat_map(|&column| (0..sheet.len()).map(move |row| (row, column)));
        let numbers: Option<Vec<u64>> =
            cells().map(|(row, column)| sheet.text(row, column).parse().ok()).collect();
        let (Some(numbers), false) = (&numbers, sheet.len() == 0) else {
            let names: Vec<Vec<u8>> =
                cells().map(|(row, column)| sheet.bytes(row, column).to_vec()).collect();
            return self.target.samples(sheet.path(), &names, &mut self.read);
        };
        if !self.files.listed {
            let otherwise = format!("name {LIST} of the same folder as well");
            let placed = self.target.numbered(sheet.path(), &otherwise, &mut self.read)?;
            let count = placed.samples.len();
            if numbers.iter().any(|&number| number >= count as u64) {
                let message = format!(
                    "it numbers its files beyond the {count} samples; name {LIST} of the same folder as well, which says \
                     which files they are"
                );
                return Err(Error::format(sheet.path(), message));
            }
            self.read.warnings.push(format!(
                "{} has numbers instead of names, which were taken for samples in the order of their paths; {LIST} beside it \
                 would say which files they are",
                file_name(sheet.path())
            ));
            return Ok(numbers.iter().map(|&number| placed.samples[number as usize]).collect());
        }
        let names: Vec<Vec<u8>> = numbers
            .iter()
            .zip(cells())
            .map(|(number, (row, column))| {
                let name = self.files.names.get(number).cloned();
                name.ok_or_else(|| sheet.odd_cell(row, column, &format!("a number in {LIST}")))
            })
            .collect::<Result<_>>()?;
        self.target.samples(&sheet.path().with_file_name(LIST), &names, &mut self.read)
    }

    /// The samples of the rows of a table with one file each.
    fn rows(&mut self, sheet: &Sheet) -> Result<Vec<Option<SampleId>>> {
        let column = sheet.any_column(&IDS).ok_or_else(|| sheet.without("index or filename"))?;
        self.samples(sheet, &[column])
    }

    /// Both samples of each pair, and how alike they are: what fastdup calls distance is a cosine.
    fn pairs(&mut self, sheet: &Sheet, ends: [&str; 2]) -> Result<Vec<(SampleId, Option<SampleId>, f32)>> {
        if sheet.len() == 0 {
            return Ok(Vec::new());
        }
        let column = |end: &str| end_of(sheet, end).map_or_else(|| sheet.required(end), Ok);
        let columns = [column(ends[0])?, column(ends[1])?];
        let mut one = self.samples(sheet, &columns)?;
        let other = one.split_off(sheet.len());
        let distance = sheet.required("distance")?;
        let mut pairs = Vec::with_capacity(sheet.len());
        for (row, (one, other)) in one.into_iter().zip(other).enumerate() {
            let similarity =
                sheet.number(row, distance)?.ok_or_else(|| sheet.odd_cell(row, distance, "a number"))?;
            if let Some(one) = one.filter(|one| Some(*one) != other) {
                pairs.push((one, other, similarity.clamp(0.0, 1.0)));
            }
        }
        Ok(pairs)
    }

    fn similarity(&mut self, sheet: &Sheet) -> Result<Detector> {
        let mut detector = Detector::new("duplicate", "Another file is similar (fastdup)");
        let mut related: BTreeMap<SampleId, BTreeMap<SampleId, f32>> = BTreeMap::new();
        let mut alone: BTreeMap<SampleId, f32> = BTreeMap::new();
        let mut groups = Groups::default();
        for (one, other, similarity) in self.pairs(sheet, ["from", "to"])? {
            let nearest = alone.entry(one).or_default();
            *nearest = nearest.max(similarity);
            let Some(other) = other else { continue };
            groups.join(one, other);
            for (one, other) in [(one, other), (other, one)] {
                let known = related.entry(one).or_default().entry(other).or_default();
                *known = known.max(similarity);
                let nearest = alone.entry(one).or_default();
                *nearest = nearest.max(similarity);
            }
        }
        for (id, nearest) in alone {
            let mut others: Vec<(SampleId, f32)> =
                related.remove(&id).unwrap_or_default().into_iter().collect();
            others.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let reason = others.first().map_or_else(
                || format!("fastdup finds a file outside the dataset with a similarity of {nearest:.4}"),
                |(other, _)| {
                    let path = safe_path(self.target.manifest.path(*other));
                    format!("fastdup finds a similarity of {nearest:.4} with {path}")
                },
            );
            detector.add(
                id,
                Issue { score: 1.0 - nearest, related: others, reason, ..Issue::default() },
                true,
            );
        }
        set_groups(&mut detector, groups);
        Ok(detector)
    }

    fn outliers(&mut self, sheet: &Sheet) -> Result<Detector> {
        let mut detector = Detector::new("outlier", "The file is unlike all others (fastdup)");
        let ends = match end_of(sheet, "outlier") {
            Some(_) => ["outlier", "nearest"],
            None => ["from", "to"],
        };
        for (id, nearest, similarity) in self.pairs(sheet, ends)? {
            let reason = format!("fastdup finds a similarity of only {similarity:.4} with the nearest file");
            let related = nearest.map(|nearest| (nearest, similarity)).into_iter().collect();
            detector.add(id, Issue { score: similarity, related, reason, ..Issue::default() }, true);
        }
        Ok(detector)
    }

    fn components(&mut self, sheet: &Sheet) -> Result<Detector> {
        let mut detector = Detector::new("component", "The file is in a group of similar ones (fastdup)");
        detector.groups = true;
        let component = sheet.required("component_id")?;
        let mean = sheet.any_column(&["mean_distance", "mean"]);
        let samples = self.rows(sheet)?;
        let mut sizes: BTreeMap<String, u32> = BTreeMap::new();
        for row in 0..sheet.len() {
            *sizes.entry(sheet.text(row, component).into_owned()).or_default() += 1;
        }
        let numbers: BTreeMap<&String, u32> =
            sizes.iter().filter(|(_, size)| **size > 1).map(|(name, _)| name).zip(0..).collect();
        for (row, sample) in samples.into_iter().enumerate() {
            let Some(id) = sample else { continue };
            let name = sheet.text(row, component).into_owned();
            let Some(&group) = numbers.get(&name) else {
                detector.add(id, Issue { score: 1.0, ..Issue::default() }, false);
                continue;
            };
            let similarity = mean.map(|column| sheet.number(row, column)).transpose()?.flatten();
            let score = similarity.map_or(FLAGGED, |similarity| 1.0 - similarity.clamp(0.0, 1.0));
            let reason = format!("fastdup has it in a component of {} files", sizes[&name]);
            detector.add(id, Issue { score, group: Some(group), reason, ..Issue::default() }, true);
        }
        Ok(detector)
    }

    fn stats(&mut self, sheet: &Sheet) -> Result<Vec<Detector>> {
        let samples = self.rows(sheet)?;
        let of = |name: &str, summary: &str| {
            let mut detector = Detector::new(name, format!("{summary} (fastdup)"));
            detector.usual = Some(0.5);
            detector
        };
        let (mut blur, mut dark, mut bright) = (
            of("blur", "The picture is blurry"),
            of("dark", "The picture is dark"),
            of("bright", "The picture is overexposed"),
        );
        let (blurs, means) = (sheet.required("blur")?, sheet.required("mean")?);
        for (row, sample) in samples.into_iter().enumerate() {
            let (Some(id), Some(sharp), Some(mean)) =
                (sample, sheet.number(row, blurs)?, sheet.number(row, means)?)
            else {
                continue;
            };
            // Its limits are at 0.5.
            let say = |detector: &mut Detector, score: f32, flagged: bool, reason: String| {
                let reason = if flagged { reason } else { String::new() };
                detector.add(id, Issue { score, reason, ..Issue::default() }, flagged);
            };
            let reason = format!("the variance of its Laplacian is {sharp:.1}, and fastdup's limit {BLURRY}");
            say(&mut blur, sharp / (2.0 * BLURRY), sharp < BLURRY, reason);
            let reason = format!("its mean brightness is {mean:.1} of 255");
            say(&mut dark, mean / (2.0 * DARK), mean < DARK, reason.clone());
            say(&mut bright, (255.0 - mean) / (2.0 * (255.0 - BRIGHT)), mean > BRIGHT, reason);
        }
        Ok(vec![blur, dark, bright])
    }

    fn bad(&mut self, sheet: &Sheet) -> Result<Detector> {
        let mut detector = Detector::new("invalid", "fastdup could not use the file");
        if sheet.len() == 0 {
            return Ok(detector);
        }
        let (name, error) = (names(sheet)?, sheet.required("error_code")?);
        let names: Vec<Vec<u8>> = (0..sheet.len()).map(|row| sheet.bytes(row, name).to_vec()).collect();
        let samples = self.target.samples(sheet.path(), &names, &mut self.read)?;
        for (row, sample) in samples.into_iter().enumerate() {
            let code = sheet.text(row, error);
            if let Some(id) = sample.filter(|_| code != "VALID") {
                let reason = format!("fastdup could not use it: {code}");
                detector.add(id, Issue { score: 0.0, reason, ..Issue::default() }, true);
            }
        }
        Ok(detector)
    }
}
