//! Precision-recall curves drawn with letters, for any terminal, pipe or screen reader.

use anyhow::Result;
use chaffinch_review::evaluate::{Curve, ENSEMBLE};
use std::collections::BTreeMap;
use std::io::Write;

const COLUMNS: usize = 60;
const ROWS: usize = 16;
/// One letter per curve.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// Draws the curves: each column is a recall, each mark the best precision at that recall or higher, and `*` is the
/// ensemble. Where curves overlap, the ensemble is on top, or else the later one.
pub(super) fn draw(out: &mut dyn Write, curves: &BTreeMap<String, Curve>) -> Result<()> {
    let detectors = curves.iter().filter(|(name, _)| *name != ENSEMBLE);
    let mut drawn: Vec<(char, &str, &Curve)> = LETTERS
        .chars()
        .zip(detectors)
        .map(|(letter, (name, curve))| (letter, name.as_str(), curve))
        .collect();
    if let Some(curve) = curves.get(ENSEMBLE) {
        drawn.push(('*', ENSEMBLE, curve));
    }
    let mut cells = vec![[' '; COLUMNS]; ROWS];
    for (mark, _, curve) in &drawn {
        let cells_of_curve = (0..COLUMNS).filter_map(|column| {
            let precision = curve.best_precision((column as f64 + 0.5) / COLUMNS as f64)?;
            Some((((1.0 - precision) * (ROWS - 1) as f64).round() as usize, column))
        });
        cells_of_curve.for_each(|(row, column)| cells[row.min(ROWS - 1)][column] = *mark);
    }
    writeln!(out, "precision")?;
    for (row, cells) in cells.iter().enumerate() {
        // The rows closest to 1, 0.8, 0.6 and so on are labeled.
        let label = (0..=5).find(|step| (ROWS - 1) * step / 5 == row).map(|step| 1.0 - step as f64 / 5.0);
        let label = label.map_or_else(|| "   ".to_owned(), |label| format!("{label:.1}"));
        let line: String = cells.iter().collect();
        writeln!(out, "{label} |{}", line.trim_end())?;
    }
    writeln!(out, "    +{}", "-".repeat(COLUMNS))?;
    writeln!(out, "     0{:>width$}", "1", width = COLUMNS - 1)?;
    writeln!(out, "{:>width$}", "recall", width = 8 + COLUMNS / 2)?;
    for (mark, name, curve) in &drawn {
        let flagged = curve.threshold.map_or_else(
            || "flags nothing".to_owned(),
            |point| format!("precision {:.3}, recall {:.3} at its threshold", point.precision, point.recall),
        );
        writeln!(out, "{mark}  {name}: {flagged}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaffinch_review::evaluate::Point;

    #[test]
    fn curves_have_letters_and_the_ensemble_a_star() {
        let line = |precision: f64| {
            let points = (1..=10).map(|step| Point { recall: f64::from(step) / 10.0, precision }).collect();
            Curve { points, threshold: None }
        };
        let short = Curve {
            points: vec![Point { recall: 0.5, precision: 0.0 }],
            threshold: Some(Point { recall: 0.25, precision: 0.75 }),
        };
        let curves = BTreeMap::from([
            ("alpha".to_owned(), line(0.2)),
            ("beta".to_owned(), short),
            (ENSEMBLE.to_owned(), line(1.0)),
        ]);
        let mut out = Vec::new();
        draw(&mut out, &curves).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], format!("1.0 |{}", "*".repeat(COLUMNS)));
        assert_eq!(lines[13], format!("0.2 |{}", "a".repeat(COLUMNS)));
        assert_eq!(lines[ROWS], format!("0.0 |{}", "b".repeat(COLUMNS / 2)));
        assert!(text.contains("b  beta: precision 0.750, recall 0.250 at its threshold\n"));
        assert!(text.contains("a  alpha: flags nothing\n"));
    }
}
