//! What a report says, the same in all formats.

use crate::Result;
use crate::counts::{Count, counts, kind_name};
use crate::subject::Subject;
use crate::suspects::{Suspect, listed, suspect};
use crate::whole::Whole;
use chaffinch_compute::job::Job;
use chaffinch_data::issue::is_built_in;
use chaffinch_data::journal::Conflict;
use chaffinch_data::set_value::SetValue;
use chaffinch_protocol::Histogram;
use chaffinch_protocol::display::{safe_path, safe_text};
use chaffinch_protocol::sample::{SampleId, Split};
use chaffinch_review::agreement::{Kappa, Rated, agreement};
use chaffinch_review::overview;
use chaffinch_review::remaining::{Remaining, remaining};
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the report as JSON. It grows when a field is renamed, removed or changes its meaning; new fields may
/// come without a new version.
pub const SCHEMA: u32 = 1;

/// Everything a report says, apart from pictures.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The program with its version.
    pub program: String,
    /// The dataset.
    pub dataset: Dataset,
    /// The model, `None` if none was used.
    pub model: Option<Model>,
    /// The rule that combines the detectors.
    pub ensemble: Rule,
    /// All numbers by name.
    pub counts: Vec<Count>,
    /// The detectors with results, in name order.
    pub detectors: Vec<Detector>,
    /// Classes in the order of their names, then samples without a label if there are any.
    pub classes: Vec<Class>,
    /// Suspects by given and suggested label, most first.
    pub confusions: Vec<Confusion>,
    /// Who decided what.
    pub reviewers: Reviewers,
    /// Errors that are left, as far as the decisions say.
    pub remaining: Remaining,
    /// What reading and judging the dataset left open.
    pub remarks: Vec<Remark>,
    /// What detectors found about the dataset as a whole, by detector; the remarks tell of them, too.
    pub findings: Vec<Finding>,
    /// What is wrong with the dataset as a whole.
    pub dataset_findings: Whole,
    /// The suspects, worst first; as many as were asked for.
    pub suspects: Vec<Suspect>,
    /// Scores by detector, for plots.
    #[serde(skip)]
    pub(crate) histograms: Vec<Histogram>,
}

/// The dataset.
#[derive(Debug, Clone, Serialize)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Its path or address.
    pub path: String,
    /// Its samples.
    pub samples: u64,
    /// Samples by split; empty if it has none.
    pub splits: BTreeMap<&'static str, u64>,
}

/// The model.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its commit, if it has one.
    pub revision: Option<String>,
    /// Identifies its vectors.
    pub fingerprint: String,
}

/// The rule that combines detectors.
#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it does.
    pub sentence: String,
}

/// A detector.
#[derive(Debug, Clone, Serialize)]
pub struct Detector {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it finds.
    pub summary: String,
    /// Whether it is what reading the files found.
    pub built_in: bool,
    /// The program whose result it is; empty if it was computed here.
    pub imported: String,
    /// The threshold in effect.
    pub threshold: f32,
    /// Its own threshold.
    pub default_threshold: f32,
    /// The parameters it ran with.
    pub params: BTreeMap<String, SetValue>,
    /// Samples with a score.
    pub scored: u64,
    /// Samples it flags.
    pub flagged: u64,
    /// Flagged samples that were removed or relabeled.
    pub faulty: u64,
    /// Flagged samples that were kept.
    pub fine: u64,
    /// What it says about the whole run.
    pub summary_note: String,
}

/// A class.
#[derive(Debug, Clone, Serialize)]
pub struct Class {
    /// Its name, `None` for samples without a label.
    pub name: Option<String>,
    /// Its samples.
    pub samples: u64,
    /// Suspects among them.
    pub suspects: u64,
    /// Samples with a decision.
    pub decided: u64,
    /// Samples that were removed or relabeled.
    pub faulty: u64,
    /// Samples that were kept.
    pub fine: u64,
}

/// Suspects with a given and a suggested label.
#[derive(Debug, Clone, Serialize)]
pub struct Confusion {
    /// The given label.
    pub given: String,
    /// The suggested label.
    pub suggested: String,
    /// Suspects.
    pub count: u64,
    /// Decided ones.
    pub decided: u64,
}

/// Who decided what.
#[derive(Debug, Clone, Serialize)]
pub struct Reviewers {
    /// Everybody who decided, most decisions first.
    pub who: Vec<Reviewer>,
    /// Samples that several reviewers decided about.
    pub shared: u64,
    /// Those about which all of them decided the same.
    pub agreed: u64,
    /// Agreement beyond chance: of all reviewers, each two, each one with the others, and by class.
    pub agreement: Vec<Agreed>,
}

