//! Which sample a name in another program's file means: by its path or its stem.

use crate::ends::{Before, Ends, Frames, Meant, reversed, said_of};
use crate::text::spellings;
use chaffinch_data::dataset::IMAGE_EXTENSIONS;
use chaffinch_data::manifest::Manifest;
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Names to look at before none of them is a sample.
const TRIED: usize = 1000;

/// Finds samples by path.
pub(crate) struct Joiner<'a> {
    manifest: &'a Manifest,
    exact: HashMap<&'a [u8], SampleId>,
    /// By file name; built on first use.
    names: Option<HashMap<&'a OsStr, Vec<SampleId>>>,
    /// By file name without its extension; built on first use.
    stems: Option<HashMap<&'a OsStr, Vec<SampleId>>>,
    /// By paths and by stems, where the path of a sample may end in that of another one; found on first use.
    nested: Option<Option<[Ends; 2]>>,
    /// What stands before these in the names that are looked for.
    before: [Before; 2],
    /// What all names of the file have before the ends that are theirs and those of paths.
    frames: Frames,
}

impl<'a> Joiner<'a> {
    pub(crate) fn new(manifest: &'a Manifest) -> Joiner<'a> {
        let exact = manifest.ids().map(|id| (manifest.path(id).as_os_str().as_bytes(), id)).collect();
        let frames = Frames::new(manifest.root());
        Joiner { manifest, exact, names: None, stems: None, nested: None, before: Default::default(), frames }
    }

    /// Goes on with the names of a file: what stands before paths in some of them tells what others mean, where the paths of
    /// samples end in those of others.
    pub(crate) fn learn<'n>(&mut self, names: impl Iterator<Item = &'n [u8]> + Clone) {
        let manifest = self.manifest;
        let stems = self.stems.get_or_insert_with(|| by(manifest, Path::file_stem));
        let nested = self.nested.get_or_insert_with(|| {
            let depth = |id: &SampleId| manifest.path(*id).components().count();
            let differ = |same: &Vec<SampleId>| same.iter().any(|id| depth(id) != depth(&same[0]));
            stems.values().any(differ).then(|| {
                let paths = || manifest.ids().map(|id| manifest.path(id));
                let stems: Vec<PathBuf> = paths().map(|path| path.with_extension("")).collect();
                [
                    Ends::new(paths().map(|path| path.as_os_str().as_bytes())),
                    Ends::new(stems.iter().map(|stem| stem.as_os_str().as_bytes())),
                ]
            })
        });
        if let Some(nested) = nested {
            self.before = nested.each_ref().map(|ends| ends.before(names.clone(), manifest));
        }
        let (mut frames, mut any) = (Frames::new(manifest.root()), false);
        for (at, name) in names.enumerate() {
            if at >= TRIED && !any {
                break;
            }
            let (name, found) = self.spelled(&String::from_utf8_lossy(name));
            any |= !found.is_empty();
            match only(&found) {
                Some(id) => self.meant(id, |meant| frames.add(name.as_bytes(), Some(meant))),
                None => frames.add(name.as_bytes(), None),
            }
        }
        self.frames = frames.finish(manifest.len());
    }

