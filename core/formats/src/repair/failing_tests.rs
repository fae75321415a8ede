//! Steps that fail midway, leftovers of killed programs, and datasets that are half changed.

use super::testing::{Do, contents, files, manifest, plan, stopped_after, whole, write};
use super::{
    Applied, State, apply_in_place, apply_to, check, found, remove_leftovers, require_whole, rollback,
    unfinished,
};
use crate::Result;
use chaffinch_compute::job::Job;
use chaffinch_data::output::CopyMode;
use chaffinch_review::repair::Plan;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::TempDir;

fn dataset() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("data");
    write(
        &data,
        &[("cat/1.jpg", "1"), ("cat/2.jpg", "2"), ("cat/3.jpg", "3"), ("dog/4.jpg", "4"), ("dog/5.jpg", "5")],
    );
    (temp, data)
}

fn some(data: &Path) -> Plan {
    plan(data, &[("cat/1.jpg", Do::Remove), ("cat/2.jpg", Do::Label("dog")), ("dog/4.jpg", Do::Label("cat"))])
}

/// Applies a plan in place, and puts files in the way once it has reported progress so often.
fn obstructed(plan: &Plan, steps: usize, ways: &[PathBuf]) -> Result<Applied> {
    let (stop, left) = (AtomicBool::new(false), AtomicUsize::new(steps));
    let progress = |_, _| {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            ways.iter().for_each(|path| fs::write(path, "in the way").unwrap());
        }
    };
    apply_in_place(plan, &Job::new(&stop, &progress))
}

/// How many reports of progress there are in all.
fn steps(plan: &Plan, data: &Path) -> usize {
    let (stop, all) = (AtomicBool::new(false), AtomicUsize::new(0));
    let progress = |_, _| _ = all.fetch_add(1, Ordering::Relaxed);
    apply_in_place(plan, &Job::new(&stop, &progress)).unwrap();
    whole(|job| rollback(&found(data)[0], job)).unwrap();
    all.into_inner()
}

#[test]
fn a_step_that_fails_is_taken_back_with_all_before_it() {
    let (temp, data) = dataset();
    let plan = some(&data);
    let before = files(&data);
    let all = steps(&plan, &data);
    // The places of moved files, one of them free until it is reached.
    let way = data.join("dog/2.jpg");
    let mut failed = 0;
    for step in 1..=all {
        match obstructed(&plan, step, std::slice::from_ref(&way)) {
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("everything was put back as it was"), "{step}: {error}");
                assert!(error.contains("dog/2.jpg is in the way"), "{step}: {error}");
                assert!(found(&data).is_empty(), "{step}");
                fs::remove_file(&way).unwrap();
                failed += 1;
            }
            // Before the plan is compared with the dataset, it is another file of it; afterwards, it is never reached.
            Ok(_) => {
                let one = found(&data).into_iter().next().unwrap();
                fs::write(&way, "2").unwrap();
                whole(|job| rollback(&one, job)).unwrap();
                let _ = fs::remove_file(&way);
            }
        }
        assert_eq!(
            contents(&data),
            before.iter().map(|(path, (bytes, _))| (path.clone(), bytes.clone())).collect()
        );
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "{step}");
    }
    assert!(failed > 0, "nothing was ever in the way");
}

#[test]
fn what_cannot_be_put_back_is_said_to_be_half_changed() {
    let (_temp, data) = dataset();
    let plan = some(&data);
    let before = contents(&data);
    let all = steps(&plan, &data);
    // One where a moved file comes, and one where a removed file was, which stops the way back.
    let ways = [data.join("dog/2.jpg"), data.join("cat/1.jpg")];
    let mut said = None;
    for step in 1..=all {
        if let Err(error) = obstructed(&plan, step, &ways)
            && !found(&data).is_empty()
        {
            said = Some(error.to_string());
            break;
        }
        while let Some(one) = found(&data).into_iter().next() {
            let _ = fs::remove_file(&ways[1]);
            fs::write(&ways[0], "2").unwrap();
            whole(|job| rollback(&one, job)).unwrap();
        }
        let _ = fs::remove_file(&ways[0]);
        before.iter().for_each(|(path, bytes)| fs::write(data.join(path), bytes).unwrap());
    }
    let said = said.expect("no step was stopped by both");
    assert!(said.contains("it is half changed, and files of it are in "), "{said}");
    assert!(said.contains("chaffinch rollback "), "{said}");
    assert_eq!(unfinished(&data).map(|one| one.state), Some(State::Unfinished));
    ways.iter().for_each(|path| fs::remove_file(path).unwrap());
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
    assert_eq!(contents(&data), before);
}

