//! Letters with accents, which are one character or several: macOS writes the names of files in several.

use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A name in composed letters (NFC), in which names are compared; bytes that are not text stay.
pub(crate) fn composed(name: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(name) {
        Ok(text) if !text.is_ascii() && !is_nfc(text) => {
            Cow::Owned(text.nfc().collect::<String>().into_bytes())
        }
        _ => Cow::Borrowed(name),
    }
}

/// The other spellings of a name, composed (NFC) and decomposed (NFD); none for ASCII.
pub(crate) fn spellings(name: &str) -> Vec<String> {
    if name.is_ascii() {
        return Vec::new();
    }
    let both: [String; 2] = [name.nfc().collect(), name.nfd().collect()];
    both.into_iter().filter(|other| other != name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_one_letter_or_two() {
        let (one, two) = ("caf\u{e9}", "cafe\u{301}");
        assert_eq!(composed(two.as_bytes()), one.as_bytes());
        assert_eq!(composed(b"caf\xe9\x80"), Cow::Borrowed(b"caf\xe9\x80"));
        assert_eq!((spellings(one), spellings(two)), (vec![two.to_owned()], vec![one.to_owned()]));
        assert!(spellings("cafe").is_empty() && spellings("\u{732b}").is_empty());
    }
}
