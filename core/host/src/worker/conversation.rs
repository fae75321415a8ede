//! One run of a worker, from the engine's side: it answers what the worker asks for and takes what it reports. All of it
//! goes through the detector's half of the contract, so that a worker is refused exactly what a library is refused.

use super::budget::{Budget, NEIGHBORS};
use super::death::Ended;
use super::files::{Files, unlent};
use super::message::{
    FromWorker, Hash, Item, Kind, Out, PROTOCOL, Picture, Pictures, REVISION, Run, ToWorker, Wanted,
};
use super::process::{Lending, Partner, Worker, held};
use super::shared::{ANSWERS, BRIEF, EMBEDDINGS, OUT, Rows, SharedData, path};
use super::{Job, Limits, Workers, said};
use crate::gone::gone;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_plugin::host::undeclared;
use chaffinch_plugin::{
    Error, HashKind, Info, Issue, NO_LABEL, Needs, Param, ParamKind, Pixels, Related, Report, Result, Score,
    View,
};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a run needs besides the view of the dataset.
pub(crate) struct Lent<'a> {
    pub(crate) workers: &'a Workers,
    pub(crate) job: &'a Job,
    pub(crate) limits: Limits,
    pub(crate) info: &'static Info,
    pub(crate) needs: Needs,
    pub(crate) params: &'a BTreeMap<String, f64>,
    pub(crate) data: &'a SharedData,
    /// The embeddings, if there are any.
    pub(crate) matrix: Option<&'a EmbeddingMatrix>,
    pub(crate) log: &'a (dyn Fn(u32, &str) + Sync),
    /// Takes the most memory that the worker had to itself, in bytes.
    pub(crate) memory: &'a AtomicU64,
    /// Takes the last lines that the worker printed, if there are any.
    pub(crate) printed: &'a (dyn Fn(&str) + Sync),
}

/// The most similarities in one answer.
const MOST_SIMILARITIES: usize = 1 << 28;
/// Bytes of pictures in one answer, unless a single one is larger, and how many of them at most.
const PICTURES: usize = 32 << 20;
const MOST_PICTURES: usize = 10_000;
/// The longest sentence, log line and note, in characters.
const SENTENCE: usize = 2000;
const NOTE: usize = 64 << 10;
/// The most notes of a run.
const NOTES: usize = 100;

/// Runs a detector in a worker.
///
/// # Errors
/// When the worker died, or the run failed or was stopped.
pub(crate) fn converse(
    lent: &Lent<'_>,
    view: &View<'_>,
    report: &Report<'_>,
) -> std::result::Result<(), Ended> {
    let mut files = Files::new()?;
    let wanted = lent.matrix.filter(|_| lent.needs.contains(Needs::EMBEDDINGS));
    let rows = wanted.map(|matrix| Rows::new(matrix.file(), matrix.as_slice())).transpose()?;
    let lending = Lending {
        data: lent.data.as_raw(),
        answers: files.answers.as_raw(),
        brief: files.brief.as_raw(),
        out: files.out.as_raw(),
        embeddings: rows.as_ref().map(Rows::as_raw),
    };
    let lend: Vec<RawFd> = lending.in_order();
    let mut worker = Worker::start(lent.workers, lent.job, &lent.limits, view.len(), &lend)?;
    worker.writes_to(files.out.file().try_clone()?);
    let ended = talk(lent, view, report, &mut worker, &mut files);
    lent.memory.store(worker.most_memory(), Ordering::Relaxed);
    let said = worker.output();
    match &ended {
        Ok(()) => worker.finish(),
        Err(Ended::Refused(error)) if error.is_stopped() => worker.stop(),
        // It may have said why it failed, and prints the rest as it ends.
        Err(Ended::Refused(_)) => worker.finish(),
        Err(Ended::Died(_)) => drop(worker),
    }
    let printed = said.last_lines();
    if !printed.is_empty() {
        (lent.printed)(&printed);
    }
    ended
}

