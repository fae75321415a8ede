//! Tables none of whose files exist: what would fit instead.

use super::path_spellings::{self, Spelling};
use super::{DatasetOptions, IMAGE_EXTENSIONS, Opened, label_studio};
use crate::{Error, Result};
use chaffinch_data::class_names;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::packing::is_address;
use chaffinch_protocol::RemarkKind;
use chaffinch_protocol::display::{counted, excerpt_path, safe_path, thousands};
use chaffinch_protocol::sample::SampleId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How many files are looked for before a table counts as one of missing files.
const LOOKED_FOR: usize = 20_000;
/// How many files without a match decide on a suggestion.
const PROBES: usize = 32;
/// How many folders above the table are tried as roots.
const ABOVE: usize = 6;
/// How many folders beside the table are tried as roots.
const BESIDE: usize = 200;

/// Checks that a table's files exist, and reads paths with backslashes as paths with slashes if those exist instead.
///
/// # Errors
/// When none of the files exists: with the first path that was tried, and what would fit.
pub(super) fn settle(opened: Opened, table: &Path, options: &DatasetOptions) -> Result<Opened> {
    let Opened { manifest, ledger } = opened;
    let (manifest, mut ledger) = match with_slashes(&manifest) {
        Some((slashed, changed)) => {
            let mut ledger = ledger;
            let rows = counted(changed, "path has", "paths have");
            let text = format!("{rows} backslashes, which were read as slashes");
            ledger.add(RemarkKind::LayoutGuessed, changed, text);
            (slashed, ledger)
        }
        None => (manifest, ledger),
    };
    let manifest = match respelled(&manifest) {
        Some((found, counts)) => {
            path_spellings::tell(&counts, "", &mut ledger);
            found
        }
        None => manifest,
    };
    // Sorting is the ledger's matter; what follows only adds to it.
    let exists = |id: SampleId| fs::symlink_metadata(manifest.full_path(id)).is_ok();
    if manifest.ids().take(LOOKED_FOR).any(exists) || manifest.is_empty() {
        let urls = manifest.ids().filter(|&id| is_url(manifest.path(id))).count() as u64;
        let rows = counted(urls, "row names", "rows name");
        ledger.add(
            RemarkKind::FilesMissing,
            urls,
            format!("{rows} a web address instead of a file; download it"),
        );
        return Ok(Opened { manifest, ledger });
    }
    Err(Error::Dataset { path: table.to_path_buf(), message: message(&manifest, table, options) })
}

fn message(manifest: &Manifest, table: &Path, options: &DatasetOptions) -> String {
    let looked = manifest.len().min(LOOKED_FOR);
    let files = match (looked, manifest.len()) {
        (1, 1) => "its only file does not exist".to_owned(),
        (looked, all) if looked == all => format!("none of its {} files exists", thousands(all as u64)),
        (looked, _) => format!("none of its first {} files exists", thousands(looked as u64)),
    };
    let first = manifest.full_path(SampleId(0));
    let advice = advice(manifest, table, options).unwrap_or_else(|| {
        "check the path column, choose the folder with --root, or mount the disk".to_owned()
    });
    let guess = manifest.table().map(|form| form.encoding.as_str()).filter(|name| {
        let text = first.to_string_lossy();
        !text.is_ascii() && *name != "UTF-8" && !name.starts_with("UTF-16")
    });
    let guess = guess.map_or_else(String::new, |name| {
        format!("; the table was read as {name}, which is a guess: save it as UTF-8 if the name looks wrong")
    });
    let shown = if is_base64(manifest.path(SampleId(0))) { excerpt_path(&first) } else { safe_path(&first) };
    format!("{files}; the first one tried is {shown}{guess}; {advice}")
}

/// Some samples from the whole table, in order.
fn probes(manifest: &Manifest) -> Vec<SampleId> {
    let step = manifest.len().div_ceil(PROBES).max(1);
    (0..manifest.len()).step_by(step).map(|row| SampleId(row as u32)).collect()
}

/// The manifest with slashes in place of backslashes, and how many paths changed: if no path with a backslash exists,
/// and one of them does with slashes.
fn with_slashes(manifest: &Manifest) -> Option<(Manifest, u64)> {
    let has = |id: &SampleId| manifest.path(*id).as_os_str().as_bytes().contains(&b'\\');
    let probes: Vec<SampleId> = manifest.ids().filter(has).take(PROBES).collect();
    if probes.iter().any(|&id| manifest.full_path(id).exists()) {
        return None;
    }
    let fits = |id: &SampleId| manifest.root().join(slashed(manifest.path(*id))).exists();
    if !probes.iter().any(fits) {
        return None;
    }
    let changed = manifest.ids().filter(has).count() as u64;
    Some((manifest.clone().with_paths(slashed), changed))
}