#[test]
fn nothing_is_written_from_a_dataset_that_is_half_changed() {
    let (temp, data) = dataset();
    let plan = some(&data);
    let other = super::testing::plan(&data, &[("cat/3.jpg", Do::Remove)]);
    let all = steps(&plan, &data);
    let mut halves = 0;
    for step in 1..all {
        if stopped_after(step, |job| apply_in_place(&plan, job)).is_ok() {
            whole(|job| rollback(&found(&data)[0], job)).unwrap();
            continue;
        }
        let Some(one) = unfinished(&data) else {
            require_whole(&data).unwrap();
            continue;
        };
        halves += 1;
        let copy = temp.path().join("copy");
        for outcome in [
            require_whole(&data),
            whole(|job| check(&other, job).map(drop)),
            whole(|job| apply_to(&other, &copy, CopyMode::Copy, job).map(drop)),
            whole(|job| apply_in_place(&other, job).map(drop)),
        ] {
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains("it is half changed") && error.contains("chaffinch rollback "), "{error}");
        }
        assert!(!copy.exists());
        whole(|job| rollback(&one, job)).unwrap();
        require_whole(&data).unwrap();
    }
    assert!(halves > 2, "it was never stopped between two steps");
}

#[test]
fn leftovers_go_and_what_holds_files_stays() {
    let (temp, data) = dataset();
    let at = |id: &str| temp.path().join(format!(".data.chaffinch-rollback-{id}"));
    fs::create_dir_all(at("0123456789ab").join("kept")).unwrap();
    fs::create_dir_all(at("0123456789ab").join("new")).unwrap();
    fs::write(at("0123456789ab").join("new/0"), "new").unwrap();
    fs::create_dir(at("ba9876543210")).unwrap();
    // Without its journal, somebody must look.
    fs::create_dir_all(at("00000000000f").join("kept")).unwrap();
    fs::write(at("00000000000f").join("kept/0"), "a picture").unwrap();
    fs::create_dir(at("of-mine")).unwrap();
    let plan = some(&data);
    whole(|job| apply_in_place(&plan, job)).unwrap();
    assert_eq!(remove_leftovers(&data).unwrap(), [at("0123456789ab"), at("ba9876543210")]);
    assert!(at("00000000000f").join("kept/0").is_file() && at("of-mine").is_dir());
    assert_eq!(found(&data).len(), 1);
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
}

#[test]
fn other_files_that_come_and_go_do_not_matter() {
    let (_temp, data) = dataset();
    let plan = some(&data);
    write(&data, &[("aardvark/0.jpg", "0"), ("cat/0.jpg", "00")]);
    fs::remove_file(data.join("dog/5.jpg")).unwrap();
    let before = contents(&data);
    whole(|job| apply_in_place(&plan, job)).unwrap();
    let now = manifest(&data);
    let rows: Vec<String> =
        now.ids().map(|id| format!("{} {}", now.path(id).display(), now.label_name(id))).collect();
    assert_eq!(
        rows,
        ["aardvark/0.jpg aardvark", "cat/0.jpg cat", "cat/3.jpg cat", "cat/4.jpg cat", "dog/2.jpg dog"]
    );
    whole(|job| rollback(&found(&data)[0], job)).unwrap();
    assert_eq!(contents(&data), before);
    // Those that the plan changes do.
    fs::remove_file(data.join("cat/2.jpg")).unwrap();
    let error = whole(|job| apply_in_place(&plan, job)).unwrap_err().to_string();
    assert!(error.contains("cat/2.jpg is not where it was when the plan was made"), "{error}");
}

#[test]
fn rows_of_a_table_that_name_the_same_file_are_told_apart_by_their_number() {
    let temp = tempfile::tempdir().unwrap();
    write(
        temp.path(),
        &[("a.jpg", "a"), ("b.jpg", "b"), ("t.csv", "path,label\na.jpg,cat\na.jpg,dog\nb.jpg,dog\n")],
    );
    let table = temp.path().join("t.csv");
    let mut plan = plan(&table, &[("b.jpg", Do::Remove)]);
    // The second of the two.
    let read = manifest(&table);
    let second = read.ids().find(|&id| read.label_name(id) == "dog").unwrap();
    plan.changes.insert(0, super::testing::change(&read, second));
    plan.changes[0].remove = true;
    fs::write(&table, "path,label\nb.jpg,cat\nb.jpg,cat\na.jpg,cat\na.jpg,dog\nb.jpg,dog\n").unwrap();
    let error = whole(|job| check(&plan, job)).unwrap_err().to_string();
    assert!(error.contains("when the plan was made; scan the dataset and make a new plan"), "{error}");
}
