//! `explain`: where in pictures the model sees a class or a text, and which words of it count.

use super::args::Global;
use super::listing::Listing;
use super::output::{chain, failure, json, remark, results, warning};
use super::session_model::LoadedModel;
use super::stages::Stages;
use super::{ERROR, interrupt, prompt_set};
use anyhow::{Context, Result, bail, ensure};
use chaffinch_compute::cut_texts;
use chaffinch_compute::embedding::Embedder;
use chaffinch_compute::image::RgbImage;
use chaffinch_compute::image::decode::{Decoded, Remark};
use chaffinch_compute::image::thumbnail;
use chaffinch_data::nearest::hint;
use chaffinch_data::prompts::PromptSet;
use chaffinch_data::{Error, output, pictures, store};
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{LabelId, SampleId};
use chaffinch_review::explanation::{Map, Word, carried, explain, overlay};
use chaffinch_review::meaning::{names_samples, sample_at};
use chaffinch_review::vocabulary::Vocabulary;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

/// The longest side of an overlay in pixels: the map is coarse.
const OVERLAY: u32 = 1024;
/// Pictures whose mean vector stands for that of all.
const MEAN_OF: usize = 10_000;
/// What a cell looks like in a terminal, from nothing to the most relevant one.
const SHADES: [&str; 5] = ["··", "░░", "▒▒", "▓▓", "██"];

/// Show where in pictures the model sees a class or a text, and which words count
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Folder of a scanned session, or its dataset
    #[arg(value_name = "SESSION")]
    target: PathBuf,
    /// Samples by their paths, or the ends of them, or picture files from outside
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Explain the likeness with this text; can be repeated [default: the given and the suggested label]
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// Explain the likeness with this class of the dataset; can be repeated
    #[arg(long, value_name = "NAME")]
    class: Vec<String>,
    /// Write each picture with its relevance as PNG into this new folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A prompt file, or a built-in set such as `cifar10-described`; later ones override earlier ones [default: from the
    /// configuration]
    #[arg(long, value_name = "FILE|NAME")]
    prompts: Vec<PathBuf>,
    /// The model to explain [default: that of the last scan]
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<String>,
    /// Device that runs the model: auto, cpu, cpu:bf16, cuda, or GPUs by number as cuda:0,1 [default: from the session
    /// or the configuration]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A picture.
#[derive(Debug, Serialize)]
struct Explained {
    path: String,
    /// The given label of a sample.
    label: Option<String>,
    width: u32,
    height: u32,
    /// What the model saw of it: left, top, right and bottom in pixels.
    seen: [f32; 4],
    /// Why it may not be what the session knows of it.
    warnings: Vec<String>,
    explanations: Vec<Explanation>,
}

/// Its likeness with a text.
#[derive(Debug, Serialize)]
struct Explanation {
    /// The text, or the name of the class.
    text: String,
    /// Why it is asked for.
    asked: &'static str,
    /// The cosine.
    similarity: f32,
    /// A row of numbers for each row of cells, over what the model saw.
    relevance: Vec<Vec<f32>>,
    words: Vec<Counted>,
    /// The file with the overlay.
    overlay: Option<String>,
    #[serde(skip)]
    map: Map,
}

/// A word of the text, or of the class's first prompt.
#[derive(Debug, Serialize)]
struct Counted {
    word: String,
    adds: f32,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Class(String),
    Text(String),
}

/// A text or class as the model reads it.
struct Read {
    /// Its vector, of unit length.
    vector: Vec<f32>,
    /// A text whose words can be left out.
    prompt: String,
}

/// Where a picture is from.
enum Place {
    Sample(SampleId),
    File(PathBuf),
}

/// Explains and prints.
pub(super) fn run(args: &Explain, global: &Global) -> Result<ExitCode> {
    let mut failed = 0;
    let code = interrupt::status(explained(args, global, &mut failed))?;
    Ok(if failed > 0 && code == ExitCode::SUCCESS { ExitCode::from(ERROR) } else { code })
}

