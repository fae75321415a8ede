//! The tools that an assistant can call: what each is for, its arguments, and what it does.

use super::review::{Listed, Marks, Review};
use super::told;
use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaffinch_compute::image::RgbImage;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::{Overview, Overviewed, Query, Sort};
use image::ImageFormat;
use image::codecs::jpeg::JpegEncoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::io::Cursor;

/// What became of a call.
pub(super) enum Outcome {
    /// Its contents.
    Done(Value),
    /// Why it failed, for the assistant.
    Failed(String),
    /// There is no such tool.
    Unknown(String),
}

/// One tool.
struct Tool {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Whether it changes nothing.
    reads: bool,
    /// The JSON schema of its arguments' properties, and which of them are required.
    arguments: fn() -> (Value, Value),
    run: fn(&mut Review, &Map<String, Value>) -> Result<Told>,
}

/// What a tool returns.
enum Told {
    Json(Value),
    /// A picture, with what is said of it.
    Picture(Value, Vec<u8>, &'static str),
}

const TOOLS: [Tool; 8] = [
    Tool {
        name: "summary",
        title: "Summary",
        description: "The dataset in short: samples, suspects, decisions, classes, and what each detector finds.",
        reads: true,
        arguments: || (json!({}), json!([])),
        run: |review, arguments| {
            let Nothing {} = parsed(arguments)?;
            Ok(Told::Json(told::summary(review)))
        },
    },
    Tool {
        name: "dataset_findings",
        title: "Findings about the dataset",
        description: "What is wrong with the dataset as a whole: imbalance, order, leaks between splits, groups that a model \
                      does worse on, and what could not be checked.",
        reads: true,
        arguments: || (json!({}), json!([])),
        run: |review, arguments| {
            let Nothing {} = parsed(arguments)?;
            review.settle()?;
            match review.overview(Overview::Findings)? {
                Overviewed::Findings(findings) => Ok(Told::Json(told::findings(&review.summary, &findings))),
                _ => bail!("the engine answered something else"),
            }
        },
    },
    Tool {
        name: "list_samples",
        title: "List samples",
        description: "Suspects, worst first, or all samples. Filters are words that must all match: class:cat, suggested:dog, \
                      detector:duplicates, split:test, decided, undecided, tag:proposed:*, note:text, path:text, score<0.3, \
                      is:leak, is:unreadable; '-' before a word negates it, 'or' between words gives a choice.",
        reads: true,
        arguments: || {
            let properties = json!({
                "filter": { "type": "string", "description": "Words such as `class:cat undecided score<0.3`; empty for no filter" },
                "order": {
                    "type": "string",
                    "description": "rank (worst first), uncertain, diverse, clusters, class, path, group, random, or the name of a detector",
                    "default": "rank"
                },
                "all": { "type": "boolean", "description": "All samples, not only suspects", "default": false },
                "offset": { "type": "integer", "minimum": 0, "default": 0 },
                "limit": { "type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_ROWS }
            });
            (properties, json!([]))
        },
        run: list_samples,
    },
    Tool {
        name: "search",
        title: "Search by meaning",
        description: "All samples, the most similar first, by a text such as `a photo with a watermark`, or by parts that are \
                      added and taken away: `cat + snow - 0.5*indoors`. `like:PATH` is a sample of the dataset.",
        reads: true,
        arguments: || {
            let properties = json!({
                "expression": { "type": "string" },
                "filter": { "type": "string", "description": "As of list_samples" },
                "offset": { "type": "integer", "minimum": 0, "default": 0 },
                "limit": { "type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_ROWS }
            });
            (properties, json!(["expression"]))
        },
        run: |review, arguments| {
            let Search { expression, filter, offset, limit } = parsed(arguments)?;
            ensure!(
                !expression.contains("file:"),
                "pictures from outside the dataset cannot be searched for"
            );
            review.settle()?;
            let query = Query { all: true, filter, sort: Sort::Meaning(expression), descending: false };
            let listed = review.list(query, offset, rows(limit)?)?;
            Ok(Told::Json(list(review, &listed, offset)))
        },
    },
    Tool {
        name: "describe",
        title: "Describe a sample",
        description: "Everything about a sample: why each detector suspects it, suggested labels, its neighbors, decisions, tags, \
                      and notes.",
        reads: true,
        arguments: || (json!({ "id": an_id() }), json!(["id"])),
        run: |review, arguments| {
            let Sample { id } = parsed(arguments)?;
            review.settle()?;
            let detail = told::find(review, &id)?;
            Ok(Told::Json(told::detail(&review.summary, &detail)))
        },
    },
    Tool {
        name: "look",
        title: "Look at a sample",
        description: "The picture of a sample. `marks` draws the parts that matter to detectors (regions), or darkens all but \
                      where the model sees the label (relevance).",
        reads: true,
        arguments: || {
            let properties = json!({
                "id": an_id(),
                "side": { "type": "integer", "minimum": 16, "maximum": MOST_PIXELS, "default": USUAL_SIDE, "description": "Most pixels each way" },
                "marks": { "type": "string", "enum": ["none", "regions", "relevance"], "default": "none" }
            });
            (properties, json!(["id"]))
        },
        run: look,
    },
    Tool {
        name: "propose",
        title: "Propose a decision",
        description: "Suggests to keep, remove or relabel a sample, or says that you are unsure. Nothing is decided: a person sees \
                      the proposal as a tag and its reason as a note, and decides. A newer proposal about a sample replaces yours.",
        reads: false,
        arguments: || {
            let properties = json!({
                "id": an_id(),
                "choice": { "type": "string", "enum": ["keep", "remove", "relabel", "unsure"] },
                "label": { "type": "string", "description": "The class it belongs to, with choice relabel" },
                "reason": { "type": "string", "description": "Why, in a sentence or two", "maxLength": LONGEST_REASON }
            });
            (properties, json!(["id", "choice", "reason"]))
        },
        run: propose,
    },
    Tool {
        name: "withdraw",
        title: "Withdraw a proposal",
        description: "Takes your proposal about a sample back.",
        reads: false,
        arguments: || (json!({ "id": an_id() }), json!(["id"])),
        run: withdraw,
    },
];

/// The schema of an id.
fn an_id() -> Value {
    json!({ "type": "string", "description": "A sample's id, as list_samples and search return it" })
}

/// Rows of a list if nothing else is asked for.
const USUAL_ROWS: u32 = 20;
/// Rows of a list at most.
const MOST_ROWS: u32 = 100;
/// Pixels of a picture each way if nothing else is asked for.
const USUAL_SIDE: u32 = 512;
/// Pixels of a picture each way at most.
const MOST_PIXELS: u32 = 1024;
/// Length of a reason at most, in characters.
const LONGEST_REASON: usize = 1000;
/// Pictures up to this size are sent as PNG, so that nothing is added to what there is to see.
const AS_PNG: u32 = 128;
/// JPEG quality of larger ones.
const QUALITY: u8 = 90;
/// What tags of proposals begin with.
const PROPOSED: &str = "proposed:";

/// All tools as the protocol lists them.
pub(super) fn listed() -> Value {
    let one = |tool: &Tool| {
        let (properties, required) = (tool.arguments)();
        json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            },
            "annotations": {
                "title": tool.title,
                "readOnlyHint": tool.reads,
                "destructiveHint": false,
                "idempotentHint": true,
                "openWorldHint": false,
            },
        })
    };
    TOOLS.iter().map(one).collect()
}

