use super::*;
use crate::query::Source;
use crate::ranking::{self, Results};
use chaffinch_compute::image::decode::{Damage, Remark};
use chaffinch_compute::job::Job;
use chaffinch_data::file_metadata::FileMetadata;
use chaffinch_data::journal::Journal;
use chaffinch_data::manifest::{Manifest, NewSample};
use chaffinch_plugin::Dimensions;
use chaffinch_protocol::EnsembleRule;
use chaffinch_protocol::decision::Choice;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A sample: path, label, split, content, side in pixels, time of change.
type Row = (&'static str, &'static str, Split, u8, u32, i64);

fn planned(rows: &[Row], decided: &[(usize, Choice)], policies: Policies) -> Plan {
    planned_with(rows, &[], decided, policies)
}

/// The same with rows that are damaged, nobody knows how much.
fn planned_with(rows: &[Row], damaged: &[u32], decided: &[(usize, Choice)], policies: Policies) -> Plan {
    let damage = Damage { share: 0.0, from: 0.0, at_end: false, garbled: true, detail: false };
    let samples = rows.iter().map(|(path, label, split, ..)| NewSample {
        path: path.into(),
        label: (!label.is_empty()).then(|| (*label).to_owned()),
        split: *split,
    });
    let manifest = Arc::new(Manifest::new("/data", samples));
    let file_metadata = Arc::new(FileMetadata {
        hashes: rows.iter().map(|row| ContentHash::of(&[row.3])).collect(),
        dimensions: (rows.iter())
            .map(|row| Dimensions { width: row.4, height: row.4, bytes: u64::from(row.4) })
            .collect(),
        modified: rows.iter().map(|row| row.5).collect(),
        remarks: damaged.iter().map(|row| (SampleId(*row), vec![Remark::Damaged(damage)])).collect(),
        ..FileMetadata::default()
    });
    let temp = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&temp.path().join("decisions"), "anna").unwrap();
    journal.bind(&manifest, Some(&file_metadata));
    for (row, choice) in decided {
        journal.decide(&[SampleId(*row as u32)], Some(choice.clone().into())).unwrap();
    }
    let results = Results::default();
    let ranking = ranking::rank(&results, &BTreeMap::new(), &EnsembleRule::Or, manifest.len());
    let source = Source {
        manifest: &manifest,
        file_metadata: &file_metadata,
        results: &results,
        previous: &BTreeMap::new(),
        thresholds: &BTreeMap::new(),
        ranking: &ranking,
        decisions: journal.decisions(),
        atlas: None,
        direction: None,
        learned: None,
    };
    let go = AtomicBool::new(false);
    let job = Job::new(&go, &|_, _| {});
    make(&source, Path::new("/data"), &DatasetOptions::default(), policies, &job).unwrap()
}

/// Changes as lines: `- path`, `path>label`, `path>split`.
fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &Change| {
        let path = change.path.path().display().to_string();
        match (change.remove, &change.to_label, change.to_split) {
            (true, ..) => format!("- {path}"),
            (_, Some(label), _) => format!("{path}>{label}"),
            (_, _, split) => format!("{path}>{}", split.unwrap_or_default()),
        }
    };
    plan.changes.iter().map(line).collect()
}

fn leaks(policy: Leaks) -> Policies {
    Policies { leaks: Some(policy), copies: None }
}

fn copies(policy: Copies) -> Policies {
    Policies { leaks: None, copies: Some(policy) }
}

const LEAKED: [Row; 5] = [
    ("train/a", "cat", Split::Train, 1, 10, 0),
    ("val/a", "cat", Split::Validation, 1, 10, 0),
    ("test/a", "cat", Split::Test, 1, 10, 0),
    ("val/b", "dog", Split::Validation, 2, 10, 0),
    ("test/b", "dog", Split::Test, 2, 10, 0),
];

#[test]
fn leaks_are_treated_as_whole_groups() {
    let of = |policy| lines(&planned(&LEAKED, &[], leaks(policy)));
    assert_eq!(of(Leaks::MoveToTrain), ["val/a>train", "test/a>train", "test/b>validation"]);
    assert_eq!(of(Leaks::RemoveTrain), ["- train/a", "- val/a", "- val/b"]);
    assert_eq!(of(Leaks::RemoveTest), ["- val/a", "- test/a", "- test/b"]);
    let plan = planned(&LEAKED, &[], leaks(Leaks::MoveToTrain));
    let count = plan.counts.0.iter().find(|one| one.class == "cat" && one.split == Split::Train).unwrap();
    assert_eq!((count.before, count.coming, count.after), (1, 2, 3));
    assert_eq!(plan.changes[0].why, "leak: a copy of train/a");
}

