//! Notes, reasons, suggestions and evidence.

use crate::classes::dot;
use crate::ensemble::{Ensemble, HeldOut};
use crate::examples::Data;
use crate::member::{Features, Space};
use crate::stablelabel::sigmoid;
use crate::{Method, Settings};
use chaffinch_plugin::prelude::*;

/// Samples scoring below this get a reason and evidence, so that they are there if the threshold moves.
const WORDS_BELOW: f32 = 0.65;
/// P(clean), for equal priors, from which another class claims a sample.
const CLAIM: f32 = 0.75;
/// How much higher, in logits, its claim must be than that of the sample's own class.
const LEAD: f32 = 1.0;
/// Samples listed as evidence, and the number of typical samples to choose them from.
const RELATED: usize = 3;
const LOOKED_AT: usize = 256;
/// Classes that a note lists.
const MAX_LISTED: usize = 100;

/// Writes reasons for what a moved threshold might flag.
pub(crate) fn issues(
    view: &View<'_>,
    report: &Report<'_>,
    data: &Data<'_>,
    all: &[Option<Ensemble>],
) -> Result<()> {
    for (label, ensemble) in all.iter().enumerate() {
        let Some(ensemble) = ensemble else { continue };
        view.checkpoint()?;
        for (index, &id) in data.classes[label].ids.iter().enumerate() {
            if ensemble.scores[index] >= WORDS_BELOW {
                continue;
            }
            let vector = data.rows.row(id as usize);
            let claim = claimed(data, all, label, vector);
            let name = view.class_name(label as u32);
            let said = match (ensemble.rejections[index], ensemble.counting()) {
                (0, _) => format!("barely passes for {name}"),
                (1, 1) => format!("the classifier of typical {name} samples rejects it"),
                (2, 2) => format!("both classifiers of typical {name} samples reject it"),
                (no, all) if no == all => {
                    format!("all {all} classifiers of typical {name} samples reject it")
                }
                (1, all) => format!("1 of {all} classifiers of typical {name} samples rejects it"),
                (no, all) => format!("{no} of {all} classifiers of typical {name} samples reject it"),
            };
            let reason = match claim {
                Some(other) => format!("{said}, and those of {} claim it", view.class_name(other as u32)),
                None => said,
            };
            let related = nearest(data, claim.unwrap_or(label), id);
            let mut issue = Issue::new(id as usize, Score::clamp(ensemble.scores[index])?)
                .related(&related)
                .reason(&reason);
            if let Some(other) = claim {
                issue = issue.suggest(other as u32);
            }
            report.issue(issue)?;
        }
    }
    Ok(())
}

/// The other class whose classifiers clearly claim a vector.
fn claimed(data: &Data<'_>, all: &[Option<Ensemble>], label: usize, vector: &[f32]) -> Option<usize> {
    let claim = |other: usize| all[other].as_ref().map(|e| e.claim(data, other, vector, other == label));
    let own = claim(label)?;
    let rivals =
        (0..all.len()).filter(|&other| other != label).filter_map(|other| Some((other, claim(other)?)));
    let (other, logit) = rivals.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
    (sigmoid(logit) >= CLAIM && logit >= own + LEAD).then_some(other)
}

/// The typical samples of a class that are most like a sample.
fn nearest(data: &Data<'_>, label: usize, id: u32) -> Vec<Related> {
    let vector = data.rows.row(id as usize);
    let typical = data.classes[label].typical.iter().take(LOOKED_AT).filter(|&&other| other != id);
    let mut related: Vec<Related> = typical
        .map(|&sample| Related { sample, similarity: dot(vector, data.rows.row(sample as usize)) })
        .collect();
    related.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.sample.cmp(&b.sample)));
    related.truncate(RELATED);
    related
}