fn explained(args: &Explain, global: &Global, failed: &mut usize) -> Result<()> {
    let listing = Listing::open(&args.target, global)?;
    let mut missing = Vec::new();
    let mut places = Vec::new();
    for path in &args.paths {
        match place(&listing, path) {
            Ok(place) => places.push(place),
            Err(error) => missing.push(error),
        }
    }
    if places.is_empty() {
        return Err(last_of(missing));
    }
    if let Some(out) = &args.out {
        output::outside(listing.manifest.root(), out)?;
    }
    let why = "the model that computed them is not known, so there is nothing to explain; --model NAME explains another one";
    let model = LoadedModel::open(&args.target, global, (args.model.clone(), args.device.clone()), why)?;
    let reader = Reader::new(args, &listing, &model, global)?;
    let stages = Stages::new(1, global.quiet)?;
    let all = stages.run("explanations", 1, |job| {
        let mut each = |folder: Option<&Path>| {
            let mut done = Vec::new();
            for (number, place) in places.iter().enumerate() {
                job.progress(number as u64, places.len() as u64);
                job.checkpoint()?;
                match reader.open(place) {
                    Ok(opened) => done.push(reader.explain(args, place, opened, folder)?),
                    Err(error) => missing.push(error),
                }
            }
            ensure!(!done.is_empty(), "there is nothing to explain");
            Ok(done)
        };
        match &args.out {
            None => each(None),
            Some(out) => {
                let within = |half: &Path| each(Some(half)).map_err(whole_error);
                Ok(output::whole_folder(out, within)?)
            }
        }
    });
    stages.finish();
    if missing.len() == args.paths.len() {
        return Err(last_of(missing));
    }
    let all = all?;
    *failed = missing.len();
    missing.iter().for_each(failure);
    for one in &all {
        one.warnings.iter().for_each(|text| warning(&one.path, text));
    }
    results(|out| match args.json {
        true => json(out, &all),
        false => all.iter().try_for_each(|one| print(out, one)),
    })?;
    if let Some(out) = args.out.as_ref().filter(|_| !global.quiet) {
        remark(&format!("overlays are in {}", safe_path(out)));
    }
    Ok(())
}

/// The last of some errors, after the others were printed.
fn last_of(mut errors: Vec<anyhow::Error>) -> anyhow::Error {
    let last = errors.pop();
    errors.iter().for_each(failure);
    last.unwrap_or_else(|| anyhow::anyhow!("there is nothing to explain"))
}

/// An error for whoever builds a folder.
fn whole_error(error: anyhow::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::Invalid(chain(&error)),
    }
}

/// A sample, or else a file.
fn place(listing: &Listing, path: &Path) -> Result<Place> {
    let text = path.to_str().with_context(|| format!("{}: its path is not valid UTF-8", safe_path(path)))?;
    match sample_at(&listing.manifest, text) {
        Ok(id) => Ok(Place::Sample(id)),
        Err(_) if path.is_file() => Ok(Place::File(path.to_path_buf())),
        Err(error) if names_samples(&listing.manifest, text) => Err(error.into()),
        Err(error) if path.is_dir() => bail!("{error}, and it is a folder"),
        Err(error) => bail!("{error}, and there is no such file"),
    }
}

/// What of a place is known before anything is computed.
struct Opened {
    asked: Vec<(Asked, &'static str)>,
    picture: RgbImage,
    warnings: Vec<String>,
}

/// Reads texts with the model.
struct Reader<'a> {
    listing: &'a Listing,
    embedder: &'a dyn Embedder,
    prompts: PromptSet,
    named: Vec<Asked>,
    /// The mean vector of the dataset's pictures, where the session has vectors of this model.
    mean: Option<Vec<f32>>,
    read: std::cell::RefCell<BTreeMap<Asked, Rc<Read>>>,
}