/// The conversation itself.
pub(super) fn talk(
    lent: &Lent<'_>,
    view: &View<'_>,
    report: &Report<'_>,
    worker: &mut impl Partner,
    files: &mut Files,
) -> std::result::Result<(), Ended> {
    let stop = || view.checkpoint().is_err();
    worker.send(&ToWorker::Run(Box::new(run(lent, view))), &stop)?;
    let mut budget = Budget::new(view.len(), view.class_count(), chaffinch_compute::memory::free());
    let (mut noted, mut revision) = (0, 1);
    loop {
        let Some(message) = worker.next(&stop)? else {
            return Err(Error::stopped().into());
        };
        if message.since() > revision {
            return Err(said::too_new(message.since()).into());
        }
        match message {
            FromWorker::Hello { revision: theirs, .. } => revision = theirs.min(REVISION),
            FromWorker::Alive => {}
            FromWorker::Unusable(_) => {
                let why = match lent.job {
                    Job::Library(_) => "could not load its library again",
                    Job::Program { .. } => "sent the message unusable, which is for libraries only,",
                };
                return Err(worker.end_for(why).into());
            }
            FromWorker::Request { id, wanted } => {
                let allowed = budget.ask(&wanted, files.answers.len());
                allowed.map_err(|why| worker.end_for(&why))?;
                let answered = files.once(&wanted, |files| answer(lent, view, report, &wanted, files));
                budget.holds(files.answers.len()).map_err(|why| worker.end_for(&why))?;
                worker.check_memory(held(files.out.file()))?;
                let answer = match answered {
                    Ok(value) => ToWorker::Answer { id, value },
                    Err(error) if error.is_stopped() => return Err(error.into()),
                    Err(error) => {
                        let kind = if error.is_missing() { Kind::Missing } else { Kind::Failed };
                        ToWorker::Refused { id, kind, message: error.to_string() }
                    }
                };
                worker.send(&answer, &stop)?;
            }
            FromWorker::Progress { done, total } => view.progress(done as usize, total as usize),
            FromWorker::Log { level, text } => (lent.log)(level.min(3), &short(&text, SENTENCE)),
            // Whoever reads them has to keep up, and remembers them.
            FromWorker::Note { .. } if noted > NOTES => {}
            FromWorker::Note { .. } if noted == NOTES => {
                noted += 1;
                (lent.log)(2, &format!("wrote more than {NOTES} notes; the others are left out"));
            }
            FromWorker::Note { name, text } => {
                noted += 1;
                report.note(&short(&name, 100), &short(&text, NOTE))?;
            }
            FromWorker::Scores { values, out } => {
                let scores = said::numbers(worker, files, (values, out), ("scores", view.len()))?;
                report.scores(&scores)?;
            }
            FromWorker::Issues { items } => items.iter().try_for_each(|item| issue(report, item))?,
            FromWorker::Attribute { name, unit, values, out } => {
                let what = ("values of an attribute", view.len());
                let values = said::numbers(worker, files, (values, out), what)?;
                report.attribute(&name, &unit, &values)?;
            }
            FromWorker::Finding { severity, text, evidence } => {
                said::finding(report, &severity, &short(&text, SENTENCE / 4), &evidence)?;
            }
            FromWorker::Regions { items } => {
                let boxes = items.iter().map(|item| item.boxes.len()).sum();
                budget.boxes(boxes).map_err(|why| worker.end_for(&why))?;
                items.iter().try_for_each(|item| said::regions(report, item))?;
            }
            FromWorker::Done => return Ok(()),
            FromWorker::Failed { message, kind } => {
                let message = short(&message, SENTENCE);
                return Err(match kind {
                    _ if view.checkpoint().is_err() => Error::stopped(),
                    Kind::Missing => Error::missing(message),
                    Kind::Failed => Error::new(message),
                    Kind::Stopped => Error::new("stopped without having been asked to"),
                }
                .into());
            }
        }
    }
}

/// The first message.
fn run(lent: &Lent<'_>, view: &View<'_>) -> Run {
    let data = lent.data;
    let reads = lent.needs.contains(Needs::DECISIONS);
    let (decisions, relabels) = match reads {
        true => (&data.decisions, &data.relabels),
        false => (&data.undecided.0, &data.undecided.1),
    };
    let undeclared = if reads { Vec::new() } else { vec!["decisions".to_owned(), "relabels".to_owned()] };
    Run {
        protocol: PROTOCOL,
        revision: REVISION,
        detector: lent.info.name().into(),
        count: view.len(),
        parameters: parameters(lent.info, lent.params),
        classes: (0..view.class_count() as u32).map(|label| view.class_name(label).to_owned()).collect(),
        labels: data.labels.clone(),
        splits: data.splits.clone(),
        decodable: data.decodable.clone(),
        contents: data.contents.clone(),
        sizes: data.sizes.clone(),
        file_sizes: data.file_sizes.clone(),
        decisions: decisions.clone(),
        relabels: relabels.clone(),
        undeclared,
        out: path(OUT),
    }
}

/// Values as a program expects them: flags as true and false, choices by name.
fn parameters(info: &Info, params: &BTreeMap<String, f64>) -> Map<String, Value> {
    let value = |param: &Param, value: f64| match param.kind() {
        ParamKind::Flag => Value::Bool(value != 0.0),
        ParamKind::Choice => param.choices().get(value as usize).copied().map_or(Value::Null, Value::from),
        ParamKind::Integer => Value::from(value as i64),
        ParamKind::Number => Value::from(value),
    };
    let known = info.parameters().iter();
    known
        .map(|param| {
            let given = params.get(param.name()).copied().unwrap_or(param.default());
            (param.name().to_owned(), value(param, given))
        })
        .collect()
}