/// Writes which members joined, and how much the engineered features vary.
pub(crate) fn notes(
    view: &View<'_>,
    report: &Report<'_>,
    data: &Data<'_>,
    all: &[Option<Ensemble>],
    features: &[Features],
) -> Result<()> {
    let mut lines = Vec::new();
    let trained = all.iter().enumerate().filter_map(|(label, ensemble)| Some((label, ensemble.as_ref()?)));
    for (label, ensemble) in trained.take(MAX_LISTED) {
        let shares: Vec<String> =
            ensemble.clean.iter().map(|share| format!("{:.1} %", share * 100.0)).collect();
        let fallback = if ensemble.joined == 0 { "; none passed the gate, so their mean counts" } else { "" };
        lines.push(format!(
            "{}: {} of {} members joined{fallback}; they call clean {}",
            view.class_name(label as u32),
            ensemble.joined,
            ensemble.clean.len(),
            shares.join(", ")
        ));
    }
    if all.len() > MAX_LISTED {
        lines.push(format!("and {} more classes", all.len() - MAX_LISTED));
    }
    report.note("members", &lines.join("\n"))?;
    if features.contains(&Features::Engineered) {
        report.note("features", &variances(view, data).join("\n"))?;
    }
    Ok(())
}

/// How the model was made, which version it is, and what its cross-validation says.
pub(crate) fn model(view: &View<'_>, settings: &Settings, version: Option<u32>, held: &[HeldOut]) -> String {
    let which = version.map_or_else(|| "not kept".to_owned(), |version| format!("version {version}"));
    if settings.model > 0 {
        return format!("{which}, of an earlier run; set model to 0 to train a new one");
    }
    let how = match settings.method {
        Method::Logistic => "logistic regressions",
        Method::StableLabel => "StableLabel's networks",
    };
    let decided = (0..view.len())
        .filter(|&sample| !matches!(view.decision(sample), None | Some(Decided::Unsure)))
        .count();
    let mut text = format!("{which}: {how}, trained with {decided} decided samples");
    for (chosen, what) in [(false, "examples made by rule"), (true, "decided samples")] {
        let part: Vec<&HeldOut> = held.iter().filter(|held| held.decided == chosen).collect();
        if part.is_empty() {
            continue;
        }
        let right = part.iter().filter(|held| (held.logit >= 0.0) == held.clean).count();
        text += &format!(
            "\ncross-validated in {} parts on {} {what}: {:.1} % right",
            settings.folds,
            part.len(),
            100.0 * right as f64 / part.len() as f64
        );
        if let Some(auroc) = auroc(&part) {
            text += &format!(", AUROC {auroc:.3}");
        }
    }
    text
}

/// The probability that a polluted example has the lower logit of a pair, ties counting half; `None` for a single kind.
fn auroc(held: &[&HeldOut]) -> Option<f64> {
    let mut sorted = held.to_vec();
    sorted.sort_by(|a, b| a.logit.total_cmp(&b.logit));
    let (mut polluted, mut clean, mut in_order) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.logit == b.logit) {
        let fine = tied.iter().filter(|held| held.clean).count() as f64;
        let wrong = tied.len() as f64 - fine;
        in_order += fine * (polluted + 0.5 * wrong);
        polluted += wrong;
        clean += fine;
    }
    (polluted > 0.0 && clean > 0.0).then(|| in_order / (polluted * clean))
}

/// For each class the variance of each engineered feature.
fn variances(view: &View<'_>, data: &Data<'_>) -> Vec<String> {
    let listed = data.classes.iter().enumerate().filter(|(_, class)| !class.ids.is_empty()).take(MAX_LISTED);
    listed
        .map(|(label, class)| {
            let space = Space { features: Features::Engineered, class, label, texts: data.texts };
            let rows: Vec<Vec<f64>> = class
                .ids
                .iter()
                .take(LOOKED_AT)
                .map(|&id| space.of(data.rows.row(id as usize), true))
                .collect();
            let variance = |column: usize| {
                let mean = rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
                rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / rows.len() as f64
            };
            let variances: Vec<String> =
                (0..rows[0].len()).map(|column| format!("{:.2e}", variance(column))).collect();
            format!("{}: {}", view.class_name(label as u32), variances.join(", "))
        })
        .collect()
}
