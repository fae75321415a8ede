//! Every size and offset that crosses the boundary, next to the ABI version. If this test
//! fails, increment `ABI_VERSION` and then record the new numbers.

use chaffinch_plugin::abi::*;
use std::mem::{align_of, offset_of, size_of};

#[test]
fn layout_belongs_to_version_7() {
    assert_eq!((ABI_VERSION, OLDEST_ABI), (7, 6));
    assert_eq!((size_of::<Str>(), align_of::<Str>()), (16, 8));
    assert_eq!(size_of::<Slice<u8>>(), 16);
    assert_eq!(size_of::<Status>(), 4);
    assert_eq!(size_of::<PluginTable>(), 40);
    assert_eq!((offset_of!(PluginTable, abi), offset_of!(PluginTable, size)), (0, 4));
    assert_eq!((offset_of!(PluginTable, build), offset_of!(PluginTable, detectors)), (8, 24));
    assert_eq!(size_of::<Param>(), 80);
    assert_eq!(size_of::<Info>(), 128);
    assert_eq!((size_of::<DetectorTable>(), offset_of!(DetectorTable, run)), (152, 128));
    let measure = (offset_of!(DetectorTable, measure), offset_of!(DetectorTable, measure_bytes));
    assert_eq!((measure, offset_of!(DetectorTable, measure_side)), ((136, 144), 148));
    assert_eq!((size_of::<RegionRecord>(), offset_of!(RegionRecord, label)), (32, 16));
    assert_eq!((size_of::<FindingRecord>(), offset_of!(FindingRecord, evidence)), (40, 24));
    assert_eq!(size_of::<DimensionsRecord>(), 16);
    assert_eq!(size_of::<MatrixTable>(), 32);
    assert_eq!(size_of::<NeighborsTable>(), 40);
    assert_eq!((size_of::<ProbabilitiesTable>(), offset_of!(ProbabilitiesTable, folds)), (56, 32));
    assert_eq!(offset_of!(ProbabilitiesTable, inverse_temperature), 48);
    assert_eq!((size_of::<KeptRecord>(), offset_of!(KeptRecord, version)), (24, 16));
    assert_eq!((size_of::<HashPairRecord>(), size_of::<RelatedRecord>()), (12, 8));
    assert_eq!((size_of::<PixelsTable>(), offset_of!(PixelsTable, full_height)), (56, 28));
    assert_eq!((offset_of!(PixelsTable, source), size_of::<SourceRecord>()), (32, 20));
    assert_eq!((offset_of!(SourceRecord, format), offset_of!(SourceRecord, frames)), (0, 16));
    assert_eq!((size_of::<IssueRecord>(), offset_of!(IssueRecord, related)), (48, 16));
    assert_eq!((size_of::<DatasetTable>(), offset_of!(DatasetTable, relabels)), (136, 120));
}

/// What libraries of version 6 say of themselves has the size that it had then.
#[test]
fn declarations_of_version_6_are_read_as_they_were() {
    assert_eq!(
        (size_of::<v6::PluginTable>(), size_of::<v6::Info>(), size_of::<v6::DetectorTable>()),
        (40, 96, 120)
    );
}

#[test]
fn host_table_is_in_order() {
    let offsets = [
        offset_of!(HostTable, abi),
        offset_of!(HostTable, size),
        offset_of!(HostTable, ctx),
        offset_of!(HostTable, log),
        offset_of!(HostTable, fail),
        offset_of!(HostTable, message),
        offset_of!(HostTable, progress),
        offset_of!(HostTable, stopped),
        offset_of!(HostTable, number),
        offset_of!(HostTable, dataset),
        offset_of!(HostTable, embeddings),
        offset_of!(HostTable, neighbors),
        offset_of!(HostTable, similarities),
        offset_of!(HostTable, block),
        offset_of!(HostTable, embed_texts),
        offset_of!(HostTable, model),
        offset_of!(HostTable, prompts),
        offset_of!(HostTable, hashes),
        offset_of!(HostTable, near_hashes),
        offset_of!(HostTable, pixels),
        offset_of!(HostTable, each_pixels),
        offset_of!(HostTable, issue),
        offset_of!(HostTable, scores),
        offset_of!(HostTable, note),
        offset_of!(HostTable, probabilities),
        offset_of!(HostTable, kept),
        offset_of!(HostTable, keep),
        offset_of!(HostTable, measures),
        // The end of version 6.
        offset_of!(HostTable, column),
        offset_of!(HostTable, column_numbers),
        offset_of!(HostTable, labels_of),
        offset_of!(HostTable, scores_of),
        offset_of!(HostTable, attribute),
        offset_of!(HostTable, finding),
        offset_of!(HostTable, regions),
    ];
    let expected: Vec<usize> = [0, 4].into_iter().chain((1..34).map(|i| i * 8)).collect();
    assert_eq!(offsets.as_slice(), expected.as_slice());
    assert_eq!(size_of::<HostTable>(), 34 * 8);
}