#[test]
fn what_people_decided_wins_and_is_said() {
    let dog = || Choice::Relabel("dog".into());
    let decided = [(2, Choice::Keep), (3, Choice::Remove)];
    let plan = planned(&LEAKED, &decided, leaks(Leaks::RemoveTest));
    assert_eq!(lines(&plan), ["- val/a", "- val/b"]);
    // With another label for one of its copies alone, it is not known which is right.
    let differing = planned(&LEAKED, &[(0, dog())], leaks(Leaks::RemoveTest));
    assert_eq!(lines(&differing), ["train/a>dog", "- test/b"]);
    assert!(differing.conflicts[0].text.contains("different labels"), "{:?}", differing.conflicts);
    let conflicts: Vec<(PathBuf, &str)> =
        plan.conflicts.iter().map(|one| (one.path.path(), one.text.as_str())).collect();
    assert_eq!(
        conflicts,
        [(
            PathBuf::from("test/a"),
            "stays, because it was decided as keep, though remove-test would remove it: leak: a copy of train/a"
        )]
    );
    let moved = planned(&LEAKED, &[(2, Choice::Unsure)], leaks(Leaks::MoveToTrain));
    assert_eq!(lines(&moved), ["val/a>train", "test/b>validation"]);
    assert!(moved.conflicts[0].text.contains("stays in test, because it was decided as unsure"));
    assert_eq!(plan.changes[1].why, "decided by anna");
}

#[test]
fn of_copies_the_best_by_the_policy_is_kept() {
    let rows = [
        ("train/small", "", Split::Train, 1, 10, 5),
        ("train/large", "cat", Split::Train, 1, 30, 9),
        ("test/old", "cat", Split::Test, 1, 20, -7),
        ("train/other", "dog", Split::Train, 2, 20, 1),
    ];
    let kept = |policy, decided: &[(usize, Choice)]| lines(&planned(&rows, decided, copies(policy)));
    assert_eq!(kept(Copies::KeepLarger, &[]), ["- train/small", "- test/old"]);
    assert_eq!(kept(Copies::KeepOlder, &[]), ["- train/small", "- train/large"]);
    assert_eq!(kept(Copies::KeepTest, &[]), ["- train/small", "- train/large"]);
    assert_eq!(kept(Copies::KeepLabeled, &[]), ["- train/small", "- test/old"]);
    // A person keeps the smallest one.
    assert_eq!(kept(Copies::KeepLarger, &[(0, Choice::Keep)]), ["- train/large", "- test/old"]);
    // Two are kept by people: neither goes, and one of them is a conflict.
    let both = [(0, Choice::Keep), (1, Choice::Keep)];
    let plan = planned(&rows, &both, copies(Copies::KeepLarger));
    assert_eq!((lines(&plan), plan.conflicts.len()), (vec!["- test/old".to_owned()], 1));
    // Of what is left after removing the best.
    assert_eq!(kept(Copies::KeepLarger, &[(1, Choice::Remove)]), ["- train/small", "- train/large"]);
}

/// Whatever a policy goes by, and however little is known of the damage; but a picture without a label is of no use to who asks
/// for one with a label.
#[test]
fn a_damaged_copy_is_not_kept_where_another_is_intact() {
    let rows = [
        ("test/damaged", "cat", Split::Test, 1, 30, 1),
        ("train/intact", "", Split::Train, 1, 10, 9),
        ("train/other", "", Split::Train, 1, 10, 9),
    ];
    for policy in Copies::ALL {
        let plan = planned_with(&rows, &[0], &[], copies(policy));
        let kept = if policy == Copies::KeepLabeled { "test/damaged" } else { "train/intact" };
        let removed: Vec<String> = rows
            .iter()
            .map(|row| row.0)
            .filter(|path| *path != kept)
            .map(|path| format!("- {path}"))
            .collect();
        assert_eq!(lines(&plan), removed, "{policy:?}");
    }
    // All of them damaged, the policy decides.
    let plan = planned_with(&rows, &[0, 1, 2], &[], copies(Copies::KeepLarger));
    assert_eq!(lines(&plan), ["- train/intact", "- train/other"]);
    // What a person keeps stays.
    let plan = planned_with(&rows, &[0], &[(0, Choice::Keep)], copies(Copies::KeepSharper));
    assert_eq!(lines(&plan), ["- train/intact", "- train/other"]);
}

