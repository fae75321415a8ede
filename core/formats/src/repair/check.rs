//! Whether a plan can be carried out, before anybody tries.

use super::edits::Edits;
use super::in_place::require_whole;
use crate::Result;
use crate::dataset::columns_that_stay;
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::safe_text;
use chaffinch_review::repair::Plan;

/// Does all of a plan but writing, and returns what it will leave contradictory, as a sentence.
///
/// # Errors
/// When applying it would refuse it, with the same words, or when stopped.
pub fn check(plan: &Plan, job: &Job<'_>) -> Result<Option<String>> {
    require_whole(&plan.dataset.path())?;
    let edits = Edits::of(plan, job)?;
    let stay = if plan.relabeled() > 0 { columns_that_stay(&edits.manifest) } else { Vec::new() };
    let (first, rest) = match stay.split_first() {
        None => return Ok(None),
        Some((first, rest)) => (safe_text(first), rest.len()),
    };
    let (more, goes, stays) = match rest {
        0 => (String::new(), "goes", "stays as it is"),
        rest => (format!(" and {rest} more"), "go", "stay as they are"),
    };
    Ok(Some(format!(
        "the column '{first}'{more} {goes} with the labels, but {stays} in files of this format; correct it where samples \
         are relabeled"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Do, plan, whole, write};
    use super::check;

    #[test]
    fn columns_that_contradict_new_labels_are_said() {
        let temp = tempfile::tempdir().unwrap();
        let pictures = [("d/1.jpg", "1"), ("d/2.jpg", "2"), ("d/3.jpg", "3")];
        write(temp.path(), &pictures);
        let rows = "label,class_id,camera\n1.jpg,cat,0,a\n2.jpg,dog,1,b\n3.jpg,cat,0,a\n";
        let folder = temp.path().join("d");
        write(&folder, &[("metadata.csv", &format!("file_name,{rows}"))]);
        let said = |dataset, wish| whole(|job| check(&plan(dataset, &[("1.jpg", wish)]), job)).unwrap();
        let warned = said(&folder, Do::Label("dog")).expect("class_id stays 0");
        assert!(
            warned.starts_with("the column 'class_id' goes with the labels, but stays as it is"),
            "{warned}"
        );
        assert_eq!(said(&folder, Do::Remove), None);
        // A table that is the dataset is changed in both.
        write(temp.path(), &[("table.csv", &format!("path,{rows}"))]);
        let table = temp.path().join("table.csv");
        write(temp.path(), &[("1.jpg", "1"), ("2.jpg", "2"), ("3.jpg", "3")]);
        assert_eq!(said(&table, Do::Label("dog")), None);
    }
}
