//! `search`: all samples by meaning, the most similar first.

use super::args::{EngineArgs, Format, Global};
use super::entries::{csv, shown, table};
use super::listing::{Entry, Listing};
use super::output::{count, json, remark, results, terminal_width, warning};
use super::{bundled, model_loader, uses};
use anyhow::{Context, Result, bail};
use chaffinch_clip::Bundled;
use chaffinch_data::dataset::DatasetOptions;
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session;
use chaffinch_data::session::Session;
use chaffinch_engine::meaning::{Asking, Reader, common, model};
use chaffinch_protocol::display::safe_path;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{Query, Sort};
use chaffinch_review::meaning::{Direction, Expression, at_path, quoted};
use chaffinch_review::query::{self, Source};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Search by meaning: list all samples, the most similar first
#[derive(Debug, Args)]
pub(super) struct Search {
    /// Folder of a session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// What to search for: a text, or parts that are added and taken away, as `cat + snow - 0.5*indoors`; `like:PATH` is a
    /// sample, `file:PATH` a picture from outside
    #[arg(value_name = "EXPRESSION", required_unless_present = "like")]
    expression: Option<String>,
    /// Search for pictures like this one: a file, or the path of a sample; can be repeated
    #[arg(long, value_name = "FILE")]
    like: Vec<PathBuf>,
    /// List only the first N; 0 = all [default: 20 in a table, otherwise all]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// List only suspects
    #[arg(long)]
    suspects: bool,
    /// Filter as in the interface, such as `class:cat -decided score<0.3`
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    filter: String,
    /// Device that runs the model: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: from the session
    /// or the configuration]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// The name of the number that a row has besides those of other lists.
const SIMILARITY: Option<&str> = Some("similarity");

/// One row.
#[derive(Debug, Serialize)]
struct Hit {
    /// The cosine; none without an embedding.
    similarity: Option<f32>,
    #[serde(flatten)]
    entry: Entry,
}

/// Prints the list.
pub(super) fn run(args: &Search, global: &Global) -> Result<ExitCode> {
    let listing = Listing::open(&args.target, global)?;
    let text = written(args, &listing.manifest)?;
    let expression = Expression::parse(&text)?;
    let Some(atlas) = listing.atlas() else {
        bail!("the session has no embeddings to search by; run chaffinch scan first");
    };
    let session = Session::open_to_read(&session::resolve(&args.target, global.session.as_deref())?.dir)?;
    let loaded = listing.about.uses.loaded.clone();
    let common = common(&session, loaded.as_ref(), listing.manifest.classes());
    let reader = Arc::new(reader(args, global, session, expression.needs_model())?);
    let towers = reader.towers(Asking {
        loaded,
        common,
        rendering: listing.manifest.rendering(),
        slow: &|_| (),
        cut: &|words| warning("search", words),
        unwanted: &|| false,
    });
    let direction = Direction::of(&expression, &listing.manifest, &atlas, &towers)?;
    let source = Source { atlas: Some(&atlas), direction: Some(&direction), ..listing.source() };
    let (all, filter) = (!args.suspects, args.filter.clone());
    let query = Query { all, filter, sort: Sort::Meaning(text), descending: false };
    let rows = query::select(&source, &query)?;
    let top = shown(args.top, args.format, rows.len());
    let hits = rows.iter().take(top).enumerate().map(|(index, &row)| Hit {
        similarity: direction.similarity(atlas.matrix(), row),
        entry: listing.entry(index as u64 + 1, SampleId(row), &Sort::Rank),
    });
    let parts = |hit: Hit| (hit.entry, hit.similarity);
    results(|out| match args.format {
        Format::Table => table(hits.map(parts), SIMILARITY).write(out, terminal_width()),
        Format::Csv => csv(out, hits.map(parts), SIMILARITY),
        Format::Json => json(out, &hits.collect::<Vec<Hit>>()),
    })?;
    if !global.quiet && args.format == Format::Table && rows.len() > top {
        let all = count(rows.len() as u64, "sample", "samples");
        remark(&format!("showing {top} of {all}; use --top 0 to list all"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The whole expression, with the files that were named besides.
fn written(args: &Search, manifest: &Manifest) -> Result<String> {
    let mut parts: Vec<String> = args.expression.iter().cloned().collect();
    let root = std::fs::canonicalize(manifest.root()).ok();
    for file in &args.like {
        let inside = std::fs::canonicalize(file).ok().and_then(|whole| {
            let path = whole.strip_prefix(root.as_ref()?).ok()?.to_path_buf();
            at_path(manifest, &path).map(|_| path)
        });
        let (key, path) = match inside {
            Some(path) => ("like:", path),
            None if file.exists() => ("file:", std::path::absolute(file).unwrap_or_else(|_| file.clone())),
            None => ("like:", file.clone()),
        };
        parts.push(format!("{key}{}", quoted(utf8(&path)?)));
    }
    Ok(parts.join(" + "))
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{}: its path is not valid UTF-8", safe_path(path)))
}

/// The model of the session, which is loaded once a vector is needed.
fn reader(args: &Search, global: &Global, opened: Session, needed: bool) -> Result<Reader> {
    let location = session::resolve(&args.target, global.session.as_deref())?;
    let engine = EngineArgs { device: args.device.clone(), ..EngineArgs::default() };
    let resolved = uses::resolve(&location, global, &engine, &DatasetOptions::default())?;
    let kept = bundled::kept(&resolved.before).map(Bundled::name);
    let name = match (resolved.config.model(), kept) {
        (Bundled::EITHER, Some(kept)) => kept.to_owned(),
        (named, _) => named.to_owned(),
    };
    let config = &resolved.config;
    let load = model_loader::loader(&name, config.device(), config.vram_budget(), global.offline)?;
    if needed && resolved.uses.embeddings.is_none() {
        model_loader::download(&name, global)?;
    }
    let uses = resolved.uses;
    Ok(Reader::new(&name, Arc::new(move || model(&opened, &uses, &load))))
}
