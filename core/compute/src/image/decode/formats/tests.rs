use super::*;

fn name(bytes: &[u8]) -> &'static str {
    match of(bytes) {
        Kind::Read(format) => format.name(),
        Kind::NotRead(name) => name,
        Kind::Unknown => "",
    }
}

fn brands(all: &[&[u8; 4]]) -> Vec<u8> {
    let mut bytes = (8 + 4 * (all.len() as u32 + 1)).to_be_bytes().to_vec();
    bytes.extend(b"ftyp");
    bytes.extend(all[0]);
    bytes.extend([0; 4]);
    all[1..].iter().for_each(|brand| bytes.extend(*brand));
    bytes.extend(b"\0\0\0\x08mdat");
    bytes
}

#[test]
fn brands_tell_what_is_in_a_box() {
    for (all, expected) in [
        (&[b"avif", b"mif1"][..], "AVIF"),
        (&[b"mif1", b"heic"], "HEIC"),
        (&[b"mif1", b"miaf", b"avif"], "AVIF"),
        (&[b"mif1"], "HEIF"),
        (&[b"crx ", b"isom"], "Canon raw (CR3)"),
        (&[b"qt  "], "QuickTime video"),
        (&[b"isom", b"mp42"], "MP4 video"),
    ] {
        assert_eq!(of(&brands(all)), Kind::NotRead(expected));
    }
}

#[test]
fn heads_are_no_matter_of_names() {
    for (head, expected) in [
        (&b"\xff\xd8\xff\xe0"[..], "JPEG"),
        (b"\xff\x0a\xff", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (b"II*\0\x10\0\0\0CR\x02", "Canon raw (CR2)"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"<?xml version=\"1.0\"?>\n<!-- x --><svg xmlns=", "SVG"),
        (b"\xef\xbb\xbf  <svg>", "SVG"),
        (b"P6\n4 4\n255\n", "Netpbm"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        (b"RIFF\x10\0\0\0WAVEfmt ", ""),
        (b"BM and so on, a letter", ""),
        (b"<html><body>not found</body></html>", ""),
        (b"P6 is a postcode", ""),
        (b"", ""),
    ] {
        assert_eq!(name(head), expected, "{:?}", head.escape_ascii().to_string());
    }
    let mut dicom = vec![0; 200];
    dicom[128..132].copy_from_slice(b"DICM");
    assert_eq!(name(&dicom), "DICOM");
}

#[test]
fn a_raw_file_is_not_its_preview() {
    let tiff = |tags: &[(u16, u32)]| {
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in tags {
            bytes.extend(tag.to_le_bytes());
            bytes.extend([4, 0, 1, 0, 0, 0]);
            bytes.extend(value.to_le_bytes());
        }
        bytes
    };
    assert_eq!(name(&tiff(&[(254, 1), (256, 160), (330, 4000)])), "camera raw");
    assert_eq!(name(&tiff(&[(254, 0), (50706, 0x0401)])), "camera raw");
    assert_eq!(name(&tiff(&[(254, 0), (256, 160), (330, 4000)])), "TIFF");
    assert_eq!(name(&tiff(&[(254, 1), (256, 160)])), "TIFF");
}
