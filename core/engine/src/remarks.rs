//! What decoding found, as remarks of the ledger.

use crate::built_in::sentences;
use chaffinch_compute::image::decode::Remark as Decoded;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::{CONVERSION, DAMAGED, NOT_READ};
use chaffinch_protocol::{Ledger, RemarkKind};

/// Adds the remarks on the pictures to those on how the dataset was read.
pub(crate) fn add(file_metadata: &FileMetadata, ledger: &mut Ledger) {
    let count = |wanted: fn(&Decoded) -> bool| {
        file_metadata.remarks.values().filter(|remarks| remarks.iter().any(wanted)).count() as u64
    };
    let kinds: [(RemarkKind, &str, u64); 3] = [
        (RemarkKind::UnsupportedPictures, NOT_READ, count(|remark| matches!(remark, Decoded::NotRead(_)))),
        (RemarkKind::FilesDamaged, DAMAGED, damaged(file_metadata)),
        (
            RemarkKind::Other,
            CONVERSION,
            count(|remark| matches!(remark, Decoded::Deep { bits: ..16, .. } | Decoded::Flattened)),
        ),
    ];
    for (kind, name, count) in kinds {
        for sentence in sentences(file_metadata, name) {
            ledger.add(kind, count, sentence);
        }
    }
}

/// Pictures of which a part is lost.
pub(crate) fn damaged(file_metadata: &FileMetadata) -> u64 {
    let is = |remark: &Decoded| matches!(remark, Decoded::Damaged(_));
    file_metadata.remarks.values().filter(|remarks| remarks.iter().any(is)).count() as u64
}
