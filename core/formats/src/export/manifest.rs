//! Suspects and reviewed samples with findings and decisions, as CSV.

use super::odd_paths::{Are, OddPaths};
use super::{Export, Format, Target, Written};
use crate::Result;
use chaffinch_data::atomic;
use chaffinch_data::class_names;
use chaffinch_data::row_keys::ImageIds;
use chaffinch_protocol::display::safe_text;
use chaffinch_protocol::sample::SampleId;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) const FORMAT: Format = Format {
    name: "manifest",
    summary: "CSV of suspects and reviewed samples with scores, flags and decisions",
    file_name: "manifest.csv",
    target: Target::File,
    stage: None,
    guards: false,
    write: |export, request, _| {
        let notes = export.manifest(&request.output, request.all)?.into_iter().collect();
        Ok(Written { notes, ..Written::file(&request.output) })
    },
};

/// The columns of the ImageNet cleaning work, in its order.
pub(super) const COLUMNS: [&str; 15] = [
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
    /// `all`, then all others too. `vl_confidence` is one minus the score of the detector named in `vl_flag_type`. Returns what
    /// is to be said of its paths.
    ///
    /// # Errors
    /// When the target is inside the dataset, or cannot be written.
    pub fn manifest(&self, target: &Path, all: bool) -> Result<Option<String>> {
        self.outside(target)?;
        let mut odd = OddPaths::new(self.source.manifest);
        atomic::write(target, |out| {
            let mut out = csv::Writer::from_writer(out);
            out.write_record(COLUMNS)?;
            let ids = ImageIds::of(self.source.manifest);
            for &row in self.source.ranking.full_order() {
                let id = SampleId(row);
                if all
                    || self.source.ranking.flags[id.index()] > 0
                    || self.source.decisions.review(id).is_some()
                {
                    let review = self.source.decisions.review(id);
                    let tags = review.map(|review| review.tags.join(",")).unwrap_or_default();
                    out.write_byte_record(&self.manifest_row(&ids, id, &tags, self.decision(id)))?;
                    odd.see(id);
                }
            }
            out.flush()
        })?;
        Ok(odd.told(Are::Bytes))
    }

    /// A row with these tags and this action.
    pub(super) fn manifest_row(
        &self,
        ids: &ImageIds<'_>,
        id: SampleId,
        tags: &str,
        action: &str,
    ) -> csv::ByteRecord {
        let manifest = self.source.manifest;
        let path = manifest.path(id).as_os_str().as_bytes();
        let verdicts = self.source.verdicts();
        let worst = verdicts.worst_first(id).into_iter().next();
        // What Visual Layer found has the name there that it has here.
        let flag = worst.map_or(Cow::Borrowed(""), |flag| {
            let theirs = flag.detector.strip_prefix("visual-layer_").filter(|_| self.imported(flag.detector));
            safe_text(theirs.unwrap_or(flag.detector))
        });
        let confidence = worst.map_or(String::new(), |flag| decimal(1.0 - flag.score));
        let suggested = self.suggested(id).unwrap_or_default();
        let reason = verdicts.reason(id);
        let review = self.source.decisions.review(id);
        let new_label = self.new_label(id).unwrap_or_default();
        let at = review.map(|review| review.at()).unwrap_or_default();
        let said = notes(&self.source.decisions.notes(id));
        let fields: [&[u8]; 15] = [
            &ids.id(id),
            path,
            self.dataset.as_bytes(),
            manifest.split_as_written(id).as_bytes(),
            &class_names::bytes(manifest.label_name(id)),
            flag.as_bytes(),
            confidence.as_bytes(),
            &class_names::bytes(suggested),
            reason.as_bytes(),
            tags.as_bytes(),
            action.as_bytes(),
            &class_names::bytes(&new_label),
            review.map_or("", |review| review.author).as_bytes(),
            at.as_bytes(),
            said.as_bytes(),
        ];
        fields.into_iter().collect()
    }
}

/// The notes on a sample: the only one as it is, several with their authors.
pub(super) fn notes<'a>(notes: &[(&str, &'a str)]) -> Cow<'a, str> {
    match notes {
        [] => Cow::Borrowed(""),
        [(_, note)] => Cow::Borrowed(note),
        several => {
            let all: Vec<String> = several.iter().map(|(by, note)| format!("{by}: {note}")).collect();
            Cow::Owned(all.join("; "))
        }
    }
}

impl Export<'_> {
    /// Whether a detector's result was imported.
    fn imported(&self, detector: &str) -> bool {
        self.source.results.get(detector).is_some_and(|result| result.record().is_imported())
    }
}

/// A number with at most six decimal places, and no more than it needs.
fn decimal(number: f32) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