impl<'a> Reader<'a> {
    fn new(
        args: &Explain,
        listing: &'a Listing,
        model: &'a LoadedModel,
        global: &Global,
    ) -> Result<Reader<'a>> {
        let embedder = &model.embedder;
        let of = (&model.config, model.dataset.as_path());
        let prompts = prompt_set::of_command(&args.prompts, of, &model.session, global)?;
        ensure!(
            embedder.has_text_tower(),
            "the model {} reads no texts, so it cannot say where it sees one; choose another with --model",
            embedder.name()
        );
        let manifest = &listing.manifest;
        let class = |name: &String| match manifest.find_class(name) {
            Some(class) => Ok(Asked::Class(manifest.class(class).to_owned())),
            None => {
                let nearest = hint(name, manifest.classes().iter().map(String::as_str));
                bail!(
                    "--class: the dataset has no class '{}'{nearest} (--text looks for anything else)",
                    safe_text(name)
                )
            }
        };
        let texts = args.text.iter().cloned().map(|text| Ok(Asked::Text(text)));
        let named = args.class.iter().map(class).chain(texts).collect::<Result<Vec<Asked>>>()?;
        if let Some(Asked::Text(_)) =
            named.iter().find(|asked| matches!(asked, Asked::Text(text) if text.trim().is_empty()))
        {
            bail!("--text is empty; say what to look for, as in --text \"a photo of a cat\"");
        }
        let (mean, read) = (mean_of(listing, model), Default::default());
        Ok(Reader { listing, embedder, prompts, named, mean, read })
    }

    /// What is explained of a sample: what was named, or its given and its suggested label.
    fn asked(&self, place: &Place) -> Result<Vec<(Asked, &'static str)>> {
        let why = |asked: &Asked| match asked {
            Asked::Class(_) => "class",
            Asked::Text(_) => "text",
        };
        if !self.named.is_empty() {
            return Ok(self.named.iter().map(|asked| (asked.clone(), why(asked))).collect());
        }
        let Place::Sample(id) = *place else {
            bail!("a picture from outside has no label; name what to look for with --text or --class")
        };
        let (manifest, verdicts) = (&self.listing.manifest, self.listing.source().verdicts());
        let given = Some(manifest.label_name(id)).filter(|name| !name.is_empty());
        let suggested = verdicts.suggested(id).map(|label| manifest.class(LabelId(label)));
        let suggested = suggested.filter(|name| Some(*name) != given);
        let class = |name: Option<&str>, why| name.map(|name| (Asked::Class(name.to_owned()), why));
        let all: Vec<_> = [class(given, "given label"), class(suggested, "suggested label")]
            .into_iter()
            .flatten()
            .collect();
        if all.is_empty() {
            let path = safe_path(manifest.path(id));
            bail!("{path} has no label; name what to look for with --text or --class");
        }
        Ok(all)
    }

    fn read(&self, asked: &Asked) -> Result<Rc<Read>> {
        if let Some(known) = self.read.borrow().get(asked) {
            return Ok(known.clone());
        }
        let (vector, prompt) = match asked {
            Asked::Text(text) => {
                let cut = cut_texts::words(self.embedder, [text.as_str()]);
                cut.iter().for_each(|words| warning("--text", words));
                (self.embedder.embed_texts(&[text])?, text.clone())
            }
            Asked::Class(name) => {
                if let Some(why) = self.prompts.nameless(std::slice::from_ref(name)) {
                    bail!("{why}");
                }
                let one = std::slice::from_ref(name);
                let read = Vocabulary::embed(self.embedder, &self.prompts, (one, &[]), &|_, _| Ok(()))?;
                let cut = read.cut(self.embedder, &self.prompts);
                cut.iter().for_each(|words| warning("prompts", words));
                let prompt = self.prompts.for_class(name).into_iter().next();
                (read.vector(0).to_vec(), prompt.unwrap_or_else(|| name.clone()))
            }
        };
        let read = Rc::new(Read { vector, prompt });
        self.read.borrow_mut().insert(asked.clone(), read.clone());
        Ok(read)
    }

    /// A picture, and why it may not be what the session knows of it.
    fn open(&self, place: &Place) -> Result<Opened> {
        let asked = self.asked(place)?;
        let manifest = &self.listing.manifest;
        let rendering = manifest.rendering();
        let (Decoded { image: picture, remarks, .. }, changed) = match place {
            Place::File(path) => (pictures::decode_file(path, rendering)?, false),
            Place::Sample(id) => {
                let source = manifest.source(*id);
                let known = self.listing.file_metadata.hashes.get(id.index());
                match known.and_then(|hash| pictures::decode_known(&source, rendering, *hash).ok()) {
                    Some(decoded) => (decoded, false),
                    None => {
                        let decoded = pictures::decode(&source, rendering);
                        let path = || safe_path(manifest.path(*id));
                        (decoded.with_context(|| format!("cannot read {}", path()))?, true)
                    }
                }
            }
        };
        let mut warnings = Vec::new();
        if changed {
            warnings.push("it has changed since the last scan, which its labels are from".to_owned());
        }
        let damage = |remark: &Remark| matches!(remark, Remark::Damaged(_)).then(|| remark.sentence());
        warnings.extend(remarks.iter().filter_map(damage));
        Ok(Opened { asked, picture, warnings })
    }

    fn explain(
        &self,
        args: &Explain,
        place: &Place,
        Opened { asked, picture, warnings }: Opened,
        folder: Option<&Path>,
    ) -> Result<Explained> {
        let read = asked.iter().map(|(asked, _)| self.read(asked)).collect::<Result<Vec<_>>>()?;
        let directions: Vec<&[f32]> = read.iter().map(|read| read.vector.as_slice()).collect();
        let maps = explain(self.embedder, &picture, &directions)?;
        let vector = self.embedder.embed_images(&self.embedder.preprocess(&picture), 1)?;
        let (path, label) = match place {
            Place::File(path) => (path.as_path(), None),
            Place::Sample(id) => {
                (self.listing.manifest.path(*id), Some(self.listing.manifest.label_name(*id).to_owned()))
            }
        };
        let mut explanations = Vec::new();
        for (((asked, why), read), map) in asked.into_iter().zip(&read).zip(maps) {
            let (Asked::Class(text) | Asked::Text(text)) = asked;
            let overlay = match folder {
                None => None,
                Some(folder) => Some(write(args, folder, (path, &text), &picture, &map)?),
            };
            let words = carried(self.embedder, &vector, self.mean.as_deref(), &read.prompt)?;
            explanations.push(Explanation {
                text,
                asked: why,
                similarity: read.vector.iter().zip(&vector).map(|(a, b)| a * b).sum(),
                relevance: map.values.chunks(map.columns.max(1)).map(<[f32]>::to_vec).collect(),
                words: words.into_iter().map(|Word { word, adds }| Counted { word, adds }).collect(),
                overlay,
                map,
            });
        }
        let (width, height) = picture.dimensions();
        let [left, top, right, bottom] = self.embedder.seen(width, height);
        let (wide, high) = (width as f32, height as f32);
        Ok(Explained {
            path: path.to_string_lossy().into_owned(),
            label,
            width,
            height,
            seen: [left * wide, top * high, right * wide, bottom * high],
            warnings,
            explanations,
        })
    }
}

