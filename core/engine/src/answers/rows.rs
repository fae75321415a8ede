//! Builds the rows and details that a client shows.

use super::candidates;
use super::list_result::ListResult;
use crate::findings::Findings;
use crate::state::State;
use chaffinch_compute::content::ContentHash;
use chaffinch_compute::matrix::EmbeddingMatrix;
use chaffinch_compute::neighbors;
use chaffinch_data::columns::DetectorResult;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::issue::Boxed;
use chaffinch_data::journal::{Applied, Change, Decisions, Journal, Told};
use chaffinch_data::manifest::Manifest;
use chaffinch_data::session::Session;
use chaffinch_data::store;
use chaffinch_host::class_vectors::ClassVectors;
use chaffinch_protocol::decision::Choice;
use chaffinch_protocol::display;
use chaffinch_protocol::sample::SampleId;
use chaffinch_protocol::{
    Detail, DetailAttribute, DetailEntry, DetailIssue, DetailRegion, DetailRelated, Row, SavedKind, Sort,
};

use chaffinch_review::query;
use chaffinch_review::ranking::calibrate;
use chaffinch_review::verdict::is_flagged;

/// Neighbors shown beside a sample.
const NEIGHBORS: usize = 8;
/// Entries about a sample that are told.
const REMEMBERED: usize = 100;
/// Samples of the suggested class shown beside it.
const EXEMPLARS: usize = 3;

pub(crate) fn row(state: &State, decisions: &Decisions, id: SampleId) -> Row {
    let manifest = &state.findings.manifest;
    let score = state.ranking.score(id.index());
    Row {
        sample: id,
        path: display::safe_path(manifest.path(id)),
        label: manifest.label(id).map(|label| label.0),
        suggested: state.verdicts().suggested(id),
        score,
        flags: state.verdicts().flags(id).map(|flag| flag.index).collect(),
        split: manifest.split(id),
        decision: decisions.get(id).cloned(),
        value: None,
        content: content(state, id),
    }
}

/// The beginning of a content hash, by which a client can tell whether a sample still is the picture that it was.
fn content(state: &State, id: SampleId) -> String {
    const DIGITS: usize = 8;
    let known = known_contents(&state.findings.file_metadata, id);
    known.map_or_else(String::new, |hash| hash.to_string()[..DIGITS].to_owned())
}

/// What a sample contained when it was scanned; `None` if it was not, or could not be read.
pub(crate) fn known_contents(file_metadata: &FileMetadata, id: SampleId) -> Option<ContentHash> {
    file_metadata.hashes.get(id.index()).copied().filter(|hash| *hash != ContentHash::default())
}

/// The same in a list: by an attribute, with its value, and by meaning, with the similarity.
pub(crate) fn row_listed(state: &State, decisions: &Decisions, id: SampleId, list: &ListResult) -> Row {
    let value = match &list.sort {
        Sort::Attribute(name) => {
            let found = query::attribute(&state.findings.results, name);
            found.and_then(|(result, name)| result.attribute(name, id))
        }
        Sort::Meaning(_) => {
            let (direction, matrix) = (list.direction.as_ref(), state.findings.matrix.as_ref());
            direction.zip(matrix).and_then(|(direction, matrix)| direction.similarity(matrix, id.0))
        }
        _ => None,
    };
    Row { value, ..row(state, decisions, id) }
}

