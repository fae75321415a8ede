//! The table of issues that CleanVision's `Imagelab.save` writes. Its index, the path, has no heading.

use super::issues::Program;
use super::{Format, Target};

pub(super) const FORMAT: Format = Format {
    name: "cleanvision",
    summary: "Issues under CleanVision's names: `is_dark_issue`, `dark_score` and so on",
    file_name: "cleanvision_issues.csv",
    target: Target::File,
    stage: None,
    guards: true,
    write: |export, request, _| CLEANVISION.write(export, request),
};

const CLEANVISION: Program = Program {
    name: "CleanVision",
    path: "",
    kinds: &[
        ("odd_size", |_| &[]),
        ("odd_aspect_ratio", |_| &[]),
        ("low_information", |_| &[]),
        ("light", |_| &[]),
        ("grayscale", |_| &[]),
        ("dark", |_| &[]),
        ("blurry", |_| &[]),
        ("exact_duplicates", |_| &[]),
        ("near_duplicates", |finders| finders.copies),
    ],
    said: &[
        ("odd_size", "than the others: "),
        ("odd_aspect_ratio", "odd shape: "),
        ("low_information", "hardly any information: "),
        ("light", "almost white: "),
        ("grayscale", "stored without color"),
        ("dark", "dark: "),
        ("blurry", "blurry: "),
    ],
    labels: false,
};
