//! `rank`: suspects, worst first.

use super::args::{Format, Global, rule};
use super::entries::{csv, shown, table};
use super::listing::{Entry, Listing};
use super::output::{count, json, remark, results, terminal_width};
use super::{gates, reading};
use anyhow::Result;
use chaffinch_protocol::{Query, Sort};
use chaffinch_report::Gate;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// List suspects, worst first
#[derive(Debug, Args)]
pub(super) struct Rank {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Rank by the `ensemble` or by a detector, list by an attribute (least first), in `random` order, the same one
    /// every time, what is `uncertain` first, what is `diverse` first, the worst of each of the `clusters` in turn, or by
    /// what the decisions so far have `learned`
    #[arg(
        long,
        value_name = "ensemble|DETECTOR|attr.NAME|random|uncertain|diverse|clusters|learned",
        default_value = "ensemble"
    )]
    by: String,
    /// How to combine detectors: or, and, 2-of-n, majority, mean-rank, average, consensus, weighted, stacking, recall
    /// or precision [default: from the session or the configuration]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    ensemble: Option<String>,
    /// List only the first N; 0 = all [default: 20 in a table, otherwise all]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// List all samples, not only suspects
    #[arg(long)]
    all: bool,
    /// Filter as in the interface, such as `class:cat -decided score<0.3`
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    filter: String,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Exit with status 1 if a count is beyond a limit, such as `leaks>0` or `label-quality>1%`; can be repeated
    #[arg(long, value_name = "GATE")]
    fail_on: Vec<Gate>,
}

/// Prints the list.
pub(super) fn run(args: &Rank, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open_by(&args.target, global, args.ensemble.as_deref())?;
    let judged = gates::judge(&args.fail_on, &listing, &[], global)?;
    let sort = match args.by.as_str() {
        "ensemble" => Sort::Rank,
        "random" => Sort::Random,
        "uncertain" => Sort::Uncertain,
        "diverse" => Sort::Diverse,
        "clusters" => Sort::Clusters,
        "learned" => Sort::Learned(1),
        name => match name.strip_prefix("attr.") {
            Some(attribute) => Sort::Attribute(listing.attribute(attribute)?),
            None => Sort::Detector(listing.detector(name)?),
        },
    };
    let query = Query { all: args.all, filter: args.filter.clone(), sort: sort.clone(), descending: false };
    let learned = listing.learned(&sort)?;
    let ids = listing.select(&query, learned.as_ref())?;
    let top = shown(args.top, args.format, ids.len());
    let entries =
        ids.iter().take(top).enumerate().map(|(index, &id)| listing.entry(index as u64 + 1, id, &sort));
    let alone = |entry| (entry, None);
    results(|out| match args.format {
        Format::Table => table(entries.map(alone), None).write(out, terminal_width()),
        Format::Csv => csv(out, entries.map(alone), None),
        Format::Json => json(out, &entries.collect::<Vec<Entry>>()),
    })?;
    reading::tell(&listing.reading, "", global.quiet);
    listing.tell_disputes();
    listing.tell_unloaded(global);
    if !global.quiet && args.format == Format::Table {
        let all = count(ids.len() as u64, "sample", "samples");
        if ids.len() > top {
            remark(&format!("showing {top} of {all}; use --top 0 to list all"));
        } else if ids.is_empty() && !args.all {
            remark("no suspect is listed; --all lists all samples");
        }
        if let Some(learned) = &learned {
            remark(&learned.note());
        }
        if sort == Sort::Rank {
            remark(&format!("ranked by '{}'. {}", listing.rule.name(), listing.rule.sentence()));
        }
    }
    Ok(gates::tell(&judged))
}