fn slashed(path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    let bytes: Vec<u8> = bytes.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
    PathBuf::from(OsString::from_vec(bytes))
}

/// The manifest with the names of files as they are on disk, where they are written in another way there, and how many paths
/// changed in which way; `None` if none did.
fn respelled(manifest: &Manifest) -> Option<(Manifest, BTreeMap<Spelling, u64>)> {
    let there = |path: &Path| {
        let others = path_spellings::others(path.to_str()?);
        if others.is_empty() || fs::symlink_metadata(manifest.root().join(path)).is_ok() {
            return None;
        }
        let exists = |other: &str| fs::symlink_metadata(manifest.root().join(other)).is_ok();
        let found = others.into_iter().find(|(_, other)| exists(other))?;
        Some((found.0, PathBuf::from(found.1)))
    };
    let found: HashMap<&Path, (Spelling, PathBuf)> =
        manifest.ids().filter_map(|id| Some((manifest.path(id), there(manifest.path(id))?))).collect();
    if found.is_empty() {
        return None;
    }
    let mut counts = BTreeMap::new();
    for (spelling, _) in manifest.ids().filter_map(|id| found.get(manifest.path(id))) {
        *counts.entry(*spelling).or_default() += 1;
    }
    let path = |path: &Path| found.get(path).map_or_else(|| path.to_path_buf(), |(_, other)| other.clone());
    Some((manifest.clone().with_paths(path), counts))
}

fn is_url(path: &Path) -> bool {
    let text = path.as_os_str().as_bytes();
    let schemes: &[&[u8]] =
        &[b"http://", b"https://", b"s3://", b"gs://", b"gcs://", b"az://", b"ftp://", b"hdfs://"];
    schemes
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// The address below which all of these are, if they are addresses of objects.
fn bucket_of(paths: &[PathBuf]) -> Option<PathBuf> {
    let parts = |path: &PathBuf| -> Option<Vec<String>> {
        let text = path.to_str().filter(|_| is_address(path))?;
        Some(text.split('/').map(str::to_owned).collect())
    };
    let all: Vec<Vec<String>> = paths.iter().map(parts).collect::<Option<_>>()?;
    let (first, others) = all.split_first()?;
    let shared = |at: &usize| others.iter().all(|other| other.get(*at) == first.get(*at));
    let count = (0..first.len().saturating_sub(1)).take_while(shared).count();
    // The scheme, nothing, and the name of the bucket.
    (count >= 3).then(|| PathBuf::from(first[..count].join("/")))
}

/// Whether a path is a picture as text: in Base64, with or without `data:image/…;base64,` before it.
fn is_base64(path: &Path) -> bool {
    /// How JPEG, PNG, GIF, WebP, BMP and TIFF begin.
    const STARTS: [&str; 7] = ["/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "Qk", "SUkqA", "TU0AKg"];
    let text = path.to_string_lossy();
    let data = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).map(|(_, data)| data);
    let data = data.unwrap_or(&text);
    let sign = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c) || c.is_ascii_whitespace();
    data.len() > 100 && STARTS.iter().any(|start| data.starts_with(start)) && data.chars().all(sign)
}

