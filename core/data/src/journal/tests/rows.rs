//! Which of several rows of one path decisions are about: a table may name a picture more than once.

use super::*;
use crate::manifest::ExtraColumn;

/// A row of a table: path, label, split, another column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row(&'static str, &'static str, Split, &'static str);

fn table(rows: &[Row]) -> (Arc<Manifest>, Arc<FileMetadata>) {
    let sample = |row: &Row| NewSample { path: row.0.into(), label: Some(row.1.into()), split: row.2 };
    let values = rows.iter().map(|row| row.3.to_owned()).collect();
    let extra = vec![ExtraColumn { name: "box".into(), values }];
    let manifest = Manifest::new("/data", rows.iter().map(sample)).with_extra(extra);
    let hashes = rows.iter().map(|row| ContentHash::of(row.0.as_bytes())).collect();
    (Arc::new(manifest), Arc::new(FileMetadata { hashes, ..FileMetadata::default() }))
}

fn opened(dir: &Path, reviewer: &str, rows: &[Row]) -> Journal {
    let mut journal = Journal::open(dir, reviewer).unwrap();
    let (manifest, file_metadata) = table(rows);
    journal.bind(&manifest, Some(&file_metadata));
    journal
}

const CAT: Row = Row("a.png", "cat", Split::Train, "");
const DOG: Row = Row("a.png", "dog", Split::Train, "");
const OTHER: Row = Row("b.png", "cat", Split::Train, "");

#[test]
fn each_row_of_a_path_has_a_decision_of_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let rows = [CAT, OTHER, DOG];
    let mut journal = opened(temp.path(), "anna", &rows);
    journal.decide(&ids(&[0]), remove()).unwrap();
    journal.decide(&ids(&[2]), keep()).unwrap();
    journal.tag(&ids(&[0]), &["blur".into()], "a note").unwrap();
    journal.decide(&ids(&[1]), keep()).unwrap();
    let own = [(0, "remove".into()), (1, "keep".into()), (2, "keep".into())];
    assert_eq!(choices(&journal), own);
    let mut journal = opened(temp.path(), "anna", &rows);
    assert_eq!(choices(&journal), own);
    assert_eq!(
        (journal.decisions().note(SampleId(0)), journal.decisions().note(SampleId(2))),
        ("a note", "")
    );
    // One that is the only one of its path is written as ever.
    let text = text(temp.path());
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["samples"][0]["row"]["label"], "cat");
    assert_eq!(lines[3]["samples"][0]["row"], serde_json::Value::Null);
    // Undone by row.
    journal.undo().unwrap();
    journal.undo().unwrap();
    assert_eq!(journal.undo().unwrap().unwrap().samples, ids(&[2]));
    assert_eq!(choices(&journal), [(0, "remove".into())]);
    // What others and imports say is about the row, too.
    let mut ben = opened(temp.path(), "ben", &rows);
    ben.adopt(&[(SampleId(2), Said { choice: Some(Choice::Unsure), ..Said::default() })]).unwrap();
    assert_eq!(choices(&opened(temp.path(), "anna", &rows)), [(0, "remove".into()), (2, "unsure".into())]);
}

#[test]
fn a_row_is_found_in_another_table_or_none_is() {
    let decided = |row: u32, rows: &[Row], now: &[Row]| {
        let temp = tempfile::tempdir().unwrap();
        opened(temp.path(), "anna", rows).decide(&ids(&[row]), remove()).unwrap();
        let journal = opened(temp.path(), "anna", now);
        let changed: Vec<Now> = journal.changed().iter().map(|one| one.now).collect();
        (journal.decisions().iter().map(|(id, _)| id.0).collect::<Vec<_>>(), journal.orphans(), changed)
    };
    let found = |row: u32| (vec![row], 0, vec![]);
    let bird = Row("a.png", "bird", Split::Train, "");
    assert_eq!(decided(1, &[CAT, DOG], &[bird, CAT, OTHER, DOG]), found(3));
    assert_eq!(decided(1, &[CAT, DOG], &[DOG, CAT]), found(0));
    assert_eq!(decided(1, &[CAT, DOG], &[DOG]), found(0));
    assert_eq!(decided(0, &[CAT, DOG], &[DOG]), (vec![], 1, vec![]), "it was removed");
    let test = Row("a.png", "cat", Split::Test, "");
    assert_eq!(decided(0, &[CAT, test], &[test]).0, [0; 0]);
    // Of rows that say the same, one cannot be told from the other once they are fewer or more.
    assert_eq!(decided(1, &[CAT, CAT], &[CAT, OTHER, CAT]), found(2));
    assert_eq!(decided(1, &[CAT, CAT], &[CAT]), (vec![], 1, vec![]), "it was removed");
    assert_eq!(decided(1, &[CAT, CAT], &[CAT, CAT, CAT]), (vec![], 1, vec![Now::Unclear]));
    // A picture that was in one row and now is in two.
    assert_eq!(decided(0, &[CAT], &[CAT, DOG]), (vec![], 1, vec![Now::Unclear]));
    // Other columns tell rows apart, and may change where they are not needed for that.
    let [one, two, three] = ["1", "2", "3"].map(|text| Row("a.png", "cat", Split::Train, text));
    assert_eq!(decided(1, &[one, two], &[two, one]), found(0));
    assert_eq!(decided(1, &[one, two], &[three, two, one]), found(1));
    assert_eq!(decided(1, &[one, two], &[one, three]).0, [0; 0]);
    assert_eq!(decided(1, &[DOG, two], &[three, DOG]), found(0));
    // All rows of a renamed picture.
    let moved = |row: Row| Row("new/a.png", row.1, row.2, row.3);
    let renamed = |rows: &[Row]| {
        let temp = tempfile::tempdir().unwrap();
        opened(temp.path(), "anna", &[CAT, DOG]).decide(&ids(&[1]), remove()).unwrap();
        let (manifest, _) = table(rows);
        let hashes = vec![ContentHash::of(b"a.png"); rows.len()].into();
        let mut journal = Journal::open(temp.path(), "anna").unwrap();
        journal.bind(&manifest, Some(&Arc::new(FileMetadata { hashes, ..FileMetadata::default() })));
        choices(&journal)
    };
    assert_eq!(renamed(&[moved(DOG), moved(CAT)]), [(0, "remove".into())]);
}

