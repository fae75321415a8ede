//! The table of issues that cleanlab's `Datalab.save` writes.

use super::issues::Program;
use super::{Format, Target};

pub(super) const FORMAT: Format = Format {
    name: "cleanlab",
    summary: "Issues under cleanlab's names: `is_label_issue`, `label_score`, `given_label`, `predicted_label`",
    file_name: "cleanlab_issues.csv",
    target: Target::File,
    stage: None,
    guards: true,
    write: |export, request, _| CLEANLAB.write(export, request),
};

const CLEANLAB: Program = Program {
    name: "cleanlab",
    path: "path",
    kinds: &[
        ("label", |finders| finders.labels),
        ("outlier", |finders| finders.outliers),
        ("near_duplicate", |finders| finders.copies),
    ],
    said: &[],
    labels: true,
};
