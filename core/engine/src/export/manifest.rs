//! Suspects and reviewed samples with what was found and decided, as CSV.

use super::{Export, Format, Target, Written};
use crate::display::safe_text;
use crate::ranking;
use crate::sample::SampleId;
use crate::{Result, atomic};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "manifest",
    summary: "CSV of suspects and reviewed samples with scores, flags and decisions",
    file_name: "manifest.csv",
    target: Target::File,
    stage: None,
    write: |export, request, _| {
        export.manifest(&request.output, request.all)?;
        Ok(Written::file(&request.output))
    },
};

/// The columns of the ImageNet cleaning work, in its order.
const COLUMNS: [&str; 15] = [
    "image_id",
    "image_path",
    "dataset",
    "split",
    "original_label",
    "vl_flag_type",
    "vl_confidence",
    "vl_suggested_label",
    "vl_reason",
    "user_tags",
    "user_action",
    "new_label",
    "reviewer",
    "review_date",
    "notes",
];

impl Export<'_> {
    /// Writes the manifest of fifteen columns: suspects worst first, then other samples that were reviewed; with
    /// `all`, then all others too. `vl_confidence` is one minus the score of the detector named in `vl_flag_type`.
    ///
    /// # Errors
    /// When the place lies inside the dataset, or cannot be written.
    pub fn manifest(&self, target: &Path, all: bool) -> Result<()> {
        self.outside(target)?;
        atomic::write(target, |out| {
            let mut out = csv::Writer::from_writer(out);
            out.write_record(COLUMNS)?;
            for &row in self.source.ranking.full_order() {
                let id = SampleId(row);
                if all
                    || self.source.ranking.flags[id.index()] > 0
                    || self.source.decisions.review(id).is_some()
                {
                    out.write_byte_record(&self.manifest_row(id))?;
                }
            }
            out.flush()
        })
    }

    fn manifest_row(&self, id: SampleId) -> csv::ByteRecord {
        let manifest = self.source.manifest;
        let path = manifest.path(id).as_os_str().as_bytes();
        // A table's own numbering is kept as it was written.
        let numbered =
            manifest.extra().iter().find(|column| column.name == "image_id" || column.name == "id");
        let image_id = numbered.map_or(path, |column| column.values[id.index()].as_bytes());
        let (mut flag, mut confidence, mut suggested) = (String::new(), String::new(), "");
        if let Some((name, score)) = self.worst(id) {
            confidence = decimal(1.0 - score);
            flag = name;
        }
        let labels = self.source.results.values().filter_map(|result| result.suggested(id));
        let named = self.source.results.get(&flag).and_then(|result| result.suggested(id));
        if let Some(label) = named.or_else(|| labels.into_iter().next()).filter(|_| !flag.is_empty()) {
            suggested = manifest.classes().get(label as usize).map_or("", String::as_str);
        }
        let reason = ranking::explain(self.source.results, self.source.thresholds, id);
        let review = self.source.decisions.review(id);
        let choice = review.and_then(|review| review.decision).map(|decision| &decision.choice);
        let new_label = match choice {
            Some(crate::decision::Choice::Relabel(label)) => label.as_str(),
            _ => "",
        };
        let (tags, at) = review.map_or_else(Default::default, |review| (review.tags.join(","), review.at()));
        let fields: [&[u8]; 15] = [
            image_id,
            path,
            self.dataset.as_bytes(),
            manifest.split(id).name().as_bytes(),
            manifest.label_name(id).as_bytes(),
            flag.as_bytes(),
            confidence.as_bytes(),
            suggested.as_bytes(),
            reason.as_bytes(),
            tags.as_bytes(),
            choice.map_or("", |choice| choice.word()).as_bytes(),
            new_label.as_bytes(),
            review.map_or("", |review| review.reviewer).as_bytes(),
            at.as_bytes(),
            review.map_or("", |review| review.note).as_bytes(),
        ];
        fields.into_iter().collect()
    }

    /// The detector that flags a sample most, with its score.
    fn worst(&self, id: SampleId) -> Option<(String, f32)> {
        let flagged = self.source.results.iter().filter_map(|(name, result)| {
            let own = result.record().threshold;
            let threshold = self.source.thresholds.get(name).copied().unwrap_or(own);
            let score = result.score(id).filter(|&score| score < threshold)?;
            Some((ranking::calibrate(score, threshold), name, score))
        });
        let worst = flagged.min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((safe_text(worst.1).into_owned(), worst.2))
    }
}

/// A number with at most six digits behind the point, and no more than it needs.
fn decimal(number: f32) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