/// What would make the files exist, as an instruction.
fn advice(manifest: &Manifest, table: &Path, options: &DatasetOptions) -> Option<String> {
    let probes: Vec<PathBuf> =
        probes(manifest).into_iter().map(|id| manifest.path(id).to_path_buf()).collect();
    let first = probes.first()?;
    if let Some(advice) = first.to_str().and_then(label_studio::advice) {
        return Some(advice);
    }
    if let Some(folder) = bucket_of(&probes) {
        return Some(format!(
            "these are objects of a bucket: read them there with --root {}",
            quoted(&folder)
        ));
    }
    if probes.iter().all(|path| is_url(path)) {
        return Some(
            "these are web addresses: download the files and write their paths to the table".to_owned(),
        );
    }
    if let Some(local) = first.to_str().and_then(|text| text.strip_prefix("file://"))
        && Path::new(local).exists()
    {
        return Some("the paths begin with file://: remove that from the table".to_owned());
    }
    if probes.iter().all(|path| is_base64(path)) {
        return Some(
            "these are pictures in Base64, not paths: decode them to a column of bytes, or write them to files".to_owned(),
        );
    }
    let root = manifest.root();
    for path in &probes {
        let full = root.join(path);
        if let Some(found) = other_extension(&full) {
            return Some(format!("{} exists: correct the extensions in the table", safe_path(&found)));
        }
        if let Some(found) = other_case(&full) {
            return Some(format!("{} exists: names are case-sensitive", safe_path(&found)));
        }
    }
    let slashed_first = slashed(first);
    for (path, by) in [(first.as_path(), ""), (&slashed_first, ", with slashes in place of backslashes")] {
        if let Some(advice) = elsewhere(path, manifest, table, options) {
            return Some(format!("{advice}{by}"));
        }
        if by.is_empty() && slashed_first == *first {
            break;
        }
    }
    None
}

/// Whether a file is found below another root, or below the same one without its leading folders.
fn elsewhere(path: &Path, manifest: &Manifest, table: &Path, options: &DatasetOptions) -> Option<String> {
    let root = manifest.root();
    let home = table.parent().unwrap_or(Path::new("/"));
    let mut roots: Vec<PathBuf> = vec![home.to_path_buf(), root.to_path_buf()];
    roots.extend(root.ancestors().skip(1).take(ABOVE).map(Path::to_path_buf));
    roots.extend(home.ancestors().skip(1).take(ABOVE).map(Path::to_path_buf));
    for folder in [home, root] {
        roots.extend(folders(folder));
    }
    if let Some(parent) = home.parent() {
        roots.extend(folders(parent));
    }
    let relative: PathBuf = path.iter().filter(|part| *part != OsStr::new("/")).collect();
    if path.is_relative() {
        if let Some(advice) = in_other_roots(path, manifest, &roots) {
            return Some(advice);
        }
        for candidate in roots.iter().filter(|candidate| candidate.as_path() != root) {
            let with_extension = || other_extension(&candidate.join(&relative));
            if let Some(found) = with_extension() {
                return Some(format!(
                    "{} exists: correct the extensions in the table and use --root {}",
                    safe_path(&found),
                    quoted(candidate)
                ));
            }
        }
    }
    let parts: Vec<&OsStr> = relative.iter().collect();
    for skip in 1..parts.len() {
        let rest: PathBuf = parts[skip..].iter().collect();
        let gone: PathBuf = parts[..skip].iter().collect();
        let absolute = if path.is_absolute() { "/" } else { "" };
        for candidate in &roots {
            if candidate.join(&rest).exists() {
                let how = match (options.root.as_deref(), candidate == home) {
                    (None, true) => String::new(),
                    _ => format!(" and use --root {}", quoted(candidate)),
                };
                return Some(format!(
                    "{} exists: remove {absolute}{} from the paths in the table{how}",
                    safe_path(&candidate.join(&rest)),
                    safe_path(&gone)
                ));
            }
        }
    }
    None
}

/// Which root has the files, or what to do where one would give rows the pictures of others: the file is in several folders, of
/// which not only one has all that are looked for, or in one that is called like a class of which not all rows are.
fn in_other_roots(path: &Path, manifest: &Manifest, roots: &[PathBuf]) -> Option<String> {
    let is_other = |folder: &&PathBuf| folder.as_path() != manifest.root() && folder.join(path).exists();
    let found: BTreeSet<&PathBuf> = roots.iter().filter(is_other).collect();
    let probes = probes(manifest);
    let is_class = |folder: &Path| {
        let name = folder.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        let is = |id: &&SampleId| class_names::same(manifest.label_name(**id), &name);
        let own = probes.iter().filter(is).count();
        own > 0 && own < probes.len()
    };
    let has_all = |folder: &&&PathBuf| probes.iter().all(|&id| folder.join(manifest.path(id)).exists());
    let whole: Vec<&&PathBuf> = found.iter().filter(has_all).collect();
    let best = match (whole.as_slice(), found.len()) {
        ([one], _) => Some(**one),
        (_, 1) => found.first().copied(),
        _ => None,
    };
    if let Some(best) = best.filter(|best| !is_class(best)) {
        return Some(format!("the files are there with --root {}", quoted(best)));
    }
    let first = found.first()?;
    let name = first.file_name().map(Path::new).unwrap_or(Path::new(""));
    let choose =
        if whole.iter().any(|one| !is_class(one)) { ", or choose one of them with --root" } else { "" };
    let instead = format!(
        "write the folder of each picture in the paths of the table, such as {}{choose}",
        safe_path(&name.join(path))
    );
    let first = safe_path(&first.join(path));
    Some(match found.iter().nth(1) {
        Some(second) => {
            let second = safe_path(&second.join(path));
            format!(
                "names repeat in several folders, and do not say which is meant: {first} and {second} exist; {instead}"
            )
        }
        None => format!(
            "{first} exists in a folder called like one of the classes, and rows have others, too; {instead}"
        ),
    })
}

