//! CleanVision: `Imagelab.save` writes `issues.csv`, whose index is the path.

use super::class_numbers::Numbering;
use super::pairs::{self, Program};
use super::{Importer, PATH_COLUMN, Read, Target, rows};
use crate::Result;
use crate::text::Sheet;
use std::path::PathBuf;

pub(super) const IMPORTER: Importer = Importer {
    name: "cleanvision",
    summary: "CleanVision's issues: dark, light, blurry, odd sizes, duplicates",
    files: "`issues.csv` of `Imagelab.save`, or its folder; paths in the index",
    in_folder: &["issues.csv"],
    options: &[PATH_COLUMN],
    read,
};

/// Its scores are below these where it flags.
const PROGRAM: Program = Program {
    name: "CleanVision",
    kinds: &[
        ("dark", "The picture is dark", Some(0.32)),
        ("light", "The picture is overexposed", Some(0.05)),
        ("blurry", "The picture is blurry", Some(0.29)),
        ("low_information", "The picture has little content", Some(0.3)),
        ("odd_aspect_ratio", "The picture is unusually wide or tall", Some(0.35)),
        ("odd_size", "The picture is unusually large or small", Some(0.5)),
        ("grayscale", "The picture has no colors", Some(0.5)),
        ("exact_duplicates", "Another file has the same pixels", None),
        ("near_duplicates", "Another file looks alike", None),
    ],
};

fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    for file in files {
        let sheet = Sheet::read(file)?;
        if !pairs::any(&sheet) {
            return Err(sheet.without("is_…_issue; name the file issues.csv, not its summary"));
        }
        let rows = rows::samples(&sheet, target, &mut read)?;
        pairs::detectors(&sheet, &rows, (&PROGRAM, &Numbering::NONE), target, &mut read)?;
    }
    Ok(read)
}
