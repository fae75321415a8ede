//! One HTML file with everything in it: it needs no network, and its policy forbids any.
//!
//! What is outside text stands in elements escaped, and for the script as JSON in which no tag can begin or end; the script
//! sets it as text. Pictures are data that the script decodes when their row comes into view.

use crate::Result;
use crate::drawn::{histograms, map_of};
use crate::facts::Facts;
use crate::format::{Format, Request};
use crate::plots::{confusion, escaped, shortened};
use crate::subject::Subject;
use crate::suspects::listed;
use crate::thumbnails::thumbnails;
use crate::words::{AGREED, agreed, in_short, left, together};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::thousands;
use chaffinch_protocol::sample::SampleId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub(crate) const FORMAT: Format = Format {
    name: "html",
    summary: "one HTML file with pictures, plots and a list to sort and filter",
    file_name: "report.html",
    lists: true,
    pictures: true,
    render: |subject, request, job| page(subject, request, job).map(Into::into),
};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// Pictures in one element of the page, which is split when the first of them is needed.
const TOGETHER: usize = 128;
/// Confusions in the table.
const CONFUSIONS: usize = 30;

fn page(subject: &Subject<'_>, request: &Request, job: &Job<'_>) -> Result<String> {
    let facts = job.step(0, 2, |job| Facts::collect(subject, request.top, job))?;
    let samples = listed(subject, request.top);
    let manifest = subject.source.manifest;
    let pictures = job.step(1, 2, |job| thumbnails(manifest, &samples, request.thumbnails, job))?;
    let hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src \
         'unsafe-inline'; script-src 'sha256-{hash}'\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n",
        escaped(&format!("{}: suspects", facts.dataset.name))
    );
    out.push_str(&body(subject, &facts));
    let _ = writeln!(
        out,
        "<script type=\"application/json\" id=\"data\">{}</script>",
        embedded(&data(subject, &facts, &samples))
    );
    for part in pictures.chunks(TOGETHER) {
        let _ = writeln!(out, "<script type=\"text/plain\" class=\"pictures\">{}</script>", part.join("\n"));
    }
    let _ = write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
    Ok(out)
}

/// JSON inside an element: no tag and no comment can begin in it.
fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Rows for the script, as arrays: names of columns in every row would double the file.
fn data(subject: &Subject<'_>, facts: &Facts, samples: &[SampleId]) -> Value {
    let points = subject.source.atlas.map(|atlas| atlas.projection().points());
    let detectors: Vec<&str> = facts.detectors.iter().map(|detector| detector.name.as_str()).collect();
    let rows = facts.suspects.iter().zip(samples).map(|(one, id)| {
        let flags = one
            .detectors
            .iter()
            .map(|(name, score)| json!([detectors.iter().position(|known| known == name), rounded(*score)]));
        let at = points.and_then(|points| points.get(id.index())).filter(|at| !at[0].is_nan());
        let at = at.map(|at| crate::plots::position(*at));
        json!([
            one.path,
            one.label,
            one.suggested_label,
            one.score.map(rounded),
            flags.collect::<Vec<Value>>(),
            one.split,
            one.decision,
            one.new_label,
            one.reviewer,
            one.reason,
            one.tags,
            one.note,
            at.map(|(x, y)| json!([x.round(), y.round()])),
        ])
    });
    json!({ "detectors": detectors, "together": TOGETHER, "rows": rows.collect::<Vec<Value>>() })
}

fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1e4).round() / 1e4
}

