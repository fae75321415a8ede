use super::*;
use serde_json::Value;

/// Decisions and figures of scikit-learn, statsmodels and irrCAC; see scripts/fixtures/make_agreement_fixtures.py.
fn fixture() -> Value {
    serde_json::from_str(include_str!("../../fixtures/agreement.json")).unwrap()
}

/// The samples of these reviewers: each letter is a decision, a point none.
fn samples(fixture: &Value, reviewers: &[&str]) -> Vec<Rated> {
    let lines: Vec<Vec<char>> =
        reviewers.iter().map(|name| fixture[*name].as_str().unwrap().chars().collect()).collect();
    let classes: Vec<char> = fixture["classes"].as_str().unwrap().chars().collect();
    let rated = |row: usize| Rated {
        class: classes[row].to_string(),
        said: reviewers
            .iter()
            .zip(&lines)
            .filter(|(_, line)| line[row] != '.')
            .map(|(name, line)| ((*name).to_owned(), line[row].to_string()))
            .collect(),
    };
    (0..classes.len()).map(rated).collect()
}

fn close(ours: Option<f64>, theirs: &Value) {
    let (ours, theirs) = (ours.unwrap(), theirs.as_f64().unwrap());
    assert!((ours - theirs).abs() < 1e-9, "{ours} is not {theirs}");
}

#[test]
fn two_reviewers_agree_as_scikit_learn_and_statsmodels_say() {
    let fixture = fixture();
    let found = agreement(&samples(&fixture, &["anna", "ben"]));
    let theirs = &fixture["cohen"];
    close(found.all.value, &theirs["scikit_learn"]);
    close(found.all.value, &theirs["statsmodels"]);
    close(found.all.standard_error, &theirs["standard_error"]);
    let interval = found.all.interval().unwrap();
    close(Some(interval[0]), &theirs["interval"][0]);
    close(Some(interval[1]), &theirs["interval"][1]);
    assert_eq!(found.all.samples, theirs["samples"].as_u64().unwrap());
    assert_eq!(found.pairs.len(), 1);
    assert_eq!(found.pairs[0].kappa, found.all);
    for (class, kappa) in &found.classes {
        close(kappa.value, &theirs["classes"][class]);
    }
    assert_eq!(found.classes.len(), theirs["classes"].as_object().unwrap().len());
}

#[test]
fn three_reviewers_agree_as_statsmodels_and_irrcac_say() {
    let fixture = fixture();
    let found = agreement(&samples(&fixture, &["anna", "ben", "carl"]));
    let theirs = &fixture["fleiss"];
    close(found.all.value, &theirs["statsmodels"]);
    close(found.all.value, &theirs["irrcac"]);
    close(found.all.standard_error, &theirs["standard_error"]);
    assert_eq!(found.all.samples, theirs["samples"].as_u64().unwrap());
    assert_eq!(found.pairs.len(), 3);
}

#[test]
fn each_reviewer_agrees_with_the_others_as_scikit_learn_says() {
    let fixture = fixture();
    let found = agreement(&samples(&fixture, &["anna", "ben", "carl"]));
    let theirs = &fixture["reviewers"];
    for one in &found.each {
        let theirs = &theirs[&one.reviewer];
        close(one.kappa.value, &theirs["scikit_learn"]);
        close(one.kappa.standard_error, &theirs["standard_error"]);
        assert_eq!(one.samples, theirs["samples"].as_u64().unwrap());
        let [low, high] = one.kappa.interval().unwrap();
        let value = one.kappa.value.unwrap();
        assert!(low < value && value < high);
    }
    assert_eq!(found.each.len(), 3);
    // Of two, either one's is that of the pair.
    let two = agreement(&samples(&fixture, &["anna", "ben"]));
    for one in &two.each {
        assert!((one.kappa.value.unwrap() - two.all.value.unwrap()).abs() < 1e-12);
        assert!((one.kappa.standard_error.unwrap() - two.all.standard_error.unwrap()).abs() < 1e-12);
    }
}

#[test]
fn without_anything_to_compare_there_is_no_coefficient() {
    let rated = |said: &[(&str, &str)]| Rated {
        class: "cat".into(),
        said: said.iter().map(|(who, what)| ((*who).to_owned(), (*what).to_owned())).collect(),
    };
    let alone = agreement(&[rated(&[("anna", "keep")]), rated(&[("ben", "remove")])]);
    assert_eq!((alone.shared, alone.all.value, alone.reviewers.len()), (0, None, 0));
    let same = agreement(&[rated(&[("anna", "keep"), ("ben", "keep")])]);
    assert_eq!((same.shared, same.alike, same.all.observed), (1, 1, Some(1.0)));
    assert_eq!((same.all.value, same.all.interval()), (None, None), "all decisions are the same");
}

#[test]
fn reviewers_who_share_no_sample_are_no_pair() {
    let rated = |said: &[(&str, &str)]| Rated {
        class: "cat".into(),
        said: said.iter().map(|(who, what)| ((*who).to_owned(), (*what).to_owned())).collect(),
    };
    let found = agreement(&[
        rated(&[("anna", "keep"), ("ben", "keep")]),
        rated(&[("anna", "remove"), ("ben", "keep")]),
        rated(&[("ben", "keep"), ("carl", "unsure")]),
    ]);
    assert_eq!(found.all.samples, 0, "no sample has all three");
    let pairs: Vec<&[String; 2]> = found.pairs.iter().map(|pair| &pair.reviewers).collect();
    assert_eq!(pairs, [&["anna".to_owned(), "ben".to_owned()], &["ben".to_owned(), "carl".to_owned()]]);
    let of = |name: &str| found.each.iter().find(|one| one.reviewer == name).unwrap();
    assert_eq!((of("ben").samples, of("carl").samples), (3, 1));
    assert!((of("ben").alike - 1.0 / 3.0).abs() < 1e-12);
}
