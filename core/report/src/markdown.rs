//! Markdown: a summary with tables, for a pull request, a wiki or a mail.

use crate::drawn::plots_of;
use crate::facts::{Facts, Reviewers};
use crate::format::{Format, Text, relative};
use crate::words::{AGREED, agreed, in_short, left, together};
use chaffinch_protocol::display::{counted, thousands};
use std::fmt::Write as _;

pub(crate) const FORMAT: Format = Format {
    name: "md",
    summary: "Markdown: a summary with tables",
    file_name: "report.md",
    lists: true,
    pictures: false,
    render: |subject, request, job| {
        let facts = Facts::collect(subject, request.top, job)?;
        let plots = match &request.plots {
            Some(_) => plots_of(subject, &facts),
            None => Vec::new(),
        };
        let folder = request.plots.as_deref().map(|folder| relative(&request.output, folder));
        let mut text = summary(&facts);
        if let Some(folder) = folder {
            text.push_str("\n## Plots\n\n");
            for plot in &plots {
                let address = format!("{}/{}.svg", folder.replace(' ', "%20"), plot.name);
                let _ = writeln!(text, "![{}](<{address}>)\n", cell(&plot.says));
            }
        }
        if !facts.suspects.is_empty() {
            text.push_str(&suspects(&facts));
        }
        let _ = writeln!(text, "\n_Made by {}._", cell(&facts.program));
        let plots = plots.iter().map(|plot| (format!("{}.svg", plot.name), plot.file())).collect();
        Ok(Text { text, plots })
    },
};

/// Text in a cell of a table: nothing in it is Markdown or HTML.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' | '$' | '(' | ')' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A table: `>` in front of a heading aligns its column to the right.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let names = headings.iter().map(|heading| heading.trim_start_matches('>'));
    let mut out = format!("| {} |\n|", names.collect::<Vec<_>>().join(" | "));
    for heading in headings {
        out.push_str(if heading.starts_with('>') { " ---: |" } else { " --- |" });
    }
    out.push('\n');
    for row in rows {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// Everything but plots and suspects.
pub(crate) fn summary(facts: &Facts) -> String {
    let mut out = format!("# {}: what was found\n\n", cell(&facts.dataset.name));
    let _ = writeln!(out, "{}\n", cell(&in_short(facts)));
    out.push_str("## Found\n\n");
    out.push_str(&found(facts));
    out.push_str("\n## Decided\n\n");
    out.push_str(&decided(facts));
    out.push_str("\n## Left\n\n");
    let _ = writeln!(out, "{}", cell(&left(facts)));
    let classes = facts.classes.iter().map(|class| {
        vec![
            class.name.clone().unwrap_or_else(|| "(no label)".into()),
            thousands(class.samples),
            thousands(class.suspects),
            thousands(class.decided),
            thousands(class.faulty),
        ]
    });
    out.push_str("\n## Classes\n\n");
    out.push_str(&table(&["class", ">samples", ">suspects", ">decided", ">faulty"], classes));
    if !facts.confusions.is_empty() {
        let most = facts.confusions.iter().take(20);
        out.push_str("\n## Confusions\n\n");
        out.push_str(&table(
            &["given", "suggested", ">suspects", ">decided"],
            most.map(|one| {
                vec![one.given.clone(), one.suggested.clone(), thousands(one.count), thousands(one.decided)]
            }),
        ));
    }
    out.push_str("\n## The dataset as a whole\n\n");
    out.push_str(&whole(facts));
    if !facts.remarks.is_empty() {
        out.push_str("\n## The dataset as it was read\n\n");
        for remark in &facts.remarks {
            let warning = if remark.serious { "**warning:** " } else { "" };
            let _ = writeln!(out, "- {warning}{}", cell(&remark.text));
        }
    }
    out
}

/// What is wrong with the dataset as a whole.
pub(crate) fn whole(facts: &Facts) -> String {
    let all = &facts.dataset_findings;
    let mut out = match all.findings.is_empty() {
        true => "Nothing was found.\n".to_owned(),
        false => {
            let rows = all.findings.iter().map(|one| {
                let title = all.title(&one.kind).to_owned();
                vec![title, one.severity.to_owned(), format!("{:.2}", one.score), one.text.clone()]
            });
            table(&["kind", "severity", ">score", "what was found"], rows)
        }
    };
    for (at, left) in all.not_checked().enumerate() {
        let _ = writeln!(out, "{}- {}", if at == 0 { "\n" } else { "" }, cell(&left));
    }
    out
}

/// The table of detectors.
pub(crate) fn found(facts: &Facts) -> String {
    let rows = facts.detectors.iter().map(|detector| {
        vec![
            detector.name.clone(),
            detector.summary.clone(),
            format!("{:.2}", detector.threshold),
            thousands(detector.flagged),
            thousands(detector.faulty),
            thousands(detector.fine),
        ]
    });
    table(&["detector", "what it finds", ">threshold", ">flagged", ">faulty", ">fine"], rows)
}

/// The table of reviewers.
pub(crate) fn decided(facts: &Facts) -> String {
    let Reviewers { who, .. } = &facts.reviewers;
    if who.is_empty() {
        return "Nothing has been decided yet.\n".into();
    }
    let rows = who.iter().map(|one| {
        let numbers = [one.decided, one.keep, one.remove, one.relabel, one.unsure];
        std::iter::once(one.name.clone()).chain(numbers.map(thousands)).collect()
    });
    let mut out = table(&["reviewer", ">decided", ">keep", ">remove", ">relabel", ">unsure"], rows);
    if let Some(words) = together(&facts.reviewers) {
        let _ = writeln!(out, "\n{}", cell(&words));
    }
    if !facts.reviewers.agreement.is_empty() {
        let _ = write!(out, "\n{}", table(&AGREED, facts.reviewers.agreement.iter().map(agreed)));
    }
    out
}

fn suspects(facts: &Facts) -> String {
    let all = facts.count("suspects");
    let listed = facts.suspects.len() as u64;
    let heading = match listed < all {
        true => {
            format!("The first {} of {}, worst first", thousands(listed), counted(all, "suspect", "suspects"))
        }
        false => "Suspects, worst first".to_owned(),
    };
    let rows = facts.suspects.iter().map(|one| {
        vec![
            one.rank.to_string(),
            one.path.clone(),
            one.label.clone(),
            one.suggested_label.clone(),
            one.score.map_or(String::new(), |score| format!("{score:.3}")),
            one.detectors.keys().cloned().collect::<Vec<_>>().join(", "),
            one.decision.to_owned(),
        ]
    });
    let columns = [">rank", "path", "label", "suggested", ">score", "flagged by", "decision"];
    format!("\n## {heading}\n\n{}", table(&columns, rows))
}
