//! The form of each kind of output, and what would be written with its values.

use super::fields::{self, Values};
use super::{Outputs, Snapshot, paths, preview};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::output;
use chaffinch_formats::export::{FORMATS, Target};
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_protocol::{OutputField, OutputForm, OutputKind, OutputLine, OutputMark, Ticket};
use chaffinch_review::repair::Policies;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The form for some values, before it is known what would be written: at once, whatever the size of the dataset.
///
/// # Errors
/// When a value names a format that there is not.
pub(crate) fn form(
    ticket: Ticket,
    kind: OutputKind,
    values: &BTreeMap<String, String>,
    snapshot: &Snapshot,
) -> Result<OutputForm> {
    let values = Values(values);
    let fields = match kind {
        OutputKind::Export => export(&values, snapshot)?,
        OutputKind::Plan => plan(&values, snapshot),
        OutputKind::Report => report(&values, snapshot)?,
        OutputKind::Apply => apply(&values, snapshot),
    };
    Ok(OutputForm { ticket, kind, fields, unfinished: true, ..OutputForm::default() })
}

/// The same with what would be written. What stands in the way of writing is said in it; nothing is written.
///
/// # Errors
/// When stopped.
pub(crate) fn previewed(mut form: OutputForm, snapshot: &Snapshot, job: &Job<'_>) -> Result<OutputForm> {
    let kind = form.kind;
    let filled: BTreeMap<String, String> =
        form.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect();
    let values = Values(&filled);
    form.unfinished = false;
    match destination(kind, &values, snapshot) {
        Ok(Destination { words, replaces }) => {
            form.preview.push(OutputLine::new(OutputMark::Text, words));
            form.replaces = replaces;
        }
        Err(error) => form.obstacle = safe_text(&error.to_string()).into_owned(),
    }
    let previewed = snapshot.with(false, job, |outputs, _| lines(kind, &values, outputs, job));
    match previewed {
        Ok((mut lines, obstacle)) => {
            form.preview.append(&mut lines);
            if form.obstacle.is_empty() {
                form.obstacle = obstacle;
            }
        }
        Err(crate::Error::Stopped) => return Err(crate::Error::Stopped),
        Err(error) => form.obstacle = safe_text(&error.to_string()).into_owned(),
    }
    Ok(form)
}

/// The typed path, or the proposed one.
fn to(values: &Values<'_>, snapshot: &Snapshot, help: &str, name: &str) -> OutputField {
    let typed = values.get(fields::TO);
    let path = match typed {
        "" => {
            let root = snapshot.state.findings.manifest.root();
            paths::proposed(root, &snapshot.setup.dataset, name)
        }
        typed => PathBuf::from(typed),
    };
    fields::to(help, &path)
}

fn export(values: &Values<'_>, snapshot: &Snapshot) -> Result<Vec<OutputField>> {
    let format = values.export_format()?;
    let formats = FORMATS.iter().map(|format| (format.name, format.summary));
    let target = match format.target {
        Target::File => "The file to write",
        Target::Folder => "The folder to write files into",
        Target::NewFolder => "The folder to write, which must be new or empty",
        Target::Versions => "The folder that each export adds a version to",
    };
    let mut all = vec![
        values.choice(fields::FORMAT, "What to write", "manifest", formats),
        to(values, snapshot, target, format.file_name),
        values.choice(
            fields::SAMPLES,
            "Which samples, in formats that leave out those that are neither flagged nor reviewed",
            "reviewed",
            [("reviewed", "suspects and reviewed samples"), ("all", "all samples")],
        ),
    ];
    match format.target {
        Target::File => {}
        _ => all.push(values.choice(fields::FILES, "How files get into a copy", "link", fields::COPY_MODES)),
    }
    if format.guards {
        all.push(values.choice(
            fields::FORMULAS,
            "Cells of CSV files that a spreadsheet would run as formulas",
            "guard",
            [("guard", "an apostrophe in front makes them text"), ("keep", "leave them as they are")],
        ));
    }
    Ok(all)
}

fn policies(values: &Values<'_>) -> Vec<OutputField> {
    vec![
        values.choice(fields::LEAKS, fields::LEAKS_HELP, "leave", fields::leaks()),
        values.choice(fields::COPIES, fields::COPIES_HELP, "keep-all", fields::copies()),
    ]
}

fn plan(values: &Values<'_>, snapshot: &Snapshot) -> Vec<OutputField> {
    let mut all = policies(values);
    all.push(to(values, snapshot, "The file to write the plan to, for chaffinch apply", "plan.json"));
    all
}