pub(crate) fn detail(state: &State, journal: &Journal, id: SampleId) -> Detail {
    let findings = &state.findings;
    let (manifest, file_metadata) = (&findings.manifest, &findings.file_metadata);
    let known = id.index() < file_metadata.len();
    let size = if known { file_metadata.dimensions.get(id.index()) } else { Default::default() };
    let embedding = findings.matrix.as_ref().filter(|m| id.index() < m.rows()).map(|m| m.row(id.index()));
    let mut issues: Vec<DetailIssue> = findings
        .results
        .iter()
        .filter_map(|(name, result)| {
            let issue = result.issue(id)?;
            let threshold = state.verdicts().threshold(name, result);
            Some(DetailIssue {
                detector: name.clone(),
                score: issue.score,
                threshold,
                flagged: is_flagged(issue.score, threshold),
                suggested: issue.suggested,
                reason: display::safe_text(&issue.reason).into_owned(),
                related: issue.related.iter().map(|&(other, alike)| related(state, other, alike)).collect(),
                group: issue.group.map(|group| result.group_members(group)).unwrap_or_default(),
            })
        })
        .collect();
    let severity = |issue: &DetailIssue| calibrate(issue.score, issue.threshold);
    issues.sort_by(|a, b| b.flagged.cmp(&a.flagged).then(severity(a).total_cmp(&severity(b))));
    let probabilities = match (&findings.class_vectors, embedding) {
        (Some(vectors), Some(embedding)) => vectors.probabilities(embedding),
        _ => Vec::new(),
    };
    let (note, other_notes) = notes(journal.decisions(), id);
    let row = row(state, journal.decisions(), id);
    let suggested = row.suggested.filter(|suggested| Some(*suggested) != row.label);
    let (neighbors, exemplars) = nearest(state, id, embedding, suggested);
    let candidates = candidates::ordered(row.label, row.suggested, &issues, &neighbors, &probabilities);
    Detail {
        row,
        full_path: display::safe_path(&manifest.full_path(id)),
        hash: if known { file_metadata.hashes[id.index()].to_string() } else { String::new() },
        width: size.width,
        height: size.height,
        bytes: size.bytes,
        unreadable: file_metadata.unreadable.get(&id).map(|why| display::safe_text(why).into_owned()),
        tags: journal.decisions().tags(id).iter().map(|tag| display::safe_text(tag).into_owned()).collect(),
        note,
        other_notes,
        other_decisions: journal
            .other_decisions(id)
            .into_iter()
            .map(|(by, said)| {
                (
                    display::safe_text(&by).into_owned(),
                    display::safe_text(&said.choice.to_string()).into_owned(),
                )
            })
            .collect(),
        history: journal.history_of(id).into_iter().take(REMEMBERED).map(entry).collect(),
        reviewer: journal
            .decisions()
            .review(id)
            .map_or_else(String::new, |review| display::safe_text(review.reviewer).into_owned()),
        issues,
        candidates,
        neighbors,
        exemplars,
        extra: manifest
            .extra()
            .iter()
            .map(|column| (column.name.clone(), display::safe_text(&column.values[id.index()]).into_owned()))
            .collect(),
        attributes: attributes(findings, id),
        regions: regions(findings, id),
        learned: String::new(),
    }
}

fn entry(told: Told) -> DetailEntry {
    DetailEntry {
        reviewer: display::safe_text(&told.reviewer).into_owned(),
        at: told.at,
        words: told.words,
        decides: told.decides,
        adjudicates: told.adjudicates,
        undone: told.undone,
    }
}

fn attributes(findings: &Findings, id: SampleId) -> Vec<DetailAttribute> {
    let of = |(detector, result): (&String, &std::sync::Arc<DetectorResult>)| {
        let one = |name: &str| {
            let (detector, unit) = (detector.clone(), display::safe_text(result.unit(name)).into_owned());
            Some(DetailAttribute {
                detector,
                name: name.to_owned(),
                unit,
                value: result.attribute(name, id)?,
            })
        };
        result.attributes().filter_map(one).collect::<Vec<_>>()
    };
    findings.results.iter().flat_map(of).collect()
}

fn regions(findings: &Findings, id: SampleId) -> Vec<DetailRegion> {
    let of = |(detector, result): (&String, &std::sync::Arc<DetectorResult>)| {
        let all = result.regions(id).into_iter();
        let one = |region: Boxed| DetailRegion {
            detector: detector.clone(),
            label: display::safe_text(&region.label).into_owned(),
            edges: region.edges,
        };
        all.map(one).collect::<Vec<_>>()
    };
    findings.results.iter().flat_map(of).collect()
}

/// The reviewer's own note, empty if there is none, and those of others.
fn notes(decisions: &Decisions, id: SampleId) -> (String, Vec<(String, String)>) {
    let safe = |text: &str| display::safe_text(text).into_owned();
    let own = decisions.reviewers().first().map_or("", String::as_str);
    let (mine, others): (Vec<_>, Vec<_>) = decisions.notes(id).into_iter().partition(|(by, _)| *by == own);
    let mine = mine.first().map_or_else(String::new, |(_, note)| safe(note));
    (mine, others.into_iter().map(|(by, note)| (safe(by), safe(note))).collect())
}

fn related(state: &State, id: SampleId, similarity: f32) -> DetailRelated {
    let manifest = &state.findings.manifest;
    DetailRelated {
        sample: id,
        path: display::safe_path(manifest.path(id)),
        label: manifest.label(id).map(|label| label.0),
        split: manifest.split(id),
        similarity,
        content: content(state, id),
    }
}

/// The samples that are most like one, of all and of those that have a label and no flag.
fn nearest(
    state: &State,
    id: SampleId,
    embedding: Option<&[f32]>,
    class: Option<u32>,
) -> (Vec<DetailRelated>, Vec<DetailRelated>) {
    let findings = &state.findings;
    let (Some(matrix), Some(embedding)) = (&findings.matrix, embedding) else { return Default::default() };
    if embedding.iter().all(|&x| x == 0.0) {
        return Default::default();
    }
    let cosines = neighbors::similarities(matrix, embedding, 1);
    let decodable = |other: u32| findings.file_metadata.decodable(SampleId(other));
    let all: Vec<(u32, f32)> =
        (0_u32..).zip(cosines).filter(|(other, _)| *other != id.0 && decodable(*other)).collect();
    let labels = findings.manifest.labels();
    let clean = |other: u32| state.ranking.flags.get(other as usize).is_none_or(|flags| *flags == 0);
    let exemplars = class.map_or(Vec::new(), |class| {
        let named = |other: u32| labels.get(other as usize) == Some(&class) && clean(other);
        all.iter().copied().filter(|(other, _)| named(*other)).collect()
    });
    let told = |best: Vec<(u32, f32)>| {
        best.into_iter().map(|(other, cosine)| related(state, SampleId(other), cosine)).collect()
    };
    (told(best(all, NEIGHBORS)), told(best(exemplars, EXEMPLARS)))
}