/// A coefficient of agreement: Cohen's kappa, or Fleiss' where more than two reviewers are compared at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreed {
    /// `all`, `pair`, `reviewer` or `class`.
    pub of: &'static str,
    /// The reviewers or the class, empty for samples without a label.
    pub name: String,
    /// Samples that were compared.
    pub samples: u64,
    /// The share of pairs of decisions that are alike, 0 to 1.
    pub alike: Option<f64>,
    /// 1 for full agreement, 0 for what chance gives; `None` where all decisions are the same.
    pub kappa: Option<f64>,
    /// Where kappa lies with 95 % confidence.
    pub interval: Option<[f64; 2]>,
}

/// A reviewer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reviewer {
    /// The name.
    pub name: String,
    /// Samples with their decision.
    pub decided: u64,
    /// Of these, kept ones.
    pub keep: u64,
    /// Removed ones.
    pub remove: u64,
    /// Relabeled ones.
    pub relabel: u64,
    /// Unsure ones.
    pub unsure: u64,
}

/// Something that a detector found about the dataset as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The detector.
    pub detector: String,
    /// `info`, `warning` or `serious`.
    pub severity: String,
    /// One sentence.
    pub text: String,
    /// Paths of samples that show it.
    pub evidence: Vec<String>,
}

/// A remark on the dataset.
#[derive(Debug, Clone, Serialize)]
pub struct Remark {
    /// What it is about.
    pub kind: &'static str,
    /// How many files, rows or classes it concerns.
    pub count: u64,
    /// Whether a person should look before trusting the results.
    pub serious: bool,
    /// One sentence.
    pub text: String,
}

impl Facts {
    /// Collects them, with at most `most` suspects; all if that is `None`.
    ///
    /// # Errors
    /// If results do not fit the dataset, or when stopped.
    pub fn collect(subject: &Subject<'_>, most: Option<usize>, job: &Job<'_>) -> Result<Facts> {
        let Subject { source, about, ledger, rule, .. } = subject;
        let safe = |text: &str| safe_text(text).into_owned();
        let loaded = about.uses.loaded.as_ref();
        let rows = listed(subject, most);
        let histograms = source.results.keys().filter(|name| !is_built_in(name));
        let histograms = histograms.map(|name| overview::histogram(source, 0, name));
        let remark = |remark: &chaffinch_protocol::Remark| Remark {
            kind: kind_name(remark.kind),
            count: remark.count,
            serious: remark.kind.is_serious(),
            text: safe(&remark.text),
        };
        Ok(Facts {
            schema: SCHEMA,
            program: about.program.clone(),
            dataset: Dataset {
                name: safe(&about.name),
                path: safe(&about.dataset),
                samples: source.manifest.len() as u64,
                splits: splits(source.manifest.splits()),
            },
            model: loaded.map(|loaded| Model {
                name: safe(about.uses.model_words().unwrap_or(&loaded.name)),
                revision: loaded.revision.clone(),
                fingerprint: loaded.fingerprint.clone(),
            }),
            ensemble: Rule { name: rule.name(), sentence: rule.sentence().to_string() },
            counts: counts(subject),
            detectors: detectors(subject),
            classes: classes(subject),
            confusions: confusions(subject),
            reviewers: reviewers(subject),
            remaining: remaining(source.ranking, source.decisions),
            remarks: ledger.remarks.iter().map(remark).collect(),
            findings: findings(subject),
            dataset_findings: Whole::of(subject, job)?,
            suspects: (1..).zip(rows).map(|(rank, id)| suspect(subject, rank, id)).collect(),
            histograms: histograms.collect::<Result<_>>()?,
        })
    }

    /// A number by its name; 0 if there is none.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.iter().find(|count| count.name == name).map_or(0, |count| count.value)
    }
}

/// Samples by split, if any sample has one.
fn splits(codes: &[u8]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for code in codes {
        let name = match Split::from_code(*code) {
            Split::None => "none",
            split => split.name(),
        };
        *counts.entry(name).or_default() += 1;
    }
    if counts.keys().all(|name| *name == "none") {
        counts.clear();
    }
    counts
}

fn detectors(subject: &Subject<'_>) -> Vec<Detector> {
    let source = &subject.source;
    let statistics = overview::statistics(source);
    let one = |(index, (name, result)): (usize, (&String, &std::sync::Arc<_>))| {
        let result: &chaffinch_data::columns::DetectorResult = result;
        let record = result.record();
        let counts = source.ranking.counts.get(index).copied().unwrap_or_default();
        let review = &statistics.detectors[index];
        let note = record.notes.iter().find(|(note, _)| note == "summary");
        Detector {
            name: name.clone(),
            version: safe_text(&record.version).into_owned(),
            summary: safe_text(&record.summary).into_owned(),
            built_in: is_built_in(name),
            imported: safe_text(&record.imported).into_owned(),
            threshold: source.threshold(name),
            default_threshold: record.threshold,
            params: record.params.clone(),
            scored: counts.scored,
            flagged: counts.flagged,
            faulty: review.faulty,
            fine: review.fine,
            summary_note: note.map_or(String::new(), |(_, text)| safe_text(text).into_owned()),
        }
    };
    source.results.iter().enumerate().map(one).collect()
}

fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let manifest = subject.source.manifest;
    let safe = |text: &str| safe_text(text).into_owned();
    let mut all = Vec::new();
    for (detector, result) in subject.source.results {
        for found in &result.record().findings {
            let known = found.evidence.iter().filter(|row| (**row as usize) < manifest.len());
            all.push(Finding {
                detector: detector.clone(),
                severity: safe(&found.severity),
                text: safe(&found.text),
                evidence: known.map(|row| safe_path(manifest.path(SampleId(*row)))).collect(),
            });
        }
    }
    all
}

fn classes(subject: &Subject<'_>) -> Vec<Class> {
    let names = subject.source.manifest.classes();
    let all = overview::classes(&subject.source).into_iter();
    all.map(|class| Class {
        name: class.class.map(|index| safe_text(&names[index as usize]).into_owned()),
        samples: class.size,
        suspects: class.suspects,
        decided: class.decided,
        faulty: class.faulty,
        fine: class.fine,
    })
    .collect()
}

fn confusions(subject: &Subject<'_>) -> Vec<Confusion> {
    let names = subject.source.manifest.classes();
    let name = |index: u32| safe_text(names.get(index as usize).map_or("", String::as_str)).into_owned();
    let mut all = overview::confusion(&subject.source);
    all.sort_by_key(|one| (std::cmp::Reverse(one.count), one.given, one.suggested));
    let named = all.into_iter().map(|one| Confusion {
        given: name(one.given),
        suggested: name(one.suggested),
        count: one.count,
        decided: one.decided,
    });
    named.collect()
}

fn reviewers(subject: &Subject<'_>) -> Reviewers {
    let mut who: BTreeMap<String, Reviewer> = BTreeMap::new();
    let (mut shared, mut agreed) = (0, 0);
    for (id, _) in subject.source.decisions.iter() {
        let sides = subject.journal.sides(id).sides;
        for (name, _, decision) in &sides {
            let reviewer = who.entry(safe_text(name).into_owned()).or_default();
            reviewer.decided += 1;
            let by_choice =
                [&mut reviewer.keep, &mut reviewer.remove, &mut reviewer.relabel, &mut reviewer.unsure];
            for (index, count) in by_choice.into_iter().enumerate() {
                *count += u64::from(index == decision.choice.index());
            }
        }
        if let Some(((.., first), others)) = sides.split_first().filter(|(_, others)| !others.is_empty()) {
            shared += 1;
            agreed += u64::from(others.iter().all(|(.., decision)| decision.choice == first.choice));
        }
    }
    let named = who.into_iter().map(|(name, reviewer)| Reviewer { name, ..reviewer });
    let mut who: Vec<Reviewer> = named.collect();
    who.sort_by_key(|reviewer| std::cmp::Reverse(reviewer.decided));
    Reviewers { who, shared, agreed, agreement: agreements(subject) }
}

/// Agreement beyond chance, if several reviewers decided about the same samples.
fn agreements(subject: &Subject<'_>) -> Vec<Agreed> {
    let manifest = subject.source.manifest;
    let rated = |conflict: Conflict| Rated {
        class: manifest.label_name(conflict.sample).to_owned(),
        said: conflict
            .sides
            .into_iter()
            .map(|(name, _, decision)| (name, decision.choice.to_string()))
            .collect(),
    };
    let samples: Vec<Rated> = subject.journal.decided_by_several().into_iter().map(rated).collect();
    let found = agreement(&samples);
    if found.shared == 0 {
        return Vec::new();
    }
    let row = |of: &'static str, name: String, kappa: &Kappa| Agreed {
        of,
        name: safe_text(&name).into_owned(),
        samples: kappa.samples,
        alike: kappa.observed,
        kappa: kappa.value,
        interval: kappa.interval(),
    };
    let several = found.reviewers.len() > 2;
    let all = several.then(|| row("all", "all reviewers".to_owned(), &found.all));
    let pairs = found.pairs.iter().map(|pair| row("pair", pair.reviewers.join(" and "), &pair.kappa));
    let each = found.each.iter().filter(|_| several);
    let each = each.map(|one| row("reviewer", one.reviewer.clone(), &one.kappa));
    let classes = found.classes.iter().map(|(class, kappa)| row("class", class.clone(), kappa));
    all.into_iter().chain(pairs).chain(each).chain(classes).collect()
}