fn report(values: &Values<'_>, snapshot: &Snapshot) -> Result<Vec<OutputField>> {
    let format = values.report_format()?;
    let formats = chaffinch_report::FORMATS.iter().map(|format| (format.name, format.summary));
    let mut all = vec![
        values.choice(fields::FORMAT, "What to write", "html", formats),
        to(values, snapshot, "The file to write", format.file_name),
    ];
    if format.lists {
        let most = [("5000", ""), ("100", ""), ("1000", ""), ("20000", ""), ("all", "every suspect")];
        let default = Outputs::listed_by_default(format).map_or("all".to_owned(), |top| top.to_string());
        all.push(values.choice(fields::TOP, "How many suspects to list, the worst first", &default, most));
    }
    if format.pictures {
        let sides = [
            ("128", "pixels"),
            ("64", "pixels"),
            ("256", "pixels"),
            ("512", "pixels"),
            ("none", "no pictures"),
        ];
        all.push(values.choice(fields::PICTURES, "The longer side of the pictures in it", "128", sides));
    }
    Ok(all)
}

fn apply(values: &Values<'_>, snapshot: &Snapshot) -> Vec<OutputField> {
    let mut all = policies(values);
    all.push(to(values, snapshot, "The folder for the changed copy, which must be new or empty", "repaired"));
    all.push(values.choice(
        fields::FILES,
        "How files that do not change get into it",
        "auto",
        fields::COPY_MODES,
    ));
    all
}

/// Entries of a folder that are counted.
const COUNTED: usize = 10_000;

/// Where it goes.
struct Destination {
    /// In words.
    words: String,
    /// What would be replaced; empty if nothing would.
    replaces: String,
}

/// # Errors
/// When nothing can be written there.
fn destination(kind: OutputKind, values: &Values<'_>, snapshot: &Snapshot) -> Result<Destination> {
    let path = values.to()?;
    output::outside(snapshot.state.findings.manifest.root(), &path)?;
    let folder = match kind {
        OutputKind::Export => values.export_format()?.target,
        OutputKind::Plan | OutputKind::Report => Target::File,
        OutputKind::Apply => Target::NewFolder,
    };
    let shown = safe_path(&path);
    let invalid = |text: String| Err(crate::Error::Invalid(text));
    let held = |path: &Path| fs::read_dir(path).map_or(0, |entries| entries.take(COUNTED + 1).count());
    let new = || Destination { words: format!("writes {shown}"), replaces: String::new() };
    if fs::symlink_metadata(&path).is_err() {
        return Ok(new());
    }
    match (folder, path.is_dir()) {
        (Target::File, true) => invalid(format!("{shown} is a folder; add the name of a file")),
        (Target::File, false) => {
            Ok(Destination { words: format!("replaces {shown}"), replaces: format!("replace {shown}?") })
        }
        (_, false) => invalid(format!("{shown} is a file; a folder is needed")),
        (Target::NewFolder, true) if held(&path) > 0 => {
            invalid(format!("{shown} is not empty; choose a new folder"))
        }
        (Target::Folder, true) if held(&path) > 0 => {
            let count = held(&path);
            let more = if count > COUNTED { "more than " } else { "" };
            let files = format!("{more}{}", counted(count.min(COUNTED) as u64, "entry", "entries"));
            Ok(Destination {
                words: format!("writes into {shown}, which has {files}"),
                replaces: format!("write into {shown}, and replace files of the same names?"),
            })
        }
        _ => Ok(new()),
    }
}

/// What would be written, and what stands in the way.
fn lines(
    kind: OutputKind,
    values: &Values<'_>,
    outputs: &Outputs<'_>,
    job: &Job<'_>,
) -> Result<(Vec<OutputLine>, String)> {
    let mut lines = Vec::new();
    let text = |text: String| OutputLine::new(OutputMark::Text, text);
    match kind {
        OutputKind::Export => lines.push(text(values.export_format()?.summary.to_owned())),
        OutputKind::Report => {
            let format = values.report_format()?;
            let suspects = outputs.subject.source.ranking.order.len() as u64;
            let listed = values.top(format).map_or(suspects, |top| suspects.min(top as u64));
            let mut words = format.summary.to_owned();
            if format.lists {
                words.push_str(&format!(": {listed} of {}", counted(suspects, "suspect", "suspects")));
            }
            if format.pictures && values.thumbnails() > 0 {
                words.push_str(&format!(", {}", counted(listed, "picture", "pictures")));
            }
            lines.push(text(words));
        }
        OutputKind::Plan | OutputKind::Apply => {}
    }
    let [keep, remove, relabel, unsure] = outputs.decisions().by_choice();
    let decided = counted(outputs.decisions().decided() as u64, "decision", "decisions");
    lines.push(text(format!("{decided}: {keep} keep, {remove} remove, {relabel} relabel, {unsure} unsure")));
    let remarks = outputs.remarks("; the list of conflicts settles them");
    lines.extend(remarks.iter().map(super::OutputRemark::line));
    lines.push(OutputLine::default());
    let policies = match kind {
        OutputKind::Plan | OutputKind::Apply => values.policies(),
        OutputKind::Export | OutputKind::Report => Policies::default(),
    };
    let plan = outputs.plan(policies, job)?;
    lines.extend(preview::of_plan(&plan));
    let obstacle = match kind {
        OutputKind::Apply if plan.changes.is_empty() => {
            "nothing would be changed: decide first, or choose a policy".to_owned()
        }
        _ => String::new(),
    };
    Ok((lines, obstacle))
}
