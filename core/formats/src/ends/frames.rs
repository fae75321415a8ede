//! What stands before the common end of a name and of the path of the sample that it seems to mean: in the rows of one file, this is
//! the same. A row where it is not names a picture that is gone, or that was never in the dataset, rather than one that happens to
//! have the same end.

use super::{common, components, reversed};
use crate::dataset::{plain_split, split_of_folder};
use chaffinch_protocol::sample::Split;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How often another frame must occur for each time of one that is doubtful for it.
const CLEARLY: usize = 2;

/// How a name and the path of a sample go together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Frame {
    /// The name is in the dataset's folder, and this is not its path there.
    Gone,
    /// The name has another split where the dataset's folder or the sample has its own.
    OtherSplit,
    /// The name is the path.
    Whole { absolute: bool, single: bool },
    /// The name has this before the path.
    Before { absolute: bool, before: Vec<u8> },
    /// The path has so many folders before the name, which has so many parts.
    Part { absolute: bool, parts: usize, folders: usize },
    /// Both have something before their common end.
    Differ { before: Vec<u8>, instead: Vec<u8> },
    /// It is unknown what they have in common.
    Unknown,
}

/// A sample that a name seems to mean.
pub(crate) struct Meant<'a> {
    pub(crate) row: u32,
    /// The key of its path.
    pub(crate) path: &'a [u8],
    /// The split that the dataset says it is in.
    pub(crate) split: Split,
    /// Whether a folder may be called so for what the dataset says of the sample.
    pub(crate) is_said: &'a dyn Fn(&[u8]) -> bool,
}

/// The frames of the names of a file.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The key of the dataset's folder, and whether it is absolute.
    root: Vec<u8>,
    is_absolute: bool,
    counts: BTreeMap<Frame, usize>,
    /// The frame of the first name of each sample.
    of_rows: HashMap<u32, Frame>,
    /// Samples that names of several frames mean, and these frames.
    contested: (HashSet<u32>, HashSet<Frame>),
    /// Names without a sample.
    missing: usize,
    /// Whether each sample has one name, and each name one sample.
    is_whole: bool,
    sums: Sums,
}

/// Numbers of names of several frames.
#[derive(Debug, Default)]
struct Sums {
    /// Relative names that are paths, without and with folders.
    whole: [usize; 2],
    /// Names with something before paths, relative and absolute.
    before: [usize; 2],
    /// Names that are parts of paths, relative and absolute.
    parts: [usize; 2],
    /// Names that have something else before the end that they share with a path.
    differ: usize,
    /// What most names have before paths, relative and absolute: how many.
    most_before: [usize; 2],
    /// Names with something before paths, or nothing, at most: those of one kind.
    most: usize,
    /// The most folders of the dataset before paths, in all names and in those with the same above the first one.
    affinities: (usize, HashMap<Vec<u8>, usize>),
    /// How many names of so many parts, relative or absolute, are in the depth that most of these are in.
    most_parts: HashMap<(bool, usize), usize>,
    /// Pairs of what differs, and how many names have the most frequent one, and the next.
    pairs: usize,
    most_differ: usize,
    next_differ: usize,
    /// What stands in these names, and how often, and what in the paths.
    befores: HashMap<Vec<u8>, usize>,
    insteads: HashSet<Vec<u8>>,
}

impl Frames {
    /// For a dataset in this folder.
    pub(crate) fn new(root: &Path) -> Frames {
        let root = root.as_os_str().as_bytes();
        Frames { root: reversed(root), is_absolute: is_absolute(root), ..Frames::default() }
    }

