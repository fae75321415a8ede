//! What a file that is not a sample is, by its extension.

/// A kind of file that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A picture in a format that is not read.
    Unsupported(&'static str),
    /// A picture in a format that is read, under an extension that is not recognized.
    Misnamed(&'static str),
    /// A video.
    Video,
    /// An archive, which may hold pictures.
    Archive,
    /// Anything else.
    Other,
}

const RAW: &str = "camera raw";
const SLIDE: &str = "whole-slide";

/// Picture formats that are not read, by extension.
const UNSUPPORTED: &[(&str, &[&str])] = &[
    ("HEIC", &["heic", "heics"]),
    ("HEIF", &["heif", "heifs", "hif", "avci"]),
    ("AVIF", &["avif", "avifs"]),
    ("JPEG XL", &["jxl"]),
    ("JPEG 2000", &["jp2", "j2k", "j2c", "jpc", "jpf", "jpx", "jpm", "jph", "jhc"]),
    ("JPEG XR", &["jxr", "wdp", "hdp"]),
    ("JPEG-LS", &["jls"]),
    (
        RAW,
        &[
            "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "fff", "gpr", "iiq", "k25", "kdc", "mef",
            "mos", "mrw", "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
        ],
    ),
    ("BigTIFF", &["btf", "tf8", "bigtiff"]),
    (SLIDE, &["svs", "ndpi", "mrxs", "scn", "vms", "bif", "czi", "lif", "nd2", "vsi"]),
    ("SVG", &["svg", "svgz"]),
    ("PostScript", &["eps", "ps", "ai"]),
    ("PDF", &["pdf"]),
    ("Windows metafile", &["wmf", "emf"]),
    ("Photoshop", &["psd", "psb"]),
    ("layered", &["xcf", "kra", "ora", "afphoto", "pdn"]),
    ("Targa", &["tga", "icb", "vda", "vst"]),
    ("OpenEXR", &["exr"]),
    ("Radiance", &["hdr", "rgbe", "pic"]),
    ("texture", &["dds", "ktx", "ktx2", "pvr", "basis"]),
    ("Netpbm", &["pnm", "pbm", "pgm", "ppm", "pam", "pfm"]),
    ("QOI", &["qoi", "ff"]),
    ("icon", &["ico", "cur", "icns", "ani"]),
    ("PCX", &["pcx", "dcx"]),
    ("SGI", &["sgi", "bw", "rgba"]),
    ("bitmap", &["ras", "sun", "xbm", "xpm", "wbmp", "xwd", "pict", "pct", "flif", "bpg"]),
    ("medical", &["dcm", "dicom", "nii", "mha", "mhd", "nrrd", "ima"]),
    ("astronomical", &["fits", "fit", "fts"]),
];

/// Rare extensions of formats that are read.
const MISNAMED: &[(&str, &[&str])] = &[
    ("JPEG", &["jfif", "jfi", "jif", "jpe", "pjpeg", "pjp", "jpg_large", "jpeg_large", "jpg~"]),
    ("PNG", &["apng"]),
    ("BMP", &["dib", "rle"]),
    ("GIF", &["giff"]),
];

const VIDEOS: &[&str] = &[
    "3g2", "3gp", "asf", "avi", "flv", "gifv", "insv", "lrv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg",
    "mpg", "mts", "mxf", "ogv", "qt", "vob", "webm", "wmv",
];

const ARCHIVES: &[&str] =
    &["7z", "bz2", "gz", "lmdb", "mdb", "rar", "tar", "tbz2", "tfrecord", "tfrecords", "tgz", "xz", "zip"];

/// The kind of a file by its extension in lower case, which is not one of a sample.
pub(super) fn kind(extension: &str) -> FileKind {
    let of = |table: &[(&'static str, &[&str])]| {
        table.iter().find(|(_, extensions)| extensions.contains(&extension)).map(|(name, _)| *name)
    };
    if let Some(format) = of(UNSUPPORTED) {
        FileKind::Unsupported(format)
    } else if let Some(format) = of(MISNAMED) {
        FileKind::Misnamed(format)
    } else if VIDEOS.contains(&extension) {
        FileKind::Video
    } else if ARCHIVES.contains(&extension) {
        FileKind::Archive
    } else {
        FileKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_extension() {
        assert_eq!(kind("heic"), FileKind::Unsupported("HEIC"));
        assert_eq!(kind("nef"), FileKind::Unsupported("camera raw"));
        assert_eq!(kind("jfif"), FileKind::Misnamed("JPEG"));
        assert_eq!(kind("mov"), FileKind::Video);
        assert_eq!(kind("zip"), FileKind::Archive);
        assert_eq!(kind("txt"), FileKind::Other);
    }

    #[test]
    fn no_extension_has_two_kinds() {
        let tables = UNSUPPORTED.iter().chain(MISNAMED).flat_map(|(_, extensions)| extensions.iter());
        let mut all: Vec<&str> = tables.chain(VIDEOS).chain(ARCHIVES).copied().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