/// The mean vector of the dataset's pictures, or of many of them: what the model sees in any.
fn mean_of(listing: &Listing, model: &LoadedModel) -> Option<Vec<f32>> {
    let hashes = &listing.file_metadata.hashes;
    let each = hashes.len().div_ceil(MEAN_OF).max(1);
    let some: Vec<_> = hashes.iter().step_by(each).copied().collect();
    let embedder = &model.embedder;
    let known = (embedder.fingerprint().as_str(), embedder.dim());
    let folder = model.session.embeddings_dir();
    let matrix = store::kept(&folder, listing.manifest.rendering(), known, &some)?;
    let (mut sum, mut count) = (vec![0.0_f64; matrix.cols()], 0_u32);
    let rows = (0..matrix.rows()).map(|row| matrix.row(row));
    for row in rows.filter(|row| row.iter().all(|x| x.is_finite()) && row.iter().any(|x| *x != 0.0)) {
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        count += 1;
    }
    (count > 0).then(|| sum.iter().map(|sum| (sum / f64::from(count)) as f32).collect())
}

/// Writes an overlay under a name that no other one has, and returns where it will be.
fn write(
    args: &Explain,
    folder: &Path,
    (path, text): (&Path, &str),
    picture: &RgbImage,
    map: &Map,
) -> Result<String> {
    let plain = |text: &str| {
        let dashed: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
        words.join("-").chars().take(80).collect::<String>()
    };
    let stem = format!("{}.{}", plain(&path.with_extension("").to_string_lossy()), plain(text));
    let name = (1..)
        .map(|number| if number == 1 { format!("{stem}.png") } else { format!("{stem}.{number}.png") })
        .find(|name| !folder.join(name).exists())
        .unwrap_or_default();
    let small = thumbnail::smaller(picture, OVERLAY);
    let file = folder.join(&name);
    overlay(small.as_ref().unwrap_or(picture), map)
        .save(&file)
        .with_context(|| format!("cannot write {}", safe_path(&file)))?;
    Ok(args.out.as_deref().unwrap_or(folder).join(name).to_string_lossy().into_owned())
}

