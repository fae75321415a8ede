//! Folders and files that programs leave behind: thumbnails, bins, caches, resource forks.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const SERVER: &str = "thumbnails and previews made by a file server";
const BIN: &str = "deleted files kept by the system";
const THUMBNAILS: &str = "thumbnails made by a picture viewer";
const VERSIONS: &str = "data of a version control system";
const SYSTEM: &str = "data of the operating system";
const ORIGINALS: &str = "copies kept by a picture editor";
const NOTEBOOK: &str = "copies made by a notebook editor";
const SYNC: &str = "data of a synchronization program";

/// Folder names in lower case, and what such folders hold.
const FOLDERS: &[(&str, &str)] = &[
    ("#recycle", BIN),
    ("#snapshot", SERVER),
    ("$recycle.bin", BIN),
    (".@__thumb", SERVER),
    (".@__qini", SERVER),
    (".appledb", SYSTEM),
    (".appledesktop", SYSTEM),
    (".appledouble", SYSTEM),
    (".bzvol", SYSTEM),
    (".dropbox.cache", SYNC),
    (".dtrash", BIN),
    (".dvc", VERSIONS),
    (".documentrevisions-v100", SYSTEM),
    (".fseventsd", SYSTEM),
    (".git", VERSIONS),
    (".hg", VERSIONS),
    (".ipynb_checkpoints", NOTEBOOK),
    (".picasaoriginals", ORIGINALS),
    (".pics", THUMBNAILS),
    (".snapshot", SERVER),
    (".snapshots", SERVER),
    (".spotlight-v100", SYSTEM),
    (".stfolder", SYNC),
    (".stversions", SYNC),
    (".svn", VERSIONS),
    (".sync", SYNC),
    (".temporaryitems", SYSTEM),
    (".thumb", THUMBNAILS),
    (".thumbnails", THUMBNAILS),
    (".thumbs", THUMBNAILS),
    (".trash", BIN),
    (".trashes", BIN),
    (".xvpics", THUMBNAILS),
    ("@eadir", SERVER),
    ("@recently-snapshot", SERVER),
    ("@recycle", BIN),
    ("@tmp", SERVER),
    ("__macosx", "resource forks from an archive made on macOS"),
    ("__pycache__", "compiled Python code"),
    ("_gsdata_", SYNC),
    ("_thumb", THUMBNAILS),
    ("_thumbs", THUMBNAILS),
    ("_vti_cnf", SYSTEM),
    ("found.000", SYSTEM),
    ("lost+found", SYSTEM),
    ("recycler", BIN),
    ("system volume information", SYSTEM),
];

/// File names in lower case, without those that begin with a dot.
const FILES: &[&str] = &[
    "desktop.ini",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "icon\r",
    "iconcache.db",
    "picasa.ini",
    "pspbrwse.jbf",
    "thumbs.db",
    "zbthumbnail.info",
];

/// Why nothing below a folder of this name belongs to a dataset; `None` for any other folder.
pub(super) fn folder(name: &OsStr) -> Option<&'static str> {
    let name = name.to_str()?.to_ascii_lowercase();
    if name.starts_with(".trash-") {
        return Some(BIN);
    }
    if name.ends_with(".lrdata") {
        return Some("previews made by Lightroom");
    }
    FOLDERS.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}

/// Whether a file of this name was left by the system or by a picture viewer.
pub(super) fn file(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    if bytes.starts_with(b"._") || bytes.eq_ignore_ascii_case(b".ds_store") || bytes.starts_with(b".nfs") {
        return true;
    }
    name.to_str().is_some_and(|name| FILES.contains(&name.to_ascii_lowercase().as_str()))
}

/// Whether a file stands for one that is not there (yet): what iCloud leaves of a file that it took away, and unfinished
/// downloads.
pub(super) fn placeholder(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let name = name.to_ascii_lowercase();
    let ends =
        [".icloud", ".crdownload", ".part", ".partial", ".download", ".opdownload", ".!qb", ".!ut", ".aria2"];
    // Of the file it stands for, the extension is left.
    let inner = ends.iter().find_map(|end| name.strip_suffix(end));
    inner.is_some_and(|inner| crate::dataset::is_image(Path::new(inner)))
}

/// Whether a name is hidden by convention.
pub(super) fn hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole_and_in_any_case() {
        for name in
            ["@eaDir", "__MACOSX", "$RECYCLE.BIN", ".Trash-1000", "Photos Previews.lrdata", "lost+found"]
        {
            assert!(folder(OsStr::new(name)).is_some(), "{name}");
        }
        for name in ["thumb", "git", "recycle", "eaDir", "trash", "cat"] {
            assert_eq!(folder(OsStr::new(name)), None, "{name}");
        }
        for name in ["Thumbs.db", "._0001.jpg", ".DS_Store", "Desktop.ini"] {
            assert!(file(OsStr::new(name)), "{name}");
        }
        assert!(!file(OsStr::new("thumbs.jpg")) && hidden(OsStr::new(".a")) && !hidden(OsStr::new("a.")));
    }
}
