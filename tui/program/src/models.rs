//! `models`: lists available models, and tests one.

use super::args::Global;
use super::model_loader;
use super::output::{Align, Table, duration, json, results, terminal_width};
use super::{sample_pictures, settings};
use anyhow::{Result, ensure};
use chaffinch_clip::{Bundled, ClipEmbedder, SUPPORTED_TYPES, TextInput};
use chaffinch_compute::embedding::Embedder;
use chaffinch_data::config::Flags;
use chaffinch_protocol::display::{safe_path, safe_text};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// Number of pictures in a test.
const TRIAL: u32 = 32;

/// List models, or check one
#[derive(Debug, Args)]
pub(super) struct Models {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the bundled models and those in the cache of the Hugging Face Hub
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Load a model and test it on a few pictures and two prompts
    Check {
        /// `bundled`, `bundled-photo`, `bundled-small`, a name on the Hugging Face Hub, or a folder [default: from the configuration]
        model: Option<String>,
        /// Device that runs it: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: from the configuration]
        #[arg(long, value_name = "DEVICE")]
        device: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the subcommand.
pub(super) fn run(args: &Models, global: &Global) -> Result<ExitCode> {
    match &args.action {
        Action::List { json } => list(*json).map(|()| ExitCode::SUCCESS),
        Action::Check { model, device, json } => check(model.as_deref(), device.as_deref(), *json, global),
    }
}

/// Loads the configured model and describes it, with what it has to say, such as why it does not run on the GPU.
pub(super) fn words(global: &Global) -> Result<(String, Vec<String>)> {
    let config = settings::config(global, None)?;
    let model =
        model_loader::open_with(config.model(), config.device(), config.vram_budget(), global, false)?;
    let faster =
        config.device() != "cpu:bf16" && model.device().starts_with("cpu") && chaffinch_clip::has_bf16();
    let hint = if faster { "; --device cpu:bf16 is faster on this processor" } else { "" };
    // A GPU that stands idle has a line of its own.
    let idle = chaffinch_clip::idle_gpu();
    let notes = model.notes().iter().filter(|note| Some(*note) != idle.as_ref()).cloned().collect();
    Ok((format!("{} on {}, {} dimensions{hint}", model.name(), model.device(), model.dim()), notes))
}

/// One model in the list.
#[derive(Serialize)]
struct Listed {
    name: String,
    kind: String,
    place: String,
    usable: bool,
    /// Why it is not usable.
    problem: Option<String>,
}

/// Lists the bundled models and those in the cache of the Hugging Face Hub.
fn list(as_json: bool) -> Result<()> {
    let bundled = Bundled::ALL.into_iter().map(|model| Listed {
        name: model.name().into(),
        kind: SUPPORTED_TYPES[0].into(),
        place: format!("in the program, for {}", model.purpose()),
        usable: true,
        problem: None,
    });
    let cached = chaffinch_clip::cached_models().into_iter().map(|model| Listed {
        usable: model.problem.is_none(),
        place: safe_path(&model.folder),
        name: model.name,
        kind: model.kind,
        problem: model.problem,
    });
    let models: Vec<Listed> = bundled.chain(cached).collect();
    results(|out| {
        if as_json {
            return json(out, &models);
        }
        let header =
            [("model", Align::Left), ("type", Align::Left), ("usable", Align::Left), ("where", Align::Left)];
        let mut table = Table::new(&header);
        for model in &models {
            let usable = model.problem.as_ref().map_or("yes".to_owned(), |problem| format!("no: {problem}"));
            table.row(vec![model.name.clone(), model.kind.clone(), usable, model.place.clone()]);
        }
        table.write(out, terminal_width())
    })
}

/// The results of testing a model.
#[derive(Serialize)]
struct Trial {
    model: String,
    /// The commit of a model from the hub.
    revision: Option<String>,
    device: String,
    fingerprint: String,
    dimensions: usize,
    input_side: usize,
    /// The longest text in tokens; `None` without a text tower.
    context: Option<usize>,
    /// With what shorter texts are filled up; `None` if they keep their length.
    padding: Option<String>,
    batch: usize,
    load_seconds: f64,
    images_per_second: f64,
    /// Cosine of a picture with itself in another batch; 1 if batching has no effect.
    same: f32,
    /// Maximum cosine of two different pictures.
    different: f32,
    /// Cosine of two different prompts; `None` without a text tower.
    prompts: Option<f32>,
    /// Problems, one sentence each.
    wrong: Vec<String>,
}

/// Loads a model and tests it.
fn check(model: Option<&str>, device: Option<&str>, as_json: bool, global: &Global) -> Result<ExitCode> {
    let flags = Flags { model: model.map(Into::into), device: device.map(Into::into), ..Flags::default() };
    let config = settings::config(global, None)?.with_flags(flags);
    let started = Instant::now();
    let model = model_loader::open(config.model(), config.device(), config.vram_budget(), global)?;
    let trial = trial(&model, started.elapsed().as_secs_f64())?;
    results(|out| if as_json { json(out, &trial) } else { write(out, &trial) })?;
    Ok(ExitCode::from(if trial.wrong.is_empty() { 0 } else { 2 }))
}

fn trial(model: &ClipEmbedder, load_seconds: f64) -> Result<Trial> {
    let pictures: Vec<_> =
        (0..TRIAL).map(|number| sample_pictures::picture(number % 4, number, 96, 80)).collect();
    let started = Instant::now();
    let pixels: Vec<Vec<u8>> = pictures.iter().map(|picture| model.preprocess(picture)).collect();
    let mut vectors = Vec::new();
    for batch in pixels.chunks(model.batch_size().max(1)) {
        vectors.extend(model.embed_images(&batch.concat(), batch.len())?);
    }
    let seconds = started.elapsed().as_secs_f64();
    let alone = model.embed_images(&pixels[1], 1)?;
    let rows: Vec<&[f32]> = vectors.chunks_exact(model.dim()).collect();
    ensure!(rows.len() == pictures.len(), "the model returned {} vectors for {TRIAL} pictures", rows.len());
    let pairs = (0..rows.len()).flat_map(|a| (a + 1..rows.len()).map(move |b| (a, b)));
    let different = pairs.map(|(a, b)| cosine(rows[a], rows[b])).fold(f32::MIN, f32::max);
    let text_input = model.text_input();
    let texts = match text_input {
        Some(_) => model.embed_texts(&["a photo of a cat", "a diagram of an engine"])?,
        None => Vec::new(),
    };
    let texts: Vec<&[f32]> = texts.chunks_exact(model.dim()).collect();
    let prompts = match texts.as_slice() {
        [a, b] => Some(cosine(a, b)),
        _ => None,
    };
    let mut trial = Trial {
        model: model.name().to_owned(),
        revision: model.revision().map(str::to_owned),
        device: model.device(),
        fingerprint: model.fingerprint().to_string(),
        dimensions: model.dim(),
        input_side: model.image_size(),
        context: text_input.as_ref().map(|input| input.context),
        padding: text_input.as_ref().and_then(padding),
        batch: model.batch_size(),
        load_seconds,
        images_per_second: f64::from(TRIAL) / seconds.max(1e-9),
        same: cosine(rows[1], &alone),
        different,
        prompts,
        wrong: Vec::new(),
    };
    trial.judge(&rows, &texts);
    Ok(trial)
}

/// `<pad> (token 0)`.
fn padding(input: &TextInput) -> Option<String> {
    let (id, token) = input.padding.as_ref()?;
    let side = if input.pads_left { ", in front" } else { "" };
    Some(format!("{token} (token {id}{side})"))
}

impl Trial {
    fn judge(&mut self, rows: &[&[f32]], texts: &[&[f32]]) {
        let mut wrong = |bad: bool, text: &str| bad.then(|| self.wrong.push(text.to_owned()));
        for (rows, what) in [(rows, "picture"), (texts, "prompt")] {
            let infinite = rows.iter().any(|row| row.iter().any(|x| !x.is_finite()));
            wrong(infinite, &format!("the vector of a {what} contains NaN or infinity"));
            let long = |row: &&[f32]| (cosine(row, row).sqrt() - 1.0).abs() > 1e-3;
            wrong(rows.iter().any(long), &format!("the vector of a {what} does not have unit length"));
        }
        wrong(self.same < 0.999, "the same picture has a different vector in another batch");
        wrong(self.different > 0.9999, "different pictures have the same vector");
        wrong(self.prompts.is_some_and(|cosine| cosine > 0.9999), "different prompts have the same vector");
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn write(out: &mut dyn Write, trial: &Trial) -> Result<()> {
    writeln!(out, "model        {}", safe_text(&trial.model))?;
    if let Some(commit) = &trial.revision {
        writeln!(out, "commit       {}", safe_text(commit))?;
    }
    writeln!(out, "device       {}", trial.device)?;
    writeln!(out, "vectors      {} dimensions", trial.dimensions)?;
    writeln!(out, "pictures     {0} x {0} pixels, batches of {1}", trial.input_side, trial.batch)?;
    if let Some(context) = trial.context {
        let filled = trial
            .padding
            .as_ref()
            .map_or("not filled up".to_owned(), |padding| format!("filled up with {}", safe_text(padding)));
        writeln!(out, "texts        at most {context} tokens, {filled}")?;
    }
    writeln!(out, "fingerprint  {}", trial.fingerprint)?;
    let (load, rate) = (duration(trial.load_seconds), trial.images_per_second);
    writeln!(out, "speed        {load} to load, {rate:.0} images/s")?;
    writeln!(
        out,
        "cosines      {:.6} for the same picture, at most {:.3} for others",
        trial.same, trial.different
    )?;
    match trial.prompts {
        Some(cosine) => writeln!(out, "prompts      cosine {cosine:.3} for two different ones")?,
        None => writeln!(
            out,
            "prompts      not supported (no text tower); detectors that need prompts do not run"
        )?,
    }
    for text in &trial.wrong {
        writeln!(out, "WRONG        {text}")?;
    }
    if trial.wrong.is_empty() {
        writeln!(
            out,
            "ok           the vectors of {TRIAL} pictures{} are plausible",
            if trial.prompts.is_some() { " and two prompts" } else { "" }
        )?;
    }
    Ok(())
}