fn issue(report: &Report<'_>, item: &Item) -> Result<()> {
    let score = Score::new(item.score).map_err(|_| {
        let (sample, score) = (item.sample, item.score);
        Error::new(format!("gives sample {sample} the score {score}, which is not between 0 and 1"))
    })?;
    let reason = short(&item.reason, SENTENCE);
    let related: Vec<Related> =
        item.related.iter().map(|&(sample, similarity)| Related { sample, similarity }).collect();
    let mut issue = Issue::new(item.sample, score).reason(&reason).related(&related);
    if let Some(label) = item.suggested.filter(|label| *label != NO_LABEL) {
        issue = issue.suggest(label);
    }
    if let Some(group) = item.group.filter(|group| *group != u32::MAX) {
        issue = issue.group(group);
    }
    report.issue(issue)
}

fn answer(
    lent: &Lent<'_>,
    view: &View<'_>,
    report: &Report<'_>,
    wanted: &Wanted,
    files: &mut Files,
) -> Result<Value> {
    let count = view.len();
    match wanted {
        Wanted::Embeddings => {
            let matrix = view.embeddings()?;
            let shape = vec![matrix.rows(), matrix.cols()];
            Ok(json!({ "rows": { "path": path(EMBEDDINGS), "offset": 0, "dtype": "<f4", "shape": shape } }))
        }
        Wanted::Neighbors { k } => {
            if *k > NEIGHBORS {
                return Err(Error::new(format!("{k} neighbors are too many; the limit is {NEIGHBORS}")));
            }
            let lists = view.neighbors(*k)?;
            let (indices, similarities) = lists.columns();
            let shape = [count, lists.k()];
            let indices = files.answers.put(indices, &shape, ANSWERS).map_err(unlent)?;
            let similarities = files.answers.put(similarities, &shape, ANSWERS).map_err(unlent)?;
            Ok(json!({ "k": lists.k(), "indices": indices, "similarities": similarities }))
        }
        Wanted::Similarities { vectors, count: vectors_count } => {
            few(count, *vectors_count)?;
            let width = view.embeddings()?.cols();
            if vectors_count.checked_mul(width) != Some(vectors.length) {
                let given = vectors.length;
                return Err(Error::new(format!(
                    "the detector passed {given} numbers instead of {vectors_count} vectors of {width}"
                )));
            }
            few(*vectors_count, width)?;
            let vectors = numbers(files, *vectors)?;
            let cosines = view.similarities(&vectors, *vectors_count)?;
            brief(files, "cosines", &cosines, &[count, *vectors_count])
        }
        Wanted::Block { rows, cols } => {
            few(rows.len(), cols.len())?;
            let cosines = view.block(rows, cols)?;
            brief(files, "cosines", &cosines, &[rows.len(), cols.len()])
        }
        Wanted::Model => {
            let (dimension, scale) = view.model()?;
            Ok(json!({ "dimension": dimension, "logit_scale": scale }))
        }
        Wanted::EmbedTexts { texts } => {
            let rows = view.embed_texts(texts)?;
            brief(files, "rows", &rows.data, &[texts.len(), rows.cols])
        }
        Wanted::Prompts { class } => Ok(json!({ "texts": view.prompts(class.unwrap_or(NO_LABEL))? })),
        Wanted::Hashes { hash } => {
            let hashes = files.answers.put(view.hashes(kind(*hash))?, &[count], ANSWERS).map_err(unlent)?;
            Ok(json!({ "hashes": hashes }))
        }
        Wanted::NearHashes { hash, radius } => {
            let pairs = view.near_hashes(kind(*hash), *radius)?;
            let flat: Vec<u32> =
                pairs.iter().flat_map(|pair| [pair.first, pair.second, pair.distance]).collect();
            let pairs = files.answers.put(&flat, &[pairs.len(), 3], ANSWERS).map_err(unlent)?;
            Ok(json!({ "pairs": pairs }))
        }
        Wanted::Probabilities => {
            let rows = view.probabilities()?;
            let (folds, inverse_temperature) = (view.folds()?, view.inverse_temperature()?);
            let shape = [rows.rows(), rows.cols()];
            let rows = files.answers.put(rows.as_slice(), &shape, ANSWERS).map_err(unlent)?;
            let folds = files.answers.put(folds, &[count], ANSWERS).map_err(unlent)?;
            Ok(json!({ "rows": rows, "folds": folds, "inverse_temperature": inverse_temperature }))
        }
        Wanted::Pixels { from, count, max_side } => {
            let pictures = pictures(lent, view, files, (*from, *count), *max_side)?;
            serde_json::to_value(pictures).map_err(|error| Error::new(error.to_string()))
        }
        Wanted::Column { .. }
        | Wanted::ColumnNumbers { .. }
        | Wanted::LabelsOf { .. }
        | Wanted::ScoresOf { .. } => said::answer(view, wanted, files),
        Wanted::Kept { name, version } => match view.kept(name, *version)? {
            None => Ok(json!({ "version": 0 })),
            Some((version, bytes)) => {
                let bytes = files.answers.put(bytes, &[bytes.len()], ANSWERS).map_err(unlent)?;
                Ok(json!({ "version": version, "bytes": bytes }))
            }
        },
        Wanted::Keep { name, bytes } => {
            let bytes = files.out.get::<u8>(bytes.offset, bytes.length).map_err(unwritten)?;
            Ok(json!({ "version": report.keep(name, &bytes)? }))
        }
    }
}