/// The most similar ones, ties in manifest order.
fn best(mut all: Vec<(u32, f32)>, most: usize) -> Vec<(u32, f32)> {
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if all.len() > most {
        all.select_nth_unstable_by(most, order);
        all.truncate(most);
    }
    all.sort_by(order);
    all
}

/// The embeddings of an earlier scan, if they are complete, and the class vectors, if they are of the same model.
pub(crate) fn open_matrix(
    session: &Session,
    findings: &Findings,
) -> Option<(EmbeddingMatrix, Option<ClassVectors>)> {
    let vectors = ClassVectors::load(&session.class_vectors_path()).ok();
    let (fingerprint, dim) = match session.uses().loaded {
        Some(loaded) => (loaded.fingerprint, loaded.dim),
        None => vectors.as_ref().map(|vectors| (vectors.fingerprint().to_owned(), vectors.dim()))?,
    };
    let vectors = vectors.filter(|vectors| vectors.fits(&fingerprint, findings.manifest.classes()));
    let matrix = store::kept(
        &session.embeddings_dir(),
        findings.manifest.rendering(),
        (&fingerprint, dim),
        &findings.file_metadata.hashes,
    )?;
    Some((matrix, vectors))
}

/// What a decision did, in words for the status line.
pub(crate) fn saved_text(manifest: &Manifest, kind: SavedKind, applied: &Applied) -> String {
    let Applied { samples, decision, words, change, .. } = applied;
    let what = match samples.as_slice() {
        // An entry about files that are gone can be undone, too.
        [] => "of samples that are not in the dataset now".to_owned(),
        [one] => display::safe_path(manifest.path(*one)),
        many => display::counted(many.len() as u64, "sample", "samples"),
    };
    match (kind, change, decision) {
        (SavedKind::Undo, ..) if samples.is_empty() => format!("undid \"{words}\" {what}"),
        (SavedKind::Redo, ..) if samples.is_empty() => format!("redid \"{words}\" {what}"),
        (SavedKind::Undo, ..) => format!("undid \"{words}\": {what}"),
        (SavedKind::Redo, ..) => format!("redid \"{words}\": {what}"),
        (SavedKind::Decision, Change::Noted, _) if words == "remove note" => format!("note removed: {what}"),
        (SavedKind::Decision, Change::Noted, _) => format!("note saved: {what}"),
        (SavedKind::Decision, Change::Tagged, _) => format!("{words}: {what}"),
        (SavedKind::Decision, Change::DecidedEach, _) => format!("{what}: {words}"),
        (SavedKind::Decision, Change::Decided, Some(decision)) => {
            let colon = if matches!(decision.choice, Choice::Relabel(_)) { ":" } else { "" };
            format!("{}{colon} {what}", display::safe_text(&decision.choice.to_string()))
        }
        (SavedKind::Decision, Change::Decided | Change::Cleared, _) => format!("cleared {what}"),
    }
}

/// Why an entry would have changed nothing, for the status line.
pub(crate) fn unchanged_text(manifest: &Manifest, journal: &Journal, applied: &Applied) -> String {
    let Applied { samples, words, change, .. } = applied;
    let one = <[SampleId; 1]>::try_from(samples.as_slice()).ok().map(|[id]| id);
    let what = match one {
        Some(id) => display::safe_path(manifest.path(id)),
        None => format!("all {} samples", samples.len()),
    };
    let by = one.and_then(|id| journal.decisions().review(id)).map_or("", |review| review.reviewer);
    match (change, one) {
        (Change::Cleared, Some(_)) if !by.is_empty() => {
            let by = display::safe_text(by);
            format!("decided by {by}, who alone can clear it: {what}")
        }
        (Change::Cleared, Some(_)) => format!("not decided yet: {what}"),
        (Change::Cleared, None) => format!("none of the {} samples is decided", samples.len()),
        (Change::Noted, _) if words == "remove note" => format!("no note of yours on {what}"),
        (Change::Noted, _) => format!("the note is as it was: {what}"),
        (Change::Tagged | Change::Decided | Change::DecidedEach, _) => format!("already \"{words}\": {what}"),
    }
}
