//! The page about the protocol of the engine is what the sources say.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use chaffinch_protocol::PROTOCOL_VERSION;
use chaffinch_tests::artefacts::root;
use chaffinch_tests::protocol_page::page;
use std::fs;

#[test]
fn the_page_has_what_is_said() {
    let now = page(&root().join("core/protocol/src"), PROTOCOL_VERSION);
    let file = root().join("docs/protocol.md");
    if std::env::var_os("CHAFFINCH_UPDATE").is_some() {
        fs::write(&file, &now).unwrap();
    }
    for part in ["**`list`**", "**`rows`**", "## Join", "| `sample` | [SampleId](#sampleid) |"] {
        assert!(now.contains(part), "{part} is missing");
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == now,
        "docs/protocol.md is out of date: run CHAFFINCH_UPDATE=1 cargo test --release -p chaffinch-tests --test protocol"
    );
}