/// A table of numbers, the first column of which is text.
fn table(caption: &str, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut out = format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Table: {caption}\" tabindex=\"0\"><table><caption class=\"unseen\">\
         {caption}</caption><thead><tr>"
    );
    for heading in headings {
        let class = if heading.starts_with('>') { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", heading.trim_start_matches('>'));
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        for (index, text) in row.iter().enumerate() {
            let class = if headings[index].starts_with('>') { " class=\"number\"" } else { "" };
            let text = escaped(text);
            let _ = match index {
                0 => write!(out, "<th scope=\"row\"><bdi>{text}</bdi></th>"),
                _ => write!(out, "<td{class}><bdi>{text}</bdi></td>"),
            };
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}

fn body(subject: &Subject<'_>, facts: &Facts) -> String {
    let map = map_of(subject);
    let mut sections: Vec<(&str, &str, String)> = vec![("suspects", "Suspects", list(facts))];
    if let Some(map) = map {
        let legend = "<p class=\"legend\"><span class=\"dot open\"></span>undecided <span class=\"dot good\"></span>kept \
                      <span class=\"dot bad\"></span>removed or relabeled <span class=\"dot all\"></span>all samples</p>";
        let text = format!(
            "<p>Similar pictures are near each other. Each dot is a suspect.</p>{legend}<div id=\"map\">{}<div id=\"hover\" \
             hidden></div></div>",
            map.inline()
        );
        sections.push(("map-section", "Map", text));
    }
    sections.push(("whole", "The dataset as a whole", whole(facts)));
    sections.push(("detectors", "Detectors", detectors(facts)));
    sections.push(("classes", "Classes", classes(facts)));
    sections.push(("reviewers", "Reviewers", reviewers(facts)));
    sections.push(("dataset", "The dataset as it was read", remarks(facts)));
    let mut out = format!(
        "<a class=\"skip\" href=\"#suspects\">Skip to the suspects</a>\n<header><p class=\"kind\">Dataset report</p>\
         <h1><bdi>{}</bdi></h1><p class=\"short\">{}</p>{}<nav aria-label=\"Sections\"><ul>",
        escaped(&facts.dataset.name),
        escaped(&in_short(facts)),
        figures(facts)
    );
    for (id, heading, _) in &sections {
        let _ = write!(out, "<li><a href=\"#{id}\">{heading}</a></li>");
    }
    out.push_str("</ul></nav></header>\n<main>\n");
    for (id, heading, text) in &sections {
        let _ = writeln!(
            out,
            "<section id=\"{id}\" aria-labelledby=\"{id}-heading\"><h2 id=\"{id}-heading\">{heading}</h2>{text}</section>"
        );
    }
    let model = facts.model.as_ref().map_or("no model", |model| &model.name);
    let _ = write!(
        out,
        "</main>\n<footer><p>Made by {} with {} and the rule “{}”. {}</p><p><bdi>{}</bdi></p></footer>\n\
         <dialog id=\"detail\" aria-labelledby=\"detail-path\"></dialog>\n",
        escaped(&facts.program),
        escaped(model),
        escaped(&facts.ensemble.name),
        escaped(&facts.ensemble.sentence),
        escaped(&facts.dataset.path)
    );
    out
}

fn figures(facts: &Facts) -> String {
    let mut out = String::from("<dl class=\"figures\">");
    for (name, title) in [
        ("samples", "samples"),
        ("suspects", "suspects"),
        ("undecided", "undecided"),
        ("removed", "to remove"),
        ("relabeled", "to relabel"),
        ("leaks", "leaks"),
        ("unreadable", "unreadable"),
    ] {
        let _ = write!(out, "<div><dt>{title}</dt><dd>{}</dd></div>", thousands(facts.count(name)));
    }
    out.push_str("</dl>");
    out
}

fn list(facts: &Facts) -> String {
    let all = facts.count("suspects");
    let listed = facts.suspects.len() as u64;
    let more = match listed < all {
        true => format!("<p>The worst {} of {} suspects are listed.</p>", thousands(listed), thousands(all)),
        false => String::new(),
    };
    format!(
        "{more}<form id=\"filters\" role=\"search\" aria-label=\"Filter suspects\"><label>Search<input type=\"search\" \
         id=\"words\" placeholder=\"path, label or reason\" autocomplete=\"off\"></label><label>Label<select id=\"by-label\">\
         </select></label><label>Found by<select id=\"by-detector\"></select></label><label>Decision<select \
         id=\"by-decision\"></select></label></form><p id=\"shown\" role=\"status\"></p><div class=\"scroll\" role=\"region\" \
         aria-label=\"Table of suspects\" tabindex=\"0\"><table id=\"list\"><caption class=\"unseen\">Suspects; the buttons in the \
         headings sort</caption><thead><tr></tr></thead><tbody></tbody></table></div><p><button type=\"button\" id=\"more\" \
         hidden>Show more</button></p><noscript><p>The list needs JavaScript; everything else is here without.</p></noscript>"
    )
}

fn detectors(facts: &Facts) -> String {
    let mut out = String::from(
        "<p>Scores from 0 (surely an issue) to 1 (surely fine), on a logarithmic scale. What is left of the dashed threshold \
         is flagged.</p><div class=\"plots\">",
    );
    for plot in histograms(facts) {
        let name = plot.name.trim_start_matches("scores-");
        let detector = facts.detectors.iter().find(|detector| detector.name == name);
        let (summary, flagged) = detector.map_or(("", 0), |one| (one.summary.as_str(), one.flagged));
        let _ = write!(
            out,
            "<figure><figcaption><strong>{}</strong> <span>{} flagged</span><br>{}</figcaption>{}</figure>",
            escaped(&shortened(name, 40)),
            thousands(flagged),
            escaped(summary),
            plot.inline()
        );
    }
    out.push_str("</div>");
    let rows = facts.detectors.iter().map(|one| {
        let precision = match one.faulty + one.fine {
            0 => String::new(),
            judged => format!("{:.0} %", 100.0 * one.faulty as f64 / judged as f64),
        };
        vec![
            one.name.clone(),
            one.version.clone(),
            format!("{:.2}", one.threshold),
            thousands(one.scored),
            thousands(one.flagged),
            thousands(one.faulty),
            thousands(one.fine),
            precision,
        ]
    });
    out + &table(
        "Detectors",
        &["detector", "version", ">threshold", ">scored", ">flagged", ">faulty", ">fine", ">right"],
        rows,
    )
}

fn classes(facts: &Facts) -> String {
    let rows = facts.classes.iter().map(|class| {
        let numbers = [class.samples, class.suspects, class.decided, class.faulty, class.fine];
        let name = class.name.clone().unwrap_or_else(|| "(no label)".into());
        std::iter::once(name).chain(numbers.map(thousands)).collect()
    });
    let mut out = table("Classes", &["class", ">samples", ">suspects", ">decided", ">faulty", ">fine"], rows);
    if let Some(plot) = confusion(&facts.confusions) {
        let most = facts.confusions.iter().take(CONFUSIONS);
        let rows = most.map(|one| {
            vec![one.given.clone(), one.suggested.clone(), thousands(one.count), thousands(one.decided)]
        });
        let pairs = table("Confusions", &["given", "suggested", ">suspects", ">decided"], rows);
        let _ = write!(
            out,
            "<h3>Confusions</h3><p>Given labels in rows, suggested labels in columns.</p><div \
             class=\"confusions\"><figure>{}</figure>{pairs}</div>",
            plot.inline()
        );
    }
    out
}

fn reviewers(facts: &Facts) -> String {
    let mut out = String::new();
    if facts.reviewers.who.is_empty() {
        out.push_str("<p>Nothing has been decided yet.</p>");
    } else {
        let rows = facts.reviewers.who.iter().map(|one| {
            let numbers = [one.decided, one.keep, one.remove, one.relabel, one.unsure];
            std::iter::once(one.name.clone()).chain(numbers.map(thousands)).collect()
        });
        let columns = ["reviewer", ">decided", ">keep", ">remove", ">relabel", ">unsure"];
        out.push_str(&table("Reviewers", &columns, rows));
    }
    if let Some(words) = together(&facts.reviewers) {
        let _ = write!(out, "<p>{}</p>", escaped(&words));
    }
    if !facts.reviewers.agreement.is_empty() {
        out.push_str(&table("Agreement of reviewers", &AGREED, facts.reviewers.agreement.iter().map(agreed)));
    }
    let _ = write!(out, "<p>{}</p>", escaped(&left(facts)));
    out
}

/// Samples of a finding that are named.
const NAMED: usize = 5;

fn whole(facts: &Facts) -> String {
    let all = &facts.dataset_findings;
    let mut out = String::new();
    if all.findings.is_empty() {
        out.push_str("<p>Nothing was found.</p>");
    } else {
        let rows = all.findings.iter().map(|one| {
            let mut named = one.samples.iter().take(NAMED).cloned().collect::<Vec<String>>().join(", ");
            if let Some(more @ 1..) = one.samples.len().checked_sub(NAMED) {
                let _ = write!(named, " and {more} more");
            }
            vec![
                all.title(&one.kind).to_owned(),
                one.severity.to_owned(),
                format!("{:.2}", one.score),
                one.text.clone(),
                named,
            ]
        });
        let columns = ["kind", "severity", ">score", "what was found", "samples"];
        out.push_str(&table("What is wrong with the dataset as a whole", &columns, rows));
    }
    let left: Vec<String> = all.not_checked().collect();
    if !left.is_empty() {
        out.push_str("<ul class=\"remarks\">");
        for one in &left {
            let _ = write!(out, "<li><bdi>{}</bdi></li>", escaped(one));
        }
        out.push_str("</ul>");
    }
    out
}

fn remarks(facts: &Facts) -> String {
    if facts.remarks.is_empty() {
        return "<p>There is nothing to say: every file is a sample that could be read.</p>".into();
    }
    let mut out = String::from("<ul class=\"remarks\">");
    for remark in &facts.remarks {
        let class = if remark.serious { "<strong>Warning.</strong> " } else { "" };
        let _ = write!(out, "<li>{class}<bdi>{}</bdi></li>", escaped(&remark.text));
    }
    out.push_str("</ul>");
    out
}
