//! Formats by the first bytes of a file, whatever its name says: those that are read, and those that are only known.

use image::ImageFormat;

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// By the `image` crate.
    Image(ImageFormat, &'static str),
    /// By `jxl-oxide`.
    JpegXl,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Image(_, name) => name,
            Format::JpegXl => "JPEG XL",
        }
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read(Format),
    /// A picture (or what people keep beside pictures) in a format that is not read: its name.
    NotRead(&'static str),
    /// No picture that anybody here knows.
    Unknown,
}

const fn read(format: ImageFormat, name: &'static str) -> Kind {
    Kind::Read(Format::Image(format, name))
}

/// The first bytes of each format, the more particular ones first.
const HEADS: &[(&[u8], Kind)] = &[
    (b"\xff\xd8\xff", read(ImageFormat::Jpeg, "JPEG")),
    (b"\x89PNG\r\n\x1a\n", read(ImageFormat::Png, "PNG")),
    (b"GIF87a", read(ImageFormat::Gif, "GIF")),
    (b"GIF89a", read(ImageFormat::Gif, "GIF")),
    (b"\xff\x0a", Kind::Read(Format::JpegXl)),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind::Read(Format::JpegXl)),
    (b"II*\0\x10\0\0\0CR", Kind::NotRead("Canon raw (CR2)")),
    (b"II*\0", read(ImageFormat::Tiff, "TIFF")),
    (b"MM\0*", read(ImageFormat::Tiff, "TIFF")),
    // BigTIFF, for files above 4 GiB; the same decoder reads it.
    (b"II+\0", read(ImageFormat::Tiff, "TIFF")),
    (b"MM\0+", read(ImageFormat::Tiff, "TIFF")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind::NotRead("JPEG 2000")),
    (b"\xff\x4f\xff\x51", Kind::NotRead("JPEG 2000")),
    (b"II\xbc\x01", Kind::NotRead("JPEG XR")),
    (b"IIRO", Kind::NotRead("Olympus raw (ORF)")),
    (b"IIRS", Kind::NotRead("Olympus raw (ORF)")),
    (b"MMOR", Kind::NotRead("Olympus raw (ORF)")),
    (b"IIU\0", Kind::NotRead("Panasonic raw (RW2)")),
    (b"FUJIFILMCCD-RAW", Kind::NotRead("Fujifilm raw (RAF)")),
    (b"FOVb", Kind::NotRead("Sigma raw (X3F)")),
    (b"\0MRM", Kind::NotRead("Minolta raw (MRW)")),
    (b"8BPS", Kind::NotRead("Photoshop")),
    (b"gimp xcf", Kind::NotRead("GIMP")),
    (b"DDS ", Kind::NotRead("DDS")),
    (b"\0\0\x01\0", Kind::NotRead("ICO")),
    (b"\0\0\x02\0", Kind::NotRead("CUR")),
    (b"icns", Kind::NotRead("ICNS")),
    (b"#?RADIANCE", Kind::NotRead("Radiance HDR")),
    (b"#?RGBE", Kind::NotRead("Radiance HDR")),
    (b"\x76\x2f\x31\x01", Kind::NotRead("OpenEXR")),
    (b"qoif", Kind::NotRead("QOI")),
    (b"farbfeld", Kind::NotRead("farbfeld")),
    (b"BPG\xfb", Kind::NotRead("BPG")),
    (b"FLIF", Kind::NotRead("FLIF")),
    (b"\x8aMNG\r\n\x1a\n", Kind::NotRead("MNG")),
    (b"\x8bJNG\r\n\x1a\n", Kind::NotRead("JNG")),
    (b"\x97JB2\r\n\x1a\n", Kind::NotRead("JBIG2")),
    (b"AT&TFORM", Kind::NotRead("DjVu")),
    (b"%PDF-", Kind::NotRead("PDF")),
    (b"%!PS", Kind::NotRead("PostScript")),
    (b"\xd7\xcd\xc6\x9a", Kind::NotRead("WMF")),
    (b"SIMPLE  =", Kind::NotRead("FITS")),
    (b"\x93NUMPY", Kind::NotRead("NumPy")),
    (b"/* XPM */", Kind::NotRead("XPM")),
    (b"\x1aE\xdf\xa3", Kind::NotRead("Matroska video")),
];

