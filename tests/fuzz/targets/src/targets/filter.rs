//! What people type to choose samples: the language of filters, orders, patterns of files, names of models and amounts.

use super::pets::samples;
use crate::Target;
use crate::{chosen, input};
use chaffinch_clip::ModelSource;
use chaffinch_data::columns::ResultBuilder;
use chaffinch_data::issue::{Issue, RunRecord};
use chaffinch_data::journal::Journal;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{EnsembleRule, Query, Sort};
use chaffinch_review::query::{Source, needs_embeddings, select};
use chaffinch_review::ranking::{Results, rank};
use chaffinch_sources::Written;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The target.
pub const TARGET: Target = Target {
    name: "filter",
    reads: "filters, orders, patterns of files with braces and wildcards, names of models, rules of ensembles",
    run,
    seeds,
};

fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = chosen(bytes, 4) else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match kind {
        0 => filter(text, Sort::Rank),
        1 => {
            let (order, filter_text) = text.split_once('\n').unwrap_or((text, ""));
            filter(filter_text, Sort::Attribute(order.to_owned()));
            filter(filter_text, Sort::Detector(order.to_owned()));
            filter(filter_text, Sort::Group);
        }
        2 => {
            let names = ["train-000.tar", "train-001.tar", "a/b.png", "x[1].png", "gr\u{f6}\u{df}e.tar"];
            if let Some(pattern) = Written::of(Path::new(text)).and_then(|written| written.read().ok()) {
                let chosen = pattern.choose(names);
                assert!(chosen.found.is_sorted(), "{chosen:?}");
                let _ = (pattern.depth(), pattern.names().count());
            }
        }
        _ => {
            let _ = ModelSource::parse(text);
            let _ = EnsembleRule::parse(text, &BTreeMap::new());
            let _ = chaffinch_host::Limits::bytes(text);
        }
    }
}

fn filter(text: &str, sort: Sort) {
    let (manifest, metadata) = samples();
    let mut labels = ResultBuilder::new(4);
    labels.scores(&[0.9, 0.1, 0.3, f32::NAN]);
    labels.issue(SampleId(1), Issue { score: 0.1, suggested: Some(0), group: Some(1), ..Issue::default() });
    labels.attribute("tone", "", &[2.0, -1.5, f32::NAN, 0.0]);
    let record = RunRecord { name: "labels".into(), groups: true, threshold: 0.5, ..RunRecord::default() };
    let results: Results =
        [("labels".to_owned(), Arc::new(labels.finish(record, manifest.classes())))].into();
    let thresholds = BTreeMap::new();
    let ranking = rank(&results, &thresholds, &EnsembleRule::Or, 4);
    let decisions = Journal::open(Path::new("/nowhere/at/all"), "anna").unwrap().snapshot();
    let source = Source {
        manifest: &manifest,
        file_metadata: &metadata,
        results: &results,
        previous: &Results::new(),
        thresholds: &thresholds,
        ranking: &ranking,
        decisions: &decisions,
        atlas: None,
        direction: None,
        learned: None,
    };
    for (all, descending) in [(true, false), (false, true)] {
        let query = Query { all, filter: text.to_owned(), sort: sort.clone(), descending };
        let _ = needs_embeddings(&query);
        if let Ok(mut rows) = select(&source, &query) {
            let listed = rows.len();
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), listed, "a sample is listed once");
            assert!(rows.last().is_none_or(|row| *row < 4));
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let filters = [
        "class:cat or (split:test -decided) NOT is:leak",
        "class:\"polar \\\"bear\" score<0.3 labels>=0.1 attr.tone<-1e3 attr.labels.tone>0",
        "map:0.1,0.2,0.5,0.6 cluster:cat/2 | path:bird/*.png detector:lab* is:unreadable",
        "decision:none tag:odd note:\"a b\" reviewer:anna suggested:?og -undecided",
        "((((a or b) c) | d)) \"quo ted\"",
    ];
    let mut all: Vec<Vec<u8>> = filters.map(|text| input(0, text.as_bytes())).into();
    all.push(input(1, b"tone\nclass:bird"));
    all.push(input(1, b"labels.tone\n"));
    all.push(input(2, b"/data/train-{000..012}.tar"));
    all.push(input(2, b"a/{b,{c,d}e}*[!x]?.tar"));
    all.push(input(3, b"hf-hub:laion/CLIP-ViT-B-32@main"));
    all.push(input(3, b"https://huggingface.co/owner/name/tree/main"));
    all.push(input(3, b"1.5GiB"));
    all
}