fn unwritten(_: io::Error) -> Error {
    Error::new("the request points to numbers that were not written")
}

fn numbers(files: &Files, out: Out) -> Result<Vec<f32>> {
    files.out.get::<f32>(out.offset, out.length).map_err(unwritten)
}

fn few(rows: usize, cols: usize) -> Result<()> {
    match rows.checked_mul(cols) {
        Some(all) if all <= MOST_SIMILARITIES => Ok(()),
        _ => Err(Error::new(format!(
            "{rows} times {cols} similarities are too many for one answer; the limit is {MOST_SIMILARITIES}"
        ))),
    }
}

/// An answer that is valid until the next request.
fn brief(files: &mut Files, name: &str, numbers: &[f32], shape: &[usize]) -> Result<Value> {
    files.brief.restart().map_err(unlent)?;
    let mut array = files.brief.put(numbers, shape, BRIEF).map_err(unlent)?;
    array.brief = true;
    Ok(json!({ name: array }))
}

fn kind(hash: Hash) -> HashKind {
    match hash {
        Hash::Phash => HashKind::Phash,
        Hash::Dhash => HashKind::Dhash,
        Hash::TurnedPhash => HashKind::TurnedPhash,
    }
}

/// Decodes pictures from a sample on, as many as an answer holds.
fn pictures(
    lent: &Lent<'_>,
    view: &View<'_>,
    files: &mut Files,
    (from, count): (usize, usize),
    max_side: u32,
) -> Result<Pictures> {
    if !lent.needs.contains(Needs::PIXELS) {
        return Err(undeclared("pixels", &["PIXELS"]));
    }
    files.brief.restart().map_err(unlent)?;
    let end = from.saturating_add(count).min(view.len());
    let (mut next, mut group, mut due) = (from, Vec::new(), 0);
    while next < end && due < PICTURES && group.len() < MOST_PICTURES {
        if view.decodable(next) {
            group.push(next);
            due += bytes_of(view, next, max_side);
        }
        next += 1;
    }
    let look = |&sample: &usize| {
        view.pixels(sample, max_side, |pixels| Ok((picture(sample, pixels), pixels.rgb.to_vec())))
    };
    let decoded: Vec<Result<(Picture, Vec<u8>)>> = group.par_iter().map(look).collect();
    let mut pictures = Vec::with_capacity(decoded.len());
    let mut changed = 0;
    for one in decoded {
        match one {
            Ok((picture, rgb)) => {
                let offset = files.brief.append(&rgb).map_err(unlent)?;
                pictures.push(Picture { offset, ..picture });
            }
            Err(error) if error.is_stopped() || count == 1 => return Err(error),
            // It is not there any more as it was indexed.
            Err(_) => changed += 1,
        }
    }
    if changed > 0 {
        (lent.log)(2, &gone(changed));
    }
    if count > 1 {
        view.progress(next, view.len());
    }
    Ok(Pictures { path: path(BRIEF), pictures, next: (next < end).then_some(next) })
}

/// How many bytes the pixels of a sample will take.
fn bytes_of(view: &View<'_>, sample: usize, max_side: u32) -> usize {
    let size = view.dimensions().get(sample).copied().unwrap_or_default();
    let longer = size.width.max(size.height).max(1);
    let scale = if max_side > 0 && longer > max_side { f64::from(max_side) / f64::from(longer) } else { 1.0 };
    (f64::from(size.width) * scale * f64::from(size.height) * scale) as usize * 3
}

fn picture(sample: usize, pixels: &Pixels<'_>) -> Picture {
    let source = pixels.source;
    Picture {
        sample,
        offset: 0,
        width: pixels.width,
        height: pixels.height,
        full_width: pixels.full_width,
        full_height: pixels.full_height,
        source: [source.format, source.named, source.channels, source.orientation, source.frames],
    }
}

/// At most this many characters of a text.
fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
