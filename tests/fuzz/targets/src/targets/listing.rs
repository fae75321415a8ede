//! The listing of a bucket, as its server answers it.

use crate::Target;
use crate::input;
use chaffinch_sources::bucket::listed;

/// The target.
pub const TARGET: Target = Target { name: "listing", reads: "the XML of a bucket's listing", run, seeds };

fn run(bytes: &[u8]) {
    let Some((_, bytes)) = bytes.split_first() else { return };
    if let Ok((objects, _)) = listed(bytes) {
        assert!(objects.iter().all(|object| !object.name.ends_with('/')), "folders are not objects");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let page = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Name>b</Name><Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>\
        <EncodingType>url</EncodingType><NextContinuationToken>x%2By</NextContinuationToken>\
        <Contents><Key>train/cat%20one.png</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;e&quot;</ETag>\
        <Size>12</Size><StorageClass>STANDARD</StorageClass></Contents>\
        <Contents><Key>train/</Key><LastModified>x</LastModified><ETag>e</ETag><Size>0</Size></Contents></ListBucketResult>";
    let empty = b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>";
    vec![input(0, page), input(0, empty), input(0, b"<Error><Code>NoSuchBucket</Code></Error>")]
}