/// The folders in a folder, in byte order.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .take(BESIDE)
        .filter(|path| path.is_dir())
        .collect();
    found.sort_unstable();
    found
}

/// The same file with another extension, or with one at all.
fn other_extension(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    let stem = path.file_stem()?;
    IMAGE_EXTENSIONS
        .iter()
        .flat_map(|extension| [(*extension).to_owned(), extension.to_ascii_uppercase()])
        .flat_map(|extension| {
            [stem, name].map(|start| {
                let mut name = start.to_os_string();
                name.push(".");
                name.push(&extension);
                path.with_file_name(name)
            })
        })
        .find(|candidate| candidate != path && candidate.exists())
}

/// A file whose path differs in the case of letters only.
fn other_case(path: &Path) -> Option<PathBuf> {
    let mut found = PathBuf::from("/");
    for part in path.iter().filter(|part| *part != OsStr::new("/")) {
        let exact = found.join(part);
        if exact.exists() {
            found = exact;
            continue;
        }
        let mut names: Vec<OsString> = fs::read_dir(&found)
            .ok()?
            .take(10_000)
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .collect();
        names.sort_unstable();
        found = found.join(names.into_iter().find(|name| name.eq_ignore_ascii_case(part))?);
    }
    (found != path && found.exists()).then_some(found)
}