    /// The key of a name in the dataset's folder below this folder; `None` if it is elsewhere.
    pub(super) fn inside<'k>(&self, name: &[u8], key: &'k [u8]) -> Option<&'k [u8]> {
        let rest = key.strip_suffix(self.root.as_slice())?;
        let inside = !self.root.is_empty() && self.is_absolute && is_absolute(name) && rest.ends_with(&[0]);
        inside.then_some(rest)
    }

    /// What stands before an end that is the dataset's folder, or the end of its path, is nothing.
    fn is_root(&self, before: &[u8]) -> bool {
        !self.root.is_empty() && (self.root.starts_with(before) || before.starts_with(&self.root))
    }

    /// Whether what stands before an end is in another split than the dataset's folder, which has its place, or the sample.
    fn is_other_split(&self, before: &[u8], own: Split) -> bool {
        // What lies in a folder of each split may be in one of the same name there.
        let is_same = |(named, here): &(&[u8], &[u8])| match own {
            Split::None => named.eq_ignore_ascii_case(here),
            _ => named == here && named.eq_ignore_ascii_case(b"images"),
        };
        let same = components(before).zip(components(&self.root)).take_while(is_same).count();
        let [named, here] =
            [before, &self.root].map(|path| components(path).nth(same).map(OsStr::from_bytes));
        match own {
            Split::None => {
                let (said, here) = (named.and_then(split_of_folder), here.and_then(split_of_folder));
                said.is_some() && here.is_some() && said != here
            }
            own => {
                let (said, here) = (named.and_then(plain_split), here.and_then(plain_split));
                said.is_some_and(|said| own != said && here != Some(said))
            }
        }
    }

    fn frame(&self, name: &[u8], meant: &Meant<'_>) -> Frame {
        let (key, absolute) = (reversed(name), is_absolute(name));
        let length = common(&key, meant.path);
        let stemmed = if length == 0 { without_extension(meant.path) } else { None };
        let path = stemmed.as_deref().unwrap_or(meant.path);
        if let Some(rest) = self.inside(name, &key) {
            let single = components(rest).count() == 1;
            return if rest == path { Frame::Whole { absolute, single } } else { Frame::Gone };
        }
        let length = common(&key, path);
        let (before, instead) = (&key[length..], &path[length..]);
        if length == 0 {
            return Frame::Unknown;
        }
        if self.is_other_split(before, meant.split) {
            return Frame::OtherSplit;
        }
        // A folder that is called like the class or the split of the sample says no more than these.
        let mut rest = before;
        while let Some(folder) = components(rest).next().filter(|folder| (meant.is_said)(folder)) {
            rest = &rest[folder.len() + 1..];
        }
        let bare = if self.is_root(before) { &[][..] } else { rest };
        match (before.is_empty(), instead.is_empty()) {
            (true, true) => Frame::Whole { absolute, single: components(&key).count() == 1 },
            (false, true) => Frame::Before { absolute, before: bare.to_vec() },
            (true, false) => {
                let folders = components(instead).count();
                Frame::Part { absolute, parts: components(&key).count(), folders }
            }
            (false, false) => Frame::Differ { before: bare.to_vec(), instead: instead.to_vec() },
        }
    }

    /// Adds a name and what it seems to mean, if it seems to mean one sample.
    pub(crate) fn add(&mut self, name: &[u8], meant: Option<Meant<'_>>) {
        let Some(meant) = meant else {
            self.missing += 1;
            return;
        };
        let frame = self.frame(name, &meant);
        if frame == Frame::OtherSplit {
            self.missing += 1;
            return;
        }
        match self.of_rows.get(&meant.row) {
            Some(other) if *other != frame => {
                self.contested.0.insert(meant.row);
                self.contested.1.extend([other.clone(), frame.clone()]);
            }
            Some(_) => {}
            None => _ = self.of_rows.insert(meant.row, frame.clone()),
        }
        *self.counts.entry(frame).or_default() += 1;
    }

    /// Ends with all names of a file for a dataset of so many samples.
    pub(crate) fn finish(mut self, samples: usize) -> Frames {
        let names: usize = self.counts.values().sum();
        self.is_whole = self.missing == 0 && names == samples && self.of_rows.len() == samples;
        let mut sums = Sums::default();
        for (frame, &count) in &self.counts {
            match frame {
                Frame::Whole { absolute: false, single } => sums.whole[usize::from(!single)] += count,
                Frame::Before { absolute, before } => {
                    let at = usize::from(*absolute);
                    sums.before[at] += count;
                    sums.most_before[at] = sums.most_before[at].max(count);
                    let own = self.affinity(before);
                    let (most, beside) = &mut sums.affinities;
                    *most = (*most).max(own);
                    let beside = beside.entry(Frames::above(before).to_vec()).or_default();
                    *beside = (*beside).max(own);
                }
                Frame::Part { absolute, parts, .. } => {
                    sums.parts[usize::from(*absolute)] += count;
                    let most = sums.most_parts.entry((*absolute, *parts)).or_default();
                    *most = (*most).max(count);
                }
                Frame::Differ { before, instead } => {
                    sums.differ += count;
                    sums.pairs += 1;
                    sums.next_differ = sums.next_differ.max(count.min(sums.most_differ));
                    sums.most_differ = sums.most_differ.max(count);
                    *sums.befores.entry(before.clone()).or_default() += count;
                    sums.insteads.insert(instead.clone());
                }
                Frame::Whole { .. } | Frame::Gone | Frame::OtherSplit | Frame::Unknown => {}
            }
        }
        sums.most = sums.most_before[0].max(sums.most_before[1]).max(self.bare(true) + self.bare(false));
        self.sums = sums;
        self
    }

    /// What is above the first folder before a path.
    fn above(before: &[u8]) -> &[u8] {
        let first = components(before).next().map_or(0, <[u8]>::len);
        before.get(first + 1..).unwrap_or_default()
    }

    /// How many folders before a path are those that the dataset is in.
    fn affinity(&self, before: &[u8]) -> usize {
        let both = components(before).zip(components(&self.root));
        both.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
    }

    /// Whether other names have more of the dataset's folder before paths: any of them, or one in the same place, which then is not
    /// the folder of all rows.
    fn is_elsewhere(&self, before: &[u8], beside: bool) -> bool {
        let (most, most_beside) = &self.sums.affinities;
        let most = if beside { most_beside.get(Frames::above(before)) } else { Some(most) };
        most.is_some_and(|most| *most > self.affinity(before))
    }

    fn count(&self, frame: &Frame) -> usize {
        self.counts.get(frame).copied().unwrap_or_default()
    }

    /// How many names are paths, or have nothing before these but the dataset's folder.
    fn bare(&self, absolute: bool) -> usize {
        let whole = [true, false].map(|single| self.count(&Frame::Whole { absolute, single }));
        whole[0] + whole[1] + self.count(&Frame::Before { absolute, before: Vec::new() })
    }

    /// Whether a name of the file need not mean the sample that it seems to mean, since others have something else before their
    /// ends.
    pub(crate) fn doubt(&self, name: &[u8], meant: &Meant<'_>) -> bool {
        let frame = self.frame(name, meant);
        let own = self.count(&frame).max(1);
        match &frame {
            Frame::Gone | Frame::OtherSplit => true,
            Frame::Whole { .. } | Frame::Unknown => false,
            Frame::Before { before, .. } if before.is_empty() => false,
            Frame::Before { absolute, before } => {
                let most = self.sums.most_before[usize::from(*absolute)].max(self.bare(*absolute));
                let lesser = own < most && self.contested.1.contains(&frame);
                // Both are refused or left out where they mean one sample.
                let is_one = self.contested.0.contains(&meant.row);
                self.begins_otherwise(*absolute, before, own)
                    || (!self.is_whole && own < self.sums.most)
                    || self.is_elsewhere(before, self.is_whole)
                    || (lesser && !is_one)
            }
            Frame::Part { absolute, parts, .. } => {
                let at = usize::from(*absolute);
                let all = self.sums.parts[at].max(own);
                let [single, several] = self.sums.whole;
                let of_root = !absolute && (several > 0 || (single > 0 && single >= all));
                let most = self.sums.most_parts.get(&(*absolute, *parts)).copied().unwrap_or_default();
                of_root || self.sums.before[at] >= all || (most >= CLEARLY * own && !self.is_whole)
            }
            // Only whole paths were looked for.
            Frame::Differ { .. } if self.sums.differ == 0 => true,
            Frame::Differ { before, .. } => {
                let sums = &self.sums;
                // Flat on one side and in folders on the other, or in folders that go one to one.
                let (befores, insteads) = (sums.befores.len(), sums.insteads.len());
                let is_one = befores == 1 || insteads == 1;
                let is_renamed = befores == sums.pairs && insteads == sums.pairs;
                let is_told =
                    sums.most_differ * 2 > sums.differ || sums.most_differ >= CLEARLY * sums.next_differ;
                match (is_one || is_renamed, is_told) {
                    (true, _) => false,
                    (false, true) => own < sums.most_differ,
                    (false, false) => sums.befores.get(before).is_none_or(|count| count * 2 <= sums.differ),
                }
            }
        }
    }

    /// Whether other names have the same before their ends.
    pub(crate) fn is_usual(&self, name: &[u8], meant: &Meant<'_>) -> bool {
        self.count(&self.frame(name, meant)) > 0
    }

    /// Whether a name begins with what as many others have before whole paths, so that what follows should be one as well.
    fn begins_otherwise(&self, absolute: bool, before: &[u8], own: usize) -> bool {
        let ends = before.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at + 1);
        let mut shorter = ends.filter(|&at| at < before.len()).map(|at| before[at..].to_vec());
        shorter.any(|before| match self.is_root(&before) {
            true => self.bare(absolute) >= own,
            false => self.count(&Frame::Before { absolute, before }) >= own,
        }) || (!absolute && self.bare(false) >= own)
    }
}

/// Whether a path begins at the root of a computer or with an address.
pub(super) fn is_absolute(path: &[u8]) -> bool {
    let is_drive =
        |path: &[u8]| matches!(path, [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    matches!(path, [b'/', ..] | [b'\\', b'\\', ..])
        || is_drive(path)
        || path.windows(3).take(16).any(|three| three == b"://")
}

/// The key of a path without the extension of its file; `None` if it has none.
fn without_extension(key: &[u8]) -> Option<Vec<u8>> {
    let name = components(key).next()?;
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0)?;
    Some([&name[..dot], &key[name.len()..]].concat())
}

#[cfg(test)]
mod tests;