    /// Looks at a sample that a name seems to mean.
    fn meant<T>(&self, id: SampleId, look: impl FnOnce(Meant<'_>) -> T) -> T {
        let path = reversed(self.manifest.path(id).as_os_str().as_bytes());
        let split = self.manifest.split(id);
        look(Meant { row: id.0, path: &path, split, is_said: &said_of(self.manifest, id) })
    }

    /// What a name means without samples that it need not mean by what the other names have before their ends.
    fn sure(&self, name: &[u8], found: Vec<SampleId>) -> Vec<SampleId> {
        let doubt = |id: &SampleId| self.meant(*id, |meant| self.frames.doubt(name, &meant));
        let sure: Vec<SampleId> = found.iter().copied().filter(|id| !doubt(id)).collect();
        let is_usual = |id: &SampleId| self.meant(*id, |meant| self.frames.is_usual(name, &meant));
        match sure.as_slice() {
            [] => sure,
            // Of samples that a name ends in, it means the one that has the same before it as others have.
            [only] if found.len() > 1 && is_usual(only) && found.iter().all(|id| self.ends_in(name, *id)) => {
                sure
            }
            _ => found,
        }
    }

    /// Whether a name ends in the whole path of a sample.
    fn ends_in(&self, name: &[u8], id: SampleId) -> bool {
        Path::new(OsStr::from_bytes(name)).ends_with(self.manifest.path(id))
    }

    /// The samples that a name may mean: those that were found by their whole paths or by their stems, unless another one may be
    /// meant as well.
    fn or_others(&self, found: Vec<SampleId>, name: &[u8], by_stem: bool) -> Vec<SampleId> {
        let at = usize::from(by_stem);
        let in_doubt = self
            .nested
            .iter()
            .flatten()
            .find_map(|nested| nested[at].in_doubt(name, &self.before[at], self.manifest));
        match (in_doubt, &found[..]) {
            (Some(several), [_]) => several.map(SampleId).to_vec(),
            _ => found,
        }
    }

    /// The samples of each path that several have, in order, by the one that [`Joiner::exact`] finds.
    pub(crate) fn repeated(&self) -> BTreeMap<SampleId, Vec<SampleId>> {
        let of = |id: SampleId| self.exact.get(self.manifest.path(id).as_os_str().as_bytes()).copied();
        let others = self.manifest.ids().filter(|id| of(*id) != Some(*id));
        let mut all: BTreeMap<SampleId, Vec<SampleId>> = BTreeMap::new();
        others.for_each(|id| all.entry(of(id).unwrap_or(id)).or_default().push(id));
        all.iter_mut().for_each(|(last, samples)| samples.push(*last));
        all
    }

    /// The sample with exactly this path; the last if several have it.
    pub(crate) fn exact(&self, bytes: &[u8]) -> Option<SampleId> {
        if let Some(id) = self.exact.get(bytes) {
            return Some(*id);
        }
        let path = Path::new(OsStr::from_bytes(bytes));
        let relative = path.strip_prefix(self.manifest.root()).or_else(|_| path.strip_prefix("."));
        relative.ok().and_then(|path| self.exact.get(path.as_os_str().as_bytes())).copied()
    }

    /// The sample with exactly this path, or else the only one whose path ends with it, or the other way round.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Option<SampleId> {
        let bytes = &*without_dots(bytes);
        self.exact(bytes).or_else(|| {
            let found = self.ending(bytes);
            only(&self.sure(bytes, found))
        })
    }

    /// The samples that a name means that need not be a path in full: the one with this path, or else those whose path ends with
    /// it or the other way round, or else those with this stem.
    pub(crate) fn loosely(&mut self, name: &str) -> Vec<SampleId> {
        let (name, found) = self.spelled(name);
        self.sure(name.as_bytes(), found)
    }

    /// The samples that a name seems to mean, and how it is spelled for that.
    fn spelled(&mut self, name: &str) -> (String, Vec<SampleId>) {
        let slashed = name.replace('\\', "/");
        let name = slashed.strip_prefix("file://").unwrap_or(&slashed);
        let name = String::from_utf8_lossy(&without_dots(name.as_bytes())).into_owned();
        let as_written = self.as_written(name.as_bytes());
        if !as_written.is_empty() {
            return (name, as_written);
        }
        let bare = match name.contains("://") {
            true => name.split(['?', '#']).next().unwrap_or(&name),
            false => &name,
        };
        let bare = Some(bare.trim()).filter(|bare| *bare != name).map(str::to_owned);
        for other in spellings(&name).into_iter().chain(bare) {
            let found = self.as_written(other.as_bytes());
            if !found.is_empty() {
                return (other, found);
            }
        }
        (name, Vec::new())
    }

