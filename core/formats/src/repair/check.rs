//! Whether a plan can be carried out, before anybody tries.

use super::edits::Edits;
use super::in_place::require_whole;
use crate::Result;
use crate::dataset::ALL_LABELS;
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::{counted, safe_path, safe_text};
use chaffinch_review::repair::{Change, Plan};

/// Pictures to name in a sentence.
const SHOWN: usize = 3;

/// Does all of a plan but writing, and returns what it will leave contradictory or lose, as a sentence.
///
/// # Errors
/// When applying it would refuse it, with the same words, or when stopped.
pub fn check(plan: &Plan, job: &Job<'_>) -> Result<Option<String>> {
    require_whole(&plan.dataset.path())?;
    let edits = Edits::of(plan, job)?;
    let said: Vec<String> = edits.contradictions().into_iter().chain(replaced(&edits, plan)).collect();
    Ok((!said.is_empty()).then(|| said.join("; ")))
}

/// Which pictures have several labels, all of which a new one takes the place of.
fn replaced(edits: &Edits, plan: &Plan) -> Option<String> {
    let all = edits.manifest.extra().iter().find(|column| column.name == ALL_LABELS)?;
    let several = |change: &&Change| change.label.is_empty() && change.to_label.is_some();
    let lost: Vec<String> = (plan.changes.iter().filter(several))
        .filter_map(|change| {
            let labels = all.values.get(change.id().index()).filter(|labels| !labels.is_empty())?;
            Some(format!("{} ({})", safe_path(&change.path.path()), safe_text(labels)))
        })
        .collect();
    let pictures = counted(lost.len() as u64, "picture has", "pictures have");
    let shown = lost.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if lost.len() > SHOWN { ", …" } else { "" };
    let text =
        format!("{pictures} several labels, all of which the new one takes the place of: {shown}{more}");
    (!lost.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Do, plan, whole, write};
    use super::check;
    use std::path::Path;

    #[test]
    fn several_labels_that_a_new_one_replaces_are_said() {
        let temp = tempfile::tempdir().unwrap();
        write(temp.path(), &[("1.jpg", "1"), ("2.jpg", "2"), ("3.jpg", "3")]);
        let table = "path,label\n1.jpg,\"['cat', 'dog']\"\n2.jpg,['cat']\n3.jpg,['dog']\n";
        write(temp.path(), &[("table.csv", table)]);
        let said = |path| {
            let plan = plan(&temp.path().join("table.csv"), &[(path, Do::Label("dog"))]);
            whole(|job| check(&plan, job)).unwrap()
        };
        assert_eq!(said("2.jpg"), None);
        let expected =
            "1 picture has several labels, all of which the new one takes the place of: 1.jpg (cat|dog)";
        assert_eq!(said("1.jpg").as_deref(), Some(expected));
    }

    #[test]
    fn columns_that_contradict_new_labels_are_said() {
        let temp = tempfile::tempdir().unwrap();
        let pictures = [("d/1.jpg", "1"), ("d/2.jpg", "2"), ("d/3.jpg", "3")];
        write(temp.path(), &pictures);
        let rows = "label,class_id,camera\n1.jpg,cat,0,a\n2.jpg,dog,1,b\n3.jpg,cat,0,a\n";
        let folder = temp.path().join("d");
        write(&folder, &[("metadata.csv", &format!("file_name,{rows}"))]);
        write(temp.path(), &[("1.jpg", "1"), ("2.jpg", "2"), ("3.jpg", "3")]);
        write(temp.path(), &[("table.csv", &format!("path,{rows}"))]);
        let said =
            |dataset: &Path, wish| whole(|job| check(&plan(dataset, &[("1.jpg", wish)]), job)).unwrap();
        for dataset in [folder, temp.path().join("table.csv")] {
            assert_eq!(said(&dataset, Do::Remove), None);
            assert_eq!(said(&dataset, Do::Label("dog")), None, "class_id changes");
            let warned = said(&dataset, Do::Label("cow")).expect("nothing says the class_id of a cow");
            assert!(warned.starts_with("the column 'class_id' has no known value beside"), "{warned}");
        }
        // What is not rewritten stays.
        let entry = |number, label, id| {
            format!(
                "{{\"filepath\": \"d/{number}.jpg\", \"class_id\": {id}, \"ground_truth\": {{\"_cls\": \"Classification\", \"label\": \"{label}\"}}}}"
            )
        };
        let entries = [entry(1, "cat", 0), entry(2, "dog", 1), entry(3, "cat", 0)].join(",");
        let tool = temp.path().join("fiftyone");
        write(&tool, &pictures);
        write(&tool, &[("samples.json", &format!("{{\"samples\": [{entries}]}}"))]);
        let plan = plan(&tool, &[("d/1.jpg", Do::Label("dog"))]);
        let warned = whole(|job| check(&plan, job)).unwrap().expect("class_id stays 0");
        assert!(
            warned.starts_with("the column 'class_id' goes with the labels, but stays as it is"),
            "{warned}"
        );
    }
}