/// A path as it is typed in a shell.
fn quoted(path: &Path) -> String {
    let text = safe_path(path);
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@,".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A folder with a table of these paths, and with these files.
    fn folder(paths: &[&str], files: &[&str]) -> (TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let home = temp.path().join("home");
        fs::create_dir(&home).unwrap();
        for file in files {
            let path = home.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let table = home.join("t.csv");
        fs::write(
            &table,
            format!("path,label\n{}", paths.iter().map(|path| format!("{path},a\n")).collect::<String>()),
        )
        .unwrap();
        (temp, table)
    }

    fn error(paths: &[&str], files: &[&str]) -> String {
        let (_temp, table) = folder(paths, files);
        super::super::open(&table, &DatasetOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn the_first_path_and_what_would_fit_are_named() {
        let plain = error(&["a/1.jpg", "a/2.jpg"], &[]);
        assert!(plain.contains("none of its 2 files exists; the first one tried is /"), "{plain}");
        assert!(plain.contains("home/a/1.jpg"), "{plain}");
        let root = error(&["1.jpg"], &["pictures/1.jpg"]);
        assert!(root.contains("with --root /") && root.ends_with("/pictures"), "{root}");
        let prefix = error(&["/mnt/other/set/a/1.jpg"], &["a/1.jpg"]);
        assert!(prefix.contains("home/a/1.jpg exists: remove /mnt/other/set from the paths"), "{prefix}");
        let windows = error(&["C:\\data\\a\\1.jpg"], &["a/1.jpg"]);
        assert!(windows.contains("remove C:/data from") && windows.contains("slashes"), "{windows}");
        let extension = error(&["a/1.png"], &["a/1.jpg"]);
        assert!(extension.contains("a/1.jpg exists: correct the extensions"), "{extension}");
        let none = error(&["a/1"], &["a/1.JPG"]);
        assert!(none.contains("a/1.JPG exists: correct the extensions"), "{none}");
        let case = error(&["A/1.jpg"], &["a/1.jpg"]);
        assert!(case.contains("home/a/1.jpg exists: names are case-sensitive"), "{case}");
        let url = error(&["https://example.org/1.jpg"], &["1.jpg"]);
        assert!(url.contains("web addresses: download"), "{url}");
        let bucket = error(&["s3://pets/set/a/1.jpg", "s3://pets/set/b/2.jpg"], &["1.jpg"]);
        assert!(bucket.ends_with("read them there with --root s3://pets/set"), "{bucket}");
    }

    #[test]
    fn no_root_is_advised_that_gives_rows_the_pictures_of_others() {
        let said = |rows: &str, files: &[&str]| {
            let (_temp, table) = folder(&[], files);
            fs::write(&table, format!("path,label\n{rows}")).unwrap();
            super::super::open(&table, &DatasetOptions::default()).unwrap_err().to_string()
        };
        let classes = "1.jpg,ant\n1.jpg,bee\n2.jpg,bee\n";
        let text = said(classes, &["ant/1.jpg", "bee/1.jpg", "bee/2.jpg"]);
        assert!(text.contains("names repeat in several folders") && !text.contains("--root"), "{text}");
        assert!(text.contains("in the paths of the table, such as ant/1.jpg"), "{text}");
        let splits =
            said("1.jpg,ant\n2.jpg,bee\n", &["train/1.jpg", "train/2.jpg", "val/1.jpg", "val/2.jpg"]);
        assert!(splits.contains("names repeat in several folders"), "{splits}");
        let alone = said("1.jpg,ant\n2.jpg,bee\n", &["ant/1.jpg", "bee/2.jpg"]);
        assert!(alone.contains("called like one of the classes") && !alone.contains("--root"), "{alone}");
        // One of them has all.
        let whole = said("1.jpg,ant\n2.jpg,bee\n", &["a few/1.jpg", "all/1.jpg", "all/2.jpg"]);
        assert!(whole.contains("with --root /") && whole.ends_with("/all"), "{whole}");
    }

    #[test]
    fn backslashes_are_slashes_where_those_exist() {
        let (_temp, table) = folder(&["a\\1.jpg", "b/2.jpg", "a\\3.jpg"], &["a/1.jpg", "b/2.jpg"]);
        let opened = super::super::open(&table, &DatasetOptions::default()).unwrap();
        let paths: Vec<&Path> = opened.manifest.ids().map(|id| opened.manifest.path(id)).collect();
        assert_eq!(paths, ["a/1.jpg", "b/2.jpg", "a/3.jpg"].map(Path::new));
        assert_eq!(opened.ledger.remarks[0].text, "2 paths have backslashes, which were read as slashes");
        // A backslash may be part of a name.
        let (_temp, table) = folder(&["a\\1.jpg"], &["a\\1.jpg"]);
        let opened = super::super::open(&table, &DatasetOptions::default()).unwrap();
        assert!(opened.manifest.path(SampleId(0)) == Path::new("a\\1.jpg") && opened.ledger.is_empty());
    }

    #[test]
    fn paths_in_another_spelling_are_read_where_the_files_are() {
        let files = ["a b/1.jpg", "2.jpg", "3.jpg"];
        let (_temp, table) = folder(&["a%20b/1.jpg", "2.jpg ", "3.jpg"], &files);
        let opened = super::super::open(&table, &DatasetOptions::default()).unwrap();
        let paths: Vec<&Path> = opened.manifest.ids().map(|id| opened.manifest.path(id)).collect();
        assert_eq!(paths, files.map(Path::new));
        let said: Vec<&str> = opened.ledger.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert!(said.contains(&"1 path has blanks at an end, and was read without them"), "{said:?}");
        assert!(said.contains(&"1 path has escapes such as %20, and was read without them"), "{said:?}");
        // A name may have such signs.
        let (_temp, table) = folder(&["a%20b.jpg"], &["a%20b.jpg", "a b.jpg"]);
        let opened = super::super::open(&table, &DatasetOptions::default()).unwrap();
        assert!(opened.manifest.path(SampleId(0)) == Path::new("a%20b.jpg") && opened.ledger.is_empty());
    }

    #[test]
    fn pictures_as_text_are_no_paths() {
        let picture = format!("/9j/4AAQSkZJRgABAQ{}", "AAAA".repeat(40));
        let base64 = error(&[&picture, &picture], &[]);
        assert!(base64.contains("pictures in Base64, not paths"), "{base64}");
    }

    #[test]
    fn one_file_that_exists_is_enough() {
        let (_temp, table) = folder(&["gone.jpg", "here.jpg"], &["here.jpg"]);
        assert_eq!(super::super::open(&table, &DatasetOptions::default()).unwrap().manifest.len(), 2);
    }
}