/// Runs a tool.
pub(super) fn call(review: &mut Review, name: &str, arguments: &Map<String, Value>) -> Outcome {
    let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        return Outcome::Unknown(format!("there is no tool '{name}', only {}", names.join(", ")));
    };
    match (tool.run)(review, arguments) {
        Ok(told) => Outcome::Done(contents(told)),
        Err(error) => Outcome::Failed(crate::output::chain(&error)),
    }
}

/// The contents of an answer: what is structured, also as text for clients that know nothing else.
fn contents(told: Told) -> Value {
    let (structured, picture) = match told {
        Told::Json(value) => (value, None),
        Told::Picture(value, bytes, mime) => (value, Some((bytes, mime))),
    };
    let mut all = vec![json!({ "type": "text", "text": structured.to_string() })];
    if let Some((bytes, mime)) = picture {
        all.insert(0, json!({ "type": "image", "data": STANDARD.encode(bytes), "mimeType": mime }));
    }
    json!({ "content": all, "structuredContent": structured, "isError": false })
}

fn parsed<T: DeserializeOwned>(arguments: &Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(arguments.clone())).context("invalid arguments")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct List {
    filter: String,
    order: String,
    all: bool,
    offset: u64,
    limit: u32,
}

impl Default for List {
    fn default() -> List {
        List { filter: String::new(), order: "rank".into(), all: false, offset: 0, limit: USUAL_ROWS }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    expression: String,
    #[serde(default)]
    filter: String,
    #[serde(default)]
    offset: u64,
    #[serde(default = "usual_rows")]
    limit: u32,
}

const fn usual_rows() -> u32 {
    USUAL_ROWS
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    id: String,
    #[serde(default = "usual_side")]
    side: u32,
    #[serde(default)]
    marks: Marks,
}

const fn usual_side() -> u32 {
    USUAL_SIDE
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Propose {
    id: String,
    choice: Wish,
    #[serde(default)]
    label: Option<String>,
    reason: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Wish {
    Keep,
    Remove,
    Relabel,
    Unsure,
}

fn rows(limit: u32) -> Result<u32> {
    ensure!((1..=MOST_ROWS).contains(&limit), "limit must be from 1 to {MOST_ROWS}");
    Ok(limit)
}

fn list_samples(review: &mut Review, arguments: &Map<String, Value>) -> Result<Told> {
    let List { filter, order, all, offset, limit } = parsed(arguments)?;
    // Orders without more to say are texts in the protocol.
    let sort = match serde_json::from_value(Value::String(order.clone())) {
        Ok(sort) => sort,
        Err(_) => {
            let names: Vec<&str> = review.summary.detectors.iter().map(|one| one.name.as_str()).collect();
            ensure!(
                names.contains(&order.as_str()),
                "there is no order or detector '{order}'; the detectors are {}",
                names.join(", ")
            );
            Sort::Detector(order)
        }
    };
    let query = Query { all, filter, sort, descending: false };
    let listed = review.list(query, offset, rows(limit)?)?;
    Ok(Told::Json(list(review, &listed, offset)))
}

fn list(review: &Review, listed: &Listed, offset: u64) -> Value {
    let rows: Vec<Value> = listed.rows.iter().map(|row| told::row(&review.summary, row)).collect();
    json!({ "total": listed.total, "offset": offset, "samples": rows })
}

fn look(review: &mut Review, arguments: &Map<String, Value>) -> Result<Told> {
    let Look { id, side, marks } = parsed(arguments)?;
    ensure!((16..=MOST_PIXELS).contains(&side), "side must be from 16 to {MOST_PIXELS}");
    let detail = told::find(review, &id)?;
    if marks == Marks::Relevance {
        // It would be that of what was searched for.
        review.list(Query::default(), 0, 0)?;
    }
    let picture = review.picture(detail.row.sample, side, marks)?;
    if let Some(why) = picture.error {
        bail!("{}: {why}", detail.row.path);
    }
    let about = json!({
        "id": id,
        "path": detail.row.path,
        "width": picture.width,
        "height": picture.height,
        "whole_width": picture.whole.0,
        "whole_height": picture.whole.1,
    });
    let small = picture.width.max(picture.height) <= AS_PNG;
    let pixels = RgbImage::from_raw(picture.width, picture.height, picture.rgb)
        .context("the picture is incomplete")?;
    let mut bytes = Vec::new();
    if small {
        pixels.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
        return Ok(Told::Picture(about, bytes, "image/png"));
    }
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&pixels)?;
    Ok(Told::Picture(about, bytes, "image/jpeg"))
}

fn propose(review: &mut Review, arguments: &Map<String, Value>) -> Result<Told> {
    let Propose { id, choice, label, reason } = parsed(arguments)?;
    let reason = reason.trim();
    ensure!(!reason.is_empty(), "a reason is needed: a person has to understand the proposal");
    ensure!(
        reason.chars().count() <= LONGEST_REASON,
        "the reason is longer than {LONGEST_REASON} characters"
    );
    let detail = told::find(review, &id)?;
    let tag = match (choice, label.as_deref().map(str::trim)) {
        (Wish::Relabel, Some(label)) if !label.is_empty() => {
            let classes = &review.summary.classes;
            ensure!(
                classes.iter().any(|class| class == label),
                "there is no class '{label}'; summary lists the classes"
            );
            let own = detail.row.label.and_then(|index| classes.get(index as usize));
            ensure!(own.is_none_or(|own| own != label), "the sample has the label '{label}' already");
            // Tags are told as they are shown, and are found again by that.
            format!("{PROPOSED}relabel:{}", safe_text(label))
        }
        (Wish::Relabel, _) => bail!("relabel needs a label"),
        (_, Some(_)) => bail!("only relabel takes a label"),
        (Wish::Keep, None) => format!("{PROPOSED}keep"),
        (Wish::Remove, None) => format!("{PROPOSED}remove"),
        (Wish::Unsure, None) => format!("{PROPOSED}unsure"),
    };
    let earlier: Vec<String> =
        detail.tags.iter().filter(|other| other.starts_with(PROPOSED) && **other != tag).cloned().collect();
    if !earlier.is_empty() {
        // Tags of other assistants stay: only one's own can be removed, and an error says that there are none.
        let _ = review.untag(detail.row.sample, earlier);
    }
    let saved = review.tag(detail.row.sample, &tag, reason)?;
    Ok(Told::Json(json!({ "id": id, "path": detail.row.path, "proposed": tag, "was_there": !saved })))
}

fn withdraw(review: &mut Review, arguments: &Map<String, Value>) -> Result<Told> {
    let Sample { id } = parsed(arguments)?;
    let detail = told::find(review, &id)?;
    let tags: Vec<String> = detail.tags.iter().filter(|tag| tag.starts_with(PROPOSED)).cloned().collect();
    ensure!(!tags.is_empty(), "nothing is proposed about {}", detail.row.path);
    review.untag(detail.row.sample, tags)?;
    // A proposal has a note, unless a person's reached the same sample later, which is not ours to remove.
    let _ = review.remove_note(detail.row.sample);
    Ok(Told::Json(json!({ "id": id, "path": detail.row.path, "withdrawn": true })))
}