/// Which pixels the model saw, if it did not see all: from and to, from left to right and from top to bottom.
fn seen_only(one: &Explained) -> Option<String> {
    let [left, top, right, bottom] = one.seen;
    let along = |from: f32, to: f32, all: u32, way: &str| {
        (from >= 1.0 || to <= all as f32 - 1.0).then(|| format!("{from:.0} to {to:.0} of {all} {way}"))
    };
    let ways = [
        along(left, right, one.width, "from left to right"),
        along(top, bottom, one.height, "from top to bottom"),
    ];
    let ways: Vec<String> = ways.into_iter().flatten().collect();
    (!ways.is_empty()).then(|| ways.join(" and "))
}

/// A number with three digits behind the point, and no sign before nothing.
fn number(text: String) -> String {
    if matches!(text.as_str(), "-0.000" | "+0.000") { "0.000".to_owned() } else { text }
}

fn print(out: &mut dyn Write, one: &Explained) -> Result<()> {
    writeln!(out, "{}", safe_text(&one.path))?;
    for explanation in &one.explanations {
        let Explanation { text, asked, similarity, words, map, .. } = explanation;
        let place = match map.place() {
            Some(place) => format!("mostly in {place}"),
            None => "no part of the picture speaks for it".to_owned(),
        };
        let similarity = number(format!("{similarity:.3}"));
        writeln!(out, "  {} ({asked}), similarity {similarity}: {place}", safe_text(text))?;
        for row in 0..map.rows {
            let shade = |column| SHADES[(map.share(row, column) * 4.0).round() as usize];
            writeln!(out, "    {}", (0..map.columns).map(shade).collect::<String>())?;
        }
        if !words.is_empty() {
            let word = |word: &Counted| {
                let adds = number(format!("{:+.3}", word.adds));
                format!("{} {adds}", safe_text(&word.word))
            };
            writeln!(out, "    {}", words.iter().map(word).collect::<Vec<_>>().join(", "))?;
        }
    }
    if let Some(pixels) = seen_only(one) {
        writeln!(out, "  the model saw only the pixels {pixels}")?;
    }
    Ok(())
}