    /// The samples by the number at the end of their stems, 7 for `0007.jpg` and `img_0007.jpg`; `None` unless all have one, of
    /// their own.
    pub(crate) fn by_file_number(&self) -> Option<HashMap<u64, SampleId>> {
        let mut numbers = HashMap::with_capacity(self.manifest.len());
        for id in self.manifest.ids() {
            let stem = self.manifest.path(id).file_stem()?.as_bytes();
            let end = stem.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let digits = std::str::from_utf8(&stem[stem.len() - end..]).ok()?;
            if numbers.insert(digits.parse().ok()?, id).is_some() {
                return None;
            }
        }
        Some(numbers)
    }

    fn as_written(&mut self, name: &[u8]) -> Vec<SampleId> {
        if let Some(id) = self.exact(name) {
            return vec![id];
        }
        let ending = self.ending(name);
        if ending.is_empty() { self.stemmed(name) } else { ending }
    }

    /// The rest of a path in the dataset's folder, which is meant whole.
    fn inside<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let root = self.manifest.root();
        path.strip_prefix(root).ok().filter(|_| root.is_absolute())
    }

    /// The samples whose path ends with this one, or the other way round.
    fn ending(&mut self, bytes: &[u8]) -> Vec<SampleId> {
        let path = Path::new(OsStr::from_bytes(bytes));
        if self.inside(path).is_some() {
            return Vec::new();
        }
        let manifest = self.manifest;
        let names = self.names.get_or_insert_with(|| by(manifest, Path::file_name));
        let alike = path.file_name().and_then(|name| names.get(name)).into_iter().flatten().copied();
        let fits = |id: &SampleId| manifest.path(*id).ends_with(path) || path.ends_with(manifest.path(*id));
        let found = alike.filter(fits).collect();
        self.or_others(found, bytes, false)
    }

    /// The samples whose path without its extension ends with this one, or the other way round. A path with the extension
    /// of a picture is no stem: the same name with another one is another picture.
    fn stemmed(&mut self, bytes: &[u8]) -> Vec<SampleId> {
        let path = Path::new(OsStr::from_bytes(bytes));
        let extension = path.extension().and_then(OsStr::to_str).map(str::to_lowercase);
        if extension.is_some_and(|extension| IMAGE_EXTENSIONS.contains(&extension.as_str())) {
            return Vec::new();
        }
        let manifest = self.manifest;
        let stems = self.stems.get_or_insert_with(|| by(manifest, Path::file_stem));
        let alike = path.file_name().and_then(|name| stems.get(name)).into_iter().flatten().copied();
        let fits = |id: &SampleId| {
            let own = manifest.path(*id).with_extension("");
            own.ends_with(path) || path.ends_with(&own)
        };
        let found: Vec<SampleId> = alike.filter(fits).collect();
        // A path in full but for its extension is meant before a part of one.
        let inside = self.inside(path);
        let whole = |id: &&SampleId| manifest.path(**id).with_extension("") == inside.unwrap_or(path);
        if let Some(whole) = only(&found.iter().filter(whole).copied().collect::<Vec<_>>()) {
            return vec![whole];
        }
        if inside.is_some() {
            return Vec::new();
        }
        self.or_others(found, bytes, true)
    }
}

/// A path without the folders that `..` leaves again; those above the one that it begins in stay.
fn without_dots(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.split(|byte| *byte == b'/').any(|part| part == b"..") {
        return Cow::Borrowed(path);
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match (part, parts.last()) {
            (b"..", Some(last)) if !last.is_empty() && *last != b".." => _ = parts.pop(),
            (b".", _) => {}
            _ => parts.push(part),
        }
    }
    Cow::Owned(parts.join(&b'/'))
}

fn by<'a>(
    manifest: &'a Manifest,
    part: fn(&'a Path) -> Option<&'a OsStr>,
) -> HashMap<&'a OsStr, Vec<SampleId>> {
    let mut all: HashMap<&OsStr, Vec<SampleId>> = HashMap::new();
    for id in manifest.ids() {
        all.entry(part(manifest.path(id)).unwrap_or_default()).or_default().push(id);
    }
    all
}

fn only(found: &[SampleId]) -> Option<SampleId> {
    if let [one] = found { Some(*one) } else { None }
}
