//! What a file is that is named like a picture but is not one.

/// Bytes of a text that are looked at.
const TEXT: usize = 1024;
/// Characters of a text that are shown.
const SHOWN: usize = 60;

/// The first bytes of files that people find under the names of pictures, and what to say of them.
const HEADS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "it is compressed with gzip: unpack it"),
    (b"PK\x03\x04", "it is a ZIP archive: unpack it"),
    (b"PK\x05\x06", "it is an empty ZIP archive"),
    (b"BZh", "it is compressed with bzip2: unpack it"),
    (b"\xfd7zXZ\0", "it is compressed with xz: unpack it"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd: unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive: unpack it"),
    (b"Rar!\x1a\x07", "it is a RAR archive: unpack it"),
    (b"\0\x05\x16\x07", "it is a macOS resource fork (AppleDouble), which holds no picture: delete it"),
    (b"\0\x05\x16\0", "it is a macOS resource fork (AppleSingle), which holds no picture: delete it"),
    (
        b"bplist0",
        "it is a property list of macOS, as iCloud keeps in place of a file that was not downloaded",
    ),
    (b"L\0\0\0\x01\x14\x02\0", "it is a Windows shortcut, not the picture that it leads to"),
    (b"PAR1", "it is a Parquet table, not a picture"),
    (b"ARROW1", "it is an Arrow table, not a picture"),
    (b"\x89HDF\r\n", "it is an HDF5 file, not a picture"),
    (b"MATLAB 5.0", "it is a MATLAB file, not a picture"),
    (b"SQLite format 3\0", "it is an SQLite database, not a picture"),
    (b"\xd0\xcf\x11\xe0", "it is an Office document, not a picture"),
    (b"\x7fELF", "it is a program, not a picture"),
    (b"OggS", "it is an Ogg sound or video, not a picture"),
    (b"ID3", "it is an MP3 sound, not a picture"),
    (b"fLaC", "it is a FLAC sound, not a picture"),
    (b"FLV\x01", "it is a Flash video, not a picture"),
    (b"\0\0\x01\xba", "it is an MPEG video, not a picture"),
    (b"\0\0\x01\xb3", "it is an MPEG video, not a picture"),
    (b"\x80\x02}", "it is a Python pickle, not a picture"),
    (b"\x80\x03", "it is a Python pickle, not a picture"),
    (b"\x80\x04\x95", "it is a Python pickle, not a picture"),
    (b"\x80\x05\x95", "it is a Python pickle, not a picture"),
];

/// What a file in no known format of pictures is, in one sentence that says what to do where something can be done.
pub(super) fn sentence(bytes: &[u8]) -> String {
    if let Some((_, sentence)) = HEADS.iter().find(|(head, _)| bytes.starts_with(head)) {
        return (*sentence).to_owned();
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE") {
        return "it is a WAV sound, not a picture".to_owned();
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return "it is a tar archive: unpack it".to_owned();
    }
    if bytes.iter().all(|&byte| byte == 0) {
        return "it holds nothing but zeros: a copy or a download that was not finished".to_owned();
    }
    text(bytes).unwrap_or_else(|| {
        "the file is not a picture: it is not a JPEG, PNG, GIF, WebP, BMP, TIFF or JPEG XL".to_owned()
    })
}

/// The same for text; `None` if the file is none.
fn text(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(TEXT)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut in two.
        Err(error) if head.len() - error.valid_up_to() < 4 && bytes.len() > TEXT => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let lower = text.to_ascii_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
    let shown = || {
        let line = text.lines().next().unwrap_or_default();
        let short: String = line.chars().take(SHOWN).collect();
        if short.len() < line.len() { format!("{short} …") } else { short }
    };
    Some(if text.is_empty() {
        "it holds nothing but blanks".to_owned()
    } else if begins(&["version https://git-lfs", "version https://hawser"]) {
        "it is a Git LFS pointer, not the picture: run `git lfs pull`".to_owned()
    } else if lower.contains("/annex/objects/") {
        "it is a git-annex pointer, not the picture: run `git annex get`".to_owned()
    } else if begins(&["<!doctype html", "<html", "<head", "<body", "<script"]) || lower.contains("<html") {
        "it is an HTML page, not a picture, as servers send it when a download fails".to_owned()
    } else if begins(&["<"]) {
        "it is XML text, not a picture, as servers send it when a download fails".to_owned()
    } else if begins(&["{", "["]) {
        format!("it is JSON text, not a picture, perhaps the error message of a server: {}", shown())
    } else if begins(&["data:image/"])
        || ["/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR"].iter().any(|start| text.starts_with(start))
    {
        "it is a picture written as Base64 text: decode it".to_owned()
    } else if is_path(text) {
        format!(
            "it is a text that holds a path, as a symbolic link becomes one on other systems: {}",
            shown()
        )
    } else {
        format!("it is a text file, not a picture: {}", shown())
    })
}

/// Whether a text is nothing but the path of a file.
fn is_path(text: &str) -> bool {
    text.lines().count() == 1
        && text.contains('/')
        && !text.contains("://")
        && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_like_a_picture_is_named() {
        let long = format!("{{\"error\": \"{}é\"}}", "x".repeat(2000));
        for (bytes, said) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"[..],
                "git lfs pull",
            ),
            (b"../.git/annex/objects/Xk/4M/SHA256E-s1--abc.jpg/SHA256E-s1--abc.jpg", "git annex get"),
            (b"\n<!DOCTYPE html>\n<html>", "an HTML page"),
            (b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "XML text"),
            (
                b"{\"error\": \"not found\"}",
                "JSON text, not a picture, perhaps the error message of a server: {\"error\": \"not found\"}",
            ),
            (long.as_bytes(), "JSON text"),
            (b"Access denied", "a text file, not a picture: Access denied"),
            (b"data:image/png;base64,iVBORw0KGgo=", "Base64"),
            (b"../objects/ab/cdef.jpg", "a path"),
            (b" \n", "nothing but blanks"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"PK\x03\x04\x14", "ZIP"),
            (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", "AppleDouble"),
            (b"bplist00", "iCloud"),
            (&[0; 4096], "nothing but zeros"),
            (b"RIFF\x10\0\0\0WAVEfmt ", "WAV"),
            (b"\x13\x37\xff\xfe\x01", "not a JPEG, PNG"),
        ] {
            let sentence = sentence(bytes);
            assert!(sentence.contains(said), "{said}: {sentence}");
        }
    }
}
