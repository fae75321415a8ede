//! The addresses under which Label Studio serves pictures, as paths.

use chaffinch_protocol::display::safe_path;
use percent_encoding::percent_decode_str;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Where a picture may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Below the folder that is served.
    pub(super) name: PathBuf,
    /// Without what Label Studio put before the name of an upload.
    pub(super) alias: Option<PathBuf>,
    /// As it is written, if that is more than a path.
    pub(super) written: Option<PathBuf>,
}

impl Address {
    pub(super) fn of(text: &str) -> Address {
        let written = || Some(PathBuf::from(text));
        let path = after_host(text);
        if let Some(query) = path.split_once("/local-files/?").map(|(_, query)| query) {
            let value = query.split('&').find_map(|pair| pair.strip_prefix("d=")).unwrap_or_default();
            return Address { name: relative(value), alias: None, written: written() };
        }
        if let Some(rest) = path.strip_prefix("/data/upload/") {
            let name = Path::new("upload").join(relative(without_query(rest)));
            return Address { alias: without_prefix(&name), name, written: written() };
        }
        if path.len() == text.len() {
            return Address { name: PathBuf::from(text), alias: None, written: None };
        }
        let is_file = text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file://"));
        match is_file {
            true => Address { name: decoded(path), alias: None, written: None },
            false => Address { name: relative(without_query(path)), alias: None, written: written() },
        }
    }
}

/// What to give so that the picture of an address is found; `None` if it is not one of Label Studio's own.
pub(in crate::dataset) fn advice(text: &str) -> Option<String> {
    let path = after_host(text);
    if path.contains("/local-files/?") {
        let name = safe_path(&Address::of(text).name);
        return Some(format!(
            "Label Studio serves them from a folder of its machine: give the folder that has {name} in it with --root, \
             which is that of LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT, or a copy"
        ));
    }
    path.starts_with("/data/upload/").then(|| {
        let name = safe_path(&Address::of(text).name);
        format!(
            "they were uploaded to Label Studio: give its folder media, which has {name} in it, with --root, or export \
             the project together with its images"
        )
    })
}

/// The path of an address, and the whole of what is none.
fn after_host(text: &str) -> &str {
    let Some((scheme, rest)) = text.split_once("://") else { return text };
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+') {
        return text;
    }
    match rest.find('/') {
        Some(at) => &rest[at..],
        None => "",
    }
}

fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or_default()
}

fn decoded(text: &str) -> PathBuf {
    PathBuf::from(OsString::from_vec(percent_decode_str(text).collect()))
}

fn relative(text: &str) -> PathBuf {
    let path = decoded(text);
    path.strip_prefix("/").map(Path::to_path_buf).unwrap_or(path)
}

/// The name of an upload without the eight signs before it.
fn without_prefix(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let (prefix, rest) = name.split_once('-')?;
    let random = prefix.len() == 8 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    (random && !rest.is_empty()).then(|| path.with_file_name(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_paths() {
        let name = |text: &str| Address::of(text).name.display().to_string();
        assert_eq!(name("a/1.jpg"), "a/1.jpg");
        assert_eq!(name("/a/1.jpg"), "/a/1.jpg");
        assert_eq!(name("/data/local-files/?d=set/a%20b.jpg"), "set/a b.jpg");
        assert_eq!(name("http://localhost:8080/data/local-files/?d=/srv/%C3%BC.jpg&x=1"), "srv/\u{fc}.jpg");
        assert_eq!(name("/data/upload/3/0123abcd-x.jpg"), "upload/3/0123abcd-x.jpg");
        assert_eq!(name("s3://bucket/a/1.jpg?v=2"), "a/1.jpg");
        assert_eq!(name("file:///srv/1.jpg"), "/srv/1.jpg");
        assert_eq!(name("what?.jpg"), "what?.jpg");
        let upload = Address::of("/data/upload/3/0123abcd-x-y.jpg");
        assert_eq!(upload.alias, Some("upload/3/x-y.jpg".into()));
        assert_eq!(Address::of("/data/upload/3/cat-y.jpg").alias, None);
        assert_eq!(Address::of("a/1.jpg").written, None);
        assert_eq!(Address::of("https://x.org/1.jpg").written, Some("https://x.org/1.jpg".into()));
    }
}
