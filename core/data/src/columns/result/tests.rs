use super::*;
use crate::columns::ResultBuilder;
use crate::set_value::SetValue;
use proptest::prelude::*;

fn classes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn record() -> RunRecord {
    RunRecord {
        name: "nearest".into(),
        version: "1.2".into(),
        groups: true,
        threshold: 0.5,
        params: [
            ("k".to_owned(), SetValue::Number(9.0)),
            ("a".to_owned(), SetValue::Number(0.1)),
            ("mode".to_owned(), SetValue::Choice("beta".into())),
        ]
        .into(),
        notes: vec![("classes".into(), "2".into())],
        input_digest: "ab".into(),
        ..RunRecord::default()
    }
}

fn sample_result() -> DetectorResult {
    let mut builder = ResultBuilder::new(5);
    builder.issue(SampleId(3), Issue { score: 0.9, reason: "first word".into(), ..Issue::default() });
    builder.scores(&[f32::NAN, 0.2, 1.5, 0.8, 1.0]);
    let issue = Issue {
        score: 0.1,
        suggested: Some(1),
        group: Some(7),
        related: vec![(SampleId(1), 0.75), (SampleId(4), 0.5)],
        reason: "last word: größer".into(),
    };
    builder.issue(SampleId(3), issue);
    builder.issue(SampleId(1), Issue { score: 0.3, group: Some(7), ..Issue::default() });
    builder.finish(record(), &classes(&["cat", "dog"]))
}

#[test]
fn the_last_word_counts_and_scores_stay_in_bounds() {
    let result = sample_result();
    assert_eq!(result.score(SampleId(0)), None);
    assert_eq!(result.issue(SampleId(0)), None);
    assert_eq!(result.scores()[2], 1.0);
    let issue = result.issue(SampleId(3)).unwrap();
    assert_eq!((issue.score, issue.suggested, issue.reason.as_str()), (0.1, Some(1), "last word: größer"));
    assert_eq!(issue.related, [(SampleId(1), 0.75), (SampleId(4), 0.5)]);
    assert_eq!(result.group_members(7), [SampleId(1), SampleId(3)]);
    assert_eq!(result.group_members(8), []);
}

#[test]
fn a_kept_result_is_the_same_and_binds_labels_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("nearest.arrow");
    let result = sample_result();
    result.save(&path).unwrap();
    let back = DetectorResult::load(&path, &classes(&["bird", "cat", "dog"])).unwrap();
    assert_eq!(back.record(), result.record());
    assert_eq!(back.suggested(SampleId(3)), Some(2));
    let gone = DetectorResult::load(&path, &classes(&["cat"])).unwrap();
    assert_eq!(gone.suggested(SampleId(3)), None);
    let again = DetectorResult::load(&path, &classes(&["cat", "dog"])).unwrap();
    for row in 0..5 {
        assert_eq!(again.issue(SampleId(row)), result.issue(SampleId(row)));
    }
    let bytes = std::fs::read(&path).unwrap();
    sample_result().save(&path).unwrap();
    assert_eq!(bytes, std::fs::read(&path).unwrap());
}

#[test]
fn names_of_files_are_checked() {
    assert!(check_name("clip-prompt").is_ok());
    for bad in ["", "../x", "a/b", ".hidden", "a\0b"] {
        assert!(check_name(bad).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_damage_is_an_error_or_harmless(offset in 0_usize..4000, bit in 0_u8..8) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.arrow");
        sample_result().save(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let offset = offset % bytes.len();
        bytes[offset] ^= 1 << bit;
        std::fs::write(&path, bytes).unwrap();
        if let Ok(result) = DetectorResult::load(&path, &classes(&["cat", "dog"])) {
            for row in 0..result.len() as u32 {
                let _ = result.issue(SampleId(row));
                let _ = result.group_members(row);
            }
        }
    }
}

#[test]
fn attributes_and_regions_are_kept_with_a_result() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("nearest.arrow");
    let face = Boxed { edges: [0.0, 0.25, 0.5, 1.0], label: "größe".into() };
    let other = Boxed { edges: [0.5, 0.5, 0.75, 0.75], label: String::new() };
    let mut builder = ResultBuilder::new(3);
    builder.scores(&[0.1, 0.2, 0.3]);
    builder.attribute("sharp", "px", &[1.5, f32::NAN, -2.0]).attribute("age", "", &[f32::NAN; 3]);
    builder.regions(SampleId(2), vec![other.clone()]).regions(SampleId(0), vec![face.clone(), other.clone()]);
    let result = builder.finish(record(), &classes(&["cat"]));
    result.save(&path).unwrap();
    let back = DetectorResult::load(&path, &classes(&["cat"])).unwrap();
    for result in [&result, &back] {
        assert_eq!(result.attributes().collect::<Vec<_>>(), ["age", "sharp"]);
        assert_eq!((result.unit("sharp"), result.unit("age")), ("px", ""));
        let values = |name: &str| (0..4).map(|row| result.attribute(name, SampleId(row))).collect::<Vec<_>>();
        assert_eq!(values("sharp"), [Some(1.5), None, Some(-2.0), None]);
        assert_eq!(values("age"), [None; 4]);
        assert!(result.has_regions());
        let regions = |row| result.regions(SampleId(row));
        assert_eq!(regions(0), [face.clone(), other.clone()]);
        assert_eq!((regions(1), regions(2), regions(9)), (Vec::new(), vec![other.clone()], Vec::new()));
    }
    assert!(!sample_result().has_regions());
}