#[test]
fn entries_that_do_not_say_which_row_apply_to_none() {
    let temp = tempfile::tempdir().unwrap();
    let rows = [CAT, DOG];
    let mut journal = opened(temp.path(), "anna", &rows);
    journal.decide(&ids(&[1]), remove()).unwrap();
    journal.decide(&ids(&[0, 1]), keep()).unwrap();
    drop(journal);
    // As before rows were told apart.
    let file = temp.path().join("anna.jsonl");
    let lines = text(temp.path());
    let lines: Vec<String> = (lines.lines())
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            for sample in line["samples"].as_array_mut().unwrap() {
                sample.as_object_mut().unwrap().remove("row").unwrap();
            }
            line.to_string()
        })
        .collect();
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    for rows in [&rows[..], &[CAT], &[DOG]] {
        let journal = opened(temp.path(), "anna", rows);
        assert_eq!((choices(&journal), journal.orphans(), journal.undoable()), (vec![], 1, 2));
        assert_eq!(journal.changed().iter().map(|one| one.now).collect::<Vec<_>>(), [Now::Unclear]);
    }
}

fn row() -> impl Strategy<Value = Row> {
    let path = prop::sample::select(vec!["a.png", "b.png", "c.png"]);
    let label = prop::sample::select(vec!["cat", "dog"]);
    let split = prop::sample::select(vec![Split::Train, Split::Test]);
    let rest = prop::sample::select(vec!["", "1", "2"]);
    (path, label, split, rest).prop_map(|(path, label, split, rest)| Row(path, label, split, rest))
}

proptest! {
    #[test]
    fn decisions_are_on_the_row_they_were_made_on_or_on_none(
        rows in prop::collection::vec(row(), 1..10),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        gone in prop::collection::vec(any::<bool>(), 10),
        new in prop::collection::vec(row(), 0..3),
        shuffle in prop::collection::vec(any::<u16>(), 13),
    ) {
        let temp = tempfile::tempdir().unwrap();
        let mut journal = opened(temp.path(), "anna", &rows);
        let mut decided: BTreeMap<u32, String> = BTreeMap::new();
        for (number, place) in order.iter().enumerate() {
            let row = place.index(rows.len()) as u32;
            journal.decide(&ids(&[row]), Some(relabel(&format!("{row} {number}")))).unwrap();
            decided.insert(row, format!("relabel to {row} {number}"));
        }
        let expected: Vec<(u32, String)> = decided.clone().into_iter().collect();
        prop_assert_eq!(&choices(&journal), &expected);
        prop_assert_eq!(&choices(&opened(temp.path(), "anna", &rows)), &expected, "read again");

        // Another table: rows are gone, new ones came, and all are in another order.
        let kept = rows.iter().enumerate().filter(|(place, _)| !gone[*place]);
        let mut now: Vec<(Option<u32>, Row)> = kept.map(|(place, row)| (Some(place as u32), *row)).collect();
        now.extend(new.into_iter().map(|row| (None, row)));
        let mut keyed: Vec<_> = shuffle.into_iter().zip(now).collect();
        keyed.sort_by_key(|(key, _)| *key);
        let (was, table): (Vec<Option<u32>>, Vec<Row>) = keyed.into_iter().map(|(_, row)| row).unzip();
        let journal = opened(temp.path(), "anna", &table);
        let count = |rows: &[Row], same: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| same(row)).count();
        let found = choices(&journal);
        for (place, choice) in &found {
            let row = decided.iter().find(|(_, said)| *said == choice).map(|(row, _)| *row).unwrap();
            let (before, after) = (rows[row as usize], table[*place as usize]);
            prop_assert_eq!(before.0, after.0);
            let alone = |same: &dyn Fn(&Row) -> bool| count(&rows, same) == 1 && count(&table, same) == 1;
            let fits = was[*place as usize] == Some(row)
                // Nothing in the tables tells them apart.
                || before == after
                // Nothing else could be meant.
                || alone(&|row| (row.0, row.1, row.2) == (before.0, before.1, before.2))
                || alone(&|row| row.0 == before.0);
            prop_assert!(fits, "{row} {before:?} is on {place} {after:?}");
        }
        // What no other row could be is found.
        for (place, was) in was.iter().enumerate() {
            let Some(said) = was.and_then(|was| decided.get(&was)) else { continue };
            let only = |same: &dyn Fn(&Row) -> bool| count(&rows, same) == 1 && count(&table, same) == 1;
            let row = table[place];
            let several = count(&rows, &|other| other.0 == row.0) > 1;
            if only(&|other| *other == row) && (several || count(&table, &|other| other.0 == row.0) == 1) {
                prop_assert!(found.contains(&(place as u32, said.clone())), "{row:?} lost {said}");
            }
        }
    }
}