/// What a file is by its first bytes.
pub(super) fn of(bytes: &[u8]) -> Kind {
    if bytes.starts_with(b"RIFF") {
        return match bytes.get(8..12) {
            Some(b"WEBP") => read(ImageFormat::WebP, "WebP"),
            Some(b"AVI ") => Kind::NotRead("AVI video"),
            _ => Kind::Unknown,
        };
    }
    let known = HEADS.iter().find(|(head, _)| bytes.starts_with(head)).map(|&(_, kind)| kind);
    match known {
        Some(Kind::Read(Format::Image(ImageFormat::Tiff, _))) if is_raw(bytes) => Kind::NotRead("camera raw"),
        Some(kind) => kind,
        None if is_bmp(bytes) => read(ImageFormat::Bmp, "BMP"),
        None if bytes.get(4..8) == Some(b"ftyp") => boxed(bytes),
        None => other(bytes),
    }
}

/// Two letters are too few: a bitmap has the size of a known header at a known place.
fn is_bmp(bytes: &[u8]) -> bool {
    let header = bytes.get(14..18).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    bytes.starts_with(b"BM") && header.is_none_or(|length| (12..=1 << 16).contains(&length))
}

/// Formats on the box structure of MPEG-4, by the brands that the file says it is compatible with.
fn boxed(bytes: &[u8]) -> Kind {
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let head = &bytes[8..bytes.len().min(length.clamp(12, 256))];
    // The major brand, a version, then the compatible ones.
    let brands = || head.chunks_exact(4).enumerate().filter(|(place, _)| *place != 1).map(|(_, brand)| brand);
    let any = |known: &[&[u8]]| brands().any(|brand| known.contains(&brand));
    Kind::NotRead(if any(&[b"avif", b"avis"]) {
        "AVIF"
    } else if any(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"]) {
        "HEIC"
    } else if any(&[b"mif1", b"mif2", b"msf1"]) {
        "HEIF"
    } else if any(&[b"crx "]) {
        "Canon raw (CR3)"
    } else if any(&[b"jp2 ", b"jpx "]) {
        "JPEG 2000"
    } else if any(&[b"qt  "]) {
        "QuickTime video"
    } else {
        "MP4 video"
    })
}

/// Formats without a head of fixed bytes.
fn other(bytes: &[u8]) -> Kind {
    // A number or a comment follows, in words of letters only those of the seventh kind.
    let netpbm = |next: &u8| next.is_ascii_digit() || *next == b'#' || bytes.starts_with(b"P7\nWIDTH");
    if let [b'P', b'1'..=b'7', blank, next, ..] = bytes
        && blank.is_ascii_whitespace()
        && netpbm(next)
    {
        return Kind::NotRead("Netpbm");
    }
    if bytes.get(128..132) == Some(b"DICM") {
        return Kind::NotRead("DICOM");
    }
    if bytes.get(344..348) == Some(b"n+1\0") {
        return Kind::NotRead("NIfTI");
    }
    if bytes.get(40..44) == Some(b" EMF") && bytes.starts_with(&[1, 0, 0, 0]) {
        return Kind::NotRead("EMF");
    }
    if bytes.len() > 44 && bytes[..bytes.len() - 2].ends_with(b"TRUEVISION-XFILE") {
        return Kind::NotRead("TGA");
    }
    let text = &bytes[..bytes.len().min(1024)];
    let start = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    let markup = start.starts_with(b"<?xml") || start.starts_with(b"<!") || start.starts_with(b"<svg");
    if markup && text.windows(4).any(|four| four == b"<svg") {
        return Kind::NotRead("SVG");
    }
    Kind::Unknown
}

/// Whether a TIFF is a camera's raw file, whose first picture is only a small preview: it says that it is a DNG, or that it
/// is a reduced picture with the real ones below it.
fn is_raw(bytes: &[u8]) -> bool {
    const REDUCED: u16 = 254;
    const BELOW: u16 = 330;
    const DNG: u16 = 50706;
    let little = bytes.starts_with(b"II");
    let two = |at: usize| {
        let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    };
    let four = |at: usize| {
        let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    };
    if two(2) != Some(42) {
        return false;
    }
    let Some(directory) = four(4).map(|at| at as usize) else { return false };
    let Some(entries) = two(directory).map(usize::from) else { return false };
    let (mut reduced, mut below) = (false, false);
    for entry in (0..entries.min(512)).map(|entry| directory + 2 + 12 * entry) {
        match two(entry) {
            Some(DNG) => return true,
            Some(BELOW) => below = true,
            Some(REDUCED) => reduced = four(entry + 8).is_some_and(|value| value & 1 == 1),
            None => break,
            _ => {}
        }
    }
    reduced && below
}

#[cfg(test)]
mod tests;
