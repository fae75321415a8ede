//! cleanlab: Datalab's issues, and those of `CleanLearning.find_label_issues`.

use super::class_numbers::Numbering;
use super::pairs::{self, Program};
use super::{Importer, PATH_COLUMN, Read, Target, file_name, rows};
use crate::text::Sheet;
use crate::{Error, Result};
use chaffinch_protocol::display::counted;
use chaffinch_protocol::sample::SampleId;
use std::path::PathBuf;

pub(super) const IMPORTER: Importer = Importer {
    name: "cleanlab",
    summary: "cleanlab's issues: labels, outliers, near duplicates and what else Datalab finds",
    files: "`issues.csv` of `Datalab.save`, or its folder; tables of `get_issues` and `find_label_issues`; rows by path \
            (`path`, or an index of paths), else by number",
    in_folder: &["issues.csv"],
    options: &[PATH_COLUMN],
    read,
};

const PROGRAM: Program = Program {
    name: "cleanlab",
    kinds: &[
        ("label", "The label is likely wrong", None),
        ("outlier", "The sample is unlike the others", Some(0.37037)),
        ("near_duplicate", "Another sample is nearly the same", None),
        ("non_iid", "The order of the samples is not random", None),
        ("class_imbalance", "The class is rare", None),
        ("null", "Values are missing", None),
        ("underperforming_group", "The sample is in a group that is predicted badly", None),
        ("data_valuation", "The sample contributes little", Some(0.5)),
        ("identifier_column", "A column counts up", None),
        ("dark", "The picture is dark", Some(0.32)),
        ("light", "The picture is overexposed", Some(0.05)),
        ("blurry", "The picture is blurry", Some(0.29)),
        ("low_information", "The picture has little content", Some(0.15)),
        ("odd_aspect_ratio", "The picture is unusually wide or tall", Some(0.35)),
        ("odd_size", "The picture is unusually large or small", Some(0.5)),
        ("grayscale", "The picture has no colors", Some(0.5)),
    ],
};

/// Classes are named.
const NAMES: Numbering = Numbering::NONE;

fn read(files: &[PathBuf], target: &Target<'_>) -> Result<Read> {
    let mut read = Read::default();
    for file in files {
        let sheet = Sheet::read(file)?;
        if !pairs::any(&sheet) {
            return Err(sheet.without("is_…_issue; name the file issues.csv, not its summary"));
        }
        let rows = rows::samples(&sheet, target, &mut read)?;
        let numbers = pairs::class_numbers(&sheet, &rows, target, &mut read);
        if !rows.certain() {
            // Numbers that go with no labels are those of other samples, which says more.
            let read_as = numbers.as_ref().map_or(&NAMES, |numbers| numbers);
            compare(&sheet, &rows.samples, read_as, target, &mut read)?;
        }
        let numbers = numbers.map_err(|why| Error::format(sheet.path(), why))?;
        pairs::detectors(&sheet, &rows, (&PROGRAM, &numbers), target, &mut read)?;
    }
    Ok(read)
}

/// Rows that were found by their numbers must have the labels of the samples, where the table has them.
fn compare(
    sheet: &Sheet,
    samples: &[Option<SampleId>],
    numbers: &Numbering,
    target: &Target<'_>,
    read: &mut Read,
) -> Result<()> {
    let Some(column) = sheet.column(pairs::GIVEN) else { return Ok(()) };
    let (mut compared, mut differ) = (0_u64, 0_u64);
    for (row, sample) in samples.iter().enumerate() {
        let given = sheet.text(row, column);
        if let Some(own) = sample.and_then(|id| target.manifest.label(id)).filter(|_| !given.is_empty()) {
            compared += 1;
            differ += u64::from(target.class(numbers.name(&given, target)) != Some(own));
        }
    }
    if differ * 2 > compared {
        let message = format!(
            "the given labels of {differ} of {} are not those of the samples with the same numbers, so the rows are in \
             another order; add a column path",
            counted(compared, "row", "rows")
        );
        return Err(Error::format(sheet.path(), message));
    }
    if differ > 0 {
        let rows = counted(differ, "row of", "rows of");
        let verb = if differ == 1 {
            "has another given label than its sample"
        } else {
            "have other given labels than their samples"
        };
        read.warnings.push(format!("{rows} {} {verb}", file_name(sheet.path())));
    }
    Ok(())
}
