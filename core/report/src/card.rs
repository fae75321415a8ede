//! A dataset card as the Hugging Face Hub shows it: a head in YAML, then what was found, decided and left.

use crate::facts::Facts;
use crate::format::Format;
use crate::markdown::{cell, decided, found, table, whole};
use crate::words::{in_short, left};
use chaffinch_protocol::display::thousands;
use std::fmt::Write as _;

pub(crate) const FORMAT: Format = Format {
    name: "card",
    summary: "a dataset card for the Hugging Face Hub",
    file_name: "README.md",
    lists: false,
    pictures: false,
    render: |subject, _, job| {
        let facts = Facts::collect(subject, Some(0), job)?;
        Ok(format!("{}{}", head(&facts), body(&facts)).into())
    },
};

/// The Hub's words for sizes.
fn size(samples: u64) -> &'static str {
    match samples {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000..100_000_000 => "10M<n<100M",
        100_000_000..1_000_000_000 => "100M<n<1B",
        _ => "n>1B",
    }
}

/// A text in YAML: JSON's strings are valid there.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn head(facts: &Facts) -> String {
    let mut out = format!(
        "---\npretty_name: {}\ntask_categories:\n- image-classification\nsize_categories:\n- {}\ntags:\n- data-quality\n\
         - chaffinch\n",
        quoted(&facts.dataset.name),
        size(facts.dataset.samples)
    );
    let classes: Vec<&str> = facts.classes.iter().filter_map(|class| class.name.as_deref()).collect();
    out.push_str("dataset_info:\n  features:\n  - name: image\n    dtype: image\n");
    if !classes.is_empty() {
        out.push_str("  - name: label\n    dtype:\n      class_label:\n        names:\n");
        for (number, class) in classes.iter().enumerate() {
            let _ = writeln!(out, "          '{number}': {}", quoted(class));
        }
    }
    if !facts.dataset.splits.is_empty() {
        out.push_str("  splits:\n");
        for (split, samples) in &facts.dataset.splits {
            let _ = writeln!(out, "  - name: {split}\n    num_examples: {samples}");
        }
    }
    out.push_str("---\n\n");
    out
}

fn body(facts: &Facts) -> String {
    let mut out = format!("# {}\n\n{}\n", cell(&facts.dataset.name), cell(&in_short(facts)));
    out.push_str("\n## Structure\n\n");
    let classes = facts.classes.iter().map(|class| {
        vec![class.name.clone().unwrap_or_else(|| "(no label)".into()), thousands(class.samples)]
    });
    out.push_str(&table(&["class", ">samples"], classes));
    if !facts.dataset.splits.is_empty() {
        let splits = facts.dataset.splits.iter();
        let splits = splits.map(|(name, samples)| vec![(*name).to_owned(), thousands(*samples)]);
        let _ = write!(out, "\n{}", table(&["split", ">samples"], splits));
    }
    out.push_str("\n## What was found\n\n");
    out.push_str(&found(facts));
    let leaks = facts.count("leaks");
    if leaks > 0 {
        let _ = writeln!(out, "\n{} samples have a copy in another split.", thousands(leaks));
    }
    out.push_str("\n## The dataset as a whole\n\n");
    out.push_str(&whole(facts));
    out.push_str("\n## What was decided\n\n");
    out.push_str(&decided(facts));
    let _ = writeln!(out, "\n## What is left\n\n{}", cell(&left(facts)));
    let serious = facts.remarks.iter().filter(|remark| remark.serious);
    for remark in serious {
        let _ = writeln!(out, "- {}", cell(&remark.text));
    }
    out.push_str("\n## How it was checked\n\n");
    let model =
        facts.model.as_ref().map_or("no model".to_owned(), |model| format!("the model {}", model.name));
    let _ = writeln!(
        out,
        "With {}, {}, and the rule \"{}\". A detector flags what is unlikely to be right; only a decision says that it is \
         wrong.",
        cell(&facts.program),
        cell(&model),
        cell(&facts.ensemble.name)
    );
    out
}
