//! Which of the program's own detectors find what export formats and pages have a name for.

use chaffinch_formats::export::Finders;

/// The program's own detectors by what they find.
pub(super) const FINDERS: Finders = Finders {
    labels: &["label-quality", "clean-selection", "clip-prompt"],
    outliers: &["neighbor-outliers", "cluster-outliers"],
    copies: &["duplicates"],
    leaks: &["leaks"],
    quality: &["image-quality"],
    prompts: "clip-prompt",
};