#[test]
fn of_equal_copies_one_that_need_not_be_moved_is_kept() {
    let rows = [
        ("a", "cat", Split::Test, 1, 10, 0),
        ("b", "cat", Split::Train, 1, 10, 0),
        ("c", "cat", Split::Train, 1, 10, 0),
    ];
    let both = Policies { leaks: Some(Leaks::MoveToTrain), copies: Some(Copies::KeepLarger) };
    assert_eq!(lines(&planned(&rows, &[], both)), ["- a", "- c"]);
}

#[test]
fn copies_with_different_labels_are_left_to_people() {
    let rows = [("a", "cat", Split::None, 1, 10, 0), ("b", "dog", Split::None, 1, 20, 0)];
    let plan = planned(&rows, &[], copies(Copies::KeepLarger));
    assert!(plan.changes.is_empty());
    assert!(plan.conflicts[0].text.contains("different labels ('cat', 'dog')"), "{:?}", plan.conflicts);
    // Once they are relabeled, they are copies like others.
    let plan = planned(&rows, &[(0, Choice::Relabel("dog".into()))], copies(Copies::KeepLarger));
    assert_eq!(lines(&plan), ["a>dog", "- b"]);
}

#[test]
fn a_plan_comes_back_from_its_file() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("plan.json");
    let plan = planned(&LEAKED, &[(0, Choice::Keep)], leaks(Leaks::RemoveTrain));
    plan.save(&file).unwrap();
    let read = Plan::load(&file).unwrap();
    assert_eq!((read.id(), &read), (plan.id(), &plan));
    let refused = |text: &str| {
        fs::write(&file, text).unwrap();
        Plan::load(&file).unwrap_err().to_string()
    };
    assert!(refused("{\"version\": 9}").contains("a plan of version 9"));
    assert!(refused("{}").contains("it is not a plan") && refused("cat,dog").contains("it is not a plan"));
    assert!(refused("{\"version\": 1}").contains("damaged plan"));
}

#[test]
fn a_path_of_several_rows_is_shown_with_its_row() {
    let rows: [Row; 4] = [
        ("a.jpg", "cat", Split::None, 1, 8, 0),
        ("b.jpg", "cat", Split::None, 2, 8, 0),
        ("a.jpg", "dog", Split::None, 1, 8, 0),
        ("c.jpg", "cat", Split::None, 3, 8, 0),
    ];
    let decided =
        [(1, Choice::Remove), (2, Choice::Relabel("cat".into())), (3, Choice::Relabel("dog".into()))];
    let plan = planned(&rows, &decided, Policies::default());
    let words: Vec<String> = plan.changes.iter().map(Change::words).collect();
    assert_eq!(
        words,
        [
            "- b.jpg (decided by anna)",
            "~ a.jpg row 3 dog -> cat (decided by anna)",
            "~ c.jpg cat -> dog (decided by anna)",
        ]
    );
    // A plan of before says nothing of it.
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(text.matches("repeated").count(), 1);
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn leaks_with_different_labels_are_conflicts_under_every_policy() {
    for policy in [Leaks::MoveToTrain, Leaks::RemoveTrain, Leaks::RemoveTest] {
        let mut rows = LEAKED.to_vec();
        rows[0].1 = "another";
        let plan = planned(&rows, &[], leaks(policy));
        let said: Vec<&str> = plan.conflicts.iter().map(|conflict| conflict.text.as_str()).collect();
        assert!(
            said.iter().any(|why| why.contains("because they have different labels")),
            "{policy:?}: {said:?}"
        );
        let both = planned(&rows, &[], Policies { leaks: Some(policy), copies: Some(Copies::KeepLarger) });
        let differing = both.conflicts.iter().filter(|conflict| conflict.text.contains("different labels"));
        assert_eq!(differing.count(), 1, "{:?}", both.conflicts);
    }
}
